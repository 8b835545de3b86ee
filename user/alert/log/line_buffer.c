/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/line_buffer.h"

#include <stdlib.h>
#include <string.h>

char *qpw_line_buffer_room(struct qpw_line_buffer *b)
{
    char *grown;

    if (b->start)
        memmove(b->bytes, b->bytes + b->start, b->used - b->start);
    b->used -= b->start;
    b->start = 0;
    if (b->used + QPW_LINE_CHUNK > b->room) {
        grown = realloc(b->bytes, b->used + QPW_LINE_CHUNK);
        if (!grown)
            return NULL;
        b->bytes = grown;
        b->room = b->used + QPW_LINE_CHUNK;
    }
    return b->bytes + b->used;
}

bool qpw_line_buffer_take(struct qpw_line_buffer *b, const char **ret_line, size_t *ret_length)
{
    const char *newline = b->used > b->start ? memchr(b->bytes + b->start, '\n', b->used - b->start) : NULL;

    if (!newline)
        return false;
    *ret_line = b->bytes + b->start;
    *ret_length = (size_t)(newline - *ret_line);
    b->start += *ret_length + 1;
    return true;
}

bool qpw_line_buffer_take_rest(struct qpw_line_buffer *b, const char **ret_line, size_t *ret_length)
{
    if (b->used == b->start)
        return false;
    *ret_line = b->bytes + b->start;
    *ret_length = b->used - b->start;
    b->start = b->used;
    return true;
}

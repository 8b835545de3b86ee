/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* line_buffer.h - bytes that are read in chunks and handed out line by line. */
#ifndef QPW_ALERT_LOG_LINE_BUFFER_H
#define QPW_ALERT_LOG_LINE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#define QPW_LINE_CHUNK 65536u

/* A zeroed buffer is empty. */
struct qpw_line_buffer {
    char *bytes;
    size_t start, used; /* the bytes not handed out yet are start to used - 1 */
    size_t room;
};

/*
 * Return where to read the next bytes, with room for QPW_LINE_CHUNK of them; NULL: out of memory. The caller adds the
 * number that it read to `used`. Lines handed out before are invalid.
 */
char *qpw_line_buffer_room(struct qpw_line_buffer *b);

/* Hand out the next line, without its newline, until the next call of the above. False: there is no whole line. */
bool qpw_line_buffer_take(struct qpw_line_buffer *b, const char **ret_line, size_t *ret_length);

/* Hand out what is left behind the last newline. False: nothing. */
bool qpw_line_buffer_take_rest(struct qpw_line_buffer *b, const char **ret_line, size_t *ret_length);

#endif

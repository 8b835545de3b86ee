/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Room for the model's rows and lines, which the files of its tabs fill. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "view/model.h"

struct qpw_row *qpw_model_add_row(struct qpw_model *m)
{
    if (m->n_rows == m->room) {
        size_t room = m->room ? 2 * m->room : 256;
        struct qpw_row *rows = realloc(m->rows, room * sizeof(*rows));

        if (!rows)
            return NULL;
        m->rows = rows;
        m->room = room;
    }
    m->rows[m->n_rows] = (struct qpw_row){0};
    return &m->rows[m->n_rows++];
}

int qpw_model_add_line(struct qpw_model *m, const char *section, uint8_t style, const char *item, const char *value,
                       const char *note)
{
    struct qpw_line *line;

    if (m->n_lines == m->lines_room) {
        size_t room = m->lines_room ? 2 * m->lines_room : 64;
        struct qpw_line *lines = realloc(m->lines, room * sizeof(*lines));

        if (!lines)
            return -ENOMEM;
        m->lines = lines;
        m->lines_room = room;
    }
    line = &m->lines[m->n_lines++];
    line->section = section;
    line->style = style;
    snprintf(line->item, sizeof(line->item), "%s", item);
    snprintf(line->value, sizeof(line->value), "%s", value);
    snprintf(line->note, sizeof(line->note), "%s", note);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* rows.c - allocate the model's rows and lines, which the tabs' files fill. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/array.h"
#include "view/model.h"

struct qpw_row *qpw_model_add_row(struct qpw_model *m)
{
    struct qpw_row *row = QPW_ADD(m->rows, m->n_rows);

    m->n_rows += row != NULL;
    return row;
}

int qpw_model_add_line(struct qpw_model *m, const char *section, uint8_t style, const char *item, const char *value,
                       const char *note)
{
    struct qpw_line *line = QPW_ADD(m->lines, m->n_lines);

    if (!line)
        return -ENOMEM;
    m->n_lines++;
    line->section = section;
    line->style = style;
    snprintf(line->item, sizeof(line->item), "%s", item);
    snprintf(line->value, sizeof(line->value), "%s", value);
    snprintf(line->note, sizeof(line->note), "%s", note);
    return 0;
}

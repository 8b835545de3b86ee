/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/plain.h"

#include <errno.h>
#include <stdlib.h>

#include "view/screen.h"
#include "words/words.h"

#define HEADER_ROWS 20 /* any height at which the header is complete */

static void print_row(FILE *out, const struct qpw_canvas *c, int row, char *buf, size_t size)
{
    fprintf(out, "%s\n", qpw_canvas_row_text(c, row, buf, size));
}

/* Create a canvas of that size and a buffer for one of its lines. */
static int open_canvas(struct qpw_canvas *c, int rows, int width, bool ascii, char **ret_buf)
{
    int r;

    *c = (struct qpw_canvas){.ascii = ascii};
    r = qpw_canvas_resize(c, rows, width);
    if (r < 0)
        return r;
    *ret_buf = malloc(QPW_CELL_BYTES * ((size_t)width + 1));
    if (*ret_buf)
        return 0;
    qpw_canvas_free(c);
    return -ENOMEM;
}

int qpw_plain_header(FILE *out, const struct qpw_model *m, const struct qpw_view_state *state, int width, bool ascii)
{
    struct qpw_canvas c;
    char *buf = NULL;
    int r = open_canvas(&c, HEADER_ROWS, width, ascii, &buf);

    if (r < 0)
        return r;
    r = qpw_header_paint(&c, m, state);
    for (int i = 0; i < r; i++)
        print_row(out, &c, i, buf, QPW_CELL_BYTES * ((size_t)width + 1));
    free(buf);
    qpw_canvas_free(&c);
    return 0;
}

int qpw_plain_table(FILE *out, struct qpw_model *m, const struct qpw_view_state *state, int width, bool ascii)
{
    struct qpw_canvas c;
    struct qpw_layout layout;
    char *buf = NULL, count[40];
    int r = qpw_model_build(m, state);

    if (r == 0)
        r = open_canvas(&c, 1, width, ascii, &buf);
    if (r < 0)
        return r;
    qpw_layout_make(qpw_tab_columns(state->tab), state->totals, width, &layout);
    fprintf(out, "%s: %s", qpw_tab_name(state->tab), qpw_words_many(m->n_rows, "row", count, sizeof(count)));
    if (state->filter.n_terms)
        fprintf(out, " of %s, filter %s", qpw_words_count(m->n_rows + m->n_hidden, count, sizeof(count)), state->filter_text);
    fprintf(out, "\n");
    qpw_titles_paint(&c, 0, &layout, state);
    print_row(out, &c, 0, buf, QPW_CELL_BYTES * ((size_t)width + 1));
    if (!m->n_rows && *qpw_empty_text(m, state))
        fprintf(out, "%s\n", qpw_empty_text(m, state));
    for (size_t i = 0; i < m->n_rows; i++) {
        qpw_canvas_clear(&c);
        qpw_row_paint(&c, 0, &layout, m, state, &m->rows[i]);
        print_row(out, &c, 0, buf, QPW_CELL_BYTES * ((size_t)width + 1));
    }
    free(buf);
    qpw_canvas_free(&c);
    return 0;
}

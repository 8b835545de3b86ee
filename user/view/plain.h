/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* plain.h - print header and tables as plain text, from the same cells as the screen. */
#ifndef QPW_VIEW_PLAIN_H
#define QPW_VIEW_PLAIN_H

#include <stdio.h>

#include "view/model.h"

/* Print the header. width: cells per line; ascii: no character above 127. Returns 0 or -ENOMEM. */
int qpw_plain_header(FILE *out, const struct qpw_model *m, const struct qpw_view_state *state, int width, bool ascii);

/* Build the rows of state->tab and print them below its name and column titles. Returns 0 or -ENOMEM. */
int qpw_plain_table(FILE *out, struct qpw_model *m, const struct qpw_view_state *state, int width, bool ascii);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* plain.h - header and tables as plain text, the same cells as on the screen. */
#ifndef QPW_VIEW_PLAIN_H
#define QPW_VIEW_PLAIN_H

#include <stdio.h>

#include "view/model.h"

/* Prints the header. width: cells a line; ascii: no character above 127. 0 or -ENOMEM. */
int qpw_plain_header(FILE *out, const struct qpw_model *m, const struct qpw_view_state *state, int width, bool ascii);

/* Builds state->tab's rows and prints them under its name and column titles. 0 or -ENOMEM. */
int qpw_plain_table(FILE *out, struct qpw_model *m, const struct qpw_view_state *state, int width, bool ascii);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* history_lists.h - what `qportwatch history` lists: times, remote ends, what is new; as tables or as JSON rows. */
#ifndef QPW_CMD_HISTORY_LISTS_H
#define QPW_CMD_HISTORY_LISTS_H

#include <jansson.h>

#include "history/read.h"

struct qpw_history_list {
    json_t *rows; /* gets the rows; NULL: they are printed */
    size_t n;     /* rows so far; a table behind others is set off by an empty line */
};

/*
 * Each runs a query and adds what it returned to the list. Returns 0, or a negative number with err filled.
 */

/* What the filter selects by hour, day or month. */
int qpw_history_list_times(struct qpw_history_reader *reader, const struct qpw_history_filter *filter, enum qpw_history_by by,
                           struct qpw_history_list *list, struct qpw_error *err);

/* Remote ends. remote NULL: any. */
int qpw_history_list_ends(struct qpw_history_reader *reader, const struct qpw_history_filter *filter, const char *remote,
                          struct qpw_history_list *list, struct qpw_error *err);

/* What is first seen in the window. */
int qpw_history_list_new(struct qpw_history_reader *reader, const struct qpw_history_window *window, struct qpw_history_list *list,
                         struct qpw_error *err);

#endif

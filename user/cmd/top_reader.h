/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* top_reader.h - `top` for members of the group that may only read: its tables, asked for again and again. */
#ifndef QPW_CMD_TOP_READER_H
#define QPW_CMD_TOP_READER_H

#include <stdbool.h>

/* The options of `top`, checked; NULL: not given. */
struct qpw_top_reader {
    const char *tab, *filter, *sort;
    unsigned interval_ms;
    bool json, ascii;
    bool once;
    bool screen; /* one table that stays in place, else lines */
};

/* Runs until it is interrupted, or once. An exit status; -1: nobody serves readers here, or this process may not ask. */
int qpw_top_reader_run(const struct qpw_top_reader *options);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* top_reader.h - `top` for members of the group of readers: its tables, requested repeatedly. */
#ifndef QPW_CMD_TOP_READER_H
#define QPW_CMD_TOP_READER_H

#include <stdbool.h>

/* The checked options of `top`; NULL: not given. */
struct qpw_top_reader {
    const char *tab, *filter, *sort;
    unsigned interval_ms;
    bool json, ascii;
    bool once;
    bool screen; /* redraw one table in place; otherwise print lines */
};

/*
 * Run once, or until interrupted. Returns an exit status; -1: no server for readers here, or this process may not use
 * it.
 */
int qpw_top_reader_run(const struct qpw_top_reader *options);

#endif

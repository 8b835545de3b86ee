/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_int.h - what the parts of the importer share; everybody else includes import.h. */
#ifndef QPW_POLICY_IMPORT_INT_H
#define QPW_POLICY_IMPORT_INT_H

#include "policy/page/cells.h"
#include "policy/page/import.h"
#include "policy/page/page.h"

/* One derived row. */
struct qpw_import_row {
    unsigned line;
    uint8_t direction;
    struct qpw_row_ports ports;
    char *purpose;
    bool is_default;
    bool optional;
    bool weak;
};

struct qpw_importer {
    const char *name; /* in messages */
    const char *base; /* in ref= */
    const struct qpw_import_options *options;
    struct qpw_page page;
    struct qpw_import_row *rows;
    size_t n_rows;
    struct qpw_imported out;
    struct qpw_error *err;

    unsigned heading;                /* directions that the heading above speaks of */
    unsigned section;                /* directions of a spanning row, over the heading's */
    enum qpw_column columns[32];
    size_t n_columns;                /* 0: titles not seen yet */
    bool ignored;                    /* the table is about something else */
    unsigned tables;                 /* of ports */
    unsigned peer_ports_line;        /* lines of what the page says about traffic between nodes, 0: nothing */
    unsigned family_line[2];         /* IPv4, IPv6 */
};

/* The rows as a policy's text into im->out.policy; `text` is the page, for its digest. 0 or -ENOMEM. */
int qpw_import_write(struct qpw_importer *im, const char *text, size_t length);

#endif

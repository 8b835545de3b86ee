/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* row_subject.h - what findings, meters, lost detail, rules and peers have in common, brought to one form for the cells. */
#ifndef QPW_VIEW_ROW_SUBJECT_H
#define QPW_VIEW_ROW_SUBJECT_H

#include "view/columns.h"

/* Fields that the row's kind does not have are zero or NULL. */
struct qpw_row_subject {
    uint8_t kind, protocol, direction, verdict, reason, scope;
    uint16_t port, rule, peer, iface, vlan;
    const uint8_t *initiator, *responder;
    const struct qpw_finding *finding;
};

struct qpw_row_subject qpw_row_subject_of(const struct qpw_row *row);

/* The row's figure in a column, for sorting and for showing; false, *ret untouched, where the column is text. */
bool qpw_row_number(const struct qpw_row *row, enum qpw_column_id column, double *ret);

#endif

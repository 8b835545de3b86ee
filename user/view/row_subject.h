/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* row_subject.h - a common form of findings, meters, lost detail, rules and peers, for the cells. */
#ifndef QPW_VIEW_ROW_SUBJECT_H
#define QPW_VIEW_ROW_SUBJECT_H

#include "view/columns.h"

/* Fields that the row's kind lacks are zero or NULL. */
struct qpw_row_subject {
    uint8_t kind, protocol, direction, verdict, reason, scope, speaks;
    uint16_t port, rule, peer, iface, vlan, services;
    const uint8_t *initiator, *responder;
    const struct qpw_finding *finding;
};

struct qpw_row_subject qpw_row_subject_of(const struct qpw_row *row);

/* Return the row's number in a column, for sorting and showing. False, with *ret unchanged: the column is text. */
bool qpw_row_number(const struct qpw_row *row, enum qpw_column_id column, double *ret);

#endif

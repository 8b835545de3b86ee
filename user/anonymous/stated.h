/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stated.h - other names and addresses in a node's statement about itself. */
#ifndef QPW_ANONYMOUS_STATED_H
#define QPW_ANONYMOUS_STATED_H

#include "anonymous/anonymous.h"
#include "facts/statement.h"

/*
 * Replace in place every name and address of a statement that was just made. Nodes and peers get names of one kind, so
 * that statements made under the same key can still be compared. The policy's name stays: it is the caller's to replace.
 */
void qpw_anonymous_stated(const struct qpw_anonymous *a, struct qpw_statement *s);

#endif

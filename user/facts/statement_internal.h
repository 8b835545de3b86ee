/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* statement_internal.h - parts of making a statement; internal to statement*.c. */
#ifndef QPW_FACTS_STATEMENT_INTERNAL_H
#define QPW_FACTS_STATEMENT_INTERNAL_H

#include "facts/statement.h"

/* Each returns 0 or -ENOMEM. */
int qpw_statement_pairs(const struct qpw_statement_from *from, struct qpw_statement *ret);
int qpw_statement_ports(const struct qpw_statement_from *from, struct qpw_statement *ret);
int qpw_statement_samples(const struct qpw_statement_from *from, struct qpw_statement *ret);

/* Return a service as text. */
struct qpw_stated_service qpw_stated_service(unsigned kind, unsigned protocol, unsigned port, unsigned direction);

#endif

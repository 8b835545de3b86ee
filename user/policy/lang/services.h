/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* services.h - speaks= of a rule: the services that the node's end may be, as QPW_SPEAKS(…), or QPW_SPEAKS_ANY. */
#ifndef QPW_POLICY_SERVICES_H
#define QPW_POLICY_SERVICES_H

#include <stddef.h>
#include <stdint.h>

#include "policy/lang/parse.h"
#include "speaks.h"

#define QPW_SPEAKS_ROOM 96 /* for every name, with the end */

/* "ssh,tls" or "any" into bits. NULL, or where the first item begins that is no service or given twice. */
const char *qpw_speaks_read(const char *text, uint32_t *ret);

/* The same of a statement; `text` points into the word. 0, or -EINVAL with err. */
int qpw_parse_speaks(const struct qpw_where *where, const struct qpw_word *word, const char *text, uint32_t *ret,
                     struct qpw_error *err);

/* Whether a protocol of the rule carries a service that it names. 0, or -EINVAL with err. */
int qpw_check_speaks(const struct qpw_rule *rule, const struct qpw_where *where, struct qpw_error *err);

/* As it would be written, always in the same order; "any" where there is no check. Writes into buf, and returns it. */
const char *qpw_speaks_text(uint32_t speaks, char *buf, size_t size);

/* The bits of the services, none where there is no check. */
uint32_t qpw_speaks_services(uint32_t speaks);

/* Those that are spoken over the protocol (of IP); none but over TCP and UDP. */
uint32_t qpw_speaks_over(uint32_t speaks, unsigned protocol);

#endif

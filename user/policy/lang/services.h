/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* services.h - speaks= of a rule: the permitted services of the node's end, as QPW_SPEAKS(…), or QPW_SPEAKS_ANY. */
#ifndef QPW_POLICY_SERVICES_H
#define QPW_POLICY_SERVICES_H

#include <stddef.h>
#include <stdint.h>

#include "policy/lang/parse.h"
#include "speaks.h"

#define QPW_SPEAKS_ROOM 96 /* fits every name, including the terminating zero */

/* Parse "ssh,tls" or "any" into bits. Returns NULL, or the first item that is unknown or given twice. */
const char *qpw_speaks_read(const char *text, uint32_t *ret);

/* Parse speaks= of a statement; `text` points into the word. Returns 0, or -EINVAL with err. */
int qpw_parse_speaks(const struct qpw_where *where, const struct qpw_word *word, const char *text, uint32_t *ret,
                     struct qpw_error *err);

/* Check that a protocol of the rule carries a service that it names. Returns 0, or -EINVAL with err. */
int qpw_check_speaks(const struct qpw_rule *rule, const struct qpw_where *where, struct qpw_error *err);

/* Write the services as in a policy, in a fixed order; "any" if nothing is checked. Returns buf. */
const char *qpw_speaks_text(uint32_t speaks, char *buf, size_t size);

/* Return the services as bits; 0: nothing is checked. */
uint32_t qpw_speaks_services(uint32_t speaks);

/* Return those that are spoken over the IP protocol; 0 except for TCP and UDP. */
uint32_t qpw_speaks_over(uint32_t speaks, unsigned protocol);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alone.h - requests of other commands, carried out in the auditor's place if none is running. */
#ifndef QPW_AUDITOR_ALONE_H
#define QPW_AUDITOR_ALONE_H

#include <jansson.h>

#include "util/error.h"

/*
 * Send the request ("reload" or "ack") to the auditor; if none is running, act as the auditor for the time it takes.
 * Return the exit status, with err filled if it is not 0; or -EMSGSIZE: the request is too long. *ret_answer (NULL:
 * none) is always owned by the caller.
 */
int qpw_audit_ask(const json_t *request, json_t **ret_answer, struct qpw_error *err);

#endif

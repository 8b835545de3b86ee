/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alone.h - what other commands ask of the auditor, done in its place where none is running. */
#ifndef QPW_AUDITOR_ALONE_H
#define QPW_AUDITOR_ALONE_H

#include <jansson.h>

#include "util/error.h"

/*
 * Sends the request ("reload" or "ack") to the auditor; where there is none, this process is the auditor for as long as it
 * takes. *ret_answer (NULL where there is none) is the caller's in any case. The exit status, with err filled where it is
 * not 0; or -EMSGSIZE: the request is too long.
 */
int qpw_audit_ask(const json_t *request, json_t **ret_answer, struct qpw_error *err);

#endif

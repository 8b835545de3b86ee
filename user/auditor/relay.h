/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * relay.h - commands that only read, run for members of the group that may read, on the asker's own output.
 *
 * What they read takes root's rights, so the auditor starts them, with words that can name no file.
 */
#ifndef QPW_AUDITOR_RELAY_H
#define QPW_AUDITOR_RELAY_H

#include <jansson.h>
#include <stdbool.h>

#include "auditor/internal.h"

/* Whether the words are a command that only reads, with options that name no file. err says why not. */
bool qpw_relay_allows(const json_t *words, struct qpw_error *err);

/*
 * Serves the request "show": `words`, beside it the descriptors of standard output and error. NULL: it is under way, and
 * answers on the asker's socket by itself; else the answer, which refuses it.
 */
json_t *qpw_relay_serve(struct qpw_auditor *a, const json_t *request);

/* Takes note of those that have ended. Once a second. */
void qpw_relay_tick(struct qpw_auditor *a);

#endif

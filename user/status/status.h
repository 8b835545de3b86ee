/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* status.h - the data of `status`: gathered once, rendered as text or JSON. */
#ifndef QPW_AUDIT_STATUS_H
#define QPW_AUDIT_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "facts/answer.h"
#include "facts/totals.h"
#include "instance/runs.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

/* Our programs in the hooks of one interface now. */
struct qpw_status_hooks {
    const struct qpw_iface_row *iface; /* in the snapshot */
    const char *rx_hook;               /* "XDP", "TCX", "clsact" or "none"; static */
    const char *tx_hook;
    enum qpw_watch_state state;
    char before_rx[64];                /* programs that see a packet before ours; empty: ours is first */
    char before_tx[64];
};

enum qpw_policy_state {
    QPW_POLICY_CURRENT,  /* the loaded policy equals its file */
    QPW_POLICY_CHANGED,  /* the file has changed since it was loaded */
    QPW_POLICY_UNREADABLE,
};

struct qpw_status {
    struct qpw_snapshot snapshot;
    struct qpw_answer answer;
    struct qpw_totals totals;
    struct qpw_status_hooks *hooks;
    size_t n_hooks;
    enum qpw_policy_state policy_state;
    char policy_file_digest[72];
    char policy_error[512];
    struct qpw_hook_scan others;   /* other instances' programs on these interfaces */
    json_t *alerts;             /* the auditor's report on its alert log; null: none; see status_alerts.h */
};

/*
 * Gather the status. -ENOENT: nothing is attached; or another negative errno, with err filled. The caller clears *ret.
 */
int qpw_status_gather(struct qpw_status *ret, struct qpw_error *err);
void qpw_status_clear(struct qpw_status *s);

void qpw_status_text(const struct qpw_status *s, FILE *out);

/* Write one document, "qportwatch.status/1". Returns 0, -ENOMEM or -EIO. */
int qpw_status_json(const struct qpw_status *s, FILE *out);

/* The same if nothing is attached, for the reason `why`. */
int qpw_status_json_nothing(const char *why, FILE *out);

#endif

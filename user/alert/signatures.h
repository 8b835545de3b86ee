/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * signatures.h - the one table of all signatures in the alert log.
 *
 * A signature's number and title never change meaning, because SIEM rules depend on them. Words in braces in a text are
 * filled in from the finding (see text.h).
 */
#ifndef QPW_ALERT_SIGNATURES_H
#define QPW_ALERT_SIGNATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/severity.h"
#include "snapshot/snapshot.h"

#define QPW_ALERT_GID 9100

enum qpw_signature_name {
    QPW_SIG_NONE = 0,
    QPW_SIG_IN_ATTEMPTED,
    QPW_SIG_IN_REFUSED,
    QPW_SIG_IN_ANSWERED,
    QPW_SIG_IN_DATA,
    QPW_SIG_OUT_ATTEMPTED,
    QPW_SIG_OUT_REFUSED,
    QPW_SIG_OUT_ANSWERED,
    QPW_SIG_OUT_DATA,
    QPW_SIG_OUT_ANSWERED_NEW,
    QPW_SIG_OUT_DATA_NEW,
    QPW_SIG_PROTOCOL_SEEN,
    QPW_SIG_PROTOCOL_BOTH,
    QPW_SIG_ETHERTYPE,
    QPW_SIG_WEAK_ANSWERED,
    QPW_SIG_IMPLIED,
    QPW_SIG_IMPLIED_UNKNOWN,
    QPW_SIG_UNDECIDED_BOTH,
    QPW_SIG_NO_HANDSHAKE,
    QPW_SIG_INFERRED_BOTH,
    QPW_SIG_JUST_ATTACHED,
    QPW_SIG_QUESTION_LOST,
    QPW_SIG_UNJUDGED_SENT,
    QPW_SIG_UNJUDGED_BOTH,
    QPW_SIG_GROUP_ANSWERED,
    QPW_SIG_CROSSED,
    QPW_SIG_FOREIGN_SOURCE,
    QPW_SIG_MISMATCH,
    QPW_SIG_MISMATCH_TEXT,
    QPW_SIG_MULTICAST,
    QPW_SIG_SCAN,
    QPW_SIG_SCAN_OUT,
    QPW_SIG_MANY_INITIATORS,
    QPW_SIG_FLOOD,
    QPW_SIG_MAYBE_PEER,
    QPW_SIG_FURTHER,
    QPW_SIG_FURTHER_OUT,
    QPW_SIG_FURTHER_INFO,
    QPW_SIG_PEER_SILENT,
    QPW_SIG_PEER_BACK,
    QPW_SIG_PEER_FAMILY,
    QPW_SIG_PEER_PORT,
    QPW_SIG_ROUTER_ADVERTISEMENT,
    QPW_SIG_REDIRECT,
    QPW_SIG_LARGE_ECHO,
    QPW_SIG_LISTENER_NEW,
    QPW_SIG_OWNER_CHANGED,
    QPW_SIG_CLUSTER_BLIND,
    QPW_SIG_CLUSTER_LOST,
    QPW_SIG_CLUSTER_FORGED,
    QPW_SIG_CLUSTER_BYPASSED,
    QPW_SIG_CLUSTER_DOWN,
    QPW_SIG_CLUSTER_STALE,
    QPW_SIG_CLUSTER_PARTITION,
    QPW_SIG_CLUSTER_ADDRESS_TWICE,
    QPW_SIG_CLUSTER_COVERAGE,
    QPW_SIG_CLUSTER_DIRECTION,
    QPW_SIG_CLUSTER_ODD,
    QPW_SIG_CLUSTER_SCAN,
    QPW_SIG_CLUSTER_DRIFT,
    QPW_SIG_CLUSTER_CLOCK,
    QPW_SIG_CLUSTER_KEY,
    QPW_SIG_CLUSTER_LOG,
    QPW_SIG_CLUSTER_UNCOMPARED,
    QPW_SIG_CLUSTER_OVER,
    QPW_SIG_RELOAD_FAILED,
    QPW_SIG_DETAIL_LOST,
    QPW_SIG_ANSWERED_DETAIL_LOST,
    QPW_SIG_COUNTING_LOST,
    QPW_SIG_AUDITOR_GAP,
    QPW_SIG_HOOK_LOST,
    QPW_SIG_HOOK_NOT_FIRST,
    QPW_SIG_INTERFACE_LOST,
    QPW_SIG_OWNERS_LOST,
    QPW_SIG_ADDRESSES_LEFT_OUT,
    QPW_SIG_HELD_BACK,
    QPW_SIG_SUPPRESSED,
    QPW_SIG_ATTACHED,
    QPW_SIG_DETACHED,
    QPW_SIG_STARTED,
    QPW_SIG_STOPPED,
    QPW_SIG_INTERFACE,
    QPW_SIG_RELOADED,
    QPW_SIG_RELOADED_ALONE,
    QPW_SIG_CLOCK_STEPPED,
    QPW_SIG_OWNERS_NOTED,
    QPW_SIG_ADDRESSES_COMPLETE,
    QPW_SIG_HISTORY_STOPPED,
    QPW_SIG_HISTORY,
    QPW_SIG_SUPPRESSION_ADDED,
    QPW_SIG_SUPPRESSION_ENDED,
    QPW_SIG_COUNT
};

/* Signatures of what `serve` finds, see found.h. */
enum { QPW_SIG_FOUND_FIRST = QPW_SIG_CLUSTER_BLIND, QPW_SIG_FOUND_LAST = QPW_SIG_CLUSTER_LOG };

/* Interval of repeated records about continuing activity. */
enum qpw_repeat {
    QPW_REPEAT_NEVER = 0,
    QPW_REPEAT_INTERVAL,
    QPW_REPEAT_DAY,
};

struct qpw_signature {
    uint32_t id;        /* 1,000,000 to 1,999,999; 0: unused */
    uint8_t severity;   /* enum qpw_severity, of its row in facts/severity.h */
    uint8_t repeat;     /* enum qpw_repeat */
    bool operational;   /* about the auditor's own work: event_type "engine", no alert */
    const char *name;   /* one lower-case word, for filters */
    const char *title;  /* the record's `signature` */
    const char *text;   /* the event and the policy's position, with words in braces */
    const char *advice; /* recommended action */
};

/* Never NULL; QPW_SIG_NONE has id 0. */
const struct qpw_signature *qpw_signature(enum qpw_signature_name name);

/* Look up by number; NULL: none. */
const struct qpw_signature *qpw_signature_by_id(uint32_t id);

/* Return the signature of a finding; QPW_SIG_NONE: nothing to report. */
enum qpw_signature_name qpw_signature_of(const struct qpw_finding_row *row);

#endif

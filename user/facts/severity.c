/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/severity.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "facts/life.h"

unsigned qpw_concern_severity(enum qpw_concern concern)
{
#define SEVERITY(s, severity, text) QPW_SEVERITY_##severity,
    static const unsigned char severities[] = {QPW_CONCERNS(SEVERITY)};
#undef SEVERITY

    return concern < QPW_CONCERN_COUNT ? severities[concern] : QPW_SEVERITY_INFO;
}

const char *qpw_severity_name(unsigned severity)
{
    static const char *const names[] = {"none", "high", "medium", "low", "info"};

    return severity < sizeof(names) / sizeof(*names) ? names[severity] : "invalid";
}

static enum qpw_concern unexpected(const struct qpw_finding_row *f)
{
    static const enum qpw_concern by_outcome[2][QPW_OUTCOME_COUNT] = {
        {QPW_CONCERN_IN_ATTEMPTED, QPW_CONCERN_IN_ATTEMPTED, QPW_CONCERN_IN_REFUSED, QPW_CONCERN_IN_ANSWERED,
         QPW_CONCERN_IN_DATA},
        {QPW_CONCERN_OUT_ATTEMPTED, QPW_CONCERN_OUT_ATTEMPTED, QPW_CONCERN_OUT_REFUSED, QPW_CONCERN_OUT_ANSWERED,
         QPW_CONCERN_OUT_DATA},
    };
    unsigned outcome = f->value.outcome < QPW_OUTCOME_COUNT ? f->value.outcome : QPW_OUTCOME_DATA;

    if (qpw_is_foreign(f->value.reason) && !(f->key.direction == QPW_DIR_INBOUND && qpw_finding_answered(f)))
        return QPW_CONCERN_FOREIGN_SOURCE;
    if (f->value.flags & QPW_FINDING_MULTICAST && (f->key.kind == QPW_KIND_PORT || !qpw_finding_answered(f)) &&
        !(f->value.flags & QPW_FINDING_NODE && qpw_is_misfit(f->value.reason)))
        return qpw_finding_answered(f) ? QPW_CONCERN_GROUP_ANSWERED : QPW_CONCERN_GROUP;
    if (f->key.kind == QPW_KIND_ETHERTYPE)
        return qpw_finding_answered(f) ? QPW_CONCERN_PROTOCOL_BOTH : QPW_CONCERN_ETHERTYPE;
    if (f->key.kind == QPW_KIND_PROTOCOL || f->key.kind == QPW_KIND_ICMP)
        return qpw_finding_answered(f) ? QPW_CONCERN_PROTOCOL_BOTH : QPW_CONCERN_PROTOCOL_ONE_WAY;
    if (f->crossed.protocol && outcome == QPW_OUTCOME_ATTEMPTED)
        return QPW_CONCERN_CROSSED;
    if (f->key.direction == QPW_DIR_OUTBOUND && f->program_seen == QPW_PROGRAM_NEW && qpw_finding_answered(f))
        return outcome == QPW_OUTCOME_DATA ? QPW_CONCERN_OUT_DATA_NEW : QPW_CONCERN_OUT_ANSWERED_NEW;
    return by_outcome[f->key.direction == QPW_DIR_OUTBOUND][outcome];
}

/*
 * Of basic network traffic only these matter: large echoes can carry data, advertisements and redirects reroute the
 * node.
 */
static enum qpw_concern infrastructure(const struct qpw_finding_key *key)
{
    if (key->kind != QPW_KIND_ICMP)
        return QPW_CONCERN_NONE;
    if (key->protocol == IPPROTO_ICMPV6 ? key->port == ICMP6_ECHO_REQUEST : key->port == ICMP_ECHO)
        return QPW_CONCERN_LARGE_ECHO;
    if (key->direction != QPW_DIR_INBOUND)
        return QPW_CONCERN_NONE;
    if (key->protocol == IPPROTO_ICMPV6 && key->port == ND_ROUTER_ADVERT)
        return QPW_CONCERN_ADVERTISEMENT;
    if ((key->protocol == IPPROTO_ICMPV6 && key->port == ND_REDIRECT) ||
        (key->protocol == IPPROTO_ICMP && key->port == ICMP_REDIRECT))
        return QPW_CONCERN_REDIRECT;
    return QPW_CONCERN_NONE;
}

/*
 * Return the concern of undecided traffic. Inferred traffic is consistent with a rule, so one way it is harmless; both
 * ways it may be a hidden service that answers a well-chosen source port.
 */
static enum qpw_concern undecided(const struct qpw_finding_row *f)
{
    const struct qpw_finding *value = &f->value;
    bool both = value->outcome == QPW_OUTCOME_DATA;
    bool inferred = value->evidence == QPW_EVIDENCE_INFERRED || value->reason == QPW_REASON_INFERRED;

    if (f->key.kind == QPW_KIND_NONE || f->key.direction == QPW_DIR_UNDECODABLE) {
        if (both)
            return QPW_CONCERN_UNJUDGED_BOTH;
        return f->key.direction == QPW_DIR_UNDECODABLE ? QPW_CONCERN_UNJUDGED_SENT : QPW_CONCERN_NONE;
    }
    if (f->key.aggregated)
        return QPW_CONCERN_QUESTION_LOST;
    if (value->reason == QPW_REASON_JUST_ATTACHED && !(value->flags & QPW_FINDING_REMOTE_FIRST) && (inferred || !both))
        return QPW_CONCERN_JUST_ATTACHED;
    if (!both)
        return QPW_CONCERN_NONE;
    if (inferred)
        return QPW_CONCERN_INFERRED_BOTH;
    return f->key.protocol == IPPROTO_TCP ? QPW_CONCERN_NO_HANDSHAKE : QPW_CONCERN_UNDECIDED_BOTH;
}

/* What answers text in the place of a binary service is a shell more often than anything else. */
static enum qpw_concern mismatch(const struct qpw_finding_row *f)
{
    return f->key.direction == QPW_DIR_INBOUND && (f->value.speaks[1] & QPW_SPEECH) == QPW_SPEECH_TEXT && !(f->value.services & QPW_SPEAKS_AS_TEXT)
               ? QPW_CONCERN_MISMATCH_TEXT : QPW_CONCERN_MISMATCH;
}

enum qpw_concern qpw_finding_concern(const struct qpw_finding_row *f)
{
    switch (f->key.verdict) {
    case QPW_VERDICT_UNEXPECTED: return unexpected(f);
    case QPW_VERDICT_WEAK: return qpw_finding_answered(f) ? QPW_CONCERN_WEAK_ANSWERED : QPW_CONCERN_NONE;
    case QPW_VERDICT_IMPLIED:
        if (f->value.reason != QPW_REASON_OWNER_UNKNOWN)
            return QPW_CONCERN_IMPLIED;
        return qpw_finding_answered(f) ? QPW_CONCERN_IMPLIED_UNKNOWN : QPW_CONCERN_NONE; /* no owner, because nothing
                                                                                            answered */
    case QPW_VERDICT_INFRA: return infrastructure(&f->key);
    case QPW_VERDICT_MISMATCH: return mismatch(f);
    case QPW_VERDICT_UNDECIDED: return undecided(f);
    default: return QPW_CONCERN_NONE;
    }
}

enum qpw_concern qpw_coverage_concern(unsigned kind)
{
    switch (kind) {
    case QPW_COVERAGE_AUDITOR_GAP: return QPW_CONCERN_AUDITOR_GAP;
    case QPW_COVERAGE_INTERFACE_GONE:
    case QPW_COVERAGE_INTERFACE_DOWN: return QPW_CONCERN_INTERFACE_LOST;
    case QPW_COVERAGE_HOOK_LOST: return QPW_CONCERN_BLIND;
    case QPW_COVERAGE_HOOK_NOT_FIRST: return QPW_CONCERN_NOT_FIRST;
    case QPW_COVERAGE_OWNERS_LOST: return QPW_CONCERN_OWNERS_LOST;
    case QPW_COVERAGE_ADDRESSES_LEFT_OUT: return QPW_CONCERN_ADDRESSES_LEFT_OUT;
    case QPW_COVERAGE_RELOAD_FAILED: return QPW_CONCERN_RELOAD_FAILED;
    default: return QPW_CONCERN_HOUSEKEEPING;
    }
}

unsigned qpw_finding_severity(const struct qpw_finding_row *f)
{
    return qpw_finding_life(f).state == QPW_FINDING_CLOSED ? QPW_SEVERITY_INFO
                                                           : qpw_concern_severity(qpw_finding_concern(f));
}

bool qpw_finding_open(const struct qpw_finding_row *f)
{
    return qpw_finding_life(f).state == QPW_FINDING_OPEN;
}

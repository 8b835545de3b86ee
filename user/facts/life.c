/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/life.h"

#include <netinet/in.h>
#include <string.h>

#include "bpf/speech.h"
#include "facts/severity.h"
#include "util/name_table.h"

/*
 * Tolerance around a policy swap: a packet judged just before it may be recorded just after, because the programs'
 * clock counts jiffies of up to 10 ms.
 */
#define SWAP_NS 20000000ull

QPW_NAME_TABLE(qpw_life_state_name, state, QPW_LIFE_STATES, QPW_LIFE_STATE_COUNT, "invalid")

QPW_NAME_TABLE(qpw_closing_name, closing, QPW_CLOSINGS, QPW_CLOSING_COUNT, "invalid")

static bool seen_since(const struct qpw_finding_row *f, const struct qpw_life *step)
{
    return f->value.last_ns > step->mono_ns + SWAP_NS;
}

/* Return when a finding that stays silent closes; UINT64_MAX: never. */
static uint64_t silent_at(const struct qpw_finding_row *f)
{
    uint64_t retention_ns = f->lives ? f->lives->retention_ns[qpw_finding_answered(f)] : 0;

    return retention_ns ? f->last_unix_ns + retention_ns : UINT64_MAX;
}

/* Return the open state, with the time and step if an expired acknowledgement or a person reopened it. */
static struct qpw_finding_life opened(const struct qpw_finding_row *f, uint64_t now_ns)
{
    const struct qpw_life *ack = f->acknowledged, *back = f->reopened;
    struct qpw_finding_life life = {.state = QPW_FINDING_OPEN};

    if (ack && ack->until_unix_ns && now_ns >= ack->until_unix_ns && f->value.outcome <= ack->outcome &&
        f->first_unix_ns < ack->until_unix_ns) {
        life.when_unix_ns = ack->until_unix_ns;
        life.step = ack;
        life.ended = true;
    }
    if (back && back->unix_ns > life.when_unix_ns && f->first_unix_ns < back->unix_ns) {
        life.when_unix_ns = back->unix_ns;
        life.step = back;
        life.ended = false;
    }
    return life;
}

struct qpw_finding_life qpw_finding_life(const struct qpw_finding_row *f)
{
    const struct qpw_life *ack = f->acknowledged;
    uint64_t now_ns = f->lives ? f->lives->now_unix_ns : 0, silent_ns = silent_at(f);

    if (f->explained && !seen_since(f, f->explained))
        return (struct qpw_finding_life){QPW_FINDING_CLOSED, QPW_CLOSED_BY_RULE, f->explained->unix_ns, f->explained, false};
    if (f->value.flags & QPW_FINDING_SUPERSEDED)
        return (struct qpw_finding_life){QPW_FINDING_CLOSED, QPW_CLOSED_BY_SUPERSEDED, f->last_unix_ns, NULL, false};
    if (ack && (!ack->until_unix_ns || now_ns < ack->until_unix_ns) && f->value.outcome <= ack->outcome)
        return (struct qpw_finding_life){QPW_FINDING_ACKNOWLEDGED, QPW_CLOSED_BY_NOTHING, ack->unix_ns, ack, false};
    if (now_ns >= silent_ns)
        return (struct qpw_finding_life){QPW_FINDING_CLOSED, QPW_CLOSED_BY_SILENCE, silent_ns, NULL, false};
    return opened(f, now_ns);
}

uint64_t qpw_finding_news(const struct qpw_finding_row *f)
{
    struct qpw_finding_life life = qpw_finding_life(f);

    return life.state == QPW_FINDING_OPEN && life.when_unix_ns > f->last_unix_ns ? life.when_unix_ns : f->last_unix_ns;
}

uint64_t qpw_life_number(const struct qpw_finding_life *life)
{
    return life->step ? (life->step->unix_ns & ~1ull) | life->ended : 0;
}

static bool is_link_multicast(const uint8_t addr[16])
{
    static const uint8_t v4[15] = {[10] = 0xff, 0xff, 224, 0, 0};

    return !memcmp(addr, v4, sizeof(v4)) || (addr[0] == 0xff && (addr[1] & 0x0f) == 0x02);
}

struct qpw_exchange qpw_finding_exchange(const struct qpw_finding_row *f, uint32_t ifindex)
{
    bool ip = f->key.kind != QPW_KIND_ETHERTYPE;

    return (struct qpw_exchange){
        .direction = f->key.direction, .kind = f->key.kind, .protocol = f->key.protocol, .port = f->key.port,
        .initiator_port = f->value.initiator_port, .vlan = f->value.vlan & QPW_VLAN_ID, .ifindex = ifindex,
        .rx_link_multicast = ip && f->key.direction == QPW_DIR_INBOUND && is_link_multicast(f->key.responder),
        .misfit = qpw_is_misfit(f->value.reason),
        .asked_port = f->value.flags & QPW_FINDING_ASKED_AT ? f->value.other_port : 0,
        .initiator = ip ? f->key.initiator : NULL, .responder = ip ? f->key.responder : NULL,
    };
}

/* Return whether the current verdict explains a finding of that verdict; peers are handled by the caller. */
static bool explains(unsigned found, unsigned now)
{
    switch (found) {
    case QPW_VERDICT_UNEXPECTED:
        return now == QPW_VERDICT_ALLOWED || now == QPW_VERDICT_INFRA || now == QPW_VERDICT_IMPLIED;
    case QPW_VERDICT_MISMATCH: return now == QPW_VERDICT_ALLOWED; /* by a rule that names others, see renamed() */
    case QPW_VERDICT_WEAK:
    case QPW_VERDICT_IMPLIED: return now == QPW_VERDICT_ALLOWED;
    default: return false;
    }
}

/*
 * Return whether a rule that names these services has room for what was found to be another service. The same services
 * have none: an exchange is judged by more than what its finding keeps.
 */
static bool renamed(const struct qpw_finding_row *f, uint32_t services)
{
    const struct qpw_spoken_both both = {.services = services, .own = f->value.speaks[1], .other = f->value.speaks[0],
                                         .udp = f->key.protocol == IPPROTO_UDP,
                                         .outbound = f->key.direction == QPW_DIR_OUTBOUND};

    return services != f->value.services && qpw_speaks_judge(&both) != QPW_JUDGED_MISMATCH;
}

bool qpw_finding_explained(const struct qpw_judge *judge, const struct qpw_finding_row *f, uint32_t ifindex,
                           struct qpw_judgement *ret)
{
    struct qpw_exchange exchange = qpw_finding_exchange(f, ifindex);

    *ret = qpw_policy_judge(judge, &exchange);
    if (f->value.reason == QPW_REASON_NOT_LOCAL || qpw_is_foreign(f->value.reason))
        return false; /* on any port: the address is not the node's */
    if (ret->verdict == QPW_VERDICT_PEER)
        return true;
    if (f->key.direction != QPW_DIR_INBOUND && f->key.direction != QPW_DIR_OUTBOUND)
        return exchange.initiator && qpw_judge_peer(judge, f->key.responder, &ret->peer);
    if (f->key.kind == QPW_KIND_NONE)
        return false;
    if (f->key.verdict == QPW_VERDICT_MISMATCH && !renamed(f, ret->services))
        return false;
    return explains(f->key.verdict, ret->verdict);
}

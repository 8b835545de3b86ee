/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owners.c - owners of the node's sockets: facts of every record, new listeners, owners that the policy does not name.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "alert/internal.h"
#include "alert/text.h"
#include "facts/owner.h"
#include "policy/lang/suppress.h"
#include "util/names.h"

#define AGAIN_NS (300u * SECOND) /* report another owner again after this time without it */

void qpw_process_facts(struct qpw_record *r, const struct qpw_process *p)
{
    char started[40];

    if (!p)
        return;
    qpw_record_fact(r, "process_match", "%s", qpw_match_name(p->match));
    if (p->match == QPW_MATCH_NONE && p->why)
        qpw_record_fact(r, "process_reason", "%s", p->why);
    if (p->match == QPW_MATCH_KERNEL)
        qpw_record_fact(r, "process", "kernel");
    if (p->pid) {
        qpw_record_fact(r, "process", "%s", p->name);
        qpw_record_fact(r, "pid", "%d", p->pid);
        qpw_record_fact(r, "user", "%s", p->user);
        if (p->exe[0])
            qpw_record_fact(r, "executable", "%s", p->exe);
        if (p->command[0])
            qpw_record_fact(r, "command", "%s", p->command);
        if (p->started_unix_ns)
            qpw_record_fact(r, "started", "%s", qpw_time_text(p->started_unix_ns, started, sizeof(started)));
        if (p->parent[0])
            qpw_record_fact(r, "parent", "%s[%d]", p->parent, p->parent_pid);
    }
    if (p->unit[0])
        qpw_record_fact(r, p->container ? "container" : "unit", "%s", p->unit);
}

/* Return the identity of a socket, which excludes the process, so that a restart is not reported. */
static uint64_t socket_id(const struct qpw_engine *e, enum qpw_aggregate_kind kind_of, const struct qpw_engine_socket *s)
{
    struct {
        uint16_t port, rule;
        uint8_t protocol, direction;
        char program[256];
    } id = {.port = s->key.port, .protocol = s->key.protocol};

    if (kind_of == QPW_AGGREGATE_OWNER) {
        id.rule = s->rule;
        id.direction = s->key.direction;
    }
    qpw_owner_program(s->owner, id.program, sizeof(id.program));
    memset(id.program + strlen(id.program), 0, sizeof(id.program) - strlen(id.program));
    return qpw_aggregate_keyed_id(e, kind_of, &id, sizeof(id));
}

/* Write "any address", "10.0.0.1" or "10.0.0.1 on eth0". */
static void where_words(const struct qpw_engine_socket *s, char *buf, size_t size)
{
    static const uint8_t any_v4[16] = {[10] = 0xff, [11] = 0xff};
    const struct in6_addr *address = (const struct in6_addr *)s->key.responder;
    char text[INET6_ADDRSTRLEN];
    bool any = IN6_IS_ADDR_UNSPECIFIED(address) || !memcmp(address, any_v4, sizeof(any_v4));

    snprintf(buf, size, "%s%s%s", any ? "any address" : qpw_address_text(s->key.responder, text, sizeof(text)),
             s->device && *s->device ? " on " : "", s->device ? s->device : "");
}

static int write_socket(struct qpw_engine *e, struct qpw_alert_state *state, const struct qpw_engine_socket *s,
                        enum qpw_signature_name signature, const char *detail, uint64_t now_ns)
{
    struct qpw_record *r = qpw_engine_begin(e, signature, state->sequence ? QPW_RECORD_AGAIN : QPW_RECORD_FIRST, now_ns,
                                            now_ns);
    struct qpw_text_about about = {.context = &e->context, .row = &r->row, .process = s->owner,
                                   .words = {.detail = detail, .wanted = s->wanted,
                                             .rule = qpw_text_rule(&e->context, s->rule)}};
    char line[256];

    r->has_row = r->has_responder = r->has_port = true;
    r->has_initiator = s->exchange;
    r->row = (struct qpw_finding_row){.key = s->key, .first_unix_ns = now_ns, .last_unix_ns = now_ns};
    r->row.value.initiator_port = s->initiator_port;
    r->row.value.rule = s->rule;
    qpw_text_record(r, &about);
    qpw_record_fact(r, "verdict", "%s", s->wanted ? QPW_MISMATCH_WORD : qpw_verdict_name(s->key.verdict));
    qpw_record_fact(r, "direction", "%s", qpw_direction_name(s->key.direction));
    if (s->rule)
        qpw_record_fact(r, "rule", "%s", about.words.rule);
    if (s->wanted)
        qpw_record_fact(r, "owner", "%s", s->wanted);
    else if (qpw_text_allow_line(&about, /* any= */ true, line, sizeof(line)))
        qpw_record_fact(r, "allow", "%s", line);
    qpw_process_facts(r, s->owner);
    return qpw_engine_write(e, state, now_ns);
}

/*
 * Return whether a suppression covers it. A new listener has no clients yet, so from= never matches, and outcome= is
 * not required.
 */
static bool is_suppressed(struct qpw_engine *e, const struct qpw_engine_socket *s, struct qpw_alert_state *state,
                          uint64_t now_ns)
{
    struct qpw_suppress_query query = {
        .direction = s->key.direction, .kind = s->key.kind, .protocol = s->key.protocol,
        .outcome = s->exchange ? QPW_OUTCOME_ANSWERED : QPW_OUTCOME_ATTEMPTED, .port = s->key.port,
        .from = s->exchange ? s->key.initiator : NULL, .to = s->key.responder,
        .rule = qpw_text_rule(&e->context, s->rule), .now = now_ns / SECOND,
    };

    return qpw_suppressed_by(e, &query, state);
}

int qpw_engine_listener(struct qpw_engine *e, const struct qpw_engine_socket *s, uint64_t now_ns)
{
    struct qpw_alert_state *state = qpw_engine_state(e, socket_id(e, QPW_AGGREGATE_LISTENER, s));
    char where[96];

    if (!state)
        return -ENOMEM;
    e->blocked = false;
    state->offered_ns = now_ns;
    if (state->sequence)
        return 0;
    if (is_suppressed(e, s, state, now_ns) || !qpw_engine_take(e, now_ns))
        return -EAGAIN;
    where_words(s, where, sizeof(where));
    return write_socket(e, state, s, QPW_SIG_LISTENER_NEW, where, now_ns);
}

/* Describe the owner: "node1 listens on tcp/445 at any address". The process follows in brackets. */
static void owner_words(const struct qpw_engine *e, const struct qpw_engine_socket *s, char *buf, size_t size)
{
    const char *host = e->context.host ? e->context.host : "the node";
    char service[48], where[96], program[256];

    qpw_text_service(&s->key, service, sizeof(service));
    qpw_owner_program(s->owner, program, sizeof(program));
    if (!s->exchange) {
        where_words(s, where, sizeof(where));
        snprintf(buf, size, "%s listens on %s at %s for %s", program, service, where, host);
        return;
    }
    qpw_address_text(qpw_finding_remote(&s->key), where, sizeof(where));
    snprintf(buf, size, s->key.direction == QPW_DIR_OUTBOUND ? "%s on %s uses %s of %s" : "%s on %s serves %s to %s", program,
             host, service, where);
}

int qpw_engine_other_owner(struct qpw_engine *e, const struct qpw_engine_socket *s, uint64_t now_ns)
{
    struct qpw_alert_state *state = qpw_engine_state(e, socket_id(e, QPW_AGGREGATE_OWNER, s));
    char detail[480];
    bool again;

    if (!state)
        return -ENOMEM;
    e->blocked = false;
    again = state->offered_ns && now_ns > state->offered_ns + AGAIN_NS;
    if (state->sequence && !again) {
        state->offered_ns = now_ns;
        return 0;
    }
    if (is_suppressed(e, s, state, now_ns) || !qpw_engine_take(e, now_ns))
        return -EAGAIN;
    owner_words(e, s, detail, sizeof(detail));
    if (write_socket(e, state, s, QPW_SIG_OWNER_CHANGED, detail, now_ns) < 0)
        return -EIO;
    state->offered_ns = now_ns;
    return 0;
}

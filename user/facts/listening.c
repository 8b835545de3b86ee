/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/listening.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/judge.h"
#include "util/names.h"

const char *qpw_listening_word(uint8_t verdict)
{
    return verdict == QPW_VERDICT_UNEXPECTED ? "unlisted" : qpw_verdict_name(verdict);
}

static bool is_loopback(const struct qpw_listener *l)
{
    const struct in6_addr *address = (const struct in6_addr *)l->address;

    return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && l->address[12] == 127) ||
           !strcmp(l->device, "lo");
}

/* Flags of the users of each port, indexed by qpw_port_index(). */
#define ASKED_BY_PEER 1u
#define ASKED_BY_OTHER 2u

static uint8_t *count_asked(const struct qpw_snapshot *s)
{
    uint8_t *asked = calloc(QPW_PORT_INDEXES, 1);
    uint32_t at;

    for (size_t i = 0; asked && i < s->n_meters; i++) {
        const struct qpw_meter_key *key = &s->meters[i].key;

        if (key->kind != QPW_KIND_PORT || key->direction != QPW_DIR_INBOUND || !s->meters[i].counts.rx_packets)
            continue;
        at = qpw_port_index(key->protocol, key->port);
        if (at < QPW_PORT_INDEXES)
            asked[at] |= key->scope == QPW_SCOPE_PEER ? ASKED_BY_PEER : ASKED_BY_OTHER;
    }
    return asked;
}

/* Return the last time by the findings, which remain long after an unexpected exchange has ended. */
static uint64_t last_by_findings(const struct qpw_snapshot *s, uint8_t protocol, uint16_t port)
{
    uint64_t last = 0;

    for (size_t i = 0; i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];

        if (f->key.kind == QPW_KIND_PORT && f->key.direction == QPW_DIR_INBOUND && f->key.protocol == protocol &&
            f->key.port == port && f->last_unix_ns > last)
            last = f->last_unix_ns;
    }
    return last;
}

static void fill_asked(struct qpw_listening_row *row, const struct qpw_snapshot *s, const uint8_t *asked)
{
    uint32_t at = qpw_port_index(row->listener->protocol, row->listener->port);
    uint64_t found;

    row->asked = asked[at] != 0;
    if (!row->asked)
        return;
    if (row->verdict == QPW_VERDICT_UNEXPECTED && asked[at] == ASKED_BY_PEER)
        row->verdict = QPW_VERDICT_PEER;
    row->last_asked_unix_ns = s->port_seen ? s->port_seen[at] : 0;
    found = last_by_findings(s, row->listener->protocol, row->listener->port);
    if (found > row->last_asked_unix_ns)
        row->last_asked_unix_ns = found;
}

static int rank(const struct qpw_listening_row *row)
{
    bool bad = row->verdict == QPW_VERDICT_UNEXPECTED || row->owner_word == QPW_OWNER_OTHER;

    return 2 * !bad + (row->loopback || row->listener->ephemeral);
}

static int by_rank(const void *a, const void *b)
{
    const struct qpw_listening_row *x = a, *y = b;
    int rank_x = rank(x), rank_y = rank(y);

    if (rank_x != rank_y)
        return rank_x - rank_y;
    return (x->listener > y->listener) - (x->listener < y->listener); /* keep the order of the listeners */
}

/* Find inbound port rules that are in force and not wide, but match no listener's port. */
static int find_idle(const struct qpw_judge *judge, const struct qpw_listeners *l, const struct qpw_registry *names,
                     struct qpw_listening *ret)
{
    bool *has_ports = calloc(names->n_rules + 1, sizeof(*has_ports));
    bool *used = calloc(names->n_rules + 1, sizeof(*used));
    int r = -ENOMEM;

    ret->idle = calloc(names->n_rules + 1, sizeof(*ret->idle));
    if (has_ports && used && ret->idle) {
        qpw_policy_mark_all_ports(judge, has_ports, names->n_rules);
        for (size_t i = 0; i < l->n; i++)
            if (!is_loopback(&l->rows[i]))
                qpw_policy_mark_port(judge, l->rows[i].protocol, l->rows[i].port, used, names->n_rules);
        for (size_t id = 1; id < names->n_rules; id++)
            if (names->rules[id].in_force && names->rules[id].direction == QPW_DIR_INBOUND &&
                names->rules[id].verdict == QPW_VERDICT_ALLOWED && has_ports[id] && !used[id])
                ret->idle[ret->n_idle++] = (uint16_t)id;
        r = 0;
    }
    free(has_ports);
    free(used);
    return r;
}

static void fill_owner(struct qpw_listening_row *row, const struct qpw_listening_from *from)
{
    struct qpw_owner_question question = {.policy = from->policy, .direction = QPW_DIR_INBOUND,
                                          .protocol = row->listener->protocol, .port = row->listener->port,
                                          .now = from->now};

    if (!row->rule)
        return;
    question.rule = from->names->rules[row->rule].name;
    row->owner_word = qpw_owner_of_rule(&question, &row->listener->owner, &row->wanted);
}

static int fill_rows(const struct qpw_judge *judge, const struct qpw_listening_from *from, struct qpw_listening *ret)
{
    const struct qpw_listeners *l = from->listeners;
    uint8_t *asked = from->snapshot ? count_asked(from->snapshot) : NULL;

    ret->rows = calloc(l->n + 1, sizeof(*ret->rows));
    if (!ret->rows || (from->snapshot && !asked)) {
        free(asked);
        return -ENOMEM;
    }
    for (size_t i = 0; i < l->n; i++) {
        const struct qpw_listener *listener = &l->rows[i];
        struct qpw_listening_row *row = &ret->rows[ret->n++];
        struct qpw_port_word word = qpw_policy_port(judge, listener->protocol, listener->port, listener->address,
                                                    listener->ifindex);

        *row = (struct qpw_listening_row){
            .listener = listener, .verdict = word.verdict, .rule = word.rule, .loopback = is_loopback(listener)};
        fill_owner(row, from);
        if (from->snapshot)
            fill_asked(row, from->snapshot, asked);
        ret->n_unlisted += row->verdict == QPW_VERDICT_UNEXPECTED && !row->loopback && !listener->ephemeral;
    }
    free(asked);
    qsort(ret->rows, ret->n, sizeof(*ret->rows), by_rank);
    return 0;
}

int qpw_listening_make(const struct qpw_listening_from *from, struct qpw_listening *ret)
{
    struct qpw_listening made = {.counted = from->snapshot != NULL};
    struct qpw_judge *judge;
    int r = qpw_judge_new(from->compiled, &judge);

    if (r < 0)
        return r;
    r = fill_rows(judge, from, &made);
    if (r == 0)
        r = find_idle(judge, from->listeners, from->names, &made);
    qpw_judge_free(judge);
    if (r < 0) {
        qpw_listening_clear(&made);
        return r;
    }
    *ret = made;
    return 0;
}

void qpw_listening_clear(struct qpw_listening *l)
{
    free(l->rows);
    free(l->idle);
    *l = (struct qpw_listening){0};
}

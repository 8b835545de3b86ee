/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "advice/changes.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "util/array.h"

struct seen {
    struct qpw_conn_key key;
    struct qpw_conn conn;
    uint64_t packets;
};

struct run {
    struct seen *list;
    size_t n;
    struct qpw_rule_info *rules;
    size_t n_rules;
};

struct qpw_changes {
    struct run runs[2]; /* old, new */
    unsigned present;
};

struct qpw_changes *qpw_changes_new(void)
{
    return calloc(1, sizeof(struct qpw_changes));
}

void qpw_changes_free(struct qpw_changes *changes)
{
    for (int i = 0; changes && i < 2; i++) {
        free(changes->runs[i].list);
        free(changes->runs[i].rules);
    }
    free(changes);
}

int qpw_changes_add(struct qpw_changes *changes, const struct qpw_conn_key *key, const struct qpw_conn *conn,
                    uint64_t packets)
{
    struct run *run = &changes->runs[changes->present & 1];
    struct seen *seen = QPW_ADD(run->list, run->n);

    if (!seen)
        return -ENOMEM;
    run->n++;
    *seen = (struct seen){*key, *conn, packets};
    return 0;
}

/* Sort by tuple, then by time, because the order in which connections end is arbitrary. */
static int by_connection(const void *left, const void *right)
{
    const struct seen *a = left, *b = right;
    int order = memcmp(&a->key, &b->key, sizeof(a->key));

    if (order)
        return order;
    return a->conn.first_ns < b->conn.first_ns ? -1 : a->conn.first_ns > b->conn.first_ns;
}

int qpw_changes_end_run(struct qpw_changes *changes, const struct qpw_registry *names)
{
    struct run *run = &changes->runs[changes->present & 1];

    run->rules = calloc(names->n_rules + 1, sizeof(*run->rules));
    if (!run->rules)
        return -ENOMEM;
    if (names->n_rules)
        memcpy(run->rules, names->rules, names->n_rules * sizeof(*run->rules));
    run->n_rules = names->n_rules;
    if (run->n)
        qsort(run->list, run->n, sizeof(*run->list), by_connection);
    changes->present++;
    return 0;
}

static void fill(const struct qpw_changes *changes, const struct seen *old, const struct seen *new,
                 struct qpw_what_if_row *ret)
{
    bool outbound = new->conn.direction == QPW_DIR_OUTBOUND;
    uint8_t protocol = new->key.protocol;
    const struct run *runs = changes->runs;

    *ret = (struct qpw_what_if_row){
        .protocol = protocol,
        .direction = new->conn.direction,
        .old_verdict = old->conn.verdict,
        .new_verdict = new->conn.verdict,
        .by_address = true,
        .outcome = new->conn.outcome,
        .port = outbound ? new->key.remote_port : new->key.local_port,
        .connections = 1,
        .packets = new->packets,
        .kind = protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ? QPW_KIND_PORT
                : protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6                       ? QPW_KIND_ICMP
                                                                                               : QPW_KIND_PROTOCOL,
    };
    memcpy(ret->initiator, outbound ? new->key.local : new->key.remote, 16);
    memcpy(ret->responder, outbound ? new->key.remote : new->key.local, 16);
    snprintf(ret->old_rule, QPW_NAME_LEN, "%s",
             old->conn.rule && old->conn.rule < runs[0].n_rules ? runs[0].rules[old->conn.rule].name : "");
    snprintf(ret->new_rule, QPW_NAME_LEN, "%s",
             new->conn.rule &&new->conn.rule < runs[1].n_rules ? runs[1].rules[new->conn.rule].name : "");
}

/* Return whether the rows differ at most in their counts. */
static bool same(const struct qpw_what_if_row *a, const struct qpw_what_if_row *b)
{
    return a->kind == b->kind && a->protocol == b->protocol && a->direction == b->direction && a->port == b->port &&
           a->old_verdict == b->old_verdict && a->new_verdict == b->new_verdict &&
           !memcmp(a->initiator, b->initiator, 16) && !memcmp(a->responder, b->responder, 16) &&
           !strcmp(a->old_rule, b->old_rule) && !strcmp(a->new_rule, b->new_rule);
}

static int by_row(const void *left, const void *right)
{
    const struct qpw_what_if_row *a = left, *b = right;
    bool bad_a = a->new_verdict == QPW_VERDICT_UNEXPECTED, bad_b = b->new_verdict == QPW_VERDICT_UNEXPECTED;
    int order;

    if (bad_a != bad_b)
        return bad_b - bad_a;
    if (a->direction != b->direction)
        return a->direction - b->direction;
    if (a->protocol != b->protocol)
        return a->protocol - b->protocol;
    if (a->port != b->port)
        return a->port - b->port;
    order = memcmp(a->initiator, b->initiator, 16);
    return order ? order : memcmp(a->responder, b->responder, 16);
}

static void join(struct qpw_what_if *result)
{
    size_t kept = 0;

    if (!result->n)
        return;
    qsort(result->rows, result->n, sizeof(*result->rows), by_row);
    for (size_t i = 1; i < result->n; i++) {
        if (same(&result->rows[kept], &result->rows[i])) {
            result->rows[kept].connections += result->rows[i].connections;
            result->rows[kept].packets += result->rows[i].packets;
        } else {
            result->rows[++kept] = result->rows[i];
        }
    }
    result->n = kept + 1;
}

int qpw_changes_result(const struct qpw_changes *changes, struct qpw_what_if *ret)
{
    const struct run *old = &changes->runs[0], *new = &changes->runs[1];
    struct qpw_what_if result = {0};

    for (size_t i = 0, j = 0; i < old->n && j < new->n;) {
        int order = by_connection(&old->list[i], &new->list[j]);
        struct qpw_what_if_row *row;

        if (order) {
            order < 0 ? i++ : j++;
            continue;
        }
        result.packets += new->list[j].packets;
        if (old->list[i].conn.verdict != new->list[j].conn.verdict) {
            row = QPW_ADD(result.rows, result.n);
            if (!row) {
                qpw_what_if_clear(&result);
                return -ENOMEM;
            }
            result.n++;
            fill(changes, &old->list[i], &new->list[j], row);
            result.changed += row->packets;
        }
        i++;
        j++;
    }
    join(&result);
    *ret = result;
    return 0;
}

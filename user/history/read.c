/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Read a window of the history as a snapshot, so that facts and faces work as on a live one. */
#include "history/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/life.h"
#include "snapshot/lives.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/names.h"

int qpw_history_fail(struct qpw_history_reader *r, int code, struct qpw_error *err)
{
    return qpw_fail(err, code, "%s: %s", r->path, code == QPW_DB_DAMAGED ? "it is damaged" : sqlite3_errmsg(r->db.sqlite));
}

int qpw_history_open(const char *path, struct qpw_history_reader **ret, struct qpw_error *err)
{
    struct qpw_history_reader *r = calloc(1, sizeof(*r));
    int code;

    if (!r || !(r->path = strdup(path))) {
        free(r);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    code = qpw_db_open(&r->db, path, QPW_DB_READ, 0, err);
    if (code < 0) {
        qpw_history_close(r);
        return code;
    }
    *ret = r;
    return 0;
}

void qpw_history_close(struct qpw_history_reader *r)
{
    if (!r)
        return;
    qpw_db_close(&r->db);
    free(r->path);
    free(r);
}

int qpw_history_step(struct qpw_history_reader *r, sqlite3_stmt *s, struct qpw_error *err)
{
    int code = s ? sqlite3_step(s) : SQLITE_ERROR;

    return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : qpw_history_fail(r, QPW_DB_RESULT(code), err);
}

/* ---- Snapshots ---- */

/* Names by number, from 1. */
struct names {
    char (*name)[QPW_NAME_LEN];
    size_t n;
    bool lost; /* no memory, or no number, for a further one */
};

/* Return the number of a name, new or not; 0: it has none, or is lost. */
static uint16_t number_of(struct names *names, const char *name)
{
    char (*added)[QPW_NAME_LEN];

    if (!*name)
        return 0;
    for (size_t i = 1; i < names->n; i++)
        if (!strcmp(names->name[i], name))
            return (uint16_t)i;
    if (!names->n) { /* names are numbered from 1 */
        if (!QPW_ADD(names->name, 0))
            goto lost;
        names->n++;
    }
    added = names->n <= UINT16_MAX ? QPW_ADD(names->name, names->n) : NULL;
    if (!added)
        goto lost;
    snprintf(*added, sizeof(*added), "%s", name);
    return (uint16_t)names->n++;
lost:
    names->lost = true;
    return 0;
}

struct making {
    struct qpw_history_reader *r;
    int64_t since, until;
    struct qpw_snapshot *s;
    struct names rules, peers, ifaces;
};

/* Read the meters of the keys with any counts: only their names may enter the snapshot. */
static int read_keys(struct making *m, const struct qpw_history_sums *sums, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&m->r->db, "SELECT id, kind, protocol, port, direction, scope, verdict, reason, rule, peer, device, first FROM key", "");
    struct qpw_meter_row *row;
    int code;

    while ((code = qpw_history_step(m->r, s, err)) > 0) {
        int64_t id = sqlite3_column_int64(s, 0);

        if (id <= 0 || (uint64_t)id >= sums->n_keys || !sums->sums[id].touched)
            continue;
        row = &m->s->meters[m->s->n_meters++];
        *row = (struct qpw_meter_row){
            .key = {.kind = (uint8_t)sqlite3_column_int(s, 1), .protocol = (uint8_t)sqlite3_column_int(s, 2),
                    .port = (uint16_t)sqlite3_column_int(s, 3), .direction = (uint8_t)sqlite3_column_int(s, 4),
                    .scope = (uint8_t)sqlite3_column_int(s, 5), .verdict = (uint8_t)sqlite3_column_int(s, 6),
                    .reason = (uint8_t)sqlite3_column_int(s, 7), .rule = number_of(&m->rules, qpw_db_text(s, 8)),
                    .peer = number_of(&m->peers, qpw_db_text(s, 9)), .iface = number_of(&m->ifaces, qpw_db_text(s, 10))},
            .first_unix_ns = (uint64_t)sqlite3_column_int64(s, 11) * QPW_SECOND_NS, .counts = sums->sums[id].counts};
    }
    return code;
}

static int read_meters(struct making *m, struct qpw_error *err)
{
    struct qpw_history_window window = {m->since, m->until};
    QPW_CLEANUP(qpw_history_sums_end) struct qpw_history_sums sums = {0};
    int code = qpw_history_sums_begin(m->r, 0, &sums, err);

    if (code < 0)
        return code;
    m->s->meters = calloc(sums.n_keys, sizeof(*m->s->meters));
    if (!m->s->meters)
        return qpw_fail(err, -ENOMEM, "out of memory");
    for (size_t i = 1; i < sums.n_keys; i++)
        qpw_history_sums_request(&sums, QPW_I(i), i);
    code = qpw_history_sum(&sums, &window, NULL, NULL, NULL, err);
    return code < 0 ? code : read_keys(m, &sums, err);
}

static void set_life(const sqlite3_stmt *s, int column, struct qpw_finding_row *f, struct qpw_life *step)
{
    sqlite3_stmt *row = (sqlite3_stmt *)s;
    unsigned state = (unsigned)sqlite3_column_int(row, column), closed = (unsigned)sqlite3_column_int(row, column + 1);

    step->unix_ns = (uint64_t)sqlite3_column_int64(row, column + 2);
    step->mono_ns = UINT64_MAX; /* later than anything seen of the finding */
    step->outcome = QPW_OUTCOME_DATA;
    snprintf(step->who, sizeof(step->who), "%s", qpw_db_text(row, column + 3));
    snprintf(step->reason, sizeof(step->reason), "%s", qpw_db_text(row, column + 4));
    if (state == QPW_FINDING_CLOSED && closed == QPW_CLOSED_BY_RULE) {
        step->step = QPW_LIFE_EXPLAINED;
        f->explained = step;
    } else if (state == QPW_FINDING_ACKNOWLEDGED) {
        step->step = QPW_LIFE_ACKNOWLEDGED;
        f->acknowledged = step;
    }
}

static int read_findings(struct making *m, struct qpw_error *err)
{
    int64_t room = qpw_db_number(&m->r->db, 0, "SELECT count(*) FROM finding WHERE last_ns >= ? AND first_ns < ?", "ii",
                                 m->since * QPW_I(QPW_SECOND_NS), m->until * QPW_I(QPW_SECOND_NS));
    struct qpw_life_row *steps = calloc((size_t)room + 1, sizeof(*steps));
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = NULL;
    int code;
    size_t n = 0;

    m->s->findings = calloc((size_t)room + 1, sizeof(*m->s->findings));
    m->s->lives = calloc(1, sizeof(*m->s->lives));
    if (!m->s->findings || !m->s->lives || !steps) {
        free(steps);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    m->s->lives->rows = steps;
    m->s->lives->now_unix_ns = m->s->unix_ns;
    s = qpw_db_bind(&m->r->db,
        "SELECT flow, initiator, responder, kind, protocol, port, direction, verdict, folded, first_ns, last_ns, answered_ns, outcome, "
        "evidence, reason, rule, device, peer, scope, vlan, initiator_port, flags, other_port, process, uid, connections, rx_packets, "
        "rx_bytes, tx_packets, tx_bytes, state, closed, state_ns, who, said FROM finding WHERE last_ns >= ? AND first_ns < ?", "ii",
        m->since * QPW_I(QPW_SECOND_NS), m->until * QPW_I(QPW_SECOND_NS));
    while ((code = qpw_history_step(m->r, s, err)) > 0 && n < (size_t)room) {
        struct qpw_finding_row *f = &m->s->findings[n];

        *f = (struct qpw_finding_row){
            .flow_id = (uint64_t)sqlite3_column_int64(s, 0),
            .key = {.kind = (uint8_t)sqlite3_column_int(s, 3),
                    .protocol = (uint8_t)sqlite3_column_int(s, 4),
                    .port = (uint16_t)sqlite3_column_int(s, 5),
                    .direction = (uint8_t)sqlite3_column_int(s, 6),
                    .verdict = (uint8_t)sqlite3_column_int(s, 7),
                    .aggregated = (uint8_t)sqlite3_column_int(s, 8)},
            .first_unix_ns = (uint64_t)sqlite3_column_int64(s, 9),
            .last_unix_ns = (uint64_t)sqlite3_column_int64(s, 10),
            .answered_unix_ns = (uint64_t)sqlite3_column_int64(s, 11),
            .value = {.outcome = (uint8_t)sqlite3_column_int(s, 12),
                      .evidence = (uint8_t)sqlite3_column_int(s, 13),
                      .reason = (uint8_t)sqlite3_column_int(s, 14),
                      .rule = number_of(&m->rules, qpw_db_text(s, 15)),
                      .iface = number_of(&m->ifaces, qpw_db_text(s, 16)),
                      .peer = number_of(&m->peers, qpw_db_text(s, 17)),
                      .scope = (uint8_t)sqlite3_column_int(s, 18),
                      .vlan = (uint16_t)sqlite3_column_int(s, 19),
                      .initiator_port = (uint16_t)sqlite3_column_int(s, 20),
                      .flags = (uint8_t)sqlite3_column_int(s, 21),
                      .other_port = (uint16_t)sqlite3_column_int(s, 22)},
            .counts = {(uint64_t)sqlite3_column_int64(s, 25), (uint64_t)sqlite3_column_int64(s, 26),
                       (uint64_t)sqlite3_column_int64(s, 27), (uint64_t)sqlite3_column_int64(s, 28),
                       (uint64_t)sqlite3_column_int64(s, 29)},
            .lives = m->s->lives};
        snprintf(f->value.owner.comm, sizeof(f->value.owner.comm), "%s", qpw_db_text(s, 23));
        f->value.owner.uid = (uint32_t)sqlite3_column_int64(s, 24);
        if (qpw_address_parse(qpw_db_text(s, 1), f->key.initiator) < 0 || qpw_address_parse(qpw_db_text(s, 2), f->key.responder) < 0)
            continue;
        set_life(s, 30, f, &steps[n].life);
        n++;
    }
    m->s->n_findings = m->s->lives->n = n;
    return code < 0 ? code : 0;
}

static int read_records(struct making *m, struct qpw_error *err)
{
    int64_t room = qpw_db_number(&m->r->db, 0, "SELECT count(*) FROM change WHERE at_ns >= ? AND at_ns < ?", "ii",
                                 m->since * QPW_I(QPW_SECOND_NS), m->until * QPW_I(QPW_SECOND_NS));
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = NULL;
    int code;

    m->s->coverage = calloc((size_t)room + 1, sizeof(*m->s->coverage));
    if (!m->s->coverage)
        return qpw_fail(err, -ENOMEM, "out of memory");
    s = qpw_db_bind(&m->r->db, "SELECT at_ns, kind, device, text FROM change WHERE at_ns >= ? AND at_ns < ? ORDER BY at_ns, epoch, sequence",
                    "ii", m->since * QPW_I(QPW_SECOND_NS), m->until * QPW_I(QPW_SECOND_NS));
    while ((code = qpw_history_step(m->r, s, err)) > 0 && m->s->n_coverage < (size_t)room) {
        struct qpw_coverage *c = &m->s->coverage[m->s->n_coverage++];

        c->unix_ns = (uint64_t)sqlite3_column_int64(s, 0);
        c->sequence = (uint32_t)m->s->n_coverage;
        c->kind = (uint16_t)sqlite3_column_int(s, 1);
        c->iface = number_of(&m->ifaces, qpw_db_text(s, 2));
        snprintf(c->text, sizeof(c->text), "%s", qpw_db_text(s, 3));
    }
    return code < 0 ? code : 0;
}

/* Number the rules in force without any counts behind those that the meters use. */
static int number_rules(struct making *m, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = qpw_db_bind(&m->r->db, "SELECT name FROM rule WHERE since < ? AND (until = 0 OR until >= ?)", "ii", m->until, m->since);
    int code;

    while ((code = qpw_history_step(m->r, s, err)) > 0)
        number_of(&m->rules, qpw_db_text(s, 0));
    return code;
}

/* Read the rules by the numbers that the meters use, and also those in force without any counts. */
static int read_rules(struct making *m, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *s = NULL;
    int code = number_rules(m, err), number;

    if (code < 0)
        return code;
    m->s->rules = calloc(m->rules.n + 1, sizeof(*m->s->rules));
    if (!m->s->rules)
        return qpw_fail(err, -ENOMEM, "out of memory");
    m->s->n_rules = m->rules.n;
    for (size_t i = 1; i < m->rules.n; i++)
        snprintf(m->s->rules[i].name, sizeof(m->s->rules[i].name), "%s", m->rules.name[i]);
    s = qpw_db_bind(&m->r->db, "SELECT name, direction, verdict, text, in_force FROM rule", "");
    while ((code = qpw_history_step(m->r, s, err)) > 0) {
        struct qpw_rule_info *rule;

        for (number = 1; number < (int)m->rules.n && strcmp(m->rules.name[number], qpw_db_text(s, 0)); number++)
            ;
        if (number >= (int)m->rules.n)
            continue;
        rule = &m->s->rules[number];
        rule->direction = (uint8_t)sqlite3_column_int(s, 1);
        rule->verdict = (uint8_t)sqlite3_column_int(s, 2);
        snprintf(rule->text, sizeof(rule->text), "%s", qpw_db_text(s, 3));
        rule->in_force = (uint8_t)sqlite3_column_int(s, 4);
    }
    return code;
}

static int read_names(struct making *m, struct qpw_error *err)
{
    struct qpw_snapshot *s = m->s;

    s->peers = calloc(m->peers.n + 1, sizeof(*s->peers));
    s->ifaces = calloc(m->ifaces.n + 1, sizeof(*s->ifaces));
    s->peer_seen = calloc(m->peers.n + 1, sizeof(*s->peer_seen));
    if (!s->peers || !s->ifaces || !s->peer_seen)
        return qpw_fail(err, -ENOMEM, "out of memory");
    s->n_peers = m->peers.n;
    for (size_t i = 1; i < m->peers.n; i++) {
        snprintf(s->peers[i].name, sizeof(s->peers[i].name), "%s", m->peers.name[i]);
        s->peers[i].in_force = 1;
    }
    for (size_t i = 1; i < m->ifaces.n; i++) {
        struct qpw_iface_row *row = &s->ifaces[s->n_ifaces++];

        row->iface.number = (uint16_t)i;
        snprintf(row->name, sizeof(row->name), "%.*s", (int)sizeof(row->name) - 1, m->ifaces.name[i]);
        row->attached = row->up = true; /* times without it are among the records */
    }
    return 0;
}

void qpw_history_about(struct qpw_history_reader *r, int64_t until, struct qpw_snapshot *ret)
{
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *policy =
        qpw_db_bind(&r->db, "SELECT name, path, digest, source_digest FROM policy WHERE loaded < ? ORDER BY id DESC LIMIT 1", "i", until);
    QPW_CLEANUP(qpw_db_donep) sqlite3_stmt *epoch =
        qpw_db_bind(&r->db, "SELECT host, version FROM epoch WHERE began < ? ORDER BY id DESC LIMIT 1", "i", until);
    struct qpw_meta *meta = &ret->meta;

    if (policy && sqlite3_step(policy) == SQLITE_ROW) {
        snprintf(meta->policy_name, sizeof(meta->policy_name), "%s", qpw_db_text(policy, 0));
        snprintf(meta->policy_path, sizeof(meta->policy_path), "%s", qpw_db_text(policy, 1));
        snprintf(meta->policy_digest, sizeof(meta->policy_digest), "%s", qpw_db_text(policy, 2));
        snprintf(meta->source_digest, sizeof(meta->source_digest), "%s", qpw_db_text(policy, 3));
    }
    if (epoch && sqlite3_step(epoch) == SQLITE_ROW) {
        snprintf(ret->host, sizeof(ret->host), "%s", qpw_db_text(epoch, 0));
        snprintf(meta->version, sizeof(meta->version), "%s", qpw_db_text(epoch, 1));
    }
}

/* Return whether an auditor was running at the window's end: within three minutes of a write. */
static bool is_watched(struct making *m, int64_t end)
{
    return qpw_db_number(&m->r->db, 0, "SELECT count(*) FROM epoch WHERE began <= ?1 AND (ended = 0 OR ended >= ?1) AND written >= ?1 - 180", "i", end) > 0;
}

static int read_all(struct making *m, struct qpw_error *err)
{
    static int (*const steps[])(struct making *, struct qpw_error *) = {read_meters, read_findings, read_records, read_rules, read_names};
    int code;

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        code = steps[i](m, err);
        if (code < 0)
            return code;
        if (m->rules.lost || m->peers.lost || m->ifaces.lost)
            return qpw_fail(err, -ENOMEM, "the history has more names than there is memory or numbers for");
    }
    return 0;
}

int qpw_history_snapshot(struct qpw_history_reader *r, const struct qpw_history_window *window, uint64_t now_unix_ns,
                         struct qpw_snapshot *ret, struct qpw_error *err)
{
    struct qpw_history_observed observed;
    struct making m = {.r = r, .s = ret};
    int64_t now = QPW_I(now_unix_ns / QPW_SECOND_NS);
    int code = qpw_history_observed(r, window, now, &observed, err);

    *ret = (struct qpw_snapshot){.recorded = true};
    if (code < 0)
        return code;
    m.since = window->since;
    m.until = window->until ? window->until : now + 1;
    ret->unix_ns = window->until ? (uint64_t)m.until * QPW_SECOND_NS : now_unix_ns;
    ret->from_unix_ns = (uint64_t)(observed.from ? observed.from : m.since) * QPW_SECOND_NS;
    ret->mono_ns = ret->unix_ns;
    ret->lock = is_watched(&m, window->until ? m.until - 1 : now) ? QPW_LOCK_HELD : QPW_LOCK_FREE;
    ret->control.heartbeat_ns = ret->lock == QPW_LOCK_HELD ? ret->mono_ns : (uint64_t)observed.to * QPW_SECOND_NS;
    code = read_all(&m, err);
    if (code == 0)
        qpw_history_about(r, m.until, ret);
    else
        qpw_snapshot_clear(ret);
    free(m.rules.name);
    free(m.peers.name);
    free(m.ifaces.name);
    return code;
}

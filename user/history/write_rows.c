/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a write adds besides meters: findings, remote ends, policies, rules, changes, blind times. */
#include "history/store.h"

#include <stdlib.h>
#include <string.h>

#include "facts/gaps.h"
#include "facts/totals.h"
#include "util/cleanup.h"
#include "util/names.h"

#define USERS_WHILE_COUNTING 256 /* per rule on the current day; afterwards QPW_HISTORY_USERS */
#define MAKE_ROOM 100            /* to make room, remove one talker in so many at once */

int qpw_history_lost(struct qpw_history *h, const char *what, int64_t number)
{
    return qpw_db_run(&h->db, "INSERT INTO lost VALUES(?, ?) ON CONFLICT(what) DO UPDATE SET number = number + excluded.number", "ti",
                      what, number);
}

int qpw_history_key(struct qpw_history *h, const struct qpw_snapshot *s, const struct qpw_meter_key *key, int64_t now,
                    int64_t *ret)
{
    const char *rule = qpw_snapshot_rule(s, key->rule), *peer = qpw_snapshot_peer(s, key->peer),
               *device = qpw_snapshot_iface(s, key->iface);
    int r;

    *ret = qpw_db_number(&h->db, 0,
                         "SELECT id FROM key WHERE kind = ? AND protocol = ? AND port = ? AND direction = ? AND scope = ? AND "
                         "verdict = ? AND reason = ? AND rule = ? AND peer = ? AND device = ?", "iiiiiiittt", QPW_I(key->kind),
                         QPW_I(key->protocol), QPW_I(key->port), QPW_I(key->direction), QPW_I(key->scope),
                         QPW_I(key->verdict), QPW_I(key->reason), rule, peer, device);
    if (*ret)
        return 0;
    r = qpw_db_run(&h->db, "INSERT INTO key(kind, protocol, port, direction, scope, verdict, reason, rule, peer, device, first, last) "
                           "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiiiiiitttii", QPW_I(key->kind), QPW_I(key->protocol),
                   QPW_I(key->port), QPW_I(key->direction), QPW_I(key->scope), QPW_I(key->verdict), QPW_I(key->reason), rule,
                   peer, device, now, now);
    *ret = sqlite3_last_insert_rowid(h->db.sqlite);
    return r;
}

/* ---- Findings ---- */

/* Read the finding's counters as of the last transaction; zero if it is new or has been replaced by another one. */
static bool read_finding(struct qpw_history *h, const struct qpw_finding_row *f, struct qpw_counts *ret, bool *ret_same,
                         const struct qpw_history_finding *x)
{
    sqlite3_stmt *s = qpw_db_bind(&h->db, "SELECT c.connections, c.rx_packets, c.rx_bytes, c.tx_packets, c.tx_bytes, c.first_ns, "
                                          "f.last_ns, f.outcome, f.state, f.closed FROM counted c JOIN finding f ON f.flow = ?1 "
                                          "WHERE c.what = 1 AND c.id = ?2", "ib", QPW_I(f->flow_id), &f->flow_id, (int)sizeof(f->flow_id));
    bool found = false;

    *ret = (struct qpw_counts){0};
    *ret_same = false;
    if (!s)
        return false;
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 5) == QPW_I(f->first_unix_ns / QPW_SECOND_NS)) {
        found = true;
        *ret = (struct qpw_counts){(uint64_t)sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1),
                                   (uint64_t)sqlite3_column_int64(s, 2), (uint64_t)sqlite3_column_int64(s, 3),
                                   (uint64_t)sqlite3_column_int64(s, 4)};
        *ret_same = !memcmp(ret, &f->counts, sizeof(*ret)) && sqlite3_column_int64(s, 6) == QPW_I(f->last_unix_ns) &&
                    sqlite3_column_int64(s, 7) == f->value.outcome && sqlite3_column_int64(s, 8) == x->state &&
                    sqlite3_column_int64(s, 9) == x->closed;
    }
    qpw_db_done(s);
    return found;
}

static int write_finding(struct qpw_history *h, const struct qpw_snapshot *s, const struct qpw_history_finding *x,
                         const struct qpw_counts *before)
{
    const struct qpw_finding_row *f = &x->row;
    const struct qpw_finding_key *k = &f->key;
    const struct qpw_finding *v = &f->value;
    char initiator[64], responder[64];
    int r;

    r = qpw_db_run(
        &h->db,
        "INSERT INTO finding VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " ?, ?, ?) ON CONFLICT(flow) DO UPDATE SET first_ns = min(first_ns, excluded.first_ns),"
        " last_ns = max(last_ns, excluded.last_ns), answered_ns = CASE WHEN answered_ns > 0 THEN answered_ns ELSE excluded.answered_ns END,"
        " outcome = max(outcome, excluded.outcome), evidence = max(evidence, excluded.evidence), reason = excluded.reason,"
        " rule = excluded.rule, device = excluded.device, peer = excluded.peer, scope = excluded.scope, vlan = excluded.vlan,"
        " flags = excluded.flags, other_port = excluded.other_port,"
        " process = CASE WHEN excluded.process <> '' THEN excluded.process ELSE process END,"
        " exe = CASE WHEN excluded.exe <> '' THEN excluded.exe ELSE exe END, state = excluded.state, closed = excluded.closed,"
        " state_ns = excluded.state_ns, who = excluded.who, said = excluded.said, connections = connections + excluded.connections,"
        " rx_packets = rx_packets + excluded.rx_packets, rx_bytes = rx_bytes + excluded.rx_bytes,"
        " tx_packets = tx_packets + excluded.tx_packets, tx_bytes = tx_bytes + excluded.tx_bytes",
        "ittiiiiiiiiiiiitttiiiiititiiittiiiii", QPW_I(f->flow_id),
        qpw_address_text(k->initiator, initiator, sizeof(initiator)),
        qpw_address_text(k->responder, responder, sizeof(responder)), QPW_I(k->kind), QPW_I(k->protocol),
        QPW_I(k->port), QPW_I(k->direction), QPW_I(k->verdict), QPW_I(k->aggregated), QPW_I(f->first_unix_ns),
        QPW_I(f->last_unix_ns), QPW_I(f->answered_unix_ns), QPW_I(v->outcome), QPW_I(v->evidence), QPW_I(v->reason),
        qpw_snapshot_rule(s, v->rule), qpw_snapshot_iface(s, v->iface), qpw_snapshot_peer(s, v->peer), QPW_I(v->scope),
        QPW_I(v->vlan), QPW_I(v->initiator_port), QPW_I(v->flags), QPW_I(v->other_port), v->owner.comm,
        QPW_I(v->owner.uid), x->exe, QPW_I(x->state), QPW_I(x->closed), QPW_I(x->state_unix_ns), x->who, x->reason,
        QPW_I(f->counts.connections - before->connections), QPW_I(f->counts.rx_packets - before->rx_packets),
        QPW_I(f->counts.rx_bytes - before->rx_bytes), QPW_I(f->counts.tx_packets - before->tx_packets),
        QPW_I(f->counts.tx_bytes - before->tx_bytes));
    if (r < 0)
        return r;
    return qpw_db_run(&h->db, "INSERT OR REPLACE INTO counted VALUES(1, ?, 0, ?, ?, ?, ?, ?, ?)", "biiiiii", &f->flow_id,
                      (int)sizeof(f->flow_id), QPW_I(f->first_unix_ns / QPW_SECOND_NS), QPW_I(f->counts.connections), QPW_I(f->counts.rx_packets),
                      QPW_I(f->counts.rx_bytes), QPW_I(f->counts.tx_packets), QPW_I(f->counts.tx_bytes));
}

int qpw_history_findings(struct qpw_history *h, const struct qpw_history_input *in)
{
    struct qpw_counts before;
    int r = 0;
    bool same;

    for (size_t i = 0; r == 0 && i < in->n_findings; i++) {
        read_finding(h, &in->findings[i].row, &before, &same, &in->findings[i]);
        if (!same)
            r = write_finding(h, in->s, &in->findings[i], &before);
    }
    return r;
}

/* ---- Remote ends ---- */

static bool is_answered(unsigned outcome)
{
    return outcome >= QPW_OUTCOME_ANSWERED;
}

/* Remove unanswered remote ends first; answered ones only if unseen for as long as hours are kept. */
static int make_room(struct qpw_history *h, int64_t now)
{
    int64_t most = h->most_talkers / MAKE_ROOM + 1, gone;
    int r = qpw_db_run(&h->db, "DELETE FROM talker WHERE (key, remote) IN (SELECT key, remote FROM talker WHERE outcome < ? "
                               "ORDER BY last LIMIT ?)", "ii", QPW_I(QPW_OUTCOME_ANSWERED), most);

    gone = r == 0 ? sqlite3_changes(h->db.sqlite) : 0;
    if (r == 0 && gone)
        r = qpw_history_lost(h, "talkers-unanswered", gone);
    h->talkers -= gone;
    if (r < 0 || gone)
        return r;
    r = qpw_db_run(&h->db, "DELETE FROM talker WHERE (key, remote) IN (SELECT key, remote FROM talker WHERE last < ? "
                           "ORDER BY last LIMIT ?)", "ii", now - QPW_HISTORY_HOURS_KEPT, most);
    gone = r == 0 ? sqlite3_changes(h->db.sqlite) : 0;
    h->talkers -= gone;
    return r < 0 || !gone ? r : qpw_history_lost(h, "talkers-old", gone);
}

static int add_talker(struct qpw_history *h, const struct qpw_history_talker *t, int64_t key, const char *remote, int64_t now)
{
    int64_t first = QPW_I(t->first_unix_ns / QPW_SECOND_NS), last = QPW_I(t->last_unix_ns / QPW_SECOND_NS);
    int r = qpw_db_run(&h->db, "UPDATE talker SET last = max(last, ?), first = min(first, ?), outcome = max(outcome, ?), "
                               "connections = connections + ?, process = CASE WHEN ?5 <> '' THEN ?5 ELSE process END "
                               "WHERE key = ? AND remote = ?", "iiiitit", last, first, QPW_I(t->outcome), QPW_I(t->connections),
                       t->process, key, remote);

    if (r < 0 || sqlite3_changes(h->db.sqlite))
        return r;
    r = h->talkers >= h->most_talkers ? make_room(h, now) : 0;
    if (r < 0)
        return r;
    if (h->talkers >= h->most_talkers)
        return qpw_history_lost(h, is_answered(t->outcome) ? "talkers" : "talkers-unanswered", 1);
    r = qpw_db_run(&h->db, "INSERT INTO talker VALUES(?, ?, ?, ?, ?, ?, ?)", "itiiiit", key, remote, first, last,
                   QPW_I(t->outcome), QPW_I(t->connections), t->process);
    if (r < 0)
        return r;
    h->talkers++;
    return 0;
}

/* Of each finished day, keep the busiest users only. */
static int end_days(struct qpw_history *h, int64_t day)
{
    if (h->day == day)
        return 0;
    h->day = day;
    return qpw_db_run(&h->db, "DELETE FROM used WHERE (day, rule, remote) IN (SELECT day, rule, remote FROM (SELECT day, rule, remote, "
                              "row_number() OVER (PARTITION BY day, rule ORDER BY connections DESC, remote) AS place FROM used "
                              "WHERE day BETWEEN ? AND ?) WHERE place > 32)", "ii", day - 40 * QPW_HISTORY_DAY, day - 1);
}

static int add_user(struct qpw_history *h, const struct qpw_history_talker *t, const char *rule, const char *remote, int64_t day)
{
    int r = qpw_db_run(&h->db, "UPDATE used SET connections = connections + ? WHERE day = ? AND rule = ? AND remote = ?", "iitt",
                       QPW_I(t->connections), day, rule, remote);

    if (r < 0 || sqlite3_changes(h->db.sqlite))
        return r;
    if (qpw_db_number(&h->db, 0, "SELECT count(*) FROM used WHERE day = ? AND rule = ?", "it", day, rule) >= USERS_WHILE_COUNTING)
        return qpw_history_lost(h, "users", 1);
    return qpw_db_run(&h->db, "INSERT INTO used VALUES(?, ?, ?, ?)", "itti", day, rule, remote, QPW_I(t->connections));
}

int qpw_history_talkers(struct qpw_history *h, const struct qpw_history_input *in, int64_t now)
{
    int64_t day = now - now % QPW_HISTORY_DAY, key = 0;
    const struct qpw_history_talker *t;
    char remote[64];
    int r = end_days(h, day);

    if (r < 0)
        return r;
    if (in->talkers_until_unix_ns) {
        r = qpw_db_run(&h->db, "INSERT OR REPLACE INTO counted VALUES(2, x'', 0, ?, 0, 0, 0, 0, 0)", "i", QPW_I(in->talkers_until_unix_ns));
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < in->n_talkers; i++) {
        t = &in->talkers[i];
        if (!i || memcmp(&t->key, &t[-1].key, sizeof(t->key))) {
            r = qpw_history_key(h, in->s, &t->key, now, &key);
            if (r < 0)
                return r;
        }
        qpw_address_text(t->remote, remote, sizeof(remote));
        r = add_talker(h, t, key, remote, now);
        if (r < 0)
            return r;
        if (t->key.rule && is_answered(t->outcome) && t->key.verdict >= QPW_VERDICT_ALLOWED) {
            r = add_user(h, t, qpw_snapshot_rule(in->s, t->key.rule), remote, day);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

/* ---- Policies, rules, coverage changes, listeners ---- */

static int write_policy(struct qpw_history *h, const struct qpw_history_input *in, int64_t now)
{
    const struct qpw_meta *m = &in->s->meta;

    if (!in->policy_text || qpw_db_number(&h->db, 0, "SELECT digest = ? AND text = ? FROM policy ORDER BY id DESC LIMIT 1", "tt",
                                          m->policy_digest, in->policy_text))
        return 0;
    return qpw_db_run(&h->db, "INSERT INTO policy(loaded, digest, source_digest, name, path, loaded_by, text) VALUES(?, ?, ?, ?, ?, ?, ?)",
                      "itttttt", in->policy_unix_ns ? QPW_I(in->policy_unix_ns / QPW_SECOND_NS) : now, m->policy_digest, m->source_digest, m->policy_name, m->policy_path,
                      in->policy_by ? in->policy_by : "", in->policy_text);
}

static uint64_t hash_rules(const struct qpw_snapshot *s)
{
    uint64_t hash = 14695981039346656037ull;

    for (size_t i = 1; i < s->n_rules; i++)
        for (const char *p = s->rules[i].in_force ? s->rules[i].text : ""; *p; p++)
            hash = (hash ^ (unsigned char)*p) * 1099511628211ull;
    return hash | 1;
}

/* A rule that is no longer in force keeps its row, and with it the record of its use. */
static int write_rules(struct qpw_history *h, const struct qpw_snapshot *s, int64_t now)
{
    uint64_t hash = hash_rules(s);
    int r;

    if (h->rules == hash)
        return 0;
    h->rules = 0;
    r = qpw_db_run(&h->db, "UPDATE rule SET in_force = 2 WHERE in_force = 1", "");
    if (r < 0)
        return r;
    for (size_t i = 1; i < s->n_rules; i++) {
        if (!s->rules[i].in_force || !s->rules[i].name[0])
            continue;
        r = qpw_db_run(&h->db,
                       "INSERT INTO rule VALUES(?, ?, ?, ?, 1, ?, 0) ON CONFLICT(name) DO UPDATE SET "
                       "since = CASE WHEN in_force = 0 THEN excluded.since ELSE since END, "
                       "until = 0, in_force = 1, text = excluded.text, direction = excluded.direction, "
                       "verdict = excluded.verdict",
                       "tiiti", s->rules[i].name, QPW_I(s->rules[i].direction), QPW_I(s->rules[i].verdict),
                       s->rules[i].text, now);
        if (r < 0)
            return r;
    }
    r = qpw_db_run(&h->db, "UPDATE rule SET in_force = 0, until = ? WHERE in_force = 2", "i", now);
    if (r < 0)
        return r;
    h->rules = hash;
    return 0;
}

static int write_records(struct qpw_history *h, const struct qpw_snapshot *s)
{
    int64_t last = qpw_db_number(&h->db, 0, "SELECT max(sequence) FROM change WHERE epoch = ?", "i", h->epoch);
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->n_coverage; i++) {
        const struct qpw_coverage *c = &s->coverage[i];

        if (QPW_I(c->sequence) > last)
            r = qpw_db_run(&h->db, "INSERT OR IGNORE INTO change VALUES(?, ?, ?, ?, ?, ?)", "iiiitt", h->epoch, QPW_I(c->sequence),
                           QPW_I(c->unix_ns), QPW_I(c->kind), qpw_snapshot_iface(s, c->iface), c->text);
    }
    return r;
}

static int write_blind(struct qpw_history *h, const struct qpw_snapshot *s)
{
    QPW_CLEANUP(qpw_freep) struct qpw_gap *gaps = NULL;
    size_t n = 0;
    int r = qpw_gaps_make(s, 0, &gaps, &n) < 0 ? QPW_DB_RESULT(SQLITE_NOMEM) : 0;

    if (r < 0)
        return r;
    r = qpw_db_run(&h->db, "DELETE FROM blind WHERE epoch = ? AND kind NOT IN ('not-attached', 'killed')", "i",
                   h->epoch);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        r = qpw_db_run(&h->db, "INSERT INTO blind VALUES(?, ?, ?, ?, ?)", "iiitt", h->epoch, QPW_I(gaps[i].from_unix_ns / QPW_SECOND_NS),
                       QPW_I(gaps[i].to_unix_ns / QPW_SECOND_NS), qpw_snapshot_iface(s, gaps[i].iface), qpw_coverage_name(gaps[i].kind));
        if (r < 0)
            return r;
    }
    return 0;
}

static int write_listeners(struct qpw_history *h, const struct qpw_history_input *in)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < in->n_listeners; i++)
        r = qpw_db_run(&h->db, "INSERT OR IGNORE INTO listener VALUES(?, ?, ?, ?)", "iiti", QPW_I(in->listeners[i].protocol),
                       QPW_I(in->listeners[i].port), in->listeners[i].program, QPW_I(in->listeners[i].first_unix_ns / QPW_SECOND_NS));
    return r;
}

static int write_programs(struct qpw_history *h, const struct qpw_history_input *in)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < in->n_programs; i++)
        r = qpw_db_run(&h->db, "INSERT INTO program VALUES(?, ?) ON CONFLICT(path) DO UPDATE SET first = excluded.first "
                               "WHERE excluded.first < first", "ti", in->programs[i].path, QPW_I(in->programs[i].first_unix_ns / QPW_SECOND_NS));
    return r;
}

int qpw_history_changes(struct qpw_history *h, const struct qpw_history_input *in, int64_t now)
{
    int r = write_policy(h, in, now);

    if (r < 0)
        return r;
    r = write_rules(h, in->s, now);
    if (r < 0)
        return r;
    r = write_records(h, in->s);
    if (r < 0)
        return r;
    r = write_blind(h, in->s);
    if (r < 0)
        return r;
    r = write_listeners(h, in);
    if (r < 0)
        return r;
    return write_programs(h, in);
}

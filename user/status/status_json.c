/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "control/control.h"
#include "status/status.h"
#include "status/status_alerts.h"
#include "util/document.h"
#include "util/names.h"
#include "words/answer.h"
#include "words/words.h"

/* jansson's setters take NULL for "could not be made" and say so once more: one sum of results tells. */
#define SET(object, key, value) (r |= json_object_set_new((object), (key), (value)))

static json_t *hooks_json(const struct qpw_status *s)
{
    json_t *list = json_array(), *one;
    const struct qpw_status_hooks *h;
    int r = 0;

    for (size_t i = 0; i < s->n_hooks; i++) {
        h = &s->hooks[i];
        one = json_object();
        SET(one, "name", qpw_json_text(h->iface->name));
        SET(one, "number", json_integer(h->iface->iface.number));
        SET(one, "rx", json_string(h->rx_hook));
        SET(one, "tx", json_string(h->tx_hook));
        SET(one, "mode", qpw_json_text(qpw_words_mode(h->iface->hook)));
        SET(one, "why", qpw_json_text(h->iface->why));
        SET(one, "up", json_boolean(h->iface->up));
        SET(one, "before_rx", qpw_json_text(h->before_rx));
        SET(one, "before_tx", qpw_json_text(h->before_tx));
        r |= json_array_append_new(list, one);
    }
    if (r) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *auditor_json(int pid, const struct qpw_sight *sight)
{
    uint64_t age = sight->heartbeat_age_ns;

    return json_pack("{s:o,s:o,s:b}", "pid", pid ? json_integer(pid) : json_null(), "heartbeat_seconds",
                     age == UINT64_MAX ? json_null() : json_integer((json_int_t)(age / 1000000000u)), "stale",
                     sight->auditor != QPW_AUDITOR_ALIVE);
}

static json_t *policy_json(const struct qpw_status *s)
{
    static const char *const states[] = {"current", "changed", "unreadable"};
    const struct qpw_meta *m = &s->snapshot.meta;

    json_t *o = qpw_json_policy(m->policy_name, m->policy_digest, m->source_digest);
    int r = 0;

    SET(o, "path", qpw_json_text(m->policy_path));
    SET(o, "file_state", json_string(states[s->policy_state]));
    SET(o, "file_digest", qpw_json_text(s->policy_file_digest));
    SET(o, "file_error", qpw_json_text(s->policy_error));
    return o;
}

static json_t *exceptions_json(const struct qpw_status *s)
{
    json_t *list = json_array();
    const struct qpw_status_exception *e;
    int r = 0;

    for (size_t i = 0; i < s->n_exceptions; i++) {
        e = &s->exceptions[i];
        r |= json_array_append_new(
            list, json_pack("{s:s,s:s,s:o,s:o}", "name", e->name, "kind", e->suppression ? "suppression" : "rule",
                            "text", qpw_json_text(e->text), "until",
                            qpw_json_time((uint64_t)e->until * 1000000000u)));
    }
    if (r) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *totals_json(const struct qpw_status *s)
{
    json_t *directions = json_object(), *verdicts = json_object();
    int r = 0;

    for (int d = 0; d < QPW_DIR_COUNT; d++)
        SET(directions, qpw_direction_name(d), json_integer(s->totals.by_direction[d].packets));
    for (int v = 1; v < QPW_VERDICT_COUNT; v++)
        SET(verdicts, qpw_verdict_name(v), json_integer(s->totals.by_verdict[v].packets));
    if (r) {
        json_decref(directions);
        json_decref(verdicts);
        return NULL;
    }
    return json_pack("{s:I,s:I,s:o,s:o,s:I,s:I}", "packets", (json_int_t)s->totals.all.packets, "bytes",
                     (json_int_t)s->totals.all.bytes, "by_direction", directions, "by_verdict", verdicts, "unexpected",
                     (json_int_t)s->answer.unexpected, "unexpected_answered", (json_int_t)s->answer.answered);
}

static json_t *losses_json(const struct qpw_status *s)
{
    json_t *losses = json_object();
    int r = 0;

    for (int loss = 1; loss < QPW_LOSS_COUNT; loss++)
        SET(losses, qpw_loss_name(loss), json_integer(s->snapshot.losses[loss]));
    if (r) {
        json_decref(losses);
        return NULL;
    }
    return losses;
}

static json_t *tables_json(const struct qpw_status *s)
{
    json_t *tables = json_object();
    const struct qpw_table_row *t;
    int r = 0;

    for (int c = 1; c < QPW_CLASS_COUNT; c++) {
        t = &s->snapshot.tables[c];
        SET(tables, qpw_class_name(c),
            json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "entries", (json_int_t)t->entries, "capacity",
                      (json_int_t)t->capacity, "opened", (json_int_t)t->opened, "closed", (json_int_t)t->closed,
                      "expired", (json_int_t)t->expired, "evicted", (json_int_t)t->evicted));
    }
    if (r) {
        json_decref(tables);
        return NULL;
    }
    return tables;
}

static json_t *timeouts_json(const struct qpw_status *s)
{
    const struct qpw_control *c = &s->snapshot.control;
    const double second = 1e9;

    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "tcp", c->tcp_ns / second, "half_open", c->half_open_ns / second,
                     "udp", c->udp_ns / second, "other", c->other_ns / second, "tail", c->tail_ns / second, "parent",
                     c->parent_ns / second, "fragment", c->fragment_ns / second);
}

static json_t *coverage_json(const struct qpw_status *s)
{
    json_t *events = json_array(), *unwatched = json_array(), *notes = json_array();
    const struct qpw_coverage *c;
    int r = 0;

    for (size_t i = 0; i < s->snapshot.n_coverage; i++) {
        c = &s->snapshot.coverage[i];
        r |= json_array_append_new(events, json_pack("{s:o,s:s,s:o,s:o}", "time", qpw_json_time(c->unix_ns), "kind",
                                                     qpw_coverage_name(c->kind), "interface",
                                                     qpw_json_text(c->iface < QPW_MAX_IFACES
                                                                      ? s->snapshot.meta.ifname[c->iface] : ""),
                                                     "text", qpw_json_text(c->text)));
    }
    for (size_t i = 0; i < s->snapshot.n_unwatched; i++)
        r |= json_array_append_new(unwatched, json_pack("{s:s,s:I,s:I}", "name", s->snapshot.unwatched[i].name,
                                                        "rx_packets", (json_int_t)s->snapshot.unwatched[i].rx_packets,
                                                        "tx_packets", (json_int_t)s->snapshot.unwatched[i].tx_packets));
    for (size_t i = 0; i < s->snapshot.n_notes; i++)
        r |= json_array_append_new(notes, qpw_json_text(s->snapshot.notes[i]));
    if (r) {
        json_decref(events);
        json_decref(unwatched);
        json_decref(notes);
        return NULL;
    }
    return json_pack("{s:o,s:o,s:o}", "events", events, "unwatched", unwatched, "notes", notes);
}

/* Takes the reference. */
static int write_document(json_t *root, FILE *out)
{
    int r = json_dumpf(root, out, JSON_INDENT(2));

    json_decref(root);
    return r < 0 || fputc('\n', out) == EOF || fflush(out) != 0 ? -EIO : 0;
}

int qpw_status_json(const struct qpw_status *s, FILE *out)
{
    json_t *root = qpw_document("qportwatch.status/1");
    int r = 0;

    qpw_document_set_period(root, s->snapshot.host, s->snapshot.from_unix_ns, s->snapshot.unix_ns);
    SET(root, "version", qpw_json_text(s->snapshot.meta.version)); /* of what is attached */
    SET(root, "interfaces", hooks_json(s));
    SET(root, "attached", json_true());
    SET(root, "answer", qpw_json_answer(&s->answer, s->snapshot.unix_ns));
    SET(root, "command", qpw_json_text(s->snapshot.meta.command));
    SET(root, "auditor", auditor_json(s->snapshot.auditor_pid, &s->answer.sight));
    SET(root, "policy", policy_json(s));
    SET(root, "exceptions", s->policy_state == QPW_POLICY_UNREADABLE ? json_null() : exceptions_json(s));
    SET(root, "totals", totals_json(s));
    SET(root, "findings_freed", json_pack("{s:I,s:I}", "attempted", (json_int_t)s->snapshot.freed[0], "answered",
                                          (json_int_t)s->snapshot.freed[1]));
    SET(root, "losses", losses_json(s));
    SET(root, "tables", tables_json(s));
    SET(root, "owners", json_pack("{s:b,s:o}", "noted", !s->snapshot.owners_missing[0], "why",
                                  qpw_json_text(s->snapshot.owners_missing)));
    SET(root, "memory_bytes", json_integer(s->snapshot.memory_bytes));
    SET(root, "timeouts", timeouts_json(s));
    SET(root, "alerts", json_incref(s->alerts));
    SET(root, "coverage", coverage_json(s));
    return r ? (json_decref(root), -ENOMEM) : write_document(root, out);
}

int qpw_status_json_nothing(const char *why, FILE *out)
{
    json_t *root = qpw_document("qportwatch.status/1");
    struct qpw_sight sight = {.auditor = QPW_AUDITOR_NONE, .heartbeat_age_ns = UINT64_MAX};
    pid_t pid;
    int r = 0;

    qpw_control_held(&pid);
    SET(root, "attached", json_false());
    SET(root, "answer", qpw_json_answer_nothing(why));
    SET(root, "why", qpw_json_text(why));
    SET(root, "auditor", auditor_json(pid, &sight));
    return r ? (json_decref(root), -ENOMEM) : write_document(root, out);
}

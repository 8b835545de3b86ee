/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "control/lock.h"
#include "facts/kept.h"
#include "status/status.h"
#include "status/status_alerts.h"
#include "util/document.h"
#include "util/names.h"
#include "words/answer.h"
#include "words/json.h"
#include "words/speech.h"
#include "words/words.h"

/* jansson's setters accept NULL for a failed value and report failure; the results are combined in r. */
#define SET(object, key, value) (r |= json_object_set_new((object), (key), (value)))

static json_t *hooks_json(const struct qpw_status *s)
{
    json_t *list = json_array(), *one;
    const struct qpw_status_hooks *h;
    int r = 0;

    for (size_t i = 0; i < s->n_hooks; i++) {
        h = &s->hooks[i];
        one = qpw_json_interface(h->iface);
        SET(one, "number", json_integer(h->iface->iface.number));
        SET(one, "rx", json_string(h->rx_hook));
        SET(one, "tx", json_string(h->tx_hook));
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

static json_t *auditor_json(int pid, const struct qpw_sight *sight, uint32_t flags)
{
    uint64_t age = sight->heartbeat_age_ns;

    return json_pack("{s:o,s:o,s:b,s:b,s:b}", "pid", pid ? json_integer(pid) : json_null(), "heartbeat_seconds",
                     age == UINT64_MAX ? json_null() : json_integer((json_int_t)(age / 1000000000u)), "stale",
                     sight->auditor != QPW_AUDITOR_ALIVE, "seccomp", (flags & QPW_CONTROL_SECCOMP) != 0, "landlock",
                     (flags & QPW_CONTROL_LANDLOCK) != 0);
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
    const struct qpw_exception *e;
    int r = 0;

    for (size_t i = 0; i < s->snapshot.n_exceptions; i++) {
        e = &s->snapshot.exceptions[i];
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
    json_t *o = qpw_json_totals(&s->totals);
    int r = 0;

    SET(o, "unexpected", qpw_json_number(s->answer.unexpected));
    SET(o, "unexpected_answered", qpw_json_number(s->answer.answered));
    return o;
}

static json_t *timeouts_json(const struct qpw_status *s)
{
    const struct qpw_control *c = &s->snapshot.control;
    const double second = 1e9;

    return json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f}", "tcp", c->tcp_ns / second, "half_open", c->half_open_ns / second,
                     "udp", c->udp_ns / second, "other", c->other_ns / second, "tail", c->tail_ns / second, "parent",
                     c->parent_ns / second, "fragment", c->fragment_ns / second);
}

static json_t *others_json(const struct qpw_hook_scan *others)
{
    json_t *array = json_array();
    char text[256];

    for (size_t i = 0; i < others->n; i++)
        if (!i || others->site[i].ifindex != others->site[i - 1].ifindex)
            json_array_append_new(array,
                                  json_pack("{so so}", "interface", qpw_json_text(others->site[i].ifname), "text",
                                            qpw_json_text(qpw_run_text(&others->site[i], text, sizeof(text)))));
    return array;
}

/* Write the document and release it. */
static int write_document(json_t *root, FILE *out)
{
    int r = json_dumpf(root, out, JSON_INDENT(2));

    json_decref(root);
    return r < 0 || fputc('\n', out) == EOF || fflush(out) != 0 ? -EIO : 0;
}

static json_t *history(const struct qpw_snapshot *s)
{
    const struct qpw_coverage *stopped = qpw_history_stopped(s);

    if (!*s->meta.history_path)
        return json_null();
    return json_pack("{s:o, s:s, s:o, s:o}", "file", qpw_json_text(s->meta.history_path), "state", stopped ? "stopped" : "written",
                     "since", qpw_json_time(stopped ? stopped->unix_ns : 0), "why", qpw_json_text(stopped ? stopped->text : NULL));
}

/* Bytes of kernel memory by what they are for. */
static json_t *memory_json(const struct qpw_snapshot *s)
{
    json_t *all = json_object();

    for (unsigned part = 0; part < QPW_MEMORY_COUNT; part++)
        json_object_set_new(all, qpw_memory_name(part), qpw_json_number(s->memory[part]));
    return all;
}

int qpw_status_json(const struct qpw_status *s, FILE *out)
{
    json_t *root = qpw_document("qportwatch.status/1");
    int r = 0;

    qpw_document_set_period(root, s->snapshot.host, s->snapshot.from_unix_ns, s->snapshot.unix_ns);
    SET(root, "version", qpw_json_text(s->snapshot.meta.version)); /* of the attached instance */
    SET(root, "interfaces", hooks_json(s));
    SET(root, "attached", json_true());
    SET(root, "other_runs", others_json(&s->others));
    SET(root, "answer", qpw_json_answer(&s->answer, s->snapshot.unix_ns));
    SET(root, "command", qpw_json_text(s->snapshot.meta.command));
    SET(root, "auditor", auditor_json(s->snapshot.auditor.here, &s->answer.sight, s->snapshot.control.flags));
    SET(root, "policy", policy_json(s));
    SET(root, "exceptions", exceptions_json(s));
    SET(root, "totals", totals_json(s));
    SET(root, "findings_freed", json_pack("{so so}", "attempted", qpw_json_number(s->snapshot.freed[0]), "answered",
                                          qpw_json_number(s->snapshot.freed[1])));
    SET(root, "speaks", qpw_json_speaks_ports(&s->snapshot));
    SET(root, "losses", qpw_json_losses(&s->snapshot));
    SET(root, "tables", qpw_json_tables(&s->snapshot));
    SET(root, "owners", json_pack("{s:b,s:o,s:o,s:b,s:o}", "noted", !s->snapshot.owners_missing[0], "why",
                                  qpw_json_text(s->snapshot.owners_missing), "below",
                                  qpw_json_text(s->snapshot.owners_below), "executables",
                                  !s->snapshot.executables_missing[0], "executables_why",
                                  qpw_json_text(s->snapshot.executables_missing)));
    SET(root, "memory_bytes", qpw_json_number(s->snapshot.memory_bytes));
    SET(root, "memory", memory_json(&s->snapshot));
    SET(root, "timeouts", timeouts_json(s));
    SET(root, "alerts", json_incref(s->alerts));
    SET(root, "history", history(&s->snapshot));
    SET(root, "coverage", json_pack("{so so so}", "events", qpw_json_events(&s->snapshot, 0), "unwatched",
                                    qpw_json_unwatched(&s->snapshot), "notes", qpw_json_notes(&s->snapshot)));
    return r ? (json_decref(root), -ENOMEM) : write_document(root, out);
}

int qpw_status_json_nothing(const char *why, FILE *out)
{
    json_t *root = qpw_document("qportwatch.status/1");
    struct qpw_sight sight = {.auditor = QPW_AUDITOR_NONE, .heartbeat_age_ns = UINT64_MAX};
    struct qpw_pid pid;
    int r = 0;

    qpw_lock_held(&pid);
    SET(root, "attached", json_false());
    SET(root, "answer", qpw_json_answer_nothing(why));
    SET(root, "why", qpw_json_text(why));
    SET(root, "auditor", auditor_json(pid.here, &sight, 0));
    return r ? (json_decref(root), -ENOMEM) : write_document(root, out);
}

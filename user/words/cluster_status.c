/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/cluster_status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "facts/severity.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "words/json.h"
#include "words/table.h"
#include "words/words.h"

/* ---- Words ---- */

/* "12 s ago, high: TEXT"; empty: none. */
static void write_newest(const struct qpw_peer_events *e, uint64_t now_unix_ns, char *buf, size_t size)
{
    char age[32];

    *buf = '\0';
    if (!e->at_unix_ns)
        return;
    qpw_words_duration(qpw_cluster_age_ns(e->at_unix_ns, now_unix_ns), age, sizeof(age));
    qpw_format(buf, size, "%s ago%s%s: %s", age, e->severity ? ", " : "", e->severity ? qpw_severity_name((unsigned)e->severity) : "",
               e->text);
}

void qpw_peer_words(const struct qpw_peer_status *p, uint64_t now_unix_ns, struct qpw_peer_words *ret)
{
    const char *digest = strchr(p->policy, ':');

    *ret = (struct qpw_peer_words){.age = "never", .answer = "unknown",
                                   .trouble = *p->trouble ? p->trouble : *p->result ? "" : "not polled yet",
                                   .stale = qpw_peer_status_is_stale(p, now_unix_ns)};
    if (*p->answer)
        snprintf(ret->answer, sizeof(ret->answer), "%s%s", ret->stale ? "unknown, was " : "", p->answer);
    if (p->got_unix_ns)
        qpw_words_duration(qpw_cluster_age_ns(p->got_unix_ns, now_unix_ns), ret->age, sizeof(ret->age));
    snprintf(ret->policy, sizeof(ret->policy), "%.8s", digest ? digest + 1 : p->policy);
    write_newest(&p->events, now_unix_ns, ret->newest, sizeof(ret->newest));
}

const char *qpw_words_cluster(const struct qpw_cluster_status *s, uint64_t now_unix_ns, char *buf, size_t size)
{
    char peers[32];

    qpw_words_many(s->n, "peer", peers, sizeof(peers));
    return qpw_format(buf, size, "%s: %s, %zu of them stale", *s->node ? s->node : "this node (no statement of its own)", peers,
                      qpw_cluster_status_stale(s, now_unix_ns));
}

const char *qpw_words_cluster_silent(const struct qpw_cluster_status *s, uint64_t now_unix_ns, char *buf, size_t size)
{
    char age[32];

    *buf = '\0';
    if (!qpw_cluster_status_is_silent(s, now_unix_ns))
        return buf;
    qpw_words_duration(qpw_cluster_age_ns(s->at_unix_ns, now_unix_ns), age, sizeof(age));
    return qpw_format(buf, size, "qportwatch serve wrote this %s ago and nothing since: it has ended or hangs", age);
}

/* ---- Text ---- */

static int add_peer(struct qpw_table *t, const struct qpw_peer_status *p, uint64_t now_unix_ns)
{
    struct qpw_peer_words words;

    qpw_peer_words(p, now_unix_ns, &words);
    return qpw_table_add(t, words.stale ? QPW_TEXT_BAD : QPW_TEXT_PLAIN,
                         (const char *const[]){p->name, words.age, words.answer, p->version, words.policy, p->monitored, words.newest,
                                              words.trouble});
}

int qpw_cluster_status_table(const struct qpw_cluster_status *s, uint64_t now_unix_ns, size_t limit, const struct qpw_printer *p)
{
    static const struct qpw_table_column columns[] = {{"NODE"}, {"STATEMENT", .right = true}, {"ANSWER"}, {"VERSION", .optional = true},
                                                      {"POLICY"}, {"MONITORS"}, {"NEWEST FINDING", .wrap = true}, {"TROUBLE", .wrap = true}};
    QPW_CLEANUP(qpw_table_clear) struct qpw_table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    bool in_order = !limit || limit >= s->n;
    size_t left = in_order ? s->n : limit;

    for (int fresh = 0; fresh < (in_order ? 1 : 2); fresh++)
        for (size_t i = 0; left && i < s->n; i++) {
            if (!in_order && qpw_peer_status_is_stale(&s->peers[i], now_unix_ns) == fresh)
                continue;
            if (add_peer(&table, &s->peers[i], now_unix_ns) < 0)
                return -ENOMEM;
            left--;
        }
    return qpw_table_print(&table, p);
}

/* Say how many requests were answered, and why others were not. */
static void print_served(const struct qpw_cluster_status *s, const struct qpw_printer *p)
{
    uint64_t answered = 0, refused = 0;
    char line[400], number[40], why[320] = "";
    size_t used = 0;

    for (size_t i = 0; i < s->n_served; i++) {
        const struct qpw_cluster_count *c = &s->served[i];

        if (!strcmp(c->name, "ok") || !strcmp(c->name, "unchanged")) {
            answered += c->n;
        } else if (c->n && used < sizeof(why)) {
            refused += c->n;
            used += (size_t)snprintf(why + used, sizeof(why) - used, "%s%s %" PRIu64, used ? ", " : "", c->name, c->n);
        }
    }
    if (!answered && !refused)
        return;
    qpw_format(line, sizeof(line), "answered %s", qpw_words_many(answered, "request", number, sizeof(number)));
    if (refused)
        qpw_print_line(p, "%s; not answered: %s", line, why);
    else
        qpw_print_line(p, "%s", line);
}

int qpw_cluster_status_text(const struct qpw_cluster_status *s, uint64_t now_unix_ns, const struct qpw_printer *p)
{
    char text[160];

    if (*qpw_words_cluster_silent(s, now_unix_ns, text, sizeof(text)))
        qpw_print_line(p, "%s", text);
    qpw_print_line(p, "%s", qpw_words_cluster(s, now_unix_ns, text, sizeof(text)));
    print_served(s, p);
    return qpw_cluster_status_table(s, now_unix_ns, 0, p);
}

/* ---- JSON ---- */

static json_t *counts_json(const struct qpw_cluster_count *counts, size_t n)
{
    json_t *o = json_object();

    for (size_t i = 0; i < n; i++)
        json_object_set_new(o, counts[i].name, qpw_json_number(counts[i].n));
    return o;
}

static json_t *events_json(const struct qpw_peer_events *e)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "result", qpw_json_text(e->result), "trouble", qpw_json_text(e->trouble), "number",
                     qpw_json_number(e->number), "missed", qpw_json_number(e->missed), "newest_at", qpw_json_time(e->at_unix_ns),
                     "newest_severity", qpw_json_text(e->severity ? qpw_severity_name((unsigned)e->severity) : ""), "newest",
                     qpw_json_text(e->text));
}

static json_t *peer_json(const struct qpw_peer_status *p)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name", qpw_json_text(p->name), "result",
                     qpw_json_text(p->result), "trouble", qpw_json_text(p->trouble), "polled", qpw_json_time(p->polled_unix_ns), "got",
                     qpw_json_time(p->got_unix_ns), "epoch", qpw_json_text(p->epoch), "seq", qpw_json_number(p->seq), "version",
                     qpw_json_text(p->version), "policy", qpw_json_text(p->policy), "answer", qpw_json_text(p->answer), "monitored",
                     qpw_json_text(p->monitored), "clock_offset_us", p->has_offset ? json_integer(p->offset_us) : json_null(),
                     "clock_error_us", qpw_json_number(p->offset_error_us), "polls", counts_json(p->polls, p->n_polls), "events",
                     events_json(&p->events));
}

json_t *qpw_cluster_status_json(const struct qpw_cluster_status *s)
{
    json_t *peers = json_array();

    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(peers, peer_json(&s->peers[i]));
    return json_pack("{s:o,s:o,s:o,s:o}", "node", qpw_json_text(s->node), "at", qpw_json_time(s->at_unix_ns), "peers", peers, "served",
                     counts_json(s->served, s->n_served));
}

/* Add the status to an object, which is consumed and returned. */
static json_t *extend(json_t *o, const struct qpw_cluster_status *s)
{
    json_t *status = qpw_cluster_status_json(s);

    if (o && json_object_update(o, status) == 0) {
        json_decref(status);
        return o;
    }
    json_decref(status);
    json_decref(o);
    return NULL;
}

json_t *qpw_cluster_status_document(const struct qpw_cluster_status *s)
{
    json_t *o = qpw_document(QPW_CLUSTER_STATUS_SCHEMA);

    if (o && s->at_unix_ns)
        qpw_document_set_period(o, "", s->at_unix_ns, s->at_unix_ns);
    return extend(o, s);
}

json_t *qpw_cluster_status_file(const struct qpw_cluster_status *s)
{
    return extend(json_pack("{s:s}", "schema", QPW_CLUSTER_STATUS_SCHEMA), s);
}

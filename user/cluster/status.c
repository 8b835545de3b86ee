/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/read_internal.h"
#include "facts/live.h"
#include "util/array.h"
#include "util/document.h"
#include "util/text.h"
#include "words/json.h"
#include "words/table.h"
#include "words/words.h"

static json_t *peer_json(const struct qpw_peer_status *p)
{
    json_t *polls = json_object();

    for (size_t i = 0; i < p->n_polls; i++)
        json_object_set_new(polls, p->polls[i].name, qpw_json_number(p->polls[i].n));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name", qpw_json_text(p->name), "result",
                     qpw_json_text(p->result), "trouble", qpw_json_text(p->trouble), "polled", qpw_json_time(p->polled_unix_ns), "got",
                     qpw_json_time(p->got_unix_ns), "epoch", qpw_json_text(p->epoch), "seq", qpw_json_number(p->seq), "version",
                     qpw_json_text(p->version), "policy", qpw_json_text(p->policy), "answer", qpw_json_text(p->answer), "monitored",
                     qpw_json_text(p->monitored), "clock_offset_us", p->has_offset ? json_integer(p->offset_us) : json_null(),
                     "clock_error_us", qpw_json_number(p->offset_error_us), "polls", polls);
}

json_t *qpw_cluster_status_json(const struct qpw_cluster_status *s)
{
    json_t *peers = json_array();

    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(peers, peer_json(&s->peers[i]));
    return json_pack("{s:s,s:o,s:o,s:o}", "schema", QPW_CLUSTER_STATUS_SCHEMA, "node", qpw_json_text(s->node), "at",
                     qpw_json_time(s->at_unix_ns), "peers", peers);
}

/* ---- Reading ---- */

static bool read_offset(struct qpw_reader *r, const json_t *v, struct qpw_peer_status *p)
{
    const json_t *offset = json_object_get(v, "clock_offset_us");

    p->has_offset = json_is_integer(offset);
    p->offset_us = json_integer_value(offset);
    return !offset || json_is_null(offset) || p->has_offset || qpw_reader_fail(r, "clock_offset_us", "is not a whole number");
}

static bool read_polls(struct qpw_reader *r, json_t *polls, struct qpw_peer_status *p)
{
    const char *key;
    json_t *value;

    json_object_foreach (polls, key, value) {
        if (p->n_polls == QPW_CLUSTER_RESULTS || strlen(key) >= sizeof(p->polls[0].name))
            return qpw_reader_fail(r, "polls", "has more than is ever written");
        if (!qpw_reader_number(r, value, "polls", &p->polls[p->n_polls].n))
            return false;
        snprintf(p->polls[p->n_polls].name, sizeof(p->polls[0].name), "%s", key);
        qpw_text_clean(p->polls[p->n_polls++].name);
    }
    return true;
}

static bool read_peer(struct qpw_reader *r, json_t *v, struct qpw_peer_status *p)
{
#define TEXT(key, field) qpw_reader_text(r, json_object_get(v, key), key, p->field, sizeof(p->field))
    return TEXT("name", name) && TEXT("result", result) && TEXT("trouble", trouble) && TEXT("epoch", epoch) && TEXT("version", version) &&
           TEXT("policy", policy) && TEXT("answer", answer) && TEXT("monitored", monitored) &&
           qpw_reader_time(r, json_object_get(v, "polled"), "polled", &p->polled_unix_ns) &&
           qpw_reader_time(r, json_object_get(v, "got"), "got", &p->got_unix_ns) &&
           qpw_reader_number(r, json_object_get(v, "seq"), "seq", &p->seq) &&
           qpw_reader_number(r, json_object_get(v, "clock_error_us"), "clock_error_us", &p->offset_error_us) && read_offset(r, v, p) &&
           read_polls(r, json_object_get(v, "polls"), p);
#undef TEXT
}

static void read_document(struct qpw_reader *r, const json_t *document, struct qpw_cluster_status *ret)
{
    const char *schema = json_string_value(json_object_get(document, "schema"));
    json_t *peers = json_object_get(document, "peers"), *v;
    size_t i;

    if (!schema || strcmp(schema, QPW_CLUSTER_STATUS_SCHEMA)) {
        qpw_reader_fail(r, "", "is not a document " QPW_CLUSTER_STATUS_SCHEMA);
        return;
    }
    if (!json_is_array(peers) || json_array_size(peers) > QPW_MAX_PEERS) {
        qpw_reader_fail(r, "peers", "is not a list of at most 1024");
        return;
    }
    if (!qpw_reader_text(r, json_object_get(document, "node"), "node", ret->node, sizeof(ret->node)) ||
        !qpw_reader_time(r, json_object_get(document, "at"), "at", &ret->at_unix_ns))
        return;
    json_array_foreach (peers, i, v) {
        struct qpw_peer_status *p = QPW_ADD(ret->peers, ret->n);

        if (!p) {
            r->no_memory = r->failed = true;
            return;
        }
        ret->n++;
        if (!read_peer(r, v, p))
            return;
    }
}

int qpw_cluster_status_read(const char *bytes, size_t length, struct qpw_cluster_status *ret, struct qpw_error *err)
{
    struct qpw_reader r = {.err = err, .source = QPW_CLUSTER_STATUS_FILE};
    json_error_t error;
    json_t *document = length > QPW_CLUSTER_STATUS_BYTES ? NULL : json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);

    *ret = (struct qpw_cluster_status){0};
    read_document(&r, document, ret);
    json_decref(document);
    if (r.no_memory)
        return qpw_fail(err, -ENOMEM, "out of memory");
    return r.failed ? -EINVAL : 0;
}

/* ---- Text ---- */

bool qpw_peer_status_is_stale(const struct qpw_peer_status *p, uint64_t now_unix_ns)
{
    return p->got_unix_ns + QPW_LIVE_STALE_NS <= now_unix_ns;
}

static int add_peer(struct qpw_table *t, const struct qpw_peer_status *p, uint64_t now_unix_ns)
{
    bool stale = qpw_peer_status_is_stale(p, now_unix_ns);
    char age[32] = "never", digest[16];
    const char *cells[7];

    if (p->got_unix_ns)
        qpw_words_duration(now_unix_ns > p->got_unix_ns ? (now_unix_ns - p->got_unix_ns) / 1000000000u * 1000000000u : 0, age, sizeof(age));
    snprintf(digest, sizeof(digest), "%.8s", strchr(p->policy, ':') ? strchr(p->policy, ':') + 1 : p->policy);
    cells[0] = p->name;
    cells[1] = age;
    cells[2] = *p->answer ? p->answer : "unknown";
    cells[3] = p->version;
    cells[4] = digest;
    cells[5] = p->monitored;
    cells[6] = *p->trouble ? p->trouble : *p->result ? "" : "not polled yet";
    return qpw_table_add(t, stale ? QPW_TEXT_BAD : QPW_TEXT_PLAIN, cells);
}

int qpw_cluster_status_text(const struct qpw_cluster_status *s, uint64_t now_unix_ns, const struct qpw_printer *p)
{
    static const struct qpw_table_column columns[] = {{"NODE"}, {"STATEMENT", .right = true}, {"ANSWER"}, {"VERSION", .optional = true},
                                                      {"POLICY"}, {"MONITORS"}, {"TROUBLE", .wrap = true}};
    struct qpw_table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    size_t stale = 0;
    char peers[32], age[32];
    int r = 0;

    for (size_t i = 0; i < s->n; i++)
        stale += qpw_peer_status_is_stale(&s->peers[i], now_unix_ns);
    qpw_words_many(s->n, "peer", peers, sizeof(peers));
    qpw_words_duration(now_unix_ns > s->at_unix_ns ? (now_unix_ns - s->at_unix_ns) / 1000000000u * 1000000000u : 0, age, sizeof(age));
    if (s->at_unix_ns + QPW_LIVE_STALE_NS <= now_unix_ns)
        qpw_print_line(p, "qportwatch serve wrote this %s ago and nothing since: it has ended or hangs", age);
    qpw_print_line(p, "%s: %s, %zu of them stale", *s->node ? s->node : "this node (no statement of its own)", peers, stale);
    for (size_t i = 0; r == 0 && i < s->n; i++)
        r = add_peer(&table, &s->peers[i], now_unix_ns);
    r = r ? r : qpw_table_print(&table, p);
    qpw_table_clear(&table);
    return r;
}

void qpw_cluster_status_clear(struct qpw_cluster_status *s)
{
    free(s->peers);
    *s = (struct qpw_cluster_status){0};
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cluster/read_internal.h"
#include "facts/severity.h"
#include "util/array.h"
#include "util/text.h"
#include "words/cluster_status.h"

static bool read_offset(struct qpw_reader *r, const json_t *v, struct qpw_peer_status *p)
{
    const json_t *offset = json_object_get(v, "clock_offset_us");

    p->has_offset = json_is_integer(offset);
    p->offset_us = json_integer_value(offset);
    return !offset || json_is_null(offset) || p->has_offset || qpw_reader_fail(r, "clock_offset_us", "is not a whole number");
}

/* Read numbers by name; an earlier version wrote fewer of them. */
static bool read_counts(struct qpw_reader *r, json_t *object, const char *what, struct qpw_cluster_count *ret, size_t *ret_n)
{
    const char *key;
    json_t *value;

    *ret_n = 0;
    json_object_foreach (object, key, value) {
        if (*ret_n == QPW_CLUSTER_RESULTS || strlen(key) >= sizeof(ret->name))
            return qpw_reader_fail(r, what, "has more than is ever written");
        if (!qpw_reader_number(r, value, what, &ret[*ret_n].n))
            return false;
        snprintf(ret[*ret_n].name, sizeof(ret->name), "%s", key);
        qpw_text_clean(ret[(*ret_n)++].name);
    }
    return true;
}

/* A document of an earlier version has no events. */
static bool read_events(struct qpw_reader *r, const json_t *v, struct qpw_peer_events *e)
{
    char severity[16];

#define TEXT(key, to) qpw_reader_text(r, json_object_get(v, key), key, to, sizeof(to))
    if (!TEXT("result", e->result) || !TEXT("trouble", e->trouble) || !TEXT("newest", e->text) || !TEXT("newest_severity", severity) ||
        !qpw_reader_number(r, json_object_get(v, "number"), "number", &e->number) ||
        !qpw_reader_number(r, json_object_get(v, "missed"), "missed", &e->missed) ||
        !qpw_reader_time(r, json_object_get(v, "newest_at"), "newest_at", &e->at_unix_ns))
        return false;
#undef TEXT
    for (unsigned i = QPW_SEVERITY_HIGH; i <= QPW_SEVERITY_INFO; i++)
        if (!strcmp(severity, qpw_severity_name(i)))
            e->severity = i;
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
           read_counts(r, json_object_get(v, "polls"), "polls", p->polls, &p->n_polls) && read_events(r, json_object_get(v, "events"), &p->events);
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
        !qpw_reader_time(r, json_object_get(document, "at"), "at", &ret->at_unix_ns) ||
        !read_counts(r, json_object_get(document, "served"), "served", ret->served, &ret->n_served))
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

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/statement.h"
#include "util/document.h"
#include "util/names.h"
#include "util/text.h"
#include "words/answer.h"
#include "words/json.h"
#include "words/words.h"

static json_t *mac_json(const uint8_t mac[6])
{
    static const uint8_t none[6];
    char text[24];

    return memcmp(mac, none, sizeof(none)) ? json_string(qpw_mac_text(mac, text, sizeof(text))) : json_null();
}

static json_t *address_json(const uint8_t addr[16])
{
    char text[64];

    return json_string(qpw_address_text(addr, text, sizeof(text)));
}

static json_t *port_json(const struct qpw_stated_service *service)
{
    return service->port == QPW_NO_PORT ? json_null() : json_integer(service->port);
}

static json_t *sum_json(const struct qpw_sum *sum)
{
    return json_pack("[o,o]", qpw_json_number(sum->packets), qpw_json_number(sum->bytes));
}

static json_t *monitored(const struct qpw_statement *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_devices; i++) {
        const struct qpw_stated_device *d = &s->devices[i];

        json_array_append_new(list, json_pack("{s:o,s:s,s:b,s:b,s:o,s:o}", "name", qpw_json_text(d->name), "mode", d->mode, "first",
                                              (int)d->first, "blind", (int)d->blind, "since", qpw_json_time(d->since_unix_ns),
                                              "mac", mac_json(d->mac)));
    }
    return list;
}

static json_t *unwatched(const struct qpw_statement *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_unwatched; i++) {
        const struct qpw_stated_device *d = &s->unwatched[i];

        json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o}", "name", qpw_json_text(d->name), "rx", qpw_json_number(d->rx), "tx",
                                              qpw_json_number(d->tx), "mac", mac_json(d->mac)));
    }
    return list;
}

static json_t *blind(const struct qpw_statement *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_blind; i++)
        json_array_append_new(list, json_pack("{s:o,s:o,s:s,s:b}", "from", qpw_json_time(s->blind[i].from_unix_ns), "to",
                                              qpw_json_time(s->blind[i].to_unix_ns), "why", s->blind[i].why, "counted",
                                              (int)s->blind[i].unaudited));
    return list;
}

static json_t *cover(const struct qpw_statement *s)
{
    json_t *bypass = json_array();

    if (s->rdma)
        json_array_append_new(bypass, json_string("rdma"));
    if (s->xdp_sockets)
        json_array_append_new(bypass, json_string("af_xdp"));
    if (s->packet_sockets)
        json_array_append_new(bypass, json_string("af_packet"));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:b,s:o}", "devices", monitored(s), "unwatched", unwatched(s), "blind", blind(s), "rdma",
                     qpw_json_number(s->rdma), "lost", qpw_json_number(s->lost), "exact", (int)s->exact, "bypass", bypass);
}

static json_t *local(const struct qpw_statement *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_local; i++)
        json_array_append_new(list, json_pack("{s:o,s:o,s:b,s:o}", "addr", address_json(s->local[i].addr), "dev",
                                              qpw_json_text(s->local[i].dev), "floating", (int)s->local[i].floating, "mac",
                                              mac_json(s->local[i].mac)));
    return list;
}

static json_t *pair(const struct qpw_stated_pair *p, size_t most)
{
    json_t *by = json_array(), *macs = json_array();

    for (size_t i = 0; i < p->n_by && i < most; i++)
        json_array_append_new(by, json_pack("[s,o,s,o,o,o]", p->by[i].service.protocol, port_json(&p->by[i].service),
                                            p->by[i].service.direction, qpw_json_number(p->by[i].opened),
                                            qpw_json_number(p->by[i].tx), qpw_json_number(p->by[i].rx)));
    for (size_t i = 0; i < p->n_macs; i++)
        json_array_append_new(macs, json_pack("[o,o]", mac_json(p->mac[i].mac), qpw_json_time(p->mac[i].last_unix_ns)));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "peer", qpw_json_text(p->peer), "tx", sum_json(&p->tx), "rx", sum_json(&p->rx),
                     "apart", qpw_json_number(p->apart), "by", by, "macs", macs);
}

static json_t *pairs(const struct qpw_statement *s, size_t most)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_pairs; i++)
        json_array_append_new(list, pair(&s->pairs[i], most));
    return list;
}

static json_t *ports(const struct qpw_statement *s, size_t most)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_ports && i < most; i++) {
        const struct qpw_stated_port *p = &s->ports[i];

        json_array_append_new(list, json_pack("[s,o,s,s,o,s,o,o,o]", p->service.protocol, port_json(&p->service), p->service.direction,
                                              p->verdict, qpw_json_text(p->rule), p->outcome, qpw_json_time(p->first_unix_ns),
                                              qpw_json_time(p->last_unix_ns), qpw_json_or_null(p->initiators)));
    }
    return list;
}

static json_t *listeners(const struct qpw_statement *s, size_t most)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_listen && i < most; i++) {
        const struct qpw_stated_listener *l = &s->listen[i];

        json_array_append_new(list, json_pack("[s,o,o,o,o]", l->service.protocol, port_json(&l->service), address_json(l->addr),
                                              qpw_json_text(l->exe), qpw_json_text(l->rule)));
    }
    return list;
}

static json_t *neighbours(const struct qpw_statement *s, size_t most)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_neigh && i < most; i++)
        json_array_append_new(list, json_pack("[o,o,o]", address_json(s->neigh[i].addr), mac_json(s->neigh[i].mac),
                                              qpw_json_time(s->neigh[i].last_unix_ns)));
    return list;
}

static json_t *scans(const struct qpw_statement *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_scans; i++)
        json_array_append_new(list, json_pack("[o,o,o,o]", address_json(s->scans[i].addr), qpw_json_number(s->scans[i].ports),
                                              qpw_json_time(s->scans[i].first_unix_ns), qpw_json_time(s->scans[i].last_unix_ns)));
    return list;
}

/* The first value, then by how much each is more than the one before: short where counters are long. */
static json_t *increments(const uint64_t *values, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, qpw_json_number(i == 0 ? values[0] : values[i] > values[i - 1] ? values[i] - values[i - 1] : 0));
    return list;
}

static json_t *series(const struct qpw_stated_series *from, size_t n, size_t t, const char *name, bool lost)
{
    json_t *list = json_array(), *one;

    for (size_t i = 0; i < n; i++) {
        one = json_pack("{s:o,s:o,s:o}", name, qpw_json_text(from[i].name), "tx", increments(from[i].tx, t), "rx",
                        increments(from[i].rx, t));
        if (lost)
            json_object_update_new(one, json_pack("{s:o,s:o}", "tx_lost", increments(from[i].tx_lost, t), "rx_lost",
                                                  increments(from[i].rx_lost, t)));
        json_array_append_new(list, one);
    }
    return list;
}

/* Pairs of most packets first: where there is no room for all, the last are left out. */
static json_t *samples(const struct qpw_stated_samples *s)
{
    json_t *document = NULL, *reading;

    for (size_t n = s->n_pairs;; n -= n / 4 + 1) {
        json_decref(document);
        reading = json_array();
        for (size_t i = 0; i < s->n; i++)
            json_array_append_new(reading, qpw_json_number(s->reading_us[i]));
        document = json_pack("{s:o,s:o,s:o,s:o,s:o}", "at", increments(s->boot_us, s->n), "reading", reading, "pairs",
                             series(s->pairs, n, s->n, "peer", /* lost= */ false), "devices",
                             series(s->devices, s->n_devices, s->n, "name", /* lost= */ true), "left_out",
                             qpw_json_number(s->left_out + (s->n_pairs - n)));
        if (!document || !n || json_dumpb(document, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII) <= QPW_STATEMENT_BYTES)
            return document;
    }
}

const char *qpw_statement_digest(const json_t *document, char buf[QPW_STATEMENT_DIGEST])
{
    json_t *copy = json_copy((json_t *)document);
    uint8_t sum[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    char *text;

    json_object_del(copy, "digest");
    text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_decref(copy);
    if (!text)
        return NULL;
    sha256_init(&sha);
    sha256_update(&sha, strlen(text), (const uint8_t *)text);
    sha256_digest(&sha, sizeof(sum), sum);
    free(text);
    memcpy(buf, "sha256:", 7);
    qpw_hex(sum, sizeof(sum), buf + 7);
    return buf;
}

/* Cut every text to what a reader takes, between characters. */
static void cut_texts(json_t *value)
{
    const char *text = json_string_value(value), *key;
    size_t length = text ? json_string_length(value) : 0, i;
    json_t *one;

    if (length > QPW_STATEMENT_STRING) {
        for (length = QPW_STATEMENT_STRING; length && ((unsigned char)text[length] & 0xc0) == 0x80; length--)
            ;
        json_string_setn(value, text, length);
    }
    json_array_foreach (value, i, one)
        cut_texts(one);
    json_object_foreach (value, key, one)
        cut_texts(one);
}

/* How much of each list there is room for. */
struct room {
    size_t by, ports, listen, neigh;
};

static void set_head(json_t *o, const struct qpw_statement *s, const struct qpw_report *r)
{
    const struct qpw_snapshot *from = r->s;
    json_t *names = json_array(), *unused = json_array(), *policy = qpw_json_policy(s->policy.name, s->policy.digest, s->policy.source_digest);

    for (size_t i = 0; i < s->n_devices; i++)
        json_array_append_new(names, qpw_json_text(s->devices[i].name));
    json_object_set_new(o, "interfaces", names);
    qpw_document_set_period(o, from->host, from->from_unix_ns, from->unix_ns);
    for (size_t i = 0; i < s->policy.n_unused; i++)
        json_array_append_new(unused, qpw_json_text(s->policy.unused[i]));
    json_object_update_new(policy, json_pack("{s:o,s:o,s:o}", "rules", qpw_json_number(s->policy.rules), "loaded",
                                             qpw_json_time(s->policy.loaded_unix_ns), "unused", unused));
    json_object_set_new(o, "policy", policy);
    json_object_update_new(
        o, json_pack("{s:o,s:o,s:s,s:o,s:o,s:o,s:{s:o,s:o},s:o}", "cluster", qpw_json_text(s->cluster), "node", qpw_json_text(s->node),
                     "epoch", s->epoch, "seq", qpw_json_number(s->seq), "at", qpw_json_time(s->at_unix_ns), "uptime",
                     qpw_json_number(s->uptime_us / 1000000), "clock", "boot_us", qpw_json_number(s->uptime_us), "error_us",
                     qpw_json_or_null(s->clock_error_us), "answer", qpw_json_answer(&r->answer, from->unix_ns)));
}

static void set_tail(json_t *o, const struct qpw_statement *s, const struct room *room)
{
    uint64_t by = s->left_out.by;

    for (size_t i = 0; i < s->n_pairs; i++)
        by += s->pairs[i].n_by > room->by ? s->pairs[i].n_by - room->by : 0;
    json_object_set_new(o, "chain", s->chain_seq ? json_pack("{s:o,s:s}", "seq", qpw_json_number(s->chain_seq), "sha256",
                                                             s->chain_sha256)
                                                 : json_null());
#define LEFT(list, n, most) qpw_json_number(s->left_out.list + ((n) > (most) ? (n) - (most) : 0))
    json_object_set_new(
        o, "left_out",
        json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "devices", LEFT(devices, 0u, 0u), "blind", LEFT(blind, 0u, 0u), "local",
                  LEFT(local, 0u, 0u), "pairs", LEFT(pairs, 0u, 0u), "by", qpw_json_number(by), "ports",
                  LEFT(ports, s->n_ports, room->ports), "listen", LEFT(listen, s->n_listen, room->listen), "neigh",
                  LEFT(neigh, s->n_neigh, room->neigh), "scans", LEFT(scans, 0u, 0u), "unused", LEFT(unused, 0u, 0u)));
#undef LEFT
}

static json_t *build(const struct qpw_statement *s, const struct qpw_report *r, const struct room *room)
{
    json_t *o = qpw_document(QPW_STATEMENT_SCHEMA);

    set_head(o, s, r);
    json_object_update_new(o, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "cover", cover(s), "local", local(s), "pairs",
                                        pairs(s, room->by), "ports", ports(s, room->ports), "listen", listeners(s, room->listen),
                                        "neigh", neighbours(s, room->neigh), "scans", scans(s)));
    set_tail(o, s, room);
    cut_texts(o);
    return o;
}

int qpw_statement_json(struct qpw_statement *s, const struct qpw_report *r, json_t **ret)
{
    struct room room = {QPW_STATED_BY, QPW_STATED_PORTS, QPW_STATED_LISTENERS, QPW_STATED_NEIGHBOURS};
    char digest[QPW_STATEMENT_DIGEST];
    json_t *o = build(s, r, &room);

    while (o && json_dumpb(o, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII) > QPW_STATEMENT_BYTES && room.by + room.ports) {
        json_decref(o);
        if (room.by > 2)
            room.by /= 2;
        else
            room = (struct room){room.ports > 64 ? room.by : 0, room.ports / 2, room.listen / 2, room.neigh / 2};
        o = build(s, r, &room);
    }
    if (s->samples.n)
        json_object_set_new(o, "samples", samples(&s->samples));
    if (!o || !qpw_statement_digest(o, digest)) {
        json_decref(o);
        return -ENOMEM;
    }
    json_object_set_new(o, "digest", json_string(digest));
    *ret = o;
    return 0;
}

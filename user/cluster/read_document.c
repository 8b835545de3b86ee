/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The members of a statement, one reader for each list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/read_internal.h"
#include "util/array.h"

/* A list of at most so many, each read by a function; `to` is where they go. */
typedef bool (*read_one)(struct qpw_reader *r, const json_t *value, const char *what, struct qpw_statement *s);

static bool each(struct qpw_reader *r, const json_t *list, const char *what, size_t most, read_one one, struct qpw_statement *s)
{
    char path[64], why[64];
    json_t *value;
    size_t i;

    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list))
        return qpw_reader_fail(r, what, "is not a list");
    if (json_array_size(list) > most) {
        snprintf(why, sizeof(why), "has more than %zu entries", most);
        return qpw_reader_fail(r, what, why);
    }
    json_array_foreach (list, i, value) {
        snprintf(path, sizeof(path), "%s[%zu]", what, i);
        if (!one(r, value, path, s))
            return false;
    }
    return true;
}

static bool no_memory(struct qpw_reader *r)
{
    r->no_memory = r->failed = true;
    return false;
}

/* Room for one more in a list of the statement, counted; else the function that asks returns false. */
#define MORE(r, list, n) \
    __extension__({ \
        __typeof__(list) more_ = QPW_ADD(list, n); \
        if (!more_) \
            return no_memory(r); \
        (n)++; \
        more_; \
    })

static bool read_mode(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_stated_device *d)
{
    return (json_is_object(v) || qpw_reader_fail(r, what, "is not an object")) &&
           qpw_reader_text(r, json_object_get(v, "name"), what, d->name, sizeof(d->name)) &&
           qpw_reader_text(r, json_object_get(v, "mode"), what, d->mode, sizeof(d->mode)) &&
           qpw_reader_bool(r, json_object_get(v, "first"), what, &d->first) &&
           qpw_reader_bool(r, json_object_get(v, "blind"), what, &d->blind) &&
           qpw_reader_time(r, json_object_get(v, "since"), what, &d->since_unix_ns) &&
           qpw_reader_number(r, json_object_get(v, "tx"), what, &d->tx) &&
           qpw_reader_number(r, json_object_get(v, "rx"), what, &d->rx) &&
           qpw_reader_mac(r, json_object_get(v, "mac"), what, d->mac);
}

static bool read_monitored(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    return read_mode(r, v, what, MORE(r, s->devices, s->n_devices));
}

static bool read_unwatched(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    return read_mode(r, v, what, MORE(r, s->unwatched, s->n_unwatched));
}

static bool read_blind(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_blind *b = MORE(r, s->blind, s->n_blind);

    return (json_is_object(v) || qpw_reader_fail(r, what, "is not an object")) &&
           qpw_reader_time(r, json_object_get(v, "from"), what, &b->from_unix_ns) &&
           qpw_reader_time(r, json_object_get(v, "to"), what, &b->to_unix_ns) &&
           qpw_reader_text(r, json_object_get(v, "why"), what, b->why, sizeof(b->why)) &&
           qpw_reader_bool(r, json_object_get(v, "counted"), what, &b->unaudited);
}

static bool read_bypass(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    char word[32];

    if (!qpw_reader_text(r, v, what, word, sizeof(word)))
        return false;
    s->xdp_sockets |= !strcmp(word, "af_xdp");
    s->packet_sockets |= !strcmp(word, "af_packet");
    return true;
}

static bool read_cover(struct qpw_reader *r, const json_t *v, struct qpw_statement *s)
{
    if (!json_is_object(v))
        return qpw_reader_fail(r, "cover", "is not an object");
    return each(r, json_object_get(v, "devices"), "cover.devices", QPW_STATED_DEVICES, read_monitored, s) &&
           each(r, json_object_get(v, "unwatched"), "cover.unwatched", QPW_STATED_DEVICES, read_unwatched, s) &&
           each(r, json_object_get(v, "blind"), "cover.blind", QPW_STATED_BLIND, read_blind, s) &&
           each(r, json_object_get(v, "bypass"), "cover.bypass", 16, read_bypass, s) &&
           qpw_reader_number(r, json_object_get(v, "rdma"), "cover.rdma", &s->rdma) &&
           qpw_reader_number(r, json_object_get(v, "lost"), "cover.lost", &s->lost) &&
           qpw_reader_bool(r, json_object_get(v, "exact"), "cover.exact", &s->exact);
}

static bool read_local(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_local *l = MORE(r, s->local, s->n_local);

    return qpw_reader_address(r, json_object_get(v, "addr"), what, l->addr) &&
           qpw_reader_text(r, json_object_get(v, "dev"), what, l->dev, sizeof(l->dev)) &&
           qpw_reader_bool(r, json_object_get(v, "floating"), what, &l->floating) &&
           qpw_reader_mac(r, json_object_get(v, "mac"), what, l->mac);
}

static bool read_sum(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_sum *sum)
{
    return qpw_reader_number(r, json_array_get(v, 0), what, &sum->packets) && qpw_reader_number(r, json_array_get(v, 1), what, &sum->bytes);
}

static bool read_by(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_pair *p = &s->pairs[s->n_pairs - 1];
    struct qpw_stated_by *by = MORE(r, p->by, p->n_by);

    return qpw_reader_service(r, v, what, &by->service) &&
           qpw_reader_text(r, json_array_get(v, 2), what, by->service.direction, sizeof(by->service.direction)) &&
           qpw_reader_number(r, json_array_get(v, 3), what, &by->opened) && qpw_reader_number(r, json_array_get(v, 4), what, &by->tx) &&
           qpw_reader_number(r, json_array_get(v, 5), what, &by->rx);
}

static bool read_opener(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_pair *p = &s->pairs[s->n_pairs - 1];
    struct qpw_stated_mac *mac = &p->mac[p->n_macs++];

    return qpw_reader_mac(r, json_array_get(v, 0), what, mac->mac) && qpw_reader_time(r, json_array_get(v, 1), what, &mac->last_unix_ns);
}

static bool read_pair(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_pair *p = MORE(r, s->pairs, s->n_pairs);

    if (!qpw_reader_text(r, json_object_get(v, "peer"), what, p->peer, sizeof(p->peer)))
        return false;
    if (!*p->peer)
        return qpw_reader_fail(r, what, "names no peer");
    return read_sum(r, json_object_get(v, "tx"), what, &p->tx) && read_sum(r, json_object_get(v, "rx"), what, &p->rx) &&
           qpw_reader_number(r, json_object_get(v, "apart"), what, &p->apart) &&
           each(r, json_object_get(v, "by"), what, QPW_STATED_BY, read_by, s) &&
           each(r, json_object_get(v, "macs"), what, QPW_OPENERS, read_opener, s);
}

static bool read_port(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_port *p = MORE(r, s->ports, s->n_ports);

    return qpw_reader_service(r, v, what, &p->service) &&
           qpw_reader_text(r, json_array_get(v, 2), what, p->service.direction, sizeof(p->service.direction)) &&
           qpw_reader_text(r, json_array_get(v, 3), what, p->verdict, sizeof(p->verdict)) &&
           qpw_reader_text(r, json_array_get(v, 4), what, p->rule, sizeof(p->rule)) &&
           qpw_reader_text(r, json_array_get(v, 5), what, p->outcome, sizeof(p->outcome)) &&
           qpw_reader_time(r, json_array_get(v, 6), what, &p->first_unix_ns) &&
           qpw_reader_time(r, json_array_get(v, 7), what, &p->last_unix_ns) &&
           qpw_reader_number(r, json_array_get(v, 8), what, &p->initiators);
}

static bool read_listener(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_listener *l = MORE(r, s->listen, s->n_listen);

    return qpw_reader_service(r, v, what, &l->service) && qpw_reader_address(r, json_array_get(v, 2), what, l->addr) &&
           qpw_reader_text(r, json_array_get(v, 3), what, l->exe, sizeof(l->exe)) &&
           qpw_reader_text(r, json_array_get(v, 4), what, l->rule, sizeof(l->rule));
}

static bool read_neighbour(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_neighbour *n = MORE(r, s->neigh, s->n_neigh);

    return qpw_reader_address(r, json_array_get(v, 0), what, n->addr) && qpw_reader_mac(r, json_array_get(v, 1), what, n->mac) &&
           qpw_reader_time(r, json_array_get(v, 2), what, &n->last_unix_ns);
}

static bool read_scan(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    struct qpw_stated_scan *scan = MORE(r, s->scans, s->n_scans);

    return qpw_reader_address(r, json_array_get(v, 0), what, scan->addr) &&
           qpw_reader_number(r, json_array_get(v, 1), what, &scan->ports) &&
           qpw_reader_time(r, json_array_get(v, 2), what, &scan->first_unix_ns) &&
           qpw_reader_time(r, json_array_get(v, 3), what, &scan->last_unix_ns);
}

static bool read_unused(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    return qpw_reader_text(r, v, what, *MORE(r, s->policy.unused, s->policy.n_unused), QPW_NAME_LEN);
}

/* ---- Samples ---- */

/* As many counters as there are samples, written as increments. Absent: all zero. */
static bool read_increments(struct qpw_reader *r, const json_t *list, const char *what, size_t n, uint64_t *ret)
{
    uint64_t more, sum = 0;

    if (!list)
        return true;
    if (!json_is_array(list) || json_array_size(list) != n)
        return qpw_reader_fail(r, what, "has not as many values as there are samples");
    for (size_t i = 0; i < n; i++) {
        if (!qpw_reader_number(r, json_array_get(list, i), what, &more))
            return false;
        sum += more;
        ret[i] = sum;
    }
    return true;
}

static bool read_series(struct qpw_reader *r, const json_t *v, const char *what, size_t n, struct qpw_stated_series *to)
{
    const json_t *name = json_object_get(v, "peer");

    name = name ? name : json_object_get(v, "name");
    return qpw_reader_text(r, name, what, to->name, sizeof(to->name)) &&
           read_increments(r, json_object_get(v, "tx"), what, n, to->tx) && read_increments(r, json_object_get(v, "rx"), what, n, to->rx) &&
           read_increments(r, json_object_get(v, "tx_lost"), what, n, to->tx_lost) &&
           read_increments(r, json_object_get(v, "rx_lost"), what, n, to->rx_lost);
}

static bool read_pair_series(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    return read_series(r, v, what, s->samples.n, MORE(r, s->samples.pairs, s->samples.n_pairs));
}

static bool read_device_series(struct qpw_reader *r, const json_t *v, const char *what, struct qpw_statement *s)
{
    return read_series(r, v, what, s->samples.n, MORE(r, s->samples.devices, s->samples.n_devices));
}

static bool read_samples(struct qpw_reader *r, const json_t *v, struct qpw_statement *s)
{
    const json_t *at = json_object_get(v, "at"), *reading = json_object_get(v, "reading");

    if (!v || json_is_null(v))
        return true;
    if (!json_is_array(at) || json_array_size(at) > QPW_SAMPLES)
        return qpw_reader_fail(r, "samples.at", "is not a list of at most 120 times");
    s->samples.n = json_array_size(at);
    if (!read_increments(r, at, "samples.at", s->samples.n, s->samples.boot_us))
        return false;
    for (size_t i = 0; i < s->samples.n; i++) {
        if (i && s->samples.boot_us[i] <= s->samples.boot_us[i - 1])
            return qpw_reader_fail(r, "samples.at", "does not go forward");
        if (!qpw_reader_number(r, json_array_get(reading, i), "samples.reading", &s->samples.reading_us[i]))
            return false;
    }
    return qpw_reader_number(r, json_object_get(v, "left_out"), "samples.left_out", &s->samples.left_out) &&
           each(r, json_object_get(v, "pairs"), "samples.pairs", QPW_STATED_SERIES, read_pair_series, s) &&
           each(r, json_object_get(v, "devices"), "samples.devices", QPW_SAMPLE_DEVICES, read_device_series, s);
}

/* ---- The rest ---- */

static bool read_head(struct qpw_reader *r, const json_t *d, struct qpw_statement *s)
{
    const json_t *policy = json_object_get(d, "policy"), *clock = json_object_get(d, "clock"), *chain = json_object_get(d, "chain");

    return qpw_reader_text(r, json_object_get(d, "cluster"), "cluster", s->cluster, sizeof(s->cluster)) &&
           qpw_reader_text(r, json_object_get(d, "node"), "node", s->node, sizeof(s->node)) &&
           qpw_reader_text(r, json_object_get(d, "epoch"), "epoch", s->epoch, sizeof(s->epoch)) &&
           qpw_reader_number(r, json_object_get(d, "seq"), "seq", &s->seq) &&
           qpw_reader_time(r, json_object_get(d, "at"), "at", &s->at_unix_ns) &&
           qpw_reader_time(r, json_object_get(d, "from"), "from", &s->since_unix_ns) &&
           qpw_reader_number(r, json_object_get(clock, "boot_us"), "clock.boot_us", &s->uptime_us) &&
           qpw_reader_number(r, json_object_get(clock, "error_us"), "clock.error_us", &s->clock_error_us) &&
           qpw_reader_text(r, json_object_get(d, "version"), "version", s->version, sizeof(s->version)) &&
           qpw_reader_text(r, json_object_get(policy, "name"), "policy.name", s->policy.name, sizeof(s->policy.name)) &&
           qpw_reader_text(r, json_object_get(policy, "digest"), "policy.digest", s->policy.digest, sizeof(s->policy.digest)) &&
           qpw_reader_number(r, json_object_get(policy, "rules"), "policy.rules", &s->policy.rules) &&
           qpw_reader_time(r, json_object_get(policy, "loaded"), "policy.loaded", &s->policy.loaded_unix_ns) &&
           each(r, json_object_get(policy, "unused"), "policy.unused", QPW_STATED_UNUSED, read_unused, s) &&
           qpw_reader_text(r, json_object_get(json_object_get(d, "answer"), "state"), "answer.state", s->answer, sizeof(s->answer)) &&
           qpw_reader_number(r, json_object_get(chain, "seq"), "chain.seq", &s->chain_seq) &&
           qpw_reader_text(r, json_object_get(chain, "sha256"), "chain.sha256", s->chain_sha256, sizeof(s->chain_sha256));
}

static bool read_left_out(struct qpw_reader *r, const json_t *v, struct qpw_statement *s)
{
    return qpw_reader_number(r, json_object_get(v, "unused"), "left_out.unused", &s->left_out.unused) &&
           qpw_reader_number(r, json_object_get(v, "pairs"), "left_out.pairs", &s->left_out.pairs) &&
           qpw_reader_number(r, json_object_get(v, "by"), "left_out.by", &s->left_out.by) &&
           qpw_reader_number(r, json_object_get(v, "ports"), "left_out.ports", &s->left_out.ports) &&
           qpw_reader_number(r, json_object_get(v, "listen"), "left_out.listen", &s->left_out.listen);
}

void qpw_reader_document(struct qpw_reader *r, const json_t *document, struct qpw_statement *ret)
{
    if (!read_head(r, document, ret))
        return;
    if (!*ret->node || !*ret->epoch || !ret->at_unix_ns) {
        qpw_reader_fail(r, !*ret->node ? "node" : !*ret->epoch ? "epoch" : "at", "is missing");
        return;
    }
    if (read_cover(r, json_object_get(document, "cover"), ret) &&
        each(r, json_object_get(document, "local"), "local", QPW_STATED_LOCALS, read_local, ret) &&
        each(r, json_object_get(document, "pairs"), "pairs", QPW_STATED_PAIRS, read_pair, ret) &&
        each(r, json_object_get(document, "ports"), "ports", QPW_STATED_PORTS, read_port, ret) &&
        each(r, json_object_get(document, "listen"), "listen", QPW_STATED_LISTENERS, read_listener, ret) &&
        each(r, json_object_get(document, "neigh"), "neigh", QPW_STATED_NEIGHBOURS, read_neighbour, ret) &&
        each(r, json_object_get(document, "scans"), "scans", QPW_STATED_SCANS, read_scan, ret) &&
        read_samples(r, json_object_get(document, "samples"), ret))
        read_left_out(r, json_object_get(document, "left_out"), ret);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Handle events from the programs: new findings, and questions about TCP connections first seen mid-stream. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/alerts.h"
#include "auditor/foreign.h"
#include "auditor/internal.h"
#include "auditor/lines.h"
#include "auditor/routes.h"
#include "facts/severity.h"
#include "auditor/vouching.h"
#include "facts/losses.h"
#include "instance/map_walk.h"
#include "snapshot/collect_maps.h"
#include "snapshot/conns.h"
#include "words/numbers.h"

/*
 * Multilinear, keyed with the instance's secret (bpf/tag.h), so that remote hosts cannot suppress another finding's
 * line.
 */
uint64_t qpw_events_hash(const struct qpw_auditor *a, const struct qpw_finding_key *key)
{
    uint32_t words[sizeof(*key) / 4];
    uint64_t hash = 0;

    memcpy(words, key, sizeof(words));
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        hash += a->kernel.config.secret[i] * words[i];
    return hash ? hash : 1;
}

/* Use the upper half, which depends on the whole key; the lower bits depend only on the lower bits of each word. */
static uint32_t slot_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32) % QPW_REPORTED_SLOTS;
}

/* Return whether this outcome of the finding is new, and record it. */
static bool is_news(struct qpw_auditor *a, const struct qpw_finding_key *key, uint8_t outcome)
{
    struct qpw_reported *reported = a->reported;
    uint64_t hash = qpw_events_hash(a, key);
    uint32_t slot = slot_of(hash);

    while (reported->hash[slot] && reported->hash[slot] != hash)
        slot = (slot + 1) % QPW_REPORTED_SLOTS;
    if (reported->hash[slot] && reported->outcome[slot] >= outcome)
        return false;
    /* Attempted to refused, and answered to data, get no further line. */
    if (reported->hash[slot] &&
        (reported->outcome[slot] >= QPW_OUTCOME_ANSWERED) == (outcome >= QPW_OUTCOME_ANSWERED)) {
        reported->outcome[slot] = outcome;
        return false;
    }
    if (!reported->hash[slot]) {
        if (reported->used > QPW_REPORTED_SLOTS / 4 * 3) { /* forget all, so that searches stay short */
            memset(reported, 0, sizeof(*reported));
            slot = slot_of(hash);
        }
        reported->used++;
    }
    reported->hash[slot] = hash;
    reported->outcome[slot] = outcome;
    return true;
}

static void report_finding(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    struct qpw_finding_row row = {.key = *key, .value = *value};
    char line[320];

    if (key->verdict != QPW_VERDICT_UNEXPECTED || (value->flags & QPW_FINDING_SUPERSEDED) ||
        !is_news(a, key, value->outcome))
        return;
    if (value->last_ns < a->reported_until_ns) /* the previous auditor reported it */
        return;
    if (!qpw_console_has_line(&a->console, &row))
        return;
    qpw_finding_line(key, value, value->iface < QPW_MAX_IFACES ? a->meta.ifname[value->iface] : "", line, sizeof(line));
    qpw_auditor_notify(a, qpw_finding_answered(&row) ? QPW_NOTIFY_ANSWERED : QPW_NOTIFY_FINDING, "%s", line);
}

/* Return whether answered findings exceeded their quota, and are shown as attempted. */
static bool answered_lost(const struct qpw_auditor *a)
{
    struct qpw_snapshot s = {0};
    struct qpw_losses losses;
    uint64_t stats[QPW_LOSS_COUNT];

    if (qpw_percpu_sum(a->kernel.map_fd[QPW_MAP_losses], 0, QPW_LOSS_COUNT, 1, stats) < 0)
        return true;
    memcpy(s.losses, stats, sizeof(s.losses));
    qpw_losses_of(&s, &losses);
    return losses.answered;
}

void qpw_events_tick(struct qpw_auditor *a)
{
    struct qpw_console_due due = qpw_console_tick(&a->console);
    char count[64];

    if (due.held)
        qpw_auditor_notify(a, QPW_NOTIFY_FINDING, "and %s, %s; 'qportwatch report' lists them",
                qpw_words_many(due.held, "more unexpected attempt", count, sizeof(count)),
                answered_lost(a) ? "of which some may have been answered, for detail was lost" : "unanswered when seen");
    if (due.further)
        qpw_auditor_notify(a, QPW_NOTIFY_FINDING, "and %s of services named above; 'qportwatch report' lists them",
                qpw_words_many(due.further, "more answered exchange", count, sizeof(count)));
}

/* From here on to seeded(), a connection that ends may have a seed, whenever it began. */
static void seeding(struct qpw_auditor *a)
{
    __atomic_store_n(&a->kernel.control->seeded_ns, QPW_SEEDING, __ATOMIC_SEQ_CST);
}

static void seeded(struct qpw_auditor *a)
{
    __atomic_store_n(&a->kernel.control->seeded_ns, qpw_kernel_now_ns(&a->kernel) + a->kernel.config.tick_ns,
                     __ATOMIC_SEQ_CST);
}

static int write_seed(struct qpw_auditor *a, const struct qpw_conn_key *key, enum qpw_direction direction)
{
    struct qpw_seed seed = {.direction = direction, .seen_ns = qpw_kernel_now_ns(&a->kernel)};

    return bpf_map_update_elem(a->kernel.map_fd[QPW_MAP_seeds], key, &seed, BPF_ANY) < 0 ? -errno : 0;
}

/* After writing the seed, invalidate cached copies, so that the next packet takes the slow path and finds it. */
static void answer(struct qpw_auditor *a, const struct qpw_conn_key *key)
{
    enum qpw_direction direction;

    if (qpw_sockets_direction(a->sockets, key, &direction) < 0)
        return;
    seeding(a);
    if (write_seed(a, key, direction) == 0 && direction != QPW_DIR_UNKNOWN)
        qpw_kernel_touch(&a->kernel, key);
    seeded(a);
}

void qpw_events_finding(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value)
{
    report_finding(a, key, value);
    qpw_alerts_finding(a, key, value);
}

static int on_event(void *arg, void *data, size_t size)
{
    struct qpw_auditor *a = arg;
    const struct qpw_event *event = data;

    if (size < sizeof(*event))
        return 0;
    a->events++;
    if (event->kind == QPW_EVENT_FINDING) {
        struct qpw_finding value = event->finding.value;

        if (!qpw_foreign_hold(a, &event->finding.key, &value) && qpw_vouching_settle(a, &event->finding.key, &value))
            qpw_events_finding(a, &event->finding.key, &value);
    } else if (event->kind == QPW_EVENT_ASK_SOCKET) {
        answer(a, &event->ask);
    } else if (event->kind == QPW_EVENT_ASK_ROUTE) {
        struct qpw_route_asked asked = {&event->route.ends, event->iface, event->route.received, event->time_ns};

        qpw_routes_ask(a, &asked);
    } else if (event->kind == QPW_EVENT_ASK_OWNER) {
        qpw_vouching_ask(a, &event->companion.key, &event->companion.value);
    }
    return 0;
}

int qpw_events_open(struct qpw_auditor *a, struct qpw_error *err)
{
    a->reported = calloc(1, sizeof(*a->reported));
    if (!a->reported)
        return qpw_fail(err, -ENOMEM, "out of memory");
    a->console.left = QPW_CONSOLE_LINES;
    a->ring = ring_buffer__new(a->kernel.map_fd[QPW_MAP_events], on_event, a, NULL);
    if (!a->ring)
        return qpw_fail(err, -errno, "opening the ring of events: %s", strerror(errno));
    return 0;
}

void qpw_events_close(struct qpw_auditor *a)
{
    ring_buffer__free(a->ring);
    free(a->reported);
    a->ring = NULL;
    a->reported = NULL;
}

unsigned qpw_events_read(struct qpw_auditor *a)
{
    uint64_t before = a->events;

    ring_buffer__consume(a->ring);
    return a->events - before;
}

static void one_seed(void *arg, const struct qpw_conn_key *key, enum qpw_direction direction)
{
    write_seed(arg, key, direction);
}

/* Remove seeds whose socket is gone; otherwise one would reverse the next connection on the same tuple. */
static void remove_seeds(struct qpw_auditor *a, uint64_t before_ns)
{
    int fd = a->kernel.map_fd[QPW_MAP_seeds];
    struct qpw_conn_key key;
    struct qpw_map_walk walk = qpw_map_walk(fd, &key);
    struct qpw_seed seed;

    while (qpw_map_next(&walk))
        if (bpf_map_lookup_elem(fd, &key, &seed) == 0 && seed.seen_ns < before_ns)
            bpf_map_delete_elem(fd, &key);
}

int qpw_events_seed(struct qpw_auditor *a, struct qpw_error *err)
{
    uint64_t start = qpw_kernel_now_ns(&a->kernel);
    int r;

    seeding(a);
    r = qpw_sockets_dump_tcp(a->sockets, one_seed, a, NULL, err);
    seeded(a);
    if (r == 0)
        remove_seeds(a, start);
    return r;
}

void qpw_events_catch_up(struct qpw_auditor *a)
{
    static const enum qpw_map maps[] = {QPW_MAP_answered, QPW_MAP_findings};
    struct qpw_finding_key key;
    struct qpw_finding value;

    for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
        int fd = a->kernel.map_fd[maps[i]];
        struct qpw_map_walk walk = qpw_map_walk(fd, &key);

        while (qpw_map_next(&walk))
            if (bpf_map_lookup_elem(fd, &key, &value) == 0)
                report_finding(a, &key, &value);
    }
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * test_two_ends.c - both ends of a connection send at the same moment, each packet on a CPU of its own: whatever either
 * CPU sees of what the other one does, every packet is counted once and every connection once.
 */
#include <criterion/criterion.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "cpu.h"
#include "netns.h"
#include "snapshot/conns.h"

#define TUPLES 1500u
#define SYN PACKET_SYN
#define ACK PACKET_ACK
#define FIN PACKET_FIN
#define RST PACKET_RST

static struct audit a;

/* What both ends send at the same moment; flags 0: nothing. */
struct moment {
    struct packet_segment remote, own;
};

enum { REMOTE, OWN, ENDS };

/* One end; a thread on a CPU of its own. */
struct end {
    pthread_t thread;
    int cpu, prog;
    unsigned which;
    const struct moment *course;
    size_t n;
    atomic_uint *arrived; /* counts both ends, packet by packet */
    uint64_t sent, bytes;
    int failed;
};

static const char *client(unsigned i, char buf[24])
{
    snprintf(buf, 24, "10.8.%u.%u", i >> 8, i & 255);
    return buf;
}

static void make(struct packet *p, unsigned which, unsigned i, const struct packet_segment *s)
{
    char remote[24];

    if (which == REMOTE)
        packet_make_tcp(p, client(i, remote), 900, AUDIT_NODE, 445, *s);
    else
        packet_make_tcp(p, AUDIT_NODE, 445, client(i, remote), 900, *s);
}

static void meet(atomic_uint *arrived, unsigned *turn)
{
    atomic_fetch_add(arrived, 1);
    ++*turn;
    while (atomic_load(arrived) < ENDS * *turn) /* spins, because waking up would take different times */
        sched_yield();
}

static void *speak(void *argument)
{
    struct end *e = argument;
    struct packet *p = malloc(sizeof(*p));
    LIBBPF_OPTS(bpf_test_run_opts, run, .repeat = 1);
    unsigned turn = 0;

    e->failed = !cpu_pin(e->cpu);
    for (size_t step = 0; step < e->n; step++)
        for (unsigned i = 0; i < TUPLES; i++) {
            const struct packet_segment *s = e->which == OWN ? &e->course[step].own : &e->course[step].remote;

            if (s->flags) {
                make(p, e->which, i, s);
                run.data_in = p->data;
                run.data_size_in = p->length;
                run.data_size_out = 0; /* else it is taken for the room that is left for it */
            }
            meet(e->arrived, &turn);
            if (s->flags) {
                e->failed = bpf_prog_test_run_opts(e->prog, &run) < 0 ? errno : e->failed;
                e->bytes += p->length;
            }
            e->sent += s->flags != 0;
        }
    free(p);
    return NULL;
}

/* Let each connection take the course, step by step for all of them. Returns how many packets were sent. */
static uint64_t converse(const struct moment *course, size_t n, void (*meanwhile)(void))
{
    struct end ends[ENDS];
    atomic_uint arrived = 0;
    uint64_t sent = 0;
    int cpus[ENDS];

    cpu_need_two(cpus);
    for (unsigned i = 0; i < ENDS; i++) {
        ends[i] = (struct end){.cpu = cpus[i], .which = i, .course = course, .n = n, .arrived = &arrived,
                               .prog = audit_program(&a, i == OWN ? AUDIT_TX : AUDIT_XDP)};
        cr_assert_eq(pthread_create(&ends[i].thread, NULL, speak, &ends[i]), 0);
    }
    if (meanwhile)
        meanwhile();
    for (unsigned i = 0; i < ENDS; i++) {
        pthread_join(ends[i].thread, NULL);
        cr_assert_eq(ends[i].failed, 0, "%s", strerror(ends[i].failed));
        sent += ends[i].sent;
        a.bytes += ends[i].bytes;
    }
    a.frames += sent;
    return sent;
}

static void open_audit(void)
{
    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445});
}

static uint64_t connections(void)
{
    return AUDIT_SUM(&a, .rule = NULL).connections;
}

/* From the handshake on; the acknowledgement and the node's first data both establish it, both FINs close it. */
Test(two_ends, a_connection_is_counted_once, .timeout = NETNS_TIMEOUT_S)
{
    static const struct moment course[] = {
        {.remote = {SYN, 1000, 0, 0}},
        {.own = {SYN | ACK, 5000, 1001, 0}},
        {{ACK, 1001, 5001, 0}, {ACK, 5001, 1001, 10}},
        {{ACK, 1001, 5011, 20}, {ACK, 5011, 1001, 10}},
        {{FIN | ACK, 1021, 5021, 0}, {FIN | ACK, 5021, 1021, 0}},
        {{ACK, 1022, 5022, 0}, {ACK, 5022, 1022, 0}},
    };
    uint64_t sent, open;

    open_audit();
    sent = converse(course, sizeof(course) / sizeof(*course), NULL);
    cr_expect_eq(connections(), TUPLES, "%lu", connections());
    cr_expect_eq(AUDIT_PACKETS(&a, .rule = "smb"), sent);
    open = audit_connections(&a, QPW_CLASS_EST);
    cr_expect_eq(open, 0, "%lu are still open", open);
    cr_expect_eq(audit_held(&a), 0);
    cr_expect_eq(audit_stat(&a, QPW_STAT_OPENED(QPW_CLASS_EST)), TUPLES);
    cr_expect_eq(audit_stat(&a, QPW_STAT_CLOSED(QPW_CLASS_EST)), TUPLES);
    cr_expect_eq(audit_connections(&a, QPW_CLASS_HALF), TUPLES);
    audit_close(&a);
}

/* A RST of the network that the node's data passes on its way: closed, open again, and closed by the next. */
Test(two_ends, a_reset_that_crosses_data_opens_no_other, .timeout = NETNS_TIMEOUT_S)
{
    static const struct moment course[] = {
        {.remote = {SYN, 1000, 0, 0}},
        {.own = {SYN | ACK, 5000, 1001, 0}},
        {.remote = {ACK, 1001, 5001, 20}},
        {{RST, 1021, 0, 0}, {ACK, 5001, 1021, 10}},
        {{RST | ACK, 1021, 5011, 0}, {ACK, 5011, 1021, 10}},
        {{RST, 1021, 0, 0}, {RST, 5021, 0, 0}},
    };
    uint64_t sent;

    open_audit();
    sent = converse(course, sizeof(course) / sizeof(*course), NULL);
    cr_expect_eq(connections(), TUPLES, "%lu", connections());
    cr_expect_eq(AUDIT_PACKETS(&a, .rule = "smb"), sent);
    cr_expect_eq(audit_held(&a), audit_connections(&a, QPW_CLASS_EST));
    audit_close(&a);
}

static void seed_all(void)
{
    char remote[24];

    for (unsigned i = 0; i < TUPLES; i++) {
        struct qpw_conn_key key = audit_key(6, AUDIT_NODE, 445, client(i, remote), 900);

        audit_seed(&a, &key, QPW_DIR_INBOUND);
        sched_yield();
    }
}

/* Older than the audit: what is known of its socket comes before, between and after the first packets. */
Test(two_ends, what_is_older_is_counted_once, .timeout = NETNS_TIMEOUT_S)
{
    static const struct moment course[] = {
        {{ACK, 1001, 5011, 20}, {ACK, 5011, 1001, 10}},
        {{ACK, 1021, 5021, 20}, {ACK, 5021, 1021, 10}},
        {{ACK, 1041, 5031, 20}, {ACK, 5031, 1041, 10}},
        {{FIN | ACK, 1061, 5041, 0}, {FIN | ACK, 5041, 1061, 0}},
    };
    uint64_t sent;

    open_audit();
    sent = converse(course, sizeof(course) / sizeof(*course), seed_all);
    cr_expect_eq(connections(), TUPLES, "%lu", connections());
    cr_expect_eq(AUDIT_PACKETS(&a, .rule = NULL), sent);
    audit_close(&a);
}

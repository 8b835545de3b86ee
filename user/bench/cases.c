/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cases.c - the cases, their frames, and establishing their connections. */
#include <netinet/in.h>
#include <stdatomic.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"

#define FIN 0x01
#define SYN 0x02
#define PSH 0x08
#define ACK 0x10
#define NEW_CONNECTIONS 32768u /* fit into the half-open table without evicting each other */
#define SHORT_CONNECTIONS 1024u /* fit into the established table beside the other cases' */
#define FLOOD 98304u          /* more than the half-open table's capacity */
#define PRIME_BATCH 8192u
#define SWEEPS 16
#define SCAN_SWEEPS 4          /* until the half-open table is in a steady state */
#define OTHER_REPEAT 2000000u

#define TCP IPPROTO_TCP, 0, QPW_BENCH_TCP_PORT
const struct qpw_bench_case qpw_bench_cases[] = {
    {"known-tcp", 0, 1, QPW_DO_ONE, QPW_SHAPE_PLAIN, TCP},
    {"known-tcp", 1, 0, QPW_DO_ONE, QPW_SHAPE_PLAIN, TCP},
    {"known-udp", 0, 1, QPW_DO_ONE, QPW_SHAPE_PLAIN, IPPROTO_UDP, 0, QPW_BENCH_UDP_PORT},
    {"known-udp", 1, 0, QPW_DO_ONE, QPW_SHAPE_PLAIN, IPPROTO_UDP, 0, QPW_BENCH_UDP_PORT},
    {"known-64k", 0, 1, QPW_DO_FLOWS, QPW_SHAPE_PLAIN, TCP},
    {"known-64k", 1, 0, QPW_DO_FLOWS, QPW_SHAPE_PLAIN, TCP},
    {"new-connection", 0, 1, QPW_DO_OPEN, QPW_SHAPE_PLAIN, TCP},
    {"new-connection", 1, 1, QPW_DO_OPEN, QPW_SHAPE_PLAIN, TCP},
    {"new-connection-64k", 0, 1, QPW_DO_OPEN_MANY, QPW_SHAPE_PLAIN, TCP},
    {"new-connection-64k", 1, 1, QPW_DO_OPEN_MANY, QPW_SHAPE_PLAIN, TCP},
    {"short-connection", 0, 1, QPW_DO_SHORT, QPW_SHAPE_PLAIN, TCP},
    {"short-connection", 1, 1, QPW_DO_SHORT, QPW_SHAPE_PLAIN, TCP},
    {"udp-open", 0, 1, QPW_DO_OPEN, QPW_SHAPE_PLAIN, IPPROTO_UDP, 0, QPW_BENCH_UDP_PORT},
    {"udp-open", 1, 1, QPW_DO_OPEN, QPW_SHAPE_PLAIN, IPPROTO_UDP, 0, QPW_BENCH_UDP_PORT},
    {"answer", 1, 0, QPW_DO_ANSWER_UNOWNED, QPW_SHAPE_PLAIN, TCP},
    {"answer-owner", 1, 0, QPW_DO_ANSWER, QPW_SHAPE_PLAIN, TCP},
    {"vlan", 0, 1, QPW_DO_ONE, QPW_SHAPE_VLAN, TCP},
    {"vlan", 1, 0, QPW_DO_ONE, QPW_SHAPE_VLAN, TCP},
    {"qinq", 0, 1, QPW_DO_ONE, QPW_SHAPE_QINQ, TCP},
    {"qinq", 1, 0, QPW_DO_ONE, QPW_SHAPE_QINQ, TCP},
    {"ipv6", 0, 1, QPW_DO_ONE, QPW_SHAPE_IPV6, TCP},
    {"ipv6", 1, 0, QPW_DO_ONE, QPW_SHAPE_IPV6, TCP},
    {"ipv6-ext", 0, 1, QPW_DO_ONE, QPW_SHAPE_IPV6_EXT, TCP},
    {"ipv6-ext", 1, 0, QPW_DO_ONE, QPW_SHAPE_IPV6_EXT, TCP},
    {"fragment", 0, 1, QPW_DO_ONE, QPW_SHAPE_FRAGMENT, IPPROTO_UDP, 0, QPW_BENCH_UDP_PORT},
    {"fragment", 1, 0, QPW_DO_ONE, QPW_SHAPE_FRAGMENT, IPPROTO_UDP, 0, QPW_BENCH_UDP_PORT},
    {"peer", 0, 1, QPW_DO_ONE, QPW_SHAPE_PLAIN, IPPROTO_TCP, 1, QPW_BENCH_TCP_PORT},
    {"peer", 1, 0, QPW_DO_ONE, QPW_SHAPE_PLAIN, IPPROTO_TCP, 1, QPW_BENCH_TCP_PORT},
    {"scan-64k", 0, 1, QPW_DO_SCAN, QPW_SHAPE_PLAIN, IPPROTO_TCP, 0, QPW_BENCH_CLOSED_PORT},
    {"scan-64k", 1, 1, QPW_DO_SCAN, QPW_SHAPE_PLAIN, IPPROTO_TCP, 0, QPW_BENCH_CLOSED_PORT},
    {"scan-new", 0, 1, QPW_DO_SCAN_NEW, QPW_SHAPE_PLAIN, IPPROTO_TCP, 0, QPW_BENCH_CLOSED_PORT},
    {"scan-new", 1, 1, QPW_DO_SCAN_NEW, QPW_SHAPE_PLAIN, IPPROTO_TCP, 0, QPW_BENCH_CLOSED_PORT},
    {"rescan", 0, 1, QPW_DO_RESCAN, QPW_SHAPE_PLAIN, IPPROTO_TCP, 0, QPW_BENCH_CLOSED_PORT},
    {"rescan", 1, 1, QPW_DO_RESCAN, QPW_SHAPE_PLAIN, IPPROTO_TCP, 0, QPW_BENCH_CLOSED_PORT},
    {"flood-syn", 0, 1, QPW_DO_FLOOD, QPW_SHAPE_PLAIN, TCP},
    {"flood-syn", 1, 1, QPW_DO_FLOOD, QPW_SHAPE_PLAIN, TCP},
    {"reload", 0, 1, QPW_DO_RELOAD, QPW_SHAPE_PLAIN, TCP},
    {"reload", 1, 0, QPW_DO_RELOAD, QPW_SHAPE_PLAIN, TCP},
    {"two-cpus", 0, 1, QPW_DO_TWO_CPUS, QPW_SHAPE_PLAIN, TCP},
    {"two-cpus", 1, 0, QPW_DO_TWO_CPUS, QPW_SHAPE_PLAIN, TCP},
};
const size_t qpw_bench_n_cases = sizeof(qpw_bench_cases) / sizeof(*qpw_bench_cases);

bool qpw_bench_is_wrapped(const struct qpw_bench_case *c)
{
    return c->what != QPW_DO_ONE && c->what != QPW_DO_TWO_CPUS;
}

static int program_of(const struct qpw_bench_rig *rig, const struct qpw_bench_case *c, bool from_local)
{
    if (from_local)
        return rig->kernel.prog_fd[QPW_PROG_qpw_tc_tx];
    return rig->kernel.prog_fd[c->tc && c->inbound ? QPW_PROG_qpw_tc_rx : QPW_PROG_qpw_xdp_rx];
}

/* Return a packet of the case's exchange; the caller fills in what varies. */
static struct qpw_bench_packet packet_of(const struct qpw_bench_case *c)
{
    size_t number = (size_t)(c - qpw_bench_cases);

    return (struct qpw_bench_packet){
        .shape = c->shape,
        .protocol = c->protocol,
        .remote4 = c->peer ? QPW_BENCH_PEER4 : QPW_BENCH_REMOTE4,
        .local_port = c->port,
        .remote_port = (uint16_t)(50000 + number),
    };
}

/* Return the wrapper's state for flows from number `first` on. */
static struct qpw_bench_flows flows_of(const struct qpw_bench_case *c, uint32_t first, uint32_t count, bool from_local)
{
    struct qpw_bench_flows f = {.next = first, .first = first, .count = count};

    if (c->what == QPW_DO_SCAN || c->what == QPW_DO_RESCAN)
        f.kind = QPW_FLOWS_SCAN;
    else if (c->what == QPW_DO_SCAN_NEW)
        f.kind = QPW_FLOWS_SCAN_NEW;
    else
        f.kind = from_local ? QPW_FLOWS_REMOTE_RECEIVES : QPW_FLOWS_REMOTE_SENDS;
    /* As every socket that a process has made since the audit began. */
    f.owned = c->what == QPW_DO_ANSWER || c->what == QPW_DO_ANSWER_UNOWNED || c->what == QPW_DO_SHORT;
    return f;
}

/* Connections by number; count 0: the single connection. */
struct flows {
    uint32_t first, count;
    /* 0: one packet each; otherwise this many per run, because the set-up of an XDP run leaves the caches cold. */
    uint32_t sweeps;
};

/* Send packets like p. ret_ns (may be NULL): cost per packet. */
static int send_flows(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, const struct qpw_bench_packet *p,
                      struct flows over, double *ret_ns, struct qpw_error *err)
{
    bool tc = p->from_local || (c->tc && c->inbound);
    struct qpw_bench_flows flows = flows_of(c, over.first, over.count, p->from_local);
    int prog = program_of(rig, c, p->from_local), r;
    uint32_t packets = over.count * (over.sweeps ? over.sweeps : 1);
    struct qpw_bench_frame frame;

    qpw_bench_build(p, &frame);
    if (!over.count)
        return qpw_bench_send(prog, &frame, 1, ret_ns, err);
    r = qpw_bench_wrap(rig, tc, prog, &flows, err);
    return r ? r
             : qpw_bench_send(rig->floor_fd[tc ? QPW_FLOOR_WRAP_TC : QPW_FLOOR_WRAP_XDP], &frame, packets, ret_ns, err);
}

/* One packet of a connection's course. */
struct step {
    bool from_local, payload;
    uint8_t flags;
    uint32_t seq, ack;
};

/* Send that step of each connection. ret_ns as for send_flows(). */
static int send_step(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, const struct step *step, struct flows flows,
                     double *ret_ns, struct qpw_error *err)
{
    struct qpw_bench_packet p = packet_of(c);

    p.from_local = step->from_local;
    p.payload = step->payload;
    p.tcp_flags = step->flags;
    p.seq = step->seq;
    p.ack = step->ack;
    return send_flows(rig, c, &p, flows, ret_ns, err);
}

static int prime_tcp(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, uint32_t first, uint32_t count,
                     struct qpw_error *err)
{
    static const struct step steps[] = {{false, false, SYN, 1000, 0},
                 {true, false, SYN | ACK, 2000, 1001},
                 {false, false, ACK, 1001, 2001},
                 {false, true, ACK | PSH, 1001, 2001},
                 {true, true, ACK | PSH, 2001, 1001},
                 {false, true, ACK | PSH, 1001, 2001}};
    int r = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !r; i++)
        r = send_step(rig, c, &steps[i], (struct flows){first, count}, NULL, err);
    return r;
}

/*
 * Send all packets of as many short connections as fit beside the 64,000, step by step for all of them. *ret_ns is the
 * sum of the ten steps, including the wrapper's cost; the first step starts with cold caches because of the kernel's
 * set-up.
 */
static int sample_short(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, uint32_t first, double *ret_ns,
                        struct qpw_error *err)
{
    static const struct step steps[QPW_BENCH_SHORT_SENT + QPW_BENCH_SHORT_RECEIVED] = {
        {false, false, SYN, 1000, 0},          {true, false, SYN | ACK, 2000, 1001}, {false, false, ACK, 1001, 2001},
        {false, true, ACK | PSH, 1001, 2001},  {true, false, ACK, 2001, 1011},       {true, true, ACK | PSH, 2001, 1011},
        {false, false, ACK, 1011, 2011},       {false, false, ACK | FIN, 1011, 2011}, {true, false, ACK | FIN, 2011, 1012},
        {false, false, ACK, 1012, 2012}};
    double sum = 0, ns = 0;
    int r = 0;

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !r; i++) {
        r = send_step(rig, c, &steps[i], (struct flows){first, SHORT_CONNECTIONS}, &ns, err);
        sum += ns;
    }
    if (r == 0)
        *ret_ns = sum;
    return r;
}

static int prime_udp(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, struct qpw_error *err)
{
    struct qpw_bench_packet p = packet_of(c);
    int r = 0;

    p.payload = true;
    for (int i = 0; i < 4 && !r; i++) {
        p.from_local = i & 1;
        p.shape = c->shape == QPW_SHAPE_FRAGMENT ? QPW_SHAPE_FIRST : c->shape;
        r = send_flows(rig, c, &p, (struct flows){0}, NULL, err);
    }
    return r;
}

int qpw_bench_prime(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, struct qpw_error *err)
{
    int r = 0;

    switch (c->what) {
    case QPW_DO_ONE:
    case QPW_DO_TWO_CPUS:
        return c->protocol == IPPROTO_UDP ? prime_udp(rig, c, err) : prime_tcp(rig, c, 0, 0, err);
    case QPW_DO_FLOWS:
    case QPW_DO_OPEN_MANY:
    case QPW_DO_RELOAD:
        for (uint32_t first = 0; first < QPW_BENCH_FLOWS && !r; first += PRIME_BATCH)
            r = prime_tcp(rig, c, first, QPW_BENCH_FLOWS - first < PRIME_BATCH ? QPW_BENCH_FLOWS - first : PRIME_BATCH,
                          err);
        return r;
    default:
        return 0;
    }
}

/* Return the packet that is measured. */
static struct qpw_bench_packet measured(const struct qpw_bench_case *c)
{
    struct qpw_bench_packet p = packet_of(c);

    p.from_local = c->tc && !c->inbound;
    if (c->what == QPW_DO_ONE || c->what == QPW_DO_TWO_CPUS || c->what == QPW_DO_FLOWS || c->what == QPW_DO_RELOAD) {
        p.tcp_flags = ACK | PSH;
        p.payload = true;
        p.seq = p.from_local ? 2001 : 1001;
        p.ack = p.from_local ? 1001 : 2001;
    } else {
        p.tcp_flags = p.from_local ? SYN | ACK : SYN;
        p.seq = 1000;
        p.payload = c->protocol == IPPROTO_UDP;
        p.ack = p.from_local ? 1001 : 0;
    }
    return p;
}

/* ---- two-cpus: another thread does the same during the sample ---- */

struct other {
    pthread_t thread;
    int cpu;
    int prog;
    const struct qpw_bench_frame *frame;
    atomic_bool stop;
    atomic_uint runs; /* test runs completed; the first is a short one that makes the connection known there */
};

static void *busy(void *argument)
{
    struct other *o = argument;
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(o->cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    while (!atomic_load(&o->stop)) {
        qpw_bench_send(o->prog, o->frame, atomic_load(&o->runs) ? OTHER_REPEAT : 1, NULL, NULL);
        atomic_fetch_add(&o->runs, 1);
    }
    return NULL;
}

static void interrupt(int number)
{
}

/* Wait until the other CPU's long run has started: setting up an XDP test run takes tens of milliseconds. */
static void await(struct other *o)
{
    while (!atomic_load(&o->runs))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static int sample_two_cpus(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, int cpu, double *ret_ns,
                           struct qpw_error *err)
{
    struct qpw_bench_packet p = measured(c);
    struct qpw_bench_frame frame;
    struct other o = {.cpu = cpu, .prog = program_of(rig, c, p.from_local), .frame = &frame};
    struct sigaction action = {.sa_handler = interrupt}, old;
    int r;

    qpw_bench_build(&p, &frame);
    sigaction(SIGUSR2, &action, &old);
    r = -pthread_create(&o.thread, NULL, busy, &o);
    if (r)
        return qpw_fail(err, r, "cannot start a second thread: %s", strerror(-r));
    await(&o);
    r = qpw_bench_send(o.prog, &frame, 2 * QPW_BENCH_REPEAT, ret_ns, err);
    atomic_store(&o.stop, true);
    pthread_kill(o.thread, SIGUSR2); /* interrupts its test run */
    pthread_join(o.thread, NULL);
    sigaction(SIGUSR2, &old, NULL);
    return r;
}

/* ---- Samples ---- */

int qpw_bench_sample_floor(struct qpw_bench_rig *rig, enum qpw_bench_floor floor, double *ret_ns,
                           struct qpw_error *err)
{
    bool tc = floor == QPW_FLOOR_WRAP_TC, wrapped = tc || floor == QPW_FLOOR_WRAP_XDP;
    struct qpw_bench_flows flows = {.count = QPW_BENCH_FLOWS, .kind = QPW_FLOWS_REMOTE_SENDS};
    struct qpw_bench_packet p = measured(&qpw_bench_cases[0]);
    struct qpw_bench_frame frame;
    int r = 0;

    qpw_bench_build(&p, &frame);
    if (wrapped)
        r = qpw_bench_wrap(rig, tc, rig->floor_fd[tc ? QPW_FLOOR_EMPTY : QPW_FLOOR_PASS], &flows, err);
    return r ? r : qpw_bench_send(rig->floor_fd[floor], &frame, QPW_BENCH_REPEAT, ret_ns, err);
}

/* Return the first of `count` flow numbers not used before; wraps around after 2^29. */
static uint32_t fresh_flows(uint32_t count)
{
    static uint32_t fresh;
    uint32_t first = (1u << 24) + fresh % (1u << 29);

    fresh += count;
    return first;
}

static int sample_answers(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, double *ret_ns,
                          struct qpw_error *err)
{
    struct qpw_bench_packet p = measured(c);
    int r = qpw_bench_forget_half_open(rig, err);

    if (r < 0)
        return r;
    if (c->what == QPW_DO_ANSWER_UNOWNED)
        rig->kernel.control->flags |= QPW_CONTROL_UNOWNED;
    r = send_flows(rig, c, &p, (struct flows){fresh_flows(NEW_CONNECTIONS), NEW_CONNECTIONS}, ret_ns, err);
    rig->kernel.control->flags &= ~QPW_CONTROL_UNOWNED;
    return r;
}

static int sample_opens(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, const struct qpw_bench_packet *p,
                        double *ret_ns, struct qpw_error *err)
{
    uint32_t first = fresh_flows(NEW_CONNECTIONS);
    int r = qpw_bench_forget_half_open(rig, err);

    return r ? r : send_flows(rig, c, p, (struct flows){first, NEW_CONNECTIONS}, ret_ns, err);
}

static int sample_wrapped(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, double *ret_ns,
                          struct qpw_error *err)
{
    struct qpw_bench_packet p = measured(c);
    uint32_t first;
    int r = 0;

    switch (c->what) {
    case QPW_DO_RELOAD:
        qpw_kernel_bump_generation(&rig->kernel);
        return send_flows(rig, c, &p, (struct flows){0, QPW_BENCH_FLOWS}, ret_ns, err);
    case QPW_DO_ANSWER:
    case QPW_DO_ANSWER_UNOWNED:
        return sample_answers(rig, c, ret_ns, err);
    case QPW_DO_OPEN:
        r = qpw_bench_hide_established(rig, err);
        if (r == 0) {
            r = sample_opens(rig, c, &p, ret_ns, err);
            qpw_bench_show_established(rig);
        }
        return r;
    case QPW_DO_OPEN_MANY:
        return sample_opens(rig, c, &p, ret_ns, err);
    case QPW_DO_SHORT:
        return sample_short(rig, c, fresh_flows(SHORT_CONNECTIONS), ret_ns, err);
    case QPW_DO_RESCAN:
        for (int i = 0; i < 2 && !r; i++) {
            p.seq = fresh_flows(1);
            r = send_flows(rig, c, &p, (struct flows){0, 65536}, i ? ret_ns : NULL, err);
        }
        return r;
    case QPW_DO_FLOOD:
    case QPW_DO_SCAN_NEW:
        first = fresh_flows(2 * FLOOD);
        r = send_flows(rig, c, &p, (struct flows){first, FLOOD}, NULL, err); /* fill the table */
        return r ? r : send_flows(rig, c, &p, (struct flows){first + FLOOD, FLOOD}, ret_ns, err);
    case QPW_DO_SCAN:
        for (int i = 0; i < SCAN_SWEEPS && !r; i++)
            r = send_flows(rig, c, &p, (struct flows){0, 65536}, NULL, err);
        return r ? r : send_flows(rig, c, &p, (struct flows){0, 65536, SWEEPS}, ret_ns, err);
    default:
        r = send_flows(rig, c, &p, (struct flows){0, QPW_BENCH_FLOWS}, NULL, err);
        return r ? r : send_flows(rig, c, &p, (struct flows){0, QPW_BENCH_FLOWS, SWEEPS}, ret_ns, err);
    }
}

int qpw_bench_sample_case(struct qpw_bench_rig *rig, const struct qpw_bench_case *c, int other, double *ret_ns,
                          struct qpw_error *err)
{
    struct qpw_bench_packet p = measured(c);
    struct qpw_bench_frame frame;
    int r = 0;

    if (c->what == QPW_DO_TWO_CPUS)
        return sample_two_cpus(rig, c, other, ret_ns, err);
    if (qpw_bench_is_wrapped(c))
        return sample_wrapped(rig, c, ret_ns, err);
    if (p.shape == QPW_SHAPE_FRAGMENT) { /* first fragments are forgotten after a time-out */
        p.shape = QPW_SHAPE_FIRST;
        qpw_bench_build(&p, &frame);
        r = qpw_bench_send(program_of(rig, c, p.from_local), &frame, 1, NULL, err);
        p.shape = c->shape;
    }
    qpw_bench_build(&p, &frame);
    return r ? r : qpw_bench_send(program_of(rig, c, p.from_local), &frame, QPW_BENCH_REPEAT, ret_ns, err);
}

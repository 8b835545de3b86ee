/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "audit.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/tag.h"
#include "instance/instance.h"
#include "netns.h"
#include "pool.h"
#include "util/error.h"

#define NO_PROGRAMS (1u << 31) /* qpw_load_options.programs: none of them */

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
    return 0;
}

void audit_open(struct audit *a, const struct qpw_load_options *options)
{
    struct qpw_load_options o = options ? *options : (struct qpw_load_options){0};
    struct qpw_error err = {0};
    struct netns ns;

    netns_need_root();
    ns = netns_new();
    netns_enter(&ns);
    netns_close(&ns);
    memset(a, 0, sizeof(*a));
    libbpf_set_print(quiet);
    if (!o.programs) { /* load each when it is first fed, because verification takes most of a test's time */
        o.programs = NO_PROGRAMS;
        a->pooled = pool_take(&o, &a->kernel);
    }
    if (!a->pooled)
        cr_assert(qpw_kernel_load(&o, &a->kernel, &err) == 0, "%s", err.text);
    struct qpw_iface lo = {.ifindex = 1, .number = 1, .mac = {2, 0, 0, 0, 0, 2}};

    cr_assert(qpw_kernel_set_iface(&a->kernel, &lo) == 0);
    audit_local(a, AUDIT_NODE, true);
    audit_local(a, AUDIT_NODE6, true);
    a->kernel.control->heartbeat_ns = INT64_MAX; /* as with a live auditor */
}

void audit_close(struct audit *a)
{
    audit_check(a);
    qpw_registry_clear(&a->names);
    qpw_kernel_close(&a->kernel);
}

void audit_local(struct audit *a, const char *address, bool present)
{
    uint8_t addr[16];

    audit_address(address, addr);
    cr_assert(qpw_kernel_set_local(&a->kernel, addr, 128, QPW_LOCAL_ADDRESS, present) == 0);
}

/* ---- Feeding ---- */

int audit_program(struct audit *a, enum audit_hook hook)
{
    static const enum qpw_program programs[] = {QPW_PROG_qpw_xdp_rx, QPW_PROG_qpw_tc_rx, QPW_PROG_qpw_tc_tx,
                                                QPW_PROG_qpw_tc_rx_l3, QPW_PROG_qpw_tc_tx_l3};
    static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
    struct qpw_error err;

    if (a->loaded && a->kernel.prog_fd[programs[hook]] >= 0)
        return a->kernel.prog_fd[programs[hook]];
    pthread_mutex_lock(&loading);
    /* Also load the sending program, so that no verification falls between a test's first question and its answer. */
    cr_assert_eq(qpw_instance_complete(&a->kernel, 1u << programs[hook] | (a->loaded ? 0 : 1u << QPW_PROG_qpw_tc_tx), &err), 0,
                 "%s", err.text);
    a->loaded = true;
    if (a->pooled)
        pool_keep_programs(&a->kernel);
    pthread_mutex_unlock(&loading);
    return a->kernel.prog_fd[programs[hook]];
}

/* Return 0, or the kernel's error. */
static int try_run(struct audit *a, enum audit_hook hook, const struct packet *p, void *context, uint32_t context_bytes)
{
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = p->data, .data_size_in = (uint32_t)p->length,
                .ctx_in = context, .ctx_size_in = context_bytes, .repeat = 1);

    if (bpf_prog_test_run_opts(audit_program(a, hook), &run) < 0)
        return -errno;
    cr_assert_eq(run.retval, hook == AUDIT_XDP ? 2u /* XDP_PASS */ : (uint32_t)-1 /* TC_ACT_UNSPEC */,
                 "returned %d: the packet was not passed on", (int)run.retval);
    return 0;
}

static void run(struct audit *a, enum audit_hook hook, const struct packet *p, void *context, uint32_t context_bytes)
{
    int rc = try_run(a, hook, p, context, context_bytes);

    cr_assert_eq(rc, 0, "test run of %zu bytes at hook %d: %s", p->length, hook, strerror(-rc));
}

bool audit_feed_linear(struct audit *a, enum audit_hook hook, const struct packet *p, size_t linear)
{
    struct xdp_md md = {.data_end = (uint32_t)linear};
    struct __sk_buff skb = {.data_end = (uint32_t)linear};
    int rc = hook == AUDIT_XDP ? try_run(a, hook, p, &md, sizeof(md)) : try_run(a, hook, p, &skb, sizeof(skb));

    if (rc == -EINVAL)
        return false;
    cr_assert_eq(rc, 0, "test run: %s", strerror(-rc));
    a->frames++;
    a->bytes += p->length;
    return true;
}

void audit_feed_on(struct audit *a, enum audit_hook hook, uint32_t ifindex, const struct packet *p)
{
    struct __sk_buff skb = {.ifindex = ifindex};
    struct xdp_md md = {.data_end = (uint32_t)p->length, .ingress_ifindex = ifindex};

    if (hook == AUDIT_XDP)
        run(a, hook, p, &md, sizeof(md));
    else
        run(a, hook, p, &skb, sizeof(skb)); /* without a context the kernel leaves wire_len 0 */
    a->frames++;
    a->bytes += p->length;
}

void audit_feed(struct audit *a, enum audit_hook hook, const struct packet *p)
{
    struct __sk_buff skb = {0};

    run(a, hook, p, hook == AUDIT_XDP ? NULL : &skb, hook == AUDIT_XDP ? 0 : sizeof(skb));
    a->frames++;
    a->bytes += p->length;
}

void audit_feed_merged(struct audit *a, enum audit_hook hook, const struct packet *p, const struct audit_merged *m)
{
    struct __sk_buff skb = {.gso_size = m->gso_size, .gso_segs = m->gso_segs, .wire_len = m->wire_len};

    cr_assert(hook != AUDIT_XDP);
    run(a, hook, p, &skb, sizeof(skb));
    a->frames += m->frames;
    a->bytes += m->bytes;
}

static const char *node_of(const char *remote)
{
    return strchr(remote, ':') ? AUDIT_NODE6 : AUDIT_NODE;
}

static enum audit_hook rx_hook(const char *remote)
{
    return strchr(remote, ':') ? AUDIT_TC : AUDIT_XDP;
}

void audit_rx_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port, struct packet_segment segment)
{
    static struct packet p;

    packet_make_tcp(&p, remote, remote_port, node_of(remote), local_port, segment);
    audit_feed(a, rx_hook(remote), &p);
}

void audit_tx_tcp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port, struct packet_segment segment)
{
    static struct packet p;

    packet_make_tcp(&p, node_of(remote), local_port, remote, remote_port, segment);
    audit_feed(a, AUDIT_TX, &p);
}

void audit_rx_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port)
{
    static struct packet p;

    packet_make_udp(&p, remote, remote_port, node_of(remote), local_port, 20);
    audit_feed(a, rx_hook(remote), &p);
}

void audit_tx_udp(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port)
{
    static struct packet p;

    packet_make_udp(&p, node_of(remote), local_port, remote, remote_port, 20);
    audit_feed(a, AUDIT_TX, &p);
}

void audit_handshake_in(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port)
{
    audit_rx_tcp(a, remote, remote_port, local_port, SEGMENT(PACKET_SYN, 1000));
    audit_tx_tcp(a, remote, remote_port, local_port, SEGMENT(PACKET_SYN | PACKET_ACK, 5000, 1001));
    audit_rx_tcp(a, remote, remote_port, local_port, SEGMENT(PACKET_ACK, 1001, 5001));
}

void audit_handshake_out(struct audit *a, const char *remote, uint16_t remote_port, uint16_t local_port)
{
    audit_tx_tcp(a, remote, remote_port, local_port, SEGMENT(PACKET_SYN, 1000));
    audit_rx_tcp(a, remote, remote_port, local_port, SEGMENT(PACKET_SYN | PACKET_ACK, 5000, 1001));
    audit_tx_tcp(a, remote, remote_port, local_port, SEGMENT(PACKET_ACK, 1001, 5001));
}

/* ---- Time ---- */

void audit_window_over(struct audit *a)
{
    a->kernel.control->window_end_ns = 0; /* not "now": jiffies may lag behind the clock that set it */
}

/* Change an entry in its set; no program runs meanwhile. */
static void change_in_set(struct audit *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    int fd = a->kernel.map_fd[QPW_MAP_conns_half];
    struct qpw_half set;

    for (uint32_t n = 0; bpf_map_lookup_elem(fd, &n, &set) == 0; n++)
        for (unsigned way = 0; way < QPW_HALF_WAYS; way++)
            if (set.mark[way] && !memcmp(&set.entry[way].key, key, sizeof(*key))) {
                set.entry[way].conn = *conn;
                set.entry[way].conn.conn_class |= set.held >> way & 1 ? QPW_CLASS_HELD : 0;
                cr_assert_eq(bpf_map_update_elem(fd, &n, &set, BPF_EXIST), 0);
                return;
            }
    cr_assert_fail("no such connection");
}

void audit_change(struct audit *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    if (conn->conn_class == QPW_CLASS_HALF ||
        bpf_map_update_elem(a->kernel.map_fd[qpw_conns_map(conn->conn_class)], key, conn, BPF_EXIST))
        change_in_set(a, key, conn);
}

unsigned audit_held(struct audit *a)
{
    struct qpw_half set;
    unsigned n = 0;

    for (uint32_t i = 0; bpf_map_lookup_elem(a->kernel.map_fd[QPW_MAP_conns_half], &i, &set) == 0; i++)
        for (unsigned way = 0; way < QPW_HALF_WAYS; way++) {
            bool marked = set.mark[way] && set.entry[way].conn.conn_class & QPW_CLASS_HELD;

            cr_assert_eq(set.held >> way & 1, marked, "set %u, way %u", i, way);
            n += marked;
        }
    return n;
}

void audit_age(struct audit *a, const struct qpw_conn_key *key, uint64_t ns)
{
    struct qpw_conn conn;
    bool found = false;

    for (int c = QPW_CLASS_NONE + 1; c < QPW_CLASS_COUNT; c++) {
        if (qpw_conns_find(&a->kernel, c, key, &conn) < 0)
            continue;
        conn.last_ns -= ns;
        conn.first_ns -= ns;
        audit_change(a, key, &conn);
        qpw_kernel_touch(&a->kernel, key);
        found = true;
    }
    cr_assert(found, "no such connection");
}

void audit_age_questions(struct audit *a, uint64_t ns)
{
    static uint32_t keys[QPW_QUESTION_LINES];
    static struct qpw_questions lines[QPW_QUESTION_LINES];
    uint32_t units = (uint32_t)(ns >> QPW_QUESTION_SHIFT), count = QPW_QUESTION_LINES;
    int fd = a->kernel.map_fd[QPW_MAP_questions];

    for (uint32_t i = 0; i < count; i++)
        cr_assert(bpf_map_lookup_elem(fd, &(uint32_t){i}, &lines[keys[i] = i]) == 0);
    for (uint32_t i = 0; i < count; i++) {
        for (int way = 0; way < QPW_QUESTION_WAYS; way++) {
            uint64_t word = lines[i].word[way], time = word >> QPW_QUESTION_TIME_SHIFT;

            if (word)
                lines[i].word[way] = (word & ~((uint64_t)QPW_QUESTION_TIME << QPW_QUESTION_TIME_SHIFT)) |
                                     ((time - units) & QPW_QUESTION_TIME) << QPW_QUESTION_TIME_SHIFT;
        }
        if (lines[i].lost)
            lines[i].lost -= units;
    }
    cr_assert(bpf_map_update_batch(fd, keys, lines, &count, NULL) == 0, "%s", strerror(errno));
}

void audit_vouch(struct audit *a, const char *parent, uint16_t local_port, bool outbound, uint32_t word)
{
    struct qpw_vouch_key key = {.local_port = local_port, .parent = audit_rule_id(a, parent), .protocol = QPW_IPPROTO_TCP,
                                .outbound = outbound};
    struct qpw_vouch vouch = {.when_ns = qpw_kernel_now_ns(&a->kernel), .word = word};

    cr_assert_eq(bpf_map_update_elem(a->kernel.map_fd[QPW_MAP_vouches], &key, &vouch, BPF_ANY), 0);
}

void audit_seed(struct audit *a, const struct qpw_conn_key *key, enum qpw_direction direction)
{
    struct qpw_seed seed = {.direction = direction, .seen_ns = qpw_kernel_now_ns(&a->kernel)};

    cr_assert(bpf_map_update_elem(a->kernel.map_fd[QPW_MAP_seeds], key, &seed, BPF_ANY) == 0);
    a->kernel.control->seeded_ns = seed.seen_ns + a->kernel.config.tick_ns;
    qpw_kernel_touch(&a->kernel, key);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The auditor's walk over the connections: what it removes, what it finds out about peers, and that entries which only
 * the programs may remove are skipped without further cost.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>

#include "audit.h"
#include "auditor/expire.h"
#include "snapshot/collect.h"

#define ACK PACKET_ACK
#define SYN PACKET_SYN
#define PEER "10.0.0.9"
#define PEER6 "fd00::9"
#define SECONDS 1000000000ull

static struct audit a;
static struct qpw_expire expire;
static size_t lookups;

/* Replaces libbpf's function. */
int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
    typeof(&bpf_map_lookup_elem) next = (typeof(next))dlsym(RTLD_NEXT, "bpf_map_lookup_elem");

    lookups++;
    return next(fd, key, value);
}

static void open_with_peer(void)
{
    static const char *const peers[] = {PEER, PEER6, NULL};
    struct qpw_error err;

    audit_open(&a, &(struct qpw_load_options){.max_connections = 1024});
    audit_window_over(&a);
    AUDIT_POLICY(&a, peers, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445},
                 {.name = "nfs", .direction = QPW_DIR_INBOUND, .protocol = 17, .first = 2049});
    cr_assert_eq(qpw_expire_open(&a.kernel, &expire, &err), 0, "%s", err.text);
}

/* Do one walk. Returns how many single entries were looked up. */
static size_t walk(void)
{
    struct qpw_error err;
    size_t before = lookups;

    cr_assert_eq(qpw_expire_run(&a.kernel, &expire, &err), 0, "%s", err.text);
    return lookups - before;
}

static void age(uint8_t protocol, const char *node, uint16_t node_port, const char *remote, uint16_t remote_port,
                uint64_t seconds)
{
    struct qpw_conn_key key = audit_key(protocol, node, node_port, remote, remote_port);

    audit_age(&a, &key, seconds * SECONDS);
}

Test(expire, what_is_over_is_taken_out_and_what_goes_on_stays)
{
    open_with_peer();
    audit_handshake_in(&a, "10.0.0.8", 900, 445);
    audit_rx_udp(&a, "10.0.0.8", 901, 2049);
    audit_tx_udp(&a, "10.0.0.8", 901, 2049);
    audit_rx_udp(&a, "10.0.0.8", 902, 2049);
    audit_tx_udp(&a, "10.0.0.8", 902, 2049);
    audit_tx_udp(&a, "10.0.0.8", 53, 903);
    age(17, AUDIT_NODE, 2049, "10.0.0.8", 901, 400);
    age(17, AUDIT_NODE, 2049, "10.0.0.8", 902, 200); /* expired, but still needed to recognize a late answer */
    age(17, AUDIT_NODE, 903, "10.0.0.8", 53, 400);
    walk();
    cr_assert_eq(expire.expired[QPW_CLASS_DGRAM], 1);
    cr_assert_eq(expire.expired[QPW_CLASS_OUT], 1);
    cr_assert_eq(expire.expired[QPW_CLASS_EST], 0);
    cr_assert_eq(audit_stat(&a, QPW_STAT_EXPIRED(QPW_CLASS_DGRAM)), 1);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_DGRAM), 1);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_OUT), 0);
    audit_rx_tcp(&a, "10.0.0.8", 900, 445, SEGMENT(ACK, 1001, 5001, 10));
    cr_assert_eq(audit_tcp(&a, "10.0.0.8", 900, 445).evidence, QPW_EVIDENCE_HANDSHAKE);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").connections, 1);
    audit_close(&a);
}

/* Make the last packet of the vouching parent that much older. Returns its age now. */
static uint64_t parent_age(uint64_t older_seconds)
{
    struct qpw_parent_key key = {.rule = audit_rule_id(&a, "ftp")};
    struct qpw_parent parent;
    int fd = a.kernel.map_fd[QPW_MAP_parents];

    audit_address("10.0.0.8", key.remote);
    cr_assert_eq(bpf_map_lookup_elem(fd, &key, &parent), 0, "no parent");
    parent.last_ns -= older_seconds * SECONDS;
    cr_assert_eq(bpf_map_update_elem(fd, &key, &parent, BPF_EXIST), 0);
    /* The programs' clock may be one or two ticks ahead if it was set on a busy machine. */
    return (qpw_kernel_now_ns(&a.kernel) + SECONDS / 10 - parent.last_ns) / SECONDS;
}

/* A session that is silent for longer than an exchange vouches still vouches while it is open, and no longer. */
Test(expire, an_open_parent_vouches_for_as_long_as_it_is_open)
{
    struct qpw_error err;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "ftp", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 21},
                 {.name = "passive", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 40000, .last = 40999,
                  .verdict = QPW_VERDICT_WEAK, .parent = "ftp"});
    cr_assert_eq(qpw_expire_open(&a.kernel, &expire, &err), 0, "%s", err.text);
    audit_handshake_in(&a, "10.0.0.8", 900, 21);
    for (unsigned hour = 0; hour < 3; hour++) {
        age(6, AUDIT_NODE, 21, "10.0.0.8", 900, 3600);
        cr_assert_geq(parent_age(599), 599);
        walk();
        cr_assert_lt(parent_age(0), 60, "after %u hours of silence", hour + 1);
    }
    audit_handshake_in(&a, "10.0.0.8", 901, 40001);
    cr_assert_eq(audit_tcp(&a, "10.0.0.8", 901, 40001).verdict, QPW_VERDICT_ALLOWED);
    audit_rx_tcp(&a, "10.0.0.8", 900, 21, SEGMENT(PACKET_RST, 1001, 5001));
    parent_age(650);
    walk();
    cr_assert_geq(parent_age(0), 650, "it is over");
    audit_handshake_in(&a, "10.0.0.8", 902, 40002);
    cr_assert_eq(audit_tcp(&a, "10.0.0.8", 902, 40002).verdict, QPW_VERDICT_WEAK);
    audit_close(&a);
}

/* Half-open entries that are over stay until their slots are needed, so every walk may meet all of them. */
Test(expire, what_the_programs_take_out_is_not_looked_up)
{
    enum { OVER = 300 };
    char remote[16];

    open_with_peer();
    for (unsigned i = 0; i < OVER; i++) {
        snprintf(remote, sizeof(remote), "11.0.%u.%u", i >> 8, i & 255);
        audit_rx_tcp(&a, remote, 1000, 445, SEGMENT(SYN, i));
        age(6, AUDIT_NODE, 445, remote, 1000, 3600);
    }
    cr_assert_eq(walk(), 0);
    cr_assert_eq(audit_connections(&a, QPW_CLASS_HALF), OVER);
    cr_assert_eq(expire.expired[QPW_CLASS_HALF], 0);
    audit_close(&a);
}

/* An attempt an hour ago, whose entry nothing has evicted yet, does not show that the address family works. */
Test(expire, a_peers_families_are_those_of_live_connections)
{
    struct qpw_snapshot snapshot;
    struct qpw_error err;
    unsigned of_peer = 0, of_peer6 = 0;

    open_with_peer();
    audit_rx_tcp(&a, PEER, 900, 445, SEGMENT(SYN, 1));
    audit_rx_tcp(&a, PEER6, 900, 445, SEGMENT(SYN, 1));
    age(6, AUDIT_NODE6, 445, PEER6, 900, 3600);
    walk();
    for (unsigned i = 1; i < QPW_MAX_PEERS; i++) {
        of_peer += expire.families[i] == QPW_EXPIRE_V4;
        of_peer6 += !!(expire.families[i] & QPW_EXPIRE_V6);
    }
    cr_assert_eq(of_peer, 1);
    cr_assert_eq(of_peer6, 0);

    cr_assert_eq(qpw_collect(&a.kernel, &(struct qpw_collect_options){0}, &snapshot, &err), 0, "%s", err.text);
    of_peer = of_peer6 = 0;
    for (size_t i = 0; i < snapshot.n_peers; i++) {
        of_peer += snapshot.peer_seen[i].v4;
        of_peer6 += snapshot.peer_seen[i].v6;
    }
    cr_assert_eq(of_peer, 1);
    cr_assert_eq(of_peer6, 0);
    cr_assert_eq(snapshot.tables[QPW_CLASS_HALF].entries, 1);
    cr_assert_eq(snapshot.tables[QPW_CLASS_HALF].expired, 1);
    cr_assert_eq(snapshot.tables[QPW_CLASS_HALF].evicted, 0);
    qpw_snapshot_clear(&snapshot);
    audit_close(&a);
}

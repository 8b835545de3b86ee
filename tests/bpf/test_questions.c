/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who asked whom: how a datagram that the node sends first is judged by what is remembered of its other end. Each row
 * of the table in both families, hence at XDP and TC ingress, and at TC egress.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "bpf/tag.h"
#include "netns.h"

#define SECONDS 1000000000ull
#define TIMEOUT (180 * SECONDS)

#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define UNKNOWN QPW_DIR_UNKNOWN

static struct audit a;
static struct packet p;

/* The two families, each with a hook of its own for received packets. */
static const struct family {
    const char *node, *floating, *client, *other, *group;
    enum audit_hook rx;
} families[] = {
    {AUDIT_NODE, "10.0.0.2", "10.0.0.9", "10.0.0.8", "224.0.0.251", AUDIT_XDP},
    {AUDIT_NODE6, "fd00::2", "fd00::9", "fd00::8", "ff02::fb", AUDIT_TC},
};
/* NOLINTNEXTLINE(bugprone-macro-parentheses): it declares the loop's variable */
#define EACH_FAMILY(f) (const struct family *f = families; f < families + 2; f++)

/* Open without the cache, whose entries end within seconds, while the tests advance by minutes. */
static void open_in_window(void)
{
    audit_open(&a, &(struct qpw_load_options){.no_cache = true, .fixed_secret = true}); /* the same lines in each run */
    AUDIT_POLICY(&a, NULL, {.name = "nfs", .direction = IN, .protocol = 17, .first = 2049},
                 {.name = "dns", .direction = OUT, .protocol = 17, .first = 53},
                 {.name = "ntp", .direction = OUT, .protocol = 17, .first = 123},
                 {.name = "ntp-in", .direction = IN, .protocol = 17, .first = 123});
    for EACH_FAMILY (f)
        audit_local(&a, f->floating, true);
}

static void open_settled(void)
{
    open_in_window();
    audit_window_over(&a);
}

static void rx(const struct family *f, const char *from, uint16_t from_port, const char *to, uint16_t to_port)
{
    packet_make_udp(&p, from, from_port, to, to_port, 20);
    audit_feed(&a, f->rx, &p);
}

static void tx(const char *from, uint16_t from_port, const char *to, uint16_t to_port)
{
    packet_make_udp(&p, from, from_port, to, to_port, 20);
    audit_feed(&a, AUDIT_TX, &p);
}

static struct qpw_conn conn(const char *local, uint16_t local_port, const char *remote, uint16_t remote_port)
{
    struct qpw_conn_key key = audit_key(17, local, local_port, remote, remote_port);
    struct qpw_conn c;

    cr_assert(audit_conn(&a, &key, &c), "no connection %s %u - %s %u", local, local_port, remote, remote_port);
    return c;
}

static bool is_connection(const char *local, uint16_t local_port, const char *remote, uint16_t remote_port)
{
    struct qpw_conn_key key = audit_key(17, local, local_port, remote, remote_port);
    struct qpw_conn c;

    return audit_conn(&a, &key, &c);
}

#define ASSERT_CONN(c_, direction_, evidence_, verdict_, reason_) \
    do { \
        struct qpw_conn is_ = (c_); \
        cr_assert_eq(is_.direction, (direction_), "direction %u", is_.direction); \
        cr_assert_eq(is_.evidence, QPW_EVIDENCE_##evidence_, "evidence %u", is_.evidence); \
        cr_assert_eq(is_.verdict, QPW_VERDICT_##verdict_, "verdict %u", is_.verdict); \
        cr_assert_eq(is_.reason, QPW_REASON_##reason_, "reason %u", is_.reason); \
    } while (0)

static struct qpw_finding finding(enum qpw_verdict verdict, enum qpw_direction direction, uint16_t port,
                                  const char *initiator, const char *responder)
{
    struct qpw_finding found;

    cr_assert(audit_finding(&a, (struct audit_sought){verdict, direction, 17, port, initiator, responder}, &found),
              "no finding on %u", port);
    return found;
}

/* Simulate an eviction by a flood: make the last packet too old to count. */
static void forget(const char *local, uint16_t local_port, const char *remote, uint16_t remote_port)
{
    struct qpw_conn_key key = audit_key(17, local, local_port, remote, remote_port);

    audit_age(&a, &key, 3 * TIMEOUT);
}

/* Send questions from so many remote ends that none of them, nor any earlier one, is certain to be remembered. */
static void lose_questions(const struct family *f)
{
    char source[40];

    audit_age_questions(&a, 2 * SECONDS); /* slots of one second are replaced last to first: make them older */
    for (uint32_t i = 0; i < 16 * QPW_QUESTION_LINES; i++) {
        snprintf(source, sizeof(source), f->rx == AUDIT_XDP ? "11.%u.%u.%u" : "fd11::%x:%x:%x", i >> 16 & 255,
                 i >> 8 & 255, i & 255);
        rx(f, source, 5000, f->node, 7000);
    }
}

/* ---- The rows of the table ---- */

Test(questions, row_1_the_port_that_was_asked_answers)
{
    open_settled();
    for EACH_FAMILY (f) {
        rx(f, f->client, 53, f->node, 4444);
        forget(f->node, 4444, f->client, 53);
        audit_age_questions(&a, TIMEOUT - 5 * SECONDS);
        tx(f->node, 4444, f->client, 53);
        ASSERT_CONN(conn(f->node, 4444, f->client, 53), IN, FIRST, UNEXPECTED, NONE);
        cr_assert_eq(conn(f->node, 4444, f->client, 53).outcome, QPW_OUTCOME_ANSWERED);
        cr_assert_eq(conn(f->node, 4444, f->client, 53).conn_class, QPW_CLASS_DGRAM, "no flood reaches it");
        cr_assert_eq(finding(QPW_VERDICT_UNEXPECTED, IN, 4444, f->client, f->node).outcome, QPW_OUTCOME_ANSWERED);
        rx(f, f->client, 53, f->node, 4444);
        cr_assert_eq(finding(QPW_VERDICT_UNEXPECTED, IN, 4444, f->client, f->node).outcome, QPW_OUTCOME_DATA);
    }
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(OUT)), 0);
    audit_close(&a);
}

Test(questions, row_1_from_whichever_local_address)
{
    open_settled();
    for EACH_FAMILY (f) {
        for (int i = 0; i < 3; i++) {
            rx(f, f->client, 5000, f->floating, 161);
            tx(f->node, 161, f->client, 5000);
        }
        cr_assert(!is_connection(f->node, 161, f->client, 5000), "one exchange, by the address that was asked");
        ASSERT_CONN(conn(f->floating, 161, f->client, 5000), IN, FIRST, UNEXPECTED, NONE);
        cr_assert_eq(finding(QPW_VERDICT_UNEXPECTED, IN, 161, f->client, f->floating).outcome, QPW_OUTCOME_DATA);
    }
    struct qpw_counts sum = AUDIT_SUM(&a, .port = AUDIT_IS(161), .direction = AUDIT_IS(IN));

    cr_assert_eq(sum.connections, 2);
    cr_assert_eq(sum.rx_packets, 6);
    cr_assert_eq(sum.tx_packets, 6);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings), 2);
    cr_assert_eq(audit_entries(&a, QPW_MAP_answered), 2);
    audit_close(&a);
}

Test(questions, row_1_keeps_to_the_policy_of_the_address_that_was_asked)
{
    open_settled();
    rx(families, "10.0.0.9", 5000, "10.0.0.2", 2049);
    tx("10.0.0.1", 2049, "10.0.0.9", 5000);
    ASSERT_CONN(conn("10.0.0.2", 2049, "10.0.0.9", 5000), IN, FIRST, ALLOWED, NONE);
    cr_assert_eq(conn("10.0.0.2", 2049, "10.0.0.9", 5000).outcome, QPW_OUTCOME_DATA);
    cr_assert_eq(AUDIT_SUM(&a, .rule = "nfs").tx_packets, 1);
    cr_assert_eq(audit_entries(&a, QPW_MAP_findings) + audit_entries(&a, QPW_MAP_answered), 0);
    audit_close(&a);
}

Test(questions, row_1_a_group_was_asked)
{
    struct qpw_finding found;

    open_settled();
    for EACH_FAMILY (f) {
        rx(f, f->client, 5353, f->group, 5353);
        tx(f->node, 5353, f->client, 5353);
        ASSERT_CONN(conn(f->node, 5353, f->client, 5353), IN, FIRST, UNEXPECTED, NONE);
        found = finding(QPW_VERDICT_UNEXPECTED, IN, 5353, f->client, f->group);
        cr_assert_eq(found.outcome, QPW_OUTCOME_ANSWERED);
        cr_assert(found.flags & QPW_FINDING_MULTICAST, "at most info");
        cr_assert(!audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 17, 5353, f->client, f->node}, &found));
    }
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(OUT)), 0, "the node scans nobody");
    /* Traffic to the node itself ends the question to a group. */
    for EACH_FAMILY (f) {
        rx(f, f->client, 5353, f->node, 5353);
        tx(f->node, 5353, f->client, 5353);
        found = finding(QPW_VERDICT_UNEXPECTED, IN, 5353, f->client, f->node);
        cr_assert_eq(found.outcome, QPW_OUTCOME_DATA);
        cr_assert(!(found.flags & QPW_FINDING_MULTICAST));
    }
    audit_close(&a);
}

/* The subnet's broadcast address, as used for NetBIOS names. */
Test(questions, row_1_a_broadcast_address_was_asked)
{
    uint8_t broadcast[16];
    struct qpw_finding found;

    open_settled();
    audit_address("10.0.0.255", broadcast);
    cr_assert_eq(qpw_kernel_set_local(&a.kernel, broadcast, 128, QPW_LOCAL_BROADCAST, true), 0);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = "ff:ff:ff:ff:ff:ff"});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.9", .destination = "10.0.0.255"});
    packet_udp(&p, &(struct packet_udp){.source = 137, .destination = 137, .payload_bytes = 50});
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    tx("10.0.0.1", 137, "10.0.0.9", 137);
    found = finding(QPW_VERDICT_UNEXPECTED, IN, 137, "10.0.0.9", "10.0.0.255");
    cr_assert(found.flags & QPW_FINDING_MULTICAST);
    cr_assert_eq(found.outcome, QPW_OUTCOME_ANSWERED);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(OUT)), 0);
    audit_close(&a);
}

/*
 * An attacker on the link puts a packet for the node into a broadcast frame: that does not make its address a
 * broadcast.
 */
Test(questions, a_broadcast_frame_is_no_broadcast_address)
{
    struct qpw_finding found;

    open_settled();
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = "ff:ff:ff:ff:ff:ff"});
    packet_ipv4(&p, &(struct packet_ipv4){.source = "10.0.0.9", .destination = AUDIT_NODE});
    packet_udp(&p, &(struct packet_udp){.source = 5000, .destination = 4444, .payload_bytes = 50});
    packet_finish(&p);
    audit_feed(&a, AUDIT_XDP, &p);
    tx(AUDIT_NODE, 4444, "10.0.0.9", 5000);
    found = finding(QPW_VERDICT_UNEXPECTED, IN, 4444, "10.0.0.9", AUDIT_NODE);
    cr_assert_eq(found.outcome, QPW_OUTCOME_DATA);
    cr_assert(!(found.flags & QPW_FINDING_MULTICAST));
    audit_close(&a);
}

Test(questions, row_2_another_port_answers)
{
    struct qpw_finding found;

    open_settled();
    for EACH_FAMILY (f) {
        rx(f, f->client, 53, f->node, 4444);
        tx(f->node, 4445, f->client, 53);
        ASSERT_CONN(conn(f->node, 4445, f->client, 53), IN, FIRST, UNEXPECTED, NONE);
        found = finding(QPW_VERDICT_UNEXPECTED, IN, 4445, f->client, f->node);
        cr_assert_eq(found.outcome, QPW_OUTCOME_ANSWERED);
        cr_assert(found.flags & QPW_FINDING_ASKED_AT);
        cr_assert_eq(found.other_port, 4444);
        found = finding(QPW_VERDICT_UNEXPECTED, IN, 4444, f->client, f->node);
        cr_assert_eq(found.outcome, QPW_OUTCOME_ANSWERED, "asked there, answered elsewhere");
        cr_assert(found.flags & QPW_FINDING_ANSWERED_FROM);
        cr_assert_eq(found.other_port, 4445);
        rx(f, f->client, 53, f->node, 4445);
        cr_assert_eq(finding(QPW_VERDICT_UNEXPECTED, IN, 4445, f->client, f->node).outcome, QPW_OUTCOME_DATA);
    }
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(OUT)), 0);
    audit_close(&a);
}

/* The requested port may be listed: the answer is judged by its own port, never by that. */
Test(questions, row_2_never_the_verdict_of_the_port_that_was_asked)
{
    open_settled();
    for EACH_FAMILY (f) {
        rx(f, f->client, 5000, f->floating, 2049);
        tx(f->node, 4445, f->client, 5000);
        ASSERT_CONN(conn(f->floating, 2049, f->client, 5000), IN, FIRST, ALLOWED, NONE);
        ASSERT_CONN(conn(f->node, 4445, f->client, 5000), IN, FIRST, UNEXPECTED, NONE);
        cr_assert_eq(conn(f->floating, 2049, f->client, 5000).outcome, QPW_OUTCOME_ANSWERED);
    }
    audit_close(&a);
}

/* As for TFTP: the rule explains the answer, and nothing that was not requested. */
Test(questions, row_2_a_rule_may_let_any_port_answer)
{
    open_settled();
    AUDIT_POLICY(&a, NULL, {.name = "tftp", .direction = IN, .protocol = 17, .first = 69, .any_answer = true},
                 {.name = "nfs", .direction = IN, .protocol = 17, .first = 2049});
    for EACH_FAMILY (f) {
        rx(f, f->client, 3445, f->node, 69);
        tx(f->node, 50618, f->client, 3445);
        rx(f, f->client, 3445, f->node, 50618);
        ASSERT_CONN(conn(f->node, 50618, f->client, 3445), IN, FIRST, IMPLIED, NONE);
        cr_assert_eq(conn(f->node, 50618, f->client, 3445).rule, audit_rule_id(&a, "tftp"));
        cr_assert_eq(finding(QPW_VERDICT_IMPLIED, IN, 50618, f->client, f->node).outcome, QPW_OUTCOME_DATA);
        rx(f, f->other, 3445, f->node, 2049);
        tx(f->node, 50619, f->other, 3445);
        ASSERT_CONN(conn(f->node, 50619, f->other, 3445), IN, FIRST, UNEXPECTED, NONE);
    }
    audit_close(&a);
}

Test(questions, row_3_lost_and_listed_outbound)
{
    const struct family *f = families;
    struct qpw_finding found;

    open_settled();
    rx(f, f->client, 53, f->node, 4444);
    lose_questions(f);
    cr_assert(!is_connection(f->node, 4444, f->client, 53), "the flood has pushed its entry out, too");
    tx(f->node, 4444, f->client, 53);
    ASSERT_CONN(conn(f->node, 4444, f->client, 53), OUT, INFERRED, UNDECIDED, QUESTION_LOST);
    for (uint16_t port = 30000; port < 30010; port++)
        tx(f->node, port, f->other, 123);
    cr_assert_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(OUT), .reason = AUDIT_IS(QPW_REASON_QUESTION_LOST)), 11);
    cr_assert_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED)), 0);
    /* All of them share one record. */
    struct qpw_finding_key key = {
        .kind = QPW_KIND_PORT, .protocol = 17, .direction = OUT, .aggregated = 1, .verdict = QPW_VERDICT_UNDECIDED};

    audit_address(f->node, key.initiator);
    cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_findings], &key, &found), 0);
    cr_assert_eq(found.reason, QPW_REASON_QUESTION_LOST);
    cr_assert_eq(found.outcome, QPW_OUTCOME_ATTEMPTED);
    rx(f, f->other, 123, f->node, 30000);
    cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_answered], &key, &found), 0);
    cr_assert_eq(found.outcome, QPW_OUTCOME_DATA);
    audit_close(&a);
}

Test(questions, row_4_lost_and_not_listed)
{
    const struct family *f = families;
    struct qpw_finding found;
    struct qpw_finding_key key = {.kind = QPW_KIND_PORT,
                                  .protocol = 17,
                                  .direction = UNKNOWN,
                                  .aggregated = 1,
                                  .port = 4444,
                                  .verdict = QPW_VERDICT_UNDECIDED};

    open_settled();
    lose_questions(f);
    tx(f->node, 4444, f->client, 7777);
    tx(f->node, 4444, f->other, 7778);
    ASSERT_CONN(conn(f->node, 4444, f->client, 7777), UNKNOWN, NONE, UNDECIDED, QUESTION_LOST);
    audit_address(f->node, key.initiator);
    cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_findings], &key, &found), 0, "one for the port");
    cr_assert_eq(found.outcome, QPW_OUTCOME_ATTEMPTED);
    /* Both ports listed, or the node's only, is no better. */
    tx(f->node, 123, f->client, 123);
    ASSERT_CONN(conn(f->node, 123, f->client, 123), UNKNOWN, NONE, UNDECIDED, QUESTION_LOST);
    tx(f->node, 2049, f->client, 700);
    ASSERT_CONN(conn(f->node, 2049, f->client, 700), UNKNOWN, NONE, UNDECIDED, QUESTION_LOST);
    /* One timeout after the flood, absence is evidence again. */
    audit_age_questions(&a, TIMEOUT + 5 * SECONDS);
    tx(f->node, 4444, f->client, 7779);
    ASSERT_CONN(conn(f->node, 4444, f->client, 7779), OUT, FIRST, UNEXPECTED, NONE);
    audit_close(&a);
}

Test(questions, row_5_from_a_port_listed_inbound)
{
    struct qpw_finding found;

    open_settled();
    for EACH_FAMILY (f) {
        tx(f->node, 2049, f->client, 9999);
        ASSERT_CONN(conn(f->node, 2049, f->client, 9999), IN, INFERRED, UNDECIDED, INFERRED);
        cr_assert(!audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNDECIDED, IN, 17, 2049, f->client, f->node}, &found));
        rx(f, f->client, 9999, f->node, 2049);
        found = finding(QPW_VERDICT_UNDECIDED, IN, 2049, f->client, f->node);
        cr_assert_eq(found.outcome, QPW_OUTCOME_DATA, "told as soon as it goes both ways");
        cr_assert_eq(found.evidence, QPW_EVIDENCE_INFERRED);
    }
    audit_close(&a);
}

Test(questions, row_6_absence_is_evidence)
{
    static const uint16_t ports[][2] = {{40000, 53}, {53, 53}, {123, 123}, {51820, 51820}, {500, 500}, {4444, 53}};

    open_settled();
    for EACH_FAMILY (f)
        for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
            bool listed = ports[i][1] == 53 || ports[i][1] == 123;

            tx(f->node, ports[i][0], f->client, ports[i][1]);
            rx(f, f->client, ports[i][1], f->node, ports[i][0]);
            struct qpw_conn c = conn(f->node, ports[i][0], f->client, ports[i][1]);

            cr_assert_eq(c.direction, OUT);
            cr_assert_eq(c.evidence, QPW_EVIDENCE_FIRST);
            cr_assert_eq(c.verdict, listed ? QPW_VERDICT_ALLOWED : QPW_VERDICT_UNEXPECTED);
            cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);
        }
    audit_close(&a);
}

Test(questions, row_7_just_attached)
{
    struct qpw_finding found;

    open_in_window();
    for EACH_FAMILY (f) {
        tx(f->node, 40000, f->client, 53);
        ASSERT_CONN(conn(f->node, 40000, f->client, 53), OUT, INFERRED, UNDECIDED, JUST_ATTACHED);
        tx(f->node, 2049, f->client, 700);
        ASSERT_CONN(conn(f->node, 2049, f->client, 700), IN, INFERRED, UNDECIDED, JUST_ATTACHED);
        tx(f->node, 4444, f->client, 7777);
        ASSERT_CONN(conn(f->node, 4444, f->client, 7777), UNKNOWN, NONE, UNDECIDED, JUST_ATTACHED);
        found = finding(QPW_VERDICT_UNDECIDED, UNKNOWN, 0, f->node, f->client);
        cr_assert_eq(found.reason, QPW_REASON_JUST_ATTACHED);
        tx(f->node, 123, f->client, 123);
        ASSERT_CONN(conn(f->node, 123, f->client, 123), UNKNOWN, NONE, UNDECIDED, JUST_ATTACHED);
        /* Whatever is remembered counts, whenever the attachment began. */
        rx(f, f->other, 53, f->node, 4445);
        cr_assert_eq(conn(f->node, 4445, f->other, 53).evidence, QPW_EVIDENCE_INFERRED);
        rx(f, f->other, 7000, f->node, 4446);
        forget(f->node, 4446, f->other, 7000);
        tx(f->node, 4446, f->other, 7000);
        ASSERT_CONN(conn(f->node, 4446, f->other, 7000), IN, FIRST, UNEXPECTED, NONE);
    }
    cr_assert_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED)), 0);
    audit_close(&a);
}

/* ---- The node's questions to groups ---- */

Test(questions, answers_to_what_the_node_asked_of_a_group)
{
    struct qpw_finding found;

    open_settled();
    for EACH_FAMILY (f) {
        tx(f->node, 50000, f->group, 1900);
        rx(f, f->client, 1900, f->node, 50000);
        ASSERT_CONN(conn(f->node, 50000, f->client, 1900), OUT, INFERRED, UNDECIDED, INFERRED);
        cr_assert(!audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 17, 50000, f->client, f->node}, &found));
        /* Another port of either end was not requested. */
        rx(f, f->client, 1901, f->node, 50000);
        ASSERT_CONN(conn(f->node, 50000, f->client, 1901), IN, FIRST, UNEXPECTED, NONE);
        rx(f, f->client, 1900, f->node, 50001);
        ASSERT_CONN(conn(f->node, 50001, f->client, 1900), IN, FIRST, UNEXPECTED, NONE);
        /* After payload from the node to it alone, the other end is the one that sent first. */
        tx(f->node, 50000, f->client, 1900);
        ASSERT_CONN(conn(f->node, 50000, f->client, 1900), IN, FIRST, UNEXPECTED, NONE);
        cr_assert_eq(finding(QPW_VERDICT_UNEXPECTED, IN, 50000, f->client, f->node).outcome, QPW_OUTCOME_DATA);
    }
    audit_close(&a);
}

/* Ten seconds, renewed only by the node's own packets, including those that a cache could have answered. */
Test(questions, what_a_group_was_asked_is_soon_over)
{
    static uint64_t places[1024];
    uint64_t when = 0;
    uint32_t at = 0;

    open_settled();
    for (int i = 0; i < 3; i++)
        tx(AUDIT_NODE, 50000, "239.255.255.250", 1900);
    for (uint32_t i = 0; i < 1024; i++) {
        cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_grace], &i, &places[i]), 0);
        if (places[i]) {
            when = places[i];
            at = i;
        }
    }
    cr_assert(when, "the node's packet is noted");
    rx(families, "10.0.0.9", 1900, AUDIT_NODE, 50000);
    cr_assert_eq(conn(AUDIT_NODE, 50000, "10.0.0.9", 1900).direction, OUT);
    when -= 10 * SECONDS >> 27;
    cr_assert_eq(bpf_map_update_elem(a.kernel.map_fd[QPW_MAP_grace], &at, &when, BPF_ANY), 0);
    rx(families, "10.0.0.8", 1900, AUDIT_NODE, 50000);
    ASSERT_CONN(conn(AUDIT_NODE, 50000, "10.0.0.8", 1900), IN, FIRST, UNEXPECTED, NONE);
    tx(AUDIT_NODE, 50000, "239.255.255.250", 1900);
    rx(families, "10.0.0.7", 1900, AUDIT_NODE, 50000);
    cr_assert_eq(conn(AUDIT_NODE, 50000, "10.0.0.7", 1900).direction, OUT, "asked again");
    audit_close(&a);
}

/* ---- Time ---- */

Test(questions, a_late_answer_from_an_unlisted_port_is_a_new_exchange)
{
    open_settled();
    for EACH_FAMILY (f) {
        struct qpw_conn_key key = audit_key(17, f->node, 4444, f->client, 7000);

        rx(f, f->client, 7000, f->node, 4444);
        audit_age(&a, &key, TIMEOUT + 5 * SECONDS);
        audit_age_questions(&a, TIMEOUT + 5 * SECONDS);
        tx(f->node, 4444, f->client, 7000);
        ASSERT_CONN(conn(f->node, 4444, f->client, 7000), OUT, FIRST, UNEXPECTED, NONE);
    }
    audit_close(&a);
}

/* Who asked stays known while the exchange continues, whatever becomes of its entry. */
Test(questions, what_goes_on_is_not_forgotten)
{
    open_settled();
    for EACH_FAMILY (f) {
        rx(f, f->client, 53, f->node, 4444);
        tx(f->node, 4444, f->client, 53);
        for (int i = 0; i < 3; i++) {
            audit_age_questions(&a, TIMEOUT - 10 * SECONDS);
            rx(f, f->client, 53, f->node, 4444);
        }
        forget(f->node, 4444, f->client, 53);
        tx(f->node, 4444, f->client, 53);
        ASSERT_CONN(conn(f->node, 4444, f->client, 53), IN, FIRST, UNEXPECTED, NONE);
    }
    audit_close(&a);
}

/* ---- Packets from a stranger ---- */

Test(questions, weakens_nothing_that_the_node_sent_first)
{
    open_settled();
    for EACH_FAMILY (f) {
        tx(f->node, 40000, f->client, 53);
        rx(f, f->client, 53, f->node, 9); /* from the same end to another port */
        rx(f, f->client, 54, f->node, 40000);
        tx(f->node, 40000, f->client, 53);
        rx(f, f->client, 53, f->node, 40000);
        ASSERT_CONN(conn(f->node, 40000, f->client, 53), OUT, FIRST, ALLOWED, NONE);
        cr_assert_eq(conn(f->node, 40000, f->client, 53).outcome, QPW_OUTCOME_DATA);
    }
    audit_close(&a);
}

/* ---- Both directions to the same port of each other ---- */

static void unreachable(enum audit_hook hook, const char *source, const char *destination, uint16_t quoted_port,
                        uint16_t quoted_service)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = destination});
    packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 3});
    packet_ipv4(&p, &(struct packet_ipv4){.source = destination, .destination = source});
    packet_udp(&p, &(struct packet_udp){.source = quoted_port, .destination = quoted_service, .payload_bytes = 20});
    packet_finish(&p);
    audit_feed(&a, hook, &p);
}

/* If one host refused, a refusal of the same port by the other is not an answer. */
Test(questions, refused_by_both_is_answered_by_none)
{
    const struct family *f = families;

    open_settled();
    rx(f, f->client, 6000, f->node, 5068);
    unreachable(AUDIT_TX, f->node, f->client, 6000, 5068);
    tx(f->node, 6001, f->client, 5068);
    cr_expect_eq(finding(QPW_VERDICT_UNEXPECTED, OUT, 5068, f->node, f->client).outcome, QPW_OUTCOME_ATTEMPTED);
    unreachable(f->rx, f->client, f->node, 6001, 5068);
    cr_expect_eq(finding(QPW_VERDICT_UNEXPECTED, IN, 5068, f->client, f->node).outcome, QPW_OUTCOME_REFUSED);
    cr_expect_eq(finding(QPW_VERDICT_UNEXPECTED, OUT, 5068, f->node, f->client).outcome, QPW_OUTCOME_REFUSED);
    audit_close(&a);
}

/* An exchange answered on its own tuple answers no other question. */
Test(questions, an_answered_port_answers_no_other_question)
{
    const struct family *f = families;

    open_settled();
    rx(f, f->client, 6000, f->node, 5069);
    tx(f->node, 5069, f->client, 6000);
    tx(f->node, 6001, f->client, 5069);
    cr_expect_eq(finding(QPW_VERDICT_UNEXPECTED, IN, 5069, f->client, f->node).outcome, QPW_OUTCOME_DATA);
    cr_expect_eq(finding(QPW_VERDICT_UNEXPECTED, OUT, 5069, f->node, f->client).outcome, QPW_OUTCOME_ATTEMPTED);
    audit_close(&a);
}

/* One direction each, from a new port each time, as tunnels do: each answers the other. */
Test(questions, one_way_each_is_an_answer_to_both)
{
    const struct family *f = families;

    open_settled();
    rx(f, f->client, 6000, f->node, 4790);
    tx(f->node, 6001, f->client, 4790);
    cr_expect_eq(finding(QPW_VERDICT_UNEXPECTED, IN, 4790, f->client, f->node).outcome, QPW_OUTCOME_ANSWERED);
    cr_expect_eq(finding(QPW_VERDICT_UNEXPECTED, OUT, 4790, f->node, f->client).outcome, QPW_OUTCOME_ANSWERED);
    audit_close(&a);
}

/* ---- Residual uncertainty ---- */

/* Return how many of 2,000 exchanges that the node opens stay uncertain. */
static unsigned lost_of_2000(const struct family *f, unsigned round)
{
    uint64_t before = AUDIT_PACKETS(&a, .reason = AUDIT_IS(QPW_REASON_QUESTION_LOST)),
             allowed = AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED));
    unsigned lost;
    char server[16];

    for (unsigned i = 0; i < 2000; i++) {
        snprintf(server, sizeof(server), "12.%u.%u.%u", round, i >> 8, i & 255);
        tx(f->node, 40000, server, 53);
    }
    lost = (unsigned)(AUDIT_PACKETS(&a, .reason = AUDIT_IS(QPW_REASON_QUESTION_LOST)) - before);
    cr_expect_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED)) - allowed + lost, 2000, "one or the other");
    return lost;
}

/*
 * Feed a frame that nobody can judge: for a timeout, exchanges opened by the node then depend on a second line of
 * memory.
 */
static void junk(const struct family *f)
{
    packet_make_udp(&p, "13.0.0.1", 700, f->node, 7777, 20);
    p.data[14 + 20 + 5] = 200; /* the UDP length is wrong */
    audit_feed(&a, f->rx, &p);
}

struct stage {
    unsigned a_second, at_least, at_most; /* of 2,000 */
};

/*
 * Send that many forged questions a second for a whole timeout, and count how many of the node's new exchanges are
 * lost.
 */
static void flood_in_stages(bool with_junk, const struct stage *stages, unsigned n)
{
    const struct family *f = families;
    char source[16];
    uint32_t sent = 0;

    open_settled();
    if (with_junk)
        junk(f);
    for (unsigned i = 0; i < n; i++) {
        unsigned lost;

        for (; sent < stages[i].a_second * 180; sent++) {
            snprintf(source, sizeof(source), "11.%u.%u.%u", sent >> 16 & 255, sent >> 8 & 255, sent & 255);
            rx(f, source, 5000, f->node, 7000);
        }
        lost = lost_of_2000(f, i);
        cr_expect(lost >= stages[i].at_least && lost <= stages[i].at_most, "%u a second: %u of 2,000 lost",
                  stages[i].a_second, lost);
    }
    cr_expect_eq(AUDIT_PACKETS(&a, .direction = AUDIT_IS(IN)), sent);
    audit_close(&a);
}

/*
 * The residual stated in qportwatch(7): how many of the node's new exchanges are `question-lost`. None is ever judged
 * as inbound, and no lost one as allowed.
 */
Test(questions, how_many_forged_questions_it_takes)
{
    flood_in_stages(true, (const struct stage[]){{80, 0, 2}, {160, 0, 20}, {320, 60, 180}, {640, 1150, 1450},
                                                 {1280, 1960, 2000}}, 5);
}

/* If everything received could be judged. */
Test(questions, how_many_forged_questions_it_takes_without_junk)
{
    flood_in_stages(false, (const struct stage[]){{160, 0, 10}, {320, 25, 95}, {640, 690, 930}, {1280, 1900, 1970}}, 4);
}

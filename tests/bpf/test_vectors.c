/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs and the native parser agree: each vector, truncated at every length that a test run accepts, at XDP and
 * TC, is counted as the native parser decides. Shorter ones are tested natively only.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "audit.h"
#include "bpf/parse.h"
#include "vectors.h"

static struct audit a;
static struct packet p;

/* The native parser's results for the frames fed so far. */
static uint64_t reasons[QPW_REASON_COUNT], protocols[256], types[65536];

static void parse(struct qpw_pkt *ret)
{
    struct qpw_frame f = {.data = p.data, .end = p.data + p.length, .length = (uint32_t)p.length,
                          .wire = (uint32_t)p.length};

    memset(ret, 0, sizeof(*ret));
    cr_assert_eq(qpw_parse(&f, ret, 1), 0);
}

static void note(const struct qpw_pkt *pkt)
{
    if (pkt->kind == QPW_PKT_UNDECODABLE)
        reasons[pkt->reason]++;
    else if (pkt->kind == QPW_PKT_IP)
        protocols[pkt->protocol]++;
    else
        types[pkt->ethertype]++;
}

static void compare(const struct qpw_pkt *pkt, const char *name, const char *hook)
{
    uint64_t counted;

    if (pkt->kind == QPW_PKT_UNDECODABLE) {
        counted = AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_UNDECODABLE), .reason = AUDIT_IS(pkt->reason),
                                .verdict = AUDIT_IS(QPW_VERDICT_UNDECIDED));
        cr_assert_eq(counted, reasons[pkt->reason], "%s at %s: reason %u", name, hook, pkt->reason);
    } else if (pkt->kind == QPW_PKT_IP) {
        counted = AUDIT_PACKETS(&a, .protocol = AUDIT_IS(pkt->protocol)) -
                  AUDIT_PACKETS(&a, .protocol = AUDIT_IS(pkt->protocol), .direction = AUDIT_IS(QPW_DIR_UNDECODABLE)) -
                  (pkt->protocol ? 0 : AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_NON_IP)));
        cr_assert_eq(counted, protocols[pkt->protocol], "%s at %s: protocol %u", name, hook, pkt->protocol);
    } else {
        counted = AUDIT_PACKETS(&a, .direction = AUDIT_IS(QPW_DIR_NON_IP), .port = AUDIT_IS(pkt->ethertype));
        cr_assert_eq(counted, types[pkt->ethertype], "%s at %s: type %#x", name, hook, pkt->ethertype);
    }
}

/* Return the minimum length of BPF_PROG_TEST_RUN, which depends on the EtherType. */
static size_t least(enum audit_hook hook)
{
    unsigned type = (unsigned)(p.data[12] << 8 | p.data[13]);

    if (hook == AUDIT_XDP)
        return 14;
    return type == 0x0800 ? 34 : type == 0x86dd ? 54 : 14;
}

static void feed_cuts(const struct vector *v, size_t i, enum audit_hook hook, const char *hook_name)
{
    struct qpw_pkt pkt, last = {0};
    size_t whole;

    vector_build(i, &p);
    whole = p.length;
    for (size_t n = least(hook); n <= whole; n++) {
        vector_build(i, &p);
        packet_cut(&p, n);
        parse(&pkt);
        if (n > least(hook) && (pkt.kind != last.kind || pkt.reason != last.reason || pkt.protocol != last.protocol))
            compare(&last, v->name, hook_name);
        note(&pkt);
        audit_feed(&a, hook, &p);
        last = pkt;
    }
    compare(&last, v->name, hook_name);
}

static void all_vectors(enum audit_hook hook, const char *hook_name)
{
    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445});
    for (size_t i = 0; i < n_vectors; i++)
        feed_cuts(&vectors[i], i, hook, hook_name);
    audit_close(&a);
}

Test(vectors, cut_at_every_byte_at_xdp)
{
    all_vectors(AUDIT_XDP, "XDP");
}

Test(vectors, cut_at_every_byte_at_tc)
{
    all_vectors(AUDIT_TC, "TC");
}

/* With any linear part: bytes beyond it are fetched, not given up. */
static void any_linear_part(enum audit_hook hook, const char *hook_name)
{
    struct qpw_pkt pkt;
    bool possible = true;

    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445});
    for (size_t i = 0; i < n_vectors && possible; i++) {
        vector_build(i, &p);
        parse(&pkt);
        for (size_t linear = least(hook); linear < p.length && possible; linear++) {
            possible = audit_feed_linear(&a, hook, &p, linear);
            if (possible)
                note(&pkt);
        }
        if (possible)
            compare(&pkt, vectors[i].name, hook_name);
    }
    audit_close(&a);
    if (!possible)
        cr_skip_test("this kernel's test run of %s programs knows no linear part", hook_name);
}

Test(vectors, any_linear_part_at_xdp)
{
    any_linear_part(AUDIT_XDP, "XDP");
}

Test(vectors, any_linear_part_at_tc)
{
    any_linear_part(AUDIT_TC, "TC");
}

/* Multi-buffer XDP: more than a page. */
Test(vectors, jumbo_frames_at_xdp)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445});
    packet_make_tcp(&p, "10.0.0.9", 40000, AUDIT_NODE, 445, SEGMENT(PACKET_SYN, 1));
    audit_feed(&a, AUDIT_XDP, &p);
    for (size_t payload = 3000; payload <= 60000; payload += 3000) {
        packet_make_tcp(&p, "10.0.0.9", 40000, AUDIT_NODE, 445, SEGMENT(PACKET_ACK, 2, 2, payload));
        audit_feed(&a, AUDIT_XDP, &p);
    }
    cr_assert_eq(AUDIT_SUM(&a, .rule = "smb").rx_packets, 21);
    audit_close(&a);
}

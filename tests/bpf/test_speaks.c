/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What speaks on a connection: when first bytes are looked at, how they are put together, and what becomes of a mismatch. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "bpf/speech.h"
#include "util/names.h"

#define CLIENT "10.0.0.9"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define SYN PACKET_SYN
#define ACK PACKET_ACK
#define FIN PACKET_FIN
#define ISN 1000u    /* of the client */
#define ANSWER 5000u /* of the node, or the server that it asks */
#define OWN 1
#define OTHER 0

static struct audit a;
static struct packet p;

static void open_with_policy(void)
{
    audit_open(&a, NULL);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = IN, .protocol = 6, .first = 445, .speaks = QPW_SPEAKS(SMB)},
                 {.name = "web", .direction = IN, .protocol = 6, .first = 8000, .speaks = QPW_SPEAKS(HTTP) | QPW_SPEAKS(TLS)},
                 {.name = "tls", .direction = OUT, .protocol = 6, .first = 443, .speaks = QPW_SPEAKS(TLS)},
                 {.name = "rpc", .direction = IN, .protocol = 17, .first = 111, .speaks = QPW_SPEAKS(SUNRPC)},
                 {.name = "plain", .direction = IN, .protocol = 6, .first = 3712});
}

struct said {
    uint8_t flags;
    uint32_t seq;
    const void *payload;
    size_t bytes;
    const void *options;
    size_t options_bytes;
};

static void segment(int local, uint16_t remote_port, uint16_t local_port, struct said said)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = local ? AUDIT_NODE : CLIENT, .destination = local ? CLIENT : AUDIT_NODE});
    packet_tcp(&p, &(struct packet_tcp){.source = local ? local_port : remote_port, .destination = local ? remote_port : local_port,
                                        .seq = said.seq, .ack = local ? ISN + 1 : ANSWER + 1, .flags = said.flags, .options = said.options,
                                        .options_bytes = said.options_bytes, .payload = said.payload, .payload_bytes = said.bytes});
    packet_finish(&p);
    audit_feed(&a, local ? AUDIT_TX : AUDIT_XDP, &p);
}

/* What an end says on an inbound connection of remote port `port` to the local one, `at` bytes into its stream. */
static void says(int local, uint16_t port, uint16_t to, uint32_t at, const char *text, size_t bytes)
{
    segment(local, port, to, (struct said){ACK, (local ? ANSWER : ISN) + 1 + at, text, bytes});
}
#define SAYS(local, port, to, at, text) says(local, port, to, at, text, sizeof(text) - 1)

static unsigned class_of(uint16_t port, uint16_t local_port, int end)
{
    struct qpw_conn c = audit_tcp(&a, CLIENT, port, local_port);

    return c.speaks[end] & (QPW_SPEECH | QPW_SPEECH_WAITS);
}

#define EXPECT(port, to, end, wanted) \
    cr_expect_eq(class_of(port, to, end), (unsigned)(wanted), "%s", qpw_speech_name(class_of(port, to, end) & QPW_SPEECH))

static bool mismatch(enum qpw_direction direction, uint8_t protocol, uint16_t port, struct qpw_finding *ret)
{
    return audit_finding(&a,
                         (struct audit_sought){QPW_VERDICT_MISMATCH, direction, protocol, port,
                                               direction == IN ? CLIENT : AUDIT_NODE,
                                               direction == IN ? AUDIT_NODE : CLIENT},
                         ret);
}

static uint64_t judged(const char *rule, enum qpw_judged as)
{
    struct qpw_judged_counts counts;
    uint64_t sum = 0;

    (void)rule;
    for (uint32_t slot = 0; slot < QPW_FIRST_OPEN_SLOT; slot++) {
        cr_assert_eq(bpf_map_lookup_elem(a.kernel.map_fd[QPW_MAP_judged], &slot, &counts), 0);
        sum += counts.n[as & (QPW_JUDGED_VALUES - 1)];
    }
    return sum;
}

#define SMB2 "\x00\x00\x01\x10\xfe\x53\x4d\x42\x40\x00\x00\x00\x00\x00\x00\x00"

Test(speaks, each_end_is_looked_at_once_whoever_speaks_first)
{
    struct qpw_finding f;

    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 445);
    EXPECT(900, 445, OWN, QPW_SPEECH_NONE);
    SAYS(OTHER, 900, 445, 0, SMB2);
    EXPECT(900, 445, OTHER, QPW_SPEECH_SMB);
    SAYS(OTHER, 900, 445, 16, "more of the same");
    SAYS(OWN, 900, 445, 0, SMB2);
    EXPECT(900, 445, OWN, QPW_SPEECH_SMB);
    SAYS(OWN, 900, 445, 0, "uid=0(root) gid=0(root)"); /* sent again, says something else */
    EXPECT(900, 445, OWN, QPW_SPEECH_SMB);
    cr_expect_not(mismatch(IN, 6, 445, &f));
    cr_expect_eq(judged("smb", QPW_JUDGED_MATCH), 1);
    audit_close(&a);
}

Test(speaks, a_shell_on_445_is_a_mismatch_and_stays_in_its_row)
{
    struct qpw_finding f;

    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 445);
    SAYS(OTHER, 900, 445, 0, "id\n");
    SAYS(OWN, 900, 445, 0, "uid=0(root) gid=0(root) groups=0(root)\n");
    cr_assert(mismatch(IN, 6, 445, &f));
    cr_expect_eq(f.speaks[OWN] & QPW_SPEECH, QPW_SPEECH_TEXT);
    cr_expect_eq(f.speaks[OTHER] & QPW_SPEECH, QPW_SPEECH_TEXT);
    cr_expect_eq(f.services, QPW_SPEAKS(SMB));
    cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    SAYS(OTHER, 900, 445, 3, "cat /etc/shadow\n");
    SAYS(OWN, 900, 445, 39, "root:*:");
    cr_expect_eq(AUDIT_PACKETS(&a, .rule = "smb"), 7);
    cr_expect_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED)), 7);
    cr_expect_eq(judged("smb", QPW_JUDGED_MISMATCH), 1);
    audit_close(&a);
}

Test(speaks, first_segments_are_put_together)
{
    static const char text[] = "uid=0(root) gid=0(root)";
    struct qpw_finding f;

    open_with_policy();
    for (unsigned cut = 1; cut <= 15; cut++) { /* bytes a segment */
        uint16_t port = (uint16_t)(900 + cut);

        audit_handshake_in(&a, CLIENT, port, 445);
        for (unsigned at = 0; at < 16; at += cut)
            says(OWN, port, 445, at, &SMB2[at], at + cut > 16 ? 16 - at : cut);
        EXPECT(port, 445, OWN, QPW_SPEECH_SMB);
    }
    cr_expect_not(mismatch(IN, 6, 445, &f));
    audit_handshake_in(&a, CLIENT, 800, 445);
    says(OWN, 800, 445, 1, text + 1, 1); /* ahead of the first */
    EXPECT(800, 445, OWN, QPW_SPEECH_NONE | QPW_SPEECH_WAITS);
    for (unsigned at = 0; at < 16; at++) {
        says(OWN, 800, 445, at, text + at, 1);
        says(OWN, 800, 445, at, text + at, 1); /* and again */
    }
    EXPECT(800, 445, OWN, QPW_SPEECH_TEXT);
    cr_expect(mismatch(IN, 6, 445, &f));
    audit_handshake_in(&a, CLIENT, 801, 445);
    says(OWN, 801, 445, 0, text, 5);
    says(OWN, 801, 445, 0, text, 20); /* sent again with more behind it */
    EXPECT(801, 445, OWN, QPW_SPEECH_TEXT);
    audit_close(&a);
}

Test(speaks, zeros_in_front_are_left_out)
{
    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 445);
    SAYS(OWN, 900, 445, 0, "\0\0\0\0\0\0"); /* padding of a short frame: what follows has its numbers */
    SAYS(OWN, 900, 445, 0, SMB2);
    EXPECT(900, 445, OWN, QPW_SPEECH_SMB);
    audit_handshake_in(&a, CLIENT, 901, 445);
    SAYS(OWN, 901, 445, 0, "\0\0\0\0"); /* its own: what follows comes behind */
    SAYS(OWN, 901, 445, 4, "a stager sends its length first");
    EXPECT(901, 445, OWN, QPW_SPEECH_TEXT);
    audit_close(&a);
}

Test(speaks, a_short_word_is_told_by_its_end)
{
    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 445);
    SAYS(OWN, 900, 445, 0, ">>> ");
    EXPECT(900, 445, OWN, QPW_SPEECH_TEXT | QPW_SPEECH_WAITS);
    cr_expect_eq(judged("smb", QPW_JUDGED_MISMATCH), 0);
    segment(OWN, 900, 445, (struct said){ACK | FIN, ANSWER + 5});
    EXPECT(900, 445, OWN, QPW_SPEECH_TEXT);
    cr_expect_eq(judged("smb", QPW_JUDGED_MISMATCH), 1);
    audit_close(&a);
}

Test(speaks, what_is_not_judged_is_counted)
{
    struct qpw_finding f;

    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 8000);
    SAYS(OTHER, 900, 8000, 0, "GET / HTTP/1.1\r\n");
    SAYS(OWN, 900, 8000, 0, "<html><head><title>");
    cr_expect_eq(judged("web", QPW_JUDGED_TOLERATED), 1);
    audit_handshake_in(&a, CLIENT, 901, 8000);
    segment(OWN, 901, 8000, (struct said){ACK | FIN, ANSWER + 1, "\x01\x02", 2});
    cr_expect_eq(judged("web", QPW_JUDGED_SHORT), 1);
    cr_expect_not(mismatch(IN, 6, 8000, &f));
    audit_close(&a);
}

Test(speaks, what_another_service_says_on_a_text_port_needs_both_ends)
{
    struct qpw_finding f;

    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 8000);
    SAYS(OWN, 900, 8000, 0, "\x01\x06\x00\x01\x00\x40\x00\x00"); /* FastCGI, whoever asks */
    cr_assert(mismatch(IN, 6, 8000, &f));
    cr_expect_eq(f.speaks[OWN] & QPW_SPEECH, QPW_SPEECH_FCGI);
    audit_close(&a);
}

Test(speaks, out_to_443_the_node_and_a_server_that_greets)
{
    struct qpw_finding f;

    open_with_policy();
    audit_handshake_out(&a, CLIENT, 443, 40000);
    segment(OTHER, 443, 40000, (struct said){ACK, ANSWER + 1, "SSH-2.0-OpenSSH_9.2p1\r\n", 23});
    cr_assert(mismatch(OUT, 6, 443, &f));
    cr_expect_eq(f.speaks[OWN] & QPW_SPEECH, QPW_SPEECH_NONE);
    segment(OWN, 443, 40000, (struct said){ACK, ISN + 1, "SSH-2.0-OpenSSH_9.2p1\r\n", 23});
    cr_assert(mismatch(OUT, 6, 443, &f));
    cr_expect_eq(f.speaks[OWN] & QPW_SPEECH, QPW_SPEECH_SSH);
    cr_expect_eq(judged("tls", QPW_JUDGED_MISMATCH), 1);
    audit_close(&a);
}

Test(speaks, datagrams_are_looked_at_once_each_way)
{
    struct qpw_finding f;
    static const char call[40] = "\x12\x34\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0";

    open_with_policy();
    for (int local = 0; local < 2; local++)
        for (int again = 0; again < 2; again++) {
            packet_start(&p);
            packet_ethernet(&p, &(struct packet_ethernet){0});
            packet_ipv4(&p, &(struct packet_ipv4){.source = local ? AUDIT_NODE : CLIENT, .destination = local ? CLIENT : AUDIT_NODE});
            packet_udp(&p, &(struct packet_udp){.source = local ? 111 : 900, .destination = local ? 900 : 111,
                                                .payload = local && !again ? "hello, world of ours, again and again..." : call,
                                                .payload_bytes = 40});
            packet_finish(&p);
            audit_feed(&a, local ? AUDIT_TX : AUDIT_XDP, &p);
        }
    cr_expect_eq(audit_udp(&a, CLIENT, 900, 111).speaks[OTHER] & QPW_SPEECH, QPW_SPEECH_RPC);
    cr_expect_eq(audit_udp(&a, CLIENT, 900, 111).speaks[OWN] & QPW_SPEECH, QPW_SPEECH_TEXT);
    cr_assert(mismatch(IN, 17, 111, &f));
    audit_close(&a);
}

Test(speaks, the_middle_of_a_stream_is_never_judged)
{
    struct qpw_finding f;

    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 445);
    says(OWN, 900, 445, 200000, "uid=0(root) gid=0(root)", 23); /* its beginning went another way */
    EXPECT(900, 445, OWN, QPW_SPEECH_MIDSTREAM);
    cr_expect_not(mismatch(IN, 6, 445, &f));
    cr_expect_eq(judged("smb", QPW_JUDGED_MIDSTREAM), 1);
    audit_close(&a);
}

/* Both ends have to join: a client that only claims so is judged. */
Test(speaks, a_path_of_multipath_tcp_is_not_judged)
{
    static const uint8_t join[12] = {30, 12, 0x10}, joined[16] = {30, 16, 0x10};
    struct qpw_finding f;

    open_with_policy();
    for (uint16_t port = 900; port < 902; port++) {
        segment(OTHER, port, 445, (struct said){SYN, ISN, NULL, 0, join, sizeof(join)});
        segment(OWN, port, 445, (struct said){SYN | ACK, ANSWER, NULL, 0, joined, port == 900 ? sizeof(joined) : 0});
        segment(OTHER, port, 445, (struct said){ACK, ISN + 1});
        SAYS(OWN, port, 445, 0, "uid=0(root) gid=0(root)");
        cr_expect_eq(mismatch(IN, 6, 445, &f), port == 901);
    }
    cr_expect_eq(judged("smb", QPW_JUDGED_JOINED), 1);
    audit_close(&a);
}

/* Packets without payload are known to the cache before an end has spoken, those with payload only after. */
Test(speaks, an_end_that_only_acknowledges_is_cached)
{
    struct qpw_conn_key key = {.local_port = 445, .remote_port = 900, .protocol = 6};
    struct qpw_conn c;

    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 445);
    for (int i = 0; i < 3; i++) {
        says(OTHER, 900, 445, 16 * (uint32_t)i, SMB2, 16);
        segment(OWN, 900, 445, (struct said){ACK, ANSWER + 1});
    }
    qpw_address_parse(AUDIT_NODE, key.local);
    qpw_address_parse(CLIENT, key.remote);
    c = audit_tcp(&a, CLIENT, 900, 445);
    c.last_ns -= 1000000000;
    audit_change(&a, &key, &c);
    segment(OWN, 900, 445, (struct said){ACK, ANSWER + 1});
    SAYS(OTHER, 900, 445, 48, SMB2);
    cr_expect_eq(audit_tcp(&a, CLIENT, 900, 445).last_ns, c.last_ns, "it took the slow path");
    SAYS(OWN, 900, 445, 0, "uid=0(root) gid=0(root)");
    EXPECT(900, 445, OWN, QPW_SPEECH_TEXT);
    audit_close(&a);
}

/* An end that sends one short segment again and again is waited for no longer than that is worth. */
Test(speaks, patience_ends)
{
    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 445);
    for (int i = 0; i < 64; i++)
        SAYS(OWN, 900, 445, 0, ">>> ");
    EXPECT(900, 445, OWN, QPW_SPEECH_TEXT | QPW_SPEECH_WAITS);
    SAYS(OWN, 900, 445, 0, ">>> ");
    EXPECT(900, 445, OWN, QPW_SPEECH_SHORT);
    cr_expect_eq(judged("smb", QPW_JUDGED_SHORT), 1);
    for (unsigned n = 1; n <= 10; n++) { /* zeros, which may be padding, or not */
        audit_handshake_in(&a, CLIENT, (uint16_t)(910 + n), 445);
        for (int i = 0; i < 65; i++)
            says(OWN, (uint16_t)(910 + n), 445, 0, "\0\0\0\0\0\0\0\0\0", n);
        EXPECT((uint16_t)(910 + n), 445, OWN, QPW_SPEECH_SHORT);
    }
    audit_handshake_in(&a, CLIENT, 901, 445);
    for (int i = 0; i < 65; i++)
        SAYS(OWN, 901, 445, 7, "its beginning is not seen");
    EXPECT(901, 445, OWN, QPW_SPEECH_MIDSTREAM);
    audit_close(&a);
}

/* A rule that is changed judges what goes on. */
Test(speaks, a_reload_judges_again)
{
    struct qpw_finding f;

    open_with_policy();
    audit_handshake_in(&a, CLIENT, 900, 3712);
    SAYS(OTHER, 900, 3712, 0, "hello");
    SAYS(OWN, 900, 3712, 0, "uid=0(root) gid=0(root)");
    cr_expect_not(mismatch(IN, 6, 3712, &f));
    AUDIT_POLICY(&a, NULL, {.name = "plain", .direction = IN, .protocol = 6, .first = 3712, .speaks = QPW_SPEAKS(SMB)});
    SAYS(OWN, 900, 3712, 23, "more");
    cr_assert(mismatch(IN, 6, 3712, &f));
    AUDIT_POLICY(&a, NULL, {.name = "plain", .direction = IN, .protocol = 6, .first = 3712});
    SAYS(OWN, 900, 3712, 27, "more");
    cr_assert(mismatch(IN, 6, 3712, &f));
    cr_expect(f.flags & QPW_FINDING_SUPERSEDED);
    audit_close(&a);
}

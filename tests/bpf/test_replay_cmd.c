/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command `qportwatch replay`: captures made here, its output, its exit status. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"
#include "packet.h"
#include "pcapfile.h"

#define REPLAY QPW_BUILD "/qportwatch replay "
#define NODE "10.0.0.2"
#define CLIENT "10.0.0.1"

static struct packet p;
static struct pcapfile f;
static char out[1 << 24]; /* a report with thousands of findings */

static void need_root(void)
{
    netns_need_root();
}

/* Run a shell command with its output in `out`. Returns the exit status. */
static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
    struct netns here = netns_here();
    char command[2048];
    va_list args;
    int status;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    status = netns_output(&here, out, sizeof(out), "%s", command);
    netns_close(&here);
    return status;
}

/* The report as JSON, with those arguments. */
static json_t *report(const char *arguments)
{
    json_error_t error;
    int status = run(REPLAY "--platform on-prem --json %s %s 2>/dev/null", arguments, f.path);
    json_t *j = json_loads(out, 0, &error);

    cr_assert_eq(status, 0, "status %d: %s", status, out);
    cr_assert_not_null(j, "%s: %.300s", error.text, out);
    return j;
}

/* Return the lines of --connections as an array, in the order of their first packets. */
static json_t *connections(const char *arguments)
{
    json_t *list = json_array();
    int status = run(REPLAY "--platform on-prem --connections %s %s 2>/dev/null", arguments, f.path);

    cr_assert_eq(status, 0, "status %d: %s", status, out);
    for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *c = json_loads(line, 0, NULL);
        size_t at = 0;

        cr_assert_not_null(c, "%s", line);
        while (at < json_array_size(list) &&
               strcmp(json_string_value(json_object_get(json_array_get(list, at), "first")),
                                                    json_string_value(json_object_get(c, "first"))) <= 0)
            at++;
        json_array_insert_new(list, at, c);
    }
    return list;
}

static long long sum(const json_t *report_json, const char *group, const char *name)
{
    const json_t *totals = json_object_get(report_json, "totals");

    return json_integer_value(json_object_get(group ? json_object_get(totals, group) : totals, name));
}

static const char *string_of(const json_t *list, size_t i, const char *key)
{
    const char *text = json_string_value(json_object_get(json_array_get(list, i), key));

    return text ? text : "null";
}

static long long number_of(const json_t *list, size_t i, const char *key)
{
    return json_integer_value(json_object_get(json_array_get(list, i), key));
}

static void tcp(double time, bool from_client, uint16_t client_port, struct packet_segment segment)
{
    static const uint8_t smb2[8] = {0, 0, 0, 96, 0xfe, 'S', 'M', 'B'}; /* what a rule for SMB expects */

    packet_make_tcp(&p, from_client ? CLIENT : NODE, from_client ? client_port : 445, from_client ? NODE : CLIENT,
                    from_client ? 445 : client_port, segment);
    if (segment.payload >= sizeof(smb2))
        memcpy(p.data + p.length - segment.payload, smb2, sizeof(smb2));
    pcapfile_packet(&f, time, &p);
}

/* A complete SMB connection of 8 packets from `time` on, lasting 2 ms. */
static void smb(double time, uint16_t port, uint32_t seq)
{
    tcp(time, true, port, SEGMENT(PACKET_SYN, seq));
    tcp(time + .001, false, port, SEGMENT(PACKET_SYN | PACKET_ACK, seq + 5000, seq + 1));
    tcp(time + .001, true, port, SEGMENT(PACKET_ACK, seq + 1, seq + 5001));
    tcp(time + .001, true, port, SEGMENT(PACKET_ACK | PACKET_PSH, seq + 1, seq + 5001, 100));
    tcp(time + .001, false, port, SEGMENT(PACKET_ACK | PACKET_PSH, seq + 5001, seq + 101, 200));
    tcp(time + .001, true, port, SEGMENT(PACKET_FIN | PACKET_ACK, seq + 101, seq + 5201));
    tcp(time + .001, false, port, SEGMENT(PACKET_FIN | PACKET_ACK, seq + 5201, seq + 102));
    tcp(time + .002, true, port, SEGMENT(PACKET_ACK, seq + 102, seq + 5202));
}

Test(replay_cmd, bad_usage_and_no_capture_exit_2, .init = need_root)
{
    cr_assert_eq(run(REPLAY "/etc/passwd 2>&1"), 2);
    cr_assert_not_null(strstr(out, "--local"), "%s", out);
    cr_assert_eq(run(REPLAY "--local " NODE " 2>&1"), 2);
    cr_assert_eq(run(REPLAY "--local 10.0.0.1/24 /etc/passwd 2>&1"), 2);
    cr_assert_eq(run(REPLAY "--local node.example /etc/passwd 2>&1"), 2);
    cr_assert_eq(run(REPLAY "--local " NODE " /etc/passwd 2>&1"), 2);
    cr_assert_not_null(strstr(out, "qportwatch replay: /etc/passwd: not a capture (neither pcap nor pcapng)\n"), "%s",
                       out);
    cr_assert_eq(run(REPLAY "--local " NODE " --policy /etc/passwd /etc/passwd 2>&1"), 2);
    cr_assert_eq(run(REPLAY "--local " NODE " /nonexistent.pcap 2>&1"), 1);
    cr_assert_eq(run(REPLAY "--local " NODE " - </dev/null 2>&1"), 2);
}

Test(replay_cmd, damaged_capture_gives_what_could_be_read_and_exits_1, .init = need_root)
{
    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    fflush(f.file);
    long whole = ftell(f.file);
    smb(1.6e9 + 1, 40001, 1);
    pcapfile_end(&f);
    cr_assert_eq(truncate(f.path, whole + 20), 0);
    cr_assert_eq(run(REPLAY "--local " NODE " --json %s 2>/dev/null", f.path), 1);
    json_t *j = json_loads(out, 0, NULL);
    cr_assert_eq(sum(j, NULL, "packets"), 8);
    cr_assert(json_is_true(json_object_get(json_object_get(j, "coverage"), "incomplete")));
    json_decref(j);
    cr_assert_eq(run(REPLAY "--local " NODE " --json %s 2>&1 >/dev/null", f.path), 1);
    char offset[64];
    snprintf(offset, sizeof(offset), "damaged at offset %ld", whole);
    cr_assert_not_null(strstr(out, offset), "%s", out);
    unlink(f.path);
}

/* Records of link types without IP are left out, counted and reported, in one capture with others and beside one. */
Test(replay_cmd, other_link_types_are_left_out, .init = need_root)
{
    /* a pcapng of two interfaces: 14 + 20 + 20 bytes of a TCP SYN on Ethernet, three times, then one record of NFLOG (239) */
    static const char writer[] =
        "import struct, sys\n"
        "def block(kind, body): n = 12 + len(body); return struct.pack('<II', kind, n) + body + struct.pack('<I', n)\n"
        "def record(link, data):\n"
        "  return block(6, struct.pack('<IIIII', link, 0, 0, len(data), len(data)) + data + b'\\0' * (-len(data) % 4))\n"
        "frame = bytes.fromhex('020000000001020000000002' '0800' '450000280000400040060000' '0a000001' '0a000002'"
        " '9c4001bd' '00000001' '00000000' '5002ffff00000000')\n"
        "open(sys.argv[1], 'wb').write(block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)) +\n"
        "  block(1, struct.pack('<HHI', 1, 0, 65535)) + block(1, struct.pack('<HHI', 239, 0, 65535)) +\n"
        "  record(0, frame) * 3 + record(1, b'nflog'))\n";
    char other[sizeof(f.path)];
    json_t *j;

    pcapfile_start(&f, 239);
    pcapfile_record(&f, 1.6e9, "nflog", 5, 5);
    pcapfile_end(&f);
    snprintf(other, sizeof(other), "%s", f.path);
    cr_assert_eq(run(REPLAY "--local " NODE " %s 2>&1", other), 2, "%s", out);
    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    pcapfile_end(&f);
    cr_assert_eq(run(REPLAY "--local " NODE " --json %s %s 2>/dev/null", other, f.path), 0);
    j = json_loads(out, 0, NULL);
    cr_expect_eq(sum(j, NULL, "packets"), 8);
    json_decref(j);
    cr_assert_eq(run("python3 -c \"%s\" %s", writer, f.path), 0, "%s", out);
    cr_assert_eq(run(REPLAY "--local " NODE " --json %s 2>/dev/null", f.path), 0);
    j = json_loads(out, 0, NULL);
    cr_expect_eq(sum(j, NULL, "packets"), 3);
    cr_expect_eq(number_of(json_object_get(j, "captures"), 0, "left_out"), 1);
    json_decref(j);
    cr_assert_eq(run(REPLAY "--local " NODE " %s 2>&1", f.path), 0);
    cr_expect(strstr(out, "left out because their link type cannot be replayed: 1 record, the first of link type 239 (NFLOG)"), "%s", out);
    unlink(other);
    unlink(f.path);
}

Test(replay_cmd, gzip_standard_input_and_both_modes_say_the_same, .init = need_root)
{
    static char plain[1 << 20];

    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    packet_make_udp(&p, NODE, 50000, "10.0.0.53", 53, 40);
    pcapfile_packet(&f, 1.6e9 + 2, &p);
    pcapfile_end(&f);
    cr_assert_eq(run(REPLAY "--local " NODE " --connections %s 2>/dev/null", f.path), 0, "%s", out);
    strcpy(plain, out);
    cr_assert_not_null(strchr(plain, '\n'));
    cr_assert_eq(run("gzip -c %s | " REPLAY "--local " NODE " --connections - 2>/dev/null", f.path), 0);
    cr_assert_str_eq(out, plain);
    cr_assert_eq(run("bash -c '" REPLAY "--local " NODE " --connections <(cat %s) 2>/dev/null'", f.path), 0);
    cr_assert_str_eq(out, plain);
    cr_assert_eq(run("cat %s | " REPLAY "--local " NODE " --connections - 2>/dev/null", f.path), 0);
    cr_assert_str_eq(out, plain);
    cr_assert_eq(run(REPLAY "--mode tc --local " NODE " --connections %s 2>/dev/null", f.path), 0);
    cr_assert_str_eq(out, plain);
    unlink(f.path);
}

Test(replay_cmd, rotated_captures_are_put_in_order, .init = need_root)
{
    struct pcapfile first;

    pcapfile_start(&f, PCAPFILE_ETHERNET);
    tcp(1.6e9, true, 40000, SEGMENT(PACKET_SYN, 1));
    pcapfile_end(&f);
    first = f;
    pcapfile_start(&f, PCAPFILE_ETHERNET);
    tcp(1.6e9 + 5, false, 40000, SEGMENT(PACKET_SYN | PACKET_ACK, 100, 2));
    tcp(1.6e9 + 5, true, 40000, SEGMENT(PACKET_ACK, 2, 101, 10));
    pcapfile_end(&f);
    cr_assert_eq(run(REPLAY "--local " NODE " --connections %s %s 2>/dev/null", f.path, first.path), 0);
    json_t *c = json_loads(out, 0, NULL);
    cr_assert_not_null(c, "one line: %s", out);
    cr_assert_str_eq(json_string_value(json_object_get(c, "direction")), "inbound");
    cr_assert_str_eq(json_string_value(json_object_get(c, "evidence")), "handshake");
    cr_assert_str_eq(json_string_value(json_object_get(c, "outcome")), "data");
    cr_assert_eq(json_integer_value(json_object_get(c, "rx_packets")), 2);
    json_decref(c);
    cr_assert_eq(run(REPLAY "--local " NODE " --connections %s %s 2>&1 >/dev/null", f.path, first.path), 0);
    cr_assert_not_null(strstr(out, "order"), "%s", out);
    unlink(f.path);
    unlink(first.path);
}

Test(replay_cmd, a_line_has_every_field, .init = need_root)
{
    static const char *const fields[] = {
        "protocol", "initiator", "initiator_port", "responder", "responder_port", "direction", "evidence", "verdict",
        "rule", "reason", "outcome", "first", "last", "vlan", "community_id", "rx_packets", "rx_bytes", "tx_packets",
        "tx_bytes"};

    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    pcapfile_end(&f);
    json_t *list = connections("--local " NODE);
    cr_assert_eq(json_array_size(list), 1);
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        cr_assert_not_null(json_object_get(json_array_get(list, 0), fields[i]), "%s", fields[i]);
    cr_assert_str_eq(string_of(list, 0, "initiator"), CLIENT);
    cr_assert_eq(number_of(list, 0, "initiator_port"), 40000);
    cr_assert_str_eq(string_of(list, 0, "responder"), NODE);
    cr_assert_eq(number_of(list, 0, "responder_port"), 445);
    cr_assert_str_eq(string_of(list, 0, "verdict"), "allowed");
    cr_assert_str_eq(string_of(list, 0, "rule"), "in-tcp-445");
    cr_assert_str_eq(string_of(list, 0, "outcome"), "data");
    cr_assert_str_eq(string_of(list, 0, "first"), "2020-09-13T12:26:40.000000Z");
    cr_assert_str_eq(string_of(list, 0, "last"), "2020-09-13T12:26:40.002000Z");
    cr_assert_eq(number_of(list, 0, "rx_packets"), 5);
    cr_assert_eq(number_of(list, 0, "rx_bytes"), 5 * 54 + 100);
    cr_assert_eq(number_of(list, 0, "tx_packets"), 3);
    cr_assert_eq(number_of(list, 0, "tx_bytes"), 3 * 54 + 200);
    json_decref(list);
    unlink(f.path);
}

Test(replay_cmd, time_outs_and_reuse_by_the_captures_clock, .init = need_root)
{
    pcapfile_start(&f, PCAPFILE_ETHERNET);
    packet_make_udp(&p, CLIENT, 700, NODE, 2049, 40);
    pcapfile_packet(&f, 1.6e9, &p);
    pcapfile_packet(&f, 1.6e9 + 179, &p); /* within the timeout: the same */
    pcapfile_packet(&f, 1.6e9 + 179 + 181, &p);
    pcapfile_packet(&f, 1.6e9 + 100000, &p); /* expired long ago, removed by a walk */
    smb(1.6e9 + 100001, 800, 1000);
    smb(1.6e9 + 100002, 800, 900000); /* its tuple is reused at once */
    smb(1.6e9 + 100003, 801, 1);
    pcapfile_end(&f);
    json_t *list = connections("--local " NODE);
    static const long long packets[] = {2, 1, 1, 5, 5, 5};
    cr_assert_eq(json_array_size(list), 6);
    for (size_t i = 0; i < 6; i++) {
        cr_assert_eq(number_of(list, i, "rx_packets"), packets[i], "line %zu", i);
        cr_assert_str_eq(string_of(list, i, "direction"), "inbound");
    }
    json_decref(list);
    unlink(f.path);
}

/* A flood far beyond the tables' size: everything is listed, and early removals are reported. */
Test(replay_cmd, a_flood_does_not_lose_connections, .init = need_root)
{
    static char from[32];
    unsigned lines = 0;

    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(from, sizeof(from), "11.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        packet_make_tcp(&p, from, (uint16_t)(1024 + i % 1000), NODE, 23, SEGMENT(PACKET_SYN, i));
        pcapfile_packet(&f, 1.6e9 + 1 + i * 1e-5, &p);
        packet_make_udp(&p, NODE, (uint16_t)(1024 + i % 5000), from, 7, 0);
        pcapfile_packet(&f, 1.6e9 + 1 + i * 1e-5, &p);
    }
    smb(1.6e9 + 10, 40001, 1);
    pcapfile_end(&f);
    cr_assert_eq(run(REPLAY "--max-connections 1024 --connections --local " NODE " %s 2>/tmp/qpw-flood-said-%d | "
                 "tee /tmp/qpw-flood-%d | wc -l; grep -c '\"rx_packets\":1,\"rx_bytes\":54,\"tx_packets\":0' "
                 "/tmp/qpw-flood-%d; grep -c '\"tx_packets\":1,\"tx_bytes\":42' /tmp/qpw-flood-%d; "
                 "grep -c '\"rx_packets\":5' /tmp/qpw-flood-%d; grep -c 'not listed' /tmp/qpw-flood-said-%d; "
                 "rm /tmp/qpw-flood-%d /tmp/qpw-flood-said-%d", f.path, getpid(), getpid(), getpid(), getpid(), getpid(),
                 getpid(), getpid(), getpid()), 0);
    unsigned syns = 0, datagrams = 0, whole = 0, said = 1;
    cr_assert_eq(sscanf(out, "%u %u %u %u %u", &lines, &syns, &datagrams, &whole, &said), 5, "%s", out);
    cr_assert_eq(said, 0, "all are listed, and nothing else is said");
    cr_assert_eq(lines, 40002);
    cr_assert_eq(syns, 20000);
    cr_assert_eq(datagrams, 20000);
    cr_assert_eq(whole, 2);
    json_t *j = report("--max-connections 1024 --local " NODE);
    cr_assert_eq(sum(j, NULL, "packets"), 40016);
    char *text = json_dumps(json_object_get(j, "coverage"), 0);
    cr_assert_not_null(strstr(text, "ended early to make room for others"), "%s", text);
    free(text);
    json_decref(j);
    unlink(f.path);
}

Test(replay_cmd, synack_first_is_a_handshake_and_midstream_undecided, .init = need_root)
{
    pcapfile_start(&f, PCAPFILE_ETHERNET);
    packet_make_tcp(&p, "10.9.9.9", 4444, NODE, 50001, SEGMENT(PACKET_SYN | PACKET_ACK, 7, 8));
    pcapfile_packet(&f, 1.6e9, &p);
    packet_make_tcp(&p, "10.9.9.8", 5555, NODE, 50002, SEGMENT(PACKET_ACK, 7, 8, 10));
    pcapfile_packet(&f, 1.6e9 + 1, &p);
    pcapfile_end(&f);
    json_t *list = connections("--local " NODE);
    cr_assert_eq(json_array_size(list), 2);
    cr_assert_str_eq(string_of(list, 0, "direction"), "outbound");
    cr_assert_str_eq(string_of(list, 0, "evidence"), "handshake");
    cr_assert_str_eq(string_of(list, 0, "verdict"), "unexpected");
    cr_assert_str_eq(string_of(list, 1, "direction"), "unknown");
    cr_assert_str_eq(string_of(list, 1, "verdict"), "undecided");
    cr_assert_str_eq(string_of(list, 1, "reason"), "midstream");
    cr_assert_str_eq(string_of(list, 1, "initiator"), "10.9.9.8");
    json_decref(list);
    unlink(f.path);
}

Test(replay_cmd, self_transit_and_multicast, .init = need_root)
{
    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    packet_make_udp(&p, "10.7.0.1", 5000, "10.7.0.2", 5001, 10); /* between others */
    pcapfile_packet(&f, 1.6e9 + 1, &p);
    packet_make_udp(&p, "10.7.0.1", 5353, "224.0.0.251", 5353, 10);
    pcapfile_packet(&f, 1.6e9 + 2, &p);
    pcapfile_end(&f);
    json_t *j = report("--local " NODE " --local " CLIENT);
    cr_assert_eq(sum(j, NULL, "packets"), 10);
    cr_assert_eq(sum(j, "by_verdict", "transit"), 1);
    cr_assert_eq(sum(j, "by_direction", "transit"), 1);
    cr_assert_eq(sum(j, "by_direction", "inbound"), 9);
    json_decref(j);
    json_t *list = connections("--local " NODE " --local " CLIENT);
    cr_assert_eq(json_array_size(list), 2);
    cr_assert_str_eq(string_of(list, 0, "scope"), "self");
    cr_assert_str_eq(string_of(list, 0, "initiator"), CLIENT);
    cr_assert_eq(number_of(list, 0, "rx_packets"), 5);
    cr_assert_eq(number_of(list, 0, "tx_packets"), 3);
    cr_assert_str_eq(string_of(list, 1, "responder"), "224.0.0.251");
    json_decref(list);
    cr_assert_eq(run(REPLAY "--local 10.0.0.0/24 %s 2>&1 >/dev/null", f.path), 0);
    cr_assert_not_null(strstr(out, "prefixes cover 2 addresses"), "%s", out);
    unlink(f.path);
}

/* A capture does not show which cards are the node's: frames without a rule are never taken for another's. */
Test(replay_cmd, unknown_ethertypes_are_findings, .init = need_root)
{
    static const char *const macs[] = {"02:00:00:00:00:01", "02:00:00:00:00:09", "ff:ff:ff:ff:ff:ff"};

    for (int tc = 0; tc < 2; tc++) {
        pcapfile_start(&f, PCAPFILE_ETHERNET);
        smb(1.6e9, 40000, 1);
        for (size_t i = 0; i < 3; i++) {
            packet_start(&p);
            packet_ethernet(&p, &(struct packet_ethernet){
                .source = "02:00:00:00:00:07", .destination = macs[i], .type = PACKET_LIE(0x8915)});
            packet_bytes(&p, NULL, 50);
            packet_finish(&p);
            pcapfile_packet(&f, 1.6e9 + 1 + (double)i, &p);
        }
        pcapfile_end(&f);
        json_t *j = report(tc ? "--mode tc --local " NODE : "--local " NODE);
        cr_expect_eq(sum(j, "by_direction", "non_ip"), 3);
        cr_expect_eq(sum(j, "by_verdict", "unexpected"), 3);
        cr_expect_eq(json_array_size(json_object_get(j, "findings")), 3);
        json_decref(j);
        unlink(f.path);
    }
}

Test(replay_cmd, cut_records_count_their_original_length, .init = need_root)
{
    pcapfile_start(&f, PCAPFILE_ETHERNET);
    packet_make_tcp(&p, CLIENT, 40000, NODE, 445, SEGMENT(PACKET_SYN, 1, 0, 1400));
    pcapfile_record(&f, 1.6e9, p.data, 96, p.length);    /* headers complete */
    pcapfile_record(&f, 1.6e9 + 1, p.data, 40, p.length); /* cut within TCP */
    pcapfile_record(&f, 1.6e9 + 2, p.data, 20, p.length); /* within IP */
    pcapfile_record(&f, 1.6e9 + 3, p.data, 5, p.length);  /* within Ethernet */
    packet_make_tcp(&p, CLIENT, 40000, NODE, 445, SEGMENT(PACKET_ACK, 2, 1, 30000)); /* a merged buffer */
    pcapfile_packet(&f, 1.6e9 + 4, &p);
    pcapfile_end(&f);
    for (int tc = 0; tc < 2; tc++) {
        json_t *j = report(tc ? "--mode tc --local " NODE : "--local " NODE);
        cr_assert_eq(sum(j, NULL, "packets"), 5);
        cr_assert_eq(sum(j, NULL, "bytes"), 4 * 1454 + 30054);
        cr_assert_eq(sum(j, "by_direction", "undecodable"), 3);
        cr_assert_eq(sum(j, "by_verdict", "undecided"), 3);
        cr_assert_eq(sum(j, "by_direction", "inbound"), 2);
        char *text = json_dumps(json_object_get(j, "coverage"), 0);
        cr_assert_not_null(strstr(text, "cut short by the capture's snap length: 4 records"), "%s", text);
        cr_assert_not_null(strstr(text, "larger than an MTU of 1500: 1 record."), "%s", text);
        free(text);
        json_decref(j);
    }
    unlink(f.path);
}

/* `tcpdump -i any`: each packet on the slave (3) and the bond (2), a microsecond apart. */
static void any(double time, bool from_node, uint16_t id)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = from_node ? NODE : CLIENT, .destination = from_node ? CLIENT : NODE,
                                          .id = id});
    packet_udp(&p, &(struct packet_udp){.source = from_node ? 2049 : 900, .destination = from_node ? 900 : 2049,
                                        .payload_bytes = 40});
    packet_finish(&p);
    pcapfile_cooked2(&f, time, &p, from_node ? 4 : 0, 3);
    pcapfile_cooked2(&f, time + 2e-6, &p, from_node ? 4 : 0, 2);
}

Test(replay_cmd, copies_of_frames_are_found, .init = need_root)
{
    pcapfile_start(&f, PCAPFILE_COOKED2);
    for (unsigned i = 0; i < 40; i++)
        any(1.6e9 + i * .01, i % 2, (uint16_t)(i + 1));
    pcapfile_end(&f);
    cr_assert_eq(run(REPLAY "--local " NODE " %s 2>&1 >/dev/null", f.path), 0);
    cr_assert_not_null(strstr(out, "40 of 80 frames are copies"), "%s", out);
    json_t *j = report("--local " NODE " --dedup");
    cr_assert_eq(sum(j, NULL, "packets"), 40);
    cr_assert_eq(sum(j, "by_direction", "inbound"), 40);
    cr_assert_eq(sum(j, NULL, "bytes"), 40 * (82 + 6));
    json_decref(j);
    j = report("--local " NODE " --interface 2");
    cr_assert_eq(sum(j, NULL, "packets"), 40);
    json_decref(j);
    cr_assert_eq(run(REPLAY "--local " NODE " --interface 7 %s 2>&1 >/dev/null", f.path), 0);
    cr_assert_not_null(strstr(out, "no frame of interface '7'"), "%s", out);
    cr_assert_eq(run(REPLAY "--local auto --dedup %s 2>&1 >/dev/null", f.path), 0);
    cr_assert_not_null(strstr(out, "local is " NODE ": the capture says"), "%s", out);
    unlink(f.path);
}

Test(replay_cmd, local_auto_takes_who_talks_to_most, .init = need_root)
{
    char other[32];

    pcapfile_start(&f, PCAPFILE_ETHERNET);
    for (int i = 1; i <= 5; i++) {
        snprintf(other, sizeof(other), "10.3.0.%d", i);
        packet_make_udp(&p, other, 900, NODE, 2049, 10);
        memcpy(p.data + 6, "\2\3\4\5\6", 5);
        p.data[11] = (uint8_t)i;
        pcapfile_packet(&f, 1.6e9, &p);
    }
    packet_make_udp(&p, "fd00::2", 900, "fd00::9", 53, 10); /* the same card as the answer's */
    pcapfile_packet(&f, 1.6e9, &p);
    packet_make_udp(&p, NODE, 2049, "10.3.0.1", 900, 10);
    pcapfile_packet(&f, 1.6e9, &p);
    pcapfile_end(&f);
    cr_assert_eq(run(REPLAY "--local auto %s 2>&1 >/dev/null", f.path), 0);
    cr_assert_not_null(strstr(out, "local is " NODE ", fd00::2: it talks to 5 others"), "%s", out);
    cr_assert_eq(run("cat %s | " REPLAY "--local auto - 2>&1", f.path), 1);
    cr_assert_not_null(strstr(out, "cannot be read twice"), "%s", out);
    unlink(f.path);

    pcapfile_start(&f, PCAPFILE_ETHERNET); /* both ends with one MAC address: they are not one machine */
    smb(1.6e9, 40000, 1);
    pcapfile_end(&f);
    cr_assert_eq(run(REPLAY "--local auto %s 2>&1 >/dev/null", f.path), 0);
    cr_assert_not_null(strstr(out, "local is " NODE ": "), "%s", out);
    cr_assert_null(strstr(out, NODE ", "), "%s", out);
    cr_assert_null(strstr(out, CLIENT ", "), "%s", out);
    unlink(f.path);
}

static void expect_capture(const json_t *document, const char *name, const char *sha256)
{
    const json_t *list = json_object_get(document, "captures");

    cr_assert_eq(json_array_size(list), 1);
    cr_expect_str_eq(string_of(list, 0, "name"), name);
    cr_expect_str_eq(string_of(list, 0, "sha256"), sha256);
    cr_expect_eq(number_of(list, 0, "packets"), 9);
    cr_expect_eq(number_of(list, 0, "left_out"), 0);
    cr_expect_str_eq(string_of(list, 0, "from"), "2020-09-13T12:26:40.000000Z");
    cr_expect_str_eq(string_of(list, 0, "to"), "2020-09-13T12:26:42.000000Z");
    list = json_object_get(document, "local");
    cr_assert_eq(json_array_size(list), 2);
    cr_expect_str_eq(json_string_value(json_array_get(list, 0)), NODE);
    cr_expect_str_eq(json_string_value(json_array_get(list, 1)), "fd00::/64");
    cr_expect_str_eq(json_string_value(json_object_get(json_object_get(document, "answer"), "state")), "PROBED");
}

/* The checksum of a capture is that of the file as it is; a compressed pipe has none. */
Test(replay_cmd, every_format_names_captures_hashes_and_local_addresses, .init = need_root)
{
    static const char *const documents[] = {"--json", "--findings --json"};
    char sha256[65], zipped[65];

    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    packet_make_tcp(&p, "10.9.9.9", 4444, NODE, 23, SEGMENT(PACKET_SYN, 7));
    pcapfile_packet(&f, 1.6e9 + 2, &p);
    pcapfile_end(&f);
    cr_assert_eq(run("sha256sum <%s && gzip -c %s >%s.gz && sha256sum <%s.gz", f.path, f.path, f.path, f.path), 0);
    snprintf(sha256, sizeof(sha256), "%.64s", out);
    snprintf(zipped, sizeof(zipped), "%.64s", strchr(out, '\n') + 1);
#define LOCAL "--platform on-prem --local " NODE " --local fd00::/64"
    for (int i = 0; i < 2; i++) {
        json_t *j;

        cr_assert_eq(run(REPLAY LOCAL " %s %s 2>/dev/null", documents[i], f.path), 0);
        j = json_loads(out, 0, NULL);
        expect_capture(j, f.path, sha256);
        json_decref(j);
        cr_assert_eq(run(REPLAY LOCAL " %s - <%s 2>/dev/null", documents[i], f.path), 0);
        j = json_loads(out, 0, NULL);
        expect_capture(j, "standard input", sha256);
        json_decref(j);
        cr_assert_eq(run("gzip -c %s | " REPLAY LOCAL " %s - 2>/dev/null", f.path, documents[i]), 0);
        j = json_loads(out, 0, NULL);
        expect_capture(j, "standard input", "null");
        json_decref(j);
    }
    /* Also of a file that only its owner may read, as the process without rights may not. */
    cr_assert_eq(run("chmod 600 %s.gz && chown 65534 %s.gz", f.path, f.path), 0);
    cr_assert_eq(run(REPLAY LOCAL " - <%s.gz 2>/dev/null", f.path), 0);
    cr_expect_not_null(strstr(out, zipped), "%s", out);
    cr_assert_eq(run(REPLAY LOCAL " %s.gz 2>/dev/null", f.path), 0);
    cr_expect_not_null(strstr(out, zipped), "%s", out);
    cr_expect_not_null(strstr(out, "local       " NODE ", fd00::/64\n"), "%s", out);
    cr_assert_eq(run(REPLAY LOCAL " --format html %s 2>/dev/null", f.path), 0);
    cr_expect_not_null(strstr(out, sha256), "%.2000s", out);
    cr_expect_not_null(strstr(out, "<dt>Local</dt><dd>fd00::/64</dd>"), "%.2000s", out);
    run("rm -f %s %s.gz", f.path, f.path);
}

/* Anonymized output: no address and no name of the capture, in any format; the same key gives the same result. */
Test(replay_cmd, anonymized, .init = need_root)
{
    static const char *const formats[] = {"--format text", "--json", "--format html", "--connections", "--findings"};
    static char first[sizeof(out)];

    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    packet_make_tcp(&p, "10.9.9.9", 4444, NODE, 23, SEGMENT(PACKET_SYN, 7));
    pcapfile_packet(&f, 1.6e9, &p);
    pcapfile_end(&f);
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        cr_assert_eq(run(REPLAY LOCAL " --anonymize %s.key %s %s 2>/dev/null", f.path, formats[i], f.path), 0, "%s", formats[i]);
        cr_expect_null(strstr(out, NODE), "%s: %.2000s", formats[i], out);
        cr_expect_null(strstr(out, "10.9.9.9"), "%s: %.2000s", formats[i], out);
        cr_expect_null(strstr(out, f.path), "%s: %.2000s", formats[i], out);
        cr_expect(strlen(out) > 40, "%s", formats[i]);
        if (i == 1)
            snprintf(first, sizeof(first), "%s", out);
    }
    cr_assert_eq(run(REPLAY LOCAL " --anonymize %s.key --json %s 2>/dev/null", f.path, f.path), 0);
    cr_expect_str_eq(out, first);
    run("rm -f %s %s.key", f.path, f.path);
}

Test(replay_cmd, findings_only, .init = need_root)
{
    pcapfile_start(&f, PCAPFILE_ETHERNET);
    smb(1.6e9, 40000, 1);
    packet_make_tcp(&p, "10.9.9.9", 4444, NODE, 23, SEGMENT(PACKET_SYN, 7));
    pcapfile_packet(&f, 1.6e9, &p);
    pcapfile_end(&f);
    cr_assert_eq(run(REPLAY "--platform on-prem --local " NODE " --findings --json %s 2>/dev/null", f.path), 0);
    json_t *j = json_loads(out, 0, NULL), *list = json_object_get(j, "findings");
    cr_assert_eq(json_array_size(list), 1, "%s", out);
    cr_assert_eq(number_of(list, 0, "port"), 23);
    cr_assert_str_eq(string_of(list, 0, "outcome"), "attempted");
    json_decref(j);
    cr_assert_eq(run(REPLAY "--platform on-prem --local " NODE " --findings %s 2>/dev/null", f.path), 0);
    cr_assert_not_null(strstr(out, "tcp/23"), "%s", out);
    cr_assert_null(strstr(out, "445"), "%s", out);
    unlink(f.path);
}

/* With two hosts, the one on whose port a listed service is requested, whichever sends more. */
Test(replay_cmd, local_auto_takes_who_serves, .init = need_root)
{
    static const struct {
        uint16_t server_port, client_port;
    } ways[] = {{2049, 700}, {445, 50000}, {445, 445 + 20000}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        for (int first = 0; first < 2; first++) {
            pcapfile_start(&f, PCAPFILE_ETHERNET);
            for (unsigned k = 0; k < 6; k++) {
                if ((k % 3 == 0) == first)
                    packet_make_tcp(&p, NODE, ways[i].server_port, CLIENT, ways[i].client_port, SEGMENT(PACKET_ACK, 1, 1, 9));
                else
                    packet_make_tcp(&p, CLIENT, ways[i].client_port, NODE, ways[i].server_port, SEGMENT(PACKET_ACK, 1, 1, 9));
                pcapfile_packet(&f, 1.6e9 + k, &p);
            }
            pcapfile_end(&f);
            cr_assert_eq(run(REPLAY "--local auto %s 2>&1 >/dev/null", f.path), 0);
            cr_expect(strstr(out, "local is " NODE), "%zu, %d: %s", i, first, out);
            cr_expect(strstr(out, "inbound services were asked there"), "%s", out);
            unlink(f.path);
        }
}

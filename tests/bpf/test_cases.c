/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Small captures that were once judged wrongly, through `qportwatch replay` in both modes. The expectation is the list
 * of connections, one line each, and the undecided packets.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"
#include "oracle.h"
#include "thorough.h"

#define CASES "../shared/cases/"

struct expected {
    const char *file, *arguments;
    const char *connections; /* "direction protocol port verdict outcome; " of each, by first packets */
    const char *undecided;   /* as JSON */
};

static const struct expected cases[] = {
    {"kerberos_tso-4frames.pcap", "--local 172.16.0.211", "outbound tcp 88 allowed data; ", "{}"},
    {"public-bigtcp-ipv6-s128.pcap", "--local 2604:1380:4091:ce00::d", "unknown tcp 41219 undecided attempted; ",
     "{\"midstream\":1}"},
    {"fragsyn-refused.pcap", "--local 10.0.0.2", "inbound tcp 4444 unexpected refused; ", "{}"},
    {"wholesyn-refused.pcap", "--local 10.0.0.2", "inbound tcp 4444 unexpected refused; ", "{}"},
    {"mobile-ipv6__mip6_brr.pcap", "--local 2001:4f8:4:7:2e0:81ff:fe52:9a6b",
     "inbound 135 0 unexpected attempted; ", "{}"},
    {"r01_repeat_syn.pcap", "--local 10.91.0.1", "inbound tcp 7070 unexpected attempted; ", "{}"},
    {"r35b_sctp_refused.pcap", "--local 10.91.0.1", "inbound sctp 5001 unexpected refused; ", "{}"},
    {"r68_keepalive_unlisted.pcap", "--local 10.91.0.1", "inbound tcp 4444 unexpected answered; ", "{}"},
    {"own-rst-then-data.pcap", "--local 192.168.111.128", "outbound tcp 80 unexpected data; ", "{}"},
    {"self-syn.pcap", "--local 10.0.0.1 --local 10.0.0.2", "inbound tcp 2049 allowed answered; ", "{}"},
    {"self-synack-first.pcap", "--local 10.0.0.1 --local 10.0.0.2", "inbound tcp 2049 allowed answered; ", "{}"},
    {"r51_asym_long_txtag.pcap", "--local 10.91.0.1 --policy " CASES "vlan.policy",
     "inbound tcp 445 unexpected data; ", "{}"},
    {"mapped.pcap", "--local 10.0.0.1", "outbound udp 4444 unexpected attempted; ", "{\"ipv4-mapped-address\":1}"},
};

ParameterizedTestParameters(cases, as_they_should_be)
{
    enum { N = sizeof(cases) / sizeof(*cases) };
    unsigned *numbers = cr_malloc(N * sizeof(*numbers));

    for (unsigned i = 0; i < N; i++)
        numbers[i] = i;
    return cr_make_param_array(unsigned, numbers, N);
}

/* Append one line of --connections to text. */
static void add_line(char *text, size_t size, const char *line)
{
    json_t *c = json_loads(line, 0, NULL);
    const char *direction, *verdict, *outcome;
    const json_t *protocol;
    char number[16];
    size_t used = strlen(text);
    long long port;

    cr_assert_not_null(c, "%s", line);
    direction = json_string_value(json_object_get(c, "direction"));
    verdict = json_string_value(json_object_get(c, "verdict"));
    outcome = json_string_value(json_object_get(c, "outcome"));
    port = json_integer_value(json_object_get(c, "responder_port"));
    protocol = json_object_get(c, "protocol");
    snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(protocol));
    snprintf(text + used, size - used, "%s %s %lld %s %s; ", direction,
             json_is_string(protocol) ? json_string_value(protocol) : number, port, verdict, outcome);
    json_decref(c);
}

static void run(char *out, size_t size, const struct expected *e, const char *mode, const char *format)
{
    struct netns here = netns_here();
    int status = netns_output(&here, out, size, QPW_BUILD "/qportwatch replay --mode %s %s %s " CASES "%s 2>/dev/null",
                              mode, format, e->arguments, e->file);

    netns_close(&here);
    cr_assert_eq(status, 0, "%s: status %d: %.300s", e->file, status, out);
}

ParameterizedTest(unsigned *number, cases, as_they_should_be, .timeout = NETNS_TIMEOUT_S)
{
    static const char *const modes[] = {"xdp", "tc"};
    const struct expected *e = &cases[*number];
    static char out[1 << 20];

    netns_need_root();
    if (access(CASES "ORIGIN.md", R_OK))
        cr_skip_test("no " CASES "ORIGIN.md: nothing to replay");
    for (size_t i = 0; i < 2; i++) {
        char seen[2048] = "";
        json_t *report, *undecided;

        run(out, sizeof(out), e, modes[i], "--connections");
        for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
            add_line(seen, sizeof(seen), line);
        cr_expect_str_eq(seen, e->connections, "%s, %s: %s", e->file, modes[i], seen);
        if (i != *number % 2) /* undecided packets are counted alike by both programs: one of them per case */
            continue;
        run(out, sizeof(out), e, modes[i], "--json");
        report = json_loads(out, 0, NULL);
        cr_assert_not_null(report, "%.300s", out);
        undecided = json_loads(e->undecided, 0, NULL);
        cr_expect(json_equal(json_object_get(report, "undecided"), undecided), "%s, %s: %s", e->file, modes[i],
                  json_dumps(json_object_get(report, "undecided"), JSON_COMPACT));
        json_decref(report);
        json_decref(undecided);
    }
}

/*
 * Captures of two hosts, one of which serves files: --local auto selects it, so that everything is inbound, in both
 * programs.
 */
Test(cases, the_node_is_who_serves, .timeout = NETNS_TIMEOUT_S)
{
    static const struct {
        const char *file, *node;
        int packets, non_ip;
    } served[] = {
        {"sv-nfs4.pcap", "192.168.0.61", 81, 0},
        {"ndpi-nfsv3.pcap", "139.25.22.102", 128, 0},
        {"ndpi-smb-deletefile.pcap", "192.168.1.187", 101, 0},
        {"zeek-nfs-mount20048.pcap", "192.168.122.219", 153, 1},
        {"sv-dcerpc-krb-smb.pcap", "192.168.56.101", 647, 0},
    };
    static const char *const modes[] = {"xdp", "tc"};
    static char out[1 << 20];

    netns_need_root();
    if (!oracle_present())
        cr_skip_test("no " ORACLE_CAPTURES ": nothing to replay");
    for (size_t i = 0; i < 2 * sizeof(served) / sizeof(*served); i++) {
        struct netns here;
        int status;

        if (i % 2 != i / 2 % 2 && thorough_rounds(1, 0))
            continue; /* alternate the programs */
        here = netns_here();
        status = netns_output(&here, out, sizeof(out), QPW_BUILD "/qportwatch replay --platform on-prem --local auto "
                                  "--json --mode %s " ORACLE_CAPTURES "%s 2>/dev/null", modes[i % 2], served[i / 2].file);
        json_t *report, *totals, *local, *ways;

        netns_close(&here);
        cr_assert_eq(status, 0, "%s: %.300s", served[i / 2].file, out);
        report = json_loads(out, 0, NULL);
        local = json_object_get(report, "local");
        cr_expect_eq(json_array_size(local), 1, "%s", served[i / 2].file);
        cr_expect_str_eq(json_string_value(json_array_get(local, 0)), served[i / 2].node, "%s", served[i / 2].file);
        totals = json_object_get(report, "totals");
        ways = json_object_get(totals, "by_direction");
        cr_expect_eq(json_integer_value(json_object_get(totals, "packets")), served[i / 2].packets);
        cr_expect_eq(json_integer_value(json_object_get(ways, "non_ip")), served[i / 2].non_ip);
        cr_expect_eq(json_integer_value(json_object_get(ways, "inbound")), served[i / 2].packets - served[i / 2].non_ip,
                     "%s, %s", served[i / 2].file, modes[i % 2]);
        json_decref(report);
    }
}

/*
 * A capture with an Ethernet interface and one whose link type cannot be read as Ethernet: the latter's records are
 * left out, counted and reported. The capture is refused only if there is nothing else.
 */
Test(cases, records_of_other_link_types_are_left_out, .timeout = NETNS_TIMEOUT_S)
{
    static char out[1 << 20];
    struct netns here = netns_here();
    json_t *report;
    const json_t *capture;

    netns_need_root();
    if (access(CASES "eth+nflog.pcapng", R_OK))
        cr_skip_test("no " CASES "eth+nflog.pcapng: nothing to replay");
    cr_assert_eq(netns_output(&here, out, sizeof(out), QPW_BUILD "/qportwatch replay --platform on-prem --local 10.91.0.1 --json "
                              CASES "eth+nflog.pcapng 2>/dev/null"), 0, "%.300s", out);
    report = json_loads(out, 0, NULL);
    capture = json_array_get(json_object_get(report, "captures"), 0);
    cr_expect_eq(json_integer_value(json_object_get(capture, "packets")), 3);
    cr_expect_eq(json_integer_value(json_object_get(capture, "left_out")), 1);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(report, "totals"), "packets")), 3);
    json_decref(report);
    cr_expect_eq(netns_output(&here, out, sizeof(out), QPW_BUILD "/qportwatch replay --platform on-prem --local 10.91.0.1 "
                              CASES "eth+nflog.pcapng 2>&1"), 0);
    cr_expect(strstr(out, "left out because their link type cannot be replayed: 1 record, the first of link type 239 (NFLOG)"),
              "%s", out);

    /* Link type 239 in the header: nothing can be read. */
    cr_assert_eq(netns_output(&here, out, sizeof(out), "d=$(mktemp -d); { head -c 20 " CASES "r01_repeat_syn.pcap; "
                              "printf '\\357\\0\\0\\0'; tail -c +25 " CASES "r01_repeat_syn.pcap; } >$d/other.pcap; "
                              "for captures in $d/other.pcap \"$d/other.pcap " CASES "r01_repeat_syn.pcap\"; do for local in "
                              "10.91.0.1 auto; do " QPW_BUILD "/qportwatch replay --platform on-prem --local $local $captures "
                              ">/dev/null 2>$d/err; echo $?; grep -c 'link type 239 (NFLOG); Ethernet' $d/err; done; done; rm -r $d"),
                 0);
    cr_expect_str_eq(out, "2\n1\n2\n1\n0\n1\n0\n1\n");
    netns_close(&here);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A quarter and a year of history, made in minutes: what is asked of it, and what it takes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "history/history.h"
#include "netns.h"

#ifndef QPW_BUILD
#define QPW_BUILD "build"
#endif
#define PROGRAM QPW_BUILD "/qportwatch"
#define SECOND 1000000000ull
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static char folder[64], path[96];

static uint64_t now_ns(void)
{
    return (uint64_t)time(NULL) * SECOND;
}

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/qportwatch-history.XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/history.db", folder);
}

static void teardown(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(history_long, .init = setup, .fini = teardown);

/* The command's answer; how long it took goes to the test's output. */
static void ask(char *out, size_t size, const char *question)
{
    struct netns here = netns_here();
    struct timespec a, b;
    int status;

    clock_gettime(CLOCK_MONOTONIC, &a);
    status = netns_output(&here, out, size, PROGRAM " %s --history %s 2>&1", question, path);
    clock_gettime(CLOCK_MONOTONIC, &b);
    netns_close(&here);
    printf("    %s: %d, %.0f ms\n", question, status, (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6);
    cr_assert(status == 0 || status == 3, "%s: %s", question, out);
}

static void rule(struct qpw_snapshot *s, unsigned number, const char *name, const char *text)
{
    snprintf(s->rules[number].name, sizeof(s->rules->name), "%s", name);
    snprintf(s->rules[number].text, sizeof(s->rules->text), "%s", text);
    s->rules[number].direction = QPW_DIR_INBOUND;
    s->rules[number].verdict = QPW_VERDICT_ALLOWED;
    s->rules[number].in_force = 1;
}

static void address(uint8_t ret[16], unsigned host)
{
    memset(ret, 0, 16);
    ret[10] = ret[11] = 0xff;
    ret[12] = 10;
    ret[13] = (uint8_t)(host >> 16);
    ret[14] = (uint8_t)(host >> 8);
    ret[15] = (uint8_t)host;
}

/* ---- A quarter: a port is opened in week 3 and closed in week 9 ---- */

enum { SMB, NFS, BACKDOOR, QUARTER_METERS };

static void quarter(void)
{
    struct qpw_history_options options = {.path = path};
    struct qpw_history *h = qpw_history_new(&options);
    uint64_t begin = (now_ns() - 91 * DAY) / HOUR * HOUR;
    struct qpw_history_finding finding = {0};
    struct qpw_history_talker talkers[2] = {{.outcome = QPW_OUTCOME_DATA, .connections = 1, .process = "smbd"},
                                            {.outcome = QPW_OUTCOME_DATA, .connections = 1, .process = "nc"}};
    struct qpw_history_program program = {.path = "/usr/bin/nc"};
    struct qpw_history_result result;
    struct qpw_snapshot s = {0};
    static char open[] = "inbound tcp 445 SMB name=smb\ninbound tcp 2049 NFS name=nfs\n";

    s.rules = calloc(3, sizeof(*s.rules));
    s.n_rules = 3;
    rule(&s, 1, "smb", "inbound tcp 445 SMB name=smb");
    rule(&s, 2, "nfs", "inbound tcp 2049 NFS name=nfs");
    s.ifaces = calloc(1, sizeof(*s.ifaces));
    s.n_ifaces = 1;
    s.ifaces[0] = (struct qpw_iface_row){.iface.number = 1, .name = "eth0", .attached = true, .up = true};
    s.meters = calloc(QUARTER_METERS, sizeof(*s.meters));
    s.n_meters = QUARTER_METERS;
    s.meters[SMB].key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_ALLOWED, .port = 445, .rule = 1, .iface = 1};
    s.meters[NFS].key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_ALLOWED, .port = 2049, .rule = 2, .iface = 1};
    s.meters[BACKDOOR].key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED, .port = 4444, .iface = 1};
    s.from_unix_ns = s.meta.attached_unix_ns = begin;
    snprintf(s.meta.policy_digest, sizeof(s.meta.policy_digest), "sha256:quarter");
    address(talkers[0].remote, 5);
    address(talkers[1].remote, 99);
    talkers[0].key = s.meters[SMB].key;
    talkers[1].key = s.meters[BACKDOOR].key;
    finding.row.key = (struct qpw_finding_key){.port = 4444, .kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED};
    memcpy(finding.row.key.initiator, talkers[1].remote, 16);
    address(finding.row.key.responder, 1);
    finding.row.value = (struct qpw_finding){.outcome = QPW_OUTCOME_DATA, .evidence = QPW_EVIDENCE_HANDSHAKE, .iface = 1, .owner.comm = "nc"};
    finding.row.flow_id = qpw_finding_flow_id(&finding.row.key);
    for (uint64_t at = begin + HOUR; at <= now_ns(); at += HOUR) {
        uint64_t week = (at - begin) / (7 * DAY) + 1;
        struct qpw_history_input in = {.s = &s, .instance = 1, .talkers = talkers, .n_talkers = week >= 3 && week < 9 ? 2 : 1,
                                       .findings = &finding, .n_findings = week >= 3, .programs = &program, .n_programs = week >= 3,
                                       .policy_text = open, .policy_by = "root"};

        s.unix_ns = at;
        s.meters[SMB].counts.rx_packets += 1000;
        s.meters[SMB].counts.rx_bytes += 1000000;
        s.meters[SMB].counts.connections += 3;
        if (week == 1)
            s.meters[NFS].counts.rx_packets += 10;
        talkers[0].first_unix_ns = talkers[0].last_unix_ns = at;
        if (week >= 3 && week < 9) {
            s.meters[BACKDOOR].counts.rx_packets += 7;
            s.meters[BACKDOOR].counts.connections++;
            talkers[1].first_unix_ns = talkers[1].last_unix_ns = at;
            if (!program.first_unix_ns)
                program.first_unix_ns = finding.row.first_unix_ns = finding.row.answered_unix_ns = at;
            finding.row.last_unix_ns = at;
            finding.row.counts = s.meters[BACKDOOR].counts;
        }
        qpw_history_write(h, &in, &result);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    }
    qpw_history_free(h);
    qpw_snapshot_clear(&s);
}

Test(history_long, a_quarter_is_asked, .timeout = 600)
{
    static char out[1 << 20];

    quarter();
    ask(out, sizeof(out), "history --since 90d");
    cr_expect(strstr(out, "observed "), "%s", out);
    ask(out, sizeof(out), "history port tcp/4444");
    puts(out);
    cr_expect(strstr(out, "10.0.0.99") && strstr(out, "nc"), "%s", out);
    ask(out, sizeof(out), "history host 10.0.0.99");
    cr_expect(strstr(out, "tcp/4444") && strstr(out, "unexpected"), "%s", out);
    ask(out, sizeof(out), "history new --since 80d");
    puts(out);
    cr_expect(strstr(out, "/usr/bin/nc") && !strstr(out, "tcp/445 "), "%s", out);
    ask(out, sizeof(out), "history new --since 7d");
    cr_expect(strstr(out, "nothing"), "%s", out);
}

/* ---- A year: 5,000 meters, 100,000 remote ends ---- */

#define METERS 5000u
#define ACTIVE 200u /* of them, in each write */
#define TALKERS 100000u

Test(history_long, a_year_is_bounded, .timeout = 3000)
{
    static char out[8 << 20];
    struct qpw_history_options options = {.path = path};
    struct qpw_history *h = qpw_history_new(&options);
    struct qpw_history_talker *talkers = calloc(300, sizeof(*talkers));
    uint64_t begin = (now_ns() - 365 * DAY) / HOUR * HOUR, writes = 0;
    struct qpw_history_result result;
    struct timespec a, b;
    double spent = 0, longest = 0;
    struct qpw_snapshot s = {0};
    unsigned host = 0;
    struct stat st;

    s.rules = calloc(2, sizeof(*s.rules));
    s.n_rules = 2;
    rule(&s, 1, "smb", "inbound tcp 445 SMB name=smb");
    s.meters = calloc(METERS, sizeof(*s.meters));
    s.n_meters = METERS;
    s.from_unix_ns = s.meta.attached_unix_ns = begin;
    for (unsigned i = 0; i < METERS; i++)
        s.meters[i].key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND,
                                                 .verdict = i ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_ALLOWED, .port = (uint16_t)(445 + i), .rule = !i};
    for (uint64_t at = begin + HOUR; at <= now_ns(); at += HOUR, writes++) {
        struct qpw_history_input in = {.s = &s, .instance = 1, .talkers = talkers, .n_talkers = 20};
        double ms;

        s.unix_ns = at;
        for (unsigned i = 0; i < ACTIVE; i++)
            s.meters[(writes * 37 + i * 25) % METERS].counts.rx_packets += 1 + i;
        for (unsigned i = 0; i < in.n_talkers; i++) {
            talkers[i] = (struct qpw_history_talker){.key = s.meters[0].key, .first_unix_ns = at, .last_unix_ns = at, .connections = 1,
                                                     .outcome = i % 2 ? QPW_OUTCOME_ANSWERED : QPW_OUTCOME_ATTEMPTED};
            address(talkers[i].remote, host++ % TALKERS);
        }
        clock_gettime(CLOCK_MONOTONIC, &a);
        qpw_history_write(h, &in, &result);
        clock_gettime(CLOCK_MONOTONIC, &b);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
        ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
        spent += ms;
        longest = ms > longest ? ms : longest;
    }
    qpw_history_free(h);
    cr_assert_eq(stat(path, &st), 0);
    printf("    %llu writes, %.2f ms each, %.1f ms at most, %.1f MB\n", (unsigned long long)writes, spent / (double)writes, longest, (double)st.st_size / 1e6);
    cr_expect_leq(st.st_size, (off_t)QPW_HISTORY_BYTES);
    ask(out, sizeof(out), "history --since 365d");
    ask(out, sizeof(out), "history --since 365d --by day");
    ask(out, sizeof(out), "history port tcp/445");
    ask(out, sizeof(out), "history host 10.0.0.99");
    ask(out, sizeof(out), "history new --since 7d");
    free(talkers);
    qpw_snapshot_clear(&s);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A quarter and a year of history, made in minutes: what is asked of it, and what it takes. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

static double ms_of(int who)
{
    struct rusage used;

    getrusage(who, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

/* The command's answer; the CPU time that it took goes to the test's output. */
static int ask(char *ret, size_t size, const char *question)
{
    struct netns here = netns_here();
    double before = ms_of(RUSAGE_CHILDREN);
    int status = netns_output(&here, ret, size, "COLUMNS=200 " PROGRAM " %s --history %s 2>&1", question, path);

    netns_close(&here);
    printf("    %s: %d, %.0f ms of CPU\n", question, status, ms_of(RUSAGE_CHILDREN) - before);
    return status;
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

/* ---- A quarter: a port is opened in week 3 and closed in week 9; in week 6 nobody watches for five hours ---- */

enum { SMB, NFS, BACKDOOR, QUARTER_METERS };
#define OPENED 3
#define BLIND_WEEK 6
#define BLIND_HOURS 5
#define CLOSED 9
#define SSH_WEEK 5 /* a second policy, with a rule that nothing uses */
#define QUARTER_DAYS 91

struct quarter {
    uint64_t begin;
    struct qpw_snapshot s;
    struct qpw_history_finding finding;
    struct qpw_history_talker talkers[4];
    struct qpw_history_listener listener;
    struct qpw_history_program program;
    uint64_t smb_hours; /* seen */
};

static uint64_t week(const struct quarter *q, unsigned number)
{
    return q->begin + (number - 1) * 7 * DAY;
}

static struct qpw_meter_key port_key(uint16_t port, uint8_t verdict, uint16_t used)
{
    return (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND, .verdict = verdict, .port = port, .rule = used, .iface = 1};
}

static void talker(struct qpw_history_talker *t, const struct qpw_meter_key *key, unsigned host, unsigned connections, const char *process)
{
    *t = (struct qpw_history_talker){.key = *key, .outcome = QPW_OUTCOME_DATA, .connections = connections};
    address(t->remote, host);
    snprintf(t->process, sizeof(t->process), "%s", process);
}

static void open_quarter(struct quarter *q)
{
    struct qpw_snapshot *s = &q->s;

    *q = (struct quarter){.begin = (now_ns() - QUARTER_DAYS * DAY) / DAY * DAY};
    s->rules = calloc(4, sizeof(*s->rules));
    s->n_rules = 3;
    rule(s, 1, "smb", "inbound tcp 445 SMB name=smb");
    rule(s, 2, "nfs", "inbound tcp 2049 NFS name=nfs");
    s->ifaces = calloc(1, sizeof(*s->ifaces));
    s->n_ifaces = 1;
    s->ifaces[0] = (struct qpw_iface_row){.iface.number = 1, .name = "eth0", .attached = true, .up = true};
    s->meters = calloc(QUARTER_METERS, sizeof(*s->meters));
    s->n_meters = QUARTER_METERS;
    s->meters[SMB].key = port_key(445, QPW_VERDICT_ALLOWED, 1);
    s->meters[NFS].key = port_key(2049, QPW_VERDICT_ALLOWED, 2);
    s->meters[BACKDOOR].key = port_key(4444, QPW_VERDICT_UNEXPECTED, 0);
    s->from_unix_ns = s->meta.attached_unix_ns = q->begin;
    snprintf(s->host, sizeof(s->host), "node7");
    snprintf(s->meta.policy_name, sizeof(s->meta.policy_name), "site");
    snprintf(s->meta.policy_digest, sizeof(s->meta.policy_digest), "sha256:1111");
    talker(&q->talkers[0], &s->meters[SMB].key, 5, 2, "smbd");
    talker(&q->talkers[1], &s->meters[SMB].key, 6, 1, "smbd");
    talker(&q->talkers[2], &s->meters[NFS].key, 7, 1, "");
    talker(&q->talkers[3], &s->meters[BACKDOOR].key, 99, 1, "nc");
    q->finding.row.key = (struct qpw_finding_key){.port = 4444, .kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED};
    memcpy(q->finding.row.key.initiator, q->talkers[3].remote, 16);
    address(q->finding.row.key.responder, 1);
    q->finding.row.value = (struct qpw_finding){.outcome = QPW_OUTCOME_DATA, .evidence = QPW_EVIDENCE_HANDSHAKE, .iface = 1, .owner.comm = "nc"};
    q->finding.row.flow_id = qpw_finding_flow_id(&q->finding.row.key);
    q->listener = (struct qpw_history_listener){.protocol = 6, .port = 4444, .program = "/usr/bin/nc"};
    q->program = (struct qpw_history_program){.path = "/usr/bin/nc"};
}

/* What the hour that ends at `at` adds, and who took part: in order, as frames have them. Returns how many. */
static size_t pass_hour(struct quarter *q, uint64_t at, struct qpw_history_talker *ret)
{
    uint64_t start = at - HOUR;
    struct qpw_meter_row *m = q->s.meters;
    size_t n = 0;

    m[SMB].counts.connections += 3;
    m[SMB].counts.rx_packets += 1000;
    m[SMB].counts.rx_bytes += 1000000;
    q->smb_hours++;
    ret[n++] = q->talkers[0];
    ret[n++] = q->talkers[1];
    if (start < week(q, 2)) {
        m[NFS].counts.connections++;
        m[NFS].counts.rx_packets += 10;
        ret[n++] = q->talkers[2];
    }
    if (start >= week(q, OPENED) && start < week(q, CLOSED)) {
        m[BACKDOOR].counts.connections++;
        m[BACKDOOR].counts.rx_packets += 7;
        ret[n++] = q->talkers[3];
        if (!q->program.first_unix_ns)
            q->program.first_unix_ns = q->listener.first_unix_ns = at - 60 * SECOND;
        if (!q->finding.row.first_unix_ns)
            q->finding.row.first_unix_ns = q->finding.row.answered_unix_ns = at - 60 * SECOND;
        q->finding.row.last_unix_ns = at - 60 * SECOND;
        q->finding.row.counts = m[BACKDOOR].counts;
    }
    for (size_t i = 0; i < n; i++)
        ret[i].first_unix_ns = ret[i].last_unix_ns = at - 60 * SECOND;
    return n;
}

/* Killed, the programs gone; another attachment after some hours. */
static void attach_again(struct quarter *q, uint64_t at)
{
    q->s.from_unix_ns = q->s.meta.attached_unix_ns = at;
    for (unsigned i = 0; i < QUARTER_METERS; i++)
        q->s.meters[i].counts = (struct qpw_counts){0};
    q->finding.row.first_unix_ns = 0;
}

static void write_quarter(struct quarter *q)
{
    static const char *const texts[] = {"inbound tcp 445 SMB name=smb\ninbound tcp 2049 NFS name=nfs\n",
                                        "inbound tcp 445 SMB name=smb\ninbound tcp 2049 NFS name=nfs\ninbound tcp 22 SSH name=ssh\n"};
    struct qpw_history *h = qpw_history_new(&(struct qpw_history_options){.path = path});
    struct qpw_history_talker talkers[4];
    struct qpw_history_result result;

    open_quarter(q);
    for (uint64_t at = q->begin + HOUR; at <= now_ns(); at += HOUR) {
        uint64_t start = at - HOUR, blind = week(q, BLIND_WEEK);
        bool second = start >= week(q, SSH_WEEK), found = start >= week(q, OPENED);
        struct qpw_history_input in = {.s = &q->s, .instance = 1, .talkers = talkers, .policy_text = texts[second], .policy_by = second ? "alice" : "root",
                                       .policy_unix_ns = second ? week(q, SSH_WEEK) : q->begin, .findings = &q->finding, .n_findings = found,
                                       .programs = &q->program, .n_programs = found, .listeners = &q->listener, .n_listeners = found};

        if (start >= blind && start < blind + BLIND_HOURS * HOUR)
            continue;
        if (start == blind + BLIND_HOURS * HOUR)
            attach_again(q, start);
        if (second && q->s.n_rules == 3) {
            rule(&q->s, 3, "ssh", "inbound tcp 22 SSH name=ssh");
            q->s.n_rules = 4;
            snprintf(q->s.meta.policy_digest, sizeof(q->s.meta.policy_digest), "sha256:2222");
        }
        in.n_talkers = pass_hour(q, at, talkers);
        q->s.unix_ns = at;
        qpw_history_write(h, &in, &result);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    }
    qpw_history_free(h);
}

/* "2026-03-14" or with the time, of that moment. */
static const char *moment(uint64_t unix_ns, const char *format)
{
    static char text[4][40];
    static unsigned next;
    time_t at = (time_t)(unix_ns / SECOND);
    struct tm tm;

    next = (next + 1) % 4;
    strftime(text[next], sizeof(text[next]), format, gmtime_r(&at, &tm));
    return text[next];
}
#define DAY_OF(ns) moment(ns, "%Y-%m-%d")
#define TIME_OF(ns) moment(ns, "%Y-%m-%d %H:%M:%SZ")

static char out[1 << 20];

static void answers(int status, const char *question, const char *const *wanted)
{
    int r = ask(out, sizeof(out), question);

    cr_expect_eq(r, status, "%s: %d: %s", question, r, out);
    for (; *wanted; wanted++)
        cr_expect(**wanted == '!' ? !strstr(out, *wanted + 1) : !!strstr(out, *wanted), "%s: '%s' in: %s", question, *wanted, out);
}
#define ANSWERS(status, question, ...) answers(status, question, (const char *const[]){__VA_ARGS__, NULL})

/* A line of a table, blanks folded. */
static const char *row(const char *format, ...)
{
    static char text[8][256];
    static unsigned next;
    va_list args;

    next = (next + 1) % 8;
    va_start(args, format);
    vsnprintf(text[next], sizeof(text[next]), format, args);
    va_end(args);
    return text[next];
}

static void fold_blanks(void)
{
    char *to = out;

    for (const char *at = out; *at; at++)
        if (*at != ' ' || (to > out && to[-1] != ' ' && to[-1] != '\n'))
            *to++ = *at;
    *to = '\0';
}

static void line(const char *question, const char *wanted)
{
    cr_expect(strstr(out, wanted), "%s: '%s' in: %s", question, wanted, out);
}

Test(history_long, a_quarter_is_asked, .timeout = 600)
{
    struct quarter q;
    char question[256];
    uint64_t first, last;

    write_quarter(&q);
    first = week(&q, OPENED) + HOUR - 60 * SECOND;
    last = week(&q, CLOSED) - 60 * SECOND;

    /* When was it opened, by which program, who used it, and how much? */
    ANSWERS(0, "history port tcp/4444", "observed ");
    fold_blanks();
    line("port", row("\n10.0.0.99 inbound tcp/4444 unexpected data %s %s %s nc", "1,003", TIME_OF(first), TIME_OF(last)));
    line("first day", row("\n%s 24 168 0 B 168 #", DAY_OF(week(&q, OPENED))));
    line("day with a gap", row("\n%s 19 133 0 B 133 #", DAY_OF(week(&q, BLIND_WEEK))));
    line("last day", row("\n%s 24 168 0 B 168 #", DAY_OF(last)));
    cr_expect_null(strstr(out, DAY_OF(week(&q, OPENED) - HOUR)), "%s", out);
    cr_expect_null(strstr(out, row("\n%s", DAY_OF(week(&q, CLOSED)))), "%s", out);
    snprintf(question, sizeof(question), "history new --since %s --until %s", DAY_OF(week(&q, OPENED)), DAY_OF(week(&q, OPENED + 1)));
    ANSWERS(0, question, "!445", "!10.0.0.5");
    fold_blanks();
    line("program", row("\n%s program /usr/bin/nc", TIME_OF(first)));
    line("listener", row("\n%s listener /usr/bin/nc inbound tcp/4444", TIME_OF(first)));
    line("host", row("\n%s host 10.0.0.99 inbound tcp/4444 unexpected", TIME_OF(first)));
    line("service", row("\n%s service inbound tcp/4444 unexpected", TIME_OF(week(&q, OPENED) + HOUR - SECOND)));
    snprintf(question, sizeof(question), "history new --since %s", DAY_OF(week(&q, OPENED + 1)));
    ANSWERS(0, question, "nothing was counted");
    ANSWERS(0, "history host 10.0.0.99", "tcp/4444", "1,003", "!tcp/445");
    ANSWERS(0, "history host 10.0.0.7", "tcp/2049", "168");

    /* Which policy was in force, and who loaded it? */
    ANSWERS(0, "policy log", "@1 ", "@2 ");
    fold_blanks();
    line("first", row("\n@1 %s site sha256:1111 root", TIME_OF(q.begin)));
    line("second", row("\n@2 %s site sha256:2222 alice", TIME_OF(week(&q, SSH_WEEK))));
    ANSWERS(3, "policy diff @1 @2", "now allowed: inbound tcp 22 (SSH) from any");

    /* What was it like then, and what is it like now? */
    snprintf(question, sizeof(question), "report --since %s --until %s", DAY_OF(week(&q, OPENED)), DAY_OF(week(&q, CLOSED)));
    ANSWERS(0, question, "ACTION NEEDED: 1 service answered", "tcp/4444", "node7", "not known: the history does not keep it");
    snprintf(question, sizeof(question), "report --since %s --until %s", DAY_OF(q.begin), DAY_OF(week(&q, OPENED)));
    ANSWERS(0, question, "CLEAN", "!4444");
    snprintf(question, sizeof(question), "report --since %s --until %s", DAY_OF(week(&q, CLOSED + 1)), DAY_OF(week(&q, CLOSED + 2)));
    ANSWERS(0, question, "CLEAN", "!4444");

    /* Which rules does nobody need, and since when? Not said where too much was not seen. */
    snprintf(question, sizeof(question), "policy unused --since %s --until %s", DAY_OF(week(&q, 2)), DAY_OF(week(&q, 13)));
    ANSWERS(0, question, "Rules with no traffic in ", "!smb");
    fold_blanks();
    line("nfs", row("\nnfs %s inbound tcp 2049 NFS name=nfs", TIME_OF(week(&q, 2) - SECOND)));
    line("ssh", row("\nssh never %s inbound tcp 22 SSH name=ssh", TIME_OF(week(&q, SSH_WEEK) + HOUR - SECOND)));
    snprintf(question, sizeof(question), "policy unused --since %s --until %s", DAY_OF(week(&q, BLIND_WEEK)), DAY_OF(week(&q, BLIND_WEEK + 1)));
    ANSWERS(1, question, "no rule is called unused: 5 h", "of 7 d was not seen");

    /* Who would be hit without a rule? */
    ANSWERS(3, "policy test --without smb", "10.0.0.5", "10.0.0.6", "!10.0.0.99", "!10.0.0.7");
    fold_blanks();
    line("who", row("\ninbound tcp/445 10.0.0.5 this node allowed unexpected smb "));
    line("users", row("\nsmb 10.0.0.5 "));
    ANSWERS(3, "policy test --without nfs", "10.0.0.7", "!10.0.0.5");
    ANSWERS(0, "policy test --without ssh", "0 of ");

    /* When did nobody watch? */
    snprintf(question, sizeof(question), "history --since %s --until %s", DAY_OF(week(&q, BLIND_WEEK)), DAY_OF(week(&q, BLIND_WEEK + 1)));
    ANSWERS(0, question, "not seen: 5 h");
    snprintf(question, sizeof(question), "history --since %s --until %s", DAY_OF(week(&q, 2)), DAY_OF(week(&q, 3)));
    ANSWERS(0, question, "!not seen");

    /* On whichever machine it is asked, it is about that node, under the policy of then. */
    snprintf(question, sizeof(question), "history --json --since %s --until %s", DAY_OF(week(&q, 2)), DAY_OF(week(&q, 3)));
    ANSWERS(0, question, "\"host\": \"node7\"", "\"digest\": \"sha256:1111\"", "\"span\": \"day\"", "\"blind_seconds\": 0");
    ANSWERS(0, "policy log --json", "\"host\": \"node7\"", "\"by\": \"alice\"");
    qpw_snapshot_clear(&q.s);
}

/* ---- A year: 5,000 meters, 100,000 remote ends ---- */

#define METERS 5000u
#define ACTIVE 200u /* of them, in each write */
#define TALKERS 100000u

/* The busiest minute that there may be: every meter has moved, and as many remote ends as there is room for. */
static void crowd(struct qpw_history *h, struct qpw_snapshot *s, struct qpw_history_talker *talkers, size_t n)
{
    struct qpw_history_input in = {.s = s, .instance = 1, .talkers = talkers, .n_talkers = n};
    struct qpw_history_result result;
    double before;

    for (size_t i = 0; i < n; i++) {
        talkers[i] = (struct qpw_history_talker){.key = s->meters[0].key, .first_unix_ns = s->unix_ns, .last_unix_ns = s->unix_ns, .connections = 1,
                                                 .outcome = QPW_OUTCOME_ANSWERED};
        address(talkers[i].remote, (unsigned)i);
    }
    before = ms_of(RUSAGE_SELF);
    for (unsigned round = 0; round < 10; round++) {
        s->unix_ns += 60 * SECOND;
        for (unsigned i = 0; i < METERS; i++)
            s->meters[i].counts.rx_packets++;
        qpw_history_write(h, &in, &result);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    }
    printf("    with all meters moving: %.1f ms of CPU\n", (ms_of(RUSAGE_SELF) - before) / 10);
}

Test(history_long, a_year_is_bounded, .timeout = 3000)
{
    static char out_year[16 << 20];
    static const char *const questions[] = {"history --since 365d", "history --since 365d --by day", "history --since 365d --by hour", "history port tcp/445",
                                            "history host 10.0.0.99", "history new --since 7d", "report --since 365d", "policy unused --since 365d",
                                            "policy test --without smb --since 365d"};
    struct qpw_history_options options = {.path = path};
    struct qpw_history *h = qpw_history_new(&options);
    struct qpw_history_talker *talkers = calloc(300, sizeof(*talkers));
    uint64_t begin = (now_ns() - 365 * DAY) / HOUR * HOUR, writes = 0;
    struct qpw_history_result result;
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
        struct qpw_history_input in = {.s = &s, .instance = 1, .talkers = talkers, .n_talkers = 20, .policy_text = "inbound tcp 445 SMB name=smb\n"};
        double ms;

        s.unix_ns = at;
        for (unsigned i = 0; i < ACTIVE; i++)
            s.meters[(writes * 37 + i * 25) % METERS].counts.rx_packets += 1 + i;
        for (unsigned i = 0; i < in.n_talkers; i++) {
            talkers[i] = (struct qpw_history_talker){.key = s.meters[0].key, .first_unix_ns = at, .last_unix_ns = at, .connections = 1,
                                                     .outcome = i % 2 ? QPW_OUTCOME_ANSWERED : QPW_OUTCOME_ATTEMPTED};
            address(talkers[i].remote, host++ % TALKERS);
        }
        ms = ms_of(RUSAGE_SELF);
        qpw_history_write(h, &in, &result);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
        ms = ms_of(RUSAGE_SELF) - ms;
        spent += ms;
        longest = ms > longest ? ms : longest;
    }
    crowd(h, &s, talkers, 300);
    qpw_history_free(h);
    cr_assert_eq(stat(path, &st), 0);
    printf("    %llu writes, %.2f ms of CPU each, %.1f ms at most, %.1f MB\n", (unsigned long long)writes, spent / (double)writes, longest, (double)st.st_size / 1e6);
    cr_expect_leq(st.st_size, (off_t)QPW_HISTORY_BYTES);
    for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
        int status = ask(out_year, sizeof(out_year), questions[i]);

        cr_expect(status == 0 || status == 3, "%s: %d: %.500s", questions[i], status, out_year);
    }
    free(talkers);
    qpw_snapshot_clear(&s);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A history read back equals what was written, fact by fact; and facts that only a history has. */
#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "advice/what_if.h"
#include "facts/findings.h"
#include "facts/life.h"
#include "facts/meters.h"
#include "facts/report.h"
#include "history/read.h"
#include "sample.h"
#include "util/names.h"

#define SECOND 1000000000ull

static char folder[64], path[96];
static struct qpw_snapshot live, past;
static struct qpw_history *h;
static struct qpw_history_reader *r;
static struct qpw_history_result result;
static struct qpw_error err;

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/qportwatch-history.XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/history.db", folder);
    h = qpw_history_new(&(struct qpw_history_options){.path = path});
}

static void teardown(void)
{
    char command[128];

    qpw_history_close(r);
    qpw_history_free(h);
    qpw_snapshot_clear(&live);
    qpw_snapshot_clear(&past);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(history_read, .init = setup, .fini = teardown);

static void write_live(struct qpw_history_input *in)
{
    struct qpw_history_finding *findings = calloc(live.n_findings + 1, sizeof(*findings));

    for (size_t i = 0; i < live.n_findings; i++) {
        struct qpw_finding_life life = qpw_finding_life(&live.findings[i]);

        findings[i] = (struct qpw_history_finding){.row = live.findings[i], .state = life.state, .closed = life.by, .state_unix_ns = life.when_unix_ns};
    }
    in->s = &live;
    in->instance = 1;
    in->findings = findings;
    in->n_findings = live.n_findings;
    qpw_history_write(h, in, &result);
    free(findings);
    cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
}

static void sample(unsigned tick)
{
    qpw_snapshot_clear(&live);
    sample_snapshot(&live, tick);
    live.meta.attached_unix_ns = SAMPLE_START_NS;
}

static void read_all(void)
{
    struct qpw_history_window all = {0};

    qpw_history_close(r);
    r = NULL;
    qpw_snapshot_clear(&past);
    cr_assert_eq(qpw_history_open(path, &r, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_history_snapshot(r, &all, live.unix_ns, &past, &err), 0, "%s", err.text);
}

/* ---- The same facts ---- */

Test(history_read, facts_are_those_of_the_snapshot)
{
    struct qpw_history_input in = {0};
    struct qpw_totals before, after;
    struct qpw_meter_sum *a, *b;
    struct qpw_report report;
    size_t n, m, found = 0;

    for (unsigned tick = 0; tick < 600; tick += 60) {
        sample(tick);
        write_live(&in);
    }
    read_all();
    qpw_totals_of(&live, &before);
    qpw_totals_of(&past, &after);
    cr_expect_eq(memcmp(&before, &after, sizeof(before)), 0, "totals differ");
    cr_assert_eq(qpw_meters_sum(&live, &a, &n), 0);
    cr_assert_eq(qpw_meters_sum(&past, &b, &m), 0);
    cr_expect_eq(n, m, "%zu rows of traffic, not %zu", m, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            found += a[i].key.port == b[j].key.port && a[i].key.protocol == b[j].key.protocol && a[i].key.direction == b[j].key.direction &&
                     a[i].key.verdict == b[j].key.verdict && a[i].key.scope == b[j].key.scope && !memcmp(&a[i].counts, &b[j].counts, sizeof(a[i].counts)) &&
                     !strcmp(qpw_snapshot_rule(&live, a[i].key.rule), qpw_snapshot_rule(&past, b[j].key.rule)) &&
                     !strcmp(qpw_snapshot_iface(&live, a[i].key.iface), qpw_snapshot_iface(&past, b[j].key.iface));
    cr_expect_geq(found, n);
    free(a);
    free(b);
    cr_expect_eq(past.n_findings, live.n_findings);
    for (size_t i = 0; i < live.n_findings; i++)
        for (size_t j = 0; j < past.n_findings; j++)
            if (past.findings[j].flow_id == live.findings[i].flow_id) {
                cr_expect_eq(memcmp(&past.findings[j].key, &live.findings[i].key, sizeof(past.findings[j].key)), 0);
                cr_expect_eq(memcmp(&past.findings[j].counts, &live.findings[i].counts, sizeof(past.findings[j].counts)), 0);
                cr_expect_eq(past.findings[j].value.outcome, live.findings[i].value.outcome);
                cr_expect_eq(past.findings[j].first_unix_ns, live.findings[i].first_unix_ns);
            }
    cr_assert_eq(qpw_report_make(&past, 0, &report), 0);
    cr_expect_eq(report.answer.state, QPW_ANSWER_ACTION_NEEDED);
    qpw_report_clear(&report);
}

static bool same_row(const struct qpw_what_if_row *a, const struct qpw_what_if_row *b)
{
    return a->kind == b->kind && a->protocol == b->protocol && a->direction == b->direction && a->port == b->port &&
           a->old_verdict == b->old_verdict && a->new_verdict == b->new_verdict && a->by_address == b->by_address &&
           a->uncertain == b->uncertain && a->packets == b->packets && a->connections == b->connections && !strcmp(a->old_rule, b->old_rule) &&
           !strcmp(a->new_rule, b->new_rule) && !memcmp(a->initiator, b->initiator, 16) && !memcmp(a->responder, b->responder, 16);
}

/* Another policy gives the same verdicts for recorded traffic as for the traffic itself. */
Test(history_read, what_if_is_that_of_the_snapshot)
{
    static const char *const policies[] = {"inbound tcp 2049 NFS name=nfs\n", "inbound tcp any everything\n",
                                           "inbound tcp 445 SMB name=smb from=10.0.0.0/8\noutbound tcp 389 LDAP name=ldap\n"};
    struct qpw_history_input in = {0};

    sample(0);
    write_live(&in);
    sample(60);
    write_live(&in);
    read_all();
    for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
        struct qpw_policy policy = {0};
        struct qpw_what_if a = {0}, b = {0};
        size_t found = 0;

        cr_assert_eq(qpw_policy_parse_text("new", policies[i], strlen(policies[i]), &policy, &err), 0, "%s", err.text);
        cr_assert_eq(qpw_policy_what_if(&(struct qpw_what_if_traffic){&live}, &policy, 0, &a, &err), 0, "%s", err.text);
        cr_assert_eq(qpw_policy_what_if(&(struct qpw_what_if_traffic){&past}, &policy, 0, &b, &err), 0, "%s", err.text);
        cr_expect_gt(a.n, 0);
        cr_expect_eq(a.n, b.n, "policy %zu: %zu rows, not %zu", i, b.n, a.n);
        cr_expect_eq(a.packets, b.packets);
        cr_expect_eq(a.changed, b.changed);
        cr_expect_eq(a.uncertain, b.uncertain);
        for (size_t j = 0; j < a.n; j++)
            for (size_t k = 0; k < b.n; k++)
                found += same_row(&a.rows[j], &b.rows[k]);
        cr_expect_eq(found, a.n, "policy %zu: %zu of %zu rows alike", i, found, a.n);
        qpw_what_if_clear(&a);
        qpw_what_if_clear(&b);
        qpw_policy_clear(&policy);
    }
}

/* ---- What only a history knows ---- */

struct rules {
    unsigned unused, used;
    int64_t last;
};

static bool count_rule(const struct qpw_history_rule *rule, void *arg)
{
    struct rules *rules = arg;
    bool used = rule->counts.rx_packets + rule->counts.tx_packets > 0;

    rules->unused += rule->in_force && !used;
    rules->used += used;
    if (rule->last > rules->last)
        rules->last = rule->last;
    return true;
}

Test(history_read, rules_have_a_last_use)
{
    struct qpw_history_input in = {0};
    struct qpw_history_window later = {.since = (int64_t)((SAMPLE_NOW_NS + 3600 * SECOND) / SECOND)};
    struct rules all = {0}, none = {0};

    sample(0);
    write_live(&in);
    read_all();
    cr_assert_eq(qpw_history_rules(r, &(struct qpw_history_window){0}, count_rule, &all, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_history_rules(r, &later, count_rule, &none, &err), 0, "%s", err.text);
    cr_expect_gt(all.used, 0);
    cr_expect_eq(none.used, 0);
    cr_expect_eq(none.unused, all.used + all.unused);
    cr_expect_eq(none.last, all.last, "last used, whatever the time asked about");
    cr_expect_eq(all.last, (int64_t)((SAMPLE_NOW_NS - 1) / SECOND));
}

/* Time without monitoring does not count as time in which something was unused. */
Test(history_read, what_was_not_seen_is_stated)
{
    struct qpw_history_input in = {0};
    struct qpw_history_window window = {.since = (int64_t)(SAMPLE_START_NS / SECOND) - 3600};
    int64_t now = (int64_t)(SAMPLE_NOW_NS / SECOND);
    struct qpw_history_observed seen;

    sample(0);
    write_live(&in);
    read_all();
    cr_assert_eq(qpw_history_observed(r, &window, now, &seen, &err), 0);
    cr_expect_eq(seen.asked, 7200);
    cr_expect_eq(seen.from, (int64_t)(SAMPLE_START_NS / SECOND));
    cr_expect_eq(seen.to, now);
    cr_expect_geq(seen.blind, 3600, "before it was attached nothing was seen");
    cr_assert_eq(qpw_history_observed(r, &window, now + 3600, &seen, &err), 0);
    cr_expect_geq(seen.blind, 3600 + 3600 - 1, "after the last write neither");
    window = (struct qpw_history_window){.since = 1000, .until = 2000};
    cr_assert_eq(qpw_history_observed(r, &window, now, &seen, &err), 0);
    cr_expect_eq(seen.blind, 1000);
    cr_expect_eq(seen.to, 0);
}

/* Return the result of opening it without privileges: 0 or the negative number. */
static int read_as_nobody(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
            _exit(99);
        status = qpw_history_open(path, &r, &err);
        _exit(status == 0 && qpw_history_snapshot(r, &(struct qpw_history_window){0}, live.unix_ns, &past, &err) == 0 && past.n_meters == live.n_meters ? 0
              : strstr(err.text, "copy both")                                                                                                           ? 2 : 1);
    }
    cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A copy on read-only media, or of another user: no file can be created beside it. */
Test(history_read, in_a_folder_that_cannot_be_written)
{
    struct qpw_history_input in = {0};
    char name[128];
    FILE *log;

    sample(60);
    write_live(&in);
    qpw_history_free(h); /* merges its log into the file */
    h = NULL;
    cr_assert(chmod(path, 0444) == 0 && chmod(folder, 0555) == 0);
    cr_expect_eq(read_as_nobody(), 0, "as it is");
    snprintf(name, sizeof(name), "%s-wal", path);
    cr_assert_eq(chmod(folder, 0755), 0);
    log = fopen(name, "w");
    cr_assert(log && fputs("left by a writer", log) >= 0 && fclose(log) == 0);
    cr_assert(chmod(name, 0444) == 0 && chmod(folder, 0555) == 0);
    cr_expect_eq(read_as_nobody(), 2, "not without its log");
    cr_assert_eq(chmod(folder, 0755), 0);
}

Test(history_read, there_is_none)
{
    cr_expect_eq(qpw_history_open(path, &r, &err), -ENOENT);
}

/* ---- Live and recorded together ---- */

Test(history_read, what_is_live_reaches_back)
{
    struct qpw_history_input in = {0};
    struct qpw_totals first, written, now, all;

    sample(0);
    qpw_totals_of(&live, &first);
    in.end = true;
    write_live(&in); /* an earlier attachment */
    in.end = false;
    sample(60);
    live.meta.attached_unix_ns = live.from_unix_ns = SAMPLE_NOW_NS + SECOND;
    qpw_totals_of(&live, &written);
    write_live(&in);
    sample(120); /* counted since the last write of the next one */
    live.meta.attached_unix_ns = live.from_unix_ns = SAMPLE_NOW_NS + SECOND;
    qpw_totals_of(&live, &now);
    cr_assert_gt(now.all.packets, written.all.packets);
    cr_assert_eq(qpw_history_open(path, &r, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_history_reach_back(r, (int64_t)(SAMPLE_START_NS / SECOND), &live, &past, &err), 0, "%s", err.text);
    qpw_totals_of(&live, &all);
    cr_expect_eq(all.all.packets, first.all.packets + now.all.packets, "%llu, not %llu + %llu", (unsigned long long)all.all.packets,
                 (unsigned long long)first.all.packets, (unsigned long long)now.all.packets);
    cr_expect_eq(all.all.bytes, first.all.bytes + now.all.bytes);
    for (unsigned v = 0; v < QPW_VERDICT_COUNT; v++)
        cr_expect_eq(all.by_verdict[v].packets, first.by_verdict[v].packets + now.by_verdict[v].packets);
    cr_expect_eq(live.from_unix_ns, SAMPLE_START_NS);
}

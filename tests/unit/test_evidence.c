/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The evidence folder: each requirement's figures, and what can be verified from the folder alone. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evidence/evidence.h"
#include "facts/listening.h"
#include "page.h"
#include "report/listening.h"

static struct qpw_snapshot s;
static struct qpw_report r;
static struct qpw_render_options options;
static struct qpw_listening listening;
static struct qpw_listener listeners[5];
static struct qpw_listening_row rows[5];
static uint16_t idle[2] = {1, 2};
static struct qpw_registry registry;
static const struct qpw_listening_about about = {.names = &registry, .policy_name = "qumulo/on-prem", .policy_path = "",
                                                 .policy_digest = "", .source_digest = ""};
static char folder[] = "/tmp/qportwatch-evidence-XXXXXX";

/* Make a node with at least one of everything that a figure counts. */
static void start(void)
{
    static const unsigned kinds[] = {QPW_COVERAGE_HOOK_LOST, QPW_COVERAGE_RELOADED, QPW_COVERAGE_INTERFACE_GONE, QPW_COVERAGE_AUDITOR_STOPPED};
    static const struct qpw_inventory_row links[] = {{.name = "eth0"}, {.name = "eth1", .state = QPW_LINK_UNMONITORED},
                                                     {.name = "eth2", .state = QPW_LINK_SEEN_ELSEWHERE, .at = "eth0"},
                                                     {.name = "eth3", .state = QPW_LINK_DOWN}, {.name = "eth4", .state = QPW_LINK_UNMONITORED},
                                                     {.name = "lo", .state = QPW_LINK_LOOPBACK}};
    struct qpw_finding_row *f;

    sample_snapshot(&s, 0);
    snprintf(s.rules[SAMPLE_RULE_LDAP].text, sizeof(s.rules->text), "outbound tcp 389,636 LDAP ref=CHG-7 until=2027-03-01 name=ldap");
    snprintf(s.rules[SAMPLE_RULE_SMB].text, sizeof(s.rules->text), "inbound tcp 445 ref=CHG-8");
    snprintf(s.rules[SAMPLE_RULE_FTP].text, sizeof(s.rules->text), "inbound tcp 32768-60999 FTP weak ref=required-ports.md:82");
    strcpy(s.meta.source_digest, "sha256:feed");
    s.inventory = malloc(sizeof(links));
    memcpy(s.inventory, links, sizeof(links));
    s.n_inventory = sizeof(links) / sizeof(*links);
    s.rules = realloc(s.rules, (s.n_rules + 1) * sizeof(*s.rules));
    s.rules[s.n_rules++] = (struct qpw_rule_info){.name = "infra-arp", .text = "infra arp: of its form", .in_force = 1}; /* not counted */
    sample_meter(&s, (struct sample_service){6, 389, QPW_DIR_OUTBOUND}, QPW_VERDICT_ALLOWED, SAMPLE_RULE_LDAP, 0)->counts =
        (struct qpw_counts){.connections = 4, .rx_packets = 10, .tx_packets = 5};
    sample_meter(&s, (struct sample_service){6, 0, QPW_DIR_UNKNOWN}, QPW_VERDICT_UNDECIDED, 0, 0)->key.reason = QPW_REASON_UNSOLICITED;
    s.meters[s.n_meters - 1].counts.rx_packets = 3;
    sample_meter(&s, (struct sample_service){6, 0, QPW_DIR_OUTBOUND}, QPW_VERDICT_TRANSIT, 0, 0)->key.reason = QPW_REASON_FOREIGN_SOURCE;
    s.meters[s.n_meters - 1].counts.tx_packets = 2;
    sample_meter(&s, (struct sample_service){6, 40000, QPW_DIR_INBOUND}, QPW_VERDICT_WEAK, SAMPLE_RULE_FTP, 0)->counts.rx_packets = 6;
    sample_meter(&s, (struct sample_service){17, 88, QPW_DIR_OUTBOUND}, QPW_VERDICT_IMPLIED, 0, 0)->counts.tx_packets = 9;
    s.coverage = realloc(s.coverage, (s.n_coverage + 4) * sizeof(*s.coverage));
    for (size_t i = 0; i < 4; i++)
        s.coverage[s.n_coverage++] = (struct qpw_coverage){.unix_ns = SAMPLE_NOW_NS - (4 - i) * 60000000000ull, .kind = kinds[i], .iface = 1};
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        s.losses[i] = 1ull << i; /* all different */
    f = sample_finding(&s, (struct sample_service){6, 40001, QPW_DIR_INBOUND}, "10.9.0.9", "10.1.0.11", QPW_OUTCOME_ANSWERED);
    f->key.verdict = QPW_VERDICT_WEAK;
    f = sample_finding(&s, (struct sample_service){6, 445, QPW_DIR_INBOUND}, "10.9.0.9", "10.1.0.11", QPW_OUTCOME_DATA);
    f->key.verdict = QPW_VERDICT_MISMATCH;
    f = sample_finding(&s, (struct sample_service){17, 88, QPW_DIR_OUTBOUND}, "10.1.0.11", "10.9.0.9", QPW_OUTCOME_DATA);
    f->key.verdict = QPW_VERDICT_IMPLIED;
    f = sample_finding(&s, (struct sample_service){17, 0, QPW_DIR_UNKNOWN}, "10.1.0.11", "10.9.0.9", QPW_OUTCOME_DATA);
    f->key.verdict = QPW_VERDICT_UNDECIDED;
    f = sample_finding(&s, (struct sample_service){6, 25, QPW_DIR_OUTBOUND}, "10.200.0.1", "10.9.0.9", QPW_OUTCOME_ATTEMPTED);
    f->value.reason = QPW_REASON_FOREIGN_SOURCE;
    f = sample_finding(&s, (struct sample_service){6, 26, QPW_DIR_INBOUND}, "10.9.0.9", "10.1.0.11", QPW_OUTCOME_DATA);
    f->value.flags |= QPW_FINDING_SUPERSEDED;
    sample_meter(&s, (struct sample_service){6, 0, QPW_DIR_INBOUND}, QPW_VERDICT_TRANSIT, 0, 0)->key.reason = QPW_REASON_ECHO;
    s.meters[s.n_meters - 1].counts.rx_packets = 11;
    for (unsigned i = 0; i < 5; i++)
        rows[i] = (struct qpw_listening_row){.listener = &listeners[i], .verdict = i < 2 ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_ALLOWED,
                                             .loopback = i == 1, .wanted = i == 3 ? "unit:smbd" : NULL,
                                             .owner_word = i == 3 ? QPW_OWNER_OTHER : 0};
    for (unsigned i = 0; i < 5; i++)
        listeners[i] = (struct qpw_listener){.protocol = 6, .port = (uint16_t)(100 + i), .v4 = true};
    listeners[4].ephemeral = true;
    listening = (struct qpw_listening){.rows = rows, .n = 5, .idle = idle, .n_idle = 2};
    registry = (struct qpw_registry){.rules = s.rules, .n_rules = s.n_rules};
    options.listening = &listening;
    options.listening_about = &about;
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
    qpw_report_clear(&r);
    qpw_snapshot_clear(&s);
}

TestSuite(evidence, .init = start, .fini = end);

/* ---- Figures ---- */

static uint64_t packets_of(unsigned verdict)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n_meters; i++)
        if (s.meters[i].key.verdict == verdict)
            n += s.meters[i].counts.rx_packets + s.meters[i].counts.tx_packets;
    return n;
}

static uint64_t packets_towards(unsigned direction)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n_meters; i++)
        if (s.meters[i].key.direction == direction)
            n += s.meters[i].counts.rx_packets + s.meters[i].counts.tx_packets;
    return n;
}

static uint64_t connections(void)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n_meters; i++)
        n += s.meters[i].counts.connections;
    return n;
}

static uint64_t rule_connections(unsigned rule)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n_meters; i++)
        if (s.meters[i].key.rule == rule)
            n += s.meters[i].counts.connections;
    return n;
}

/* Return the sum of all losses, except those that only delay by their name. */
static uint64_t losses(void)
{
    uint64_t n = 0;

    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        n += i == QPW_LOSS_EVENT_RATE || i == QPW_LOSS_EVENT_RING || i == QPW_LOSS_SOCKET_REQUEST || i == QPW_LOSS_EXECUTABLE_EVICTED ? 0 : 1ull << i;
    return n;
}

/* The expected figures of that node, counted in another way or by hand. */
static void expected(uint64_t ret[QPW_FIGURE_COUNT])
{
    const uint64_t values[QPW_FIGURE_COUNT] = {
        [QPW_FIGURE_RULES_IN_FORCE] = 4,
        [QPW_FIGURE_RULES_OF_VENDOR] = 1,       /* ftp */
        [QPW_FIGURE_RULES_WITHOUT_PURPOSE] = 1, /* smb */
        [QPW_FIGURE_RULES_WITHOUT_REF] = 2,     /* nfs has none, ftp's is a line of the vendor's page */
        [QPW_FIGURE_RULES_INSECURE] = 2,        /* nfs has 111, ldap 389 */
        [QPW_FIGURE_RULES_WEAK] = 1,
        [QPW_FIGURE_RULES_UNUSED] = 0,
        [QPW_FIGURE_EXCEPTIONS] = 1,
        [QPW_FIGURE_INSECURE_CONNECTIONS] = rule_connections(SAMPLE_RULE_NFS) + rule_connections(SAMPLE_RULE_LDAP),
        [QPW_FIGURE_FINDINGS_UNEXPECTED] = 4,
        [QPW_FIGURE_FINDINGS_ANSWERED] = 1,
        [QPW_FIGURE_FINDINGS_INBOUND] = 2,
        [QPW_FIGURE_FINDINGS_OUTBOUND] = 2,
        [QPW_FIGURE_FINDINGS_MISMATCH] = 1,
        [QPW_FIGURE_FINDINGS_WEAK] = 1,
        [QPW_FIGURE_FINDINGS_IMPLIED] = 1,
        [QPW_FIGURE_FINDINGS_UNDECIDED] = 1,
        [QPW_FIGURE_FINDINGS_FORGED] = 1,
        [QPW_FIGURE_FINDINGS_ACKNOWLEDGED] = 0,
        [QPW_FIGURE_FINDINGS_CLOSED] = 1,
        [QPW_FIGURE_LISTENERS] = 3,
        [QPW_FIGURE_LISTENERS_UNLISTED] = 1,
        [QPW_FIGURE_LISTENERS_OTHER] = 1,
        [QPW_FIGURE_RULES_NOT_LISTENING] = 2,
        [QPW_FIGURE_PACKETS_INBOUND] = packets_towards(QPW_DIR_INBOUND),
        [QPW_FIGURE_PACKETS_OUTBOUND] = packets_towards(QPW_DIR_OUTBOUND),
        [QPW_FIGURE_PACKETS_UNDECIDED] = packets_of(QPW_VERDICT_UNDECIDED),
        [QPW_FIGURE_PACKETS_PEER] = packets_of(QPW_VERDICT_PEER),
        [QPW_FIGURE_PACKETS_ECHO] = 11,
        [QPW_FIGURE_PACKETS_UNSOLICITED] = 3,
        [QPW_FIGURE_CONNECTIONS] = connections(),
        [QPW_FIGURE_PEERS] = 2,
        [QPW_FIGURE_PEERS_SILENT] = 1,
        [QPW_FIGURE_INTERFACES_MONITORED] = 1,
        [QPW_FIGURE_INTERFACES_UNMONITORED] = 2,
        [QPW_FIGURE_GAPS] = r.n_gaps,
        [QPW_FIGURE_SECONDS_UNSEEN] = 240, /* the hook was lost four minutes before the end */
        [QPW_FIGURE_MONITORING_LOST] = 2,
        [QPW_FIGURE_FAILURES_REPORTED] = 2,
        [QPW_FIGURE_AUDIT_RECORDS] = 2,
        [QPW_FIGURE_AUDIT_RECORDS_LOGGED] = 1,
        [QPW_FIGURE_POLICY_CHANGES] = 1,
        [QPW_FIGURE_LOSSES] = losses(),
        [QPW_FIGURE_VENDOR_PAGE] = 1,
        [QPW_FIGURE_PERIOD_DAYS] = 0, /* an hour */
        [QPW_FIGURE_HISTORY_DAYS] = 400,
        [QPW_FIGURE_ALERT_RECORDS] = 0, /* no line of the log below belongs to a chain */
        [QPW_FIGURE_CHAIN_BREAKS] = 0,
        [QPW_FIGURE_LOG_DAYS] = 32,
    };

    memcpy(ret, values, sizeof(values));
}

static void make_figures(struct qpw_figure_value *ret)
{
    static const struct qpw_log_sums log = {.chain = {.records = 42, .n_breaches = 5}};

    qpw_figures_make(&(struct qpw_figures_from){.report = &r, .options = &options, .log = &log}, ret);
}

Test(evidence, what_cannot_be_counted_is_not_zero)
{
    struct qpw_figure_value figures[QPW_FIGURE_COUNT];

    options.listening = NULL;
    s.recorded = true;
    qpw_figures_make(&(struct qpw_figures_from){.report = &r, .options = &options}, figures);
    cr_expect_not(figures[QPW_FIGURE_LOSSES].known, "a history keeps none");
    cr_expect_not(figures[QPW_FIGURE_PEERS].known);
    cr_expect_not(figures[QPW_FIGURE_HISTORY_DAYS].known);
    cr_expect_not(figures[QPW_FIGURE_LISTENERS].known);
    cr_expect_not(figures[QPW_FIGURE_CHAIN_BREAKS].known);
    cr_expect_not(figures[QPW_FIGURE_FAILURES_REPORTED].known);
    cr_expect(figures[QPW_FIGURE_RULES_IN_FORCE].known);
}

/* The part of a long statement that was cut off may name an approval, so it must not count as none. */
Test(evidence, a_rule_that_is_cut_leaves_its_approval_unknown)
{
    struct qpw_figure_value figures[QPW_FIGURE_COUNT];

    memset(s.rules[SAMPLE_RULE_SMB].text, 'x', sizeof(s.rules->text) - 1);
    memcpy(s.rules[SAMPLE_RULE_SMB].text, "inbound tcp 445 \"a purpose ", 27);
    make_figures(figures);
    cr_expect_not(figures[QPW_FIGURE_RULES_WITHOUT_REF].known);
    cr_expect_not(figures[QPW_FIGURE_EXCEPTIONS].known);
    cr_expect(figures[QPW_FIGURE_RULES_WITHOUT_PURPOSE].known);
    cr_expect_eq(figures[QPW_FIGURE_RULES_WITHOUT_PURPOSE].value, 0, "it has one");
    strcpy(s.rules[SAMPLE_RULE_SMB].file, "built-in:on-prem"); /* where every rule is of the vendor's page */
    make_figures(figures);
    cr_expect(figures[QPW_FIGURE_RULES_WITHOUT_REF].known);
    cr_expect_eq(figures[QPW_FIGURE_RULES_OF_VENDOR].value, 2);
    cr_expect(figures[QPW_FIGURE_EXCEPTIONS].known);
}

/* ---- Files ---- */

static char *read_file(const char *name)
{
    char path[128], *text = NULL;
    size_t size = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/e/%s", folder, name);
    file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    if (getdelim(&text, &size, '\0', file) < 0 && text)
        *text = '\0'; /* an empty file */
    fclose(file);
    return text;
}

static int write_evidence(const char *log, struct qpw_error *err)
{
    char path[96];
    struct qpw_evidence_source evidence = {.report = &r, .options = &options, .policy_text = "inbound tcp 445 SMB\n", .alerts = log,
                                           .history_from_unix_ns = SAMPLE_START_NS - 400 * 86400000000000ull, .history_to_unix_ns = SAMPLE_NOW_NS};

    snprintf(path, sizeof(path), "%s/e", folder);
    return qpw_evidence_write(&evidence, path, err);
}

/* Run a command, with the test's folder for each %s (one or two). */
static int run(const char *format)
{
    char command[512];

    snprintf(command, sizeof(command), format, folder, folder);
    return system(command);
}

/* Write records from before, within and after the period: the start of an audit, two failures, an attempt. */
static void write_log(char *path, size_t size)
{
    static const char *const lines[] = {
        "{\"timestamp\":\"2025-12-01T00:00:00.000000+0000\",\"alert\":{\"metadata\":{\"pci_dss\":[\"10.7.2\"]}}}",
        "{\"timestamp\":\"2026-01-01T00:10:00.000000+0000\",\"engine\":{\"module\":\"auditor-started\"},\"metadata\":{\"flowvars\":[{\"pci_dss\":\"10.2.1.6\"}]}}",
        "{\"timestamp\":\"2026-01-01T00:30:00.000000+0000\",\"alert\":{\"metadata\":{\"pci_dss\":[\"10.7.2\"]}}}",
        "{\"timestamp\":\"2026-01-01T00:20:00.000000+0000\",\"engine\":{\"module\":\"history\"},\"metadata\":{\"flowvars\":[{\"pci_dss\":\"10.7.2\"}]}}",
        "{\"timestamp\":\"2026-01-01T00:40:00.000000+0000\",\"alert\":{\"metadata\":{\"pci_dss\":[\"1.2.5\"]}}}",
        "{\"timestamp\":\"2026-01-02T00:30:00.000000+0000\",\"engine\":{\"module\":\"auditor-stopped\"}}",
    };
    FILE *log;

    snprintf(path, size, "%s/eve.json", folder);
    log = fopen(path, "w");
    cr_assert_not_null(log);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        fprintf(log, "%s\n", lines[i]);
    fclose(log);
}

/* ---- Row by row ---- */

/* Each figure of each requirement exists, is known, and has the right value. */
Test(evidence, each_requirement_has_the_right_figures)
{
    const struct qpw_requirement *requirements;
    struct qpw_error err;
    char path[96], *text;
    uint64_t wanted[QPW_FIGURE_COUNT];
    bool used[QPW_FIGURE_COUNT] = {false};
    size_t n = qpw_requirements(&requirements);
    json_t *o;

    write_log(path, sizeof(path));
    cr_assert_eq(write_evidence(path, &err), 0, "%s", err.text);
    text = read_file("requirements.json");
    o = json_loads(text, 0, NULL);
    free(text);
    expected(wanted);
    cr_expect_geq(n, 26);
    for (size_t i = 0; i < n; i++) {
        const struct qpw_requirement *row = &requirements[i];
        const json_t *written = json_object_get(json_array_get(json_object_get(o, "requirements"), i), "figures");

        cr_expect(row->figures[0] < QPW_FIGURE_COUNT, "%s %s has a figure", row->catalogue, row->id);
        cr_expect(strlen(row->asks) > 10 && strlen(row->not_shown) > 10, "%s", row->id);
        for (unsigned j = 0; j < QPW_REQUIREMENT_FIGURES && row->figures[j] < QPW_FIGURE_COUNT; j++) {
            const char *what = qpw_figure_row(row->figures[j])->what;
            const json_t *value = json_object_get(json_array_get(written, j), "value");

            used[row->figures[j]] = true;
            cr_expect(json_is_integer(value), "%s: %s", row->id, what);
            cr_expect_eq((uint64_t)json_integer_value(value), wanted[row->figures[j]], "%s %s, %s: %ld, not %lu", row->catalogue, row->id,
                         what, (long)json_integer_value(value), (unsigned long)wanted[row->figures[j]]);
        }
        for (size_t other = 0; other < i; other++)
            cr_expect(strcmp(requirements[other].id, row->id) || strcmp(requirements[other].catalogue, row->catalogue), "%s twice", row->id);
    }
    json_decref(o);
    for (unsigned i = 0; i < QPW_FIGURE_COUNT; i++)
        cr_expect(used[i], "no requirement asks for: %s", qpw_figure_row(i)->what);
}

/* Counting with jq from the files of the folder, with the filters given, yields each figure of the table. */
Test(evidence, each_figure_is_counted_again_from_the_folder)
{
    struct qpw_error err;
    char path[96];

    if (run("command -v jq >/dev/null # %s") != 0)
        cr_skip_test("jq is not installed");
    write_log(path, sizeof(path));
    cr_assert_eq(write_evidence(path, &err), 0, "%s", err.text);
    cr_expect_eq(run("sh %s/e/recount.sh >%s/again"), 0);
    cr_expect_eq(run("grep -x '49 figures counted again, 0 different; 0 not known' %s/again"), 0);
    cr_expect_eq(run("sed -i '/\"name\": \"log-days\"/,/value/s/\"value\": 32/\"value\": 33/' %s/e/requirements.json"), 0);
    cr_expect_eq(run("sh %s/e/recount.sh >%s/again"), 256, "another number shows");
    cr_expect_eq(run("grep 'log-days  *33, counted again: 32   DIFFERENT' %s/again"), 0);
}

/* The same for findings and coverage since a time within the period, and without a log or a list of sockets. */
Test(evidence, figures_since_a_time_are_counted_again_too)
{
    struct qpw_error err;

    if (run("command -v jq >/dev/null # %s") != 0)
        cr_skip_test("jq is not installed");
    qpw_report_clear(&r);
    cr_assert_eq(qpw_report_make(&s, SAMPLE_NOW_NS - 90000001000ull, &r), 0);
    options.listening = NULL;
    cr_assert_eq(write_evidence(NULL, &err), 0, "%s", err.text);
    cr_expect_eq(run("sh %s/e/recount.sh >%s/again"), 0);
    cr_expect_eq(run("grep -x '40 figures counted again, 0 different; 9 not known' %s/again"), 0);
    cr_expect_eq(run("grep -x 'seconds-unseen *91' %s/again"), 0, "not what of the gap was before");
}

/* ---- The folder ---- */

/* With the README alone: it names every file, and every named file exists and has the given checksum. */
Test(evidence, readme_names_what_is_there)
{
    static const char *const names[] = {"report.html", "report.txt", "report.json", "requirements.txt", "requirements.json", "policy.txt",
                                        "source-digest.txt", "alerts.jsonl", "chain.json", "coverage.json", "versions.txt", "recount.sh",
                                        "SIGN-OFF.txt"};
    struct qpw_error err;
    char *readme, *sums;

    umask(0);
    cr_assert_eq(write_evidence(NULL, &err), 0, "%s", err.text);
    readme = read_file("README.txt");
    sums = read_file("SHA256SUMS");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        free(read_file(names[i]));
        cr_expect_not_null(strstr(readme, names[i]), "%s", names[i]);
        cr_expect_not_null(strstr(sums, names[i]), "%s", names[i]);
    }
    cr_expect_eq(run("test $(ls -A %s/e | wc -l) = 15"), 0, "and nothing else");
    cr_expect_not_null(strstr(readme, "sha256sum -c SHA256SUMS"));
    cr_expect_not_null(strstr(readme, "  made        at 20"), "%s", readme);
    cr_expect_eq(run("grep -q '^made by [a-z]' %s/e/versions.txt"), 0);
    cr_expect_not_null(strstr(readme, "ACTION NEEDED"));
    cr_expect_eq(run("cd %s/e && sha256sum -c --quiet --strict SHA256SUMS"), 0);
    cr_expect_eq(run("cd %s/e && echo x >>report.json && sha256sum -c SHA256SUMS >/dev/null 2>&1"), 256, "a change shows");
    cr_expect_eq(run("test \"$(stat -c %%a %s/e)\" = 750"), 0);
    cr_expect_eq(run("test \"$(stat -c %%a %s/e/* | sort -u)\" = 640"), 0, "whatever the umask");
    free(readme);
    free(sums);
}

Test(evidence, nothing_is_written_over)
{
    struct qpw_error err;
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "%s/e", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_eq(write_evidence(NULL, &err), 0, "an empty one is taken: %s", err.text);
    cr_expect_lt(write_evidence(NULL, &err), 0);
    cr_expect_not_null(strstr(err.text, "not empty; evidence is never written over what is there"), "%s", err.text);
    cr_expect_eq(run("cd %s/e && sha256sum -c --quiet SHA256SUMS"), 0, "as it was");
    cr_assert_eq(run("rm -r %s/e"), 0);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    cr_expect_lt(write_evidence(NULL, &err), 0);
    cr_expect_not_null(strstr(err.text, "not a folder"), "%s", err.text);
    unlink(path);
    cr_assert_eq(symlink("/", path), 0);
    cr_expect_lt(write_evidence(NULL, &err), 0);
    unlink(path);
}

Test(evidence, a_folder_that_cannot_be_made_is_said)
{
    struct qpw_evidence_source evidence = {.report = &r, .options = &options};
    struct qpw_error err;

    cr_expect_eq(qpw_evidence_write(&evidence, "/nonexistent/e", &err), -2);
    cr_expect_not_null(strstr(err.text, "/nonexistent/e: cannot make the folder"), "%s", err.text);
    cr_expect_lt(qpw_evidence_write(&evidence, "", &err), 0);
}

/* The folder holds the log's records of the period, and the verdict on the chain through the whole log. */
Test(evidence, alerts_of_the_period_are_copied_as_they_stand)
{
    char path[96], *text;
    struct qpw_error err;
    json_t *o;
    FILE *log;

    snprintf(path, sizeof(path), "%s/eve.json", folder);
    log = fopen(path, "w");
    fprintf(log, "{\"timestamp\":\"2025-12-01T00:00:00.000000+0000\",\"n\":1}\n");
    fprintf(log, "{\"timestamp\":\"2026-01-01T00:30:00.000000+0000\",\"n\":2}\n");
    fprintf(log, "{\"timestamp\":\"2026-01-02T00:30:00.000000+0000\",\"n\":3}\n");
    fclose(log);
    cr_assert_eq(write_evidence(path, &err), 0, "%s", err.text);
    text = read_file("alerts.jsonl");
    cr_expect_str_eq(text, "{\"timestamp\":\"2026-01-01T00:30:00.000000+0000\",\"n\":2}\n");
    free(text);
    text = read_file("chain.json");
    o = json_loads(text, 0, NULL);
    cr_expect_str_eq(json_string_value(json_object_get(o, "schema")), "qportwatch.verify/1");
    cr_expect(json_is_false(json_object_get(o, "whole")), "no chain is no whole chain");
    json_decref(o);
    free(text);
    text = read_file("requirements.json");
    o = json_loads(text, 0, NULL);
    cr_expect_str_eq(json_string_value(json_object_get(o, "schema")), "qportwatch.evidence/1");
    cr_expect_geq(json_array_size(json_object_get(o, "requirements")), 26);
    json_decref(o);
    free(text);
}

static void expect_alerts(const char *log, const char *expected)
{
    char path[96], *text;
    struct qpw_error err;
    FILE *file;

    snprintf(path, sizeof(path), "%s/eve.json", folder);
    file = fopen(path, "w");
    fputs(log, file);
    fclose(file);
    cr_assert_eq(write_evidence(path, &err), 0, "%s", err.text);
    text = read_file("alerts.jsonl");
    cr_expect_str_eq(text, expected);
    free(text);
    run("rm -r %s/e");
}

/* Copy from the first record about the period, or written in it, to the last, so that its chain can be verified. */
Test(evidence, alerts_are_copied_without_holes)
{
#define BEFORE "{\"timestamp\":\"2025-12-01T00:00:00.000000+0000\"}\n"
#define WITHIN "{\"timestamp\":\"2026-01-01T00:30:00.000000+0000\"}\n"
#define LATE "{\"timestamp\":\"2025-12-31T23:59:59.000000+0000\",\"alert\":{\"metadata\":{\"written\":[\"2026-01-01T00:01:00.000000Z\"]}}}\n"
#define AFTER "{\"timestamp\":\"2026-01-02T00:00:00.000000+0000\"}\n"
    expect_alerts(BEFORE LATE WITHIN AFTER, LATE WITHIN);
    expect_alerts(BEFORE WITHIN BEFORE AFTER BEFORE WITHIN BEFORE AFTER, WITHIN BEFORE AFTER BEFORE WITHIN);
    expect_alerts(WITHIN BEFORE WITHIN BEFORE WITHIN, WITHIN BEFORE WITHIN BEFORE WITHIN);
    expect_alerts(BEFORE AFTER, "");
    expect_alerts(WITHIN "no record\n[]\n" WITHIN "{\"timestamp\":\"2026-01", WITHIN WITHIN); /* chain.json counts them */
}

/* Hostile names are inert here, too. */
Test(evidence, hostile_names_steer_no_terminal)
{
    struct qpw_error err;

    qpw_report_clear(&r);
    qpw_snapshot_clear(&s);
    page_snapshot(&s, 30, true);
    cr_assert_eq(qpw_report_make(&s, 0, &r), 0);
    options.owner = page_owner;
    options.listening = NULL;
    cr_assert_eq(write_evidence(NULL, &err), 0, "%s", err.text);
    cr_expect_eq(run("! LC_ALL=C grep -lP '[\\x00-\\x08\\x0b-\\x1f\\x7f]|\\xe2\\x80\\xae' %s/e/*"), 0);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Consistency: a table of snapshots, each shown through all faces. Every face must show the same answer and the same
 * numbers: report (text, JSON, HTML), status (text, JSON), the live view's header and tabs, the summary line, the
 * heartbeat.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/log/eve.h"
#include "alerts.h"
#include "auditor/summary.h"
#include "policy/compile/compile.h"
#include "report/connections.h"
#include "report/listening.h"
#include "report/render.h"
#include "sample.h"
#include "status/status.h"
#include "util/names.h"
#include "view/more.h"
#include "view/plain.h"
#include "view/screen.h"
#include "words/answer.h"
#include "words/coverage.h"
#include "words/finding.h"
#include "words/listening.h"
#include "words/owner.h"
#include "words/words.h"

#define SECOND 1000000000ull

/* ---- Snapshots ---- */

static struct qpw_meter_row *meter_of(struct qpw_snapshot *s, unsigned verdict)
{
    for (size_t i = 0; i < s->n_meters; i++)
        if (s->meters[i].key.verdict == verdict)
            return &s->meters[i];
    cr_assert_fail("no meter of that verdict");
    return NULL;
}

static void none(struct qpw_snapshot *s)
{
    (void)s;
}

static void clean(struct qpw_snapshot *s)
{
    s->n_findings = 0;
    meter_of(s, QPW_VERDICT_UNEXPECTED)->key.verdict = QPW_VERDICT_ALLOWED;
}

static void nothing_seen(struct qpw_snapshot *s)
{
    s->n_findings = s->n_meters = 0;
}

static void probed(struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_findings; i++)
        s->findings[i].value.outcome = i ? QPW_OUTCOME_ATTEMPTED : QPW_OUTCOME_REFUSED;
}

/* Enough for grouped figures and aggregated lines: one host's scan, and many hosts on one port. */
static void scanned(struct qpw_snapshot *s)
{
    char from[32];

    probed(s);
    for (uint16_t port = 6000; port < 8000; port++)
        sample_finding(s, (struct sample_service){IPPROTO_TCP, port, QPW_DIR_INBOUND}, "10.9.0.8", "10.1.0.11", QPW_OUTCOME_ATTEMPTED);
    for (unsigned i = 1; i < 21; i++) {
        snprintf(from, sizeof(from), "10.9.1.%u", i);
        sample_finding(s, (struct sample_service){IPPROTO_TCP, 4445, QPW_DIR_INBOUND}, from, "10.1.0.11", QPW_OUTCOME_ATTEMPTED);
    }
}

static void group_noise(struct qpw_snapshot *s)
{
    probed(s);
    for (size_t i = 0; i < s->n_findings; i++)
        s->findings[i].value.flags = QPW_FINDING_MULTICAST;
}

static void weak_answered(struct qpw_snapshot *s)
{
    clean(s);
    sample_finding(s, (struct sample_service){IPPROTO_TCP, 40000, QPW_DIR_INBOUND}, "10.9.0.7", "10.1.0.11",
                   QPW_OUTCOME_DATA)
        ->key.verdict = QPW_VERDICT_WEAK;
}

static void undecided_both(struct qpw_snapshot *s)
{
    clean(s);
    sample_finding(s, (struct sample_service){IPPROTO_TCP, 0, QPW_DIR_UNKNOWN}, "10.9.0.7", "10.1.0.11", QPW_OUTCOME_DATA)->key.verdict =
        QPW_VERDICT_UNDECIDED;
}

static void implied_answered(struct qpw_snapshot *s)
{
    clean(s);
    sample_finding(s, (struct sample_service){IPPROTO_TCP, 53, QPW_DIR_OUTBOUND}, "10.1.0.11", "10.9.0.7", QPW_OUTCOME_DATA)->key.verdict =
        QPW_VERDICT_IMPLIED;
}

/* One service with many clients is one service. */
static void many_clients(struct qpw_snapshot *s)
{
    sample_finding(s, (struct sample_service){IPPROTO_TCP, 4444, QPW_DIR_INBOUND}, "10.9.0.8", "10.1.0.11", QPW_OUTCOME_ANSWERED);
    sample_finding(s, (struct sample_service){IPPROTO_TCP, 4444, QPW_DIR_INBOUND}, "10.9.0.9", "10.1.0.11", QPW_OUTCOME_DATA);
    sample_finding(s, (struct sample_service){IPPROTO_UDP, 4444, QPW_DIR_INBOUND}, "10.9.0.9", "10.1.0.11", QPW_OUTCOME_DATA);
}

static void no_auditor(struct qpw_snapshot *s)
{
    clean(s);
    s->lock = QPW_LOCK_FREE; /* its heartbeat is recent, and its pid still recorded */
    s->auditor = (struct qpw_pid){0};
}

static void silent_auditor(struct qpw_snapshot *s)
{
    clean(s);
    s->control.heartbeat_ns = s->mono_ns - 12 * SECOND;
}

static void no_hook(struct qpw_snapshot *s)
{
    clean(s);
    s->ifaces[0].attached = false;
}

static void no_interface(struct qpw_snapshot *s)
{
    no_hook(s);
    s->ifaces[0].gone = true;
}

static void blind_and_answered(struct qpw_snapshot *s)
{
    s->ifaces[0].attached = false;
    s->lock = QPW_LOCK_FREE;
    s->auditor = (struct qpw_pid){0};
    s->losses[QPW_LOSS_FINDING_QUOTA] = 9;
}

/* Detached by a command: its counters remain, but the node is not blind. */
static void one_detached(struct qpw_snapshot *s)
{
    clean(s);
    s->ifaces = realloc(s->ifaces, 2 * sizeof(*s->ifaces));
    s->ifaces[1] = (struct qpw_iface_row){.name = "eth1", .iface = {.number = 2}};
    strcpy(s->meta.ifname[2], "eth1");
    s->n_ifaces = 2;
}

static void detail_lost(struct qpw_snapshot *s)
{
    clean(s);
    s->losses[QPW_LOSS_METER_OVERFLOW] = 7;
    s->losses[QPW_LOSS_EVENT_RATE] = 2;
}

static void answers_lost(struct qpw_snapshot *s)
{
    probed(s);
    s->losses[QPW_LOSS_RESERVED_FULL] = 3;
}

static void no_finding_kept(struct qpw_snapshot *s)
{
    s->n_findings = 0;
}

static void delayed_only(struct qpw_snapshot *s)
{
    clean(s);
    s->losses[QPW_LOSS_EVENT_RATE] = 539;
    s->losses[QPW_LOSS_SOCKET_REQUEST] = 4; /* requested again with the next packet */
}

static void superseded(struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_findings; i++)
        s->findings[i].value.flags |= QPW_FINDING_SUPERSEDED;
}

static void no_peers(struct qpw_snapshot *s)
{
    clean(s);
    s->n_peers = 1;
    for (size_t i = 0; i < s->n_meters; i++)
        s->meters[i].key.peer = 0;
}

/* More ports than are shown, with the busiest one in several parts; and an entry for the node itself. */
static void busy_peer(struct qpw_snapshot *s)
{
    clean(s);
    for (unsigned i = 0; i < 24; i++)
        sample_meter(s, (struct sample_service){IPPROTO_TCP, 7000 + i % 12, QPW_DIR_INBOUND}, QPW_VERDICT_PEER, 0, SAMPLE_NODE2)->counts =
            (struct qpw_counts){1, 10, 1000 + 100 * (i % 12), 10, 1000};
    for (size_t i = 0; i < s->n_meters; i++) /* so that equal ports are not one row */
        s->meters[i].key.reason = s->meters[i].key.peer ? (uint8_t)(i % 2) : s->meters[i].key.reason;
    s->peers[SAMPLE_NODE3].own = 1;
}

/* Traffic consistent with a rule but not judged by it does not count as its use. */
static void inferred(struct qpw_snapshot *s)
{
    struct qpw_meter_row *m;

    clean(s);
    m = sample_meter(s, (struct sample_service){IPPROTO_TCP, 389, QPW_DIR_UNKNOWN}, QPW_VERDICT_UNDECIDED, SAMPLE_RULE_LDAP, 0);
    m->key.reason = QPW_REASON_INFERRED;
    m->counts = (struct qpw_counts){0, 77, 7700, 0, 0};
}

/* Everything that hides packets from the programs. */
static void hidden_paths(struct qpw_snapshot *s)
{
    static const struct qpw_note notes[] = {
        {.kind = QPW_NOTE_XDP_SOCKETS, .count = 1},
        {.kind = QPW_NOTE_PACKET_SOCKETS, .count = 2},
        {.kind = QPW_NOTE_BEFORE, .name = "eth0", .detail = "other at TCX", .count = 1},
        {.kind = QPW_NOTE_BEHIND, .name = "eth0", .detail = "other at clsact", .count = 3, .tx = true},
        {.kind = QPW_NOTE_TAGS_STRIPPED, .name = "eth0"},
        {.kind = QPW_NOTE_NO_OWNERS, .detail = "no unified hierarchy"},
        {.kind = QPW_NOTE_NO_EXECUTABLES, .detail = "no tracefs"},
    };

    clean(s);
    for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++)
        cr_assert_eq(qpw_snapshot_note(s, &notes[i]), 0);
}

static void replay(struct qpw_snapshot *s)
{
    s->replay = true;
    s->ifaces[0].attached = false;
    s->lock = QPW_LOCK_UNKNOWN;
    s->control.heartbeat_ns = 0;
    s->n_coverage = s->n_unwatched = 0;
}

static void replay_clean(struct qpw_snapshot *s)
{
    clean(s);
    replay(s);
}

#define ALSO(state) (1u << QPW_ANSWER_##state)

static const struct row {
    const char *name;
    void (*make)(struct qpw_snapshot *s);
    enum qpw_answer_state state;
    unsigned also;
    const char *text;
    unsigned unexpected, answered, lost, delayed, missing;
} table[] = {
    {"answered", none, QPW_ANSWER_ACTION_NEEDED, ALSO(PROBED),
     "1 service answered on a port the policy does not allow (inbound tcp/4444)", 3, 1, 0, 0, 0},
    {"many clients", many_clients, QPW_ANSWER_ACTION_NEEDED, ALSO(PROBED),
     "2 services answered on ports the policy does not allow (worst: inbound ", 6, 4, 0, 0, 0},
    {"weak", weak_answered, QPW_ANSWER_ACTION_NEEDED, 0, "1 service answered that no rule clearly allows", 0, 0, 0, 0, 0},
    {"undecided", undecided_both, QPW_ANSWER_ACTION_NEEDED, 0, "1 service answered that no rule clearly allows",
     0, 0, 0, 0, 0},
    {"implied", implied_answered, QPW_ANSWER_CLEAN, 0, "nothing unexpected since ", 0, 0, 0, 0, 0},
    {"clean", clean, QPW_ANSWER_CLEAN, 0, "nothing unexpected since 00:00:00", 0, 0, 0, 0, 0},
    {"nothing seen", nothing_seen, QPW_ANSWER_CLEAN, 0, "no packets since ", 0, 0, 0, 0, 0},
    {"probed", probed, QPW_ANSWER_PROBED, 0, "3 unexpected attempts, none answered (worst: ", 3, 0, 0, 0, 0},
    {"scanned", scanned, QPW_ANSWER_PROBED, 0, "2,023 unexpected attempts, none answered (worst: ", 2023, 0, 0, 0, 0},
    {"group noise", group_noise, QPW_ANSWER_CLEAN, 0, "nothing that needs attention since ", 3, 0, 0, 0, 0},
    {"no auditor", no_auditor, QPW_ANSWER_BLIND, 0, "no auditor is running", 0, 0, 0, 0, 0},
    {"silent auditor", silent_auditor, QPW_ANSWER_BLIND, 0, "the auditor has been silent for 12 s", 0, 0, 0, 0, 0},
    {"no hook", no_hook, QPW_ANSWER_BLIND, 0, "eth0 is not monitored: a program was removed", 0, 0, 0, 0, 1},
    {"no interface", no_interface, QPW_ANSWER_BLIND, 0, "eth0 is gone", 0, 0, 0, 0, 1},
    {"blind and answered", blind_and_answered, QPW_ANSWER_ACTION_NEEDED,
     ALSO(BLIND) | ALSO(DETAIL_LOST) | ALSO(PROBED), "1 service answered on a port", 3, 1, 9, 0, 1},
    {"one detached", one_detached, QPW_ANSWER_CLEAN, 0, "nothing unexpected since ", 0, 0, 0, 0, 0},
    {"detail lost", detail_lost, QPW_ANSWER_DETAIL_LOST, 0, "detail was lost 7 times (meter-overflow)", 0, 0, 7, 2, 0},
    {"answers lost", answers_lost, QPW_ANSWER_DETAIL_LOST, ALSO(PROBED), "detail was lost 3 times", 3, 0, 3, 0, 0},
    {"no finding kept", no_finding_kept, QPW_ANSWER_DETAIL_LOST, 0,
     "unexpected packets were counted without a finding", 0, 0, 0, 0, 0},
    {"delayed only", delayed_only, QPW_ANSWER_CLEAN, 0, "nothing unexpected since ", 0, 0, 0, 543, 0},
    {"superseded", superseded, QPW_ANSWER_CLEAN, 0, "nothing unexpected since ", 0, 0, 0, 0, 0},
    {"no peers", no_peers, QPW_ANSWER_CLEAN, 0, "nothing unexpected since ", 0, 0, 0, 0, 0},
    {"busy peer", busy_peer, QPW_ANSWER_CLEAN, 0, "nothing unexpected since ", 0, 0, 0, 0, 0},
    {"inferred", inferred, QPW_ANSWER_CLEAN, 0, "nothing unexpected since ", 0, 0, 0, 0, 0},
    {"hidden paths", hidden_paths, QPW_ANSWER_CLEAN, 0, "nothing unexpected since ", 0, 0, 0, 0, 0},
    {"replay", replay, QPW_ANSWER_ACTION_NEEDED, ALSO(PROBED), "1 service answered on a port", 3, 1, 0, 0, 0},
    {"replay, clean", replay_clean, QPW_ANSWER_CLEAN, 0, "nothing unexpected in the capture", 0, 0, 0, 0, 0},
};

/* ---- Faces ---- */

struct faces {
    struct qpw_snapshot s;
    struct qpw_report r;
    struct qpw_model model;
    struct qpw_view_state state;
    char *text, *page, *status, *top, *tabs;
    json_t *report, *status_json;
    char summary[640];
    struct sink alerts; /* every record that the engine writes about it */
    char *said;         /* their sentences */
    json_t *heartbeat;  /* the last of them */
    char headline[320];
};

static char *start(FILE **out, char **text, size_t *size)
{
    *out = open_memstream(text, size);
    cr_assert_not_null(*out);
    return NULL;
}

/* All white space as one blank, so that lines may be broken anywhere. */
static void flatten(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++)
        if (*from != ' ' && *from != '\n')
            *to++ = *from;
        else if (to == text || to[-1] != ' ')
            *to++ = ' ';
    *to = '\0';
}

static json_t *parsed(char *text)
{
    json_error_t error;
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    cr_assert_not_null(document, "%s: %s", error.text, text);
    free(text);
    return document;
}

static void show_report(struct faces *f)
{
    struct qpw_render_options options = {.columns = 100, .all = true};
    char *json = NULL;
    size_t size;
    FILE *out;

    cr_assert_eq(qpw_report_make(&f->s, 0, &f->r), 0);
    start(&out, &f->text, &size);
    cr_assert_eq(qpw_report_text(&f->r, &options, out), 0);
    fclose(out);
    flatten(f->text);
    start(&out, &json, &size);
    cr_assert_eq(qpw_report_json(&f->r, &options, out), 0);
    fclose(out);
    f->report = parsed(json);
    start(&out, &f->page, &size);
    cr_assert_eq(qpw_report_html(&f->r, &options, out), 0);
    fclose(out);
}

static void show_status(struct faces *f)
{
    struct qpw_status status = {.snapshot = f->s, .alerts = json_null()};
    char *json = NULL;
    size_t size;
    FILE *out;

    cr_assert_eq(qpw_answer_make(&f->s, &status.answer), 0);
    qpw_totals_of(&f->s, &status.totals);
    start(&out, &f->status, &size);
    qpw_status_text(&status, out);
    fclose(out);
    flatten(f->status);
    start(&out, &json, &size);
    cr_assert_eq(qpw_status_json(&status, out), 0);
    fclose(out);
    f->status_json = parsed(json);
}

static void show_top(struct faces *f)
{
    size_t size;
    FILE *out;

    qpw_state_init(&f->state);
    cr_assert_eq(qpw_model_advance(&f->model, &f->s), 0);
    start(&out, &f->top, &size);
    cr_assert_eq(qpw_plain_header(out, &f->model, &f->state, 300, true), 0);
    fclose(out);
    flatten(f->top);
    start(&out, &f->tabs, &size);
    for (int tab = 0; tab < QPW_TAB_HELP; tab++) {
        f->state.tab = (enum qpw_tab)tab;
        cr_assert_eq(qpw_plain_table(out, &f->model, &f->state, 300, true), 0);
    }
    fclose(out);
    flatten(f->tabs);
}

static void show_lines(struct faces *f)
{
    struct qpw_totals now, before = {0}, passed;
    struct qpw_answer answer;

    cr_assert_eq(qpw_answer_make(&f->s, &answer), 0);
    qpw_totals_of(&f->s, &now);
    passed = qpw_totals_since(&now, &before);
    qpw_summary_text(&(struct qpw_summary){&passed, &answer, f->s.unix_ns, 10, NULL}, f->summary, sizeof(f->summary));
    qpw_words_headline(&answer, f->s.unix_ns, f->headline, sizeof(f->headline));
}

/* Collect what the alert engine writes about the same snapshot. */
static void show_alerts(struct faces *f)
{
    struct qpw_engine_settings settings;
    struct qpw_engine *engine;
    char *line = NULL;
    size_t size;
    FILE *out;

    qpw_engine_defaults(&settings);
    settings.heartbeat_s = 1;
    engine = engine_for(&f->alerts, &settings);
    cr_assert_eq(qpw_engine_snapshot(engine, &f->s, f->s.unix_ns), 0);
    qpw_engine_tick(engine, f->s.unix_ns);
    qpw_engine_tick(engine, f->s.unix_ns + 2 * SECOND);
    start(&out, &f->said, &size);
    for (size_t i = 0; i < f->alerts.n; i++) {
        fprintf(out, "%s\n", f->alerts.records[i].text);
        if (f->alerts.records[i].kind == QPW_RECORD_STATS)
            line = f->alerts.records[i].line;
    }
    fclose(out);
    cr_assert_not_null(line);
    f->heartbeat = parsed(strdup(line));
    qpw_engine_free(engine);
}

static void show(struct faces *f, const struct row *row)
{
    memset(f, 0, sizeof(*f));
    sample_snapshot(&f->s, 0);
    row->make(&f->s);
    show_report(f);
    show_status(f);
    show_top(f);
    show_lines(f);
    show_alerts(f);
}

static void drop(struct faces *f)
{
    qpw_report_clear(&f->r);
    qpw_model_free(&f->model);
    json_decref(f->report);
    json_decref(f->status_json);
    json_decref(f->heartbeat);
    sink_clear(&f->alerts);
    free(f->said);
    free(f->text);
    free(f->page);
    free(f->status);
    free(f->top);
    free(f->tabs);
    qpw_snapshot_clear(&f->s);
}

/* ---- What they must agree on ---- */

static void has(const struct row *row, const char *face, const char *text, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void has(const struct row *row, const char *face, const char *text, const char *format, ...)
{
    char wanted[400];
    va_list args;

    va_start(args, format);
    vsnprintf(wanted, sizeof(wanted), format, args);
    va_end(args);
    cr_expect(strstr(text, wanted), "%s, %s: no '%s' in:\n%.3000s", row->name, face, wanted, text);
}

static json_t *at(json_t *document, const char *path)
{
    char copy[128], *save;

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *word = strtok_r(copy, ".", &save); word && document; word = strtok_r(NULL, ".", &save))
        document = json_object_get(document, word);
    cr_assert_not_null(document, "%s", path);
    return document;
}

static uint64_t number(json_t *document, const char *path)
{
    return (uint64_t)json_integer_value(at(document, path));
}

static void same_answer(const struct row *row, const struct faces *f)
{
    json_t *answer = at(f->report, "answer"), *other = at(f->status_json, "answer");
    const char *state = qpw_answer_name(row->state), *text = json_string_value(at(answer, "text"));
    unsigned also = 0;
    json_t *one;
    size_t i;

    cr_expect_str_eq(json_string_value(at(answer, "state")), state, "%s", row->name);
    cr_expect(strstr(text, row->text) == text, "%s: '%s'", row->name, text);
    cr_expect(json_equal(answer, other), "%s: report and status", row->name);
    json_array_foreach(at(answer, "also"), i, one)
        for (unsigned s = 0; s < QPW_ANSWER_COUNT; s++)
            also |= !strcmp(json_string_value(one), qpw_answer_name(s)) ? 1u << s : 0;
    cr_expect_eq(also, row->also, "%s: also %#x", row->name, also);
    cr_expect_eq(json_is_null(at(answer, "since")), 0, "%s", row->name);
    has(row, "headline", f->headline, "%s: %s", state, text);
    has(row, "report", f->text, "answer %s", f->headline);
    has(row, "page", f->page, "data-answer=\"%s\">%s<", state, f->headline);
    has(row, "status", f->status, "answer %s", f->headline);
    has(row, "top", f->top, "%s", f->headline);
    has(row, "summary", f->summary, "; %s", f->headline);
}

static void same_totals(const struct row *row, const struct faces *f)
{
    char packets[40];
    uint64_t all = number(f->report, "totals.packets");

    qpw_words_many(all, "packet", packets, sizeof(packets));
    cr_expect_eq(number(f->status_json, "totals.packets"), all, "%s", row->name);
    cr_expect_eq(number(f->heartbeat, "stats.decoder.pkts"), all, "%s", row->name);
    cr_expect_eq(number(f->heartbeat, "stats.decoder.bytes"), number(f->report, "totals.bytes"), "%s", row->name);
    cr_expect(json_equal(at(f->report, "totals.by_direction"), at(f->status_json, "totals.by_direction")), "%s",
              row->name);
    cr_expect(json_equal(at(f->report, "totals.by_verdict"), at(f->status_json, "totals.by_verdict")), "%s", row->name);
    cr_expect_eq(f->model.totals.all.packets, all, "%s", row->name);
    has(row, "report", f->text, "VERDICTS %s", packets);
    has(row, "summary", f->summary, "10 s: %s, ", packets);
}

static void same_findings(const struct row *row, const struct faces *f)
{
    char found[64];

    cr_expect_eq(number(f->status_json, "totals.unexpected"), row->unexpected, "%s", row->name);
    cr_expect_eq(number(f->status_json, "totals.unexpected_answered"), row->answered, "%s", row->name);
    qpw_words_found(&f->r.answer.losses, row->unexpected, row->answered, found, sizeof(found));
    has(row, "report", f->text, "findings %s;", found);
    has(row, "status", f->status, "findings %s", found);
    has(row, "summary", f->summary, "; findings %s;", found);
    for (unsigned severity = 1; severity <= QPW_SEVERITY_INFO; severity++)
        has(row, "top", f->top, " %s %s", qpw_severity_name(severity),
            qpw_words_count(f->r.answer.by_severity[severity], found, sizeof(found)));
}

static void same_losses(const struct row *row, const struct faces *f)
{
    json_t *losses = at(f->report, "coverage.losses"), *count;
    uint64_t lost = 0, delayed = 0;
    const char *name;

    cr_expect(json_equal(losses, at(f->status_json, "losses")), "%s", row->name);
    json_object_foreach(losses, name, count)
        for (unsigned i = 1; i < QPW_LOSS_COUNT; i++)
            if (!strcmp(name, qpw_loss_name(i)))
                *(qpw_loss_delays(i) ? &delayed : &lost) += (uint64_t)json_integer_value(count);
    cr_expect_eq(lost, row->lost, "%s", row->name);
    cr_expect_eq(delayed, row->delayed, "%s", row->name);
    cr_expect_eq(number(f->heartbeat, "stats.capture.kernel_drops"), 0, "%s: no packet is ever dropped", row->name);
    cr_expect_eq(strtoull(qpw_eve_fact(f->heartbeat, "lost_detail"), NULL, 10), row->lost, "%s: the heartbeat", row->name);
    has(row, "top", f->top, " losses %u", row->lost);
    if (row->delayed && row->lost)
        has(row, "report", f->text, "%u events delayed, not lost", row->delayed);
    else if (row->delayed)
        has(row, "report", f->text, "lost none (%u events delayed, not lost)", row->delayed);
    else if (!row->lost)
        has(row, "report", f->text, "lost none ");
    cr_expect_eq(!!strstr(f->page, "<dt>Lost</dt>"), row->lost > 0, "%s: the page", row->name);
    cr_expect_eq(!!strstr(f->page, "<dt>Delayed, not lost</dt>"), row->delayed > 0, "%s: the page", row->name);
    cr_expect_eq(!!strstr(f->status, "(delayed, not lost)"), row->delayed > 0, "%s: status", row->name);
}

static void same_sight(const struct row *row, const struct faces *f)
{
    bool stale = f->r.answer.sight.auditor != QPW_AUDITOR_ALIVE;
    bool once = !f->r.s->replay; /* the sample has a past time without an auditor */

    cr_expect_eq(json_is_true(at(f->status_json, "auditor.stale")), stale, "%s", row->name);
    cr_expect_eq(!!strstr(f->top, "NO AUDITOR") || !!strstr(f->top, "AUDITOR SILENT"), stale, "%s: %s", row->name,
                 f->top);
    cr_expect_eq(json_array_size(at(f->report, "coverage.gaps")), row->missing + stale + once, "%s", row->name);
    cr_expect_eq(!!strstr(f->text, "no auditor (counted) from "), once, "%s: %s", row->name, f->text);
    cr_expect_eq(!!strstr(f->top, "NOT ATTACHED!"), row->missing > 0, "%s: %s", row->name, f->top);
    if (row->missing)
        has(row, "top", f->top, "%u NOT ATTACHED!", row->missing);
    else
        cr_expect_null(strstr(f->text, "NOT ATTACHED"), "%s: %s", row->name, f->text);
}

/* All faces that show the coverage have each note and each interface that is not monitored, in the same words. */
static void same_coverage(const struct row *row, const struct faces *f)
{
    json_t *notes = at(f->report, "coverage.notes"), *note;
    char unwatched[96];
    size_t i;

    cr_expect_eq(json_array_size(notes), f->s.n_notes, "%s", row->name);
    json_array_foreach(notes, i, note) {
        const char *text = json_string_value(note);

        has(row, "report", f->text, "%s", text);
        has(row, "page", f->page, "<dd>%s</dd>", text);
        has(row, "status", f->status, "%s", text);
        has(row, "top", f->tabs, "%.100s", text);
    }
    for (i = 0; i < f->s.n_unwatched; i++) {
        qpw_words_unwatched(&f->s.unwatched[i], unwatched, sizeof(unwatched));
        has(row, "report", f->text, "not monitored %s", unwatched);
        has(row, "page", f->page, "<dt>Not monitored</dt><dd>%s</dd>", unwatched);
        has(row, "status", f->status, "not monitored: %s", unwatched);
        has(row, "top", f->tabs, "NOT MONITORED %s", unwatched);
    }
    for (i = 0; i < f->r.n_gaps; i++) {
        char gap[96];

        qpw_words_gap(&f->s, &f->r.gaps[i], gap, sizeof(gap));
        has(row, "report", f->text, "%s", gap);
        has(row, "page", f->page, ">%s</th>", gap);
    }
    cr_expect(json_equal(notes, at(f->status_json, "coverage.notes")), "%s: report and status", row->name);
    cr_expect(json_equal(at(f->report, "coverage.unwatched"), at(f->status_json, "coverage.unwatched")), "%s", row->name);
    cr_expect(json_equal(at(f->report, "coverage.events"), at(f->status_json, "coverage.events")), "%s", row->name);
    cr_expect(json_equal(at(f->report, "coverage.tables"), at(f->status_json, "tables")), "%s", row->name);
}

static const struct qpw_peer_view *shown_peer(const struct faces *f, const char *name)
{
    for (size_t i = 0; i < f->model.n_peers; i++)
        if (!strcmp(f->model.peers[i].sum.info->name, name))
            return &f->model.peers[i];
    return NULL;
}

static void same_peers(const struct row *row, const struct faces *f)
{
    json_t *peers = at(f->report, "peers"), *peer;
    size_t i;

    cr_expect_eq(json_array_size(peers), f->model.n_peers, "%s: top shows %zu peers", row->name, f->model.n_peers);
    json_array_foreach(peers, i, peer) {
        const struct qpw_peer_view *shown = shown_peer(f, json_string_value(at(peer, "name")));
        json_t *busiest, *first;

        cr_assert_not_null(shown, "%s", row->name);
        cr_expect_eq(number(peer, "rx_bytes"), shown->sum.counts.rx_bytes, "%s", row->name);
        cr_expect_eq(number(peer, "tx_bytes"), shown->sum.counts.tx_bytes, "%s", row->name);
        busiest = at(peer, "busiest");
        first = json_array_get(busiest, 0);
        if (first)
            cr_expect_eq(number(first, "bytes"), shown->sum.busiest[0].sum.bytes, "%s: the same port in parts", row->name);
    }
}

static void same_rules(const struct row *row, const struct faces *f)
{
    json_t *rules = at(f->report, "rules"), *rule;
    size_t i;

    cr_expect_eq(json_array_size(rules), f->model.n_rules, "%s", row->name);
    json_array_foreach(rules, i, rule) {
        const struct qpw_rule_use *use = &f->model.rules[i].use;

        cr_expect_str_eq(json_string_value(at(rule, "name")), use->info->name, "%s", row->name);
        cr_expect_eq(number(rule, "hits"), qpw_sum_of(&use->counts).packets, "%s: %s", row->name, use->info->name);
    }
}

/* Lines of many findings, and the line that would allow a single one: in report, page and the view's details. */
static void same_lines(const struct row *row, const struct faces *f)
{
    char part[96], line[256], shown[256];

    for (size_t i = 0; i < f->r.found.n_lines && i < 50; i++) {
        const struct qpw_finding_line *l = &f->r.found.lines[i];

        qpw_words_line_service(l, part, sizeof(part));
        has(row, "report", f->text, "%s", part);
        has(row, "page", f->page, "<th class=\"a\" scope=\"row\">%s</th>", part);
        qpw_words_line_initiator(l, part, sizeof(part));
        has(row, "report", f->text, "%s", part);
        has(row, "page", f->page, "<td class=\"a\">%s</td>", part);
        has(row, "page", f->page, ">%s</td>", qpw_words_line_outcome(l));
    }
    for (size_t i = 0; i < f->r.found.n_rows && i < 50; i++) {
        const struct qpw_finding_row *finding = f->r.found.rows[i];
        struct qpw_row as_row = {.kind = QPW_ROW_FINDING, .source = finding};
        json_t *allow = json_object_get(json_array_get(at(f->report, "findings"), i), "allow");
        int r = qpw_allow_line(&f->model, &as_row, shown, sizeof(shown));

        snprintf(line, sizeof(line), "%s", json_is_null(allow) ? "" : json_string_value(allow));
        cr_expect_eq(r == 0, !json_is_null(allow), "%s: '%s', '%s'", row->name, line, shown);
        if (r == 0)
            cr_expect_str_eq(line, shown, "%s", row->name);
    }
}

/* Each finding has the same severity in the document, in the view and in its alert. */
static void same_severities(const struct row *row, const struct faces *f)
{
    json_t *findings = at(f->report, "findings"), *finding;
    struct sink sink = {0};
    struct qpw_engine *engine = engine_for(&sink, NULL);
    size_t i;

    cr_assert_eq(qpw_engine_findings(engine, f->s.findings, f->s.n_findings, f->s.unix_ns), 0);
    cr_expect_eq(json_array_size(findings), f->s.n_findings, "%s", row->name);
    json_array_foreach(findings, i, finding) {
        const char *severity = json_string_value(at(finding, "severity"));

        for (size_t j = 0; j < sink.n; j++)
            if (sink.records[j].flow_id == number(finding, "flow_id") && json_string_length(at(finding, "signature")) &&
                !strcmp(json_string_value(at(finding, "state")), "open"))
                cr_expect_str_eq(severity, qpw_severity_name(sink.records[j].signature->severity), "%s", row->name);
    }
    qpw_engine_free(engine);
    sink_clear(&sink);
}

static const struct qpw_finding_row *finding_of(const struct faces *f, uint64_t flow_id)
{
    for (size_t i = 0; flow_id && i < f->s.n_findings; i++)
        if (f->s.findings[i].flow_id == flow_id)
            return &f->s.findings[i];
    return NULL;
}

/* An alert's sentence describes the finding with the same words as the other faces. */
static void same_sentence(const struct row *row, const struct faces *f, const struct seen *record,
                          const struct qpw_finding_row *finding)
{
    const struct qpw_finding_key *key = &finding->key;
    struct qpw_sum sum = qpw_sum_of(&finding->counts);
    char service[64], initiator[64], responder[64], traffic[64];
    const struct {
        const char *place, *words;
    } parts[] = {
        {"{service}", qpw_words_service(key->kind, key->protocol, key->port, service, sizeof(service))},
        {"{initiator}", qpw_words_end(key->kind, key->initiator, initiator, sizeof(initiator))},
        {"{responder}", qpw_words_end(key->kind, key->responder, responder, sizeof(responder))},
        {"{traffic}", sum.packets ? qpw_words_traffic(sum.packets, sum.bytes, traffic, sizeof(traffic)) : ""},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (strstr(record->signature->text, parts[i].place))
            has(row, "alert", record->text, "%s", parts[i].words);
    has(row, "report", f->text, "%s", service);
    if (record->allow[0])
        has(row, "alert", record->text, "`%s`", record->allow);
}

/*
 * Alerts: with ACTION NEEDED an answered finding of high or medium severity, as serious as the worst; the same losses,
 * but none for delays.
 */
static void same_alerts(const struct row *row, const struct faces *f)
{
    const struct qpw_finding_row *finding, *worst = f->r.answer.worst;
    unsigned severity = QPW_SEVERITY_INFO + 1, losses = 0;
    char times[48];

    for (size_t i = 0; i < f->alerts.n; i++) {
        const struct seen *record = &f->alerts.records[i];

        finding = record->signature && record->kind != QPW_RECORD_CLOSED ? finding_of(f, record->flow_id) : NULL;
        if (!finding)
            continue;
        if (!qpw_finding_open(finding)) { /* recorded with its state, but not counted by the other faces */
            has(row, "alert", record->line, "\"superseded\":[\"yes\"]");
            continue;
        }
        same_sentence(row, f, record, finding);
        if (record->outcome >= QPW_OUTCOME_ANSWERED && record->signature->severity < severity)
            severity = record->signature->severity;
    }
    if (row->state == QPW_ANSWER_ACTION_NEEDED)
        cr_expect_eq(severity, qpw_finding_severity(worst), "%s: %u", row->name, severity);
    else
        cr_expect_gt(severity, QPW_SEVERITY_MEDIUM, "%s: %u", row->name, severity);
    for (unsigned i = 1; i < QPW_LOSS_COUNT; i++)
        if (f->s.losses[i] && !qpw_loss_delays(i)) {
            has(row, "alert", f->said, "%s", qpw_words_many(f->s.losses[i], qpw_loss_effect(i) == QPW_EFFECT_COUNTED
                                                            ? "time" : "packet", times, sizeof(times)));
            losses++;
        }
    cr_expect_eq(sink_count(&f->alerts, QPW_SIG_DETAIL_LOST) + sink_count(&f->alerts, QPW_SIG_ANSWERED_DETAIL_LOST) +
                 sink_count(&f->alerts, QPW_SIG_COUNTING_LOST), losses, "%s: alerts of losses", row->name);
}

Test(faces, all_show_the_same_answer_and_numbers)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct faces f;

        show(&f, &table[i]);
        same_answer(&table[i], &f);
        same_totals(&table[i], &f);
        same_findings(&table[i], &f);
        same_losses(&table[i], &f);
        same_sight(&table[i], &f);
        same_coverage(&table[i], &f);
        same_peers(&table[i], &f);
        same_rules(&table[i], &f);
        same_lines(&table[i], &f);
        same_severities(&table[i], &f);
        same_alerts(&table[i], &f);
        drop(&f);
    }
}

/* A narrow screen shortens the answer, but keeps the state, its basis and its start. */
Test(faces, a_narrow_view_says_the_answer_and_since_when)
{
    static const int widths[] = {80, 90, 100, 120};
    struct faces f;

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        show(&f, &table[i]);
        for (size_t w = 0; w < sizeof(widths) / sizeof(*widths); w++) {
            char *text = NULL, *line;
            size_t size, length;
            FILE *out;

            start(&out, &text, &size);
            cr_assert_eq(qpw_plain_header(out, &f.model, &f.state, widths[w], true), 0);
            fclose(out);
            line = strchr(text, '\n') + 1;
            line[strcspn(line, "\n")] = '\0';
            length = strlen(line);
            cr_expect(length > strlen("CLEAN: ") && length <= (size_t)widths[w], "%s: %s", table[i].name, line);
            cr_expect(!strncmp(line, f.headline, strcspn(f.headline, ":") + 3), "%s: '%s' of '%s'", table[i].name, line, f.headline);
            cr_expect_eq(!strstr(line, " since "), !strstr(f.headline, " since "), "%s at %d: '%s' of '%s'", table[i].name,
                         widths[w], line, f.headline);
            cr_expect(strlen(f.headline) > (size_t)widths[w] || !strcmp(line, f.headline), "%s at %d: '%s' of '%s'",
                      table[i].name, widths[w], line, f.headline);
            free(text);
        }
        drop(&f);
    }
}

/* A detach by an operator is a gap in coverage, but needs no action. */
Test(faces, what_was_detached_by_a_command_is_said_and_not_blind)
{
    struct row row = {"one detached", one_detached};
    struct faces f;

    show(&f, &row);
    has(&row, "report", f.text, "eth1 detached");
    has(&row, "top", f.tabs, "eth1 detached");
    drop(&f);
}

/* Ascending precedence: the last applicable state is the answer, the others are listed in `also`. */
Test(faces, precedence)
{
    struct qpw_snapshot s;
    struct qpw_answer a;

    sample_snapshot(&s, 0);
    s.losses[QPW_LOSS_FINDING_QUOTA] = 1;
    s.lock = QPW_LOCK_FREE;
    for (enum qpw_answer_state state = QPW_ANSWER_ACTION_NEEDED; state > QPW_ANSWER_CLEAN; state--) {
        cr_assert_eq(qpw_answer_make(&s, &a), 0);
        cr_expect_eq(a.state, state);
        for (unsigned other = QPW_ANSWER_PROBED; other < state; other++)
            cr_expect(qpw_answer_has(&a, other), "%s besides %s", qpw_answer_name(other), qpw_answer_name(state));
        cr_expect(!(a.also & 1u << QPW_ANSWER_CLEAN));
        if (state == QPW_ANSWER_ACTION_NEEDED)
            probed(&s);
        else if (state == QPW_ANSWER_BLIND)
            s.lock = QPW_LOCK_HELD;
        else if (state == QPW_ANSWER_DETAIL_LOST)
            s.losses[QPW_LOSS_FINDING_QUOTA] = 0;
    }
    qpw_snapshot_clear(&s);
}

/* Acknowledged findings are mentioned; a frame that is not IP is shown without a direction. */
Test(faces, acknowledged_ones_and_arp_in_words)
{
    struct qpw_finding_row arp = {.key = {.kind = QPW_KIND_ETHERTYPE, .port = 0x0806, .direction = QPW_DIR_NON_IP}};
    struct qpw_answer a = {.state = QPW_ANSWER_PROBED, .probes = 1, .worst = &arp, .acknowledged = 3};
    struct qpw_totals none = {0};
    char text[640], reported[320];

    cr_expect_str_eq(qpw_words_headline(&a, SAMPLE_NOW_NS, text, sizeof(text)), "PROBED: 1 unexpected attempt, none answered (ARP)");
    cr_expect(strstr(qpw_summary_text(&(struct qpw_summary){&none, &a, SAMPLE_NOW_NS, 10, "CLEAN"}, text, sizeof(text)),
                     "findings 0 unexpected, 0 of them answered, 3 acknowledged; PROBED: 1 unexpected attempt, none"), "%s", text);
    qpw_words_headline(&a, SAMPLE_NOW_NS, reported, sizeof(reported));
    cr_expect(strstr(qpw_summary_text(&(struct qpw_summary){&none, &a, SAMPLE_NOW_NS, 10, reported}, text, sizeof(text)),
                     "3 acknowledged; PROBED"), "%s", text);
    cr_expect_null(strstr(text, "PROBED: "), "the same is not said again: %s", text);
}

/* The answer's start is that of the oldest of its causes, and of nothing else. */
Test(faces, since)
{
    struct qpw_snapshot s;
    struct qpw_answer a;

    sample_snapshot(&s, 0);
    s.findings[0].first_unix_ns = SAMPLE_NOW_NS - 900 * SECOND; /* refused */
    cr_assert_eq(qpw_answer_make(&s, &a), 0);
    cr_expect_eq(a.since_unix_ns, SAMPLE_NOW_NS - 600 * SECOND);
    cr_expect_eq(a.worst->key.port, 4444);
    probed(&s);
    cr_assert_eq(qpw_answer_make(&s, &a), 0);
    cr_expect_eq(a.since_unix_ns, SAMPLE_NOW_NS - 900 * SECOND);
    s.control.heartbeat_ns = s.mono_ns - 30 * SECOND;
    cr_assert_eq(qpw_answer_make(&s, &a), 0);
    cr_expect_eq(a.since_unix_ns, SAMPLE_NOW_NS - 30 * SECOND, "its last heartbeat");
    s.ifaces[0].attached = false;
    s.coverage[1] = (struct qpw_coverage){.unix_ns = SAMPLE_NOW_NS - 40 * SECOND, .kind = QPW_COVERAGE_HOOK_LOST,
                                          .iface = 1};
    cr_assert_eq(qpw_answer_make(&s, &a), 0);
    cr_expect_eq(a.since_unix_ns, SAMPLE_NOW_NS - 40 * SECOND, "as the record says");
    clean(&s);
    s.ifaces[0].attached = true;
    s.control.heartbeat_ns = s.mono_ns;
    cr_assert_eq(qpw_answer_make(&s, &a), 0);
    cr_expect_eq(a.since_unix_ns, SAMPLE_START_NS);
    qpw_snapshot_clear(&s);
}

/* ---- Sockets that listen: the list, the report in its forms, the view, and the alerts about them ---- */

static const char some_policy[] = "inbound tcp 445 SMB name=smb owner=/usr/sbin/smbd\ninbound tcp 2049 NFS name=nfs\n"
                                  "inbound tcp 22 SSH name=ssh\n";

static const struct qpw_listener some_listeners[] = {
    {.port = 445, .protocol = IPPROTO_TCP, .v4 = true,
     .owner = {.match = QPW_MATCH_EXACT, .pid = 901, .name = "python3", .user = "root", .exe = "/usr/bin/python3"}},
    {.port = 2049, .protocol = IPPROTO_TCP, .v4 = true, .v6 = true, .owner = {.match = QPW_MATCH_KERNEL, .name = "nfsd"}},
    {.port = 4444, .protocol = IPPROTO_TCP, .v4 = true,
     .owner = {.match = QPW_MATCH_EXACT, .pid = 11331, .name = "ncat", .user = "root", .exe = "/usr/bin/ncat",
               .started_unix_ns = SAMPLE_NOW_NS - 1200 * SECOND}},
};
#define N_LISTENERS (sizeof(some_listeners) / sizeof(*some_listeners))

struct node_list {
    struct qpw_snapshot s;
    struct qpw_listeners listeners;
    struct qpw_policy policy;
    struct qpw_registry names;
    struct qpw_compiled compiled;
    struct qpw_listening listening;
    struct qpw_listening_about about;
};

static void make_list(struct node_list *n)
{
    struct qpw_compile_context context = {.now = SAMPLE_NOW_NS / SECOND};
    struct qpw_listening_from from = {.listeners = &n->listeners, .policy = &n->policy, .compiled = &n->compiled,
                                      .names = &n->names, .snapshot = &n->s, .now = SAMPLE_NOW_NS / SECOND};
    struct qpw_error err;

    memset(n, 0, sizeof(*n));
    sample_snapshot(&n->s, 0);
    n->listeners.rows = malloc(sizeof(some_listeners));
    cr_assert_not_null(n->listeners.rows);
    memcpy(n->listeners.rows, some_listeners, sizeof(some_listeners));
    n->listeners.n = N_LISTENERS;
    cr_assert_eq(qpw_policy_parse_text("mine", some_policy, strlen(some_policy), &n->policy, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_policy_compile(&n->policy, &context, &n->names, &n->compiled, &err), 0, "%s", err.text);
    free(n->s.rules); /* the rules in force on the node */
    n->s.n_rules = n->names.n_rules;
    n->s.rules = malloc(n->s.n_rules * sizeof(*n->s.rules));
    cr_assert_not_null(n->s.rules);
    memcpy(n->s.rules, n->names.rules, n->s.n_rules * sizeof(*n->s.rules));
    cr_assert_eq(qpw_listening_make(&from, &n->listening), 0);
    n->about = (struct qpw_listening_about){.names = &n->names, .policy_name = "mine", .policy_path = "",
                                            .policy_digest = "sha256:0", .source_digest = "",
                                            .now_unix_ns = n->s.unix_ns};
}

static void clear_list(struct node_list *n)
{
    qpw_listening_clear(&n->listening);
    qpw_listeners_clear(&n->listeners);
    qpw_compiled_clear(&n->compiled);
    qpw_registry_clear(&n->names);
    qpw_policy_clear(&n->policy);
    qpw_snapshot_clear(&n->s);
}

static int give_listeners(void *context, const struct qpw_snapshot *s, const struct qpw_listening **ret,
                          struct qpw_error *err)
{
    struct node_list *n = context;

    *ret = &n->listening;
    return 0;
}

/* The report and the list itself as text and as a document, the page, and the view's tab. */
enum { LIST, REPORT, PAGE, TAB, TEXTS };

static void show_list(struct node_list *n, char *texts[TEXTS], json_t **ret_list, json_t **ret_report)
{
    struct qpw_render_options options = {.columns = 200, .all = true, .listening = &n->listening,
                                         .listening_about = &n->about};
    struct qpw_view_more more = {.listening = give_listeners, .context = n};
    struct qpw_report r = {0};
    struct qpw_model model = {0};
    struct qpw_view_state state;
    struct qpw_printer printer;
    struct qpw_error err;
    char *json;
    size_t size;
    FILE *out;

    cr_assert_eq(qpw_report_make(&n->s, 0, &r), 0);
    start(&out, &texts[LIST], &size);
    printer = (struct qpw_printer){.out = out, .width = 200, .indent = 2, .label = 12};
    cr_assert_eq(qpw_listening_text(&n->listening, &n->about, &printer), 0);
    fclose(out);
    start(&out, &texts[REPORT], &size);
    cr_assert_eq(qpw_report_text(&r, &options, out), 0);
    fclose(out);
    start(&out, &texts[PAGE], &size);
    cr_assert_eq(qpw_report_html(&r, &options, out), 0);
    fclose(out);
    start(&out, &json, &size);
    cr_assert_eq(qpw_report_json(&r, &options, out), 0);
    fclose(out);
    *ret_report = parsed(json);
    n->about.answer = &r.answer;
    *ret_list = qpw_listening_json(&n->listening, &n->about);
    n->about.answer = NULL;
    qpw_state_init(&state);
    state.tab = QPW_TAB_LISTENERS;
    cr_assert_eq(qpw_model_advance(&model, &n->s), 0);
    cr_assert_eq(qpw_model_read_more(&model, &state, &more, &err), 0);
    start(&out, &texts[TAB], &size);
    cr_assert_eq(qpw_plain_table(out, &model, &state, 300, true), 0);
    fclose(out);
    qpw_model_free(&model);
    qpw_report_clear(&r);
}

/* Return a copy of a text's line about a service. */
static char *line_about(const char *text, const char *service, const char *end)
{
    size_t length = strlen(service);

    for (const char *line = text, *next; *line; line = next) {
        const char *stop = strstr(line, end);
        char *copy;
        bool found = false;

        next = stop ? stop + strlen(end) : line + strlen(line);
        copy = strndup(line, (size_t)(next - line));
        for (const char *at = copy; !found && (at = strstr(at, service)); at++)
            found = at[length] == ' ' || at[length] == '<';
        if (found)
            return copy;
        free(copy);
    }
    cr_assert_fail("%s in %s", service, text);
    return NULL;
}

Test(faces, listeners_are_the_same_in_all)
{
    static const char *const faces[TEXTS] = {"listeners", "report", "page", "view"};
    static const char *const begins[TEXTS] = {"", "\nLISTENERS", "id=\"listeners\"", ""};
    struct node_list n;
    char *texts[TEXTS];
    json_t *list, *report;

    make_list(&n);
    show_list(&n, texts, &list, &report);
    cr_expect(json_equal(at(list, "listeners"), at(report, "listeners")));
    cr_expect(json_equal(at(list, "listed_not_listening"), at(report, "listed_not_listening")));
    cr_expect_eq(json_array_size(at(report, "listeners")), N_LISTENERS);
    for (size_t i = 0; i < n.listening.n; i++) {
        const struct qpw_listening_row *l = &n.listening.rows[i];
        struct row row = {.name = l->listener->owner.name};
        json_t *one = json_array_get(at(report, "listeners"), i);
        char service[64], owner[64], asked[32], moment[32];

        qpw_words_service(QPW_KIND_PORT, l->listener->protocol, l->listener->port, service, sizeof(service));
        qpw_words_owner(&l->listener->owner, owner, sizeof(owner));
        cr_expect_eq(number(one, "port"), l->listener->port);
        cr_expect_str_eq(json_string_value(at(one, "verdict")), qpw_listening_word(l->verdict));
        cr_expect_eq(json_is_true(at(one, "asked")), l->asked);
        for (unsigned face = 0; face < TEXTS; face++) {
            char *line = line_about(strstr(texts[face], begins[face]), service, face == PAGE ? "</tr>" : "\n");

            has(&row, faces[face], line, "%s", qpw_words_listener_verdict(l));
            has(&row, faces[face], line, "%s", owner);
            if (face == TAB && l->last_asked_unix_ns) /* ages, as in all of its columns */
                qpw_words_age(n.s.unix_ns - l->last_asked_unix_ns, asked, sizeof(asked));
            else
                snprintf(asked, sizeof(asked), "%s", qpw_words_listener_asked(&n.listening, l, n.s.unix_ns, moment,
                                                                               sizeof(moment)));
            has(&row, faces[face], line, "%s", asked);
            if (l->rule)
                has(&row, faces[face], line, "%s", n.names.rules[l->rule].name);
            free(line);
        }
    }
    for (unsigned face = 0; face < TEXTS; face++) {
        cr_expect(strstr(texts[face], "ssh"), "%s: listed and not listening: %s", faces[face], texts[face]);
        free(texts[face]);
    }
    json_decref(list);
    json_decref(report);
    clear_list(&n);
}

/* The alerts about them spell service, owner and rule as the list does. */
Test(faces, alerts_of_listeners_say_what_the_list_says)
{
    struct sink sink = {0};
    struct qpw_engine *engine = engine_for(&sink, NULL);
    struct node_list n;
    struct row row = {"listeners"};

    make_list(&n);
    for (size_t i = 0; i < n.listening.n; i++) {
        const struct qpw_listening_row *l = &n.listening.rows[i];
        struct qpw_engine_socket socket = {
            .key = {.kind = QPW_KIND_PORT, .protocol = l->listener->protocol, .port = l->listener->port,
                    .direction = QPW_DIR_INBOUND, .verdict = l->verdict},
            .rule = l->rule, .device = "", .wanted = l->wanted, .owner = &l->listener->owner};
        char service[64], owner[96];

        if (l->verdict == QPW_VERDICT_UNEXPECTED)
            cr_assert_eq(qpw_engine_listener(engine, &socket, n.s.unix_ns), 0);
        else if (l->owner_word == QPW_OWNER_OTHER)
            cr_assert_eq(qpw_engine_other_owner(engine, &socket, n.s.unix_ns), 0);
        else
            continue;
        cr_assert_gt(sink.n, 0);
        has(&row, "alert", sink.records[sink.n - 1].text, "%s",
            qpw_words_service(QPW_KIND_PORT, l->listener->protocol, l->listener->port, service, sizeof(service)));
        has(&row, "alert", sink.records[sink.n - 1].text, "%s",
            qpw_words_owner_said(&l->listener->owner, owner, sizeof(owner)));
        if (l->wanted)
            has(&row, "alert", sink.records[sink.n - 1].text, "%s", l->wanted);
    }
    cr_expect_eq(sink_count(&sink, QPW_SIG_LISTENER_NEW), 1);
    cr_expect_eq(sink_count(&sink, QPW_SIG_OWNER_CHANGED), 1);
    qpw_engine_free(engine);
    sink_clear(&sink);
    clear_list(&n);
}

/* ---- Live connections: the list, its document and the view ---- */

static const struct qpw_connection some_connections[] = {
    {.key = {.protocol = IPPROTO_TCP, .local_port = 4444, .remote_port = 50001},
     .conn = {.direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED, .outcome = QPW_OUTCOME_DATA,
              .evidence = QPW_EVIDENCE_HANDSHAKE}},
    {.key = {.protocol = IPPROTO_TCP, .local_port = 445, .remote_port = 50000},
     .conn = {.direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_ALLOWED, .outcome = QPW_OUTCOME_ANSWERED,
              .evidence = QPW_EVIDENCE_SOCKET, .rule = SAMPLE_RULE_SMB}},
};
#define N_CONNECTIONS (sizeof(some_connections) / sizeof(*some_connections))

static int give_connections(void *context, const struct qpw_snapshot *s, const struct qpw_connections_wanted *wanted,
                            struct qpw_connections *ret, struct qpw_error *err)
{
    *ret = (struct qpw_connections){.rows = malloc(sizeof(some_connections)), .n = N_CONNECTIONS};
    cr_assert_not_null(ret->rows);
    memcpy(ret->rows, some_connections, sizeof(some_connections));
    return 0;
}

static const char *ncat(void *context, uint64_t id, const struct qpw_connection *connection)
{
    return "ncat[11331]";
}

Test(faces, connections_are_the_same_in_all)
{
    const struct qpw_process owner = {.match = QPW_MATCH_EXACT, .pid = 11331, .name = "ncat", .user = "root"};
    struct qpw_view_more more = {.connections = give_connections};
    struct qpw_table rows = {.columns = qpw_connection_columns, .n_columns = qpw_connection_n_columns};
    struct qpw_model model = {.connection_process = ncat};
    struct qpw_view_state state;
    struct qpw_snapshot s;
    struct qpw_error err;
    char *list, *tab;
    size_t size;
    FILE *out;

    sample_snapshot(&s, 0);
    for (size_t i = 0; i < N_CONNECTIONS; i++)
        cr_assert_eq(qpw_connection_add(&rows, &s, &(struct qpw_connection_line){&some_connections[i], &owner}), 0);
    start(&out, &list, &size);
    cr_assert_eq(qpw_table_print(&rows, &(struct qpw_printer){.out = out, .width = 300}), 0);
    fclose(out);
    qpw_state_init(&state);
    state.tab = QPW_TAB_CONNECTIONS;
    cr_assert_eq(qpw_model_advance(&model, &s), 0);
    cr_assert_eq(qpw_model_read_more(&model, &state, &more, &err), 0);
    start(&out, &tab, &size);
    cr_assert_eq(qpw_plain_table(out, &model, &state, 300, true), 0);
    fclose(out);
    for (size_t i = 0; i < N_CONNECTIONS; i++) {
        const struct qpw_connection *c = &some_connections[i];
        struct qpw_connection_line line = {c, &owner};
        json_t *one = qpw_connection_row_json(&s, &line);
        struct row row = {"connections"};
        char service[64], process[64], *lines[2];

        qpw_words_service(QPW_KIND_PORT, c->key.protocol, c->key.local_port, service, sizeof(service));
        lines[0] = line_about(list, service, "\n");
        lines[1] = line_about(tab, service, "\n");
        cr_expect_str_eq(json_string_value(at(one, "verdict")), qpw_verdict_name(c->conn.verdict));
        cr_expect_str_eq(json_string_value(at(one, "outcome")), qpw_outcome_name(c->conn.outcome));
        cr_expect_str_eq(json_string_value(at(one, "evidence")), qpw_evidence_name(c->conn.evidence));
        for (unsigned face = 0; face < 2; face++) {
            const char *name = face ? "view" : "connections";

            has(&row, name, lines[face], "%s", qpw_verdict_name(c->conn.verdict));
            has(&row, name, lines[face], "%s", qpw_outcome_name(c->conn.outcome));
            has(&row, name, lines[face], "%s", qpw_evidence_name(c->conn.evidence));
            has(&row, name, lines[face], "%s", qpw_words_owner(&owner, process, sizeof(process)));
            if (c->conn.rule)
                has(&row, name, lines[face], "%s", s.rules[c->conn.rule].name);
            free(lines[face]);
        }
        json_decref(one);
    }
    qpw_table_clear(&rows);
    qpw_model_free(&model);
    free(list);
    free(tab);
    qpw_snapshot_clear(&s);
}

/* Answered exchanges beyond their quota are stored as attempted, so no face claims that none was answered. */
Test(faces, lost_answers_are_not_denied)
{
    struct qpw_snapshot s;
    struct qpw_answer answer;
    char text[320];

    sample_snapshot(&s, 0);
    for (size_t i = 0; i < s.n_findings; i++)
        s.findings[i].value.outcome = QPW_OUTCOME_ATTEMPTED;
    s.losses[QPW_LOSS_ANSWERED_QUOTA] = 1200;
    cr_assert_eq(qpw_answer_make(&s, &answer), 0);
    cr_expect(qpw_answer_has(&answer, QPW_ANSWER_DETAIL_LOST));
    answer.state = QPW_ANSWER_PROBED;
    qpw_words_answer(&answer, s.unix_ns, text, sizeof(text));
    cr_expect(strstr(text, "some may have been answered") && !strstr(text, "none answered"), "%s", text);
    qpw_words_found(&answer.losses, answer.unexpected, answer.answered, text, sizeof(text));
    cr_expect(strstr(text, "0 or more of them answered"), "%s", text);
    qpw_snapshot_clear(&s);
}

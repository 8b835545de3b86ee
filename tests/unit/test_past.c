/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live view of the past: which span of the history it shows, its figures, and its labels. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "history/history.h"
#include "util/names.h"
#include "view/input.h"
#include "view/past.h"
#include "view/screen.h"

#define SECOND 1000000000ull
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define BEGIN (1772409600ull * SECOND) /* 2026-03-02, a Monday */

static char folder[64], path[96];
static struct qpw_past past;
static struct qpw_error err;

/* ---- A day and a half: 360 packets an hour on port 445, silence from 04:00 to 07:00 of the first day ---- */

static void write_history(void)
{
    struct qpw_history *h = qpw_history_new(&(struct qpw_history_options){.path = path});
    struct qpw_rule_info rules[2] = {{{0}}, {.name = "smb", .text = "inbound tcp 445 SMB name=smb", .direction = QPW_DIR_INBOUND,
                                             .verdict = QPW_VERDICT_ALLOWED, .in_force = 1}};
    struct qpw_meter_row meter = {.key = {.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_ALLOWED, .port = 445, .rule = 1}};
    struct qpw_history_finding finding = {.row.key = {.port = 4444, .kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED},
                                          .row.value = {.outcome = QPW_OUTCOME_DATA, .owner.comm = "nc"}};
    struct qpw_snapshot s = {.rules = rules, .n_rules = 2, .meters = &meter, .n_meters = 1, .from_unix_ns = BEGIN, .host = "node1",
                             .meta = {.attached_unix_ns = BEGIN, .policy_name = "site", .policy_digest = "sha256:1"}};
    struct qpw_history_result result;

    finding.row.flow_id = 7;
    finding.row.first_unix_ns = finding.row.answered_unix_ns = finding.row.last_unix_ns = BEGIN + 2 * HOUR + 60 * SECOND;
    finding.row.counts.rx_packets = 99;
    for (s.unix_ns = BEGIN + 60 * SECOND; s.unix_ns <= BEGIN + 36 * HOUR; s.unix_ns += 60 * SECOND) {
        uint64_t hour = (s.unix_ns - 1 - BEGIN) / HOUR;
        struct qpw_history_input in = {.s = &s, .instance = 1, .policy_text = "inbound tcp 445 SMB name=smb\n", .policy_by = "root",
                                       .findings = &finding, .n_findings = hour >= 2};

        if (hour < 4 || hour >= 7) {
            meter.counts.rx_packets += 6;
            meter.counts.rx_bytes += 600;
        }
        qpw_history_write(h, &in, &result);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    }
    qpw_history_free(h);
}

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/qportwatch-past.XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/history.db", folder);
    write_history();
}

static void teardown(void)
{
    char command[128];

    qpw_past_clear(&past);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(past, .init = setup, .fini = teardown);

/* Move to another span. Returns "", or err's text if there is none. */
static const char *step(enum qpw_past_step how, int64_t length, uint64_t now_ns)
{
    static char text[96];
    const struct qpw_model_past *p = &past.model.past;
    int r = qpw_past_step(&past, &(struct qpw_past_options){.path = path, .length = length, .now_unix_ns = now_ns}, how, &err);

    cr_assert_geq(r, 0, "%s", err.text);
    snprintf(text, sizeof(text), "%g-%g", ((double)p->from_unix_ns - (double)BEGIN) / (double)HOUR, ((double)p->to_unix_ns - (double)BEGIN) / (double)HOUR);
    return r ? text : "";
}

static uint64_t packets(void)
{
    return past.model.totals.all.packets;
}

Test(past, goes_from_span_to_span_and_passes_over_silence)
{
    uint64_t now = BEGIN + 36 * HOUR + HOUR / 2;

    cr_expect_str_eq(step(QPW_PAST_BACK, 3600, now), "35-36", "the last that has anything");
    cr_expect_eq(packets(), 360);
    cr_expect_float_eq(past.model.tracks.total.rx_packets, 0.1, 1e-5);
    cr_expect_float_eq(past.model.tracks.total.rx_bytes, 10, 1e-3);
    cr_expect_str_eq(step(QPW_PAST_BACK, 3600, now), "34-35");
    cr_expect_str_eq(step(QPW_PAST_FORWARD, 3600, now), "35-36");
    cr_expect_str_eq(step(QPW_PAST_FORWARD, 3600, now), "", "behind it is now");
    cr_expect_str_eq(err.text, "nothing later is in the history");
    for (unsigned i = 0; i < 28; i++)
        step(QPW_PAST_BACK, 3600, now);
    cr_expect_str_eq(step(QPW_PAST_HERE, 3600, now), "7-8");
    cr_expect_str_eq(step(QPW_PAST_BACK, 3600, now), "3-4", "nothing was counted from 4 to 7");
    cr_expect_str_eq(step(QPW_PAST_FORWARD, 3600, now), "7-8");
    for (unsigned i = 0; i < 4; i++)
        step(QPW_PAST_BACK, 3600, now);
    cr_expect_str_eq(step(QPW_PAST_HERE, 3600, now), "0-1");
    cr_expect_str_eq(step(QPW_PAST_BACK, 3600, now), "");
    cr_expect_str_eq(err.text, "nothing earlier is in the history");
    cr_expect_eq(packets(), 360, "what was shown stays");
}

Test(past, spans_have_the_length_asked_for_or_that_of_what_is_kept)
{
    uint64_t now = BEGIN + 36 * HOUR;

    cr_expect_str_eq(step(QPW_PAST_BACK, 7 * 86400, now), "0-36", "a week from Monday on, as far as it has gone by");
    cr_expect_eq(packets(), 33 * 360);
    cr_expect_str_eq(step(QPW_PAST_HERE, 86400, now), "0-24");
    cr_expect_eq(packets(), 21 * 360);
    cr_expect_str_eq(step(QPW_PAST_FORWARD, 86400, now), "24-36");
    cr_expect_str_eq(step(QPW_PAST_HERE, 3600, now), "24-25");
    cr_expect_str_eq(step(QPW_PAST_HERE, 300, now), "24-24.0833");
    cr_expect_eq(packets(), 30);
}

/* The file may not show yet that an auditor runs now, because it is written once a minute. */
Test(past, a_span_that_goes_on_is_watched_as_what_is_live)
{
    struct qpw_snapshot live = {.lock = QPW_LOCK_HELD, .mono_ns = 77 * SECOND, .control.heartbeat_ns = 76 * SECOND};
    struct qpw_past_options o = {.path = path, .length = 3600, .now_unix_ns = BEGIN + 35 * HOUR + 600 * SECOND};

    cr_assert_eq(qpw_past_step(&past, &o, QPW_PAST_BACK, &err), 1);
    o.live = &live;
    cr_assert_eq(qpw_past_step(&past, &o, QPW_PAST_HERE, &err), 1);
    cr_expect_eq(past.snapshot.lock, QPW_LOCK_HELD);
    cr_expect_eq(past.model.answer.state, QPW_ANSWER_CLEAN);
    live.lock = QPW_LOCK_FREE;
    cr_assert_eq(qpw_past_step(&past, &o, QPW_PAST_HERE, &err), 1);
    cr_expect_eq(past.model.answer.state, QPW_ANSWER_BLIND);
    cr_assert_eq(qpw_past_step(&past, &o, QPW_PAST_BACK, &err), 1);
    cr_expect_eq(past.model.answer.state, QPW_ANSWER_CLEAN, "then somebody did");
}

Test(past, findings_stand_with_all_of_theirs_and_without_a_rate)
{
    uint64_t now = BEGIN + 36 * HOUR;
    const struct qpw_track *track;

    step(QPW_PAST_BACK, 86400, now);
    cr_expect_eq(past.snapshot.n_findings, 0, "it was last seen on the day before");
    cr_expect_eq(past.model.answer.state, QPW_ANSWER_CLEAN);
    step(QPW_PAST_BACK, 86400, now);
    cr_assert_eq(past.snapshot.n_findings, 1);
    cr_expect_eq(past.model.answer.state, QPW_ANSWER_ACTION_NEEDED);
    cr_expect_eq(past.snapshot.findings[0].counts.rx_packets, 99);
    cr_expect_str_eq(qpw_model_process(&past.model, &past.snapshot.findings[0]), "nc", "as it was recorded");
    track = qpw_track_find(&past.model.tracks, qpw_track_id(&past.model.tracks, QPW_TRACK_FINDING, &past.snapshot.findings[0].key, sizeof(past.snapshot.findings[0].key)));
    cr_expect_null(track);
}

Test(past, the_screen_says_which_span_it_is)
{
    static const char *const tabs[] = {"no findings in this span", "445", "", "smb", "not seen", "not in the history", "'qportwatch history new'",
                                       "'qportwatch alerts'"};
    struct qpw_view_state state;
    struct qpw_canvas c = {0};
    char text[2048], all[16384];

    qpw_state_init(&state);
    step(QPW_PAST_BACK, 3600, BEGIN + 36 * HOUR);
    cr_assert_eq(qpw_canvas_resize(&c, 24, 140), 0);
    for (unsigned tab = 0; tab < QPW_TAB_HELP; tab++) {
        state.tab = (enum qpw_tab)tab;
        cr_assert_eq(qpw_model_build(&past.model, &state), 0);
        qpw_screen_settle(&past.model, &state, qpw_screen_page(24));
        qpw_screen_paint(&c, &past.model, &state);
        all[0] = '\0';
        for (int row = 0; row < c.rows; row++)
            strcat(strcat(all, qpw_canvas_row_text(&c, row, text, sizeof(text))), "\n");
        cr_expect(strstr(all, "HISTORY 2026-03-03 11:00:00 to 12:00:00 UTC (1 h)"), "%s", all);
        cr_expect(strstr(all, "node1 site"), "%s", all);
        cr_expect(strstr(all, "on average") && strstr(all, "L live") && !strstr(all, "losses") && !strstr(all, "every 1 s"), "%s", all);
        cr_expect(strstr(all, tabs[tab]), "%s: %s", tabs[tab], all);
    }
    qpw_canvas_free(&c);
}

Test(past, keys_ask_for_it)
{
    struct qpw_view_state state;
    struct qpw_model live = {0};

    qpw_state_init(&state);
    cr_expect_eq(qpw_input_key(&state, &live, '<', 10, NULL), QPW_DO_PAST);
    cr_expect_eq(qpw_input_key(&state, &live, '>', 10, NULL), QPW_DO_FUTURE);
    cr_expect_eq(qpw_input_key(&state, &live, ')', 10, NULL), QPW_DO_PAINT);
    cr_expect_str_eq(state.message, "< goes back by 1 d");
    cr_expect_eq(qpw_input_key(&state, &live, QPW_KEY_ESC, 10, NULL), QPW_DO_PAINT);
    step(QPW_PAST_BACK, 86400, BEGIN + 23 * HOUR);
    cr_assert_eq(qpw_model_build(&past.model, &state), 0);
    cr_expect_eq(qpw_input_key(&state, &past.model, '(', 10, NULL), QPW_DO_SPAN);
    cr_expect_eq(qpw_past_length(state.span), 3600);
    cr_expect_eq(qpw_input_key(&state, &past.model, 'a', 10, NULL), QPW_DO_PAINT);
    cr_expect(strstr(state.message, "this is the history"), "%s", state.message);
    cr_expect_eq(state.mode, QPW_MODE_LIST);
    cr_expect_eq(qpw_input_key(&state, &past.model, QPW_KEY_ENTER, 10, NULL), QPW_DO_PAINT);
    cr_expect_eq(state.mode, QPW_MODE_DETAILS);
    cr_expect_eq(qpw_input_key(&state, &past.model, QPW_KEY_ESC, 10, NULL), QPW_DO_PAINT, "first what is open is closed");
    cr_expect_eq(qpw_input_key(&state, &past.model, QPW_KEY_ESC, 10, NULL), QPW_DO_LIVE);
    cr_expect_eq(qpw_input_key(&state, &past.model, 'L', 10, NULL), QPW_DO_LIVE);
}

Test(past, a_file_that_is_none_is_said)
{
    FILE *file = fopen(path, "w");

    cr_assert(file);
    fputs("no database at all, whatever it is called", file);
    fclose(file);
    cr_expect_lt(qpw_past_step(&past, &(struct qpw_past_options){.path = path, .length = 3600, .now_unix_ns = BEGIN}, QPW_PAST_BACK, &err), 0);
    cr_expect(strstr(err.text, "not a database"), "%s", err.text);
    remove(path);
    cr_expect_eq(qpw_past_step(&past, &(struct qpw_past_options){.path = path, .length = 3600, .now_unix_ns = BEGIN}, QPW_PAST_BACK, &err), 0);
    cr_expect(strstr(err.text, "there is no history yet"), "%s", err.text);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live view without a terminal: rows and rates from snapshots, columns, keys, and the screen as text. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sample.h"
#include "util/names.h"
#include "words/terminal.h"
#include "view/alertlog.h"
#include "view/input.h"
#include "view/more.h"
#include "view/plain.h"
#include "view/remember.h"
#include "view/screen.h"

/* A model with the sample at two seconds, and a state as after its first start. */
struct bench {
    struct qpw_snapshot snapshots[2];
    struct qpw_model model;
    struct qpw_view_state state;
    struct qpw_canvas canvas;
};

static void set_up(struct bench *b, enum qpw_tab tab)
{
    memset(b, 0, sizeof(*b));
    qpw_state_init(&b->state);
    b->state.tab = tab;
    for (unsigned tick = 0; tick < 2; tick++) {
        sample_snapshot(&b->snapshots[tick], tick);
        cr_assert_eq(qpw_model_advance(&b->model, &b->snapshots[tick]), 0);
    }
    cr_assert_eq(qpw_model_build(&b->model, &b->state), 0);
}

static void tear_down(struct bench *b)
{
    qpw_model_free(&b->model);
    qpw_snapshot_clear(&b->snapshots[0]);
    qpw_snapshot_clear(&b->snapshots[1]);
    qpw_canvas_free(&b->canvas);
}

static void paint(struct bench *b, int rows, int cols)
{
    cr_assert_eq(qpw_canvas_resize(&b->canvas, rows, cols), 0);
    cr_assert_eq(qpw_model_build(&b->model, &b->state), 0);
    qpw_screen_settle(&b->model, &b->state, qpw_screen_page(rows));
    qpw_screen_settle_details(&b->canvas, &b->model, &b->state);
    qpw_screen_paint(&b->canvas, &b->model, &b->state);
}

static const char *line(const struct bench *b, int row)
{
    static char text[8][2048];
    static int next;

    next = (next + 1) % 8;
    return qpw_canvas_row_text(&b->canvas, row, text[next], sizeof(text[next]));
}

static bool on_screen(const struct bench *b, const char *text)
{
    for (int row = 0; row < b->canvas.rows; row++)
        if (strstr(line(b, row), text))
            return true;
    return false;
}

static const char *cell(const struct bench *b, size_t row, enum qpw_column_id column)
{
    static char text[8][512];
    static int next;

    next = (next + 1) % 8;
    return qpw_cell_text(&(struct qpw_cell_of){&b->model, &b->state, &b->model.rows[row], 24}, column, text[next], sizeof(text[next]));
}

static void key(struct bench *b, int k)
{
    qpw_input_key(&b->state, &b->model, k, 10, NULL);
    cr_assert_eq(qpw_model_build(&b->model, &b->state), 0);
    qpw_screen_settle(&b->model, &b->state, 10);
}

static void type(struct bench *b, const char *text)
{
    while (*text)
        key(b, *text++);
}

/* ---- Rates ---- */

Test(view, rates_are_the_difference_of_two_snapshots_by_their_clock)
{
    struct bench b;

    set_up(&b, QPW_TAB_PORTS);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SERVICE), "tcp/445 microsoft-ds", "the busiest port comes first");
    cr_expect_float_eq(b.model.rows[0].rate.rx_bytes, 125000, 0.01);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_RX_RATE), "1.00M", "125,000 bytes a second are a million bits");
    cr_expect_float_eq(b.model.rows[0].rate.tx_bytes, 0, 0.01);
    cr_expect_float_eq(b.model.tracks.total.rx_bytes, 126000, 0.01, "the sum of 445 and 3712");
    b.state.bytes = true;
    cr_expect_str_eq(cell(&b, 0, QPW_COL_RX_RATE), "125k");
    tear_down(&b);
}

Test(view, the_first_snapshot_gives_no_rates)
{
    struct qpw_snapshot s;
    struct qpw_model m = {0};
    struct qpw_view_state state;

    qpw_state_init(&state);
    state.tab = QPW_TAB_PORTS;
    sample_snapshot(&s, 0);
    cr_assert_eq(qpw_model_advance(&m, &s), 0);
    cr_assert_eq(qpw_model_build(&m, &state), 0);
    cr_assert_eq(m.n_rows, 6);
    for (size_t i = 0; i < m.n_rows; i++)
        cr_expect_float_eq(m.rows[i].rate.rx_packets, 0, 0, "counters older than the view are no rate");
    qpw_model_free(&m);
    qpw_snapshot_clear(&s);
}

Test(view, a_meter_that_appears_counts_from_zero_and_another_instance_starts_anew)
{
    struct bench b;
    struct qpw_snapshot third, fourth;
    struct qpw_meter_row *fresh;

    set_up(&b, QPW_TAB_PORTS);
    sample_snapshot(&third, 2);
    fresh = sample_meter(&third, (struct sample_service){IPPROTO_TCP, 9999, QPW_DIR_INBOUND}, QPW_VERDICT_UNEXPECTED, 0, 0);
    fresh->counts.rx_bytes = 700;
    fresh->counts.rx_packets = 7;
    cr_assert_eq(qpw_model_advance(&b.model, &third), 0);
    type(&b, "/port:9999\n");
    cr_assert_eq(b.model.n_rows, 1);
    cr_expect_float_eq(b.model.rows[0].rate.rx_bytes, 700, 0.01);
    sample_snapshot(&fourth, 3);
    fourth.from_unix_ns += 1; /* another attachment */
    cr_assert_eq(qpw_model_advance(&b.model, &fourth), 0);
    cr_expect_float_eq(b.model.tracks.total.rx_bytes, 0, 0);
    tear_down(&b);
    qpw_snapshot_clear(&third);
    qpw_snapshot_clear(&fourth);
}

Test(view, history_grows_sample_by_sample_at_its_right_edge)
{
    struct bench b;
    float values[4];

    set_up(&b, QPW_TAB_PORTS);
    qpw_track_history(&b.model.tracks, qpw_track_find(&b.model.tracks, b.model.rows[0].id), values, 4);
    cr_expect_float_eq(values[0], 0, 0);
    cr_expect_float_eq(values[2], 0, 0, "the first snapshot");
    cr_expect_float_eq(values[3], 125000, 0.01);
    tear_down(&b);
}

Test(view, tracks_of_rows_that_are_gone_are_dropped_when_they_are_most)
{
    enum { ROWS = 3000 };
    struct qpw_meter_row *meters = calloc(ROWS, sizeof(*meters));
    struct qpw_snapshot many = {.meters = meters, .n_meters = ROWS, .mono_ns = 1, .from_unix_ns = 1}, few;
    struct qpw_tracks tracks = {0};
    const struct qpw_track *track;
    uint64_t id;

    for (size_t i = 0; i < ROWS; i++)
        meters[i].key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP, .port = (uint16_t)i};
    cr_assert_eq(qpw_tracks_advance(&tracks, &many), 0);
    cr_assert_eq(tracks.n, ROWS);
    few = many;
    few.n_meters = 10;
    for (int i = 1; i <= 2; i++) { /* the first one makes the others stale */
        few.mono_ns += 1000000000;
        meters[7].counts.rx_packets += 5;
        cr_assert_eq(qpw_tracks_advance(&tracks, &few), 0);
    }
    cr_expect_eq(tracks.n, 10);
    id = qpw_track_id(&tracks, QPW_TRACK_METER, &meters[7].key, sizeof(meters[7].key));
    track = qpw_track_find(&tracks, id);
    cr_assert_not_null(track);
    cr_expect_float_eq(track->rate.rx_packets, 5, 0.01, "a row that stayed keeps its last counts");
    id = qpw_track_id(&tracks, QPW_TRACK_METER, &meters[11].key, sizeof(meters[11].key));
    cr_expect_null(qpw_track_find(&tracks, id));
    many.mono_ns = few.mono_ns + 1000000000;
    cr_assert_eq(qpw_tracks_advance(&tracks, &many), 0);
    cr_expect_eq(tracks.n, ROWS);
    qpw_tracks_free(&tracks);
    free(meters);
}

/* ---- Rows ---- */

Test(view, unexpected_lists_the_answered_first)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    cr_assert_eq(b.model.n_rows, 3);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SEVERITY), "high");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SERVICE), "tcp/4444");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_WHO), "10.9.0.7");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_OUTCOME), "data");
    cr_expect_str_eq(cell(&b, 1, QPW_COL_SEVERITY), "low", "an outbound knock, later than the refused probe");
    cr_expect_str_eq(cell(&b, 1, QPW_COL_WHO), "fd00::99", "outbound: whom the node asked");
    cr_expect_str_eq(cell(&b, 2, QPW_COL_SEVERITY), "low");
    cr_expect_eq(b.model.answer.answered, 1);
    cr_expect_eq(b.model.answer.state, QPW_ANSWER_ACTION_NEEDED);
    paint(&b, 24, 120);
    cr_expect(on_screen(&b, "ACTION NEEDED: 1 service answered on a port the policy does not allow"));
    tear_down(&b);
}

Test(view, a_superseded_finding_no_longer_makes_the_node_unclean)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    for (size_t i = 0; i < b.snapshots[1].n_findings; i++)
        b.snapshots[1].findings[i].value.flags |= QPW_FINDING_SUPERSEDED;
    b.snapshots[1].mono_ns++;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    cr_expect_eq(b.model.answer.state, QPW_ANSWER_CLEAN);
    cr_expect_eq(b.model.answer.by_severity[1], 0);
    cr_assert_eq(qpw_model_build(&b.model, &b.state), 0);
    cr_expect_eq(b.model.n_rows, 3, "it is still listed");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_OUTCOME), "superseded");
    tear_down(&b);
}

Test(view, losses_and_lost_hooks_are_not_clean)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    b.snapshots[1].n_findings = 0;
    b.snapshots[1].mono_ns++;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    cr_expect_eq(b.model.answer.state, QPW_ANSWER_DETAIL_LOST, "unexpected packets, though no finding was kept");
    b.snapshots[1].meters[4].key.verdict = QPW_VERDICT_ALLOWED;
    b.snapshots[1].mono_ns++;
    b.snapshots[1].losses[QPW_LOSS_EVENT_RATE] = 5;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    cr_expect_eq(b.model.answer.state, QPW_ANSWER_CLEAN, "a late event loses nothing");
    b.snapshots[1].mono_ns++;
    b.snapshots[1].losses[QPW_LOSS_METER_OVERFLOW] = 7;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    cr_expect_eq(b.model.answer.state, QPW_ANSWER_DETAIL_LOST);
    paint(&b, 24, 80);
    cr_expect(on_screen(&b, "losses 7 (meter-overflow)!"));
    b.snapshots[1].ifaces[0].attached = false;
    b.snapshots[1].mono_ns++;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    cr_expect_eq(b.model.answer.state, QPW_ANSWER_BLIND);
    paint(&b, 24, 80);
    cr_expect(on_screen(&b, "1 NOT ATTACHED!"));
    b.snapshots[1].n_findings = 3;
    tear_down(&b);
}

Test(view, none_answered_is_not_said_where_answers_were_lost)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    for (size_t i = 0; i < b.snapshots[1].n_findings; i++)
        b.snapshots[1].findings[i].value.outcome = QPW_OUTCOME_ATTEMPTED;
    b.snapshots[1].mono_ns++;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    paint(&b, 24, 120);
    cr_expect(on_screen(&b, "PROBED: 3 unexpected attempts, none answered"));
    b.snapshots[1].mono_ns++;
    b.snapshots[1].losses[QPW_LOSS_ANSWERED_QUOTA] = 1;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    paint(&b, 24, 120);
    cr_expect(on_screen(&b, "DETAIL LOST: ") && !on_screen(&b, "none answered"));
    tear_down(&b);
}

Test(view, messages_of_several_lines_become_one)
{
    struct qpw_view_state state;
    char text[1000];

    qpw_state_init(&state);
    qpw_state_set_message(&state, false, "policy p is in force\n  opens inbound tcp 1\n  removes peer n\n");
    cr_expect_str_eq(state.message, "policy p is in force; opens inbound tcp 1; removes peer n");
    qpw_state_set_message(&state, true, "");
    cr_expect_str_eq(state.message, "");
    for (size_t length = sizeof(state.message) - 5; length < sizeof(state.message) + 5; length++) {
        memset(text, 'x', length);
        strcpy(text + length, "\n y");
        qpw_state_set_message(&state, true, text);
        cr_expect_lt(strlen(state.message), sizeof(state.message));
        cr_expect_geq(strlen(state.message), sizeof(state.message) - 5);
    }
}

Test(view, peers_tell_state_ports_and_what_is_outside_the_policy)
{
    struct bench b;

    set_up(&b, QPW_TAB_PEERS);
    cr_assert_eq(b.model.n_rows, 2);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_PEER), "node2");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_STATE), "active");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_BUSIEST), "tcp/3712, tcp/2049");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_OUTSIDE), "tcp/3712", "2049 is listed");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_LAST), "now");
    cr_expect_str_eq(cell(&b, 1, QPW_COL_PEER), "node3");
    cr_expect_str_eq(cell(&b, 1, QPW_COL_STATE), "silent");
    cr_expect_str_eq(cell(&b, 1, QPW_COL_LAST), "never");
    tear_down(&b);
}

Test(view, policy_tells_hits_and_rows_that_carried_nothing)
{
    struct bench b;

    set_up(&b, QPW_TAB_POLICY);
    cr_assert_eq(b.model.n_rows, 4);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_RULE), "in-tcp-445");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_PACKETS), "141k");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_WHERE), "site.policy:11");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_LAST), "now");
    cr_expect_str_eq(cell(&b, 1, QPW_COL_LAST), ">1s", "carried something before the view began");
    cr_expect_str_eq(cell(&b, 3, QPW_COL_RULE), "ldap");
    cr_expect_str_eq(cell(&b, 3, QPW_COL_LAST), "never");
    tear_down(&b);
}

Test(view, coverage_names_what_was_not_seen)
{
    struct bench b;

    set_up(&b, QPW_TAB_COVERAGE);
    paint(&b, 40, 140);
    cr_expect(on_screen(&b, "NOT MONITORED"));
    cr_expect(on_screen(&b, "midstream"));
    cr_expect(on_screen(&b, "RDMA: mlx5_0 port 1 has"));
    cr_expect(on_screen(&b, "no auditor"));
    cr_expect(on_screen(&b, "12 s without an auditor"));
    cr_expect(on_screen(&b, "12 of 65,536"));
    tear_down(&b);
}

/* ---- Order, filter, selection ---- */

Test(view, any_column_sorts_both_ways)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    b.state.sort[QPW_TAB_UNEXPECTED] = (struct qpw_sort){.column = QPW_COL_SERVICE};
    cr_assert_eq(qpw_model_build(&b.model, &b.state), 0);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SERVICE), "tcp/4444");
    key(&b, 'I');
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SERVICE), "tcp/8080 http-alt");
    b.state.sort[QPW_TAB_UNEXPECTED] = (struct qpw_sort){.column = QPW_COL_WHO};
    cr_assert_eq(qpw_model_build(&b.model, &b.state), 0);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_WHO), "10.9.0.7", "addresses by their value");
    cr_expect_str_eq(cell(&b, 2, QPW_COL_WHO), "fd00::99");
    for (size_t i = 0; i < qpw_tab_columns(b.state.tab)->n; i++)
        key(&b, '.'); /* through every column: none may fail */
    cr_expect_eq(b.state.sort[QPW_TAB_UNEXPECTED].column, QPW_COL_WHO, "all round");
    tear_down(&b);
}

Test(view, what_is_equal_in_the_sorted_column_stands_worst_first)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    b.state.sort[QPW_TAB_UNEXPECTED] = (struct qpw_sort){.column = QPW_COL_IFACE};
    for (size_t i = 0; i < b.snapshots[1].n_findings; i++)
        if (b.snapshots[1].findings[i].value.outcome < QPW_OUTCOME_ANSWERED)
            b.snapshots[1].findings[i].last_unix_ns = SAMPLE_NOW_NS; /* later than the answered one */
    cr_assert_eq(qpw_model_build(&b.model, &b.state), 0);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SEVERITY), "high");
    key(&b, 'r');
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SEVERITY), "high", "the other way round too");
    tear_down(&b);
}

Test(view, long_addresses_show_both_their_ends)
{
    struct bench b;
    struct qpw_finding_row *f;
    char text[64];

    set_up(&b, QPW_TAB_UNEXPECTED);
    f = (struct qpw_finding_row *)b.model.rows[0].source;
    memcpy(f->key.initiator, "\x20\x01\x0d\xb8\x12\x34\x56\x78\xab\xcd\xef\x01\x23\x45\x67\x89", 16);
    qpw_cell_text(&(struct qpw_cell_of){&b.model, &b.state, b.model.rows, 16}, QPW_COL_WHO, text, sizeof(text));
    cr_expect_str_eq(text, "2001:db…345:6789");
    qpw_cell_text(&(struct qpw_cell_of){&b.model, &b.state, b.model.rows, 16}, QPW_COL_FROM, text, sizeof(text));
    cr_expect_str_eq(text, "2001:db…345:6789");
    for (int width = 8; width < 38; width++) { /* that of the address is 38 */
        qpw_cell_text(&(struct qpw_cell_of){&b.model, &b.state, b.model.rows, width}, QPW_COL_FROM, text, sizeof(text));
        cr_expect_eq(qpw_text_width(text), width, "%d: %s", width, text);
        cr_expect(!strncmp(text, "2001:db8:1234:5678:abcd:ef01:2345:6789", (size_t)(width - 1) / 2) &&
                      !strcmp(text + (width - 1) / 2 + 3, &"2001:db8:1234:5678:abcd:ef01:2345:6789"[38 - width / 2]),
                  "%d: %s", width, text);
    }
    qpw_cell_text(&(struct qpw_cell_of){&b.model, &b.state, b.model.rows, 39}, QPW_COL_WHO, text, sizeof(text));
    cr_expect_str_eq(text, "2001:db8:1234:5678:abcd:ef01:2345:6789");
    tear_down(&b);
}

Test(view, icmp_in_transit_has_no_type)
{
    struct bench b;
    struct qpw_meter_row *meter;

    set_up(&b, QPW_TAB_PORTS);
    meter = (struct qpw_meter_row *)b.model.rows[0].source;
    meter->key.kind = QPW_KIND_ICMP;
    meter->key.protocol = IPPROTO_ICMP;
    meter->key.port = 0;
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SERVICE), "icmp/0", "an echo reply");
    meter->key.direction = QPW_DIR_TRANSIT;
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SERVICE), "icmp", "no type was read");
    tear_down(&b);
}

Test(view, typing_a_filter_filters_at_once_and_escape_takes_it_back)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    type(&b, "/dir:out");
    cr_expect_eq(b.model.n_rows, 1);
    cr_expect_eq(b.model.n_hidden, 2);
    key(&b, QPW_KEY_ESC);
    cr_expect_eq(b.model.n_rows, 3);
    cr_expect_eq(b.state.mode, QPW_MODE_LIST);
    type(&b, "/prt:1\n");
    cr_expect_eq(b.state.mode, QPW_MODE_FILTER, "a wrong filter is not kept");
    cr_expect(b.state.message_bad && strstr(b.state.message, "'prt' is not a field"));
    key(&b, QPW_CTRL('U'));
    type(&b, "addr:10.0.0.0/8 -outcome:refused\n");
    cr_expect_eq(b.state.mode, QPW_MODE_LIST);
    cr_expect_eq(b.model.n_rows, 1);
    cr_expect_str_eq(b.state.filter_text, "addr:10.0.0.0/8 -outcome:refused");
    paint(&b, 24, 80);
    cr_expect(on_screen(&b, "1 of 3"));
    key(&b, 'c');
    cr_expect_eq(b.model.n_rows, 3);
    tear_down(&b);
}

Test(view, a_filter_on_a_field_that_the_tab_lacks_is_said_and_not_applied)
{
    struct bench b;

    set_up(&b, QPW_TAB_PORTS);
    type(&b, "/addr:10.0.0.0/8\n");
    cr_expect_eq(b.model.n_rows, 6);
    paint(&b, 24, 140);
    cr_expect(on_screen(&b, "filter addr:10.0.0.0/8 (no addr here)"));
    tear_down(&b);
}

Test(view, equals_singles_out_the_port_of_the_row)
{
    struct bench b;

    set_up(&b, QPW_TAB_PORTS);
    key(&b, '=');
    cr_expect_str_eq(b.state.filter_text, "proto:tcp port:445 dir:inbound");
    cr_expect_eq(b.model.n_rows, 1);
    tear_down(&b);
}

Test(view, frozen_selection_follows_its_row)
{
    struct bench b;
    uint64_t id;

    set_up(&b, QPW_TAB_UNEXPECTED);
    paint(&b, 24, 80);
    key(&b, 'j');
    key(&b, 'f');
    id = b.model.rows[1].id;
    key(&b, 'I');
    key(&b, QPW_KEY_ESC);
    b.state.sort[QPW_TAB_UNEXPECTED] = (struct qpw_sort){.column = QPW_COL_LAST};
    cr_assert_eq(qpw_model_build(&b.model, &b.state), 0);
    qpw_screen_settle(&b.model, &b.state, 10);
    cr_expect_eq(b.model.rows[b.state.selected].id, id);
    tear_down(&b);
}

Test(view, moving_stays_within_the_rows)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    key(&b, 'k');
    cr_expect_eq(b.state.selected, 0);
    key(&b, 'G');
    cr_expect_eq(b.state.selected, 2);
    key(&b, QPW_KEY_PAGE_DOWN);
    cr_expect_eq(b.state.selected, 2);
    key(&b, QPW_KEY_HOME);
    cr_expect_eq(b.state.selected, 0);
    tear_down(&b);
}

Test(view, tabs_by_number_and_by_tab_key_and_quit_is_asked_where_wanted)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    key(&b, '4');
    cr_expect_eq(b.state.tab, QPW_TAB_POLICY);
    key(&b, QPW_KEY_BACKTAB);
    cr_expect_eq(b.state.tab, QPW_TAB_PEERS);
    key(&b, '?');
    cr_expect_eq(b.state.tab, QPW_TAB_HELP);
    key(&b, '\t');
    cr_expect_eq(b.state.tab, QPW_TAB_UNEXPECTED);
    cr_expect_eq(qpw_input_key(&b.state, &b.model, 'q', 10, NULL), QPW_DO_QUIT);
    cr_expect_eq(qpw_input_key(&b.state, &b.model, 'q', 10, "Detach?") & QPW_DO_QUIT, 0);
    cr_expect_eq(b.state.mode, QPW_MODE_QUIT);
    cr_expect_eq(qpw_input_key(&b.state, &b.model, 'n', 10, "Detach?") & QPW_DO_QUIT, 0);
    qpw_input_key(&b.state, &b.model, 'q', 10, "Detach?");
    cr_expect_eq(qpw_input_key(&b.state, &b.model, 'k', 10, "Detach?"), QPW_DO_PAINT, "it was not offered");
    qpw_input_key(&b.state, &b.model, 'q', 10, "Detach?");
    cr_expect_eq(qpw_input_key(&b.state, &b.model, 'y', 10, "Detach?"), QPW_DO_QUIT);
    qpw_input_key(&b.state, &b.model, 'q', 10, "Detach? [k] keep");
    cr_expect_eq(qpw_input_key(&b.state, &b.model, 'k', 10, "Detach? [k] keep"), QPW_DO_QUIT | QPW_DO_KEEP);
    tear_down(&b);
}

/* ---- Connections and listeners: read in addition to the snapshots ---- */

static const struct qpw_connection some[] = {
    {.key = {.protocol = IPPROTO_TCP, .local_port = 445, .remote_port = 50000},
     .conn = {.direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_ALLOWED, .outcome = QPW_OUTCOME_DATA, .rule = 1}},
    {.key = {.protocol = IPPROTO_TCP, .local_port = 4444, .remote_port = 50001},
     .conn = {.direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED, .outcome = QPW_OUTCOME_DATA}},
    {.key = {.protocol = IPPROTO_UDP, .local_port = 50002, .remote_port = 53},
     .conn = {.direction = QPW_DIR_OUTBOUND, .verdict = QPW_VERDICT_ALLOWED, .outcome = QPW_OUTCOME_ANSWERED}},
};
#define N_SOME (sizeof(some) / sizeof(*some))

static int give_connections(void *context, const struct qpw_snapshot *s, const struct qpw_connections_wanted *wanted,
                            struct qpw_connections *ret, struct qpw_error *err)
{
    ret->rows = calloc(N_SOME, sizeof(*ret->rows));
    cr_assert_not_null(ret->rows);
    for (size_t i = 0; i < N_SOME; i++)
        if (wanted->wanted(wanted->data, &some[i]))
            ret->rows[ret->n++] = some[i];
    return 0;
}

static int give_no_listeners(void *context, const struct qpw_snapshot *s, const struct qpw_listening **ret,
                             struct qpw_error *err)
{
    return qpw_fail(err, -ENOENT, "/etc/qportwatch/policy: no such file");
}

static const struct qpw_view_more more = {.connections = give_connections, .listening = give_no_listeners};

static void read_more(struct bench *b)
{
    struct qpw_error err;

    cr_assert_eq(qpw_model_read_more(&b->model, &b->state, &more, &err), 0);
    cr_assert_eq(qpw_model_build(&b->model, &b->state), 0);
}

/* Only what the filter needs is read; going there and back keeps the selection. */
Test(view, enter_on_a_port_opens_its_connections_and_esc_goes_back)
{
    struct bench b;
    uint64_t id;
    int row;

    set_up(&b, QPW_TAB_PORTS);
    paint(&b, 24, 80);
    row = -1;
    for (size_t i = 0; i < b.model.n_rows; i++)
        if (!strcmp(cell(&b, i, QPW_COL_RULE), "in-tcp-445"))
            row = (int)i;
    cr_assert_geq(row, 0);
    type(&b, "/tcp");
    key(&b, QPW_KEY_ENTER);
    paint(&b, 24, 80);
    while (strcmp(cell(&b, (size_t)b.state.selected, QPW_COL_RULE), "in-tcp-445"))
        key(&b, 'j');
    id = b.state.selected_id;
    key(&b, QPW_KEY_ENTER);
    cr_assert_eq(b.state.tab, QPW_TAB_CONNECTIONS);
    cr_expect(strstr(b.state.filter_text, "proto:tcp port:445 dir:inbound verdict:allowed"), "%s", b.state.filter_text);
    b.state.filter_text[0] = '\0';
    cr_assert_eq(qpw_filter_parse("proto:tcp port:445 dir:inbound verdict:allowed", &b.state.filter, NULL), 0);
    read_more(&b);
    cr_expect_eq(b.model.n_rows, 1);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_VERDICT), "allowed");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_OUTCOME), "data");
    paint(&b, 24, 80);
    key(&b, QPW_KEY_ESC);
    paint(&b, 24, 80);
    cr_expect_eq(b.state.tab, QPW_TAB_PORTS);
    cr_expect_str_eq(b.state.filter_text, "tcp");
    cr_expect_eq(b.state.selected_id, id);
    key(&b, QPW_KEY_ESC); /* the second Esc clears the filter, as usual */
    cr_expect_str_eq(b.state.filter_text, "");
    key(&b, '3');
    paint(&b, 24, 80);
    key(&b, QPW_KEY_ENTER);
    cr_expect_eq(b.state.tab, QPW_TAB_CONNECTIONS);
    cr_expect_str_eq(b.state.filter_text, "peer:node2");
    tear_down(&b);
}

Test(view, connections_by_their_tab_and_listeners_that_cannot_be_read)
{
    struct bench b;

    set_up(&b, QPW_TAB_CONNECTIONS);
    read_more(&b);
    cr_expect_eq(b.model.n_rows, N_SOME);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_VERDICT), "unexpected"); /* what needs attention is first */
    type(&b, "/dir:out");
    key(&b, QPW_KEY_ENTER);
    read_more(&b);
    cr_expect_eq(b.model.n_rows, 1);
    key(&b, 'd');
    paint(&b, 40, 140);
    cr_expect(on_screen(&b, "udp/53"));
    key(&b, QPW_KEY_ESC);
    key(&b, QPW_KEY_ESC);
    cr_expect_eq(b.state.tab, QPW_TAB_CONNECTIONS, "nobody came from elsewhere");
    key(&b, '7');
    read_more(&b);
    paint(&b, 24, 120);
    cr_expect(on_screen(&b, "/etc/qportwatch/policy: no such file"));
    tear_down(&b);
}

Test(view, every_key_of_the_table_is_bound_once_and_shown_in_help)
{
    struct bench b;
    const struct qpw_binding *bindings = qpw_bindings;

    set_up(&b, QPW_TAB_HELP);
    for (size_t i = 0; i < qpw_n_bindings; i++) {
        bool shown = false;

        for (size_t k = 0; k < 4 && bindings[i].keys[k]; k++)
            cr_expect_eq(qpw_binding_find(bindings[i].keys[k]), &bindings[i], "key %d of '%s' is bound twice",
                         bindings[i].keys[k], bindings[i].shown ? bindings[i].shown : "");
        for (size_t r = 0; r < b.model.n_rows && bindings[i].shown; r++)
            shown |= !strcmp(((const struct qpw_line *)b.model.rows[r].source)->item, bindings[i].shown);
        cr_expect(shown || !bindings[i].shown);
    }
    tear_down(&b);
}

/* ---- Screen ---- */

/* A snapshot of one service with 81 users, a scan of 300 ports, broadcasts of 12 hosts, and one more answer. */
static void busy(struct qpw_snapshot *s)
{
    size_t n = 0;

    sample_snapshot(s, 1);
    free(s->findings);
    s->findings = calloc(394, sizeof(*s->findings));
    cr_assert(s->findings);
    for (unsigned i = 0; i < 394; i++) {
        struct qpw_finding_row *f = &s->findings[n++];
        char from[32];

        *f = (struct qpw_finding_row){
            .key = {.kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP, .direction = QPW_DIR_INBOUND, .port = 9100,
                    .verdict = QPW_VERDICT_UNEXPECTED},
            .value = {.outcome = QPW_OUTCOME_DATA, .iface = 1}, .counts = {.connections = 1, .rx_packets = 2},
            .first_unix_ns = s->unix_ns - 10000000000u + i, .last_unix_ns = s->unix_ns - 1000000000u};
        snprintf(from, sizeof(from), "10.1.%u.%u", i / 40, 1 + i % 40);
        if (i >= 81 && i < 381) {
            f->value.outcome = QPW_OUTCOME_REFUSED;
            f->key.port = (uint16_t)(i - 80);
            snprintf(from, sizeof(from), "10.9.9.9");
        } else if (i >= 381 && i < 393) {
            f->value.outcome = QPW_OUTCOME_ATTEMPTED;
            f->value.flags = QPW_FINDING_MULTICAST;
            f->key.protocol = IPPROTO_UDP;
            f->key.port = 5353;
        } else if (i == 393) {
            f->key.port = 8080;
        }
        cr_assert_eq(qpw_address_parse(from, f->key.initiator), 0);
        cr_assert_eq(qpw_address_parse("10.0.0.1", f->key.responder), 0);
    }
    s->n_findings = n;
}

/* Return the rows as "high in tcp/9100 10.1.0.1 +80 data unexpected | …". Static. */
static const char *rows_text(const struct bench *b)
{
    static const enum qpw_column_id columns[] = {QPW_COL_SEVERITY, QPW_COL_SERVICE, QPW_COL_WHO, QPW_COL_OUTCOME,
                                                 QPW_COL_CONNS};
    static char text[4096];
    size_t used = 0;

    for (size_t i = 0; i < b->model.n_rows && used < sizeof(text); i++)
        for (size_t k = 0; k < sizeof(columns) / sizeof(*columns) && used < sizeof(text); k++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", k ? " " : i ? " | " : "",
                                     cell(b, i, columns[k]));
    return text;
}

/* The same process, found for some exchanges by the exact socket, for others by the port. */
static const char *some_process(void *context, const struct qpw_finding_row *f)
{
    (void)context;
    if (f->key.port == 8080)
        return "python3[81] root";
    return f->key.initiator[15] & 1 ? "python3[812] root" : "python3[812] root (listener)";
}

Test(view, a_process_is_one_row_and_what_is_acknowledged_keeps_its_outcome)
{
    static const struct qpw_life known = {.step = QPW_LIFE_ACKNOWLEDGED, .outcome = QPW_OUTCOME_DATA, .unix_ns = 2};
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    qpw_snapshot_clear(&b.snapshots[1]);
    busy(&b.snapshots[1]);
    b.snapshots[1].n_findings = 81;
    b.snapshots[1].findings[80].key.port = 8080;
    b.model.process = some_process;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    b.state.grouping = QPW_GROUPING_PROCESS;
    paint(&b, 24, 80);
    cr_expect_eq(b.model.n_rows, 2, "%s", rows_text(&b));
    b.snapshots[1].n_findings = 1;
    b.snapshots[1].findings[0].acknowledged = &known;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    paint(&b, 24, 80);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_OUTCOME), "data");
    cr_expect_str_eq(cell(&b, 0, QPW_COL_SEVERITY), "acked");
    tear_down(&b);
}

Test(view, findings_stand_by_cause_by_host_by_process_and_one_by_one)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    qpw_snapshot_clear(&b.snapshots[1]);
    busy(&b.snapshots[1]);
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    b.state.numbers = true;
    paint(&b, 24, 80);
    cr_expect_str_eq(rows_text(&b), "high tcp/9100 10.1.0.1 +80 data 81 | high tcp/8080 10.1.9.34 data 1 | "
                                    "low 300 ports, 1-300 10.9.9.9 no answer 300 | info udp/5353 12 addresses no answer 12");
    cr_expect(on_screen(&b, "VERDICT") && on_screen(&b, "COUNT"));
    key(&b, QPW_KEY_ENTER);
    cr_expect_eq(b.model.n_rows, 81);
    cr_expect_str_eq(cell(&b, 0, QPW_COL_OUTCOME), "data");
    key(&b, 'a');
    cr_expect_eq(b.state.mode, QPW_MODE_ACK, "one of them is a finding like any");
    key(&b, QPW_KEY_ESC);
    key(&b, QPW_KEY_ESC);
    cr_expect_eq(b.model.n_rows, 4);
    key(&b, 'a');
    cr_expect_eq(b.state.mode, QPW_MODE_ACK, "users of one service are acknowledged as one");
    key(&b, QPW_KEY_ESC);
    key(&b, 'j');
    key(&b, 'j');
    key(&b, 'a');
    cr_expect_eq(b.state.mode, QPW_MODE_ACK, "a scanner is, whatever it tried");
    key(&b, QPW_KEY_ESC);
    key(&b, 'j');
    key(&b, 'a');
    cr_expect_eq(b.state.mode, QPW_MODE_ACK, "and a service of a group");
    key(&b, QPW_KEY_ESC);
    key(&b, QPW_KEY_HOME);
    key(&b, 'g');
    cr_expect_eq(b.model.n_rows, 95, "hosts");
    cr_expect(strstr(rows_text(&b), "low 300 ports, 1-300 10.9.9.9 no answer 300"), "%s", rows_text(&b));
    key(&b, 'g');
    cr_expect_eq(b.model.n_rows, 1, "no process is known of any: %s", rows_text(&b));
    key(&b, 'g');
    cr_expect_eq(b.model.n_rows, 394);
    key(&b, 'g');
    cr_expect_eq(b.model.n_rows, 4);
    key(&b, '/');
    for (const char *c = "port:9100"; *c; c++)
        key(&b, *c);
    key(&b, QPW_KEY_ENTER);
    cr_expect_eq(b.model.n_rows, 81, "what a filter lets through stands in rows of its own");
    tear_down(&b);
}

Test(view, a_host_is_named_whoever_opens)
{
    struct bench b;
    struct qpw_finding_key *key_of_one;

    set_up(&b, QPW_TAB_UNEXPECTED);
    qpw_snapshot_clear(&b.snapshots[1]);
    busy(&b.snapshots[1]);
    key_of_one = &b.snapshots[1].findings[393].key;
    memcpy(key_of_one->initiator, key_of_one->responder, 16);
    cr_assert_eq(qpw_address_parse("10.9.9.9", key_of_one->responder), 0);
    key_of_one->direction = QPW_DIR_OUTBOUND;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    b.state.numbers = true;
    paint(&b, 24, 80);
    key(&b, 'g');
    for (size_t i = 0; i < b.model.n_rows; i++) {
        if (b.model.rows[i].kind != QPW_ROW_GROUP || strcmp(cell(&b, i, QPW_COL_WHO), "10.9.9.9"))
            continue;
        cr_expect_str_eq(cell(&b, i, QPW_COL_DIR), "-");
        tear_down(&b);
        return;
    }
    cr_expect(false, "%s", rows_text(&b));
    tear_down(&b);
}

/* A scan of 300 ports and a service of 81 clients stay two rows once acknowledged or closed, too, and can be opened. */
Test(view, what_is_acknowledged_or_closed_is_folded_like_what_is_open)
{
    static const struct qpw_life known = {.step = QPW_LIFE_ACKNOWLEDGED, .outcome = QPW_OUTCOME_DATA, .unix_ns = 2};
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    qpw_snapshot_clear(&b.snapshots[1]);
    busy(&b.snapshots[1]);
    for (size_t i = 0; i < 393; i++)
        b.snapshots[1].findings[i].acknowledged = &known;
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    b.state.numbers = true;
    paint(&b, 24, 80);
    cr_expect_str_eq(rows_text(&b), "high tcp/8080 10.1.9.34 data 1 | acked tcp/9100 10.1.0.1 +80 data 81 | "
                                    "acked 300 ports, 1-300 10.9.9.9 no answer 300 | acked udp/5353 12 addresses no answer 12");
    key(&b, 'j');
    key(&b, 'j');
    key(&b, QPW_KEY_ENTER);
    cr_expect_eq(b.model.n_rows, 300, "%s", rows_text(&b));
    key(&b, QPW_KEY_ESC);
    key(&b, 'g');
    paint(&b, 24, 80);
    cr_expect_eq(b.model.n_rows, 95u, "by host: 94 that are no scanner, and the scanner");
    cr_expect(on_screen(&b, "[1 Unexpected by host]"));
    tear_down(&b);
}

Test(view, screen_at_80x24_as_text)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    paint(&b, 24, 80);
    cr_expect_str_eq(line(&b, 0), "node1 eth0 TC · qumulo/on-prem · attached 60m            auditor alive 01:00:01Z");
    cr_expect_str_eq(line(&b, 1), "ACTION NEEDED: 1 service answered on a port not allowed, since 00:50:00");
    cr_expect(strncmp(line(&b, 2), "rx 1.01M bit/s  1010 pkt/s", 26) == 0, "%s", line(&b, 2));
    cr_expect(strstr(line(&b, 3), "unexpected <0.1 %  undecided <0.1 %  allowed 90.3 %  peer 9.7 %") != NULL, "%s",
              line(&b, 3));
    cr_expect_str_eq(line(&b, 4), "findings  high 1 medium 0 low 2 info 0   losses 0");
    cr_expect(strncmp(line(&b, 5), "[1 Unexpected] Ports Peers Policy Coverage Connections Listeners Cluster ", 73) == 0, "%s",
              line(&b, 5));
    cr_expect(strncmp(line(&b, 6), "SEV▲   DIR SERVICE", 18) == 0, "%s", line(&b, 6));
    cr_expect(strncmp(line(&b, 7), "high   in  tcp/4444", 19) == 0, "%s", line(&b, 7));
    cr_expect(strstr(line(&b, 7), "10.9.0.7") && strstr(line(&b, 7), "data"), "%s", line(&b, 7));
    cr_expect(strncmp(line(&b, 23), "? help  q quit  Tab next  / filter", 34) == 0, "%s", line(&b, 23));
    cr_expect(b.canvas.cells[7 * 80].style & QPW_STYLE_SELECTED);
    cr_expect(!(b.canvas.cells[8 * 80].style & QPW_STYLE_SELECTED));
    tear_down(&b);
}

Test(view, every_tab_at_every_size_stays_within_the_canvas_in_plain_ascii_too)
{
    static const int sizes[][2] = {{24, 80}, {40, 140}, {70, 250}, {8, 40}, {7, 39}, {1, 1}, {200, 20}};
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    for (unsigned ascii = 0; ascii < 2; ascii++) {
        b.canvas.ascii = ascii;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
            for (int tab = 0; tab < QPW_TAB_COUNT; tab++) {
                b.state.tab = (enum qpw_tab)tab;
                for (int mode = QPW_MODE_LIST; mode <= QPW_MODE_QUIT; mode++) {
                    b.state.mode = (enum qpw_mode)mode;
                    paint(&b, sizes[i][0], sizes[i][1]);
                    for (size_t c = 0; ascii && c < (size_t)b.canvas.rows * b.canvas.cols; c++)
                        cr_assert(b.canvas.cells[c].ch >= ' ' && b.canvas.cells[c].ch < 127);
                }
            }
        }
    }
    tear_down(&b);
}

Test(view, wider_screens_show_more_columns_and_none_overlaps)
{
    struct qpw_layout layout;
    int before;

    for (int tab = 0; tab < QPW_TAB_COUNT; tab++) {
        before = 0;
        for (int width = 80; width <= 250; width++) {
            qpw_layout_make(qpw_tab_columns((enum qpw_tab)tab), false, width, &layout);
            for (int i = 0; i < layout.n; i++) {
                cr_expect_geq(layout.spans[i].width, layout.spans[i].column->min);
                if (i)
                    cr_expect_eq(layout.spans[i].left, layout.spans[i - 1].left + layout.spans[i - 1].width + 1);
            }
            cr_expect_leq(layout.spans[layout.n - 1].left + layout.spans[layout.n - 1].width, width, "%s at %d",
                          qpw_tab_name((enum qpw_tab)tab), width);
            cr_expect_geq(layout.n, before - 1);
            before = layout.n;
        }
    }
}

Test(view, totals_take_the_place_of_rates)
{
    struct qpw_layout layout;
    bool rates = false, totals = false;

    qpw_layout_make(qpw_tab_columns(QPW_TAB_PORTS), true, 80, &layout);
    for (int i = 0; i < layout.n; i++) {
        rates |= layout.spans[i].column->id == QPW_COL_RX_RATE;
        totals |= layout.spans[i].column->id == QPW_COL_RX_BYTES;
    }
    cr_expect(totals && !rates);
}

Test(view, details_tell_evidence_rule_and_the_line_that_would_allow)
{
    struct bench b;
    char text[256];

    set_up(&b, QPW_TAB_UNEXPECTED);
    paint(&b, 24, 80);
    key(&b, QPW_KEY_ENTER);
    paint(&b, 40, 140);
    cr_expect(on_screen(&b, "high inbound tcp/4444, unexpected: data"));
    cr_expect(on_screen(&b, "10.9.0.7, first from port 40000"));
    cr_expect(on_screen(&b, "10.1.0.11, this node"));
    cr_expect(on_screen(&b, "handshake"));
    cr_expect(on_screen(&b, "inbound tcp 4444 \"TODO: purpose\" from=10.9.0.7"));
    cr_expect(on_screen(&b, "eth0, untagged"));
    key(&b, QPW_KEY_ESC);
    cr_expect_eq(b.state.mode, QPW_MODE_LIST);
    cr_assert_eq(qpw_allow_line(&b.model, &b.model.rows[1], text, sizeof(text)), 0);
    cr_expect_str_eq(text, "outbound udp 5353 \"TODO: purpose\" to=fd00::99");
    b.state.tab = QPW_TAB_PORTS;
    cr_assert_eq(qpw_model_build(&b.model, &b.state), 0);
    cr_expect_lt(qpw_allow_line(&b.model, &b.model.rows[0], text, sizeof(text)), 0, "SMB is allowed already");
    cr_expect_str_eq(text, "already allowed");
    key(&b, 'd');
    paint(&b, 40, 140);
    cr_expect(on_screen(&b, "in-tcp-445 (site.policy:11)"));
    cr_expect(on_screen(&b, "inbound tcp 445 SMB"));
    tear_down(&b);
}

Test(view, details_scroll_to_their_last_line_and_no_further)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    key(&b, QPW_KEY_ENTER);
    paint(&b, 24, 80);
    cr_expect(on_screen(&b, "high inbound tcp/4444") && !on_screen(&b, "flow_id"), "more lines than the screen has");
    for (int i = 0; i < 10; i++)
        key(&b, QPW_KEY_PAGE_DOWN);
    paint(&b, 24, 80);
    cr_expect(strstr(line(&b, 22), "flow_id") != NULL, "the last line stands at the bottom: %s", line(&b, 22));
    key(&b, 'k');
    paint(&b, 24, 80);
    cr_expect(!on_screen(&b, "flow_id"), "one key goes one line back");
    key(&b, 'G');
    paint(&b, 24, 80);
    cr_expect(strstr(line(&b, 22), "flow_id") != NULL);
    key(&b, QPW_KEY_HOME);
    paint(&b, 24, 80);
    cr_expect(on_screen(&b, "high inbound tcp/4444"));
    paint(&b, 70, 250);
    key(&b, 'G');
    paint(&b, 70, 250);
    cr_expect(on_screen(&b, "high inbound tcp/4444") && on_screen(&b, "flow_id"), "what fits does not scroll");
    tear_down(&b);
}

Test(view, what_is_longer_than_the_last_line_is_shown_whole_all_the_same)
{
    static const int widths[] = {80, 40};
    static const char question[] = "Stop and detach? All counters will be discarded, on each of the interfaces. "
                                   "[y] stop  [n] cancel";
    struct bench b;

    for (size_t i = 0; i < 2; i++) {
        set_up(&b, QPW_TAB_UNEXPECTED);
        qpw_input_key(&b.state, &b.model, 'q', 10, question);
        paint(&b, 24, widths[i]);
        cr_expect(on_screen(&b, "Stop and detach?") && on_screen(&b, "[n] cancel"), "at %d columns", widths[i]);
        cr_expect(strstr(line(&b, 23), "[n] cancel") != NULL, "%s", line(&b, 23));
        qpw_input_key(&b.state, &b.model, 'n', 10, question);
        key(&b, '/');
        type(&b, "verdict:foo");
        paint(&b, 24, widths[i]);
        cr_expect(on_screen(&b, "no such verdict") && on_screen(&b, "unexpected") && on_screen(&b, "implied"),
                  "all that it could be is said at %d columns", widths[i]);
        cr_expect(strncmp(line(&b, 23), "filter: verdict:foo", 19) == 0, "%s", line(&b, 23));
        key(&b, QPW_CTRL('U'));
        type(&b, "port:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,4444,8443");
        paint(&b, 24, widths[i]);
        cr_expect(strstr(line(&b, 23), "4444,8443") != NULL, "the end, which is being typed: %s", line(&b, 23));
        tear_down(&b);
    }
}

Test(view, foreign_text_cannot_disturb_the_terminal)
{
    struct bench b;

    set_up(&b, QPW_TAB_POLICY);
    strcpy(b.snapshots[1].rules[1].text, "inbound \033[2J\r\n\xff\xe4\xb8\xad\xe2\x80\xae tcp");
    paint(&b, 24, 140);
    for (size_t i = 0; i < (size_t)b.canvas.rows * b.canvas.cols; i++)
        cr_assert(b.canvas.cells[i].ch == QPW_CELL_CONTINUED || !qpw_char_steers(b.canvas.cells[i].ch));
    cr_expect(on_screen(&b, "inbound ?[2J???中? tcp"));
    tear_down(&b);
}

Test(view, wide_characters_take_two_cells_and_accents_none)
{
    struct qpw_canvas c = {0};
    char buf[512];

    qpw_terminal_start();
    cr_assert_eq(qpw_canvas_resize(&c, 1, 20), 0);
    cr_expect_eq(qpw_canvas_text(&c, 0, 0, 20, 0, "東京 e\xcc\x81t\xcc\x81\xcc\x82\xcc\x83"), 7);
    cr_expect_eq(c.cells[1].ch, QPW_CELL_CONTINUED);
    cr_expect_str_eq(qpw_canvas_row_text(&c, 0, buf, sizeof(buf)), "東京 e\xcc\x81t\xcc\x81\xcc\x82",
                     "two accents a cell");
    qpw_canvas_text(&c, 0, 1, 1, 0, "x");
    cr_expect_str_eq(qpw_canvas_row_text(&c, 0, buf, sizeof(buf)), " x京 e\xcc\x81t\xcc\x81\xcc\x82",
                     "half a character is none");
    qpw_canvas_clear(&c);
    qpw_canvas_field(&c, (struct qpw_box){.width = 6}, 0, "東京都庁");
    cr_expect_str_eq(qpw_canvas_row_text(&c, 0, buf, sizeof(buf)), "東京 …", "a wide one that fits by half is left out");
    qpw_canvas_field(&c, (struct qpw_box){.width = 20, .right = true}, 0, "東京");
    cr_expect_eq(c.cells[16].ch, L'東');
    c.ascii = true;
    qpw_canvas_clear(&c);
    qpw_canvas_text(&c, 0, 0, 20, 0, "東京 Zürich");
    cr_expect_str_eq(qpw_canvas_row_text(&c, 0, buf, sizeof(buf)), "???? Z?rich");
    qpw_canvas_free(&c);
}

Test(view, clicks_find_tabs_titles_and_rows)
{
    struct bench b;
    const struct qpw_zone *zone;

    set_up(&b, QPW_TAB_UNEXPECTED);
    paint(&b, 24, 80);
    zone = qpw_canvas_hit(&b.canvas, 5, 17);
    cr_assert(zone && zone->action == QPW_ACTION_TAB && zone->argument == QPW_TAB_PORTS);
    zone = qpw_canvas_hit(&b.canvas, 6, 12);
    cr_assert(zone && zone->action == QPW_ACTION_SORT_COLUMN && zone->argument == QPW_COL_SERVICE);
    zone = qpw_canvas_hit(&b.canvas, 8, 40);
    cr_assert(zone && zone->action == QPW_ACTION_SELECT && zone->argument == 1);
    qpw_input_action(&b.state, &b.model, QPW_ACTION_SELECT, 1, 10, NULL);
    cr_expect_eq(b.state.selected, 1);
    cr_expect_eq(b.state.mode, QPW_MODE_LIST);
    qpw_input_action(&b.state, &b.model, QPW_ACTION_SELECT, 1, 10, NULL);
    cr_expect_eq(b.state.mode, QPW_MODE_DETAILS, "a second click opens the details");
    cr_expect_null(qpw_canvas_hit(&b.canvas, 2, 2));
    tear_down(&b);
}

Test(view, the_mark_of_the_order_is_never_cut_off)
{
    static const enum qpw_column_id narrow[] = {QPW_COL_DIR, QPW_COL_CONNS, QPW_COL_VERDICT, QPW_COL_LAST};
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    for (size_t i = 0; i < sizeof(narrow) / sizeof(*narrow); i++) {
        qpw_input_action(&b.state, &b.model, QPW_ACTION_SORT_COLUMN, narrow[i], 10, NULL);
        *b.state.message = '\0';
        paint(&b, 24, 80);
        cr_expect(strstr(line(&b, 6), "▲") || strstr(line(&b, 6), "▼"), "%s", line(&b, 6));
    }
    qpw_input_action(&b.state, &b.model, QPW_ACTION_SORT_COLUMN, QPW_COL_VLAN, 10, NULL);
    paint(&b, 24, 80);
    cr_expect_str_eq(line(&b, 23), "sorted by VLAN", "a column for which there is no place here");
    qpw_input_action(&b.state, &b.model, QPW_ACTION_SORT_COLUMN, QPW_COL_VLAN, 10, NULL);
    paint(&b, 24, 80);
    cr_expect_str_eq(line(&b, 23), "sorted by VLAN, reversed");
    tear_down(&b);
}

Test(view, a_direction_can_be_typed_as_it_is_shown)
{
    struct bench b;
    struct qpw_filter filter;
    struct qpw_error err;
    char text[32];

    set_up(&b, QPW_TAB_PORTS);
    for (unsigned direction = 0; direction < QPW_DIR_COUNT; direction++) {
        b.snapshots[1].meters[0].key.direction = (uint8_t)direction;
        b.model.rows[0].source = &b.snapshots[1].meters[0];
        snprintf(text, sizeof(text), "dir:%s", direction == QPW_DIR_NON_IP ? "non" : cell(&b, 0, QPW_COL_DIR));
        cr_expect_eq(qpw_filter_parse(text, &filter, &err), 0, "%s", err.text);
        cr_expect_eq(filter.terms[0].words, 1u << direction, "%s", text);
    }
    tear_down(&b);
}

Test(view, help_names_the_same_keys_in_ascii)
{
    struct bench b;
    const struct qpw_binding *bindings = qpw_bindings;

    set_up(&b, QPW_TAB_HELP);
    for (size_t i = 0; i < qpw_n_bindings; i++)
        for (const char *c = bindings[i].shown ? bindings[i].shown : ""; *c; c++)
            cr_expect((unsigned char)*c < 128, "%s: its stand-in could be another key", bindings[i].shown);
    tear_down(&b);
}

Test(view, plain_tables_are_the_same_cells)
{
    struct bench b;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    set_up(&b, QPW_TAB_UNEXPECTED);
    cr_assert_eq(qpw_plain_header(out, &b.model, &b.state, 120, true), 0);
    cr_assert_eq(qpw_plain_table(out, &b.model, &b.state, 120, true), 0);
    fclose(out);
    cr_expect(strstr(text, "node1 eth0 TC | qumulo/on-prem | attached 60m") == text, "%s", text);
    cr_expect(strstr(text, "Unexpected: 3 rows\nSEV^") != NULL, "%s", text);
    cr_expect(strstr(text, "\nhigh   in  tcp/4444") != NULL, "%s", text);
    for (size_t i = 0; i < size; i++)
        cr_assert((unsigned char)text[i] < 128);
    free(text);
    tear_down(&b);
}

Test(view, choices_are_remembered_between_runs)
{
    struct qpw_view_state before, after;
    char path[] = "/tmp/qpw-remember-XXXXXX", file[64];

    cr_assert_not_null(mkdtemp(path));
    snprintf(file, sizeof(file), "%s/a/b/top", path);
    qpw_state_init(&before);
    before.tab = QPW_TAB_PEERS;
    before.interval_ms = 5000;
    before.totals = true;
    before.sort[QPW_TAB_PEERS] = (struct qpw_sort){.column = QPW_COL_OUTSIDE, .reverse = true};
    strcpy(before.filter_text, "dir:in -port:445");
    cr_assert_eq(qpw_remember_save(file, &before), 0);
    cr_assert_eq(qpw_remember_save(file, &before), 0, "a second time over the first");
    qpw_state_init(&after);
    qpw_remember_load(file, &after);
    cr_expect_eq(after.tab, QPW_TAB_PEERS);
    cr_expect_eq(after.interval_ms, 5000);
    cr_expect(after.totals && !after.bytes);
    cr_expect_eq(after.sort[QPW_TAB_PEERS].column, QPW_COL_OUTSIDE);
    cr_expect(after.sort[QPW_TAB_PEERS].reverse);
    cr_expect_str_empty(after.filter_text, "a filter ends with its session");
    unlink(file);
    snprintf(file, sizeof(file), "%s/a/b", path);
    rmdir(file);
    snprintf(file, sizeof(file), "%s/a", path);
    rmdir(file);
    cr_expect_eq(rmdir(path), 0, "nothing else was left behind");
}

static void append(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");

    fputs(text, file);
    fclose(file);
}

Test(view, alerts_are_counted_as_the_log_grows_is_rotated_and_truncated)
{
    static const char old[] =
        "{\"timestamp\":\"2025-12-31T23:59:59.0+0000\",\"event_type\":\"alert\",\"alert\":{\"severity\":1}}\n";
    static const char high[] =
        "{\"timestamp\":\"2026-01-01T00:00:01.0+0000\",\"event_type\":\"alert\",\"alert\":{\"severity\": 1}}\n";
    static const char stats[] = "{\"timestamp\":\"2026-01-01T00:00:01.0+0000\",\"event_type\":\"stats\"}\n";
    struct qpw_alert_tail tail;
    char folder[] = "/tmp/qpw-alertlog-XXXXXX", path[64], rotated[64];

    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/eve.json", folder);
    snprintf(rotated, sizeof(rotated), "%s/eve.json.1", folder);
    cr_assert_eq(qpw_alert_tail_init(&tail, path, SAMPLE_START_NS), 0);
    cr_expect_eq(qpw_alert_tail_read(&tail), -ENOENT);
    append(path, old);
    append(path, stats);
    append(path, high);
    append(path, "{\"timestamp\":\"2026-01-01T00:00:02.0+0000\",\"event_type\":\"alert\",");
    cr_expect_eq(qpw_alert_tail_read(&tail), 0);
    cr_expect_eq(tail.counts[1], 1, "neither what is older nor what is no alert");
    append(path, "\"alert\":{\"severity\":3}}\n");
    cr_expect_eq(qpw_alert_tail_read(&tail), 0);
    cr_expect_eq(tail.counts[3], 1, "a line that came in two pieces");
    cr_assert_eq(rename(path, rotated), 0);
    append(rotated, high);
    cr_expect_eq(qpw_alert_tail_read(&tail), 0);
    cr_expect_eq(tail.counts[1], 2, "the file that was rotated is read to its end");
    append(path, high);
    cr_expect_eq(qpw_alert_tail_read(&tail), 0);
    cr_expect_eq(tail.counts[1], 3, "then the new one");
    cr_assert_eq(truncate(path, 0), 0);
    cr_expect_eq(qpw_alert_tail_read(&tail), 0);
    append(path, high);
    cr_expect_eq(qpw_alert_tail_read(&tail), 0);
    cr_expect_eq(tail.counts[1], 4);
    append(path, "{\"event_type\":\"alert\",\"flow_id\":77,\"alert\":{\"severity\":3}}\n");
    append(path, "{\"event_type\":\"alert\",\"flow_id\":77,\"alert\":{\"severity\":1}}\n");
    append(path, "{\"event_type\":\"alert\",\"flow_id\":77,\"alert\":{\"severity\":1}}\n");
    cr_expect_eq(qpw_alert_tail_read(&tail), 0);
    cr_expect_eq(tail.counts[1], 5, "three records of one alert, which escalated");
    cr_expect_eq(tail.counts[3], 1);
    for (unsigned i = 1000; i < 2000; i++) {
        char line[128];

        snprintf(line, sizeof(line), "{\"event_type\":\"alert\",\"flow_id\":%u,\"alert\":{\"severity\":4}}\n", i * 256);
        append(path, line);
    }
    cr_expect_eq(qpw_alert_tail_read(&tail), 0);
    cr_expect_eq(tail.counts[4], 1000);
    qpw_alert_tail_free(&tail);
    unlink(path);
    unlink(rotated);
    cr_expect_eq(rmdir(folder), 0);
}

Test(view, alerts_are_counted_only_where_the_log_tells_of_the_whole_time)
{
    static const char first[] = "{\"timestamp\":\"2026-01-01T00:00:01.0+0000\",\"event_type\":\"engine\"}\n";
    static const char high[] =
        "{\"timestamp\":\"2026-01-01T00:10:00.0+0000\",\"event_type\":\"alert\",\"alert\":{\"severity\": 1}}\n";
    struct bench b;
    struct qpw_alert_tail tail = {0}, late = {0};
    struct qpw_snapshot *s = &b.snapshots[1];
    char folder[] = "/tmp/qpw-alertlog-XXXXXX", one[64], two[64];
    const uint64_t *counts;

    set_up(&b, QPW_TAB_UNEXPECTED);
    s->from_unix_ns = SAMPLE_START_NS;
    cr_assert_not_null(mkdtemp(folder));
    snprintf(one, sizeof(one), "%s/one.json", folder);
    snprintf(two, sizeof(two), "%s/two.json", folder);
    snprintf(s->meta.alerts_path, sizeof(s->meta.alerts_path), "%s", one);
    cr_expect_null(qpw_alert_counts(&tail, s), "there is none");
    append(one, first);
    append(one, high);
    counts = qpw_alert_counts(&tail, s);
    cr_expect(counts && counts[1] == 1);
    append(one, high);
    append(two, high);
    snprintf(s->meta.alerts_path, sizeof(s->meta.alerts_path), "%s", two);
    counts = qpw_alert_counts(&tail, s);
    cr_expect(counts && counts[1] == 3, "the next auditor's log goes on from the rest of the first one's");
    cr_expect_null(qpw_alert_counts(&late, s), "who comes later has only the end");
    qpw_alert_tail_free(&tail);
    qpw_alert_tail_free(&late);
    unlink(one);
    unlink(two);
    cr_expect_eq(rmdir(folder), 0);
    tear_down(&b);
}

/* ---- Cost. Sanitizers multiply it, so the bound only detects superlinear growth. ---- */

Test(view, five_thousand_meters_take_a_fraction_of_a_second)
{
    struct bench b = {0};
    struct timespec start, end;
    double ms;

    qpw_state_init(&b.state);
    b.state.tab = QPW_TAB_PORTS;
    for (unsigned tick = 0; tick < 2; tick++)
        sample_many(&b.snapshots[tick], 5000, tick);
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[0]), 0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    cr_assert_eq(qpw_model_advance(&b.model, &b.snapshots[1]), 0);
    paint(&b, 70, 250);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    ms = (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
    cr_log_info("one picture of 5,000 meters at 250x70: %.1f ms with sanitizers", ms);
    cr_expect_lt(ms, 250);
    cr_expect_eq(b.model.n_rows, 5000);
    tear_down(&b);
}

/* a and m ask for a reason on the last line; only Enter confirms, and only for a finding or one service. */
Test(view, a_finding_is_acknowledged_or_muted_with_a_reason)
{
    struct bench b;

    set_up(&b, QPW_TAB_UNEXPECTED);
    cr_expect_eq(qpw_input_key(&b.state, &b.model, 'a', 10, NULL), QPW_DO_PAINT);
    cr_expect_eq(b.state.mode, QPW_MODE_ACK);
    for (const char *c = "known q"; *c; c++)
        cr_expect_eq(qpw_input_key(&b.state, &b.model, *c, 10, "really?"), QPW_DO_PAINT, "a letter is no command");
    paint(&b, 30, 100);
    cr_expect(on_screen(&b, "acknowledge, reason: known q"));
    cr_expect_eq(qpw_input_key(&b.state, &b.model, QPW_KEY_ENTER, 10, NULL), QPW_DO_PAINT | QPW_DO_ACK);
    cr_expect_str_eq(b.state.edit, "known q");
    cr_expect_eq(b.state.mode, QPW_MODE_LIST);
    qpw_input_key(&b.state, &b.model, 'm', 10, NULL);
    cr_expect_eq(b.state.mode, QPW_MODE_MUTE);
    cr_expect_str_eq(b.state.edit, "", "a new reason");
    cr_expect_eq(qpw_input_key(&b.state, &b.model, QPW_KEY_ESC, 10, NULL), QPW_DO_PAINT);
    cr_expect_eq(b.state.mode, QPW_MODE_LIST);
    key(&b, '2');
    qpw_input_key(&b.state, &b.model, 'a', 10, NULL);
    cr_expect_eq(b.state.mode, QPW_MODE_LIST, "ports are no findings");
    tear_down(&b);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `serve` knows of the peers and found between the nodes, in the live view and the report. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cluster_files.h"
#include "report/cluster.h"
#include "report/render.h"
#include "sample.h"
#include "view/input.h"
#include "view/more.h"
#include "view/screen.h"
#include "words/cluster_status.h"

TestSuite(cluster_faces);

#define SECOND_NS 1000000000ull

static struct qpw_peer_status peers[] = {
    {.name = "node2", .result = "ok", .epoch = "boot:1", .seq = 7, .version = "1.2", .policy = "sha256:0123456789abcdef", .answer = "CLEAN",
     .monitored = "e0 e1", .has_offset = true, .offset_us = -12345, .offset_error_us = 80, .polls = {{"ok", 9}, {"slow", 0}}, .n_polls = 2,
     .events = {.result = "ok", .number = 4711, .missed = 2, .severity = QPW_SEVERITY_HIGH, .text = "tcp/7003 answered"}},
    {.name = "node3", .result = "wrong-key", .trouble = "its key or certificate is not the expected one"},
    {.name = "node4"}};
static struct qpw_cluster_status status = {.node = "node1", .peers = peers, .n = 3};
static struct qpw_found items[] = {
    {.id = 1, .signature = QPW_SIG_CLUSTER_DRIFT, .what = "version", .subject = "node2", .text = "node2 runs version 1.2, the others 1.3"},
    {.id = 2, .signature = QPW_SIG_CLUSTER_BLIND, .what = "blind-device", .subject = "node3", .text = "node3 does not see what arrives on e7",
     .command = "qportwatch attach e0 e7"}};
static struct qpw_found_list found = {.items = items, .n = 2};

/* Date everything by the snapshot's clock: node2 was heard three seconds ago, node3 never, serve wrote `age` seconds ago. */
static void date(uint64_t now_ns, unsigned age)
{
    status.at_unix_ns = found.at_unix_ns = now_ns - age * SECOND_NS;
    peers[0].polled_unix_ns = peers[0].got_unix_ns = now_ns - (age + 3) * SECOND_NS;
    peers[0].events.at_unix_ns = now_ns - 90 * SECOND_NS;
    peers[1].polled_unix_ns = now_ns;
    items[0].since_unix_ns = items[1].since_unix_ns = now_ns - 240 * SECOND_NS;
    qpw_found_sort(&found);
}

/* ---- The live view ---- */

static const char *why_not; /* NULL: it can be read */
static int code_not;

static int give_cluster(void *context, const struct qpw_snapshot *s, const struct qpw_cluster_status **ret, const struct qpw_found_list **ret_found,
                        struct qpw_error *err)
{
    *ret = why_not ? NULL : &status;
    *ret_found = why_not ? NULL : &found;
    return why_not ? qpw_fail(err, code_not, "%s", why_not) : 0;
}

static const struct qpw_view_more more = {.cluster = give_cluster};

struct bench {
    struct qpw_snapshot snapshot;
    struct qpw_model model;
    struct qpw_view_state state;
    struct qpw_canvas canvas;
    char all[64 * 512];
};

static const char *painted(struct bench *b, int rows, int cols)
{
    char text[2048];
    struct qpw_error err;

    cr_assert_eq(qpw_model_read_more(&b->model, &b->state, &more, &err), 0);
    cr_assert_eq(qpw_model_build(&b->model, &b->state), 0);
    cr_assert_eq(qpw_canvas_resize(&b->canvas, rows, cols), 0);
    qpw_screen_settle(&b->model, &b->state, qpw_screen_page(rows));
    qpw_screen_settle_details(&b->canvas, &b->model, &b->state);
    qpw_screen_paint(&b->canvas, &b->model, &b->state);
    b->all[0] = '\0';
    for (int row = 0; row < rows; row++)
        strcat(strcat(b->all, qpw_canvas_row_text(&b->canvas, row, text, sizeof(text))), "\n");
    return b->all;
}

static void set_up(struct bench *b, unsigned age)
{
    memset(b, 0, sizeof(*b));
    qpw_state_init(&b->state);
    b->state.tab = QPW_TAB_CLUSTER;
    sample_snapshot(&b->snapshot, 0);
    cr_assert_eq(qpw_model_advance(&b->model, &b->snapshot), 0);
    date(b->snapshot.unix_ns, age);
    why_not = NULL;
}

static void tear_down(struct bench *b)
{
    qpw_model_free(&b->model);
    qpw_snapshot_clear(&b->snapshot);
    qpw_canvas_free(&b->canvas);
}

static void expect(const char *all, const char *text)
{
    cr_expect(strstr(all, text), "'%s' is missing in\n%s", text, all);
}

Test(cluster_faces, the_tab_shows_peers_and_differences)
{
    struct bench b;
    const char *all;

    set_up(&b, 0);
    all = painted(&b, 24, 140);
    expect(all, "[8 Cluster]");
    expect(all, "node1: 3 peers, 2 of them stale");
    expect(all, "node2");
    expect(all, "version 1.2, policy 01234567, monitors e0 e1");
    expect(all, "its key or certificate is not the expected one");
    expect(all, "not polled yet");
    expect(all, "never");
    expect(all, "node3 does not see what arrives on e7");
    cr_expect_lt(strstr(all, "arrives on e7"), strstr(all, "runs version 1.2"), "the most serious first: %s", all);
    cr_expect_not(strstr(all, "has ended or hangs"), "%s", all);
    all = painted(&b, 24, 80);
    expect(all, "[8 Cluster]");
    expect(all, "blind-device");
    tear_down(&b);
}

Test(cluster_faces, the_tab_says_that_serve_is_silent_or_absent)
{
    struct bench b;

    set_up(&b, 200);
    expect(painted(&b, 24, 140), "qportwatch serve wrote this 3 min 20 s ago and nothing since");
    found.n = 0;
    expect(painted(&b, 24, 140), QPW_WORDS_NO_DIFFERENCE(true));
    found.at_unix_ns = 0;
    expect(painted(&b, 24, 140), QPW_WORDS_NO_DIFFERENCE(false));
    found.n = 2;
    why_not = "/x/status.json: " QPW_WORDS_NO_CLUSTER;
    code_not = -ENOENT;
    expect(painted(&b, 24, 80), "nothing is known of the peers; 'qportwatch serve' asks them");
    cr_expect_eq(b.model.n_rows, 0);
    why_not = "/x/status.json: is not a document";
    code_not = -EINVAL;
    expect(painted(&b, 24, 80), "/x/status.json: is not a document");
    tear_down(&b);
}

Test(cluster_faces, details_show_what_settles_a_difference_and_why_a_peer_is_stale)
{
    struct bench b;
    const char *all;

    set_up(&b, 0);
    painted(&b, 30, 100);
    for (size_t i = 0; i < b.model.n_rows; i++) {
        const struct qpw_line *line = b.model.rows[i].source;

        b.state.selected = (int)i;
        b.state.selected_id = b.model.rows[i].id;
        b.state.mode = QPW_MODE_DETAILS;
        if (!strcmp(line->value, "blind-device")) {
            all = painted(&b, 30, 100);
            expect(all, "cluster-blind");
            expect(all, "qportwatch attach e0 e7");
        } else if (!strcmp(line->item, "node2") && line->peer) {
            all = painted(&b, 30, 100);
            expect(all, "sha256:0123456789abcdef");
            expect(all, "-12345 us");
            expect(all, "ok 9");
            expect(all, "1 min 30 s ago, high: tcp/7003 answered");
            expect(all, "heard up to record 4711");
            expect(all, "2 of its records never came");
            cr_expect_not(strstr(all, "slow 0"), "%s", all);
        } else if (!strcmp(line->item, "node3") && line->peer) {
            expect(painted(&b, 30, 100), "node3, stale");
        }
        b.state.mode = QPW_MODE_LIST;
    }
    tear_down(&b);
}

/* Rows keep their identity, so that the selection stays on its row when another difference appears above it. */
Test(cluster_faces, rows_keep_their_identity)
{
    struct bench b;
    uint64_t id;

    set_up(&b, 0);
    painted(&b, 24, 140);
    id = b.model.rows[b.model.n_rows - 1].id;
    found.items = items + 1;
    found.n = 1;
    painted(&b, 24, 140);
    cr_expect_eq(b.model.rows[b.model.n_rows - 1].id, id);
    found.items = items;
    found.n = 2;
    tear_down(&b);
}

/* ---- The report ---- */

struct reported {
    struct qpw_snapshot s;
    struct qpw_report report;
    struct qpw_render_options options;
    char *text;
    size_t size;
};

static void make(struct reported *r, unsigned age)
{
    memset(r, 0, sizeof(*r));
    sample_snapshot(&r->s, 0);
    date(r->s.unix_ns, age);
    cr_assert_eq(qpw_report_make(&r->s, 0, &r->report), 0);
    r->options = (struct qpw_render_options){.columns = 140, .cluster = &status, .cluster_found = &found};
}

static const char *written(struct reported *r, int (*write)(const struct qpw_report *, const struct qpw_render_options *, FILE *))
{
    FILE *out;

    free(r->text);
    out = open_memstream(&r->text, &r->size);
    cr_assert(out);
    cr_assert_eq(write(&r->report, &r->options, out), 0);
    fclose(out);
    return r->text;
}

static void drop(struct reported *r)
{
    free(r->text);
    qpw_report_clear(&r->report);
    qpw_snapshot_clear(&r->s);
}

/* What a face says about the sample: who is stale and why, and both differences with the more serious one first. */
static void expect_both(const char *all)
{
    expect(all, "tcp/7003 answered");
    expect(all, "node1: 3 peers, 2 of them stale; 2 differences, 1 of them high");
    expect(all, "its key or certificate is not the expected one");
    expect(all, "not polled yet");
    expect(all, "node3 does not see what arrives on e7");
    expect(all, "qportwatch attach e0 e7");
    cr_expect_lt(strstr(all, "arrives on e7"), strstr(all, "node2 runs version 1.2"), "%s", all);
}

Test(cluster_faces, text_and_page_of_the_report_say_the_same)
{
    struct reported r;

    make(&r, 0);
    expect_both(written(&r, qpw_report_text));
    expect(r.text, "CLUSTER");
    cr_expect_not(strstr(r.text, "has ended or hangs"));
    expect_both(written(&r, qpw_report_html));
    expect(r.text, "href=\"#cluster\"");
    drop(&r);
}

Test(cluster_faces, the_report_says_that_serve_is_silent_what_cannot_be_read_and_nothing_where_no_peer_is_asked)
{
    int (*const writers[])(const struct qpw_report *, const struct qpw_render_options *, FILE *) = {qpw_report_text, qpw_report_html};
    struct reported r;

    make(&r, 200);
    for (size_t i = 0; i < 2; i++) {
        expect(written(&r, writers[i]), "qportwatch serve wrote this 3 min 20 s ago and nothing since: it has ended or hangs");
        r.options.cluster = NULL;
        r.options.cluster_why = "/x/status.json: is not a document";
        expect(written(&r, writers[i]), "/x/status.json: is not a document");
        r.options.cluster_why = NULL;
        cr_expect_not(strcasestr(written(&r, writers[i]), ">cluster<"), "%s", r.text);
        cr_expect_not(strstr(r.text, "CLUSTER"), "%s", r.text);
        r.options.cluster = &status;
    }
    drop(&r);
}

/* Where nothing was compared, nobody says that nothing differs. */
Test(cluster_faces, what_was_not_compared_does_not_differ_in_nothing)
{
    int (*const writers[])(const struct qpw_report *, const struct qpw_render_options *, FILE *) = {qpw_report_text, qpw_report_html};
    struct qpw_found_list none = {0};
    struct reported r;
    json_t *d;

    make(&r, 0);
    r.options.cluster_found = &none;
    for (size_t i = 0; i < 2; i++) {
        expect(written(&r, writers[i]), "node1: 3 peers, 2 of them stale; not compared");
        expect(r.text, "has not compared them yet");
        cr_expect_not(strstr(r.text, "differ in nothing"), "%s", r.text);
    }
    cr_expect_eq(qpw_cluster_style(&status, &none, r.s.unix_ns), QPW_TEXT_DOUBT);
    d = qpw_cluster_section_json(&status, &none);
    cr_expect(json_is_null(json_object_get(d, "compared")));
    json_decref(d);
    none.at_unix_ns = r.s.unix_ns;
    for (size_t i = 0; i < 2; i++)
        expect(written(&r, writers[i]), "The nodes differ in nothing.");
    drop(&r);
}

Test(cluster_faces, the_document_has_the_same_and_nothing_where_no_peer_is_asked)
{
    struct reported r;
    json_t *d, *cluster, *first;

    make(&r, 0);
    d = qpw_report_document(&r.report, &r.options);
    cluster = json_object_get(d, "cluster");
    first = json_array_get(json_object_get(cluster, "found"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(cluster, "node")), "node1");
    cr_expect_eq(json_array_size(json_object_get(cluster, "peers")), 3u);
    cr_expect_eq(json_array_size(json_object_get(cluster, "found")), 2u);
    cr_expect_str_eq(json_string_value(json_object_get(first, "signature")), "cluster-blind");
    cr_expect_str_eq(json_string_value(json_object_get(first, "severity")), "high");
    cr_expect_eq(json_integer_value(json_object_get(cluster, "left_out")), 0);
    json_decref(d);
    r.options.cluster = NULL;
    d = qpw_report_document(&r.report, &r.options);
    cr_expect_null(json_object_get(d, "cluster"));
    json_decref(d);
    drop(&r);
}

/* With many nodes the screen shows the stale ones, and how many are left. */
Test(cluster_faces, a_screen_of_many_nodes_shows_the_stale_ones_first)
{
    static struct qpw_peer_status many[40];
    static struct qpw_found differences[30];
    struct qpw_cluster_status all = {.node = "node0", .peers = many, .n = 40};
    struct qpw_found_list list = {.items = differences, .n = 30};
    struct reported r;

    make(&r, 0);
    all.at_unix_ns = r.s.unix_ns;
    for (size_t i = 0; i < 40; i++) {
        snprintf(many[i].name, sizeof(many[i].name), "peer%zu", i);
        snprintf(many[i].answer, sizeof(many[i].answer), "CLEAN");
        many[i].got_unix_ns = i == 39 ? 0 : r.s.unix_ns;
    }
    for (size_t i = 0; i < 30; i++) {
        differences[i] = items[0];
        snprintf(differences[i].text, sizeof(differences[i].text), "difference number %zu", i);
    }
    r.options.cluster = &all;
    r.options.cluster_found = &list;
    written(&r, qpw_report_text);
    cr_expect_lt(strstr(r.text, "peer39"), strstr(r.text, "peer0 "), "%s", r.text);
    expect(r.text, "and 32 more peers (shown with --all; complete in --json)");
    expect(r.text, "and 18 more differences");
    cr_expect_not(strstr(r.text, "difference number 12"));
    r.options.all = true;
    expect(written(&r, qpw_report_text), "difference number 29");
    cr_expect_not(strstr(r.text, " more "), "%s", r.text);
    drop(&r);
}

Test(cluster_faces, a_stale_answer_is_not_taken_for_the_present_one)
{
    struct qpw_peer_status p = {.name = "node2", .answer = "CLEAN", .got_unix_ns = SAMPLE_NOW_NS};
    struct qpw_peer_words words;

    qpw_peer_words(&p, SAMPLE_NOW_NS + 119 * SECOND_NS, &words);
    cr_expect_str_eq(words.answer, "CLEAN");
    qpw_peer_words(&p, SAMPLE_NOW_NS + 120 * SECOND_NS, &words);
    cr_expect_str_eq(words.answer, "unknown, was CLEAN");
}

Test(cluster_faces, the_cluster_report_is_a_page_of_its_own)
{
    struct reported r;
    FILE *out;

    make(&r, 0);
    out = open_memstream(&r.text, &r.size);
    snprintf(items[0].text, sizeof(items[0].text), "<script>alert(1)</script> & more");
    cr_assert_eq(qpw_cluster_report_html(&status, &found, r.s.unix_ns, out), 0);
    fclose(out);
    expect(r.text, "<title>qportwatch: cluster of node1</title>");
    expect(r.text, "<p class=\"answer bad\">node1: 3 peers, 2 of them stale; 2 differences, 1 of them high</p>");
    expect(r.text, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more");
    expect(r.text, "its key or certificate is not the expected one");
    drop(&r);
}

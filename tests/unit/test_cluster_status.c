/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a node knows of its peers: written and read as foreign input, shown; the files of serve's state directory. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/status.h"
#include "serve/state.h"
#include "words/cluster_status.h"

#define SECOND_NS 1000000000ull
#define NOW_NS 1767225600000000000ull

TestSuite(cluster_status);

static struct qpw_peer_status peers[] = {
    {.name = "node2", .result = "ok", .polled_unix_ns = NOW_NS - 3 * SECOND_NS, .got_unix_ns = NOW_NS - 3 * SECOND_NS, .epoch = "boot:1",
     .seq = 7, .version = "1.2", .policy = "sha256:0123456789abcdef", .answer = "CLEAN", .monitored = "e0 e1", .has_offset = true,
     .offset_us = -12345, .offset_error_us = 80, .polls = {{"ok", 9}, {"slow", 1}}, .n_polls = 2,
     .events = {.result = "ok", .number = 41, .missed = 2, .at_unix_ns = NOW_NS - 12 * SECOND_NS, .severity = 1, .text = "a port"}},
    {.name = "node3", .result = "wrong-key", .trouble = "its key or certificate is not the expected one", .polled_unix_ns = NOW_NS,
     .got_unix_ns = NOW_NS - 200 * SECOND_NS},
    {.name = "node4"}};
static const struct qpw_cluster_status status = {.node = "node1", .at_unix_ns = NOW_NS, .peers = peers, .n = 3,
                                                .served = {{"ok", 12}, {"unchanged", 3}, {"wrong-key", 2}}, .n_served = 3};

static const char *shown(const struct qpw_cluster_status *s, uint64_t now)
{
    static char text[4096];
    struct qpw_printer p = {.out = fmemopen(text, sizeof(text), "w"), .width = 120};

    cr_assert(p.out);
    cr_assert_eq(qpw_cluster_status_text(s, now, &p), 0);
    fclose(p.out);
    return text;
}

Test(cluster_status, is_read_as_it_was_written)
{
    json_t *document = qpw_cluster_status_file(&status);
    char *text = json_dumps(document, 0);
    struct qpw_cluster_status back;
    struct qpw_error err;

    cr_assert_eq(qpw_cluster_status_read(text, strlen(text), &back, &err), 0, "%s", err.text);
    cr_assert_eq(back.n, 3);
    cr_expect(back.n_served == 3 && back.served[2].n == 2);
    cr_expect(strstr(shown(&back, NOW_NS), "answered 15 requests; not answered: wrong-key 2\n"), "%s", shown(&back, NOW_NS));
    cr_expect_str_eq(back.node, "node1");
    cr_expect_eq(memcmp(&back.peers[0], &peers[0], sizeof(peers[0])), 0);
    cr_expect_eq(memcmp(&back.peers[2], &peers[2], sizeof(peers[2])), 0);
    cr_expect_str_eq(shown(&back, NOW_NS), shown(&status, NOW_NS));
    qpw_cluster_status_clear(&back);
    free(text);
    json_decref(document);
}

Test(cluster_status, shows_who_is_stale_and_why)
{
    const char *text = shown(&status, NOW_NS);

    cr_expect(strstr(text, "node1: 3 peers, 2 of them stale\n"), "%s", text);
    cr_expect(strstr(text, "node2"), "%s", text);
    cr_expect(strstr(text, "01234567"), "%s", text);
    cr_expect(strstr(text, "12 s ago, high: a port"), "%s", text);
    cr_expect(strstr(text, "its key or certificate is not the expected one"), "%s", text);
    cr_expect(strstr(text, "not polled yet"), "%s", text);
    cr_expect_not(strstr(text, "has ended or hangs"), "%s", text);
    cr_expect(strstr(shown(&status, NOW_NS + 130 * SECOND_NS), "serve wrote this 2 min 10 s ago and nothing since"));
}

Test(cluster_status, refuses_what_serve_never_writes)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "is not a document"},
        {"[]", "is not a document"},
        {"{\"schema\":\"qportwatch.cluster-status/2\",\"peers\":[]}", "is not a document"},
        {"{\"schema\":\"qportwatch.cluster-status/1\"}", "peers"},
        {"{\"schema\":\"qportwatch.cluster-status/1\",\"peers\":[{\"name\":7}]}", "is not a text"},
        {"{\"schema\":\"qportwatch.cluster-status/1\",\"peers\":[{\"seq\":-1}]}", "seq"},
        {"{\"schema\":\"qportwatch.cluster-status/1\",\"peers\":[{\"clock_offset_us\":\"x\"}]}", "clock_offset_us"},
        {"{\"schema\":\"qportwatch.cluster-status/1\",\"peers\":[{\"polls\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}}]}", "polls"},
        {"{\"schema\":\"qportwatch.cluster-status/1\",\"at\":\"now\",\"peers\":[]}", "at"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct qpw_cluster_status s;
        struct qpw_error err = {""};

        cr_expect_eq(qpw_cluster_status_read(cases[i].text, strlen(cases[i].text), &s, &err), -EINVAL, "%s", cases[i].text);
        cr_expect(strstr(err.text, cases[i].why), "%s: %s", cases[i].text, err.text);
        qpw_cluster_status_clear(&s);
    }
}

/* ---- The state directory ---- */

Test(state, names_of_peers_cannot_leave_the_directory)
{
    char buf[256];

    cr_expect_str_eq(qpw_state_name("node-2_b.x", ".json", buf, sizeof(buf)), "node-2_b.x.json");
    cr_expect_str_eq(qpw_state_name("../a/b", "", buf, sizeof(buf)), "%2E.%2Fa%2Fb");
    cr_expect_str_eq(qpw_state_name("..", "", buf, sizeof(buf)), "%2E.");
    cr_expect_str_eq(qpw_state_name("n\xc3\xb6", "", buf, sizeof(buf)), "n%C3%B6");
}

Test(state, files_are_whole_and_heads_are_bounded)
{
    struct qpw_log_chain head = {.number = 1};
    char folder[] = "/tmp/qportwatch-state.XXXXXX", path[128], command[64];
    struct qpw_error err;
    struct stat st;
    json_t *document = json_pack("{s:i}", "a", 1);

    cr_assert(mkdtemp(folder));
    cr_assert_eq(qpw_state_open(folder, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_state_open(folder, &err), 0, "a second time: %s", err.text);
    cr_expect_eq(qpw_state_write(folder, "x.json", document, 0644), 0);
    snprintf(path, sizeof(path), "%s/x.json", folder);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0644);
    cr_expect_eq(qpw_state_write("/nowhere", "x.json", document, 0644), -ENOENT);
    memset(head.sum, 'a', 64);
    for (head.number = 1; head.number < 30000; head.number++)
        cr_assert_eq(qpw_state_head(folder, "node2", NOW_NS, &head), 0);
    snprintf(path, sizeof(path), "%s/heads/node2", folder);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_leq(st.st_size, (off_t)QPW_STATE_HEADS_BYTES + 256);
    cr_expect_geq(st.st_size, (off_t)QPW_STATE_HEADS_BYTES / 4);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
    json_decref(document);
}

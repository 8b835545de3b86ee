/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Control socket: messages in both directions, invalid ones, policy options, the changes of a reload. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/changelist.h"
#include "control/message.h"
#include "control/policy_args.h"
#include "control/readers.h"
#include "words/numbers.h"

/* Parse a message whose strings are in single quotes. */
static json_t *read_text(const char *text, size_t length, int expected, struct qpw_error *err)
{
    json_t *message = NULL;
    char *copy = malloc(length + 1);

    for (size_t i = 0; i < length; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    cr_expect_eq(qpw_message_read(copy, length, &message, err), expected, "%.*s: %s", (int)length, text, err->text);
    free(copy);
    return message;
}

static json_t *there_and_back(json_t *message)
{
    char buf[QPW_CONTROL_BYTES];
    ssize_t length = qpw_message_write(message, buf, sizeof(buf));
    struct qpw_error err = {""};
    json_t *back = NULL;

    cr_assert_gt(length, 0);
    cr_assert_eq(qpw_message_read(buf, length, &back, &err), 0, "%s", err.text);
    cr_expect(json_equal(message, back), "%.*s", (int)length, buf);
    json_decref(message);
    return back;
}

Test(message, request_and_answer_there_and_back)
{
    json_t *request = there_and_back(qpw_request_new("detach"));
    json_t *done = there_and_back(qpw_answer_new(QPW_EXIT_OK, NULL));
    json_t *failed = there_and_back(qpw_answer_new(QPW_EXIT_USAGE, "café: \"quoted\"\n"));
    json_t *bytes = there_and_back(qpw_answer_new(QPW_EXIT_FAILED, "caf\xe9"));
    struct qpw_error err = {"untouched"};

    cr_expect_str_eq(qpw_request_name(request), "detach");
    cr_expect_eq(qpw_answer_status(request, &err), -EBADMSG, "a request is no answer");
    cr_expect_null(qpw_request_name(done), "and an answer no request");
    snprintf(err.text, sizeof(err.text), "untouched");
    cr_expect_eq(qpw_answer_status(done, &err), QPW_EXIT_OK);
    cr_expect_str_eq(err.text, "untouched");
    cr_expect_eq(qpw_answer_status(failed, &err), QPW_EXIT_USAGE);
    cr_expect_str_eq(err.text, "café: \"quoted\"?", "one line");
    cr_expect_eq(qpw_answer_status(bytes, &err), QPW_EXIT_FAILED);
    cr_expect_str_eq(err.text, "caf?");
    json_decref(request);
    json_decref(done);
    json_decref(failed);
    json_decref(bytes);
}

/* Each one is refused, with an error that names the fault. */
Test(message, bad_ones_are_refused)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "not JSON"},
        {"detach\n", "not JSON"},
        {"0\nremoved", "not JSON"},
        {"{'schema': 'qportwatch.control/1'", "not JSON"},
        {"{'schema': 'qportwatch.control/1', 'request': 'status'} {}", "not JSON"},
        {"{'schema': 'qportwatch.control/1', 'request': 'status', 'request': 'detach'}", "duplicate"},
        {"{'schema': 'qportwatch.control/1', 'request': '\\u0000'}", "not JSON"},
        {"{'schema': 'qportwatch.control/1', 'request': '\xff'}", "not JSON"},
        {"[]", "no schema"},
        {"['qportwatch.control/1']", "no schema"},
        {"{}", "no schema"},
        {"{'request': 'detach'}", "no schema"},
        {"{'schema': 1, 'request': 'detach'}", "no schema"},
        {"{'schema': 'qportwatch.control/2', 'request': 'detach'}", "schema qportwatch.control/2, not"},
        {"{'schema': 'qportwatch.status/1', 'request': 'detach'}", "different versions"},
    };
    struct qpw_error err;
    char *deep = malloc(QPW_CONTROL_BYTES + 1);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        err.text[0] = '\0';
        cr_expect_null(read_text(cases[i].text, strlen(cases[i].text), -EBADMSG, &err));
        cr_expect(strstr(err.text, cases[i].why), "%s: %s", cases[i].text, err.text);
    }
    memset(deep, '[', QPW_CONTROL_BYTES + 1);
    cr_expect_null(read_text(deep, QPW_CONTROL_BYTES, -EBADMSG, &err), "nested without end");
    cr_expect_null(read_text(deep, QPW_CONTROL_BYTES + 1, -EBADMSG, &err));
    cr_expect(strstr(err.text, "more than 65536 bytes"), "%s", err.text);
    free(deep);
}

Test(message, bad_answers_are_refused)
{
    static const char *const answers[] = {
        "{'schema': 'qportwatch.control/1'}",
        "{'schema': 'qportwatch.control/1', 'status': '0'}",
        "{'schema': 'qportwatch.control/1', 'status': -1}",
        "{'schema': 'qportwatch.control/1', 'status': 4}",
        "{'schema': 'qportwatch.control/1', 'status': 9223372036854775807}",
        "{'schema': 'qportwatch.control/1', 'status': 0.0}",
    };
    struct qpw_error err;
    json_t *answer;

    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        answer = read_text(answers[i], strlen(answers[i]), 0, &err);
        cr_expect_eq(qpw_answer_status(answer, &err), -EBADMSG, "%s", answers[i]);
        json_decref(answer);
    }
    answer = read_text("{'schema': 'qportwatch.control/1', 'status': 1, 'error': {}, 'more': 1}", 71, 0, &err);
    cr_expect_eq(qpw_answer_status(answer, &err), 1, "what is not known is passed over");
    cr_expect_str_eq(err.text, "the auditor gave no reason");
    json_decref(answer);
}

Test(message, never_longer_than_its_room)
{
    char buf[64];
    json_t *request = qpw_request_new("a-name-that-does-not-fit-beside-the-schema");

    cr_expect_eq(qpw_message_write(request, buf, sizeof(buf)), -EMSGSIZE);
    json_decref(request);
}

Test(message, names_of_any_bytes)
{
    static const char *const names[] = {"eth0", "caf\xc3\xa9", "caf\xe9", "\xff"};
    static const char *const wrong[] = {"1", "null", "{}", "[0]", "[256]", "['a']", "[101, null]", "'twelve bytes'",
                                        "[1,2,3,4,5,6,7,8,9,10,11,12]"};
    char name[12], text[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        json_t *value = qpw_message_name(names[i]);

        cr_expect_eq(qpw_message_read_name(value, name, sizeof(name)), 0, "%s", names[i]);
        cr_expect_str_eq(name, names[i]);
        json_decref(value);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        json_t *value;

        snprintf(text, sizeof(text), "%s", wrong[i]);
        for (char *c = text; *c; c++)
            *c = *c == '\'' ? '"' : *c;
        value = json_loads(text, JSON_DECODE_ANY, NULL);
        cr_assert(value);
        cr_expect_eq(qpw_message_read_name(value, name, sizeof(name)), -EBADMSG, "%s", wrong[i]);
        json_decref(value);
    }
}

static json_t *args_of(const char *text)
{
    json_t *args = json_loads(text, 0, NULL);

    cr_assert(args, "%s", text);
    return args;
}

Test(policy_args, there_and_back)
{
    const char *peers[] = {"node2=10.1.0.12", "10.1.1.0/28"};
    struct qpw_policy_options options = {.platform = "aws", .peers_file = "/nowhere/peers", .peers = peers,
                                         .n_peers = 2};
    struct qpw_policy_options back;
    struct qpw_error err = {""};
    char text[256], small[16] = "x";
    json_t *args, *loaded;

    cr_assert_eq(qpw_policy_args_new(&options, &args, &err), 0);
    cr_assert_eq(qpw_policy_args_store(args, text, sizeof(text)), 0);
    cr_expect_str_eq(text, "{\"platform\":\"aws\",\"peers_file\":\"/nowhere/peers\","
                           "\"peers\":[\"node2=10.1.0.12\",\"10.1.1.0/28\"]}");
    loaded = qpw_policy_args_load(text);
    cr_assert_eq(qpw_policy_args_read(loaded, &back, &err), 0);
    cr_expect_null(back.policy_file);
    cr_expect_str_eq(back.platform, "aws");
    cr_expect_str_eq(back.peers_file, "/nowhere/peers");
    cr_assert_eq(back.n_peers, 2);
    cr_expect_str_eq(back.peers[1], "10.1.1.0/28");
    qpw_policy_options_clear(&back);
    cr_expect_eq(qpw_policy_args_store(args, small, sizeof(small)), -ENOSPC);
    cr_expect_str_empty(small, "never half of them");
    json_decref(args);
    json_decref(loaded);
}

/* Paths relative to the working directory are sent as absolute paths. */
Test(policy_args, paths_are_absolute)
{
    struct qpw_policy_options options = {.policy_file = "tests/../tests/run", .peers_file = "not-there"};
    const char *path;
    json_t *args;

    cr_assert_eq(qpw_policy_args_new(&options, &args, NULL), 0);
    path = json_string_value(json_object_get(args, "policy"));
    cr_expect(path[0] == '/' && strstr(path, "/tests/run") && !strstr(path, ".."), "%s", path);
    cr_expect_str_eq(json_string_value(json_object_get(args, "peers_file")), "not-there", "whoever reads it says so");
    json_decref(args);
}

Test(policy_args, what_cannot_be_sent_or_read)
{
    static const char *const wrong[] = {"{\"policy\": 1}", "{\"platform\": {}}", "{\"peers_file\": []}",
                                        "{\"peers\": \"10.1.0.12\"}", "{\"peers\": [\"10.1.0.12\", 3]}",
                                        "{\"policy\": null}"};
    const char *peer = "caf\xe9=10.0.0.1";
    struct qpw_policy_options bytes[] = {{.policy_file = "/nowhere/\xe9"}, {.platform = "\xff"},
                                         {.peers_file = "\xc3"}, {.peers = &peer, .n_peers = 1}};
    struct qpw_policy_options back = {.platform = "untouched"};
    struct qpw_error err = {""};
    json_t *args = NULL;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        args = args_of(wrong[i]);
        cr_expect_eq(qpw_policy_args_read(args, &back, &err), -EINVAL, "%s", wrong[i]);
        cr_expect(!strncmp(err.text, "policy options: ", 16), "%s: %s", wrong[i], err.text);
        cr_expect_str_eq(back.platform, "untouched");
        json_decref(args);
    }
    for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++) {
        cr_expect_eq(qpw_policy_args_new(&bytes[i], &args, &err), -EILSEQ);
        cr_expect(strstr(err.text, "not UTF-8"), "%s", err.text);
    }
    cr_expect_null(qpw_policy_args_load("platform aws\n"), "as kept by an older version");
    cr_expect_null(qpw_policy_args_load("[]"));
    cr_expect_null(qpw_policy_args_load(""));
}

/* A later option replaces only its own kind: policy or platform, and the peers. */
Test(policy_args, later_ones)
{
    static const struct {
        const char *more, *all;
    } cases[] = {
        {"{}", "{\"policy\": \"/nowhere/site\", \"peers\": [\"node2=10.1.0.12\"]}"},
        {"{\"platform\": \"aws\"}", "{\"platform\": \"aws\", \"peers\": [\"node2=10.1.0.12\"]}"},
        {"{\"policy\": \"/nowhere/new\"}", "{\"policy\": \"/nowhere/new\", \"peers\": [\"node2=10.1.0.12\"]}"},
        {"{\"peers\": [\"node3=10.1.0.13\"]}", "{\"policy\": \"/nowhere/site\", \"peers\": [\"node3=10.1.0.13\"]}"},
        {"{\"peers_file\": \"/dev/null\"}", "{\"policy\": \"/nowhere/site\", \"peers_file\": \"/dev/null\"}"},
        {"{\"platform\": \"aws\", \"peers_file\": \"/nowhere/peers\", \"peers\": [\"10.1.0.14\"]}",
         "{\"platform\": \"aws\", \"peers_file\": \"/nowhere/peers\", \"peers\": [\"10.1.0.14\"]}"},
    };
    json_t *before = args_of(cases[0].all);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *more = args_of(cases[i].more), *all = args_of(cases[i].all);
        json_t *args = qpw_policy_args_over(before, more);

        cr_expect(json_equal(args, all), "%s", cases[i].more);
        json_decref(more);
        json_decref(all);
        json_decref(args);
    }
    json_decref(before);
}

Test(changelist, all_or_how_many_are_left_out)
{
    struct qpw_changelist list = {0};
    char text[512], whole[256];
    size_t lines = 0;
    unsigned more = 0;

    cr_expect_str_empty(qpw_changelist_text(&list, text, sizeof(text)));
    qpw_changelist_add(&list, "opens %s", "inbound tcp 1");
    qpw_changelist_add(&list, "closes %d", 2);
    cr_expect_str_eq(qpw_changelist_text(&list, text, sizeof(text)), "\n  opens inbound tcp 1\n  closes 2");
    qpw_changelist_clear(&list);
    /* Fill the buffer to the last byte, then add one more line. */
    for (int i = 0; i < 25; i++)
        qpw_changelist_add(&list, "%07d", i);
    cr_expect_eq(strlen(qpw_changelist_text(&list, whole, 25 * 10 + 1)), 25u * 10);
    qpw_changelist_add(&list, "x");
    qpw_changelist_text(&list, whole, 25 * 10 + 4);
    for (const char *at = whole; (at = strstr(at, "\n  0")); at++)
        lines++;
    cr_assert(strstr(whole, "\n  and"), "%s", whole);
    cr_expect_eq(sscanf(strstr(whole, "\n  and"), "\n  and %u more; ", &more), 1);
    cr_expect_eq(lines + more, list.n, "%zu shown, %u left out: %s", lines, more, whole);
    cr_expect_lt(strlen(whole), sizeof(whole));
    cr_expect_str_eq(strrchr(whole, ' ') - strlen("every rule of"), "every rule of one");
    qpw_changelist_clear(&list);
    cr_expect_eq(list.n, 0u);
}

/* 5,000 lines of quotes and invalid UTF-8: the answer holds as many as fit, and gives the number of the rest. */
Test(changelist, an_answer_never_grows_too_long)
{
    struct qpw_changelist list = {0}, back;
    json_t *answer = qpw_answer_new(QPW_EXIT_OK, NULL);
    char text[64], count[24], *whole = malloc(QPW_CONTROL_BYTES);

    for (int i = 0; i < 5000; i++)
        qpw_changelist_add(&list, "opens \"\x01\xe9\" %04d", i);
    cr_assert_eq(qpw_changelist_write(&list, answer, QPW_CONTROL_BYTES - 2048), 0);
    answer = there_and_back(answer);
    cr_assert_eq(qpw_changelist_read(answer, &back), 0);
    cr_expect_gt(back.n, 1000u);
    cr_expect_lt(back.n, 5000u);
    cr_expect_eq(back.n + back.left_out, 5000u);
    cr_expect_str_eq(back.lines[1], "opens \"\x01?\" 0001");
    snprintf(text, sizeof(text), "\n  and %s more; ", qpw_words_count(back.left_out, count, sizeof(count)));
    cr_expect(strstr(qpw_changelist_text(&back, whole, QPW_CONTROL_BYTES), text), "%s", text);
    free(whole);
    qpw_changelist_clear(&list);
    qpw_changelist_clear(&back);
    json_decref(answer);
}

Test(changelist, bad_members)
{
    static const char *const wrong[] = {"{}", "{\"changes\": []}", "{\"changes\": {}, \"left_out\": 0}",
                                        "{\"changes\": [], \"left_out\": -1}", "{\"changes\": [1], \"left_out\": 0}"};
    struct qpw_changelist list;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        json_t *answer = args_of(wrong[i]);

        cr_expect_eq(qpw_changelist_read(answer, &list), -EBADMSG, "%s", wrong[i]);
        json_decref(answer);
    }
}

/* A command that sudo permits to others must not name a file or end anything, however it is written. */
Test(readers, commands_that_only_read)
{
    static char *const may[][4] = {{"status"}, {"report", "--json"}, {"report", "--since", "1h"}, {"report", "--since=1h"},
                                   {"report", "--fail-on=high", "--format=html"}, {"connections", "port:22", "-j"},
                                   {"metrics"}, {"statement"}, {"statement", "--samples"}, {"top", "--once"}, {"top", "--once", "--sort=-PKTS", "--tab=ports"}};
    static char *const may_not[][4] = {{"detach"}, {"top"}, {"top", "--lines"}, {"top", "--tab=ports", "--once"}, {"alerts"}, {"policy"}, {"readers"}, {"report", "-o", "/x"},
                                       {"metrics", "--textfile", "/x"}, {"metrics", "--textfile=/x"},
                                       {"report", "-o/x"}, {"report", "--output=/x"}, {"report", "--out", "/x"},
                                       {"report", "--evidence=/x"}, {"report", "--evidence", "/x"}, {"report", "--anonymize=/x"},
                                       {"report", "--alerts=/etc/shadow"}, {"report", "--jso"}, {"report", "-jo/x"}, {"report", "--"}, {"report", "-"},
                                       {"listeners", "--policy=/etc/shadow"}, {"status", "--hosts=/etc/shadow"},
                                       {"report", "--format-that-is-longer-than-any-option=1"}, {"", "--json"}};
    struct qpw_error err;
    int n;

    for (size_t i = 0; i < sizeof(may) / sizeof(*may); i++) {
        for (n = 0; n < 4 && may[i][n]; n++)
            ;
        cr_expect(qpw_readers_may(n, may[i], &err), "%s %s: %s", may[i][0], n > 1 ? may[i][1] : "", err.text);
    }
    for (size_t i = 0; i < sizeof(may_not) / sizeof(*may_not); i++) {
        for (n = 0; n < 4 && may_not[i][n]; n++)
            ;
        err.text[0] = '\0';
        cr_expect(!qpw_readers_may(n, may_not[i], &err), "%s %s", may_not[i][0], n > 1 ? may_not[i][1] : "");
        cr_expect(strstr(err.text, "may not use"), "%s", err.text);
    }
    cr_expect(!qpw_readers_may(0, may[0], &err));
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The events of a peer: what continues its chain is kept, anything else is not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/heard.h"

#define LINES 8

static struct qpw_heard heard;
static char lines[LINES + 1][1024]; /* records 1 to LINES of a chain, newline included */

static void set_up(void)
{
    struct qpw_log_chain chain;
    char text[QPW_LOG_CHAIN_TEXT];

    qpw_log_chain_init(&heard.chain);
    qpw_log_chain_init(&chain);
    for (unsigned i = 1; i <= LINES; i++) {
        int length = snprintf(lines[i], sizeof(lines[i]),
                              "{\"timestamp\":\"2026-01-02T03:04:%02u.000000+0000\",\"event_type\":\"alert\",\"src_ip\":\"10.0.0.9\",\"dest_port\":70%02u,"
                              "\"proto\":\"TCP\",\"alert\":{\"gid\":9100,\"signature_id\":1,\"signature\":\"s\",\"severity\":%u,"
                              "\"metadata\":{\"verdict\":[\"unexpected\"],\"text\":[\"port 70%02u \\u001b[31m\"],\"chain\":[\"%s\"]}}}\n",
                              i, i, i % 3 + 1, i, qpw_log_chain_text(&chain, text));

        cr_assert(qpw_log_chain_seal(&chain, lines[i], (size_t)length, &chain));
    }
}

TestSuite(heard, .init = set_up);

/* Take the records of these numbers, in this order, as one answer. */
static enum qpw_heard_result take(const char *numbers, size_t *ret_kept, struct qpw_error *err)
{
    char batch[LINES * 1024 + 1] = "";
    size_t kept = 0, length;
    enum qpw_heard_result result;

    for (const char *c = numbers; *c; c++)
        strcat(batch, lines[*c - '0']);
    result = qpw_heard_take(&heard, batch, strlen(batch), "boot:1", &length, err);
    for (size_t i = 0; i < length; i++)
        kept += batch[i] == '\n';
    *ret_kept = kept;
    return result;
}

Test(heard, keeps_what_continues_the_chain)
{
    struct qpw_error err = {""};
    size_t kept;

    cr_expect_eq(take("123", &kept, &err), QPW_HEARD_KEEP, "%s", err.text);
    cr_expect_eq(kept, 3);
    cr_expect_eq(heard.chain.number, 3);
    cr_expect_str_eq(heard.epoch, "boot:1");
    cr_expect_eq(take("", &kept, &err), QPW_HEARD_NOTHING);
    cr_expect_eq(take("67", &kept, &err), QPW_HEARD_KEEP);
    cr_expect_eq(heard.chain.number, 7);
    cr_expect_eq(heard.missed, 2, "the peer no longer had 4 and 5");
}

Test(heard, names_the_newest_finding_in_harmless_text)
{
    struct qpw_error err = {""};
    size_t kept;

    take("12", &kept, &err);
    cr_expect_eq(heard.newest.unix_ns / 1000000000u % 60, 2);
    cr_expect_eq(heard.newest.severity, 3);
    cr_expect_str_eq(heard.newest.text, "port 7002 ?[31m");
}

Test(heard, asks_for_everything_where_it_is_another_chain)
{
    struct qpw_error err = {""};
    size_t kept;

    take("123", &kept, &err);
    cr_expect_eq(take("23", &kept, &err), QPW_HEARD_AGAIN, "repeated");
    cr_expect_eq(heard.chain.number, 0);
    cr_expect_eq(take("1234", &kept, &err), QPW_HEARD_KEEP);
    memcpy(strstr(lines[5], "7005"), "7099", 4);
    cr_expect_eq(take("5", &kept, &err), QPW_HEARD_AGAIN, "changed");
    memcpy(strstr(lines[1], "7001"), "7099", 4);
    cr_expect_eq(take("1", &kept, &err), QPW_HEARD_INVALID, "the first one cannot be of another chain");
}

Test(heard, keeps_what_came_before_a_fault)
{
    struct qpw_error err = {""};
    size_t kept;

    memcpy(strstr(lines[3], "7003"), "7099", 4);
    cr_expect_eq(take("1234", &kept, &err), QPW_HEARD_KEEP);
    cr_expect_eq(kept, 2);
    cr_expect_eq(heard.chain.number, 2);
    cr_expect_eq(take("34", &kept, &err), QPW_HEARD_AGAIN);
    cr_expect_eq(take("34", &kept, &err), QPW_HEARD_KEEP, "its sum cannot be checked without its predecessor");
}

Test(heard, refuses_what_is_no_record)
{
    static const char *const texts[] = {
        "x\n", "\n", "[]\n", "{}\n", "{\"timestamp\":\"t\",\"event_type\":\"alert\"}\n",
        "{\"timestamp\":\"t\",\"event_type\":\"alert\",\"timestamp\":\"t\"}\n", "{\"timestamp\":1,\"event_type\":\"alert\"}\n",
        "[[[[[[[[[]]]]]]]]]\n", "{\"timestamp\":\"\xff\"}\n", "no newline"};
    static char huge[QPW_HEARD_LINE + 8];
    struct qpw_error err = {""};
    size_t length;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        cr_expect_eq(qpw_heard_take(&heard, texts[i], strlen(texts[i]), "e", &length, &err), QPW_HEARD_INVALID, "%s", texts[i]);
        cr_expect(length == 0 && *err.text && !strchr(err.text, '\n'));
    }
    memset(huge, ' ', sizeof(huge));
    huge[sizeof(huge) - 1] = '\n';
    cr_expect_eq(qpw_heard_take(&heard, huge, sizeof(huge), "e", &length, &err), QPW_HEARD_INVALID);
}

Test(heard, goes_on_after_what_was_kept)
{
    struct qpw_error err = {""};
    char file[4096];
    size_t kept;

    snprintf(file, sizeof(file), "%s%s%sjunk\n%.20s", lines[1] + 30, lines[2], lines[3], lines[4]);
    qpw_heard_recall(&heard, file, strlen(file));
    cr_expect_eq(heard.chain.number, 3);
    cr_expect_eq(heard.newest.severity, 1);
    cr_expect_eq(take("45", &kept, &err), QPW_HEARD_KEEP);
    cr_expect_eq(heard.missed, 0);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tampering with an alert log, each kind on its own, and changes that are none; see alert/log/verify.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/log/eve.h"
#include "alert/log/verify.h"
#include "alerts.h"

#define LINES 12u
#define ROTATED 6u /* lines from this one on are in the second file */

static char *lines[LINES + 1], *others[LINES]; /* of another node: other addresses, a chain of its own */
static struct qpw_log_verify v;
static bool swapped_files;

struct writer {
    struct qpw_log_chain chain;
    char **lines;
    unsigned n;
};

static int seal(void *data, const struct qpw_record *record)
{
    struct writer *w = data;
    struct qpw_log_chain next;
    size_t length;

    cr_assert_lt(w->n, LINES);
    cr_assert_eq(qpw_eve_line(record, &w->chain, &w->lines[w->n], &length), 0);
    cr_assert(qpw_log_chain_seal(&w->chain, w->lines[w->n], length, &next));
    w->chain = next;
    w->n++;
    return 0;
}

/* Two runs of an auditor with six records each: the second begins with a record of its own and continues the chain. */
static void write_log(char **to, const char *initiator)
{
    struct writer w = {.lines = to};
    struct qpw_record_writer writer = {seal, &w};
    struct qpw_engine_context context = plain_context();
    struct qpw_engine *e;

    qpw_log_chain_init(&w.chain);
    for (unsigned life = 0; life < 2; life++) {
        struct qpw_finding_row rows[5];

        cr_assert_eq(qpw_engine_new(NULL, &writer, &e), 0);
        qpw_engine_context(e, &context, T0);
        qpw_engine_reloaded(e, &(struct qpw_engine_reload){.old_digest = "sha256:aa", .new_digest = "sha256:bb", .changes = "-"}, T0);
        for (unsigned i = 0; i < 5; i++)
            rows[i] = finding(QPW_DIR_INBOUND, initiator, "10.0.0.1", (uint16_t)(4000 + 100 * life + i),
                              QPW_OUTCOME_DATA, (struct span){T0, T0});
        qpw_engine_findings(e, rows, 5, T0 + SEC);
        qpw_engine_free(e);
    }
    cr_assert_eq(w.n, LINES);
}

static void start(void)
{
    write_log(lines, "10.0.0.5");
    write_log(others, "10.0.0.6");
}

static void end(void)
{
    qpw_log_verify_clear(&v);
    for (unsigned i = 0; i < LINES; i++) {
        free(lines[i]);
        free(others[i]);
    }
}

TestSuite(alert_verify, .init = start, .fini = end);

static void one_file(const char *name, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (lines[i])
            qpw_log_verify_line(&v, name, i - from + 1, lines[i], strlen(lines[i]));
}

/* Verify both files as `alerts --verify` does; head NULL: unknown. */
static bool whole(const char *head)
{
    struct qpw_error err;

    qpw_log_verify_clear(&v);
    cr_assert_eq(qpw_log_verify_begin(&v, head, &err), 0, "%s", err.text);
    one_file("eve.json.1", swapped_files ? ROTATED : 0, swapped_files ? LINES : ROTATED);
    one_file("eve.json", swapped_files ? 0 : ROTATED, swapped_files ? ROTATED : LINES);
    qpw_log_verify_end(&v);
    return qpw_log_verify_whole(&v);
}

static void expect_first(const char *file, uint64_t line, enum qpw_log_chain_word word)
{
    cr_expect_not(whole(NULL));
    cr_assert_geq(v.n_breaches, 1);
    cr_expect_str_eq(v.breaches[0].file, file);
    cr_expect_eq(v.breaches[0].line, line, "line %lu", (unsigned long)v.breaches[0].line);
    cr_expect_str_eq(qpw_log_chain_word_name(v.breaches[0].word), qpw_log_chain_word_name(word));
}

static void replace(unsigned at, const char *with)
{
    free(lines[at]);
    lines[at] = with ? strdup(with) : NULL;
}

static char *head_of(const char *line)
{
    static char head[QPW_LOG_CHAIN_TEXT];
    struct qpw_log_chain chain;

    cr_assert(qpw_log_chain_read(line, strlen(line), &chain));
    snprintf(head, sizeof(head), "%lu:%s", (unsigned long)chain.number, chain.sum);
    return head;
}

/* ---- No tampering ---- */

Test(alert_verify, two_lives_and_a_rotation_are_no_breaks)
{
    cr_expect(whole(NULL));
    cr_expect_eq(v.records, LINES);
    cr_expect(whole(head_of(lines[LINES - 1])), "the last head");
    cr_expect(whole(head_of(lines[3])), "an earlier one");
    cr_expect_not_null(strstr(qpw_log_verify_meaning(&v), "this is the log that was written"));
    replace(0, NULL);
    cr_expect(whole(NULL), "what is rotated away is missing in front alone");
    cr_expect_eq(v.first, 2);
}

/* ---- What peers heard ---- */

/* Verify with a file that a peer kept, and return whether all is whole. */
static bool whole_for_file(const char *text)
{
    char path[] = "/tmp/qportwatch-heads.XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    struct qpw_error err;
    int r;

    cr_assert(file);
    fputs(text, file);
    fclose(file);
    qpw_log_verify_clear(&v);
    cr_assert_eq(qpw_log_verify_begin(&v, NULL, &err), 0);
    r = qpw_log_heads_load(&v.heads, path, &err);
    unlink(path);
    cr_assert_eq(r, 0, "%s", err.text);
    qpw_log_heads_sort(&v.heads);
    one_file("eve.json", 0, LINES);
    qpw_log_verify_end(&v);
    return qpw_log_verify_whole(&v);
}

/* The same with the heads of these lines. */
static bool whole_for_peers(const char *const *kept, size_t n)
{
    char text[1024];
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "2026-03-01T0%zu:00:00.000000Z %s\n", i, kept[i]);
    return whole_for_file(text);
}

Test(alert_verify, what_peers_heard_has_to_be_in_the_log)
{
    char early[QPW_LOG_CHAIN_TEXT], late[QPW_LOG_CHAIN_TEXT], other[QPW_LOG_CHAIN_TEXT];
    const char *const kept[] = {late, early};
    const struct qpw_log_head *one;
    size_t missing, older;

    snprintf(early, sizeof(early), "%s", head_of(lines[1]));
    snprintf(late, sizeof(late), "%s", head_of(lines[LINES - 1]));
    cr_expect(whole_for_peers(kept, 2));
    cr_expect_not_null(strstr(qpw_log_verify_meaning(&v), "root of this node cannot change"));
    snprintf(other, sizeof(other), "%s", late);
    other[strlen(other) - 1] ^= 1; /* another digit of the sum: the log was written anew */
    cr_expect_not(whole_for_peers((const char *const[]){early, other}, 2));
    one = qpw_log_heads_missing(&v.heads, v.first, &missing, &older);
    cr_assert(one);
    cr_expect_str_eq(one->time, "2026-03-01T01:00:00.000000Z");
    cr_expect_eq(missing, 1);
    replace(LINES - 1, NULL); /* the newest record cut off, which no chain shows by itself */
    cr_expect(whole(NULL));
    cr_expect_not(whole_for_peers(kept, 2));
    replace(0, NULL);
    replace(1, NULL);
    snprintf(late, sizeof(late), "%s", head_of(lines[LINES - 2]));
    cr_expect(whole_for_peers(kept, 2), "of records that were rotated away nothing is known");
    qpw_log_heads_missing(&v.heads, v.first, &missing, &older);
    cr_expect_eq(older, 1);
    cr_expect_not(whole_for_peers((const char *const[]){early}, 1), "nothing of this log was heard: it may be another");
    qpw_log_verify_clear(&v);
}

/* Seal the lines that are left as a new chain, as whoever may write the log can. */
static void chain_anew(void)
{
    struct qpw_log_chain chain, old, next;
    char was[QPW_LOG_CHAIN_TEXT], text[QPW_LOG_CHAIN_TEXT], line[4096];

    qpw_log_chain_init(&chain);
    for (unsigned i = 0; i < LINES; i++) {
        const char *at;

        if (!lines[i])
            continue;
        cr_assert(qpw_log_chain_read(lines[i], strlen(lines[i]), &old));
        snprintf(was, sizeof(was), "%lu:%s", (unsigned long)old.number, old.sum);
        at = strstr(lines[i], was);
        cr_assert(at);
        snprintf(line, sizeof(line), "%.*s%s%s", (int)(at - lines[i]), lines[i], qpw_log_chain_text(&chain, text), at + strlen(was));
        cr_assert(qpw_log_chain_seal(&chain, line, strlen(line), &next));
        replace(i, line);
        chain = next;
    }
}

/* A head is kept once an hour; the events that a peer kept show what was cut since. */
Test(alert_verify, an_event_that_a_peer_kept_has_to_be_in_the_log)
{
    const struct qpw_log_head *one;
    char text[16384], torn[20000], head[QPW_LOG_CHAIN_TEXT];
    size_t missing, older;

    snprintf(head, sizeof(head), "%s", head_of(lines[2]));
    snprintf(text, sizeof(text), "%s\n%s\n%s\n", lines[LINES - 3], lines[LINES - 2], lines[LINES - 1]);
    snprintf(torn, sizeof(torn), "%s%.40s", text, lines[LINES - 1]);
    cr_expect(whole_for_file(text));
    cr_expect(whole_for_file(torn), "copied while it was written");
    replace(LINES - 2, NULL);
    chain_anew();
    cr_expect(whole(NULL), "a chain of its own");
    cr_expect(whole_for_peers((const char *const[]){head}, 1), "the last head is older");
    cr_expect_not(whole_for_file(text));
    one = qpw_log_heads_missing(&v.heads, v.first, &missing, &older);
    cr_assert(one);
    cr_expect_eq(one->chain.number, LINES - 1);
    cr_expect_eq(missing, 2);
    cr_expect_eq(strncmp(one->time, "20", 2), 0, "%s", one->time);
    qpw_log_verify_clear(&v);
}

Test(alert_verify, files_that_are_no_heads_are_refused)
{
    static const char *const texts[] = {"", "\n", "x\n", "2026-03-01T00:00:00Z 1:00\n", "a b c d\n",
                                        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1:0\n",
                                        "{}\n", "{", "{\"timestamp\":\"2026\"}\n", "{\"timestamp\":1,\"chain\":[\"1:0\"]}\n"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        char path[] = "/tmp/qportwatch-heads.XXXXXX";
        struct qpw_log_heads heads = {0};
        int fd = mkstemp(path);
        struct qpw_error err;

        cr_assert_eq(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
        close(fd);
        cr_expect_eq(qpw_log_heads_load(&heads, path, &err), -EINVAL, "%zu", i);
        unlink(path);
        qpw_log_heads_clear(&heads);
    }
}

Test(alert_verify, a_torn_last_line_is_no_break)
{
    lines[LINES - 1][strlen(lines[LINES - 1]) / 2] = '\0';
    cr_expect(whole(NULL));
    cr_expect(v.torn);
    cr_expect_eq(v.records, LINES - 1);
}

/* ---- Tamperings ---- */

Test(alert_verify, changed_letter)
{
    *strstr(lines[2], "10.0.0.5") = '2';
    expect_first("eve.json.1", 3, QPW_LOG_CHAIN_CHANGED);
}

Test(alert_verify, changed_and_its_own_sum_put_right)
{
    struct qpw_log_chain before, next;
    char text[QPW_LOG_CHAIN_TEXT];

    cr_assert(qpw_log_chain_read(lines[1], strlen(lines[1]), &before));
    *strstr(lines[2], "10.0.0.5") = '2';
    qpw_log_chain_text(&before, text);
    memcpy(strstr(lines[2], "\"chain\":[\"") + 10, text, strlen(text));
    cr_assert(qpw_log_chain_seal(&before, lines[2], strlen(lines[2]), &next));
    expect_first("eve.json.1", 4, QPW_LOG_CHAIN_CHANGED);
}

Test(alert_verify, line_cut_out)
{
    replace(3, NULL);
    expect_first("eve.json.1", 5, QPW_LOG_CHAIN_CUT);
}

Test(alert_verify, record_of_a_restart_removed)
{
    cr_assert_not_null(strstr(lines[ROTATED], "\"engine\""));
    replace(ROTATED, NULL);
    expect_first("eve.json", 2, QPW_LOG_CHAIN_CUT);
    cr_expect_eq(v.breaches[0].number - v.breaches[0].after, 2);
}

Test(alert_verify, lines_around_a_rotation_cut)
{
    replace(ROTATED - 1, NULL);
    replace(ROTATED, NULL);
    expect_first("eve.json", 2, QPW_LOG_CHAIN_CUT);
}

Test(alert_verify, lines_swapped)
{
    char *line = lines[8];

    lines[8] = lines[9];
    lines[9] = line;
    expect_first("eve.json", 3, QPW_LOG_CHAIN_CUT);
}

Test(alert_verify, files_of_two_rotations_swapped)
{
    swapped_files = true;
    expect_first("eve.json", 1, QPW_LOG_CHAIN_BEGINS);
}

Test(alert_verify, line_repeated)
{
    replace(4, lines[3]);
    expect_first("eve.json.1", 5, QPW_LOG_CHAIN_MOVED);
}

Test(alert_verify, line_of_no_chain_added)
{
    replace(4, "{\"event_type\":\"alert\",\"alert\":{\"signature\":\"nothing to see\"}}\n");
    expect_first("eve.json.1", 5, QPW_LOG_CHAIN_ADDED);
}

/* Lines that precede the chain come before its first record, also after that record was rotated away. */
Test(alert_verify, line_of_no_chain_in_front)
{
    static const char added[] = "{\"event_type\":\"alert\",\"alert\":{\"signature\":\"nothing to see\"}}\n";

    qpw_log_verify_clear(&v);
    cr_assert_eq(qpw_log_verify_begin(&v, NULL, NULL), 0);
    qpw_log_verify_line(&v, "eve.json.1", 1, added, strlen(added));
    one_file("eve.json.1", 0, LINES);
    qpw_log_verify_end(&v);
    cr_expect(qpw_log_verify_whole(&v));
    cr_expect_eq(v.older, 1);
    replace(0, added);
    expect_first("eve.json.1", 1, QPW_LOG_CHAIN_ADDED);
    cr_expect_eq(v.older, 0);
}

/* Each line still reads as the same document. */
Test(alert_verify, line_ends_and_blanks)
{
    char with[4096];
    size_t length = strcspn(lines[2], "\n");

    snprintf(with, sizeof(with), "%.*s\r\n", (int)length, lines[2]);
    replace(2, with);
    expect_first("eve.json.1", 3, QPW_LOG_CHAIN_CHANGED);
    with[length] = ' ';
    replace(2, with);
    expect_first("eve.json.1", 3, QPW_LOG_CHAIN_CHANGED);
}

Test(alert_verify, two_lines_joined_and_one_parted)
{
    char joined[8192];

    snprintf(joined, sizeof(joined), "%.*s%s", (int)strcspn(lines[2], "\n"), lines[2], lines[3]);
    replace(2, joined);
    replace(3, NULL);
    expect_first("eve.json.1", 3, QPW_LOG_CHAIN_CHANGED);
    cr_expect_eq(v.n_breaches, 2, "and the second record is missing");
}

Test(alert_verify, a_whole_life_cut_out)
{
    for (unsigned i = 2; i < ROTATED + 1; i++)
        replace(i, NULL);
    expect_first("eve.json", 2, QPW_LOG_CHAIN_CUT);
    cr_expect_eq(v.n_breaches, 1);
}

Test(alert_verify, number_changed)
{
    char *number = strstr(lines[4], "\"chain\":[\"");

    cr_assert_not_null(number);
    number[10] = '9'; /* 5 */
    expect_first("eve.json.1", 5, QPW_LOG_CHAIN_CUT);
}

Test(alert_verify, line_replaced_by_that_of_another_chain)
{
    replace(4, others[4]);
    expect_first("eve.json.1", 5, QPW_LOG_CHAIN_CHANGED);
}

Test(alert_verify, rest_replaced_by_that_of_another_chain)
{
    for (unsigned i = 4; i < LINES; i++)
        replace(i, others[i]);
    expect_first("eve.json.1", 5, QPW_LOG_CHAIN_CHANGED);
    cr_expect_eq(v.n_breaches, 1, "the rest holds by itself");
}

/* Only a head kept elsewhere reveals this: a heartbeat at the collector, a line of `status`. */
Test(alert_verify, last_lines_cut)
{
    char head[QPW_LOG_CHAIN_TEXT];

    strcpy(head, head_of(lines[LINES - 1]));
    replace(LINES - 1, NULL);
    replace(LINES - 2, NULL);
    cr_expect(whole(NULL), "nothing in the log shows it");
    cr_expect_not_null(strstr(qpw_log_verify_meaning(&v), "does not show"));
    cr_expect_not(whole(head));
    cr_expect_eq(v.n_breaches, 0);
    cr_expect_not(v.found);
    cr_expect_not_null(strstr(qpw_log_verify_meaning(&v), "not whole"));
}

Test(alert_verify, replaced_from_the_first_line)
{
    char head[QPW_LOG_CHAIN_TEXT];

    strcpy(head, head_of(lines[5]));
    for (unsigned i = 0; i < LINES; i++)
        replace(i, others[i]);
    cr_expect(whole(NULL), "root can");
    cr_expect_not(whole(head));
}

/* ---- Heads ---- */

Test(alert_verify, what_is_no_head_is_refused)
{
    static const char *const wrong[] = {"", "12", "12:", ":00", "12:00", "0:0000000000000000000000000000000000000000000000000000000000000000",
                                        "x:0000000000000000000000000000000000000000000000000000000000000000", "1:\"", "1:\xff"};
    struct qpw_error err;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        cr_expect_lt(qpw_log_verify_begin(&v, wrong[i], &err), 0, "'%s'", wrong[i]);
}

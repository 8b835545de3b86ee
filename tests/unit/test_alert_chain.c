/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The chain of checksums through the alert log: tampering that it detects, and changes that do not break it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/log/chain.h"
#include "alert/log/eve.h"
#include "alert/log/log.h"
#include "alerts.h"

#define LINES 8u

static char *lines[LINES];
static struct qpw_log_chain written;

/* One writer's lines: alerts, a record of the auditor's own, a heartbeat. */
static int seal(void *data, const struct qpw_record *record)
{
    struct qpw_log_chain next;
    size_t length;
    unsigned *n = data;

    cr_assert_lt(*n, LINES);
    cr_assert_eq(qpw_eve_line(record, &written, &lines[*n], &length), 0);
    cr_assert(qpw_log_chain_seal(&written, lines[*n], length, &next));
    written = next;
    ++*n;
    return 0;
}

static void write_lines(void)
{
    unsigned n = 0;
    struct qpw_record_writer writer = {seal, &n};
    struct qpw_engine_context context = plain_context();
    struct qpw_engine *e;
    struct qpw_finding_row rows[LINES - 1];

    qpw_log_chain_init(&written);
    cr_assert_eq(qpw_engine_new(NULL, &writer, &e), 0);
    qpw_engine_context(e, &context, T0);
    for (unsigned i = 0; i < LINES - 1; i++)
        rows[i] = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", (uint16_t)(4444 + i), QPW_OUTCOME_DATA, (struct span){T0, T0});
    qpw_engine_findings(e, rows, LINES - 1, T0 + SEC);
    qpw_engine_reloaded(e, &(struct qpw_engine_reload){.old_digest = "sha256:aa", .new_digest = "sha256:bb",
                                                       .changes = "opens \"chain\":[\"9:00\"] nothing"}, T0 + 2 * SEC);
    qpw_engine_free(e);
    cr_assert_eq(n, LINES);
}

static void free_lines(void)
{
    for (unsigned i = 0; i < LINES; i++)
        free(lines[i]);
}

TestSuite(alert_chain, .init = write_lines, .fini = free_lines);

/* Return the result of every line, a letter each: holds, begins, added, changed (x), cut, moved. */
static const char *verify(void)
{
    static const char letters[] = "hbaxcm";
    static char words[LINES + 2];
    struct qpw_log_chain chain;
    size_t n = 0;

    qpw_log_chain_init(&chain);
    for (unsigned i = 0; i < LINES; i++)
        if (lines[i])
            words[n++] = letters[qpw_log_chain_follow(&chain, lines[i], strlen(lines[i]))];
    words[n] = '\0';
    return words;
}

static void swap(unsigned a, unsigned b)
{
    char *line = lines[a];

    lines[a] = lines[b];
    lines[b] = line;
}

Test(alert_chain, as_written_it_holds)
{
    struct qpw_log_chain last;

    cr_expect_str_eq(verify(), "hhhhhhhh");
    cr_assert(qpw_log_chain_read(lines[LINES - 1], strlen(lines[LINES - 1]), &last));
    cr_expect_eq(last.number, LINES);
    cr_expect_str_eq(last.sum, written.sum);
}

/* Recompute a checksum as with sed and sha256sum: of the line with the previous line's checksum in place of its own. */
Test(alert_chain, its_sum_is_that_of_the_line_with_the_sum_before_it)
{
    struct qpw_log_chain before, here;
    char command[8192], out[128], *line = strdup(lines[3]), *place;
    FILE *f;

    cr_assert(qpw_log_chain_read(lines[2], strlen(lines[2]), &before) && qpw_log_chain_read(line, strlen(line), &here));
    place = strstr(line, here.sum);
    memcpy(place, before.sum, 64);
    line[strcspn(line, "\n")] = '\0';
    snprintf(command, sizeof(command), "printf %%s \"$LINE\" | sha256sum");
    setenv("LINE", line, 1);
    f = popen(command, "r");
    cr_assert(f && fgets(out, sizeof(out), f));
    pclose(f);
    cr_expect_eq(strncmp(out, here.sum, 64), 0, "%s: not %s", here.sum, out);
    free(line);
}

Test(alert_chain, a_changed_letter_shows)
{
    *strstr(lines[4], "4448") = '5';
    cr_expect_str_eq(verify(), "hhhhxhhh");
}

Test(alert_chain, a_change_with_its_own_sum_put_right_shows_behind_it)
{
    struct qpw_log_chain before, next;
    char text[88], *place;

    cr_assert(qpw_log_chain_read(lines[3], strlen(lines[3]), &before));
    *strstr(lines[4], "4448") = '5';
    place = strstr(lines[4], "\"chain\":[\"") + strlen("\"chain\":[\"");
    qpw_log_chain_text(&before, text);
    memcpy(place, text, strlen(text));
    cr_assert(qpw_log_chain_seal(&before, lines[4], strlen(lines[4]), &next));
    cr_expect_str_eq(verify(), "hhhhhxhh");
}

Test(alert_chain, cut_lines_show)
{
    free(lines[2]);
    free(lines[3]);
    lines[2] = lines[3] = NULL;
    cr_expect_str_eq(verify(), "hhchhh");
}

Test(alert_chain, swapped_lines_show)
{
    swap(2, 3);
    cr_expect_str_eq(verify(), "hhcmhhhh");
}

Test(alert_chain, a_repeated_line_shows)
{
    free(lines[5]);
    lines[5] = strdup(lines[4]);
    cr_expect_str_eq(verify(), "hhhhhmch");
}

Test(alert_chain, added_lines_show)
{
    free(lines[6]);
    lines[6] = strdup("{\"event_type\":\"alert\",\"text\":\"nothing to see\"}\n");
    cr_expect_str_eq(verify(), "hhhhhhac");
}

Test(alert_chain, another_writer_begins_anew)
{
    for (unsigned i = 0; i < 4; i++) {
        free(lines[i]);
        lines[i] = NULL;
    }
    cr_expect_str_eq(verify(), "bhhh", "rotated away");
}

Test(alert_chain, what_a_value_says_is_no_chain)
{
    struct qpw_log_chain ret;
    static const char *const foreign[] = {"", "{}", "{\"a\":\"\\\"chain\\\":[\\\"1:00\\\"]\"}", "\"chain\":[\"1:", "\"chain\":[\"12",
                                          "\"chain\":[\"1:0000000000000000000000000000000000000000000000000000000000000000"};

    for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
        cr_expect_not(qpw_log_chain_read(foreign[i], strlen(foreign[i]), &ret), "%s", foreign[i]);
}

static void pass(void *data, const struct qpw_engine_past *past)
{
    (void)data;
    (void)past;
}

/* The next auditor continues the chain at the last complete line. */
Test(alert_chain, goes_on_over_an_auditors_end)
{
    char dir[] = "/tmp/qpw-chain-XXXXXX", path[64];
    struct qpw_log log;
    struct qpw_error err;

    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/eve.json", dir);
    cr_assert_eq(qpw_log_init(&log, path), 0);
    for (unsigned i = 0; i < LINES - 1; i++)
        cr_assert_eq(qpw_log_write(&log, lines[i], strlen(lines[i])), 0);
    cr_assert_eq(qpw_log_write(&log, lines[LINES - 1], strlen(lines[LINES - 1]) / 2), 0);
    cr_assert_eq(qpw_log_history(&log, 1 << 20, pass, NULL, &written, &err), 0, "%s", err.text);
    cr_expect_eq(written.number, LINES - 1);
    qpw_log_close(&log);
    unlink(path);
    rmdir(dir);
}

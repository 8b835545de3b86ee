/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Showing the log to people: columns, filters, following across rotation and truncation. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/log/follow.h"
#include "alert/log/reader.h"
#include "alerts.h"
#include "qportwatch.h"

static struct sink sink;

/* Three alerts and a reload, as lines. */
static void make_lines(void)
{
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row rows[] = {
        finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_DATA, (struct span){T0, T0}),
        finding(QPW_DIR_OUTBOUND, "10.0.0.1", "192.0.2.9", 6667, QPW_OUTCOME_ANSWERED, (struct span){T0 + SEC, T0 + SEC}),
        finding(QPW_DIR_INBOUND, "fd00::5", "fd00::1", 23, QPW_OUTCOME_REFUSED, (struct span){T0 + 3600 * SEC, T0 + 3600 * SEC})};

    qpw_engine_findings(e, rows, 3, T0 + 3600 * SEC);
    qpw_engine_reloaded(e, &(struct qpw_engine_reload){.old_digest = "sha256:aa", .new_digest = "sha256:bb", .changes = "opens nothing",
                                                       .by = ""}, T0 + 3601 * SEC);
    qpw_engine_free(e);
    cr_assert_eq(sink.n, 4);
}

static void drop_lines(void)
{
    sink_clear(&sink);
}

TestSuite(alert_reader, .init = make_lines, .fini = drop_lines, .timeout = 600);

/* Return which of the four lines pass the filter, as digits. */
static const char *through(const struct qpw_alert_filter *f)
{
    static char digits[8];
    struct qpw_alert_row row;
    size_t n = 0;

    for (size_t i = 0; i < sink.n; i++)
        if (qpw_alert_read(sink.records[i].line, strlen(sink.records[i].line), f, &row) == QPW_ALERT_SHOWN)
            digits[n++] = '0' + i;
    digits[n] = '\0';
    return digits;
}

Test(alert_reader, columns)
{
    struct qpw_alert_filter all = {0};
    struct qpw_alert_row row;

    cr_assert_eq(qpw_alert_read(sink.records[0].line, strlen(sink.records[0].line), &all, &row), QPW_ALERT_SHOWN);
    cr_expect_str_eq(row.cell[QPW_ALERT_TIME], "2026-03-01 00:00:00Z");
    cr_expect_str_eq(row.cell[QPW_ALERT_SEVERITY], "high");
    cr_expect_str_eq(row.cell[QPW_ALERT_DIRECTION], "inbound");
    cr_expect_str_eq(row.cell[QPW_ALERT_INITIATOR], "10.0.0.5");
    cr_expect_str_eq(row.cell[QPW_ALERT_RESPONDER], "10.0.0.1");
    cr_expect_str_eq(row.cell[QPW_ALERT_SERVICE], "tcp/4444");
    cr_expect_str_eq(row.cell[QPW_ALERT_VERDICT], "unexpected");
    cr_expect_str_eq(row.cell[QPW_ALERT_OUTCOME], "data");
    cr_expect_str_eq(row.cell[QPW_ALERT_COUNT], "1");
    cr_expect_str_eq(row.cell[QPW_ALERT_PROCESS], "-");
    cr_expect_str_eq(row.cell[QPW_ALERT_WHAT], "inbound-data");
    cr_expect(strstr(row.text, "To allow it: `inbound tcp 4444"));
    all.everything = true;
    cr_assert_eq(qpw_alert_read(sink.records[3].line, strlen(sink.records[3].line), &all, &row), QPW_ALERT_SHOWN);
    cr_expect_str_eq(row.cell[QPW_ALERT_WHAT], "reloaded");
    cr_expect_str_eq(row.cell[QPW_ALERT_SERVICE], "-", "about no traffic");
}

Test(alert_reader, filters)
{
    struct qpw_alert_filter f = {0};
    uint64_t now = T0 + 3700 * SEC;

    cr_expect_str_eq(through(&f), "012");
    f.everything = true;
    cr_expect_str_eq(through(&f), "0123");
    cr_assert_eq(qpw_alert_filter_direction(&f, "inbound", NULL), 0);
    cr_expect_str_eq(through(&f), "02");
    f = (struct qpw_alert_filter){0};
    cr_assert_eq(qpw_alert_filter_severity(&f, "medium", NULL), 0);
    cr_expect_str_eq(through(&f), "01");
    cr_assert_eq(qpw_alert_filter_severity(&f, "1", NULL), 0);
    cr_expect_str_eq(through(&f), "0");
    f = (struct qpw_alert_filter){0};
    cr_assert_eq(qpw_alert_filter_port(&f, "6667", NULL), 0);
    cr_expect_str_eq(through(&f), "1");
    f = (struct qpw_alert_filter){0};
    cr_assert_eq(qpw_alert_filter_address(&f, "10.0.0.0/24", NULL), 0);
    cr_expect_str_eq(through(&f), "01");
    cr_assert_eq(qpw_alert_filter_address(&f, "fd00::5", NULL), 0);
    cr_expect_str_eq(through(&f), "2");
    f = (struct qpw_alert_filter){0};
    cr_assert_eq(qpw_alert_filter_verdict(&f, "weak", NULL), 0);
    cr_expect_str_eq(through(&f), "");
    cr_assert_eq(qpw_alert_filter_verdict(&f, "unexpected", NULL), 0);
    cr_expect_str_eq(through(&f), "012");
    f = (struct qpw_alert_filter){0};
    cr_assert_eq(qpw_alert_filter_since(&f, "15m", now, NULL), 0);
    cr_expect_str_eq(through(&f), "2");
    cr_assert_eq(qpw_alert_filter_since(&f, "2026-03-01 00:00:01Z", now, NULL), 0);
    cr_expect_str_eq(through(&f), "12");
    cr_assert_eq(qpw_alert_filter_since(&f, "2026-03-01T02:00:01+0200", now, NULL), 0);
    cr_expect_str_eq(through(&f), "12", "an offset counts");
    cr_assert_eq(qpw_alert_filter_since(&f, "2026-03-02", now, NULL), 0);
    cr_expect_str_eq(through(&f), "");
}

Test(alert_reader, bad_filters_say_what_would_be_right)
{
    struct qpw_alert_filter f = {0};
    struct qpw_error err;

    cr_expect_eq(qpw_alert_filter_direction(&f, "in", &err), 0, "as ack takes it");
    cr_expect_eq(f.direction, QPW_DIR_INBOUND);
    cr_expect_eq(qpw_alert_filter_direction(&f, "un", &err), -EINVAL, "unknown or undecodable");
    cr_expect(strstr(err.text, "inbound, outbound"));
    cr_expect_eq(qpw_alert_filter_severity(&f, "5", &err), -EINVAL);
    cr_expect_eq(qpw_alert_filter_port(&f, "0", &err), -EINVAL);
    cr_expect_eq(qpw_alert_filter_port(&f, "65536", &err), -EINVAL);
    cr_expect_eq(qpw_alert_filter_address(&f, "10.0.0.1/24", &err), -EINVAL);
    cr_expect_eq(qpw_alert_filter_verdict(&f, "none", &err), -EINVAL);
    cr_expect_eq(qpw_alert_filter_since(&f, "soon", T0, &err), -EINVAL);
    cr_expect_eq(qpw_alert_filter_since(&f, "2026-03-01T00:00:01 and so on", T0, &err), -EINVAL);
    cr_expect_eq(qpw_alert_filter_since(&f, "5x", T0, &err), -EINVAL);
}

Test(alert_reader, foreign_lines_are_told_apart)
{
    static const char *const lines[] = {"", "x", "[]", "{\"event_type\":\"flow\"}",
                                        "{\"event_type\":\"alert\",\"alert\":{\"gid\":1,\"signature_id\":1000101}}"};
    struct qpw_alert_filter f = {.everything = true};
    struct qpw_alert_row row;

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        cr_expect_eq(qpw_alert_read(lines[i], strlen(lines[i]), &f, &row), QPW_ALERT_FOREIGN, "%s", lines[i]);
}

static void append(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);

    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static const char *next(struct qpw_follow *f, bool wait)
{
    static char copy[64];
    const char *line;
    size_t length;

    if (qpw_follow_line(f, wait, &line, &length, NULL) != 1)
        return "(end)";
    snprintf(copy, sizeof(copy), "%.*s", (int)length, line);
    return copy;
}

/* logrotate has moved the log away, and nothing was written since: it has no lines, which is no fault. */
Test(alert_reader, between_rotation_and_the_next_record)
{
    char dir[] = "/tmp/qpw-follow-XXXXXX", path[64], rotated[64];
    struct qpw_follow *f;

    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/log", dir);
    snprintf(rotated, sizeof(rotated), "%s/log.1", dir);
    append(rotated, "one\n");
    cr_assert_eq(qpw_follow_open(path, false, &f, NULL), 0);
    cr_expect_str_eq(next(f, false), "(end)");
    qpw_follow_close(f);
    cr_assert_eq(unlink(rotated), 0);
    cr_expect_eq(qpw_follow_open(path, false, &f, NULL), -ENOENT);
    cr_assert_eq(rmdir(dir), 0);
}

Test(alert_reader, following_over_rotation_and_truncation)
{
    char dir[] = "/tmp/qpw-follow-XXXXXX", path[64], old[64];
    struct qpw_follow *f;

    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/log", dir);
    snprintf(old, sizeof(old), "%s/old", dir);
    cr_assert_eq(qpw_follow_open(path, false, &f, NULL), -ENOENT);
    cr_assert_eq(qpw_follow_open(path, true, &f, NULL), 0);
    cr_expect_str_eq(next(f, false), "(end)");
    append(path, "one\ntw");
    cr_expect_str_eq(next(f, true), "one");
    cr_expect_str_eq(next(f, false), "(end)", "half a line is no line");
    append(path, "o\n");
    cr_expect_str_eq(next(f, true), "two");
    cr_assert_eq(rename(path, old), 0);
    append(old, "three\n"); /* written by a process that has not noticed the rotation yet */
    append(path, "four\n");
    cr_expect_str_eq(next(f, true), "three");
    cr_expect_str_eq(next(f, true), "four");
    cr_assert_eq(truncate(path, 0), 0);
    append(path, "5\n");
    cr_expect_str_eq(next(f, true), "5");
    qpw_follow_close(f);
    unlink(path);
    unlink(old);
    rmdir(dir);
}

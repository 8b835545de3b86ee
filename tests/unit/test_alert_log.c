/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The log file: complete lines or none, rotation, full disks and missing folders, reading back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "alert/log/eve.h"
#include "alert/log/log.h"
#include "alerts.h"

static char dir[64], path[96], other[96];
static struct qpw_log log_;
static struct qpw_log_chain chain;

static void begin(void)
{
    strcpy(dir, "/tmp/qpw-log-XXXXXX");
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/eve.json", dir);
    snprintf(other, sizeof(other), "%s/eve.json.1", dir);
    cr_assert_eq(qpw_log_init(&log_, path), 0);
}

static void finish(void)
{
    qpw_log_close(&log_);
    unlink(path);
    unlink(other);
    rmdir(dir);
}

TestSuite(alert_log, .init = begin, .fini = finish);

/* Return the whole content of a file. Static. */
static const char *content(const char *name)
{
    static char text[1 << 20];
    int fd = open(name, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? "(none)" : text;
}

static int put(const char *line)
{
    return qpw_log_write(&log_, line, strlen(line));
}

Test(alert_log, lines_are_appended_with_mode_0640)
{
    struct stat st;

    umask(0);
    cr_assert_eq(put("one\n"), 0);
    cr_assert_eq(put("two\n"), 0);
    cr_expect_str_eq(content(path), "one\ntwo\n");
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0640);
}

Test(alert_log, the_mode_is_0640_whatever_the_umask_and_another_one_is_kept)
{
    struct stat st;

    umask(077);
    cr_expect_eq(put("one\n"), 0);
    cr_expect(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640);
    cr_expect_eq(chmod(path, 0600), 0);
    qpw_log_reopen(&log_);
    cr_expect_eq(put("two\n"), 0);
    cr_expect(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
}

Test(alert_log, a_moved_file_is_left_and_the_name_made_anew)
{
    cr_assert_eq(put("one\n"), 0);
    cr_assert_eq(rename(path, other), 0);
    cr_assert_eq(put("two\n"), 0);
    cr_expect_str_eq(content(other), "one\n");
    cr_expect_str_eq(content(path), "two\n");
}

Test(alert_log, copytruncate_works)
{
    cr_assert_eq(put("one\n"), 0);
    cr_assert_eq(truncate(path, 0), 0);
    cr_assert_eq(put("two\n"), 0);
    cr_expect_str_eq(content(path), "two\n", "no hole before it");
}

Test(alert_log, a_vanished_directory_is_made_again)
{
    cr_assert_eq(put("one\n"), 0);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rmdir(dir), 0);
    cr_assert_eq(put("two\n"), 0);
    cr_expect_str_eq(content(path), "two\n");
}

Test(alert_log, a_place_that_cannot_be_is_an_error_until_it_can)
{
    int fd;

    rmdir(dir);
    fd = open(dir, O_CREAT | O_WRONLY, 0600); /* a file where the directory should be */
    close(fd);
    cr_expect_eq(put("one\n"), -ENOTDIR);
    cr_expect(log_.failing);
    cr_expect(strstr(log_.why.text, path));
    unlink(dir);
    cr_expect_eq(put("two\n"), 0);
    cr_expect_not(log_.failing);
    cr_expect_str_eq(content(path), "two\n");
}

Test(alert_log, a_line_that_does_not_fit_leaves_nothing_behind)
{
    struct rlimit limit = {10, 1000000};

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(put("12345\n"), 0);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_lt(put("abcdefgh\n"), 0);
    cr_expect_str_eq(content(path), "12345\n", "the four bytes that fitted were taken back");
    limit.rlim_cur = 1000000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(put("abcdefgh\n"), 0);
    cr_expect_str_eq(content(path), "12345\nabcdefgh\n");
}

Test(alert_log, a_full_disk_delays_and_tears_nothing)
{
    unsigned written = 0, lines = 0;
    char line[300];

    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
        cr_skip_test("needs root for a mount of its own");
    cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    cr_assert_eq(mount("tmpfs", dir, "tmpfs", 0, "size=16k"), 0);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 2] = '\n';
    line[sizeof(line) - 1] = '\0';
    while (put(line) == 0)
        written++;
    cr_expect(log_.failing);
    cr_expect_gt(written, 40);
    for (const char *c = content(path); *c; c++)
        lines += *c == '\n';
    cr_expect_eq(lines, written);
    cr_expect_eq(strlen(content(path)), written * (sizeof(line) - 1));
    cr_assert_eq(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=64k"), 0);
    cr_expect_eq(put(line), 0);
    cr_expect_eq(strlen(content(path)), (written + 1) * (sizeof(line) - 1));
    qpw_log_reopen(&log_);
    umount2(dir, MNT_DETACH);
}

/* Writing and rotating at the same time: both files together hold every line that was written, complete. */
static void *rotate(void *arg)
{
    unsigned *files = arg;
    char to[128];

    for (unsigned i = 0; i < 200; i++) {
        snprintf(to, sizeof(to), "%s/old-%u", dir, i);
        if (rename(path, to) == 0)
            (*files)++;
    }
    return NULL;
}

Test(alert_log, rotation_under_load_loses_and_tears_nothing)
{
    unsigned files = 0, lines = 0;
    pthread_t thread;
    char line[64], from[128];

    cr_assert_eq(put("0\n"), 0);
    cr_assert_eq(pthread_create(&thread, NULL, rotate, &files), 0);
    for (unsigned i = 1; i < 5000; i++) {
        snprintf(line, sizeof(line), "%u\n", i);
        cr_assert_eq(put(line), 0);
    }
    pthread_join(thread, NULL);
    for (unsigned i = 0; i <= 200; i++) {
        const char *text;

        if (i < 200)
            snprintf(from, sizeof(from), "%s/old-%u", dir, i);
        else
            snprintf(from, sizeof(from), "%s", path);
        text = content(from);
        if (!strcmp(text, "(none)"))
            continue;
        for (const char *c = text; *c; c++)
            lines += *c == '\n';
        cr_expect(!text[0] || text[strlen(text) - 1] == '\n');
        if (i < 200)
            unlink(from);
    }
    cr_expect_eq(lines, 5000);
    cr_expect_gt(files, 0);
}

static struct qpw_engine_past pasts[64];
static size_t n_pasts;

static void note(void *data, const struct qpw_engine_past *past)
{
    pasts[n_pasts++ % 64] = *past;
}

/* Write rows through an engine into the log. */
static int to_log(void *data, const struct qpw_record *record)
{
    size_t length;
    char *line;
    int rc = qpw_eve_line(record, NULL, &line, &length);

    if (rc < 0)
        return rc;
    rc = qpw_log_write(data, line, length);
    free(line);
    return rc;
}

static struct qpw_engine *engine_on_log(void)
{
    struct qpw_record_writer writer = {to_log, &log_};
    struct qpw_engine_context context = plain_context();
    struct qpw_engine *e;

    cr_assert_eq(qpw_engine_new(NULL, &writer, &e), 0);
    qpw_engine_context(e, &context, T0);
    return e;
}

static void restore(void *data, const struct qpw_engine_past *past)
{
    cr_assert_eq(qpw_engine_restore(data, past, UINT64_MAX / 2), 0);
}

Test(alert_log, what_was_written_is_read_back)
{
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});
    struct qpw_engine *e = engine_on_log();
    struct qpw_error err;

    qpw_engine_findings(e, &row, 1, T0 + 5000);
    row.value.outcome = QPW_OUTCOME_DATA;
    row.counts.connections = 7;
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    qpw_engine_free(e);
    cr_assert_eq(qpw_log_history(&log_, 1 << 20, note, NULL, &chain, &err), 0);
    cr_assert_eq(n_pasts, 2);
    cr_expect_eq(pasts[1].flow_id, row.flow_id);
    cr_expect_eq(pasts[1].sequence, 2);
    cr_expect_eq(pasts[1].count, 7);
    cr_expect_eq(pasts[1].outcome, QPW_OUTCOME_DATA);
    cr_expect_eq(pasts[1].signature_id, 1000104);
    cr_expect_eq(pasts[1].written_unix_ns, T0 + SEC);
}

Test(alert_log, a_torn_last_line_is_taken_away_and_the_record_written_again)
{
    struct qpw_finding_row rows[2] = {
        finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0}),
        finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4445, QPW_OUTCOME_ANSWERED, (struct span){T0, T0})};
    struct qpw_engine *e = engine_on_log();
    struct qpw_error err;
    struct stat st;
    unsigned lines = 0;

    qpw_engine_findings(e, rows, 2, T0 + 5000);
    qpw_engine_free(e);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(truncate(path, st.st_size - 100), 0);
    e = engine_on_log();
    cr_assert_eq(qpw_log_history(&log_, 1 << 20, restore, e, &chain, &err), 0);
    qpw_engine_findings(e, rows, 2, T0 + SEC);
    qpw_engine_findings(e, rows, 2, T0 + 2 * SEC);
    qpw_engine_free(e);
    cr_assert_eq(qpw_log_history(&log_, 1 << 20, note, NULL, &chain, &err), 0);
    cr_expect_eq(n_pasts, 2);
    cr_expect_eq(pasts[0].sequence, 1);
    cr_expect_eq(pasts[1].sequence, 1);
    cr_expect_neq(pasts[0].flow_id, pasts[1].flow_id);
    for (const char *c = content(path); *c; c++)
        lines += *c == '\n';
    cr_expect_eq(lines, 2);
}

Test(alert_log, the_rotated_file_is_remembered_too)
{
    struct qpw_finding_row row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});
    struct qpw_engine *e = engine_on_log();
    struct qpw_error err;

    qpw_engine_findings(e, &row, 1, T0 + 5000);
    qpw_engine_free(e);
    cr_assert_eq(rename(path, other), 0);
    e = engine_on_log();
    cr_assert_eq(qpw_log_history(&log_, 1 << 20, restore, e, &chain, &err), 0);
    qpw_engine_findings(e, &row, 1, T0 + SEC);
    qpw_engine_free(e);
    cr_expect_str_eq(content(path), "(none)");
}

/* A finding that has been open for weeks was reported many rotations ago. */
Test(alert_log, files_rotated_long_ago_are_remembered_too)
{
    static const char *const names[] = {"eve.json.3.gz", "eve.json.2", "eve.json-20260228"};
    struct qpw_finding_row row;
    struct qpw_engine *e;
    struct qpw_error err;
    char to[128], command[512];

    for (unsigned i = 0; i < 3; i++) {
        row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444 + i, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});
        e = engine_on_log();
        qpw_engine_findings(e, &row, 1, T0 + 5000);
        qpw_engine_free(e);
        snprintf(to, sizeof(to), "%s/%s", dir, names[i]);
        if (i == 0) {
            snprintf(command, sizeof(command), "gzip -c %s > %s && rm %s", path, to, path);
            cr_assert_eq(system(command), 0);
        } else {
            cr_assert_eq(rename(path, to), 0);
        }
    }
    e = engine_on_log();
    cr_assert_eq(qpw_log_history(&log_, 1 << 20, restore, e, &chain, &err), 0);
    for (unsigned i = 0; i < 3; i++) {
        row = finding(QPW_DIR_INBOUND, "10.0.0.5", "10.0.0.1", 4444 + i, QPW_OUTCOME_ANSWERED, (struct span){T0, T0});
        qpw_engine_findings(e, &row, 1, T0 + SEC);
    }
    qpw_engine_free(e);
    cr_expect_str_eq(content(path), "(none)");
    snprintf(command, sizeof(command), "rm -f %s/eve.json[.-]*", dir);
    cr_assert_eq(system(command), 0);
}

Test(alert_log, foreign_lines_are_passed_over)
{
    struct qpw_error err;

    cr_assert_eq(
        put("{\"event_type\":\"alert\",\"flow_id\":5,\"alert\":{\"signature_id\":2001}}\nnot json\n[1]\n{}\n\n"), 0);
    cr_expect_eq(qpw_log_history(&log_, 1 << 20, note, NULL, &chain, &err), 0);
    cr_expect_eq(n_pasts, 0);
}

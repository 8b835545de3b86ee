/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The newest lines of the log as the auditor leaves them for peers, and as serve finds them by number. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/log/events.h"
#include "serve/outbox.h"

static char folder[64], path[2][96];
static const char *const paths[] = {path[0], path[1]};
static struct qpw_log_events writer;
static struct qpw_outbox *outbox;

static void open_writer(void)
{
    int fd[2];

    for (unsigned i = 0; i < 2; i++)
        fd[i] = open(path[i], O_RDWR | O_APPEND | O_CREAT, 0600);
    qpw_log_events_init(&writer, fd);
}

static void set_up(void)
{
    struct qpw_error err;

    snprintf(folder, sizeof(folder), "/tmp/qportwatch-events.XXXXXX");
    cr_assert(mkdtemp(folder));
    for (unsigned i = 0; i < 2; i++)
        snprintf(path[i], sizeof(path[i]), "%s/events%u", folder, i);
    open_writer();
    cr_assert_eq(qpw_outbox_open(paths, &outbox, &err), 0);
}

static void tear_down(void)
{
    qpw_outbox_close(outbox);
    qpw_log_events_close(&writer);
    for (unsigned i = 0; i < 2; i++)
        unlink(path[i]);
    rmdir(folder);
}

TestSuite(events, .init = set_up, .fini = tear_down);

/* Append the record of that number, so many bytes of it a filler. */
static void append(const char *epoch, uint64_t number, size_t filler)
{
    char *line = calloc(1, filler + 256);
    int length = snprintf(line, filler + 256, "{\"n\":%" PRIu64 ",\"filler\":\"%*s\",\"metadata\":{\"chain\":[\"%" PRIu64 ":%064" PRIx64 "\"]}}", number,
                          (int)filler, "", number, number);

    qpw_log_events_append(&writer, epoch, number - 1, line, (size_t)length);
    free(line);
}

/* Return the number in the first line of a batch, -1 without lines. */
static long first_of(const struct qpw_outbox_batch *batch)
{
    char text[32] = "";

    if (batch->fd < 0)
        return -1;
    cr_assert_gt(pread(batch->fd, text, sizeof(text) - 1, (off_t)batch->offset), 5);
    cr_assert_eq(strncmp(text, "{\"n\":", 5), 0, "%s", text);
    close(batch->fd);
    return strtol(text + 5, NULL, 10);
}

static void expect(uint64_t after, unsigned limit, long first, uint64_t last)
{
    struct qpw_outbox_batch batch;

    cr_assert_eq(qpw_outbox_find(outbox, after, limit, &batch), 0);
    cr_expect_eq(first_of(&batch), first, "after %" PRIu64, after);
    cr_expect_eq(batch.chain.number, last, "%" PRIu64 " instead of %" PRIu64, batch.chain.number, last);
}

Test(events, are_found_by_their_number)
{
    struct qpw_outbox_batch batch;
    uint64_t newest;

    cr_expect_eq(qpw_outbox_find(outbox, 0, 1, &batch), -ENODATA, "no auditor");
    qpw_log_events_begin(&writer, "boot:1", 6);
    qpw_outbox_step(outbox);
    expect(0, 500, -1, 0);
    cr_expect_not(qpw_outbox_newest(outbox, &newest));
    for (uint64_t i = 7; i <= 9; i++)
        append("boot:1", i, 10);
    cr_expect(qpw_outbox_step(outbox));
    cr_expect_not(qpw_outbox_step(outbox), "nothing new");
    expect(0, 500, 7, 9);
    expect(7, 1, 8, 8);
    expect(9, 500, -1, 9);
    expect(10, 500, 7, 9); /* of another chain */
    cr_assert_eq(qpw_outbox_find(outbox, 0, 500, &batch), 0);
    cr_expect_str_eq(batch.epoch, "boot:1");
    first_of(&batch);
}

/* What is in the log already, up to the auditor's own first record; the file is longer than what is read of it. */
Test(events, begin_with_what_the_log_has)
{
    char log[96];
    FILE *file;

    snprintf(log, sizeof(log), "%s/eve.json", folder);
    qpw_log_events_recall(&writer, "boot:2", log, 9); /* there is none */
    file = fopen(log, "w");
    cr_assert(file);
    fprintf(file, "%70000s\n", "{\"n\":1,\"metadata\":{\"chain\":[\"1:");
    for (unsigned i = 5; i <= 7; i++)
        fprintf(file, "{\"n\":%u,\"metadata\":{\"chain\":[\"%u:%064x\"]}}\n", i, i, i);
    fputs("{\"torn\":", file);
    fclose(file);
    qpw_log_events_recall(&writer, "boot:2", log, 6);
    append("boot:2", 7, 10);
    qpw_log_events_recall(&writer, "boot:2", log, 7); /* there are lines */
    cr_expect(qpw_outbox_step(outbox));
    expect(0, 500, 5, 7);
    expect(6, 500, 7, 7);
    unlink(log);
}

Test(events, keep_the_newest_in_bounded_files)
{
    struct qpw_outbox_batch batch;
    uint64_t newest = 0, after = 0, seen = 0;
    struct stat st;

    for (uint64_t i = 1; i <= 1000; i++) {
        append("boot:1", i, 4000);
        if (i % 300 == 0)
            qpw_outbox_step(outbox); /* one of the files was emptied and filled again between these */
    }
    qpw_outbox_step(outbox);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(stat(path[i], &st), 0);
        cr_expect_leq(st.st_size, QPW_LOG_EVENTS_BYTES);
    }
    cr_assert(qpw_outbox_newest(outbox, &newest));
    cr_expect_eq(newest, 1000);
    for (;;) {
        cr_assert_eq(qpw_outbox_find(outbox, after, 500, &batch), 0);
        if (batch.fd < 0)
            break;
        cr_expect_leq(batch.length, QPW_OUTBOX_BATCH);
        seen = seen ? seen : (uint64_t)first_of(&batch);
        cr_expect(after == 0 || batch.chain.number > after);
        after = batch.chain.number;
    }
    cr_expect_eq(after, 1000);
    cr_expect(seen > 450 && seen < 760, "from %" PRIu64, seen);
}

Test(events, go_on_after_a_killed_auditor_and_a_new_one)
{
    struct qpw_outbox_batch batch;

    append("boot:1", 1, 10);
    cr_assert_eq(write(writer.fd[0], "{\"half", 6), 6);
    qpw_log_events_close(&writer);
    open_writer();
    append("boot:2", 2, 10);
    qpw_outbox_step(outbox);
    expect(0, 500, 1, 1);
    expect(1, 500, 2, 2);
    cr_assert_eq(qpw_outbox_find(outbox, 2, 500, &batch), 0);
    cr_expect_str_eq(batch.epoch, "boot:2");
    qpw_log_events_close(&writer);
    unlink(path[0]);
    unlink(path[1]);
    qpw_outbox_step(outbox);
    expect(1, 500, 2, 2); /* the last lines of an auditor that ended are still there */
    open_writer();
    append("boot:3", 3, 10);
    qpw_outbox_step(outbox);
    expect(0, 500, 3, 3);
}

Test(events, of_another_log_begin_again)
{
    append("boot:1", 50, 10);
    append("boot:1", 51, 10);
    append("boot:1", 1, 10);
    qpw_outbox_step(outbox);
    expect(51, 500, 1, 1);
    expect(0, 500, 1, 1);
}

Test(events, that_are_none_are_passed_over)
{
    char junk[70000];

    memset(junk, 'x', sizeof(junk) - 1);
    junk[sizeof(junk) - 1] = '\0';
    append("boot:1", 1, 10);
    cr_assert_gt(dprintf(writer.fd[0], "not a line\n%s\n\n{\"chain\":[\"x\"]}\n", junk), 70000);
    append("boot:1", 2, 10);
    qpw_outbox_step(outbox);
    expect(0, 500, 1, 1);
    expect(1, 500, 2, 2);
}

Test(events, parameters_are_numbers_in_their_range)
{
    static const struct {
        const char *after, *wait, *limit;
        int result;
    } rows[] = {{NULL, NULL, NULL, 0}, {"9007199254740991", "30", "500", 0}, {"9007199254740992", NULL, NULL, -EINVAL},
                {"", NULL, NULL, -EINVAL}, {"+1", NULL, NULL, -EINVAL}, {" 1", NULL, NULL, -EINVAL}, {"1x", NULL, NULL, -EINVAL},
                {"99999999999999999999", NULL, NULL, -EINVAL}, {NULL, "31", NULL, -EINVAL}, {NULL, NULL, "0", -EINVAL},
                {NULL, NULL, "501", -EINVAL}, {NULL, "-1", NULL, -EINVAL}};
    struct qpw_outbox_query query;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        cr_expect_eq(qpw_outbox_query(rows[i].after, rows[i].wait, rows[i].limit, &query), rows[i].result, "row %zu", i);
    cr_assert_eq(qpw_outbox_query("7", "3", NULL, &query), 0);
    cr_expect(query.after == 7 && query.wait_s == 3 && query.limit == QPW_OUTBOX_LIMIT);
}

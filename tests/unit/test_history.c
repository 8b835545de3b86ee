/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The history file: exact to the packet whatever is killed, older slots combined, damage and a full disk survived. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "database.h"
#include "history/history.h"
#include "thorough.h"

#define SECOND 1000000000ull
#define MINUTE (60 * SECOND)
#define DAY (86400 * SECOND)
#define T0 (1767225600ull * SECOND) /* 2026-01-01 */
#define METERS 7u

static char folder[64], path[96];
static struct qpw_snapshot s;
static struct qpw_history *h;
static struct qpw_history_result result;

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/qportwatch-history.XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/history.db", folder);
}

static void teardown(void)
{
    char command[128];

    qpw_history_free(h);
    h = NULL;
    qpw_snapshot_clear(&s);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(history, .init = setup, .fini = teardown);

/* ---- A node whose counters are a function of the time ---- */

static uint64_t packets_at(unsigned meter, uint64_t minute)
{
    return meter % 3 ? 3 * minute + meter * (minute / 7) : minute * minute + meter;
}

static void make_snapshot(uint64_t attached_ns, uint64_t unix_ns, uint64_t minute)
{
    qpw_snapshot_clear(&s);
    s.from_unix_ns = s.meta.attached_unix_ns = attached_ns;
    s.unix_ns = unix_ns;
    snprintf(s.host, sizeof(s.host), "node1");
    s.meters = calloc(METERS, sizeof(*s.meters));
    s.n_meters = METERS;
    s.ifaces = calloc(1, sizeof(*s.ifaces));
    s.n_ifaces = 1;
    s.ifaces[0] = (struct qpw_iface_row){.iface.number = 1, .name = "node0", .attached = true, .up = true};
    s.rules = calloc(2, sizeof(*s.rules));
    s.n_rules = 2;
    snprintf(s.rules[1].name, sizeof(s.rules[1].name), "smb");
    snprintf(s.rules[1].text, sizeof(s.rules[1].text), "inbound tcp 445 SMB name=smb");
    s.rules[1].in_force = 1;
    for (unsigned i = 0; i < METERS; i++) {
        uint64_t packets = packets_at(i, minute);

        s.meters[i].key = (struct qpw_meter_key){.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND,
                                                 .verdict = i ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_ALLOWED,
                                                 .port = (uint16_t)(445 + i), .rule = !i, .iface = 1};
        s.meters[i].counts = (struct qpw_counts){packets / 10, packets, 100 * packets, packets / 2, 50 * packets};
    }
}

static void open_store(const struct qpw_history_options *more)
{
    struct qpw_history_options options = more ? *more : (struct qpw_history_options){0};

    options.path = path;
    qpw_history_free(h);
    h = qpw_history_new(&options);
    cr_assert(h);
}

static void write_input(struct qpw_history_input *in)
{
    in->s = &s;
    qpw_history_write(h, in, &result);
}

static void write_at(uint64_t attached_ns, uint64_t unix_ns, uint64_t minute)
{
    struct qpw_history_input in = {.instance = 1};

    make_snapshot(attached_ns, unix_ns, minute);
    write_input(&in);
}

static int64_t number(const char *sql)
{
    return database_number(path, sql);
}

/* Each column of the history equals the counters, meter by meter. */
static void assert_exact(uint64_t minute)
{
    char sql[200];

    for (unsigned i = 0; i < METERS; i++) {
        static const char *const columns[] = {"connections", "rx_packets", "rx_bytes", "tx_packets", "tx_bytes"};
        uint64_t p = packets_at(i, minute), wanted[] = {p / 10, p, 100 * p, p / 2, 50 * p};

        for (unsigned c = 0; c < 5; c++) {
            snprintf(sql, sizeof(sql), "SELECT sum(%s) FROM slot JOIN key ON key.id = slot.key WHERE port = %u", columns[c], 445 + i);
            cr_expect_eq(number(sql), (int64_t)wanted[c], "%s of port %u at minute %llu: %lld, not %llu", columns[c], 445 + i,
                         (unsigned long long)minute, (long long)number(sql), (unsigned long long)wanted[c]);
        }
    }
}

/* ---- Exactness ---- */

Test(history, the_sum_is_the_counters_over_restarts)
{
    for (uint64_t minute = 1; minute <= 120; minute++) {
        if (minute % 9 == 1)
            open_store(NULL);
        write_at(T0, T0 + minute * MINUTE, minute);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    }
    assert_exact(120);
    cr_expect_eq(number("SELECT count(*) FROM epoch"), 1);
    cr_expect_eq(number("SELECT count(DISTINCT start) FROM slot WHERE span = 300"), 24, "one slot for five minutes");
    cr_expect_eq(number("SELECT sum(rx_packets) FROM slot WHERE start = 1767225600 AND key = (SELECT id FROM key WHERE port = 446)"),
                 (int64_t)packets_at(1, 5), "what was counted up to the end of a slot is in it");
    cr_expect_eq(number("PRAGMA application_id"), QPW_HISTORY_APPLICATION);
    cr_expect_eq(number("PRAGMA user_version"), QPW_HISTORY_VERSION);
}

/* A packet may move from a meter to another one between two readings. */
Test(history, a_counter_that_falls_is_taken_as_it_is)
{
    struct qpw_history_input in = {.instance = 1};

    open_store(NULL);
    write_at(T0, T0 + MINUTE, 10);
    make_snapshot(T0, T0 + 2 * MINUTE, 10);
    s.meters[1].counts.rx_packets -= 5;
    write_input(&in);
    write_at(T0, T0 + 3 * MINUTE, 11);
    cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    assert_exact(11);
}

static _Noreturn void write_until_killed(unsigned seed)
{
    struct timespec pause = {0, 200000};
    uint64_t minute = seed;

    open_store(NULL);
    for (;; minute++) {
        write_at(T0, T0 + minute * MINUTE, minute);
        if (result.state != QPW_HISTORY_WRITTEN)
            _exit(1);
        nanosleep(&pause, NULL);
    }
}

/* After any writer is killed, the next one continues from the file. */
Test(history, killed_writers_lose_nothing, .timeout = 600)
{
    unsigned rounds = thorough_rounds(12, 200), status;
    uint64_t written;
    int raw;

    srand(thorough_seed(21));
    for (unsigned i = 0; i < rounds; i++) {
        written = access(path, F_OK) == 0 && number("SELECT count(*) FROM sqlite_master") > 0
                      ? (uint64_t)number("SELECT max(written) FROM epoch") : 0;
        pid_t pid = fork();

        cr_assert(pid >= 0);
        if (pid == 0)
            write_until_killed(written ? (unsigned)((written + 1 - T0 / SECOND) / 60) + 1 : 1);
        usleep((useconds_t)(rand() % 30000));
        kill(pid, SIGKILL);
        cr_assert_eq(waitpid(pid, &raw, 0), pid);
        status = WIFSIGNALED(raw) ? 0 : 1;
        cr_expect_eq(status, 0, "round %u: a writer ended by itself (%d)", i, raw);
    }
    open_store(NULL);
    write_at(T0, T0 + 100000 * MINUTE, 100000);
    cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    cr_expect_str_empty(result.set_aside);
    assert_exact(100000);
    cr_expect_eq(number("SELECT 1 FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

/* ---- Epochs, blind times, the clock ---- */

Test(history, another_attachment_is_another_epoch)
{
    struct qpw_history_input in = {.instance = 1, .end = true};

    open_store(NULL);
    write_at(T0, T0 + 5 * MINUTE, 5);
    make_snapshot(T0, T0 + 6 * MINUTE, 6);
    write_input(&in);
    cr_expect_eq(number("SELECT ended FROM epoch"), (int64_t)((T0 + 6 * MINUTE) / SECOND) - 1);
    write_at(T0 + 10 * MINUTE, T0 + 11 * MINUTE, 4);
    cr_expect_eq(number("SELECT count(*) FROM epoch"), 2);
    cr_expect_eq(number("SELECT sum(rx_packets) FROM slot JOIN key ON key.id = slot.key WHERE port = 446"),
                 (int64_t)(packets_at(1, 6) + packets_at(1, 4)));
    cr_expect_eq(number("SELECT end - start FROM blind WHERE kind = 'not-attached'"), 241, "from the last second that was seen");
    write_at(T0 + 20 * MINUTE, T0 + 21 * MINUTE, 2); /* the previous one was not ended */
    cr_expect_eq(number("SELECT end - start FROM blind WHERE kind = 'killed'"), 541, "what a kill may have lost is a stated gap");
}

Test(history, a_clock_that_is_set_back_or_forward)
{
    static const int64_t minutes[] = {10, 11, 5, 6, 500000, 12, 13};

    open_store(NULL);
    for (unsigned i = 0; i < sizeof(minutes) / sizeof(*minutes); i++) {
        write_at(T0, T0 + (uint64_t)minutes[i] * MINUTE, i + 1);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    }
    assert_exact(7);
    cr_expect_eq(number("SELECT count(*) FROM epoch"), 1);
    cr_expect_geq(number("SELECT count(*) FROM witness"), 3);
}

/* ---- Older slots ---- */

Test(history, minutes_become_hours_and_hours_days)
{
    uint64_t minute = 0;

    open_store(NULL);
    for (; minute < 9 * 24 * 60; minute += 30)
        write_at(T0, T0 + minute * MINUTE + SECOND, minute);
    for (minute = 401 * 24 * 60; minute < 411 * 24 * 60; minute += 24 * 60)
        for (unsigned i = 0; i < 25; i++) /* enough writes to combine all old slots */
            write_at(T0, T0 + (minute + i) * MINUTE + SECOND, minute + i);
    cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    assert_exact(minute - 24 * 60 + 24);
    cr_expect_eq(number("SELECT count(*) FROM slot WHERE span = 300 AND start < (SELECT max(written) FROM epoch) - 7 * 86400 - 3600"), 0);
    cr_expect_eq(number("SELECT count(*) FROM slot WHERE span = 3600 AND start < (SELECT max(written) FROM epoch) - 400 * 86400 - 86400"), 0);
    cr_expect_gt(number("SELECT count(*) FROM slot WHERE span = 86400"), 0);
    cr_expect_eq(number("SELECT count(*) FROM slot WHERE start % span"), 0);
}

/* ---- Faulty files ---- */

static void scribble(long at)
{
    FILE *file = fopen(path, "r+");

    cr_assert(file && fseek(file, at, SEEK_SET) == 0);
    for (int i = 0; i < 4096; i++)
        fputc(0xa5, file);
    cr_assert_eq(fclose(file), 0);
}

Test(history, a_damaged_file_is_set_aside)
{
    static const long places[] = {0, 4096, 3 * 4096, 8 * 4096};
    struct qpw_history_options options = {.standard = true};

    for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
        open_store(&options);
        write_at(T0, T0 + 2 * i * MINUTE + MINUTE, 2 * i + 1);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
        qpw_history_free(h);
        h = NULL;
        scribble(places[i]);
        open_store(&options);
        write_at(T0, T0 + 2 * i * MINUTE + 2 * MINUTE, 2 * i + 2);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%ld: %s", places[i], result.why);
        cr_expect_str_not_empty(result.set_aside, "%ld", places[i]);
        cr_expect_eq(access(result.set_aside, F_OK), 0, "%s", result.set_aside);
        assert_exact(2 * i + 2);
    }
}

Test(history, what_is_not_a_history_is_left_alone)
{
    char text[32] = "";
    sqlite3 *db;
    FILE *file = fopen(path, "w");

    cr_assert(file && fputs("notes of somebody's\n", file) >= 0 && fclose(file) == 0);
    open_store(NULL);
    write_at(T0, T0 + MINUTE, 1);
    cr_expect_eq(result.state, QPW_HISTORY_STOPPED);
    cr_expect(strstr(result.why, "not a database"), "%s", result.why);
    file = fopen(path, "r");
    cr_assert(file && fgets(text, sizeof(text), file) && fclose(file) == 0);
    cr_expect_str_eq(text, "notes of somebody's\n");
    unlink(path);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "CREATE TABLE contacts(name)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    write_at(T0, T0 + 2 * MINUTE, 2);
    cr_expect_eq(result.state, QPW_HISTORY_STOPPED);
    cr_expect(strstr(result.why, "a database of another program"), "%s", result.why);
    cr_expect_eq(number("SELECT count(*) FROM sqlite_master"), 1);
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    write_at(T0, T0 + 3 * MINUTE, 3);
    cr_expect_eq(result.state, QPW_HISTORY_STOPPED);
    cr_expect(strstr(result.why, "not a regular file"), "%s", result.why);
    cr_assert_eq(rmdir(path), 0);
    write_at(T0, T0 + 4 * MINUTE, 4); /* as soon as possible */
    cr_expect_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    assert_exact(4);
}

/* If the open file is deleted, a new one is begun with everything known of the epoch. */
Test(history, that_was_removed_is_begun_again)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char name[256], other[256];

    open_store(NULL);
    write_at(T0, T0 + MINUTE, 1);
    cr_expect(!result.removed);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        snprintf(name, sizeof(name), "%s%s", path, parts[i]);
        cr_expect_eq(unlink(name), 0, "%s", name);
    }
    write_at(T0, T0 + 2 * MINUTE, 2);
    cr_expect(result.removed && result.state == QPW_HISTORY_WRITTEN, "%s", result.why);
    assert_exact(2);
    write_at(T0, T0 + 3 * MINUTE, 3);
    cr_expect(!result.removed);
    assert_exact(3);
    /* Moved away, for example by a backup: it stays unchanged. */
    snprintf(other, sizeof(other), "%s.moved", path);
    cr_assert_eq(rename(path, other), 0);
    write_at(T0, T0 + 4 * MINUTE, 4);
    cr_expect(result.removed && result.state == QPW_HISTORY_WRITTEN, "%s", result.why);
    assert_exact(4);
    cr_expect_eq(unlink(other), 0);
}

Test(history, of_a_later_version_is_left_alone)
{
    sqlite3 *db;

    open_store(NULL);
    write_at(T0, T0 + MINUTE, 1);
    qpw_history_free(h);
    h = NULL;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_store(NULL);
    write_at(T0, T0 + 2 * MINUTE, 2);
    cr_expect_eq(result.state, QPW_HISTORY_STOPPED);
    cr_expect(strstr(result.why, "later version"), "%s", result.why);
    cr_expect_eq(number("SELECT sum(rx_packets) FROM slot JOIN key ON key.id = slot.key WHERE port = 446"), (int64_t)packets_at(1, 1));
}

/* A full disk (here: a file size limit): writing stops, and the first write that succeeds includes what is missing. */
Test(history, a_full_disk_stops_it_and_it_goes_on)
{
    struct qpw_history_options small = {.most_bytes = 24 * 4096}, large = {0};
    unsigned stopped = 0;
    uint64_t minute = 1;

    open_store(&small);
    for (; minute < 400 && stopped < 3; minute++) {
        write_at(T0, T0 + 5 * minute * MINUTE, minute);
        stopped += result.state == QPW_HISTORY_STOPPED;
    }
    cr_assert_eq(stopped, 3, "the bound was never met");
    cr_expect(strstr(result.why, "no space left"), "%s", result.why);
    open_store(&large);
    write_at(T0, T0 + 5 * minute * MINUTE, minute);
    cr_expect_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    cr_expect_str_empty(result.set_aside);
    assert_exact(minute);
}

/* ---- Remote ends ---- */

static void write_talkers(unsigned first, unsigned n, unsigned outcome, uint64_t unix_ns)
{
    struct qpw_history_talker *talkers = calloc(n, sizeof(*talkers));
    struct qpw_history_input in = {.instance = 1, .talkers = talkers, .n_talkers = n};

    for (unsigned i = 0; i < n; i++) {
        unsigned at = first + i;

        talkers[i] = (struct qpw_history_talker){.key = {.kind = QPW_KIND_PORT, .protocol = 6, .direction = QPW_DIR_INBOUND,
                                                         .verdict = QPW_VERDICT_ALLOWED, .port = 445, .rule = 1, .iface = 1},
                                                 .remote = {[10] = 0xff, 0xff, 10, 0, (uint8_t)(at >> 8), (uint8_t)at},
                                                 .first_unix_ns = unix_ns, .last_unix_ns = unix_ns, .connections = 1 + (at < 32),
                                                 .outcome = (uint8_t)outcome};
    }
    make_snapshot(T0, unix_ns, (unix_ns - T0) / MINUTE);
    write_input(&in);
    free(talkers);
    cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
}

Test(history, unanswered_ends_make_room_for_answered_ones)
{
    struct qpw_history_options options = {.talkers = 300};

    open_store(&options);
    write_talkers(0, 200, QPW_OUTCOME_ANSWERED, T0 + MINUTE);
    write_talkers(1000, 200, QPW_OUTCOME_ATTEMPTED, T0 + 2 * MINUTE);
    write_talkers(2000, 50, QPW_OUTCOME_ANSWERED, T0 + 3 * MINUTE);
    cr_expect_leq(number("SELECT count(*) FROM talker"), 300);
    cr_expect_eq(number("SELECT count(*) FROM talker WHERE outcome >= 3"), 250, "answered ones are not pushed out");
    write_talkers(3000, 200, QPW_OUTCOME_ANSWERED, T0 + 4 * MINUTE);
    cr_expect_eq(number("SELECT count(*) FROM talker WHERE outcome < 3"), 0);
    cr_expect_eq(number("SELECT count(*) FROM talker"), 300);
    cr_expect_eq(number("SELECT sum(number) FROM lost WHERE what = 'talkers'"), 150, "what found no room is counted");
    cr_expect_eq(number("SELECT sum(number) FROM lost WHERE what = 'talkers-unanswered'"), 200);
    write_talkers(5000, 10, QPW_OUTCOME_ANSWERED, T0 + 401 * DAY);
    cr_expect_eq(number("SELECT count(*) FROM talker WHERE last > 1767225600 + 400 * 86400"), 10, "after 400 days they make room, too");
}

/*
 * To stay within the size, the least valuable goes first: ends without an answer, then time resolution. Packets never
 * do.
 */
Test(history, its_size_is_bounded_and_its_sums_are_exact)
{
    struct qpw_history_options options = {.most_bytes = 56 * 4096};
    uint64_t minute = 1;

    open_store(&options);
    write_talkers(1000, 600, QPW_OUTCOME_ATTEMPTED, T0 + MINUTE);
    write_talkers(0, 100, QPW_OUTCOME_ANSWERED, T0 + MINUTE);
    for (; minute <= 3 * DAY / (5 * MINUTE); minute++) {
        write_at(T0, T0 + 5 * minute * MINUTE, minute);
        cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    }
    assert_exact(minute - 1);
    cr_expect_leq(number("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"), 57 * 4096);
    cr_expect_eq(number("SELECT number FROM lost WHERE what = 'talkers-unanswered'"), 600);
    cr_expect_eq(number("SELECT count(*) FROM talker"), 100, "answered ones stay");
    cr_expect_eq(number("SELECT number FROM lost WHERE what = 'hours-instead-of-minutes'"), number("SELECT count(DISTINCT start) FROM slot WHERE span = 3600"));
    cr_expect_gt(number("SELECT count(DISTINCT start) FROM slot WHERE span = 3600"), 20);
    cr_expect_geq(number("SELECT count(DISTINCT start) FROM slot WHERE span = 300"), 24 * 12, "a day of five minutes stays");
}

Test(history, what_is_new_is_so_since_its_first_packet)
{
    struct qpw_history_input in = {.instance = 1};

    open_store(NULL);
    make_snapshot(T0, T0 + 9 * MINUTE, 9);
    s.meters[0].first_unix_ns = T0 + 90 * 1000000000ull;
    s.meters[1].first_unix_ns = T0 - MINUTE; /* the clock was set */
    write_input(&in);
    cr_expect_eq(number("SELECT first FROM key WHERE port = 445"), (int64_t)(T0 / 1000000000) + 90);
    cr_expect_eq(number("SELECT first FROM key WHERE port = 446"), (int64_t)(T0 / 1000000000) + 9 * 60 - 1);
    cr_expect_eq(number("SELECT last FROM key WHERE port = 445"), (int64_t)(T0 / 1000000000) + 9 * 60 - 1);
}

Test(history, the_busiest_users_of_a_rule_and_day_are_kept)
{
    open_store(NULL);
    write_talkers(0, 100, QPW_OUTCOME_ANSWERED, T0 + MINUTE);
    write_talkers(0, 100, QPW_OUTCOME_ANSWERED, T0 + 2 * MINUTE);
    cr_expect_eq(number("SELECT count(*) FROM used"), 100, "while the day runs");
    write_talkers(7, 1, QPW_OUTCOME_ANSWERED, T0 + DAY + MINUTE);
    cr_expect_eq(number("SELECT count(*) FROM used WHERE day = 1767225600 AND rule = 'smb'"), 32);
    cr_expect_eq(number("SELECT min(connections) FROM used WHERE day = 1767225600"), 4, "the busiest of them");
    cr_expect_eq(number("SELECT connections FROM talker WHERE remote = '10.0.0.7'"), 6);
}

/* ---- Rules and policies ---- */

Test(history, a_rule_keeps_its_life)
{
    struct qpw_history_input in = {.instance = 1, .policy_text = "inbound tcp 445 SMB name=smb\n", .policy_by = "root"};

    open_store(NULL);
    make_snapshot(T0, T0 + MINUTE, 1);
    snprintf(s.meta.policy_digest, sizeof(s.meta.policy_digest), "sha256:1");
    write_input(&in);
    write_input(&in); /* the same policy again is no change */
    make_snapshot(T0, T0 + 2 * MINUTE, 2);
    s.rules[1].in_force = 0;
    snprintf(s.meta.policy_digest, sizeof(s.meta.policy_digest), "sha256:2");
    in.policy_text = "inbound tcp 446 other\n";
    write_input(&in);
    cr_assert_eq(result.state, QPW_HISTORY_WRITTEN, "%s", result.why);
    cr_expect_eq(number("SELECT count(*) FROM policy"), 2);
    cr_expect_eq(number("SELECT count(*) FROM rule WHERE name = 'smb' AND in_force = 0 AND until > 0"), 1);
    write_at(T0, T0 + 3 * MINUTE, 3);
    cr_expect_eq(number("SELECT since FROM rule WHERE name = 'smb' AND in_force = 1 AND until = 0"),
                 (int64_t)((T0 + 3 * MINUTE) / SECOND) - 1);
}

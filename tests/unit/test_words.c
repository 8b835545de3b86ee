/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Formatting of values; and that foreign text cannot control a terminal, wherever it appears. */
#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"
#include "words/owner.h"
#include "words/printer.h"
#include "words/table.h"
#include "words/terminal.h"
#include "words/words.h"

#define T0 1790000000000000000ull /* 2026-09-21 14:13:20 UTC */
#define SECOND 1000000000ull

static char buf[256];

TestSuite(words, .init = qpw_terminal_start);

#define EXPECT(call, expected) cr_expect_str_eq(call, expected, "gave '%s', not '%s'", buf, expected)

Test(words, numbers)
{
    EXPECT(qpw_words_count(0, buf, sizeof(buf)), "0");
    EXPECT(qpw_words_count(1000, buf, sizeof(buf)), "1,000");
    EXPECT(qpw_words_count(999999, buf, sizeof(buf)), "999,999");
    EXPECT(qpw_words_count(1000000, buf, sizeof(buf)), "1.00 M");
    EXPECT(qpw_words_count(12399999, buf, sizeof(buf)), "12.3 M");
    EXPECT(qpw_words_count(UINT64_MAX, buf, sizeof(buf)), "18.4 E");
    EXPECT(qpw_words_many(1, "packet", buf, sizeof(buf)), "1 packet");
    EXPECT(qpw_words_many(0, "packet", buf, sizeof(buf)), "0 packets");
    EXPECT(qpw_words_many(2, "address", buf, sizeof(buf)), "2 addresses");
    EXPECT(qpw_words_many(1, "address", buf, sizeof(buf)), "1 address");
    EXPECT(qpw_words_many(1234567, "packet", buf, sizeof(buf)), "1.23 M packets");
    EXPECT(qpw_words_bytes(999, buf, sizeof(buf)), "999 B");
    EXPECT(qpw_words_bytes(1999, buf, sizeof(buf)), "1.99 kB");
    EXPECT(qpw_words_bytes(10800, buf, sizeof(buf)), "10.8 kB");
    EXPECT(qpw_words_bytes(999999999999, buf, sizeof(buf)), "999 GB");
}

Test(words, what_is_wrapped_keeps_its_own_lines)
{
    char *text = NULL;
    size_t size;
    struct qpw_printer p = {.out = open_memstream(&text, &size), .width = 80};

    cr_assert_not_null(p.out);
    qpw_print_wrapped(&p, 4, "policy a is in force\n  now allowed: inbound tcp 1\n  no longer\rallowed");
    fclose(p.out);
    cr_expect_str_eq(text, "    policy a is in force\n      now allowed: inbound tcp 1\n      no longer?allowed\n");
    free(text);
}

Test(words, figures_have_their_unit)
{
    EXPECT(qpw_words_figure(58.46, 1, "ns", buf, sizeof(buf)), "58.5 ns");
    EXPECT(qpw_words_figure(1.068, 2, "", buf, sizeof(buf)), "1.07");
    EXPECT(qpw_words_figure(139.7, 0, "ms", buf, sizeof(buf)), "140 ms");
    EXPECT(qpw_words_figure(3300.6, 0, "ns", buf, sizeof(buf)), "3,301 ns");
}

Test(words, shares_are_none_or_all_only_where_they_are)
{
    EXPECT(qpw_words_share(0, 10, buf, sizeof(buf)), "0 %");
    EXPECT(qpw_words_share(0, 0, buf, sizeof(buf)), "0 %");
    EXPECT(qpw_words_share(10, 10, buf, sizeof(buf)), "100 %");
    EXPECT(qpw_words_share(1, 1000000, buf, sizeof(buf)), "<0.1 %");
    EXPECT(qpw_words_share(999999, 1000000, buf, sizeof(buf)), ">99.9 %");
    EXPECT(qpw_words_share(1, 3, buf, sizeof(buf)), "33.3 %");
    EXPECT(qpw_words_share_short(1, 1000, buf, sizeof(buf)), "<1%");
    EXPECT(qpw_words_share_short(999, 1000, buf, sizeof(buf)), ">99%");
    EXPECT(qpw_words_share_short(1, 3, buf, sizeof(buf)), "33%");
    EXPECT(qpw_words_share_short(0, 3, buf, sizeof(buf)), "0%");
}

Test(words, numbers_of_narrow_columns)
{
    const float values[] = {0, 1, 8, 4};

    EXPECT(qpw_words_short(0, buf, sizeof(buf)), "0");
    EXPECT(qpw_words_short(0.25, buf, sizeof(buf)), "0.2");
    EXPECT(qpw_words_short(9999, buf, sizeof(buf)), "9999");
    EXPECT(qpw_words_short(12345, buf, sizeof(buf)), "12.3k");
    EXPECT(qpw_words_short(4560000, buf, sizeof(buf)), "4.56M");
    EXPECT(qpw_words_short(789e9, buf, sizeof(buf)), "789G");
    EXPECT(qpw_words_short(1e21, buf, sizeof(buf)), "1000E");
    EXPECT(qpw_words_rate(1000, true, buf, sizeof(buf)), "8000 bit/s");
    EXPECT(qpw_words_rate(12345, false, buf, sizeof(buf)), "12.3k B/s");
    EXPECT(qpw_words_sparkline(values, 4, buf, sizeof(buf)), " ▁█▄");
}

Test(words, times)
{
    EXPECT(qpw_words_duration(59 * SECOND, buf, sizeof(buf)), "59 s");
    EXPECT(qpw_words_duration(180 * SECOND, buf, sizeof(buf)), "3 min");
    EXPECT(qpw_words_duration(723 * SECOND, buf, sizeof(buf)), "12 min 3 s");
    EXPECT(qpw_words_duration(18240 * SECOND, buf, sizeof(buf)), "5 h 4 min");
    EXPECT(qpw_words_duration(90061 * SECOND, buf, sizeof(buf)), "1 d 1 h");
    EXPECT(qpw_words_duration(7 * 86400 * SECOND, buf, sizeof(buf)), "7 d");
    EXPECT(qpw_words_age(SECOND - 1, buf, sizeof(buf)), "now");
    EXPECT(qpw_words_age(99 * SECOND, buf, sizeof(buf)), "99s");
    EXPECT(qpw_words_age(18420 * SECOND, buf, sizeof(buf)), "5h07");
    EXPECT(qpw_words_age(3 * 86400 * SECOND, buf, sizeof(buf)), "3d00");
    EXPECT(qpw_words_time(T0, buf, sizeof(buf)), "2026-09-21 14:13:20Z");
    EXPECT(qpw_words_moment(T0, T0 + SECOND, buf, sizeof(buf)), "14:13:20");
    EXPECT(qpw_words_moment(T0, T0 + 86400 * SECOND, buf, sizeof(buf)), "09-21 14:13");
    EXPECT(qpw_words_moment(0, T0, buf, sizeof(buf)), "-");
    EXPECT(qpw_words_period(T0, T0 + 60 * SECOND, buf, sizeof(buf)), "2026-09-21 14:13:20 to 14:14:20 UTC (1 min)");
    EXPECT(qpw_words_period(T0, T0 + 86400 * SECOND, buf, sizeof(buf)),
           "2026-09-21 14:13:20 to 2026-09-22 14:13:20 UTC (1 d)");
    EXPECT(qpw_words_period(0, 0, buf, sizeof(buf)), "none");
}

Test(words, services)
{
    EXPECT(qpw_words_service(QPW_KIND_PORT, 6, 4444, buf, sizeof(buf)), "tcp/4444");
    EXPECT(qpw_words_service(QPW_KIND_PORT, 6, 0, buf, sizeof(buf)), "tcp");
    EXPECT(qpw_words_service(QPW_KIND_ICMP, 58, 134, buf, sizeof(buf)), "icmp6/134");
    EXPECT(qpw_words_service(QPW_KIND_ICMP, 1, 0, buf, sizeof(buf)), "icmp/0");
    EXPECT(qpw_words_service(QPW_KIND_PROTOCOL, 47, 0, buf, sizeof(buf)), "ip/47");
    EXPECT(qpw_words_service(QPW_KIND_PROTOCOL, 132, 0, buf, sizeof(buf)), "sctp");
    EXPECT(qpw_words_service(QPW_KIND_ETHERTYPE, 0, 0x806, buf, sizeof(buf)), "ARP");
    EXPECT(qpw_words_service(QPW_KIND_ETHERTYPE, 0, 0x88b5, buf, sizeof(buf)), "EtherType 0x88b5");
    EXPECT(qpw_words_service(QPW_KIND_ETHERTYPE, 0, 0xf0, buf, sizeof(buf)), "LLC 0xf0");
    EXPECT(qpw_words_service(QPW_KIND_ETHERTYPE, 0, QPW_ETHERTYPE_CDP, buf, sizeof(buf)), "CDP");
    EXPECT(qpw_words_service(QPW_KIND_NONE, 0, 0, buf, sizeof(buf)), "-");
    EXPECT(qpw_words_service_named(QPW_KIND_PORT, 6, 22, buf, sizeof(buf)), "tcp/22 ssh");
    EXPECT(qpw_words_service_named(QPW_KIND_PORT, 6, 4, buf, sizeof(buf)), "tcp/4");
    EXPECT(qpw_words_service_named(QPW_KIND_ICMP, 1, 22, buf, sizeof(buf)), "icmp/22");
}

Test(words, ends_and_processes)
{
    const uint8_t mac[16] = {[10] = 2, [15] = 0x1f}, v4[16] = {[10] = 0xff, 0xff, 10, 1, 0, 12}, v6[16] = {0xfd, [15] = 1};

    EXPECT(qpw_words_end(QPW_KIND_ETHERTYPE, mac, buf, sizeof(buf)), "02:00:00:00:00:1f");
    EXPECT(qpw_words_end(QPW_KIND_PORT, v4, buf, sizeof(buf)), "10.1.0.12");
    EXPECT(qpw_words_end_named(QPW_KIND_PORT, v4, "node2", buf, sizeof(buf)), "node2 (10.1.0.12)");
    EXPECT(qpw_words_end_named(QPW_KIND_PORT, v4, "", buf, sizeof(buf)), "10.1.0.12");
    EXPECT(qpw_words_endpoint(v4, 445, buf, sizeof(buf)), "10.1.0.12:445");
    EXPECT(qpw_words_endpoint(v6, 445, buf, sizeof(buf)), "[fd00::1]:445");
    EXPECT(qpw_words_endpoint(v6, 0, buf, sizeof(buf)), "fd00::1");
    EXPECT(qpw_words_prefix(v4, buf, sizeof(buf)), "10.1.0.12/24");
    EXPECT(qpw_words_process("ncat", 11331, buf, sizeof(buf)), "ncat[11331]");
    EXPECT(qpw_words_process("ncat", 0, buf, sizeof(buf)), "ncat");
    EXPECT(qpw_words_process("", 7, buf, sizeof(buf)), "");
}

static void expect_owner(const struct qpw_process *owner, const char *cell, const char *said, const char *process)
{
    json_t *json = qpw_json_owner(owner);

    EXPECT(qpw_words_owner(owner, buf, sizeof(buf)), cell);
    EXPECT(qpw_words_owner_said(owner, buf, sizeof(buf)), said);
    if (process)
        cr_expect_str_eq(json_string_value(json_object_get(json, "process")), process);
    else
        cr_expect(json_is_null(json));
    json_decref(json);
}

Test(words, owners)
{
    struct qpw_process owner = {.match = QPW_MATCH_EXACT, .pid = 2671, .name = "python3", .user = "root"};

    expect_owner(&owner, "python3[2671]", "python3, pid 2671, root", "python3");
    strcpy(owner.unit, "web.service");
    owner.match = QPW_MATCH_LISTENER;
    expect_owner(&owner, "python3[2671]", "listener python3, pid 2671, root, web.service", "python3");
    owner.match = QPW_MATCH_CREATED;
    expect_owner(&owner, "python3[2671]", "opened by python3, pid 2671, root, web.service", "python3");
    owner = (struct qpw_process){.match = QPW_MATCH_KERNEL, .user = "root"};
    expect_owner(&owner, "kernel", "kernel, no process", "kernel");
    owner = (struct qpw_process){.match = QPW_MATCH_GONE, .name = "left over"};
    expect_owner(&owner, "", "", NULL);
}

/* ---- Foreign text ---- */

/* An escape sequence, a C1 control, a direction override, invalid UTF-8; and the harmless form. */
#define HOSTILE "eth\033[2J\xc2\x9b" "31m\xe2\x80\xae" "evil\xff"
#define HARMLESS "eth?[2J?31m?evil?"

Test(words, what_steers_a_terminal_becomes_a_question_mark)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"eth0", "eth0"},
        {HOSTILE, HARMLESS},
        {"a\rb\tc\nd\177", "a?b?c?d?"},
        {"is it?", "is it?"},
        {"Zürich 東京 💥", "Zürich 東京 💥"},
        {"\xe2\x81\xa6isolate\xe2\x81\xa9 \xd8\x9cmark \xe2\x80\x8f", "?isolate? ?mark ?"},
        {"\xef\xbb\xbf" "bom \xe2\x80\xa8line", "?bom ?line"},
        {"cut \xe6\x97", "cut ??"},
        {"\xff\xc0\xaf\xed\xa0\x80", "??????"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(buf, sizeof(buf), "%s", cases[i].text);
        EXPECT(qpw_text_clean(buf), cases[i].expected);
    }
}

Test(words, what_is_cut_ends_with_a_word)
{
    char small[16];

    EXPECT(qpw_text_cut(small, sizeof(small), "root: qportwatch"), "root:…");
    EXPECT(qpw_text_cut(small, sizeof(small), "root: it fits.."), "root: it fits..");
    EXPECT(qpw_text_cut(small, sizeof(small), "oneverylongwordonly"), "oneverylongw…");
    EXPECT(qpw_text_cut(small, sizeof(small), "東京東京東京東京"), "東京東京…");
}

Test(words, width_is_that_on_the_screen)
{
    cr_expect_eq(qpw_text_width("eth0"), 4);
    cr_expect_eq(qpw_text_width("Zürich"), 6);
    cr_expect_eq(qpw_text_width("東京"), 4);
    cr_expect_eq(qpw_text_width("e\xcc\x81"), 1, "a combining accent takes no place");
    cr_expect_eq(qpw_text_width("\xff\xff"), 2);
}

static char *written;
static size_t written_size;

static struct qpw_printer begin(unsigned width, bool colour)
{
    return (struct qpw_printer){open_memstream(&written, &written_size), width, colour, 2, 11};
}

static void expect_written(const struct qpw_printer *p, const char *expected)
{
    fclose(p->out);
    cr_expect_str_eq(written, expected, "gave\n%s\nnot\n%s", written, expected);
    free(written);
}

Test(words, every_way_to_print_cleans)
{
    struct qpw_printer p = begin(60, true);
    struct qpw_list list;

    qpw_print_line(&p, "line %s", HOSTILE);
    qpw_print_heading(&p, "TITLE", HOSTILE);
    qpw_print_item(&p, HOSTILE, "%s", HOSTILE);
    qpw_print_styled_item(&p, "answer", QPW_TEXT_BAD, HOSTILE);
    qpw_print_wrapped(&p, 2, HOSTILE);
    qpw_list_begin(&list, &p, 0, "list");
    qpw_list_add(&list, "%s", HOSTILE);
    qpw_list_end(&list);
    expect_written(&p, "line " HARMLESS "\n"
                       "\n\033[1mTITLE\033[0m  " HARMLESS "\n"
                       "  " HARMLESS " " HARMLESS "\n"
                       "  answer     \033[1;31m" HARMLESS "\033[0m\n"
                       "  " HARMLESS "\n"
                       "  list       " HARMLESS "\n");
}

Test(words, line_ends_stay_where_lines_are_printed)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert(out);
    qpw_put_lines(out, "%s\n  %s", "one\033[2J", "two\xc2\x9b");
    fclose(out);
    cr_expect_str_eq(text, "one?[2J\n  two?\n");
    free(text);
}

Test(words, text_is_broken_at_blanks)
{
    struct qpw_printer p = begin(30, false);

    qpw_print_item(&p, "label", "one two three four five");
    qpw_print_item(&p, "", "東京 東京 東京 東京");
    expect_written(&p, "  label      one two three\n"
                       "             four five\n"
                       "             東京 東京 東京\n"
                       "             東京\n");
}

Test(words, lists_say_how_many_they_leave_out)
{
    struct qpw_printer p = begin(30, false);
    struct qpw_list list;

    qpw_list_begin(&list, &p, 3, "ports");
    for (unsigned port = 4440; port < 4450; port++)
        qpw_list_add(&list, "tcp/%u", port);
    qpw_list_end(&list);
    qpw_list_begin(&list, &p, 0, "silent");
    qpw_list_end(&list);
    expect_written(&p, "  ports      tcp/4440,\n"
                       "             tcp/4441,\n"
                       "             tcp/4442, 7 more\n"
                       "  silent     none\n");
}

/* ---- Tables ---- */

Test(words, cells_are_broken_at_blanks)
{
    static const struct qpw_table_column two[] = {{"name"}, {"purpose", .wrap = true}};
    const char *cells[][2] = {{"in-tcp-21", "file transfer, in the clear 東京 東京"}, {"x", "unbreakable-word"}};
    struct qpw_printer p = begin(26, false);
    struct qpw_table t = {two, 2};

    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(qpw_table_add(&t, QPW_TEXT_PLAIN, cells[i]), 0);
    cr_assert_eq(qpw_table_print(&t, &p), 0);
    qpw_table_clear(&t);
    expect_written(&p, "  name       purpose\n"
                       "  in-tcp-21  file\n"
                       "             transfer, in\n"
                       "             the clear\n"
                       "             東京 東京\n"
                       "  x          unbreakable-w\n"
                       "             ord\n");
}

static const struct qpw_table_column columns[] = {{"peer"}, {"empty"}, {"packets", .right = true},
                                                  {"address", .wrap = true}, {"note", .optional = true}};

static void add(struct qpw_table *t, enum qpw_text_style style, const char *peer, const char *packets,
                const char *address, const char *note)
{
    const char *cells[] = {peer, "", packets, address, note};

    cr_assert_eq(qpw_table_add(t, style, cells), 0);
}

Test(words, tables_are_aligned_by_what_is_seen)
{
    struct qpw_printer p = begin(80, false);
    struct qpw_table t = {columns, 5};

    add(&t, QPW_TEXT_PLAIN, "node2", "7", "10.1.0.12", "");
    add(&t, QPW_TEXT_BAD, "東京", "12,345", "fd00::1", HOSTILE);
    cr_assert_eq(qpw_table_print(&t, &p), 0);
    qpw_table_clear(&t);
    expect_written(&p, "  peer   packets  address    note\n"
                       "  node2        7  10.1.0.12\n"
                       "  東京    12,345  fd00::1    " HARMLESS "\n");
}

Test(words, a_narrow_page_loses_what_is_optional_and_wraps_the_rest)
{
    struct qpw_printer p = begin(32, false);
    struct qpw_table t = {columns, 5};

    add(&t, QPW_TEXT_PLAIN, "node2", "7", "fd00:1234:5678:9abc::1", "not needed");
    cr_assert_eq(qpw_table_print(&t, &p), 0);
    qpw_table_clear(&t);
    expect_written(&p, "  peer   packets  address\n"
                       "  node2        7  fd00:1234:5678\n"
                       "                  :9abc::1\n");
}

Test(words, tables_have_colour_only_where_asked)
{
    struct qpw_printer p = begin(80, true);
    struct qpw_table t = {columns, 5, .untitled = true};

    add(&t, QPW_TEXT_BAD, "node2", "7", "10.1.0.12", "x");
    cr_assert_eq(qpw_table_print(&t, &p), 0);
    cr_assert_eq(qpw_table_print(&t, &p), 0, "nothing is left to print");
    expect_written(&p, "  \033[1;31mnode2        7  10.1.0.12  x\033[0m\n");
}

Test(words, a_journal_is_known_by_its_stream)
{
    char stream[64];
    struct stat st;
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(fstat(fds[1], &st), 0);
    unsetenv("JOURNAL_STREAM");
    cr_expect_not(qpw_is_journal(fds[1]));
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    cr_expect(qpw_is_journal(fds[1]));
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino + 1);
    setenv("JOURNAL_STREAM", stream, 1);
    cr_expect_not(qpw_is_journal(fds[1]), "of another stream");
    setenv("JOURNAL_STREAM", "x", 1);
    cr_expect_not(qpw_is_journal(fds[1]));
}

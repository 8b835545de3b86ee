/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading lines of logs: plain, gzip, damaged, unterminated; and finding the rotated files of a log, by age. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "alert/log/lines.h"

static char folder[] = "/tmp/qportwatch-lines.XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[2][128];
    static unsigned turn;

    snprintf(path[++turn % 2], sizeof(path[0]), "%s/%s", folder, name);
    return path[turn % 2];
}

static void begin(void)
{
    cr_assert(mkdtemp(folder));
}

static void end(void)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -r %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(lines, .init = begin, .fini = end);

static void write_file(const char *name, const char *text, int compressed, time_t changed)
{
    const char *path = in_folder(name);
    struct timespec times[2] = {{changed, 0}, {changed, 0}};

    if (compressed) {
        gzFile f = gzopen(path, "wb");

        gzputs(f, text);
        cr_assert_eq(gzclose(f), Z_OK);
    } else {
        FILE *f = fopen(path, "w");

        fputs(text, f);
        cr_assert_eq(fclose(f), 0);
    }
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Return the lines of a file as "a|b|", or the error. Static. */
static const char *lines_of(const char *path)
{
    static char text[4096];
    struct qpw_error err = {""};
    struct qpw_log_lines *l;
    const char *line;
    size_t length;
    int r = qpw_log_lines_open(path, &l, &err);

    text[0] = '\0';
    if (r < 0)
        return strcpy(text, err.text);
    while ((r = qpw_log_lines_next(l, &line, &length, &err)) == 1)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s|", (int)length, line);
    qpw_log_lines_close(l);
    return r < 0 ? strcpy(text, err.text) : text;
}

Test(lines, plain_gzip_and_without_an_end)
{
    write_file("a", "one\ntwo\n", 0, 1);
    write_file("b", "one\ntwo", 1, 1);
    write_file("c", "", 0, 1);
    cr_expect_str_eq(lines_of(in_folder("a")), "one|two|");
    cr_expect_str_eq(lines_of(in_folder("b")), "one|two|");
    cr_expect_str_eq(lines_of(in_folder("c")), "");
    cr_expect(strstr(lines_of(in_folder("none")), "none: No such file"), "%s", lines_of(in_folder("none")));
}

Test(lines, compressed_data_that_is_cut_off_is_an_error)
{
    char text[20000];
    struct stat s;

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i % 50 ? (char)('a' + rand() % 26) : '\n';
    text[sizeof(text) - 1] = '\0';
    write_file("a.gz", text, 1, 1);
    cr_assert_eq(stat(in_folder("a.gz"), &s), 0);
    cr_assert_eq(truncate(in_folder("a.gz"), s.st_size - 20), 0);
    cr_expect(strstr(lines_of(in_folder("a.gz")), "a.gz: the compressed data ends too early"), "%s",
              lines_of(in_folder("a.gz")));
}

Test(lines, standard_input)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], "x\ny\n", 4), 4);
    close(fds[1]);
    cr_assert_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    cr_expect_str_eq(lines_of("-"), "x|y|");
}

static void expect_rotated(uint64_t since_s, const char *expected)
{
    char text[512] = "", **paths = qpw_log_rotated(in_folder("eve.json"), since_s * 1000000000u);

    cr_assert(paths);
    for (char **path = paths; *path; path++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", strrchr(*path, '/') + 1);
    qpw_log_rotated_free(paths);
    cr_expect_str_eq(text, expected, "%s", text);
}

Test(lines, rotated_files_by_age)
{
    static const char *const others[] = {"eve.json.bak", "eve.json.1.xz", "eve.json.gz", "other.json.1", "eve.json.lock"};

    write_file("eve.json", "", 0, 1000);
    write_file("eve.json.1", "", 0, 900);
    write_file("eve.json.2.gz", "", 1, 800);
    write_file("eve.json.10.gz", "", 1, 100);
    write_file("eve.json-20260301", "", 0, 850);
    write_file("eve.json.4.gz", "", 1, 700);
    write_file("eve.json.3.gz", "", 1, 700); /* of the same second: ordered by number */
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        write_file(others[i], "", 0, 500);
    cr_assert_eq(link(in_folder("eve.json"), in_folder("eve.json.5")), 0); /* a link to the log itself */
    expect_rotated(0, "eve.json.10.gz eve.json.4.gz eve.json.3.gz eve.json.2.gz eve.json-20260301 eve.json.1 ");
    expect_rotated(801, "eve.json.2.gz eve.json-20260301 eve.json.1 ");
    expect_rotated(2000, "");
}

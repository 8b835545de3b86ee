/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files written by commands: the complete new text or the old one, whatever fails. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/output.h"

static char folder[64], path[96];

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/qpw-output-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/report", folder);
}

static void teardown(void)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(output, .init = setup, .fini = teardown);

static void put(const char *name, const char *text)
{
    FILE *out = fopen(name, "w");

    cr_assert(out && fputs(text, out) >= 0 && fclose(out) == 0);
}

static const char *get(const char *name)
{
    static char text[256];
    FILE *in = fopen(name, "r");

    cr_assert(in, "%s is gone", name);
    text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
    fclose(in);
    return text;
}

static unsigned entries(void)
{
    DIR *dir = opendir(folder);
    unsigned n = 0;

    for (struct dirent *e; (e = readdir(dir));)
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(dir);
    return n;
}

static unsigned mode_of(const char *name)
{
    struct stat st;

    cr_assert_eq(lstat(name, &st), 0);
    return st.st_mode;
}

static int write_to(const char *name, const char *text, bool keep, struct qpw_error *err)
{
    struct qpw_output o;
    int r = qpw_output_open(name, &o, err);

    if (r < 0)
        return r;
    qpw_output_write(&o, text, strlen(text));
    return qpw_output_close(&o, keep, err);
}

Test(output, takes_the_place_of_the_old_file)
{
    struct qpw_error err = {""};
    struct qpw_output o;
    char link[128];

    umask(027);
    cr_expect_eq(write_to(path, "first\n", true, &err), 0, "%s", err.text);
    cr_expect_str_eq(get(path), "first\n");
    cr_expect_eq(mode_of(path) & 07777, 0640u, "as any new file");
    cr_assert_eq(chmod(path, 0604), 0);
    snprintf(link, sizeof(link), "%s/link", folder);
    cr_assert_eq(symlink("report", link), 0);
    cr_assert_eq(qpw_output_open(link, &o, &err), 0, "%s", err.text);
    fputs("second\n", o.file);
    fflush(o.file);
    cr_expect_str_eq(get(path), "first\n", "not before the end");
    cr_expect_eq(qpw_output_close(&o, true, &err), 0, "%s", err.text);
    cr_expect_str_eq(get(path), "second\n");
    cr_expect_eq(mode_of(path) & 07777, 0604u, "as it was");
    cr_expect(S_ISLNK(mode_of(link)), "a link stays one");
    cr_expect_eq(write_to(path, "third\n", false, &err), 0);
    cr_expect_str_eq(get(path), "second\n", "not to be kept");
    cr_expect_eq(entries(), 2u, "nothing is left beside it");
}

/* A file size limit stands for a full disk: the same calls fail in the same way. */
Test(output, stays_as_it_was_without_room)
{
    struct rlimit limit = {.rlim_cur = 1024, .rlim_max = RLIM_INFINITY};
    struct qpw_error err = {""};
    static char text[100000];
    struct qpw_output o;

    put(path, "old\n");
    memset(text, 'x', sizeof(text) - 1);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(write_to(path, text, true, &err), -EFBIG);
    cr_expect(strstr(err.text, "/report cannot be written: File too large"), "%s", err.text);
    cr_expect_str_eq(get(path), "old\n");
    cr_assert_eq(qpw_output_open(path, &o, &err), 0);
    fputs(text, o.file); /* in many pieces, the last of which may still be in the buffer */
    cr_expect_eq(qpw_output_close(&o, true, &err), -EFBIG, "%s", err.text);
    cr_expect_str_eq(get(path), "old\n");
    cr_expect_eq(entries(), 1u, "nothing is left beside it");
}

Test(output, leaves_nothing_if_it_is_killed)
{
    struct qpw_error err = {""};
    struct qpw_output o;
    int probe = open(folder, O_TMPFILE | O_RDWR, 0600), status;
    pid_t pid;

    if (probe < 0)
        cr_skip_test("this file system has no files without a name");
    close(probe);
    put(path, "old\n");
    pid = fork();
    if (pid == 0) {
        if (qpw_output_open(path, &o, &err) == 0)
            qpw_output_write(&o, "half\n", 5);
        raise(SIGKILL);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFSIGNALED(status));
    cr_expect_str_eq(get(path), "old\n");
    cr_expect_eq(entries(), 1u);
}

Test(output, devices_and_pipes_are_written_as_they_are)
{
    struct qpw_error err = {""};
    char text[16] = "";
    int fd;

    cr_assert_eq(mkfifo(path, 0600), 0);
    fd = open(path, O_RDONLY | O_NONBLOCK);
    cr_expect_eq(write_to(path, "piped\n", true, &err), 0, "%s", err.text);
    cr_expect_eq(read(fd, text, sizeof(text) - 1), 6);
    cr_expect_str_eq(text, "piped\n");
    close(fd);
    cr_expect(S_ISFIFO(mode_of(path)));
    cr_expect_eq(write_to("/dev/null", "x", true, &err), 0, "%s", err.text);
    cr_expect_eq(write_to("/dev/full", "x", true, &err), -ENOSPC);
    cr_expect_str_eq(err.text, "/dev/full cannot be written: No space left on device");
}

Test(output, what_cannot_be_written_is_said)
{
    struct qpw_error err = {""};
    char name[128];

    cr_expect_eq(write_to(folder, "x", true, &err), -EISDIR);
    snprintf(name, sizeof(name), "%s/none/report", folder);
    cr_expect_eq(write_to(name, "x", true, &err), -ENOENT);
    cr_expect(strstr(err.text, "/none/report cannot be written: No such file or directory"), "%s", err.text);
    cr_expect_eq(entries(), 0u);
}

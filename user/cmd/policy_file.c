/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/policy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/file.h>
#include <unistd.h>

#include "policy/lang/policy.h"
#include "policy/lang/statements.h"
#include "util/output.h"

#define BUILT_IN "built-in:"
#define MUTED_ENDING ".muted"

/* Lock the folder that really contains the file, without waiting. */
static int lock_folder(const char *path, int *ret, struct qpw_error *err)
{
    char *target = realpath(path, NULL), *folder = target ? target : strdup(path);
    int fd, r = 0;

    if (!folder)
        return qpw_fail(err, -ENOMEM, "out of memory");
    strrchr(folder, '/')[1] = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return qpw_fail(err, -errno, "%s: its folder cannot be opened: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        r = errno == EWOULDBLOCK ? qpw_fail(err, -EBUSY, "%s: another 'qportwatch policy edit' or 'mute' is changing a policy "
                                                         "in this folder; try again when it has ended", path)
                                 : qpw_fail(err, -errno, "%s: its folder cannot be locked: %s", path, strerror(errno));
    if (r < 0)
        close(fd);
    else
        *ret = fd;
    return r;
}

static int read_text(struct qpw_policy_file *target, struct qpw_error *err)
{
    struct stat st;
    size_t length;

    if (access(target->path, F_OK) < 0 && errno == ENOENT)
        return lstat(target->path, &st) < 0
                   ? 0
                   : qpw_fail(err, -EINVAL, "%s is a link to a file that does not exist", target->path);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the caller frees it */
    return qpw_read_whole(target->path, &target->text, &length, err);
}

int qpw_policy_file_open(const char *path, struct qpw_policy_file *ret, struct qpw_error *err)
{
    struct qpw_policy_file target = {.lock = -1};
    int r;

    if (!strncmp(path, BUILT_IN, strlen(BUILT_IN)))
        return qpw_fail(err, -ENOENT, "the policy in force is built in (%s) and has no file; 'qportwatch policy edit' makes one",
                        path + strlen(BUILT_IN));
    if (*path != '/')
        return qpw_fail(err, -EINVAL, "'%s' is not the whole path of a policy file", path);
    target.path = strdup(path);
    if (!target.path)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = lock_folder(target.path, &target.lock, err);
    if (r == 0)
        r = read_text(&target, err);
    if (r < 0)
        qpw_policy_file_close(&target);
    else
        *ret = target;
    return r;
}

int qpw_policy_file_muted(const struct qpw_policy_file *policy, struct qpw_policy_file *ret, struct qpw_error *err)
{
    struct qpw_policy_file target = {.lock = -1};
    int r;

    if (asprintf(&target.path, "%s" MUTED_ENDING, policy->path) < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = read_text(&target, err);
    if (r < 0)
        qpw_policy_file_close(&target);
    else
        *ret = target;
    return r;
}

int qpw_policy_file_check(const struct qpw_policy_file *target, struct qpw_error *err)
{
    struct qpw_policy_file now = {.path = target->path, .lock = -1};
    int r = read_text(&now, err);
    bool same = !now.text == !target->text && (!now.text || !strcmp(now.text, target->text));

    free(now.text);
    if (r < 0 || same)
        return r;
    return qpw_fail(err, -ESTALE, "%s was changed meanwhile by another program; nothing is installed", target->path);
}

static int write_whole(const char *path, const char *text, struct qpw_error *err)
{
    struct qpw_output out;
    int r = qpw_output_open(path, &out, err);

    if (r < 0)
        return r;
    qpw_output_write(&out, text, strlen(text));
    return qpw_output_close(&out, /* keep= */ true, err);
}

int qpw_policy_file_write(struct qpw_policy_file *target, const char *text, struct qpw_error *err)
{
    int r = target->written ? 0 : qpw_undo_begin(target->path, &target->undo, err);

    if (r < 0)
        return r;
    target->written = true;
    r = write_whole(target->path, text, err);
    if (r < 0)
        qpw_policy_file_back(target, NULL);
    return r;
}

static bool same_file(const char *a, const char *b)
{
    char *of_a = realpath(a, NULL), *of_b = realpath(b, NULL);
    bool same = of_a && of_b && !strcmp(of_a, of_b);

    free(of_a);
    free(of_b);
    return same;
}

/* Determine whether the policy includes the other file. */
static int is_included(const struct qpw_policy_file *target, const struct qpw_policy_file *other, bool *ret,
                       struct qpw_error *err)
{
    struct qpw_policy policy;
    int r = qpw_policy_parse_file(target->path, &policy, err);

    if (r < 0)
        return r;
    *ret = false;
    for (size_t i = 0; i < policy.n_files; i++)
        *ret |= same_file(policy.files[i], other->path);
    qpw_policy_clear(&policy);
    return 0;
}

int qpw_policy_file_include(struct qpw_policy_file *target, const struct qpw_policy_file *other, struct qpw_error *err)
{
    const char *name = strrchr(other->path, '/') + 1;
    size_t length = target->text ? strlen(target->text) : 0;
    bool included;
    char *text;
    int r = is_included(target, other, &included, err);

    if (r < 0 || included)
        return r;
    if (asprintf(&text, "%s%sinclude   \"%s\"\n", length ? target->text : "",
                 length && target->text[length - 1] != '\n' ? "\n" : "", name) < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r = qpw_policy_file_write(target, text, err);
    free(text);
    return r;
}

int qpw_policy_file_back(struct qpw_policy_file *target, struct qpw_error *err)
{
    bool written = target->written;

    target->written = false;
    return written ? qpw_undo_back(&target->undo, err) : 0;
}

void qpw_policy_file_close(struct qpw_policy_file *target)
{
    if (target->written)
        qpw_undo_forget(&target->undo);
    free(target->path);
    free(target->text);
    if (target->lock >= 0)
        close(target->lock);
    *target = (struct qpw_policy_file){.lock = -1};
}

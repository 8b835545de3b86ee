/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy_edit_file.c - find the file that `policy edit` is about, and make the copy that the editor opens. */
#include "cmd/policy/policy_edit.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "advice/proposals.h"
#include "cmd/policy/policy_cmd.h"
#include "cmd/settings.h"

#define BUILT_IN "built-in:"

/* Start from an include statement if the policy is a built-in one. */
static int base_of(struct qpw_edit *e, const char *built_in, struct qpw_error *err)
{
    if (e->target.text)
        e->base = strdup(e->target.text);
    else if (asprintf(&e->base, "# The policy of this node: the table of required ports, and what this site adds to it.\n"
                                "include   %s\n", built_in) < 0)
        e->base = NULL;
    e->fresh = !e->target.text;
    return e->base ? 0 : qpw_fail(err, -ENOMEM, "out of memory");
}

static int make_folder(const char *path, struct qpw_error *err)
{
    char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));
    int r = folder && mkdir(folder, 0755) < 0 && errno != EEXIST ? -errno : 0;

    free(folder);
    return r < 0 ? qpw_fail(err, r, "the folder of %s cannot be made: %s", path, strerror(-r)) : 0;
}

void qpw_edit_remove_folder(const char *path)
{
    char *folder = strndup(path, (size_t)(strrchr(path, '/') - path));

    if (folder && *folder)
        rmdir(folder);
    free(folder);
}

/*
 * Make the path absolute with all links resolved, as the auditor does, because includes are relative to the file
 * itself.
 */
static int whole_path(const char *path, char ret[PATH_MAX], struct qpw_error *err)
{
    char folder[PATH_MAX];

    if (realpath(path, ret))
        return 0;
    if (errno != ENOENT)
        return qpw_fail(err, -errno, "%s: %s", path, strerror(errno));
    *folder = '\0';
    if (*path != '/' && !getcwd(folder, sizeof(folder)))
        return qpw_fail(err, -errno, "%s: its folder cannot be found: %s", path, strerror(errno));
    if (snprintf(ret, PATH_MAX, "%s%s%s", folder, *folder ? "/" : "", path) >= PATH_MAX)
        return qpw_fail(err, -ENAMETOOLONG, "%s: its name is too long", path);
    return 0;
}

static int open_target(struct qpw_edit *e, struct qpw_error *err)
{
    struct qpw_policy_options configured = {0};
    const char *in_force = e->attached ? e->meta.policy_path : "", *path, *built_in = QPW_POLICY_DEFAULT_PLATFORM;
    char whole[PATH_MAX];
    int r = 0;

    qpw_policy_configured(&configured);
    if (!e->attached) { /* the policy that the next start would use */
        in_force = configured.policy_file ? configured.policy_file : "";
        built_in = configured.platform ? configured.platform : built_in;
    }
    qpw_policy_options_clear(&configured); /* keeps the strings */
    path = e->file ? e->file : in_force;
    if (!e->file && !strncmp(in_force, BUILT_IN, strlen(BUILT_IN)))
        built_in = in_force + strlen(BUILT_IN);
    if (!*path || !strncmp(path, BUILT_IN, strlen(BUILT_IN))) {
        path = QPW_POLICY_DEFAULT_PATH;
        r = make_folder(path, err);
    }
    if (r == 0)
        r = whole_path(path, whole, err);
    if (r == 0)
        r = qpw_policy_file_open(whole, &e->target, err);
    return r < 0 ? r : base_of(e, built_in, err);
}

/*
 * Write the text with the proposals to a temporary file beside the policy, because includes are relative to its folder.
 */
static int write_copy(struct qpw_edit *e, const char *proposals, struct qpw_error *err)
{
    const char *base = strrchr(e->target.path, '/') + 1;
    char *text = qpw_proposals_put(e->base, proposals);
    FILE *file = NULL;
    int fd, r = 0;

    if (!text || asprintf(&e->copy, "%.*s.%s.edit-XXXXXX", (int)(base - e->target.path), e->target.path, base) < 0) {
        e->copy = NULL;
        free(text);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    fd = mkstemp(e->copy);
    if (fd >= 0)
        file = fdopen(fd, "w");
    if (!file)
        r = qpw_fail(err, -errno, "a copy of %s cannot be made beside it: %s", e->target.path, strerror(errno));
    else if (fputs(text, file) < 0 || fclose(file) != 0)
        r = qpw_fail(err, -errno, "%s cannot be written: %s", e->copy, strerror(errno));
    free(text);
    return r;
}

int qpw_edit_begin(struct qpw_edit *e, struct qpw_error *err)
{
    char *proposals = NULL;
    size_t size;
    FILE *memory = open_memstream(&proposals, &size);
    int r = memory ? qpw_policy_suggest_attached(memory, &e->meta, err) : -ENOMEM;

    e->attached = r == 0;
    if (memory && fclose(memory) != 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    if (r == -ENOENT)
        r = 0; /* without an instance, a policy can still be edited */
    if (r == 0)
        r = open_target(e, err);
    if (r == 0)
        r = write_copy(e, e->attached ? proposals : "", err);
    free(proposals);
    return r;
}

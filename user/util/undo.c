/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/undo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void clear(struct qpw_undo *undo)
{
    free(undo->path);
    free(undo->kept);
    *undo = (struct qpw_undo){0};
}

/* Link the file to ".NAME.before" beside it, replacing one left by a killed command. */
static int keep(struct qpw_undo *undo)
{
    const char *slash = strrchr(undo->path, '/'), *base = slash ? slash + 1 : undo->path;

    if (asprintf(&undo->kept, "%.*s.%.200s.before", (int)(base - undo->path), undo->path, base) < 0) {
        undo->kept = NULL;
        return -ENOMEM;
    }
    if (unlink(undo->kept) < 0 && errno != ENOENT)
        return -errno;
    return link(undo->path, undo->kept) < 0 ? -errno : 0;
}

int qpw_undo_begin(const char *path, struct qpw_undo *ret, struct qpw_error *err)
{
    struct qpw_undo undo = {.path = realpath(path, NULL)};
    int r = 0;

    if (undo.path)
        r = keep(&undo);
    else if (errno != ENOENT)
        r = -errno;
    else
        undo.path = strdup(path);
    if (r == 0 && !undo.path)
        r = -ENOMEM;
    if (r < 0) {
        clear(&undo);
        return qpw_fail(err, r, "%s: what it holds cannot be kept beside it: %s", path, strerror(-r));
    }
    *ret = undo;
    return 0;
}

int qpw_undo_back(struct qpw_undo *undo, struct qpw_error *err)
{
    int r = 0;

    if (undo->kept ? rename(undo->kept, undo->path) < 0 : unlink(undo->path) < 0 && errno != ENOENT)
        r = -errno;
    if (r < 0 && undo->kept)
        qpw_fail(err, r, "%s cannot be put back: %s; what it held is in %s", undo->path, strerror(-r), undo->kept);
    else if (r < 0)
        qpw_fail(err, r, "%s cannot be removed again: %s", undo->path, strerror(-r));
    clear(undo);
    return r;
}

void qpw_undo_forget(struct qpw_undo *undo)
{
    if (undo->kept)
        unlink(undo->kept);
    clear(undo);
}

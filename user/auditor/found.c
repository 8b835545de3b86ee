/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/found.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "auditor/internal.h"
#include "host/clock.h"
#include "util/cleanup.h"
#include "util/file.h"

#define SILENT_NS 120000000000ull /* serve writes at least every ten seconds */

struct qpw_audit_found {
    struct qpw_found_list list;
    struct stat seen;       /* of the file when it was read */
    uint64_t changed_ns;    /* monotonic: when it last was another */
    bool waits;             /* a part of the list could not be reported */
    bool failed;            /* reading failed last time, as reported */
    bool gone;              /* serve has ended and removed its file */
};

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Read the file behind fd, which another user may change meanwhile. */
static int read_list(int fd, struct qpw_found_list *ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_freep) char *bytes = NULL;
    size_t length;
    int r = qpw_file_bytes(fd, QPW_FOUND_BYTES, &bytes, &length);

    *ret = (struct qpw_found_list){0};
    return r < 0 ? qpw_fail(err, r, "%s", strerror(-r)) : qpw_found_read(bytes, length, ret, err);
}

static void take(struct qpw_auditor *a, int fd, const struct stat *now)
{
    struct qpw_audit_found *f = a->found;
    struct qpw_found_list list;
    struct qpw_error err;
    int r;

    f->seen = *now;
    r = S_ISREG(now->st_mode) ? read_list(fd, &list, &err) : qpw_fail(&err, -EINVAL, "is not a regular file");
    if (r < 0) {
        if (!f->failed)
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s/" QPW_FOUND_FILE ": %s; what 'qportwatch serve' found is not reported",
                               a->options.cluster, err.text);
        f->failed = true;
        if (S_ISREG(now->st_mode))
            qpw_found_clear(&list);
        return;
    }
    qpw_found_clear(&f->list);
    f->list = list;
    f->failed = false;
    if (list.at_unix_ns + SILENT_NS < qpw_clock_unix_ns())
        return; /* left behind by a serve that was killed */
    f->waits = true;
    f->changed_ns = qpw_clock_monotonic_ns();
}

/* Look whether the file is another. -ENOENT: there is none. */
static int look(struct qpw_auditor *a)
{
    char path[4096];
    struct stat now;
    int fd;

    snprintf(path, sizeof(path), "%s/" QPW_FOUND_FILE, a->options.cluster);
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (!a->found && !(a->found = calloc(1, sizeof(*a->found)))) {
        close(fd);
        return -ENOMEM;
    }
    a->found->gone = false;
    if (!a->found->changed_ns)
        a->found->changed_ns = qpw_clock_monotonic_ns();
    if (fstat(fd, &now) == 0 && !is_same(&now, &a->found->seen))
        take(a, fd, &now);
    close(fd);
    return 0;
}

void qpw_audit_found_tick(struct qpw_auditor *a)
{
    struct qpw_audit_found *f;
    uint64_t silent_ns;
    int r;

    if (!a->options.cluster || !a->alerts)
        return;
    r = look(a);
    f = a->found;
    if (!f)
        return;
    if (r == -ENOENT) /* a clean end: nothing is missing, and nothing is known any more */
        f->gone = true;
    if (f->gone)
        return;
    silent_ns = qpw_clock_monotonic_ns() - f->changed_ns;
    if (silent_ns >= SILENT_NS) {
        qpw_alerts_cluster(a, &f->list, silent_ns);
    } else if (f->waits) {
        f->waits = qpw_alerts_cluster(a, &f->list, 0) == -EAGAIN;
    }
}

void qpw_audit_found_close(struct qpw_auditor *a)
{
    if (!a->found)
        return;
    qpw_found_clear(&a->found->list);
    free(a->found);
    a->found = NULL;
}

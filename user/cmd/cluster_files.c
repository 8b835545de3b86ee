/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/cluster_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/status.h"
#include "cmd/settings.h"
#include "snapshot/snapshot.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "words/cluster_status.h"

const char *qpw_cluster_folder(const struct qpw_snapshot *s)
{
    return *s->meta.cluster_path ? s->meta.cluster_path : QPW_DEFAULT_CLUSTER;
}

/* Read a whole file into *ret, owned by the caller. */
static int read_file(const char *folder, const char *name, char **ret, size_t *ret_length, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_closep) int fd = -1;
    char path[4096];
    int r;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = qpw_file_open(path, err);
    if (fd < 0)
        return fd == -ENOENT ? qpw_fail(err, fd, "%s: " QPW_WORDS_NO_CLUSTER, path) : fd;
    r = qpw_file_bytes(fd, QPW_CLUSTER_STATUS_BYTES, ret, ret_length);
    return r < 0 ? qpw_fail(err, r, "%s: %s", path, strerror(-r)) : 0;
}

int qpw_cluster_files_read(const char *folder, struct qpw_cluster_files *ret, struct qpw_error *err)
{
    struct qpw_error why;
    size_t length;
    char *bytes;
    int r = read_file(folder, QPW_CLUSTER_STATUS_FILE, &bytes, &length, err);

    *ret = (struct qpw_cluster_files){0};
    if (r < 0)
        return r;
    r = qpw_cluster_status_read(bytes, length, &ret->status, &why);
    free(bytes);
    if (r < 0)
        return qpw_fail(err, r, "%s/%.400s", folder, why.text);
    r = read_file(folder, QPW_FOUND_FILE, &bytes, &length, err);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = qpw_found_read(bytes, length, &ret->found, &why);
    free(bytes);
    if (r < 0)
        return qpw_fail(err, r, "%s/" QPW_FOUND_FILE ": %.400s", folder, why.text);
    qpw_found_sort(&ret->found);
    return 0;
}

void qpw_cluster_files_clear(struct qpw_cluster_files *f)
{
    qpw_cluster_status_clear(&f->status);
    qpw_found_clear(&f->found);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/order.h"

#include <errno.h>
#include <stdlib.h>

#include "replay/capture.h"
#include "replay/stream.h"

struct file {
    char *path;
    uint64_t first_ns; /* UINT64_MAX: no frame */
    size_t position;
};

static int by_time(const void *left, const void *right)
{
    const struct file *a = left, *b = right;

    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    return a->position < b->position ? -1 : a->position > b->position;
}

static int look(struct file *file, struct qpw_error *err)
{
    struct qpw_capture_frame frame;
    struct qpw_capture *c;
    int r = qpw_capture_open(file->path, &c, err);

    if (r < 0)
        return r;
    file->first_ns = qpw_capture_next(c, &frame, NULL) > 0 ? frame.time_ns : UINT64_MAX;
    qpw_capture_close(c);
    return 0;
}

int qpw_order_captures(char **paths, size_t n, bool *ret_changed, uint64_t *ret_first_ns, struct qpw_error *err)
{
    struct file *files = calloc(n ? n : 1, sizeof(*files));
    bool changed = false, pipe = false;
    uint64_t first = UINT64_MAX;
    int r = 0;

    if (!files)
        return qpw_fail(err, -ENOMEM, "out of memory");
    for (size_t i = 0; r == 0 && i < n; i++) {
        files[i] = (struct file){.path = paths[i], .first_ns = UINT64_MAX, .position = i};
        if (!qpw_stream_is_rereadable(paths[i]))
            pipe = true;
        else
            r = look(&files[i], err);
        first = files[i].first_ns < first ? files[i].first_ns : first;
    }
    if (r == 0) {
        if (!pipe)
            qsort(files, n, sizeof(*files), by_time);
        for (size_t i = 0; i < n; i++) {
            changed |= files[i].position != i;
            paths[i] = files[i].path;
        }
        *ret_changed = changed;
        *ret_first_ns = first == UINT64_MAX ? 0 : first;
    }
    free(files);
    return r;
}

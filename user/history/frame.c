/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "history/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct chunk {
    uint32_t type;
    uint32_t bytes;
};

static void write_bytes(struct qpw_history_frame *f, const void *bytes, size_t size)
{
    const char *at = bytes;
    ssize_t n;

    while (size && !f->error) {
        n = write(f->fd, at, size);
        if (n < 0)
            f->error = -errno;
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void flush(struct qpw_history_frame *f)
{
    struct chunk chunk = {f->type, (uint32_t)f->used};

    if (f->used) {
        write_bytes(f, &chunk, sizeof(chunk));
        write_bytes(f, f->bytes, f->used);
    }
    f->used = 0;
}

void qpw_frame_put(struct qpw_history_frame *f, enum qpw_frame_type type, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t part;

    if (f->type != type)
        flush(f);
    f->type = type;
    while (size) {
        if (f->used == sizeof(f->bytes))
            flush(f);
        part = sizeof(f->bytes) - f->used < size ? sizeof(f->bytes) - f->used : size;
        memcpy(f->bytes + f->used, at, part);
        f->used += part;
        at += part;
        size -= part;
    }
}

void qpw_frame_put_snapshot(struct qpw_history_frame *f, const struct qpw_snapshot *s)
{
    qpw_frame_put(f, QPW_FRAME_SNAPSHOT, s, sizeof(*s));
    qpw_frame_put(f, QPW_FRAME_IFACES, s->ifaces, s->n_ifaces * sizeof(*s->ifaces));
    qpw_frame_put(f, QPW_FRAME_METERS, s->meters, s->n_meters * sizeof(*s->meters));
    qpw_frame_put(f, QPW_FRAME_RULES, s->rules, s->n_rules * sizeof(*s->rules));
    qpw_frame_put(f, QPW_FRAME_PEERS, s->peers, s->n_peers * sizeof(*s->peers));
    qpw_frame_put(f, QPW_FRAME_COVERAGE, s->coverage, s->n_coverage * sizeof(*s->coverage));
}

int qpw_frame_finish(struct qpw_history_frame *f, const struct qpw_frame_end *end)
{
    qpw_frame_put(f, QPW_FRAME_END, end, sizeof(*end));
    flush(f);
    return f->error;
}

/* ---- Reading ---- */

/* Visit each chunk: add its size to sums[], or copy it to arrays[]. False: the chunks do not fill the file. */
static bool walk(const unsigned char *bytes, size_t size, size_t sums[QPW_FRAME_TYPES], void *arrays[QPW_FRAME_TYPES])
{
    struct chunk chunk;
    size_t at = 0;

    memset(sums, 0, QPW_FRAME_TYPES * sizeof(*sums));
    while (at + sizeof(chunk) <= size) {
        memcpy(&chunk, bytes + at, sizeof(chunk));
        at += sizeof(chunk);
        if (chunk.type >= QPW_FRAME_TYPES || chunk.bytes > size - at)
            return false;
        if (arrays)
            memcpy((unsigned char *)arrays[chunk.type] + sums[chunk.type], bytes + at, chunk.bytes);
        sums[chunk.type] += chunk.bytes;
        at += chunk.bytes;
    }
    return at == size && sums[QPW_FRAME_END] == sizeof(struct qpw_frame_end) && sums[QPW_FRAME_SNAPSHOT] == sizeof(struct qpw_snapshot);
}

static int by_key(const void *a, const void *b)
{
    const struct qpw_history_talker *x = a, *y = b;
    int order = memcmp(&x->key, &y->key, sizeof(x->key));

    return order ? order : memcmp(x->remote, y->remote, sizeof(x->remote));
}

static void join_talkers(struct qpw_history_talker *t, size_t *n)
{
    size_t kept = 0;

    if (*n)
        qsort(t, *n, sizeof(*t), by_key);
    for (size_t i = 0; i < *n; i++) {
        struct qpw_history_talker *last = kept ? &t[kept - 1] : NULL;

        if (!last || by_key(last, &t[i])) {
            t[kept++] = t[i];
            continue;
        }
        last->connections += t[i].connections;
        if (t[i].first_unix_ns < last->first_unix_ns)
            last->first_unix_ns = t[i].first_unix_ns;
        if (t[i].last_unix_ns > last->last_unix_ns)
            last->last_unix_ns = t[i].last_unix_ns;
        if (t[i].outcome > last->outcome)
            last->outcome = t[i].outcome;
        if (t[i].process[0])
            memcpy(last->process, t[i].process, sizeof(last->process));
    }
    *n = kept;
}

static void set_pointers(struct qpw_frame_read *f, const size_t sums[QPW_FRAME_TYPES])
{
    const struct qpw_snapshot *sent = f->arrays[QPW_FRAME_SNAPSHOT];
    const struct qpw_frame_end *last = f->arrays[QPW_FRAME_END];
    struct qpw_history_input *in = &f->input;
    struct qpw_snapshot *s = &f->snapshot;

    *s = (struct qpw_snapshot){.unix_ns = sent->unix_ns, .from_unix_ns = sent->from_unix_ns, .mono_ns = sent->mono_ns,
                               .lock = sent->lock, .auditor = sent->auditor, .meta = sent->meta, .control = sent->control};
    memcpy(s->host, sent->host, sizeof(s->host));
    s->ifaces = f->arrays[QPW_FRAME_IFACES];
    s->n_ifaces = sums[QPW_FRAME_IFACES] / sizeof(*s->ifaces);
    s->meters = f->arrays[QPW_FRAME_METERS];
    s->n_meters = sums[QPW_FRAME_METERS] / sizeof(*s->meters);
    s->rules = f->arrays[QPW_FRAME_RULES];
    s->n_rules = sums[QPW_FRAME_RULES] / sizeof(*s->rules);
    s->peers = f->arrays[QPW_FRAME_PEERS];
    s->n_peers = sums[QPW_FRAME_PEERS] / sizeof(*s->peers);
    s->coverage = f->arrays[QPW_FRAME_COVERAGE];
    s->n_coverage = sums[QPW_FRAME_COVERAGE] / sizeof(*s->coverage);
    *in = (struct qpw_history_input){
        .s = s, .instance = last->instance, .end = last->end, .policy_unix_ns = last->policy_unix_ns,
        .talkers_until_unix_ns = last->talkers_until_unix_ns,
        .findings = f->arrays[QPW_FRAME_FINDINGS], .n_findings = sums[QPW_FRAME_FINDINGS] / sizeof(*in->findings),
        .talkers = f->arrays[QPW_FRAME_TALKERS], .n_talkers = sums[QPW_FRAME_TALKERS] / sizeof(*in->talkers),
        .listeners = f->arrays[QPW_FRAME_LISTENERS], .n_listeners = sums[QPW_FRAME_LISTENERS] / sizeof(*in->listeners),
        .programs = f->arrays[QPW_FRAME_PROGRAMS], .n_programs = sums[QPW_FRAME_PROGRAMS] / sizeof(*in->programs),
        .policy_text = sums[QPW_FRAME_POLICY] ? f->arrays[QPW_FRAME_POLICY] : NULL,
        .policy_by = sums[QPW_FRAME_BY] ? f->arrays[QPW_FRAME_BY] : NULL};
    join_talkers(f->arrays[QPW_FRAME_TALKERS], &in->n_talkers);
}

int qpw_frame_read(int fd, struct qpw_frame_read *ret)
{
    size_t sums[QPW_FRAME_TYPES];
    unsigned char *bytes;
    struct stat st;
    int r = 0;

    *ret = (struct qpw_frame_read){0};
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!st.st_size)
        return -EBADMSG;
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return -errno;
    if (!walk(bytes, (size_t)st.st_size, sums, NULL))
        r = -EBADMSG;
    for (unsigned i = 0; r == 0 && i < QPW_FRAME_TYPES; i++)
        if (!(ret->arrays[i] = calloc(1, sums[i] + 1))) /* room for the terminating NUL of texts */
            r = -ENOMEM;
    if (r == 0) {
        walk(bytes, (size_t)st.st_size, sums, ret->arrays);
        set_pointers(ret, sums);
    }
    munmap(bytes, (size_t)st.st_size);
    return r;
}

void qpw_frame_clear(struct qpw_frame_read *f)
{
    for (unsigned i = 0; i < QPW_FRAME_TYPES; i++)
        free(f->arrays[i]);
    *f = (struct qpw_frame_read){0};
}

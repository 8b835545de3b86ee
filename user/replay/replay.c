/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/replay.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/expire.h"
#include "replay/capture.h"
#include "replay/dedup.h"
#include "replay/feed.h"
#include "replay/pressure.h"
#include "words/numbers.h"

/*
 * A walk over all tables finds ended connections but takes some milliseconds. Walk after so many frames; sooner, while
 * the number of walks stays within its share, so that the evidence a quiet connection gives is renewed in time. Decided
 * by counts rather than by time used, so that the same captures give the same result.
 */
#define WALK_NS 30000000000ull
#define WALK_FRAMES 50000u
#define QUIET_WALKS 500u   /* this many … */
#define QUIET_FRAMES 2000u /* … and one more for each so many frames */
#define PROGRESS_FRAMES 32768u

struct qpw_replay {
    struct qpw_kernel *kernel;
    struct qpw_replay_options options;
    struct qpw_ends ends;
    struct qpw_dedup dedup;
    struct qpw_feed feed;
    struct qpw_replay_totals totals;
    struct ring_buffer *ring;
    int ended_rc;         /* the first error returned by options.ended */
    struct qpw_expire expire;
    struct qpw_ended *walked; /* removed by the current walk */
    size_t n_walked, allocated;
    uint64_t walks;
    uint64_t walked_ns;   /* capture time and frames at the last walk */
    uint64_t walked_frames;
    struct qpw_capture_row *captures; /* the last one is being read */
    size_t n_captures;
};

/* Return the error of the callback for ended connections, if it failed. */
static int ended_failed(const struct qpw_replay *r, struct qpw_error *err)
{
    return r->ended_rc < 0 ? qpw_fail(err, r->ended_rc, "a connection could not be written: %s", strerror(-r->ended_rc))
                           : 0;
}

static void hand_over(struct qpw_replay *r, const struct qpw_ended *ended)
{
    int rc = r->options.ended ? r->options.ended(ended, r->options.ended_data) : 0;

    if (rc < 0 && !r->ended_rc)
        r->ended_rc = rc;
}

/* Keep a connection that a walk has removed from its table. */
static void ended_by_walk(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct qpw_replay *r = data;
    struct qpw_ended *ended;
    int fd = r->kernel->map_fd[QPW_MAP_conn_counts];

    if (r->n_walked == r->allocated) {
        size_t allocated = r->allocated ? 2 * r->allocated : 1024;
        struct qpw_ended *walked = reallocarray(r->walked, allocated, sizeof(*walked));

        if (!walked) {
            r->ended_rc = -ENOMEM;
            return;
        }
        r->walked = walked;
        r->allocated = allocated;
    }
    ended = &r->walked[r->n_walked++];
    *ended = (struct qpw_ended){.key = *key, .conn = *conn};
    if (bpf_map_lookup_elem(fd, key, &ended->counts) == 0)
        bpf_map_delete_elem(fd, key);
}

static int by_first(const void *left, const void *right)
{
    const struct qpw_ended *a = left, *b = right;

    if (a->conn.first_ns != b->conn.first_ns)
        return a->conn.first_ns < b->conn.first_ns ? -1 : 1;
    return memcmp(&a->key, &b->key, sizeof(a->key));
}

/* Read events first, so that the connections of a tuple are reported in their order; before them, run what waits. */
static int read_events(struct qpw_replay *r, struct qpw_error *err)
{
    int rc = qpw_feed_flush(&r->feed, err);

    if (rc < 0)
        return rc;
    rc = ring_buffer__consume(r->ring);
    if (rc < 0)
        return qpw_fail(err, rc, "reading the ring of events: %s", strerror(-rc));
    return ended_failed(r, err);
}

/* Report removed connections sorted by time, because a table's own order differs in each run. */
static int hand_over_walked(struct qpw_replay *r, struct qpw_error *err)
{
    if (r->n_walked)
        qsort(r->walked, r->n_walked, sizeof(*r->walked), by_first);
    for (size_t i = 0; i < r->n_walked; i++)
        hand_over(r, &r->walked[i]);
    r->n_walked = 0;
    return ended_failed(r, err);
}

static int walk(struct qpw_replay *r, struct qpw_error *err)
{
    int rc = qpw_expire_run(r->kernel, &r->expire, err);

    return rc ? rc : hand_over_walked(r, err);
}

/* Make room before a table is full. */
static int make_room(struct qpw_replay *r, struct qpw_error *err)
{
    int rc = read_events(r, err);

    rc = rc ? rc : qpw_pressure_relieve(r->kernel, &r->expire, &r->totals.ended_early, err);
    return rc ? rc : hand_over_walked(r, err);
}

/* Report a connection whose tuple was reused by another; it is in no table any more. */
static int ended_by_event(void *data, void *bytes, size_t size)
{
    const struct qpw_event *event = bytes;
    struct qpw_ended ended;

    if (size < sizeof(*event) || event->kind != QPW_EVENT_CONN_ENDED)
        return 0;
    ended = (struct qpw_ended){event->ended.key, event->ended.value, event->ended.counts};
    hand_over(data, &ended);
    return 0;
}

static int write_local_addresses(struct qpw_kernel *k, const struct qpw_ends *ends, struct qpw_error *err)
{
    /*
     * A MAC address that no frame has, because addresses alone decide which frames are the node's. Zero is the loopback
     * device's.
     */
    struct qpw_iface iface = {
        .ifindex = QPW_REPLAY_IFINDEX, .number = QPW_REPLAY_INTERFACE, .mac = {0x06, 'r', 'e', 'p', 'l', 'y'}};
    int rc = qpw_kernel_set_iface(k, &iface);

    for (size_t i = 0; rc == 0 && i < ends->n_locals; i++)
        rc = qpw_kernel_set_local(k, ends->locals[i].addr, ends->locals[i].prefix, QPW_LOCAL_ADDRESS, true);
    if (rc < 0)
        return qpw_fail(err, rc, "cannot write the local addresses: %s", strerror(-rc));
    return 0;
}

int qpw_replay_open(struct qpw_kernel *k, const struct qpw_ends *ends, const struct qpw_replay_options *options,
                    struct qpw_replay **ret, struct qpw_error *err)
{
    struct qpw_replay *r = calloc(1, sizeof(*r));
    int rc;

    if (!r)
        return qpw_fail(err, -ENOMEM, "out of memory");
    r->kernel = k;
    r->options = *options;
    if (!r->options.mtu)
        r->options.mtu = QPW_REPLAY_MTU;
    r->ends = *ends;
    rc = qpw_feed_open(&r->feed, k, options->mode_tc, err);
    rc = rc ? rc : write_local_addresses(k, ends, err);
    if (rc == 0)
        rc = qpw_expire_open(k, &r->expire, err);
    r->expire.ended = ended_by_walk;
    r->expire.data = r;
    if (rc == 0) {
        r->ring = ring_buffer__new(k->map_fd[QPW_MAP_events], ended_by_event, r, NULL);
        if (!r->ring)
            rc = qpw_fail(err, -errno, "cannot read the ring of events: %s", strerror(errno));
    }
    if (rc < 0) {
        qpw_replay_close(r);
        return rc;
    }
    *ret = r;
    return 0;
}

static bool is_time_to_walk(const struct qpw_replay *r, uint64_t now)
{
    int64_t since = (int64_t)(now - r->walked_ns);

    if (!r->totals.frames || since < (int64_t)WALK_NS)
        return false;
    if (r->totals.frames - r->walked_frames >= WALK_FRAMES)
        return true;
    return since >= (int64_t)r->kernel->control->parent_ns / 2 &&
           r->walks < QUIET_WALKS + r->totals.frames / QUIET_FRAMES;
}

/* Before a frame: if a walk is due, set the capture's clock to the frame's time and remove what has ended by then. */
static int walk_if_due(struct qpw_replay *r, uint64_t now, struct qpw_error *err)
{
    int rc;

    if (!is_time_to_walk(r, now))
        return 0;
    r->walks++;
    r->walked_frames = r->totals.frames;
    r->walked_ns = now;
    rc = read_events(r, err);
    r->kernel->control->replay_now_ns = now;
    return rc ? rc : walk(r, err);
}

/* After a frame: report progress and relieve the tables at intervals. */
static int now_and_then(struct qpw_replay *r, struct qpw_capture *c, const char *path, struct qpw_error *err)
{
    uint64_t frames = r->totals.frames;

    if (r->options.progress && frames % PROGRESS_FRAMES == 0)
        r->options.progress(path, qpw_capture_position(c), qpw_capture_size(c), frames, r->options.progress_data);
    return frames % QPW_PRESSURE_FRAMES ? 0 : make_room(r, err);
}

static bool is_wanted(const struct qpw_replay *r, const struct qpw_capture *c, const struct qpw_capture_frame *frame)
{
    const char *wanted = r->options.interface;
    char number[16];

    if (!wanted)
        return true;
    if (!strcmp(wanted, qpw_capture_interface_name(c, frame)))
        return true;
    snprintf(number, sizeof(number), "%u", frame->ifindex ? frame->ifindex : frame->iface ? frame->iface - 1 : 0);
    return (frame->ifindex || frame->iface) && !strcmp(wanted, number);
}

static void widen(uint64_t *first_ns, uint64_t *last_ns, uint64_t time_ns)
{
    if (!*first_ns || time_ns < *first_ns)
        *first_ns = time_ns;
    if (time_ns > *last_ns)
        *last_ns = time_ns;
}

static void note(struct qpw_replay *r, const struct qpw_capture_frame *frame)
{
    struct qpw_capture_row *capture = &r->captures[r->n_captures - 1];
    struct qpw_replay_totals *t = &r->totals;

    widen(&t->first_ns, &t->last_ns, frame->time_ns);
    widen(&capture->from_unix_ns, &capture->to_unix_ns, frame->time_ns);
    capture->packets++;
    if (!t->frames)
        r->walked_ns = frame->time_ns;
    t->frames++;
    t->bytes += frame->counted;
    t->cut += frame->wire > frame->length;
    t->larger_than_mtu += frame->wire > r->options.mtu + 14 + 8; /* allowing for two tags */
}

static int one_frame(struct qpw_replay *r, const struct qpw_capture_frame *frame, struct qpw_error *err)
{
    struct qpw_ends_packet packet;
    bool tx;
    int rc;

    qpw_ends_parse(frame->data, frame->length, frame->wire, &packet);
    if (packet.network_offset &&
        qpw_dedup_is_copy(&r->dedup, frame->data + packet.network_offset, frame->length - packet.network_offset,
                          frame->wire - packet.network_offset, frame->time_ns) &&
        r->options.dedup) {
        r->captures[r->n_captures - 1].left_out++;
        return 0;
    }
    tx = qpw_ends_is_tx(&r->ends, &packet, frame->direction);
    rc = walk_if_due(r, frame->time_ns, err);
    if (rc < 0)
        return rc;
    note(r, frame);
    return qpw_feed_frame(&r->feed, frame, tx, err);
}

/* Append a row for the next capture. */
static int begin_capture(struct qpw_replay *r, const char *path, struct qpw_error *err)
{
    struct qpw_capture_row *rows = reallocarray(r->captures, r->n_captures + 1, sizeof(*rows));
    char *name = strdup(strcmp(path, "-") ? path : "standard input");

    if (rows)
        r->captures = rows;
    if (!rows || !name) {
        free(name);
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    }
    r->captures[r->n_captures++] = (struct qpw_capture_row){.name = name};
    return 0;
}

/*
 * Count records that could not be converted to Ethernet and were skipped. -ENOTSUP with err filled if there were no
 * others.
 */
static int count_unsupported(struct qpw_replay *r, const struct qpw_capture *c, struct qpw_error *err)
{
    struct qpw_capture_row *capture = &r->captures[r->n_captures - 1];
    char type[sizeof(r->totals.unsupported_type)], count[48];
    uint64_t unsupported = qpw_capture_unsupported(c, type, sizeof(type));

    if (!unsupported)
        return 0;
    if (!r->totals.unsupported)
        memcpy(r->totals.unsupported_type, type, sizeof(type));
    r->totals.unsupported += unsupported;
    capture->left_out += unsupported;
    if (capture->packets || capture->left_out > unsupported)
        return 0;
    return qpw_fail(err, -ENOTSUP, "%s: none of its %s can be replayed: link type %s; %s can", capture->name,
                    qpw_words_many(unsupported, "record", count, sizeof(count)), type, qpw_link_supported_text());
}

int qpw_replay_file(struct qpw_replay *r, const char *path, struct qpw_error *err)
{
    struct qpw_capture_frame frame;
    struct qpw_capture *c;
    int rc = qpw_capture_open(path, &c, err);

    if (rc < 0)
        return rc;
    rc = begin_capture(r, path, err);
    if (rc < 0) {
        qpw_capture_close(c);
        return rc;
    }
    while ((rc = qpw_capture_next(c, &frame, err)) > 0) {
        if (!is_wanted(r, c, &frame)) {
            r->totals.left_out++;
            r->captures[r->n_captures - 1].left_out++;
            continue;
        }
        rc = one_frame(r, &frame, err);
        if (rc == 0)
            rc = now_and_then(r, c, path, err);
        if (rc < 0)
            break;
    }
    if (rc == -EIO)
        r->totals.incomplete = true;
    else if (rc == 0)
        rc = count_unsupported(r, c, err);
    qpw_capture_digest(c, path, r->captures[r->n_captures - 1].sha256);
    qpw_capture_close(c);
    return rc;
}

/* Walk until nothing more is found. */
static int end_all(struct qpw_replay *r, struct qpw_error *err)
{
    uint64_t before, after = 0;
    int rc;

    r->expire.all = true;
    do {
        before = after;
        after = 0;
        rc = walk(r, err);
        for (int c = 0; c < QPW_CLASS_COUNT; c++)
            after += r->expire.expired[c];
    } while (rc == 0 && after != before);
    return rc;
}

/* Count evictions: each half-open connection was reported by an event, the others are lost. */
static int count_pushed_out(struct qpw_replay *r, struct qpw_error *err)
{
    uint64_t pushed_out;
    int rc = 0;

    for (int c = QPW_CLASS_NONE + 1; rc == 0 && c < QPW_CLASS_COUNT; c++) {
        rc = qpw_connections_evicted(r->kernel, c, &pushed_out, err);
        if (rc == 0)
            *(c == QPW_CLASS_HALF ? &r->totals.ended_early : &r->totals.evicted) += pushed_out;
    }
    return rc;
}

int qpw_replay_finish(struct qpw_replay *r, struct qpw_error *err)
{
    int rc = read_events(r, err);

    if (rc == 0)
        rc = end_all(r, err);
    if (rc == 0)
        rc = count_pushed_out(r, err);
    r->totals.copies = r->dedup.copies;
    r->totals.copies_suspicious = qpw_dedup_suspicious(&r->dedup);
    r->totals.talkers = r->ends.n_talkers;
    return rc;
}

const struct qpw_replay_totals *qpw_replay_totals(const struct qpw_replay *r)
{
    return &r->totals;
}

int qpw_replay_describe(struct qpw_replay *r, struct qpw_snapshot *s)
{
    s->locals = calloc(r->ends.n_locals + 1, sizeof(*s->locals));
    if (!s->locals)
        return -ENOMEM;
    for (size_t i = 0; i < r->ends.n_locals; i++) {
        memcpy(s->locals[i].addr, r->ends.locals[i].addr, 16);
        s->locals[i].length = r->ends.locals[i].prefix;
    }
    s->n_locals = r->ends.n_locals;
    s->captures = r->captures;
    s->n_captures = r->n_captures;
    r->captures = NULL;
    r->n_captures = 0;
    return 0;
}

void qpw_replay_close(struct qpw_replay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_captures; i++)
        free(r->captures[i].name);
    free(r->captures);
    ring_buffer__free(r->ring);
    qpw_feed_close(&r->feed);
    free(r->walked);
    free(r);
}

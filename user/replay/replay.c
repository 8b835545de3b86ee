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
#include "util/array.h"
#include "util/cleanup.h"
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
    int ended_r; /* the first error returned by options.ended */
    struct qpw_expire expire;
    struct qpw_ended *walked; /* removed by the current walk */
    size_t n_walked;
    uint64_t roomy_until; /* no table can be full before so many frames */
    uint64_t walks;
    uint64_t walked_ns;   /* capture time and frames at the last walk */
    uint64_t walked_frames;
    struct qpw_capture_row *captures; /* the last one is being read */
    size_t n_captures;
};

/* Return the error of the callback for ended connections, if it failed. */
static int ended_failed(const struct qpw_replay *replay, struct qpw_error *err)
{
    return replay->ended_r < 0
               ? qpw_fail(err, replay->ended_r, "a connection could not be written: %s", strerror(-replay->ended_r))
               : 0;
}

static void hand_over(struct qpw_replay *replay, const struct qpw_ended *ended)
{
    int r = replay->options.ended(ended, replay->options.ended_data);

    if (r < 0 && !replay->ended_r)
        replay->ended_r = r;
}

/* Keep a connection that a walk has removed from its table. */
static void ended_by_walk(const struct qpw_conn_key *key, const struct qpw_conn *conn, void *data)
{
    struct qpw_replay *replay = data;
    struct qpw_ended *ended;
    int fd = replay->kernel->map_fd[QPW_MAP_conn_counts];

    ended = QPW_ADD(replay->walked, replay->n_walked);
    if (!ended) {
        replay->ended_r = -ENOMEM;
        return;
    }
    replay->n_walked++;
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

/* Read the events so far, before the ring is full. */
static int read_events(struct qpw_replay *replay, struct qpw_error *err)
{
    int r = ring_buffer__consume(replay->ring);

    if (r < 0)
        return qpw_fail(err, r, "reading the ring of events: %s", strerror(-r));
    return ended_failed(replay, err);
}

/* Run what waits and read its events: before a table is read, so that a tuple's connections are reported in order. */
static int catch_up(struct qpw_replay *replay, struct qpw_error *err)
{
    int r = qpw_feed_flush(&replay->feed, err);

    return r ? r : read_events(replay, err);
}

/* Report removed connections sorted by time, because a table's own order differs in each run. */
static int hand_over_walked(struct qpw_replay *replay, struct qpw_error *err)
{
    if (replay->n_walked)
        qsort(replay->walked, replay->n_walked, sizeof(*replay->walked), by_first);
    for (size_t i = 0; i < replay->n_walked; i++)
        hand_over(replay, &replay->walked[i]);
    replay->n_walked = 0;
    return ended_failed(replay, err);
}

static int walk(struct qpw_replay *replay, struct qpw_error *err)
{
    int r = qpw_expire_run(replay->kernel, &replay->expire, err);

    return r ? r : hand_over_walked(replay, err);
}

/* Make room before a table is full. */
static int make_room(struct qpw_replay *replay, struct qpw_error *err)
{
    uint64_t roomy;
    int r;

    if (replay->totals.frames < replay->roomy_until)
        return read_events(replay, err);
    r = catch_up(replay, err);
    if (r < 0)
        return r;
    r = qpw_pressure_relieve(replay->kernel, &replay->expire, &replay->totals.ended_early, &roomy, err);
    if (r < 0)
        return r;
    replay->roomy_until = replay->totals.frames + roomy;
    return hand_over_walked(replay, err);
}

/* Report a connection whose tuple was reused by another; it is in no table any more. */
static int ended_by_event(void *data, void *bytes, size_t size)
{
    struct qpw_replay *replay = data;
    const struct qpw_event *event = bytes;
    struct qpw_ended ended;

    if (size < sizeof(*event) || event->kind != QPW_EVENT_CONN_ENDED || !replay->options.ended)
        return 0;
    ended = (struct qpw_ended){event->ended.key, event->ended.value, event->ended.counts};
    hand_over(replay, &ended);
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
    int r = qpw_kernel_set_iface(k, &iface);

    for (size_t i = 0; r == 0 && i < ends->n_locals; i++)
        r = qpw_kernel_set_local(k, ends->locals[i].addr, ends->locals[i].prefix, QPW_LOCAL_ADDRESS,
                                 /* present= */ true);
    if (r < 0)
        return qpw_fail(err, r, "cannot write the local addresses: %s", strerror(-r));
    return 0;
}

static int prepare(struct qpw_replay *replay, struct qpw_error *err)
{
    struct qpw_kernel *k = replay->kernel;
    int r = qpw_feed_open(&replay->feed, k, replay->options.mode_tc, err);

    if (r < 0)
        return r;
    r = write_local_addresses(k, &replay->ends, err);
    if (r < 0)
        return r;
    r = qpw_expire_open(k, &replay->expire, err);
    if (r < 0)
        return r;
    replay->expire.ended = replay->options.ended ? ended_by_walk : NULL;
    replay->expire.data = replay;
    replay->ring = ring_buffer__new(k->map_fd[QPW_MAP_events], ended_by_event, replay, NULL);
    return replay->ring ? 0 : qpw_fail(err, -errno, "cannot read the ring of events: %s", strerror(errno));
}

int qpw_replay_open(struct qpw_kernel *k, const struct qpw_ends *ends, const struct qpw_replay_options *options,
                    struct qpw_replay **ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_replay_closep) struct qpw_replay *replay = calloc(1, sizeof(*replay));
    int r;

    if (!replay)
        return qpw_fail(err, -ENOMEM, "out of memory");
    replay->kernel = k;
    replay->options = *options;
    if (!replay->options.mtu)
        replay->options.mtu = QPW_REPLAY_MTU;
    replay->ends = *ends;
    r = prepare(replay, err);
    if (r < 0)
        return r;
    *ret = QPW_TAKE(replay);
    return 0;
}

static bool is_time_to_walk(const struct qpw_replay *replay, uint64_t now)
{
    int64_t since = (int64_t)(now - replay->walked_ns);

    if (!replay->totals.frames || since < (int64_t)WALK_NS)
        return false;
    if (replay->totals.frames - replay->walked_frames >= WALK_FRAMES)
        return true;
    return since >= (int64_t)replay->kernel->control->parent_ns / 2 &&
           replay->walks < QUIET_WALKS + replay->totals.frames / QUIET_FRAMES;
}

/* Before a frame: if a walk is due, set the capture's clock to the frame's time and remove what has ended by then. */
static int walk_if_due(struct qpw_replay *replay, uint64_t now, struct qpw_error *err)
{
    int r;

    if (!is_time_to_walk(replay, now))
        return 0;
    replay->walks++;
    replay->walked_frames = replay->totals.frames;
    replay->walked_ns = now;
    r = catch_up(replay, err);
    replay->kernel->control->replay_now_ns = now;
    return r ? r : walk(replay, err);
}

/* After a frame: report progress and relieve the tables at intervals. */
static int now_and_then(struct qpw_replay *replay, struct qpw_capture *c, const char *path, struct qpw_error *err)
{
    uint64_t frames = replay->totals.frames;

    if (replay->options.progress && frames % PROGRESS_FRAMES == 0)
        replay->options.progress(path, qpw_capture_position(c), qpw_capture_size(c), frames,
                                 replay->options.progress_data);
    return frames % QPW_PRESSURE_FRAMES ? 0 : make_room(replay, err);
}

static bool is_wanted(const struct qpw_replay *replay, const struct qpw_capture *c,
                      const struct qpw_capture_frame *frame)
{
    const char *wanted = replay->options.interface;
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

static void note(struct qpw_replay *replay, const struct qpw_capture_frame *frame)
{
    struct qpw_capture_row *capture = &replay->captures[replay->n_captures - 1];
    struct qpw_replay_totals *t = &replay->totals;

    widen(&t->first_ns, &t->last_ns, frame->time_ns);
    widen(&capture->from_unix_ns, &capture->to_unix_ns, frame->time_ns);
    capture->packets++;
    if (!t->frames)
        replay->walked_ns = frame->time_ns;
    t->frames++;
    t->bytes += frame->counted;
    t->cut += frame->wire > frame->length;
    t->larger_than_mtu += frame->wire > replay->options.mtu + 14 + 8; /* allowing for two tags */
}

static int one_frame(struct qpw_replay *replay, const struct qpw_capture_frame *frame, struct qpw_error *err)
{
    struct qpw_ends_packet packet;
    bool tx;
    int r;

    qpw_ends_parse(frame->data, frame->length, frame->wire, &packet);
    if (packet.network_offset &&
        qpw_dedup_is_copy(&replay->dedup, frame->data + packet.network_offset, frame->length - packet.network_offset,
                          frame->wire - packet.network_offset, frame->time_ns) &&
        replay->options.dedup) {
        replay->captures[replay->n_captures - 1].left_out++;
        return 0;
    }
    tx = qpw_ends_is_tx(&replay->ends, &packet, frame->direction);
    r = walk_if_due(replay, frame->time_ns, err);
    if (r < 0)
        return r;
    note(replay, frame);
    return qpw_feed_frame(&replay->feed, frame, tx, err);
}

/* Append a row for the next capture. */
static int begin_capture(struct qpw_replay *replay, const char *path, struct qpw_error *err)
{
    struct qpw_capture_row *row = QPW_ADD(replay->captures, replay->n_captures);

    if (row)
        row->name = strdup(strcmp(path, "-") ? path : "standard input");
    if (!row || !row->name)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    replay->n_captures++;
    return 0;
}

/*
 * Count records that could not be converted to Ethernet and were skipped. -ENOTSUP with err filled if there were no
 * others.
 */
static int count_unsupported(struct qpw_replay *replay, const struct qpw_capture *c, struct qpw_error *err)
{
    struct qpw_capture_row *capture = &replay->captures[replay->n_captures - 1];
    char type[sizeof(replay->totals.unsupported_type)], count[48];
    uint64_t unsupported = qpw_capture_unsupported(c, type, sizeof(type));

    if (!unsupported)
        return 0;
    if (!replay->totals.unsupported)
        memcpy(replay->totals.unsupported_type, type, sizeof(type));
    replay->totals.unsupported += unsupported;
    capture->left_out += unsupported;
    if (capture->packets || capture->left_out > unsupported)
        return 0;
    return qpw_fail(err, -ENOTSUP, "%s: none of its %s can be replayed: link type %s; %s can", capture->name,
                    qpw_words_many(unsupported, "record", count, sizeof(count)), type, qpw_link_supported_text());
}

int qpw_replay_file(struct qpw_replay *replay, const char *path, struct qpw_error *err)
{
    struct qpw_capture_frame frame;
    struct qpw_capture *c;
    int r = qpw_capture_open(path, &c, err);

    if (r < 0)
        return r;
    r = begin_capture(replay, path, err);
    if (r < 0) {
        qpw_capture_close(c);
        return r;
    }
    while ((r = qpw_capture_next(c, &frame, err)) > 0) {
        if (!is_wanted(replay, c, &frame)) {
            replay->totals.left_out++;
            replay->captures[replay->n_captures - 1].left_out++;
            continue;
        }
        r = one_frame(replay, &frame, err);
        if (r == 0)
            r = now_and_then(replay, c, path, err);
        if (r < 0)
            break;
    }
    if (r == -EIO)
        replay->totals.incomplete = true;
    else if (r == 0)
        r = count_unsupported(replay, c, err);
    qpw_capture_digest(c, replay->captures[replay->n_captures - 1].sha256);
    qpw_capture_close(c);
    return r;
}

/* Walk until nothing more is found. */
static int end_all(struct qpw_replay *replay, struct qpw_error *err)
{
    uint64_t before, after = 0;
    int r;

    replay->expire.all = true;
    do {
        before = after;
        after = 0;
        r = walk(replay, err);
        for (int c = 0; c < QPW_CLASS_COUNT; c++)
            after += replay->expire.expired[c];
    } while (r == 0 && after != before);
    return r;
}

/* Count evictions: each half-open connection was reported by an event, the others are lost. */
static int count_pushed_out(struct qpw_replay *replay, struct qpw_error *err)
{
    uint64_t pushed_out;
    int r = 0;

    for (int c = QPW_CLASS_NONE + 1; r == 0 && c < QPW_CLASS_COUNT; c++) {
        r = qpw_connections_evicted(replay->kernel, c, &pushed_out, err);
        if (r == 0)
            *(c == QPW_CLASS_HALF ? &replay->totals.ended_early : &replay->totals.evicted) += pushed_out;
    }
    return r;
}

int qpw_replay_finish(struct qpw_replay *replay, struct qpw_error *err)
{
    int r = catch_up(replay, err);

    if (r == 0)
        r = end_all(replay, err);
    if (r == 0)
        r = count_pushed_out(replay, err);
    replay->totals.copies = replay->dedup.copies;
    replay->totals.copies_suspicious = qpw_dedup_suspicious(&replay->dedup);
    replay->totals.talkers = replay->ends.n_talkers;
    return r;
}

const struct qpw_replay_totals *qpw_replay_totals(const struct qpw_replay *replay)
{
    return &replay->totals;
}

int qpw_replay_describe(struct qpw_replay *replay, struct qpw_snapshot *s)
{
    s->locals = calloc(replay->ends.n_locals + 1, sizeof(*s->locals));
    if (!s->locals)
        return -ENOMEM;
    for (size_t i = 0; i < replay->ends.n_locals; i++) {
        memcpy(s->locals[i].addr, replay->ends.locals[i].addr, 16);
        s->locals[i].length = replay->ends.locals[i].prefix;
    }
    s->n_locals = replay->ends.n_locals;
    s->captures = replay->captures;
    s->n_captures = replay->n_captures;
    replay->captures = NULL;
    replay->n_captures = 0;
    return 0;
}

void qpw_replay_close(struct qpw_replay *replay)
{
    if (!replay)
        return;
    for (size_t i = 0; i < replay->n_captures; i++)
        free(replay->captures[i].name);
    free(replay->captures);
    ring_buffer__free(replay->ring);
    qpw_feed_close(&replay->feed);
    free(replay->walked);
    free(replay);
}

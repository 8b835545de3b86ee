/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/tag.h"
#include "host/clock.h"
#include "host/tracepoint.h"
#include "instance/cpus.h"
#include "instance/embedded.h"
#include "instance/jiffies.h"
#include "instance/kernel_words.h"
#include "instance/programs.h"
#include "util/cleanup.h"

#define SECONDS 1000000000ull
#define REPLAY_RING_BYTES (1u << 20) /* ends of connections, read between frames */
#define QPW_SO_NETNS_COOKIE 71 /* asm-generic/socket.h since 5.14; older headers lack it */

static void close_all(const int *fds, int n)
{
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

void qpw_kernel_close(struct qpw_kernel *k)
{
    if (k->control)
        munmap(k->control, (size_t)sysconf(_SC_PAGESIZE));
    if (k->incarnations)
        munmap(k->incarnations, sizeof(*k->incarnations));
    qpw_kernel_finish(k, NULL);
    close_all(k->map_fd, QPW_MAP_COUNT);
    close_all(k->section_fd, QPW_SECTION_COUNT);
    close_all(k->prog_fd, QPW_PROG_COUNT);
    qpw_kernel_init(k);
}

QPW_CLEANUP_POINTER(struct bpf_object, bpf_object__close)

/* Size the connection tables: established as requested, the others in proportion. */
static void set_sizes(struct bpf_object *object, const struct qpw_load_options *o)
{
    uint32_t est = o->max_connections ? o->max_connections : QPW_DEFAULT_CONNECTIONS;
    static const struct {
        const char *name;
        uint32_t divisor;
    } tables[] = {{"conns_est", 1}, {"conns_out", 2}, {"conns_dgram", 4}, {"seeds", 16}};

    if (est < 1024)
        est = 1024;
    /*
     * Larger than the established table, because a set may be full while others are not. In a replay, nothing else
     * absorbs a flood.
     */
    bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "conns_half"),
                             (o->replay ? 2 * est : est / 4 * 5) / QPW_HALF_WAYS);
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        bpf_map__set_max_entries(bpf_object__find_map_by_name(object, tables[i].name),
                                 est / tables[i].divisor > 1024 ? est / tables[i].divisor : 1024);
    if (o->replay) {
        bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "conn_counts"), o->no_counts ? 1 : 4 * est);
        bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "events"), REPLAY_RING_BYTES);
        bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "replay_frames"), QPW_REPLAY_FRAMES);
    }
    bpf_map__set_max_entries(bpf_object__find_map_by_name(object, "conn_cache"),
                             ((o->cache_lines ? o->cache_lines : qpw_cpus_cache_lines(qpw_possible_cpus())) +
                              QPW_CACHE_BLOCK - 1) / QPW_CACHE_BLOCK);
}

static struct bpf_map *data_section(struct bpf_object *object, const char *suffix)
{
    struct bpf_map *map;
    size_t n = strlen(suffix);

    bpf_object__for_each_map(map, object) {
        const char *name = bpf_map__name(map);

        if (strlen(name) >= n && !strcmp(name + strlen(name) - n, suffix))
            return map;
    }
    return NULL;
}

/* Return the cookie of this network namespace; 0 before Linux 5.14, which has no such option. */
static uint64_t netns_cookie(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint64_t cookie = 0;
    socklen_t size = sizeof(cookie);

    if (fd < 0)
        return 0;
    if (getsockopt(fd, SOL_SOCKET, QPW_SO_NETNS_COOKIE, &cookie, &size) < 0)
        cookie = 0;
    close(fd);
    return cookie;
}

/* Return a field's offset; 0: unknown, so processes will not be followed. */
static uint8_t offset_of(const char *event, const char *field)
{
    int offset = qpw_tracepoint_field(event, field, 4);

    return offset > 0 && offset <= UINT8_MAX ? (uint8_t)offset : 0;
}

/*
 * Architectures on which Linux's smp_wmb() and smp_rmb() are mere compiler barriers: arch/x86 and arch/s390,
 * include/asm/barrier.h.
 */
#if defined(__x86_64__) || defined(__i386__) || defined(__s390x__)
#define STORES_ARE_SEEN_IN_ORDER 1
#else
#define STORES_ARE_SEEN_IN_ORDER 0
#endif

/* Programs can set bits there since Linux 5.12; the compilers of other architectures learnt it at other times. */
#ifdef __x86_64__
#define PROGRAMS_SET_BITS 1
#else
#define PROGRAMS_SET_BITS 0
#endif

static int set_config(struct bpf_object *object, const struct qpw_load_options *o, struct qpw_config *ret,
                      struct qpw_error *err)
{
    struct bpf_map *map = data_section(object, ".rodata"), *cache;
    struct qpw_config *config = ret;
    size_t size = 0;
    const void *initial = map ? bpf_map__initial_value(map, &size) : NULL;
    int r;

    if (!initial || size != sizeof(*config))
        return qpw_fail(err, -EINVAL, "the embedded BPF object's configuration section has %zu bytes, not %zu", size,
                        sizeof(*config));
    memset(config, 0, sizeof(*config));
    if (o->fixed_secret) {
        for (size_t i = 0; i < sizeof(config->secret) / 8; i++)
            config->secret[i] = 0x9e3779b97f4a7c15ull * (2 * i + 1);
    } else if (getrandom(config->secret, sizeof(config->secret), 0) != sizeof(config->secret)) {
        return qpw_fail(err, -errno, "no random numbers for the connection tags: %s", strerror(errno));
    }
    for (size_t i = 0; i < sizeof(config->secret) / 8; i++)
        config->secret[i] |= 1;
    cache = bpf_object__find_map_by_name(object, "conn_cache");
    config->cache_mask = (o->cache_lines ? o->cache_lines : bpf_map__max_entries(cache) * QPW_CACHE_BLOCK) - 1;
    config->half_sets = bpf_map__max_entries(bpf_object__find_map_by_name(object, "conns_half"));
    config->replay = config->scope_self = o->replay;
    config->count_conns = o->replay && !o->no_counts;
    config->no_cache = o->no_cache;
    config->fast_path = !o->replay && !o->no_cache && !o->no_fast_path;
    config->weakly_ordered = o->weakly_ordered || !STORES_ARE_SEEN_IN_ORDER;
    config->sets_bits = PROGRAMS_SET_BITS && !o->weakly_ordered;
    config->netns_cookie = o->replay ? 0 : netns_cookie();
    config->has_xdp_buff_len = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, NULL) == 1;
    if (!o->replay) {
        config->exec_path = offset_of("sched/sched_process_exec", "filename");
        config->fork_child = offset_of("sched/sched_process_fork", "child_pid");
        r = qpw_jiffies_calibrate(config, err);
        if (r < 0)
            return r;
    }
    if (bpf_map__set_initial_value(map, config, sizeof(*config)) < 0)
        return qpw_fail(err, -errno, "cannot set the BPF configuration: %s", strerror(errno));
    return 0;
}

static int fill_queue(int fd, uint32_t first, uint32_t count)
{
    for (uint32_t slot = first; slot < first + count; slot++)
        if (bpf_map_update_elem(fd, NULL, &slot, BPF_ANY) < 0)
            return -errno;
    return 0;
}

static int fill_queues(struct qpw_kernel *k, struct qpw_error *err)
{
    static const struct {
        enum qpw_map map;
        uint32_t first, count;
    } queues[] = {{QPW_MAP_meter_slots, QPW_FIRST_METER_SLOT, QPW_METER_SLOTS_SAFE},
                  {QPW_MAP_open_slots, QPW_FIRST_OPEN_SLOT, QPW_METER_SLOTS_OPEN},
                  {QPW_MAP_finding_slots, QPW_FIRST_FINDING_SLOT, QPW_FINDING_SLOTS},
                  {QPW_MAP_node_slots, QPW_FIRST_NODE_SLOT, QPW_NODE_SLOTS},
                  {QPW_MAP_answered_slots, QPW_FIRST_ANSWERED_SLOT, QPW_ANSWERED_SLOTS},
                  {QPW_MAP_implied_slots, QPW_FIRST_IMPLIED_SLOT, QPW_IMPLIED_SLOTS},
                  {QPW_MAP_weak_slots, QPW_FIRST_WEAK_SLOT, QPW_WEAK_SLOTS}};

    for (size_t i = 0; i < sizeof(queues) / sizeof(*queues); i++) {
        int r = fill_queue(k->map_fd[queues[i].map], queues[i].first, queues[i].count);

        if (r < 0)
            return qpw_fail(err, r, "cannot fill the queues of counter slots: %s", strerror(-r));
    }
    return 0;
}

static void set_defaults(struct qpw_control *c, uint64_t now)
{
    c->tcp_ns = 7 * 24 * 3600 * SECONDS;
    c->half_open_ns = 75 * SECONDS; /* a SYN is repeated after at most 32 s, and abandoned 64 s later */
    c->udp_ns = 180 * SECONDS;
    c->other_ns = 180 * SECONDS;
    c->tail_ns = 120 * SECONDS;
    c->parent_ns = 600 * SECONDS;
    c->fragment_ns = 30 * SECONDS;
    c->refresh_shift = 32; /* 4.3 s */
    c->attached_ns = now;
    c->window_end_ns = now + c->udp_ns;
    c->generation = 1;
    c->local4_whole = 1;
}

/* Create the object's maps without loading programs. */
static int load_maps(struct bpf_object *object)
{
    struct bpf_program *program;

    bpf_object__for_each_program(program, object)
        bpf_program__set_autoload(program, false);
    return bpf_object__load(object);
}

/* Duplicate the map descriptors for *k. */
static int take_maps(struct bpf_object *object, struct qpw_kernel *k, struct qpw_error *err)
{
    struct bpf_map *map;
    int *slot;

    bpf_object__for_each_map(map, object) {
        slot = qpw_kernel_map_slot(k, bpf_map__name(map));
        if (!slot)
            continue;
        *slot = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);
        if (*slot < 0)
            return qpw_fail(err, -errno, "cannot keep map '%s': %s%s", bpf_map__name(map), strerror(errno),
                            qpw_kernel_remedy(-errno, ""));
    }
    for (int i = 0; i < QPW_MAP_COUNT; i++)
        if (k->map_fd[i] < 0)
            return qpw_fail(err, -EINVAL, "the embedded BPF object has no map '%s'", qpw_map_name(i));
    for (int i = 0; i < QPW_SECTION_COUNT; i++)
        if (k->section_fd[i] < 0)
            return qpw_fail(err, -EINVAL, "the embedded BPF object lacks a section of variables");
    return 0;
}

static int make_maps(const struct qpw_load_options *options, struct qpw_kernel *k, struct qpw_error *err)
{
    QPW_CLEANUP(bpf_object__closep) struct bpf_object *object = NULL;
    int r;

    k->old_verifier = options->old_verifier;
    object = qpw_embedded_open(k->old_verifier);
    if (!object)
        return qpw_fail(err, -errno, "cannot open the embedded BPF object: %s", strerror(errno));
    set_sizes(object, options);
    r = set_config(object, options, &k->config, err);
    if (r < 0)
        return r;
    r = load_maps(object);
    if (r < 0)
        return qpw_fail(
            err, r, "cannot make the BPF maps: %s%s", strerror(-r),
            qpw_kernel_remedy(
                r, " (root, or CAP_BPF and CAP_NET_ADMIN, "
                   "and Linux 5.10 are needed; before 5.11 also CAP_SYS_RESOURCE, or enough lockable memory)"));
    return take_maps(object, k, err);
}

int qpw_kernel_set_fresh(struct qpw_kernel *k, struct qpw_error *err)
{
    set_defaults(k->control, qpw_kernel_now_ns(k));
    k->incarnations->present_half = QPW_PRESENT_FIRST;
    return fill_queues(k, err);
}

static int begin(const struct qpw_load_options *options, struct qpw_kernel *k, struct qpw_error *err)
{
    int r = make_maps(options, k, err);

    if (r < 0)
        return r;
    r = qpw_programs_begin(k, options->programs ? options->programs : QPW_ALL_INTERFACE_PROGRAMS, &k->programs, err);
    if (r < 0)
        return r;
    r = qpw_kernel_map_pages(k, err);
    if (r < 0)
        return r;
    return qpw_kernel_set_fresh(k, err);
}

int qpw_kernel_begin(const struct qpw_load_options *options, struct qpw_kernel *k, struct qpw_error *err)
{
    struct qpw_kernel fresh;
    int r;

    qpw_kernel_init(&fresh);
    r = begin(options, &fresh, err);
    if (r < 0) {
        qpw_kernel_close(&fresh);
        return r;
    }
    *k = fresh;
    return 0;
}

int qpw_kernel_finish(struct qpw_kernel *k, struct qpw_error *err)
{
    struct qpw_programs *programs = k->programs;

    k->programs = NULL;
    return programs ? qpw_programs_end(programs, k->prog_fd, err) : 0;
}

int qpw_kernel_load(const struct qpw_load_options *options, struct qpw_kernel *k, struct qpw_error *err)
{
    struct qpw_kernel fresh;
    int r = qpw_kernel_begin(options, &fresh, err);

    if (r < 0)
        return r;
    r = qpw_kernel_finish(&fresh, err);
    if (r < 0)
        qpw_kernel_close(&fresh);
    else
        *k = fresh;
    return r;
}

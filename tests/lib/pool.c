/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pool.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_INSTANCES 64
#define BATCH_BYTES (1u << 20)

static int lock_fd = -1; /* of this process's instance */
static char folder[256]; /* where the instance is pinned */

/* ---- Emptying ---- */

static void empty_keyed(int fd, const struct bpf_map_info *info)
{
    uint8_t key[512];

    cr_assert_leq(info->key_size, sizeof(key));
    while (bpf_map_get_next_key(fd, NULL, key) == 0)
        if (bpf_map_delete_elem(fd, key) < 0 && errno != ENOENT)
            cr_assert_fail("cannot empty map '%s': %s", info->name, strerror(errno));
}

/* Zero the array in batches; `each`: bytes per element, over all CPUs. */
static void zero_array(int fd, const struct bpf_map_info *info, size_t each)
{
    uint32_t most = (uint32_t)(BATCH_BYTES / each) + 1, *keys = calloc(most, sizeof(*keys)), count;
    void *zeroes = calloc(most, each);

    cr_assert(keys && zeroes);
    for (uint32_t first = 0; first < info->max_entries; first += count) {
        count = info->max_entries - first < most ? info->max_entries - first : most;
        for (uint32_t i = 0; i < count; i++)
            keys[i] = first + i;
        cr_assert(bpf_map_update_batch(fd, keys, zeroes, &count, NULL) == 0, "cannot zero map '%s': %s", info->name,
                  strerror(errno));
    }
    free(keys);
    free(zeroes);
}

static void empty_ring(int fd, const struct bpf_map_info *info)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned long *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    unsigned long *producer = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);

    cr_assert(consumer != MAP_FAILED && producer != MAP_FAILED);
    *consumer = *producer;
    munmap(consumer, page);
    munmap(producer, page);
}

static void empty_queue(int fd)
{
    uint32_t value;

    while (bpf_map_lookup_and_delete_elem(fd, NULL, &value) == 0)
        ;
}

static void empty(int fd)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info);

    cr_assert(bpf_obj_get_info_by_fd(fd, &info, &size) == 0);
    switch (info.type) {
    case BPF_MAP_TYPE_ARRAY: zero_array(fd, &info, info.value_size); break;
    case BPF_MAP_TYPE_PERCPU_ARRAY:
        zero_array(fd, &info, (info.value_size + 7) / 8 * 8 * (size_t)libbpf_num_possible_cpus());
        break;
    case BPF_MAP_TYPE_ARRAY_OF_MAPS:
        for (uint32_t i = 0; i < info.max_entries; i++)
            bpf_map_delete_elem(fd, &i);
        break;
    case BPF_MAP_TYPE_QUEUE: empty_queue(fd); break;
    case BPF_MAP_TYPE_RINGBUF: empty_ring(fd, &info); break;
    case BPF_MAP_TYPE_SK_STORAGE: break; /* removed with its sockets */
    default: empty_keyed(fd, &info);
    }
}

static void empty_all(const struct qpw_kernel *k)
{
    for (int i = 0; i < QPW_MAP_COUNT; i++)
        empty(k->map_fd[i]);
    empty(k->section_fd[QPW_SECTION_CONTROL]);
    empty(k->section_fd[QPW_SECTION_WOKEN]);
}

/* ---- Keeping ---- */

static const char *place(const char *name)
{
    static char path[400];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static const char *section_name(int section)
{
    static const char *const names[] = {"control", "config", "woken"};

    return names[section];
}

static void pin(int fd, const char *name)
{
    unlink(place(name)); /* left by a process that was killed while pinning */
    cr_assert(bpf_obj_pin(fd, place(name)) == 0, "%s: %s", place(name), strerror(errno));
}

/* Pin the configuration last: it marks the instance as complete. */
static void pin_maps(const struct qpw_kernel *k)
{
    cr_assert(mkdir(folder, 0700) == 0 || errno == EEXIST, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < QPW_MAP_COUNT; i++)
        pin(k->map_fd[i], qpw_map_name(i));
    pin(k->section_fd[QPW_SECTION_CONTROL], section_name(QPW_SECTION_CONTROL));
    pin(k->section_fd[QPW_SECTION_WOKEN], section_name(QPW_SECTION_WOKEN));
    pin(k->section_fd[QPW_SECTION_CONFIG], section_name(QPW_SECTION_CONFIG));
}

void pool_keep_programs(const struct qpw_kernel *k)
{
    for (int i = 0; lock_fd >= 0 && i < QPW_PROG_COUNT; i++)
        if (k->prog_fd[i] >= 0 && bpf_obj_pin(k->prog_fd[i], place(qpw_program_name(i))) < 0 && errno != EEXIST)
            cr_assert_fail("cannot keep a program: %s", strerror(errno));
}

/* ---- Taking ---- */

static void open_pinned(struct qpw_kernel *k)
{
    struct qpw_error err = {""};
    uint32_t zero = 0;

    qpw_kernel_init(k);
    for (int i = 0; i < QPW_MAP_COUNT; i++)
        cr_assert((k->map_fd[i] = bpf_obj_get(place(qpw_map_name(i)))) >= 0, "%s: %s", qpw_map_name(i), strerror(errno));
    for (int i = 0; i < QPW_SECTION_COUNT; i++)
        cr_assert((k->section_fd[i] = bpf_obj_get(place(section_name(i)))) >= 0, "%s", strerror(errno));
    for (int i = 0; i < QPW_PROG_COUNT; i++)
        k->prog_fd[i] = bpf_obj_get(place(qpw_program_name(i))); /* not all programs have been loaded */
    cr_assert(bpf_map_lookup_elem(k->section_fd[QPW_SECTION_CONFIG], &zero, &k->config) == 0);
    empty_all(k);
    cr_assert(qpw_kernel_map_pages(k, &err) == 0, "%s", err.text);
    cr_assert(qpw_kernel_set_fresh(k, &err) == 0, "%s", err.text);
}

/* Lock the first free instance of that kind; *ret_name is its name. Returns the lock, or -1 if there are too many. */
static int lock_any(const char *pool, const struct qpw_load_options *o, char ret_name[64])
{
    char path[300];

    for (int i = 0; i < MOST_INSTANCES; i++) {
        int fd;

        snprintf(ret_name, 64, "%u-%u-%d%d%d%d%d%d-%d", o->max_connections, o->cache_lines, o->replay, o->no_cache,
                 o->no_counts, o->no_fast_path, o->weakly_ordered, o->fixed_secret, i);
        snprintf(path, sizeof(path), "%s/%s", pool, ret_name);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        close(fd);
    }
    return -1;
}

bool pool_take(const struct qpw_load_options *options, struct qpw_kernel *ret)
{
    const char *pool = getenv("TEST_POOL");
    struct qpw_error err = {""};
    char name[64];

    if (!pool || lock_fd >= 0 || (lock_fd = lock_any(pool, options, name)) < 0)
        return false;
    snprintf(folder, sizeof(folder), "%s/bpf/%s", pool, name);
    if (access(place(section_name(QPW_SECTION_CONFIG)), F_OK) == 0) {
        open_pinned(ret);
        return true;
    }
    cr_assert(qpw_kernel_load(options, ret, &err) == 0, "%s", err.text);
    pin_maps(ret);
    return true;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "kernel/instance.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const char qpw_bpf_object[], qpw_bpf_object_end[];

#define CONTROL_MAP ".bss"
#define CONFIG_MAP ".rodata"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && !strcmp(text + length - tail, end);
}

/* The section that the configuration alone fills; its one value is what was frozen at load. */
static int read_config(int fd, const struct bpf_map_info *info, struct qpw_kernel *k, struct qpw_error *err)
{
    __u32 key = 0;

    if (info->value_size != sizeof(k->config))
        return qpw_fail(err, -EPROTO, "the configuration of the running kernel side has %u bytes, not %zu",
                        info->value_size, sizeof(k->config));
    if (bpf_map_lookup_elem(fd, &key, &k->config) < 0)
        return qpw_fail(err, -errno, "reading the configuration of the running kernel side: %s", strerror(errno));
    return 0;
}

/* Gives the map its place in *k, or the control section's descriptor to *control_fd. Takes fd over. */
static int place_map(int fd, struct qpw_kernel *k, int *control_fd, struct qpw_error *err)
{
    struct bpf_map_info info = {0};
    __u32 size = sizeof(info);
    int r = 0;

    if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0) {
        r = qpw_fail(err, -errno, "asking for a map's name: %s", strerror(errno));
        close(fd);
        return r;
    }
    for (int map = 0; map < QPW_MAP_COUNT; map++) {
        if (strcmp(info.name, qpw_map_name(map)) || k->map_fd[map] >= 0)
            continue;
        k->map_fd[map] = fd;
        return 0;
    }
    if (ends_with(info.name, CONTROL_MAP) && *control_fd < 0) {
        *control_fd = fd;
        return 0;
    }
    if (ends_with(info.name, CONFIG_MAP))
        r = read_config(fd, &info, k, err);
    close(fd);
    return r;
}

static int open_maps(uint32_t prog_id, struct qpw_kernel *k, struct qpw_error *err)
{
    __u32 ids[QPW_PROGRAM_MAPS];
    int n = qpw_program_map_ids(prog_id, ids, QPW_PROGRAM_MAPS), control_fd = -1, fd, r = 0;

    if (n < 0)
        return qpw_fail(err, n, "asking program %u for its maps: %s", prog_id, strerror(-n));
    for (int i = 0; r == 0 && i < n; i++) {
        fd = bpf_map_get_fd_by_id(ids[i]);
        if (fd < 0)
            r = qpw_fail(err, -errno, "opening map %u of program %u: %s", ids[i], prog_id, strerror(errno));
        else
            r = place_map(fd, k, &control_fd, err);
    }
    for (int map = 0; r == 0 && map < QPW_MAP_COUNT; map++)
        if (k->map_fd[map] < 0)
            r = qpw_fail(err, -EPROTO, "the running kernel side has no map '%s'; 'qportwatch detach' removes it",
                         qpw_map_name(map));
    if (r == 0 && control_fd < 0)
        r = qpw_fail(err, -EPROTO, "the running kernel side has no control page; 'qportwatch detach' removes it");
    if (r == 0)
        r = qpw_kernel_map_pages(k, control_fd, err);
    if (control_fd >= 0)
        close(control_fd);
    return r;
}

int qpw_instance_open(const struct qpw_places *places, struct qpw_kernel *ret, struct qpw_error *err)
{
    struct qpw_kernel k;
    int fd, r = 0;

    if (!places->n)
        return qpw_fail(err, -ENOENT,
                        "nothing is attached in this network namespace; 'qportwatch attach IFACE...' does it");
    for (size_t i = 0; i < places->n; i++) {
        if (places->place[i].abi != QPW_ABI_VERSION)
            return qpw_fail(err, -EPROTO, "what is attached to %s was loaded by another version of qportwatch "
                            "(ABI %u, this one speaks %u); use that version, or 'qportwatch detach' first: "
                            "its counts end there", places->place[i].ifname, places->place[i].abi, QPW_ABI_VERSION);
        if (places->place[i].instance != places->place[0].instance)
            return qpw_fail(err, -EEXIST, "%s and %s carry programs of two separate runs of qportwatch; "
                            "'qportwatch detach %s' removes one", places->place[0].ifname, places->place[i].ifname,
                            places->place[i].ifname);
    }
    qpw_kernel_init(&k);
    for (size_t i = 0; r == 0 && i < places->n; i++) {
        if (k.prog_fd[places->place[i].entry.program] >= 0)
            continue;
        fd = bpf_prog_get_fd_by_id(places->place[i].entry.prog_id);
        if (fd < 0)
            r = qpw_fail(err, -errno, "opening program %u of %s: %s", places->place[i].entry.prog_id,
                         places->place[i].ifname, strerror(errno));
        k.prog_fd[places->place[i].entry.program] = fd;
    }
    if (r == 0)
        r = open_maps(places->place[0].entry.prog_id, &k, err);
    if (r < 0) {
        qpw_kernel_close(&k);
        return r;
    }
    *ret = k;
    return 0;
}

int qpw_instance_find(struct qpw_kernel *ret, struct qpw_error *err)
{
    struct qpw_places places;
    int r = qpw_places_find(&places, err);

    if (r < 0)
        return r;
    r = qpw_instance_open(&places, ret, err);
    qpw_places_clear(&places);
    return r;
}

/* Gives the section maps, which have no place in struct qpw_kernel, their running counterparts. */
static int reuse_sections(struct bpf_object *object, uint32_t prog_id)
{
    struct bpf_map_info info;
    __u32 ids[QPW_PROGRAM_MAPS], size;
    int n = qpw_program_map_ids(prog_id, ids, QPW_PROGRAM_MAPS), fd, r = n < 0 ? n : 0;
    struct bpf_map *map;
    const char *dot;

    for (int i = 0; r == 0 && i < n; i++) {
        fd = bpf_map_get_fd_by_id(ids[i]);
        info = (struct bpf_map_info){0};
        size = sizeof(info);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0) {
            r = -errno;
        } else if ((dot = strchr(info.name, '.'))) {
            bpf_object__for_each_map(map, object)
                if (ends_with(bpf_map__name(map), dot) && bpf_map__is_internal(map))
                    r = bpf_map__reuse_fd(map, fd);
        }
        if (fd >= 0)
            close(fd);
    }
    return r;
}

static uint32_t any_program(const struct qpw_kernel *k)
{
    uint32_t id = 0;

    for (int program = 0; !id && program < QPW_PROG_COUNT; program++)
        id = qpw_instance_program_id(k, program);
    return id;
}

/* Loads the programs `missing` onto the running maps; the new descriptors go to fds. */
static int load_missing(struct qpw_kernel *k, struct bpf_object *object, uint32_t missing, int fds[QPW_PROG_COUNT])
{
    struct bpf_program *program;
    int r = reuse_sections(object, any_program(k));

    for (int map = 0; r == 0 && map < QPW_MAP_COUNT; map++)
        r = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, qpw_map_name(map)), k->map_fd[map]);
    for (int p = 0; r == 0 && p < QPW_PROG_COUNT; p++) {
        program = bpf_object__find_program_by_name(object, qpw_program_name(p));
        r = bpf_program__set_autoload(program, missing >> p & 1);
        if (r == 0 && p == QPW_PROG_qpw_xdp_rx && !k->config.has_xdp_buff_len)
            r = bpf_program__set_flags(program, 0); /* no multi-buffer XDP before 5.18 */
    }
    if (r == 0)
        r = bpf_object__load(object);
    for (int p = 0; r == 0 && p < QPW_PROG_COUNT; p++) {
        if (!(missing >> p & 1))
            continue;
        program = bpf_object__find_program_by_name(object, qpw_program_name(p));
        fds[p] = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);
        if (fds[p] < 0)
            r = -errno;
        for (int map = 0; r == 0 && map < QPW_MAP_COUNT; map++)
            if (bpf_prog_bind_map(fds[p], k->map_fd[map], NULL) < 0 && errno != EEXIST)
                r = -errno;
    }
    return r;
}

int qpw_instance_complete(struct qpw_kernel *k, uint32_t wanted, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "qportwatch");
    struct bpf_object *object;
    int fds[QPW_PROG_COUNT], r;
    uint32_t missing = 0;

    for (int p = 0; p < QPW_PROG_COUNT; p++) {
        fds[p] = -1;
        missing |= k->prog_fd[p] < 0 ? wanted & 1u << p : 0;
    }
    if (!missing)
        return 0;
    object = bpf_object__open_mem(qpw_bpf_object, qpw_bpf_object_end - qpw_bpf_object, &options);
    r = object ? load_missing(k, object, missing, fds) : -errno;
    bpf_object__close(object);
    for (int p = 0; p < QPW_PROG_COUNT; p++) {
        if (r == 0 && fds[p] >= 0)
            k->prog_fd[p] = fds[p];
        else if (fds[p] >= 0)
            close(fds[p]);
    }
    if (r < 0)
        return qpw_fail(err, r, "loading more programs onto the running kernel side: %s", strerror(-r));
    return 0;
}

uint32_t qpw_instance_program_id(const struct qpw_kernel *k, enum qpw_program program)
{
    struct bpf_prog_info info = {0};
    __u32 size = sizeof(info);

    if (k->prog_fd[program] < 0 || bpf_obj_get_info_by_fd(k->prog_fd[program], &info, &size) < 0)
        return 0;
    return info.id;
}

int qpw_meta_read(const struct qpw_kernel *k, struct qpw_meta *ret, struct qpw_error *err)
{
    __u32 key = 0;

    if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_meta], &key, ret) < 0)
        return qpw_fail(err, -errno, "reading what is attached: %s", strerror(errno));
    return 0;
}

int qpw_meta_write(const struct qpw_kernel *k, const struct qpw_meta *meta, struct qpw_error *err)
{
    __u32 key = 0;

    if (bpf_map_update_elem(k->map_fd[QPW_MAP_meta], &key, meta, BPF_ANY) < 0)
        return qpw_fail(err, -errno, "writing what is attached: %s", strerror(errno));
    return 0;
}

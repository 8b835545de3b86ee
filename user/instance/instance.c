/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/instance.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/rights.h"
#include "instance/objects.h"
#include "instance/programs.h"
#include "instance/runs.h"
#include "util/cleanup.h"

/* Read the configuration as it was frozen at load: the only value of its section. */
static int read_config(struct qpw_kernel *k, struct qpw_error *err)
{
    struct bpf_map_info info = {0};
    __u32 key = 0, size = sizeof(info);
    int fd = k->section_fd[QPW_SECTION_CONFIG];

    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.value_size != sizeof(k->config))
        return qpw_fail(err, -EPROTO, "the configuration of what is attached has %u bytes, not %zu",
                        info.value_size, sizeof(k->config));
    if (bpf_map_lookup_elem(fd, &key, &k->config) < 0)
        return qpw_fail(err, -errno, "reading the configuration of what is attached: %s", strerror(errno));
    return 0;
}

/* Put the map's descriptor into its place in *k, or close it if it has none. */
static int keep_map(int fd, struct qpw_kernel *k, struct qpw_error *err)
{
    struct bpf_map_info info = {0};
    __u32 size = sizeof(info);
    int *fd_at, r = 0;

    if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
        r = qpw_fail(err, -errno, "asking for a map's name: %s", strerror(errno));
    fd_at = r < 0 ? NULL : qpw_kernel_map_slot(k, info.name);
    if (fd_at && *fd_at < 0)
        *fd_at = fd;
    else
        close(fd);
    return r;
}

/* Open those of the program's maps whose names this version knows. */
static int gather_maps(uint32_t prog_id, struct qpw_kernel *k, struct qpw_error *err)
{
    __u32 ids[QPW_PROGRAM_MAPS];
    int n = qpw_program_map_ids(prog_id, ids, QPW_PROGRAM_MAPS), fd, r = 0;

    if (n < 0)
        return qpw_fail(err, n, "asking program %u for its maps: %s", prog_id, strerror(-n));
    for (int i = 0; r == 0 && i < n; i++) {
        fd = qpw_object_map(ids[i]);
        if (fd < 0)
            r = qpw_fail(err, -errno, "opening map %u of program %u: %s", ids[i], prog_id, strerror(errno));
        else
            r = keep_map(fd, k, err);
    }
    return r;
}

static int open_maps(uint32_t prog_id, struct qpw_kernel *k, struct qpw_error *err)
{
    int r = gather_maps(prog_id, k, err);

    for (int map = 0; r == 0 && map < QPW_MAP_COUNT; map++)
        if (k->map_fd[map] < 0)
            r = qpw_fail(err, -EPROTO, "what is attached has no map '%s'; 'qportwatch detach' removes it",
                         qpw_map_name(map));
    for (int section = 0; r == 0 && section < QPW_SECTION_COUNT; section++)
        if (k->section_fd[section] < 0)
            r = qpw_fail(err, -EPROTO, "what is attached lacks a section of variables; 'qportwatch detach' "
                         "removes it");
    if (r < 0)
        return r;
    r = read_config(k, err);
    if (r < 0)
        return r;
    return qpw_kernel_map_pages(k, err);
}

int qpw_instance_open_maps(const struct qpw_hook_scan *scan, struct qpw_kernel *ret, struct qpw_error *err)
{
    struct qpw_kernel k;
    int r;

    qpw_kernel_init(&k);
    r = gather_maps(scan->site[0].entry.prog_id, &k, err);
    if (r < 0)
        qpw_kernel_close(&k);
    else
        *ret = k;
    return r;
}

int qpw_instance_open(const struct qpw_hook_scan *scan, struct qpw_kernel *ret, struct qpw_error *err)
{
    struct qpw_kernel k;
    int fd, r = 0;

    if (!scan->n)
        return qpw_fail(err, -ENOENT,
                        "not attached in this network namespace; start with 'qportwatch attach IFACE'");
    if (scan->site[0].abi != QPW_ABI_VERSION)
        return qpw_fail(
            err, -EPROTO,
            "what is attached to %s was loaded by another version of qportwatch "
            "(ABI %u, this one speaks %u): 'qportwatch attach %s' goes on with what it has counted, 'qportwatch detach' "
            "ends it; else use that version",
            scan->site[0].ifname, scan->site[0].abi, QPW_ABI_VERSION, scan->site[0].ifname);
    qpw_kernel_init(&k);
    for (size_t i = 0; r == 0 && i < scan->n; i++) {
        if (k.prog_fd[scan->site[i].entry.program] >= 0)
            continue;
        fd = qpw_object_program(scan->site[i].entry.prog_id);
        if (fd < 0)
            r = qpw_fail(err, -errno, "opening program %u of %s: %s", scan->site[i].entry.prog_id, scan->site[i].ifname,
                         strerror(errno));
        k.prog_fd[scan->site[i].entry.program] = fd;
    }
    if (r == 0)
        r = open_maps(scan->site[0].entry.prog_id, &k, err);
    if (r < 0) {
        qpw_kernel_close(&k);
        return r;
    }
    *ret = k;
    return 0;
}

int qpw_instance_find_among(struct qpw_kernel *ret, struct qpw_hook_scan *ret_others, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_hook_scan_clear) struct qpw_hook_scan scan = {0};
    QPW_CLEANUP(qpw_hook_scan_clear) struct qpw_hook_scan others = {0};
    char other[256];
    int r;

    *ret_others = (struct qpw_hook_scan){0};
    r = qpw_rights_check(err);
    if (r < 0)
        return r;
    r = qpw_hook_scan_find(&scan, err);
    if (r < 0)
        return r;
    r = qpw_hook_scan_split(&scan, &others, err);
    if (r < 0)
        return r;
    if (!scan.n) {
        r = qpw_hook_scan_find_unhooked(&scan, err);
        if (r < 0)
            return r;
    }
    if (!scan.n && others.n)
        return qpw_fail(err, -ENOENT, "not attached in this network namespace: %s",
                        qpw_run_text(&others.site[0], other, sizeof(other)));
    r = qpw_instance_open(&scan, ret, err);
    if (r < 0)
        return r;
    *ret_others = others;
    others = (struct qpw_hook_scan){0};
    return 0;
}

int qpw_instance_find(struct qpw_kernel *ret, struct qpw_error *err)
{
    struct qpw_hook_scan others;
    int r = qpw_instance_find_among(ret, &others, err);

    qpw_hook_scan_clear(&others);
    return r;
}

int qpw_instance_complete(struct qpw_kernel *k, uint32_t wanted, struct qpw_error *err)
{
    struct qpw_programs *programs;
    uint32_t missing = 0;
    int r;

    for (int p = 0; p < QPW_PROG_COUNT; p++)
        missing |= k->prog_fd[p] < 0 ? wanted & 1u << p : 0;
    if (!missing)
        return 0;
    r = qpw_programs_begin(k, missing, &programs, err);
    return r ? r : qpw_programs_end(programs, k->prog_fd, err);
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

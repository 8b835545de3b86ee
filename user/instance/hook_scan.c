/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hook_scan.c - the first half of instance.h: find the hooks that hold our programs, and the instance of each. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/netns.h"
#include "instance/hooks_clsact.h"
#include "instance/hooks_tcx.h"
#include "instance/hooks_xdp.h"
#include "instance/instance.h"
#include "instance/objects.h"
#include "util/array.h"
#include "util/cleanup.h"

/* Larger than any version's record, of which only the first two fields are read. */
#define META_BYTES (64u * 1024)

/* Read a `meta` map's magic number and ABI version. False: not one of ours. */
static bool read_meta_head(int fd, uint32_t *ret_abi)
{
    struct bpf_map_info info = {0};
    __u32 size = sizeof(info), key = 0, *value;
    bool good = false;

    if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || strcmp(info.name, qpw_map_name(QPW_MAP_meta)) ||
        info.type != BPF_MAP_TYPE_ARRAY || info.value_size < 2 * sizeof(__u32) || info.value_size > META_BYTES)
        return false;
    value = malloc(info.value_size);
    if (!value)
        return false;
    if (bpf_map_lookup_elem(fd, &key, value) == 0 && value[0] == QPW_ABI_MAGIC) {
        *ret_abi = value[1];
        good = true;
    }
    free(value);
    return good;
}

int qpw_program_map_ids(uint32_t prog_id, __u32 *ids, unsigned room)
{
    struct bpf_prog_info info = {.nr_map_ids = room, .map_ids = (uintptr_t)ids};
    __u32 size = sizeof(info);
    int fd = qpw_object_program(prog_id), r;

    if (fd < 0)
        return -errno;
    r = bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? -errno : 0;
    close(fd);
    if (r < 0)
        return r;
    return info.nr_map_ids < room ? info.nr_map_ids : room;
}

int qpw_program_has_name(uint32_t prog_id, const char *name)
{
    char found[16];
    int r = qpw_object_name(prog_id, found);

    return r == -ENOENT ? 0 : r < 0 ? r : !strcmp(found, name);
}

bool qpw_map_is_meta(uint32_t map_id)
{
    int fd = qpw_object_map(map_id);
    uint32_t abi;
    bool is_meta;

    if (fd < 0)
        return false;
    is_meta = read_meta_head(fd, &abi);
    close(fd);
    return is_meta;
}

/*
 * Fill instance and abi. Returns 1 if the program is ours; 0 if only its name is, or it has ended; a negative errno if
 * that cannot be determined, because one of ours must not pass for a foreign one.
 */
static int belongs_to_us(struct qpw_hook_site *site)
{
    __u32 ids[QPW_PROGRAM_MAPS] = {0};
    int n = qpw_program_map_ids(site->entry.prog_id, ids, QPW_PROGRAM_MAPS), fd;
    bool found;

    if (n < 0)
        return n == -ENOENT ? 0 : n;
    for (int i = 0; i < n; i++) {
        fd = qpw_object_map(ids[i]);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return -errno;
        found = read_meta_head(fd, &site->abi);
        close(fd);
        if (found) {
            site->instance = ids[i];
            return 1;
        }
    }
    return 0;
}

int qpw_hook_scan_add(struct qpw_hook_scan *scan, const struct qpw_hook_site *site, struct qpw_error *err)
{
    struct qpw_hook_site *more = QPW_ADD(scan->site, scan->n);

    if (!more)
        return qpw_fail(err, -ENOMEM, "out of memory");
    *more = *site;
    scan->n++;
    return 0;
}

/* As qpw_hooks_query(), reusing what the dumps of all links have shown. */
static int list_hook(const struct qpw_hook_link *link, enum qpw_point point, struct qpw_hook_list *ret,
                     struct qpw_error *err)
{
    int r = 0;

    *ret = (struct qpw_hook_list){0};
    if (point == QPW_POINT_RX)
        r = qpw_xdp_append(link->xdp, ret, err);
    if (r == 0)
        r = qpw_tcx_query(link->ifindex, point, ret, err);
    if (r == 0 || r == -EOPNOTSUPP)
        r = link->has_qdisc ? qpw_clsact_query(link->ifindex, point, ret, err) : 0;
    return r;
}

/* Append our entries of the hook, each with the place given by `where`. */
static int add_ours(const struct qpw_hook_list *list, const struct qpw_hook_site *where, const char *name,
                    struct qpw_hook_scan *scan, struct qpw_error *err)
{
    struct qpw_hook_site site;
    int r = 0;

    for (size_t i = 0; r == 0 && i < list->n; i++) {
        if (list->entry[i].program == QPW_PROG_COUNT)
            continue;
        site = *where;
        site.entry = list->entry[i];
        snprintf(site.ifname, sizeof(site.ifname), "%s", name);
        r = belongs_to_us(&site);
        if (r > 0)
            r = qpw_hook_scan_add(scan, &site, err);
        else if (r < 0)
            qpw_fail(err, r, "%s: cannot ask program %u for its maps: %s", name, site.entry.prog_id, strerror(-r));
    }
    return r;
}

static int find_in_hook(const struct qpw_hook_link *link, enum qpw_point point, struct qpw_hook_scan *scan,
                        struct qpw_error *err)
{
    struct qpw_hook_list list;
    int r = list_hook(link, point, &list, err);

    if (r == -ENODEV)
        return 0; /* removed meanwhile */
    return r ? r
             : add_ours(&list, &(struct qpw_hook_site){.ifindex = link->ifindex, .point = point}, link->name, scan,
                        err);
}

int qpw_hook_scan_find_on(unsigned ifindex, const char *name, struct qpw_hook_scan *ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_hook_scan_clear) struct qpw_hook_scan scan = {0};
    struct qpw_hook_list list;
    int r;

    *ret = (struct qpw_hook_scan){0};
    for (enum qpw_point point = QPW_POINT_RX; point <= QPW_POINT_TX; point++) {
        r = qpw_hooks_query(ifindex, point, &list, err);
        if (r == 0)
            r = add_ours(&list, &(struct qpw_hook_site){.ifindex = ifindex, .point = point}, name, &scan, err);
        if (r < 0)
            return r == -ENODEV ? 0 : r;
    }
    *ret = scan;
    scan = (struct qpw_hook_scan){0};
    return 0;
}

int qpw_hook_scan_find(struct qpw_hook_scan *ret, struct qpw_error *err)
{
    struct qpw_hook_scan scan = {0};
    struct qpw_hook_link *links;
    size_t n;
    int r = qpw_hook_links(&links, &n, err);

    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = find_in_hook(&links[i], QPW_POINT_RX, &scan, err);
        if (r == 0)
            r = find_in_hook(&links[i], QPW_POINT_TX, &scan, err);
    }
    free(links);
    if (r < 0) {
        qpw_hook_scan_clear(&scan);
        return r;
    }
    *ret = scan;
    return 0;
}

bool qpw_hook_site_meta(const struct qpw_hook_site *site, struct qpw_meta *ret)
{
    int fd = site->abi == QPW_ABI_VERSION ? qpw_object_map(site->instance) : -1;
    __u32 key = 0;
    bool read = fd >= 0 && bpf_map_lookup_elem(fd, &key, ret) == 0;

    if (fd >= 0)
        close(fd);
    return read;
}

/* Return whether the instance watches this network namespace and has had an interface attached; fills ifname. */
static bool watches_here(struct qpw_hook_site *site)
{
    struct qpw_meta meta;

    if (!qpw_hook_site_meta(site, &meta) || !meta.netns || meta.netns != qpw_netns_inode())
        return false;
    for (int i = 0; i < QPW_MAX_IFACES; i++)
        if (meta.rx_hook[i] || meta.tx_hook[i]) {
            snprintf(site->ifname, sizeof(site->ifname), "%s", meta.ifname[i]);
            return true;
        }
    return false;
}

/* Keep only the newest instance's places, the one with the highest map id. */
static int add_newest(struct qpw_hook_scan *scan, const struct qpw_hook_site *site, struct qpw_error *err)
{
    if (scan->n && site->instance < scan->site[0].instance)
        return 0;
    if (scan->n && site->instance > scan->site[0].instance)
        scan->n = 0;
    return qpw_hook_scan_add(scan, site, err);
}

int qpw_hook_scan_find_unhooked(struct qpw_hook_scan *ret, struct qpw_error *err)
{
    struct qpw_hook_scan scan = {0};
    __u32 id = 0;
    int r = 0;

    if (qpw_object_next(0, &id) < 0 && errno == EPERM)
        return qpw_fail(err, -EPERM, "cannot look for what is attached: CAP_SYS_ADMIN is missing");
    id = 0;
    while (r == 0 && qpw_object_next(id, &id) == 0)
        for (enum qpw_program program = 0; r == 0 && program < QPW_PROG_INTERFACES; program++) {
            struct qpw_hook_site site = {.entry = {.program = program, .prog_id = id}};

            if (qpw_program_has_name(id, qpw_program_name(program)) > 0 && belongs_to_us(&site) == 1 &&
                watches_here(&site))
                r = add_newest(&scan, &site, err);
        }
    if (r < 0) {
        qpw_hook_scan_clear(&scan);
        return r;
    }
    *ret = scan;
    return 0;
}

void qpw_hook_scan_clear(struct qpw_hook_scan *scan)
{
    free(scan->site);
    *scan = (struct qpw_hook_scan){0};
}

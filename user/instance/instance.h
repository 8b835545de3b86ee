/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * instance.h - find the instance that runs in this network namespace, without pins.
 *
 * The hooks of the interfaces name programs, a program's information names its maps, and the maps are opened by id.
 * That needs no bpffs, so it works from any mount namespace, and whatever is found lives exactly as long as one of its
 * programs is in a hook, because every map is bound to every program.
 */
#ifndef QPW_KERNEL_INSTANCE_H
#define QPW_KERNEL_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance/hooks.h"
#include "instance/object.h"

/* One of an instance's programs in a hook. */
struct qpw_hook_site {
    unsigned ifindex;
    char ifname[16];
    enum qpw_point point;
    struct qpw_hook_entry entry;
    uint32_t instance; /* id of its `meta` map, common to all programs of an instance */
    uint32_t abi;      /* from its `meta` record */
};

struct qpw_hook_scan {
    struct qpw_hook_site *site;
    size_t n;
};

/*
 * Find all places in this network namespace with a program of qportwatch, of any version. A program is ours if its name
 * is and its `meta` map carries the magic number. Returns 0, or a negative errno with err filled (-EPERM: not root).
 * The caller clears *ret.
 */
int qpw_hook_scan_find(struct qpw_hook_scan *ret, struct qpw_error *err);
void qpw_hook_scan_clear(struct qpw_hook_scan *scan);

/* The same for one interface; none if it is gone. */
int qpw_hook_scan_find_on(unsigned ifindex, const char *name, struct qpw_hook_scan *ret, struct qpw_error *err);

/* Append a copy. Returns 0, or -ENOMEM with err filled. */
int qpw_hook_scan_add(struct qpw_hook_scan *scan, const struct qpw_hook_site *site, struct qpw_error *err);

/* Read the `meta` record of the place's instance. False: it is gone, or of another version. */
bool qpw_hook_site_meta(const struct qpw_hook_site *site, struct qpw_meta *ret);

/*
 * Open the instance that all these places belong to (qpw_hook_scan_split()), as qpw_kernel_load() would have left it,
 * but with only those programs that are in a hook. -ENOENT: no place; -EPROTO: another ABI version, err names the
 * remedy.
 */
int qpw_instance_open(const struct qpw_hook_scan *scan, struct qpw_kernel *ret, struct qpw_error *err);

/*
 * Open only the maps, of any version, of the instance that these places (at least one) belong to: those whose names
 * this version knows. The others are -1; their layouts may differ (translation.h). Returns 0, or a negative errno with
 * err filled. The caller closes *ret.
 */
int qpw_instance_open_maps(const struct qpw_hook_scan *scan, struct qpw_kernel *ret, struct qpw_error *err);

/* Read the ids of a program's maps, at most `room`. Returns how many, or a negative errno. */
#define QPW_PROGRAM_MAPS 128
int qpw_program_map_ids(uint32_t prog_id, __u32 *ids, unsigned room);

/* Return whether the program with that id has that name (as bpf(2) shows it): 1, 0, or a negative errno if unknown. */
int qpw_program_has_name(uint32_t prog_id, const char *name);

/* Return whether the map with that id is a `meta` map of ours, of any version. */
bool qpw_map_is_meta(uint32_t map_id);

/*
 * Find our programs that watched an interface of this network namespace but are in no hook now, because every such
 * interface is gone; a live auditor holds them until one returns. Of several instances, those of the newest. Their
 * places have no ifindex. Errors as above.
 */
int qpw_hook_scan_find_unhooked(struct qpw_hook_scan *ret, struct qpw_error *err);

/*
 * Find the instance that watches this network namespace, hooked or not, and open it: for `status`, `report` and `top`.
 * -ENOENT with err filled: none.
 */
int qpw_instance_find(struct qpw_kernel *ret, struct qpw_error *err);

/* The same, also returning the places of other instances, which the caller clears. */
int qpw_instance_find_among(struct qpw_kernel *ret, struct qpw_hook_scan *ret_others, struct qpw_error *err);

/*
 * Load those of the programs `wanted` (bits by enum qpw_program) that an instance lacks, because it was attached only
 * in another mode so far, onto its maps and bind these to them. Returns 0, also if none is missing, or a negative errno
 * with err filled.
 */
int qpw_instance_complete(struct qpw_kernel *k, uint32_t wanted, struct qpw_error *err);

/* Return the kernel's id of the program; 0: not loaded. */
uint32_t qpw_instance_program_id(const struct qpw_kernel *k, enum qpw_program program);

/* Read or write the `meta` record. Returns 0, or a negative errno with err filled. */
int qpw_meta_read(const struct qpw_kernel *k, struct qpw_meta *ret, struct qpw_error *err);
int qpw_meta_write(const struct qpw_kernel *k, const struct qpw_meta *meta, struct qpw_error *err);

#endif

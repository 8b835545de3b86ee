/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * instance.h - the kernel side that runs in this network namespace, found again without pins.
 *
 * The way back: the interfaces' hooks name programs, a program's information names its maps, the
 * maps are opened by id. It needs no bpffs, so it works from any mount namespace, and what it finds
 * lives exactly as long as a program of it stands in a hook: every map is bound to every program.
 */
#ifndef QPW_KERNEL_INSTANCE_H
#define QPW_KERNEL_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance/hooks.h"
#include "instance/object.h"

/* One program of a kernel side in a hook. */
struct qpw_hook_site {
    unsigned ifindex;
    char ifname[16];
    enum qpw_point point;
    struct qpw_hook_entry entry;
    uint32_t instance; /* id of its `meta` map: the same for all programs of one kernel side */
    uint32_t abi;      /* as its `meta` says */
};

struct qpw_hook_scan {
    struct qpw_hook_site *place;
    size_t n;
};

/*
 * All places of this network namespace where a program of qportwatch stands, of any version.
 * A program is one of ours if its name is and its `meta` map carries the magic number. 0, or a
 * negative errno with err filled (-EPERM: not root). The caller clears *ret.
 */
int qpw_hook_scan_find(struct qpw_hook_scan *ret, struct qpw_error *err);
void qpw_hook_scan_clear(struct qpw_hook_scan *places);

/* The same for one interface, which may be gone: then there is none. */
int qpw_hook_scan_find_on(unsigned ifindex, const char *name, struct qpw_hook_scan *ret, struct qpw_error *err);

/* Adds a copy. 0, or -ENOMEM with err filled. */
int qpw_hook_scan_add(struct qpw_hook_scan *places, const struct qpw_hook_site *place, struct qpw_error *err);

/* What the place's run says of itself; false: it is gone, or another version's. */
bool qpw_hook_site_meta(const struct qpw_hook_site *place, struct qpw_meta *ret);

/*
 * Opens the kernel side that the places belong to, all of them to one (qpw_hook_scan_split()), as qpw_kernel_load() would have
 * left it, but with only those programs that stand in a hook. -ENOENT: no place; -EPROTO: another ABI version, err says what
 * to do.
 */
int qpw_instance_open(const struct qpw_hook_scan *places, struct qpw_kernel *ret, struct qpw_error *err);

/*
 * Opens only the maps, of whatever version, of the kernel side that the places (at least one) belong to: those whose names
 * this version knows; the others are -1, and nothing is known of what they hold (translation.h). 0, or a negative errno with err
 * filled. The caller closes *ret.
 */
int qpw_instance_open_maps(const struct qpw_hook_scan *places, struct qpw_kernel *ret, struct qpw_error *err);

/* Ids of the maps a program uses, at most `room`: their number, or a negative errno. */
#define QPW_PROGRAM_MAPS 64
int qpw_program_map_ids(uint32_t prog_id, __u32 *ids, unsigned room);

/* Whether the program with that id has that name (as bpf(2) shows it): 1 or 0; a negative errno where it cannot be asked. */
int qpw_program_has_name(uint32_t prog_id, const char *name);

/* Whether the map with that id is a `meta` of ours, of whatever version. */
bool qpw_map_is_meta(uint32_t map_id);

/*
 * Programs of ours that watched an interface of this network namespace and stand in no hook now, because every such
 * interface is gone; a live auditor holds them until one is back. Of several runs, those of the newest. Their places have no
 * ifindex. Errors as above.
 */
int qpw_hook_scan_find_unhooked(struct qpw_hook_scan *ret, struct qpw_error *err);

/* Inode of the calling thread's network namespace, 0 where it cannot be read. */
uint64_t qpw_netns_inode(void);

/*
 * Finds the places, hooked or not, of the run that watches this network namespace and opens its kernel side; what `status`,
 * `report` and `top` want. -ENOENT with err filled: there is none.
 */
int qpw_instance_find(struct qpw_kernel *ret, struct qpw_error *err);

/* The same, with the places of other runs, to be cleared by the caller. */
int qpw_instance_find_among(struct qpw_kernel *ret, struct qpw_hook_scan *ret_others, struct qpw_error *err);

/*
 * Loads those of the programs `wanted` (bits by enum qpw_program) that a kernel side lacks (attached only in
 * another mode so far) onto its maps, and binds these to it. 0 also when none is missing.
 */
int qpw_instance_complete(struct qpw_kernel *k, uint32_t wanted, struct qpw_error *err);

/* Kernel's id of the program, 0: not there. */
uint32_t qpw_instance_program_id(const struct qpw_kernel *k, enum qpw_program program);

/* Reads and writes the `meta` record. 0 or a negative errno with err filled. */
int qpw_meta_read(const struct qpw_kernel *k, struct qpw_meta *ret, struct qpw_error *err);
int qpw_meta_write(const struct qpw_kernel *k, const struct qpw_meta *meta, struct qpw_error *err);

#endif

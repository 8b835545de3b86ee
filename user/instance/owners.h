/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owners.h - the programs that note which process makes or connects a socket (bpf/owner.h), at the root of the
 * unified cgroup hierarchy.
 *
 * They stand beside whatever others are there (BPF_F_ALLOW_MULTI) and always let the call go on. Like the programs
 * of the interfaces they have no link and no pin, and are found again by asking: by their names and the map `meta`
 * that they share with the other programs of their instance.
 */
#ifndef QPW_INSTANCE_OWNERS_H
#define QPW_INSTANCE_OWNERS_H

#include "instance/object.h"

/*
 * Loads and attaches those that are not there yet: all of them, or, with err filled, none. *cgroup: id of the cgroup
 * that they stand at, changed where it is another than before; to be kept in `meta`, where the others find it. It is the
 * root unless this process is in a cgroup namespace. 0 or a negative errno.
 */
int qpw_owners_attach(struct qpw_kernel *k, uint64_t *cgroup, struct qpw_error *err);

/*
 * Removes those of one instance (id of its map `meta`), or, with instance 0, those of instances that have no other
 * program left: their interfaces are gone. *ret_removed (may be NULL) is how many. 0 or a negative errno with err.
 */
int qpw_owners_detach(uint32_t instance, unsigned *ret_removed, struct qpw_error *err);

/* How many of the instance's programs stand at their cgroup, 0 to QPW_OWNER_PROGRAMS; or a negative errno. */
int qpw_owners_count(uint32_t instance);
#define QPW_OWNER_PROGRAMS 3

/* Id of the map `meta` of *k, which names its instance; 0: cannot be asked. */
uint32_t qpw_kernel_instance(const struct qpw_kernel *k);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * owners.h - the programs that note which process creates or connects a socket (bpf/owner.h), at the root of the
 * unified cgroup hierarchy.
 *
 * They coexist with others there (BPF_F_ALLOW_MULTI) and never block a call. Like the interface programs they have no
 * link and no pin, and are found again by their names and by the `meta` map that they share with their instance's other
 * programs.
 */
#ifndef QPW_INSTANCE_OWNERS_H
#define QPW_INSTANCE_OWNERS_H

#include "instance/object.h"

/*
 * Load and attach the missing ones: all of them or, with err filled, none. *cgroup: id of the cgroup that they are
 * attached to, updated if it changes; store it in `meta`, where other commands find it. It is the root unless this
 * process is in a cgroup namespace. Returns 0 or a negative errno.
 */
int qpw_owners_attach(struct qpw_kernel *k, uint64_t *cgroup, struct qpw_error *err);

/*
 * Detach those of one instance (id of its `meta` map) or, with instance 0, those of all instances without an interface
 * program. *ret_removed (may be NULL) counts them. Returns 0, or a negative errno with err filled.
 */
int qpw_owners_detach(uint32_t instance, unsigned *ret_removed, struct qpw_error *err);

/* Count the instance's programs attached to their cgroup, 0 to QPW_OWNER_PROGRAMS; or a negative errno. */
int qpw_owners_count(uint32_t instance);
#define QPW_OWNER_PROGRAMS 3

/* Return the id of the `meta` map of *k, which identifies its instance; 0: unknown. */
uint32_t qpw_kernel_instance(const struct qpw_kernel *k);

#endif

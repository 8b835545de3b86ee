/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cgroup.h - the unified cgroup hierarchy, even if it is not mounted anywhere visible. */
#ifndef QPW_HOST_CGROUP_H
#define QPW_HOST_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Open the root of the hierarchy of this process's cgroup namespace, mounted or not (filesystem.h). Returns a
 * descriptor that the caller closes, or a negative errno.
 */
int qpw_cgroup_root_open(void);

/*
 * Open the cgroup with that id. Returns a descriptor that the caller closes, or a negative errno (-ESTALE: the cgroup
 * is gone).
 */
int qpw_cgroup_open(uint64_t id);

/* Return the id of an open cgroup: QPW_CGROUP_ROOT for the root of the machine's hierarchy, 0 if unknown. */
uint64_t qpw_cgroup_id(int fd);
#define QPW_CGROUP_ROOT 1u

/*
 * Write the path of the cgroup with that id (bpf_get_current_cgroup_id()), from the root: "/system.slice/ssh.service".
 * Returns 0, or a negative errno (-ESTALE: the cgroup is gone). Needs CAP_DAC_READ_SEARCH.
 */
int qpw_cgroup_path(uint64_t id, char *buf, size_t size);

/* Return the id of a process's cgroup in the unified hierarchy; 0: unknown. */
uint64_t qpw_cgroup_of(int pid);

#endif

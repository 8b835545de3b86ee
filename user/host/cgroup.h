/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cgroup.h - the unified cgroup hierarchy, whether or not it is mounted anywhere in sight. */
#ifndef QPW_HOST_CGROUP_H
#define QPW_HOST_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Opens the root of the hierarchy of this process's cgroup namespace, mounted or not (filesystem.h). The caller closes
 * it. A descriptor, or a negative errno.
 */
int qpw_cgroup_root_open(void);

/* Open the cgroup with that id. The caller closes it. A descriptor, or a negative errno (-ESTALE: the cgroup is gone). */
int qpw_cgroup_open(uint64_t id);

/* Id of an open cgroup; QPW_CGROUP_ROOT: the root of the machine's hierarchy. 0: not known. */
uint64_t qpw_cgroup_id(int fd);
#define QPW_CGROUP_ROOT 1u

/*
 * Writes the path of the cgroup with that id (bpf_get_current_cgroup_id()), from the root: "/system.slice/ssh.service".
 * 0, or a negative errno (-ESTALE: the cgroup is gone). Needs CAP_DAC_READ_SEARCH.
 */
int qpw_cgroup_path(uint64_t id, char *buf, size_t size);

/* Id of the cgroup of a process in the unified hierarchy; 0: not known. */
uint64_t qpw_cgroup_of(int pid);

#endif

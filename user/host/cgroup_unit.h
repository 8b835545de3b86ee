/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cgroup_unit.h - the name of a unit or container, from the path of its cgroup. */
#ifndef QPW_HOST_CGROUP_UNIT_H
#define QPW_HOST_CGROUP_UNIT_H

#include <stddef.h>

/*
 * Extract the systemd unit or container from the text of /proc/PID/cgroup (version 1 or 2): "ssh.service", "docker
 * 0123456789ab", "lxc web"; for a user's own units and containers "user@1000.service/nc.service"; otherwise an empty
 * string. Truncated to size.
 */
void qpw_cgroup_unit(const char *text, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* filesystem.h - the kernel's own file systems, even if they are not mounted anywhere visible. */
#ifndef QPW_HOST_FILESYSTEM_H
#define QPW_HOST_FILESYSTEM_H

/*
 * Open the root of the file system of that type ("cgroup2", "tracefs") through a detached mount (fsopen, Linux 5.2),
 * because `ip netns exec` and containers hide what is below /sys. Without CAP_SYS_ADMIN, open the folder `usual` if it
 * is of that file system (`magic`, linux/magic.h), or else duplicate what was opened while this process had the
 * capability. Returns a descriptor that the caller closes, or a negative errno.
 */
int qpw_filesystem_open(const char *type, unsigned long magic, const char *usual);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* filesystem.h - file systems of the kernel, whether or not they are mounted anywhere in sight. */
#ifndef QPW_HOST_FILESYSTEM_H
#define QPW_HOST_FILESYSTEM_H

/*
 * Opens the root of the file system of that type ("cgroup2", "tracefs") through a mount of its own that no path leads to
 * (fsopen, Linux 5.2), since `ip netns exec` and containers hide what is below /sys; without CAP_SYS_ADMIN the folder
 * `usual`, if it is of that file system (`magic`, linux/magic.h), else what it was when this process had that right. The
 * caller closes it. A descriptor, or a negative errno.
 */
int qpw_filesystem_open(const char *type, unsigned long magic, const char *usual);

#endif

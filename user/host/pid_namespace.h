/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pid_namespace.h - translate the number of a process in another pid namespace to this one's. */
#ifndef QPW_HOST_PID_NAMESPACE_H
#define QPW_HOST_PID_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process by its number in its own pid namespace and in this process's. */
struct qpw_pid {
    pid_t own;  /* 0: unknown */
    pid_t here; /* 0: not visible from here, or unknown; then tell nobody to signal `own` */
};

/* Return the inode of this process's pid namespace; 0: unknown, without /proc. */
uint64_t qpw_pid_namespace(void);

/* Return whether /proc belongs to this process's pid namespace; a new namespace may still have its parent's /proc. */
bool qpw_pid_proc_is_ours(void);

/* Find the process that has that number in that pid namespace (0: unknown namespace). here is 0 if it has ended. */
struct qpw_pid qpw_pid_of(pid_t own, uint64_t pid_namespace);

/* Write "pid 12", "process 12 of another pid namespace" or "of an unknown pid" to buf. Returns buf. */
const char *qpw_pid_text(struct qpw_pid pid, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pid_namespace.h - what number a process of another pid namespace has in this one. */
#ifndef QPW_HOST_PID_NAMESPACE_H
#define QPW_HOST_PID_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process, by its number in its own pid namespace and by that in this process's. */
struct qpw_pid {
    pid_t own;  /* 0: not known */
    pid_t here; /* 0: not to be seen from here, or not known: nobody may be told to send a signal to `own` */
};

/* The inode of this process's pid namespace; 0: it cannot be told, without /proc. */
uint64_t qpw_pid_namespace(void);

/* Whether /proc counts processes as this process does: in a pid namespace without a /proc of its own it does not. */
bool qpw_pid_proc_is_ours(void);

/* The process that has that number in that pid namespace (0: it is not known which); one that has ended is not here. */
struct qpw_pid qpw_pid_of(pid_t own, uint64_t pid_namespace);

/* "pid 12", "process 12 of another pid namespace", or "of an unknown pid"; into buf, which is returned. */
const char *qpw_pid_text(struct qpw_pid pid, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * executables.h - the programs that follow which file each process executes (bpf/executable.h), at the kernel's
 * tracepoints sched_process_exec and sched_process_fork.
 *
 * What attaches them is a descriptor of the auditor's: it takes them out when it ends, however it ends. What they noted
 * is believed only while it lives, so each start begins again with the processes that it finds in /proc.
 */
#ifndef QPW_INSTANCE_EXECUTABLES_H
#define QPW_INSTANCE_EXECUTABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "instance/object.h"

struct qpw_executables {
    int event_fd[2];          /* -1: not attached */
    struct qpw_exe_of *slots; /* shared with the programs */
};

/* Nothing attached. */
void qpw_executables_init(struct qpw_executables *e);

/*
 * Loads and attaches both, and enters the processes that live. 0, or a negative errno with err filled and nothing
 * attached: no tracefs, no rights, another layout of its records.
 */
int qpw_executables_attach(struct qpw_kernel *k, struct qpw_executables *e, struct qpw_error *err);

/* Takes them out. Fine where nothing is attached. */
void qpw_executables_detach(struct qpw_kernel *k, struct qpw_executables *e);

/*
 * Where three quarters of the places of paths are taken: frees half of them, those first that no process executes any
 * more and that were executed longest ago.
 */
void qpw_executables_make_room(struct qpw_kernel *k, struct qpw_executables *e);

/* Enters the processes in /proc whose slots others have taken since. */
void qpw_executables_read(struct qpw_kernel *k, struct qpw_executables *e);

/* The key of what the process executes, as it is known now; 0: it is not. */
uint64_t qpw_executables_of(const struct qpw_executables *e, uint32_t tgid);

/* The path behind a note's key into buf; false where there is none. kernel: struct qpw_kernel, see host/sockets.h. */
bool qpw_executable_path(const void *kernel, uint64_t exe, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * executables.h - the programs that follow which file each process executes (bpf/executable.h), at the kernel's
 * tracepoints sched_process_exec and sched_process_fork.
 *
 * They are attached through descriptors of the auditor and so are removed when it ends, however it ends. Their notes
 * are valid only while it lives; each start begins with the processes found in /proc.
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

/* Initialise *e as not attached. */
void qpw_executables_init(struct qpw_executables *e);

/*
 * Load and attach both programs and enter the live processes. Returns 0, or a negative errno with err filled and
 * nothing attached: no tracefs, missing privileges, unknown record layout.
 */
int qpw_executables_attach(struct qpw_kernel *k, struct qpw_executables *e, struct qpw_error *err);

/* Detach both; harmless if they are not attached. */
void qpw_executables_detach(struct qpw_kernel *k, struct qpw_executables *e);

/*
 * Once three quarters of the path entries are used, free the half that was executed longest ago; paths in use are
 * renewed first.
 */
void qpw_executables_make_room(struct qpw_kernel *k, struct qpw_executables *e);

/* Enter the processes in /proc whose slots have been overwritten by others. */
void qpw_executables_read(struct qpw_kernel *k, struct qpw_executables *e);

/* Return the key of the executable of a process; 0: unknown. */
uint64_t qpw_executables_of(const struct qpw_executables *e, uint32_t tgid);

/* Write the path of a note's key to buf. False: unknown. kernel: struct qpw_kernel, as host/sockets.h passes it. */
bool qpw_executable_path(const void *kernel, uint64_t exe, char *buf, size_t size);

#endif

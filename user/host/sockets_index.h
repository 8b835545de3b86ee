/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets_index.h - which process holds which socket, as /proc has it; internal to sockets*.c. */
#ifndef QPW_HOST_SOCKETS_INDEX_H
#define QPW_HOST_SOCKETS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qpw_socket_owner {
    uint32_t inode;
    int pid;
};

struct qpw_process_index {
    struct qpw_socket_owner *owners; /* by inode, the preferred process first */
    size_t count;
    uint64_t started_ns;
    uint64_t ended_ns;   /* 0: never read */
    uint64_t begun_cpu_ns; /* CPU time of this thread at the start */
    uint64_t taken_ns;   /* CPU time of the last reading */
    int64_t credit_ns;   /* CPU time that may still be spent on readings, as of ended_ns */
    bool complete;       /* it saw everything */
};

/* Reads the sockets of all processes, by the helper that may (proc_reader.h) or else as far as this process may. */
void qpw_index_read(struct qpw_process_index *index);

/* The same of one process and those that descend from it, some dozens at most: never complete. */
void qpw_index_read_family(struct qpw_process_index *index, int pid);

/* The place of the first that holds it, index->count: none. */
size_t qpw_index_place(const struct qpw_process_index *index, uint32_t inode);

/* The process that holds it, 0: none. */
int qpw_index_search(const struct qpw_process_index *index, uint32_t inode);

#endif

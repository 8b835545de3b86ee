/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets_index.h - which process holds which socket, from /proc; internal to sockets*.c. */
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
    struct qpw_socket_owner *owners; /* sorted by inode, preferred process first */
    size_t count;
    uint64_t started_ns;
    uint64_t ended_ns;   /* 0: never read */
    uint64_t begun_cpu_ns; /* this thread's CPU time at the start */
    uint64_t taken_ns;   /* CPU time that the last reading took */
    int64_t credit_ns;   /* CPU time left for readings, as of ended_ns */
    bool complete;       /* every process was fully readable */
};

/* Read the sockets of all processes: through the helper (proc_reader.h), otherwise as far as this process may. */
void qpw_index_read(struct qpw_process_index *index);

/* The same for one process and its descendants, some dozens at most; never complete. */
void qpw_index_read_family(struct qpw_process_index *index, int pid);

/* Return the index of the first owner of that inode; index->count: none. */
size_t qpw_index_find(const struct qpw_process_index *index, uint32_t inode);

/* Return the preferred process that holds that inode; 0: none. */
int qpw_index_search(const struct qpw_process_index *index, uint32_t inode);

#endif

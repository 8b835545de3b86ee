/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * proc_reader.h - a helper (helper.h) that looks into processes of all users, so that this process can do without that
 * right.
 *
 * It keeps CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH. Once it is in use, the functions of process.h, sockets.h,
 * executable.h and cgroup.h ask it. While it does not answer they look themselves and find as much as this process may
 * still see; what they cannot read counts as unknown, never as absent.
 */
#ifndef QPW_HOST_PROC_READER_H
#define QPW_HOST_PROC_READER_H

#include "host/helper.h"

/* Start the helper, once per process. Returns 0, or a negative errno with err filled. */
int qpw_proc_reader_start(struct qpw_error *err);
void qpw_proc_reader_stop(void);

/* Ask the helper from now on. */
void qpw_proc_reader_use(void);

/* As qpw_helper_change(); QPW_HELPER_SAME if no helper is in use. */
enum qpw_helper_change qpw_proc_reader_change(unsigned *ret_restarts);

/* ---- For the functions that ask the helper and those that answer in it; internal to host/ ---- */

enum qpw_proc_question {
    QPW_PROC_DESCRIBE, /* pid: struct qpw_process */
    /* Pid, 0 for all: the sockets held by it and its descendants, as parts; then the reading's figures. */
    QPW_PROC_SOCKETS,
    QPW_PROC_SAME,     /* struct qpw_proc_namespace: whether they share the namespace */
    QPW_PROC_TEXT,     /* struct qpw_proc_file: the text */
    QPW_PROC_EXE,      /* pid: the path */
    QPW_PROC_WHOLE,    /* whether it sees all processes */
    QPW_PROC_CGROUP_PATH, /* id: the path */
    QPW_PROC_CGROUP_OPEN, /* id: a descriptor */
    QPW_PROC_RESOLVE,  /* struct qpw_proc_path: the resolved path */
};

struct qpw_proc_namespace {
    int pid;
    char kind[8]; /* "user" */
};

struct qpw_proc_file {
    int pid;
    char name[16]; /* "status" */
};

/* Ask the helper. False: none in use, or it does not answer. */
bool qpw_proc_ask(enum qpw_proc_question what, const void *question, size_t size, struct qpw_helper_reply *reply);

int qpw_proc_answer_sockets(struct qpw_helper_work *work);
int qpw_proc_answer_resolve(struct qpw_helper_work *work);

#endif

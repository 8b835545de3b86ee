/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * proc_reader.h - a helper (helper.h) that looks into processes of all users, so that this process need not be able to.
 *
 * It keeps CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH. The functions of process.h, sockets.h, executable.h and cgroup.h ask
 * it once it is in use; while it does not answer they look themselves, and find as much as this process may still see:
 * what they cannot read is unknown to them, never absent.
 */
#ifndef QPW_HOST_PROC_READER_H
#define QPW_HOST_PROC_READER_H

#include "host/helper.h"

/* Starts it, once a process. 0, or a negative errno with err filled. */
int qpw_proc_reader_start(struct qpw_error *err);
void qpw_proc_reader_stop(void);

/* From now on it is asked. */
void qpw_proc_reader_use(void);

/* See helper.h. QPW_HELPER_SAME where none is in use. */
enum qpw_helper_news qpw_proc_reader_news(unsigned *ret_restarts);

/* ---- For the functions that ask it, and those that answer in it; used within host/ only ---- */

enum qpw_proc_question {
    QPW_PROC_DESCRIBE, /* pid: struct qpw_process */
    QPW_PROC_SOCKETS,  /* pid, 0: all: which sockets it and its descendants hold: parts, then the figures of the reading */
    QPW_PROC_SAME,     /* struct qpw_proc_namespace: whether they share it */
    QPW_PROC_TEXT,     /* struct qpw_proc_file: the text */
    QPW_PROC_EXE,      /* pid: the path */
    QPW_PROC_WHOLE,    /* whether it sees all processes */
    QPW_PROC_CGROUP_PATH, /* id: the path */
    QPW_PROC_CGROUP_OPEN, /* id: a descriptor */
    QPW_PROC_RESOLVE,  /* struct qpw_proc_path: where it leads to */
};

struct qpw_proc_namespace {
    int pid;
    char kind[8]; /* "user" */
};

struct qpw_proc_file {
    int pid;
    char name[16]; /* "status" */
};

/* False: it is not in use, or does not answer. */
bool qpw_proc_ask(enum qpw_proc_question what, const void *question, size_t size, struct qpw_helper_reply *reply);

int qpw_proc_answer_sockets(struct qpw_helper_work *work);
int qpw_proc_answer_resolve(struct qpw_helper_work *work);

#endif

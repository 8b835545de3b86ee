/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process.h - describe a process from /proc. All texts are free of control characters. */
#ifndef QPW_HOST_PROCESS_H
#define QPW_HOST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a socket's process was found. X(symbol, "name") */
#define QPW_MATCHES(X) \
    X(NONE, "unknown")      /* not searched (no ports), or see qpw_process.why */ \
    X(EXACT, "exact")       /* holds this very socket */ \
    X(CREATED, "created")   /* created or connected the socket; may have ended or passed it on since */ \
    X(LISTENER, "listener") /* holds the socket bound to the local port */ \
    X(GONE, "gone")         /* the socket is gone, or its process closed it */ \
    X(KERNEL, "kernel")     /* held by no process: nfsd, rpc, a tunnel */
#define QPW_X_MATCH(s, n) QPW_MATCH_##s,
enum qpw_match { QPW_MATCHES(QPW_X_MATCH) QPW_MATCH_COUNT };
const char *qpw_match_name(unsigned value);

struct qpw_process {
    enum qpw_match match;
    int pid;          /* 0: none (GONE, KERNEL, NONE) */
    int parent_pid;   /* 0: unknown */
    uint32_t uid;     /* the process's; for KERNEL, the socket's */
    uint64_t started_unix_ns; /* 0: unknown */
    char name[32];    /* comm */
    char parent[32];  /* its parent's comm */
    char user[64];    /* from the user database, or the number */
    /*
     * Target of /proc/PID/exe; "(user namespace) PATH" or "(mount namespace) PATH" if a private namespace of that kind
     * could have forged it, the latter only if PATH is another file here and the process is in no container; `ended`:
     * the path given to execve(2), or empty.
     */
    char exe[256];
    uint64_t exe_device, exe_inode; /* of the executable; both 0: unknown, as for an ended process */
    bool exe_replaced; /* the file is gone, and only another mount namespace vouches for `exe` */
    char unit[128];   /* systemd unit ("nfs-server.service"), container ("docker 0123456789ab"), or empty */
    bool ended;       /* gone; described by what was noted in time */
    const char *why;  /* match NONE: the reason, static; NULL: not given */
    bool container;   /* `unit` names a container */
    char command[256]; /* arguments separated by blanks; may be truncated */
};

/*
 * Fill everything but `match`. False if the process has ended or is exiting without memory; *p is then partly filled.
 */
bool qpw_process_describe(int pid, struct qpw_process *p);

/*
 * Return whether a process shares that namespace ("user", "pid", "net") with this one: 1, 0, or a negative errno if
 * unknown (-EXDEV: /proc belongs to another pid namespace).
 */
int qpw_process_shares(int pid, const char *namespace);

/*
 * Read /proc/PID/FILE ("status", "stat", "loginuid"), truncated to size and NUL-terminated. Returns the length, or a
 * negative errno with an empty text.
 */
int qpw_process_text(int pid, const char *file, char *buf, size_t size);

/* Read the target of /proc/PID/exe, truncated to size, not NUL-terminated. Returns the length, or a negative errno. */
int qpw_process_exe(int pid, char *buf, size_t size);

/* Write a user's name from /etc/passwd, or the number; never queries a directory server. */
void qpw_user_name(uint32_t uid, char *buf, size_t size);

/*
 * Return whether /proc shows every process of this machine and this process may inspect them. Only then does "no
 * process holds it" mean that the kernel does; false in a pid namespace, with hidepid, or without CAP_SYS_PTRACE.
 */
bool qpw_proc_is_whole(void);

/* Return whether pids here equal those that the BPF programs note, that is, in the initial pid namespace. */
bool qpw_proc_is_initial(void);

#endif

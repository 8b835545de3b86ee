/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* process.h - what /proc says of one process. Every text is free of control characters. */
#ifndef QPW_HOST_PROCESS_H
#define QPW_HOST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a socket's process was found. X(symbol, "name") */
#define QPW_MATCHES(X) \
    X(NONE, "unknown")      /* not looked for (protocol without ports), or see qpw_process.why */ \
    X(EXACT, "exact")       /* holds the very socket of the exchange */ \
    X(CREATED, "created")   /* made or connected the socket; it may have ended or passed it on since */ \
    X(LISTENER, "listener") /* holds the socket bound to the local port */ \
    X(GONE, "gone")         /* no socket any more, or its process closed it */ \
    X(KERNEL, "kernel")     /* a socket that no process holds: nfsd, rpc, a tunnel */
#define QPW_X_MATCH(s, n) QPW_MATCH_##s,
enum qpw_match { QPW_MATCHES(QPW_X_MATCH) QPW_MATCH_COUNT };
const char *qpw_match_name(unsigned value);

struct qpw_process {
    enum qpw_match match;
    int pid;          /* 0: none (GONE, KERNEL, NONE) */
    int parent_pid;   /* 0: unknown */
    uint32_t uid;     /* the process's, or for KERNEL the socket's */
    uint64_t started_unix_ns; /* 0: unknown */
    char name[32];    /* comm */
    char parent[32];  /* its parent's comm */
    char user[64];    /* from the user database; the number where it has no name */
    char exe[256];    /* target of /proc/PID/exe; "(user namespace) PATH" or "(mount namespace) PATH" where it may be any
                         path, for the process is in one of its own, of the latter only where PATH is another file here
                         and it is in no container; `ended`: what was given to execve(2), or empty */
    uint64_t exe_device, exe_inode; /* the file itself; both 0: not known, as of an ended one */
    bool exe_replaced; /* the file is no more, and that it was what `exe` says only another mount namespace does */
    char unit[128];   /* systemd unit ("nfs-server.service") or container ("docker 0123456789ab"), or empty */
    bool ended;       /* not there any more: only what was noted in time is known of it */
    const char *why;  /* match NONE: why, static; NULL: not said */
    bool container;   /* `unit` names a container */
    char command[256]; /* command line, arguments separated by blanks; may be cut */
};

/* Fills everything but `match`. False if the process has ended or is about to, with no memory left; *p is then partly filled. */
bool qpw_process_describe(int pid, struct qpw_process *p);

/*
 * Whether it is in that namespace of this process ("user", "pid", "net"): 1 or 0, or a negative errno: unknown; -EXDEV: /proc
 * is of another pid namespace.
 */
int qpw_process_shares(int pid, const char *namespace);

/*
 * The text of /proc/PID/FILE ("status", "stat", "loginuid") with a zero behind it, cut to size. Its length, or a negative
 * errno with an empty text.
 */
int qpw_process_text(int pid, const char *file, char *buf, size_t size);

/* The target of /proc/PID/exe, cut to size, without a zero behind it. Its length, or a negative errno. */
int qpw_process_exe(int pid, char *buf, size_t size);

/* Name of a user from /etc/passwd, or the number; never asks a directory server. */
void qpw_user_name(uint32_t uid, char *buf, size_t size);

/*
 * Extract the systemd unit or the container from the text of /proc/PID/cgroup (either version of
 * cgroups): "ssh.service", "docker 0123456789ab", "lxc web", of a user's own units and containers
 * "user@1000.service/nc.service", or an empty string. Cut to size.
 */
void qpw_cgroup_unit(const char *text, char *buf, size_t size);

/*
 * True if /proc shows every process of this machine and this process may look into them. Only then does
 * "no process holds it" mean that the kernel does: not in a pid namespace, with hidepid, without CAP_SYS_PTRACE.
 */
bool qpw_proc_is_whole(void);

/* True if numbers of processes are those that the kernel side notes: in the initial pid namespace. */
bool qpw_proc_is_initial(void);

#endif

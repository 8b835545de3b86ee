/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * confine.h - which system calls a process may still make (seccomp), and which files it may still write (Landlock). A call
 * that is not listed fails with ENOSYS, so that the C library falls back to what is. There is no way back.
 */
#ifndef QPW_HOST_CONFINE_H
#define QPW_HOST_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For a helper that only reads files (helper.h): open for reading, read, list, follow links; no memory that can be
 * executed, no network, no program, no other process. supervisor: also what starts and ends a child. 0 or a negative errno.
 */
int qpw_confine_reader(bool supervisor);

/*
 * For a helper that opens programs and maps by their ids: reads files, asks and changes hooks by netlink and bpf(2), enters
 * network namespaces; of bpf(2) only what looks up, queries and detaches. No memory that can be executed, no program, no
 * file written. supervisor: as above. 0 or a negative errno.
 */
int qpw_confine_looker(bool supervisor);

/*
 * For the auditor, all its threads, once it is attached: what files, sockets, clocks and children take; of bpf(2) what loads
 * and attaches and what works on descriptors, nothing that opens by id or pins. No tracing, mounting, namespaces, modules,
 * keys or changes of user; no memory that is both written and executed. 0 or a negative errno.
 */
int qpw_confine_auditor(void);

/*
 * For a process that reads what strangers wrote: opens files for reading, writes to what is open; threads, no memory both
 * written and executed, no network, no program. 0 or a negative errno.
 */
int qpw_confine_parser(void);

/* The same for one that replays a capture: of bpf(2) test runs, and entries of maps by their descriptors. */
int qpw_confine_replay(void);

/*
 * For the process that runs commands which only read, and these commands: as the auditor, but of bpf(2) nothing but looking up,
 * also by id, and querying; no other network namespace. Files are opened for writing as well, and limited by
 * qpw_confine_files(). 0 or a negative errno.
 */
int qpw_confine_server(void);

/*
 * For a process that keeps files: what reading and writing them takes, and speaking over a socket that it has; no thread, no other
 * process, no network, no bpf(2), no program, no memory that can be executed. 0 or a negative errno.
 */
int qpw_confine_writer(void);

/*
 * Where the kernel has Landlock (5.13): from now on nothing is written, made or removed but below those folders, nothing
 * executed but this program, no TCP port bound, and none connected to but rpcbind's (111) unless `connects` (6.7). Reading is not limited. What
 * a folder or file is a symbolic link to counts; one that is not there yet is made below its nearest parent.
 * folders: NULL leaves writing as it is. The version of Landlock's interface; 0: the kernel has none; or a negative errno.
 */
int qpw_confine_files(const char *const *folders, size_t n, bool connects);

/* The version of Landlock's interface, 0: this kernel has none. */
int qpw_landlock_version(void);

#endif

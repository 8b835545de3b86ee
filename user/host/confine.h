/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * confine.h - limit the system calls that a process may make (seccomp) and the files that it may write (Landlock),
 * irrevocably. A call that is not listed fails with ENOSYS, so that the C library falls back to one that is.
 */
#ifndef QPW_HOST_CONFINE_H
#define QPW_HOST_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Confine a helper that only reads files (helper.h): open for reading, read, list, follow links; no executable memory,
 * no network, no program, no other process. supervisor: also allow starting and killing a child. Returns 0 or a
 * negative errno.
 */
int qpw_confine_reader(bool supervisor);

/*
 * Confine a helper that opens programs and maps by id: it reads files, queries and changes hooks through netlink and
 * bpf(2), and enters network namespaces; of bpf(2) it may only look up, query and detach. No executable memory, no
 * program, no file written. supervisor: as above. Returns 0 or a negative errno.
 */
int qpw_confine_lookup_helper(bool supervisor);

/*
 * Confine all threads of the auditor once it is attached: files, sockets, clocks and children are allowed; of bpf(2),
 * loading, attaching and whatever works on descriptors, but nothing that opens by id or pins. No tracing, mounting,
 * namespaces, modules, keys or changes of user; no memory that is both writable and executable. Returns 0 or a negative
 * errno.
 */
int qpw_confine_auditor(void);

/*
 * Confine a process that parses untrusted input: it opens files for reading and writes to open descriptors; threads are
 * allowed; no memory that is both writable and executable, no network, no program. Returns 0 or a negative errno.
 */
int qpw_confine_parser(void);

/*
 * Confine a process that replays a capture: as qpw_confine_parser(), plus BPF test runs and map elements by descriptor.
 */
int qpw_confine_replay(void);

/*
 * Confine the process that runs read-only commands, and these commands: as the auditor, but of bpf(2) only looking up,
 * by id too, and querying; no other network namespace. Files may be opened for writing, within qpw_confine_files().
 * Returns 0 or a negative errno.
 */
int qpw_confine_server(void);

/*
 * Confine a process that keeps files: it reads and writes them and uses a socket that it already has; no thread, no
 * other process, no network, no bpf(2), no program, no executable memory. Returns 0 or a negative errno.
 */
int qpw_confine_writer(void);

/*
 * Confine the process that meets other hosts: files, unix and IP sockets, TLS; no thread, no other process, no program, no signal to
 * another, no bpf(2), no executable memory. Returns 0 or a negative errno.
 */
int qpw_confine_network(void);

enum qpw_tcp {
    QPW_TCP_RPCBIND, /* bind no port, connect only to rpcbind's (111) */
    QPW_TCP_CONNECT, /* bind no port */
    QPW_TCP_ANY
};

/*
 * With Landlock (Linux 5.13): from now on, write, create and remove only below `folders`, execute only this program, and
 * use TCP as `tcp` says (ports need Linux 6.7). Reading stays
 * unrestricted. Symbolic links are resolved; a folder that does not exist yet stands for its nearest existing parent.
 * folders NULL: writing stays unrestricted.
 * Returns the Landlock ABI version, 0 if the kernel has none, or a negative errno.
 */
int qpw_confine_files(const char *const *folders, size_t n, enum qpw_tcp tcp);

/* Return the Landlock ABI version; 0 if the kernel has none. */
int qpw_landlock_version(void);

#endif

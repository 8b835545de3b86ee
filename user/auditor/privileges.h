/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* privileges.h - what the auditor keeps of root's powers once it is attached. */
#ifndef QPW_AUDITOR_PRIVILEGES_H
#define QPW_AUDITOR_PRIVILEGES_H

/*
 * Keeps: CAP_NET_ADMIN (hooks, netlink, sock_diag), CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN (maps; map
 * and program ids need the last), CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH (whose socket it is, policy
 * files), CAP_DAC_OVERRIDE (a log directory of another user). Gives up all others, and any gain through
 * what might be executed. Failure is no error: the process then works on as root.
 */
void qpw_privileges_drop(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * executable.h - which file each process executes: noted at execve(2) and inherited at fork(2), for processes that have
 * ended before anybody can ask /proc.
 *
 * The kernel's tracepoints give both as records whose layout tracefs describes; user space reads it at load, so neither
 * kernel headers nor BTF are needed. A raw tracepoint would give pointers to structures of the kernel instead.
 */
#ifndef QPW_BPF_EXECUTABLE_H
#define QPW_BPF_EXECUTABLE_H

#include "maps.h"
#include "tag.h"

#define QPW_DATA_LOC 0xffffu /* of a __data_loc field: where in the record the text is */

static __always_inline __u64 *qpw_exe_slot(__u32 tgid)
{
    __u32 zero = 0;
    struct qpw_exe_of *table = bpf_map_lookup_elem(&exe_of, &zero);

    return table ? &table->slot[tgid & (QPW_EXE_SLOTS - 1)] : 0;
}

/* Return the key in `exes` of the file that the process executes, or 0. */
static __always_inline __u64 qpw_exe_get(__u32 tgid, int *ret_evicted)
{
    __u64 *slot = qpw_exe_slot(tgid), word = slot ? *(volatile __u64 *)slot : 0;

    *ret_evicted = (word & QPW_EXE_TGID) != tgid;
    return *ret_evicted ? 0 : word & ~QPW_EXE_TGID;
}

static __always_inline void qpw_exe_put(__u32 tgid, __u64 exe)
{
    __u64 *slot = qpw_exe_slot(tgid);

    if (slot)
        *(volatile __u64 *)slot = exe | tgid;
}

/* Return the same for the current process; 0 without an auditor, because the slot may then be out of date. */
static __always_inline __u64 qpw_exe_current(__u32 tgid, __u64 now)
{
    int evicted;
    __u64 exe;

    if (!(control.flags & QPW_CONTROL_EXECUTABLES) ||
        (__s64)(now - control.heartbeat_ns) > (__s64)QPW_EXE_STALE_NS)
        return 0;
    exe = qpw_exe_get(tgid, &evicted);
    if (evicted)
        qpw_stat(QPW_LOSS_EXECUTABLE_EVICTED);
    return exe;
}

/* Enter the path of e, whose bytes behind its end are zero. Returns its key, or 0 if there is no room. */
static __always_inline __u64 qpw_exe_enter(const struct qpw_exe *e)
{
    __u64 key = qpw_exe_key(config.secret, e);
    struct qpw_exe *known = bpf_map_lookup_elem(&exes, &key);

    if (known) {
        known->last_ns = e->last_ns;
        return key;
    }
    if (bpf_map_update_elem(&exes, &key, e, BPF_ANY))
        return 0;
    return key;
}

#endif

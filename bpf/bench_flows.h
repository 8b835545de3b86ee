/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bench_flows.h - what the wrapper of bench.bpf.c writes into a frame, packet after packet. Shared by both sides. */
#ifndef QPW_BPF_BENCH_FLOWS_H
#define QPW_BPF_BENCH_FLOWS_H

#include <linux/types.h>

#define QPW_FLOWS_NET 0x0a000000u /* 10.0.0.0/8: the remote addresses */
#define QPW_FLOWS_PORT_BITS 6     /* so many of a flow's number choose the remote port, the rest its address */
#define QPW_FLOWS_PORT 32768u

enum qpw_bench_flows_kind {
    QPW_FLOWS_NONE = 0,
    QPW_FLOWS_REMOTE_SENDS,    /* remote address and port are the source */
    QPW_FLOWS_REMOTE_RECEIVES, /* … the destination */
    QPW_FLOWS_SCAN,            /* destination port alone */
    QPW_FLOWS_SCAN_NEW,        /* destination port, and another source with each 65,536 */
};

/* Per CPU: the next flow's number, running from first to first + count - 1 and over again. */
struct qpw_bench_flows {
    __u32 next;
    __u32 first;
    __u32 count;
    __u32 kind;
    __u32 ifindex; /* bench_send: where the frames leave */
    __u32 owned;   /* the socket of the test run is noted as a process's */
};
_Static_assert(sizeof(struct qpw_bench_flows) % 8 == 0, "per-CPU values are that far apart");

#endif

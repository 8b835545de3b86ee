/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The floors that `bench` measures against, and the wrapper that makes many flows out of one frame.
 * Nothing here is ever attached to an interface, except for the empty XDP program of the live measurement.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench_flows.h"
#include "qportwatch.h"

struct count {
    __u64 packets;
    __u64 bytes;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 65536);
    __type(key, __u32);
    __type(value, struct count);
} bench_array SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __uint(max_entries, 1024);
    __type(key, __u32);
    __type(value, struct count);
} bench_hash SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct qpw_bench_flows);
} bench_flows SEC(".maps");

/* The control page of the programs under test. */
struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct qpw_owner);
} owners SEC(".maps");

/* The program under test, one for each type: a program array belongs to one type. */
#define PROGRAM_ARRAY(map_name) \
    struct { \
        __uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
        __uint(max_entries, 1); \
        __type(key, __u32); \
        __type(value, __u32); \
    } map_name SEC(".maps")
PROGRAM_ARRAY(bench_xdp);
PROGRAM_ARRAY(bench_tc);

/* Return the port that an IPv4 TCP packet goes to with its protocol above; 0: another packet. */
static __always_inline __u32 service(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    struct ethhdr *eth = data;
    struct iphdr *ip = (void *)(eth + 1);
    struct tcphdr *tcp;

    if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl < 5 || ip->protocol != IPPROTO_TCP)
        return 0;
    tcp = (void *)ip + ip->ihl * 4;
    if ((void *)(tcp + 1) > end)
        return 0;
    return bpf_ntohs(tcp->dest);
}

SEC("xdp")
int bench_pass(struct xdp_md *ctx)
{
    return XDP_PASS;
}

SEC("xdp")
int bench_count_array(struct xdp_md *ctx)
{
    __u32 port = service(ctx);
    struct count *c = bpf_map_lookup_elem(&bench_array, &port);

    if (c) {
        c->packets++;
        c->bytes += ctx->data_end - ctx->data;
    }
    return XDP_PASS;
}

SEC("xdp")
int bench_count_hash(struct xdp_md *ctx)
{
    __u32 port = service(ctx);
    struct count *c = bpf_map_lookup_elem(&bench_hash, &port);

    if (c) {
        c->packets++;
        c->bytes += ctx->data_end - ctx->data;
    }
    return XDP_PASS;
}

/* Write the n-th flow's addresses and ports into an Ethernet frame with an IPv4 header without options. */
static __always_inline void rewrite(void *data, void *end)
{
    __u32 zero = 0, n, host, *address;
    struct qpw_bench_flows *f = bpf_map_lookup_elem(&bench_flows, &zero);
    struct ethhdr *eth = data;
    struct iphdr *ip = (void *)(eth + 1);
    __be16 *ports = (void *)(ip + 1);

    if (!f || (void *)(ports + 2) > end)
        return;
    n = f->next++;
    if (f->next - f->first >= f->count)
        f->next = f->first;
    if (f->kind == QPW_FLOWS_REMOTE_SENDS || f->kind == QPW_FLOWS_REMOTE_RECEIVES) {
        host = bpf_htonl(QPW_FLOWS_NET | (n >> QPW_FLOWS_PORT_BITS & 0xffffff));
        address = f->kind == QPW_FLOWS_REMOTE_SENDS ? &ip->saddr : &ip->daddr;
        *address = host;
        ports[f->kind == QPW_FLOWS_REMOTE_SENDS ? 0 : 1] =
            bpf_htons(QPW_FLOWS_PORT + (n & ((1 << QPW_FLOWS_PORT_BITS) - 1)));
    } else {
        ports[1] = bpf_htons((__u16)n);
        if (f->kind == QPW_FLOWS_SCAN_NEW)
            ip->saddr = bpf_htonl(QPW_FLOWS_NET | (n >> 16 & 0xffff));
    }
}

SEC("xdp")
int bench_wrap_xdp(struct xdp_md *ctx)
{
    rewrite((void *)(long)ctx->data, (void *)(long)ctx->data_end);
    bpf_tail_call(ctx, &bench_xdp, 0);
    return XDP_PASS;
}

SEC("xdp")
int bench_send(struct xdp_md *ctx)
{
    __u32 zero = 0;
    struct qpw_bench_flows *f = bpf_map_lookup_elem(&bench_flows, &zero);

    rewrite((void *)(long)ctx->data, (void *)(long)ctx->data_end);
    return f ? bpf_redirect(f->ifindex, 0) : XDP_ABORTED;
}

SEC("tc")
int bench_empty(struct __sk_buff *skb)
{
    return TC_ACT_UNSPEC;
}

/* Note the socket that a test run gives its frames as one that a process has made: once, with the first of them. */
static __always_inline void note_owner(struct __sk_buff *skb)
{
    __u32 zero = 0;
    struct qpw_bench_flows *f = bpf_map_lookup_elem(&bench_flows, &zero);
    struct bpf_sock *sk = skb->sk;
    struct qpw_owner *o;

    sk = f && f->owned && sk ? bpf_sk_fullsock(sk) : 0;
    o = sk ? bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE) : 0;
    if (o) {
        o->tgid = 1;
        o->how = QPW_OWNER_CREATED;
        f->owned = 0;
    }
}

SEC("tc")
int bench_wrap_tc(struct __sk_buff *skb)
{
    note_owner(skb);
    rewrite((void *)(long)skb->data, (void *)(long)skb->data_end);
    bpf_tail_call(skb, &bench_tc, 0);
    return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "Dual BSD/GPL";

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bench/live.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <netinet/in.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/clock.h"
#include "util/cleanup.h"

#define SENDER "qpwbench0"
#define RECEIVER "qpwbench1"
#define LIVE_ROUNDS 5
#define LIVE_REPEAT 400000u
#define LIVE_WARM 100000u
#define LIVE_IFACE 2 /* number of the receiving interface; other test runs have 1 */

struct live {
    struct qpw_bench_rig *rig;
    struct qpw_bench_live *ret;
    struct qpw_error *err;
    int r;
    unsigned receiver;
};

QPW_CLEANUP_POINTER(struct mnl_socket, mnl_socket_close)

/* Send a request to the kernel and wait for its acknowledgement. Returns 0 or a negative errno. */
static int ask_kernel(const struct nlmsghdr *request)
{
    QPW_CLEANUP(mnl_socket_closep) struct mnl_socket *s = mnl_socket_open(NETLINK_ROUTE);
    char buf[1024];
    ssize_t n;

    if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(s, request, request->nlmsg_len) < 0)
        return -errno;
    n = mnl_socket_recvfrom(s, buf, sizeof(buf));
    if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(s), NULL, NULL) < 0)
        return -errno;
    return 0;
}

static int make_pair(struct qpw_error *err)
{
    char buf[1024];
    struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
    struct nlattr *info, *data, *peer;
    int r;

    h->nlmsg_type = RTM_NEWLINK;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(h, IFLA_IFNAME, SENDER);
    info = mnl_attr_nest_start(h, IFLA_LINKINFO);
    mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
    data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
    peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
    mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
    mnl_attr_put_strz(h, IFLA_IFNAME, RECEIVER);
    mnl_attr_nest_end(h, peer);
    mnl_attr_nest_end(h, data);
    mnl_attr_nest_end(h, info);
    r = ask_kernel(h);
    return r < 0 ? qpw_fail(err, r, "cannot make a veth pair for the live measurement: %s", strerror(-r)) : 0;
}

static int set_up(const char *name, struct qpw_error *err)
{
    struct ifreq request = {.ifr_flags = IFF_UP};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r = 0;

    memcpy(request.ifr_name, name, strlen(name));
    if (s < 0 || ioctl(s, SIOCSIFFLAGS, &request) < 0)
        r = qpw_fail(err, -errno, "cannot set '%s' up: %s", name, strerror(errno));
    if (s >= 0)
        close(s);
    return r;
}

/* Return the packets counted by the receiving device; 0 if unreadable. */
static uint64_t received(void)
{
    unsigned long long bytes, packets = 0;
    char line[512], *at;
    FILE *f = fopen("/proc/thread-self/net/dev", "re");

    while (f && fgets(line, sizeof(line), f)) {
        at = strstr(line, RECEIVER ":");
        if (at && sscanf(at + strlen(RECEIVER ":"), "%llu %llu", &bytes, &packets) == 2)
            break;
    }
    if (f)
        fclose(f);
    return packets;
}

static int send_live(struct live *l, uint32_t repeat)
{
    struct qpw_bench_packet p = {.protocol = IPPROTO_TCP, .remote4 = QPW_BENCH_REMOTE4, .payload = true,
                                 .local_port = QPW_BENCH_TCP_PORT, .tcp_flags = 0x18, .seq = 1001, .ack = 2001};
    struct qpw_bench_frame frame;
    LIBBPF_OPTS(bpf_test_run_opts, run, .repeat = (int)repeat, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

    qpw_bench_build(&p, &frame);
    run.data_in = frame.data;
    run.data_size_in = frame.length;
    if (bpf_prog_test_run_opts(l->rig->floor_fd[QPW_FLOOR_SEND], &run) < 0)
        return qpw_fail(l->err, -errno, "cannot send live frames (Linux 5.18 is needed): %s", strerror(errno));
    return 0;
}

/* Measure packets per second with that program on the receiving device. */
static int measure(struct live *l, int prog_fd, double *ret_pps)
{
    uint64_t packets, start;
    int r = bpf_xdp_attach((int)l->receiver, prog_fd, XDP_FLAGS_DRV_MODE, NULL);

    if (r < 0)
        return qpw_fail(l->err, r, "cannot attach XDP to the veth pair: %s", strerror(-r));
    r = send_live(l, LIVE_WARM);
    if (r == 0) {
        packets = received();
        start = qpw_clock_monotonic_ns();
        r = send_live(l, LIVE_REPEAT);
        *ret_pps = (double)(received() - packets) * 1e9 / (double)(qpw_clock_monotonic_ns() - start);
    }
    bpf_xdp_detach((int)l->receiver, XDP_FLAGS_DRV_MODE, NULL);
    return r;
}

static int measure_both(struct live *l)
{
    struct qpw_bench_samples empty = {0}, audit = {0};
    int r;

    for (int i = 0; i < LIVE_ROUNDS; i++) {
        r = measure(l, l->rig->floor_fd[QPW_FLOOR_PASS], &empty.ns[empty.n++]);
        if (r == 0)
            r = measure(l, l->rig->kernel.prog_fd[QPW_PROG_qpw_xdp_rx], &audit.ns[audit.n++]);
        qpw_bench_drain(l->rig);
        if (r < 0)
            return r;
    }
    *l->ret = (struct qpw_bench_live){true, qpw_bench_median(&empty), qpw_bench_median(&audit)};
    return 0;
}

static int measure_here(struct live *l)
{
    struct qpw_bench_flows flows = {.count = QPW_BENCH_FLOWS, .kind = QPW_FLOWS_REMOTE_SENDS};
    struct qpw_iface iface = {.number = LIVE_IFACE, .mac = {2, 0, 0, 0, 0, 1}};
    int r;

    if (unshare(CLONE_NEWNET) < 0)
        return qpw_fail(l->err, -errno, "cannot make a network namespace: %s", strerror(errno));
    r = make_pair(l->err);
    if (r < 0)
        return r;
    r = set_up(SENDER, l->err);
    if (r < 0)
        return r;
    r = set_up(RECEIVER, l->err);
    if (r < 0)
        return r;
    iface.ifindex = if_nametoindex(RECEIVER);
    l->receiver = iface.ifindex;
    flows.ifindex = if_nametoindex(SENDER);
    r = qpw_kernel_set_iface(&l->rig->kernel, &iface);
    if (r < 0)
        return qpw_fail(l->err, r, "cannot write the interface into the kernel: %s", strerror(-r));
    r = qpw_bench_wrap(l->rig, /* tc= */ false, l->rig->floor_fd[QPW_FLOOR_PASS], &flows, l->err);
    if (r < 0)
        return r;
    return measure_both(l);
}

/* Run in a separate thread, so that the namespace is removed with it. */
static void *in_namespace(void *argument)
{
    struct live *l = argument;

    l->r = measure_here(l);
    return NULL;
}

int qpw_bench_run_live(struct qpw_bench_rig *rig, struct qpw_bench_live *ret, struct qpw_error *err)
{
    struct live l = {.rig = rig, .ret = ret, .err = err};
    pthread_t thread;
    int r = 0;

    for (size_t i = 0; i < qpw_bench_n_cases && !r; i++)
        if (qpw_bench_cases[i].what == QPW_DO_FLOWS) {
            r = qpw_bench_prime(rig, &qpw_bench_cases[i], err);
            break;
        }
    if (r)
        return r;
    r = -pthread_create(&thread, NULL, in_namespace, &l);
    if (r)
        return qpw_fail(err, r, "cannot start a thread: %s", strerror(-r));
    pthread_join(thread, NULL);
    return l.r;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The exported nftables ruleset in a namespace: it accepts and drops what the policy's own verdicts allow and do not.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cpu.h"
#include "netns.h"
#include "policy/compile/compile.h"
#include "policy/tools/export.h"
#include "policy/compile/judge.h"
#include "traffic.h"
#include "util/names.h"

#define NODE "10.0.0.1"

static const char policy_text[] =
    "include on-prem\n"
    "peer node2 10.0.0.2 fd00::2\n"
    "addresses admin 10.0.0.3\n"
    "only ssh from=@admin\n"
    "only ad to=10.0.0.4\n"
    "disable s3\n"
    "implied smb-to-dc unexpected\n"
    "inbound tcp 10000 NDMP from=10.0.0.3,fd00::3 to=10.0.0.1,fd00::1 owner=/usr/sbin/ndmpd\n"
    "inbound tcp 10001 other owner=any\n";

/* One probe: does a packet to that port get through? */
struct probe {
    const char *from, *to;
    bool tcp;
    uint16_t port;
    bool answered; /* refused or connected: it got through, and the answer came back */
};

struct probes {
    struct probe *list;
    size_t n;
};

static int open_probe(const struct probe *probe)
{
    bool v6 = strchr(probe->to, ':') != NULL;
    struct sockaddr_storage local = {0}, remote = {0};
    struct sockaddr_in6 *l6 = (void *)&local, *r6 = (void *)&remote;
    struct sockaddr_in *l4 = (void *)&local, *r4 = (void *)&remote;
    int fd = socket(v6 ? AF_INET6 : AF_INET, (probe->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int length = v6 ? sizeof(*l6) : sizeof(*l4);

    local.ss_family = remote.ss_family = v6 ? AF_INET6 : AF_INET;
    inet_pton(v6 ? AF_INET6 : AF_INET, probe->from, v6 ? (void *)&l6->sin6_addr : (void *)&l4->sin_addr);
    inet_pton(v6 ? AF_INET6 : AF_INET, probe->to, v6 ? (void *)&r6->sin6_addr : (void *)&r4->sin_addr);
    *(v6 ? &r6->sin6_port : &r4->sin_port) = htons(probe->port);
    cr_assert(fd >= 0 && bind(fd, (void *)&local, length) == 0, "%s: %s", probe->from, strerror(errno));
    /* An output chain that drops reports that at once (EPERM): for the far end it is the same silence. */
    (void)connect(fd, (void *)&remote, length);
    if (!probe->tcp)
        send(fd, "?", 1, 0);
    return fd;
}

/* Open a raw socket for echo requests between the probe's two addresses. Returns its protocol number. */
static int open_echo(const struct probe *probe, int *ret_protocol)
{
    bool v6 = strchr(probe->to, ':') != NULL;
    int protocol = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
    struct sockaddr_storage end;
    socklen_t length = traffic_endpoint(probe->from, 0, &end);

    cr_assert(fd >= 0 && bind(fd, (void *)&end, length) == 0, "%s: %s", probe->from, strerror(errno));
    length = traffic_endpoint(probe->to, 0, &end);
    cr_assert_eq(connect(fd, (void *)&end, length), 0, "%s: %s", probe->to, strerror(errno));
    *ret_protocol = protocol;
    return fd;
}

/* Return whether a packet of that socket answers the echo request with that number. */
static bool is_echo_reply(const uint8_t *packet, size_t length, int protocol, uint16_t number)
{
    size_t header = protocol == IPPROTO_ICMP && length ? 4u * (packet[0] & 15) : 0; /* not delivered for IPv6 */
    uint8_t type = protocol == IPPROTO_ICMP ? 0 : 129;

    return length >= header + 8 && packet[header] == type && !memcmp(packet + header + 6, &number, 2);
}

/*
 * Send an echo request, which every policy accepts, after the other probes, and wait for its answer. Both ends answer
 * in the order of reception, and a veth keeps the order of packets from one CPU, so an unanswered probe was dropped.
 */
static void await_echo(const struct probe *probe)
{
    static uint16_t number;
    int protocol, fd = open_echo(probe, &protocol);
    uint8_t request[8] = {protocol == IPPROTO_ICMP ? 8 : 128}, packet[2048];
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    uint32_t sum;
    ssize_t n;

    number++;
    memcpy(request + 6, &number, 2);
    sum = ((uint32_t)request[0] << 8) + ntohs(number); /* for IPv6 the kernel computes it */
    request[2] = (uint8_t)(~sum >> 8);
    request[3] = (uint8_t)~sum;
    cr_assert_eq(send(fd, request, sizeof(request), 0), (ssize_t)sizeof(request), "%s", strerror(errno));
    do {
        cr_assert_eq(poll(&answer, 1, NETNS_DEADLINE_MS), 1, "%s does not answer %s", probe->to, probe->from);
        n = recv(fd, packet, sizeof(packet), 0);
    } while (n < 0 || !is_echo_reply(packet, (size_t)n, protocol, number));
    close(fd);
}

/* Open all probes of one pair of addresses at once, fewer than a veth's queue holds, and collect the answers. */
static void ask_pair(struct probe *list, size_t n)
{
    struct pollfd *polls = calloc(n, sizeof(*polls));

    for (size_t i = 0; i < n; i++)
        polls[i] = (struct pollfd){.fd = open_probe(&list[i]), .events = list[i].tcp ? POLLOUT : POLLIN};
    await_echo(list);
    poll(polls, n, 0);
    for (size_t i = 0; i < n; i++) {
        int error = 0;
        socklen_t length = sizeof(error);

        getsockopt(polls[i].fd, SOL_SOCKET, SO_ERROR, &error, &length);
        list[i].answered = polls[i].revents && (error == ECONNREFUSED || (error == 0 && list[i].tcp));
        close(polls[i].fd);
    }
    free(polls);
}

/* Run the probes pair by pair, from one CPU. */
static int ask(void *argument)
{
    struct probes *probes = argument;
    cpu_set_t before;
    size_t n;

    cr_assert(sched_getaffinity(0, sizeof(before), &before) == 0 && cpu_stay());
    for (size_t first = 0; first < probes->n; first += n) {
        struct probe *list = probes->list + first;

        for (n = 1; first + n < probes->n && !strcmp(list[n].from, list->from) && !strcmp(list[n].to, list->to); n++)
            ;
        ask_pair(list, n);
    }
    cr_assert_eq(sched_setaffinity(0, sizeof(before), &before), 0);
    return 0;
}

/* ---- The policy's own verdicts ---- */

struct oracle {
    struct qpw_policy policy;
    struct qpw_registry names;
    struct qpw_compiled compiled;
    struct qpw_judge *judge;
};

static void open_oracle(struct oracle *o)
{
    struct qpw_compile_context context = {.now = time(NULL)};
    struct qpw_error err = {""};

    *o = (struct oracle){0};
    cr_assert(qpw_policy_parse_text("test", policy_text, strlen(policy_text), &o->policy, &err) == 0, "%s", err.text);
    cr_assert(qpw_policy_compile(&o->policy, &context, &o->names, &o->compiled, &err) == 0, "%s", err.text);
    cr_assert(qpw_judge_new(&o->compiled, &o->judge) == 0);
}

static uint8_t verdict_of(const struct oracle *o, const struct probe *probe, bool inbound)
{
    uint8_t from[16], to[16];
    struct qpw_exchange exchange = {
        .direction = inbound ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND,
        .kind = QPW_KIND_PORT,
        .protocol = probe->tcp ? 6 : 17,
        .port = probe->port,
        .initiator_port = 50000,
        .initiator = from,
        .responder = to,
    };

    qpw_address_parse(probe->from, from);
    qpw_address_parse(probe->to, to);
    return qpw_policy_judge(o->judge, &exchange).verdict;
}

static void compare(const struct oracle *o, const struct netns *where, struct probes *probes, bool inbound)
{
    unsigned seen[QPW_VERDICT_COUNT] = {0};

    netns_call(where, ask, probes);
    for (size_t i = 0; i < probes->n; i++) {
        const struct probe *probe = &probes->list[i];
        uint8_t verdict = verdict_of(o, probe, inbound);

        seen[verdict]++;
        cr_assert(eq(int, probe->answered, verdict != QPW_VERDICT_UNEXPECTED), "%s %u from %s to %s is %s but %s",
                  probe->tcp ? "tcp" : "udp", probe->port, probe->from, probe->to, qpw_verdict_name(verdict),
                  probe->answered ? "passes" : "is dropped");
    }
    cr_assert(seen[QPW_VERDICT_ALLOWED] && seen[QPW_VERDICT_PEER] && seen[QPW_VERDICT_UNEXPECTED]);
    cr_assert(gt(uint, seen[inbound ? QPW_VERDICT_WEAK : QPW_VERDICT_IMPLIED], 0));
}

/* List all relevant ports, both protocols, between the node and each remote address. */
static struct probes all_probes(const char *const *remotes, const char *node4, const char *node6, bool inbound)
{
    static const uint16_t ports[] = {20,   21,   22,   53,    80,    88,    111,   123,   135,   139,  389,
                                     443,  445,  464,  514,   636,   700,   2049,  3268,  3712,  4045, 5432,
                                     8000, 9000, 9100, 10000, 20048, 30000, 32768, 60999, 61000, 65535};
    size_t n = sizeof(ports) / sizeof(*ports);
    struct probes probes = {.list = calloc(n * 2 * 8, sizeof(struct probe))};

    for (size_t r = 0; remotes[r]; r++)
        for (size_t i = 0; i < 2 * n; i++) {
            const char *node = strchr(remotes[r], ':') ? node6 : node4;

            probes.list[probes.n++] = (struct probe){.from = inbound ? remotes[r] : node,
                                                     .to = inbound ? node : remotes[r],
                                                     .tcp = i % 2,
                                                     .port = ports[i / 2]};
        }
    return probes;
}

static void write_ruleset(const struct oracle *o, char *path)
{
    int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");

    cr_assert(out != NULL);
    qpw_policy_nft(&o->policy, time(NULL), out);
    cr_assert(fclose(out) == 0);
}

Test(nft, passes_and_blocks_by_verdict)
{
    static const char *const remotes[] = {"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "fd00::3", "fd00::5", NULL};
    char path[] = "/tmp/qpw-nft-XXXXXX";
    struct netns node, far;
    struct oracle o;
    struct probes probes;
    struct probe late = {.from = "10.0.0.5", .to = NODE, .tcp = true, .port = 700};
    struct probes one = {&late, 1};

    netns_need_root();
    node = netns_new();
    far = netns_new();
    netns_veth(&node, "eth0", &far, "eth0");
    netns_address(&node, "eth0", "10.0.0.1/24");
    netns_address(&node, "eth0", "fd00::1/64");
    for (size_t i = 0; remotes[i]; i++) {
        char address[64];

        snprintf(address, sizeof(address), strchr(remotes[i], ':') ? "%s/64" : "%s/24", remotes[i]);
        netns_address(&far, "eth0", address);
    }
    /* Answer every unreachable port, because the limits on ICMP would look like a filter. */
    for (int i = 0; i < 2; i++)
        netns_run(i ? &far : &node, "echo 0 >/proc/sys/net/ipv4/icmp_ratemask; echo 0 "
                                    ">/proc/sys/net/ipv4/icmp_ratelimit; "
                                    "echo >/proc/sys/net/ipv6/icmp/ratemask; echo 0 "
                                    ">/proc/sys/net/ipv6/icmp/ratelimit");
    open_oracle(&o);
    write_ruleset(&o, path);
    netns_run(&node, "nft -c -f %s", path);
    netns_run(&node, "nft -f %s", path);
    netns_run(&node, "test \"$(grep owner= %s)\" = '        # in-tcp-10000: nftables cannot check owner=; a process of any "
              "owner is allowed'", path);
    unlink(path);

    probes = all_probes(remotes, NODE, "fd00::1", true);
    compare(&o, &far, &probes, true);
    free(probes.list);
    probes = all_probes(remotes, NODE, "fd00::1", false);
    compare(&o, &node, &probes, false);
    free(probes.list);

    /* A dynamic companion opens after an answered exchange on its rule, for that address only. */
    netns_call(&far, ask, &one);
    cr_assert(not(late.answered));
    traffic_serve_tcp(&node, NODE, 111);
    traffic_tcp(
        &far, &(struct traffic_tcp){.address = NODE, .port = 111, .local_address = "10.0.0.5", .up = 100, .down = 100});
    netns_call(&far, ask, &one);
    cr_assert(late.answered);
    late = (struct probe){.from = "10.0.0.3", .to = NODE, .tcp = true, .port = 700};
    netns_call(&far, ask, &one);
    cr_assert(not(late.answered));

    qpw_judge_free(o.judge);
    qpw_compiled_clear(&o.compiled);
    qpw_registry_clear(&o.names);
    qpw_policy_clear(&o.policy);
    netns_close(&node);
    netns_close(&far);
}

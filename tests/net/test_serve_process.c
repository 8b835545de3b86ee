/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes of serve: their rights, what they cost, how they end, and sockets that the service manager gives. */
#include <criterion/criterion.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/own_address.h"
#include "nodes.h"
#include "serve/refresh.h"
#include "util/names.h"

TestSuite(serve_process, .timeout = NETNS_TIMEOUT_S);

#define PROGRAM QPW_BUILD "/qportwatch"
#define BIT(capability) (1ull << (capability))
#define READING (BIT(CAP_NET_ADMIN) | BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH))
#define OWN_KIB 8192

static pid_t maker_of(const struct nodes *c, pid_t serve)
{
    char text[32];

    cr_assert_eq(netns_output(&c->bridge, text, sizeof(text), "pgrep -P %d -x " QPW_REFRESH_PROCESS, (int)serve), 0);
    return (pid_t)atoi(text);
}

static void expect_rights(pid_t pid, uint64_t wanted)
{
    static const char *const sets[] = {"CapPrm", "CapEff", "CapBnd"};

    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(netns_process_number(pid, sets[i], 16), wanted, "%d: %s %016lx", (int)pid, sets[i], (long)netns_process_number(pid, sets[i], 16));
    cr_expect_eq(netns_process_number(pid, "CapInh", 16), 0);
    cr_expect_eq(netns_process_number(pid, "CapAmb", 16), 0);
    cr_expect_eq(netns_process_number(pid, "NoNewPrivs", 10), 1);
    cr_expect_eq(netns_process_number(pid, "Seccomp", 10), 2);
}

static bool has_gone(void *pid)
{
    return netns_process_number(*(pid_t *)pid, "Pid", 10) == UINT64_MAX;
}

Test(serve_process, has_no_right_and_little_memory)
{
    struct nodes c;
    pid_t maker;

    nodes_open(&c, 2);
    nodes_start(&c);
    nodes_until_good(&c, 0, 1);
    nodes_until_good(&c, 1, 1);
    maker = maker_of(&c, c.serve[0]);
    expect_rights(c.serve[0], 0);
    expect_rights(maker, READING);
    cr_expect_leq(netns_process_number(c.serve[0], "RssAnon", 10), OWN_KIB, "%lu KiB", (long)netns_process_number(c.serve[0], "RssAnon", 10));
    cr_expect_eq(netns_process_number(c.serve[0], "Threads", 10), 1);
    fprintf(stderr, "serve: %lu KiB resident, %lu of them its own; beside it %lu, %lu of them its own\n",
            (long)netns_process_number(c.serve[0], "VmRSS", 10), (long)netns_process_number(c.serve[0], "RssAnon", 10), (long)netns_process_number(maker, "VmRSS", 10),
            (long)netns_process_number(maker, "RssAnon", 10));
    nodes_kill(&c.serve[0]);
    cr_expect(netns_until(has_gone, &maker, NETNS_DEADLINE_MS), "what makes the statements outlives serve");
    nodes_serve(&c, 0); /* in the state that a killed one left */
    kill(maker_of(&c, c.serve[0]), SIGKILL);
    cr_expect_eq(netns_wait(c.serve[0], NETNS_DEADLINE_MS), 1);
    c.serve[0] = 0;
    netns_run(&c.bridge, "grep -qx 'qportwatch serve: the process that makes the statements has ended' %s/node1/serve.log", c.folder);
    nodes_close(&c);
}

/* Listens as the service manager does, and passes the socket on as descriptor 3. */
static char activator[] =
    "import os, socket, sys\n"
    "s = socket.create_server(('10.88.0.1', 4711))\n"
    "os.dup2(s.fileno(), 3)\n"
    "os.set_inheritable(3, True)\n"
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='qportwatch-serve')\n"
    "os.execv(sys.argv[1], ['qportwatch'] + sys.argv[2:])\n";

Test(serve_process, answers_at_a_socket_that_it_was_given)
{
    char policy[96], keys[160], state[160], log[160], out[64];
    struct nodes c;

    nodes_open(&c, 2);
    nodes_path(&c, 0, "keys", keys);
    nodes_path(&c, 0, "state", state);
    snprintf(policy, sizeof(policy), "%s/policy", c.folder);
    nodes_attach(&c, 0);
    c.serve[0] = netns_start(&c.ns[0], nodes_path(&c, 0, "serve.log", log),
                             (char *[]){(char *)"python3", (char *)"-c", activator, (char *)PROGRAM, (char *)"serve", (char *)"--policy",
                                        policy, (char *)"--keys", keys, (char *)"--state", state, NULL});
    netns_until_port(&c.ns[0], "tcp", 4711);
    cr_expect_eq(netns_output(&c.ns[1], out, sizeof(out), "for i in $(seq 600); do code=$(curl -s -k -m 5 -o /dev/null -w '%%{http_code}' "
                              "--cert %s/node2/keys/certificate.pem --key %s/node2/keys/key.pem https://10.88.0.1:4711/v1/statement); "
                              "[ \"$code\" = 200 ] && break; sleep 0.05; done; echo $code", c.folder, c.folder), 0);
    cr_expect_str_eq(out, "200\n");
    cr_expect_eq(netns_output(&c.ns[0], NULL, 0, "ss -Htln | grep -q :9101"), 1, "and nowhere else");
    netns_run(&c.ns[0], "grep -q \"^qportwatch serve: port 4711: no rule of .* is for it, .*'inbound tcp 4711 name=self'\" %s ", log);
    nodes_close(&c);
}

/* A further IPv4 address of a network, and IPv6; not those of others, whatever may be bound. */
Test(serve_process, knows_the_addresses_of_its_node)
{
    static const struct {
        const char *address;
        bool own;
    } asked[] = {{"10.88.0.1", true}, {"10.88.0.7", true}, {"fd88::1", true}, {"fd88::7", true}, {"127.0.0.1", true}, {"::1", true},
                 {"10.88.0.2", false}, {"10.88.0.255", false}, {"0.0.0.0", false}, {"::", false}, {"fd88::2", false}, {"192.0.2.1", false}};
    struct netns here = netns_here(), ns, other;
    uint8_t addr[16];

    netns_need_root();
    ns = netns_new();
    other = netns_new();
    netns_veth(&ns, "e0", &other, "e0");
    netns_address(&ns, "e0", "10.88.0.1/24");
    netns_address(&ns, "e0", "10.88.0.7/24");
    netns_address(&ns, "e0", "fd88::1/64");
    netns_address(&ns, "e0", "fd88::7/64");
    netns_run(&ns, "sysctl -qw net.ipv4.ip_nonlocal_bind=1 net.ipv6.ip_nonlocal_bind=1");
    netns_enter(&ns);
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        cr_assert_eq(qpw_address_parse(asked[i].address, addr), 0);
        cr_expect_eq(qpw_address_is_own(addr), asked[i].own, "%s", asked[i].address);
    }
    netns_enter(&here);
    netns_close(&here);
    netns_close(&ns);
    netns_close(&other);
}

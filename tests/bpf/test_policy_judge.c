/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs in the kernel and the native judge interpret a compiled policy alike. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit.h"
#include "policy/compile/compile.h"
#include "policy/compile/judge.h"
#include "util/names.h"

#define EXCHANGES 4000

static struct audit a;

static const char text[] =
    "include on-prem\n"
    "peer node2 10.0.0.32/28\n"
    "peer node3 fd00::30-fd00::3f\n"
    "addresses admin 10.0.0.64/27 fd00::40/123\n"
    "only ssh from=@admin\n"
    "only ad to=10.0.0.128/25\n"
    "override ldap 636=10636\n"
    "disable s3\n"
    "implied smb-to-dc unexpected\n"
    "infra dhcp unexpected\n"
    "inbound tcp,udp 10000-10100 a from=10.0.0.0/24 name=wide\n"
    "inbound tcp,udp 10000-10100 b from=10.0.0.64/26 name=middle\n"
    "inbound tcp,udp 10050 c from=10.0.0.77 name=one\n"
    "inbound tcp 10090-10200 d to=10.0.0.1 name=to\n"
    "inbound tcp 10095 e vlan=5 name=tagged\n"
    "outbound udp any f to=10.0.0.200-10.0.0.210,fd00::c8-fd00::d2 name=any-udp\n"
    "inbound tcp 10300 g until=2000-01-01 name=over\n";

/* Ports where rules begin, end and overlap, and a few others. */
static const uint16_t ports[] = {20,    21,    22,    53,    67,    88,    111,   123,   135,   389,
                                 443,   445,   464,   514,   600,   636,   1023,  2049,  3268,  3269,
                                 3712,  8000,  9000,  9999,  10000, 10050, 10090, 10095, 10100, 10101,
                                 10200, 10201, 10300, 10636, 32767, 32768, 49152, 60999, 61000, 65535};

struct side {
    struct qpw_compiled compiled;
    struct qpw_judge *judge;
};

static void put_in_force(struct side *s)
{
    uint8_t own[2][16];
    struct qpw_compile_context context = {.now = time(NULL), .own = own, .n_own = 2};
    struct qpw_registry names = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    audit_address(AUDIT_NODE, own[0]);
    audit_address(AUDIT_NODE6, own[1]);
    cr_assert(qpw_policy_parse_text("test", text, strlen(text), &policy, &err) == 0, "%s", err.text);
    cr_assert(qpw_policy_compile(&policy, &context, &names, &s->compiled, &err) == 0, "%s", err.text);
    cr_assert(qpw_kernel_set_policy(&a.kernel, &s->compiled, &names, &err) == 0, "%s", err.text);
    qpw_registry_clear(&a.names);
    a.names = names;
    cr_assert(qpw_judge_new(&s->compiled, &s->judge) == 0);
    qpw_policy_clear(&policy);
}

/* Compare both verdicts on one exchange, opened by a SYN or a datagram. */
static void compare(const struct side *s, unsigned i, unsigned seen[QPW_VERDICT_COUNT])
{
    bool inbound = rand() % 2, tcp = rand() % 2, v6 = rand() % 4 == 0;
    uint16_t port = ports[(size_t)rand() % (sizeof(ports) / sizeof(*ports))], other = (uint16_t)(25000 + i);
    uint8_t local[16], far[16];
    char remote[32];
    struct qpw_conn conn;
    struct qpw_exchange exchange = {.direction = inbound ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND, .kind = QPW_KIND_PORT,
                                    .protocol = tcp ? 6 : 17, .port = port, .initiator_port = other, .ifindex = 1,
                                    .initiator = inbound ? far : local, .responder = inbound ? local : far};
    struct qpw_judgement wanted;

    if (v6)
        snprintf(remote, sizeof(remote), "fd00::%x", 2 + rand() % 250);
    else
        snprintf(remote, sizeof(remote), "10.0.0.%d", 2 + rand() % 250);
    audit_address(v6 ? AUDIT_NODE6 : AUDIT_NODE, local);
    audit_address(remote, far);
    wanted = qpw_policy_judge(s->judge, &exchange);
    if (tcp && inbound)
        audit_rx_tcp(&a, remote, other, port, SEGMENT(PACKET_SYN, i));
    else if (tcp)
        audit_tx_tcp(&a, remote, port, other, SEGMENT(PACKET_SYN, i));
    else if (inbound)
        audit_rx_udp(&a, remote, other, port);
    else
        audit_tx_udp(&a, remote, port, other);
    conn = tcp ? audit_tcp(&a, remote, inbound ? other : port, inbound ? port : other)
               : audit_udp(&a, remote, inbound ? other : port, inbound ? port : other);
    cr_assert(conn.verdict == wanted.verdict && qpw_conn_peer(&conn) == wanted.peer && conn.rule == wanted.rule,
              "%s %s %u, %s: the kernel says %s, rule %s, the judge %s, rule %s", inbound ? "inbound" : "outbound",
              tcp ? "tcp" : "udp", port, remote, qpw_verdict_name(conn.verdict), a.names.rules[conn.rule].name,
              qpw_verdict_name(wanted.verdict), a.names.rules[wanted.rule].name);
    seen[wanted.verdict]++;
}

Test(policy_judge, kernel_and_judge_agree)
{
    unsigned seen[QPW_VERDICT_COUNT] = {0};
    struct side s = {0};

    audit_open(&a, NULL);
    put_in_force(&s);
    audit_window_over(&a);
    srand(4);
    for (unsigned i = 0; i < EXCHANGES; i++)
        compare(&s, i, seen);
    cr_assert(seen[QPW_VERDICT_ALLOWED] > 200 && seen[QPW_VERDICT_UNEXPECTED] > 200 && seen[QPW_VERDICT_PEER] > 50);
    cr_assert(seen[QPW_VERDICT_WEAK] > 20 && seen[QPW_VERDICT_IMPLIED] > 20);
    qpw_judge_free(s.judge);
    qpw_compiled_clear(&s.compiled);
    audit_close(&a);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Parts of the auditor that need no kernel: choice of mode, texts, sums, numbers, timeouts. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "auditor/expire.h"
#include "auditor/lines.h"
#include "facts/answer.h"
#include "facts/totals.h"
#include "bpf/expiry.h"
#include "util/usage.h"
#include "instance/mode.h"
#include "util/names.h"

static struct qpw_mode_choice choose(const struct qpw_link *link, enum qpw_attach_mode mode,
                                     const struct qpw_hook_list *rx, int expected)
{
    struct qpw_mode_choice choice = {.why = "untouched"};
    struct qpw_error err = {0};
    int r = qpw_mode_choose(link, mode, rx, &choice, &err);

    cr_expect_eq(r, expected, "%d: %s", r, err.text);
    if (r < 0) {
        cr_expect_str_eq(choice.why, "untouched");
        cr_expect(strstr(err.text, link->name), "names the interface: %s", err.text);
    }
    return choice;
}

Test(mode, auto_is_tc_and_says_what_xdp_would_gain_and_cost)
{
    struct qpw_link veth = {.name = "v0", .driver = "veth", .kind = "veth", .type = ARPHRD_ETHER};
    struct qpw_link card = {.name = "eth0", .driver = "mlx5_core", .type = ARPHRD_ETHER};
    struct qpw_hook_list none = {0};
    struct qpw_mode_choice c;

    c = choose(&veth, QPW_MODE_AUTO, &none, 0);
    cr_expect_not(c.xdp);
    cr_expect_str_eq(c.why, "XDP on a veth slows bulk TCP");
    cr_expect(strstr(c.advice, "three quarters"), "what it would cost: %s", c.advice);
    cr_expect(choose(&veth, QPW_MODE_XDP, &none, 0).xdp, "asked for");
    c = choose(&veth, QPW_MODE_TC, &none, 0);
    cr_expect_not(c.xdp);
    cr_expect_str_eq(c.why, "requested with --mode tc");
    c = choose(&card, QPW_MODE_AUTO, &none, 0);
    cr_expect_not(c.xdp);
    cr_expect_str_eq(c.why, "driver mlx5_core may reset the link for XDP");
    cr_expect(strstr(c.advice, "--mode xdp"), "what it would gain and cost: %s", c.advice);
    c = choose(&card, QPW_MODE_XDP, &none, 0);
    cr_expect(c.xdp, "asked for");
}

Test(mode, an_occupied_hook_is_named_and_left)
{
    struct qpw_link veth = {.name = "v0", .driver = "veth", .type = ARPHRD_ETHER};
    struct qpw_hook_list list = {
        .n = 1, .entry = {{.kind = QPW_HOOK_XDP, .program = QPW_PROG_COUNT, .prog_id = 7, .name = "balancer"}}};
    struct qpw_mode_choice c = choose(&veth, QPW_MODE_XDP, &list, 0);

    cr_expect_not(c.xdp);
    cr_expect(strstr(c.why, "balancer"), "%s", c.why);
    cr_expect(strstr(c.advice, "id 7"), "%s", c.advice);
    list.entry[0].program = QPW_PROG_qpw_xdp_rx;
    c = choose(&veth, QPW_MODE_XDP, &list, 0);
    cr_expect(c.xdp, "our own is no occupation");
}

Test(mode, link_types)
{
    struct qpw_link lo = {.name = "lo", .flags = IFF_LOOPBACK, .type = ARPHRD_LOOPBACK};
    struct qpw_link tun = {.name = "tun0", .driver = "tun", .type = ARPHRD_NONE};
    struct qpw_link ib = {.name = "ib0", .driver = "ipoib", .type = ARPHRD_INFINIBAND};
    struct qpw_hook_list none = {0};

    choose(&lo, QPW_MODE_AUTO, &none, -EINVAL);
    choose(&ib, QPW_MODE_AUTO, &none, -EOPNOTSUPP);
    choose(&tun, QPW_MODE_XDP, &none, -EOPNOTSUPP);
    cr_expect(choose(&tun, QPW_MODE_AUTO, &none, 0).l3);
}

Test(hooks, order_and_ownership)
{
    struct qpw_hook_list list = {
        .n = 3,
        .entry = {{.kind = QPW_HOOK_TCX, .program = QPW_PROG_COUNT, .prog_id = 1, .name = "theirs"},
                  {.kind = QPW_HOOK_TCX, .program = QPW_PROG_qpw_tc_tx, .prog_id = 2, .name = "qpw_tc_tx"},
                  {.kind = QPW_HOOK_CLSACT, .program = QPW_PROG_COUNT, .prog_id = 0, .name = "flower"}}};
    const struct qpw_hook_entry *ours = qpw_hooks_ours(&list, 2);

    cr_assert_not_null(ours);
    cr_expect_null(qpw_hooks_ours(&list, 9), "another kernel side's program of that name");
    cr_expect_eq(qpw_hooks_foreign_before(&list, ours), 1);
    cr_expect_eq(qpw_hooks_foreign_before(&list, NULL), 2);
    cr_expect_null(qpw_hooks_foreign_xdp(&list));
}

Test(lines, say_who_where_and_on_what_evidence)
{
    struct qpw_finding_key key = {.port = 8080, .kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP,
                                  .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED};
    struct qpw_finding value = {.initiator_port = 41000, .evidence = QPW_EVIDENCE_HANDSHAKE,
                                .outcome = QPW_OUTCOME_ANSWERED};
    char line[320];

    qpw_address_parse("10.0.0.9", key.initiator);
    qpw_address_parse("10.0.0.1", key.responder);
    cr_expect_str_eq(qpw_finding_line(&key, &value, "eth0", line, sizeof(line)),
                     "unexpected inbound tcp/8080 from 10.0.0.9:41000 to 10.0.0.1:8080, answered "
                     "(evidence handshake, eth0)");
    qpw_address_parse("fd00::9", key.initiator);
    qpw_address_parse("fd00::1", key.responder);
    cr_expect(strstr(qpw_finding_line(&key, &value, "", line, sizeof(line)), "from [fd00::9]:41000 to [fd00::1]:8080"));
    key.kind = QPW_KIND_PROTOCOL;
    key.protocol = IPPROTO_GRE;
    key.port = 0;
    cr_expect(strstr(qpw_finding_line(&key, &value, "", line, sizeof(line)), "inbound ip/47 from fd00::9 to"));
    key.kind = QPW_KIND_ETHERTYPE;
    key.port = 0x8915;
    key.direction = QPW_DIR_NON_IP;
    cr_expect_str_eq(qpw_finding_line(&key, &value, "eth0", line, sizeof(line)),
                     "unexpected non-IP RoCE on eth0");
}

static struct qpw_finding_row row_of(unsigned port, unsigned outcome, unsigned flags)
{
    return (struct qpw_finding_row){.key = {.port = (uint16_t)port, .kind = QPW_KIND_PORT, .protocol = IPPROTO_TCP,
                                            .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED},
                                    .value = {.outcome = (uint8_t)outcome, .flags = (uint8_t)flags}};
}

Test(lines, the_first_answer_of_each_service_has_one_and_a_scan_a_few)
{
    struct qpw_console c = {.left = QPW_CONSOLE_LINES};
    struct qpw_console_due due;
    struct qpw_finding_row row;
    unsigned lines = 0, held = 0;

    for (unsigned i = 0; i < 81; i++) {
        row = row_of(9100, QPW_OUTCOME_ANSWERED, 0);
        lines += qpw_console_has_line(&c, &row);
    }
    row = row_of(9101, QPW_OUTCOME_DATA, 0);
    cr_expect(qpw_console_has_line(&c, &row), "another service");
    cr_expect_eq(lines, 1);
    for (unsigned i = 0; i < 126; i++) {
        row = row_of(1900 + i % 7, QPW_OUTCOME_ATTEMPTED, QPW_FINDING_MULTICAST);
        cr_expect_not(qpw_console_has_line(&c, &row), "noise");
    }
    due = qpw_console_tick(&c);
    cr_expect_eq(due.further, 80);
    cr_expect_eq(due.held, 0);
    lines = 0;
    for (unsigned second = 0; second < 25; second++) { /* a scan that lasts this long */
        for (unsigned i = 0; i < 40; i++) {
            row = row_of(1 + second * 40 + i, QPW_OUTCOME_REFUSED, 0);
            lines += qpw_console_has_line(&c, &row);
        }
        due = qpw_console_tick(&c);
        held += due.held;
        lines += due.held > 0;
    }
    due = qpw_console_tick(&c);
    held += due.held;
    cr_expect_eq(lines, 5 + 2);
    cr_expect_eq(held, 995);
    row = row_of(2, QPW_OUTCOME_ATTEMPTED, 0);
    cr_expect(qpw_console_has_line(&c, &row), "afterwards there is room again");
}

Test(totals, each_sum_is_the_packets)
{
    struct qpw_meter_row meters[] = {
        {.key = {.direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_ALLOWED},
         .counts = {.rx_packets = 7, .tx_packets = 3, .rx_bytes = 700, .tx_bytes = 300}},
        {.key = {.direction = QPW_DIR_NON_IP, .verdict = QPW_VERDICT_INFRA},
         .counts = {.rx_packets = 2, .rx_bytes = 84}},
    };
    struct qpw_finding_row findings[] = {
        {.key = {.verdict = QPW_VERDICT_UNEXPECTED}, .value = {.outcome = QPW_OUTCOME_DATA}},
        {.key = {.verdict = QPW_VERDICT_UNEXPECTED}, .value = {.outcome = QPW_OUTCOME_REFUSED}},
        {.key = {.verdict = QPW_VERDICT_UNEXPECTED}, .value = {.flags = QPW_FINDING_SUPERSEDED}},
        {.key = {.verdict = QPW_VERDICT_WEAK}, .value = {.outcome = QPW_OUTCOME_DATA}},
    };
    struct qpw_snapshot s = {.meters = meters, .n_meters = 2, .findings = findings, .n_findings = 4};
    struct qpw_answer answer;
    struct qpw_totals t;
    uint64_t directions = 0, verdicts = 0;

    s.losses[QPW_LOSS_EVENT_RING] = 5;
    s.losses[QPW_LOSS_METER_OVERFLOW] = 2;
    qpw_totals_of(&s, &t);
    cr_assert_eq(qpw_answer_make(&s, &answer), 0);
    for (int i = 0; i < QPW_DIR_COUNT; i++)
        directions += t.by_direction[i].packets;
    for (int i = 0; i < QPW_VERDICT_COUNT; i++)
        verdicts += t.by_verdict[i].packets;
    cr_expect_eq(t.all.packets, 12);
    cr_expect_eq(t.all.bytes, 1084);
    cr_expect_eq(directions, 12);
    cr_expect_eq(verdicts, 12);
    cr_expect_eq(answer.unexpected, 2, "neither superseded ones nor other verdicts");
    cr_expect_eq(answer.answered, 1);
    cr_expect_eq(answer.losses.lost, 2, "an event not sent loses nothing");
}

Test(number, only_a_number_in_its_range)
{
    static const char *const wrong[] = {"", " 5", "5 ", "-1", "+1", "0x10", "1e3", "101", "0", "99999999999999999999"};
    unsigned long value = 7;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        cr_expect_eq(qpw_number_parse(wrong[i], 1, 100, &value), -EINVAL, "'%s'", wrong[i]);
    cr_expect_eq(value, 7, "untouched");
    cr_expect_eq(qpw_number_parse("100", 1, 100, &value), 0);
    cr_expect_eq(value, 100);
}

Test(expire, time_out_by_state_and_protocol)
{
    struct qpw_control control = {.tcp_ns = 1, .half_open_ns = 2, .udp_ns = 3, .other_ns = 4, .tail_ns = 5};
    struct qpw_conn_key tcp = {.protocol = IPPROTO_TCP}, udp = {.protocol = IPPROTO_UDP};
    struct qpw_conn_key gre = {.protocol = IPPROTO_GRE};
    static const uint8_t half[] = {QPW_STATE_SYN, QPW_STATE_SYN_ACK};
    static const uint8_t whole[] = {QPW_STATE_ESTABLISHED, QPW_STATE_MIDSTREAM};

    for (int i = 0; i < 2; i++) {
        cr_expect_eq(qpw_conn_timeout(&control, &(struct qpw_conn){.state = half[i]}, tcp.protocol), 2);
        cr_expect_eq(qpw_conn_timeout(&control, &(struct qpw_conn){.state = whole[i]}, tcp.protocol), 1);
    }
    cr_expect_eq(qpw_conn_timeout(&control, &(struct qpw_conn){.state = QPW_STATE_CLOSED}, tcp.protocol), 5);
    cr_expect_eq(qpw_conn_timeout(&control, &(struct qpw_conn){.state = QPW_STATE_DATAGRAM}, udp.protocol), 3);
    cr_expect_eq(qpw_conn_timeout(&control, &(struct qpw_conn){.state = QPW_STATE_DATAGRAM}, gre.protocol), 4);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Foreign programs in the hooks: never replaced, never removed, always reported. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "instance/hooks.h"

TestSuite(attach_others, .timeout = NETNS_TIMEOUT_S);

static unsigned index_of(struct node *n)
{
    return netns_ifindex(&n->node, "node0");
}

/* List the hooks; called inside the node's namespace. */
static void in_hooks(struct node *n, enum qpw_point point, struct qpw_hook_list *ret)
{
    struct qpw_error err = {0};
    struct netns here = netns_here();

    netns_enter(&n->node);
    cr_assert_eq(qpw_hooks_query(index_of(n), point, ret, &err), 0, "%s", err.text);
    netns_enter(&here);
    netns_close(&here);
}

static bool is_there(struct node *n, enum qpw_point point, const char *name, enum qpw_hook kind)
{
    struct qpw_hook_list list;

    in_hooks(n, point, &list);
    for (size_t i = 0; i < list.n; i++)
        if (!strcmp(list.entry[i].name, name) && list.entry[i].kind == kind)
            return true;
    return false;
}

static void attach_tc(struct node *n, enum qpw_point point, int fd, enum qpw_tc_choice choice)
{
    struct netns here = netns_here();
    struct qpw_error err = {0};
    struct qpw_tc_attached made;

    netns_enter(&n->node);
    cr_assert_eq(qpw_hooks_attach_tc(index_of(n), point, fd, choice, &made, &err), 0, "%s", err.text);
    netns_enter(&here);
    netns_close(&here);
}

static void set_xdp(struct node *n, int fd, unsigned flags)
{
    struct netns here = netns_here();

    netns_enter(&n->node);
    cr_assert_eq(bpf_xdp_attach(index_of(n), fd, flags, NULL), 0, "XDP: %s", strerror(errno));
    netns_enter(&here);
    netns_close(&here);
}

Test(attach_others, an_occupied_xdp_hook_is_left_alone)
{
    struct node n;
    json_t *status;
    int fd;

    node_open(&n);
    fd = node_foreign_program(BPF_PROG_TYPE_XDP, "their_xdp");
    set_xdp(&n, fd, XDP_FLAGS_DRV_MODE);
    node_attach(&n, "node0 --mode xdp");
    status = node_status(&n, NULL);
    cr_expect_str_eq(node_text(status, "interfaces.0.rx"), "TCX", "TC ingress is used");
    cr_expect(strstr(node_text(status, "interfaces.0.why"), "their_xdp"), "its owner is named: %s",
              node_text(status, "interfaces.0.why"));
    cr_expect(strstr(node_text(status, "interfaces.0.before_rx"), "their_xdp"));
    json_decref(status);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    cr_expect(is_there(&n, QPW_POINT_RX, "their_xdp", QPW_HOOK_XDP));
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    close(fd);
    node_close(&n);
}

Test(attach_others, first_at_tcx)
{
    struct node n;
    struct qpw_hook_list list;
    json_t *status;
    int fd;

    node_open(&n);
    fd = node_foreign_program(BPF_PROG_TYPE_SCHED_CLS, "their_tc");
    attach_tc(&n, QPW_POINT_RX, fd, QPW_TC_TCX);
    attach_tc(&n, QPW_POINT_TX, fd, QPW_TC_TCX);
    node_attach(&n, "node0 --mode tc --interval 1");
    in_hooks(&n, QPW_POINT_RX, &list);
    cr_assert_eq(list.n, 2);
    cr_expect_str_eq(list.entry[0].name, "qpw_tc_rx", "in front of what was there");
    cr_expect_str_eq(list.entry[1].name, "their_tc");
    /* Another program attaches in front of ours: reported, and left alone. */
    attach_tc(&n, QPW_POINT_TX, node_foreign_program(BPF_PROG_TYPE_SCHED_CLS, "their_late"), QPW_TC_TCX);
    node_until_coverage(&n, "hook-not-first");
    status = node_status(&n, NULL);
    cr_expect(json_is_null(node_value(status, "interfaces.0.before_rx")));
    cr_expect(strstr(node_text(status, "interfaces.0.before_tx"), "their_late"));
    json_decref(status);
    netns_until_file(n.log, "may not see everything", NETNS_DEADLINE_MS);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    in_hooks(&n, QPW_POINT_TX, &list);
    cr_assert_eq(list.n, 2, "both of theirs are left");
    cr_expect_str_eq(list.entry[0].name, "their_late");
    cr_expect_str_eq(list.entry[1].name, "their_tc");
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    node_close(&n);
}

Test(attach_others, their_clsact_qdisc_stays)
{
    struct node n;
    char text[1024];
    json_t *status;

    node_open(&n);
    attach_tc(&n, QPW_POINT_RX, node_foreign_program(BPF_PROG_TYPE_SCHED_CLS, "their_tc"), QPW_TC_CLSACT);
    node_attach(&n, "node0 --mode tc --tc-hook clsact");
    status = node_status(&n, NULL);
    cr_expect(strstr(node_text(status, "interfaces.0.before_rx"), "their_tc"), "it has the lowest priority there is");
    cr_expect(json_is_null(node_value(status, "interfaces.0.before_tx")));
    json_decref(status);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    cr_expect(is_there(&n, QPW_POINT_RX, "their_tc", QPW_HOOK_CLSACT));
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    netns_output(&n.node, text, sizeof(text), "tc qdisc show dev node0");
    cr_expect(strstr(text, "clsact"), "it was not made by us");
    node_close(&n);
}

/* An empty clsact qdisc that existed before is not ours to remove. */
Test(attach_others, their_empty_qdisc_stays)
{
    struct node n;
    char text[1024];

    node_open(&n);
    netns_run(&n.node, "tc qdisc add dev node0 clsact");
    node_attach(&n, "node0 --mode tc --tc-hook clsact");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    netns_output(&n.node, text, sizeof(text), "tc qdisc show dev node0");
    cr_expect(strstr(text, "clsact"), "%s", text);
    node_close(&n);
}

/* A foreign filter added to our qdisc later keeps it in place. */
Test(attach_others, our_qdisc_stays_for_their_filter)
{
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --mode tc --tc-hook clsact");
    attach_tc(&n, QPW_POINT_TX, node_foreign_program(BPF_PROG_TYPE_SCHED_CLS, "their_tc"), QPW_TC_CLSACT);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    cr_expect(is_there(&n, QPW_POINT_TX, "their_tc", QPW_HOOK_CLSACT));
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    node_close(&n);
}

Test(attach_others, a_lost_hook_is_said_and_put_back)
{
    struct node n;
    json_t *status;

    node_open(&n);
    node_attach(&n, "node0 --mode xdp --interval 1");
    set_xdp(&n, -1, XDP_FLAGS_DRV_MODE);
    node_until_coverage(&n, "hook-lost");
    node_until_text(&n, "interfaces.0.rx", "XDP");
    status = node_status(&n, NULL);
    cr_expect_eq(node_coverage(status, "attached"), 2);
    json_decref(status);
    netns_until_file(n.log, "attached again", NETNS_DEADLINE_MS);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

Test(attach_others, a_hook_taken_by_another_is_replaced_by_tc)
{
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --mode xdp --interval 1");
    set_xdp(&n, node_foreign_program(BPF_PROG_TYPE_XDP, "their_xdp"), XDP_FLAGS_DRV_MODE);
    node_until_coverage(&n, "hook-lost");
    node_until_text(&n, "interfaces.0.rx", "TCX");
    node_note(&n, "node0");
    node_stop(&n, SIGTERM);
    cr_expect(is_there(&n, QPW_POINT_RX, "their_xdp", QPW_HOOK_XDP), "theirs stays");
    cr_expect(bpfleft_gone(&n.left, NETNS_DEADLINE_MS));
    node_close(&n);
}

/*
 * A program that comes and goes between two checks: netlink reports filters and XDP programs, other hooks are checked
 * every second.
 */
Test(attach_others, a_program_in_front_for_a_moment_is_noted)
{
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --mode tc --tc-hook clsact --interval 3600");
    set_xdp(&n, node_foreign_program(BPF_PROG_TYPE_XDP, "their_xdp"), XDP_FLAGS_DRV_MODE);
    node_until_coverage(&n, "hook-not-first");
    set_xdp(&n, -1, XDP_FLAGS_DRV_MODE);
    node_until_coverage(&n, "hook-first-again");
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

Test(attach_others, a_filter_that_is_taken_away_is_noted_at_once)
{
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --mode tc --tc-hook clsact --interval 3600");
    netns_run(&n.node, "tc filter del dev node0 egress");
    node_until_coverage(&n, "hook-lost");
    node_until_text(&n, "interfaces.0.tx", "clsact");
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

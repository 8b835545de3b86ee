/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/hooks_clsact.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/netlink_ask.h"
#include "instance/hooks_list.h"
#include "instance/kernel_words.h"

static const char *point_text(enum qpw_point point)
{
    return point == QPW_POINT_RX ? "ingress" : "egress";
}

static enum bpf_tc_attach_point tc_point(enum qpw_point point)
{
    return point == QPW_POINT_RX ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

static uint32_t tc_parent(enum qpw_point point)
{
    return TC_H_MAKE(TC_H_CLSACT, point == QPW_POINT_RX ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

#define PRIORITIES 65536u

struct dump {
    unsigned ifindex;
    struct qpw_hook_list *list;
    uint64_t taken[PRIORITIES / 64]; /* bitmap of used priorities */
    int r; /* error of the first program that could not be identified; err is filled */
    struct qpw_error err;
};

static int bpf_option(const struct nlattr *attr, void *data)
{
    uint32_t *id = data;

    if (mnl_attr_get_type(attr) == TCA_BPF_ID && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
        *id = mnl_attr_get_u32(attr);
    return MNL_CB_OK;
}

static int one_filter(const struct nlmsghdr *message, void *data)
{
    struct dump *dump = data;
    const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
    struct qpw_hook_entry entry = {.kind = QPW_HOOK_CLSACT, .program = QPW_PROG_COUNT};
    const struct nlattr *attr;
    uint32_t id = 0;

    /* The kernel also sends one message per priority, without a handle. */
    if (message->nlmsg_type != RTM_NEWTFILTER || tc->tcm_ifindex != (int)dump->ifindex || !tc->tcm_handle)
        return MNL_CB_OK;
    mnl_attr_for_each(attr, message, sizeof(*tc)) {
        if (mnl_attr_get_type(attr) == TCA_KIND)
            snprintf(entry.name, sizeof(entry.name), "%s", mnl_attr_get_str(attr));
        else if (mnl_attr_get_type(attr) == TCA_OPTIONS && !strcmp(entry.name, "bpf"))
            mnl_attr_parse_nested(attr, bpf_option, &id);
    }
    if (id && dump->r == 0)
        dump->r = qpw_hooks_name_program(id, &entry, &dump->err);
    entry.priority = TC_H_MAJ(tc->tcm_info) >> 16;
    entry.handle = tc->tcm_handle;
    dump->taken[entry.priority / 64] |= 1ull << entry.priority % 64;
    qpw_hooks_append(dump->list, &entry);
    return MNL_CB_OK;
}

/* Read all filters, however many; dump->list gets those that fit. */
static int ask(unsigned ifindex, enum qpw_point point, struct dump *dump, struct qpw_error *err)
{
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct tcmsg *tc;
    int r;

    dump->ifindex = ifindex;
    message->nlmsg_type = RTM_GETTFILTER;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    tc = mnl_nlmsg_put_extra_header(message, sizeof(*tc));
    tc->tcm_ifindex = ifindex;
    tc->tcm_parent = tc_parent(point);
    r = qpw_netlink_ask(message, buffer, one_filter, dump);
    /* Without a qdisc, some kernels report an error instead of an empty list. */
    if (r == -EINVAL || r == -ENOENT)
        r = 0;
    if (r < 0)
        return qpw_fail(err, r, "listing TC %s filters of interface %u: %s", point_text(point), ifindex, strerror(-r));
    if (dump->r < 0 && err)
        *err = dump->err;
    return dump->r;
}

int qpw_clsact_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *list, struct qpw_error *err)
{
    struct dump dump = {.list = list};

    return ask(ifindex, point, &dump, err);
}

struct qdisc {
    unsigned ifindex;
    bool found;
};

static int on_qdisc(const struct nlmsghdr *message, void *data)
{
    struct qdisc *qdisc = data;
    const struct tcmsg *tc = mnl_nlmsg_get_payload(message);

    if (message->nlmsg_type == RTM_NEWQDISC && tc->tcm_ifindex == (int)qdisc->ifindex && tc->tcm_parent == TC_H_CLSACT)
        qdisc->found = true; /* TC_H_CLSACT equals TC_H_INGRESS */
    return MNL_CB_OK;
}

bool qpw_clsact_has_qdisc(unsigned ifindex)
{
    _Alignas(8) char buffer[QPW_NETLINK_ASK_BYTES];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct qdisc qdisc = {.ifindex = ifindex};
    struct tcmsg *tc;

    message->nlmsg_type = RTM_GETQDISC;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP; /* a request for a single qdisc may get no answer at all */
    tc = mnl_nlmsg_put_extra_header(message, sizeof(*tc));
    tc->tcm_ifindex = ifindex;
    return qpw_netlink_ask(message, buffer, on_qdisc, &qdisc) == 0 && qdisc.found;
}

/* Return the lowest free priority, whose filter runs first; 0: all are used. */
static uint32_t lowest_free_priority(const struct dump *dump)
{
    uint32_t priority = 1;

    while (priority < PRIORITIES && dump->taken[priority / 64] & 1ull << priority % 64)
        priority++;
    return priority < PRIORITIES ? priority : 0;
}

static int add_filter(const struct dump *dump, struct bpf_tc_hook *hook, int prog_fd, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .handle = 1, .priority = lowest_free_priority(dump));
    const char *words, *point = hook->attach_point == BPF_TC_INGRESS ? "ingress" : "egress";
    int r;

    if (!opts.priority)
        return qpw_fail(err, -ENOSPC, "adding a TC %s filter to interface %u: every priority from 1 to %u is taken by other "
                        "filters; remove one with 'tc filter del'", point, dump->ifindex, PRIORITIES - 1);
    r = bpf_tc_attach(hook, &opts);
    if (r == 0)
        return 0;
    words = qpw_kernel_words();
    return qpw_fail(err, r, "adding a TC %s filter to interface %u: %s%s%s", point, dump->ifindex, strerror(-r),
                    *words ? ": " : "", words);
}

int qpw_clsact_attach(unsigned ifindex, enum qpw_point point, int prog_fd, bool *ret_made_qdisc, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
    struct qpw_hook_list list = {0};
    struct dump dump = {.list = &list};
    bool made;
    const char *words;
    int r;

    qpw_kernel_words();
    r = bpf_tc_hook_create(&hook);
    made = r == 0;
    if (r < 0 && r != -EEXIST) {
        words = qpw_kernel_words();
        return qpw_fail(err, r, "making a clsact qdisc on interface %u: %s%s%s", ifindex, strerror(-r),
                        *words ? ": " : "", words);
    }
    hook.attach_point = tc_point(point);
    r = ask(ifindex, point, &dump, err);
    if (r == 0)
        r = add_filter(&dump, &hook, prog_fd, err);
    if (r == 0) {
        *ret_made_qdisc |= made;
        return 0;
    }
    if (r != -ENOSPC && point == QPW_POINT_TX && !made && err)
        strncat(err->text, " (is its qdisc `ingress` and not `clsact`?)", sizeof(err->text) - strlen(err->text) - 1);
    if (made)
        qpw_clsact_remove(ifindex, NULL);
    return r;
}

/*
 * Check that an entry is still the same program, because filters are replaced and removed by priority and handle only.
 * -ENOENT: another filter, or none.
 */
static int check_handle(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry,
                        struct qpw_error *err)
{
    struct qpw_hook_list list = {0};
    int r = qpw_clsact_query(ifindex, point, &list, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < list.n; i++)
        if (list.entry[i].priority == entry->priority && list.entry[i].handle == entry->handle &&
            list.entry[i].prog_id == entry->prog_id)
            return 0;
    return qpw_fail(err, -ENOENT, "the TC %s filter with priority %u is not on interface %u any more", point_text(point),
                    entry->priority, ifindex);
}

int qpw_clsact_replace(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, int prog_fd,
                       struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = tc_point(point));
    LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE, .handle = entry->handle,
                .priority = entry->priority);
    int r = check_handle(ifindex, point, entry, err);

    if (r < 0)
        return r;
    r = bpf_tc_attach(&hook, &opts);
    return r < 0 ? qpw_fail(err, r, "replacing the TC %s filter with priority %u of interface %u: %s", point_text(point),
                            entry->priority, ifindex, strerror(-r)) : 0;
}

int qpw_clsact_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = tc_point(point));
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = entry->handle, .priority = entry->priority);
    int r = check_handle(ifindex, point, entry, err);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = bpf_tc_detach(&hook, &opts);
    if (r < 0 && r != -ENOENT && r != -ENODEV)
        return qpw_fail(err, r, "removing the TC %s filter with priority %u from interface %u: %s",
                        point_text(point), entry->priority, ifindex, strerror(-r));
    return 0;
}

int qpw_clsact_remove(unsigned ifindex, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
    int r = bpf_tc_hook_destroy(&hook);

    if (r < 0 && r != -ENOENT && r != -EINVAL && r != -ENODEV)
        return qpw_fail(err, r, "removing the clsact qdisc of interface %u: %s", ifindex, strerror(-r));
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults_link.c - faults of the node's interface, its addresses and its hooks. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "faults.h"
#include "host/clock.h"
#include "instance/hooks.h"
#include "util/names.h"

/* ---- Addresses ---- */

/* Return whether the program knows the address as the node's own, or not, as it should. */
static bool knows(struct campaign *c, const char *address, bool is_local)
{
    struct qpw_local_key key = {.prefixlen = 128};
    uint32_t flags;

    cr_assert(qpw_address_parse(address, key.addr) == 0);
    return (bpf_map_lookup_elem(c->kernel.map_fd[QPW_MAP_locals], &key, &flags) == 0 && (flags & QPW_LOCAL_ADDRESS)) ==
           is_local;
}

static bool knows_all(void *campaign)
{
    struct campaign *c = campaign;
    bool all = true;

    campaign_drain(c);
    for (int v6 = 0; v6 < 2; v6++) {
        all = all && knows(c, hosts[NODE].address[v6], true);
        for (unsigned i = 0; i < FLOATS; i++)
            all = all && knows(c, floats[i][v6], c->place.floating[i]);
    }
    return all;
}

/* Wait until the auditor has processed the netlink messages and compiled its policy again for them. */
static void await_addresses(struct campaign *c)
{
    if (!netns_until(knows_all, c, CAMPAIGN_DEADLINE_MS))
        campaign_fail(c, "local addresses follow the kernel", "they do not after %d s", CAMPAIGN_DEADLINE_MS / 1000);
    auditor_await_ticks(c, 2);
    campaign_drain(c);
    book_policy(c->book, c->policy);
}

void fault_move_address(struct campaign *c, struct rng *r)
{
    unsigned which = rng_below(r, FLOATS);

    campaign_settle(c, 20);
    place_move(&c->place, which, !c->place.floating[which]);
    await_addresses(c);
}

/* ---- The link ---- */

/* Neighbour discovery and repetitions come at any time: they must not meet the moment in which the link goes down. */
static void silence(struct campaign *c)
{
    place_silence(&c->place);
    campaign_settle(c, 50);
}

/* What the node sends before the auditor knows its addresses again is from a foreign one, to the program. */
static void dress(struct campaign *c)
{
    place_dress_node(&c->place);
    campaign_expect(c, TOLD_UP, 1, 1);
    campaign_await_told(c, TOLD_UP);
    await_addresses(c);
    place_end_silence(&c->place);
}

void fault_link_down(struct campaign *c, struct rng *r)
{
    silence(c);
    netns_run(&c->place.ns[NODE], "ip link set %s down", c->place.node_if);
    campaign_expect(c, TOLD_DOWN, 1, 1);
    campaign_await_told(c, TOLD_DOWN);
    campaign_wait(c, rng_below(r, 2000));
    faults_any_command(c, r);
    dress(c);
}

/* While the link is up, which kernels from 6.2 on permit; older ones report that it is busy. */
void fault_renamed(struct campaign *c, struct rng *r)
{
    const char *was = c->place.node_if, *name = strcmp(was, "node0") ? "node0" : "front";

    campaign_settle(c, 20);
    if (netns_output(&c->place.ns[NODE], NULL, 0, "ip link set %s name %s", was, name))
        return;
    snprintf(c->place.node_if, sizeof(c->place.node_if), "%s", name);
    campaign_expect(c, TOLD_RENAMED, 1, 1);
    campaign_await_told(c, TOLD_RENAMED);
    faults_go_on(c, r, rng_between(r, 1, 20));
}

/* From before it is away until it is attached again, packets are not counted, so none may be sent. */
static void begin_blind(struct campaign *c)
{
    campaign_settle(c, 50);
    if (c->coverage.n_blind < INTERVALS)
        c->coverage.blind[c->coverage.n_blind++].from_ns = qpw_clock_unix_ns();
}

static void end_blind(struct campaign *c)
{
    c->coverage.blind[c->coverage.n_blind - 1].to_ns = qpw_clock_unix_ns();
}

static void await_gone(struct campaign *c)
{
    campaign_expect(c, TOLD_DOWN, 0, 1); /* it goes down before it disappears */
    campaign_expect(c, TOLD_GONE, 1, 1);
    campaign_await_told(c, TOLD_GONE);
}

static void await_back(struct campaign *c)
{
    campaign_expect(c, TOLD_BACK, 1, 1);
    campaign_await_told(c, TOLD_BACK);
    end_blind(c);
    auditor_note_hooks(c);
    place_reopen_raw(&c->place);
    dress(c);
}

/* Move it to another namespace and back: it is not monitored there, and is again when it is back. */
void fault_moved(struct campaign *c, struct rng *r)
{
    struct netns elsewhere = netns_new();

    silence(c);
    begin_blind(c);
    place_move_link(&c->place, &c->place.ns[NODE], &elsewhere);
    await_gone(c);
    faults_any_command(c, r);
    place_move_link(&c->place, &elsewhere, &c->place.ns[NODE]);
    await_back(c);
    netns_close(&elsewhere);
}

void fault_deleted(struct campaign *c, struct rng *r)
{
    if (strcmp(c->place.node_if, "node0")) { /* the new interface has the old name */
        fault_renamed(c, r);
        return;
    }
    silence(c);
    begin_blind(c);
    place_delete_link(&c->place);
    campaign_drain(c);
    await_gone(c);
    faults_any_command(c, r);
    place_make_link(&c->place);
    wire_reopen(&c->wire, &c->place);
    await_back(c);
}

/* ---- Foreign programs ---- */

struct foreign {
    unsigned ifindex;
    int fd;
    enum bpf_attach_type type;
    unsigned flags;
};

static int set_xdp(void *argument)
{
    const struct foreign *f = argument;

    return bpf_xdp_attach((int)f->ifindex, f->fd, f->flags, NULL) < 0 ? -errno : 0;
}

static int add_tc(void *argument)
{
    const struct foreign *f = argument;
    LIBBPF_OPTS(bpf_prog_attach_opts, o, .flags = f->flags);

    return bpf_prog_attach_opts(f->fd, (int)f->ifindex, f->type, &o) < 0 ? -errno : 0;
}

static int remove_tc(void *argument)
{
    const struct foreign *f = argument;

    return bpf_prog_detach2(f->fd, (int)f->ifindex, f->type) < 0 ? -errno : 0;
}

static int rx_is_xdp(void *argument)
{
    const struct foreign *f = argument;
    LIBBPF_OPTS(bpf_xdp_query_opts, o);

    return bpf_xdp_query((int)f->ifindex, 0, &o) == 0 && (o.prog_id || o.drv_prog_id || o.skb_prog_id);
}

/*
 * One in front of TC, or in place of our own: reported, restored if there is room, and reported when ours is first
 * again.
 */
void fault_foreign_xdp(struct campaign *c, struct rng *r)
{
    const struct netns *node = &c->place.ns[NODE];
    struct foreign f = {.ifindex = netns_ifindex(node, c->place.node_if), .flags = XDP_FLAGS_DRV_MODE};
    bool ours = netns_call(node, rx_is_xdp, &f);
    int rc;

    place_hold(&c->place, true); /* nothing is counted until it is restored, so nothing may arrive */
    begin_blind(c);
    f.fd = node_foreign_program(BPF_PROG_TYPE_XDP, "their_xdp");
    rc = netns_call(node, set_xdp, &f);
    cr_assert(rc == 0, "a foreign XDP program: %s", strerror(-rc));
    if (ours) {
        campaign_expect(c, TOLD_HOOK_LOST, 1, 1);
        campaign_expect(c, TOLD_ATTACHED, 1, 1);
        campaign_await_told(c, TOLD_ATTACHED);
        end_blind(c);
        auditor_note_hooks(c);
    } else {
        c->coverage.n_blind--;
    }
    place_hold(&c->place, false);
    campaign_expect(c, TOLD_NOT_FIRST, 1, 1);
    campaign_await_told(c, TOLD_NOT_FIRST);
    faults_go_on(c, r, rng_between(r, 1, 15));
    place_hold(&c->place, true); /* the change of mode drops what is in a veth's queue */
    campaign_settle(c, 50);
    close(f.fd);
    f.fd = -1;
    rc = netns_call(node, set_xdp, &f);
    place_hold(&c->place, false);
    cr_assert(rc == 0, "without the foreign XDP program: %s", strerror(-rc));
    campaign_expect(c, TOLD_FIRST_AGAIN, 1, 1);
    campaign_await_told(c, TOLD_FIRST_AGAIN);
}

#define TCX_INGRESS 46 /* kernel 6.6, unknown to the headers of older distributions */
#define TCX_EGRESS 47
#define BEFORE (1u << 3)

void fault_foreign_tc(struct campaign *c, struct rng *r)
{
    const struct netns *node = &c->place.ns[NODE];
    struct foreign f = {.ifindex = netns_ifindex(node, c->place.node_if), .flags = BEFORE};
    int rc;

    /* With XDP, a TC program at ingress takes no packets from it. */
    f.type = (enum bpf_attach_type)(netns_call(node, rx_is_xdp, &f) || rng_below(r, 2) ? TCX_EGRESS : TCX_INGRESS);
    f.fd = node_foreign_program(BPF_PROG_TYPE_SCHED_CLS, "their_tc");
    rc = netns_call(node, add_tc, &f);
    if (rc) { /* no TCX here */
        close(f.fd);
        return;
    }
    campaign_expect(c, TOLD_NOT_FIRST, 1, 1);
    campaign_await_told(c, TOLD_NOT_FIRST);
    faults_go_on(c, r, rng_between(r, 1, 15));
    rc = netns_call(node, remove_tc, &f);
    cr_assert(rc == 0, "taking the foreign program away: %s", strerror(-rc));
    close(f.fd);
    campaign_expect(c, TOLD_FIRST_AGAIN, 1, 1);
    campaign_await_told(c, TOLD_FIRST_AGAIN);
}

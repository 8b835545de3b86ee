/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/mode.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <string.h>

/*
 * Software devices: attaching XDP only exchanges a pointer, but they carry multi-segment buffers, which XDP forces into
 * single frames (drivers/net/veth.c, veth_set_features; drivers/net/tun.c runs generic XDP on such buffers). Measured
 * on a veth: bulk TCP drops to a quarter, even with an empty program; TC costs 2 %.
 *
 * Drivers of physical cards allocate rings or change their buffer layout for XDP (kernel sources up to 6.18, each
 * driver's ndo_bpf): mlx5, ixgbe, i40e, ice, bnxt, ena and virtio_net among others stop their queues or reset the link.
 * No driver is known that benefits from XDP and attaches it without interruption, so auto takes TC.
 */
static const char *const software_drivers[] = {"veth", "tun"};

/* Return whether packets of that link type start at the IP header; types from linux/if_arp.h. */
static bool is_layer3(unsigned type)
{
    switch (type) {
    case ARPHRD_NONE:    /* tun, WireGuard, IPsec interfaces */
    case ARPHRD_PPP:
    case ARPHRD_RAWIP:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case ARPHRD_IP6GRE:
        return true;
    default:
        return false;
    }
}

static bool is_software(const char *driver)
{
    for (size_t i = 0; i < sizeof(software_drivers) / sizeof(*software_drivers); i++)
        if (!strcmp(software_drivers[i], driver))
            return true;
    return false;
}

static void choose_ethernet(const struct qpw_link *link, enum qpw_attach_mode mode, const struct qpw_hook_list *rx,
                            struct qpw_mode_choice *choice)
{
    const struct qpw_hook_entry *foreign = qpw_hooks_foreign_xdp(rx);
    const char *driver = *link->driver ? link->driver : *link->kind ? link->kind : "unknown";

    if (foreign) {
        snprintf(choice->why, sizeof(choice->why), "XDP hook held by %s, id %u", foreign->name, foreign->prog_id);
        snprintf(choice->advice, sizeof(choice->advice),
                 "%s: its XDP hook is held by program '%s' (id %u), which stays; packets are counted at TC ingress, "
                 "after it: what it drops or redirects is not seen", link->name, foreign->name, foreign->prog_id);
        return;
    }
    if (mode == QPW_MODE_TC) {
        snprintf(choice->why, sizeof(choice->why), "requested with --mode tc");
    } else if (mode == QPW_MODE_XDP) {
        choice->xdp = true;
        snprintf(choice->why, sizeof(choice->why), "requested with --mode xdp");
    } else if (is_software(driver)) {
        snprintf(choice->why, sizeof(choice->why), "XDP on a %.16s slows bulk TCP", driver);
        snprintf(choice->advice, sizeof(choice->advice),
                 "%s: attached at TC, which costs bulk TCP on a %s some 2 %%; '--mode xdp' would cost it about three quarters, "
                 "since such a device then carries single frames, and see nothing more", link->name, driver);
    } else {
        snprintf(choice->why, sizeof(choice->why), "driver %.16s may reset the link for XDP", driver);
        snprintf(choice->advice, sizeof(choice->advice),
                 "%s: attached at TC because driver %s may reset the link when XDP is attached; '--mode xdp' would cost "
                 "less CPU per packet and see frames before they are merged, at the price of a short interruption now "
                 "and at detach", link->name, driver);
    }
}

int qpw_mode_choose(const struct qpw_link *link, enum qpw_attach_mode mode, const struct qpw_hook_list *rx,
                    struct qpw_mode_choice *ret, struct qpw_error *err)
{
    struct qpw_mode_choice choice = {0};

    if (link->flags & IFF_LOOPBACK)
        return qpw_fail(err, -EINVAL, "%s carries no network traffic; choose another interface",
                        link->name);
    if (link->type == ARPHRD_ETHER && mode == QPW_MODE_XDP && !strcmp(link->kind, "bond"))
        return qpw_fail(err, -EOPNOTSUPP, "%s: XDP on a bond runs on its ports and names these, not the bond, so its "
                        "packets would be another interface's; use --mode tc", link->name);
    if (link->type == ARPHRD_ETHER) {
        choose_ethernet(link, mode, rx, &choice);
    } else if (!is_layer3(link->type)) {
        return qpw_fail(err, -EOPNOTSUPP, "%s: link type %u is neither Ethernet nor plain IP; monitor the interface "
                        "below or above it", link->name, link->type);
    } else if (mode == QPW_MODE_XDP) {
        return qpw_fail(err, -EOPNOTSUPP, "%s: its packets have no Ethernet header, so XDP cannot read them; "
                        "use --mode tc", link->name);
    } else {
        choice.l3 = true;
        snprintf(choice.why, sizeof(choice.why), "no Ethernet header");
    }
    *ret = choice;
    return 0;
}

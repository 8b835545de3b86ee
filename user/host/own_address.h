/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* own_address.h - whether an address is this node's, asked without netlink. */
#ifndef QPW_HOST_OWN_ADDRESS_H
#define QPW_HOST_OWN_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Return whether this node, in this network namespace, holds the address (IPv4 as ::ffff:a.b.c.d). Sends nothing.
 * net.ipv4.ip_nonlocal_bind changes nothing.
 */
bool qpw_address_is_own(const uint8_t addr[16]);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* leases.h - which DHCP servers gave this machine its addresses, by the files that its DHCP client keeps. */
#ifndef QPW_HOST_LEASES_H
#define QPW_HOST_LEASES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads what systemd-networkd, dhclient and NetworkManager keep, below root ("" for this system). Each server once,
 * as a 16-byte address, into ret[0 … max). Returns how many. What cannot be read or understood names none.
 */
size_t qpw_lease_servers(const char *root, uint8_t (*ret)[16], size_t max);

#endif

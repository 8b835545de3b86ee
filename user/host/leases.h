/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* leases.h - the DHCP servers that gave this machine its addresses, from the files of its DHCP clients. */
#ifndef QPW_HOST_LEASES_H
#define QPW_HOST_LEASES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Read the lease files of systemd-networkd, dhclient and NetworkManager below root ("" for this system) and store each
 * server once, as a 16-byte address, in ret[0 … max). Returns how many. Unreadable or malformed files are skipped.
 */
size_t qpw_lease_servers(const char *root, uint8_t (*ret)[16], size_t max);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tags.h - what a card does with received frames before a program sees them. */
#ifndef QPW_HOST_TAGS_H
#define QPW_HOST_TAGS_H

#include <stdbool.h>

/* Whether it takes VLAN tags off received frames before XDP sees these (rx-vlan-offload); false where nobody can tell. */
bool qpw_strips_tags(const char *ifname);

/* Whether it merges received frames before the driver sees them (large-receive-offload); false likewise. */
bool qpw_merges_received(const char *ifname);

#endif

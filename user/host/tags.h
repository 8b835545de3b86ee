/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tags.h - device offloads that change received frames before a program sees them. */
#ifndef QPW_HOST_TAGS_H
#define QPW_HOST_TAGS_H

#include <stdbool.h>

/* Return whether the device strips VLAN tags before XDP (rx-vlan-offload); false if unknown. */
bool qpw_strips_tags(const char *ifname);

/* Return whether the device merges received frames (large-receive-offload); false if unknown. */
bool qpw_merges_received(const char *ifname);

#endif

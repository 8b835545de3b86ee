/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* tags.h - what a card does with VLAN tags. */
#ifndef QPW_HOST_TAGS_H
#define QPW_HOST_TAGS_H

#include <stdbool.h>

/* Whether it takes them off received frames before XDP sees these (rx-vlan-offload); false where nobody can tell. */
bool qpw_strips_tags(const char *ifname);

#endif

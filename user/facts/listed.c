/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/listed.h"

#include <netinet/in.h>

bool qpw_listed_has(const struct qpw_snapshot *s, unsigned direction, unsigned protocol, unsigned port)
{
    unsigned table = protocol == IPPROTO_TCP ? 0 : protocol == IPPROTO_UDP ? 1 : 2;

    if (!s->listed || !port || port > 65535 || (table == 2 && protocol != IPPROTO_SCTP))
        return true;
    return s->listed[QPW_LISTED_TABLE(direction == QPW_DIR_OUTBOUND, table)].bits[port / 64] >> port % 64 & 1;
}

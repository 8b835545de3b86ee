/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/service.h"

#include "facts/severity.h"

bool qpw_finding_service(const struct qpw_finding_row *f, struct qpw_service *ret)
{
    const struct qpw_finding_key *key = &f->key;

    *ret = (struct qpw_service){.port = key->port, .kind = key->kind, .protocol = key->protocol,
                                .direction = key->direction, .verdict = key->verdict,
                                .group = f->value.flags & QPW_FINDING_MULTICAST ? 1 : 0,
                                .unknown = f->value.reason == QPW_REASON_OWNER_UNKNOWN ? 1 : 0};
    if (!qpw_finding_answered(f) || key->aggregated)
        return false;
    if (key->verdict != QPW_VERDICT_UNEXPECTED && key->verdict != QPW_VERDICT_WEAK && key->verdict != QPW_VERDICT_IMPLIED &&
        key->verdict != QPW_VERDICT_MISMATCH)
        return false;
    if (key->direction != QPW_DIR_INBOUND && key->direction != QPW_DIR_OUTBOUND)
        return false;
    return (key->kind == QPW_KIND_PORT && key->port) || key->kind == QPW_KIND_PROTOCOL || key->kind == QPW_KIND_ICMP;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/lines.h"

#include <stdio.h>

#include "util/names.h"
#include "words/words.h"

const char *qpw_finding_line(const struct qpw_finding_key *key, const struct qpw_finding *value, const char *ifname,
                             char *buf, size_t size)
{
    const char *verdict = qpw_verdict_name(key->verdict), *direction = qpw_words_direction(key->direction);
    bool ports = key->kind == QPW_KIND_PORT;
    char from[64], to[64], service[48];

    qpw_words_service(key->kind, key->protocol, key->port, service, sizeof(service));
    if (key->kind == QPW_KIND_ETHERTYPE) {
        snprintf(buf, size, "%s %s %s%s%s", verdict, direction, service, *ifname ? " on " : "", ifname);
        return buf;
    }
    snprintf(buf, size, "%s %s %s from %s to %s, %s (evidence %s%s%s)", verdict, direction, service,
             qpw_words_endpoint(key->initiator, ports ? value->initiator_port : 0, from, sizeof(from)),
             qpw_words_endpoint(key->responder, ports ? key->port : 0, to, sizeof(to)), qpw_outcome_name(value->outcome),
             qpw_evidence_name(value->evidence), *ifname ? ", " : "", ifname);
    return buf;
}

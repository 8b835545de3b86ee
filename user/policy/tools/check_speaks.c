/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/in.h>

#include "policy/lang/services.h"
#include "policy/tools/check_int.h"
#include "util/names.h"

#define MANY 1024u /* no service has this many ports */

/* Return whether every remote address of the rule is a peer's. */
static bool is_only_for_peers(const struct qpw_policy *policy, const struct qpw_rule *rule)
{
    bool inbound = rule->direction == QPW_DIR_INBOUND;
    const struct qpw_addresses *remote = inbound ? &rule->from : &rule->to;

    for (size_t i = 0; i < policy->n_peers && rule->flags & (inbound ? QPW_RULE_FROM : QPW_RULE_TO); i++)
        if (qpw_addresses_cover(&policy->peers[i].addresses, remote))
            return true;
    return false;
}

/*
 * Warn about a service that no protocol of the rule carries, and about a protocol of the rule that carries none of
 * them.
 */
static int check_recognizable(const struct qpw_rule *rule, struct qpw_remarks *ret)
{
    static const unsigned protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
    uint32_t recognizable = 0;
    char text[QPW_SPEAKS_ROOM];
    int error = 0;

    for (size_t i = 0; i < 2 && error == 0; i++) {
        uint32_t over = qpw_speaks_over(rule->speaks, protocols[i]);

        if (!qpw_protocol_in(rule->protocols, protocols[i]))
            continue;
        recognizable |= over;
        if (!over)
            error = qpw_remark_add(ret, QPW_REMARK_SPEAKS, &rule->where,
                           "%s: speaks=%s means nothing over %s, where nothing is checked; give %s a rule of its own",
                           rule->name, qpw_speaks_text(rule->speaks, text, sizeof(text)), qpw_protocol_name(protocols[i]),
                           qpw_protocol_name(protocols[i]));
    }
    if (error == 0 && rule->speaks & ~recognizable)
        error = qpw_remark_add(ret, QPW_REMARK_SPEAKS, &rule->where,
                               "%s: %s is not spoken over the rule's protocol; remove it from speaks=", rule->name,
                               qpw_speaks_text(rule->speaks & ~recognizable, text, sizeof(text)));
    return error;
}

int qpw_check_row_speaks(const struct qpw_policy *policy, const struct qpw_rule *rule, struct qpw_remarks *ret)
{
    char text[QPW_SPEAKS_ROOM];
    int error;

    if (!qpw_speaks_services(rule->speaks))
        return 0;
    error = check_recognizable(rule, ret);
    if (error == 0 && qpw_rule_width(rule) > MANY)
        error = qpw_remark_add(ret, QPW_REMARK_SPEAKS, &rule->where,
                       "%s: speaks=%s is asked of each of its %u ports; name the ports that have one service", rule->name,
                       qpw_speaks_text(rule->speaks, text, sizeof(text)), qpw_rule_width(rule));
    if (error == 0 && is_only_for_peers(policy, rule))
        error = qpw_remark_add(ret, QPW_REMARK_SPEAKS, &rule->where,
                       "%s: speaks= means nothing here: its remote ends are peers, which may use any port", rule->name);
    return error;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/parse.h"
#include "policy/lang/rule_text.h"

static int warn_of(struct qpw_policy *policy, const struct qpw_where *where, const char *name, int64_t until,
                   int64_t now)
{
    char day[32];

    if (!until || until - now > QPW_EXPIRY_WARNING_DAYS * 86400)
        return 0;
    qpw_until_text(until, day, sizeof(day));
    if (until <= now)
        return qpw_policy_warn(policy, where,
                               "%s expired (until %s) and no longer matches: delete the line or extend it", name, day);
    return qpw_policy_warn(policy, where, "%s expires in %lld days (until %s)", name,
                           (long long)((until - now) / 86400), day);
}

int qpw_policy_warn_expiry(struct qpw_policy *policy, int64_t now)
{
    int ret = 0;

    for (size_t i = 0; i < policy->n_rules && ret == 0; i++)
        if (!(policy->rules[i].flags & QPW_RULE_DISABLED))
            ret = warn_of(policy, &policy->rules[i].where, policy->rules[i].name, policy->rules[i].until, now);
    for (size_t i = 0; i < policy->n_suppressions && ret == 0; i++)
        ret = warn_of(policy, &policy->suppressions[i].where, policy->suppressions[i].name,
                      policy->suppressions[i].until, now);
    return ret;
}

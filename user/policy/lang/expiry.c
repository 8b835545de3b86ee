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
    if (until - now < 86400)
        return qpw_policy_warn(policy, where, "%s expires within a day (until %s)", name, day);
    return qpw_policy_warn(policy, where, "%s expires in %lld day%s (until %s)", name, (long long)((until - now) / 86400),
                           (until - now) / 86400 == 1 ? "" : "s", day);
}

/* Warn once of all suppressions that expire soon, because that is usual; of each expired one, because it can be deleted. */
static int warn_of_suppressions(struct qpw_policy *policy, int64_t now)
{
    const struct qpw_suppression *first = NULL, *s;
    size_t soon = 0;
    char day[32];
    int ret = 0;

    for (size_t i = 0; i < policy->n_suppressions && ret == 0; i++) {
        s = &policy->suppressions[i];
        if (s->until && s->until <= now)
            ret = warn_of(policy, &s->where, s->name, s->until, now);
        if (!s->until || s->until <= now || s->until - now > QPW_EXPIRY_WARNING_DAYS * 86400)
            continue;
        soon++;
        first = first && first->until <= s->until ? first : s;
    }
    if (ret || !soon)
        return ret;
    if (soon == 1)
        return warn_of(policy, &first->where, first->name, first->until, now);
    qpw_until_text(first->until, day, sizeof(day));
    return qpw_policy_warn(policy, &first->where, "%zu suppressions expire within %d days, %s first (until %s)", soon,
                           QPW_EXPIRY_WARNING_DAYS, first->name, day);
}

int qpw_policy_warn_expiry(struct qpw_policy *policy, int64_t now)
{
    int ret = 0;

    for (size_t i = 0; i < policy->n_rules && ret == 0; i++)
        if (!(policy->rules[i].flags & QPW_RULE_DISABLED))
            ret = warn_of(policy, &policy->rules[i].where, policy->rules[i].name, policy->rules[i].until, now);
    return ret ? ret : warn_of_suppressions(policy, now);
}

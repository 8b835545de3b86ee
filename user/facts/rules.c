/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/policy.h"

static int by_packets(const void *a, const void *b)
{
    const struct qpw_rule_use *x = a, *y = b;
    uint64_t left = qpw_sum_of(&x->counts).packets, right = qpw_sum_of(&y->counts).packets;

    return left != right ? (left < right ? 1 : -1) : x->id - y->id;
}

int qpw_rules_use(const struct qpw_snapshot *s, struct qpw_rule_use **ret, size_t *ret_n)
{
    struct qpw_rule_use *all = calloc(s->n_rules + 1, sizeof(*all));
    size_t kept = 0;

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < s->n_rules; i++) {
        all[i].info = &s->rules[i];
        all[i].id = (uint16_t)i;
    }
    for (size_t i = 0; i < s->n_meters; i++) {
        if (!qpw_meter_uses_rule(s, &s->meters[i].key)) {
            if (s->meters[i].key.rule && s->meters[i].key.rule < s->n_rules)
                all[s->meters[i].key.rule].inferred += qpw_sum_of(&s->meters[i].counts).packets;
            continue;
        }
        qpw_counts_add(&all[s->meters[i].key.rule].counts, &s->meters[i].counts);
        qpw_earlier(&all[s->meters[i].key.rule].first_unix_ns, s->meters[i].first_unix_ns);
    }
    for (size_t i = 1; i < s->n_rules; i++)
        if (s->rules[i].name[0] && (s->rules[i].in_force || qpw_sum_of(&all[i].counts).packets))
            all[kept++] = all[i];
    qsort(all, kept, sizeof(*all), by_packets);
    *ret = all;
    *ret_n = kept;
    return 0;
}

bool qpw_rule_is_own(const struct qpw_rule_info *rule)
{
    return !rule->line && !strcmp(rule->file, QPW_SELF_FILE);
}

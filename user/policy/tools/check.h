/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check.h - what `policy check` warns about: valid, but probably not intended. */
#ifndef QPW_POLICY_CHECK_H
#define QPW_POLICY_CHECK_H

#include "policy/lang/policy.h"

enum qpw_remark_kind {
    QPW_REMARK_NONE = 0,
    QPW_REMARK_WARNING,      /* from reading the policy */
    QPW_REMARK_DUPLICATE,    /* the same rule again */
    QPW_REMARK_SHADOWED,     /* redundant: a wider rule covers it */
    QPW_REMARK_OVERLAP,      /* two rules share some ports */
    QPW_REMARK_CONTRADICTS,  /* a rule for what a group calls unexpected, and the like */
    QPW_REMARK_WIDE,         /* more than a quarter of all ports */
    QPW_REMARK_NEVER,        /* can match nothing */
    QPW_REMARK_PEER_CLIENT,  /* peers that overlap addresses of rules */
    QPW_REMARK_PURPOSE,      /* a proposed rule without a purpose */
    QPW_REMARK_ENDLESS,      /* a suppression that hides very much and has no end */
    QPW_REMARK_SPEAKS,       /* speaks= has no effect, or covers too much */
    QPW_REMARK_KEYLESS,      /* a peer without a key among peers that have one */
};

struct qpw_policy_remark {
    enum qpw_remark_kind kind;
    struct qpw_where where; /* file belongs to the policy; NULL: the text names the place */
    char *text;             /* the finding and the remedy */
};

struct qpw_remarks {
    struct qpw_policy_remark *list; /* in the order of the policy */
    size_t n;
};

/* Check the whole policy as of `now` (Unix seconds). 0 or -ENOMEM; the caller clears *ret. */
int qpw_policy_check(const struct qpw_policy *policy, int64_t now, struct qpw_remarks *ret);
void qpw_remarks_clear(struct qpw_remarks *remarks);

/* "duplicate", "shadowed", … */
const char *qpw_remark_name(enum qpw_remark_kind kind);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/lives.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/life.h"
#include "facts/service.h"
#include "host/clock.h"
#include "instance/lives.h"
#include "snapshot/collect.h"
#include "snapshot/lives.h"
#include "util/text.h"

#define DAY_NS 86400000000000ull

int qpw_audit_lives_load(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_lives *lives;
    int r = qpw_lives_read(&a->kernel, &lives);

    if (r < 0)
        return qpw_fail(err, r, "what was acknowledged and closed cannot be read: %s", strerror(-r));
    memcpy(lives->retention_ns, a->meta.retention_ns, sizeof(lives->retention_ns));
    qpw_lives_free(a->lives);
    a->lives = lives;
    return 0;
}

void qpw_audit_lives_assign(struct qpw_auditor *a, struct qpw_finding_row *rows, size_t n)
{
    if (a->lives)
        a->lives->now_unix_ns = qpw_clock_unix_ns();
    qpw_lives_assign(a->lives, rows, n);
}

/* State of one re-evaluation. */
struct round {
    struct qpw_auditor *a;
    const struct qpw_snapshot *s;
    struct qpw_judge *judge;
    const char *who;
    struct qpw_rejudged done;
};

static uint32_t ifindex_of(const struct qpw_snapshot *s, unsigned number)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].iface.number == number && !s->ifaces[i].gone)
            return s->ifaces[i].iface.ifindex;
    return 0;
}

/* Return whether the rule has expired: what it explained while in force stays explained. */
static bool has_expired(const struct round *round, const struct qpw_life *life)
{
    const struct qpw_policy *policy = &round->a->policy;
    const char *name = qpw_snapshot_rule(round->s, life->rule);
    int64_t now = (int64_t)(round->s->unix_ns / 1000000000u);

    for (size_t i = 0; *name && i < policy->n_rules; i++)
        if (!strcmp(policy->rules[i].name, name) && policy->rules[i].until && policy->rules[i].until <= now)
            return true;
    return false;
}

/* Return a number below 2^16 for the finding's service, so that all steps of one reload about it have the same time. */
static uint64_t service_offset(const struct qpw_finding_row *f)
{
    struct qpw_service service;
    uint64_t hash;

    if (!qpw_finding_service(f, &service))
        return (f->flow_id & 0xffff) << 1;
    hash = ((uint64_t)service.port << 24 | (uint64_t)service.protocol << 16 | (uint64_t)service.kind << 8 |
            (unsigned)(service.direction << 4 | service.verdict << 1 | service.group)) * 0x9e3779b97f4a7c15ull;
    return (hash >> 48) << 1;
}

static int judge_one(struct round *round, const struct qpw_finding_row *f)
{
    struct qpw_finding_life life = qpw_finding_life(f);
    struct qpw_finding_row before = *f;
    struct qpw_judgement judgement;
    bool explained = qpw_finding_explained(round->judge, f, ifindex_of(round->s, f->value.iface), &judgement);
    struct qpw_life step = {.unix_ns = (round->s->unix_ns & ~1ull) + service_offset(f),
                            .mono_ns = round->s->mono_ns,
                            .step = QPW_LIFE_EXPLAINED};
    bool acknowledged;
    int r = 0;

    qpw_text_cut(step.who, sizeof(step.who), round->who);
    if (life.state != QPW_FINDING_CLOSED && explained) {
        step.rule = judgement.peer ? 0 : judgement.rule;
        step.peer = judgement.peer;
        r = qpw_life_put(&round->a->kernel, &f->key, &step);
        round->done.closed += r == 0;
    } else if (life.by == QPW_CLOSED_BY_RULE && !explained && !has_expired(round, life.step)) {
        before.explained = NULL;
        acknowledged = qpw_finding_life(&before).state == QPW_FINDING_ACKNOWLEDGED;
        step.step = QPW_LIFE_REOPENED;
        r = qpw_life_put(&round->a->kernel, &f->key, &step);
        round->done.reopened += r == 0 && !acknowledged;
        round->done.back += r == 0 && acknowledged;
    }
    return r;
}

int qpw_audit_rejudge(struct qpw_auditor *a, const char *who, struct qpw_rejudged *ret, struct qpw_error *err)
{
    struct qpw_collect_options options = {.brief = true, .links = a->netlink};
    struct qpw_snapshot snapshot = {0};
    struct round round = {.a = a, .s = &snapshot, .who = who};
    int r, first = 0;

    *ret = round.done;
    r = qpw_collect(&a->kernel, &options, &snapshot, err);
    if (r < 0)
        return r;
    r = qpw_judge_new(&a->compiled, &round.judge);
    if (r < 0)
        qpw_fail(err, r, "out of memory");
    for (size_t i = 0; r == 0 && i < snapshot.n_findings; i++) {
        int judged = judge_one(&round, &snapshot.findings[i]);

        first = first ? first : judged;
    }
    if (r == 0 && first < 0)
        r = qpw_fail(err, first, "findings that the policy explains now cannot be closed: %s", strerror(-first));
    qpw_judge_free(round.judge);
    qpw_snapshot_clear(&snapshot);
    *ret = round.done;
    if (qpw_audit_lives_load(a, r < 0 ? NULL : err) < 0)
        return -EIO;
    return r;
}

static void mark_stored(const struct qpw_lives *lives, const struct qpw_life *step, bool *stored)
{
    if (step)
        stored[((const char *)step - (const char *)&lives->rows->life) / sizeof(*lives->rows)] = true;
}

/* Mark the steps whose finding is still stored. NULL: out of memory. The caller frees the result. */
static bool *stored_ones(const struct qpw_snapshot *s)
{
    bool *stored = calloc(s->lives->n + 1, sizeof(*stored));

    for (size_t i = 0; stored && i < s->n_findings; i++) {
        mark_stored(s->lives, s->findings[i].explained, stored);
        mark_stored(s->lives, s->findings[i].reopened, stored);
    }
    return stored;
}

static bool is_over(const struct qpw_life *life, bool stored, uint64_t now_unix_ns)
{
    if (life->step == QPW_LIFE_ACKNOWLEDGED)
        return life->until_unix_ns && life->until_unix_ns + DAY_NS < now_unix_ns;
    if (life->step == QPW_LIFE_REOPENED && life->unix_ns + DAY_NS > now_unix_ns)
        return false; /* its record may not be written yet */
    return !stored;
}

void qpw_audit_lives_sweep(struct qpw_auditor *a)
{
    struct qpw_collect_options options = {.brief = true, .links = a->netlink};
    struct qpw_snapshot s = {0};
    size_t removed = 0;
    bool *stored;

    if (!a->lives || !a->lives->n || qpw_collect(&a->kernel, &options, &s, NULL) < 0)
        return;
    stored = stored_ones(&s);
    for (size_t i = 0; stored && i < s.lives->n; i++) {
        const struct qpw_life_row *row = &s.lives->rows[i];

        removed += is_over(&row->life, stored[i], s.unix_ns) && qpw_life_remove(&a->kernel, &row->key) == 0;
    }
    free(stored);
    qpw_snapshot_clear(&s);
    if (removed)
        qpw_audit_lives_load(a, NULL);
}

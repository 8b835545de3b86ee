/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/gaps.h"

#include <errno.h>
#include <stdlib.h>

#include "facts/sight.h"

static bool begins_gap(unsigned kind)
{
    return kind == QPW_COVERAGE_DETACHED || kind == QPW_COVERAGE_INTERFACE_GONE || kind == QPW_COVERAGE_HOOK_LOST ||
           kind == QPW_COVERAGE_UNSEEN;
}

static bool ends_gap(unsigned kind)
{
    return kind == QPW_COVERAGE_ATTACHED || kind == QPW_COVERAGE_INTERFACE_BACK;
}

/* The list under construction. */
struct list {
    const struct qpw_snapshot *s;
    struct qpw_gap *gaps;
    size_t n;
};

static struct qpw_gap *open_gap(struct list *l, uint16_t iface)
{
    for (size_t i = l->n; i > 0; i--)
        if (l->gaps[i - 1].open && l->gaps[i - 1].iface == iface)
            return &l->gaps[i - 1];
    return NULL;
}

static void add_gap(struct list *l, uint16_t iface, uint64_t from, unsigned kind)
{
    l->gaps[l->n++] = (struct qpw_gap){.from_unix_ns = from, .to_unix_ns = l->s->unix_ns, .iface = iface,
                                       .kind = (uint16_t)kind, .open = true};
}

static bool is_attached(const struct qpw_snapshot *s, unsigned number)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].iface.number == number)
            return s->ifaces[i].attached;
    return false;
}

static void from_records(struct list *l)
{
    for (size_t i = 0; i < l->s->n_coverage; i++) {
        const struct qpw_coverage *c = &l->s->coverage[i];
        struct qpw_gap *gap = open_gap(l, c->iface);

        if (c->kind == QPW_COVERAGE_AUDITOR_GAP)
            l->gaps[l->n++] = (struct qpw_gap){.from_unix_ns = c->since_unix_ns ? c->since_unix_ns : c->unix_ns,
                                               .to_unix_ns = c->unix_ns, .kind = c->kind};
        if (begins_gap(c->kind) && !gap)
            add_gap(l, c->iface, c->unix_ns, c->kind);
        if (ends_gap(c->kind) && gap) {
            gap->to_unix_ns = c->unix_ns;
            gap->open = false;
        }
    }
}

/* Let the current state of the hooks override the last record: a hook may have been removed or restored without one. */
static void from_hooks(struct list *l)
{
    const struct qpw_snapshot *s = l->s;

    for (size_t i = 0; i < s->n_ifaces; i++) {
        enum qpw_watch_state state = qpw_watch_of(s, &s->ifaces[i]);

        if (qpw_watch_blind(state) && !open_gap(l, s->ifaces[i].iface.number))
            add_gap(l, s->ifaces[i].iface.number, s->unix_ns,
                    state == QPW_WATCH_GONE ? QPW_COVERAGE_INTERFACE_GONE : QPW_COVERAGE_HOOK_LOST);
    }
    for (size_t i = 0; i < l->n; i++)
        if (l->gaps[i].iface && is_attached(s, l->gaps[i].iface))
            l->gaps[i].open = false;
}

/* Add the gap of a missing auditor, which nobody records while it lasts. */
static void from_heartbeat(struct list *l)
{
    uint64_t age_ns;

    if (qpw_auditor_of(l->s, &age_ns) != QPW_AUDITOR_ALIVE && age_ns < l->s->unix_ns)
        add_gap(l, 0, l->s->unix_ns - age_ns, QPW_COVERAGE_AUDITOR_GAP);
}

static int by_begin(const void *a, const void *b)
{
    const struct qpw_gap *x = a, *y = b;

    return x->from_unix_ns < y->from_unix_ns ? -1 : x->from_unix_ns > y->from_unix_ns;
}

int qpw_gaps_make(const struct qpw_snapshot *s, uint64_t since_unix_ns, struct qpw_gap **ret, size_t *ret_n)
{
    struct list l = {.s = s, .gaps = calloc(s->n_coverage + s->n_ifaces + 2, sizeof(*l.gaps))};
    size_t kept = 0;

    if (!l.gaps)
        return -ENOMEM;
    from_records(&l);
    from_hooks(&l);
    from_heartbeat(&l);
    qsort(l.gaps, l.n, sizeof(*l.gaps), by_begin);
    for (size_t i = 0; i < l.n; i++)
        if (l.gaps[i].to_unix_ns >= since_unix_ns)
            l.gaps[kept++] = l.gaps[i];
    *ret = l.gaps;
    *ret_n = kept;
    return 0;
}

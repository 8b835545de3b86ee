/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/sight.h"

#include "util/name_table.h"

QPW_NAME_TABLE(qpw_watch_name, state, QPW_WATCHES, QPW_WATCH_COUNT, "invalid")

enum qpw_watch_state qpw_watch_of(const struct qpw_snapshot *s, const struct qpw_iface_row *row)
{
    unsigned number = row->iface.number;

    if (s->replay)
        return QPW_WATCH_CAPTURE;
    if (row->attached)
        return row->up ? QPW_WATCH_OK : QPW_WATCH_DOWN;
    if (number < QPW_MAX_IFACES && !s->meta.rx_hook[number] && !s->meta.tx_hook[number])
        return QPW_WATCH_DETACHED;
    return row->gone ? QPW_WATCH_GONE : QPW_WATCH_UNHOOKED;
}

enum qpw_auditor_state qpw_auditor_of(const struct qpw_snapshot *s, uint64_t *ret_age_ns)
{
    uint64_t beat = s->control.heartbeat_ns, age = UINT64_MAX;

    if (beat)
        age = s->mono_ns > beat ? s->mono_ns - beat : 0;
    *ret_age_ns = age;
    if (s->replay)
        return QPW_AUDITOR_ALIVE;
    if (s->lock == QPW_LOCK_FREE || (s->lock == QPW_LOCK_UNKNOWN && !beat))
        return QPW_AUDITOR_NONE;
    return age >= QPW_HEARTBEAT_STALE_NS ? QPW_AUDITOR_SILENT : QPW_AUDITOR_ALIVE;
}

/* Return when the newest record reports the interface as lost; the snapshot's own time if none does. */
static uint64_t lost_since(const struct qpw_snapshot *s, unsigned number)
{
    for (size_t i = s->n_coverage; i-- > 0;) {
        const struct qpw_coverage *c = &s->coverage[i];

        if (c->iface != number)
            continue;
        if (c->kind == QPW_COVERAGE_ATTACHED || c->kind == QPW_COVERAGE_INTERFACE_BACK)
            break; /* no record of the loss */
        if (c->kind == QPW_COVERAGE_HOOK_LOST || c->kind == QPW_COVERAGE_INTERFACE_GONE)
            return c->unix_ns;
    }
    return s->unix_ns;
}

static void earliest(uint64_t *first, uint64_t other)
{
    if (!*first || other < *first)
        *first = other;
}

void qpw_sight_of(const struct qpw_snapshot *s, struct qpw_sight *ret)
{
    struct qpw_sight sight = {.auditor = QPW_AUDITOR_NONE};

    sight.auditor = qpw_auditor_of(s, &sight.heartbeat_age_ns);
    for (size_t i = 0; i < s->n_ifaces; i++) {
        enum qpw_watch_state state = qpw_watch_of(s, &s->ifaces[i]);

        sight.watched += state != QPW_WATCH_DETACHED;
        sight.unhooked += state == QPW_WATCH_UNHOOKED;
        sight.gone += state == QPW_WATCH_GONE;
        if (!qpw_watch_blind(state))
            continue;
        sight.first = sight.first ? sight.first : &s->ifaces[i];
        earliest(&sight.blind_since_unix_ns, lost_since(s, s->ifaces[i].iface.number));
    }
    if (sight.auditor != QPW_AUDITOR_ALIVE && sight.heartbeat_age_ns < s->unix_ns)
        earliest(&sight.blind_since_unix_ns, s->unix_ns - sight.heartbeat_age_ns);
    else if (sight.auditor != QPW_AUDITOR_ALIVE)
        earliest(&sight.blind_since_unix_ns, s->from_unix_ns ? s->from_unix_ns : s->unix_ns);
    sight.blind = sight.auditor != QPW_AUDITOR_ALIVE || sight.unhooked + sight.gone;
    *ret = sight;
}

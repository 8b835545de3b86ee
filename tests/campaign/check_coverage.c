/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check_coverage.c - every interval without an auditor, an interface or a program is reported, and none is invented. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alert/log/eve.h"
#include "campaign.h"

#define INVARIANT "every blind interval is stated, none invented"
#define KIND(symbol, kind) kind,
const char *const told_names[TOLD_KINDS] = {TOLD(KIND)};

static const char *text(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));

    return value ? value : "-";
}

static const char *kind_of(const json_t *event)
{
    return text(event, "event");
}

unsigned check_events_of(const json_t *events, const char *kind)
{
    unsigned n = 0;
    const json_t *e;
    size_t i;

    json_array_foreach(events, i, e)
        n += !strcmp(kind_of(e), kind);
    return n;
}

/* Parse "for 3 s." or "for 1 min 3 s."; false: another text. */
static bool read_seconds(const char *reported, unsigned *ret)
{
    unsigned minutes, seconds = 0;

    if (sscanf(reported, "for %u min %u s.", &minutes, &seconds) >= 1 && strstr(reported, "min"))
        return *ret = 60 * minutes + seconds, true;
    return sscanf(reported, "for %u s.", ret) == 1;
}

/* Compare the reported lengths, in their order, with the heartbeats that preceded them. */
static void check_seconds(struct campaign *c, const json_t *events)
{
    const struct coverage *v = &c->coverage;
    unsigned n = 0, seconds;
    const json_t *e;
    size_t i;

    json_array_foreach(events, i, e) {
        if (strcmp(kind_of(e), told_names[TOLD_GAP]))
            continue;
        if (n < v->n_gaps && v->n_gaps < INTERVALS &&
            (!read_seconds(text(e, "text"), &seconds) || seconds < v->gaps[n].least_s || seconds > v->gaps[n].most_s))
            campaign_fail(c, INVARIANT, "gap %u: '%s', true are %u to %u s", n + 1, text(e, "text"), v->gaps[n].least_s,
                          v->gaps[n].most_s);
        n++;
    }
    c->invariants += n;
}

/* Check that each reported interval lies within a true one, and that their numbers are equal. */
static void check_gaps(struct campaign *c, const json_t *gaps)
{
    const struct coverage *v = &c->coverage;
    const json_t *g;
    size_t at, i = 0;

    json_array_foreach(gaps, at, g) {
        if (!strcmp(text(g, "why"), "auditor-gap"))
            continue; /* counted nevertheless, and checked by the records */
        if (i == v->n_blind) {
            i++;
            break;
        }
        uint64_t from = qpw_eve_parse_time(text(g, "from")), to = qpw_eve_parse_time(text(g, "to"));

        if (from / 1000 * 1000 < v->blind[i].from_ns / 1000 * 1000 || to > v->blind[i].to_ns ||
            json_is_true(json_object_get(g, "open")))
            campaign_fail(c, INVARIANT, "gap %zu: from %s to %s, not within %" PRIu64 " to %" PRIu64, i + 1,
                          text(g, "from"), text(g, "to"), v->blind[i].from_ns, v->blind[i].to_ns);
        i++;
    }
    if (i != v->n_blind)
        campaign_fail(c, INVARIANT, "%zu gaps in the report, %u are true", i, v->n_blind);
    c->invariants += v->n_blind;
}

static void check_auditor(struct campaign *c)
{
    json_t *status = campaign_document(c, "status --json"), *alerts = json_object_get(status, "alerts");
    const json_t *pid = json_object_get(json_object_get(status, "auditor"), "pid");
    uint64_t before = c->collector.messages, sent;

    collector_drain(&c->collector);
    if (json_is_integer(pid) && json_integer_value(pid) != c->auditor)
        campaign_fail(c, "status names the auditor", "not %d", (int)c->auditor);
    sent = (uint64_t)json_integer_value(json_object_get(alerts, "syslog_sent"));
    if (json_is_object(alerts) && (sent < before || sent > c->collector.messages || c->collector.malformed))
        campaign_fail(c, "the collector has what was sent", "%" PRIu64 " sent, %" PRIu64 " had come before, %" PRIu64
                      " after, %" PRIu64 " of them no RFC 5424", sent, before, c->collector.messages,
                      c->collector.malformed);
    c->invariants += 2;
    json_decref(status);
}

void check_coverage(struct campaign *c, const json_t *report)
{
    const json_t *coverage = json_object_get(report, "coverage"), *events = json_object_get(coverage, "events");
    unsigned total = 0;

    for (unsigned kind = 0; kind < TOLD_KINDS; kind++)
        total += c->coverage.reported[kind].most;
    for (unsigned kind = 0; kind < TOLD_KINDS && total < QPW_COVERAGE_RECORDS; kind++) { /* else the oldest are gone */
        unsigned n = check_events_of(events, told_names[kind]);

        if (n < c->coverage.reported[kind].least || n > c->coverage.reported[kind].most)
            campaign_fail(c, INVARIANT, "%u records '%s', %u to %u are true", n, told_names[kind],
                          c->coverage.reported[kind].least, c->coverage.reported[kind].most);
    }
    c->invariants += TOLD_KINDS;
    if (total < QPW_COVERAGE_RECORDS) {
        check_seconds(c, events);
        check_gaps(c, json_object_get(coverage, "gaps"));
    }
    if (c->auditor && !c->stopped)
        check_auditor(c);
}

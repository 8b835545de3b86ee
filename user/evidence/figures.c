/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evidence/figures.h"

#include <string.h>

#include "facts/life.h"
#include "facts/listening.h"
#include "words/rule.h"

#define DAY_US 86400000000ull

const char *qpw_figure_of_name(unsigned of)
{
#define NAME(symbol, name, label) name,
    static const char *const names[] = {QPW_FIGURE_OFS(NAME)};
#undef NAME

    return of < QPW_FIGURE_OF_COUNT ? names[of] : "";
}

const char *qpw_figure_of_label(unsigned of)
{
#define LABEL(symbol, name, label) label,
    static const char *const labels[] = {QPW_FIGURE_OFS(LABEL)};
#undef LABEL

    return of < QPW_FIGURE_OF_COUNT ? labels[of] : "";
}

const struct qpw_figure_row *qpw_figure_row(unsigned figure)
{
#define JQ(...) #__VA_ARGS__
#define ROW(symbol, name, of, what, file, filter) {name, what, file, filter, QPW_FIGURE_OF_##of},
    static const struct qpw_figure_row figures[QPW_FIGURE_COUNT + 1] = {
#include "evidence/figures.list"
    };
#undef ROW
#undef JQ

    return &figures[figure < QPW_FIGURE_COUNT ? figure : QPW_FIGURE_COUNT];
}

/* Expand FIGURES(A, B) of the list to enum values, padded with QPW_FIGURE_COUNT. */
#define FIGURE(name) QPW_FIGURE_##name
#define NO QPW_FIGURE_COUNT
#define F1(a) FIGURE(a), NO, NO, NO, NO, NO, NO, NO, NO, NO
#define F2(a, b) FIGURE(a), FIGURE(b), NO, NO, NO, NO, NO, NO, NO, NO
#define F3(a, b, c) FIGURE(a), FIGURE(b), FIGURE(c), NO, NO, NO, NO, NO, NO, NO
#define F4(a, b, c, d) FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), NO, NO, NO, NO, NO, NO
#define F5(a, b, c, d, e) FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), NO, NO, NO, NO, NO
#define F6(a, b, c, d, e, f) FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), FIGURE(f), NO, NO, NO, NO
#define F7(a, b, c, d, e, f, g) FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), FIGURE(f), FIGURE(g), NO, NO, NO
#define F8(a, b, c, d, e, f, g, h) FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), FIGURE(f), FIGURE(g), FIGURE(h), NO, NO
#define F9(a, b, c, d, e, f, g, h, i) \
    FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), FIGURE(f), FIGURE(g), FIGURE(h), FIGURE(i), NO
#define F10(a, b, c, d, e, f, g, h, i, j) \
    FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), FIGURE(f), FIGURE(g), FIGURE(h), FIGURE(i), FIGURE(j)
#define PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, NAME, ...) NAME
#define FIGURES(...) {PICK(__VA_ARGS__, F10, F9, F8, F7, F6, F5, F4, F3, F2, F1)(__VA_ARGS__)}

size_t qpw_requirements(const struct qpw_requirement **ret)
{
#define ROW(symbol, catalogue, id, asks, figures, not_shown) {catalogue, id, asks, not_shown, figures},
    static const struct qpw_requirement requirements[] = {
#include "evidence/requirements.list"
    };
#undef ROW

    *ret = requirements;
    return sizeof(requirements) / sizeof(*requirements);
}

/* ---- Counting ---- */

struct counting {
    const struct qpw_figures_from *from;
    struct qpw_figure_value *values;
};

static void add(struct counting *c, enum qpw_figure figure, uint64_t n)
{
    c->values[figure].value += n;
}

static void count_rule(struct counting *c, const struct qpw_rule_use *rule)
{
    const struct qpw_rule_info *info = rule->info;
    bool insecure = qpw_words_insecure_rule(info);
    struct qpw_rule_words words;

    if (insecure)
        add(c, QPW_FIGURE_INSECURE_CONNECTIONS, rule->counts.connections);
    qpw_rule_words(c->from->options->policy, info, &words);
    if (!info->in_force || words.own) /* the policy does not approve built-in groups */
        return;
    add(c, QPW_FIGURE_RULES_IN_FORCE, 1);
    add(c, QPW_FIGURE_RULES_OF_VENDOR, words.vendor);
    add(c, QPW_FIGURE_RULES_WITHOUT_PURPOSE, !words.purpose[0]);
    add(c, QPW_FIGURE_RULES_WITHOUT_REF, words.vendor || !words.ref[0]);
    if (words.cut && !words.ref[0] && !words.vendor) /* a truncated statement may have had one */
        c->values[QPW_FIGURE_RULES_WITHOUT_REF].known = c->values[QPW_FIGURE_RULES_OF_VENDOR].known = false;
    if (words.cut && !words.until[0] && !words.vendor) /* a vendor's page sets no date */
        c->values[QPW_FIGURE_EXCEPTIONS].known = false;
    add(c, QPW_FIGURE_RULES_INSECURE, insecure);
    add(c, QPW_FIGURE_RULES_WEAK, info->verdict == QPW_VERDICT_WEAK);
    add(c, QPW_FIGURE_RULES_UNUSED, !qpw_sum_of(&rule->counts).packets && !rule->inferred);
    add(c, QPW_FIGURE_EXCEPTIONS, words.until[0] != '\0');
}

static void count_finding(struct counting *c, const struct qpw_finding_row *f)
{
    unsigned state = qpw_finding_life(f).state, verdict = f->key.verdict;
    bool open = state == QPW_FINDING_OPEN, unexpected = open && verdict == QPW_VERDICT_UNEXPECTED;

    add(c, QPW_FIGURE_FINDINGS_UNEXPECTED, unexpected);
    add(c, QPW_FIGURE_FINDINGS_ANSWERED, unexpected && qpw_finding_answered(f));
    add(c, QPW_FIGURE_FINDINGS_INBOUND, unexpected && f->key.direction == QPW_DIR_INBOUND);
    add(c, QPW_FIGURE_FINDINGS_OUTBOUND, unexpected && f->key.direction == QPW_DIR_OUTBOUND);
    add(c, QPW_FIGURE_FINDINGS_MISMATCH, open && verdict == QPW_VERDICT_MISMATCH);
    add(c, QPW_FIGURE_FINDINGS_WEAK, open && verdict == QPW_VERDICT_WEAK);
    add(c, QPW_FIGURE_FINDINGS_IMPLIED, open && verdict == QPW_VERDICT_IMPLIED);
    add(c, QPW_FIGURE_FINDINGS_UNDECIDED, open && verdict == QPW_VERDICT_UNDECIDED);
    add(c, QPW_FIGURE_FINDINGS_FORGED, qpw_is_foreign(f->value.reason));
    add(c, QPW_FIGURE_FINDINGS_ACKNOWLEDGED, state == QPW_FINDING_ACKNOWLEDGED);
    add(c, QPW_FIGURE_FINDINGS_CLOSED, state == QPW_FINDING_CLOSED);
}

static void count_listeners(struct counting *c)
{
    const struct qpw_listening *l = c->from->options->listening;

    c->values[QPW_FIGURE_LISTENERS].known = c->values[QPW_FIGURE_LISTENERS_UNLISTED].known =
        c->values[QPW_FIGURE_LISTENERS_OTHER].known = c->values[QPW_FIGURE_RULES_NOT_LISTENING].known = l != NULL;
    for (size_t i = 0; l && i < l->n; i++) {
        const struct qpw_listening_row *row = &l->rows[i];
        bool reached = !row->loopback && !row->listener->ephemeral;

        add(c, QPW_FIGURE_LISTENERS, reached);
        add(c, QPW_FIGURE_LISTENERS_UNLISTED, reached && row->verdict == QPW_VERDICT_UNEXPECTED);
        add(c, QPW_FIGURE_LISTENERS_OTHER, row->wanted && row->owner_word == QPW_OWNER_OTHER);
    }
    add(c, QPW_FIGURE_RULES_NOT_LISTENING, l ? l->n_idle : 0);
}

static void count_packets(struct counting *c)
{
    const struct qpw_report *r = c->from->report;
    const struct qpw_totals *t = &r->totals;

    add(c, QPW_FIGURE_PACKETS_INBOUND, t->by_direction[QPW_DIR_INBOUND].packets);
    add(c, QPW_FIGURE_PACKETS_OUTBOUND, t->by_direction[QPW_DIR_OUTBOUND].packets);
    add(c, QPW_FIGURE_PACKETS_UNDECIDED, t->by_verdict[QPW_VERDICT_UNDECIDED].packets);
    add(c, QPW_FIGURE_PACKETS_PEER, t->by_verdict[QPW_VERDICT_PEER].packets);
    add(c, QPW_FIGURE_PACKETS_ECHO, t->undecided[QPW_REASON_ECHO].packets + t->transit[QPW_REASON_ECHO].packets);
    add(c, QPW_FIGURE_PACKETS_UNSOLICITED, t->undecided[QPW_REASON_UNSOLICITED].packets);
    for (size_t i = 0; i < r->n_meters; i++)
        add(c, QPW_FIGURE_CONNECTIONS, r->meters[i].counts.connections);
}

static uint64_t begin_of(const struct qpw_report *r)
{
    return r->since_unix_ns > r->s->from_unix_ns ? r->since_unix_ns : r->s->from_unix_ns;
}

/* Add up gaps in whole microseconds, as in documents, so that a recount gives the same sum. */
static void count_gaps(struct counting *c)
{
    const struct qpw_report *r = c->from->report;
    uint64_t unseen_us = 0;

    for (size_t i = 0; i < r->n_gaps; i++) {
        const struct qpw_gap *gap = &r->gaps[i];
        uint64_t from = gap->from_unix_ns > r->since_unix_ns ? gap->from_unix_ns : r->since_unix_ns;

        if (gap->kind != QPW_COVERAGE_AUDITOR_GAP && gap->to_unix_ns > from)
            unseen_us += gap->to_unix_ns / 1000 - from / 1000;
    }
    add(c, QPW_FIGURE_GAPS, r->n_gaps);
    add(c, QPW_FIGURE_SECONDS_UNSEEN, (unseen_us + 999999) / 1000000);
}

static void count_event(struct counting *c, unsigned kind)
{
    add(c, QPW_FIGURE_MONITORING_LOST, kind == QPW_COVERAGE_HOOK_LOST || kind == QPW_COVERAGE_INTERFACE_GONE);
    add(c, QPW_FIGURE_AUDIT_RECORDS, kind == QPW_COVERAGE_ATTACHED || kind == QPW_COVERAGE_DETACHED ||
                                         kind == QPW_COVERAGE_AUDITOR_STARTED || kind == QPW_COVERAGE_AUDITOR_STOPPED);
    add(c, QPW_FIGURE_POLICY_CHANGES, kind == QPW_COVERAGE_RELOADED || kind == QPW_COVERAGE_RELOADED_ALONE);
}

static void count_coverage(struct counting *c)
{
    const struct qpw_report *r = c->from->report;
    const struct qpw_snapshot *s = r->s;

    count_gaps(c);
    for (size_t i = 0; i < s->n_coverage; i++)
        if (s->coverage[i].unix_ns >= r->since_unix_ns)
            count_event(c, s->coverage[i].kind);
    c->values[QPW_FIGURE_LOSSES].known = !s->recorded;
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        if (!qpw_loss_delays(i))
            add(c, QPW_FIGURE_LOSSES, s->losses[i]);
    c->values[QPW_FIGURE_INTERFACES_MONITORED].known = c->values[QPW_FIGURE_INTERFACES_UNMONITORED].known = s->inventory != NULL;
    for (size_t i = 0; i < s->n_inventory; i++) {
        add(c, QPW_FIGURE_INTERFACES_MONITORED, s->inventory[i].state == QPW_LINK_MONITORED);
        add(c, QPW_FIGURE_INTERFACES_UNMONITORED, s->inventory[i].state == QPW_LINK_UNMONITORED);
    }
    c->values[QPW_FIGURE_PEERS].known = c->values[QPW_FIGURE_PEERS_SILENT].known =
        !s->recorded; /* a recorded one has only peers that were seen */
    for (size_t i = 0; i < r->n_peers; i++) {
        add(c, QPW_FIGURE_PEERS, r->peers[i].info->in_force);
        add(c, QPW_FIGURE_PEERS_SILENT, r->peers[i].info->in_force && r->peers[i].silent);
    }
}

static uint64_t days(uint64_t from, uint64_t to)
{
    return to > from ? (to / 1000 - from / 1000) / DAY_US : 0;
}

static void count_log(struct counting *c)
{
    static const unsigned of_log[] = {QPW_FIGURE_ALERT_RECORDS, QPW_FIGURE_CHAIN_BREAKS, QPW_FIGURE_LOG_DAYS, QPW_FIGURE_AUDIT_RECORDS_LOGGED,
                                      QPW_FIGURE_FAILURES_REPORTED};
    const struct qpw_log_sums *log = c->from->log;

    for (size_t i = 0; i < sizeof(of_log) / sizeof(*of_log); i++)
        c->values[of_log[i]].known = log != NULL;
    if (!log)
        return;
    add(c, QPW_FIGURE_ALERT_RECORDS, log->chain.records);
    add(c, QPW_FIGURE_CHAIN_BREAKS, log->chain.n_breaches);
    add(c, QPW_FIGURE_LOG_DAYS, days(log->oldest_unix_ns, log->newest_unix_ns));
    add(c, QPW_FIGURE_AUDIT_RECORDS_LOGGED, log->audit_records);
    add(c, QPW_FIGURE_FAILURES_REPORTED, log->failures);
}

void qpw_figures_make(const struct qpw_figures_from *from, struct qpw_figure_value ret[QPW_FIGURE_COUNT])
{
    const struct qpw_report *r = from->report;
    struct counting c = {from, ret};

    memset(ret, 0, QPW_FIGURE_COUNT * sizeof(*ret));
    for (unsigned i = 0; i < QPW_FIGURE_COUNT; i++)
        ret[i].known = true;
    for (size_t i = 0; i < r->n_rules; i++)
        count_rule(&c, &r->rules[i]);
    for (size_t i = 0; i < r->found.n_rows; i++)
        count_finding(&c, r->found.rows[i]);
    count_listeners(&c);
    count_packets(&c);
    count_coverage(&c);
    count_log(&c);
    add(&c, QPW_FIGURE_VENDOR_PAGE, r->s->meta.source_digest[0] != '\0');
    add(&c, QPW_FIGURE_PERIOD_DAYS, days(begin_of(r), r->s->unix_ns));
    add(&c, QPW_FIGURE_HISTORY_DAYS, days(from->history_from_unix_ns, from->history_to_unix_ns));
    ret[QPW_FIGURE_HISTORY_DAYS].known = from->history_to_unix_ns != 0;
}

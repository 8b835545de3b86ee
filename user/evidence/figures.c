/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evidence/figures.h"

#include <string.h>

#include "facts/life.h"
#include "facts/listening.h"
#include "words/rule.h"

#define DAY_NS 86400000000000ull

const char *qpw_figure_what(unsigned figure)
{
#define WHAT(symbol, what, where) what,
    static const char *const whats[] = {QPW_FIGURES(WHAT)};
#undef WHAT

    return figure < QPW_FIGURE_COUNT ? whats[figure] : "";
}

const char *qpw_figure_where(unsigned figure)
{
#define WHERE(symbol, what, where) where,
    static const char *const wheres[] = {QPW_FIGURES(WHERE)};
#undef WHERE

    return figure < QPW_FIGURE_COUNT ? wheres[figure] : "";
}

/* FIGURES(A, B) of the list: each by its enum, those not used by QPW_FIGURE_COUNT. */
#define FIGURE(name) QPW_FIGURE_##name
#define FIGURES_8(a, b, c, d, e, f, g, h, ...) {a, b, c, d, e, f, g, h}
#define NO QPW_FIGURE_COUNT
#define PICK(_1, _2, _3, _4, _5, _6, _7, NAME, ...) NAME
#define F1(a) FIGURES_8(FIGURE(a), NO, NO, NO, NO, NO, NO, NO)
#define F2(a, b) FIGURES_8(FIGURE(a), FIGURE(b), NO, NO, NO, NO, NO, NO)
#define F3(a, b, c) FIGURES_8(FIGURE(a), FIGURE(b), FIGURE(c), NO, NO, NO, NO, NO)
#define F4(a, b, c, d) FIGURES_8(FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), NO, NO, NO, NO)
#define F5(a, b, c, d, e) FIGURES_8(FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), NO, NO, NO)
#define F6(a, b, c, d, e, f) FIGURES_8(FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), FIGURE(f), NO, NO)
#define F7(a, b, c, d, e, f, g) FIGURES_8(FIGURE(a), FIGURE(b), FIGURE(c), FIGURE(d), FIGURE(e), FIGURE(f), FIGURE(g), NO)
#define FIGURES(...) PICK(__VA_ARGS__, F7, F6, F5, F4, F3, F2, F1)(__VA_ARGS__)

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
    if (!info->in_force || words.own) /* groups of the tool's own are not the policy's to approve */
        return;
    add(c, QPW_FIGURE_RULES_IN_FORCE, 1);
    add(c, QPW_FIGURE_RULES_WITHOUT_PURPOSE, !words.purpose[0]);
    add(c, QPW_FIGURE_RULES_WITHOUT_REF, !words.ref[0]);
    if (words.cut && !words.ref[0]) /* what was cut may have named one */
        c->values[QPW_FIGURE_RULES_WITHOUT_REF].known = false;
    if (words.cut && !words.until[0])
        c->values[QPW_FIGURE_EXCEPTIONS].known = false;
    add(c, QPW_FIGURE_RULES_INSECURE, insecure);
    add(c, QPW_FIGURE_RULES_WEAK, info->verdict == QPW_VERDICT_WEAK);
    add(c, QPW_FIGURE_RULES_UNUSED, !qpw_sum_of(&rule->counts).packets);
    add(c, QPW_FIGURE_EXCEPTIONS, words.until[0] != '\0');
}

static void count_findings(struct counting *c)
{
    const struct qpw_findings *found = &c->from->report->found;

    for (size_t i = 0; i < found->n_rows; i++) {
        const struct qpw_finding_row *f = found->rows[i];
        unsigned state = qpw_finding_life(f).state;
        bool open = state == QPW_FINDING_OPEN && f->key.verdict == QPW_VERDICT_UNEXPECTED;

        add(c, QPW_FIGURE_FINDINGS_UNEXPECTED, open);
        add(c, QPW_FIGURE_FINDINGS_ANSWERED, open && qpw_finding_answered(f));
        add(c, QPW_FIGURE_FINDINGS_ACKNOWLEDGED, state == QPW_FINDING_ACKNOWLEDGED);
    }
}

static void count_listeners(struct counting *c)
{
    const struct qpw_listening *l = c->from->options->listening;

    c->values[QPW_FIGURE_LISTENERS].known = c->values[QPW_FIGURE_LISTENERS_UNLISTED].known =
        c->values[QPW_FIGURE_RULES_NOT_LISTENING].known = l != NULL;
    for (size_t i = 0; l && i < l->n; i++) {
        bool reached = !l->rows[i].loopback && !l->rows[i].listener->ephemeral;

        add(c, QPW_FIGURE_LISTENERS, reached);
        add(c, QPW_FIGURE_LISTENERS_UNLISTED, reached && l->rows[i].verdict == QPW_VERDICT_UNEXPECTED);
    }
    add(c, QPW_FIGURE_RULES_NOT_LISTENING, l ? l->n_idle : 0);
}

static void count_packets(struct counting *c)
{
    const struct qpw_report *r = c->from->report;
    const struct qpw_totals *t = &r->totals;

    add(c, QPW_FIGURE_PACKETS_INBOUND, t->by_direction[QPW_DIR_INBOUND].packets);
    add(c, QPW_FIGURE_PACKETS_OUTBOUND, t->by_direction[QPW_DIR_OUTBOUND].packets);
    add(c, QPW_FIGURE_PACKETS_UNEXPECTED, t->by_verdict[QPW_VERDICT_UNEXPECTED].packets);
    add(c, QPW_FIGURE_PACKETS_UNDECIDED, t->by_verdict[QPW_VERDICT_UNDECIDED].packets);
    add(c, QPW_FIGURE_PACKETS_WEAK, t->by_verdict[QPW_VERDICT_WEAK].packets);
    add(c, QPW_FIGURE_PACKETS_IMPLIED, t->by_verdict[QPW_VERDICT_IMPLIED].packets);
    add(c, QPW_FIGURE_PACKETS_PEER, t->by_verdict[QPW_VERDICT_PEER].packets);
    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (qpw_is_foreign(i) || i == QPW_REASON_ECHO)
            add(c, QPW_FIGURE_PACKETS_FORGED, t->undecided[i].packets + t->transit[i].packets);
    add(c, QPW_FIGURE_PACKETS_UNSOLICITED, t->undecided[QPW_REASON_UNSOLICITED].packets);
    for (size_t i = 0; i < r->n_meters; i++)
        add(c, QPW_FIGURE_CONNECTIONS, r->meters[i].counts.connections);
}

static void count_coverage(struct counting *c)
{
    const struct qpw_report *r = c->from->report;
    uint64_t unseen_ns = 0;

    for (size_t i = 0; i < r->n_gaps; i++) {
        const struct qpw_gap *gap = &r->gaps[i];
        uint64_t to = gap->open || gap->to_unix_ns > r->s->unix_ns ? r->s->unix_ns : gap->to_unix_ns;

        add(c, QPW_FIGURE_GAPS, 1);
        if (gap->kind != QPW_COVERAGE_AUDITOR_GAP && to > gap->from_unix_ns)
            unseen_ns += to - gap->from_unix_ns;
    }
    add(c, QPW_FIGURE_SECONDS_UNSEEN, (unseen_ns + 999999999) / 1000000000);
    for (size_t i = 0; i < r->s->n_coverage; i++) {
        unsigned kind = r->s->coverage[i].kind;

        if (r->s->coverage[i].unix_ns < r->since_unix_ns)
            continue;
        add(c, QPW_FIGURE_MONITORING_LOST, kind == QPW_COVERAGE_HOOK_LOST || kind == QPW_COVERAGE_INTERFACE_GONE);
        add(c, QPW_FIGURE_AUDIT_RECORDS, kind == QPW_COVERAGE_ATTACHED || kind == QPW_COVERAGE_DETACHED ||
                                             kind == QPW_COVERAGE_AUDITOR_STARTED || kind == QPW_COVERAGE_AUDITOR_STOPPED);
        add(c, QPW_FIGURE_POLICY_CHANGES, kind == QPW_COVERAGE_RELOADED || kind == QPW_COVERAGE_RELOADED_ALONE);
    }
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        if (!qpw_loss_delays(i))
            add(c, QPW_FIGURE_LOSSES, r->s->losses[i]);
    for (size_t i = 0; i < r->n_peers; i++) {
        add(c, QPW_FIGURE_PEERS, r->peers[i].info->in_force);
        add(c, QPW_FIGURE_PEERS_SILENT, r->peers[i].info->in_force && r->peers[i].silent);
    }
}

static uint64_t days(uint64_t from, uint64_t to)
{
    return to > from ? (to - from) / DAY_NS : 0;
}

static void count_log(struct counting *c)
{
    const struct qpw_figures_from *from = c->from;

    c->values[QPW_FIGURE_ALERT_RECORDS].known = c->values[QPW_FIGURE_CHAIN_BREAKS].known =
        c->values[QPW_FIGURE_LOG_DAYS].known = from->log != NULL;
    if (!from->log)
        return;
    add(c, QPW_FIGURE_ALERT_RECORDS, from->log->records);
    add(c, QPW_FIGURE_CHAIN_BREAKS, from->log->n_breaches);
    add(c, QPW_FIGURE_LOG_DAYS, days(from->log_first_unix_ns, from->log_last_unix_ns));
}

void qpw_figures_make(const struct qpw_figures_from *from, struct qpw_figure_value ret[QPW_FIGURE_COUNT])
{
    const struct qpw_snapshot *s = from->report->s;
    uint64_t since = from->report->since_unix_ns > s->from_unix_ns ? from->report->since_unix_ns : s->from_unix_ns;
    struct counting c = {from, ret};

    memset(ret, 0, QPW_FIGURE_COUNT * sizeof(*ret));
    for (unsigned i = 0; i < QPW_FIGURE_COUNT; i++)
        ret[i].known = true;
    for (size_t i = 0; i < from->report->n_rules; i++)
        count_rule(&c, &from->report->rules[i]);
    count_findings(&c);
    count_listeners(&c);
    count_packets(&c);
    count_coverage(&c);
    count_log(&c);
    add(&c, QPW_FIGURE_VENDOR_PAGE, s->meta.source_digest[0] != '\0');
    add(&c, QPW_FIGURE_PERIOD_DAYS, days(since, s->unix_ns));
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text.c - the report on one screen. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "report/listening.h"
#include "report/text_page.h"
#include "util/cleanup.h"
#include "util/names.h"
#include "words/answer.h"
#include "words/coverage.h"
#include "words/finding.h"
#include "words/table.h"
#include "words/terminal.h"
#include "words/words.h"

#define SCREEN_PEERS 8u
#define SCREEN_RULES 10u
#define SCREEN_NAMES 40u

/* ---- Head ---- */

static void head_interfaces(const struct qpw_text_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    char text[128];

    qpw_list_begin(&list, &p->printer, 0, "monitored");
    for (size_t i = 0; i < s->n_ifaces; i++)
        qpw_list_add(&list, "%s", qpw_words_watched(s, &s->ifaces[i], text, sizeof(text)));
    qpw_list_end(&list);
}

/* Print a replay's files, by name and hash, and the addresses taken for the node's. */
static void head_captures(const struct qpw_text_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    char text[PATH_MAX + 256];

    for (size_t i = 0; i < s->n_captures; i++)
        qpw_print_item(&p->printer, i ? "" : "capture", "%s", qpw_words_capture(&s->captures[i], text, sizeof(text)));
    qpw_list_begin(&list, &p->printer, 0, "local");
    for (size_t i = 0; i < s->n_locals; i++)
        qpw_list_add(&list, "%s", qpw_words_local(s->locals[i].addr, s->locals[i].length, text, sizeof(text)));
    qpw_list_end(&list);
}

/* Print the one sentence that answers the report's question. */
static void head_answer(const struct qpw_text_page *p)
{
    const struct qpw_report *report = p->r;
    size_t older = report->since_unix_ns && report->answer.unexpected > report->found.unexpected
                       ? report->answer.unexpected - report->found.unexpected
                       : 0;
    char text[320], share[16], acknowledged[64] = "", before[80] = "", count[24];

    if (report->answer.acknowledged)
        snprintf(acknowledged, sizeof(acknowledged), ", %s acknowledged",
                 qpw_words_count(report->answer.acknowledged, count, sizeof(count)));
    if (older) /* the answer covers them too */
        snprintf(before, sizeof(before), " since then, %s more open from before", qpw_words_count(older, count, sizeof(count)));
    qpw_print_styled_item(&p->printer, "answer", qpw_style_of_answer(report->answer.state),
                          qpw_words_headline(&report->answer, report->s->unix_ns, text, sizeof(text)));
    qpw_words_share(report->totals.by_verdict[QPW_VERDICT_UNDECIDED].packets, report->totals.all.packets, share,
                    sizeof(share));
    qpw_print_item(
        &p->printer, "findings", "%s%s%s; %s of packets undecided",
        qpw_words_found(&report->answer.losses, report->found.unexpected, report->found.answered, text, sizeof(text)),
        before, acknowledged, share);
}

static void head(const struct qpw_text_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char from[32], period[96], policy[256];

    qpw_print(&p->printer, QPW_TEXT_BOLD, s->replay ? "qportwatch report of a replay, made on %s" : "qportwatch report for %s",
              s->host);
    qpw_print_end(&p->printer);
    qpw_print_item(&p->printer, "period", "%s%s",
                   qpw_words_period(s->from_unix_ns, s->unix_ns, period, sizeof(period)),
                   s->incomplete ? ", a capture could not be read to its end" : "");
    if (p->r->since_unix_ns)
        qpw_print_item(&p->printer, "since", "%s: findings and coverage since then; counters are of the whole period",
                       qpw_words_time(p->r->since_unix_ns, from, sizeof(from)));
    if (s->replay)
        head_captures(p);
    else
        head_interfaces(p);
    qpw_print_item(&p->printer, "policy", "%s, %.19s",
                   qpw_words_policy(s->meta.policy_name, s->meta.policy_path, policy, sizeof(policy)),
                   s->meta.policy_digest);
    head_answer(p);
}

/* ---- Verdicts ---- */

static int verdicts(const struct qpw_text_page *p)
{
    static const struct qpw_table_column columns[] = {{"verdict"}, {"packets", .right = true}, {"share", .right = true},
                                                      {"bytes", .right = true}, {"meaning", .wrap = true}};
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, 5};
    const struct qpw_report *report = p->r;
    char packets[40], share[16], bytes[16], total[64];
    int r = 0;

    for (unsigned i = QPW_VERDICT_COUNT; r == 0 && i-- > 0;) {
        const struct qpw_sum *sum = &report->totals.by_verdict[i];
        const char *cells[] = {qpw_verdict_name(i), qpw_words_count(sum->packets, packets, sizeof(packets)),
                               qpw_words_share(sum->packets, report->totals.all.packets, share, sizeof(share)),
                               qpw_words_bytes(sum->bytes, bytes, sizeof(bytes)), qpw_words_verdict(i)};

        if (sum->packets || i == QPW_VERDICT_UNEXPECTED)
            r = qpw_table_add(&t, sum->packets ? qpw_style_of_verdict(i) : QPW_TEXT_PLAIN, cells);
    }
    qpw_print_heading(&p->printer, "VERDICTS",
                      qpw_format(total, sizeof(total), "%s, %s",
                                 qpw_words_many(report->totals.all.packets, "packet", packets, sizeof(packets)),
                                 qpw_words_bytes(report->totals.all.bytes, bytes, sizeof(bytes))));
    if (r < 0)
        return r;
    return qpw_table_print(&t, &p->printer);
}

static void directions(const struct qpw_text_page *p)
{
    static const unsigned order[] = {QPW_DIR_INBOUND, QPW_DIR_OUTBOUND, QPW_DIR_UNKNOWN, QPW_DIR_TRANSIT,
                                     QPW_DIR_UNDECODABLE, QPW_DIR_NON_IP};
    struct qpw_list list;
    char share[16];

    qpw_list_begin(&list, &p->printer, 0, "direction");
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
        qpw_list_add(&list, "%s %s", qpw_words_direction(order[i]),
                     qpw_words_share(p->r->totals.by_direction[order[i]].packets, p->r->totals.all.packets, share, sizeof(share)));
    qpw_list_end(&list);
}

/* ---- Peers and rules ---- */

static int speaking_peers(const struct qpw_text_page *p, size_t speaking)
{
    static const struct qpw_table_column columns[] = {{"peer"}, {"last seen"}, {"received", .right = true},
                                                      {"sent", .right = true}, {"over"},
                                                      {"busiest ports", .wrap = true}};
    size_t limit = qpw_text_limit(p, SCREEN_PEERS), shown = limit && limit < speaking ? limit : speaking;
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, 6};
    char last[24], rx[16], tx[16], ports[256];
    int r;

    for (size_t i = 0; i < shown; i++) {
        const struct qpw_peer_sum *peer = &p->r->peers[i];
        const char *cells[] = {peer->info->name,
                               qpw_words_moment(peer->last_unix_ns, p->r->s->unix_ns, last, sizeof(last)),
                               qpw_words_bytes(peer->counts.rx_bytes, rx, sizeof(rx)),
                               qpw_words_bytes(peer->counts.tx_bytes, tx, sizeof(tx)),
                               qpw_words_family(peer->v4, peer->v6), qpw_words_ports(peer->busiest, ports, sizeof(ports))};

        r = qpw_table_add(&t, QPW_TEXT_PLAIN, cells);
        if (r < 0)
            return r;
    }
    r = qpw_table_print(&t, &p->printer);
    if (r < 0)
        return r;
    qpw_text_more(p, speaking - shown, "peer");
    return 0;
}

static int peers(const struct qpw_text_page *p)
{
    struct qpw_list silent;
    size_t speaking = 0;
    int r;

    for (size_t i = 0; i < p->r->n_peers; i++)
        speaking += !p->r->peers[i].silent;
    qpw_print_heading(&p->printer, "PEERS", "");
    if (!p->r->n_peers)
        qpw_print_wrapped(&p->printer, 2, QPW_WORDS_NO_PEERS);
    r = speaking_peers(p, speaking);
    if (speaking == p->r->n_peers)
        return r;
    qpw_list_begin(&silent, &p->printer, qpw_text_limit(p, SCREEN_NAMES), "silent");
    for (size_t i = speaking; i < p->r->n_peers; i++)
        qpw_list_add(&silent, "%s", p->r->peers[i].info->name);
    qpw_list_end(&silent);
    return r;
}

/* Return whether the rule is a built-in group rather than one of the policy. */
static bool is_own(const struct qpw_rule_info *info)
{
    return info->verdict == QPW_VERDICT_INFRA || info->verdict == QPW_VERDICT_IMPLIED;
}

/* Print the rules from index `from` that undecided packets may match, which are therefore neither used nor unused. */
static void inferred_rules(const struct qpw_text_page *p, size_t from)
{
    struct qpw_list list;
    char packets[16];
    bool any = false;

    for (size_t i = from; i < p->r->n_rules; i++)
        any |= p->r->rules[i].inferred != 0;
    if (!any)
        return;
    qpw_list_begin(&list, &p->printer, qpw_text_limit(p, SCREEN_NAMES), "inferred");
    for (size_t i = from; i < p->r->n_rules; i++)
        if (p->r->rules[i].inferred)
            qpw_list_add(&list, "%s %s", p->r->rules[i].info->name,
                         qpw_words_count(p->r->rules[i].inferred, packets, sizeof(packets)));
    qpw_list_end(&list);
}

static void rules(const struct qpw_text_page *p)
{
    struct qpw_list list;
    char packets[16];
    size_t used = 0;

    qpw_print_heading(&p->printer, "RULES", p->r->n_rules ? "with the packets that each one matched" : "none");
    if (!p->r->n_rules)
        return;
    qpw_list_begin(&list, &p->printer, qpw_text_limit(p, SCREEN_RULES), "used");
    for (; used < p->r->n_rules; used++) {
        const struct qpw_rule_use *rule = &p->r->rules[used];
        uint64_t n = qpw_sum_of(&rule->counts).packets;

        if (!n)
            break;
        qpw_list_add(&list, "%s %s%s", rule->info->name, qpw_words_count(n, packets, sizeof(packets)),
                     rule->info->in_force ? "" : " (no longer in the policy)");
    }
    qpw_list_end(&list);
    inferred_rules(p, used);
    qpw_list_begin(&list, &p->printer, qpw_text_limit(p, SCREEN_NAMES), "not used");
    for (size_t i = used; i < p->r->n_rules; i++)
        if (!p->r->rules[i].inferred && (p->o->all || !is_own(p->r->rules[i].info)))
            qpw_list_add(&list, "%s", p->r->rules[i].info->name);
    qpw_list_end(&list);
}

/* Print the listeners; a capture has none. */
static int listeners(const struct qpw_text_page *p)
{
    if (p->o->listening)
        return qpw_listening_section(p->o->listening, p->o->listening_about, !p->o->all, &p->printer);
    if (p->o->listening_why) {
        qpw_print_heading(&p->printer, "LISTENERS", "not known");
        qpw_print_wrapped(&p->printer, 2, p->o->listening_why);
    }
    return 0;
}

int qpw_report_text(const struct qpw_report *report, const struct qpw_render_options *options, FILE *out)
{
    struct qpw_text_page p = {report, options, {out, options->columns, options->colour, 2, 12}};
    int r;

    if (p.printer.width < QPW_LEAST_COLUMNS)
        p.printer.width = QPW_LEAST_COLUMNS;
    head(&p);
    r = verdicts(&p);
    if (r < 0)
        return r;
    directions(&p);
    r = qpw_text_findings(&p);
    if (r < 0)
        return r;
    r = peers(&p);
    if (r < 0)
        return r;
    r = qpw_text_cluster(&p);
    if (r < 0)
        return r;
    rules(&p);
    r = qpw_text_speaks(&p);
    if (r < 0)
        return r;
    r = listeners(&p);
    if (r < 0)
        return r;
    qpw_text_undecided(&p);
    qpw_text_coverage(&p);
    return ferror(out) ? -EIO : 0;
}

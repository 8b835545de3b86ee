/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report on one screen. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "facts/report.h"
#include "words/table.h"
#include "report/text_page.h"
#include "words/words.h"
#include "util/names.h"

/* What fits on a screen, unless all is asked for. */
#define SCREEN_LINES 12
#define SCREEN_PEERS 8
#define SCREEN_RULES 10
#define SCREEN_NAMES 40

const char *qpw_page_format(char *buf, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(buf, size, format, args);
    va_end(args);
    return buf;
}

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

void qpw_page_heading(const struct qpw_page *p, const char *title, const char *said)
{
    fputc('\n', p->out);
    qpw_styled(p->out, p->o->colour, QPW_TEXT_BOLD, title);
    fprintf(p->out, "%s%s\n", *said ? "  " : "", said);
}

static void more(const struct qpw_page *p, size_t left, const char *what)
{
    if (left)
        fprintf(p->out, "  and %zu more %s%s (--all shows them, --json has them)\n", left, what, plural(left));
}

/* ---- Head ---- */

static void head_interfaces(const struct qpw_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    struct qpw_list list;
    char item[128];

    qpw_list_begin(&list, p->out, p->width, 0, s->replay ? "capture" : "watched");
    for (size_t i = 0; i < s->n_ifaces; i++) {
        const struct qpw_iface_row *row = &s->ifaces[i];
        const char *state = s->replay ? "" : !row->attached ? " NOT ATTACHED" : !row->up ? " down" : "";

        qpw_list_add(&list, qpw_page_format(item, sizeof(item), row->mode[0] ? "%s%s (%s)" : "%s%s", row->name, state,
                                      row->mode));
    }
    qpw_list_end(&list);
}

/* The one sentence that answers what the report is read for. */
static void head_answer(const struct qpw_page *p)
{
    const struct qpw_report *r = p->r;
    uint64_t unexpected = r->by_verdict[QPW_VERDICT_UNEXPECTED].packets;
    char text[256], share[16], count[16];
    enum qpw_text_style style = r->n_answered ? QPW_TEXT_BAD
                                : r->n_unexpected || unexpected ? QPW_TEXT_DOUBT : QPW_TEXT_GOOD;

    qpw_words_share(r->by_verdict[QPW_VERDICT_UNDECIDED].packets, r->total.packets, share, sizeof(share));
    if (!r->total.packets)
        qpw_page_format(text, sizeof(text), "no packet was seen");
    else if (!r->n_unexpected && unexpected) /* before --since, or only counted: tables were full */
        qpw_page_format(text, sizeof(text), "nothing listed, but unexpected packets in the period: %s",
                        qpw_words_count(unexpected, count, sizeof(count)));
    else if (!r->n_unexpected)
        qpw_page_format(text, sizeof(text), "nothing unexpected was seen; %s of the packets undecided", share);
    else
        qpw_page_format(text, sizeof(text), "%zu unexpected thing%s, %zu answered; %s of the packets undecided",
                  r->n_unexpected, plural(r->n_unexpected), r->n_answered, share);
    fprintf(p->out, "  %-10s ", "answer");
    qpw_styled(p->out, p->o->colour, r->total.packets ? style : QPW_TEXT_DOUBT, text);
    fputc('\n', p->out);
}

static void head(const struct qpw_page *p)
{
    const struct qpw_snapshot *s = p->r->s;
    char title[128], from[32], period[96], digest[24];

    qpw_page_format(title, sizeof(title), "qportwatch report for %s", s->host);
    qpw_styled(p->out, p->o->colour, QPW_TEXT_BOLD, title);
    fputc('\n', p->out);
    fprintf(p->out, "  %-10s %s%s\n", "period",
            qpw_words_period(s->from_unix_ns, s->unix_ns, period, sizeof(period)),
            s->incomplete ? ", a capture could not be read to its end" : "");
    if (p->r->since_unix_ns)
        fprintf(p->out, "  %-10s %s: findings and coverage since then; counters are of the whole period\n", "since",
                qpw_words_day(p->r->since_unix_ns, from, sizeof(from)));
    head_interfaces(p);
    fprintf(p->out, "  %-10s %s  %s\n", "policy", s->meta.policy_name[0] ? s->meta.policy_name : "none loaded",
            qpw_page_format(digest, sizeof(digest), "%.19s", s->meta.policy_digest));
    head_answer(p);
}

/* ---- Verdicts ---- */

static enum qpw_text_style verdict_style(unsigned verdict)
{
    switch (verdict) {
    case QPW_VERDICT_UNEXPECTED: return QPW_TEXT_BAD;
    case QPW_VERDICT_WEAK:
    case QPW_VERDICT_UNDECIDED: return QPW_TEXT_DOUBT;
    case QPW_VERDICT_ALLOWED:
    case QPW_VERDICT_PEER: return QPW_TEXT_GOOD;
    default: return QPW_TEXT_PLAIN;
    }
}

static int verdicts(const struct qpw_page *p)
{
    static const struct qpw_table_column columns[] = {{"verdict"}, {"packets", true}, {"share", true}, {"bytes", true},
                                                      {"meaning", false, 10}};
    struct qpw_table t = {columns, 5};
    const struct qpw_report *r = p->r;
    char packets[16], share[16], bytes[16], total[64];
    int rc = 0;

    for (unsigned i = QPW_VERDICT_COUNT; rc == 0 && i-- > 0;) {
        const struct qpw_report_sum *sum = &r->by_verdict[i];
        const char *cells[] = {qpw_verdict_name(i), qpw_words_count(sum->packets, packets, sizeof(packets)),
                               qpw_words_share(sum->packets, r->total.packets, share, sizeof(share)),
                               qpw_words_bytes(sum->bytes, bytes, sizeof(bytes)), qpw_words_verdict(i)};

        if (sum->packets || i == QPW_VERDICT_UNEXPECTED)
            rc = qpw_table_add(&t, sum->packets ? verdict_style(i) : QPW_TEXT_PLAIN, cells);
    }
    qpw_page_heading(p, "VERDICTS", qpw_page_format(total, sizeof(total), "%s packets, %s",
                                     qpw_words_count(r->total.packets, packets, sizeof(packets)),
                                     qpw_words_bytes(r->total.bytes, bytes, sizeof(bytes))));
    qpw_table_print(&t, p->width, p->o->colour, p->out);
    qpw_table_clear(&t);
    return rc;
}

static void directions(const struct qpw_page *p)
{
    static const unsigned order[] = {QPW_DIR_INBOUND, QPW_DIR_OUTBOUND, QPW_DIR_UNKNOWN, QPW_DIR_TRANSIT,
                                     QPW_DIR_UNDECODABLE, QPW_DIR_NON_IP};
    struct qpw_list list;
    char item[64], share[16];

    qpw_list_begin(&list, p->out, p->width, 0, "direction");
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
        qpw_list_add(&list, qpw_page_format(item, sizeof(item), "%s %s",
                                      order[i] == QPW_DIR_NON_IP ? "non-IP" : qpw_direction_name(order[i]),
                                      qpw_words_share(p->r->by_direction[order[i]].packets, p->r->total.packets, share,
                                                     sizeof(share))));
    qpw_list_end(&list);
}

/* ---- Findings ---- */

static const char *how_many(size_t n, const char *what, char *buf, size_t size)
{
    char number[16];

    return qpw_page_format(buf, size, "%s %s", qpw_words_count(n, number, sizeof(number)), what);
}

static int add_line(const struct qpw_page *p, struct qpw_table *t, const struct qpw_report_line *line)
{
    const struct qpw_finding_row *f = line->first;
    char service[40], initiator[64], responder[64], packets[16], first[24], last[24];
    enum qpw_text_style style = f->key.verdict != QPW_VERDICT_UNEXPECTED ? QPW_TEXT_PLAIN
                                : f->value.outcome >= QPW_OUTCOME_ANSWERED ? QPW_TEXT_BAD : QPW_TEXT_DOUBT;
    const char *cells[9] = {
        line->findings > 1 ? "unanswered" : qpw_outcome_name(f->value.outcome),
        f->key.direction == QPW_DIR_INBOUND    ? "in"
        : f->key.direction == QPW_DIR_OUTBOUND ? "out"
        : f->key.direction == QPW_DIR_NON_IP   ? "L2"
                                               : "?",
        line->ports > 1 ? how_many(line->ports, "ports", service, sizeof(service))
                        : qpw_words_service(f->key.kind, f->key.protocol, f->key.port, service, sizeof(service)),
        line->initiators > 1 ? how_many(line->initiators, "addresses", initiator, sizeof(initiator))
                             : qpw_words_end(f->key.kind, f->key.initiator, initiator, sizeof(initiator)),
        line->responders > 1 ? how_many(line->responders, "addresses", responder, sizeof(responder))
                             : qpw_words_end(f->key.kind, f->key.responder, responder, sizeof(responder)),
        qpw_words_count(qpw_report_sum_of(&line->counts).packets, packets, sizeof(packets)),
        qpw_words_moment(line->first_unix_ns, p->r->s->unix_ns, first, sizeof(first)),
        qpw_words_moment(line->last_unix_ns, p->r->s->unix_ns, last, sizeof(last)),
        p->o->process && line->findings == 1 ? p->o->process(p->o->arg, f) : "",
    };

    return qpw_table_add(t, style, cells);
}

static void finding_heading(const struct qpw_page *p, unsigned verdict, size_t things)
{
    static const char *const titles[QPW_VERDICT_COUNT] = {
        [QPW_VERDICT_UNEXPECTED] = "UNEXPECTED",
        [QPW_VERDICT_WEAK] = "WEAK",
        [QPW_VERDICT_UNDECIDED] = "UNDECIDED WITH PAYLOAD BOTH WAYS",
        [QPW_VERDICT_IMPLIED] = "IMPLIED",
        [QPW_VERDICT_INFRA] = "ROUTERS: ADVERTISEMENTS AND REDIRECTS",
    };
    char said[96];

    if (verdict == QPW_VERDICT_UNEXPECTED)
        qpw_page_format(said, sizeof(said), "%zu thing%s, %zu answered, most worrying first", things, plural(things),
                  p->r->n_answered);
    else
        qpw_page_format(said, sizeof(said), "%zu thing%s", things, plural(things));
    qpw_page_heading(p, titles[verdict] ? titles[verdict] : "OTHER", said);
}

/* The lines of one verdict, which stand together in the report's order. */
static int findings_of(const struct qpw_page *p, unsigned verdict, size_t from, size_t to)
{
    static const struct qpw_table_column columns[] = {{"outcome"}, {"dir"}, {"service"}, {"initiator", false, 12},
                                                      {"responder", false, 12}, {"packets", true},
                                                      {"first", false, 0, true}, {"last", false, 5},
                                                      {"process", false, 8}};
    struct qpw_table t = {columns, 9};
    size_t things = 0, shown = 0;
    int rc = 0;

    for (size_t i = from; i < to; i++)
        things += p->r->lines[i].findings;
    finding_heading(p, verdict, things);
    for (size_t i = from; rc == 0 && i < to; i++, shown++) {
        if (!p->o->all && shown == (verdict == QPW_VERDICT_UNEXPECTED ? SCREEN_LINES : SCREEN_LINES / 4))
            break;
        rc = add_line(p, &t, &p->r->lines[i]);
    }
    qpw_table_print(&t, p->width, p->o->colour, p->out);
    qpw_table_clear(&t);
    more(p, to - from - shown, "line");
    return rc;
}

/* Rows of what no finding could be kept of: by the prefix it came from, or by port. */
static void folded_rows(const struct qpw_page *p, bool by_prefix, const char *label)
{
    struct qpw_list list;
    char item[96], what[64], packets[16];

    qpw_list_begin(&list, p->out, p->width, p->o->all ? 0 : SCREEN_LINES / 4, label);
    for (size_t i = 0; i < p->r->n_details; i++) {
        const struct qpw_detail_row *d = p->r->details[i];

        if (d->key.by_prefix != by_prefix)
            continue;
        if (by_prefix)
            qpw_words_prefix(d->key.prefix, what, sizeof(what));
        else
            qpw_words_service(d->key.kind, d->key.protocol, d->key.port, what, sizeof(what));
        qpw_words_count(d->packets, packets, sizeof(packets));
        qpw_list_add(&list, qpw_page_format(item, sizeof(item), "%s %s %s packets",
                                            qpw_direction_name(d->key.direction), what, packets));
    }
    qpw_list_end(&list);
}

static void folded(const struct qpw_page *p)
{
    if (!p->r->n_details)
        return;
    folded_rows(p, true, "no detail");
    folded_rows(p, false, "  by port");
}

static int findings(const struct qpw_page *p)
{
    const struct qpw_report *r = p->r;
    size_t from = 0, to;
    int rc = 0;

    if (!r->n_lines || r->lines[0].first->key.verdict != QPW_VERDICT_UNEXPECTED)
        qpw_page_heading(p, "UNEXPECTED", "none");
    for (; rc == 0 && from < r->n_lines; from = to) {
        unsigned verdict = r->lines[from].first->key.verdict;

        for (to = from + 1; to < r->n_lines && r->lines[to].first->key.verdict == verdict; to++)
            ;
        rc = findings_of(p, verdict, from, to);
    }
    folded(p);
    return rc;
}

/* ---- Peers and policy rows ---- */

static const char *busiest_text(const struct qpw_report_peer *peer, char *buf, size_t size)
{
    char service[40];
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < QPW_REPORT_PORTS && peer->busiest[i].sum.packets && used < size; i++) {
        const struct qpw_report_port *port = &peer->busiest[i];

        used += snprintf(buf + used, size - used, "%s%s%s", i ? ", " : "",
                         qpw_words_service(port->kind, port->protocol, port->port, service, sizeof(service)),
                         port->direction == QPW_DIR_OUTBOUND ? " out" : "");
    }
    return buf;
}

static int peers(const struct qpw_page *p)
{
    static const struct qpw_table_column columns[] = {{"peer", false, 8}, {"last seen"}, {"received", true},
                                                      {"sent", true}, {"over"}, {"busiest ports", false, 16}};
    struct qpw_table t = {columns, 6};
    struct qpw_list silent;
    char last[24], rx[16], tx[16], ports[256];
    size_t shown = 0, speaking = 0;
    int rc = 0;

    for (size_t i = 0; i < p->r->n_peers; i++)
        speaking += !p->r->peers[i].silent;
    qpw_page_heading(p, "PEERS", p->r->n_peers ? "" : "none named (--peer), so nodes look like any other host");
    for (size_t i = 0; rc == 0 && i < speaking && (p->o->all || shown < SCREEN_PEERS); i++, shown++) {
        const struct qpw_report_peer *peer = &p->r->peers[i];
        const char *cells[] = {peer->info->name,
                               qpw_words_moment(peer->last_unix_ns, p->r->s->unix_ns, last, sizeof(last)),
                               qpw_words_bytes(peer->counts.rx_bytes, rx, sizeof(rx)),
                               qpw_words_bytes(peer->counts.tx_bytes, tx, sizeof(tx)),
                               peer->v4 && peer->v6 ? "IPv4+6" : peer->v4 ? "IPv4" : peer->v6 ? "IPv6" : "-",
                               busiest_text(peer, ports, sizeof(ports))};

        rc = qpw_table_add(&t, QPW_TEXT_PLAIN, cells);
    }
    if (shown)
        qpw_table_print(&t, p->width, p->o->colour, p->out);
    qpw_table_clear(&t);
    more(p, speaking - shown, "peer");
    if (speaking == p->r->n_peers)
        return rc;
    qpw_list_begin(&silent, p->out, p->width, p->o->all ? 0 : SCREEN_NAMES, "silent");
    for (size_t i = speaking; i < p->r->n_peers; i++)
        qpw_list_add(&silent, p->r->peers[i].info->name);
    qpw_list_end(&silent);
    return rc;
}

/* Not a row of the policy, but one of the tool's own groups. */
static bool is_own(const struct qpw_rule_info *info)
{
    return info->verdict == QPW_VERDICT_INFRA || info->verdict == QPW_VERDICT_IMPLIED;
}

static void rules(const struct qpw_page *p)
{
    struct qpw_list list;
    char item[128], packets[16];
    size_t carried = 0;

    qpw_page_heading(p, "POLICY ROWS", p->r->n_rules ? "" : "none");
    if (!p->r->n_rules)
        return;
    qpw_list_begin(&list, p->out, p->width, p->o->all ? 0 : SCREEN_RULES, "carried");
    for (; carried < p->r->n_rules; carried++) {
        const struct qpw_report_rule *rule = &p->r->rules[carried];

        if (!qpw_report_sum_of(&rule->counts).packets)
            break;
        qpw_words_count(qpw_report_sum_of(&rule->counts).packets, packets, sizeof(packets));
        qpw_list_add(&list, qpw_page_format(item, sizeof(item), "%s %s%s", rule->info->name, packets,
                                            rule->info->in_force ? "" : " (no longer in the policy)"));
    }
    qpw_list_end(&list);
    qpw_list_begin(&list, p->out, p->width, p->o->all ? 0 : SCREEN_NAMES, "nothing");
    for (size_t i = carried; i < p->r->n_rules; i++)
        if (p->o->all || !is_own(p->r->rules[i].info))
            qpw_list_add(&list, p->r->rules[i].info->name);
    qpw_list_end(&list);
}

int qpw_report_text(const struct qpw_report *r, const struct qpw_text_options *options, FILE *out)
{
    struct qpw_page p = {.r = r, .o = options, .width = options->columns > 80 ? options->columns : 80, .out = out};
    int rc;

    head(&p);
    rc = verdicts(&p);
    directions(&p);
    rc = rc ? rc : findings(&p);
    rc = rc ? rc : peers(&p);
    rules(&p);
    qpw_page_undecided(&p);
    qpw_page_coverage(&p);
    return rc ? rc : ferror(out) ? -EIO : 0;
}

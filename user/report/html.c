/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report as one page: nothing to load, no scripts, light or dark as the reader's system is. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "report/render.h"
#include "words/words.h"
#include "util/names.h"
#include "util/version.h"

/* Findings beyond these are in the JSON. */
#define PAGE_LINES 500

static const char style[] =
    ":root{color-scheme:light dark;--fg:#1b1f24;--dim:#5b6672;--bg:#fbfcfd;--card:#fff;--line:#dde3e9;--bad:#b3261e;"
    "--doubt:#8a5a00;--good:#1a6b3c;--cool:#2b5ea7;--rest:#9aa7b4}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#e4e8ec;--dim:#98a3ae;--bg:#14171a;--card:#1c2024;--line:#30363c;"
    "--bad:#ff8a80;--doubt:#f0b860;--good:#7fd1a0;--cool:#8ab4f0;--rest:#5c6670}}\n"
    "body{margin:0 auto;padding:2rem 1.2rem 4rem;max-width:72rem;color:var(--fg);background:var(--bg);"
    "font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2.2rem 0 .6rem}\n"
    ".dim{color:var(--dim)}.bad{color:var(--bad)}.doubt{color:var(--doubt)}.good{color:var(--good)}\n"
    ".answer{font-size:1.15rem;font-weight:600;margin:1rem 0;padding:.8rem 1rem;background:var(--card);"
    "border:1px solid var(--line);border-left:.35rem solid currentColor;border-radius:.4rem}\n"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;background:var(--card);"
    "border:1px solid var(--line);border-radius:.4rem}\n"
    "th,td{text-align:left;padding:.32rem .7rem;border-bottom:1px solid var(--line);vertical-align:top}\n"
    "th{font-weight:600;font-size:.85rem;color:var(--dim)}tr:last-child td{border-bottom:0}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.a{font-family:ui-monospace,monospace;"
    "font-size:.9rem}\n"
    ".bar{display:flex;height:.9rem;border-radius:.45rem;overflow:hidden;background:var(--line);margin:.4rem 0 .8rem}\n"
    ".bar i{display:block;min-width:2px}.v8{background:var(--bad)}.v5,.v3{background:var(--doubt)}"
    ".v4{background:var(--good)}.v2{background:var(--cool)}.v0,.v1,.v6,.v7{background:var(--rest)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.8rem 0}dt{color:var(--dim)}\n"
    "dd{margin:0}\n"
    "@media print{body{padding:0}.answer,table{break-inside:avoid}}\n";

/* Text as HTML: what could be taken for markup is written as a reference, and what is no ASCII as '?'. */
static void escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc((unsigned char)*text >= 0x80 || (unsigned char)*text < ' ' ? '?' : *text, out); break;
        }
    }
}

static void term(FILE *out, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One entry of a list of terms. */
static void term(FILE *out, const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    fprintf(out, "<dt>%s</dt><dd>", name);
    escaped(out, text);
    fputs("</dd>\n", out);
}

static void cell(FILE *out, const char *class, const char *text)
{
    fprintf(out, *class ? "<td class=\"%s\">" : "<td>", class);
    escaped(out, text);
    fputs("</td>", out);
}

/* A table's opening with its titles; those of numbers begin with '#'. */
static void open_table(FILE *out, const char *const *titles)
{
    fputs("<div class=\"scroll\"><table><tr>", out);
    for (; *titles; titles++)
        fprintf(out, **titles == '#' ? "<th class=\"n\">%s</th>" : "<th>%s</th>", *titles + (**titles == '#'));
    fputs("</tr>\n", out);
}

static void close_table(FILE *out)
{
    fputs("</table></div>\n", out);
}

static const char *verdict_class(unsigned verdict)
{
    switch (verdict) {
    case QPW_VERDICT_UNEXPECTED: return "bad";
    case QPW_VERDICT_WEAK:
    case QPW_VERDICT_UNDECIDED: return "doubt";
    case QPW_VERDICT_ALLOWED:
    case QPW_VERDICT_PEER: return "good";
    default: return "";
    }
}

static void head(const struct qpw_report *r, FILE *out)
{
    const struct qpw_snapshot *s = r->s;
    uint64_t unexpected = r->by_verdict[QPW_VERDICT_UNEXPECTED].packets;
    char from[32], period[96], count[16];

    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
          "<title>qportwatch: ", out);
    escaped(out, s->host);
    fprintf(out, "</title>\n<style>\n%s</style></head><body>\n<h1>", style);
    escaped(out, s->host);
    fprintf(out, "</h1>\n<p class=\"dim\">qportwatch %s, %s%s</p>\n", QPW_VERSION,
            s->unix_ns ? qpw_words_period(s->from_unix_ns, s->unix_ns, period, sizeof(period)) : "no period",
            s->incomplete ? ", of a capture that could not be read to its end" : "");
    fprintf(out, "<p class=\"answer %s\">",
            r->n_answered ? "bad" : r->n_unexpected || unexpected || !r->total.packets ? "doubt" : "good");
    if (!r->total.packets)
        fputs("No packet was seen.", out);
    else if (!r->n_unexpected && unexpected)
        fprintf(out, "Nothing listed, but unexpected packets in the period: %s.",
                qpw_words_count(unexpected, count, sizeof(count)));
    else if (!r->n_unexpected)
        fputs("Nothing unexpected was seen.", out);
    else
        fprintf(out, "%zu unexpected thing%s, %zu answered.", r->n_unexpected, r->n_unexpected == 1 ? "" : "s",
                r->n_answered);
    fputs("</p>\n<dl>", out);
    for (size_t i = 0; i < s->n_ifaces; i++)
        term(out, s->replay ? "Capture" : "Watched", "%s%s%s", s->ifaces[i].name, s->ifaces[i].mode[0] ? ": " : "",
             s->ifaces[i].mode);
    term(out, "Policy", "%s %s", s->meta.policy_name[0] ? s->meta.policy_name : "none loaded", s->meta.policy_digest);
    if (r->since_unix_ns)
        term(out, "Since", "%s UTC: findings and coverage; counters are of the whole period",
             qpw_words_time(r->since_unix_ns, from, sizeof(from)));
    fputs("</dl>\n", out);
}

static void verdicts(const struct qpw_report *r, FILE *out)
{
    static const char *const titles[] = {"Verdict", "#Packets", "#Share", "#Bytes", "Meaning", NULL};
    char packets[16], share[16], bytes[16];

    fputs("<h2>Verdicts</h2>\n<div class=\"bar\">", out);
    for (unsigned i = QPW_VERDICT_COUNT; i-- > 0;)
        if (r->by_verdict[i].packets)
            fprintf(out, "<i class=\"v%u\" title=\"%s\" style=\"width:%.2f%%\"></i>", i, qpw_verdict_name(i),
                    100.0 * (double)r->by_verdict[i].packets / (double)r->total.packets);
    fputs("</div>\n", out);
    open_table(out, titles);
    for (unsigned i = QPW_VERDICT_COUNT; i-- > 0;) {
        if (!r->by_verdict[i].packets && i != QPW_VERDICT_UNEXPECTED)
            continue;
        fputs("<tr>", out);
        cell(out, r->by_verdict[i].packets ? verdict_class(i) : "", qpw_verdict_name(i));
        cell(out, "n", qpw_words_count(r->by_verdict[i].packets, packets, sizeof(packets)));
        cell(out, "n", qpw_words_share(r->by_verdict[i].packets, r->total.packets, share, sizeof(share)));
        cell(out, "n", qpw_words_bytes(r->by_verdict[i].bytes, bytes, sizeof(bytes)));
        cell(out, "dim", qpw_words_verdict(i));
        fputs("</tr>\n", out);
    }
    close_table(out);
    fputs("<p class=\"dim\">", out);
    for (unsigned i = 0; i < QPW_DIR_COUNT; i++) {
        fprintf(out, "%s%s ", i ? ", " : "By direction: ", i == QPW_DIR_NON_IP ? "non-IP" : qpw_direction_name(i));
        escaped(out, qpw_words_share(r->by_direction[i].packets, r->total.packets, share, sizeof(share)));
    }
    fputs("</p>\n", out);
}

static void many_or_one(FILE *out, size_t count, const char *what, const char *one)
{
    char text[64];

    snprintf(text, sizeof(text), "%zu %s", count, what);
    cell(out, "a", count > 1 ? text : one);
}

static void finding(const struct qpw_report *r, const struct qpw_report_line *line, FILE *out)
{
    const struct qpw_finding_row *f = line->first;
    char text[96];

    fputs("<tr>", out);
    cell(out, verdict_class(f->key.verdict), qpw_verdict_name(f->key.verdict));
    cell(out, f->value.outcome >= QPW_OUTCOME_ANSWERED ? "bad" : "",
         line->findings > 1 ? "unanswered" : qpw_outcome_name(f->value.outcome));
    cell(out, "", qpw_direction_name(f->key.direction));
    many_or_one(out, line->ports, "ports",
                qpw_words_service(f->key.kind, f->key.protocol, f->key.port, text, sizeof(text)));
    many_or_one(out, line->initiators, "addresses", qpw_words_end(f->key.kind, f->key.initiator, text, sizeof(text)));
    many_or_one(out, line->responders, "addresses", qpw_words_end(f->key.kind, f->key.responder, text, sizeof(text)));
    cell(out, "", line->findings > 1 ? "" : qpw_evidence_name(f->value.evidence));
    cell(out, "n", qpw_words_count(qpw_report_sum_of(&line->counts).packets, text, sizeof(text)));
    cell(out, "n", qpw_words_moment(line->first_unix_ns, r->s->unix_ns, text, sizeof(text)));
    cell(out, "n", qpw_words_moment(line->last_unix_ns, r->s->unix_ns, text, sizeof(text)));
    fputs("</tr>\n", out);
}

static void findings(const struct qpw_report *r, FILE *out)
{
    static const char *const titles[] = {"Verdict", "Outcome", "Direction", "Service", "Initiator", "Responder",
                                         "Evidence", "#Packets", "#First", "#Last", NULL};

    fputs("<h2>Findings, most worrying first</h2>\n", out);
    if (!r->n_lines) {
        fputs("<p class=\"good\">None.</p>\n", out);
        return;
    }
    open_table(out, titles);
    for (size_t i = 0; i < r->n_lines && i < PAGE_LINES; i++)
        finding(r, &r->lines[i], out);
    close_table(out);
    if (r->n_lines > PAGE_LINES)
        fprintf(out, "<p class=\"dim\">%zu more are in the JSON report.</p>\n", r->n_lines - PAGE_LINES);
    if (r->n_details)
        fprintf(out, "<p class=\"doubt\">The tables of findings were full: what came after is counted by port and by "
                     "prefix only (%zu rows in the JSON report).</p>\n", r->n_details);
}

static void peers(const struct qpw_report *r, FILE *out)
{
    static const char *const titles[] = {"Peer", "Last seen", "#Received", "#Sent", "Over", "Busiest ports", NULL};
    char text[96];

    fputs("<h2>Peers</h2>\n", out);
    if (!r->n_peers) {
        fputs("<p class=\"dim\">None named, so nodes of the cluster look like any other host.</p>\n", out);
        return;
    }
    open_table(out, titles);
    for (size_t i = 0; i < r->n_peers; i++) {
        const struct qpw_report_peer *p = &r->peers[i];

        fputs("<tr>", out);
        cell(out, "", p->info->name);
        qpw_words_moment(p->last_unix_ns, r->s->unix_ns, text, sizeof(text));
        cell(out, p->silent ? "doubt" : "", p->silent ? "silent" : text);
        cell(out, "n", qpw_words_bytes(p->counts.rx_bytes, text, sizeof(text)));
        cell(out, "n", qpw_words_bytes(p->counts.tx_bytes, text, sizeof(text)));
        cell(out, "", p->v4 && p->v6 ? "IPv4 and IPv6" : p->v4 ? "IPv4" : p->v6 ? "IPv6" : "-");
        fputs("<td class=\"a\">", out);
        for (size_t j = 0; j < QPW_REPORT_PORTS && p->busiest[j].sum.packets; j++)
            fprintf(out, "%s%s%s", j ? ", " : "", qpw_words_service(p->busiest[j].kind, p->busiest[j].protocol,
                                                                    p->busiest[j].port, text, sizeof(text)),
                    p->busiest[j].direction == QPW_DIR_OUTBOUND ? " out" : "");
        fputs("</td></tr>\n", out);
    }
    close_table(out);
}

static void rules(const struct qpw_report *r, FILE *out)
{
    static const char *const titles[] = {"Row", "Verdict", "#Packets", "#Received", "#Sent", "#Connections", NULL};
    struct qpw_report_sum sum;
    char text[32];
    bool silent;

    fputs("<h2>Policy rows</h2>\n", out);
    if (!r->n_rules) {
        fputs("<p class=\"dim\">None.</p>\n", out);
        return;
    }
    open_table(out, titles);
    for (size_t i = 0; i < r->n_rules; i++) {
        const struct qpw_report_rule *rule = &r->rules[i];

        sum = qpw_report_sum_of(&rule->counts);
        silent = !sum.packets;
        fputs("<tr>", out);
        cell(out, silent ? "dim" : "", rule->info->name);
        cell(out, "dim", rule->info->in_force ? qpw_verdict_name(rule->info->verdict) : "no longer in the policy");
        cell(out, "n", silent ? "nothing" : qpw_words_count(sum.packets, text, sizeof(text)));
        cell(out, "n", silent ? "" : qpw_words_bytes(rule->counts.rx_bytes, text, sizeof(text)));
        cell(out, "n", silent ? "" : qpw_words_bytes(rule->counts.tx_bytes, text, sizeof(text)));
        cell(out, "n", silent ? "" : qpw_words_count(rule->counts.connections, text, sizeof(text)));
        fputs("</tr>\n", out);
    }
    close_table(out);
}

static void undecided(const struct qpw_report *r, FILE *out)
{
    char text[32];

    fputs("<h2>Undecided, by reason</h2>\n<dl>", out);
    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (r->undecided[i].packets)
            term(out, i ? qpw_reason_name(i) : "other", "%s packets",
                 qpw_words_count(r->undecided[i].packets, text, sizeof(text)));
    if (!r->by_verdict[QPW_VERDICT_UNDECIDED].packets)
        fputs("<dt>none</dt>", out);
    fputs("</dl>\n", out);
}

static void coverage(const struct qpw_report *r, FILE *out)
{
    const struct qpw_snapshot *s = r->s;
    char from[32], to[32], text[32];

    fputs("<h2>Coverage: what was watched, and what this report cannot know</h2>\n<dl>", out);
    for (size_t i = 0; i < r->n_gaps; i++)
        term(out, "Gap", "%s %s from %s to %s", qpw_report_iface_name(s, r->gaps[i].iface), r->gaps[i].why,
             qpw_words_time(r->gaps[i].from_unix_ns, from, sizeof(from)),
             r->gaps[i].open ? "now" : qpw_words_time(r->gaps[i].to_unix_ns, to, sizeof(to)));
    if (!r->n_gaps && !s->replay)
        term(out, "Gaps", "none");
    for (size_t i = 0; i < s->n_unwatched; i++)
        term(out, "Not watched", "%s: %s packets received, %s sent", s->unwatched[i].name,
             qpw_words_count(s->unwatched[i].rx_packets, from, sizeof(from)),
             qpw_words_count(s->unwatched[i].tx_packets, to, sizeof(to)));
    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        if (s->losses[i])
            term(out, "Lost", "%s: %s", qpw_loss_name(i), qpw_words_count(s->losses[i], text, sizeof(text)));
    for (size_t i = 0; i < s->n_notes; i++)
        term(out, "Note", "%s", s->notes[i]);
    for (size_t i = 0; i < s->n_coverage; i++)
        if (s->coverage[i].unix_ns >= r->since_unix_ns)
            term(out, qpw_words_time(s->coverage[i].unix_ns, from, sizeof(from)), "%s %s%s%.112s",
                 qpw_coverage_name(s->coverage[i].kind), qpw_report_iface_name(s, s->coverage[i].iface),
                 s->coverage[i].text[0] ? ": " : "", s->coverage[i].text);
    fputs("</dl>\n", out);
}

int qpw_report_html(const struct qpw_report *r, const struct qpw_render_options *options, FILE *out)
{
    head(r, out);
    verdicts(r, out);
    findings(r, out);
    peers(r, out);
    rules(r, out);
    undecided(r, out);
    coverage(r, out);
    fputs("</body></html>\n", out);
    return ferror(out) ? -EIO : 0;
}

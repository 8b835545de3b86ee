/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_lists.c - peers, rules, listeners and traffic. */
#include <stdio.h>

#include "report/html_page.h"
#include "report/listening.h"
#include "util/names.h"
#include "words/listening.h"
#include "words/owner.h"
#include "words/printer.h"
#include "words/rule.h"
#include "words/words.h"

#define METERS 5000u /* rows of traffic; the JSON has the others */

const struct qpw_page_table qpw_page_table_peers = {
    "peers", {"!Peer", "Last seen", "#Received", "#Sent", "#Connections", "Over", "Busiest ports"}};

static void peer(struct qpw_html_page *p, const struct qpw_peer_sum *peer)
{
    char text[96], ports[320];

    qpw_page_open_row(p);
    qpw_page_cell(p, "w", peer->info->name);
    qpw_words_moment(peer->last_unix_ns, p->r->s->unix_ns, text, sizeof(text));
    qpw_page_cell(p, peer->silent ? "doubt" : "", peer->silent ? "silent" : peer->info->in_force ? text : "no longer in the policy");
    qpw_page_cell_by(p, "n", peer->counts.rx_bytes, qpw_words_bytes(peer->counts.rx_bytes, text, sizeof(text)));
    qpw_page_cell_by(p, "n", peer->counts.tx_bytes, qpw_words_bytes(peer->counts.tx_bytes, text, sizeof(text)));
    qpw_page_cell_by(p, "n", peer->counts.connections, qpw_words_count(peer->counts.connections, text, sizeof(text)));
    qpw_page_cell(p, "", qpw_words_family(peer->v4, peer->v6));
    qpw_page_cell(p, "a", qpw_words_ports(peer->busiest, ports, sizeof(ports)));
}

void qpw_page_peers(struct qpw_html_page *p)
{
    qpw_page_section(p, "peers", "Peers");
    if (p->r->n_peers) {
        qpw_page_open_table(p, &qpw_page_table_peers, "The cluster's other nodes, most bytes first", "");
        for (size_t i = 0; i < p->r->n_peers; i++)
            peer(p, &p->r->peers[i]);
        qpw_page_close_table(p);
    } else {
        qpw_page_paragraph(p, "dim", QPW_WORDS_NO_PEERS);
    }
    qpw_page_end_section(p);
}

/* ---- Rules ---- */

const struct qpw_page_table qpw_page_table_rules = {
    "rules", {"!Rule", "Verdict", "Purpose", "Approval or source", "Owner", "Until", "Insecure by itself", "#Packets", "#Received", "#Sent",
              "#Connections"}};

/* Write the site's approval; a reference to the vendor's page only shows the rule's origin. */
static void approval(struct qpw_html_page *p, const struct qpw_rule_words *words)
{
    char text[sizeof(words->ref) + 16];

    if (words->vendor)
        qpw_page_cell(p, "w dim", qpw_format(text, sizeof(text), "vendor: %s", words->ref));
    else
        qpw_page_cell(p, "w", words->ref[0] ? words->ref : words->cut ? "not known: the statement is longer than what is kept" : "");
}

static void rule(struct qpw_html_page *p, const struct qpw_rule_use *rule)
{
    const struct qpw_rule_info *info = rule->info;
    uint64_t packets = qpw_sum_of(&rule->counts).packets;
    const char *insecure = qpw_words_insecure_rule(info);
    struct qpw_rule_words words;
    char text[64], count[32], statement[sizeof(info->text) + 8];

    qpw_rule_words(p->o->policy, info, &words);
    qpw_page_open_row(p);
    qpw_page_cell(p, packets ? "w" : "w dim", info->name);
    qpw_page_cell(p, "dim", info->in_force ? qpw_verdict_name(info->verdict) : "no longer in the policy");
    qpw_page_cell(p, "w", words.purpose);
    approval(p, &words);
    qpw_page_cell(p, "w", words.owner);
    qpw_page_cell(p, "", words.until);
    qpw_page_cell(p, "doubt", insecure ? insecure : "");
    qpw_page_cell_by(p, "n", packets, packets          ? qpw_words_count(packets, text, sizeof(text))
                                      : rule->inferred ? qpw_format(text, sizeof(text), "only inferred: %s",
                                                                    qpw_words_count(rule->inferred, count, sizeof(count)))
                                                       : "not used");
    qpw_page_cell_by(p, "n", rule->counts.rx_bytes, packets ? qpw_words_bytes(rule->counts.rx_bytes, text, sizeof(text)) : "");
    qpw_page_cell_by(p, "n", rule->counts.tx_bytes, packets ? qpw_words_bytes(rule->counts.tx_bytes, text, sizeof(text)) : "");
    qpw_page_cell_by(p, "n", rule->counts.connections,
                     packets ? qpw_words_count(rule->counts.connections, text, sizeof(text)) : "");
    if (info->text[0]) {
        qpw_page_below(p);
        qpw_html_element(p->h, "code", "dim", "%s", qpw_rule_statement(p->o->policy, info, statement, sizeof(statement)));
        if (info->line)
            qpw_html_element(p->h, "span", "dim", " %.*s:%u", (int)sizeof(info->file), info->file, info->line);
        qpw_page_end_below(p);
    }
}

void qpw_page_rules(struct qpw_html_page *p)
{
    qpw_page_section(p, "rules", "Rules");
    if (p->r->n_rules) {
        qpw_page_tools(p, "find-rules");
        qpw_page_open_table(p, &qpw_page_table_rules, "What the policy allows, and what used it, most packets first", "find-rules");
        for (size_t i = 0; i < p->r->n_rules; i++)
            rule(p, &p->r->rules[i]);
        qpw_page_close_table(p);
    } else {
        qpw_page_paragraph(p, "dim", "None.");
    }
    qpw_page_end_section(p);
}

/* ---- Listeners ---- */

const struct qpw_page_table qpw_page_table_listeners = {
    "listeners", {"Verdict", "!Service", "Address", "Process", "User", "Unit", "Executable", "Since", "Last asked", "Rule",
                  "Owner by the policy"}};

static void listener(struct qpw_html_page *p, const struct qpw_listening_row *row)
{
    const struct qpw_process *owner = &row->listener->owner;
    bool bad = row->verdict == QPW_VERDICT_UNEXPECTED || row->owner_word == QPW_OWNER_OTHER;
    bool quiet = row->loopback || row->listener->ephemeral;
    char text[160];

    qpw_page_open_row(p);
    qpw_page_cell(p, quiet ? "dim" : bad ? "bad" : "", qpw_words_listener_verdict(row));
    qpw_page_cell(p, "", qpw_words_service_named(QPW_KIND_PORT, row->listener->protocol, row->listener->port, text,
                                                 sizeof(text)));
    qpw_page_cell(p, "w", qpw_words_listener_address(row->listener, text, sizeof(text)));
    qpw_page_cell(p, "w", qpw_owner_known(owner) ? qpw_words_owner(owner, text, sizeof(text)) : "-");
    qpw_page_cell(p, "w", owner->user);
    qpw_page_cell(p, "w", owner->unit);
    qpw_page_cell(p, "w", owner->exe);
    qpw_page_cell_by(p, "", owner->started_unix_ns / 1000,
                     owner->started_unix_ns ? qpw_words_time(owner->started_unix_ns, text, sizeof(text)) : "");
    qpw_page_cell(p, "", qpw_words_listener_asked(p->o->listening, row, p->o->listening_about->now_unix_ns, text,
                                                  sizeof(text)));
    qpw_page_cell(p, "w", row->rule ? p->o->listening_about->names->rules[row->rule].name : "");
    qpw_page_cell(p, row->owner_word == QPW_OWNER_OTHER ? "bad w" : "dim w",
                  row->owner_word == QPW_OWNER_UNSURE ? "not known" : row->wanted ? row->wanted : "");
}

static void idle(struct qpw_html_page *p, const struct qpw_listening *l)
{
    qpw_html_start(p->h, "p", "");
    qpw_html_text(p->h, "Listed, no listener: ");
    for (size_t i = 0; i < l->n_idle; i++)
        qpw_html_text(p->h, "%s%s", i ? ", " : "", p->o->listening_about->names->rules[l->idle[i]].name);
    if (!l->n_idle)
        qpw_html_text(p->h, "none");
    qpw_html_end(p->h);
    qpw_html_raw(p->h, "\n");
}

void qpw_page_listeners(struct qpw_html_page *p)
{
    const struct qpw_listening *l = p->o->listening;

    if (!l && !p->o->listening_why)
        return;
    qpw_page_section(p, "listeners", "Listeners");
    if (l) {
        qpw_page_open_table(p, &qpw_page_table_listeners, "Sockets that wait to be asked, held against the policy", "");
        for (size_t i = 0; i < l->n; i++)
            listener(p, &l->rows[i]);
        qpw_page_close_table(p);
        idle(p, l);
        if (p->o->listening_about->no_owners)
            qpw_page_paragraph(p, "dim", QPW_WORDS_NO_OWNERS);
    } else {
        qpw_page_paragraph(p, "dim", p->o->listening_why);
    }
    qpw_page_end_section(p);
}

/* ---- All traffic ---- */

const struct qpw_page_table qpw_page_table_meters = {
    "meters", {"!Service", "Direction", "Scope", "Verdict", "Rule", "Interface", "#Connections", "#Received packets", "#Received bytes",
               "#Sent packets", "#Sent bytes"}};

static void meter(struct qpw_html_page *p, const struct qpw_meter_sum *m)
{
    const uint64_t numbers[] = {m->counts.connections, m->counts.rx_packets, m->counts.rx_bytes, m->counts.tx_packets,
                                m->counts.tx_bytes};
    char text[64];

    qpw_page_open_row(p);
    qpw_page_cell(p, "a", qpw_words_service(m->key.kind, m->key.protocol, m->key.port, text, sizeof(text)));
    qpw_page_cell(p, "", qpw_words_direction(m->key.direction));
    qpw_page_cell(p, "", qpw_scope_name(m->key.scope));
    qpw_page_cell(p, qpw_style_class(qpw_style_of_verdict(m->key.verdict)), qpw_verdict_name(m->key.verdict));
    qpw_page_cell(p, "w", qpw_snapshot_rule(p->r->s, m->key.rule));
    qpw_page_cell(p, "", qpw_snapshot_iface(p->r->s, m->key.iface));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        qpw_page_cell_by(p, "n", numbers[i], qpw_words_exact(numbers[i], text, sizeof(text)));
}

void qpw_page_traffic(struct qpw_html_page *p)
{
    char text[96], count[32];

    qpw_page_section(p, "traffic", "Traffic");
    qpw_html_start(p->h, "details", "");
    qpw_html_element(p->h, "summary", "", "%s of counters",
                     qpw_words_many(p->r->n_meters, "row", text, sizeof(text)));
    qpw_page_open_table(p, &qpw_page_table_meters, "All that was counted, most bytes first", "");
    for (size_t i = 0; i < p->r->n_meters && i < METERS; i++)
        meter(p, &p->r->meters[i]);
    qpw_page_close_table(p);
    if (p->r->n_meters > METERS)
        qpw_page_paragraph(p, "doubt", qpw_format(text, sizeof(text), "%s more are in the JSON report.",
                                                  qpw_words_count(p->r->n_meters - METERS, count, sizeof(count))));
    qpw_html_end(p->h);
    qpw_page_end_section(p);
}

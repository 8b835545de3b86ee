/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "facts/totals.h"
#include "util/names.h"
#include "words/finding.h"
#include "words/owner.h"
#include "words/speech.h"
#include "words/words.h"

#define WORD QPW_RELOAD_TEXT /* longest replacement of a word */

const char *qpw_text_rule(const struct qpw_engine_context *context, unsigned rule)
{
    return rule && rule < context->n_rules ? context->rules[rule].name : "";
}

const char *qpw_text_peer(const struct qpw_engine_context *context, unsigned peer)
{
    return peer && peer < context->n_peers ? context->peers[peer].name : "";
}

struct qpw_engine_context qpw_text_context(const struct qpw_snapshot *s)
{
    return (struct qpw_engine_context){
        .host = s->host,
        .policy_name = s->meta.policy_name,
        .policy_path = s->meta.policy_path,
        .rules = s->rules,
        .n_rules = s->n_rules,
        .peers = s->peers,
        .n_peers = s->n_peers,
        .ifname = s->meta.ifname,
    };
}

const char *qpw_text_service(const struct qpw_finding_key *key, char *buf, size_t size)
{
    return qpw_words_service(key->kind, key->protocol, key->port, buf, size);
}

static bool starts(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* Return the purpose, the third column of the policy line. */
static const char *purpose(const struct qpw_process *process)
{
    bool known = process && process->match != QPW_MATCH_NONE && process->match != QPW_MATCH_GONE;

    return known && process->name[0] ? process->name : NULL;
}

bool qpw_text_allow_line(const struct qpw_text_about *about, bool any, char *buf, size_t size)
{
    const struct qpw_finding_key *key = &about->row->key;
    struct qpw_allow a = {.kind = key->kind, .protocol = key->protocol, .direction = key->direction,
                          .verdict = key->verdict, .port = key->port, .reason = about->row->value.reason,
                          .services = about->row->value.services, .speaks = about->row->value.speaks[1],
                          .rule = qpw_text_rule(about->context, about->row->value.rule),
                          .purpose = purpose(about->process), .remote = any ? NULL : qpw_finding_remote(key)};
    size_t used;

    if (qpw_words_allow(&a, buf, size) < 0)
        return false;
    used = strlen(buf);
    if (any && about->words.whom && *about->words.whom && (starts(buf, "inbound ") || starts(buf, "outbound ")))
        snprintf(buf + used, size - used, " %s=%s", key->direction == QPW_DIR_OUTBOUND ? "to" : "from", about->words.whom);
    return true;
}

/*
 * Return whether the remote end behaves like a node: answered, or asked by the node. A host that only probes may be a
 * scanner.
 */
static bool talks(const struct qpw_finding_row *row)
{
    return qpw_finding_answered(row) || row->key.direction == QPW_DIR_OUTBOUND;
}

static void allow(const struct qpw_text_about *about, bool any, char *buf, size_t size)
{
    char line[QPW_ALLOW_LINE], remote[INET6_ADDRSTRLEN];
    size_t used;

    if (!qpw_text_allow_line(about, any, line, sizeof(line))) {
        snprintf(buf, size, "No rule can allow it.");
        return;
    }
    used = snprintf(buf, size, "To allow it: `%s`", line);
    if (about->neighbour && used < size && talks(about->row))
        snprintf(buf + used, size - used, " If %s is a node of this cluster: `peer NAME %s`",
                 qpw_address_text(qpw_finding_remote(&about->row->key), remote, sizeof(remote)), remote);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* Write "The policy (/etc/qportwatch/policy)", in lower case within a sentence. */
static const char *policy_words(const struct qpw_engine_context *context, bool first, char *buf, size_t size)
{
    char source[320];

    snprintf(buf, size, "%she policy (%s)", first ? "T" : "t",
             qpw_words_policy_source(or_empty(context->policy_name), or_empty(context->policy_path), source,
                                     sizeof(source)));
    return buf;
}

/* Explain why a group of basic network traffic does not cover it. */
static const char *misfit_words(const struct qpw_finding_row *row)
{
    if (row->value.reason == QPW_REASON_INFRA_FORM)
        return "only of the form, to the destinations and with the hop limit that a node needs";
    if (row->value.reason == QPW_REASON_INFRA_RATE)
        return "only up to 60 packets and 64 kB a minute with each remote address";
    return row->key.kind == QPW_KIND_ICMP ? "only up to 128 bytes of payload, or unfragmented and 10 a second"
                                          : "only as large as a node needs";
}

static void policy_verdict(const struct qpw_text_about *about, char *buf, size_t size)
{
    const struct qpw_finding_row *row = about->row;
    const char *rule = qpw_text_rule(about->context, row->value.rule);
    bool other = row->value.reason == QPW_REASON_OTHER_OWNER;
    bool mismatch = row->key.verdict == QPW_VERDICT_MISMATCH, aggregate = !other && (starts(rule, "infra-") || starts(rule, "implied-"));
    char policy[352], services[64], speaks[160];

    if (qpw_is_foreign(row->value.reason)) {
        snprintf(buf, size, "That address is none of this node's, and %s.",
                 row->value.reason == QPW_REASON_FOREIGN_SOURCE ? "the node forwards nothing from there"
                                                                : "its routing table does not lead there");
        return;
    }
    policy_words(about->context, !rule[0] || aggregate || row->key.verdict == QPW_VERDICT_IMPLIED, policy, sizeof(policy));
    if (mismatch)
        snprintf(buf, size, "Rule %s of %s is for %s, and %s.", rule, policy,
                 qpw_words_services(row->value.services, services, sizeof(services)),
                 qpw_words_mismatch(&row->value, speaks, sizeof(speaks)));
    else if (row->key.verdict == QPW_VERDICT_IMPLIED)
        snprintf(buf, size, "%s does not list it; it matches %s, if the process that holds it belongs to the service it goes "
                 "with, and that is not known.", policy, rule);
    else if (aggregate && qpw_is_misfit(row->value.reason))
        snprintf(buf, size, "%s allows `%.*s %s` %s.", policy, (int)strcspn(rule, "-"), rule, strchr(rule, '-') + 1,
                 misfit_words(row));
    else if (aggregate)
        snprintf(buf, size, "%s says `%.*s %s unexpected`.", policy, (int)strcspn(rule, "-"), rule,
                 strchr(rule, '-') + 1);
    else if (other)
        snprintf(buf, size, "Rule %s of %s covers it only where the process that holds it belongs to the service it goes "
                 "with; this one does not.", rule, policy);
    else if (!rule[0] && row->key.kind == QPW_KIND_ETHERTYPE)
        snprintf(buf, size, "%s covers IP only, and no infra group allows them.", policy);
    else if (rule[0])
        snprintf(buf, size, "Rule %s of %s covers it, but not for this address, VLAN or interface.", rule, policy);
    else
        snprintf(buf, size, "%s has no %s rule for it.", policy,
                 row->key.direction == QPW_DIR_OUTBOUND ? "outbound" : "inbound");
}

/* Write an end with its name: the node's own, or the peer's. */
static void end_words(const struct qpw_text_about *about, bool initiator, char *buf, size_t size)
{
    const struct qpw_finding_row *row = about->row;
    bool ours = row->key.direction == (initiator ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND);
    bool remote = row->key.direction == (initiator ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND);
    const char *name = ours && !(row->value.flags & QPW_FINDING_MULTICAST) ? or_empty(about->context->host)
                       : remote ? qpw_text_peer(about->context, row->value.peer) : "";

    qpw_words_end_named(row->key.kind, initiator ? row->key.initiator : row->key.responder, name, buf, size);
}

/* Write " (python3, pid 2671, root)". */
static void process_words(const struct qpw_process *p, char *buf, size_t size)
{
    char owner[WORD - 8];

    *buf = '\0';
    if (p && *qpw_words_owner_said(p, owner, sizeof(owner)))
        snprintf(buf, size, " (%s)", owner);
}

/*
 * Write " Command: `python3 -m http.server`, started …. This program was not seen on this node before."; "" if the
 * process is unknown.
 */
static void program_words(const struct qpw_text_about *about, char *buf, size_t size)
{
    const struct qpw_process *p = about->process;
    size_t unknown = about->context->programs_unknown;
    char command[200], started[40], count[40];

    *buf = '\0';
    if (!p || !p->pid)
        return;
    snprintf(command, sizeof(command), "%.199s", p->command);
    for (char *c = command; (c = strpbrk(c, "`\r\n\t"));)
        *c = *c == '`' ? '\'' : ' '; /* must not end the quotation or the line */
    if (command[0])
        snprintf(buf, size, " Command: `%s`%s%s.", command, p->started_unix_ns ? ", started " : "",
                 p->started_unix_ns ? qpw_words_time(p->started_unix_ns, started, sizeof(started)) : "");
    if (about->row->program_seen == QPW_PROGRAM_NEW)
        snprintf(buf + strlen(buf), size - strlen(buf), " This program was not seen on this node before%s%s%s.",
                 unknown ? ", as far as is known: the program of " : "",
                 unknown ? qpw_words_many(unknown, "earlier exchange", count, sizeof(count)) : "", unknown ? " was not found" : "");
}

/* Write ": 89 packets, 10.8 kB"; "" while no packets are counted. */
static void traffic_words(const struct qpw_finding_row *row, char *buf, size_t size)
{
    struct qpw_sum sum = qpw_sum_of(&row->counts);
    char traffic[64];

    *buf = '\0';
    if (sum.packets)
        snprintf(buf, size, ": %s", qpw_words_traffic(sum.packets, sum.bytes, traffic, sizeof(traffic)));
}

static void suppress_line(const struct qpw_text_about *about, char *buf, size_t size)
{
    const struct qpw_finding_key *key = &about->row->key;
    char from[INET6_ADDRSTRLEN];

    snprintf(buf, size, "If this is your own scanner, suppress it with: `suppress %s any any from=%s until=YYYY-MM-DD reason=\"...\"`",
             key->direction == QPW_DIR_OUTBOUND ? "outbound" : "inbound",
             qpw_address_text(key->initiator, from, sizeof(from)));
}

/* Return the unmonitored interface that the answers take; empty if unknown. */
static const char *leaves_by(const struct qpw_engine_context *context, const struct qpw_finding_row *row, char buf[16])
{
    *buf = '\0';
    if (row->value.unseen && row->key.direction == QPW_DIR_INBOUND && context->leaves_by)
        context->leaves_by(row, buf);
    for (unsigned i = 0; *buf && context->ifname && i < QPW_MAX_IFACES; i++)
        if (!strcmp(context->ifname[i], buf))
            *buf = '\0'; /* monitored meanwhile */
    return buf;
}

/* Describe an answer from another port by naming the port, and an unseen answer by its interface. */
static void elsewhere(const struct qpw_text_about *about, char *buf, size_t size)
{
    const struct qpw_finding_row *row = about->row;
    char iface[16];

    *buf = '\0';
    if (row->value.unseen && *leaves_by(about->context, row, iface))
        snprintf(buf, size, ", through %s, which is not monitored", iface);
    else if (row->value.unseen)
        snprintf(buf, size, ", as its socket table says, though no answer passed a monitored interface");
    else if (row->value.flags & QPW_FINDING_ANSWERED_FROM)
        snprintf(buf, size, ", from port %u", row->value.other_port);
    else if (row->value.flags & QPW_FINDING_ASKED_AT)
        snprintf(buf, size, ", after port %u was asked", row->value.other_port);
}

/* Replace the words that come from the row. */
static bool row_word(const char *word, const struct qpw_text_about *about, char *buf, size_t size)
{
    const struct qpw_finding_row *row = about->row;
    const char *rule = about->words.rule ? about->words.rule : qpw_text_rule(about->context, row->value.rule);

    if (!strcmp(word, "initiator") || !strcmp(word, "responder"))
        end_words(about, *word == 'i', buf, size);
    else if (!strcmp(word, "responder-address"))
        qpw_words_end_named(row->key.kind, row->key.responder, "", buf, size);
    else if (!strcmp(word, "service"))
        qpw_text_service(&row->key, buf, size);
    else if (!strcmp(word, "protocol"))
        qpw_protocol_text(row->key.kind, row->key.protocol, row->key.port, buf, size);
    else if (!strcmp(word, "policy-says"))
        policy_verdict(about, buf, size);
    else if (!strcmp(word, "allow"))
        allow(about, /* any= */ false, buf, size);
    else if (!strcmp(word, "allow-any"))
        allow(about, /* any= */ true, buf, size);
    else if (!strcmp(word, "suppress"))
        suppress_line(about, buf, size);
    else if (!strcmp(word, "process"))
        process_words(about->process, buf, size);
    else if (!strcmp(word, "program"))
        program_words(about, buf, size);
    else if (!strcmp(word, "traffic"))
        traffic_words(row, buf, size);
    else if (!strcmp(word, "none-answered"))
        snprintf(buf, size, "%s", about->context->answered_lost
                                      ? "detail of answered exchanges was lost, so some of them may have been answered"
                                      : "none of them was answered");
    else if (!strcmp(word, "elsewhere"))
        elsewhere(about, buf, size);
    else if (!strcmp(word, "crossed"))
        qpw_text_service(&(struct qpw_finding_key){.kind = QPW_KIND_PORT, .protocol = row->crossed.protocol,
                                                   .port = row->crossed.port}, buf, size);
    else if (!strcmp(word, "reason"))
        snprintf(buf, size, "%s", qpw_reason_name(row->value.reason));
    else if (!strcmp(word, "rule"))
        snprintf(buf, size, "%s", rule);
    else if (!strcmp(word, "implied-off"))
        snprintf(buf, size, "implied %s unexpected", starts(rule, "implied-") ? rule + strlen("implied-") : rule);
    else
        return false;
    return true;
}

static void expand(const char *word, const struct qpw_text_about *about, char *buf, size_t size)
{
    const struct qpw_text_words *w = &about->words;
    const struct {
        const char *word;
        const char *value;
    } given[] = {
        {"count", w->count}, {"detail", w->detail}, {"ports", w->ports}, {"prefixes", w->prefixes}, {"peer", w->peer},
        {"iface", w->iface}, {"rule", w->rule},     {"remote", w->remote}, {"wanted", w->wanted}, {"first", w->first}, {"node", about->context->host},
    };

    *buf = '\0';
    if (!strcmp(word, "policy") || !strcmp(word, "Policy")) {
        policy_words(about->context, *word == 'P', buf, size);
        return;
    }
    for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++)
        if (given[i].value && !strcmp(word, given[i].word)) {
            snprintf(buf, size, "%s", given[i].value);
            return;
        }
    if (about->row)
        row_word(word, about, buf, size);
}

const char *qpw_text_fill(const char *text, const struct qpw_text_about *about, char *buf, size_t size)
{
    char word[32], value[WORD];
    size_t used = 0;

    for (const char *c = text; *c && used + 1 < size;) {
        const char *end = *c == '{' ? strchr(c, '}') : NULL;

        if (!end || (size_t)(end - c) > sizeof(word)) {
            buf[used++] = *c++;
            continue;
        }
        snprintf(word, sizeof(word), "%.*s", (int)(end - c - 1), c + 1);
        expand(word, about, value, sizeof(value));
        used += snprintf(buf + used, size - used, "%s", value);
        if (used >= size)
            used = size - 1;
        c = end + 1;
    }
    buf[used] = '\0';
    return buf;
}

void qpw_text_record(struct qpw_record *record, const struct qpw_text_about *about)
{
    qpw_text_fill(record->signature->text, about, record->text, sizeof(record->text));
    qpw_text_fill(record->signature->advice, about, record->advice, sizeof(record->advice));
}

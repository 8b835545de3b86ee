/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "advice/suggest.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "facts/rules.h"
#include "facts/severity.h"
#include "policy/lang/parse.h"
#include "policy/lang/rule_text.h"
#include "util/names.h"
#include "words/words.h"

/* What becomes one line: one direction, protocol and set of remote addresses, with all its ports. */
struct proposal {
    uint8_t direction;
    uint8_t kind;
    uint8_t protocol;
    struct qpw_port_range ports[QPW_SUGGEST_PORTS];
    size_t n_ports;
    struct qpw_addresses remotes;
    const struct qpw_finding_row *first; /* the earliest */
    const struct qpw_finding_row *sample; /* for the process */
    uint64_t packets;
    size_t findings;
};

struct proposals {
    struct proposal *list;
    size_t n;
};

static bool is_multicast(const uint8_t addr[16])
{
    bool mapped = addr[10] == 0xff && addr[11] == 0xff && !addr[0];

    return addr[0] == 0xff || (mapped && addr[12] >= 224);
}

/* A rule can be made of it: answered, its direction known, a place that a row can name. */
static bool is_material(const struct qpw_finding_row *finding)
{
    const struct qpw_finding_key *key = &finding->key;

    if (key->verdict != QPW_VERDICT_UNEXPECTED && key->verdict != QPW_VERDICT_WEAK)
        return false;
    if (!qpw_finding_answered(finding) || !qpw_finding_open(finding) ||
        is_multicast(qpw_finding_remote(&finding->key)))
        return false;
    if (key->direction != QPW_DIR_INBOUND && key->direction != QPW_DIR_OUTBOUND)
        return false;
    return (key->kind == QPW_KIND_PORT && key->port) || key->kind == QPW_KIND_ICMP || key->kind == QPW_KIND_PROTOCOL;
}

static int by_service(const void *left, const void *right)
{
    const struct qpw_finding_row *a = *(const struct qpw_finding_row *const *)left,
                                 *b = *(const struct qpw_finding_row *const *)right;

    if (a->key.direction != b->key.direction)
        return a->key.direction - b->key.direction;
    if (a->key.protocol != b->key.protocol)
        return a->key.protocol - b->key.protocol;
    if (a->key.port != b->key.port)
        return a->key.port < b->key.port ? -1 : 1;
    return memcmp(qpw_finding_remote(&a->key), qpw_finding_remote(&b->key), 16);
}

static struct proposal *proposal_of(struct proposals *all, const struct qpw_finding_row *finding)
{
    struct proposal *last = all->n ? &all->list[all->n - 1] : NULL;
    void *array = all->list;

    if (last && last->direction == finding->key.direction && last->protocol == finding->key.protocol &&
        last->ports[0].first == finding->key.port)
        return last;
    last = qpw_grow(&array, all->n, sizeof(*last));
    if (!last)
        return NULL;
    all->list = array;
    all->n++;
    last->direction = finding->key.direction;
    last->kind = finding->key.kind;
    last->protocol = finding->key.protocol;
    last->ports[0] = (struct qpw_port_range){finding->key.port, finding->key.port};
    last->n_ports = 1;
    last->first = last->sample = finding;
    return last;
}

static int add_finding(struct proposals *all, const struct qpw_finding_row *finding)
{
    struct proposal *proposal = proposal_of(all, finding);
    qpw_u128 number = qpw_address_number(qpw_finding_remote(&finding->key));
    struct qpw_range range = {number, number};

    if (!proposal || qpw_addresses_add(&proposal->remotes, &range) < 0)
        return -ENOMEM;
    if (finding->first_unix_ns < proposal->first->first_unix_ns)
        proposal->first = finding;
    proposal->packets += qpw_sum_of(&finding->counts).packets;
    proposal->findings++;
    return 0;
}

/* Ports of the same direction, protocol and remote addresses share a line, up to the limit. */
static void join(struct proposals *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct proposal *into = &all->list[i];

        for (size_t j = i + 1; j < all->n && into->n_ports && into->kind == QPW_KIND_PORT; j++) {
            struct proposal *from = &all->list[j];

            if (!from->n_ports || from->direction != into->direction || from->protocol != into->protocol ||
                into->n_ports == QPW_SUGGEST_PORTS || !qpw_addresses_equal(&into->remotes, &from->remotes))
                continue;
            into->ports[into->n_ports++] = from->ports[0];
            into->packets += from->packets;
            into->findings += from->findings;
            if (from->first->first_unix_ns < into->first->first_unix_ns)
                into->first = from->first;
            from->n_ports = 0;
        }
    }
}

/* ---- Words ---- */

static int write_prefix(const struct qpw_prefix *prefix, void *data)
{
    FILE *out = data;
    char text[INET6_ADDRSTRLEN + 4];

    fprintf(out, ",%s", qpw_words_local(prefix->addr, prefix->length, text, sizeof(text)));
    return 0;
}

/* from=A,B/24,… ; the first comma is written over. */
static int write_remotes(FILE *out, const char *key, const struct qpw_addresses *set)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);

    if (!memory)
        return -ENOMEM;
    for (size_t i = 0; i < set->n; i++)
        qpw_range_prefixes(&set->ranges[i], write_prefix, memory);
    if (fclose(memory) != 0) {
        free(text);
        return -ENOMEM;
    }
    fprintf(out, " %s=%s", key, text + 1);
    free(text);
    return 0;
}

static int write_proposal(const struct proposal *proposal, const struct qpw_suggest_options *options, FILE *out)
{
    char ports[256], when[40], number[16], packets[40], count[40];
    const char *protocol = qpw_protocol_name(proposal->protocol),
               *process = options->process ? options->process(options->arg, proposal->sample) : "";

    snprintf(number, sizeof(number), "%u", proposal->protocol);
    fprintf(out, "# first seen %s, %s, %s, %s%s%s\n",
            qpw_words_time(proposal->first->first_unix_ns, when, sizeof(when)),
            qpw_outcome_name(proposal->first->value.outcome),
            qpw_words_many(proposal->packets, "packet", packets, sizeof(packets)),
            qpw_words_many(proposal->findings, "finding", count, sizeof(count)), *process ? ", process " : "", process);
    fprintf(out, "#%-9s %-8s %-12s \"" QPW_TODO_PURPOSE "\"", qpw_direction_name(proposal->direction),
            protocol ? protocol : number,
            proposal->kind == QPW_KIND_PROTOCOL
                ? "any"
                : qpw_ports_text(proposal->ports, proposal->n_ports, false, ports, sizeof(ports)));
    if (write_remotes(out, proposal->direction == QPW_DIR_INBOUND ? "from" : "to", &proposal->remotes) < 0)
        return -ENOMEM;
    fputs("\n", out);
    return 0;
}

/* ---- Peers: addresses with answered exchanges on several unexplained ports, both ways ---- */

struct talker {
    const uint8_t *addr;
    unsigned ports[2]; /* inbound, outbound */
};

static bool is_node_like(const struct talker *talker)
{
    return talker->ports[0] && talker->ports[1] && talker->ports[0] + talker->ports[1] >= QPW_SUGGEST_PEER_PORTS;
}

static int write_peers(const struct qpw_finding_row *const *findings, size_t n, FILE *out, size_t *lines)
{
    struct talker *talkers = calloc(n + 1, sizeof(*talkers));
    size_t known = 0;
    bool titled = false;
    char text[INET6_ADDRSTRLEN];

    if (!talkers)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;

        while (at < known && memcmp(talkers[at].addr, qpw_finding_remote(&findings[i]->key), 16))
            at++;
        if (at == known)
            talkers[known++].addr = qpw_finding_remote(&findings[i]->key);
        talkers[at].ports[findings[i]->key.direction == QPW_DIR_OUTBOUND]++;
    }
    for (size_t i = 0; i < known; i++) {
        if (!is_node_like(&talkers[i]))
            continue;
        if (!titled)
            fputs(
                "\n# Each end opened connections to the other on several ports: these may be cluster nodes. If so, uncomment them.\n",
                out);
        titled = true;
        fprintf(out, "#peer      node%zu %s  # %u ports inbound, %u outbound\n", ++*lines,
                qpw_address_text(talkers[i].addr, text, sizeof(text)), talkers[i].ports[0], talkers[i].ports[1]);
    }
    free(talkers);
    return 0;
}

/* ---- Rules without traffic ---- */

static int by_id(const void *left, const void *right)
{
    const struct qpw_rule_use *a = left, *b = right;

    return a->id - b->id;
}

/* One that undecided traffic is consistent with is not unused. */
static bool is_unused(const struct qpw_rule_use *rule)
{
    return rule->info->in_force && !qpw_sum_of(&rule->counts).packets && !rule->inferred &&
           (rule->info->verdict == QPW_VERDICT_ALLOWED || rule->info->verdict == QPW_VERDICT_WEAK);
}

static int write_unused(const struct qpw_snapshot *s, FILE *out)
{
    struct qpw_rule_use *rules;
    bool titled = false;
    size_t n;

    if (qpw_rules_use(s, &rules, &n) < 0)
        return -ENOMEM;
    qsort(rules, n, sizeof(*rules), by_id);
    for (size_t i = 0; i < n; i++) {
        if (!is_unused(&rules[i]))
            continue;
        if (!titled)
            fputs("\n# Rules with no traffic in this period. Consider disabling:\n", out);
        titled = true;
        fprintf(out, "#disable   %s\n", rules[i].info->name);
    }
    free(rules);
    return 0;
}

static int by_packets(const void *left, const void *right)
{
    const struct proposal *a = left, *b = right;

    return a->packets < b->packets ? 1 : a->packets > b->packets ? -1 : 0;
}

static int propose(const struct qpw_finding_row *const *findings, size_t n, struct proposals *all)
{
    int ret = 0;

    for (size_t i = 0; i < n && ret == 0; i++)
        ret = add_finding(all, findings[i]);
    for (size_t i = 0; i < all->n; i++)
        qpw_addresses_normalise(&all->list[i].remotes);
    join(all);
    if (all->n)
        qsort(all->list, all->n, sizeof(*all->list), by_packets);
    return ret;
}

int qpw_policy_suggest(const struct qpw_snapshot *s, const struct qpw_suggest_options *options, FILE *out,
                       size_t *ret_lines)
{
    const struct qpw_finding_row **findings = calloc(s->n_findings + 1, sizeof(*findings));
    struct proposals all = {0};
    size_t n = 0, lines = 0;
    char period[96], policy[352];
    int ret = findings ? 0 : -ENOMEM;

    for (size_t i = 0; i < s->n_findings && ret == 0; i++)
        if (is_material(&s->findings[i]))
            findings[n++] = &s->findings[i];
    if (n)
        qsort(findings, n, sizeof(*findings), by_service);
    if (ret == 0)
        ret = propose(findings, n, &all);
    fprintf(out, "# Proposed rules for unexpected traffic on %s, %s,\n# under the policy %s.\n"
                 "# Answered traffic only. Review each line; uncomment to accept, and add ref= and until=.\n",
            *s->host ? s->host : "this node", qpw_words_period(s->from_unix_ns, s->unix_ns, period, sizeof(period)),
            qpw_words_policy(s->meta.policy_name, s->meta.policy_path, policy, sizeof(policy)));
    for (size_t i = 0; i < all.n && ret == 0; i++)
        if (all.list[i].n_ports) {
            ret = write_proposal(&all.list[i], options, out);
            lines++;
        }
    if (ret == 0)
        ret = write_peers(findings, n, out, &lines);
    if (ret == 0)
        ret = write_unused(s, out);
    for (size_t i = 0; i < all.n; i++)
        qpw_addresses_clear(&all.list[i].remotes);
    free(all.list);
    free(findings);
    if (ret == 0 && ret_lines)
        *ret_lines = lines;
    return ret;
}

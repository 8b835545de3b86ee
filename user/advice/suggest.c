/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "advice/suggest.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/lang/rule_text.h"
#include "util/names.h"

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

static const uint8_t *remote_of(const struct qpw_finding_row *finding)
{
    return finding->key.direction == QPW_DIR_OUTBOUND ? finding->key.responder : finding->key.initiator;
}

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
    if (finding->value.outcome < QPW_OUTCOME_ANSWERED || finding->value.flags & QPW_FINDING_SUPERSEDED ||
        is_multicast(remote_of(finding)))
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
    return memcmp(remote_of(a), remote_of(b), 16);
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
    qpw_u128 number = qpw_address_number(remote_of(finding));
    struct qpw_range range = {number, number};

    if (!proposal || qpw_addresses_add(&proposal->remotes, &range) < 0)
        return -ENOMEM;
    if (finding->first_unix_ns < proposal->first->first_unix_ns)
        proposal->first = finding;
    proposal->packets += finding->counts.rx_packets + finding->counts.tx_packets;
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
    char text[INET6_ADDRSTRLEN];
    bool mapped = prefix->length >= 96 && prefix->addr[10] == 0xff && prefix->addr[11] == 0xff && !prefix->addr[0];

    fprintf(out, ",%s", qpw_address_text(prefix->addr, text, sizeof(text)));
    if (prefix->length < 128)
        fprintf(out, "/%u", mapped ? prefix->length - 96 : prefix->length);
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
    char ports[256], when[40], number[16];
    const char *protocol = qpw_protocol_name(proposal->protocol),
               *process = options->process ? options->process(options->arg, proposal->sample) : "";

    snprintf(number, sizeof(number), "%u", proposal->protocol);
    qpw_time_text(proposal->first->first_unix_ns, when, sizeof(when));
    fprintf(out, "# first seen %.19sZ, %s, %llu packets, %zu finding%s%s%s\n", when,
            qpw_outcome_name(proposal->first->value.outcome), (unsigned long long)proposal->packets, proposal->findings,
            proposal->findings == 1 ? "" : "s", *process ? ", process " : "", process);
    fprintf(out, "#%-9s %-8s %-12s \"TODO: purpose\"", qpw_direction_name(proposal->direction),
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

        while (at < known && memcmp(talkers[at].addr, remote_of(findings[i]), 16))
            at++;
        if (at == known)
            talkers[known++].addr = remote_of(findings[i]);
        talkers[at].ports[findings[i]->key.direction == QPW_DIR_OUTBOUND]++;
    }
    for (size_t i = 0; i < known; i++) {
        if (!is_node_like(&talkers[i]))
            continue;
        if (!titled)
            fputs(
                "\n# Each end opened connections to the other on several ports: may be cluster nodes. Uncomment them if so.\n",
                out);
        titled = true;
        fprintf(out, "#peer      node%zu %s  # %u ports inbound, %u outbound\n", ++*lines,
                qpw_address_text(talkers[i].addr, text, sizeof(text)), talkers[i].ports[0], talkers[i].ports[1]);
    }
    free(talkers);
    return 0;
}

/* ---- Rows that nothing used ---- */

static void write_unused(const struct qpw_snapshot *s, FILE *out)
{
    bool titled = false;

    for (size_t i = 1; i < s->n_rules; i++) {
        const struct qpw_rule_info *rule = &s->rules[i];
        bool used = !rule->in_force || (rule->verdict != QPW_VERDICT_ALLOWED && rule->verdict != QPW_VERDICT_WEAK);

        for (size_t j = 0; j < s->n_meters && !used; j++)
            used = s->meters[j].key.rule == i;
        if (used)
            continue;
        if (!titled)
            fputs("\n# Rules with no traffic in this period. Consider disabling:\n", out);
        titled = true;
        fprintf(out, "#disable   %s\n", rule->name);
    }
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
    char from[40], to[40];
    int ret = findings ? 0 : -ENOMEM;

    for (size_t i = 0; i < s->n_findings && ret == 0; i++)
        if (is_material(&s->findings[i]))
            findings[n++] = &s->findings[i];
    if (n)
        qsort(findings, n, sizeof(*findings), by_service);
    if (ret == 0)
        ret = propose(findings, n, &all);
    qpw_time_text(s->from_unix_ns, from, sizeof(from));
    qpw_time_text(s->unix_ns, to, sizeof(to));
    fprintf(out, "# Proposed rules for unexpected traffic on %s from %.19sZ to %.19sZ, under policy %s.\n"
                 "# Answered traffic only. Review each line; uncomment to accept, and add ref= and until=.\n",
            *s->host ? s->host : "this node", from, to, *s->meta.policy_name ? s->meta.policy_name : "(none)");
    for (size_t i = 0; i < all.n && ret == 0; i++)
        if (all.list[i].n_ports) {
            ret = write_proposal(&all.list[i], options, out);
            lines++;
        }
    if (ret == 0)
        ret = write_peers(findings, n, out, &lines);
    if (ret == 0)
        write_unused(s, out);
    for (size_t i = 0; i < all.n; i++)
        qpw_addresses_clear(&all.list[i].remotes);
    free(all.list);
    free(findings);
    if (ret == 0 && ret_lines)
        *ret_lines = lines;
    return ret;
}

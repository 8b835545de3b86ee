/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "advice/suggest.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice/suggest_int.h"
#include "facts/life.h"
#include "facts/severity.h"
#include "facts/totals.h"
#include "policy/lang/parse.h"
#include "util/array.h"
#include "util/names.h"
#include "util/text.h"
#include "words/words.h"

#define PROCESS_BYTES 64
#define SET_LINE 12u /* addresses in one line of a set */

/* A finding and its program without the pid, because another run of it is the same program. */
struct material {
    const struct qpw_finding_row *finding;
    char process[PROCESS_BYTES];
};

/* One proposed line: a service and the program at the node's end, with all its remote addresses. */
struct proposal {
    uint8_t direction;
    uint8_t kind;
    uint8_t protocol;
    uint16_t port;
    const char *process;
    struct qpw_addresses remotes;
    const struct qpw_finding_row *first; /* the earliest */
    uint64_t packets;
    size_t findings;
    size_t acknowledged; /* of these: acknowledged by a person who wrote no rule */
    unsigned number; /* among proposals for the same service, from 1 */
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

/* Return whether a rule can be made of the finding: answered, direction known, a port or type that a rule can name. */
static bool is_material(const struct qpw_finding_row *finding)
{
    const struct qpw_finding_key *key = &finding->key;

    if (key->verdict != QPW_VERDICT_UNEXPECTED && key->verdict != QPW_VERDICT_WEAK)
        return false;
    if (!qpw_finding_answered(finding) || qpw_finding_life(finding).state == QPW_FINDING_CLOSED ||
        is_multicast(qpw_finding_remote(&finding->key)))
        return false;
    if (key->direction != QPW_DIR_INBOUND && key->direction != QPW_DIR_OUTBOUND)
        return false;
    return (key->kind == QPW_KIND_PORT && key->port) || key->kind == QPW_KIND_ICMP || key->kind == QPW_KIND_PROTOCOL;
}

static int by_service(const void *left, const void *right)
{
    const struct material *x = left, *y = right;
    const struct qpw_finding_key *a = &x->finding->key, *b = &y->finding->key;
    int order;

    if (a->direction != b->direction)
        return a->direction - b->direction;
    if (a->protocol != b->protocol)
        return a->protocol - b->protocol;
    if (a->port != b->port)
        return a->port < b->port ? -1 : 1;
    order = strcmp(x->process, y->process);
    return order ? order : memcmp(qpw_finding_remote(a), qpw_finding_remote(b), 16);
}

static bool same_service(const struct proposal *p, const struct qpw_finding_key *key)
{
    return p->direction == key->direction && p->protocol == key->protocol && p->port == key->port;
}

static struct proposal *proposal_of(struct proposals *all, const struct material *m)
{
    const struct qpw_finding_key *key = &m->finding->key;
    struct proposal *last = all->n ? &all->list[all->n - 1] : NULL;
    unsigned number = last && same_service(last, key) ? last->number + 1 : 1;

    if (last && same_service(last, key) && !strcmp(last->process, m->process))
        return last;
    last = QPW_ADD(all->list, all->n);
    if (!last)
        return NULL;
    all->n++;
    last->direction = key->direction;
    last->kind = key->kind;
    last->protocol = key->protocol;
    last->port = key->port;
    last->process = m->process;
    last->number = number;
    last->first = m->finding;
    return last;
}

static int add_finding(struct proposals *all, const struct material *m)
{
    const struct qpw_finding_row *finding = m->finding;
    struct proposal *proposal = proposal_of(all, m);
    qpw_u128 number = qpw_address_number(qpw_finding_remote(&finding->key));
    struct qpw_range range = {number, number};

    if (!proposal || qpw_addresses_add(&proposal->remotes, &range) < 0)
        return -ENOMEM;
    if (finding->first_unix_ns < proposal->first->first_unix_ns)
        proposal->first = finding;
    proposal->packets += qpw_sum_of(&finding->counts).packets;
    proposal->findings++;
    proposal->acknowledged += qpw_finding_life(finding).state == QPW_FINDING_ACKNOWLEDGED;
    return 0;
}

/* ---- Words ---- */

static int write_prefix(const struct qpw_prefix *prefix, void *data)
{
    struct qpw_prefix_list *list = data;
    char text[INET6_ADDRSTRLEN + 4];

    if (list->set && list->n % SET_LINE == 0)
        fprintf(list->out, "%s#addresses %s", list->n ? "\n" : "", list->set);
    fprintf(list->out, "%s%s", list->set ? " " : list->n ? "," : "",
            qpw_words_local(prefix->addr, prefix->length, text, sizeof(text)));
    list->n++;
    return 0;
}

static int count_prefix(const struct qpw_prefix *prefix, void *data)
{
    (void)prefix;
    ++*(size_t *)data;
    return 0;
}

void qpw_suggest_addresses(const struct qpw_addresses *addresses, struct qpw_prefix_list *list)
{
    for (size_t i = 0; i < addresses->n; i++)
        qpw_range_prefixes(&addresses->ranges[i], write_prefix, list);
}

/* "in-tcp-9100-remotes"; for a second program "in-tcp-9100-remotes-2". */
static const char *set_name(const struct proposal *p, char *buf, size_t size)
{
    const char *protocol = qpw_protocol_name(p->protocol), *direction = p->direction == QPW_DIR_INBOUND ? "in" : "out";
    char number[16], suffix[16] = "";

    snprintf(number, sizeof(number), "ip%u", p->protocol);
    if (p->kind != QPW_KIND_PROTOCOL)
        snprintf(suffix, sizeof(suffix), "-%u", p->port);
    snprintf(buf, size, "%s-%s%s-remotes", direction, protocol ? protocol : number, suffix);
    if (p->number > 1)
        snprintf(buf + strlen(buf), size - strlen(buf), "-%u", p->number);
    return buf;
}

static void write_proposal(const struct proposal *p, FILE *out)
{
    char port[16] = "any", when[40], number[24], packets[40], count[40], set[64], seen[48] = "";
    const char *protocol = qpw_protocol_name(p->protocol), *key = p->direction == QPW_DIR_INBOUND ? "from" : "to";
    struct qpw_prefix_list list = {.out = out};
    size_t prefixes = 0;

    for (size_t i = 0; i < p->remotes.n; i++)
        qpw_range_prefixes(&p->remotes.ranges[i], count_prefix, &prefixes);
    if (p->kind != QPW_KIND_PROTOCOL)
        snprintf(port, sizeof(port), "%u", p->port);
    if (p->acknowledged == p->findings)
        snprintf(seen, sizeof(seen), ", acknowledged");
    else if (p->acknowledged)
        snprintf(seen, sizeof(seen), ", %s of them acknowledged", qpw_words_count(p->acknowledged, number, sizeof(number)));
    snprintf(number, sizeof(number), "%u", p->protocol);
    fprintf(out, QPW_SUGGEST_EVIDENCE " %s, %s, %s, %s%s%s%s\n", qpw_words_time(p->first->first_unix_ns, when, sizeof(when)),
            qpw_outcome_name(p->first->value.outcome), qpw_words_many(p->packets, "packet", packets, sizeof(packets)),
            qpw_words_many(p->findings, "finding", count, sizeof(count)), seen, *p->process ? ", process " : "", p->process);
    if (prefixes > QPW_SUGGEST_ADDRESSES) {
        list.set = set_name(p, set, sizeof(set));
        qpw_suggest_addresses(&p->remotes, &list);
        fputc('\n', out);
    }
    fprintf(out, "#%-9s %-8s %-12s \"" QPW_TODO_PURPOSE "\" %s=", qpw_direction_name(p->direction),
            protocol ? protocol : number, port, key);
    if (list.set)
        fprintf(out, "@%s", list.set);
    else
        qpw_suggest_addresses(&p->remotes, &list);
    fputc('\n', out);
}

/* ---- Peers: addresses with answered exchanges on several unexplained ports, both ways ---- */

struct talker {
    const uint8_t *addr;
    const struct qpw_finding_key *last[2]; /* inbound, outbound: the last one counted, in the order of services */
    unsigned ports[2];
};

static bool is_node_like(const struct talker *talker)
{
    return talker->ports[0] >= QPW_SUGGEST_PEER_PORTS && talker->ports[1] >= QPW_SUGGEST_PEER_PORTS;
}

static void count_port(struct talker *talker, const struct qpw_finding_key *key)
{
    bool outbound = key->direction == QPW_DIR_OUTBOUND;
    const struct qpw_finding_key *last = talker->last[outbound];

    talker->ports[outbound] += !last || last->port != key->port || last->protocol != key->protocol;
    talker->last[outbound] = key;
}

static int write_peers(const struct material *materials, size_t n, FILE *out, size_t *lines)
{
    struct talker *talkers = calloc(n + 1, sizeof(*talkers));
    size_t known = 0;
    bool titled = false;
    char text[INET6_ADDRSTRLEN];

    if (!talkers)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct qpw_finding_key *key = &materials[i].finding->key;
        size_t at = 0;

        while (at < known && memcmp(talkers[at].addr, qpw_finding_remote(key), 16))
            at++;
        if (at == known)
            talkers[known++].addr = qpw_finding_remote(key);
        count_port(&talkers[at], key);
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

/* ---- All of it ---- */

static int by_packets(const void *left, const void *right)
{
    const struct proposal *a = left, *b = right;

    return a->packets < b->packets ? 1 : a->packets > b->packets ? -1 : 0;
}

static int propose(const struct material *materials, size_t n, struct proposals *all)
{
    int ret = 0;

    for (size_t i = 0; i < n && ret == 0; i++)
        ret = add_finding(all, &materials[i]);
    for (size_t i = 0; i < all->n; i++)
        qpw_addresses_normalise(&all->list[i].remotes);
    if (all->n)
        qsort(all->list, all->n, sizeof(*all->list), by_packets);
    return ret;
}

/* Gather the findings for proposals, in the order of services. The caller frees them. NULL: no memory. */
static struct material *gather(const struct qpw_snapshot *s, const struct qpw_suggest_options *options, size_t *ret_n)
{
    struct material *materials = calloc(s->n_findings + 1, sizeof(*materials));
    size_t n = 0;

    for (size_t i = 0; materials && i < s->n_findings; i++) {
        const struct qpw_finding_row *f = &s->findings[i];
        const char *process;

        if (!is_material(f))
            continue;
        process = options->process ? options->process(options->arg, f) : "";
        materials[n].finding = f;
        snprintf(materials[n].process, PROCESS_BYTES, "%.*s", (int)strcspn(process, "["), process);
        qpw_text_clean(materials[n++].process); /* a line end would terminate the comment */
    }
    if (n)
        qsort(materials, n, sizeof(*materials), by_service);
    *ret_n = n;
    return materials;
}

int qpw_policy_suggest(const struct qpw_snapshot *s, const struct qpw_suggest_options *options, FILE *out,
                       size_t *ret_lines)
{
    struct proposals all = {0};
    size_t n, lines = 0;
    struct material *materials = gather(s, options, &n);
    char period[96], policy[352];
    int ret = materials ? propose(materials, n, &all) : -ENOMEM;

    fprintf(out, "# Proposed rules for unexpected traffic on %s, %s,\n# under the policy %s.\n"
                 "# Answered traffic only. Review each line; uncomment to accept, and add ref= and until=.\n",
            *s->host ? s->host : "this node", qpw_words_period(s->from_unix_ns, s->unix_ns, period, sizeof(period)),
            qpw_words_policy(s->meta.policy_name, s->meta.policy_path, policy, sizeof(policy)));
    for (size_t i = 0; i < all.n && ret == 0; i++, lines++)
        write_proposal(&all.list[i], out);
    if (ret == 0)
        ret = write_peers(materials, n, out, &lines);
    if (ret == 0)
        ret = qpw_suggest_speaks(s, out, &lines);
    if (ret == 0 && options->n_users)
        ret = qpw_suggest_narrowed(s, options, out);
    if (ret == 0)
        ret = qpw_suggest_unused(s, out);
    for (size_t i = 0; i < all.n; i++)
        qpw_addresses_clear(&all.list[i].remotes);
    free(all.list);
    free(materials);
    if (ret == 0 && ret_lines)
        *ret_lines = lines;
    return ret;
}

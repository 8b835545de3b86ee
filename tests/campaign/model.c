/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "place.h"
#include "util/names.h"

#if __has_include("bpf/question.h")
#define HAS_QUESTIONS true
#else
#define HAS_QUESTIONS false
#endif

const struct meanings meanings = {
    .late_listed_inferred = true,
    .group_answer_inbound = HAS_QUESTIONS,
    .alert_per_finding = true,
};

enum { IN, OUT };
enum { TCP = 1, UDP = 2, SCTP = 4 };

struct rule {
    const char *name;
    int direction;
    unsigned protocols;
    uint16_t first, last;  /* last 0: first */
    bool weak;
    const char *parent;    /* the rule that vouches for it */
    const char *from;      /* the only initiator, NULL: any */
    const char *text;      /* its statement, if it is added to the built-in */
};

/* The vendor's published table for nodes on premises. */
static const struct rule vendor[] = {
    {"in-tcp-21", IN, TCP, 21},
    {"in-tcp-22", IN, TCP, 22},
    {"in-tcp-80", IN, TCP, 80},
    {"in-tcp+udp-111", IN, TCP | UDP, 111},
    {"in-tcp-443", IN, TCP, 443},
    {"in-tcp-445", IN, TCP, 445},
    {"nfs", IN, TCP | UDP, 2049},
    {"in-tcp-3712", IN, TCP, 3712},
    {"in-tcp-8000", IN, TCP, 8000},
    {"in-tcp-9000", IN, TCP, 9000},
    {"in-tcp-32768-60999", IN, TCP, 32768, 60999, .weak = true, .parent = "in-tcp-21"},
    {"out-udp-53", OUT, UDP, 53},
    {"out-tcp-88", OUT, TCP, 88},
    {"out-tcp-111", OUT, TCP, 111},
    {"out-udp-123", OUT, UDP, 123},
    {"out-tcp-135", OUT, TCP, 135},
    {"ldap", OUT, TCP, 389},
    {"ldap", OUT, TCP, 636},
    {"out-tcp-443", OUT, TCP, 443},
    {"out-tcp-514", OUT, TCP, 514},
    {"out-tcp-3712", OUT, TCP, 3712},
};

/* Companions of rules, in order: those without a parent always exist, the others while the parent lives. */
static const struct companion {
    const char *name;
    int direction;
    unsigned protocols;
    uint16_t first, last, initiator_port;
    const char *parent;
} companions[] = {
    {"implied-dns-tcp", OUT, TCP, 53, 53, 0, NULL},
    {"implied-kerberos-udp", OUT, UDP, 88, 88, 0, NULL},
    {"implied-kpasswd", OUT, TCP | UDP, 464, 464, 0, NULL},
    {"implied-cldap", OUT, UDP, 389, 389, 0, NULL},
    {"implied-global-catalog", OUT, TCP, 3268, 3269, 0, NULL},
    {"implied-smb-to-dc", OUT, TCP, 445, 445, 0, NULL},
    {"implied-rpc-dynamic", OUT, TCP, 49152, 65535, 0, "out-tcp-135"},
    {"implied-nfs-lock", IN, TCP | UDP, 600, 1023, 0, "in-tcp+udp-111"},
    {"implied-nfs-lock", IN, TCP | UDP, 4045, 4046, 0, "in-tcp+udp-111"},
    {"implied-nfs-lock", IN, TCP | UDP, 20048, 20048, 0, "in-tcp+udp-111"},
    {"implied-nfs-lock", IN, TCP | UDP, 32768, 65535, 0, "in-tcp+udp-111"},
    {"implied-nfs-lock", OUT, TCP | UDP, 600, 1023, 0, "out-tcp-111"},
    {"implied-nfs-lock", OUT, TCP | UDP, 4045, 4046, 0, "out-tcp-111"},
    {"implied-nfs-lock", OUT, TCP | UDP, 32768, 65535, 0, "out-tcp-111"},
    {"implied-ftp-data", OUT, TCP, 1024, 65535, 20, "in-tcp-21"},
};

struct policy {
    const char *name;
    struct rule more[4];
    const char *disabled; /* a disabled rule of the vendor's */
};

static const struct policy base = {"base", {{0}}, NULL};
static const struct policy wide = {
    "wide",
    {{"shell", IN, TCP, 4444, .text = "inbound tcp 4444 \"a shell\" name=shell"},
     {"snmp", IN, UDP, 161, .text = "inbound udp 161 SNMP name=snmp"},
     {"ndmp", IN, TCP, 10000, .from = "10.77.0.11", .text = "inbound tcp 10000 NDMP name=ndmp from=10.77.0.11"}},
    NULL};
static const struct policy narrow = {"narrow", {{0}}, "in-tcp-8000"};

const struct policy *const policies[] = {&base, &wide, &narrow};
const size_t n_policies = sizeof(policies) / sizeof(*policies);

static const enum host_id peers[] = {PEER1, PEER2};

const char *policy_name(const struct policy *p)
{
    return p->name;
}

void policy_text(const struct policy *p, char *text, size_t size)
{
    int n = snprintf(text, size, "policy campaign/%s\ninclude on-prem\n", p->name);

    for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++)
        n += snprintf(text + n, size - (size_t)n, "peer %s %s %s\n", hosts[peers[i]].name, hosts[peers[i]].address[0],
                      hosts[peers[i]].address[1]);
    for (const struct rule *r = p->more; r < p->more + 4 && r->name; r++)
        n += snprintf(text + n, size - (size_t)n, "%s\n", r->text);
    /* What the campaign's servers say is none of these services': that is tried in bpf/test_speaks and net/test_speaks. */
    for (size_t i = 0; i < sizeof(vendor) / sizeof(*vendor); i++)
        if (!i || strcmp(vendor[i].name, vendor[i - 1].name))
            n += snprintf(text + n, size - (size_t)n, "override %s speaks=any\n", vendor[i].name);
    if (p->disabled)
        snprintf(text + n, size - (size_t)n, "disable %s\n", p->disabled);
}

static unsigned protocol_bit(uint8_t protocol)
{
    return protocol == IPPROTO_TCP ? TCP : protocol == IPPROTO_UDP ? UDP : protocol == IPPROTO_SCTP ? SCTP : 0;
}

static bool covers(const struct rule *r, bool outbound, unsigned bit, uint16_t port)
{
    return r->direction == (outbound ? OUT : IN) && (r->protocols & bit) && port >= r->first &&
           port <= (r->last ? r->last : r->first);
}

static bool is_from(const struct rule *r, const uint8_t *initiator)
{
    uint8_t from[16];

    return !r->from || (qpw_address_parse(r->from, from) == 0 && !memcmp(from, initiator, 16));
}

/* Return the n-th rule of the policy in force, NULL at the end. */
static const struct rule *rule_at(const struct policy *p, size_t *at)
{
    const size_t n = sizeof(vendor) / sizeof(*vendor);

    while (*at < n && p->disabled && !strcmp(vendor[*at].name, p->disabled))
        ++*at;
    if (*at < n)
        return &vendor[(*at)++];
    if (*at < n + 4 && p->more[*at - n].name)
        return &p->more[(*at)++ - n];
    return NULL;
}

bool policy_lists(const struct policy *p, bool outbound, uint8_t protocol, uint16_t port)
{
    const struct rule *r;

    for (size_t at = 0; (r = rule_at(p, &at));)
        if (!r->weak && covers(r, outbound, protocol_bit(protocol), port))
            return true;
    return false;
}

/* Return whether the rule vouches for others once it was answered. */
static bool is_parent(const char *rule)
{
    return !strcmp(rule, "in-tcp-21") || !strcmp(rule, "in-tcp+udp-111") || !strcmp(rule, "out-tcp-135") ||
           !strcmp(rule, "out-tcp-111");
}

static struct judgement judge_companion(const struct question *q, parent_lives *lives, void *data)
{
    for (size_t i = 0; i < sizeof(companions) / sizeof(*companions); i++) {
        const struct companion *c = &companions[i];

        if (c->direction != (q->outbound ? OUT : IN) || !(c->protocols & protocol_bit(q->protocol)) ||
            q->port < c->first || q->port > c->last || (c->initiator_port && c->initiator_port != q->initiator_port))
            continue;
        if (!c->parent || lives(data, q->remote, c->parent))
            return (struct judgement){"implied", c->name, false};
    }
    return (struct judgement){"unexpected", NULL, false};
}

static struct judgement judge_icmp(const struct question *q)
{
    bool nd = q->protocol == IPPROTO_ICMPV6 && ((q->port >= 130 && q->port <= 137) || q->port == 143);

    return (struct judgement){"infra", nd ? "infra-nd" : "infra-icmp", false};
}

struct judgement policy_judge(const struct policy *p, const struct question *q, parent_lives *lives, void *data)
{
    const uint8_t *initiator = q->outbound ? q->local : q->remote;
    struct judgement companion;
    const struct rule *r, *weak = NULL;

    if (q->protocol == IPPROTO_ICMP || q->protocol == IPPROTO_ICMPV6)
        return judge_icmp(q);
    if (q->protocol == IPPROTO_IGMP)
        return (struct judgement){"infra", "infra-igmp", false};
    for (size_t at = 0; (r = rule_at(p, &at));) {
        if (!covers(r, q->outbound, protocol_bit(q->protocol), q->port) || !is_from(r, initiator))
            continue;
        if (!r->weak)
            return (struct judgement){"allowed", r->name, is_parent(r->name)};
        weak = r;
    }
    if (weak && weak->parent && lives(data, q->remote, weak->parent))
        return (struct judgement){"allowed", weak->name, false};
    companion = judge_companion(q, lives, data);
    if (weak && strcmp(companion.verdict, "implied"))
        return (struct judgement){"weak", weak->name, false};
    return companion;
}

struct judgement policy_judge_ethertype(uint16_t ethertype)
{
    if (ethertype == 0x0806)
        return (struct judgement){"infra", "infra-arp", false};
    if (ethertype == 0x88cc || ethertype == 0x8809 || ethertype == 0x42)
        return (struct judgement){"unexpected", "infra-link-control", false}; /* the campaign sends them to one card */
    return (struct judgement){"unexpected", NULL, false};
}

const char *policy_peer(const uint8_t address[16])
{
    uint8_t peer[16];

    for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++)
        for (int v6 = 0; v6 < 2; v6++)
            if (qpw_address_parse(hosts[peers[i]].address[v6], peer) == 0 && !memcmp(peer, address, 16))
                return hosts[peers[i]].name;
    return NULL;
}

bool policy_is_peer(const uint8_t address[16])
{
    return policy_peer(address) != NULL;
}

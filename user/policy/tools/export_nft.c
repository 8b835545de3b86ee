/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * export_nft.c - the policy as an nftables ruleset. A live parent is a set of addresses, which replies of the parent's
 * port refresh for ten minutes, as in the kernel side's table of parents.
 */
#include <netinet/in.h>
#include <string.h>

#include "policy/compile/compile_int.h"
#include "policy/tools/export.h"
#include "policy/lang/rule_text.h"
#include "policy/lang/services.h"
#include "util/names.h"

#define MAPPED_FIRST ((qpw_u128)0xffff << 32)
#define MAPPED_LAST (MAPPED_FIRST | 0xffffffffu)

struct ruleset {
    const struct qpw_policy *policy;
    int64_t now;
    FILE *out;
};

/*
 * Write "ip saddr { … } " for the addresses of one family if the match is limited. False: the set has none of that
 * family.
 */
static bool write_match(FILE *out, const char *field, bool limited, const struct qpw_addresses *set, bool v6, bool dry)
{
    bool first = true;
    char one[96];

    if (!limited)
        return true;
    for (size_t i = 0; i < set->n; i++) {
        struct qpw_range range = set->ranges[i];
        bool mapped = range.first >= MAPPED_FIRST && range.last <= MAPPED_LAST;

        if (mapped == v6)
            continue;
        if (!dry && first)
            fprintf(out, "%s %s { ", v6 ? "ip6" : "ip", field);
        if (!dry)
            fprintf(out, "%s%s", first ? "" : ", ", qpw_range_text(&range, one, sizeof(one)));
        first = false;
    }
    if (!dry && !first)
        fputs(" } ", out);
    return !first;
}

static void write_ports(FILE *out, const char *name, const struct qpw_port_range *ports, size_t n, bool any,
                        const char *field)
{
    char text[12 * QPW_MAX_PORT_RANGES + 8];

    if (any)
        fprintf(out, "meta l4proto %s ", name);
    else
        fprintf(out, "%s %s { %s } ", name, field, qpw_ports_text(ports, n, /* any= */ false, text, sizeof(text)));
}

/* What the lines of one rule, peer or companion have in common. */
struct line {
    const struct qpw_rule *row;       /* NULL: of a peer or companion */
    const struct qpw_addresses *from; /* NULL: any */
    const struct qpw_addresses *to;
    const char *name;
    bool v6;
    bool both; /* not limited to a family */
};

static void begin_line(const struct ruleset *r, const struct line *line)
{
    const struct qpw_rule *row = line->row;

    fputs("        ", r->out);
    if (row && row->iface)
        fprintf(r->out, "%s \"%s\" ", row->direction == QPW_DIR_INBOUND ? "iifname" : "oifname", row->iface);
    write_match(r->out, "saddr", line->from, line->from, line->v6, /* dry= */ false);
    write_match(r->out, "daddr", line->to, line->to, line->v6, /* dry= */ false);
}

static void end_line(const struct ruleset *r, const struct line *line)
{
    fprintf(r->out, "counter accept comment \"%s\"\n", line->name);
}

static void write_protocol(const struct ruleset *r, const struct line *line, unsigned protocol)
{
    const struct qpw_rule *row = line->row;
    bool any = row->flags & QPW_RULE_ANY_PORT;

    begin_line(r, line);
    switch (protocol) {
    case IPPROTO_TCP: write_ports(r->out, "tcp", row->ports, row->n_ports, any, "dport"); break;
    case IPPROTO_UDP: write_ports(r->out, "udp", row->ports, row->n_ports, any, "dport"); break;
    case IPPROTO_SCTP: write_ports(r->out, "sctp", row->ports, row->n_ports, any, "dport"); break;
    case IPPROTO_ICMP: write_ports(r->out, "icmp", row->ports, row->n_ports, any, "type"); break;
    case IPPROTO_ICMPV6: write_ports(r->out, "icmpv6", row->ports, row->n_ports, any, "type"); break;
    default: fprintf(r->out, "meta l4proto %u ", protocol); break;
    }
    end_line(r, line);
}

/* Call write for each family that the addresses permit, or once if they permit both. */
static void each_family(const struct ruleset *r, struct line line,
                        void (*write)(const struct ruleset *, const struct line *, const void *), const void *data)
{
    line.both = !line.from && !line.to;
    for (int v6 = 0; v6 < 2; v6++) {
        line.v6 = v6;
        if (!write_match(r->out, "", line.from, line.from, v6, /* dry= */ true) ||
            !write_match(r->out, "", line.to, line.to, v6, /* dry= */ true))
            continue;
        write(r, &line, data);
        if (line.both)
            return;
    }
}

static void write_row_family(const struct ruleset *r, const struct line *line, const void *data)
{
    if (line->row->flags & QPW_RULE_ANY_PROTOCOL) {
        begin_line(r, line);
        end_line(r, line);
        return;
    }
    for (unsigned protocol = 0; protocol < 256; protocol++)
        if (qpw_protocol_in(line->row->protocols, protocol))
            write_protocol(r, line, protocol);
}

static void write_rows(const struct ruleset *r, uint8_t direction)
{
    for (size_t i = 0; i < r->policy->n_rules; i++) {
        const struct qpw_rule *row = &r->policy->rules[i];
        struct line line = {
            .row = row,
            .from = row->flags & QPW_RULE_FROM ? &row->from : NULL,
            .to = row->flags & QPW_RULE_TO ? &row->to : NULL,
            .name = row->name,
        };

        if (row->direction != direction || !qpw_rule_in_force(row, r->now))
            continue;
        if (row->vlan != QPW_ANY_VLAN)
            fprintf(r->out, "        # %s: vlan= cannot be asked for here; name the VLAN's interface to narrow it\n",
                    row->name);
        if (row->owner && strcmp(row->owner, "any"))
            fprintf(r->out, "        # %s: nftables cannot check owner=; a process of any owner is allowed\n", row->name);
        if (qpw_speaks_services(row->speaks))
            fprintf(r->out, "        # %s: speaks= cannot be asked for here; whatever is spoken is passed\n", row->name);
        each_family(r, line, write_row_family, NULL);
    }
}

/* ---- Peers ---- */

static void write_peer_family(const struct ruleset *r, const struct line *line, const void *data)
{
    begin_line(r, line);
    end_line(r, line);
}

static void write_peers(const struct ruleset *r, uint8_t direction)
{
    for (size_t i = 0; i < r->policy->n_peers; i++) {
        const struct qpw_peer *peer = &r->policy->peers[i];
        struct line line = {.name = "peer"};

        *(direction == QPW_DIR_INBOUND ? &line.from : &line.to) = &peer->addresses;
        each_family(r, line, write_peer_family, NULL);
    }
}

/* ---- Companions ---- */

static unsigned protocol_of(uint32_t position)
{
    return position >= QPW_SPACE_UDP ? IPPROTO_UDP : IPPROTO_TCP;
}

/* Write the name of the set of addresses for which an answered exchange of the companion's rule vouches. */
static void vouch_name(const struct qpw_companion *companion, char *buf, size_t size)
{
    snprintf(buf, size, "%s_%s_%u", companion->row_direction == QPW_DIR_INBOUND ? "in" : "out",
             qpw_protocol_name(protocol_of(companion->row)), companion->row & 0xffff);
}

static bool is_used(const struct ruleset *r, const struct qpw_companion *companion)
{
    for (size_t i = 0; i < r->policy->n_rules && !r->policy->implied[companion->run.group].unexpected; i++)
        if (!(r->policy->rules[i].flags & QPW_RULE_WEAK) && qpw_rule_in_force(&r->policy->rules[i], r->now) &&
            qpw_row_covers(&r->policy->rules[i], companion->row_direction, companion->row))
            return true;
    return false;
}

/* Companions that follow the same rule share a set, which only the first one creates. */
static bool is_first_of_row(const struct ruleset *r, const struct qpw_companion *all, size_t at)
{
    if (!all[at].live || !is_used(r, &all[at]))
        return false;
    for (size_t i = 0; i < at; i++)
        if (all[i].live && is_used(r, &all[i]) && all[i].row == all[at].row &&
            all[i].row_direction == all[at].row_direction)
            return false;
    return true;
}

static void write_vouch_sets(const struct ruleset *r)
{
    size_t n;
    const struct qpw_companion *all = qpw_companions(&n);
    char name[48];

    for (size_t i = 0; i < n; i++) {
        if (!is_first_of_row(r, all, i))
            continue;
        vouch_name(&all[i], name, sizeof(name));
        for (int v6 = 0; v6 < 2; v6++)
            fprintf(r->out, "    set %s_v%d { type ipv%d_addr; flags dynamic,timeout; timeout 10m; size 65535; }\n",
                    name, v6 ? 6 : 4, v6 ? 6 : 4);
    }
}

/* Refresh the remote address in a rule's set for each reply of the rule's port, seen in the opposite chain. */
static void write_vouching(const struct ruleset *r, uint8_t chain)
{
    size_t n;
    const struct qpw_companion *all = qpw_companions(&n);
    char name[48];

    for (size_t i = 0; i < n; i++) {
        bool tcp = protocol_of(all[i].row) == IPPROTO_TCP;
        const char *remote = chain == QPW_DIR_INBOUND ? "saddr" : "daddr";

        if (all[i].row_direction == chain || !is_first_of_row(r, all, i))
            continue;
        vouch_name(&all[i], name, sizeof(name));
        for (int v6 = 0; v6 < 2; v6++)
            fprintf(r->out, "        meta nfproto ipv%d ct direction reply %s sport %u %supdate @%s_v%d { %s %s }\n",
                    v6 ? 6 : 4, tcp ? "tcp" : "udp", all[i].row & 0xffff, tcp ? "tcp flags & rst == 0 " : "", name,
                    v6 ? 6 : 4, v6 ? "ip6" : "ip", remote);
    }
}

static void write_companion_ports(const struct ruleset *r, const struct qpw_companion *companion)
{
    const char *protocol = qpw_protocol_name(protocol_of(companion->run.first));

    if (companion->run.initiator_port)
        fprintf(r->out, "%s sport %u ", protocol, companion->run.initiator_port);
    fprintf(r->out, "%s dport %u", protocol, companion->run.first & 0xffff);
    if (companion->run.last != companion->run.first)
        fprintf(r->out, "-%u", companion->run.last & 0xffff);
    fputc(' ', r->out);
}

static void write_companion_family(const struct ruleset *r, const struct line *line, const void *data)
{
    const struct qpw_companion *companion = data;
    bool inbound = companion->run.directions == QPW_RUN_IN;
    char name[48];

    vouch_name(companion, name, sizeof(name));
    for (int v6 = 0; v6 < (companion->live ? 2 : 1); v6++) {
        if (companion->live && !line->both && line->v6 != v6)
            continue;
        fputs("        ", r->out);
        write_match(r->out, "saddr", line->from, line->from, line->v6, /* dry= */ false);
        write_match(r->out, "daddr", line->to, line->to, line->v6, /* dry= */ false);
        if (companion->live)
            fprintf(r->out, "%s %s @%s_v%d ", v6 ? "ip6" : "ip", inbound ? "saddr" : "daddr", name, v6 ? 6 : 4);
        write_companion_ports(r, companion);
        end_line(r, line);
    }
}

static void write_companions(const struct ruleset *r, uint8_t direction)
{
    size_t n;
    const struct qpw_companion *all = qpw_companions(&n);

    for (size_t i = 0; i < n; i++) {
        char name[QPW_NAME_LEN];

        if ((all[i].run.directions == QPW_RUN_IN) != (direction == QPW_DIR_INBOUND) || !is_used(r, &all[i]))
            continue;
        snprintf(name, sizeof(name), "implied-%s", qpw_implied_name(all[i].run.group));
        for (size_t j = 0; j < r->policy->n_rules; j++) {
            const struct qpw_rule *row = &r->policy->rules[j];
            bool turned = all[i].row_direction != direction;
            const struct qpw_addresses *from = row->flags & QPW_RULE_FROM ? &row->from : NULL;
            const struct qpw_addresses *to = row->flags & QPW_RULE_TO ? &row->to : NULL;
            struct line line = {.from = turned ? to : from, .to = turned ? from : to, .name = name};

            if (!(row->flags & QPW_RULE_WEAK) && qpw_rule_in_force(row, r->now) &&
                qpw_row_covers(row, all[i].row_direction, all[i].row))
                each_family(r, line, write_companion_family, &all[i]);
        }
    }
}

/* ---- Basic network traffic ---- */

static void write_dhcp(FILE *out, uint8_t direction)
{
    fputs("        udp sport 68 udp dport 67 counter accept comment \"infra-dhcp\"\n"
          "        udp sport 546 udp dport 547 counter accept comment \"infra-dhcp\"\n", out);
    if (direction == QPW_DIR_INBOUND)
        fputs("        udp sport 67 udp dport 68 counter accept comment \"infra-dhcp\"\n"
              "        udp sport 547 udp dport 546 counter accept comment \"infra-dhcp\"\n", out);
}

static void write_infra(const struct ruleset *r, uint8_t direction)
{
    const struct qpw_group_setting *infra = r->policy->infra;
    FILE *out = r->out;

    fputs("        # infra: how large and how frequent it may be, and which DHCP servers are known, is not checked here\n",
          out);
    if (!infra[QPW_INFRA_ICMP].unexpected)
        fputs("        icmp type { 0, 3, 5, 8-14, 42, 43 } counter accept comment \"infra-icmp\"\n"
              "        icmpv6 type { 1-4, 128, 129, 160, 161 } counter accept comment \"infra-icmp\"\n", out);
    if (!infra[QPW_INFRA_ND].unexpected)
        fputs("        icmpv6 type { 133-137 } ip6 hoplimit 255 counter accept comment \"infra-nd\"\n"
              "        ip6 daddr ff00::/8 icmpv6 type { 130-132, 143, 151-153 } counter accept comment \"infra-nd\"\n", out);
    if (!infra[QPW_INFRA_IGMP].unexpected)
        fputs("        ip daddr 224.0.0.0/4 meta l4proto 2 counter accept comment \"infra-igmp\"\n", out);
    if (!infra[QPW_INFRA_DHCP].unexpected)
        write_dhcp(out, direction);
    if (!infra[QPW_INFRA_ROUTING].unexpected && direction == QPW_DIR_INBOUND)
        fputs("        ip daddr 224.0.0.0/24 meta l4proto { 89, 103, 112 } counter accept comment \"infra-routing\"\n"
              "        ip6 daddr ff02::/16 meta l4proto { 89, 103, 112 } counter accept comment \"infra-routing\"\n"
              "        ip daddr 224.0.0.0/24 udp dport { 1985, 2029 } counter accept comment \"infra-routing\"\n"
              "        ip6 daddr ff02::/16 udp dport { 1985, 2029 } counter accept comment \"infra-routing\"\n", out);
}

static void write_chain(const struct ruleset *r, uint8_t direction)
{
    bool inbound = direction == QPW_DIR_INBOUND;

    fprintf(r->out,
            "    chain %s {\n        type filter hook %s priority filter; policy drop;\n        %s \"lo\" accept\n",
            inbound ? "inbound" : "outbound", inbound ? "input" : "output", inbound ? "iifname" : "oifname");
    write_vouching(r, direction);
    fputs("        ct state established,related counter accept\n", r->out);
    write_peers(r, direction);
    write_rows(r, direction);
    write_infra(r, direction);
    write_companions(r, direction);
    fputs("        counter comment \"unexpected\"\n    }\n", r->out);
}

void qpw_policy_nft(const struct qpw_policy *policy, int64_t now, FILE *out)
{
    struct ruleset r = {.policy = policy, .now = now, .out = out};

    fprintf(out,
            "#!/usr/sbin/nft -f\n# Policy %s, %s\n"
            "# Passes what the policy explains (weak and implied included), drops the rest. Non-IP frames are not "
            "looked at.\n"
            "table inet qportwatch\ndelete table inet qportwatch\ntable inet qportwatch {\n",
            policy->name, policy->digest);
    write_vouch_sets(&r);
    write_chain(&r, QPW_DIR_INBOUND);
    write_chain(&r, QPW_DIR_OUTBOUND);
    fputs("}\n", out);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The built-in rules: basic network traffic of any IP node (infra), and well-known companions of rules (implied). */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "policy/compile/compile_int.h"

#define TCP(port) (QPW_SPACE_TCP + (port))
#define UDP(port) (QPW_SPACE_UDP + (port))
#define PROTOCOL(number) (QPW_SPACE_PROTOCOL + (number))
#define ETHERTYPE(type) (QPW_SPACE_ETHERTYPE + (type))

enum { IN = QPW_RUN_IN, OUT = QPW_RUN_OUT, BOTH = IN | OUT };

#define ICMP(type) (QPW_SPACE_ICMP + (type))
#define ICMP6(type) (QPW_SPACE_ICMP6 + (type))

/* The ICMP types that IANA has assigned and not deprecated, and that hosts and their routers use. */
static const struct qpw_run infra_runs[] = {
    {QPW_INFRA_ARP, BOTH, ETHERTYPE(0x0806), ETHERTYPE(0x0806), 0, 0, QPW_SHAPE_FRAME},
    {QPW_INFRA_ICMP, BOTH, ICMP(0), ICMP(0), 0, 0, QPW_SHAPE_ECHO},
    {QPW_INFRA_ICMP, BOTH, ICMP(3), ICMP(3), 0, 0, QPW_SHAPE_ERROR},
    {QPW_INFRA_ICMP, BOTH, ICMP(5), ICMP(5), 0, 0, QPW_SHAPE_ERROR},
    {QPW_INFRA_ICMP, BOTH, ICMP(8), ICMP(8), 0, 0, QPW_SHAPE_ECHO},
    {QPW_INFRA_ICMP, BOTH, ICMP(9), ICMP(10), 0, 0, QPW_SHAPE_CONTROL}, /* router discovery */
    {QPW_INFRA_ICMP, BOTH, ICMP(11), ICMP(12), 0, 0, QPW_SHAPE_ERROR},
    {QPW_INFRA_ICMP, BOTH, ICMP(13), ICMP(14), 0, 0, QPW_SHAPE_CONTROL}, /* timestamps */
    {QPW_INFRA_ICMP, BOTH, ICMP(42), ICMP(43), 0, 0, QPW_SHAPE_ECHO},
    {QPW_INFRA_ICMP, BOTH, ICMP6(1), ICMP6(4), 0, 0, QPW_SHAPE_ERROR},
    {QPW_INFRA_ICMP, BOTH, ICMP6(128), ICMP6(129), 0, 0, QPW_SHAPE_ECHO},
    {QPW_INFRA_ICMP, BOTH, ICMP6(160), ICMP6(161), 0, 0, QPW_SHAPE_ECHO},
    /* MLD 130-132, MLDv2 143 and router discovery of multicast 151-153 (RFC 2710, 3810, 4286); 133-137: RFC 4861. */
    {QPW_INFRA_ND, BOTH, ICMP6(130), ICMP6(132), 0, 0, QPW_SHAPE_GROUP},
    {QPW_INFRA_ND, BOTH, ICMP6(133), ICMP6(137), 0, 0, QPW_SHAPE_ND},
    {QPW_INFRA_ND, BOTH, ICMP6(143), ICMP6(143), 0, 0, QPW_SHAPE_GROUP},
    {QPW_INFRA_ND, BOTH, ICMP6(151), ICMP6(153), 0, 0, QPW_SHAPE_GROUP},
    {QPW_INFRA_IGMP, BOTH, PROTOCOL(IPPROTO_IGMP), PROTOCOL(IPPROTO_IGMP), 0, 0, QPW_SHAPE_GROUP},
    /* The request goes to a broadcast or multicast address, so the server's reply is an exchange of its own. */
    {QPW_INFRA_DHCP, BOTH, UDP(67), UDP(67), 68, 0, QPW_SHAPE_DHCP},
    {QPW_INFRA_DHCP, IN, UDP(68), UDP(68), 67, 0, QPW_SHAPE_DHCP},
    {QPW_INFRA_DHCP, BOTH, UDP(547), UDP(547), 546, 0, QPW_SHAPE_DHCP},
    {QPW_INFRA_DHCP, IN, UDP(546), UDP(546), 547, 0, QPW_SHAPE_DHCP},
    /* LACP, LLDP, LLC DSAP of STP, CDP */
    {QPW_INFRA_LINK_CONTROL, BOTH, ETHERTYPE(0x8809), ETHERTYPE(0x8809), 0, 0, QPW_SHAPE_FRAME},
    {QPW_INFRA_LINK_CONTROL, BOTH, ETHERTYPE(0x88cc), ETHERTYPE(0x88cc), 0, 0, QPW_SHAPE_FRAME},
    {QPW_INFRA_LINK_CONTROL, BOTH, ETHERTYPE(0x42), ETHERTYPE(0x42), 0, 0, QPW_SHAPE_FRAME},
    {QPW_INFRA_LINK_CONTROL, BOTH, ETHERTYPE(QPW_ETHERTYPE_CDP), ETHERTYPE(QPW_ETHERTYPE_CDP), 0, 0, QPW_SHAPE_FRAME},
    {QPW_INFRA_ROUTING, IN, PROTOCOL(112), PROTOCOL(112), 0, QPW_STEP_RX_MULTICAST, QPW_SHAPE_ROUTING}, /* VRRP */
    {QPW_INFRA_ROUTING, IN, PROTOCOL(89), PROTOCOL(89), 0, QPW_STEP_RX_MULTICAST, QPW_SHAPE_ROUTING},   /* OSPF */
    {QPW_INFRA_ROUTING, IN, PROTOCOL(103), PROTOCOL(103), 0, QPW_STEP_RX_MULTICAST, QPW_SHAPE_ROUTING}, /* PIM */
    {QPW_INFRA_ROUTING, IN, UDP(1985), UDP(1985), 0, QPW_STEP_RX_MULTICAST, QPW_SHAPE_ROUTING},         /* HSRP */
    {QPW_INFRA_ROUTING, IN, UDP(2029), UDP(2029), 0, QPW_STEP_RX_MULTICAST, QPW_SHAPE_ROUTING}, /* HSRP for IPv6 */
};

static const struct qpw_companion companions[] = {
    {{QPW_IMPLIED_DNS_TCP, OUT, TCP(53), TCP(53), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, UDP(53), false},
    {{QPW_IMPLIED_KERBEROS_UDP, OUT, UDP(88), UDP(88), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(88), false},
    {{QPW_IMPLIED_KPASSWD, OUT, TCP(464), TCP(464), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(88), false},
    {{QPW_IMPLIED_KPASSWD, OUT, UDP(464), UDP(464), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(88), false},
    {{QPW_IMPLIED_CLDAP, OUT, UDP(389), UDP(389), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(389), false},
    {{QPW_IMPLIED_GLOBAL_CATALOG, OUT, TCP(3268), TCP(3269), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(389), false},
    {{QPW_IMPLIED_SMB_TO_DC, OUT, TCP(445), TCP(445), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(135), false},
    {{QPW_IMPLIED_RPC_DYNAMIC, OUT, TCP(49152), TCP(65535), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(135), true},
    /*
     * NLM, NSM and mountd obtain their ports from the port mapper: reserved (600-1023), registered, or ephemeral ones.
     */
    {{QPW_IMPLIED_NFS_LOCK, IN, TCP(600), TCP(1023), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, IN, TCP(4045), TCP(4046), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, IN, TCP(20048), TCP(20048), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, IN, TCP(32768), TCP(65535), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, IN, UDP(600), UDP(1023), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, UDP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, IN, UDP(4045), UDP(4046), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, UDP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, IN, UDP(20048), UDP(20048), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, UDP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, IN, UDP(32768), UDP(65535), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, UDP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, OUT, TCP(600), TCP(1023), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, OUT, TCP(4045), TCP(4046), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, OUT, TCP(32768), TCP(65535), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, OUT, UDP(600), UDP(1023), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, OUT, UDP(4045), UDP(4046), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(111), true},
    {{QPW_IMPLIED_NFS_LOCK, OUT, UDP(32768), UDP(65535), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_OUTBOUND, TCP(111), true},
    /* Active mode: the server opens the data connection from port 20 to the port that the client announced. */
    {{QPW_IMPLIED_FTP_DATA, OUT, TCP(1024), TCP(65535), 20, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, TCP(21), true},
    {{QPW_IMPLIED_NFS_CALLBACK, OUT, TCP(1024), TCP(65535), 0, 0, QPW_SHAPE_NONE}, QPW_DIR_INBOUND, TCP(2049), true},
};

const struct qpw_companion *qpw_companions(size_t *ret_n)
{
    *ret_n = sizeof(companions) / sizeof(*companions);
    return companions;
}

/* A built-in rule. */
struct builtin_rule {
    const char *prefix, *group; /* name is PREFIX-GROUP: "infra", "arp" */
    const char *text;
    int directions; /* IN, OUT, BOTH */
    uint8_t verdict;
    bool in_force;
};

static int add_builtin_rule(struct qpw_compiler *c, const struct builtin_rule *rule)
{
    struct qpw_rule_info info = {
        .direction = rule->directions == IN ? QPW_DIR_INBOUND : rule->directions == OUT ? QPW_DIR_OUTBOUND : QPW_DIR_UNKNOWN,
        .verdict = rule->verdict,
        .in_force = rule->in_force,
    };

    snprintf(info.name, sizeof(info.name), "%s-%s", rule->prefix, rule->group);
    snprintf(info.file, sizeof(info.file), "qportwatch");
    snprintf(info.text, sizeof(info.text), "%s", rule->text);
    return qpw_registry_add_rule(c, &info);
}

static int add_run(struct qpw_compiler *c, const struct qpw_run *run, struct qpw_atom atom)
{
    int ret = 0;

    atom.first = run->first;
    atom.last = run->last;
    atom.step.initiator_port = run->initiator_port;
    atom.step.flags |= run->flags;
    if (atom.step.verdict == QPW_VERDICT_INFRA)
        atom.step.shape = run->shape;
    if (run->directions & IN) {
        atom.direction = QPW_DIR_INBOUND;
        ret = qpw_add_atom(c, &atom);
    }
    if (ret == 0 && run->directions & OUT) {
        atom.direction = QPW_DIR_OUTBOUND;
        ret = qpw_add_atom(c, &atom);
    }
    return ret;
}

int qpw_compile_infra(struct qpw_compiler *c)
{
    static const char *const texts[QPW_INFRA_COUNT] = {
        [QPW_INFRA_ARP] = "infra arp: EtherType 0x0806, of its form",
        [QPW_INFRA_ICMP] = "infra icmp: echo of 128 bytes, errors, timestamps, router discovery",
        [QPW_INFRA_ND] = "infra nd: neighbour and router discovery with hop limit 255, MLD to groups",
        [QPW_INFRA_IGMP] = "infra igmp: IP protocol 2 to groups",
        [QPW_INFRA_DHCP] = "infra dhcp: udp 67, 68, 546, 547 to groups and with known servers",
        [QPW_INFRA_LINK_CONTROL] = "infra link-control: LACP, LLDP, STP, CDP to their groups",
        [QPW_INFRA_ROUTING] = "infra routing: VRRP, HSRP, OSPF, PIM received on link-local multicast",
    };
    int ret = 0;

    for (unsigned group = 0; group < QPW_INFRA_COUNT && ret >= 0; group++) {
        uint8_t verdict = c->policy->infra[group].unexpected ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_INFRA;
        struct qpw_atom atom = {.where = &c->policy->infra[group].where, .step = {.vlan = QPW_STEP_ANY_VLAN, .verdict = verdict}};

        ret = add_builtin_rule(c, &(struct builtin_rule){
            .prefix = "infra", .group = qpw_infra_name(group), .text = texts[group],
            .directions = group == QPW_INFRA_ROUTING ? IN : BOTH, .verdict = verdict, .in_force = true});
        atom.step.rule = ret < 0 ? 0 : (uint16_t)ret;
        for (size_t i = 0; i < sizeof(infra_runs) / sizeof(*infra_runs) && ret >= 0; i++)
            if (infra_runs[i].group == group)
                ret = add_run(c, &infra_runs[i], atom);
    }
    return ret < 0 ? ret : 0;
}

bool qpw_row_covers(const struct qpw_rule *rule, uint8_t direction, uint32_t position)
{
    unsigned protocol = position >= QPW_SPACE_UDP ? IPPROTO_UDP : IPPROTO_TCP;
    uint16_t port = (uint16_t)(position - qpw_space_of(protocol));

    if (rule->direction != direction || !qpw_protocol_in(rule->protocols, protocol))
        return false;
    for (size_t i = 0; i < rule->n_ports; i++)
        if (port >= rule->ports[i].first && port <= rule->ports[i].last)
            return true;
    return rule->flags & QPW_RULE_ANY_PORT;
}

/* Add one companion of one rule: within the rule's own limits, for the same addresses. */
static int follow(struct qpw_compiler *c, const struct qpw_companion *companion, const struct qpw_rule *row,
                  uint16_t id, uint32_t ifindex)
{
    uint16_t parent = qpw_registry_rule(&c->names, row->name);
    /* The remote end is the rule's initiator if the rule is inbound, whatever the companion's direction. */
    bool turned = (companion->row_direction == QPW_DIR_INBOUND) != (companion->run.directions == IN);
    const struct qpw_addresses *from = row->flags & QPW_RULE_FROM ? &row->from : NULL;
    const struct qpw_addresses *to = row->flags & QPW_RULE_TO ? &row->to : NULL;
    struct qpw_atom atom = {
        .from = turned ? to : from,
        .to = turned ? from : to,
        .where = &row->where,
        .step =
            {
                .vlan = row->vlan == QPW_ANY_VLAN ? QPW_STEP_ANY_VLAN : (uint16_t)row->vlan,
                .ifindex = ifindex,
                .rule = id,
                .parent = companion->live ? parent : 0,
                .verdict =
                    c->policy->implied[companion->run.group].unexpected ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_IMPLIED,
            },
    };
    int ret = add_run(c, &companion->run, atom);

    if (ret == 0 && companion->live)
        ret = qpw_add_port_mark(c, companion->row_direction, companion->row, parent);
    return ret;
}

/* A disabled group still marks its traffic as unexpected, under its name, unless that would need a live parent. */
static int compile_companion(struct qpw_compiler *c, const struct qpw_companion *companion)
{
    const struct qpw_group_setting *setting = &c->policy->implied[companion->run.group];
    char text[160];
    bool used = false;
    uint32_t ifindex;
    int id, ret = 0;

    snprintf(text, sizeof(text), "implied %s: follows %s %s %u", qpw_implied_name(companion->run.group),
             companion->row_direction == QPW_DIR_INBOUND ? "inbound" : "outbound",
             companion->row >= QPW_SPACE_UDP ? "udp" : "tcp", companion->row & 0xffff);
    for (size_t i = 0; i < c->policy->n_rules && !used && !(setting->unexpected && companion->live); i++)
        used = !(c->policy->rules[i].flags & QPW_RULE_WEAK) && qpw_row_active(c, &c->policy->rules[i], &ifindex) &&
               qpw_row_covers(&c->policy->rules[i], companion->row_direction, companion->row);
    id = add_builtin_rule(c, &(struct builtin_rule){
        .prefix = "implied", .group = qpw_implied_name(companion->run.group), .text = text,
        .directions = companion->run.directions, .in_force = used,
        .verdict = setting->unexpected ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_IMPLIED});
    for (size_t i = 0; i < c->policy->n_rules && id >= 0 && used && ret == 0; i++) {
        const struct qpw_rule *row = &c->policy->rules[i];

        if (!(row->flags & QPW_RULE_WEAK) && qpw_row_active(c, row, &ifindex) &&
            qpw_row_covers(row, companion->row_direction, companion->row))
            ret = follow(c, companion, row, (uint16_t)id, ifindex);
    }
    return id < 0 ? id : ret;
}

int qpw_compile_implied(struct qpw_compiler *c)
{
    int ret = 0;

    for (size_t i = 0; i < sizeof(companions) / sizeof(*companions) && ret == 0; i++)
        ret = compile_companion(c, &companions[i]);
    return ret;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Infrastructure is limited to what a node needs: by form, destination, hop limit and size, and by rate. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "util/names.h"

#define CLIENT "10.0.0.9"
#define CLIENT6 "fd00::9"
#define LINK6 "fe80::9"
#define OWN_MAC "02:00:00:00:00:02"
#define BROADCAST "ff:ff:ff:ff:ff:ff"
#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define SECOND 1000000000ull
#define HOUR (3600 * SECOND)

static struct audit a;
static struct packet p;

/* ---- Packets ---- */

struct icmp {
    const char *source, *destination;
    uint8_t type, code, hops;
    size_t payload; /* after the header's eight bytes */
    bool unsplit, first_fragment;
};

static void make_icmp(const struct icmp *o)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    if (strchr(o->source, ':'))
        packet_ipv6(&p, &(struct packet_ipv6){.source = o->source, .destination = o->destination, .hop_limit = o->hops});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = o->source, .destination = o->destination, .ttl = o->hops,
                                              .dont_fragment = o->unsplit, .more_fragments = o->first_fragment,
                                              .id = o->first_fragment});
    packet_icmp(&p, &(struct packet_icmp){.type = o->type, .code = o->code, .payload_bytes = o->payload});
    packet_finish(&p);
}
#define ICMP(...) make_icmp(&(struct icmp){__VA_ARGS__})

static void make_protocol(const char *source, const char *destination, uint8_t protocol, size_t bytes)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = destination, .protocol = protocol, .ttl = 1});
    packet_bytes(&p, NULL, bytes);
    packet_finish(&p);
}

static void make_udp(const char *source, uint16_t source_port, const char *destination, uint16_t port, size_t bytes)
{
    bool broadcast = !strcmp(destination, "255.255.255.255");

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = broadcast ? BROADCAST : NULL});
    if (strchr(source, ':'))
        packet_ipv6(&p, &(struct packet_ipv6){.source = source, .destination = destination});
    else
        packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = destination});
    packet_udp(&p, &(struct packet_udp){.source = source_port, .destination = port, .payload_bytes = bytes});
    packet_finish(&p);
}

static void make_arp(uint16_t operation, const char *to, size_t behind)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = to});
    packet_arp(&p, &(struct packet_arp){.operation = operation, .sender = CLIENT, .target = AUDIT_NODE});
    packet_bytes(&p, NULL, behind);
    packet_finish(&p);
}

/* Make a frame with these three bytes after its EtherType. */
static void make_frame(const char *to, uint16_t type, const char first[3], size_t bytes)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = to, .type = PACKET_LIE(type)});
    packet_bytes(&p, first, 3);
    packet_bytes(&p, NULL, bytes - 3);
    packet_finish(&p);
}

static void make_llc(const char *to, uint8_t ssap, size_t bytes)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = to});
    packet_llc(&p, 0x42, ssap, 3);
    packet_bytes(&p, NULL, bytes);
    packet_finish(&p);
}

static void make_cdp(const char *to)
{
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = to});
    packet_snap(&p, 0x00000c, 0x2000);
    packet_bytes(&p, NULL, 300);
    packet_finish(&p);
}

/* ---- Feeding ---- */

static void open_live(const char *policy)
{
    audit_open(&a, NULL);
    audit_window_over(&a);
    audit_policy_text(&a, policy);
}

/* Use a replay, whose clock the test sets. */
static void open_at_will(void)
{
    audit_open(&a, &(struct qpw_load_options){.replay = true, .no_counts = true});
    a.kernel.control->replay_now_ns = 1700000000ull * SECOND;
    audit_policy_text(&a, "include on-prem\n");
}

static void feed(enum audit_hook hook)
{
    struct qpw_control *control = a.kernel.control;

    control->replay_bytes = control->replay_wire = control->replay_captured = (uint32_t)p.length;
    audit_feed(&a, hook, &p);
}

static uint64_t infra(void)
{
    return AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_INFRA));
}

/* Assert that `rule` matches p, and that p is counted for it at that hook. */
static void fits(enum audit_hook hook, const char *rule, const char *what)
{
    uint64_t before = AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_INFRA), .rule = rule);

    feed(hook);
    cr_expect_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_INFRA), .rule = rule), before + 1, "%s: not %s", what,
                 rule);
}

/* Assert that it is unexpected, for that reason. */
static void beyond(enum audit_hook hook, enum qpw_reason reason, const char *what)
{
    const struct audit_filter filter = {.verdict = AUDIT_IS(QPW_VERDICT_UNEXPECTED), .reason = AUDIT_IS(reason)};
    uint64_t before = audit_packets(&a, &filter);

    feed(hook);
    cr_expect_eq(audit_packets(&a, &filter), before + 1, "%s: not %s", what, qpw_reason_name(reason));
}

static void beyond_both_ways(enum qpw_reason reason, const char *what)
{
    beyond(AUDIT_XDP, reason, what);
    beyond(AUDIT_TC, reason, what);
}

static void fits_both_ways(const char *rule, const char *what)
{
    fits(AUDIT_XDP, rule, what);
    fits(AUDIT_TC, rule, what);
}

/* ---- Form ---- */

Test(infra, what_a_node_needs)
{
    open_live("include on-prem\n");
    make_arp(1, BROADCAST, 0), fits_both_ways("infra-arp", "a question for everybody");
    make_arp(2, OWN_MAC, 18), fits_both_ways("infra-arp", "an answer, padded");
    fits(AUDIT_TX, "infra-arp", "sent");
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 56), fits_both_ways("infra-icmp", "ping");
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 128), fits_both_ways("infra-icmp", "ping of 128 bytes");
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 3000, .unsplit = true), fits_both_ways("infra-icmp", "large ping");
    ICMP(AUDIT_NODE, CLIENT, 0, .payload = 3000), fits(AUDIT_TX, "infra-icmp", "its answer, without DF");
    ICMP(CLIENT6, AUDIT_NODE6, 128, .payload = 3000), fits_both_ways("infra-icmp", "large ping of IPv6");
    ICMP(AUDIT_NODE6, CLIENT6, 129, .payload = 3000), fits(AUDIT_TX, "infra-icmp", "its answer");
    ICMP(CLIENT, AUDIT_NODE, 3, .code = 4, .payload = 548), fits_both_ways("infra-icmp", "an error");
    ICMP(CLIENT6, AUDIT_NODE6, 2, .payload = 1232), fits_both_ways("infra-icmp", "packet too big");
    ICMP(CLIENT, AUDIT_NODE, 11, .payload = 28), fits_both_ways("infra-icmp", "time exceeded");
    ICMP(CLIENT, AUDIT_NODE, 5, .payload = 28), fits_both_ways("infra-icmp", "redirect");
    ICMP(CLIENT, AUDIT_NODE, 13, .payload = 12), fits_both_ways("infra-icmp", "timestamp");
    ICMP(LINK6, "ff02::1:ff00:1", 135, .hops = 255, .payload = 24), fits_both_ways("infra-nd", "solicitation");
    ICMP(AUDIT_NODE6, LINK6, 136, .hops = 255, .payload = 24), fits(AUDIT_TX, "infra-nd", "advertisement");
    ICMP(LINK6, "ff02::1", 134, .hops = 255, .payload = 120), fits_both_ways("infra-nd", "router advertisement");
    ICMP(LINK6, AUDIT_NODE6, 137, .hops = 255, .payload = 1200), fits_both_ways("infra-nd", "redirect");
    ICMP(AUDIT_NODE6, "ff02::2", 133, .hops = 255, .payload = 8), fits(AUDIT_TX, "infra-nd", "router solicitation");
    ICMP(AUDIT_NODE6, "ff02::16", 143, .hops = 1, .payload = 200), fits(AUDIT_TX, "infra-nd", "MLDv2 report");
    ICMP(LINK6, "ff02::1", 130, .hops = 1, .payload = 20), fits_both_ways("infra-nd", "MLD query");
    make_protocol(CLIENT, "224.0.0.22", 2, 60), fits_both_ways("infra-igmp", "IGMP report");
    make_protocol(AUDIT_NODE, "224.0.0.22", 2, 60), fits(AUDIT_TX, "infra-igmp", "IGMP report, sent");
    make_protocol(CLIENT, "224.0.0.18", 112, 20), fits_both_ways("infra-routing", "VRRP");
    make_protocol(CLIENT, "224.0.0.5", 89, 60), fits_both_ways("infra-routing", "OSPF");
    make_udp(CLIENT, 1985, "224.0.0.2", 1985, 20), fits_both_ways("infra-routing", "HSRP");
    make_udp("10.0.0.77", 68, "255.255.255.255", 67, 300), fits_both_ways("infra-dhcp", "another's question");
    make_udp("0.0.0.0", 68, "255.255.255.255", 67, 300), fits(AUDIT_TX, "infra-dhcp", "the node's question");
    make_frame("01:80:c2:00:00:02", 0x8809, "\1\1\1", 110), fits_both_ways("infra-link-control", "LACP");
    fits(AUDIT_TX, "infra-link-control", "LACP, sent");
    make_frame("01:80:c2:00:00:02", 0x8809, "\2\1\1", 110), fits_both_ways("infra-link-control", "LACP's marker");
    make_frame("01:80:c2:00:00:0e", 0x88cc, "\2\7\4", 300), fits_both_ways("infra-link-control", "LLDP");
    make_llc("01:80:c2:00:00:00", 0x42, 43), fits_both_ways("infra-link-control", "STP");
    make_cdp("01:00:0c:cc:cc:cc"), fits_both_ways("infra-link-control", "CDP");
    audit_close(&a);
}

Test(infra, icmp_beyond_its_form)
{
    static const uint8_t types[] = {1, 2, 4, 6, 7, 15, 17, 30, 41, 44, 199, 200, 255}, types6[] = {100, 138, 139, 148, 200, 255};

    open_live("include on-prem\n");
    for (size_t i = 0; i < sizeof(types); i++)
        ICMP(CLIENT, AUDIT_NODE, types[i], .payload = 20), beyond_both_ways(QPW_REASON_NONE, "a type that hosts have no use for");
    for (size_t i = 0; i < sizeof(types6); i++)
        ICMP(CLIENT6, AUDIT_NODE6, types6[i], .payload = 20), beyond_both_ways(QPW_REASON_NONE, "the same of ICMPv6");
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 129), beyond_both_ways(QPW_REASON_INFRA_SIZE, "ping of 129 bytes without DF");
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 1472, .first_fragment = true);
    beyond_both_ways(QPW_REASON_INFRA_FORM, "a ping in fragments");
    ICMP(AUDIT_NODE, "10.0.0.50", 0, .payload = 1472, .unsplit = true);
    beyond(AUDIT_TX, QPW_REASON_INFRA_SIZE, "a large answer to nothing");
    ICMP(CLIENT, AUDIT_NODE, 3, .code = 1, .payload = 549), beyond_both_ways(QPW_REASON_INFRA_SIZE, "a long error");
    ICMP(CLIENT6, AUDIT_NODE6, 1, .payload = 1233), beyond_both_ways(QPW_REASON_INFRA_SIZE, "a long error of IPv6");
    ICMP(CLIENT, AUDIT_NODE, 14, .payload = 129), beyond_both_ways(QPW_REASON_INFRA_SIZE, "a large timestamp");
    ICMP(AUDIT_NODE, CLIENT, 5, .payload = 28), beyond(AUDIT_TX, QPW_REASON_INFRA_FORM, "a redirect by a host");
    ICMP(CLIENT6, AUDIT_NODE6, 135, .hops = 64, .payload = 24), beyond_both_ways(QPW_REASON_INFRA_FORM, "ND from afar");
    ICMP(CLIENT6, AUDIT_NODE6, 136, .hops = 254, .payload = 24), beyond_both_ways(QPW_REASON_INFRA_FORM, "from one hop");
    ICMP(LINK6, AUDIT_NODE6, 135, .hops = 255, .payload = 400), beyond_both_ways(QPW_REASON_INFRA_SIZE, "ND with much in it");
    ICMP(AUDIT_NODE6, "ff02::1", 134, .hops = 255, .payload = 64);
    beyond(AUDIT_TX, QPW_REASON_INFRA_FORM, "a host that advertises itself as a router");
    ICMP(CLIENT6, AUDIT_NODE6, 143, .hops = 1, .payload = 60), beyond_both_ways(QPW_REASON_INFRA_FORM, "MLD to one");
    ICMP(CLIENT6, AUDIT_NODE6, 131, .hops = 1, .payload = 20), beyond_both_ways(QPW_REASON_INFRA_FORM, "MLDv1 to one");
    audit_close(&a);
}

Test(infra, the_rest_beyond_its_form)
{
    open_live("include on-prem\n");
    make_arp(3, BROADCAST, 0), beyond_both_ways(QPW_REASON_INFRA_FORM, "RARP's operation");
    make_arp(1, OWN_MAC, 23), beyond_both_ways(QPW_REASON_INFRA_FORM, "ARP with more than padding");
    make_arp(1, OWN_MAC, 1400), beyond_both_ways(QPW_REASON_INFRA_FORM, "ARP with a load");
    make_arp(1, OWN_MAC, 0), packet_cut(&p, 41), beyond_both_ways(QPW_REASON_INFRA_FORM, "ARP cut off");
    make_protocol(CLIENT, AUDIT_NODE, 2, 1000), beyond_both_ways(QPW_REASON_INFRA_FORM, "IGMP to one");
    make_protocol(AUDIT_NODE, CLIENT, 2, 1000), beyond(AUDIT_TX, QPW_REASON_INFRA_FORM, "IGMP to one, sent");
    make_frame(OWN_MAC, 0x8809, "\1\1\1", 110), beyond_both_ways(QPW_REASON_INFRA_FORM, "LACP to one");
    make_frame("01:80:c2:00:00:02", 0x8809, "\3\1\1", 110), beyond_both_ways(QPW_REASON_INFRA_FORM, "another slow protocol");
    make_frame("01:80:c2:00:00:02", 0x8809, "\1\1\1", 1000), beyond_both_ways(QPW_REASON_INFRA_FORM, "LACP with a load");
    make_frame("01:80:c2:00:00:10", 0x88cc, "\2\7\4", 100), beyond_both_ways(QPW_REASON_INFRA_FORM, "LLDP to another group");
    make_frame(OWN_MAC, 0x88cc, "\2\7\4", 100), beyond_both_ways(QPW_REASON_INFRA_FORM, "LLDP to one");
    make_frame("01:80:c2:00:00:0e", 0x88cc, "\0\0\0", 100), beyond_both_ways(QPW_REASON_INFRA_FORM, "LLDP of nothing");
    make_llc(OWN_MAC, 0x42, 40), beyond_both_ways(QPW_REASON_INFRA_FORM, "STP to one");
    make_llc("01:80:c2:00:00:00", 0x41, 40), beyond_both_ways(QPW_REASON_INFRA_FORM, "STP from another SAP");
    make_cdp(OWN_MAC), beyond_both_ways(QPW_REASON_INFRA_FORM, "CDP to one");
    make_cdp(BROADCAST), beyond_both_ways(QPW_REASON_INFRA_FORM, "CDP to all");
    make_udp(CLIENT, 67, AUDIT_NODE, 68, 300), beyond_both_ways(QPW_REASON_INFRA_FORM, "DHCP by nobody's server");
    make_udp(AUDIT_NODE, 68, "10.0.0.51", 67, 300), beyond(AUDIT_TX, QPW_REASON_INFRA_FORM, "DHCP with nobody's server");
    make_udp("10.0.0.52", 68, AUDIT_NODE, 67, 300), beyond_both_ways(QPW_REASON_INFRA_FORM, "the node as a server");
    make_udp(CLIENT6, 547, AUDIT_NODE6, 546, 100), beyond_both_ways(QPW_REASON_INFRA_FORM, "DHCPv6 by nobody's server");
    make_udp(AUDIT_NODE, 67, "255.255.255.255", 68, 300), beyond(AUDIT_TX, QPW_REASON_NONE, "the node offers leases");
    make_protocol(CLIENT, AUDIT_NODE, 112, 20), beyond_both_ways(QPW_REASON_NONE, "VRRP to one");
    audit_close(&a);
}

/* A group that is switched off checks no form, and a rule of the policy takes precedence. */
Test(infra, what_the_policy_says_comes_first)
{
    open_live("include on-prem\ninfra igmp unexpected\ninbound icmp 8,200 probes name=probes\n");
    make_protocol(CLIENT, "224.0.0.22", 2, 60), beyond_both_ways(QPW_REASON_NONE, "switched off");
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 3000);
    for (int i = 0; i < 100; i++)
        feed(AUDIT_XDP);
    ICMP(CLIENT, AUDIT_NODE, 200, .payload = 3000), feed(AUDIT_XDP);
    cr_expect_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED), .rule = "probes"), 101);
    audit_close(&a);
}

/* ---- Findings ---- */

/* Ordinary pings do not answer the other end's abnormal packets; abnormal packets of its own do. */
Test(infra, what_is_beyond_is_answered_where_both_ends_are_beyond)
{
    struct qpw_finding f;

    open_live("include on-prem\n");
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 56), feed(AUDIT_XDP);
    ICMP(AUDIT_NODE, CLIENT, 0, .payload = 56), feed(AUDIT_TX);
    ICMP(CLIENT, AUDIT_NODE, 13, .payload = 600), feed(AUDIT_XDP);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 1, 13, CLIENT, AUDIT_NODE}, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_ATTEMPTED);
    cr_expect_eq(f.reason, QPW_REASON_INFRA_SIZE);
    cr_expect_eq(f.rule, audit_rule_id(&a, "infra-icmp"));
    ICMP(AUDIT_NODE, CLIENT, 14, .payload = 600), feed(AUDIT_TX);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 1, 14, CLIENT, AUDIT_NODE}, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    ICMP(CLIENT, AUDIT_NODE, 13, .payload = 600), feed(AUDIT_XDP);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 1, 13, CLIENT, AUDIT_NODE}, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    ICMP(CLIENT, AUDIT_NODE, 200, .payload = 20), feed(AUDIT_XDP);
    ICMP("10.0.0.10", AUDIT_NODE, 8, .payload = 56), feed(AUDIT_XDP);
    ICMP(AUDIT_NODE, "10.0.0.10", 0, .payload = 56), feed(AUDIT_TX);
    ICMP("10.0.0.10", AUDIT_NODE, 200, .payload = 20), feed(AUDIT_XDP);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 1, 200, "10.0.0.10", AUDIT_NODE}, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_ATTEMPTED);
    ICMP(AUDIT_NODE, "10.0.0.10", 200, .payload = 20), feed(AUDIT_TX);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 1, 200, "10.0.0.10", AUDIT_NODE}, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    cr_expect_eq(infra(), 4);
    audit_close(&a);
}

Test(infra, large_echoes_are_on_record)
{
    struct qpw_finding f;

    open_live("include on-prem\n");
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 56, .unsplit = true), feed(AUDIT_XDP);
    cr_expect_eq(audit_entries(&a, QPW_MAP_findings) + audit_entries(&a, QPW_MAP_answered), 0);
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 3000, .unsplit = true), feed(AUDIT_XDP);
    ICMP(AUDIT_NODE, CLIENT, 0, .payload = 3000), feed(AUDIT_TX);
    ICMP(AUDIT_NODE6, CLIENT6, 128, .payload = 1300), feed(AUDIT_TX);
    cr_expect(audit_finding(&a, (struct audit_sought){QPW_VERDICT_INFRA, IN, 1, 8, CLIENT, AUDIT_NODE}, &f));
    cr_expect(audit_finding(&a, (struct audit_sought){QPW_VERDICT_INFRA, OUT, 58, 128, AUDIT_NODE6, CLIENT6}, &f));
    cr_expect_eq(audit_entries(&a, QPW_MAP_findings) + audit_entries(&a, QPW_MAP_answered), 2, "not their answers");
    cr_expect_eq(infra(), 4);
    audit_close(&a);
}

/* Two ends that exchange frames which are not valid ARP: an exchange. */
Test(infra, frames_beyond_both_ways)
{
    static const uint8_t node[16] = {[10] = 2, [15] = 2}, other[16] = {[10] = 2, [15] = 1};
    struct qpw_finding_key key = {.port = 0x0806, .kind = QPW_KIND_ETHERTYPE, .direction = QPW_DIR_NON_IP,
                                  .verdict = QPW_VERDICT_UNEXPECTED};
    struct qpw_finding f;

    open_live("include on-prem\n");
    make_arp(1, OWN_MAC, 1000), feed(AUDIT_XDP);
    memcpy(key.initiator, other, 16);
    memcpy(key.responder, node, 16);
    cr_assert(audit_finding_by(&a, &key, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_ATTEMPTED);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.source = OWN_MAC, .destination = "02:00:00:00:00:01"});
    packet_arp(&p, &(struct packet_arp){.operation = 2, .sender = AUDIT_NODE, .target = CLIENT});
    packet_bytes(&p, NULL, 1000);
    packet_finish(&p);
    feed(AUDIT_TX);
    cr_assert(audit_finding_by(&a, &key, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    cr_expect_eq(f.reason, QPW_REASON_INFRA_FORM);
    cr_expect_eq(f.rule, audit_rule_id(&a, "infra-arp"));
    audit_close(&a);
}

/* Except for another card: switches flood frames. */
Test(infra, frames_beyond_for_another_card_are_transit)
{
    open_live("include on-prem\n");
    make_arp(1, "02:00:00:00:00:03", 1000), feed(AUDIT_XDP);
    cr_expect_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_TRANSIT)), 1);
    cr_expect_eq(audit_entries(&a, QPW_MAP_findings), 0);
    audit_close(&a);
}

/* Echoes are answered for anybody, so forged addresses must not use the slots of services that answer. */
Test(infra, echoes_use_up_no_place_of_services)
{
    char from[32];

    open_live("include on-prem\n");
    for (unsigned i = 0; i < QPW_IMPLIED_SLOTS + 300; i++) {
        snprintf(from, sizeof(from), "10.1.%u.%u", i / 250, i % 250 + 1);
        ICMP(from, AUDIT_NODE, 8, .payload = 1400), feed(AUDIT_XDP);
        ICMP(AUDIT_NODE, from, 0, .payload = 1400), feed(AUDIT_TX);
    }
    cr_expect(audit_stat(&a, QPW_LOSS_COMPANION_QUOTA) > 0);
    cr_expect_eq(audit_stat(&a, QPW_LOSS_ANSWERED_QUOTA), 0);
    cr_expect_eq(audit_entries(&a, QPW_MAP_answered), QPW_IMPLIED_SLOTS);
    audit_close(&a);
}

/* ---- Rate ---- */

static void pass(uint64_t ns)
{
    a.kernel.control->replay_now_ns += ns;
}

/* Feed p that many times. Returns how many counted as infrastructure. */
static unsigned passed(enum audit_hook hook, unsigned times)
{
    uint64_t before = infra();

    for (unsigned i = 0; i < times; i++)
        feed(hook);
    return (unsigned)(infra() - before);
}

Test(infra, so_many_a_minute)
{
    open_at_will();
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 56);
    cr_expect_eq(passed(AUDIT_XDP, 100), 60, "in a burst");
    ICMP("10.0.0.10", AUDIT_NODE, 8, .payload = 56);
    cr_expect_eq(passed(AUDIT_TC, 100), 60, "each has its own");
    ICMP(AUDIT_NODE, CLIENT, 0, .payload = 56);
    cr_expect_eq(passed(AUDIT_TX, 100), 60, "each way");
    ICMP(LINK6, AUDIT_NODE6, 135, .hops = 255, .payload = 24);
    cr_expect_eq(passed(AUDIT_XDP, 100), 60, "each group");
    pass(60 * SECOND);
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 56);
    cr_expect_eq(passed(AUDIT_XDP, 100), 60, "a minute later");
    pass(10 * SECOND);
    cr_expect_eq(passed(AUDIT_XDP, 100), 10, "and as it comes back");
    audit_close(&a);
}

/* A monitor that pings once a second for a day, and occasionally something else. */
Test(infra, once_a_second_for_ever)
{
    open_at_will();
    for (int i = 0; i < 20000; i++) {
        ICMP(CLIENT, AUDIT_NODE, 8, .payload = 56), feed(AUDIT_XDP);
        if (i % 30 == 0)
            ICMP(CLIENT, AUDIT_NODE, 13, .payload = 12), feed(AUDIT_XDP);
        pass(SECOND);
    }
    cr_expect_eq(infra(), a.frames);
    cr_expect_eq(audit_entries(&a, QPW_MAP_findings) + audit_entries(&a, QPW_MAP_answered), 0);
    audit_close(&a);
}

Test(infra, so_many_bytes_a_minute)
{
    open_at_will();
    ICMP(CLIENT6, AUDIT_NODE6, 1, .payload = 1200); /* frames of 1262 bytes */
    cr_expect_eq(passed(AUDIT_XDP, 60), 65536 / 1262);
    cr_expect_eq(AUDIT_PACKETS(&a, .reason = AUDIT_IS(QPW_REASON_INFRA_RATE)), 60 - 65536 / 1262);
    audit_close(&a);
}

Test(infra, ten_large_echoes_a_second)
{
    open_at_will();
    for (int second = 0; second < 5; second++) {
        ICMP(CLIENT, AUDIT_NODE, 8, .payload = 8972, .unsplit = true);
        cr_expect_eq(passed(AUDIT_XDP, 30), 10);
        ICMP(AUDIT_NODE, CLIENT, 0, .payload = 3500);
        cr_expect_eq(passed(AUDIT_TX, 30), 10, "and their answers");
        pass(SECOND);
    }
    cr_expect_eq(AUDIT_PACKETS(&a, .reason = AUDIT_IS(QPW_REASON_INFRA_SIZE)), 5 * (20 + 20));
    audit_close(&a);
}

/*
 * Small echoes that no router may fragment may be frequent, like large ones, but are recorded; others exceed the limit.
 */
Test(infra, frequent_echoes)
{
    struct qpw_finding f;

    open_at_will();
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 56, .unsplit = true);
    cr_expect_eq(passed(AUDIT_XDP, 60), 60);
    cr_expect(!audit_finding(&a, (struct audit_sought){QPW_VERDICT_INFRA, IN, 1, 8, CLIENT, AUDIT_NODE}, &f));
    cr_expect_eq(passed(AUDIT_XDP, 30), 10);
    cr_expect(audit_finding(&a, (struct audit_sought){QPW_VERDICT_INFRA, IN, 1, 8, CLIENT, AUDIT_NODE}, &f));
    cr_expect(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 1, 8, CLIENT, AUDIT_NODE}, &f));
    cr_expect_eq(f.reason, QPW_REASON_INFRA_RATE);
    ICMP(AUDIT_NODE, CLIENT, 0, .payload = 56);
    cr_expect_eq(passed(AUDIT_TX, 100), 70);
    audit_close(&a);
}

/* Routers solicit for many, and advertise for all. */
Test(infra, groups_have_more)
{
    open_at_will();
    make_arp(1, BROADCAST, 0);
    cr_expect_eq(passed(AUDIT_XDP, 2000), 1200);
    make_arp(1, OWN_MAC, 0);
    cr_expect_eq(passed(AUDIT_XDP, 2000), 0, "it is one allowance");
    pass(60 * SECOND);
    cr_expect_eq(passed(AUDIT_XDP, 2000), 60);
    make_protocol(CLIENT, "224.0.0.18", 112, 20);
    cr_expect_eq(passed(AUDIT_XDP, 2000), 1200);
    audit_close(&a);
}

/* A router or container host answers for many addresses, each of which has an allowance of its own. */
Test(infra, each_neighbour_behind_one_card_has_its_own)
{
    char of[32];

    open_at_will();
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 1; i <= 200; i++) {
            snprintf(of, sizeof(of), "10.0.9.%u", i);
            packet_start(&p);
            packet_ethernet(&p, &(struct packet_ethernet){.destination = OWN_MAC});
            packet_arp(&p, &(struct packet_arp){.operation = 2, .sender = round ? AUDIT_NODE : of,
                                                .target = round ? of : AUDIT_NODE});
            packet_finish(&p);
            feed(round ? AUDIT_TX : AUDIT_XDP);
            feed(round ? AUDIT_TX : AUDIT_XDP);
        }
        cr_expect_eq(infra(), 400 * (round + 1), "%s", round ? "answered" : "asked");
    }
    make_arp(2, OWN_MAC, 0);
    cr_expect_eq(passed(AUDIT_XDP, 100), 60, "one of them alone");
    audit_close(&a);
}

/* An error about an exchange that is judged itself may come as often as the exchange causes it. */
Test(infra, errors_go_with_their_exchanges)
{
    open_at_will();
    packet_make_udp(&p, AUDIT_NODE, 5000, CLIENT, 514, 100);
    feed(AUDIT_TX);
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){0});
    packet_ipv4(&p, &(struct packet_ipv4){.source = CLIENT, .destination = AUDIT_NODE});
    packet_icmp(&p, &(struct packet_icmp){.type = 3, .code = 3});
    packet_ipv4(&p, &(struct packet_ipv4){.source = AUDIT_NODE, .destination = CLIENT});
    packet_udp(&p, &(struct packet_udp){.source = 5000, .destination = 514, .payload_bytes = 100});
    packet_finish(&p);
    cr_expect_eq(passed(AUDIT_XDP, 1500), 1200);
    pass(60 * SECOND);
    ICMP(CLIENT, AUDIT_NODE, 3, .code = 3, .payload = 28); /* quotes nothing */
    cr_expect_eq(passed(AUDIT_XDP, 1500), 60);
    audit_close(&a);
}

/* Forged addresses cannot use unlimited room: with too many of them, all of a prefix share one allowance. */
Test(infra, many_remotes_share_by_prefix)
{
    enum { PREFIXES = 100, HOSTS = 250 };
    char from[32];
    unsigned got;

    open_at_will();
    for (unsigned i = 0; i < PREFIXES * HOSTS; i++) {
        snprintf(from, sizeof(from), "10.1.%u.%u", i / HOSTS, i % HOSTS + 1);
        ICMP(from, AUDIT_NODE, 8, .payload = 56), feed(AUDIT_XDP);
    }
    got = (unsigned)infra();
    cr_expect(got > QPW_RATE_SETS && got <= QPW_RATE_SETS * QPW_RATE_WAYS + PREFIXES * 60, "%u", got);
    pass(60 * SECOND);
    ICMP("10.9.9.9", AUDIT_NODE, 8, .payload = 56);
    cr_expect_eq(passed(AUDIT_XDP, 100), 60, "a minute later there is room again");
    audit_close(&a);
}

Test(infra, a_clock_that_steps_back_leaves_no_debt)
{
    open_at_will();
    ICMP(CLIENT, AUDIT_NODE, 8, .payload = 56);
    cr_expect_eq(passed(AUDIT_XDP, 100), 60);
    a.kernel.control->replay_now_ns -= HOUR;
    cr_expect_eq(passed(AUDIT_XDP, 100), 60);
    audit_close(&a);
}

/* ---- DHCP ---- */

/* Make a server's answer with its identifier as third option; dots: of the named server. */
static void make_offer(const char *from, const char *to, const uint8_t named[4])
{
    uint8_t bootp[240 + 16] = {2, 1, 6, 0, [236] = 0x63, 0x82, 0x53, 0x63, 53, 1, 2, 0, 51, 1, 9, 54, 4};

    memcpy(bootp + 240 + 9, named, 4);
    bootp[240 + 13] = 255;
    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = strcmp(to, "255.255.255.255") ? NULL : BROADCAST});
    packet_ipv4(&p, &(struct packet_ipv4){.source = from, .destination = to});
    packet_udp(&p, &(struct packet_udp){.source = 67, .destination = 68});
    packet_bytes(&p, bootp, sizeof(bootp));
    packet_finish(&p);
}

static void renews(const char *server, bool known)
{
    make_udp(AUDIT_NODE, 68, server, 67, 300);
    if (known)
        fits(AUDIT_TX, "infra-dhcp", server);
    else
        beyond(AUDIT_TX, QPW_REASON_INFRA_FORM, server);
    make_udp(server, 67, AUDIT_NODE, 68, 300);
    if (known)
        fits(AUDIT_TC, "infra-dhcp", server);
    else
        beyond(AUDIT_TC, QPW_REASON_INFRA_FORM, server);
}

static void answers(enum audit_hook hook, const char *to)
{
    open_at_will();
    make_offer("10.0.0.60", to, (uint8_t[]){10, 0, 0, 61}); /* before any request */
    feed(hook);
    renews("10.0.0.60", false);
    make_udp("0.0.0.0", 68, "255.255.255.255", 67, 300), feed(AUDIT_TX);
    make_offer("10.0.0.70", to, (uint8_t[]){10, 0, 0, 71});
    feed(hook);
    pass(11 * SECOND); /* a server that has answered by then is accepted */
    renews("10.0.0.70", true);
    renews("10.0.0.71", true);
    renews("10.0.0.72", false);
    cr_expect_eq(audit_entries(&a, QPW_MAP_dhcp_servers), 2);
    audit_close(&a);
}

Test(infra, who_answers_the_nodes_question_is_its_server_at_xdp)
{
    answers(AUDIT_XDP, AUDIT_NODE);
}

Test(infra, who_answers_the_nodes_question_is_its_server_at_tc)
{
    answers(AUDIT_TC, "255.255.255.255");
}

Test(infra, dhcpv6)
{
    open_at_will();
    make_udp(AUDIT_NODE6, 546, "ff02::1:2", 547, 100), fits(AUDIT_TX, "infra-dhcp", "solicit");
    make_udp("fe80::5", 547, AUDIT_NODE6, 546, 100), feed(AUDIT_XDP);
    pass(200 * SECOND); /* another exchange */
    make_udp(AUDIT_NODE6, 546, "fe80::5", 547, 100), fits(AUDIT_TX, "infra-dhcp", "renewal");
    make_udp("fe80::5", 547, AUDIT_NODE6, 546, 100), fits(AUDIT_TC, "infra-dhcp", "reply of the known server");
    make_udp("fe80::6", 547, AUDIT_NODE6, 546, 100), beyond(AUDIT_TC, QPW_REASON_INFRA_FORM, "reply of another");
    cr_expect_eq(audit_entries(&a, QPW_MAP_dhcp_servers), 1);
    audit_close(&a);
}

/* The policy may name a server: its exchanges then match a rule, and its findings are superseded. */
Test(infra, the_policy_names_a_server)
{
    struct qpw_finding f;

    open_live("include on-prem\n");
    renews("10.0.0.60", false);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, OUT, 17, 67, AUDIT_NODE, "10.0.0.60"}, &f));
    cr_expect_eq(f.outcome, QPW_OUTCOME_DATA);
    audit_policy_text(&a, "include on-prem\noutbound udp 67 DHCP to=10.0.0.60\n");
    make_udp(AUDIT_NODE, 68, "10.0.0.60", 67, 300), feed(AUDIT_TX);
    cr_expect_eq(AUDIT_PACKETS(&a, .rule = "out-udp-67"), 1);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, OUT, 17, 67, AUDIT_NODE, "10.0.0.60"}, &f));
    cr_expect(f.flags & QPW_FINDING_SUPERSEDED);
    audit_close(&a);
}

/* ---- What remains possible: a tunnel, tried for an hour of the audit's clock ---- */

/* Return how many bytes after the Ethernet header pass unreported in an hour, with p sent that often a second. */
static uint64_t tunnelled(enum audit_hook hook, unsigned a_second, unsigned headers)
{
    uint64_t before = infra();

    for (unsigned second = 0; second < 3600; second++) {
        for (unsigned i = 0; i < a_second; i++)
            feed(hook);
        pass(SECOND);
    }
    return (infra() - before) * (p.length - headers);
}

/* As in qportwatch(7): the most that each group permits, with one remote end and one direction: 64 kB a minute. */
#define MOST (65536ull * 65)

Test(infra, what_a_tunnel_gets)
{
    static const struct {
        const char *what;
        uint64_t most;
    } groups[] = {{"echo", 4000 * 156ull}, {"errors", 4000 * 576ull}, {"errors of IPv6", MOST}, {"ND", 4000 * 168ull},
                  {"ARP", 4000 * 50ull}, {"IGMP", MOST}, {"LLDP", MOST}, {"LACP", MOST}, {"STP", MOST}, {"OSPF", MOST},
                  {"DHCP to all", MOST}};
    uint64_t got;

    open_at_will();
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
        switch (i) {
        case 0: ICMP(CLIENT, AUDIT_NODE, 8, .payload = 128); break;
        case 1: ICMP(CLIENT, AUDIT_NODE, 11, .payload = 548); break;
        case 2: ICMP(CLIENT6, AUDIT_NODE6, 1, .payload = 1232); break;
        case 3: ICMP(LINK6, AUDIT_NODE6, 136, .hops = 255, .payload = 120); break;
        case 4: make_arp(1, OWN_MAC, 22); break;
        case 5: make_protocol(CLIENT, "224.0.0.22", 2, 1400); break;
        case 6: make_frame("01:80:c2:00:00:0e", 0x88cc, "\2\7\4", 1400); break;
        case 7: make_frame("01:80:c2:00:00:02", 0x8809, "\1\1\1", 110); break;
        case 8: make_llc("01:80:c2:00:00:00", 0x42, 1000); break;
        case 9: make_protocol(CLIENT, "224.0.0.5", 89, 1400); break;
        default: make_udp("10.0.0.77", 68, "255.255.255.255", 67, 1400); break;
        }
        got = tunnelled(AUDIT_XDP, 5, 14);
        cr_expect(got > 0 && got <= groups[i].most, "%s: %llu bytes an hour", groups[i].what, (unsigned long long)got);
        cr_expect(AUDIT_PACKETS(&a, .reason = AUDIT_IS(QPW_REASON_INFRA_RATE)) > 0, "%s: and the rest is found",
                  groups[i].what);
    }
    audit_close(&a);
}

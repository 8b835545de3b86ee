/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Router advertisements and redirects are infrastructure, but also findings, one per sender; other ICMP is none. */
#include <criterion/criterion.h>

#include "audit.h"
#include "packet.h"

static void feed6(struct audit *a, const char *source, const char *destination, uint8_t type)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = "02:00:00:00:00:02"});
    packet_ipv6(&p, &(struct packet_ipv6){.source = source, .destination = destination, .hop_limit = 255});
    packet_icmp(&p, &(struct packet_icmp){.type = type, .payload_bytes = 16});
    packet_finish(&p);
    audit_feed(a, AUDIT_TC, &p);
}

static void feed4(struct audit *a, const char *source, uint8_t type)
{
    static struct packet p;

    packet_start(&p);
    packet_ethernet(&p, &(struct packet_ethernet){.destination = "02:00:00:00:00:02"});
    packet_ipv4(&p, &(struct packet_ipv4){.source = source, .destination = AUDIT_NODE});
    packet_icmp(&p, &(struct packet_icmp){.type = type, .payload_bytes = 16});
    packet_finish(&p);
    audit_feed(a, AUDIT_XDP, &p);
}

Test(router_news, advertisements_and_redirects_are_findings)
{
    struct qpw_finding finding;
    struct audit a;

    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL,
                 {.name = "infra-nd", .direction = QPW_DIR_INBOUND, .protocol = 58, .first = 133, .last = 137,
                  .verdict = QPW_VERDICT_INFRA},
                 {.name = "infra-icmp", .direction = QPW_DIR_INBOUND, .protocol = 1, .first = 1, .last = 18,
                  .verdict = QPW_VERDICT_INFRA});
    feed6(&a, "fe80::66", "ff02::1", 134);
    feed6(&a, "fe80::66", "ff02::1", 134);
    feed6(&a, "fe80::67", AUDIT_NODE6, 135);
    feed6(&a, "fe80::68", AUDIT_NODE6, 137);
    feed4(&a, "10.0.0.254", 5);
    feed4(&a, "10.0.0.253", 8);
    cr_expect_eq(audit_entries(&a, QPW_MAP_findings), 3);
    cr_assert(audit_finding(&a, (struct audit_sought){QPW_VERDICT_INFRA, QPW_DIR_INBOUND, 58, 134, "fe80::66", "ff02::1"}, &finding));
    cr_expect(finding.flags & QPW_FINDING_MULTICAST);
    cr_expect(audit_finding(&a, (struct audit_sought){QPW_VERDICT_INFRA, QPW_DIR_INBOUND, 58, 137, "fe80::68", AUDIT_NODE6}, &finding));
    cr_expect(audit_finding(&a, (struct audit_sought){QPW_VERDICT_INFRA, QPW_DIR_INBOUND, 1, 5, "10.0.0.254", AUDIT_NODE}, &finding));
    cr_expect_eq(AUDIT_PACKETS(&a, .verdict = AUDIT_IS(QPW_VERDICT_INFRA)), 6, "counted as before");
    audit_close(&a);
}

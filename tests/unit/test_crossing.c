/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Attempts of two hosts at each other: which of them may be the two halves of one exchange, and how that is reported.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "alerts.h"
#include "facts/severity.h"
#include "snapshot/crossing.h"

#define IN QPW_DIR_INBOUND
#define OUT QPW_DIR_OUTBOUND
#define NODE "10.0.0.1"
#define WITHIN (180 * SEC)

/* A finding of datagrams; times in seconds of the programs' clock. */
static struct qpw_finding_row datagrams(unsigned direction, const char *remote, unsigned port, unsigned outcome,
                                        uint64_t first, uint64_t last)
{
    struct qpw_finding_row row = finding(direction, direction == IN ? remote : NODE, direction == IN ? NODE : remote,
                                         port, outcome, (struct span){T0 + first * SEC, T0 + last * SEC});

    row.key.protocol = IPPROTO_UDP;
    row.value.first_ns = (first + 1000) * SEC;
    row.value.last_ns = (last + 1000) * SEC;
    finding_renumber(&row);
    return row;
}

static bool cross(struct qpw_finding_row a, struct qpw_finding_row b)
{
    struct qpw_finding_row rows[] = {a, b};

    cr_assert_eq(qpw_findings_cross(rows, 2, WITHIN), 0);
    cr_assert_eq(!rows[0].crossed.protocol, !rows[1].crossed.protocol, "both or none");
    return rows[0].crossed.protocol;
}

#define ATTEMPTED QPW_OUTCOME_ATTEMPTED

Test(crossing, within_the_time_out_of_the_same_hosts)
{
    struct qpw_finding_row asked = datagrams(IN, "10.0.0.9", 4444, ATTEMPTED, 0, 10);

    cr_expect(cross(asked, datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 12, 12)));
    cr_expect(cross(datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 5, 200), asked), "at the same time, in any order");
    cr_expect(cross(asked, datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 190, 190)));
    cr_expect(!cross(asked, datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 191, 300)), "later than the time-out");
    cr_expect(!cross(asked, datagrams(OUT, "10.0.0.8", 7777, ATTEMPTED, 12, 12)), "another host");
    cr_expect(!cross(asked, datagrams(IN, "10.0.0.9", 7777, ATTEMPTED, 12, 12)), "the same way");
    cr_expect(!cross(asked, datagrams(OUT, "10.0.0.9", 7777, QPW_OUTCOME_REFUSED, 12, 12)));
    cr_expect(!cross(asked, datagrams(OUT, "10.0.0.9", 7777, QPW_OUTCOME_DATA, 12, 12)), "answered by itself");
}

Test(crossing, what_is_no_half)
{
    struct qpw_finding_row asked = datagrams(IN, "10.0.0.9", 4444, ATTEMPTED, 0, 10), row;

    row = datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 12, 12);
    row.key.protocol = IPPROTO_TCP;
    cr_expect(!cross(asked, row), "a SYN carries nothing");
    row = datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 12, 12);
    row.value.flags |= QPW_FINDING_MULTICAST;
    cr_expect(!cross(asked, row));
    row = datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 12, 12);
    row.value.flags |= QPW_FINDING_SUPERSEDED;
    cr_expect(!cross(asked, row));
    row = datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 12, 12);
    row.key.protocol = IPPROTO_SCTP;
    row.key.verdict = QPW_VERDICT_IMPLIED;
    cr_expect(cross(asked, row), "another protocol, a companion of a listed port: halves all the same");
}

/* Of a scan only the attempt next in time matches, not all. */
Test(crossing, one_of_many)
{
    struct qpw_finding_row rows[51];
    size_t crossed = 0;

    for (unsigned i = 0; i < 50; i++)
        rows[i] = datagrams(IN, "10.0.0.9", 4000 + i, ATTEMPTED, i, i);
    rows[50] = datagrams(OUT, "10.0.0.9", 514, ATTEMPTED, 30, 30);
    cr_assert_eq(qpw_findings_cross(rows, 51, WITHIN), 0);
    for (unsigned i = 0; i < 50; i++)
        crossed += !!rows[i].crossed.protocol;
    cr_expect_eq(crossed, 1);
    cr_expect_eq(rows[30].crossed.port, 514);
    cr_expect_eq(rows[50].crossed.port, 4030);
    cr_expect_eq(rows[50].crossed.protocol, IPPROTO_UDP);
    cr_expect_eq(qpw_finding_severity(&rows[30]), QPW_SEVERITY_MEDIUM);
    cr_expect_eq(qpw_finding_severity(&rows[31]), QPW_SEVERITY_LOW);
}

/* First reported as attempted; once the other half is seen, reported again as possibly answered. */
Test(crossing, is_told_as_a_rise)
{
    struct sink sink = {0};
    struct qpw_engine *e = engine_for(&sink, NULL);
    struct qpw_finding_row rows[] = {datagrams(IN, "10.0.0.9", 4444, ATTEMPTED, 0, 10),
                                     datagrams(OUT, "10.0.0.9", 7777, ATTEMPTED, 12, 12)};

    qpw_engine_findings(e, rows, 2, T0 + 13 * SEC);
    cr_assert_str_eq(sink_words(&sink, 0), "inbound-attempted/first, outbound-attempted/first");
    cr_assert_eq(qpw_findings_cross(rows, 2, WITHIN), 0);
    qpw_engine_findings(e, rows, 2, T0 + 14 * SEC);
    cr_assert_str_eq(sink_words(&sink, 2), "crossed/escalation, crossed/escalation");
    cr_expect_not_null(strstr(sink.records[2].text, "sent to udp/7777 of"), "%s", sink.records[2].text);
    cr_expect_eq(sink.records[2].outcome, ATTEMPTED, "nothing is claimed that is not known");
    qpw_engine_findings(e, rows, 2, T0 + 15 * SEC);
    cr_assert_eq(sink.n, 4u, "told once");
    qpw_engine_free(e);
    sink_clear(&sink);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Slots of settled findings are freed, oldest first; every packet stays counted where it belongs. */
#include <criterion/criterion.h>
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "audit.h"
#include "auditor/presence.h"
#include "auditor/settle.h"
#include "bpf/tag.h"

#define CLIENT "10.0.0.9"
#define IN QPW_DIR_INBOUND
#define SYN PACKET_SYN
#define ACK PACKET_ACK

static struct audit a;
static bool answer_written;

static bool written(void *data, const struct qpw_finding_row *row)
{
    cr_assert(row->counts.rx_packets + row->counts.tx_packets > 0, "it is asked with what was counted");
    return answer_written;
}

static size_t run(uint64_t quiet_ns)
{
    struct qpw_settle settle = {.written = written, .quiet_ns = quiet_ns};
    struct qpw_error err = {""};
    size_t freed;

    cr_assert_eq(qpw_settle_run(&a.kernel, &settle, &freed, &err), 0, "%s", err.text);
    return freed;
}

static void answered(uint32_t first, uint32_t n, uint16_t port)
{
    char source[16];

    for (uint32_t i = first; i < first + n; i++) {
        snprintf(source, sizeof(source), "11.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
        audit_rx_tcp(&a, source, 5000, port, SEGMENT(SYN, 1000));
        audit_tx_tcp(&a, source, 5000, port, SEGMENT(SYN | ACK, 5000, 1001));
    }
}

static void open_of(const struct qpw_load_options *options)
{
    audit_open(&a, options);
    audit_window_over(&a);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = IN, .protocol = 6, .first = 445});
}

static void open_with_policy(void)
{
    open_of(NULL);
}

Test(settle, answered_places_are_not_used_up)
{
    struct qpw_finding f;
    struct qpw_counts before, after;

    open_with_policy();
    answer_written = true;
    audit_handshake_in(&a, CLIENT, 5000, 7777); /* the oldest of all, but it continues */
    answered(0, QPW_ANSWERED_SLOTS + 10, 7779);
    cr_assert_eq(audit_entries(&a, QPW_MAP_answered), QPW_ANSWERED_SLOTS);
    before = AUDIT_SUM(&a, .port = AUDIT_IS(7779));
    cr_assert_eq(run(UINT64_MAX / 4), 0, "nothing is over yet");
    answer_written = false;
    cr_assert_eq(run(0), 0, "nothing is written yet");
    answer_written = true;
    cr_assert_gt(run(0), 0);
    cr_assert_eq(audit_entries(&a, QPW_MAP_answered), QPW_ANSWERED_SLOTS / 2);
    audit_check(&a);
    after = AUDIT_SUM(&a, .port = AUDIT_IS(7779));
    cr_expect_eq(after.rx_packets, before.rx_packets);
    cr_expect_eq(after.tx_packets, before.tx_packets);
    cr_expect_eq(after.tx_bytes, before.tx_bytes);
    cr_expect_eq(after.connections, before.connections);
    cr_expect(audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 7777, CLIENT, AUDIT_NODE}, &f),
              "its connection lives");
    cr_expect(!audit_finding(&a, (struct audit_sought){QPW_VERDICT_UNEXPECTED, IN, 6, 7779, "11.0.0.1", AUDIT_NODE}, &f) ||
              f.outcome < QPW_OUTCOME_ANSWERED, "the oldest were freed");
    cr_expect_eq(audit_stat(&a, QPW_STAT_FREED(1)), QPW_ANSWERED_SLOTS / 2);

    /* The freed slots are used for others, starting at zero. */
    answered(100000, QPW_ANSWERED_SLOTS / 2, 7780);
    cr_expect_eq(audit_entries(&a, QPW_MAP_answered), QPW_ANSWERED_SLOTS);
    cr_expect_eq(AUDIT_SUM(&a, .port = AUDIT_IS(7780)).rx_packets, QPW_ANSWERED_SLOTS / 2);
    cr_expect_eq(AUDIT_SUM(&a, .port = AUDIT_IS(7779)).rx_packets, before.rx_packets);
    audit_close(&a);
}

/* Repeatedly, as with a flood of forged sources. */
Test(settle, again_and_again)
{
    open_with_policy();
    answer_written = true;
    for (uint32_t round = 0; round < 4; round++) {
        answered(round * 100000, QPW_ANSWERED_SLOTS, (uint16_t)(7700 + round));
        cr_assert_gt(run(0), 0, "round %u", round);
        audit_check(&a);
    }
    for (uint32_t round = 0; round < 4; round++)
        cr_expect_eq(AUDIT_SUM(&a, .port = AUDIT_IS(7700 + round)).rx_packets, QPW_ANSWERED_SLOTS, "round %u", round);
    audit_close(&a);
}

/* A quota that is not full is left alone. */
Test(settle, only_where_places_are_few)
{
    open_with_policy();
    answer_written = true;
    answered(0, QPW_ANSWERED_SLOTS / 2, 7779);
    cr_expect_eq(run(0), 0);
    cr_expect_eq(audit_entries(&a, QPW_MAP_corrections), 0);
    audit_close(&a);
}

/* ---- The presence filter ---- */

/* Return how many places have the bit in use set. */
static unsigned places_set(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < QPW_PRESENT_BYTES; i++)
        n += (unsigned)__builtin_popcount(a.kernel.incarnations->present[i] & a.kernel.incarnations->present_half);
    return n;
}

/* Check that the filter denies no entry of the table. Returns the number of entries. */
static unsigned none_is_denied(enum qpw_map map, uint32_t size, enum qpw_present table)
{
    char key[64], *previous = NULL;
    unsigned n = 0;

    for (; bpf_map_get_next_key(a.kernel.map_fd[map], previous, key) == 0; n++, previous = key) {
        uint32_t slot = qpw_present_slot(a.kernel.config.secret, key, size, table);

        cr_assert(a.kernel.incarnations->present[slot & (QPW_PRESENT_BYTES - 1)] & a.kernel.incarnations->present_half &
                  qpw_present_bits(slot));
    }
    return n;
}

static unsigned none_of_all_is_denied(void)
{
    return none_is_denied(QPW_MAP_findings, sizeof(struct qpw_finding_key), QPW_PRESENT_FINDING) +
           none_is_denied(QPW_MAP_answered, sizeof(struct qpw_finding_key), QPW_PRESENT_ANSWERED) +
           none_is_denied(QPW_MAP_meters, sizeof(struct qpw_meter_key), QPW_PRESENT_METER) +
           none_is_denied(QPW_MAP_details, sizeof(struct qpw_detail_key), QPW_PRESENT_DETAIL);
}

/* Filled by the programs and rebuilt by user space twice, so that each of the two bits has been in use. */
static void nothing_is_denied_that_is_there(const struct qpw_load_options *options)
{
    unsigned before, entries;

    open_of(options);
    answer_written = true;
    for (uint32_t round = 0; round < 3; round++) {
        answered(round * 100000, QPW_ANSWERED_SLOTS + 100, (uint16_t)(7700 + round));
        run(0);
    }
    for (uint32_t port = 10000; port < 30000; port++)
        audit_rx_tcp(&a, CLIENT, 900, (uint16_t)port, SEGMENT(SYN, 1));
    none_of_all_is_denied();
    before = places_set();
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(qpw_presence_renew(&a.kernel), 0);
        cr_expect_lt(places_set(), before, "what was freed is forgotten");
        entries = none_of_all_is_denied();
        audit_rx_tcp(&a, CLIENT, 901, 10000, SEGMENT(SYN, 1));
        answered(200000, 100, 7702);
        cr_expect_eq(none_of_all_is_denied(), entries, "all of them are known");
    }
    audit_check(&a);
    audit_close(&a);
}

Test(settle, the_presence_filter_denies_nothing_that_is_there)
{
    nothing_is_denied_that_is_there(NULL);
}

/* Where programs cannot set a bit, they set bytes. */
Test(settle, nor_does_it_where_programs_set_bytes)
{
    nothing_is_denied_that_is_there(&(struct qpw_load_options){.weakly_ordered = true});
}

/* Nothing is denied while entries are copied into the tables. */
Test(settle, a_filter_that_is_suspended_denies_nothing)
{
    open_with_policy();
    audit_rx_tcp(&a, CLIENT, 900, 7777, SEGMENT(SYN, 1));
    memset(a.kernel.incarnations->present, 0, sizeof(a.kernel.incarnations->present));
    qpw_presence_suspend(&a.kernel);
    audit_rx_tcp(&a, CLIENT, 901, 7777, SEGMENT(SYN, 1));
    cr_expect_eq(audit_entries(&a, QPW_MAP_findings), 1);
    cr_expect_eq(AUDIT_SUM(&a, .port = AUDIT_IS(7777)).connections, 2);
    cr_expect(qpw_presence_is_worn(&a.kernel));
    cr_expect_eq(qpw_presence_renew(&a.kernel), 0);
    cr_expect(!qpw_presence_is_worn(&a.kernel));
    none_of_all_is_denied();
    audit_close(&a);
}

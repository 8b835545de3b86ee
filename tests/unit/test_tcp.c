/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The effect of one more packet on a TCP connection, and that forged ones have none. */
#include <criterion/criterion.h>

#include "bpf/tcp.h"

#define NODE 1
#define REMOTE 0
#define SYN QPW_TCP_SYN
#define ACK QPW_TCP_ACK
#define FIN QPW_TCP_FIN
#define RST QPW_TCP_RST
#define INITIAL 1000u /* the initiator's initial sequence number */
#define ANSWER 5000u  /* the responder's */

/* A connection after its first packet, the initiator's SYN. */
static struct qpw_conn opened(int by_node)
{
    return (struct qpw_conn){.state = QPW_STATE_SYN, .isn = INITIAL, .evidence = QPW_EVIDENCE_HANDSHAKE,
                             .direction = by_node ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND,
                             .outcome = QPW_OUTCOME_ATTEMPTED,
                             .conn_class = by_node ? QPW_CLASS_OUT : QPW_CLASS_HALF};
}

static struct qpw_conn midstream(unsigned direction, unsigned evidence)
{
    return (struct qpw_conn){.state = QPW_STATE_MIDSTREAM, .direction = (__u8)direction, .evidence = (__u8)evidence,
                             .outcome = QPW_OUTCOME_ATTEMPTED};
}

static unsigned step(struct qpw_conn *c, int from, unsigned flags, __u32 seq, __u32 ack, __u32 payload)
{
    struct qpw_pkt p = {.protocol = 6, .tcp_flags = (__u8)flags, .seq = seq, .ack = ack, .payload = payload};

    return qpw_tcp_step(c, &p, from, 0);
}

static unsigned datagram(struct qpw_conn *c, int from)
{
    struct qpw_pkt p = {.protocol = QPW_IPPROTO_UDP};

    return qpw_datagram_step(c, &p, from);
}

static struct qpw_conn established(int by_node)
{
    struct qpw_conn c = opened(by_node);

    step(&c, !by_node, SYN | ACK, ANSWER, INITIAL + 1, 0);
    step(&c, by_node, ACK, INITIAL + 1, ANSWER + 1, 0);
    cr_assert_eq(c.state, QPW_STATE_ESTABLISHED);
    return c;
}

/* Everything in a connection except the marks of a tentative SYN is unchanged. */
static void assert_unturned(const struct qpw_conn *c, const struct qpw_conn *before)
{
    cr_assert_eq(c->state, before->state);
    cr_assert_eq(c->direction, before->direction);
    cr_assert_eq(c->evidence, before->evidence);
    cr_assert_eq(c->outcome, before->outcome);
    cr_assert_eq(c->isn, before->isn);
    cr_assert_eq(c->synack_seq, before->synack_seq);
}

Test(tcp, handshake_from_either_end)
{
    for (int node = 0; node < 2; node++) {
        struct qpw_conn c = opened(node);

        cr_assert_eq(step(&c, !node, SYN | ACK, ANSWER, INITIAL + 1, 0), QPW_DO_CHANGED | QPW_DO_ROSE);
        cr_assert_eq(c.state, QPW_STATE_SYN_ACK);
        cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED);
        cr_assert_eq(step(&c, node, ACK, INITIAL + 1, ANSWER + 1, 0), QPW_DO_CHANGED | QPW_DO_ESTABLISH);
        cr_assert_eq(c.state, QPW_STATE_ESTABLISHED);
        cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED, "an empty handshake carried no data");
        cr_assert_eq(step(&c, node, ACK, INITIAL + 1, ANSWER + 1, 5), QPW_DO_CHANGED | QPW_DO_ROSE);
        cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);
        cr_assert_eq(step(&c, node, ACK, INITIAL + 6, ANSWER + 1, 5), QPW_DO_NOTHING);
        cr_assert_eq(c.direction, node ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND);
    }
}

Test(tcp, data_with_the_last_acknowledgement)
{
    struct qpw_conn c = opened(REMOTE);

    step(&c, NODE, SYN | ACK, ANSWER, INITIAL + 1, 0);
    cr_assert(step(&c, REMOTE, ACK, INITIAL + 1, ANSWER + 1, 10) & QPW_DO_ESTABLISH);
    cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);
}

Test(tcp, a_wrong_acknowledgement_does_not_establish)
{
    struct qpw_conn c = opened(REMOTE);

    step(&c, NODE, SYN | ACK, ANSWER, INITIAL + 1, 0);
    for (__u32 wrong = ANSWER; wrong < ANSWER + 4; wrong += 2)
        cr_assert_eq(step(&c, REMOTE, ACK, INITIAL + 1, wrong, 100), QPW_DO_NOTHING);
    cr_assert_eq(step(&c, REMOTE, 0, INITIAL + 1, ANSWER + 1, 100), QPW_DO_NOTHING, "no ACK flag");
    cr_assert_eq(c.state, QPW_STATE_SYN_ACK);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED);
}

Test(tcp, sequence_numbers_wrap)
{
    struct qpw_conn c = opened(REMOTE);

    c.isn = 0xffffffff;
    step(&c, NODE, SYN | ACK, 0xffffffff, 0, 0);
    cr_assert_eq(c.state, QPW_STATE_SYN_ACK);
    step(&c, REMOTE, ACK, 0, 0, 0);
    cr_assert_eq(c.state, QPW_STATE_ESTABLISHED);
}

Test(tcp, retransmissions_change_nothing)
{
    struct qpw_conn c = opened(REMOTE), before;

    cr_assert_eq(step(&c, REMOTE, SYN, INITIAL, 0, 0), QPW_DO_NOTHING);
    step(&c, NODE, SYN | ACK, ANSWER, INITIAL + 1, 0);
    before = c;
    cr_assert_eq(step(&c, REMOTE, SYN, INITIAL, 0, 0), QPW_DO_NOTHING);
    cr_assert_eq(step(&c, NODE, SYN | ACK, ANSWER, INITIAL + 1, 0), QPW_DO_NOTHING);
    assert_unturned(&c, &before);

    /* Late duplicates of both after the handshake must not open a new connection. */
    c = established(REMOTE);
    before = c;
    cr_assert_eq(step(&c, REMOTE, SYN, INITIAL, 0, 0), QPW_DO_NOTHING);
    cr_assert_eq(step(&c, NODE, SYN | ACK, ANSWER, INITIAL + 1, 0), QPW_DO_NOTHING);
    assert_unturned(&c, &before);
}

Test(tcp, the_initiator_may_try_anew_with_another_number)
{
    for (int node = 0; node < 2; node++) {
        struct qpw_conn c = opened(node);

        cr_assert_eq(step(&c, node, SYN, 7777, 0, 0), QPW_DO_CHANGED_SYN);
        cr_assert(step(&c, !node, SYN | ACK, ANSWER, 7778, 0) & QPW_DO_ROSE);
        cr_assert(step(&c, node, ACK, 7778, ANSWER + 1, 0) & QPW_DO_ESTABLISH);
    }
}

/* Two SYNs in short succession precede the node's answer to the first one: the port is still reported as open. */
Test(tcp, the_node_answers_whichever_syn_it_likes)
{
    struct qpw_conn c = opened(REMOTE), out = opened(NODE);

    step(&c, REMOTE, SYN, 7777, 0, 0);
    cr_assert(step(&c, NODE, SYN | ACK, ANSWER, INITIAL + 1, 0) & QPW_DO_ROSE);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED);
    cr_assert_eq(c.isn, INITIAL);
    cr_assert(step(&c, REMOTE, ACK, INITIAL + 1, ANSWER + 1, 0) & QPW_DO_ESTABLISH);
    /* From the network only the answer to the node's last SYN counts: anybody can send another. */
    step(&out, NODE, SYN, 7777, 0, 0);
    cr_assert_eq(step(&out, REMOTE, SYN | ACK, ANSWER, INITIAL + 1, 0), QPW_DO_NOTHING);
    cr_assert_eq(out.outcome, QPW_OUTCOME_ATTEMPTED);
}

Test(tcp, lost_syn_ack_is_made_up_for_by_the_responders_data)
{
    for (int node = 0; node < 2; node++) {
        struct qpw_conn c = opened(node);

        cr_assert_eq(step(&c, node, ACK, INITIAL + 1, ANSWER + 1, 10), QPW_DO_LOOK, "anybody can send that");
        cr_assert(step(&c, !node, ACK, ANSWER + 1, INITIAL + 11, 0) & QPW_DO_ROSE);
        cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED);
        cr_assert(step(&c, !node, ACK, ANSWER + 1, INITIAL + 11, 20) & QPW_DO_ESTABLISH);
        cr_assert_eq(c.state, QPW_STATE_ESTABLISHED);
        cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);
        cr_assert_eq(c.direction, node ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND);
    }
}

/* The responder's packets take another interface: an acknowledgement of these proves nothing, but prompts a lookup. */
Test(tcp, an_acknowledgement_of_what_was_not_seen)
{
    struct qpw_pkt p = {.protocol = 6, .tcp_flags = ACK, .seq = INITIAL + 1, .ack = ANSWER + 1};

    for (int node = 0; node < 2; node++) {
        struct qpw_conn c = opened(node);

        cr_assert_eq(step(&c, node, ACK, INITIAL + 1, ANSWER + 1, 0), QPW_DO_LOOK);
        cr_assert_eq(step(&c, node, ACK | FIN, INITIAL + 1, ANSWER + 1, 5), QPW_DO_LOOK);
        cr_assert_eq(c.state, QPW_STATE_SYN);
        cr_assert_eq(c.outcome, QPW_OUTCOME_ATTEMPTED);
        cr_assert_eq(step(&c, node, RST | ACK, INITIAL + 1, ANSWER + 1, 0) & QPW_DO_LOOK, 0, "a reset ends it");
        c = opened(node);
        step(&c, !node, SYN | ACK, ANSWER, INITIAL + 1, 0);
        cr_assert_eq(step(&c, node, ACK, INITIAL + 1, ANSWER + 9, 0), QPW_DO_NOTHING, "the answer was seen");

        c = opened(node); /* the socket table confirms it: first SYN+ACK sent, then established */
        cr_assert_eq(qpw_tcp_answered_unseen(&c, &p, node, 0), QPW_DO_CHANGED | QPW_DO_ROSE);
        cr_assert_eq(c.state, QPW_STATE_SYN);
        cr_assert_eq(qpw_tcp_answered_unseen(&c, &p, node, 1), QPW_DO_CHANGED | QPW_DO_ESTABLISH);
        cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED);
        cr_assert_eq(c.state, QPW_STATE_ESTABLISHED);
        cr_assert_eq(c.synack_seq, ANSWER);
        cr_assert_eq(c.end[!node], QPW_END_UNSEEN);
        cr_assert_eq(step(&c, node, ACK, INITIAL + 1, ANSWER + 1, 5), QPW_DO_CHANGED | QPW_DO_ROSE);
        cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);
        step(&c, !node, ACK, ANSWER + 1, INITIAL + 6, 5);
        cr_assert_eq(c.end[!node], QPW_END_PAYLOAD, "by now it is seen");
    }
}

Test(tcp, lost_last_acknowledgement_is_made_up_for_by_the_responders_data)
{
    struct qpw_conn c = opened(REMOTE);

    step(&c, NODE, SYN | ACK, ANSWER, INITIAL + 1, 0);
    cr_assert(step(&c, NODE, ACK, ANSWER + 1, INITIAL + 1, 20) & QPW_DO_ESTABLISH);
    cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);
}

Test(tcp, crossing_syns_are_one_connection_of_the_first)
{
    for (int node = 0; node < 2; node++) {
        struct qpw_conn c = opened(node);

        cr_assert_eq(step(&c, !node, SYN, ANSWER, 0, 0), QPW_DO_NOTHING);
        cr_assert_eq(step(&c, node, SYN | ACK, INITIAL, ANSWER + 1, 0), QPW_DO_NOTHING);
        cr_assert(step(&c, !node, SYN | ACK, ANSWER, INITIAL + 1, 0) & QPW_DO_ROSE);
        cr_assert(step(&c, node, ACK, INITIAL + 1, ANSWER + 1, 3) & QPW_DO_ESTABLISH);
        cr_assert_eq(c.direction, node ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND);
    }
    /* The same with the SYN+ACKs in the opposite order. */
    struct qpw_conn c = opened(NODE);

    step(&c, REMOTE, SYN, ANSWER, 0, 0);
    step(&c, REMOTE, SYN | ACK, ANSWER, INITIAL + 1, 0);
    cr_assert_eq(step(&c, NODE, SYN | ACK, INITIAL, ANSWER + 1, 0), QPW_DO_NOTHING);
    cr_assert_eq(c.direction, QPW_DIR_OUTBOUND);
    cr_assert_eq(c.state, QPW_STATE_SYN_ACK);
}

Test(tcp, a_syn_on_a_live_connection_waits_for_its_confirmation)
{
    for (int node = 0; node < 2; node++) {
        struct qpw_conn c = established(node), before = c;

        cr_assert_eq(step(&c, !node, SYN, 90000, 0, 0), QPW_DO_NOTHING);
        assert_unturned(&c, &before);
        /* A live end answers with an acknowledgement of its own, and both continue. */
        cr_assert_eq(step(&c, node, ACK, INITIAL + 1, ANSWER + 1, 0), QPW_DO_NOTHING);
        cr_assert_eq(step(&c, node, SYN | ACK, 70000, 90002, 0), QPW_DO_NOTHING, "acknowledges something else");
        assert_unturned(&c, &before);
        cr_assert_eq(step(&c, node, SYN | ACK, 70000, 90001, 0), QPW_DO_RESTART_ANSWERED);
    }
}

Test(tcp, a_forged_syn_ack_confirms_nothing)
{
    struct qpw_conn c = established(REMOTE), before = c;

    cr_assert_eq(step(&c, REMOTE, SYN | ACK, 1, 2, 0), QPW_DO_NOTHING);
    cr_assert_eq(step(&c, REMOTE, SYN, 90000, 0, 0), QPW_DO_NOTHING);
    cr_assert_eq(step(&c, REMOTE, SYN | ACK, 1, 90001, 0), QPW_DO_NOTHING, "the sender cannot confirm its own SYN");
    assert_unturned(&c, &before);
}

Test(tcp, a_syn_after_the_end_opens_anew)
{
    struct qpw_conn c = established(REMOTE);

    step(&c, REMOTE, FIN | ACK, INITIAL + 1, ANSWER + 1, 0);
    cr_assert_eq(step(&c, REMOTE, SYN, 90000, 0, 0), QPW_DO_NOTHING, "half-closed is live");
    cr_assert(step(&c, NODE, FIN | ACK, ANSWER + 1, INITIAL + 2, 0) & QPW_DO_CLOSE);
    cr_assert_eq(c.state, QPW_STATE_CLOSED);
    cr_assert_eq(step(&c, REMOTE, ACK, INITIAL + 2, ANSWER + 2, 0), QPW_DO_NOTHING, "the tail belongs to it");
    cr_assert_eq(step(&c, NODE, SYN, 90000, 0, 0), QPW_DO_RESTART);
    cr_assert_eq(step(&c, REMOTE, SYN, 90000, 0, 0), QPW_DO_RESTART);
    cr_assert_eq(step(&c, NODE, SYN | ACK, 1, 2, 0), QPW_DO_RESTART_ANSWERED);
    cr_assert_eq(step(&c, REMOTE, SYN | ACK, 1, 2, 0), QPW_DO_NOTHING, "unsolicited");
}

Test(tcp, fins_in_any_order)
{
    for (int first = 0; first < 2; first++) {
        struct qpw_conn c = established(NODE);

        cr_assert_eq(step(&c, first, FIN | ACK, 0, 0, 0), QPW_DO_NOTHING);
        cr_assert_eq(step(&c, first, FIN | ACK, 0, 0, 0), QPW_DO_NOTHING, "retransmitted");
        cr_assert(step(&c, !first, ACK, 0, 0, 50) & QPW_DO_ROSE, "the other half goes on");
        cr_assert_eq(c.state, QPW_STATE_ESTABLISHED);
        cr_assert_eq(step(&c, !first, FIN | ACK, 0, 0, 10), QPW_DO_CLOSE | QPW_DO_CHANGED);
        cr_assert_eq(step(&c, first, FIN | ACK, 0, 0, 0), QPW_DO_NOTHING);
        cr_assert_eq(c.state, QPW_STATE_CLOSED);
    }
}

/* Two CPUs that have a FIN each at the same moment, each without the other's: the acknowledgement closes. */
Test(tcp, what_both_ends_finished_unseen_is_closed_by_the_next)
{
    struct qpw_conn c = established(REMOTE);

    c.end[0] |= QPW_END_FIN;
    c.end[1] |= QPW_END_FIN;
    cr_assert_eq(step(&c, NODE, ACK, ANSWER + 2, INITIAL + 2, 0), QPW_DO_CLOSE | QPW_DO_CHANGED);
    cr_assert_eq(c.state, QPW_STATE_CLOSED);
    cr_assert_eq(step(&c, REMOTE, ACK, INITIAL + 2, ANSWER + 2, 0), QPW_DO_NOTHING);
}

Test(tcp, a_rst_refuses_only_what_was_attempted)
{
    struct qpw_conn c = opened(REMOTE);

    cr_assert_eq(step(&c, NODE, RST | ACK, 0, INITIAL + 1, 0), QPW_DO_ROSE | QPW_DO_CHANGED | QPW_DO_CLOSE);
    cr_assert_eq(c.outcome, QPW_OUTCOME_REFUSED);
    c = opened(REMOTE);
    step(&c, REMOTE, RST, INITIAL + 1, 0, 0);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ATTEMPTED, "its own opener gave up");
    c = opened(REMOTE);
    step(&c, NODE, SYN | ACK, ANSWER, INITIAL + 1, 0);
    step(&c, REMOTE, RST, INITIAL + 1, 0, 0);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED, "a half-open scan was answered all the same");
    c = established(NODE);
    step(&c, REMOTE, RST, 0, 0, 0);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED);
    cr_assert_eq(c.state, QPW_STATE_CLOSED);
}

Test(tcp, a_forged_rst_is_undone_when_the_node_goes_on)
{
    for (int node = 0; node < 2; node++) {
        struct qpw_conn c = established(node), before = c;

        cr_assert(step(&c, REMOTE, RST, 1, 1, 0) & QPW_DO_CLOSE);
        cr_assert_eq(step(&c, REMOTE, ACK, 1, 1, 40), QPW_DO_NOTHING, "the network's word is not enough");
        cr_assert_eq(c.state, QPW_STATE_CLOSED);
        cr_assert(step(&c, NODE, ACK, 1, 1, 0) & QPW_DO_ESTABLISH);
        assert_unturned(&c, &before);
    }
}

Test(tcp, a_forged_rst_and_syn_do_not_turn_a_connection)
{
    struct qpw_conn c = established(NODE), before = c;

    step(&c, REMOTE, RST, 1, 1, 0);
    cr_assert_eq(step(&c, REMOTE, SYN, 90000, 0, 0), QPW_DO_NOTHING);
    cr_assert(step(&c, NODE, ACK, 1, 1, 0) & QPW_DO_ESTABLISH);
    assert_unturned(&c, &before);

    /* If the reset was genuine, the node answers the new SYN. */
    c = established(REMOTE);
    step(&c, REMOTE, RST, 1, 1, 0);
    step(&c, REMOTE, SYN, 90000, 0, 0);
    cr_assert_eq(step(&c, NODE, SYN | ACK, 70000, 90001, 0), QPW_DO_RESTART_ANSWERED);
    /* A connection that was never answered is replaced at once: a new SYN is a new attempt. */
    c = opened(REMOTE);
    step(&c, REMOTE, RST, 1, 1, 0);
    cr_assert_eq(step(&c, REMOTE, SYN, 90000, 0, 0), QPW_DO_RESTART);
}

Test(tcp, midstream_takes_the_handshake_as_better_evidence)
{
    struct qpw_conn c = midstream(QPW_DIR_UNKNOWN, QPW_EVIDENCE_NONE);

    cr_assert_eq(step(&c, NODE, SYN, 1, 0, 0), QPW_DO_RESTART);
    cr_assert_eq(step(&c, REMOTE, SYN, 1, 0, 0), QPW_DO_RESTART);
    cr_assert_eq(step(&c, NODE, SYN | ACK, 1, 2, 0), QPW_DO_RESTART_ANSWERED);
    cr_assert_eq(step(&c, REMOTE, SYN | ACK, 1, 2, 0), QPW_DO_NOTHING);
}

Test(tcp, midstream_that_the_node_speaks_on_is_live)
{
    unsigned directions[] = {QPW_DIR_UNKNOWN, QPW_DIR_INBOUND, QPW_DIR_OUTBOUND};

    for (int i = 0; i < 3; i++) {
        struct qpw_conn c = midstream(directions[i], i ? QPW_EVIDENCE_INFERRED : QPW_EVIDENCE_NONE), before;

        step(&c, NODE, ACK, 1, 1, 0);
        before = c;
        cr_assert_eq(step(&c, REMOTE, SYN, 90000, 0, 0), QPW_DO_NOTHING);
        assert_unturned(&c, &before);
        cr_assert_eq(step(&c, NODE, SYN | ACK, 1, 90001, 0), QPW_DO_RESTART_ANSWERED);
    }
}

Test(tcp, midstream_outcomes)
{
    struct qpw_conn c = midstream(QPW_DIR_UNKNOWN, QPW_EVIDENCE_NONE);

    step(&c, REMOTE, ACK, 1, 1, 100);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ATTEMPTED, "anybody can send that");
    step(&c, NODE, ACK, 1, 1, 0);
    step(&c, REMOTE, ACK, 1, 1, 100);
    cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);

    c = midstream(QPW_DIR_INBOUND, QPW_EVIDENCE_SOCKET);
    step(&c, REMOTE, ACK, 1, 1, 0);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ATTEMPTED);
    cr_assert(step(&c, NODE, ACK, 1, 1, 0) & QPW_DO_CHANGED);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ANSWERED);
    step(&c, REMOTE, ACK, 1, 1, 1);
    cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);
    step(&c, NODE, RST, 1, 1, 0);
    cr_assert_eq(c.outcome, QPW_OUTCOME_DATA, "an outcome only rises");
    cr_assert_eq(c.state, QPW_STATE_CLOSED);
}

Test(tcp, in_a_replay_a_syn_ack_from_anywhere_counts)
{
    struct qpw_conn c = midstream(QPW_DIR_UNKNOWN, QPW_EVIDENCE_NONE);
    struct qpw_pkt p = {.protocol = 6, .tcp_flags = SYN | ACK, .seq = 1, .ack = 2};

    cr_assert_eq(qpw_tcp_step(&c, &p, REMOTE, 1), QPW_DO_RESTART_ANSWERED);
    c = established(NODE);
    cr_assert_eq(qpw_tcp_step(&c, &p, REMOTE, 1), QPW_DO_NOTHING);
}

Test(tcp, odd_flags_never_turn_or_crash)
{
    /* Every combination of flags, from either end, on every state: direction and evidence stay; outcomes only rise. */
    for (unsigned flags = 0; flags < 256; flags++)
        for (int from = 0; from < 2; from++)
            for (int node = 0; node < 2; node++)
                for (int stage = 0; stage < 3; stage++) {
                    struct qpw_conn c = stage == 2 ? established(node) : opened(node), before;

                    if (stage == 1)
                        step(&c, !node, SYN | ACK, ANSWER, INITIAL + 1, 0);
                    before = c;
                    step(&c, from, flags, 3, 4, flags & 1 ? 0 : 9);
                    cr_assert_eq(c.direction, before.direction);
                    cr_assert_eq(c.evidence, before.evidence);
                    cr_assert_geq(c.outcome, before.outcome);
                }
}

Test(datagram, both_ways_is_data)
{
    struct qpw_conn c = {.state = QPW_STATE_DATAGRAM, .outcome = QPW_OUTCOME_ATTEMPTED,
                         .direction = QPW_DIR_INBOUND, .evidence = QPW_EVIDENCE_FIRST};

    cr_assert_eq(datagram(&c, REMOTE), QPW_DO_NOTHING);
    cr_assert_eq(datagram(&c, REMOTE), QPW_DO_NOTHING);
    cr_assert_eq(c.outcome, QPW_OUTCOME_ATTEMPTED);
    cr_assert_eq(datagram(&c, NODE), QPW_DO_ROSE | QPW_DO_CHANGED | QPW_DO_ESTABLISH);
    cr_assert_eq(c.outcome, QPW_OUTCOME_DATA);
    cr_assert_eq(datagram(&c, NODE), QPW_DO_NOTHING);
    cr_assert_eq(datagram(&c, REMOTE), QPW_DO_NOTHING);
}

/* ---- Payload counts, whatever the flags ---- */

Test(tcp, payload_before_and_behind_a_handshake)
{
    static const struct {
        int by_node;
        unsigned first, second; /* flags of the initiator's and of the responder's segment, both with payload */
    } ways[] = {{0, SYN, RST | ACK}, {0, SYN, RST}, {1, SYN, RST | ACK}, {0, SYN, SYN | ACK}, {1, SYN, SYN | ACK}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        struct qpw_conn c = opened(ways[i].by_node);

        step(&c, ways[i].by_node, ways[i].first, INITIAL, 0, 20);
        step(&c, !ways[i].by_node, ways[i].second, ANSWER, INITIAL + 1, 20);
        cr_expect_eq(c.outcome, QPW_OUTCOME_DATA, "way %zu", i);
    }
    /* From one end alone it counts by its flags. */
    struct qpw_conn c = opened(0);

    step(&c, REMOTE, SYN, INITIAL, 0, 20);
    step(&c, NODE, RST | ACK, 0, INITIAL + 1, 0);
    cr_expect_eq(c.outcome, QPW_OUTCOME_REFUSED);
    step(&c, REMOTE, ACK, INITIAL + 1, 1, 20);
    step(&c, NODE, RST, 0, 0, 0);
    cr_expect_eq(c.outcome, QPW_OUTCOME_REFUSED);
    step(&c, NODE, RST, 0, 0, 4);
    cr_expect_eq(c.outcome, QPW_OUTCOME_DATA, "the node's refusals carry something");
}

Test(tcp, payload_without_a_handshake)
{
    static const struct {
        unsigned in, in_payload, out, out_payload, outcome;
    } ways[] = {
        {RST, 9, RST, 9, QPW_OUTCOME_DATA},
        {FIN | ACK, 9, FIN | ACK, 9, QPW_OUTCOME_DATA},
        {FIN | ACK, 9, RST, 9, QPW_OUTCOME_DATA},
        {SYN | ACK, 0, RST, 9, QPW_OUTCOME_DATA},
        {ACK, 9, ACK, 0, QPW_OUTCOME_DATA},
        {ACK, 0, ACK, 9, QPW_OUTCOME_DATA},
        {FIN | ACK, 9, ACK, 0, QPW_OUTCOME_DATA},
        {0, 9, 0, 9, QPW_OUTCOME_DATA},
        /* What a host answers on its own to unknown segments, and segments that prove nothing. */
        {SYN | ACK, 0, RST, 0, QPW_OUTCOME_ATTEMPTED},
        {SYN | ACK, 9, RST, 0, QPW_OUTCOME_ATTEMPTED},
        {ACK, 9, RST, 0, QPW_OUTCOME_ATTEMPTED},
        {FIN | ACK, 0, ACK, 0, QPW_OUTCOME_ATTEMPTED},
        {RST, 0, ACK, 9, QPW_OUTCOME_ATTEMPTED},
    };

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        for (int turn = 0; turn < 2; turn++) {
            struct qpw_conn c = midstream(QPW_DIR_UNKNOWN, QPW_EVIDENCE_NONE);

            for (int k = 0; k < 2; k++) {
                if (k == turn)
                    step(&c, REMOTE, ways[i].in, 5, 5, ways[i].in_payload);
                else
                    step(&c, NODE, ways[i].out, 5, 5, ways[i].out_payload);
            }
            cr_expect_eq(c.outcome, ways[i].outcome, "way %zu, turn %d: %u", i, turn, c.outcome);
        }
}

/* A one-byte probe tests whether the other end is there; only bytes beyond it are data. */
Test(tcp, keep_alives_are_no_data)
{
    for (int by_node = 0; by_node < 2; by_node++) {
        struct qpw_conn c = established(by_node);

        step(&c, by_node, ACK, INITIAL, ANSWER + 1, 1);
        step(&c, !by_node, ACK, ANSWER + 1, INITIAL + 1, 0);
        step(&c, !by_node, ACK, ANSWER, INITIAL + 1, 1);
        cr_expect_eq(c.outcome, QPW_OUTCOME_ANSWERED);
        struct qpw_conn pushed = c, next = c, longer = c;

        step(&pushed, by_node, ACK | 8, INITIAL, ANSWER + 1, 1);
        cr_expect_eq(pushed.outcome, QPW_OUTCOME_DATA, "no probe pushes");
        step(&next, by_node, ACK, INITIAL + 1, ANSWER + 1, 1);
        cr_expect_eq(next.outcome, QPW_OUTCOME_DATA);
        step(&longer, by_node, ACK, INITIAL, ANSWER + 1, 2);
        cr_expect_eq(longer.outcome, QPW_OUTCOME_DATA);
    }
}

/* The node's own RST that the other end ignores, or that a firewall sent in its name, does not end the connection. */
Test(tcp, the_node_goes_on_after_its_own_reset)
{
    struct qpw_conn c = established(1);

    step(&c, NODE, RST, INITIAL + 1, 0, 0);
    cr_assert_eq(c.state, QPW_STATE_CLOSED);
    step(&c, REMOTE, ACK, ANSWER + 1, INITIAL + 1, 100);
    cr_expect_eq(c.state, QPW_STATE_CLOSED, "whoever is not the node proves nothing");
    step(&c, NODE, ACK, INITIAL + 1, ANSWER + 101, 100);
    cr_expect_eq(c.state, QPW_STATE_ESTABLISHED);
    cr_expect_eq(c.outcome, QPW_OUTCOME_DATA);
    cr_expect_eq(c.direction, QPW_DIR_OUTBOUND);

    c = opened(0); /* refused, but used nevertheless */
    step(&c, NODE, RST | ACK, 0, INITIAL + 1, 0);
    step(&c, REMOTE, ACK, INITIAL + 1, 1, 10);
    step(&c, NODE, ACK, 1, INITIAL + 11, 10);
    cr_expect_eq(c.outcome, QPW_OUTCOME_DATA);
    cr_expect_eq(c.direction, QPW_DIR_INBOUND);

    c = established(0); /* closed by both: what follows is a tail */
    step(&c, REMOTE, FIN | ACK, INITIAL + 1, ANSWER + 1, 0);
    step(&c, NODE, FIN | ACK, ANSWER + 1, INITIAL + 2, 0);
    step(&c, REMOTE, ACK, INITIAL + 2, ANSWER + 2, 0);
    step(&c, NODE, ACK, ANSWER + 2, INITIAL + 2, 0);
    cr_expect_eq(c.state, QPW_STATE_CLOSED);
}

/* ---- SCTP ---- */

static unsigned chunk(struct qpw_conn *c, int from, unsigned type)
{
    struct qpw_pkt p = {.protocol = QPW_IPPROTO_SCTP, .sctp_chunk = (__u8)(type + 1)};

    return qpw_datagram_step(c, &p, from);
}

Test(sctp, outcome_by_the_first_chunk)
{
    struct qpw_conn start = {.state = QPW_STATE_DATAGRAM, .direction = QPW_DIR_INBOUND,
                             .evidence = QPW_EVIDENCE_FIRST, .outcome = QPW_OUTCOME_ATTEMPTED,
                             .flags = QPW_CONN_SENT_REMOTE}, c = start;

    chunk(&c, NODE, QPW_SCTP_ABORT);
    cr_expect_eq(c.outcome, QPW_OUTCOME_REFUSED);
    chunk(&c, REMOTE, 1 /* INIT, repeated */);
    cr_expect_eq(c.outcome, QPW_OUTCOME_REFUSED);
    chunk(&c, NODE, QPW_SCTP_ABORT);
    cr_expect_eq(c.outcome, QPW_OUTCOME_REFUSED);
    chunk(&c, NODE, 2 /* INIT ACK */);
    cr_expect_eq(c.outcome, QPW_OUTCOME_ANSWERED, "somebody has begun to listen");
    c = start;
    chunk(&c, NODE, QPW_SCTP_SHUTDOWN_COMPLETE);
    cr_expect_eq(c.outcome, QPW_OUTCOME_REFUSED);
    c = start;
    chunk(&c, NODE, 2);
    chunk(&c, REMOTE, 10 /* COOKIE ECHO */);
    chunk(&c, NODE, 11 /* COOKIE ACK */);
    chunk(&c, REMOTE, 4 /* HEARTBEAT */);
    cr_expect_eq(c.outcome, QPW_OUTCOME_ANSWERED);
    chunk(&c, REMOTE, QPW_SCTP_DATA);
    cr_expect_eq(c.outcome, QPW_OUTCOME_DATA);
    chunk(&c, NODE, QPW_SCTP_ABORT);
    cr_expect_eq(c.outcome, QPW_OUTCOME_DATA, "an association that ended");
    c = start;
    chunk(&c, NODE, 2);
    chunk(&c, NODE, QPW_SCTP_SACK);
    cr_expect_eq(c.outcome, QPW_OUTCOME_DATA, "what came is acknowledged");
    c = start;
    chunk(&c, NODE, QPW_SCTP_I_DATA);
    cr_expect_eq(c.outcome, QPW_OUTCOME_DATA);
    c = start;
    chunk(&c, REMOTE, QPW_SCTP_ABORT);
    cr_expect_eq(c.outcome, QPW_OUTCOME_ATTEMPTED, "who asks refuses nothing");
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * model.h - the expected verdict of each exchange: a second, small judge, independent of the program's own.
 *
 * The policies of the campaign are tables here, from which the policy's text is written, too. Where the intended
 * meaning is still open, one table, `meanings`, states it.
 */
#ifndef TESTS_CAMPAIGN_MODEL_H
#define TESTS_CAMPAIGN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Timeouts for every auditor of the campaign, short enough for a run to see them expire. */
#define TIMEOUT_UDP_S 8
#define TIMEOUT_OTHER_S 3600
#define TIMEOUT_HALF_OPEN_S 60
#define TIMEOUT_PARENT_S 3600
#define TIMEOUT_FRAGMENT_S 30

struct meanings {
    bool late_listed_inferred;   /* the node's late answer from a listed port: inbound, inferred, undecided */
    bool group_answer_inbound;   /* a unicast answer to a question to a group is a companion of the question */
    bool alert_per_finding;      /* every answered finding has a first alert of its own; false: one per service */
};
extern const struct meanings meanings;

/* A question to the judge, from the node's point of view. */
struct question {
    bool outbound;
    uint8_t protocol;
    uint16_t port;           /* the responder's; ICMP: the type */
    uint16_t initiator_port;
    const uint8_t *local, *remote;
};

struct judgement {
    const char *verdict;
    const char *rule; /* NULL: none */
    bool is_parent;   /* once answered, it vouches for others with the same remote address */
};

struct policy;
extern const struct policy *const policies[];
extern const size_t n_policies;

const char *policy_name(const struct policy *p);

/* Write the policy's text for its file. */
void policy_text(const struct policy *p, char *text, size_t size);

/* Return whether an exchange on that rule with the remote address currently vouches. Called by the judge. */
typedef bool parent_lives(void *data, const uint8_t remote[16], const char *rule);

struct judgement policy_judge(const struct policy *p, const struct question *q, parent_lives *lives, void *data);

/* Return verdict and rule of an EtherType. */
struct judgement policy_judge_ethertype(uint16_t ethertype);

/* Return whether a rule itself lists the port: neither weak nor over 1,024 ports. */
bool policy_lists(const struct policy *p, bool outbound, uint8_t protocol, uint16_t port);

bool policy_is_peer(const uint8_t address[16]);

/* Return the name of the peer with that address, NULL: none. */
const char *policy_peer(const uint8_t address[16]);

#endif

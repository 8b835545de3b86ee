/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * judge.h - evaluate a compiled policy for one exchange in user space.
 *
 * The result equals that of the kernel side's walk over the same tables: used by `policy test`, and to check the kernel
 * side and exported rulesets.
 */
#ifndef QPW_POLICY_JUDGE_H
#define QPW_POLICY_JUDGE_H

#include <stdbool.h>

#include "policy/compile/compiled.h"

struct qpw_exchange {
    uint8_t direction;       /* QPW_DIR_INBOUND or QPW_DIR_OUTBOUND */
    uint8_t kind;            /* QPW_KIND_* */
    uint8_t protocol;
    bool rx_link_multicast;  /* received, addressed to a link-local multicast address */
    bool misfit;             /* fits no step that requires a shape (enum qpw_shape); false: fits all */
    uint16_t port;           /* service port, ICMP type, EtherType; host order */
    uint16_t initiator_port; /* host order, 0 where there is none */
    uint16_t asked_port;     /* inbound, if the request went to another port than the one that answers; else 0 */
    uint16_t vlan;           /* 0: untagged */
    uint32_t ifindex;
    const uint8_t *initiator; /* 16 bytes, network order */
    const uint8_t *responder;
    /* Return whether an answered exchange with the remote end vouches for that rule's companions. NULL: none does. */
    bool (*parent_live)(const uint8_t remote[16], uint16_t rule, void *data);
    void *data;
};

struct qpw_judgement {
    uint8_t verdict; /* QPW_VERDICT_PEER, ALLOWED, WEAK, INFRA, IMPLIED or UNEXPECTED */
    uint8_t flags;   /* QPW_STEP_* of the step that matched */
    uint16_t rule;   /* 0: none */
    uint16_t peer;
    uint32_t services; /* that the rule names, QPW_SPEAKS(); 0: not asked */
    bool listed;     /* the port may serve to infer the direction */
};

/* Sorted view of the address sets; built once, queried often. */
struct qpw_judge;

/* *compiled must outlive *ret. 0 or -ENOMEM. */
int qpw_judge_new(const struct qpw_compiled *compiled, struct qpw_judge **ret);
void qpw_judge_free(struct qpw_judge *judge);

struct qpw_judgement qpw_policy_judge(const struct qpw_judge *judge, const struct qpw_exchange *exchange);

/* Return whether the address (16 bytes; NULL: none) belongs to a peer; *ret_peer is its number, or 0. */
bool qpw_judge_peer(const struct qpw_judge *judge, const uint8_t *address, uint16_t *ret_peer);
/*
 * Call `each` for every step of the exchange's chain that matches provided that an exchange of the rule `parent`
 * vouches for it.
 */
typedef void qpw_companion_fn(void *data, uint16_t rule, uint16_t parent);
void qpw_policy_companions(const struct qpw_judge *judge, const struct qpw_exchange *exchange, qpw_companion_fn *each,
                           void *data);

/* How a policy lists a port of the node, for any initiator. */
struct qpw_port_word {
    uint8_t verdict;  /* QPW_VERDICT_ALLOWED, WEAK, INFRA or IMPLIED; UNEXPECTED: no rule lists it */
    uint16_t rule;    /* the first that lists it, 0: none */
};

/*
 * Find the first inbound rule that lists the port for any initiator. port: host order; address: the one that the socket
 * is bound to, 16 bytes, all zero for any; ifindex: the device it is bound to, 0 for none. A rule for other addresses
 * or devices does not count.
 */
struct qpw_port_word qpw_policy_port(const struct qpw_judge *judge, uint8_t protocol, uint16_t port,
                                     const uint8_t address[16], uint32_t ifindex);

/* Set used[id] for every rule that lists the port (host order) inbound, for any addresses; n entries. */
void qpw_policy_mark_port(const struct qpw_judge *judge, uint8_t protocol, uint16_t port, bool *used, size_t n);

/* Set used[id] for every rule that lists a TCP, UDP or SCTP port inbound; n entries. */
void qpw_policy_mark_all_ports(const struct qpw_judge *judge, bool *used, size_t n);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kinds.h - functions shared by the kinds of exchange. */
#ifndef TESTS_CAMPAIGN_KINDS_H
#define TESTS_CAMPAIGN_KINDS_H

#include <arpa/inet.h>

#include "campaign.h"
#include "talk.h"

enum host_id kinds_client(struct rng *r);

/* Return the node's own address or one of those that it currently has. */
const char *kinds_node_address(const struct campaign *c, struct rng *r, bool v6);
uint16_t kinds_client_port(struct rng *r);

/*
 * Enter the exchange that t opens; with t->source_port 0 choose one that this tuple never had. Everything witnessed
 * before belongs to earlier exchanges.
 */
struct exchange *kinds_enter(struct campaign *c, struct rng *r, struct talk *t, uint8_t protocol, const char *kind,
                             enum outcome planned);

/* Return whether t is better not opened now: see book_unsettles(). */
bool kinds_unsettles(const struct campaign *c, const struct talk *t, uint8_t protocol);

/* Record that an exchange did not end as planned: a busy machine, or a fault. */
void kinds_planned(struct campaign *c, struct exchange *e);

/* Write a source address that no host has and that was never used before. Returns buf. */
const char *kinds_forged(struct campaign *c, bool v6, char *buf, size_t size);

void kinds_address_text(const uint8_t address[16], char buf[INET6_ADDRSTRLEN]);

#endif

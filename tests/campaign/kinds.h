/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kinds.h - what the kinds of exchange share. */
#ifndef TESTS_CAMPAIGN_KINDS_H
#define TESTS_CAMPAIGN_KINDS_H

#include <arpa/inet.h>

#include "campaign.h"
#include "talk.h"

enum host_id kinds_client(struct rng *r);

/* The node's own address or one of those that it holds at present. */
const char *kinds_node_address(const struct campaign *c, struct rng *r, bool v6);
uint16_t kinds_client_port(struct rng *r);

/*
 * Enters the exchange that t opens; t->source_port 0: one is drawn that this tuple never had. Everything witnessed
 * before belongs to what was before.
 */
struct exchange *kinds_enter(struct campaign *c, struct rng *r, struct talk *t, uint8_t protocol, const char *kind,
                             enum outcome planned);

/* Says so where the exchange did not end as it was meant to: a busy machine, or a fault. */
void kinds_planned(struct campaign *c, struct exchange *e);

/* A source address that nobody has and that was never used before. Returns buf. */
const char *kinds_forged(struct campaign *c, bool v6, char *buf, size_t size);

void kinds_address_text(const uint8_t address[16], char buf[INET6_ADDRSTRLEN]);

#endif

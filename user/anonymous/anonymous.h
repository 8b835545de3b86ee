/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * anonymous.h - other names and addresses in the place of a site's own, for what leaves it: the same for the same, under a
 * key that stays.
 *
 * What is not known to be harmless is replaced or left out, never the other way round: kinds, numbers, times and the tool's
 * own words stay; every other text becomes "KIND-" and ten digits of HMAC-SHA-256. Addresses keep their family, whether they
 * are private, link-local, group or public, and the prefixes they share: two in one network stay in one.
 */
#ifndef QPW_ANONYMOUS_ANONYMOUS_H
#define QPW_ANONYMOUS_ANONYMOUS_H

#include <jansson.h>
#include <stdbool.h>

#include "host/listeners.h"
#include "policy/compile/compiled.h"
#include "snapshot/snapshot.h"
#include "util/error.h"

struct qpw_anonymous;

/*
 * The key of a file: at least 16 bytes, readable by its owner alone. A file that is not there is made, with a key that was
 * drawn: *ret_made. 0, or a negative errno with err.
 */
int qpw_anonymous_open(const char *path, struct qpw_anonymous **ret, bool *ret_made, struct qpw_error *err);
void qpw_anonymous_close(struct qpw_anonymous *a); /* NULL is fine */

/* ---- One thing; in and out may be the same ---- */

/* 16 bytes as everywhere; unspecified, loopback and well-known group addresses stay as they are. */
void qpw_anonymous_address(const struct qpw_anonymous *a, const uint8_t in[16], uint8_t out[16]);
/* Locally administered; broadcast and group addresses stay. */
void qpw_anonymous_mac(const struct qpw_anonymous *a, const uint8_t in[6], uint8_t out[6]);
/* An end of a finding: as the kind has it. */
void qpw_anonymous_end(const struct qpw_anonymous *a, unsigned kind, uint8_t end[16]);
/* "host-3fa91c02d1", "" for "". Writes into buf, returns buf. */
const char *qpw_anonymous_name(const struct qpw_anonymous *a, const char *kind, const char *name, char *buf, size_t size);
/* A finding's number, which is made of its addresses: another below 2^53, the same in reports and in records. */
uint64_t qpw_anonymous_flow(const struct qpw_anonymous *a, uint64_t flow_id);
/* A rule's name: one that is the tool's or the built-in policies' own, or made of ports, stays. */
const char *qpw_anonymous_rule(const struct qpw_anonymous *a, const char *name, char *buf, size_t size);
/* A statement of a policy: direction, protocols, ports, flags and until= stay, addresses are mapped, the rest becomes names. */
const char *qpw_anonymous_statement(const struct qpw_anonymous *a, const char *text, char *buf, size_t size);

/* ---- Whole things, in place ---- */

/* After what is made of it has been made: orders and groups stay as they were. */
void qpw_anonymous_snapshot(const struct qpw_anonymous *a, struct qpw_snapshot *s);
/* Who acknowledged what, and why, alone: where rows point into another snapshot than their own. */
void qpw_anonymous_lives(const struct qpw_anonymous *a, struct qpw_snapshot *s);
void qpw_anonymous_process(const struct qpw_anonymous *a, struct qpw_process *process);
void qpw_anonymous_listeners(const struct qpw_anonymous *a, struct qpw_listeners *listeners);
void qpw_anonymous_names(const struct qpw_anonymous *a, struct qpw_registry *names);

/* A record of the alert log, without its chain. A new reference; NULL: it is no record. */
json_t *qpw_anonymous_record(const struct qpw_anonymous *a, const json_t *record);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * anonymous.h - replace a site's names and addresses in whatever leaves it: consistently, under a key that stays.
 *
 * Anything not known to be harmless is replaced or left out: kinds, numbers, times and the tool's own words stay; every
 * other text becomes "KIND-" and ten hex digits of HMAC-SHA-256. Addresses keep their family, their class (private,
 * link-local, group or public), and the prefixes they share: two in one network stay in one.
 */
#ifndef QPW_ANONYMOUS_ANONYMOUS_H
#define QPW_ANONYMOUS_ANONYMOUS_H

#include <jansson.h>
#include <stdbool.h>

#include "host/listeners.h"
#include "policy/compile/compiled.h"
#include "snapshot/snapshot.h"
#include "util/cleanup.h"
#include "util/error.h"

struct qpw_anonymous;

/*
 * Read the key from a file: at least 16 bytes, readable by its owner alone. A missing file is created with a random
 * key: *ret_made. 0, or a negative errno with err. The caller closes *ret.
 */
int qpw_anonymous_open(const char *path, struct qpw_anonymous **ret, bool *ret_made, struct qpw_error *err);
void qpw_anonymous_close(struct qpw_anonymous *a); /* NULL is fine */
QPW_CLEANUP_POINTER(struct qpw_anonymous, qpw_anonymous_close)

/* ---- Single values; in and out may be the same ---- */

/* Map an address (16 bytes, network order); unspecified, loopback and well-known group addresses stay as they are. */
void qpw_anonymous_address(const struct qpw_anonymous *a, const uint8_t in[16], uint8_t out[16]);
/* Map a MAC address to a locally administered one; broadcast and group addresses stay. */
void qpw_anonymous_mac(const struct qpw_anonymous *a, const uint8_t in[6], uint8_t out[6]);
/* Map an end of a finding, in place: a MAC or an IP address, depending on the kind. */
void qpw_anonymous_end(const struct qpw_anonymous *a, unsigned kind, uint8_t end[16]);
/* Write "host-3fa91c02d1", or "" for "", into buf. Returns buf. */
const char *qpw_anonymous_name(const struct qpw_anonymous *a, const char *kind, const char *name, char *buf, size_t size);
/*
 * Map a finding's number, which is derived from its addresses, to another one below 2^53: the same in reports and
 * records. 0 stays 0.
 */
uint64_t qpw_anonymous_flow(const struct qpw_anonymous *a, uint64_t flow_id);
/* Map a rule's name to buf and return buf; the tool's and the built-in policies' own names and generated ones stay. */
const char *qpw_anonymous_rule(const struct qpw_anonymous *a, const char *name, char *buf, size_t size);
/*
 * Map a policy statement to buf and return buf: direction, protocols, ports, flags and until= stay, addresses are
 * mapped, other words become names.
 */
const char *qpw_anonymous_statement(const struct qpw_anonymous *a, const char *text, char *buf, size_t size);

/* ---- Whole structures, in place ---- */

/*
 * Call it after everything derived from the snapshot is complete, so that orders and groups are those of the original.
 */
void qpw_anonymous_snapshot(const struct qpw_anonymous *a, struct qpw_snapshot *s);
/* Map only who acknowledged what, and why: for rows that point into another snapshot. */
void qpw_anonymous_lives(const struct qpw_anonymous *a, struct qpw_snapshot *s);
void qpw_anonymous_process(const struct qpw_anonymous *a, struct qpw_process *process);
void qpw_anonymous_listeners(const struct qpw_anonymous *a, struct qpw_listeners *listeners);
void qpw_anonymous_names(const struct qpw_anonymous *a, struct qpw_registry *names);

/* Return a mapped copy of an alert record, without its chain: a new reference, or NULL if it is no record. */
json_t *qpw_anonymous_record(const struct qpw_anonymous *a, const json_t *record);

#endif

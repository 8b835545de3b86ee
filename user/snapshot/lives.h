/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lives.h - the stored steps in the life cycle of findings, and their assignment to findings. */
#ifndef QPW_SNAPSHOT_LIVES_H
#define QPW_SNAPSHOT_LIVES_H

#include "snapshot/snapshot.h"

/*
 * Return the key of the class that an acknowledgement of the finding covers: its service, the program at the node's
 * end, and the remote prefix, IPv4 /24 or IPv6 /48. If the direction is unknown, or the frames are not IP: the finding
 * only.
 */
struct qpw_finding_key qpw_life_class(const struct qpw_finding_row *finding);

/* Return the key of an acknowledgement of that finding only, valid while the same program holds the node's end. */
struct qpw_finding_key qpw_life_single(const struct qpw_finding_row *finding);

/*
 * Return whether an acknowledgement would cover the finding if its program were the accepted one. lives->now_unix_ns
 * determines which acknowledgements are in force; a finding without lives has none.
 */
bool qpw_lives_of_another_program(const struct qpw_finding_row *finding);

/* Return whether a stored step is an acknowledgement or its withdrawal. step: one of a struct qpw_lives. */
bool qpw_life_is_of_person(const struct qpw_life *step);

/* Find a stored step by its whole key; NULL: none. */
const struct qpw_life *qpw_lives_find(const struct qpw_lives *lives, const struct qpw_finding_key *key);

/* Return the number of acknowledgements in force at that time. lives NULL: none. */
size_t qpw_lives_acknowledgements(const struct qpw_lives *lives, uint64_t now_unix_ns);

/*
 * Set the pointers of rows to their stored steps, and mark those with which a program was first seen. lives NULL: there
 * are none; they must outlive the rows.
 */
void qpw_lives_assign(const struct qpw_lives *lives, struct qpw_finding_row *rows, size_t n);

/* Record that a program was first seen with that finding; rows assigned from now on are marked. Return 0 or -ENOMEM. */
int qpw_lives_add_first_seen(struct qpw_lives *lives, const struct qpw_finding_key *finding);

/* Take ownership of n rows (from malloc()) and sort them. Return NULL if out of memory; the rows are then freed. */
struct qpw_lives *qpw_lives_new(struct qpw_life_row *rows, size_t n);
void qpw_lives_free(struct qpw_lives *lives); /* NULL is fine */

/* Read the steps of an instance. Return 0 or a negative errno; the caller frees *ret. */
struct qpw_kernel;
int qpw_lives_read(const struct qpw_kernel *k, struct qpw_lives **ret);

#endif

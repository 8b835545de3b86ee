/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lives.h - the stored steps of findings' lives, beside the findings that they are about. */
#ifndef QPW_SNAPSHOT_LIVES_H
#define QPW_SNAPSHOT_LIVES_H

#include "snapshot/snapshot.h"

/*
 * The class that an acknowledgement of that finding is about: its service, the program that holds the node's end, and the
 * prefix of its remote end, IPv4 /24 or IPv6 /48. Where the direction is not known, and of frames that are not IP: the
 * finding alone.
 */
struct qpw_finding_key qpw_life_class(const struct qpw_finding_row *finding);

/* The key of an acknowledgement of that finding alone, for as long as the same program holds the node's end. */
struct qpw_finding_key qpw_life_alone(const struct qpw_finding_row *finding);

/*
 * Whether the finding would be acknowledged, were it of the program that a person meant. lives->now_unix_ns decides which
 * acknowledgements are in force; a finding without lives has none.
 */
bool qpw_lives_of_another_program(const struct qpw_finding_row *finding);

/* Whether a stored step is about an acknowledgement: made, or taken back. step: one of a struct qpw_lives. */
bool qpw_life_is_of_person(const struct qpw_life *step);

/* A stored step by its whole key; NULL: there is none. */
const struct qpw_life *qpw_lives_find(const struct qpw_lives *lives, const struct qpw_finding_key *key);

/* How many acknowledgements are in force at that time. lives NULL: none. */
size_t qpw_lives_acknowledgements(const struct qpw_lives *lives, uint64_t now_unix_ns);

/* Points rows to the steps stored of them, and marks those that a program was first seen with. lives NULL: there are none. They have to outlive the rows' use. */
void qpw_lives_assign(const struct qpw_lives *lives, struct qpw_finding_row *rows, size_t n);

/* A program was first seen with that finding: rows are told so from now on. 0 or -ENOMEM. */
int qpw_lives_add_first_seen(struct qpw_lives *lives, const struct qpw_finding_key *finding);

/* Takes n rows over, which malloc() gave, and sorts them; NULL: no memory, then they are freed. */
struct qpw_lives *qpw_lives_new(struct qpw_life_row *rows, size_t n);
void qpw_lives_free(struct qpw_lives *lives); /* NULL is fine */

/* Reads them from a kernel side; the caller frees *ret. 0 or a negative errno. */
struct qpw_kernel;
int qpw_lives_read(const struct qpw_kernel *k, struct qpw_lives **ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_reading.h - a row while it is read: shared by the import_….c that read it. */
#ifndef QPW_POLICY_IMPORT_READING_H
#define QPW_POLICY_IMPORT_READING_H

#include "policy/page/import_int.h"

struct qpw_reading {
    struct qpw_importer *im;
    const struct qpw_import_table *table;
    const struct qpw_part *part;
    struct qpw_import_row *row;
    uint8_t directions[8]; /* of the Direction column, in its order */
    size_t n_directions;
    struct {
        uint8_t direction;
        int set;
    } ways[4];             /* what the row is for this node */
    size_t n_ways;
    bool optional;         /* its cells of ports and protocols say so */
    size_t first_group;    /* of row->groups, of those that are read now */
};

/* The text of the column's cell, or NULL; its title, or "". */
const char *qpw_reading_cell_of(const struct qpw_reading *r, enum qpw_column column);
const char *qpw_reading_name_of(const struct qpw_reading *r, enum qpw_column column);

/* Whether a column's text is for people. */
bool qpw_reading_is_prose(enum qpw_column column);

/* The row fails: its purpose and column (may be NULL), and why. Always -EINVAL. */
int qpw_reading_fail(struct qpw_reading *r, const char *column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The row is for others: "'FIRST'BETWEEN'SECOND'" (may be NULL). Always -EINVAL. */
int qpw_reading_leave(struct qpw_reading *r, const char *first, const char *between, const char *second);

/* ---- import_lines.c: lists side by side ---- */

/* *ret: how many lines the cells of a row have that belong together line by line; 1: they are one. 0; or -EINVAL where
 * their numbers differ, and the row fails. */
int qpw_reading_count_lines(struct qpw_reading *r, size_t *ret);
/* The i-th line of each such cell, and the whole of the others, as a row. False: no memory. The caller clears *ret. */
bool qpw_reading_line_of(const struct qpw_reading *r, const struct qpw_part *whole, size_t i, struct qpw_part *ret);
void qpw_reading_clear_line(struct qpw_part *part);

/* ---- import_remarks.c ---- */

/* 0; or -EINVAL where the row is denied by the page, or may be. */
int qpw_reading_check_said(struct qpw_reading *r);

bool qpw_reading_is_optional(const struct qpw_reading *r);

/* The set for the other end where the row's text, or what is around the table, restricts it, too. `set`: by its column, -1:
 * anybody; so is the answer. */
int qpw_reading_restricted_set(const struct qpw_reading *r, uint8_t direction, int set);

/* ---- import_ways.c ---- */

/* Fills in r->ways. 0; or -EINVAL, where the row fails or is for others. */
int qpw_reading_find_ways(struct qpw_reading *r);

#endif

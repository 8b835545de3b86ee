/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_reading.h - a row while it is being read: shared by the import_….c that read rows. */
#ifndef QPW_POLICY_IMPORT_READING_H
#define QPW_POLICY_IMPORT_READING_H

#include "policy/page/import_int.h"

struct qpw_reading {
    struct qpw_importer *im;
    const struct qpw_import_table *table;
    const struct qpw_part *part;
    struct qpw_import_row *row;
    uint8_t directions[8]; /* from the Direction column, in its order */
    size_t n_directions;
    struct {
        uint8_t direction;
        int set;
    } ways[4];             /* the row's directions for this node */
    size_t n_ways;
    bool optional;         /* according to its cells of ports and protocols */
    size_t first_group;    /* index in row->groups of the first one being read */
};

/* Return the text of the column's cell, or NULL; the column's title, or "". */
const char *qpw_reading_cell_of(const struct qpw_reading *r, enum qpw_page_column column);
const char *qpw_reading_name_of(const struct qpw_reading *r, enum qpw_page_column column);

/* Return whether a column's text is prose. */
bool qpw_reading_is_prose(enum qpw_page_column column);

/* Fail the row: its purpose, the column (may be NULL), and the reason. Always returns -EINVAL. */
int qpw_reading_fail(struct qpw_reading *r, const char *column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Mark the row as being for others: "'FIRST'BETWEEN'SECOND'" (SECOND may be NULL). Always returns -EINVAL. */
int qpw_reading_leave(struct qpw_reading *r, const char *first, const char *between, const char *second);

/* ---- import_lines.c: parallel lists ---- */

/*
 * Count the lines of the row's cells that belong together line by line; *ret is 1 if there are no lists. 0, or -EINVAL
 * if the numbers differ, which fails the row.
 */
int qpw_reading_count_lines(struct qpw_reading *r, size_t *ret);
/*
 * Build a row from the i-th line of each such cell and the whole of the others. False: no memory. The caller clears
 * *ret.
 */
bool qpw_reading_line_of(const struct qpw_reading *r, const struct qpw_part *whole, size_t i, struct qpw_part *ret);
void qpw_reading_clear_line(struct qpw_part *part);

/* ---- import_remarks.c ---- */

/* Return 0, or -EINVAL if the page denies the row or may do so. */
int qpw_reading_check_said(struct qpw_reading *r);

bool qpw_reading_is_optional(const struct qpw_reading *r);

/*
 * Return the set for the other end, considering restrictions in the row's text and around the table. `set`: from its
 * column; -1: any, also as the result.
 */
int qpw_reading_restricted_set(const struct qpw_reading *r, uint8_t direction, int set);

/* ---- import_ways.c ---- */

/* Fill in r->ways. 0, or -EINVAL if the row fails or is for others. */
int qpw_reading_find_ways(struct qpw_reading *r);

#endif

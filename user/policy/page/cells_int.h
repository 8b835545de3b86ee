/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cells_int.h - internals shared by the cell parsers; others include cells.h. */
#ifndef QPW_POLICY_CELLS_INT_H
#define QPW_POLICY_CELLS_INT_H

#include <ctype.h>

#include "policy/page/cells.h"

/* The unread rest of a cell's line. */
struct qpw_scan {
    const char *at;
    const char *end;
    struct qpw_cell_signs *signs;
    struct qpw_cell_fault *fault;
};

/* Ports of one line with the same protocols, before the other cell is considered. */
struct qpw_group {
    struct qpw_row_ports ports;
    size_t line;
    bool none;    /* "-", "N/A": right for a protocol without ports */
    bool slashed; /* "8080/8443" */
    bool zero;    /* port 0: valid for ICMP types only */
};

struct qpw_port_reader {
    struct qpw_group *groups; /* QPW_MAX_GROUPS of them */
    size_t n;
    struct qpw_cell_signs *signs;
    struct qpw_cell_fault *fault;
};

/* One line of a protocol cell. */
struct qpw_protocol_line {
    uint64_t bits[4];
    bool any;
};

static inline bool qpw_cell_is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static inline void qpw_cell_set_bit(uint64_t bits[4], unsigned protocol)
{
    bits[protocol / 64] |= (uint64_t)1 << protocol % 64;
}

static inline bool qpw_cell_any_in(const uint64_t bits[4])
{
    return bits[0] | bits[1] | bits[2] | bits[3];
}

static inline bool qpw_cell_has_ports(const struct qpw_group *group)
{
    return group->ports.n || group->ports.any || group->none;
}

/* ---- Words (cell_words.c). Comparisons ignore case. ---- */

/* Set the fault to "WHAT 'TEXT'". Always returns -EINVAL. */
int qpw_cell_unclear(struct qpw_cell_fault *fault, enum qpw_page_column column, const char *what, const char *text,
                     size_t length);
bool qpw_cell_is_text(const char *word, size_t length, const char *text);
bool qpw_cell_is_one_of(const char *word, size_t length, const char *const *texts);
bool qpw_cell_is_any(const char *word, size_t length);
bool qpw_cell_is_filler(const char *word, size_t length);
/* Skip separators and footnote marks. */
void qpw_cell_skip(struct qpw_scan *s);
/* Return the length of the word at s->at, which ends at a separator, slash, bracket or mark. */
size_t qpw_cell_word_length(const struct qpw_scan *s);
/* Get the cell's next line that is not blank; false at its end. */
bool qpw_cell_next_line(const char **at, struct qpw_scan *ret);
/* Add the protocol of that name to bits; false if there is none. */
bool qpw_cell_add_protocol(const char *word, size_t length, uint64_t bits[4]);

/* ---- Remarks (cell_remarks.c). 0, or -EINVAL with the fault. ---- */

int qpw_cell_take_remark(struct qpw_scan *s, enum qpw_page_column column, uint64_t bits[4]);
int qpw_cell_take_angle(struct qpw_scan *s, bool behind_port);

/* ---- Protocols (cell_protocols.c) ---- */

/*
 * Parse the lines of the protocol cell into ret, at most QPW_MAX_GROUPS; *ret_n is their number. 0, or -EINVAL with the
 * fault.
 */
int qpw_cell_read_protocols(const char *cell, struct qpw_protocol_line ret[QPW_MAX_GROUPS], size_t *ret_n,
                            struct qpw_cell_signs *signs, struct qpw_cell_fault *fault);

/* ---- Ports (cell_ports.c) ---- */

/*
 * Parse the lines of the port cell into r's groups; two bytes before `cell` must be readable. *ret_lines is their
 * number. 0 or -EINVAL.
 */
int qpw_cell_read_ports(const char *cell, struct qpw_port_reader *r, size_t *ret_lines);
/* Return a new group, or NULL if there are too many. */
struct qpw_group *qpw_cell_new_group(struct qpw_port_reader *r, size_t line);
/* Sort the ranges in ascending order, and merge overlapping ones. */
void qpw_cell_merge(struct qpw_row_ports *ports);

#endif

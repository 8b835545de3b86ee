/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cells.h - what the cells of a table of ports say: protocols, ports, purpose, which end is the node. */
#ifndef QPW_POLICY_CELLS_H
#define QPW_POLICY_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/lang/policy.h"

/* What one row needs. Ports ascending and merged. */
struct qpw_row_ports {
    struct qpw_port_range ports[QPW_MAX_PORT_RANGES];
    size_t n;
    bool any;              /* All, Any */
    uint64_t protocols[4]; /* as bits; all zero: not said */
    bool any_protocol;
};

/*
 * Adds what a port cell ("389,\n636", "161-162", "53 TCP/UDP", "All") or a protocol cell ("TCP\nUDP",
 * "TCP, UDP") says. Marks of footnotes and remarks in brackets without digits are passed over; anything
 * not understood is an error: -EINVAL with `why` (what, at which text).
 */
int qpw_cell_ports(const char *cell, struct qpw_row_ports *ret, char *why, size_t size);
int qpw_cell_protocols(const char *cell, struct qpw_row_ports *ret, char *why, size_t size);

/* What a column is for, by its title. */
enum qpw_column { QPW_COLUMN_OTHER = 0, QPW_COLUMN_PORT, QPW_COLUMN_PROTOCOL, QPW_COLUMN_USE, QPW_COLUMN_SOURCE,
                  QPW_COLUMN_DESTINATION, QPW_COLUMN_DIRECTION, QPW_COLUMN_COUNT };
enum qpw_column qpw_column_of(const char *title);

/* Directions that a heading or cell speaks of, as bits 1 << QPW_DIR_*; 0: none. */
unsigned qpw_directions_in(const char *text);

/* Whether a Source or Destination cell means the node itself; `node` is what the user calls it, or NULL. */
bool qpw_names_node(const char *text, const char *node);

/* Whether text has the word or phrase, whatever its case; a word's neighbours are not letters or digits. */
bool qpw_has_words(const char *text, const char *words);

/* The purpose for people: without remarks that have become flags, on one line. Caller frees; NULL: no memory. */
char *qpw_purpose_text(const char *cell);

#endif

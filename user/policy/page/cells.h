/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cells.h - what the cells of a table of ports say: ports, protocols, purpose; titles and directions. */
#ifndef QPW_POLICY_CELLS_H
#define QPW_POLICY_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/lang/policy.h"

/* Ports that go with the same protocols. */
struct qpw_row_ports {
    struct qpw_port_range ports[QPW_MAX_PORT_RANGES]; /* ascending, merged */
    size_t n;
    bool any;              /* every port, or a protocol that has none */
    uint64_t protocols[4]; /* as bits */
};

#define QPW_MAX_GROUPS 64u

/* What cells say besides ports and protocols. */
struct qpw_cell_signs {
    bool application;   /* a protocol was said as an application of TCP: HTTPS, SSH */
    bool all_protocols; /* "All" beside ports, read as tcp and udp */
    bool optional;      /* "(optional)", "(if enabled)" */
    char remarks[160];  /* other remarks in brackets, as many as there is room for */
};

struct qpw_port_cells {
    struct qpw_row_ports groups[QPW_MAX_GROUPS];
    size_t n;
    struct qpw_cell_signs signs;
};

enum qpw_column {
    QPW_COLUMN_OTHER = 0,
    QPW_COLUMN_PORT,
    QPW_COLUMN_PORT_FIRST,  /* of a range over two columns */
    QPW_COLUMN_PORT_LAST,
    QPW_COLUMN_CLIENT_PORT, /* the asking end's own: a policy cannot say it */
    QPW_COLUMN_PROTOCOL,
    QPW_COLUMN_USE,
    QPW_COLUMN_SOURCE,
    QPW_COLUMN_DESTINATION,
    QPW_COLUMN_REMOTE,      /* the other end, whichever asks */
    QPW_COLUMN_DIRECTION,
    QPW_COLUMN_HOSTS,       /* the nodes a row is for */
    QPW_COLUMN_ACTION,      /* allow or deny, open or closed */
    QPW_COLUMN_DENIAL,      /* blocked, deprecated: yes or no */
    QPW_COLUMN_OPTIONAL,
    QPW_COLUMN_REQUIRED,
    QPW_COLUMN_MARK,        /* a mark where a row is for what the title names */
    QPW_COLUMN_COUNT
};

struct qpw_title {
    enum qpw_column column;
    uint64_t protocols[4]; /* "TCP port" */
    unsigned directions;   /* "Inbound ports", as bits 1 << QPW_DIR_* */
    bool transport;        /* "TCP or UDP", "Transport": a column "Protocol" beside it is the application's */
};

/* What a column is for, by the whole of its title. */
void qpw_title_of(const char *text, struct qpw_title *ret);

/* What was not understood, and in which of the two cells. */
struct qpw_cell_fault {
    enum qpw_column column; /* PORT, PROTOCOL, or OTHER: both */
    char text[200];
};

/*
 * Reads a row's ports and protocols together. The port cell ("389,\n636", "161-162", "53/TCP/UDP", "TCP 80, UDP 53")
 * may say protocols itself; `protocol` is the other cell, or NULL; `titles` the protocols of the port column's title.
 * Footnote marks and remarks in brackets are passed over. 0, or -EINVAL with *fault: nothing unread is ever guessed.
 */
int qpw_cells_read(const char *port, const char *protocol, const uint64_t titles[4], struct qpw_port_cells *ret,
                   struct qpw_cell_fault *fault);

/* Whether every word of the cell is a protocol, or a port: for tables whose columns have no titles. */
bool qpw_is_protocol_cell(const char *cell);
bool qpw_is_port_cell(const char *cell);

/* Whether a footnote's mark is in the cell, besides other text; in prose, at its end. */
bool qpw_has_note_mark(const char *cell, bool prose);

/* How many ports a group has; 65535 for all ports of a protocol that has ports. */
unsigned qpw_ports_width(const struct qpw_row_ports *ports);

/* Directions that a heading speaks of, as bits 1 << QPW_DIR_*; 0: none. */
unsigned qpw_directions_in(const char *text);

/* The direction that a cell or a title is, as a whole; several are in the order of the text. Returns how many: 0 where
 * anything else is in it. "Both" is two. */
size_t qpw_directions_of(const char *text, uint8_t ret[8]);

/* ---- Phrases (phrases.c) ---- */

size_t qpw_count_words(const char *text);

/* Whether a title, a remark or a few words deny, or are about an example: "Blocked ports", "must not be open". */
bool qpw_denies(const char *text);

/* Whether a sentence takes ports back: "Do not open this port", "deprecated". Unlike qpw_denies(), it may have any words
 * besides. */
bool qpw_takes_back(const char *text);

/* Whether text says that something is there under a condition only: "if enabled", "disabled by default". */
bool qpw_is_conditional(const char *text);

/* Whether text keeps some of those who could ask out: "only from admin hosts", "localhost". */
bool qpw_restricts_ends(const char *text);

/* 4 or 6 where text is about that family of addresses only; 0. `heading`: naming it is enough. */
unsigned qpw_family_of(const char *text, bool heading);

/* Whether a direction is said as clients see it: "Outbound from clients", "Inbound ports on the client". */
bool qpw_is_clients_direction(const char *text);

/* Whether text has the word or phrase, whatever its case; a word's neighbours are not letters or digits. */
bool qpw_has_words(const char *text, const char *words);
/* Any of several; the list ends with NULL. */
bool qpw_has_any_of(const char *text, const char *const *list);

/* The purpose for people: without remarks that have become flags, on one line. Caller frees; NULL: no memory. */
char *qpw_purpose_text(const char *cell);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cells.h - parse the cells of a table of ports: ports, protocols, purpose; titles and directions. */
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
    bool any;              /* every port, or a protocol without ports */
    uint64_t protocols[4]; /* as bits */
};

#define QPW_MAX_GROUPS 64u

/* What cells contain besides ports and protocols. */
struct qpw_cell_signs {
    bool application;   /* the protocol was given as an application over TCP: HTTPS, SSH */
    bool all_protocols; /* "All" beside ports, read as tcp and udp */
    bool optional;      /* "(optional)", "(if enabled)" */
    char remarks[160];  /* other remarks in brackets, as many as fit */
};

struct qpw_port_cells {
    struct qpw_row_ports groups[QPW_MAX_GROUPS];
    size_t n;
    struct qpw_cell_signs signs;
};

enum qpw_page_column {
    QPW_COLUMN_OTHER = 0,
    QPW_COLUMN_PORT,
    QPW_COLUMN_PORT_FIRST, /* of a range over two columns */
    QPW_COLUMN_PORT_LAST,
    QPW_COLUMN_CLIENT_PORT, /* the initiator's own port, which a policy cannot express */
    QPW_COLUMN_PROTOCOL,
    QPW_COLUMN_USE,
    QPW_COLUMN_SOURCE,
    QPW_COLUMN_DESTINATION,
    QPW_COLUMN_REMOTE, /* the other end, whichever initiates */
    QPW_COLUMN_DIRECTION,
    QPW_COLUMN_HOSTS, /* the nodes to which a row applies */
    QPW_COLUMN_ACTION, /* allow or deny, open or closed */
    QPW_COLUMN_DENIAL, /* blocked, deprecated: yes or no */
    QPW_COLUMN_OPTIONAL,
    QPW_COLUMN_REQUIRED,
    QPW_COLUMN_MARK, /* a mark in rows that apply to the node or version in the title */
    QPW_COLUMN_COUNT
};

struct qpw_title {
    enum qpw_page_column column;
    uint64_t protocols[4]; /* "TCP port" */
    unsigned directions;   /* "Inbound ports", as bits 1 << QPW_DIR_* */
    bool transport;        /* "TCP or UDP", "Transport": a column "Protocol" beside it names applications */
};

/* Classify a column by its whole title. */
void qpw_title_of(const char *text, struct qpw_title *ret);

/* The text that was not understood, and its cell. */
struct qpw_cell_fault {
    enum qpw_page_column column; /* PORT, PROTOCOL, or OTHER: both */
    char text[200];
};

/*
 * Parse a row's ports and protocols together. The port cell ("389,\n636", "161-162", "53/TCP/UDP", "TCP 80, UDP 53")
 * may name protocols itself; `protocol` is the other cell, or NULL; `titles` holds the protocols of the port column's
 * title. Footnote marks and remarks in brackets are skipped. 0, or -EINVAL with *fault: unclear text is never guessed.
 */
int qpw_cells_read(const char *port, const char *protocol, const uint64_t titles[4], struct qpw_port_cells *ret,
                   struct qpw_cell_fault *fault);

/* Return whether every word of the cell is a protocol, or a port: for tables without column titles. */
bool qpw_is_protocol_cell(const char *cell);
bool qpw_is_port_cell(const char *cell);

/* Return whether the cell has a footnote mark besides other text; with `prose`, at its end. */
bool qpw_has_note_mark(const char *cell, bool prose);

/* Return how many ports a group has; 65535 for all ports of a protocol that has ports. */
unsigned qpw_ports_width(const struct qpw_row_ports *ports);

/* Return the directions that a heading names, as bits 1 << QPW_DIR_*; 0: none. */
unsigned qpw_directions_in(const char *text);

/*
 * Parse a cell or title that consists of directions only, in the order of the text ("both" is two). Returns their
 * number, 0 if the text contains anything else.
 */
size_t qpw_directions_of(const char *text, uint8_t ret[8]);

/* ---- Phrases (phrases.c) ---- */

size_t qpw_count_words(const char *text);

/*
 * Return whether a title, a remark or a few words deny ports, or introduce an example: "Blocked ports", "must not be
 * open".
 */
bool qpw_denies(const char *text);

/*
 * Return whether a sentence withdraws ports: "Do not open this port", "deprecated". Unlike for qpw_denies(), other
 * words may surround these.
 */
bool qpw_takes_back(const char *text);

/* Return whether something applies under a condition only: "if enabled", "disabled by default". */
bool qpw_is_conditional(const char *text);

/* Return whether text restricts who may be the initiator: "only from admin hosts", "localhost". */
bool qpw_restricts_ends(const char *text);

/* Return 4 or 6 if text is about that address family only, otherwise 0. `heading`: naming the family is enough. */
unsigned qpw_family_of(const char *text, bool heading);

/*
 * Return whether a direction is given from the clients' point of view: "Outbound from clients", "Inbound ports on the
 * client".
 */
bool qpw_is_clients_direction(const char *text);

/* Return whether text contains the words in any case, not adjoining letters or digits. */
bool qpw_has_words(const char *text, const char *words);
/* The same for any entry of the list, which ends with NULL. */
bool qpw_has_any_of(const char *text, const char *const *list);

/* Return the purpose for display: without remarks that became flags, on one line. Caller frees; NULL: no memory. */
char *qpw_purpose_text(const char *cell);

#endif

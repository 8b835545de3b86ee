/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * oracle.h - what an independent dissector says of the public captures: one row a 5-tuple.
 *
 * How the table was made, and what `how` means, is told beside it (ORIGIN.md in its folder).
 */
#ifndef TESTS_LIB_ORACLE_H
#define TESTS_LIB_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_CAPTURES "../shared/captures/"
#define ORACLE_MAX_ROWS 3000
#define ORACLE_MAX_NODES 4
#define ORACLE_MAX_CAPTURES 256

struct oracle_row {
    char how[12];
    uint8_t initiator[16], responder[16];
    int initiator_port, responder_port; /* -1: none */
    int protocol;                       /* -1: not IP */
    uint64_t packets[2], bytes[2];      /* [0] from the initiator, [1] from the responder */
    uint64_t first_us, last_us;         /* Unix time */
    bool wrapped;                       /* IP within PPPoE or MPLS, which the dissector looks through */
};

/* Rows of one capture, in the table's order. Returns how many; ends the test where the table cannot be read. */
size_t oracle_read(const char *capture, struct oracle_row rows[ORACLE_MAX_ROWS]);

/* Names of all captures of the table, in its order. Returns how many; 0 where there is no table. */
struct oracle_name {
    char capture[64];
};
size_t oracle_captures(struct oracle_name names[ORACLE_MAX_CAPTURES]);

/* The addresses of the two conversations (pairs of addresses) with the most packets. Returns how many, at most 4. */
size_t oracle_nodes(const struct oracle_row *rows, size_t n, uint8_t nodes[ORACLE_MAX_NODES][16]);

/* Whether the table is there at all. */
bool oracle_present(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * oracle.h - an independent dissector's results for the public captures: one row per 5-tuple.
 *
 * ORIGIN.md beside the table explains how it was made, and what `how` means.
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
    bool wrapped;                       /* IP within PPPoE or MPLS, which the dissector decapsulates */
};

/* Read the rows of one capture, in the table's order. Returns how many; ends the test if the table cannot be read. */
size_t oracle_read(const char *capture, struct oracle_row rows[ORACLE_MAX_ROWS]);

/* Read the names of all captures of the table, in its order. Returns how many; 0 if there is no table. */
struct oracle_name {
    char capture[64];
};
size_t oracle_captures(struct oracle_name names[ORACLE_MAX_CAPTURES]);

/*
 * Get the addresses of the two conversations (pairs of addresses) with the most packets. Returns how many, at most 4.
 */
size_t oracle_nodes(const struct oracle_row *rows, size_t n, uint8_t nodes[ORACLE_MAX_NODES][16]);

/* Return whether the table exists. */
bool oracle_present(void);

#endif

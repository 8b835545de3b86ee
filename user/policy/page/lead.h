/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lead.h - what a heading, a caption or the words before a table say of all of its rows. */
#ifndef QPW_POLICY_LEAD_H
#define QPW_POLICY_LEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qpw_lead {
    unsigned directions;  /* as bits 1 << QPW_DIR_* */
    char end[128];        /* who is at the other end, or that end's addresses; empty: nobody is named */
    bool end_is_address;
    uint8_t end_of;       /* the direction that has this other end */
    unsigned own_ends;    /* directions, as bits, whose other end would be the page's own nodes */
    bool only;            /* the text says "only" */
    char restriction[64]; /* the first word that may restrict the rows; empty: none */
    char place[64];       /* a machine or network that the direction may be of; empty: none */
    char unknown[64];     /* the first word that is neither of a direction nor harmless; empty: none */
    bool pointer;         /* it points to another place */
};

/* What the text's words say. Words that are known to mean nothing for the rows ("the following ports are required") are
 * passed over; of all others the first is told. */
void qpw_lead_of(const char *text, struct qpw_lead *ret);

/* The next word, from the *at-th on, that names something: none of a direction, of a service that any product may have, or
 * of what is harmless. *at is moved behind it. False: there is none. */
bool qpw_lead_next_name(const char *text, size_t *at, char ret[48]);

/* Nothing but a direction. */
bool qpw_lead_is_plain(const struct qpw_lead *lead);

#endif

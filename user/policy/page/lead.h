/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* lead.h - interpret a heading, caption or the text before a table, which applies to all of its rows. */
#ifndef QPW_POLICY_LEAD_H
#define QPW_POLICY_LEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qpw_lead {
    unsigned directions;  /* as bits 1 << QPW_DIR_* */
    char end[128];        /* the name or addresses of the other end; empty: none given */
    bool end_is_address;
    uint8_t end_of;       /* the direction to which `end` belongs */
    unsigned own_ends;    /* directions, as bits, whose other end is the page's own nodes */
    bool only;            /* the text contains "only" */
    char restriction[64]; /* the first word that may restrict the rows; empty: none */
    char location[64]; /* a machine or network whose direction it may be; empty: none */
    char unknown[64];     /* the first word that is neither a direction nor harmless; empty: none */
    bool pointer;         /* it refers to another place */
};

/*
 * Interpret the words of a text. Words that do not affect the rows ("the following ports are required") are skipped; of
 * the others, the first of each kind is kept.
 */
void qpw_lead_of(const char *text, struct qpw_lead *ret);

/*
 * Get the next word, starting with word *at, that is a name: no direction, no service that any product may have,
 * nothing harmless. *at is moved after it. False: there is none.
 */
bool qpw_lead_next_name(const char *text, size_t *at, char ret[48]);

/* Return whether the text is a direction and nothing else. */
bool qpw_lead_is_plain(const struct qpw_lead *lead);

#endif

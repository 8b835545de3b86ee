/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listening.h - listening sockets as a table for people and as a JSON document. */
#ifndef QPW_REPORT_LISTENING_H
#define QPW_REPORT_LISTENING_H

#include <jansson.h>

#include "facts/answer.h"
#include "facts/listening.h"
#include "words/printer.h"

/* What the rows were compared with. */
struct qpw_listening_about {
    const struct qpw_registry *names; /* of the rules */
    const char *policy_name;
    const char *policy_path;
    const char *policy_digest;
    const char *source_digest;
    uint64_t now_unix_ns;
    const struct qpw_answer *answer; /* about the node; NULL: nothing is attached */
    const char *why;                 /* the reason */
    bool no_owners;                  /* owner= is unknown, because the file is no longer the policy in force */
};

/*
 * Print all rows or, with `brief` for a section of a report, only unlisted ones and those with another owner. Returns 0
 * or -ENOMEM; write errors are left in the printer's stream.
 */
int qpw_listening_text(const struct qpw_listening *l, const struct qpw_listening_about *about,
                       const struct qpw_printer *p);
int qpw_listening_section(const struct qpw_listening *l, const struct qpw_listening_about *about, bool brief,
                          const struct qpw_printer *p);

/* Add "listeners" and "listed_not_listening" to a document. Returns 0 or -1 if out of memory. */
int qpw_listening_add_json(json_t *document, const struct qpw_listening *l, const struct qpw_listening_about *about);

/* Build the document "qportwatch.listeners/1". NULL: out of memory. */
json_t *qpw_listening_json(const struct qpw_listening *l, const struct qpw_listening_about *about);

#endif

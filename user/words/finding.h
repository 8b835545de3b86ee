/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding.h - findings and groups of them in words, and the policy line that would allow one. All write into buf. */
#ifndef QPW_WORDS_FINDING_H
#define QPW_WORDS_FINDING_H

#include "facts/findings.h"
#include "facts/losses.h"

/* "640 unexpected, 8 of them answered"; "8 or more" if details of answered exchanges were lost. */
const char *qpw_words_found(const struct qpw_losses *losses, size_t unexpected, size_t answered, char *buf, size_t size);

/* Parts of a line: "tcp/4444" or "593 ports, 4-10000"; an address or "16 addresses"; "no answer / refused". */
const char *qpw_words_line_service(const struct qpw_finding_line *line, char *buf, size_t size);
const char *qpw_words_line_initiator(const struct qpw_finding_line *line, char *buf, size_t size);
const char *qpw_words_line_responder(const struct qpw_finding_line *line, char *buf, size_t size);
const char *qpw_words_line_outcome(const struct qpw_finding_line *line);

/* Something that could be allowed: a finding, or a row of traffic. */
struct qpw_allow {
    unsigned kind, protocol, direction, verdict, port;
    unsigned reason;       /* enum qpw_reason */
    unsigned services, speaks; /* of a mismatch: what the rule names, and what the node's end looks like */
    const char *rule;      /* the rule that it missed or is counted by; "": none */
    const char *purpose;   /* a process's name, with any characters; NULL: a placeholder */
    const uint8_t *remote; /* NULL: any */
};

/*
 * Write the policy line that would allow it and return 0; otherwise write the reason, "already allowed" or "none: …",
 * and return -ENOENT.
 */
int qpw_words_allow(const struct qpw_allow *a, char *buf, size_t size);

#endif

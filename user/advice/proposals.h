/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* proposals.h - proposals in a policy that a person edits: put in, and what was not accepted taken out again. */
#ifndef QPW_ADVICE_PROPOSALS_H
#define QPW_ADVICE_PROPOSALS_H

/* The policy's text with the proposals (of suggest.h) behind it, between two marks. The caller's; NULL: no memory. */
char *qpw_proposals_put(const char *policy, const char *proposals);

/*
 * The text without the marks, and without what is still commented out between them; an accepted line keeps the evidence
 * above it. Where the marks are gone, all is kept. The caller's; NULL: no memory.
 */
char *qpw_proposals_take(const char *edited);

#endif

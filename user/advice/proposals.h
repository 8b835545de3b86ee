/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* proposals.h - add proposals to a policy for editing, and remove those not accepted. */
#ifndef QPW_ADVICE_PROPOSALS_H
#define QPW_ADVICE_PROPOSALS_H

/*
 * Return the policy's text followed by the proposals (of suggest.h) between two marks. The caller frees it; NULL: no
 * memory.
 */
char *qpw_proposals_put(const char *policy, const char *proposals);

/*
 * Return the text without the marks and without comments between them; an accepted line keeps the evidence above it.
 * Without the marks, everything is kept. The caller frees it; NULL: no memory.
 */
char *qpw_proposals_take(const char *edited);

#endif

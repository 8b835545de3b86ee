/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* life.h - whether a finding is open, acknowledged or closed, and by whom or what, in words and as JSON. */
#ifndef QPW_WORDS_LIFE_H
#define QPW_WORDS_LIFE_H

#include <jansson.h>

#include "facts/findings.h"
#include "facts/life.h"

/*
 * "open"; "closed by rule nfs at 13:02:11"; "acknowledged at 12:58:00 until 11-30 12:00, by alice: known". Returns buf.
 */
const char *qpw_words_life(const struct qpw_snapshot *s, const struct qpw_finding_row *f, char *buf, size_t size);

/* The same without the leading "acknowledged" or "closed", for a column with that title. */
const char *qpw_words_life_step(const struct qpw_snapshot *s, const struct qpw_finding_row *f, char *buf, size_t size);

/* The same for a group: the latest step, marked as such if they differ. */
const char *qpw_words_line_step(const struct qpw_snapshot *s, const struct qpw_finding_line *line, char *buf, size_t size);

/* Set `state`, `closed` {when, by, rule, who} or null, `acknowledged` {when, who, reason, until} or null. */
void qpw_json_set_life(json_t *o, const struct qpw_snapshot *s, const struct qpw_finding_row *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* coverage.h - what was monitored and what may be missing, in words. All write into buf and return it. */
#ifndef QPW_WORDS_COVERAGE_H
#define QPW_WORDS_COVERAGE_H

#include "facts/gaps.h"
#include "facts/sight.h"

/* "eth0: XDP (driver veth attaches without a link reset)"; in an unusual state "eth0 GONE: XDP (…)". */
const char *qpw_words_watched(const struct qpw_snapshot *s, const struct qpw_iface_row *row, char *buf, size_t size);

/* "eth1 (1.23 M packets received, 0 sent)". */
const char *qpw_words_unwatched(const struct qpw_unwatched_row *row, char *buf, size_t size);

/* Write whether an interface of the host is monitored, or why not: "its packets are seen at bond0". */
const char *qpw_words_link_state(const struct qpw_inventory_row *row, char *buf, size_t size);

/* "eth0 monitoring lost from 20:41:07 to now"; times as qpw_words_moment(). */
const char *qpw_words_gap(const struct qpw_snapshot *s, const struct qpw_gap *gap, char *buf, size_t size);

/* A sentence or two, without the final full stop. */
#define QPW_NOTE_TEXT 420u
const char *qpw_words_note(const struct qpw_note *note, char buf[QPW_NOTE_TEXT]);

#endif

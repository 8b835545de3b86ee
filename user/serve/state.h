/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* state.h - the files that `serve` keeps in its state directory: each is written beside and renamed, so readers see whole ones. */
#ifndef QPW_SERVE_STATE_H
#define QPW_SERVE_STATE_H

#include <jansson.h>
#include <sys/types.h>

#include "alert/log/chain.h"
#include "util/error.h"

#define QPW_STATE_PEERS "peers" /* NAME.json: the last statement of each */
#define QPW_STATE_HEADS "heads" /* NAME: heads of its alert log, one an hour, see qpw_state_head() */
#define QPW_STATE_HEADS_BYTES (1u << 20)
#define QPW_STATE_EVENTS "events" /* NAME: the events of each, see serve/heard.h */
#define QPW_STATE_EVENTS_BYTES (1u << 20)

/* Create the directory with its parts if missing. Return 0 or a negative errno with err filled. */
int qpw_state_open(const char *folder, struct qpw_error *err);

/* Write a document as `name`. Return 0 or a negative errno. */
int qpw_state_write(const char *folder, const char *name, const json_t *document, mode_t mode);

/* The same for bytes. */
int qpw_state_write_bytes(const char *folder, const char *name, const char *bytes, size_t length, mode_t mode);

/*
 * Append a head of a peer's log as a line "TIME NUMBER:SUM", which `alerts --verify --peers` holds against that log. A full
 * file is cut to its newer half. Return 0 or a negative errno.
 */
int qpw_state_head(const char *folder, const char *peer, uint64_t unix_ns, const struct qpw_log_chain *head);

/* Append a peer's events, whole lines. A full file is cut to its newer half. Return 0 or a negative errno. */
int qpw_state_events(const char *folder, const char *peer, const char *bytes, size_t length);

/*
 * Read the end of a peer's events, at most `size` bytes, which can begin within a line. Return its length, 0 if there are
 * none.
 */
size_t qpw_state_events_end(const char *folder, const char *peer, char *buf, size_t size);

/*
 * Write a file name for a peer's name, which may be anything a policy allows: other characters than letters, digits, '-',
 * '_' and '.' (not first) become %XX. Returns buf.
 */
const char *qpw_state_name(const char *peer, const char *ending, char *buf, size_t size);

#endif

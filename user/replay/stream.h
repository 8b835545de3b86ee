/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stream.h - a capture file as a byte stream: plain or gzip, a path or standard input. */
#ifndef QPW_REPLAY_STREAM_H
#define QPW_REPLAY_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

struct qpw_stream;

/*
 * Open `path` ("-": standard input) for reading; gzip is recognised by content. The caller owns *ret. Returns 0, or a
 * negative errno with err filled and *ret unchanged.
 */
int qpw_stream_open(const char *path, struct qpw_stream **ret, struct qpw_error *err);

/* Return whether the file can be read twice: neither standard input nor a pipe (`<(zcat …)`). */
bool qpw_stream_is_rereadable(const char *path);

/* Return the stream of uncompressed bytes, which `s` closes; ftello() works, fseek() does not. */
FILE *qpw_stream_file(struct qpw_stream *s);

/* Transfer the file to the caller, who closes it before the stream. */
void qpw_stream_give_file(struct qpw_stream *s);

/* Copy up to 4 of the first bytes, before anything is read from the file. Returns how many. */
unsigned qpw_stream_peek(const struct qpw_stream *s, uint8_t first[4]);

/* Return what is wrong with the compressed data (damaged, truncated), or NULL. Static or owned by the stream. */
const char *qpw_stream_problem(struct qpw_stream *s);

/*
 * Write the SHA-256 of the file on disk as 64 hexadecimal digits; an empty text if unknown: a pipe that is compressed or
 * was not read to its end, or a file that cannot be read to its end. Call after the last byte was read.
 */
void qpw_stream_digest(struct qpw_stream *s, char ret[65]);

/* Return the bytes read from disk, or their total number (0: unknown, a pipe), for progress. */
uint64_t qpw_stream_position(struct qpw_stream *s);
uint64_t qpw_stream_size(const struct qpw_stream *s);

/* s may be NULL */
void qpw_stream_close(struct qpw_stream *s);

#endif

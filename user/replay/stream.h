/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stream.h - a capture file as a stream of bytes: plain or gzip, a path or standard input.
 */
#ifndef QPW_REPLAY_STREAM_H
#define QPW_REPLAY_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

struct qpw_stream;

/*
 * Opens `path` ("-": standard input) for reading; gzip is recognised by its content. *ret is owned by
 * the caller. 0, or a negative errno with err and *ret untouched.
 */
int qpw_stream_open(const char *path, struct qpw_stream **ret, struct qpw_error *err);

/* Whether the file can be read twice: not standard input, nor a pipe (`<(zcat …)`). */
bool qpw_stream_is_rereadable(const char *path);

/* The uncompressed bytes. Belongs to the stream, which closes it; ftello() works, fseek() does not. */
FILE *qpw_stream_file(struct qpw_stream *s);

/* The file is now somebody else's, who closes it before the stream is closed. */
void qpw_stream_give_file(struct qpw_stream *s);

/* The first bytes, before anything is read from the file: fills up to 4, returns how many there are. */
unsigned qpw_stream_peek(const struct qpw_stream *s, uint8_t first[4]);

/* What is wrong with the compressed data (damaged, cut off), or NULL. Static or the stream's. */
const char *qpw_stream_problem(struct qpw_stream *s);

/*
 * The SHA-256 of the file as it lies on disk, as 64 hexadecimal digits; an empty text where it cannot be known (a pipe
 * that is compressed, or was not read to its end). After the last byte was read.
 */
void qpw_stream_digest(struct qpw_stream *s, const char *path, char ret[65]);

/* Bytes read from disk so far, and how many there are (0: not known, a pipe). For progress. */
uint64_t qpw_stream_position(struct qpw_stream *s);
uint64_t qpw_stream_size(const struct qpw_stream *s);

/* NULL does nothing. */
void qpw_stream_close(struct qpw_stream *s);

#endif

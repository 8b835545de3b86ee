/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * capture.h - read a capture file, pcap or pcapng, plain or gzip, as a sequence of Ethernet frames.
 *
 * Uses constant memory for files of any size. A damaged file yields every frame before the damage.
 */
#ifndef QPW_REPLAY_CAPTURE_H
#define QPW_REPLAY_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "replay/link.h"
#include "util/error.h"

struct qpw_capture;

/*
 * Open a file ("-": standard input). The caller owns *ret. Returns 0, or a negative errno with err filled and *ret
 * unchanged: -EINVAL if it is no capture, otherwise the error of reading it.
 */
int qpw_capture_open(const char *path, struct qpw_capture **ret, struct qpw_error *err);

/*
 * Read the next frame of a link type that can be replayed. Returns 1 with *ret filled; 0 at the end; -EIO if the file
 * is damaged or truncated here, and err names file, offset and cause. Nothing can be read after 0 or an error.
 */
int qpw_capture_next(struct qpw_capture *c, struct qpw_capture_frame *ret, struct qpw_error *err);

/* Return how many records of other link types have been skipped, and write the first one's, "239 (NFLOG)", to name. */
uint64_t qpw_capture_unsupported(const struct qpw_capture *c, char *name, size_t size);

/* Return the offset of the last record, or of the damage, in uncompressed bytes. */
uint64_t qpw_capture_offset(const struct qpw_capture *c);

/* Return the name of the frame's interface if the file has it; otherwise an empty text. Valid until the next frame. */
const char *qpw_capture_interface_name(const struct qpw_capture *c, const struct qpw_capture_frame *frame);

/* Return the bytes read from disk, or their total number (0: unknown). */
uint64_t qpw_capture_position(struct qpw_capture *c);
uint64_t qpw_capture_size(const struct qpw_capture *c);

/* Write the file's SHA-256 as 64 hexadecimal digits, or an empty text if unknown; call after the last frame. */
void qpw_capture_digest(struct qpw_capture *c, char ret[65]);

/* c may be NULL */
void qpw_capture_close(struct qpw_capture *c);

#endif

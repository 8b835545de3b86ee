/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * capture.h - one capture file, pcap or pcapng, plain or gzip, as a sequence of Ethernet frames.
 *
 * Constant memory whatever the file's size. A damaged file gives every frame before the damage.
 */
#ifndef QPW_REPLAY_CAPTURE_H
#define QPW_REPLAY_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "replay/link.h"
#include "util/error.h"

struct qpw_capture;

/*
 * Opens a file ("-": standard input). *ret is owned by the caller. 0, or with err and *ret untouched:
 * -EINVAL not a capture, else the errno of reading it.
 */
int qpw_capture_open(const char *path, struct qpw_capture **ret, struct qpw_error *err);

/*
 * The next frame of a link type that can be replayed. 1: *ret is one; 0: the end; -EIO: damaged or cut off here, err
 * names the file, the offset and what is wrong. Nothing can be read after 0 or an error.
 */
int qpw_capture_next(struct qpw_capture *c, struct qpw_capture_frame *ret, struct qpw_error *err);

/* How many records of other link types were passed over so far; the first one's, "239 (NFLOG)", into name. */
uint64_t qpw_capture_unsupported(const struct qpw_capture *c, char *name, size_t size);

/* Offset of the record last read, or at which the damage begins: bytes of the uncompressed data. */
uint64_t qpw_capture_offset(const struct qpw_capture *c);

/* Name of the frame's interface where the file says it, else empty. Valid until the next frame. */
const char *qpw_capture_interface_name(const struct qpw_capture *c, const struct qpw_capture_frame *frame);

/* How far it is read: bytes on disk, and their number (0: not known). */
uint64_t qpw_capture_position(struct qpw_capture *c);
uint64_t qpw_capture_size(const struct qpw_capture *c);

/* SHA-256 of the file as 64 hexadecimal digits, empty where it is not known; after the last frame. */
void qpw_capture_digest(struct qpw_capture *c, const char *path, char ret[65]);

/* NULL does nothing. */
void qpw_capture_close(struct qpw_capture *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pcapng.h - the blocks of a pcapng file: packets with their interface, direction and time.
 *
 * Read here and not by libpcap because that library tells neither interface nor direction, and refuses
 * files whose interfaces differ in link type or snap length. Source: the pcapng specification,
 * draft-ietf-opsawg-pcapng.
 */
#ifndef QPW_REPLAY_PCAPNG_H
#define QPW_REPLAY_PCAPNG_H

#include <stdint.h>
#include <stdio.h>

#include "replay/link.h"
#include "util/error.h"

struct qpw_pcapng;

/*
 * Starts reading at a section header block. `file` stays the caller's. *ret is owned by the caller.
 * -EINVAL: not pcapng.
 */
int qpw_pcapng_open(FILE *file, struct qpw_pcapng **ret, struct qpw_error *err);

/*
 * The next packet as the file has it (link layer not yet replaced); *ret_link_type is its interface's.
 * 1: a packet, 0: the end of the file, -EIO: damaged, err says how.
 */
int qpw_pcapng_next(struct qpw_pcapng *ng, struct qpw_capture_frame *ret, uint32_t *ret_link_type,
                    struct qpw_error *err);

/* Uncompressed offset of the block last read or tried. */
uint64_t qpw_pcapng_offset(const struct qpw_pcapng *ng);

/* Name of an interface (qpw_capture_frame.iface), empty where the file does not say it. */
const char *qpw_pcapng_interface_name(const struct qpw_pcapng *ng, uint32_t iface);

/* NULL does nothing. */
void qpw_pcapng_close(struct qpw_pcapng *ng);

#endif

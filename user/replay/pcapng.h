/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pcapng.h - read the packets of a pcapng file with their interface, direction and time.
 *
 * libpcap is not used because it reports neither interface nor direction, and rejects files whose interfaces differ in
 * link type or snap length. Source: the pcapng specification, draft-ietf-opsawg-pcapng.
 */
#ifndef QPW_REPLAY_PCAPNG_H
#define QPW_REPLAY_PCAPNG_H

#include <stdint.h>
#include <stdio.h>

#include "replay/link.h"
#include "util/error.h"

struct qpw_pcapng;

/* Start reading at a section header block. `file` remains the caller's; the caller owns *ret. -EINVAL: not pcapng. */
int qpw_pcapng_open(FILE *file, struct qpw_pcapng **ret, struct qpw_error *err);

/*
 * Read the next packet as it is in the file (link header unchanged); *ret_link_type is its interface's. Returns 1 for a
 * packet, 0 at the end of the file, -EIO if it is damaged, with err filled.
 */
int qpw_pcapng_next(struct qpw_pcapng *ng, struct qpw_capture_frame *ret, uint32_t *ret_link_type,
                    struct qpw_error *err);

/* Return the uncompressed offset of the block read or tried last. */
uint64_t qpw_pcapng_offset(const struct qpw_pcapng *ng);

/* Return the name of an interface (qpw_capture_frame.iface); empty if the file does not have it. */
const char *qpw_pcapng_interface_name(const struct qpw_pcapng *ng, uint32_t iface);

/* ng may be NULL */
void qpw_pcapng_close(struct qpw_pcapng *ng);

#endif

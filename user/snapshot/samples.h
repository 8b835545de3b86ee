/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* samples.h - what this node exchanged with each peer, second by second (struct qpw_sample), and who opened in their names. */
#ifndef QPW_SNAPSHOT_SAMPLES_H
#define QPW_SNAPSHOT_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/neighbourhood.h"
#include "instance/object.h"

/*
 * Whether rows of that key count what both ends see alike: unicast IP between static addresses of this node and a peer. ICMP
 * errors are left out, which a router in between may send, too.
 */
bool qpw_meter_is_pair(const struct qpw_meter_key *key);

/*
 * Takes a sample now. watched: the names of the devices that are monitored, which come behind the others. *ret_any: there is
 * a peer that something was exchanged with; else the sample is not worth keeping. 0 or a negative errno.
 */
int qpw_sample_take(const struct qpw_kernel *k, const char (*watched)[16], size_t n_watched, struct qpw_sample *ret, bool *ret_any);

/* Keeps it in the kernel side, in the place of the one of two minutes before. 0 or a negative errno. */
int qpw_sample_keep(const struct qpw_kernel *k, const struct qpw_sample *sample);

/* Those of the last two minutes before the latest one, oldest first. The caller frees *ret. 0 or a negative errno. */
int qpw_samples_read(const struct qpw_kernel *k, struct qpw_sample **ret, size_t *ret_n);

/* By peer number, QPW_MAX_PEERS of them; the caller frees *ret. 0 or a negative errno. */
int qpw_openers_read(const struct qpw_kernel *k, struct qpw_openers **ret);

/* Whether a local address may float, as the auditor has told the kernel side. False also where it is not there. */
bool qpw_local_floats(const struct qpw_kernel *k, const uint8_t addr[16]);

#endif

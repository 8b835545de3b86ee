/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * samples.h - the traffic exchanged with each peer, second by second (struct qpw_sample), and the MACs that opened in
 * its name.
 */
#ifndef QPW_SNAPSHOT_SAMPLES_H
#define QPW_SNAPSHOT_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/neighbourhood.h"
#include "instance/object.h"

/*
 * Return whether rows of that key count what both ends see alike: unicast IP between static addresses of this node and
 * a peer. ICMP errors are excluded, because routers in between send them, too.
 */
bool qpw_meter_is_pair(const struct qpw_meter_key *key);

/*
 * Take a sample now. watched: names of the monitored devices, which come after the others. *ret_any: some peer had
 * traffic; otherwise the sample is not worth keeping. Return 0 or a negative errno.
 */
int qpw_sample_take(const struct qpw_kernel *k, const char (*watched)[16], size_t n_watched, struct qpw_sample *ret, bool *ret_any);

/* Store it in the instance, replacing the one of two minutes ago. Return 0 or a negative errno. */
int qpw_sample_keep(const struct qpw_kernel *k, const struct qpw_sample *sample);

/*
 * Read the samples of the two minutes before the latest one, oldest first. Return 0 or a negative errno; the caller
 * frees *ret.
 */
int qpw_samples_read(const struct qpw_kernel *k, struct qpw_sample **ret, size_t *ret_n);

/* Read the openers by peer number, QPW_MAX_PEERS of them. Return 0 or a negative errno; the caller frees *ret. */
int qpw_openers_read(const struct qpw_kernel *k, struct qpw_openers **ret);

/* Return whether a local address may float, as the auditor wrote it into the instance. False if it is unknown. */
bool qpw_local_floats(const struct qpw_kernel *k, const uint8_t addr[16]);

#endif

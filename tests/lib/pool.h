/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pool.h - kernel sides that tests take over from each other: what a test costs is the verifier's work, and the programs
 * of the last test are as good as new ones once all maps are empty.
 *
 * TEST_POOL in the environment names a folder, with a BPF file system at `bpf` in it; without it each test loads its own.
 * An instance belongs to who holds the lock on its file, until that process ends, however it does. It is emptied when it
 * is taken, so it does not matter how it was left.
 */
#ifndef TESTS_LIB_POOL_H
#define TESTS_LIB_POOL_H

#include <stdbool.h>

#include "instance/object.h"

/* An instance as just loaded with these options, with the programs that others have loaded. false: there is no pool. */
bool pool_take(const struct qpw_load_options *options, struct qpw_kernel *ret);

/* Leaves what was loaded in the meantime to those who come after; for an instance from pool_take(), or none. */
void pool_keep_programs(const struct qpw_kernel *k);

#endif

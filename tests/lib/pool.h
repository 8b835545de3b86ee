/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pool.h - kernel sides that tests hand over to each other, because verification takes most of a test's time, and
 * programs that were loaded before are as good as new once all maps are empty.
 *
 * TEST_POOL in the environment names a folder with a BPF file system at `bpf` in it; without it each test loads its
 * own. An instance belongs to the process that holds the lock on its file, until that process ends in any way. It is
 * emptied when it is taken, so its earlier state does not matter.
 */
#ifndef TESTS_LIB_POOL_H
#define TESTS_LIB_POOL_H

#include <stdbool.h>

#include "instance/object.h"

/*
 * Take an instance, empty as if just loaded with these options, with the programs loaded before. False: there is no
 * pool.
 */
bool pool_take(const struct qpw_load_options *options, struct qpw_kernel *ret);

/* Keep the programs loaded meanwhile for later tests; for an instance from pool_take(), otherwise no-op. */
void pool_keep_programs(const struct qpw_kernel *k);

#endif

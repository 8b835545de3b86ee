/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * programs.h - load the embedded programs onto an instance's maps, in parallel.
 *
 * The verifier takes a tenth of a second or more per program, but with CAP_BPF verifications run concurrently; so each
 * program is loaded by its own thread, while the caller does what needs only the maps.
 */
#ifndef QPW_KERNEL_PROGRAMS_H
#define QPW_KERNEL_PROGRAMS_H

#include <stdint.h>

#include "instance/kernel.h"
#include "util/error.h"

struct qpw_programs;

/*
 * Start loading the programs `wanted` (bits by enum qpw_program) onto the maps of *k, whose descriptors must stay open
 * until the end. Returns 0, or a negative errno with err filled and nothing started.
 */
int qpw_programs_begin(const struct qpw_kernel *k, uint32_t wanted, struct qpw_programs **ret, struct qpw_error *err);

/*
 * Wait for the programs and free *programs. Each program keeps every map alive, also those that only user space reads.
 * prog_fd, by enum qpw_program, gets the descriptors, which the caller owns; if a program could not be loaded, it gets
 * none. Returns 0, or a negative errno with err filled.
 */
int qpw_programs_end(struct qpw_programs *programs, int prog_fd[QPW_PROG_COUNT], struct qpw_error *err);

#endif

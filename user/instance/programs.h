/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * programs.h - the embedded programs onto the maps of a kernel side, verified at the same time.
 *
 * The verifier takes a tenth of a second and more for each program, but callers with CAP_BPF do not wait
 * for one another there: so each program is loaded by a thread of its own, while the caller does what
 * needs the maps only.
 */
#ifndef QPW_KERNEL_PROGRAMS_H
#define QPW_KERNEL_PROGRAMS_H

#include <stdint.h>

#include "instance/kernel.h"
#include "util/error.h"

struct qpw_programs;

/*
 * Begins to load the programs `wanted` (bits by enum qpw_program) onto the maps of *k, whose descriptors
 * must stay open until the end. 0, or a negative errno with err filled and nothing begun.
 */
int qpw_programs_begin(const struct qpw_kernel *k, uint32_t wanted, struct qpw_programs **ret, struct qpw_error *err);

/*
 * Waits for the programs and frees *programs. Each program holds every map, so that these live as long as it:
 * also those that only user space reads. prog_fd, by enum qpw_program, gets the descriptors, which become the
 * caller's; if one program could not be loaded it gets none: a negative errno and the reason in err.
 */
int qpw_programs_end(struct qpw_programs *programs, int prog_fd[QPW_PROG_COUNT], struct qpw_error *err);

#endif

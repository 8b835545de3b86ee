/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * confine.h - which system calls a process may still make (seccomp). What is not listed fails with ENOSYS, so that the C
 * library falls back to what is. There is no way back.
 */
#ifndef QPW_HOST_CONFINE_H
#define QPW_HOST_CONFINE_H

#include <stdbool.h>

/*
 * For a helper that only reads files (helper.h): open for reading, read, list, follow links; no memory that can be
 * executed, no network, no program, no other process. supervisor: also what starts and ends a child. 0 or a negative errno.
 */
int qpw_confine_reader(bool supervisor);

#endif

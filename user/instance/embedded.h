/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * embedded.h - the BPF object of the kernel side, compiled twice: stages that are given an entry of a table are global
 * functions, which the verifier goes through once; but before Linux 5.13 such a function may take no pointers, so those
 * kernels are given an object in which they are static. All else is the same in both.
 */
#ifndef QPW_KERNEL_EMBEDDED_H
#define QPW_KERNEL_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;

/*
 * Opens the one for this kernel, or that for old ones, under QPW_OBJECT_NAME. NULL, with errno set: it cannot be opened.
 * The caller closes it.
 */
struct bpf_object *qpw_embedded_open(bool old_verifier);

/* Their pages are the program file's: they are there again when they are next read. Nothing may be open. */
void qpw_embedded_give_back(void);

#endif

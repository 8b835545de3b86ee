/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * embedded.h - the BPF object, compiled twice. Stages that take a table entry are global functions, which the verifier
 * checks only once; but before Linux 5.13 a global function may take no pointer, so those kernels get an object in
 * which they are static. Otherwise both are the same.
 */
#ifndef QPW_KERNEL_EMBEDDED_H
#define QPW_KERNEL_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_object;

/*
 * Open the object for this kernel, or the one for old kernels, under QPW_OBJECT_NAME. NULL with errno set on failure.
 * The caller closes it.
 */
struct bpf_object *qpw_embedded_open(bool old_verifier);

/*
 * Release the memory of both objects' pages; they are read from the program file again when needed. No object may be
 * open.
 */
void qpw_embedded_give_back(void);

#endif

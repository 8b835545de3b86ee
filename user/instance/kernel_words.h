/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kernel_words.h - what the kernel says when it refuses something, for error texts. */
#ifndef QPW_KERNEL_WORDS_H
#define QPW_KERNEL_WORDS_H

/* Sends libbpf's warnings nowhere, but keeps the kernel's own words on a failure. */
void qpw_quiet_libbpf(void);

/* The kernel's words to this thread since they were last asked for, or "". */
const char *qpw_kernel_words(void);

/*
 * What helps where the kernel refuses a program or a map with that negative errno: "; the limit on open files is too low …",
 * or `needs` where rights or the kernel may be what lacks. Static, or `needs`.
 */
const char *qpw_kernel_cure(int error, const char *needs);

#endif

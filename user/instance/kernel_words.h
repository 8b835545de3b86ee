/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kernel_words.h - the kernel's own error messages. */
#ifndef QPW_KERNEL_WORDS_H
#define QPW_KERNEL_WORDS_H

/* Silence libbpf's warnings, but keep the kernel's messages in them. */
void qpw_quiet_libbpf(void);

/* Return the kernel's last message to this thread since the previous call, or "". */
const char *qpw_kernel_words(void);

/*
 * Return the remedy if the kernel refuses a program or map with that negative errno: "; the limit on open files is too
 * low …", or `needs` if privileges or kernel support may be missing. Static, or `needs`.
 */
const char *qpw_kernel_cure(int error, const char *needs);

#endif

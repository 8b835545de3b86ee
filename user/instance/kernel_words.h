/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* kernel_words.h - the kernel's own messages: why it refuses something, and the verifier's log. */
#ifndef QPW_KERNEL_WORDS_H
#define QPW_KERNEL_WORDS_H

#include <stdio.h>

/* Silence libbpf's warnings, but keep the kernel's messages in them. */
void qpw_quiet_libbpf(void);

/*
 * Write the verifier's log of every program that is loaded from now on to the stream, as libbpf formats it; NULL ends
 * that. Only after qpw_quiet_libbpf(); programs are loaded by threads of their own, each log is written in one piece.
 */
void qpw_verifier_log_show(FILE *to);

/* Return the log level to load programs with (BPF_LOG_… bits of linux/bpf_verifier.h); 0: no log is shown. */
unsigned qpw_verifier_log_level(void);

/* Return the kernel's last message to this thread since the previous call, or "". */
const char *qpw_kernel_words(void);

/*
 * Return the remedy if the kernel refuses a program or map with that negative errno: "; the limit on open files is too
 * low …", or `needs` if privileges or kernel support may be missing. Static, or `needs`.
 */
const char *qpw_kernel_remedy(int error, const char *needs);

#endif

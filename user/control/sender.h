/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sender.h - the sender of a signal that the auditor received, and whether it may end or change the audit.
 *
 * uid 0 may send it any signal, even from a container with the host's network. The rights required are those of a
 * request (peer.h), but the sender may have ended before it is examined, and its pid may have been reused.
 */
#ifndef QPW_CONTROL_SENDER_H
#define QPW_CONTROL_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "util/error.h"

/*
 * Return whether the sender is proven to have the right: this process or its parent, process 1 (the service manager),
 * the kernel (a terminal's key), or a process that peer.h accepts and that started before the signal was sent.
 * none_before_ns: a time (CLOCK_BOOTTIME) at which no signal was pending. If false, *why is the rest of a sentence
 * about it.
 */
bool qpw_sender_may_control(const struct signalfd_siginfo *info, uint64_t none_before_ns, struct qpw_error *why);

/* Describe the sender: "SIGTERM from process 12, ana (as root), pts/3: bash", as far as known; truncated to size. */
void qpw_sender_describe(const struct signalfd_siginfo *info, char *ret, size_t size);

#endif

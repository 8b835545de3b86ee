/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sender.h - whose signal the auditor received, and whether it may end or change the audit.
 *
 * uid 0 may send it any signal, from a container with the host's network, too. What decides is the same as of a request
 * (peer.h), but a signal's sender may have ended when it is looked at, and its number may be another process's by then.
 */
#ifndef QPW_CONTROL_SENDER_H
#define QPW_CONTROL_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/signalfd.h>

#include "util/error.h"

/*
 * Whether the sender is shown to have the right: this process itself or the one that started it, process 1 (the service
 * manager), the kernel (a terminal's key), or a process that peer.h finds fit and that lived before the signal was sent.
 * none_before_ns: a moment (CLOCK_BOOTTIME) at which no signal was waiting. Otherwise false, and *why is the rest of a
 * sentence about it.
 */
bool qpw_sender_may_control(const struct signalfd_siginfo *info, uint64_t none_before_ns, struct qpw_error *why);

/* "SIGTERM from process 12, ana (as root), pts/3: bash", as far as it is known; cut to size. */
void qpw_sender_describe(const struct signalfd_siginfo *info, char *ret, size_t size);

#endif

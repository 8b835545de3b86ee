/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listening.h - listening sockets in words. */
#ifndef QPW_WORDS_LISTENING_H
#define QPW_WORDS_LISTENING_H

#include "facts/listening.h"

/* Shown below a list if the policy in force has no text any more that owner= could be read from. */
#define QPW_WORDS_NO_OWNERS \
    "The policy's file has changed since it was loaded: owner= of its rules is not checked here. 'qportwatch reload' puts " \
    "the file in force."

/* "any", "any IPv6", "10.1.0.1", each with "%eth1" if the socket is bound to an interface. Returns buf. */
const char *qpw_words_listener_address(const struct qpw_listener *l, char *buf, size_t size);

/* "never", "yes", or the time of the last contact; "" if nothing is being counted. Returns buf, or a static text. */
const char *qpw_words_listener_asked(const struct qpw_listening *l, const struct qpw_listening_row *row, uint64_t now_ns,
                                     char *buf, size_t size);

/* Return the row's verdict: "unlisted", "allowed" …, "loopback", or "mismatch" if it has another owner. Static. */
const char *qpw_words_listener_verdict(const struct qpw_listening_row *row);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* listening.h - what is shown of a socket that listens. */
#ifndef QPW_WORDS_LISTENING_H
#define QPW_WORDS_LISTENING_H

#include "facts/listening.h"

/* What stands below a list whose policy in force has no text any more to take owner= from. */
#define QPW_WORDS_NO_OWNERS \
    "The policy's file has changed since it was loaded: owner= of its rules is not checked here. 'qportwatch reload' puts " \
    "the file in force."

/* "any", "any IPv6", "10.1.0.1", each with "%eth1" where the socket is bound to an interface. Returns buf. */
const char *qpw_words_listener_address(const struct qpw_listener *l, char *buf, size_t size);

/* "never", "yes", when it was last; "" where nobody counts. Returns buf, or a static text. */
const char *qpw_words_listener_asked(const struct qpw_listening *l, const struct qpw_listening_row *row, uint64_t now_ns,
                                     char *buf, size_t size);

/* The row's verdict: "unlisted", "allowed" …, "loopback", or "mismatch" where its owner is another. Static. */
const char *qpw_words_listener_verdict(const struct qpw_listening_row *row);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* echo.h - one process that listens on many ports, IPv4 and IPv6, and echoes what it receives. */
#ifndef TESTS_CAMPAIGN_ECHO_H
#define TESTS_CAMPAIGN_ECHO_H

#include <stdint.h>

#define ECHO_PORTS 48

struct echo_server {
    const char *name; /* of the process, as /proc shows it */
    uint16_t tcp[ECHO_PORTS], udp[ECHO_PORTS];
    unsigned n_tcp, n_udp;
};

extern uint16_t echo_silent_port; /* UDP: read, never answered */

/* For netns_fork(): serve until killed. A datagram is answered from the address to which it was sent. */
int echo_serve(void *argument);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * service.h - groups findings that are exchanges of one service, so that its many users make one record and one line.
 */
#ifndef QPW_FACTS_SERVICE_H
#define QPW_FACTS_SERVICE_H

#include <stdbool.h>

#include "snapshot/snapshot.h"

/*
 * The common properties of one service's answered exchanges. No padding, so that it can be hashed and compared as
 * bytes.
 */
struct qpw_service {
    uint16_t port; /* of the responder; 0: the protocol has no ports */
    uint8_t kind;
    uint8_t protocol;
    uint8_t direction;
    uint8_t verdict;
    uint8_t group; /* 1: addressed to broadcast or multicast */
    uint8_t unknown; /* 1: a companion whose owner is unknown; companions whose owner fits are a separate service */
};

/*
 * Get the service of an answered finding. False if it stands alone: unanswered, undecided, or the service is unknown.
 */
bool qpw_finding_service(const struct qpw_finding_row *finding, struct qpw_service *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* service.h - which findings are exchanges of one service, so that its many users are one record and one line. */
#ifndef QPW_FACTS_SERVICE_H
#define QPW_FACTS_SERVICE_H

#include <stdbool.h>

#include "snapshot/snapshot.h"

/* What answered exchanges of one service share; no padding, so that it can be hashed and compared as bytes. */
struct qpw_service {
    uint16_t port; /* of the responder; 0: the protocol has none */
    uint8_t kind;
    uint8_t protocol;
    uint8_t direction;
    uint8_t verdict;
    uint8_t group; /* 1: asked at a broadcast or multicast address */
    uint8_t unknown; /* 1: a companion whose owner is not known: others that are known to fit are no more of it */
};

/*
 * The service of an answered finding. False: it stands alone, because it is unanswered, undecided, or because nothing
 * says which service it is.
 */
bool qpw_finding_service(const struct qpw_finding_row *finding, struct qpw_service *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* select.h - a finding as a person names it: by its flow_id, or by direction and service as reports print them. */
#ifndef QPW_FACTS_SELECT_H
#define QPW_FACTS_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot/snapshot.h"
#include "util/error.h"

struct qpw_selection {
    uint64_t flow_id;       /* 0: by what follows */
    bool any_service;       /* of its ends, whichever the service */
    uint8_t direction;      /* enum qpw_direction */
    uint8_t kind, protocol;
    uint16_t port;          /* or ICMP type */
    bool has_initiator, has_responder;
    uint8_t initiator[16], responder[16];
};

#define QPW_SELECTION_USAGE "a flow_id, or DIRECTION SERVICE|any [INITIATOR [RESPONDER]] as in 'in tcp/9100 10.0.0.5'"

/* Reads the words. 0, or -EINVAL with err filled. */
int qpw_selection_parse(const char *const *words, size_t n, struct qpw_selection *ret, struct qpw_error *err);

/* Whether it names remote ends, or one finding: then those alone are meant, and nobody else who comes to the service. */
bool qpw_selection_alone(const struct qpw_selection *selection);

bool qpw_selection_has(const struct qpw_selection *selection, const struct qpw_finding_row *finding);

#endif

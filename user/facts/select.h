/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* select.h - a person's choice of a finding: by flow_id, or by direction and service as reports print them. */
#ifndef QPW_FACTS_SELECT_H
#define QPW_FACTS_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot/snapshot.h"
#include "util/error.h"

struct qpw_selection {
    uint64_t flow_id;       /* 0: use the fields below */
    bool any_service;       /* match any service between the ends */
    uint8_t direction;      /* enum qpw_direction */
    uint8_t kind, protocol;
    uint16_t port;          /* or ICMP type */
    bool has_initiator, has_responder;
    uint8_t initiator[16], responder[16];
};

#define QPW_SELECTION_USAGE "a flow_id, or DIRECTION SERVICE|any [INITIATOR [RESPONDER]] as in 'in tcp/9100 10.0.0.5'"

/* Parse the words. Return 0, or -EINVAL with err filled. */
int qpw_selection_parse(const char *const *words, size_t n, struct qpw_selection *ret, struct qpw_error *err);

/* Return whether it selects single hosts or one finding, as opposed to all users of a service. */
bool qpw_selection_is_single(const struct qpw_selection *selection);

bool qpw_selection_has(const struct qpw_selection *selection, const struct qpw_finding_row *finding);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* losses.h - what was lost for good, and what only came later: by the effect of each row of QPW_LOSSES. */
#ifndef QPW_FACTS_LOSSES_H
#define QPW_FACTS_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

struct qpw_losses {
    uint64_t lost;         /* detail, or precision of what was counted */
    uint64_t delayed;      /* reported or asked later; nothing is missing */
    uint64_t answered;     /* of those lost, detail of answered exchanges */
    enum qpw_loss worst;   /* the most frequent one of those lost, QPW_LOSS_NONE: nothing is */
};

/* The effect of a loss; QPW_EFFECT_NONE for QPW_LOSS_NONE and beyond the enum. */
enum qpw_loss_effect qpw_loss_effect(unsigned loss);

/* Whether it costs time only. */
static inline bool qpw_loss_delays(unsigned loss)
{
    return qpw_loss_effect(loss) == QPW_EFFECT_DELAYED;
}

/* Adds up s->losses. */
void qpw_losses_of(const struct qpw_snapshot *s, struct qpw_losses *ret);

#endif

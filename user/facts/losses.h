/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* losses.h - losses separated by effect (see QPW_LOSSES): lost for good, or only delayed. */
#ifndef QPW_FACTS_LOSSES_H
#define QPW_FACTS_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot/snapshot.h"

struct qpw_losses {
    uint64_t lost;         /* detail, or precision of counters, lost for good */
    uint64_t delayed;      /* reported or asked for later; nothing is missing */
    uint64_t answered;     /* of `lost`, detail of answered exchanges */
    enum qpw_loss worst;   /* the most frequent kind of `lost`; QPW_LOSS_NONE: nothing was lost */
};

/* Return the effect of a loss; QPW_EFFECT_NONE for QPW_LOSS_NONE and values outside the enum. */
enum qpw_loss_effect qpw_loss_effect(unsigned loss);

/* Return whether the loss only delays. */
static inline bool qpw_loss_delays(unsigned loss)
{
    return qpw_loss_effect(loss) == QPW_EFFECT_DELAYED;
}

/* Sum up s->losses. */
void qpw_losses_of(const struct qpw_snapshot *s, struct qpw_losses *ret);

#endif

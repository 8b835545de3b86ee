/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/losses.h"

enum qpw_loss_effect qpw_loss_effect(unsigned loss)
{
#define EFFECT(s, name, effect) QPW_EFFECT_##effect,
    static const unsigned char effects[] = {QPW_LOSSES(EFFECT)};
#undef EFFECT

    return loss < QPW_LOSS_COUNT ? (enum qpw_loss_effect)effects[loss] : QPW_EFFECT_NONE;
}

void qpw_losses_of(const struct qpw_snapshot *s, struct qpw_losses *ret)
{
    struct qpw_losses sum = {.worst = QPW_LOSS_NONE};

    for (unsigned loss = QPW_LOSS_NONE + 1; loss < QPW_LOSS_COUNT; loss++) {
        if (qpw_loss_delays(loss)) {
            sum.delayed += s->losses[loss];
            continue;
        }
        sum.lost += s->losses[loss];
        if (qpw_loss_effect(loss) == QPW_EFFECT_ANSWERED)
            sum.answered += s->losses[loss];
        if (s->losses[loss] > s->losses[sum.worst])
            sum.worst = (enum qpw_loss)loss;
    }
    *ret = sum;
}

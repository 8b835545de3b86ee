/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/samples.h"

#include <errno.h>
#include <string.h>

#include "auditor/internal.h"
#include "snapshot/samples.h"

void qpw_samples_tick(struct qpw_auditor *a)
{
    char watched[QPW_MAX_IFACES][16];
    struct qpw_sample sample;
    bool any, failed = a->samples_failed;
    int r;

    if (!a->policy.n_peers || !a->attached)
        return;
    for (size_t i = 0; i < a->n_watched; i++)
        memcpy(watched[i], a->watched[i].name, sizeof(watched[i]));
    r = qpw_sample_take(&a->kernel, (const char(*)[16])watched, a->n_watched, &sample, &any);
    if (r == 0 && any)
        r = qpw_sample_keep(&a->kernel, &sample);
    if (r == -EINTR)
        return; /* links changed meanwhile: the next sample will do */
    a->samples_failed = r < 0;
    if (r < 0 && !failed)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "what peers exchanged cannot be noted for 'statement --samples': %s", strerror(-r));
}

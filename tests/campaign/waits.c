/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "waits.h"

#include <inttypes.h>
#include <stdio.h>

#include "qportwatch.h"

/* The ring as bpf/maps.h has it; the kernel puts a header before each event. */
#define RING_BYTES (1u << 18)
#define RING_HEADER 8u
#define RING_EVENTS (RING_BYTES / (sizeof(struct qpw_event) + RING_HEADER))
#define EVENTS_PER_FRAME 2u /* its finding, and a question about its socket or its owner */

/* Return how long that process has waited for a processor since it began; 0: it has ended. */
static uint64_t delay_of(pid_t pid)
{
    uint64_t delay = 0;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*u %" SCNu64, &delay) != 1)
        delay = 0;
    fclose(f);
    return delay;
}

static uint64_t oldest(const struct waits *w)
{
    return w->n > WAITS_SAMPLES ? w->n - WAITS_SAMPLES : 0;
}

void waits_enter(struct waits *w, struct waits_sample sample)
{
    for (uint64_t i = w->n; i > oldest(w); i--) {
        struct waits_sample *s = &w->samples[(i - 1) % WAITS_SAMPLES];
        uint64_t since = sample.at_ns - s->at_ns;

        if (sample.kept_ns < since || sample.kept_ns - since <= s->kept_ns)
            break;
        s->kept_ns = sample.kept_ns - since;
    }
    w->samples[w->n++ % WAITS_SAMPLES] = sample;
}

void waits_take(struct waits *w, uint64_t now_ns, uint64_t frames, pid_t pid, bool stopped)
{
    const struct waits_sample *newest = &w->samples[(w->n - 1) % WAITS_SAMPLES];
    uint64_t delay, kept = 0;

    if (!w->n) {
        waits_enter(w, (struct waits_sample){now_ns, frames, 0});
        newest = &w->samples[0];
    }
    if (now_ns - newest->at_ns < WAITS_EVERY_NS)
        return;
    delay = pid && !stopped ? delay_of(pid) : 0;
    if (!pid || stopped)
        kept = now_ns - newest->at_ns;
    else if (pid == w->pid && delay > w->delay_ns)
        kept = delay - w->delay_ns;
    else if (pid != w->pid)
        kept = delay;
    if (delay || pid != w->pid) /* one that is stopped goes on with what it had */
        w->delay_ns = delay;
    w->pid = pid;
    waits_enter(w, (struct waits_sample){now_ns, frames, newest->kept_ns + kept});
}

static bool can_fill(const struct waits_sample *from, const struct waits_sample *to, uint64_t lost)
{
    return EVENTS_PER_FRAME * (to->frames - from->frames) >= RING_EVENTS + lost;
}

static const struct waits_sample *sample_at(const struct waits *w, uint64_t number)
{
    return &w->samples[number % WAITS_SAMPLES];
}

bool waits_explain(const struct waits *w, uint64_t lost, struct waits_cause *ret)
{
    uint64_t first = oldest(w);

    *ret = (struct waits_cause){0};
    for (uint64_t last = first; last < w->n; last++) {
        const struct waits_sample *to = sample_at(w, last), *from;
        struct waits_cause cause;

        while (first < last && can_fill(sample_at(w, first + 1), to, lost))
            first++;
        from = sample_at(w, first);
        cause = (struct waits_cause){from->at_ns, to->at_ns, to->frames - from->frames, to->kept_ns - from->kept_ns};
        if (can_fill(from, to, lost) && cause.kept_ns >= (cause.to_ns - cause.from_ns) / 4 * 3 &&
            cause.kept_ns > ret->kept_ns)
            *ret = cause;
    }
    return ret->kept_ns;
}

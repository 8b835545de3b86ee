/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* schedule.c - the whole run as a list, determined by the seed alone. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"

#define PAUSE_MS 60         /* between two exchanges, at most */
#define FAULT_MS 6000       /* between two faults, on average */
#define CALM_MS 5000        /* no fault in the first and last seconds */
#define STRETCH_MS 60000

static const struct kind *const families[] = {tcp_kinds, datagram_kinds, odd_kinds};

static const struct kind *draw_kind(struct rng *r)
{
    unsigned sum = 0, at;

    for (unsigned i = 0; i < sizeof(families) / sizeof(*families); i++)
        for (const struct kind *k = families[i]; k->name; k++)
            sum += k->weight;
    at = rng_below(r, sum);
    for (unsigned i = 0; i < sizeof(families) / sizeof(*families); i++)
        for (const struct kind *k = families[i]; k->name; k++) {
            if (at < k->weight)
                return k;
            at -= k->weight;
        }
    return NULL;
}

/* Every other period has no fault that ends the auditor's process, because slow growth shows only in a long life. */
static unsigned weight_of(const struct fault *f, const char *only, unsigned at_ms)
{
    if (only)
        return !strcmp(f->name, only);
    return f->ends_auditor && at_ms / STRETCH_MS % 2 ? 0 : f->weight;
}

static const struct fault *draw_fault(struct rng *r, const char *only, unsigned at_ms)
{
    unsigned sum = 0, at;

    for (const struct fault *f = faults; f->name; f++)
        sum += weight_of(f, only, at_ms);
    cr_assert(sum, "no fault is called '%s'", only);
    at = rng_below(r, sum);
    for (const struct fault *f = faults; f->name; f++) {
        if (at < weight_of(f, only, at_ms))
            return f;
        at -= weight_of(f, only, at_ms);
    }
    return NULL;
}

static void add(struct schedule *s, struct step step)
{
    if (s->n % 1024 == 0) {
        s->steps = realloc(s->steps, (s->n + 1024) * sizeof(*s->steps));
        cr_assert(s->steps);
    }
    step.number = (unsigned)s->n + 1;
    s->steps[s->n++] = step;
}

void schedule_draw(struct schedule *s, uint64_t seed, unsigned seconds, const char *only)
{
    struct rng r = {seed};
    unsigned end_ms = seconds * 1000, next_fault = CALM_MS + rng_below(&r, FAULT_MS);

    *s = (struct schedule){0};
    for (unsigned at_ms = 0; at_ms < end_ms; at_ms += rng_below(&r, PAUSE_MS + 1)) {
        add(s, (struct step){.at_ms = at_ms, .kind = draw_kind(&r), .seed = rng_next(&r)});
        if (at_ms < next_fault || at_ms + CALM_MS > end_ms)
            continue;
        next_fault = at_ms + rng_below(&r, 2 * FAULT_MS);
        add(s, (struct step){.at_ms = at_ms, .fault = draw_fault(&r, only, at_ms), .seed = rng_next(&r)});
    }
}

void schedule_free(struct schedule *s)
{
    free(s->steps);
    *s = (struct schedule){0};
}

void schedule_skip(struct schedule *s, const char *numbers)
{
    while (*numbers) {
        char *end;
        unsigned long first = strtoul(numbers, &end, 10), last = first;

        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            last = strtoul(end + 1, &end, 10);
        else if (*end == '-')
            last = s->n > first ? s->n : first, end++;
        cr_assert(first >= 1 && last >= first && (*end == ',' || !*end), "steps to leave out: '%s'", numbers);
        for (unsigned long i = first; i <= last && i <= s->n; i++)
            s->steps[i - 1].kind = NULL, s->steps[i - 1].fault = NULL;
        numbers = *end ? end + 1 : end;
    }
}

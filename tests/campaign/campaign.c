/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "campaign.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"

#ifndef QPW_BUILD
#define QPW_BUILD "build"
#endif
#define PROGRAM QPW_BUILD "/qportwatch"
#define DOCUMENT_MAX (64u << 20)

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15ull; /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

unsigned rng_below(struct rng *r, unsigned n)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): nobody draws from nothing */
    return (unsigned)(rng_next(r) % n);
}

unsigned rng_between(struct rng *r, unsigned from, unsigned to)
{
    return from + rng_below(r, to - from + 1);
}

uint16_t rng_port(struct rng *r, const uint16_t *ports)
{
    unsigned n = 0;

    while (ports[n])
        n++;
    return ports[rng_below(r, n)];
}

void campaign_drain(struct campaign *c)
{
    unsigned generation = c->following ? __atomic_load_n(&c->kernel.control->generation, __ATOMIC_ACQUIRE) : 0;

    if (generation != c->generation && c->following) {
        c->generation = generation;
        c->rejudged++;
        book_policy(c->book, c->policy);
    }
    wire_drain(&c->wire, book_frame, c->book);
    collector_drain(&c->collector);
    waits_take(&c->waits, qpw_clock_monotonic_ns(), c->wire.frames, c->auditor, c->stopped);
}

void campaign_settle(struct campaign *c, unsigned quiet_ms)
{
    uint64_t quiet_ns = quiet_ms * 1000000ull, end = qpw_clock_monotonic_ns() + 10000000000ull, last = qpw_clock_monotonic_ns();
    struct pollfd frames = {.fd = c->wire.fd, .events = POLLIN};

    while (qpw_clock_monotonic_ns() < end && qpw_clock_monotonic_ns() - last < quiet_ns) {
        if (poll(&frames, 1, (int)quiet_ms) > 0)
            last = qpw_clock_monotonic_ns();
        campaign_drain(c);
    }
}

void campaign_await(struct campaign *c, const struct exchange *e, enum outcome outcome)
{
    uint64_t end = qpw_clock_monotonic_ns() + 1000000000ull;

    while (e->outcome < outcome && qpw_clock_monotonic_ns() < end)
        campaign_settle(c, 1);
}

/* Keep what is known on both sides: the log, the program's report, and each exchange of the truth with its row. */
static void keep(struct campaign *c)
{
    char path[128];
    FILE *f;

    /* the mount of the log ends with us */
    netns_output(&c->place.ns[NODE], NULL, 0,
                 "cp -a %s/log %s/kept; timeout -k 1 5 " PROGRAM " report --json --all >%s/report.json 2>&1", c->dir,
                 c->dir, c->dir);
    snprintf(path, sizeof(path), "%s/exchanges", c->dir);
    f = fopen(path, "w");
    if (!f)
        return;
    for (size_t i = 0; i < c->book->n_exchanges; i++) {
        const struct exchange *e = c->book->exchanges[i];

        fprintf(f, "%s | %s | to the node %llu packets, from it %llu | %.3f to %.3f\n", book_words(e),
                e->row ? c->book->rows[e->row - 1].name : "-", (unsigned long long)e->packets[0],
                (unsigned long long)e->packets[1], (double)e->first_ns / 1e9, (double)e->last_ns / 1e9);
    }
    fclose(f);
}

void campaign_fail(struct campaign *c, const char *invariant, const char *format, ...)
{
    static const char *const modes[] = {"xdp", "tc", "clsact"};
    char what[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    c->failed = true;
    keep(c);
    fprintf(stderr, "\nCAMPAIGN FAILED\n  seed       %llu (mode %s)\n  step       %u\n  invariant  %s\n  said       %s\n"
                    "  files      %s\n  again      make campaign SEED=%llu MODE=%s\n\n", (unsigned long long)c->seed,
            modes[c->mode], c->step, invariant, what, c->dir, (unsigned long long)c->seed, modes[c->mode]);
    cr_assert_fail("seed %llu step %u: %s: %s", (unsigned long long)c->seed, c->step, invariant, what);
    abort();
}

int campaign_command(struct campaign *c, char *out, size_t size, const char *format, ...)
{
    uint64_t start = qpw_clock_monotonic_ns();
    char words[1024];
    va_list args;
    int rc;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    rc = netns_output(&c->place.ns[NODE], out, size, "exec timeout -k 1 %d " PROGRAM " %s", CAMPAIGN_DEADLINE_MS / 1000, words);
    if (rc == 124 || rc == 137)
        campaign_fail(c, "no command hangs", "'%s' had not ended after %.1f s", words,
                      (double)(qpw_clock_monotonic_ns() - start) / 1e9);
    return rc;
}

json_t *campaign_document(struct campaign *c, const char *words)
{
    static char text[DOCUMENT_MAX];
    json_error_t error;
    json_t *document;
    int rc = campaign_command(c, text, sizeof(text), "%s 2>%s/stderr", words, c->dir);

    document = json_loads(text, 0, &error);
    if (rc && !(rc == 3 && !strncmp(words, "status", 6)))
        campaign_fail(c, "every command works", "'%s' ended with status %d: %.500s", words, rc, text);
    if (!document)
        campaign_fail(c, "every document is JSON", "'%s': %s at %d", words, error.text, error.position);
    return document;
}

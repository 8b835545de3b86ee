/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * campaign.h - a run that does everything at once, from a seed, against a truth that it knows.
 *
 *   seed → schedule (a list of steps with times) → kinds (exchanges) and faults → the node's wire
 *                                                    ↓ entered before it happens      ↓ witnessed
 *                                                  book (the truth) ← ─ ─ ─ ─ ─ ─ ─ ─ ┘
 *                                                    ↓ compared, every few seconds and at the end
 *                                   report --json, status --json, the alert log, replay, the process itself
 *
 * A step draws from a seed of its own, so that leaving steps out changes nothing of the others.
 */
#ifndef TESTS_CAMPAIGN_CAMPAIGN_H
#define TESTS_CAMPAIGN_CAMPAIGN_H

#include <jansson.h>
#include <stdio.h>

#include "book.h"
#include "bpfleft.h"
#include "instance/object.h"
#include "place.h"
#include "wire.h"

/* ---- Numbers drawn from a seed ---- */

struct rng {
    uint64_t state;
};
uint64_t rng_next(struct rng *r);
unsigned rng_below(struct rng *r, unsigned n);          /* 0 … n - 1 */
unsigned rng_between(struct rng *r, unsigned from, unsigned to); /* both included */
uint16_t rng_port(struct rng *r, const uint16_t *ports); /* one of a list that ends with 0 */

/* ---- The campaign ---- */

#define LONG_CONNECTIONS 24
struct open_connection {
    int fd; /* -1: none */
    struct exchange *exchange;
    enum host_id client;
};

enum mode { MODE_XDP, MODE_TC, MODE_CLSACT };

/* What became of the coverage by what the campaign itself did, for the check that each is stated and none invented. */
struct blindness {
    unsigned auditor_gaps;   /* killed, and started again */
    unsigned starts, stops;  /* auditors */
    unsigned reloads, failed_reloads;
    unsigned downs, ups;
};

struct campaign {
    struct place place;
    struct wire wire;
    struct book *book;
    struct pcapfile capture;
    char dir[64];
    enum mode mode;
    uint64_t seed;
    pid_t auditor; /* 0: none */
    bool stopped;  /* by SIGSTOP */
    const struct policy *policy;
    struct qpw_kernel kernel;    /* only to see when everything is judged anew: by address changes, at any time */
    bool following;              /* it is open */
    unsigned generation, rejudged, rejudged_before;
    uint64_t window_end_ns;      /* CLOCK_MONOTONIC: until then node-sent datagrams are not what they seem */
    struct open_connection open[LONG_CONNECTIONS];
    unsigned forged;             /* forged sources so far */
    struct blindness blind;
    struct bpfleft left;
    unsigned step, rotations, launches;
    uint64_t checks, invariants, records, owners;
    unsigned ever_gaps, ever_failed_reloads, ever_downs; /* of the whole run */
    uint64_t started_ns;         /* CLOCK_MONOTONIC: when the auditor was */
    unsigned descriptors;        /* of the auditor when it was young; 0: not yet */
    size_t young_findings;
    uint64_t resident_kib;
    bool failed, flooded;
    unsigned trouble;            /* exchanges that did not go as planned */
};

/* Frames witnessed since the last call go into the book. */
void campaign_drain(struct campaign *c);

/* Drains until nothing has come for that long. */
void campaign_settle(struct campaign *c, unsigned quiet_ms);

/* Drains until the exchange has come so far, for a second at most. */
void campaign_await(struct campaign *c, const struct exchange *e, enum outcome outcome);

/* A violated invariant: says seed, step and what, and ends the test. */
void campaign_fail(struct campaign *c, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

/* ---- Kinds of exchange (kinds_*.c) ---- */

struct kind {
    const char *name;
    unsigned weight;
    void (*run)(struct campaign *c, struct rng *r);
    bool node_asks; /* the node sends a first datagram: not while the start window is open */
};
extern const struct kind tcp_kinds[], datagram_kinds[], odd_kinds[]; /* each ended by a NULL name */

/* Connections that are open before the program is attached. */
void kinds_open_early(struct campaign *c, struct rng *r);
void kinds_close_all(struct campaign *c);

/* ---- Faults (faults.c) ---- */

struct fault {
    const char *name;
    unsigned weight;
    void (*run)(struct campaign *c, struct rng *r);
};
extern const struct fault faults[];

void auditor_start(struct campaign *c);
void auditor_stop(struct campaign *c, int signal_number);

/* Runs "qportwatch WORDS" on the node; a command that takes longer than it may is a violation. Its exit status. */
int campaign_command(struct campaign *c, char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
json_t *campaign_document(struct campaign *c, const char *words);

/* ---- The schedule (schedule.c) ---- */

struct step {
    unsigned number;
    unsigned at_ms;
    const struct kind *kind;   /* or … */
    const struct fault *fault;
    uint64_t seed;
};

struct schedule {
    struct step *steps;
    size_t n;
};

/* faults: whether there are any. */
void schedule_draw(struct schedule *s, uint64_t seed, unsigned seconds, bool with_faults);
void schedule_free(struct schedule *s);

/* Leaves out steps by number: "12,40-57". */
void schedule_skip(struct schedule *s, const char *numbers);

/* ---- Invariants (check*.c) ---- */

/*
 * Just after the start: where only the node's own group reports were witnessed, the book takes over how many of them
 * the program was in time to count, which must not be more. false: something else passed.
 */
bool check_adopt(struct campaign *c);

/* At a moment at which nothing moves: rows, findings, directions, identities, alerts, process. */
void check_now(struct campaign *c);

/* After the auditor has ended. */
void check_nothing_left(struct campaign *c);

/* Every record of the alert log, in the order written (check_alerts.c). */
void check_alerts(struct campaign *c, bool final);

void check_log_schema(struct campaign *c);

/* The capture of the run, replayed (check_replay.c). */
void check_replay(struct campaign *c);

#endif

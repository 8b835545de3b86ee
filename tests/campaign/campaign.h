/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * campaign.h - a run that does everything at once, from a seed, compared with a truth that it knows.
 *
 *   seed → schedule (a list of steps with times) → kinds (exchanges) and faults → the node's wire
 *                                                    ↓ entered before it happens      ↓ witnessed
 *                                                  book (the truth) ← ─ ─ ─ ─ ─ ─ ─ ─ ┘
 *                                                    ↓ compared, every few seconds and at the end
 *                                   report --json, status --json, the alert log, replay, the process itself
 *
 * Each step has a seed of its own, so that leaving steps out does not change the others.
 */
#ifndef TESTS_CAMPAIGN_CAMPAIGN_H
#define TESTS_CAMPAIGN_CAMPAIGN_H

#include <jansson.h>
#include <stdio.h>

#include "book.h"
#include "bpfleft.h"
#include "collector.h"
#include "instance/object.h"
#include "place.h"
#include "waits.h"
#include "wire.h"

/* ---- Random numbers from a seed ---- */

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

/*
 * Deadline for what should happen at once, and for commands. Campaigns run for hours beside other work, so it is so
 * long that only something that hangs exceeds it.
 */
#define CAMPAIGN_DEADLINE_MS 300000

/* Records of the coverage: X(symbol, "kind"). */
#define TOLD(X) \
    X(GAP, "auditor-gap") \
    X(STARTED, "auditor-started") \
    X(RELOADED, "reloaded") \
    X(RELOAD_FAILED, "reload-failed") \
    X(DOWN, "interface-down") \
    X(UP, "interface-up") \
    X(GONE, "interface-gone") \
    X(BACK, "interface-back") \
    X(RENAMED, "interface-renamed") \
    X(HOOK_LOST, "hook-lost") \
    X(NOT_FIRST, "hook-not-first") \
    X(FIRST_AGAIN, "hook-first-again") \
    X(ATTACHED, "attached")
#define TOLD_SYMBOL(symbol, kind) TOLD_##symbol,
enum reported { TOLD(TOLD_SYMBOL) TOLD_KINDS };

/*
 * What the coverage must contain about the campaign's deeds: the least and the most since the attachment, and whether
 * ever in the whole run. Intervals extend from before the deed to after its end, so that the reported ones lie within.
 */
struct interval {
    uint64_t from_ns, to_ns; /* Unix time */
};
#define INTERVALS 256
struct coverage {
    struct {
        unsigned least, most;
    } reported[TOLD_KINDS];
    bool ever[TOLD_KINDS];
    struct interval blind[INTERVALS]; /* nothing was attached */
    unsigned n_blind;
    struct {
        unsigned least_s, most_s;
    } gaps[INTERVALS]; /* lengths of the gaps without an auditor, in seconds */
    unsigned n_gaps;
    uint64_t ring_full; /* events that found the ring full for a cause that is known */
};

struct campaign {
    struct place place;
    struct wire wire;
    struct book *book;
    char dir[64];
    enum mode mode;
    uint64_t seed;
    pid_t auditor; /* 0: none */
    bool stopped;  /* by SIGSTOP */
    const struct policy *policy;
    struct qpw_kernel kernel;    /* only to see when an address change has caused everything to be judged again */
    bool following;              /* `kernel` is open */
    unsigned generation, rejudged;
    uint64_t heartbeat_ns, ticks; /* the newest one seen, and how many */
    uint64_t window_end_ns;      /* CLOCK_MONOTONIC: until then datagrams from the node may be answers */
    struct open_connection open[LONG_CONNECTIONS];
    unsigned forged;             /* forged sources so far */
    struct coverage coverage;
    struct bpfleft left;
    struct collector collector;
    struct waits waits;
    unsigned step, rotations, launches;
    uint64_t checks, invariants, records, owners, commands;
    uint64_t started_ns;         /* CLOCK_MONOTONIC: start of the auditor */
    struct {
        unsigned descriptors;    /* 0: the auditor is too young */
        uint64_t resident_kib;
        size_t findings;
    } young;                     /* the auditor's values once it had done everything once */
    bool failed, flooded;
    bool held_up;                /* at some time no auditor could decide about owners: killed, stopped, short of memory */
    unsigned faults_done[64];    /* by position in faults[] */
    unsigned trouble;            /* exchanges that failed */
    uint64_t ring_full; /* as in `coverage`, in the whole run */
};

/* Enter the frames witnessed since the last call into the book. */
void campaign_drain(struct campaign *c);

/* Drain until nothing has come for that long. */
void campaign_settle(struct campaign *c, unsigned quiet_ms);

/* Drain until the exchange has reached that outcome, for at most a second. */
void campaign_await(struct campaign *c, const struct exchange *e, enum outcome outcome);

/* Report a violated invariant with seed and step, and end the test. */
void campaign_fail(struct campaign *c, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

/* ---- Kinds of exchange (kinds_*.c) ---- */

struct kind {
    const char *name;
    unsigned weight;
    void (*run)(struct campaign *c, struct rng *r);
    bool node_asks; /* the node sends a datagram first: not during the start window */
};
extern const struct kind tcp_kinds[], datagram_kinds[], odd_kinds[]; /* each ended by a NULL name */

/* Connections that are open before the program is attached. */
void kinds_open_early(struct campaign *c, struct rng *r);
void kinds_close_all(struct campaign *c);

/* ---- Faults (faults.c has the list) ---- */

struct fault {
    const char *name;
    unsigned weight;
    void (*run)(struct campaign *c, struct rng *r);
    bool ends_auditor; /* another process continues */
};
extern const struct fault faults[];

/* ---- The auditor's life (life.c) ---- */

/*
 * Attach with counters at zero. Attaching XDP makes the node's own stack announce its groups again, and it is unknown
 * which of these frames were in time to be seen. If anything else passes meanwhile, start over.
 */
void auditor_start(struct campaign *c);
void auditor_stop(struct campaign *c, int signal_number);

/* Start an auditor after SIGKILL: it takes over the kernel's counts. */
void auditor_take_over(struct campaign *c);

/* Start "qportwatch attach …" and return at once; its output goes to `log`. */
pid_t auditor_spawn(struct campaign *c, char *log, size_t size);

/* Wait until that process is the auditor, which must happen. */
void auditor_await(struct campaign *c, pid_t pid, const char *log);

/* Record the kernel side and the programs in the hooks, to check later that they are gone. */
void auditor_note_hooks(struct campaign *c);

/* Wait until the auditor's loop has completed that many rounds, however long it takes. */
void auditor_await_ticks(struct campaign *c, unsigned ticks);

/* Expect from `least` to `most` more records of that kind in the coverage. */
void campaign_expect(struct campaign *c, enum reported kind, unsigned least, unsigned most);

/* Wait until the coverage has as many such records as it must. */
void campaign_await_told(struct campaign *c, enum reported kind);

/* Let time pass, and drain the frames that come meanwhile. */
void campaign_wait(struct campaign *c, unsigned ms);

/* Run "qportwatch WORDS" on the node; exceeding its time is a violation. Returns its exit status. */
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

/* only: the name of the only fault to use, NULL: all of them. */
void schedule_draw(struct schedule *s, uint64_t seed, unsigned seconds, const char *only);
void schedule_free(struct schedule *s);

/* Leave out steps by number: "12,40-57,90-"; without an end: to the last. */
void schedule_skip(struct schedule *s, const char *numbers);

/* ---- Invariants (check*.c) ---- */

/*
 * Call it just after the start: if only the node's own group reports were witnessed, the book adopts how many of them
 * the program counted, at most all. False: something else passed.
 */
bool check_adopt(struct campaign *c);

/* Compare everything at a quiet moment: rows, findings, directions, coverage, process. */
void check_now(struct campaign *c);

/* Compare the coverage with the campaign's deeds (check_coverage.c). */
extern const char *const told_names[TOLD_KINDS];
void check_coverage(struct campaign *c, const json_t *report);
unsigned check_events_of(const json_t *events, const char *kind);

/* Check the auditor's memory and descriptors (check_process.c). */
void check_process(struct campaign *c);

/* Check that the owner in a finding or record is the true one. match: "", "exact", "listener" … */
struct owner_said {
    const char *process, *match, *protocol; /* protocol in small letters */
    int pid;
    bool outbound;
    uint16_t node_port;
};
void check_owner(struct campaign *c, const struct owner_said *said);

/* Call it after the auditor has ended. */
void check_nothing_left(struct campaign *c);

/* Check every record of the alert log, in the order written (check_alerts.c). */
void check_alerts(struct campaign *c, bool final);

void check_log_schema(struct campaign *c);

#endif

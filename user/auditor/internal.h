/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* internal.h - the auditor's own state, shared by the files of this folder and nobody else. */
#ifndef QPW_AUDITOR_INTERNAL_H
#define QPW_AUDITOR_INTERNAL_H

#include <jansson.h>

#include "alert/idmap.h"
#include "auditor/lines.h"
#include "auditor/auditor.h"
#include "instance/coverage.h"
#include "auditor/expire.h"
#include "control/control.h"
#include "facts/totals.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "host/netlink.h"
#include "host/sockets.h"
#include "policy/compile/compile.h"
#include "words/coverage.h"
#include "words/answer.h"

struct ring_buffer;
struct qpw_alerts;
struct qpw_owner_watch;
struct qpw_changelist;
struct qpw_carry;
struct qpw_audit_history;

/* One interface that is to be watched. */
struct qpw_watched {
    char name[16];
    unsigned ifindex;  /* 0: it is gone, and awaited under its name */
    uint16_t number;
    bool l3;
    bool up;           /* up with a carrier */
    bool fresh;        /* attached by this process */
    bool awaited;      /* never there so far */
    bool not_first[2]; /* by enum qpw_point */
    bool unasked[2];   /* the hook could not be asked when it was last tried */
};

/* Which findings were told already: open addressing over 64-bit hashes of their keys, with the outcome told. */
#define QPW_REPORTED_SLOTS 32768u
struct qpw_reported {
    uint64_t hash[QPW_REPORTED_SLOTS];
    uint8_t outcome[QPW_REPORTED_SLOTS];
    uint32_t used;
};

/* Who has connected to the control socket and not spoken yet, the oldest first. */
#define QPW_CLIENTS 16u
struct qpw_client {
    int fd;
    unsigned ticks; /* seconds since */
};

/* Links that came up lately, to be looked at for programs of other runs. */
#define QPW_NEW_LINKS 16u
struct qpw_new_link {
    unsigned ifindex;
    unsigned ticks; /* when it came */
};

struct qpw_auditor {
    struct qpw_audit_options options;
    struct qpw_kernel kernel;
    struct qpw_meta meta;
    struct qpw_coverage_log coverage;
    struct qpw_hook_scan replaced; /* what another version attached, until this one is; else empty */
    struct qpw_carry *carry;    /* what of it is carried over, until it is; NULL: nothing */
    bool carried;               /* it was: there are findings that no event told */
    struct qpw_error not_carried; /* why nothing is */
    uint64_t unseen_ns;         /* for how long an interface was without a program while it was replaced */
    struct qpw_expire expire;
    struct qpw_netlink *netlink;
    struct qpw_sockets *sockets;
    struct qpw_executables executables;
    struct qpw_policy policy;
    struct qpw_registry names;
    struct qpw_compiled compiled; /* the policy in force, for what is judged here: listeners */
    struct qpw_owner_watch *owner_watch;
    struct qpw_vouching *vouching;
    struct qpw_routes *routes;
    struct qpw_users *users;
    json_t *policy_args; /* the options the policy was loaded with; options.policy has its strings from there */
    struct qpw_watched watched[QPW_MAX_IFACES];
    size_t n_watched;
    struct qpw_new_link new_links[QPW_NEW_LINKS];
    size_t n_new_links;
    bool left_behind;      /* an interface that was attached may be in another network namespace, with our programs */
    struct ring_buffer *ring;
    struct qpw_reported *reported;
    struct qpw_lives *lives;   /* as the kernel side has them; NULL: not read */
    struct qpw_idmap looked;   /* findings whose program was looked for: auditor/first_seen.c */
    size_t programs_unknown;   /* of these answered ones whose program was not found */
    struct qpw_alerts *alerts; /* NULL: no alert log */
    struct qpw_audit_history *history; /* NULL: none is written */
    struct qpw_totals reported_totals; /* of the last summary line */
    char reported_headline[QPW_HEADLINE_BYTES]; /* of it, too; empty: there was none */
    uint64_t reported_until_ns; /* findings last seen before were told by the auditor before, 0: there was none */
    struct qpw_console console;
    int epoll_fd;
    struct qpw_control_end end;
    struct qpw_client clients[QPW_CLIENTS];
    size_t n_clients;
    pid_t readers;        /* the process that serves readers, 0: none */
    int readers_life;     /* held open while it is to live, -1: not */
    int asker_fd;         /* who asked for the end, -1: nobody */
    bool alone;           /* a command that acts in the place of an auditor, none being there: auditor/alone.h */
    char by[QPW_BY_BYTES]; /* who asked for what is being done: by a request or a signal; empty: nobody did */
    struct qpw_error unproven; /* of a signal that ended it: why its sender was not shown to have the right; or empty */
    int signal_fd;
    uint64_t no_signal_ns; /* CLOCK_BOOTTIME at which no signal was waiting */
    int tick_fd;          /* every second */
    int poll_fd;          /* every 50 ms while there are events */
    unsigned ticks;
    unsigned idle_polls;
    bool polling;         /* poll_fd is running */
    uint64_t events;      /* read so far */
    unsigned refused;      /* requests refused since the last line about them */
    unsigned refused_reported; /* ticks at that line, 0: there was none */
    int64_t next_expiry;  /* Unix seconds at which a statement of the policy runs out, 0: none */
    uint64_t hooks_checked_ns; /* monotonic */
    int64_t clock_offset_ns;   /* Unix time less monotonic time, as last seen; 0: not yet */
    struct qpw_addresses own;  /* what the policy names as this node's, in its peer entry of its own; empty: it names none */
    size_t locals_left_out;    /* local addresses that the kernel side's table had no room for */
    bool locals_incomplete;    /* it is to be filled again */
    bool addresses_changed;
    bool samples_failed;       /* the last one could not be taken, which is said */
    bool links_changed;   /* in what netlink tells now */
    bool attached;        /* something is or was attached: what is counted has a beginning */
    bool first_since_boot; /* `wait`: nothing was audited since the machine started */
    bool routes_due;      /* `automatic`: routes may have changed since it was last looked */
    bool has_kernel;
    bool taken_over;
    bool stop;
    bool remove_all;      /* `detach` asked for it, --keep or not */
};

#define QPW_NOTIFY_BYTES 16384u /* of one line, with what a reload changes */

/* ---- notify.c ---- */

/* Formats one line and hands it to the command. */
void qpw_auditor_notify(struct qpw_auditor *a, enum qpw_auditor_notify kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- interfaces.c ---- */

/* Fills the list from what is attached already (takeover). */
int qpw_watch_adopt(struct qpw_auditor *a, const struct qpw_hook_scan *places, struct qpw_error *err);

/*
 * Whether what the options name can be watched at all, before anything is loaded. -ENODEV, -EINVAL or -EOPNOTSUPP
 * with err filled: no such interface, loopback, a link type that cannot be read, one above another.
 */
int qpw_watch_check_names(const struct qpw_auditor *a, struct qpw_error *err);

/* Attaches to one more interface, or finds it watched already. */
int qpw_watch_add(struct qpw_auditor *a, const char *name, struct qpw_error *err);

/* Before the first interface is attached: counting has a beginning from now on. */
void qpw_watch_begin(struct qpw_auditor *a);

/* The same as qpw_watch_add(), or awaits it under its name where it is not there and the options say so. */
int qpw_watch_add_or_await(struct qpw_auditor *a, const char *name, struct qpw_error *err);

/* Takes our programs out of an interface and forgets it. */
int qpw_watch_remove(struct qpw_auditor *a, struct qpw_watched *w, struct qpw_error *err);

/* The mode that its received packets are counted in, and why. Returns buf. */
const char *qpw_watch_mode(const struct qpw_auditor *a, const struct qpw_watched *w, char *buf, size_t size);

struct qpw_watched *qpw_watch_find(struct qpw_auditor *a, const char *name);
struct qpw_watched *qpw_watch_by_index(struct qpw_auditor *a, unsigned ifindex);
bool qpw_watch_has_number(const struct qpw_auditor *a, uint16_t number);

/* Both directions of an interface are ours after this, or none and err says why. */
int qpw_watch_attach(struct qpw_auditor *a, struct qpw_watched *w, const struct qpw_link *link, struct qpw_error *err);

/* Whether the policy asks for tags that are not to be seen on the interface: a sentence about that into buf. */
bool qpw_watch_tags_unseen(const struct qpw_auditor *a, const struct qpw_watched *w, char buf[QPW_NOTE_TEXT]);

/* -EINVAL with err filled where the link lies above or below one that is watched. */
int qpw_watch_check_stacked(struct qpw_auditor *a, const struct qpw_link *link, struct qpw_error *err);

/* The programs' entry of the interface: number, MAC, flags. 0 or a negative errno. */
int qpw_watch_tell_kernel(struct qpw_auditor *a, const struct qpw_watched *w, const struct qpw_link *link);

/* Asks all hooks whether our programs are still there and first; puts back what is missing. */
void qpw_watch_check(struct qpw_auditor *a);

/* Netlink told something, maybe of a hook: the same at once, if it was not done just before. */
void qpw_watch_hooks_changed(struct qpw_auditor *a);

/* ---- runs.c ---- */

/* Before the first interface is attached: says what other runs have here, and recalls what moved away while nobody looked. */
void qpw_runs_begin(struct qpw_auditor *a, const struct qpw_hook_scan *others);
/* A link has come that is not watched: whether it carries programs of another run is looked at by the tick. */
void qpw_runs_link(struct qpw_auditor *a, const struct qpw_link *link);
void qpw_runs_tick(struct qpw_auditor *a);
/* Whether an interface of this network namespace carries programs of another run. */
bool qpw_runs_is_other(const struct qpw_auditor *a, const char *name);
/* Removes those of other runs from the named interfaces (n 0: from all). */
int qpw_runs_remove(struct qpw_auditor *a, const char *const *names, size_t n, struct qpw_error *err);
/* At the end: recalls once more what may be elsewhere. The instance, for qpw_run_until_gone(); 0: nothing can be. */
uint32_t qpw_runs_end(struct qpw_auditor *a);

/* ---- links.c ---- */

/* Takes in what netlink has to tell. */
int qpw_watch_netlink(struct qpw_auditor *a, struct qpw_error *err);

/* Makes the kernel's set of local addresses equal to netlink's. */
int qpw_watch_addresses(struct qpw_auditor *a, struct qpw_error *err);

/*
 * Takes from the policy in force which of the node's addresses are its own; the others may float from node to node. Where it
 * names none, none floats. What the kernel side has of them follows. 0 or a negative errno with err.
 */
int qpw_watch_own(struct qpw_auditor *a, const struct qpw_policy *policy, struct qpw_error *err);

/* ---- automatic.c ---- */

/* Attaches to those interfaces that `auto` stands for that are not watched yet. What cannot be is said. How many are watched. */
size_t qpw_automatic_attach(struct qpw_auditor *a);

/* ---- service.c ---- */

/* Tells the service manager, if there is one, what the auditor does. Ready counts once, from the first attachment on. */
void qpw_service_ready(struct qpw_auditor *a);
void qpw_service_forget(void); /* what is stored with the service manager, before it is detached */
void qpw_service_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void qpw_service_alive(void);
void qpw_service_stopping(void);

/* ---- notes.c ---- */

/* Attaches what notes the owners of sockets and their executables; what fails is told and noted in a->meta. */
void qpw_notes_begin(struct qpw_auditor *a);
/* Once a second: puts back what somebody removed, and tries again where there was no way. */
void qpw_notes_check(struct qpw_auditor *a);
/* Notes who holds the sockets that carry no note in themselves, and forgets those that are closed. */
void qpw_notes_older(struct qpw_auditor *a);
/* Notes who holds the sockets that listen now, for those that carry no note; what is noted of others is taken out. */
struct qpw_listeners;
void qpw_notes_listeners(struct qpw_auditor *a, const struct qpw_listeners *l);
void qpw_notes_end(struct qpw_auditor *a);

/* ---- policy.c ---- */

/*
 * Loads the policy again from the options and puts it in force; on failure nothing is changed and
 * *ret_usage says whether the policy was at fault. changes (may be NULL) receives the difference in words.
 */
int qpw_audit_load_policy(struct qpw_auditor *a, bool *ret_usage, struct qpw_changelist *changes,
                          struct qpw_error *err);

/*
 * The same on request: tells and records what came of it. A member "policy" of the request has options that replace
 * those before, for this and later reloads; a member "in_force" is the digest that has to be in force, else nothing is
 * loaded. Returns the answer, the caller's, with "policy" {name, path, digest} and
 * what control/changelist.h writes. request NULL: the options as they are.
 */
json_t *qpw_audit_reload(struct qpw_auditor *a, const json_t *request);

/*
 * What a reload would change, without loading anything: "differences" [{change, text}], "left_out" (how many an answer has
 * no room for), and "old" and "new" {name, digest, source_digest}. Returns the answer, the caller's.
 */
json_t *qpw_audit_differs(struct qpw_auditor *a, const json_t *request);

/* Compiles the loaded policy again: addresses or the time have changed. */
int qpw_audit_recompile(struct qpw_auditor *a, struct qpw_error *err);

/* ---- events.c ---- */

int qpw_events_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_events_close(struct qpw_auditor *a);
/* Takes in all that is in the ring; how many. */
unsigned qpw_events_read(struct qpw_auditor *a);
/* A finding that is new or has changed: a line for the terminal, and the alert log. */
void qpw_events_finding(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value);
/* A hash of a finding that nobody can aim at another's; never 0. */
uint64_t qpw_events_hash(const struct qpw_auditor *a, const struct qpw_finding_key *key);
/* Writes seeds for every TCP connection that sock_diag knows, and removes all others. */
int qpw_events_seed(struct qpw_auditor *a, struct qpw_error *err);
/* Goes through the tables of findings for what no event told. */
void qpw_events_catch_up(struct qpw_auditor *a);
/* Once a second: new room for lines, and a word on those held back. */
void qpw_events_tick(struct qpw_auditor *a);

/* ---- requests.c ---- */

/* Takes in who waits on the control socket, and answers those that have spoken. Nobody is waited for. */
void qpw_requests_accept(struct qpw_auditor *a);
/* Answers the client behind fd, which has spoken since. */
void qpw_requests_serve(struct qpw_auditor *a, int fd);
/* Once a second: who has been silent for too long is let go. */
void qpw_requests_tick(struct qpw_auditor *a);
void qpw_requests_close(struct qpw_auditor *a);
/* Says that a request (NULL: of no known name) was refused, and why: a line a minute at most. */
void qpw_requests_refused(struct qpw_auditor *a, const char *request, const char *why);

/* ---- summary.c ---- */

void qpw_summary_begin(struct qpw_auditor *a);
void qpw_summary_tell(struct qpw_auditor *a);

#endif

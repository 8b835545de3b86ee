/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* internal.h - the auditor's own state, shared by the files of this folder only. */
#ifndef QPW_AUDITOR_INTERNAL_H
#define QPW_AUDITOR_INTERNAL_H

#include <jansson.h>

#include "auditor/auditor.h"
#include "auditor/expire.h"
#include "auditor/lines.h"
#include "control/control.h"
#include "facts/totals.h"
#include "host/netlink.h"
#include "host/sockets.h"
#include "instance/coverage.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "policy/compile/compile.h"
#include "util/idmap.h"
#include "words/answer.h"
#include "words/coverage.h"

struct ring_buffer;
struct qpw_alerts;
struct qpw_owner_watch;
struct qpw_changelist;
struct qpw_carry;
struct qpw_audit_history;
struct qpw_audit_found;

/* An interface to be monitored. */
struct qpw_watched {
    char name[16];
    unsigned ifindex;  /* 0: it does not exist, and is awaited by name */
    uint16_t number;
    bool l3;
    bool up;           /* up with a carrier */
    bool fresh;        /* attached by this process */
    bool awaited;      /* has not existed so far */
    bool not_first[2]; /* by enum qpw_point */
    bool unasked[2];   /* by enum qpw_point: the hook could not be queried last time */
};

/* Findings already reported, with the reported outcome: open addressing, by 64-bit hashes of their keys. */
#define QPW_REPORTED_SLOTS 32768u
struct qpw_reported {
    uint64_t hash[QPW_REPORTED_SLOTS];
    uint8_t outcome[QPW_REPORTED_SLOTS];
    uint32_t used;
};

/* Findings kept back for a moment, see auditor/foreign.h. */
#define QPW_FOREIGN_HELD 32u
struct qpw_foreign {
    size_t n;
    struct qpw_finding_key key[QPW_FOREIGN_HELD];
    struct qpw_finding value[QPW_FOREIGN_HELD];
};

/* Clients connected to the control socket whose request is still missing, oldest first. */
#define QPW_CLIENTS 16u
struct qpw_client {
    int fd;
    unsigned ticks; /* seconds since connecting */
};

/* Links that came up recently, to be checked for programs of other instances. */
#define QPW_NEW_LINKS 16u
struct qpw_new_link {
    unsigned ifindex;
    unsigned ticks; /* time of its arrival */
};

struct qpw_auditor {
    struct qpw_audit_options options;
    struct qpw_kernel kernel;
    struct qpw_meta meta;
    struct qpw_coverage_log coverage;
    struct qpw_hook_scan replaced; /* the hooks of another version's instance, until replaced; else empty */
    struct qpw_carry *carry;    /* its data until carried over; NULL: nothing */
    bool carried_over; /* carried over: some findings were reported by no event */
    struct qpw_error carry_error; /* why nothing is carried over */
    uint64_t unseen_ns;         /* how long an interface was without a program during the replacement */
    struct qpw_expire expire;
    struct qpw_netlink *netlink;
    struct qpw_sockets *sockets;
    struct qpw_executables executables;
    struct qpw_policy policy;
    struct qpw_registry names;
    struct qpw_compiled compiled; /* the policy in force, for judging listeners here */
    struct qpw_owner_watch *owner_watch;
    struct qpw_vouching *vouching;
    struct qpw_routes *routes;
    struct qpw_users *users;
    json_t *policy_args; /* the options the policy was loaded with; options.policy points into it */
    struct qpw_watched watched[QPW_MAX_IFACES];
    size_t n_watched;
    struct qpw_new_link new_links[QPW_NEW_LINKS];
    size_t n_new_links;
    bool left_behind[QPW_MAX_IFACES]; /* by number: it may be in another network namespace, with our programs */
    struct ring_buffer *ring;
    struct qpw_reported *reported;
    struct qpw_foreign foreign;
    struct qpw_lives *lives;   /* as in the instance; NULL: not read */
    struct qpw_idmap looked;   /* findings whose program was looked up: auditor/first_seen.c */
    size_t programs_unknown;   /* answered ones of these whose program was not found */
    struct qpw_alerts *alerts; /* NULL: no alert log */
    struct qpw_audit_found *found; /* NULL: nothing read yet */
    struct qpw_audit_history *history; /* NULL: none is written */
    struct qpw_totals reported_totals; /* of the last summary line */
    char reported_headline[QPW_HEADLINE_BYTES]; /* of that line, too; empty: none yet */
    uint64_t reported_until_ns; /* findings last seen before were reported by the previous auditor; 0: there was none */
    struct qpw_console console;
    int epoll_fd;
    struct qpw_control_end end;
    struct qpw_client clients[QPW_CLIENTS];
    size_t n_clients;
    pid_t readers;        /* the process that serves readers, 0: none */
    int readers_life;     /* open while that process should live, -1: not running */
    int asker_fd;         /* the client that requested the stop, -1: none */
    bool alone;           /* a command acting in the auditor's place: auditor/alone.h */
    char by[QPW_BY_BYTES]; /* who requested the current action, by a request or a signal; empty: nobody */
    struct qpw_error unproven; /* why the sender of the terminating signal was not proven to have the right; or empty */
    int signal_fd;
    uint64_t no_signal_ns; /* CLOCK_BOOTTIME at which no signal was pending */
    int tick_fd;          /* every second */
    int poll_fd;          /* every 50 ms while there are events */
    unsigned ticks;
    unsigned idle_polls;
    bool polling;         /* poll_fd is running */
    uint64_t events;      /* read so far */
    unsigned refused;      /* requests refused since the last line about them */
    unsigned refused_reported; /* ticks at that line, 0: none yet */
    int64_t next_expiry;  /* Unix seconds of the next expiry in the policy, 0: none */
    uint64_t hooks_checked_ns; /* monotonic */
    int64_t clock_offset_ns;   /* Unix time minus monotonic time, as last seen; 0: not yet */
    struct qpw_addresses own;  /* addresses that the policy names as this node's own, in its peer entry; empty: none */
    size_t locals_left_out;    /* local addresses that did not fit into the instance's table */
    bool locals_incomplete;    /* it must be filled again */
    bool addresses_changed;
    bool samples_failed;       /* the last sample failed, as reported */
    bool links_changed;   /* in the current netlink messages */
    bool attached;        /* something is or was attached: counting has begun */
    bool first_since_boot; /* `wait`: nothing has been audited since boot */
    bool routes_due;      /* `automatic`: routes may have changed since the last check */
    bool has_kernel;
    bool taken_over;
    bool stop;
    bool remove_all;      /* `detach` requested it, even with --keep */
};

#define QPW_NOTIFY_BYTES 16384u /* of one line, with the changes of a reload */

/* ---- notify.c ---- */

/* Format one line and pass it to the command. */
void qpw_auditor_notify(struct qpw_auditor *a, enum qpw_auditor_notify kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- interfaces.c ---- */

/* Fill the list from what is already attached (takeover). */
int qpw_watch_adopt(struct qpw_auditor *a, const struct qpw_hook_scan *scan, struct qpw_error *err);

/*
 * Check whether the named interfaces can be monitored at all, before anything is loaded. Return 0, or -ENODEV, -EINVAL
 * or -EOPNOTSUPP with err filled: no such interface, loopback, an unsupported link type, one stacked above another.
 */
int qpw_watch_check_names(const struct qpw_auditor *a, struct qpw_error *err);

/* Attach to another interface, unless it is monitored already. */
int qpw_watch_add(struct qpw_auditor *a, const char *name, struct qpw_error *err);

/* Start counting, before the first interface is attached. */
void qpw_watch_begin(struct qpw_auditor *a);

/* As qpw_watch_add(), or await the interface by name if it does not exist and the options permit that. */
int qpw_watch_add_or_await(struct qpw_auditor *a, const char *name, struct qpw_error *err);

/* Remove our programs from an interface and forget it. */
int qpw_watch_remove(struct qpw_auditor *a, struct qpw_watched *w, struct qpw_error *err);

/* Write the mode in which its received packets are counted, and the reason. Returns buf. */
const char *qpw_watch_mode(const struct qpw_auditor *a, const struct qpw_watched *w, char *buf, size_t size);

struct qpw_watched *qpw_watch_find(struct qpw_auditor *a, const char *name);
struct qpw_watched *qpw_watch_by_index(struct qpw_auditor *a, unsigned ifindex);
bool qpw_watch_has_number(const struct qpw_auditor *a, uint16_t number);

/* Attach both directions of an interface, or neither, with err filled. */
int qpw_watch_attach(struct qpw_auditor *a, struct qpw_watched *w, const struct qpw_link *link, struct qpw_error *err);

/* Return whether the policy requires VLAN tags that are invisible on the interface, with a sentence about it in buf. */
bool qpw_watch_tags_unseen(const struct qpw_auditor *a, const struct qpw_watched *w, char buf[QPW_NOTE_TEXT]);

/* Return -EINVAL with err filled if the link is stacked above or below a monitored one. */
int qpw_watch_check_stacked(struct qpw_auditor *a, const struct qpw_link *link, struct qpw_error *err);

/* Write the interface's entry for the programs: number, MAC, flags. Return 0 or a negative errno. */
int qpw_watch_update_kernel(struct qpw_auditor *a, const struct qpw_watched *w, const struct qpw_link *link);

/* Check in all hooks whether our programs are present and first; restore missing ones. */
void qpw_watch_check(struct qpw_auditor *a);

/* Do so at once after a netlink message that may be about a hook, unless it was just done. */
void qpw_watch_hooks_changed(struct qpw_auditor *a);

/* ---- runs.c ---- */

/* Before the first interface is attached: report other instances, and detach from interfaces that moved away. */
void qpw_runs_begin(struct qpw_auditor *a, const struct qpw_hook_scan *others);
/* Return whether the interface takes our programs along when it moves to another network namespace. */
bool qpw_runs_moves_along(const struct qpw_auditor *a, uint16_t number);
/* Note a new unmonitored link; the tick checks it for programs of another instance. */
void qpw_runs_link(struct qpw_auditor *a, const struct qpw_link *link);
void qpw_runs_tick(struct qpw_auditor *a);
/* Return whether an interface of this network namespace carries programs of another instance. */
bool qpw_runs_is_other(const struct qpw_auditor *a, const char *name);
/* Remove the programs of other instances from the named interfaces (n 0: from all). */
int qpw_runs_remove(struct qpw_auditor *a, const char *const *names, size_t n, struct qpw_error *err);
/*
 * At the end, detach what may be in other namespaces. Return the instance for qpw_run_until_gone(); 0: nothing can be.
 */
uint32_t qpw_runs_end(struct qpw_auditor *a);

/* ---- links.c ---- */

/* Process pending netlink messages. */
int qpw_watch_netlink(struct qpw_auditor *a, struct qpw_error *err);
/* What the instance takes the address for, by an entry of its own or of a prefix: QPW_LOCAL_*; 0: not the node's. */
uint32_t qpw_watch_local_flags(const struct qpw_auditor *a, const uint8_t address[16]);

/* Make the kernel's set of local addresses equal to netlink's. */
int qpw_watch_addresses(struct qpw_auditor *a, struct qpw_error *err);

/*
 * Find which of the node's addresses the policy in force names as its own; the others may float between nodes. If it
 * names none, none floats. Updates the instance accordingly. Return 0 or a negative errno with err.
 */
int qpw_watch_own(struct qpw_auditor *a, const struct qpw_policy *policy, struct qpw_error *err);

/* ---- automatic.c ---- */

/*
 * Attach to the interfaces of `auto` that are not monitored yet, and report those that cannot be. Return the number
 * monitored.
 */
size_t qpw_automatic_attach(struct qpw_auditor *a);

/* ---- service.c ---- */

/*
 * Report the auditor's state to the service manager, if there is one. Only the first "ready" counts, after attaching.
 */
void qpw_service_ready(struct qpw_auditor *a);
void qpw_service_forget(void); /* drop what is stored with the service manager, before detaching */
void qpw_service_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void qpw_service_alive(void);
void qpw_service_stopping(void);

/* ---- notes.c ---- */

/*
 * Attach the programs that record owners of sockets and their executables; report failures, and store them in a->meta.
 */
void qpw_notes_begin(struct qpw_auditor *a);
/* Once a second: restore what was removed, and retry what failed. */
void qpw_notes_check(struct qpw_auditor *a);
/* Record owners of sockets that are older than the programs, and drop those of closed sockets. */
void qpw_notes_older(struct qpw_auditor *a);
/* Record owners of listening sockets without a record, and drop the records of others. */
struct qpw_listeners;
void qpw_notes_listeners(struct qpw_auditor *a, const struct qpw_listeners *l);
void qpw_notes_end(struct qpw_auditor *a);

/* ---- policy.c ---- */

/*
 * Load the policy again from the options and put it in force. On failure nothing changes, and *ret_usage is set if the
 * policy was at fault. changes (may be NULL) receives the difference in words.
 */
int qpw_audit_load_policy(struct qpw_auditor *a, bool *ret_usage, struct qpw_changelist *changes,
                          struct qpw_error *err);

/*
 * The same on request, reporting and recording the result. The request's member "policy" has options that replace the
 * previous ones, for this and later reloads; "in_force" is a digest that must be in force, otherwise nothing is loaded.
 * request NULL: unchanged options. Return the answer, owned by the caller, with "policy" {name, path, digest} and what
 * control/changelist.h writes.
 */
json_t *qpw_audit_reload(struct qpw_auditor *a, const json_t *request);

/*
 * Compute what a reload would change, without loading anything: "differences" [{change, text}], "left_out" (the number
 * omitted for lack of space), and "old" and "new" {name, digest, source_digest}. Return the answer, owned by the
 * caller.
 */
json_t *qpw_audit_differs(struct qpw_auditor *a, const json_t *request);

/* Recompile the loaded policy after a change of addresses or time. */
int qpw_audit_recompile(struct qpw_auditor *a, struct qpw_error *err);

/* ---- events.c ---- */

int qpw_events_open(struct qpw_auditor *a, struct qpw_error *err);
void qpw_events_close(struct qpw_auditor *a);
/* Process everything in the ring buffer; return the number of events. */
unsigned qpw_events_read(struct qpw_auditor *a);
/* Report a new or changed finding: on the terminal and in the alert log. */
void qpw_events_finding(struct qpw_auditor *a, const struct qpw_finding_key *key, const struct qpw_finding *value);
/* Return a keyed hash of a finding, so that remote hosts cannot provoke collisions; never 0. */
uint64_t qpw_events_hash(const struct qpw_auditor *a, const struct qpw_finding_key *key);
/* Write seeds for every TCP connection that sock_diag reports, and remove all others. */
int qpw_events_seed(struct qpw_auditor *a, struct qpw_error *err);
/* Scan the tables of findings for those without an event. */
void qpw_events_catch_up(struct qpw_auditor *a);
/* Once a second: permit new lines, and report how many were withheld. */
void qpw_events_tick(struct qpw_auditor *a);

/* ---- requests.c ---- */

/* Accept clients on the control socket and answer those that have sent a request. Never blocks. */
void qpw_requests_accept(struct qpw_auditor *a);
/* Answer the client behind fd, which has become readable. */
void qpw_requests_serve(struct qpw_auditor *a, int fd);
/* Once a second: drop clients that have been silent for too long. */
void qpw_requests_tick(struct qpw_auditor *a);
void qpw_requests_close(struct qpw_auditor *a);
/* Report that a request (NULL: unknown name) was refused, and why; at most one line a minute. */
void qpw_requests_refused(struct qpw_auditor *a, const char *request, const char *why);

/* ---- summary.c ---- */

void qpw_summary_begin(struct qpw_auditor *a);
void qpw_summary_print(struct qpw_auditor *a);

#endif

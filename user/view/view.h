/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * view.h - the live view, driven by any event loop.
 *
 * The loop watches qpw_view_fd() for input, supplies a snapshot when qpw_view_due_ms() asks for one, and calls
 * qpw_view_step() after either and after every signal; nothing here blocks, except for the history. `attach` drives it
 * from the auditor's loop, `top` through qpw_view_run().
 */
#ifndef QPW_VIEW_VIEW_H
#define QPW_VIEW_VIEW_H

#include "snapshot/snapshot.h"
#include "util/error.h"
#include "view/model.h"
#include "view/more.h"
#include "view/state.h"

struct qpw_view;
struct qpw_sockets;

/* An action on a finding, requested by the user. */
struct qpw_view_act {
    const struct qpw_snapshot *snapshot;
    const struct qpw_finding_row *finding; /* in the snapshot */
    enum qpw_row_scope scope; /* which other findings it applies to */
    bool mute;         /* otherwise: acknowledge */
    const char *typed; /* "REASON [until=TIME]" */
};

struct qpw_view_options {
    const struct qpw_view_state *state; /* initial state, see qpw_view_begin(); copied */
    struct qpw_sockets *sockets;  /* for the processes of findings; NULL: none. Owned by the caller */
    /* For connections and listeners; NULL: those tabs stay empty. Must outlive the view. */
    const struct qpw_view_more *more;
    bool ascii;                   /* use ASCII only, whatever the locale */
    bool remember;                /* write the choices to the state file on close */
    /*
     * Perform an action and describe the result in `said`; negative: it failed, for the reason in `said`. NULL: the
     * view is read-only.
     */
    int (*act)(void *context, const struct qpw_view_act *act, char *result, size_t size);
    void *act_context;
    /* Allow the history, which qpw_view_step() reads, so that the loop may be delayed briefly. */
    bool history;
    const char *quit_question;    /* asked on `q`, see view/input.h; NULL: q ends at once */
};

/* Initialise the state: as remembered (if `remember`), otherwise the defaults. */
void qpw_view_begin(bool remember, struct qpw_view_state *ret);

/* Take over the terminal. Returns 0, -ENOTTY if it cannot show a screen, or another negative errno; err is filled. */
int qpw_view_open(const struct qpw_view_options *options, struct qpw_view **ret, struct qpw_error *err);

/* Return the descriptor of the view's input. */
int qpw_view_fd(const struct qpw_view *view);

/* Return the milliseconds until the next snapshot is wanted; 0: now. */
int qpw_view_due_ms(const struct qpw_view *view);

/* Return whether the next snapshot must be full (connections, notes, unwatched interfaces), as some tabs need it. */
bool qpw_view_wants_whole(const struct qpw_view *view);

/*
 * Pass a snapshot to the view, which takes its contents and zeroes *snapshot. NULL: it failed, for the reason `why`,
 * which is shown. Returns 0 or -ENOMEM. The next step shows it.
 */
int qpw_view_feed(struct qpw_view *view, struct qpw_snapshot *snapshot, const char *why);

/* Show a line at the bottom until a key is pressed. */
void qpw_view_set_message(struct qpw_view *view, bool bad, const char *text);

/* Why a view ends. */
enum qpw_view_end {
    QPW_VIEW_GOES_ON,
    QPW_VIEW_QUIT, /* the user quits */
    QPW_VIEW_KEEP, /* the user quits, and counting continues in the kernel */
    QPW_VIEW_GONE, /* the terminal has hung up */
};

/* Process keys, follow the terminal's size, draw changes. */
enum qpw_view_end qpw_view_step(struct qpw_view *view);

/* Restore the terminal and save the choices. view may be NULL. */
void qpw_view_close(struct qpw_view *view);

/*
 * The loop of `top`: opens the view, calls `take` for snapshots (whole: as above; returns 0, or a negative errno with
 * err filled, which is shown before the next attempt), and ends on q, SIGINT, SIGTERM or SIGHUP. Returns 0 or a
 * negative errno.
 */
typedef int (*qpw_take_fn)(void *context, bool whole, struct qpw_snapshot *ret, struct qpw_error *err);
int qpw_view_run(const struct qpw_view_options *options, qpw_take_fn take, void *context, struct qpw_error *err);

#endif

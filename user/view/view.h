/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * view.h - the live view as something that any loop can drive.
 *
 * The loop watches qpw_view_fd() for input, gives a snapshot when qpw_view_due_ms() says so, and
 * calls qpw_view_step() after either and after every signal; nothing here waits. `attach` drives it
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

/* What the person wants done about a finding. */
struct qpw_view_act {
    const struct qpw_snapshot *snapshot;
    const struct qpw_finding_row *finding; /* of the snapshot */
    enum qpw_row_scope scope; /* what is meant besides it */
    bool mute;         /* else: acknowledge */
    const char *typed; /* "REASON [until=TIME]" */
};

struct qpw_view_options {
    const struct qpw_view_state *state; /* to begin with, see qpw_view_begin(); copied */
    struct qpw_sockets *sockets;  /* for the processes of findings, NULL: none. The caller's */
    const struct qpw_view_more *more; /* for connections and listeners, NULL: those tabs stay empty. Must outlive it */
    bool ascii;                   /* ASCII only, whatever the locale says */
    bool remember;                /* write the choices to the state file when closing */
    /* Does it and says so, or says why not (negative). NULL: this view only shows. */
    int (*act)(void *context, const struct qpw_view_act *act, char *said, size_t size);
    void *act_context;
    bool history;                 /* whether the person may look back: it is read within qpw_view_step(), so the loop may wait a moment */
    const char *quit_question;    /* asked at `q`, see view/input.h; NULL: q ends at once */
};

/* State to begin with: as remembered (remember set), else the defaults. */
void qpw_view_begin(bool remember, struct qpw_view_state *ret);

/* Takes the terminal over. 0, -ENOTTY where it cannot show a screen, or another negative errno; err filled. */
int qpw_view_open(const struct qpw_view_options *options, struct qpw_view **ret, struct qpw_error *err);

/* Descriptor whose input is for the view. */
int qpw_view_fd(const struct qpw_view *view);

/* Milliseconds until the next snapshot is wanted, 0: now. */
int qpw_view_due_ms(const struct qpw_view *view);

/* Whether the next snapshot has to be whole (connections, notes, unwatched interfaces), as some tabs need it. */
bool qpw_view_wants_whole(const struct qpw_view *view);

/*
 * Hands a snapshot over: its contents move into the view, *snapshot is zeroed. NULL: none was to be
 * had, `why` is shown. 0 or -ENOMEM. Shown by the next step.
 */
int qpw_view_feed(struct qpw_view *view, struct qpw_snapshot *snapshot, const char *why);

/* A line for the person, shown at the bottom until a key is pressed. */
void qpw_view_say(struct qpw_view *view, bool bad, const char *text);

/* Why a view ends. */
enum qpw_view_end {
    QPW_VIEW_GOES_ON,
    QPW_VIEW_QUIT, /* the person wants it */
    QPW_VIEW_KEEP, /* the same, and that counting goes on in the kernel */
    QPW_VIEW_GONE, /* the terminal has hung up */
};

/* Takes keys, follows the terminal's size, draws what changed. */
enum qpw_view_end qpw_view_step(struct qpw_view *view);

/* Gives the terminal back, remembers the choices. NULL is fine. */
void qpw_view_close(struct qpw_view *view);

/*
 * The loop of `top`: opens, asks `take` for snapshots (whole as above; 0, or a negative errno with err filled: shown,
 * and asked again at the next picture), ends with q, SIGINT, SIGTERM or SIGHUP. 0 or negative errno.
 */
typedef int (*qpw_take_fn)(void *context, bool whole, struct qpw_snapshot *ret, struct qpw_error *err);
int qpw_view_run(const struct qpw_view_options *options, qpw_take_fn take, void *context, struct qpw_error *err);

#endif

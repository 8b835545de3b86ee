/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/view.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "view/alertlog.h"
#include "view/draw.h"
#include "view/input.h"
#include "view/past.h"
#include "view/process.h"
#include "view/remember.h"
#include "view/screen.h"

struct qpw_view {
    struct qpw_view_options options;
    struct qpw_view_state state;
    struct qpw_model model;
    struct qpw_snapshot snapshot;
    struct qpw_canvas canvas;
    struct qpw_draw *draw;
    struct qpw_processes *processes; /* NULL: unknown */
    uint64_t due_ns;                 /* of the next snapshot, CLOCK_MONOTONIC */
    unsigned todo;                   /* pending QPW_DO_* flags */
    char begun_with[QPW_FILTER_TEXT]; /* the initial filter */
    bool mouse;
    bool tab_is_new;                 /* since the last snapshot */
    bool failed;                     /* the last snapshot failed */
    unsigned snapshots;
    struct qpw_alert_tail alerts;    /* path NULL: none */
    struct qpw_past past;            /* shown instead of live data if it has a span */
    uint64_t past_failed_ns;         /* when reading it last failed; 0: it did not */
};

/* A full snapshot walks all connections, which is expensive: take one only every so often. */
#define WHOLE_EACH 5

static bool is_past(const struct qpw_view *view)
{
    return view->past.model.past.to_unix_ns;
}

static struct qpw_model *shown(struct qpw_view *view)
{
    return is_past(view) ? &view->past.model : &view->model;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void qpw_view_begin(bool remember, struct qpw_view_state *ret)
{
    char path[PATH_MAX];

    qpw_state_init(ret);
    if (remember && qpw_remember_path(path, sizeof(path)))
        qpw_remember_load(path, ret);
}

int qpw_view_open(const struct qpw_view_options *options, struct qpw_view **ret, struct qpw_error *err)
{
    struct qpw_view *view = calloc(1, sizeof(*view));
    int r;

    if (!view || (options->sockets && qpw_processes_new(options->sockets, &view->processes) < 0)) {
        free(view);
        return qpw_fail(err, -ENOMEM, "out of memory");
    }
    view->options = *options;
    view->state = *options->state;
    memcpy(view->begun_with, view->state.filter_text, sizeof(view->begun_with));
    view->mouse = view->tab_is_new = true;
    view->todo = QPW_DO_BUILD | QPW_DO_PAINT;
    if (getrandom(&view->model.tracks.salt, sizeof(view->model.tracks.salt), GRND_NONBLOCK) < 0)
        view->model.tracks.salt = now_ns();
    if (view->processes) {
        view->model.process = qpw_processes_text;
        view->model.connection_process = qpw_processes_connection;
        view->model.process_context = view->processes;
        qpw_processes_source(view->processes, options->more);
    }
    r = qpw_draw_open(options->ascii, &view->draw, err);
    if (r < 0) {
        qpw_processes_free(view->processes);
        free(view);
        return r;
    }
    view->canvas.ascii = qpw_draw_ascii(view->draw);
    *ret = view;
    return 0;
}

int qpw_view_fd(const struct qpw_view *view)
{
    return STDIN_FILENO;
}

int qpw_view_due_ms(const struct qpw_view *view)
{
    uint64_t now = now_ns();

    return now >= view->due_ns ? 0 : (int)((view->due_ns - now + 999999) / 1000000);
}

bool qpw_view_wants_whole(const struct qpw_view *view)
{
    bool shown = view->state.tab == QPW_TAB_COVERAGE || view->state.tab == QPW_TAB_PEERS ||
                 view->state.tab == QPW_TAB_LISTENERS;

    return !view->model.now || (shown && (view->tab_is_new || view->snapshots % WHOLE_EACH == 0));
}

void qpw_view_set_message(struct qpw_view *view, bool bad, const char *text)
{
    if (view->state.mode == QPW_MODE_QUIT) /* the question stays until answered */
        return;
    qpw_state_set_message(&view->state, bad, text);
    view->todo |= QPW_DO_PAINT;
}

/* The next snapshot is due one interval after the last one was, or now if that is past. */
static void set_due(struct qpw_view *view)
{
    uint64_t interval = view->state.interval_ms * 1000000ull, now = now_ns();

    view->due_ns += interval;
    if (view->due_ns <= now || view->due_ns > now + interval)
        view->due_ns = now + interval;
}

/* Take over what only full snapshots have, so that the Coverage tab needs no full one each second. */
static void keep_whole(struct qpw_snapshot *now, struct qpw_snapshot *before)
{
    if (now->memory_bytes || !before->memory_bytes || now->from_unix_ns != before->from_unix_ns)
        return;
    now->memory_bytes = before->memory_bytes;
    for (size_t i = 0; i < QPW_CLASS_COUNT; i++)
        if (!now->tables[i].capacity)
            now->tables[i] = before->tables[i];
    if (!now->n_unwatched) {
        now->unwatched = before->unwatched;
        now->n_unwatched = before->n_unwatched;
        before->unwatched = NULL;
        before->n_unwatched = 0;
    }
    if (!now->n_notes) {
        now->notes = before->notes;
        now->n_notes = before->n_notes;
        before->notes = NULL;
        before->n_notes = 0;
    }
}

/* Read what the shown tab needs besides snapshots: when it is opened, and with each full snapshot. */
static void read_more(struct qpw_view *view, bool now)
{
    struct qpw_error err = {""};

    if (!view->options.more || (!now && view->snapshots % WHOLE_EACH != 1))
        return;
    if (qpw_model_read_more(&view->model, &view->state, view->options.more, &err) < 0 && *err.text)
        qpw_view_set_message(view, true, err.text);
    else if (view->state.tab == QPW_TAB_CONNECTIONS && view->model.n_conns_left_out)
        qpw_view_set_message(view, false, "more connections match than are shown; narrow the filter with /");
    view->todo |= QPW_DO_BUILD;
}

int qpw_view_feed(struct qpw_view *view, struct qpw_snapshot *snapshot, const char *why)
{
    bool tab_is_new = view->tab_is_new;
    int r;

    set_due(view);
    view->tab_is_new = false;
    view->snapshots++;
    if (!snapshot) {
        if (!is_past(view))
            qpw_view_set_message(view, true, why);
        view->failed = true;
        return 0;
    }
    if (is_past(view) && view->model.now) { /* it is not visible */
        qpw_snapshot_clear(snapshot);
        return 0;
    }
    if (view->failed && view->state.message_bad) /* that was the cause */
        qpw_view_set_message(view, false, "");
    view->failed = false;
    if (view->state.paused && view->model.now) {
        if (tab_is_new)
            read_more(view, true);
        qpw_snapshot_clear(snapshot);
        return 0;
    }
    if (view->processes)
        qpw_processes_tick(view->processes, snapshot->mono_ns);
    keep_whole(snapshot, &view->snapshot);
    r = qpw_model_advance(&view->model, snapshot);
    qpw_snapshot_clear(&view->snapshot);
    view->snapshot = *snapshot;
    memset(snapshot, 0, sizeof(*snapshot));
    view->model.now = &view->snapshot;
    view->model.alerts = qpw_alert_counts(&view->alerts, &view->snapshot);
    view->todo |= QPW_DO_BUILD;
    if (r == 0)
        read_more(view, tab_is_new);
    return r;
}

/* Return whether a tab shows more than each snapshot has. */
static bool needs_more(enum qpw_tab tab)
{
    return tab == QPW_TAB_COVERAGE || tab == QPW_TAB_PEERS || tab == QPW_TAB_CONNECTIONS || tab == QPW_TAB_LISTENERS ||
           tab == QPW_TAB_CLUSTER;
}

static void copy_line(struct qpw_view *view)
{
    const struct qpw_model *m = shown(view);
    int index = qpw_model_find(m, view->state.selected_id);
    char line[256], text[300];

    if (index < 0)
        return;
    if (qpw_allow_line(m, &m->rows[index], line, sizeof(line)) < 0) {
        snprintf(text, sizeof(text), "no line to copy: %.240s", line);
        qpw_view_set_message(view, true, text);
        return;
    }
    qpw_draw_copy(view->draw, line);
    snprintf(text, sizeof(text), "copied: %.140s", line);
    qpw_view_set_message(view, false, text);
}

static void act(struct qpw_view *view, bool mute)
{
    int index = qpw_model_find(&view->model, view->state.selected_id);
    const struct qpw_row *row = index < 0 ? NULL : &view->model.rows[index];
    struct qpw_view_act todo = {.snapshot = view->model.now, .mute = mute, .typed = view->state.edit};
    char result[512] = "the finding is no longer there";
    int r = -1;

    if (row)
        todo.scope = qpw_row_scope(row, &todo.finding);
    if (todo.scope != QPW_SCOPE_NOTHING && view->options.act) {
        r = view->options.act(view->options.act_context, &todo, result, sizeof(result));
    }
    qpw_view_set_message(view, r < 0, result);
    view->due_ns = 0; /* show the effect at once */
}

static void settle(struct qpw_view *view, int page)
{
    qpw_screen_settle(shown(view), &view->state, page);
    qpw_screen_settle_details(&view->canvas, shown(view), &view->state);
}

/* Reset selection and open rows, because the list is a different one. */
static void begin_list(struct qpw_view *view)
{
    view->state.mode = QPW_MODE_LIST;
    view->state.opened = view->state.selected_id = 0;
    view->state.selected = view->state.top = 0;
    view->todo |= QPW_DO_BUILD;
}

static void leave_past(struct qpw_view *view)
{
    if (!is_past(view))
        return;
    qpw_past_clear(&view->past);
    begin_list(view);
    qpw_view_set_message(view, false, "live");
    view->due_ns = 0;
    view->tab_is_new = true;
}

/* Move between spans of the history; after the last one the view is live. */
static void look_back(struct qpw_view *view, enum qpw_past_step step)
{
    const char *path = view->snapshot.meta.history_path;
    struct qpw_error err = {""};
    struct qpw_past_options options = {.path = path, .length = qpw_past_length(view->state.span), .live = &view->snapshot};
    struct timespec now;
    int r;

    clock_gettime(CLOCK_REALTIME, &now);
    options.now_unix_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (step == QPW_PAST_FORWARD && !is_past(view)) {
        qpw_view_set_message(view, false, "this is live; < goes back");
        return;
    }
    if (!view->options.history || !*path) {
        qpw_view_set_message(view, true,
                             !view->options.history
                                 ? "the history is shown by 'qportwatch top': the auditor must not wait for a disk"
                                 : "no history is kept (--no-history)");
        return;
    }
    /* Skip keys typed while waiting for a locked file, rather than waiting again for each. */
    if (view->past_failed_ns && now_ns() - view->past_failed_ns < 1000000000u)
        return;
    r = qpw_past_step(&view->past, &options, step, &err);
    view->past_failed_ns = r < 0 ? now_ns() : 0;
    if (r == 0 && step == QPW_PAST_FORWARD)
        leave_past(view);
    else if (r <= 0)
        qpw_view_set_message(view, true, err.text);
    else
        begin_list(view);
}

/* Do what a key requests besides repainting. */
static void travel(struct qpw_view *view, unsigned todo)
{
    if (todo & QPW_DO_PAST)
        look_back(view, QPW_PAST_BACK);
    if (todo & QPW_DO_FUTURE)
        look_back(view, QPW_PAST_FORWARD);
    if (todo & QPW_DO_SPAN)
        look_back(view, QPW_PAST_HERE);
    if (todo & QPW_DO_LIVE)
        leave_past(view);
    if (todo & (QPW_DO_PAST | QPW_DO_FUTURE | QPW_DO_SPAN | QPW_DO_LIVE))
        qpw_model_build(shown(view), &view->state);
}

/* Return whether something is being typed or asked, which a click would abandon. */
static bool is_asking(const struct qpw_view_state *state)
{
    return state->mode == QPW_MODE_FILTER || state->mode == QPW_MODE_QUIT || state->mode == QPW_MODE_ACK ||
           state->mode == QPW_MODE_MUTE;
}

/* Process all pending keys and clicks. */
static enum qpw_view_end take_input(struct qpw_view *view, int page)
{
    struct qpw_draw_event input;
    const char *question = view->options.quit_question;

    while (qpw_draw_input(view->draw, &input)) {
        enum qpw_tab before = view->state.tab;
        char filter[QPW_FILTER_TEXT];
        unsigned todo = 0;

        memcpy(filter, view->state.filter_text, sizeof(filter));
        if (input.key != QPW_KEY_NONE) {
            todo = qpw_input_key(&view->state, shown(view), input.key, page, question);
        } else if (input.row >= 0 && !is_asking(&view->state)) {
            const struct qpw_zone *zone = qpw_canvas_hit(&view->canvas, input.row, input.col);

            if (zone)
                todo = qpw_input_action(&view->state, shown(view), (enum qpw_action)zone->action, zone->argument, page,
                                        question);
        }
        if (todo & QPW_DO_QUIT)
            return todo & QPW_DO_KEEP ? QPW_VIEW_KEEP : QPW_VIEW_QUIT;
        if (todo & QPW_DO_COPY)
            copy_line(view);
        if (todo & (QPW_DO_ACK | QPW_DO_MUTE))
            act(view, todo & QPW_DO_MUTE);
        if (todo & QPW_DO_MOUSE) {
            view->mouse = !view->mouse;
            qpw_draw_mouse(view->draw, view->mouse);
            qpw_view_set_message(view, false, view->mouse ? "mouse on" : "mouse off: the terminal selects text");
        }
        travel(view, todo);
        /* A later key of the same burst may act on rows that an earlier one changed. */
        if (todo & QPW_DO_BUILD) {
            qpw_model_build(shown(view), &view->state);
            settle(view, page);
        }
        if ((view->state.tab != before && needs_more(view->state.tab)) ||
            (view->state.tab == QPW_TAB_CONNECTIONS && strcmp(filter, view->state.filter_text))) {
            view->tab_is_new = true;
            view->due_ns = 0; /* the current snapshot may be brief */
        }
        view->todo |= todo & (QPW_DO_BUILD | QPW_DO_PAINT | QPW_DO_REDRAW);
        if (todo)
            settle(view, page);
    }
    return qpw_draw_gone(view->draw) ? QPW_VIEW_GONE : QPW_VIEW_GOES_ON;
}

enum qpw_view_end qpw_view_step(struct qpw_view *view)
{
    enum qpw_view_end end;
    int rows, cols, page;

    qpw_draw_size(view->draw, &rows, &cols);
    page = qpw_screen_page(rows);
    if (rows != view->canvas.rows || cols != view->canvas.cols) {
        if (qpw_canvas_resize(&view->canvas, rows, cols) < 0)
            return QPW_VIEW_GOES_ON;
        view->todo |= QPW_DO_PAINT;
    }
    if (view->todo & QPW_DO_BUILD) { /* first, because keys act on rows, and a new snapshot has none yet */
        qpw_model_build(shown(view), &view->state);
        settle(view, page);
        view->todo = (view->todo & ~(unsigned)QPW_DO_BUILD) | QPW_DO_PAINT;
    }
    end = take_input(view, page);
    if (end || !view->todo)
        return end;
    settle(view, page);
    qpw_screen_paint(&view->canvas, shown(view), &view->state);
    qpw_draw_show(view->draw, &view->canvas, view->todo & QPW_DO_REDRAW);
    view->todo = 0;
    return QPW_VIEW_GOES_ON;
}

/* Keep the remembered filter unless the user changed it here; it may have been given as an option. */
static void keep_filter(struct qpw_view *view)
{
    struct qpw_view_state remembered;

    if (strcmp(view->state.filter_text, view->begun_with))
        return;
    qpw_view_begin(true, &remembered);
    memcpy(view->state.filter_text, remembered.filter_text, sizeof(remembered.filter_text));
}

void qpw_view_close(struct qpw_view *view)
{
    char path[PATH_MAX];

    if (!view)
        return;
    qpw_draw_close(view->draw);
    if (view->options.remember && qpw_remember_path(path, sizeof(path))) {
        keep_filter(view);
        qpw_remember_save(path, &view->state); /* having no place to save it is no error */
    }
    qpw_model_free(&view->model);
    qpw_past_clear(&view->past);
    qpw_snapshot_clear(&view->snapshot);
    qpw_canvas_free(&view->canvas);
    qpw_processes_free(view->processes);
    qpw_alert_tail_free(&view->alerts);
    free(view);
}

/* ---- The loop of `top` ---- */

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
    ended = number;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    ended = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static void show_snapshot(struct qpw_view *view, qpw_take_fn take, void *context)
{
    struct qpw_snapshot snapshot = {0};
    struct qpw_error why = {""};

    if (take(context, qpw_view_wants_whole(view), &snapshot, &why) < 0)
        qpw_view_feed(view, NULL, why.text);
    else
        qpw_view_feed(view, &snapshot, NULL);
}

int qpw_view_run(const struct qpw_view_options *options, qpw_take_fn take, void *context, struct qpw_error *err)
{
    struct qpw_view *view;
    int r;

    catch_signals(); /* before ncurses, which does not replace existing handlers */
    r = qpw_view_open(options, &view, err);
    if (r < 0)
        return r;
    while (!ended) {
        struct pollfd input = {.fd = qpw_view_fd(view), .events = POLLIN};

        if (qpw_view_due_ms(view) == 0)
            show_snapshot(view, take, context);
        if (qpw_view_step(view))
            break;
        if (poll(&input, 1, qpw_view_due_ms(view)) < 0 && errno != EINTR)
            break;
    }
    qpw_view_close(view);
    return 0;
}

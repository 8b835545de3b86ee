/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/attach_view.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cmd/view_acts.h"
#include "cmd/view_more.h"
#include "snapshot/collect.h"

static void show_snapshot(const struct qpw_auditor *auditor, struct qpw_view *view)
{
    struct qpw_collect_options options = {.brief = !qpw_view_wants_whole(view), .links = qpw_auditor_links(auditor),
                                           .lock = QPW_LOCK_HELD, .auditor = {getpid(), getpid()}};
    struct qpw_snapshot snapshot = {0};
    struct qpw_error err;

    if (qpw_collect(qpw_auditor_kernel(auditor), &options, &snapshot, &err) < 0)
        qpw_view_feed(view, NULL, err.text);
    else
        qpw_view_feed(view, &snapshot, NULL);
    qpw_snapshot_clear(&snapshot);
}

static int loop(struct qpw_auditor *auditor, struct qpw_view *view, struct qpw_error *err)
{
    struct pollfd inputs[] = {{.fd = qpw_view_fd(view), .events = POLLIN},
                              {.fd = qpw_auditor_fd(auditor), .events = POLLIN}};
    enum qpw_view_end end;
    int r = 0;

    while (r == 0) {
        if (qpw_view_due_ms(view) == 0)
            show_snapshot(auditor, view);
        end = qpw_view_step(view);
        if (end == QPW_VIEW_KEEP)
            qpw_auditor_keep(auditor);
        if (end)
            return end == QPW_VIEW_GONE ? QPW_ATTACH_VIEW_GONE : 0;
        if (poll(inputs, 2, qpw_view_due_ms(view)) < 0 && errno != EINTR)
            return qpw_fail(err, -errno, "waiting: %s", strerror(errno));
        r = qpw_auditor_step(auditor, 0, err);
    }
    return r < 0 ? r : 0; /* the auditor was asked to stop */
}

/* Pass the request on directly: the auditor is in this process and would not read its socket meanwhile. */
static int ask(void *context, const json_t *request, json_t **ret_answer, struct qpw_error *err)
{
    return qpw_auditor_request(context, request, ret_answer, err);
}

int qpw_attach_view(struct qpw_auditor *auditor, bool keep, struct qpw_view **view, struct qpw_error *err)
{
    struct qpw_more_source more;
    struct qpw_view_state state;
    struct qpw_act_asker asker = {.ask = ask, .context = auditor};
    struct qpw_view_options options = {
        .act = qpw_view_act,
        .act_context = &asker,
        .state = &state,
        .sockets = qpw_auditor_sockets(auditor),
        .remember = true,
        .quit_question = keep ? "Stop the auditor? Counting continues in the kernel. [y] stop  [n] cancel"
                              : "Stop and detach? All counters will be discarded. [y] stop  [k] keep counting  [n] cancel",
    };
    int r;

    options.more = qpw_more_source_open(&more, qpw_auditor_kernel(auditor), qpw_auditor_sockets(auditor));
    qpw_view_begin(/* remember= */ true, &state);
    r = qpw_view_open(&options, view, err);
    if (r < 0)
        return r; /* no input was read */
    r = loop(auditor, *view, err);
    qpw_view_close(*view);
    *view = NULL;
    qpw_more_source_close(&more);
    return r;
}

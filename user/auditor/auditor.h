/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * auditor.h - the process that stays beside the kernel side: follows addresses and links, answers
 * its questions, takes out what is idle, keeps the policy current, tells what is new.
 *
 * The kernel side counts and judges without it. When it is killed, nothing is uncounted; the next
 * one finds the kernel side again and goes on.
 */
#ifndef QPW_AUDITOR_AUDITOR_H
#define QPW_AUDITOR_AUDITOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert/engine.h"
#include "instance/mode.h"
#include "instance/object.h"
#include "policy/lang/load.h"
#include "util/error.h"

struct qpw_auditor;
struct qpw_sockets;

/* What kind of line is told, so that the command can choose where it goes. */
enum qpw_auditor_notify {
    QPW_NOTIFY_NOTE,    /* what was done, and advice */
    QPW_NOTIFY_WARNING, /* something is not as it should be */
    QPW_NOTIFY_FINDING, /* a new unexpected thing */
    QPW_NOTIFY_ANSWERED, /* one that was answered */
    QPW_NOTIFY_SUMMARY, /* once an interval */
};

/* Time-outs in seconds; 0 leaves the one in force. */
struct qpw_timeouts {
    unsigned tcp;
    unsigned half_open;
    unsigned udp;
    unsigned other;
    unsigned tail;
    unsigned parent;
    unsigned fragment;
};

#define QPW_SERVICE_STORE "qportwatch" /* name of what the service manager keeps */

struct qpw_audit_options {
    bool stored; /* the service manager has kept programs of an earlier auditor, and they are open here */
    const char *const *ifaces;
    size_t n_ifaces;
    struct qpw_policy_options policy; /* strings have to live as long as the auditor */
    enum qpw_attach_mode mode;
    enum qpw_tc_choice tc;
    struct qpw_load_options load;
    struct qpw_timeouts timeouts;
    unsigned interval; /* seconds between summary lines and checks of the hooks, at least 1 */
    const char *alerts;      /* file of the alert log, NULL: none */
    const char *syslog;      /* second way of alerts, see alert/log/syslog.h; NULL: none */
    struct qpw_engine_settings alerting; /* qpw_engine_defaults(), then what was asked for */
    const char *history;     /* file of the history, NULL or empty: none */
    const char *sensor_name; /* NULL: the host's name */
    bool automatic; /* also what carries the default route and the routes to the peers */
    bool wait;      /* interfaces that are not there yet are awaited; what was not seen since boot is a gap */
    bool keep;               /* a clean exit leaves the kernel side attached */
    const char *command;     /* the command line, for `status` */
    /* Told one line at a time, without a newline. May be NULL. */
    void (*say)(void *arg, enum qpw_auditor_notify kind, const char *line);
    void *say_arg;
};

/*
 * Takes the lock of this network namespace, loads the kernel side or takes over the one that is
 * there, puts the policy in force, seeds, attaches. On failure nothing is left behind that was not
 * there before. -EBUSY: another auditor lives, err names its process; -EINVAL with *ret_usage set:
 * the policy or an option is wrong.
 */
int qpw_auditor_open(const struct qpw_audit_options *options, struct qpw_auditor **ret, bool *ret_usage,
                     struct qpw_error *err);

/* Works until told to stop (SIGINT, SIGTERM, `detach`). 0, or a negative errno with err filled. */
int qpw_auditor_run(struct qpw_auditor *auditor, struct qpw_error *err);

/* For a user interface in the same process: works for at most `milliseconds`; 1: it was told to stop. */
int qpw_auditor_step(struct qpw_auditor *auditor, int milliseconds, struct qpw_error *err);

/* For the same: readable when there is something to work on. Owned by the auditor, as what the others return. */
int qpw_auditor_fd(const struct qpw_auditor *auditor);
const struct qpw_kernel *qpw_auditor_kernel(const struct qpw_auditor *auditor);
const struct qpw_netlink *qpw_auditor_links(const struct qpw_auditor *auditor);
struct qpw_sockets *qpw_auditor_sockets(const struct qpw_auditor *auditor);

/*
 * A request as another command would send it ("ack", "reload"), of the person at this process's own terminal. The exit
 * status, with err filled where it is not 0; *ret_answer is the caller's.
 */
int qpw_auditor_request(struct qpw_auditor *auditor, const json_t *request, json_t **ret_answer, struct qpw_error *err);

/* From here on a clean exit leaves everything attached and counting, as with the option `keep`. */
void qpw_auditor_keep(struct qpw_auditor *auditor);

/*
 * Removes what is attached (unless it was told to keep it), frees everything. 0, or a negative errno
 * with err filled where something could not be removed or an alert could not be written.
 */
int qpw_auditor_close(struct qpw_auditor *auditor, struct qpw_error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * auditor.h - the process beside the instance: it tracks addresses and links, answers the programs' questions, removes
 * idle connections, keeps the policy current, and reports findings.
 *
 * The instance counts and judges without it. If it is killed, counting continues; the next auditor finds the instance
 * and resumes.
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

/* The kind of a line, so that the command can choose where to print it. */
enum qpw_auditor_notify {
    QPW_NOTIFY_NOTE,    /* an action that was taken, or advice */
    QPW_NOTIFY_WARNING, /* something needs attention */
    QPW_NOTIFY_FINDING, /* a new unexpected finding */
    QPW_NOTIFY_ANSWERED, /* an answered one */
    QPW_NOTIFY_SUMMARY, /* once an interval */
};

/* Timeouts in seconds; 0 keeps the current one. */
struct qpw_timeouts {
    unsigned tcp;
    unsigned half_open;
    unsigned udp;
    unsigned other;
    unsigned tail;
    unsigned parent;
    unsigned fragment;
};

#define QPW_SERVICE_STORE "qportwatch" /* name of what the service manager stores */

struct qpw_audit_options {
    bool stored; /* the service manager has stored programs of an earlier auditor, and they are open here */
    const char *const *ifaces;
    size_t n_ifaces;
    struct qpw_policy_options policy; /* strings must outlive the auditor */
    enum qpw_attach_mode mode;
    enum qpw_tc_choice tc;
    struct qpw_load_options load;
    struct qpw_timeouts timeouts;
    unsigned interval; /* seconds between summary lines and checks of the hooks, at least 1 */
    const char *alerts;      /* file of the alert log, NULL: none */
    const char *syslog;      /* secondary output of alerts, see alert/log/syslog.h; NULL: none */
    struct qpw_engine_settings alerting; /* qpw_engine_defaults(), then the user's settings */
    const char *history;     /* file of the history, NULL or empty: none */
    const char *sensor_name; /* NULL: the host's name */
    const char *cluster;     /* state directory of `serve` */
    bool automatic; /* also attach to the interfaces of the default route and of the routes to the peers */
    bool wait;      /* wait for interfaces that do not exist yet; report a gap since boot */
    bool keep;               /* a clean exit leaves the instance attached */
    const char *command;     /* the command line, for `status` */
    /* Print one line, passed without a newline. May be NULL. */
    void (*notify)(void *arg, enum qpw_auditor_notify kind, const char *line);
    void *notify_arg;
};

/*
 * Take the lock of this network namespace, load an instance or take over the existing one, put the policy in force,
 * seed, attach. On failure, remove whatever this call created. Return 0; -EBUSY: another auditor is running, err names
 * its process; -EINVAL with *ret_usage set: the policy or an option is wrong; or another negative errno.
 */
int qpw_auditor_open(const struct qpw_audit_options *options, struct qpw_auditor **ret, bool *ret_usage,
                     struct qpw_error *err);

/* Run until stopped (SIGINT, SIGTERM, `detach`). Return 0, or a negative errno with err filled. */
int qpw_auditor_run(struct qpw_auditor *auditor, struct qpw_error *err);

/*
 * For a user interface in the same process: run for at most `milliseconds`. Return 1 if stopped, 0, or a negative
 * errno.
 */
int qpw_auditor_step(struct qpw_auditor *auditor, int milliseconds, struct qpw_error *err);

/* For the same: a descriptor that is readable when there is work. The auditor owns it, and the other results below. */
int qpw_auditor_fd(const struct qpw_auditor *auditor);
const struct qpw_kernel *qpw_auditor_kernel(const struct qpw_auditor *auditor);
const struct qpw_netlink *qpw_auditor_links(const struct qpw_auditor *auditor);
struct qpw_sockets *qpw_auditor_sockets(const struct qpw_auditor *auditor);

/*
 * Carry out a request as another command would send it ("ack", "reload"), on behalf of the person at this process's
 * terminal. Return the exit status, with err filled if it is not 0; the caller owns *ret_answer.
 */
int qpw_auditor_request(struct qpw_auditor *auditor, const json_t *request, json_t **ret_answer, struct qpw_error *err);

/* Make a clean exit leave everything attached and counting, as the option `keep` does. */
void qpw_auditor_keep(struct qpw_auditor *auditor);

/*
 * Detach (except with `keep`) and free everything. Return 0, or a negative errno with err filled if something could not
 * be removed or an alert could not be written.
 */
int qpw_auditor_close(struct qpw_auditor *auditor, struct qpw_error *err);

#endif

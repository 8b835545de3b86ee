/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * check.h - predict what attaching to interfaces would do and what it could not see, before anything is attached.
 *
 * Changes nothing: no program is loaded, no file written, no hook changed.
 */
#ifndef QPW_CHECK_CHECK_H
#define QPW_CHECK_CHECK_H

#include <jansson.h>
#include <stddef.h>

#include "host/netlink.h"
#include "include/qportwatch_user.h"
#include "instance/mode.h"
#include "policy/lang/load.h"
#include "words/printer.h"

#define QPW_REMARK_LEVELS(X) \
    X(OK, "ok")           /* as it should be */ \
    X(NOTE, "note")       /* for information; nothing is missed because of it */ \
    X(WARNING, "warning") /* something would be missed, or differ from what is expected */ \
    X(REFUSAL, "refusal") /* attaching would fail */
#define QPW_X_REMARK(symbol, name) QPW_REMARK_##symbol,
enum qpw_remark_level { QPW_REMARK_LEVELS(QPW_X_REMARK) QPW_REMARK_LEVEL_COUNT };

struct qpw_remark {
    enum qpw_remark_level level;
    char what[64];  /* "eth0: mode" */
    char why[400];
    char todo[240]; /* what to do; empty: nothing */
};

struct qpw_check_options {
    const char *const *ifaces;
    size_t n_ifaces;
    bool automatic; /* `auto` is one of them */
    bool wait;
    struct qpw_policy_options policy;
    enum qpw_attach_mode mode;
    unsigned max_connections; /* 0: default */
    const char *alerts;       /* file of the alert log; NULL: none */
    const char *foreign;      /* the configuration files that others than root can change; NULL: none */
    const char *sysfs;        /* tests: replaces /sys; NULL: /sys */
    const char *procfs;
};

/* The remarks in the order in which they were found; `links` and the rest are internal. */
struct qpw_check {
    const struct qpw_check_options *options;
    struct qpw_netlink *links;
    struct qpw_policy policy; /* zeroed if it cannot be loaded */
    unsigned release; /* the kernel's, as QPW_RELEASE() */
    const struct qpw_link *chosen[QPW_MAX_IFACES];
    size_t n_chosen;
    struct qpw_remark *remarks;
    size_t n;
};

/*
 * Run all checks. Returns 0; the caller clears *ret. A negative errno with err filled: this machine cannot be examined
 * at all.
 */
int qpw_check_make(const struct qpw_check_options *options, struct qpw_check *ret, struct qpw_error *err);
void qpw_check_clear(struct qpw_check *c);

/* Return whether something would be missed, or attaching would fail. */
bool qpw_check_found(const struct qpw_check *c);

/* Print the remarks. Returns 0 or -ENOMEM. */
int qpw_check_text(const struct qpw_check *c, const struct qpw_printer *p);
/* Build "qportwatch.check/1", owned by the caller; NULL: out of memory. */
json_t *qpw_check_json(const struct qpw_check *c);

#endif

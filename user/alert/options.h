/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * options.h - the alert settings on the command line.
 *
 * A command puts {&qpw_alert_argp, 0, NULL, 0} into its argp children, and points the child input at a struct
 * qpw_alert_options whose settings qpw_engine_defaults() has filled.
 */
#ifndef QPW_ALERT_OPTIONS_H
#define QPW_ALERT_OPTIONS_H

#include <argp.h>
#include <jansson.h>

#include "alert/engine.h"
#include "util/error.h"

struct qpw_alert_options {
    struct qpw_engine_settings settings;
    bool summary_given; /* --alert summary_s=… */
};

/* --alert NAME=VALUE. Child input: struct qpw_alert_options *. */
extern const struct argp qpw_alert_argp;

/* Return all settings as an object of numbers by name, owned by the caller. */
json_t *qpw_alert_settings_json(const struct qpw_engine_settings *settings);

#endif

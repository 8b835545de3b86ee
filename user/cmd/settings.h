/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* settings.h - what can be set in qportwatch.conf: the options of `attach`. */
#ifndef QPW_CMD_SETTINGS_H
#define QPW_CMD_SETTINGS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#define QPW_DEFAULT_ALERTS "/var/log/qportwatch/eve.json"
#define QPW_DEFAULT_INTERVAL 10
#define QPW_STRING_OF(x) #x
#define QPW_STRING(x) QPW_STRING_OF(x)

extern const struct argp qpw_attach_argp;

/* Has `attach` take what the files say, for their errors: one in them ends the program. argv as of `config show`. */
void qpw_attach_check_settings(const char *program, const char *file);

/*
 * What the files of the configuration set it to, for commands that ask where something is while nothing is attached; errors in
 * them are passed over. False: they do not set it.
 */
bool qpw_setting_configured(const char *name, char *buf, size_t size);

/*
 * Where no policy is named: the one that the files name, and its peers unless others are given, as attach would take them. Errors in
 * the files are passed over. What it sets is valid as long as the program runs.
 */
struct qpw_policy_options;
void qpw_policy_configured(struct qpw_policy_options *options);

/* What holds where nothing sets a long option of `attach`, as text; NULL: nothing does, and it has no value. */
const char *qpw_setting_default(const char *name);

#endif

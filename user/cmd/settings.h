/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* settings.h - the settings of qportwatch.conf, which are the options of `attach`. */
#ifndef QPW_CMD_SETTINGS_H
#define QPW_CMD_SETTINGS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#define QPW_DEFAULT_ALERTS "/var/log/qportwatch/eve.json"
#define QPW_DEFAULT_CLUSTER "/var/lib/qportwatch-serve"
#define QPW_DEFAULT_INTERVAL 10
#define QPW_STRING_OF(x) #x
#define QPW_STRING(x) QPW_STRING_OF(x)

extern const struct argp qpw_attach_argp;

/* Let `attach` parse the files' settings; an error in them ends the program. argv as for `config show`. */
void qpw_attach_check_settings(const char *program, const char *file);

/*
 * Return a setting's value from the configuration files, for commands that locate something while nothing is attached;
 * errors in the files are ignored. False: not set.
 */
bool qpw_setting_configured(const char *name, char *buf, size_t size);

/*
 * If no policy is named, take the configured one, and its peers unless others are given, as attach would. Errors in the
 * files are ignored. The strings stay valid until the program ends.
 */
struct qpw_policy_options;
void qpw_policy_configured(struct qpw_policy_options *options);

/* Return the default of a long option of `attach` as text; NULL: it has none. */
const char *qpw_setting_default(const char *name);

#endif

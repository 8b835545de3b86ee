/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * config.h - settings from files: /etc/qportwatch/qportwatch.conf, then conf.d/(name).conf in alphabetical order.
 *
 * A line is `name value` or `name = value`; a name is a long option of `attach` without its dashes, or `iface`, whose
 * value is a list of interfaces. `#` at the beginning of a line or after white space starts a comment; a value in
 * double quotes is taken literally. An option without a value takes yes or no. A later file's settings replace an
 * earlier one's, and the command line's replace both; `policy` and `platform` replace each other, and so do `peer` and
 * `peers`, `alerts` and `no-alerts`, `history` and `no-history`. Lists (peer, iface) are replaced as a whole; alert
 * settings (alert NAME=VALUE) one by one.
 */
#ifndef QPW_CONFIG_CONFIG_H
#define QPW_CONFIG_CONFIG_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#define QPW_CONFIG_FILE "/etc/qportwatch/qportwatch.conf"
#define QPW_CONFIG_FOLDER "/etc/qportwatch/conf.d"
#define QPW_CONFIG_IFACE "iface"

struct qpw_setting {
    char *name;  /* "interval" */
    char *value; /* "30"; "yes" or "no" for an option without a value */
    char *from;  /* "FILE:LINE" */
    char *word;  /* the setting as a command-line option; NULL: not converted */
    bool flag;   /* the option takes no value */
    unsigned layer; /* the file's number: higher ones replace lower ones */
    bool replaced;  /* by one of a higher layer, or by the command line */
};

struct qpw_settings {
    struct qpw_setting *settings; /* in the order of files and lines */
    size_t n;
    unsigned layers; /* files read */
    char *foreign;   /* the first file that others than root can change, and its owner; NULL: none */
};

/* --config FILE, as a child of a command's argp. Has no input. */
extern const struct argp qpw_config_argp;

/*
 * Read the files, or only `file` unless it is NULL; a missing default file is no error. argp: its long options are the
 * valid names. `to` gets one line, "FILE:LINE: what", per error. Returns the number of errors; the caller clears *ret
 * in any case.
 */
size_t qpw_config_read(const char *file, const struct argp *argp, struct qpw_settings *ret, void (*to)(const char *line));
void qpw_config_clear(struct qpw_settings *config);

/* Mark settings that a later file or the command line (given: n names of long options, or `iface`) replaces. */
void qpw_config_settle(struct qpw_settings *config, const char *const *given, size_t n);

/*
 * As qpw_arguments_parse(), with the files' settings below the command line: all names that are in `names` and known to
 * `argp`, and the interfaces if it takes arguments and none is given. Errors in the files end the program after all
 * have been reported. *ret gets the settings, which the caller owns; the options keep pointers into them, so they must
 * live as long.
 */
void qpw_config_arguments_parse(const struct argp *argp, const struct argp *names, int argc, char **argv, void *input,
                                struct qpw_settings *ret);

/* Print an error on standard error: a file's as FILE:LINE: what, any other after the program's name. */
void qpw_config_complain(const char *program, const char *line);

/* Return "FILE:LINE" of the setting whose value occurs in an error's text, or NULL. Borrowed. */
const char *qpw_config_blame(const struct qpw_settings *config, const char *text);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * config.h - settings out of files: /etc/qportwatch/qportwatch.conf, then conf.d/(name).conf in the order of their names.
 *
 * A line is `name value` or `name = value`; a name is a long option of `attach`, without its dashes, or `iface`, whose
 * value is a list of interfaces. `#` at the line's begin or behind white space begins a comment; a value in double quotes
 * is taken as it is. An option without a value takes yes or no. What a later file gives replaces what an earlier one
 * gave, and the command line replaces both; `policy` and `platform` replace one another, and so do `peer` and `peers`, `alerts`
 * and `no-alerts`, `history` and `no-history`. Lists (peer, iface) are replaced whole; the settings of alerts (alert NAME=VALUE) one by one.
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
    char *value; /* "30"; of an option without a value "yes" or "no" */
    char *from;  /* "FILE:LINE" */
    char *word;  /* as an option of the command line; NULL: not made one */
    bool flag;   /* its option takes no value */
    unsigned layer; /* of the file: higher ones replace lower ones */
    bool replaced;  /* by one of a higher layer, or by the command line */
};

struct qpw_settings {
    struct qpw_setting *settings; /* in the order of the files and their lines */
    size_t n;
    unsigned layers; /* files read */
    char *foreign;   /* of the first one that others than root can change: which, and whose it is; NULL: there is none */
};

/* --config FILE, as a child of a command's argp. It has no input. */
extern const struct argp qpw_config_argp;

/*
 * Reads the files, or `file` alone where it is not NULL; a standard place that is not there is no error. argp: whose long
 * options are the names. `to` gets one line, "FILE:LINE: what", for each thing that is wrong. Returns how many there
 * were; *ret is the caller's in any case.
 */
size_t qpw_config_read(const char *file, const struct argp *argp, struct qpw_settings *ret, void (*to)(const char *line));
void qpw_config_clear(struct qpw_settings *config);

/* Marks what a file read later or (given: n names of long options, or `iface`) the command line replaces. */
void qpw_config_settle(struct qpw_settings *config, const char *const *given, size_t n);

/*
 * As qpw_arguments_parse(), with what the files say below the command line: all that `argp` knows of the names in
 * `names`, and the interfaces where it takes arguments and none is given. Errors in the files end the program, all of them
 * said. *ret is what was read, the caller's; the options keep pointers into it, so it has to live as long as they.
 */
void qpw_config_arguments_parse(const struct argp *argp, const struct argp *names, int argc, char **argv, void *input,
                                struct qpw_settings *ret);

/* Says what is wrong on standard error: a line of a file as FILE:LINE: what, anything else behind the program's name. */
void qpw_config_complain(const char *program, const char *line);

/* "FILE:LINE" of the setting whose value stands in an error's text, or NULL. Borrowed. */
const char *qpw_config_blame(const struct qpw_settings *config, const char *text);

#endif

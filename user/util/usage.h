/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage.h - the command line: what is wrong with it is said in one line on standard error, what to do included, and
 * ends the program with QPW_EXIT_USAGE. (argp and getopt would take several lines, and --help's hint for an own one.)
 */
#ifndef QPW_UTIL_USAGE_H
#define QPW_UTIL_USAGE_H

#include <argp.h>

/*
 * As argp_parse(), for the words behind argv[0] ("qportwatch COMMAND"). Comes back only when all is well. Where
 * argp->args_doc is NULL the command takes options alone.
 */
void qpw_arguments_parse(const struct argp *argp, int argc, char **argv, void *input);

/* In place of argp_error(): the value of an option or an argument is wrong. */
void qpw_usage_error(const struct argp_state *state, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* A decimal number from low to high, nothing else around it. 0, or -EINVAL with *ret untouched. */
int qpw_number_parse(const char *text, unsigned long low, unsigned long high, unsigned long *ret);

/* Which of `names`, ended by NULL, the value is; an error that lists them where it is none. option: "--mode". */
unsigned qpw_usage_choice(const struct argp_state *state, const char *option, const char *value,
                          const char *const names[]);

/* As qpw_number_parse(), or an error. noun: what it is, "number", "number of seconds". */
unsigned long qpw_usage_number(const struct argp_state *state, const char *option, const char *value, unsigned long low,
                               unsigned long high, const char *noun);

/*
 * near: the word that is no command of "qportwatch" or "qportwatch policy", to which those there are were offered (NULL:
 * none was given). Returns the exit status.
 */
struct qpw_near;
int qpw_usage_no_command(const char *program, const struct qpw_near *near);

#endif

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

/*
 * The same, with n words in front of those of the command line, each an option "--name" or "--name=value" that is known
 * to be one. What is wrong with their values is reported for all of them, after `from` ("FILE:LINE"), before the program
 * ends. Words and texts are borrowed until it returns; what the options keep of them has to live on.
 */
struct qpw_usage_word {
    const char *text;
    const char *from;
};
void qpw_arguments_parse_after(const struct argp *argp, const struct qpw_usage_word *words, size_t n, int argc, char **argv,
                               void *input);

/* Calls `each` for each option of argp and its children, hidden ones too. */
void qpw_usage_each_option(const struct argp *argp, void (*each)(void *arg, const struct argp_option *option), void *arg);

/*
 * Calls `each` for each option that stands in argv, by its long name; value NULL: it takes none. What is wrong is passed
 * over. Returns how many arguments there are beside options.
 */
int qpw_usage_each_given(const struct argp *argp, int argc, char **argv,
                         void (*each)(void *arg, const char *name, const char *value), void *arg);

/* From here on a command's arguments are not parsed: `to` is called with what it takes, and the program ends. */
typedef void (*qpw_usage_describe_fn)(const struct argp *argp);
void qpw_usage_describe(qpw_usage_describe_fn to);

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

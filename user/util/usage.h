/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage.h - parse the command line. An error is reported as one line on standard error, including what to do, and ends
 * the program with QPW_EXIT_USAGE. (argp and getopt would print several lines, and a hint at --help instead of ours.)
 */
#ifndef QPW_UTIL_USAGE_H
#define QPW_UTIL_USAGE_H

#include <argp.h>

/*
 * As argp_parse(), for the words after argv[0] ("qportwatch COMMAND"). Returns only on success. If argp->args_doc is
 * NULL, the command takes only options.
 */
void qpw_arguments_parse(const struct argp *argp, int argc, char **argv, void *input);

/*
 * The same, with n words before those of the command line, each a known option "--name" or "--name=value". Errors in
 * their values are all reported, prefixed by `from` ("FILE:LINE"), before the program ends. Words and texts are
 * borrowed until it returns; whatever the options keep of them must live on.
 */
struct qpw_usage_word {
    const char *text;
    const char *from;
};
void qpw_arguments_parse_after(const struct argp *argp, const struct qpw_usage_word *words, size_t n, int argc, char **argv,
                               void *input);

/* Call `each` for every option of argp and its children, hidden ones included. */
void qpw_usage_each_option(const struct argp *argp, void (*each)(void *arg, const struct argp_option *option), void *arg);

/*
 * Call `each` for every option in argv, by its long name; value NULL: it takes none. Errors are ignored. Returns the
 * number of other arguments.
 */
int qpw_usage_each_given(const struct argp *argp, int argc, char **argv,
                         void (*each)(void *arg, const char *name, const char *value), void *arg);

/* From now on, do not parse a command's arguments: call `to` with its argp and end the program. */
typedef void (*qpw_usage_describe_fn)(const struct argp *argp);
void qpw_usage_describe(qpw_usage_describe_fn to);

/* Do that now, where it was asked for: of a command that another program runs. */
void qpw_usage_offer(const struct argp *argp);

/* Use instead of argp_error(): report a wrong value of an option or argument. */
void qpw_usage_error(const struct argp_state *state, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* Parse a decimal number from low to high, with nothing around it. Returns 0, or -EINVAL with *ret unchanged. */
int qpw_number_parse(const char *text, unsigned long low, unsigned long high, unsigned long *ret);

/*
 * Return the index of the value in `names` (NULL-terminated); a usage error that lists them if it is not there. option:
 * "--mode".
 */
unsigned qpw_usage_choice(const struct argp_state *state, const char *option, const char *value,
                          const char *const names[]);

/* Return the value; a usage error if it is empty, because a path that is empty stands for none. */
char *qpw_usage_path(const struct argp_state *state, const char *option, char *value);

/* As qpw_number_parse(), but exits with a usage error. noun: "number", "number of seconds". */
unsigned long qpw_usage_number(const struct argp_state *state, const char *option, const char *value, unsigned long low,
                               unsigned long high, const char *noun);

/*
 * Report a missing or unknown command. near: the unknown word of "qportwatch" or "qportwatch policy", after all known
 * ones were offered (NULL: none given). Returns the exit status.
 */
struct qpw_near;
int qpw_usage_no_command(const char *program, const struct qpw_near *near);

#endif

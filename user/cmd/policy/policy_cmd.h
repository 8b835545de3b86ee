/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy_cmd.h - what the subcommands of `policy` share. Each returns an exit status; argv[0] is "qportwatch policy
 * NAME". */
#ifndef QPW_POLICY_CMD_H
#define QPW_POLICY_CMD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "policy/lang/load.h"
#include "qportwatch_user.h"

int qpw_policy_show_main(int argc, char **argv);
int qpw_policy_check_main(int argc, char **argv);
int qpw_policy_import_main(int argc, char **argv);
int qpw_policy_diff_main(int argc, char **argv);
int qpw_policy_export_main(int argc, char **argv);
int qpw_policy_suggest_main(int argc, char **argv);
int qpw_policy_test_main(int argc, char **argv);
int qpw_policy_edit_main(int argc, char **argv);
int qpw_policy_unused_main(int argc, char **argv);
int qpw_policy_log_main(int argc, char **argv);

/* What `suggest` proposes for what is attached; *ret_meta (may be NULL): its record. 0 or a negative errno with err filled. */
int qpw_policy_suggest_attached(FILE *out, struct qpw_meta *ret_meta, struct qpw_error *err);

/*
 * A policy out of the history by its number, as "policy log" shows it behind the @; NULL: the newest. `more` (may be NULL):
 * statements behind it. As qpw_policy_load().
 */
struct qpw_history_args;
int qpw_policy_recorded(const struct qpw_history_args *args, const char *number, const char *more, struct qpw_policy *ret,
                        struct qpw_error *err);

/* "@2": one that was in force, by the history `file` (NULL: the one here); a built-in of that name, else a file. As qpw_policy_load(). */
int qpw_policy_named(const char *name, const char *file, struct qpw_policy *ret, struct qpw_error *err);

/* The error as one line on standard error; messages that begin with FILE:LINE stand alone. Returns `status`. */
int qpw_policy_say(const char *subcommand, const struct qpw_error *err, int status);

/* All faults on standard error, one a line, up to a bound; the error where there are none. Returns `status`. */
int qpw_policy_say_all(const char *subcommand, const struct qpw_faults *faults, const struct qpw_error *err, int status);

/*
 * Prints a document, which it takes, and the line's end; whether that could be written is seen when the program ends.
 * 0, or -ENOMEM with err filled where there is none.
 */
int qpw_policy_print(json_t *document, struct qpw_error *err);

#endif

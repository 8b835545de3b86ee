/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy_cmd.h - shared by the subcommands of `policy`. Each returns an exit status; argv[0] is "qportwatch policy
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

/*
 * Write the proposals for the attached instance; *ret_meta (may be NULL): its record. Returns 0, or a negative errno
 * with err filled.
 */
int qpw_policy_suggest_attached(FILE *out, struct qpw_meta *ret_meta, struct qpw_error *err);

/*
 * Load a policy from the history by its number, as "policy log" shows it after the @; NULL: the newest. `more` (may be
 * NULL): statements to append. Returns as qpw_policy_load().
 */
struct qpw_history_args;
int qpw_policy_recorded(const struct qpw_history_args *args, const char *number, const char *more, struct qpw_policy *ret,
                        struct qpw_error *err);

/*
 * Load a policy by name: "@2", from the history `file` (NULL: this node's); otherwise a built-in of that name;
 * otherwise a file. Returns as qpw_policy_load().
 */
int qpw_policy_named(const char *name, const char *file, struct qpw_policy *ret, struct qpw_error *err);

/* Print the error as one line on standard error; messages that begin with FILE:LINE get no prefix. Returns `status`. */
int qpw_policy_fail(const char *subcommand, const struct qpw_error *err, int status);

/* Print all faults on standard error, one per line, up to a limit; without any, the error. Returns `status`. */
int qpw_policy_fail_all(const char *subcommand, const struct qpw_faults *faults, const struct qpw_error *err,
                        int status);

/*
 * Print a document, which it takes, and a line end; write errors are detected when the program ends. Returns 0, or
 * -ENOMEM with err filled if there is no document.
 */
int qpw_policy_print(json_t *document, struct qpw_error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_policy.c - qportwatch policy: the table of subcommands, and their shared functions. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/history_file.h"
#include "cmd/policy/policy_cmd.h"
#include "cmd/subcommands.h"
#include "policy/tools/check.h"
#include "util/usage.h"

static const struct qpw_command subcommands[] = {
    {"show", qpw_policy_show_main, "every rule as it takes effect, and where it comes from"},
    {"check", qpw_policy_check_main, "what is wrong or odd about a policy; --strict: exit 3 if something is"},
    {"import", qpw_policy_import_main, "the vendor's page of required ports into a policy"},
    {"diff", qpw_policy_diff_main, "how two policies differ in effect, in words; exit 3 if they do"},
    {"suggest", qpw_policy_suggest_main, "lines that would explain what was unexpected, commented out"},
    {"edit", qpw_policy_edit_main, "the policy in an editor, with what suggest proposes; checked, compared, reloaded"},
    {"unused", qpw_policy_unused_main, "rules that had no traffic, with their last use"},
    {"log", qpw_policy_log_main, "every policy that was in force: when, and loaded by whom"},
    {"test", qpw_policy_test_main, "what another policy would have said of the same traffic; exit 3 if it differs"},
    {"export", qpw_policy_export_main, "the policy as an nftables ruleset, JSON or CSV"},
};
#define COUNT (sizeof(subcommands) / sizeof(*subcommands))

const struct qpw_command *qpw_policy_commands(size_t *ret_n)
{
    *ret_n = COUNT;
    return subcommands;
}

int qpw_policy_fail(const char *subcommand, const struct qpw_error *err, int status)
{
    const char *colon = strchr(err->text, ':');

    if (colon && isdigit((unsigned char)colon[1]))
        fprintf(stderr, "%s\n", err->text);
    else
        fprintf(stderr, "qportwatch policy %s: %s\n", subcommand, err->text);
    return status;
}

#define MOST_FAULTS 50u

int qpw_policy_fail_all(const char *subcommand, const struct qpw_faults *faults, const struct qpw_error *err,
                        int status)
{
    if (!faults->n)
        return qpw_policy_fail(subcommand, err, status);
    for (size_t i = 0; i < faults->n && i < MOST_FAULTS; i++)
        fprintf(stderr, "%s\n", faults->list[i].text);
    if (faults->n > MOST_FAULTS)
        fprintf(stderr, "and %zu more errors%s\n", faults->n - MOST_FAULTS,
                faults->n == QPW_MOST_FAULTS ? ", or more: the rest was not read" : "");
    if (faults->unsure)
        fprintf(stderr, "and %zu statement%s that may refer to what is missing above\n", faults->unsure,
                faults->unsure == 1 ? "" : "s");
    return status;
}

int qpw_policy_print(json_t *document, struct qpw_error *err)
{
    if (!document)
        return qpw_fail(err, -ENOMEM, "out of memory");
    json_dumpf(document, stdout, JSON_INDENT(2));
    json_decref(document);
    putchar('\n');
    return 0;
}

int qpw_policy_named(const char *name, const char *file, struct qpw_policy *ret, struct qpw_error *err)
{
    size_t length;
    int error;

    if (*name == '@')
        return qpw_policy_recorded(&(struct qpw_history_args){.file = file}, name + 1, NULL, ret, err);
    error = qpw_builtin_text(name, &length) ? qpw_policy_parse_builtin(name, ret, err) : qpw_policy_parse_file(name, ret, err);

    return error < 0 ? error : qpw_policy_warn_expiry(ret, time(NULL));
}

int qpw_cmd_policy(int argc, char **argv)
{
    static const struct qpw_subcommands all = {
        "qportwatch policy", "A policy is a text file, one rule per line; qportwatch-policy(5) describes it.\n", subcommands, COUNT};

    return qpw_subcommands_run(&all, argc, argv);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_policy_check.c - qportwatch policy check and diff, for a policy's author. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/policy/policy_cmd.h"
#include "cmd/settings.h"
#include "control/control.h"
#include "control/message.h"
#include "policy/tools/check.h"
#include "policy/compile/compile.h"
#include "policy/tools/diff.h"
#include "util/document.h"
#include "util/usage.h"
#include "words/printer.h"
#include "words/words.h"

#define MAX_ARGS 64

enum { KEY_STRICT = 0x100, KEY_HISTORY };

struct options {
    struct qpw_policy_options policy;
    const char *args[MAX_ARGS];
    unsigned n_args;
    const char *history; /* holds policies named by number */
    bool strict;
    bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        if (state->child_inputs)
            state->child_inputs[0] = &o->policy;
        return 0;
    case KEY_STRICT: o->strict = true; return 0;
    case KEY_HISTORY: o->history = arg; return 0;
    case 'j': o->json = true; return 0;
    case QPW_KEY_FORMAT: o->json = qpw_format_is_json(state, arg); return 0;
    case ARGP_KEY_ARG:
        if (o->n_args == MAX_ARGS)
            qpw_usage_error(state, "more than %d files", MAX_ARGS);
        o->args[o->n_args++] = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int print_document(const char *subcommand, json_t *document)
{
    struct qpw_error err;

    return qpw_policy_print(document, &err) < 0 ? qpw_policy_fail(subcommand, &err, QPW_EXIT_FAILED) : QPW_EXIT_OK;
}

/* Build a document about that policy containing a list. Takes ownership of the list. */
static json_t *document_about(const struct qpw_policy *policy, const char *schema, const char *key, json_t *list)
{
    json_t *document = qpw_document(schema);

    qpw_document_set_policy(document, policy->name, policy->digest, policy->source_digest);
    json_object_set_new(document, key, list);
    return document;
}

/* ---- check ---- */

static void print_remark(const struct qpw_policy_remark *remark, json_t *list)
{
    if (!list && remark->where.file)
        qpw_put_lines(stdout, "%s:%u: %s: %s", remark->where.file, remark->where.line, qpw_remark_name(remark->kind),
                      remark->text);
    else if (!list)
        qpw_put_lines(stdout, "%s", remark->text);
    else
        json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:o}", "kind", qpw_remark_name(remark->kind), "file",
                                              qpw_json_text(remark->where.file), "line", (int)remark->where.line,
                                              "text", qpw_json_text(remark->text)));
}

/* Compile, because a policy that parses may still exceed a table's limit. */
static int try_compile(const struct qpw_policy *policy, struct qpw_error *err)
{
    struct qpw_compile_context context = {.now = time(NULL)};
    struct qpw_registry names = {0};
    struct qpw_compiled compiled = {0};
    int r = qpw_policy_compile(policy, &context, &names, &compiled, err);

    qpw_registry_clear(&names);
    qpw_compiled_clear(&compiled);
    return r;
}

static int check_one(const struct qpw_policy *policy, bool json, size_t *ret_remarks)
{
    struct qpw_remarks remarks = {0};
    struct qpw_error err;
    json_t *list = json ? json_array() : NULL;
    char count[40];

    if (try_compile(policy, &err) < 0) {
        json_decref(list);
        return qpw_policy_fail("check", &err, QPW_EXIT_USAGE);
    }
    if (qpw_policy_check(policy, time(NULL), &remarks) < 0) {
        fprintf(stderr, "qportwatch policy check: out of memory\n");
        json_decref(list);
        return QPW_EXIT_FAILED;
    }
    for (size_t i = 0; i < remarks.n; i++)
        print_remark(&remarks.list[i], list);
    *ret_remarks = remarks.n;
    qpw_remarks_clear(&remarks);
    if (json)
        return print_document("check", document_about(policy, "qportwatch.policy-check/1", "remarks", list));
    if (!*ret_remarks)
        qpw_put_lines(stdout, "%s: OK: %s, no warnings", policy->path,
                      qpw_words_many(policy->n_rules, "rule", count, sizeof(count)));
    return QPW_EXIT_OK;
}

int qpw_policy_check_main(int argc, char **argv)
{
    static const struct argp_option table[] = {{"strict", KEY_STRICT, NULL, 0, "Exit with 3 if there are warnings", 0},
                                               QPW_FORMAT_OPTIONS, {0}};
    static const struct argp_child children[] = {{&qpw_policy_argp, 0, "Policy:", 2}, {0}};
    static const struct argp argp = {
        table,
        parse,
        "[POLICY]",
        "Reads a policy (a file or a built-in's name) and reports errors and warnings.\vExit status: 0 it can "
        "be loaded, 2 it cannot, 3 with --strict: there are warnings.",
        children,
        NULL,
        NULL};
    struct options o = {0};
    struct qpw_policy policy = {0};
    struct qpw_faults faults = {0};
    struct qpw_error err;
    size_t remarks = 0, length;
    int status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    if (o.n_args > 1 || (o.n_args && (o.policy.policy_file || o.policy.platform))) {
        fprintf(stderr, "qportwatch policy check: one policy at a time\n");
        qpw_policy_options_clear(&o.policy);
        return QPW_EXIT_USAGE;
    }
    if (o.n_args)
        *(qpw_builtin_text(o.args[0], &length) ? &o.policy.platform : &o.policy.policy_file) = o.args[0];
    qpw_policy_configured(&o.policy);
    o.policy.faults = &faults;
    status = qpw_policy_load(&o.policy, &policy, NULL, &err) < 0
                 ? qpw_policy_fail_all("check", &faults, &err, QPW_EXIT_USAGE)
                 : QPW_EXIT_OK;
    qpw_faults_clear(&faults);
    qpw_policy_options_clear(&o.policy);
    if (status == QPW_EXIT_OK)
        status = check_one(&policy, o.json, &remarks);
    qpw_policy_clear(&policy);
    return status == QPW_EXIT_OK && o.strict && remarks ? QPW_EXIT_YES : status;
}

/* ---- diff ---- */

/* Show what the next reload would change; only the auditor knows both sides. */
static int diff_in_force(bool json)
{
    json_t *request = qpw_request_new("differs"), *answer = NULL, *list, *one, *document;
    struct qpw_error err;
    int status = qpw_control_ask(request, &answer, NULL, &err);
    json_int_t left_out = json_integer_value(json_object_get(answer, "left_out"));
    size_t i;

    json_decref(request);
    if (status == -ENOENT)
        qpw_fail(&err, status, "without OLD and NEW, the policy in force is compared with its files as they are now, but no "
                               "auditor is running here");
    if (status != QPW_EXIT_OK) {
        json_decref(answer);
        return qpw_policy_fail("diff", &err, status < 0 ? QPW_EXIT_FAILED : status);
    }
    list = json_object_get(answer, "differences");
    json_array_foreach (list, i, one)
        if (!json)
            qpw_put_lines(stdout, "%s", json_string_value(json_object_get(one, "text")));
    if (left_out && !json)
        printf("and %" JSON_INTEGER_FORMAT " more\n", left_out);
    if (json) {
        document = qpw_document("qportwatch.policy-diff/1");
        json_object_set(document, "policy", json_object_get(answer, "new"));
        json_object_set(document, "differences", list);
        json_object_set(document, "left_out", json_object_get(answer, "left_out"));
        json_object_set(document, "old", json_object_get(answer, "old"));
        json_object_set(document, "new", json_object_get(answer, "new"));
        status = print_document("diff", document);
    }
    if (status == QPW_EXIT_OK && json_array_size(list))
        status = QPW_EXIT_YES;
    json_decref(answer);
    return status;
}

static int print_differences(const struct qpw_differences *differences, const struct qpw_policy policies[2], bool json)
{
    json_t *list = json ? json_array() : NULL, *document;

    for (size_t i = 0; i < differences->n; i++) {
        if (json)
            json_array_append_new(list, json_pack("{s:s, s:o}", "change", qpw_change_name(differences->list[i].change),
                                                  "text", qpw_json_text(differences->list[i].text)));
        else
            qpw_put_lines(stdout, "%s", differences->list[i].text);
    }
    if (json) {
        document = document_about(&policies[1], "qportwatch.policy-diff/1", "differences", list);
        for (unsigned i = 0; i < 2; i++)
            json_object_set_new(document, i ? "new" : "old", qpw_json_policy(policies[i].name, policies[i].digest,
                                                                             policies[i].source_digest));
        if (print_document("diff", document) != QPW_EXIT_OK)
            return QPW_EXIT_FAILED;
    }
    return differences->n ? QPW_EXIT_YES : QPW_EXIT_OK;
}

int qpw_policy_diff_main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"history", KEY_HISTORY, "FILE", 0, "Of @1, @2: the history's file (default: that of the auditor here, else the configured one)", 0}, QPW_FORMAT_OPTIONS, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     "[OLD NEW]",
                                     "Shows how two policies (files, built-ins' names, or @1, @2 of 'policy log') differ in effect. With none named: what "
                                     "a reload would change, the policy in force against its files as they are now.\vExit "
                                     "status: 0 they mean the same, 3 they differ, 2 one of them is bad.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct options o = {0};
    struct qpw_policy policies[2] = {0};
    struct qpw_differences differences = {0};
    struct qpw_error err;
    int status = QPW_EXIT_OK;

    qpw_arguments_parse(&argp, argc, argv, &o);
    if (o.history && (o.n_args != 2 || (*o.args[0] != '@' && *o.args[1] != '@'))) {
        fprintf(stderr, "qportwatch policy diff: --history is for policies by number, such as @1 @2\n");
        return QPW_EXIT_USAGE;
    }
    if (!o.n_args)
        return diff_in_force(o.json);
    if (o.n_args != 2) {
        fprintf(stderr, "qportwatch policy diff: two policies are needed, OLD and NEW\n");
        return QPW_EXIT_USAGE;
    }
    for (unsigned i = 0; i < 2 && status == QPW_EXIT_OK; i++)
        if (qpw_policy_named(o.args[i], o.history, &policies[i], &err) < 0)
            status = qpw_policy_fail("diff", &err, QPW_EXIT_USAGE);
    if (status == QPW_EXIT_OK && qpw_policy_diff(&policies[0], &policies[1], time(NULL), &differences) < 0) {
        fprintf(stderr, "qportwatch policy diff: out of memory\n");
        status = QPW_EXIT_FAILED;
    }
    if (status == QPW_EXIT_OK)
        status = print_differences(&differences, policies, o.json);
    qpw_differences_clear(&differences);
    qpw_policy_clear(&policies[0]);
    qpw_policy_clear(&policies[1]);
    return status;
}

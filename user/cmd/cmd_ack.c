/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_ack.c - qportwatch ack and mute: acknowledge or silence a finding. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auditor/alone.h"
#include "cmd/acts.h"
#include "cmd/cmd.h"
#include "control/watched.h"
#include "facts/select.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "util/since.h"
#include "util/usage.h"

#define MAX_WORDS 4

enum { KEY_UNTIL = 0x100, KEY_REASON, KEY_UNDO };

struct options {
    const char *words[MAX_WORDS];
    struct qpw_act act;
    bool mute;
};

#define UNTIL \
    {"until", KEY_UNTIL, "TIME", 0, "Up to then: 12h, 7d, 4w from now, or 2027-01-31[T12:00] in UTC", 0}

static const struct argp_option ack_options[] = {
    UNTIL,
    {"reason", KEY_REASON, "TEXT", 0, "Why; recorded with who and when", 0},
    {"undo", KEY_UNDO, NULL, 0, "Take an acknowledgement back", 0},
    {0},
};
static const struct argp_option mute_options[] = {
    UNTIL,
    {"reason", KEY_REASON, "TEXT", 0, "Why; written into the policy with who and when (required)", 0},
    {0},
};

static void take_until(const struct argp_state *state, const char *text, int64_t *ret)
{
    if (qpw_until_parse(text, time(NULL), ret) < 0)
        qpw_usage_error(state, "--until %s: not a time to come; use 12h, 7d, 4w, or 2027-01-31[T12:00[:00Z]] in UTC", text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    struct qpw_selection selection;
    struct qpw_error err;

    switch (key) {
    case KEY_UNTIL: take_until(state, arg, &o->act.until); return 0;
    case KEY_REASON:
        if (qpw_reason_check(arg, &err) < 0)
            qpw_usage_error(state, "--reason: %s", err.text);
        if (!arg[strspn(arg, " ")])
            qpw_usage_error(state, "--reason: it is empty%s", o->mute ? "" : "; leave it out for none");
        o->act.reason = arg;
        return 0;
    case KEY_UNDO: o->act.undo = true; return 0;
    case ARGP_KEY_ARG:
        if (o->act.n_words == MAX_WORDS)
            qpw_usage_error(state, "which finding? give " QPW_SELECTION_USAGE);
        o->words[o->act.n_words++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (qpw_selection_parse(o->words, o->act.n_words, &selection, &err) < 0)
            qpw_usage_error(state, "%s", err.text);
        if (o->mute && !o->act.reason)
            qpw_usage_error(state, "--reason is required: it is written into the policy");
        if (o->act.undo && (o->act.until || o->act.reason))
            qpw_usage_error(state, "--undo takes an acknowledgement back; it has no --until and no --reason");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int ask(void *context, const json_t *request, json_t **ret_answer, struct qpw_error *err)
{
    return qpw_audit_ask(request, ret_answer, err);
}

static const struct qpw_act_asker asker = {.ask = ask};

static int mute(const struct qpw_act *act, char *result, size_t size, struct qpw_error *err)
{
    struct qpw_collect_options options = {.brief = true};
    struct qpw_snapshot snapshot = {0};
    struct qpw_kernel kernel;
    int status = QPW_EXIT_FAILED, r = qpw_instance_find(&kernel, err);

    if (r < 0)
        return status;
    if (qpw_collect_watched(&kernel, &options, &snapshot, err) == 0)
        status = qpw_act_mute(act, &snapshot, &asker, result, size, err);
    qpw_snapshot_clear(&snapshot);
    qpw_kernel_close(&kernel);
    return status;
}

static int run(const struct argp *argp, int argc, char **argv, struct options *o)
{
    const char *name = o->mute ? "mute" : "ack";
    struct qpw_error err = {""};
    char result[512];
    int status;

    o->act.words = o->words;
    qpw_arguments_parse(argp, argc, argv, o);
    if (!o->act.reason)
        o->act.reason = "";
    if (geteuid() != 0) {
        fprintf(stderr, "qportwatch %s: root privileges are required (try sudo)\n", name);
        return QPW_EXIT_FAILED;
    }
    qpw_quiet_libbpf();
    status = o->mute ? mute(&o->act, result, sizeof(result), &err)
                     : qpw_act_acknowledge(&o->act, &asker, result, sizeof(result), &err);
    if (status == QPW_EXIT_OK)
        printf("%s\n", result);
    else
        fprintf(stderr, "qportwatch %s: %s\n", name, err.text);
    return status;
}

int qpw_cmd_ack(int argc, char **argv)
{
    static const struct argp argp = {
        ack_options, parse, "FINDING",
        "Says that a person has seen a finding: it leaves the headline and the alerts until --until, until its outcome rises, "
        "or until another program serves it. Of a service without addresses: all its findings, and who comes to it from their "
        "prefixes (IPv4 /24, IPv6 /48); they are still in the alert log.\v"
        "FINDING is " QPW_SELECTION_USAGE ". The report lists it as acknowledged; who, when and why are in the alert log.",
        NULL, NULL, NULL};
    struct options o = {0};

    return run(&argp, argc, argv, &o);
}

int qpw_cmd_mute(int argc, char **argv)
{
    static const struct argp argp = {
        mute_options, parse, "FINDING",
        "Silences a finding: a 'suppress' line with who, when and why goes into POLICY.muted, which the policy in force "
        "includes, and the policy is reloaded. A refused reload leaves everything as it was, and so do "
        "changes in the policy's files that are not in force yet.\v"
        "FINDING is " QPW_SELECTION_USAGE ". What was answered needs --until. What another program makes of it is open and in the alerts.",
        NULL, NULL, NULL};
    struct options o = {.mute = true};

    return run(&argp, argc, argv, &o);
}

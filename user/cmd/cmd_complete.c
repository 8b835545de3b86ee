/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_complete.c - qportwatch complete: list completions of the last word for shells. One candidate per line, followed
 * by a tab and its meaning; the line ":file" stands for file names. Everything comes from the tables that the commands
 * themselves use.
 */
#include <argp.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/engine.h"
#include "cmd/cmd.h"
#include "policy/lang/policy.h"
#include "util/names.h"
#include "util/usage.h"

/* The command line being completed; static, because a description's callback has no argument. */
static struct {
    const char *word;     /* the word to complete */
    const char *before;   /* the word before it */
} at;

static void offer(const char *candidate, const char *prefix, const char *meaning)
{
    if (!strncmp(candidate, prefix, strlen(prefix)))
        printf("%s\t%s\n", candidate, meaning ? meaning : "");
}

/* Offer a value that begins with `prefix`, after its option if both are one word: "--mode=tc". */
static void offer_value(const char *option, const char *value, const char *prefix)
{
    if (!strncmp(value, prefix, strlen(prefix)))
        printf("%s%s%s\t\n", option, *option ? "=" : "", value);
}

static void offer_interfaces(const char *option, const char *prefix)
{
    struct if_nameindex *all = if_nameindex();

    for (struct if_nameindex *i = all; i && i->if_name; i++)
        if (strcmp(i->if_name, "lo"))
            offer_value(option, i->if_name, prefix);
    if (all)
        if_freenameindex(all);
}

static void offer_builtins(const char *option, const char *prefix)
{
    for (unsigned i = 0; qpw_builtin_name(i); i++)
        offer_value(option, qpw_builtin_name(i), prefix);
}

static void offer_list(const char *option, const char *prefix, const char *const list[])
{
    for (size_t i = 0; list[i]; i++)
        offer_value(option, list[i], prefix);
}

/* Offer the alternatives in an option's usage, "auto|xdp|tc". False: the usage is no such list. */
static bool offer_choices(const char *option, const char *prefix, const char *usage)
{
    char copy[128], *save = NULL;

    if (!strchr(usage, '|') || strpbrk(usage, "[]ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        return false;
    snprintf(copy, sizeof(copy), "%s", usage);
    for (char *word = strtok_r(copy, "|", &save); word; word = strtok_r(NULL, "|", &save))
        offer_value(option, word, prefix);
    return true;
}

static void offer_verdicts(const char *option, const char *prefix)
{
    for (unsigned i = QPW_VERDICT_NONE + 1; i < QPW_VERDICT_COUNT; i++)
        offer_value(option, qpw_verdict_name(i), prefix);
}

/*
 * Offer the values of an option, by its name if that is more specific than its usage. option: its text in the same
 * word, or "" if the value is a separate word.
 */
static void complete_value(const struct argp_option *o, const char *option, const char *prefix)
{
#define ALERT(field, value, meaning) #field "=",
    static const char *const alerts[] = {QPW_ENGINE_SETTINGS(ALERT) NULL};
#undef ALERT
    static const char *const severities[] = {"high", "medium", "low", "info", NULL};
    static const char *const failures[] = {"high", "medium", "answered", "new", "gap", "undecided=", NULL};
    static const char *const directions[] = {"inbound", "outbound", "unknown", NULL};

    if (!strcmp(o->name, "platform")) {
        offer_builtins(option, prefix);
    } else if (!strcmp(o->name, "alert")) {
        offer_list(option, prefix, alerts);
    } else if (!strcmp(o->name, "severity")) {
        offer_list(option, prefix, severities);
    } else if (!strcmp(o->name, "direction")) {
        offer_list(option, prefix, directions);
    } else if (!strcmp(o->name, "verdict")) {
        offer_verdicts(option, prefix);
    } else if (!strcmp(o->name, "fail-on")) {
        offer_list(option, prefix, failures);
        offer_verdicts(option, prefix);
    } else if (!strcmp(o->name, "interface")) {
        offer_interfaces(option, prefix);
    } else if (!offer_choices(option, prefix, o->arg) && strstr(o->arg, "FILE")) {
        puts(":file");
    }
}

static void complete_option(void *arg, const struct argp_option *o)
{
    char name[64];

    if (!o->name || o->flags & OPTION_HIDDEN)
        return;
    snprintf(name, sizeof(name), "--%s%s", o->name, o->arg ? "=" : "");
    offer(name, at.word, o->doc);
}

static void complete_value_within(void *arg, const struct argp_option *o)
{
    const char *equals = strchr(at.word, '=');
    size_t length = (size_t)(equals - at.word);
    char option[64];

    if (!o->name || !o->arg || strlen(o->name) + 2 != length || strncmp(at.word + 2, o->name, length - 2))
        return;
    snprintf(option, sizeof(option), "--%s", o->name);
    complete_value(o, option, equals + 1);
}

/* If the previous word is this option, offer its values; *arg counts such options. */
static void complete_value_behind(void *arg, const struct argp_option *o)
{
    bool is_long = o->name && !strncmp(at.before, "--", 2) && !strcmp(at.before + 2, o->name);
    bool is_short = at.before[0] == '-' && at.before[1] && !at.before[2] && at.before[1] == o->key;

    if (!o->arg || !o->name || !(is_long || is_short))
        return;
    ++*(unsigned *)arg;
    complete_value(o, "", at.word);
}

static void complete_argument(const char *usage)
{
    if (strstr(usage, "IFACE")) {
        offer_value("", "auto", at.word);
        offer_interfaces("", at.word);
    }
    if (strstr(usage, "POLICY") || strstr(usage, "OLD"))
        offer_builtins("", at.word);
    if (strstr(usage, "CAPTURE") || strstr(usage, "FILE") || strstr(usage, "PAGE") || strstr(usage, "POLICY") ||
        strstr(usage, "OLD"))
        puts(":file");
}

static void complete(const struct argp *argp)
{
    unsigned values = 0;

    if (!strncmp(at.word, "--", 2) && strchr(at.word, '=')) {
        qpw_usage_each_option(argp, complete_value_within, NULL);
        return;
    }
    qpw_usage_each_option(argp, complete_value_behind, &values);
    if (values)
        return;
    if (*at.word == '-') {
        qpw_usage_each_option(argp, complete_option, NULL);
        offer("--help", at.word, "Give this help list");
    } else if (argp->args_doc) {
        complete_argument(argp->args_doc);
    }
}

static int run(const struct qpw_command *command, char *word, char *before)
{
    char name[] = "qportwatch", *argv[] = {name, NULL};

    at.word = word;
    at.before = before;
    qpw_usage_describe(complete);
    return command->run(1, argv);
}

int qpw_cmd_complete(const struct qpw_command *commands, size_t n, int argc, char **argv)
{
    const struct qpw_command *deeper;
    size_t n_deeper;

    for (; argc > 1; argc--, argv++) {
        if (argc == 2) {
            for (size_t i = 0; i < n; i++)
                offer(commands[i].name, argv[1], commands[i].does);
            return QPW_EXIT_OK;
        }
        for (size_t i = 0; i < n; i++) {
            if (strcmp(commands[i].name, argv[1]))
                continue;
            deeper = commands[i].under ? commands[i].under(&n_deeper) : NULL;
            if (!deeper)
                return run(&commands[i], argv[argc - 1], argc > 3 ? argv[argc - 2] : argv[1]);
            commands = deeper;
            n = n_deeper;
            break;
        }
    }
    return QPW_EXIT_OK;
}

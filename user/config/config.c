/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/file.h"
#include "util/array.h"
#include "util/error.h"
#include "util/usage.h"

enum { KEY_CONFIG = 0x600 };

static const struct argp_option argp_options[] = {
    {"config", KEY_CONFIG, "FILE", 0, "Settings of this file in place of " QPW_CONFIG_FILE " and conf.d; /dev/null: none", 0},
    {0},
};

static error_t take(int key, char *arg, struct argp_state *state)
{
    return key == KEY_CONFIG ? 0 : ARGP_ERR_UNKNOWN; /* parsed before the others */
}

const struct argp qpw_config_argp = {argp_options, take, NULL, NULL, NULL, NULL, NULL};

void qpw_config_clear(struct qpw_settings *config)
{
    for (size_t i = 0; i < config->n; i++) {
        free(config->settings[i].name);
        free(config->settings[i].value);
        free(config->settings[i].from);
        free(config->settings[i].word);
    }
    free(config->settings);
    free(config->foreign);
    *config = (struct qpw_settings){0};
}

/* Return whether one of these names replaces the other. */
static bool replaces(const char *a, const char *b)
{
    static const char *const pairs[][2] = {{"policy", "platform"}, {"peer", "peers"}, {"alerts", "no-alerts"}, {"history", "no-history"}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        if ((!strcmp(a, pairs[i][0]) && !strcmp(b, pairs[i][1])) || (!strcmp(b, pairs[i][0]) && !strcmp(a, pairs[i][1])))
            return true;
    return !strcmp(a, b);
}

/* Return whether both are `alert NAME=VALUE` with different NAMEs, which are separate settings. */
static bool other_alert(const struct qpw_setting *a, const struct qpw_setting *b)
{
    size_t length = strcspn(a->value, "=");

    return !strcmp(a->name, "alert") && (length != strcspn(b->value, "=") || strncmp(a->value, b->value, length));
}

void qpw_config_settle(struct qpw_settings *config, const char *const *given, size_t n)
{
    struct qpw_setting *s;

    for (size_t i = 0; i < config->n; i++) {
        s = &config->settings[i];
        for (size_t j = i + 1; j < config->n; j++)
            s->replaced |= config->settings[j].layer > s->layer && replaces(config->settings[j].name, s->name) &&
                           !other_alert(s, &config->settings[j]);
        for (size_t j = 0; j < n && strcmp(s->name, "alert"); j++) /* an `alert` setting: the later one wins anyway */
            s->replaced |= replaces(given[j], s->name);
    }
}

const char *qpw_config_blame(const struct qpw_settings *config, const char *text)
{
    const struct qpw_setting *s, *best = NULL;

    for (size_t i = 0; i < config->n; i++) {
        s = &config->settings[i];
        if (!s->replaced && !s->flag && strstr(text, s->value) && (!best || strlen(s->value) > strlen(best->value)))
            best = s;
    }
    return best ? best->from : NULL;
}

/* The names given on the command line. */
struct given {
    const char *config;
    const char **names;
    size_t n;
};

static void note_given(void *arg, const char *name, const char *value)
{
    struct given *given = arg;
    const char **added = QPW_ADD(given->names, given->n);

    if (!strcmp(name, "config"))
        given->config = value;
    if (!added)
        return; /* out of memory: whatever follows will fail and report it */
    *added = name;
    given->n++;
}

/* Look-up of an option by name in a command's options. */
struct wanted {
    const char *name;
    bool known;
};

static void look_up(void *arg, const struct argp_option *option)
{
    struct wanted *wanted = arg;

    wanted->known |= option->name && !strcmp(option->name, wanted->name);
}

static bool knows(const struct argp *argp, const char *name)
{
    struct wanted wanted = {.name = name};

    qpw_usage_each_option(argp, look_up, &wanted);
    return wanted.known;
}

void qpw_config_complain(const char *program, const char *line)
{
    const char *at = strstr(line, ": "), *digits = at;

    while (digits && digits > line && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    if (digits && digits < at && digits > line && digits[-1] == ':')
        fprintf(stderr, "%s\n", line);
    else
        fprintf(stderr, "%s: %s\n", program, line);
}

static const char *parsing = "qportwatch"; /* the program whose command line is parsed */

static void complain(const char *line)
{
    qpw_config_complain(parsing, line);
}

static _Noreturn void fail_without_memory(void)
{
    fprintf(stderr, "qportwatch: out of memory\n");
    exit(QPW_EXIT_FAILED);
}

static char *word_for(const struct qpw_setting *s)
{
    char *word = NULL;

    if (s->flag)
        return asprintf(&word, "--%s", s->name) < 0 ? NULL : word;
    return asprintf(&word, "--%s=%s", s->name, s->value) < 0 ? NULL : word;
}

/* Convert the files' settings to words of a command line. */
static size_t make_words(struct qpw_settings *config, const struct argp *argp, struct qpw_usage_word *words)
{
    size_t n = 0;

    for (size_t i = 0; i < config->n; i++) {
        struct qpw_setting *s = &config->settings[i];

        if (s->replaced || (s->flag && strcmp(s->value, "yes")) || !knows(argp, s->name))
            continue;
        s->word = word_for(s);
        if (!s->word)
            fail_without_memory();
        words[n++] = (struct qpw_usage_word){.text = s->word, .from = s->from};
    }
    return n;
}

/* Append the files' interfaces to the words of the command line. Returns the number of words. */
static int add_interfaces(const struct qpw_settings *config, const struct argp *argp, char **words, int n)
{
    for (size_t i = 0; argp->args_doc && i < config->n; i++)
        if (!config->settings[i].replaced && !strcmp(config->settings[i].name, QPW_CONFIG_IFACE))
            words[n++] = config->settings[i].value;
    return n;
}

void qpw_config_arguments_parse(const struct argp *argp, const struct argp *names, int argc, char **argv, void *input,
                                struct qpw_settings *ret)
{
    /* Without effect, but errors at the end are then not attributed to a setting. */
    static char files_end[] = "--config=/dev/null";
    struct qpw_settings config = {0};
    struct given given = {0};
    struct qpw_usage_word *words;
    char **all;
    size_t n, errors;

    if (qpw_usage_each_given(argp, argc, argv, note_given, &given))
        note_given(&given, QPW_CONFIG_IFACE, NULL);
    parsing = argv[0];
    errors = qpw_config_read(given.config, names, &config, complain);
    qpw_config_settle(&config, given.names, given.n);
    words = calloc(config.n + 1, sizeof(*words));
    all = calloc((size_t)argc + config.n + 3, sizeof(*all));
    if (!words || !all)
        fail_without_memory();
    n = make_words(&config, argp, words);
    all[0] = argv[0];
    all[1] = files_end;
    memcpy(all + 2, argv + 1, ((size_t)argc - 1) * sizeof(*argv));
    argc = add_interfaces(&config, argp, all, argc + 1);
    qpw_arguments_parse_after(argp, words, n, argc, all, input);
    free(given.names);
    free(words);
    free(all);
    if (errors)
        exit(QPW_EXIT_USAGE);
    *ret = config;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_config.c - qportwatch config show: each setting of `attach`, and its origin. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/engine.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/settings.h"
#include "cmd/subcommands.h"
#include "config/config.h"
#include "util/array.h"
#include "util/document.h"
#include "util/usage.h"
#include "words/table.h"

enum { KEY_ORIGIN = 0x700 };

struct options {
    const char *file;
    bool json;
    bool origin;
};

/* One line of the output. */
struct row {
    const char *name;
    const char *value; /* NULL: none */
    const char *from;  /* "FILE:LINE" or "default" */
};

struct listing {
    const struct qpw_settings *config;
    struct row *rows;
    size_t n;
};

static const struct argp_option options_table[] = {
    QPW_FORMAT_OPTIONS,
    {"origin", KEY_ORIGIN, NULL, 0, "Also say which file and line each value is from", 0},
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_ORIGIN: o->origin = true; return 0;
    default: return qpw_format_take(state, key, value, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

static void add_row(struct listing *l, const char *name, const char *value, const char *from)
{
    struct row *row = QPW_ADD(l->rows, l->n);

    if (!row) {
        fprintf(stderr, "qportwatch config show: out of memory\n");
        exit(QPW_EXIT_FAILED);
    }
    *row = (struct row){name, value, from};
    l->n++;
}

/* Add what the files set for a name. Returns whether there is any. */
static bool add_set(struct listing *l, const char *name)
{
    bool any = false;

    for (size_t i = 0; i < l->config->n; i++) {
        const struct qpw_setting *s = &l->config->settings[i];

        if (s->replaced || strcmp(s->name, name))
            continue;
        add_row(l, s->name, s->value, s->from);
        any = true;
    }
    return any;
}

/* Return whether the files set that setting of `alert` ("cap="). */
static bool sets_alert(const struct qpw_settings *config, const char *setting)
{
    size_t length = strcspn(setting, "=") + 1;

    for (size_t i = 0; i < config->n; i++)
        if (!config->settings[i].replaced && !strcmp(config->settings[i].name, "alert") &&
            !strncmp(config->settings[i].value, setting, length))
            return true;
    return false;
}

static void add_alerts(struct listing *l)
{
#define TEXT(field, value, meaning) #field "=" #value,
    static const char *const defaults[] = {QPW_ENGINE_SETTINGS(TEXT)};
#undef TEXT

    add_set(l, "alert");
    for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
        if (!sets_alert(l->config, defaults[i]))
            add_row(l, "alert", defaults[i], "default");
}

/* Return whether another setting replaces this one's default. */
static bool is_moot(const struct qpw_settings *config, const char *name)
{
    static const char *const by[][2] = {{"policy", "platform"}, {"platform", "policy"}, {"alerts", "no-alerts"}, {"history", "no-history"}};

    for (size_t i = 0; i < config->n; i++)
        for (size_t j = 0; j < sizeof(by) / sizeof(*by); j++)
            if (!config->settings[i].replaced && !strcmp(name, by[j][0]) && !strcmp(config->settings[i].name, by[j][1]) &&
                (!config->settings[i].flag || !strcmp(config->settings[i].value, "yes")))
                return true;
    return false;
}

static void add_option(void *arg, const struct argp_option *option)
{
    struct listing *l = arg;

    if (!option->name || !strcmp(option->name, "config"))
        return;
    if (!strcmp(option->name, "alert"))
        add_alerts(l);
    else if (!add_set(l, option->name) && !(option->flags & OPTION_HIDDEN))
        add_row(l, option->name, is_moot(l->config, option->name) ? NULL : qpw_setting_default(option->name), "default");
}

static int print_json(const struct listing *l)
{
    json_t *document = qpw_document("qportwatch.config/1"), *settings = json_array();
    int r = 0;

    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(settings, json_pack("{s:s, s:o, s:s}", "name", l->rows[i].name, "value",
                                                  qpw_json_text(l->rows[i].value), "origin", l->rows[i].from));
    if (!document || json_object_set_new(document, "settings", settings) < 0)
        r = -ENOMEM;
    else
        json_dumpf(document, stdout, JSON_INDENT(2));
    json_decref(document);
    putchar('\n');
    return r;
}

static int print_text(const struct listing *l, bool origin)
{
    static const struct qpw_table_column columns[] = {{.title = "SETTING"}, {.title = "VALUE"}, {.title = "FROM"}};
    struct qpw_table table = {.columns = columns, .n_columns = origin ? 3 : 2};
    struct qpw_printer printer = qpw_printer_of(stdout);
    int r = 0;

    printer.indent = 0;
    for (size_t i = 0; r == 0 && i < l->n; i++)
        r = qpw_table_add(&table, strcmp(l->rows[i].from, "default") ? QPW_TEXT_PLAIN : QPW_TEXT_DIM,
                          (const char *[]){l->rows[i].name, l->rows[i].value ? l->rows[i].value : "-", l->rows[i].from});
    if (r == 0)
        r = qpw_table_print(&table, &printer);
    qpw_table_clear(&table);
    return r;
}

static void complain(const char *line)
{
    qpw_config_complain("qportwatch config show", line);
}

static void note_file(void *arg, const char *name, const char *value)
{
    struct options *o = arg;

    if (!strcmp(name, "config"))
        o->file = value;
}

static int show(int argc, char **argv)
{
    static const struct argp_child children[] = {{&qpw_config_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options_table, .parser = take_option, .children = children,
        .doc = "Show each setting of 'attach': what " QPW_CONFIG_FILE " and the files of conf.d say, else what holds by "
               "default. What is written on the command line of 'attach' counts more than either.\vWhat an attachment runs "
               "with is shown by 'qportwatch status'."};
    struct qpw_settings config;
    struct listing listing = {.config = &config};
    struct options o = {0};
    int r;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_usage_each_given(&argp, argc, argv, note_file, &o);
    qpw_attach_check_settings(argv[0], o.file);
    if (qpw_config_read(o.file, &qpw_attach_argp, &config, complain))
        return QPW_EXIT_USAGE;
    qpw_config_settle(&config, NULL, 0);
    if (config.foreign)
        qpw_put_lines(stderr, "qportwatch config show: warning: %s", config.foreign);
    if (!add_set(&listing, QPW_CONFIG_IFACE))
        add_row(&listing, QPW_CONFIG_IFACE, NULL, "default");
    qpw_usage_each_option(&qpw_attach_argp, add_option, &listing);
    r = o.json ? print_json(&listing) : print_text(&listing, o.origin);
    free(listing.rows);
    qpw_config_clear(&config);
    if (r < 0)
        fprintf(stderr, "qportwatch config show: cannot print: %s\n", strerror(-r));
    return r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}

static const struct qpw_command subcommands[] = {{"show", show, "each setting and where it comes from"}};

const struct qpw_command *qpw_config_commands(size_t *ret_n)
{
    *ret_n = sizeof(subcommands) / sizeof(*subcommands);
    return subcommands;
}

int qpw_cmd_config(int argc, char **argv)
{
    static const struct qpw_subcommands all = {"qportwatch config", "", subcommands, sizeof(subcommands) / sizeof(*subcommands)};

    return qpw_subcommands_run(&all, argc, argv);
}

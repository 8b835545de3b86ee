/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_check.c - qportwatch check: what attaching would do, and what it could not see. Changes nothing. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/number.h"
#include "cmd/settings.h"
#include "config/config.h"
#include "host/altname.h"
#include "instance/kernel_words.h"

enum { KEY_MODE = 0x300, KEY_ALERTS, KEY_NO_ALERTS, KEY_MAX_CONNECTIONS, KEY_WAIT };

struct options {
    struct qpw_check_options check;
    const char *ifaces[QPW_MAX_IFACES];
    bool json;
};

static const struct argp_option options_table[] = {
    QPW_FORMAT_OPTIONS,
    {"mode", KEY_MODE, "auto|xdp|tc", 0, "As attach would be given", 0},
    {"alerts", KEY_ALERTS, "FILE", 0, "The same", 0},
    {"no-alerts", KEY_NO_ALERTS, 0, 0, "The same", 0},
    {"max-connections", KEY_MAX_CONNECTIONS, "N", 0, "The same", 0},
    {"wait", KEY_WAIT, 0, 0, "The same", 0},
    {0},
};

static const char *const modes[] = {"auto", "xdp", "tc", NULL};

static void take_interface(struct argp_state *state, struct options *o, char *name)
{
    if (!strcmp(name, "auto"))
        o->check.automatic = true;
    else if (o->check.n_ifaces == QPW_MAX_IFACES - 1)
        qpw_usage_error(state, "no more than %d interfaces", QPW_MAX_IFACES - 1);
    else
        o->ifaces[o->check.n_ifaces++] = name;
}

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->check.policy; return 0;
    case KEY_MODE: o->check.mode = (enum qpw_attach_mode)qpw_usage_choice(state, "--mode", value, modes); return 0;
    case KEY_ALERTS: o->check.alerts = value; return 0;
    case KEY_NO_ALERTS: o->check.alerts = NULL; return 0;
    case KEY_MAX_CONNECTIONS: o->check.max_connections = qpw_connections_parse(state, value); return 0;
    case KEY_WAIT: o->check.wait = true; return 0;
    case ARGP_KEY_ARG: take_interface(state, o, value); return 0;
    case ARGP_KEY_NO_ARGS:
        qpw_usage_error(state, "missing interface argument ('ip -br link' lists the interfaces; 'auto' finds them)");
    default: return qpw_format_take(state, key, value, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

static int print(const struct options *o, const struct qpw_check *check)
{
    struct qpw_printer printer = qpw_printer_of(stdout);
    json_t *document;
    int r;

    if (!o->json)
        return qpw_check_text(check, &printer);
    document = qpw_check_json(check);
    r = !document ? -ENOMEM : json_dumpf(document, stdout, JSON_INDENT(2)) < 0 ? -EIO : 0;
    json_decref(document);
    putchar('\n');
    return r;
}

int qpw_cmd_check(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&qpw_policy_argp, 0, "Policy:", 2}, {&qpw_config_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options_table, .parser = take_option, .args_doc = "IFACE...", .children = children,
        .doc = "Says what attaching would do before anything is attached: how each interface would be counted, whether its link "
               "could be interrupted, who stands in its hooks, what would pass unseen. Nothing is changed. Options that are not "
               "given are taken from the configuration, as attach does.\vExit status: 0 nothing would be missed, 3 something "
               "would, or attaching would fail."};
    struct options o = {.check = {.alerts = QPW_DEFAULT_ALERTS}};
    char names[QPW_MAX_IFACES][16];
    struct qpw_settings config;
    struct qpw_check check;
    struct qpw_error err;
    int r, status = QPW_EXIT_FAILED;

    qpw_config_arguments_parse(&argp, &qpw_attach_argp, argc, argv, &o, &config);
    o.check.ifaces = o.ifaces;
    o.check.foreign = config.foreign;
    for (size_t i = 0; i < o.check.n_ifaces; i++)
        o.ifaces[i] = qpw_altname_main(o.ifaces[i], names[i]);
    qpw_quiet_libbpf();
    r = qpw_check_make(&o.check, &check, &err);
    if (r == 0) {
        r = print(&o, &check) < 0 ? qpw_fail(&err, -EIO, "cannot print what was found") : 0;
        status = qpw_check_found(&check) ? QPW_EXIT_YES : QPW_EXIT_OK;
        qpw_check_clear(&check);
    }
    if (r < 0)
        fprintf(stderr, "qportwatch check: %s\n", err.text);
    qpw_policy_options_clear(&o.check.policy);
    qpw_config_clear(&config);
    return r < 0 ? QPW_EXIT_FAILED : status;
}

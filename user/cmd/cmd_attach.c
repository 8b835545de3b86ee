/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alert/options.h"
#include "auditor/auditor.h"
#include "auditor/privileges.h"
#include "host/altname.h"
#include "host/notify.h"
#include "host/rights.h"
#include "cmd/attach_view.h"
#include "cmd/cmd.h"
#include "cmd/hosts.h"
#include "cmd/number.h"
#include "cmd/settings.h"
#include "cmd/verbose.h"
#include "config/config.h"
#include "history/history.h"
#include "host/clock.h"
#include "instance/kernel_words.h"
#include "util/names.h"
#include "util/usage.h"
#include "words/printer.h"
#include "words/terminal.h"
#include "words/words.h"

enum {
    KEY_MODE = 0x200, KEY_TC_HOOK, KEY_INTERVAL, KEY_ALERTS, KEY_NO_ALERTS, KEY_HISTORY, KEY_NO_HISTORY, KEY_SYSLOG, KEY_SENSOR, KEY_CLUSTER, KEY_NO_TUI,
    KEY_KEEP, KEY_WAIT, KEY_MAX_CONNECTIONS, KEY_TCP, KEY_HALF_OPEN, KEY_UDP, KEY_OTHER, KEY_TAIL, KEY_PARENT, KEY_FRAGMENT,
};

static const struct argp_option options_table[] = {
    {"mode", KEY_MODE, "auto|xdp|tc", 0, "Where packets are counted; auto (default) never interrupts a link", 0},
    {"tc-hook", KEY_TC_HOOK, "auto|tcx|clsact", OPTION_HIDDEN, "Which of the two TC hooks", 0},
    {"interval", KEY_INTERVAL, "SECONDS", 0,
     "Time between summary lines and checks of the hooks (default " QPW_STRING(QPW_DEFAULT_INTERVAL) ") and between repeated alerts (300)", 0},
    {"alerts", KEY_ALERTS, "FILE", 0, "Alert log (default " QPW_DEFAULT_ALERTS ")", 0},
    {"no-alerts", KEY_NO_ALERTS, 0, 0, "Write no alert log", 0},
    {"history", KEY_HISTORY, "FILE", 0, "History, which outlives the counters (default " QPW_HISTORY_FOLDER "/" QPW_HISTORY_NAME ")", 0},
    {"no-history", KEY_NO_HISTORY, 0, 0, "Keep no history", 0},
    {"syslog", KEY_SYSLOG, "TARGET", 0,
     "Also send alerts to: unix[:PATH], udp:ADDR[:PORT], tcp:ADDR[:PORT] or journald", 0},
    {"sensor-name", KEY_SENSOR, "NAME", 0, "Name of this node in alerts (default: the host name)", 0},
    {"cluster", KEY_CLUSTER, "DIRECTORY", 0, "Where 'qportwatch serve' keeps what it finds about the cluster (default " QPW_DEFAULT_CLUSTER ")", 0},
    {"no-tui", KEY_NO_TUI, 0, 0, "Print lines instead of the live view, even on a terminal", 0},
    {"keep", KEY_KEEP, 0, 0, "On a clean exit, keep counting in the kernel until the next start", 0},
    {"wait", KEY_WAIT, 0, 0, "Wait for interfaces and routes that are not there yet", 0},
    QPW_VERBOSE_OPTION,
    {"max-connections", KEY_MAX_CONNECTIONS, "N", 0, "Table size for established TCP connections (default 65536)", 0},
    {"tcp-timeout", KEY_TCP, "SECONDS", 0, "Idle time after which an established TCP connection ends", 1},
    {"half-open-timeout", KEY_HALF_OPEN, "SECONDS", 0, "The same before the handshake is complete", 1},
    {"udp-timeout", KEY_UDP, "SECONDS", 0, "The same for a UDP exchange", 1},
    {"other-timeout", KEY_OTHER, "SECONDS", 0, "The same for every other protocol", 1},
    {"tail-timeout", KEY_TAIL, "SECONDS", 0, "How long late packets still belong to a closed connection", 1},
    {"parent-timeout", KEY_PARENT, "SECONDS", 0, "How long an answered exchange vouches for its companions", 1},
    {"fragment-timeout", KEY_FRAGMENT, "SECONDS", 0, "How long fragments wait for the first one", 1},
    {0},
};

struct arguments {
    struct qpw_audit_options audit;
    const char *ifaces[QPW_MAX_IFACES];
    bool no_alerts;
    bool no_history;
    bool interval_given;
    struct qpw_alert_options alerting;
    struct qpw_settings config;
    bool no_tui;
    bool verbose;
    struct qpw_view *view; /* receives the lines while it has the terminal */
    uint64_t unwritten;    /* lines that standard output or error did not accept */
};

static const char *name_of(int key)
{
    const struct argp_option *o = options_table;

    while (o->key != key)
        o++;
    return o->name;
}

static unsigned seconds(struct argp_state *state, int key, const char *text)
{
    char option[40];

    snprintf(option, sizeof(option), "--%s", name_of(key));
    return (unsigned)qpw_usage_number(state, option, text, 1, 365ul * 24 * 3600, "number of seconds");
}

/* In the order of their enums. */
static const char *const modes[] = {"auto", "xdp", "tc", NULL}, *const tc_hooks[] = {"auto", "tcx", "clsact", NULL};

static void take_interface(struct argp_state *state, struct arguments *arguments, const char *name)
{
    struct qpw_audit_options *audit = &arguments->audit;

    if (!strcmp(name, "auto")) {
        audit->automatic = true;
        return;
    }
    if (audit->n_ifaces == QPW_MAX_IFACES - 1)
        qpw_usage_error(state, "no more than %d interfaces", QPW_MAX_IFACES - 1);
    for (size_t i = 0; i < audit->n_ifaces; i++)
        if (!strcmp(arguments->ifaces[i], name))
            qpw_usage_error(state, "%s: named twice; name each interface once", name);
    arguments->ifaces[audit->n_ifaces++] = name;
}

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    struct qpw_audit_options *audit = &arguments->audit;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &audit->policy;
        state->child_inputs[1] = &arguments->alerting;
        return 0;
    case KEY_MODE: audit->mode = (enum qpw_attach_mode)qpw_usage_choice(state, "--mode", value, modes); return 0;
    case KEY_TC_HOOK: audit->tc = (enum qpw_tc_choice)qpw_usage_choice(state, "--tc-hook", value, tc_hooks); return 0;
    case KEY_INTERVAL:
        audit->interval = seconds(state, key, value);
        arguments->interval_given = true;
        return 0;
    case KEY_ALERTS:
        audit->alerts = value;
        arguments->no_alerts = false;
        return 0;
    case KEY_NO_ALERTS: arguments->no_alerts = true; return 0;
    case KEY_HISTORY:
        if (!*value)
            qpw_usage_error(state, "--history: it is empty; leave it out for the default, or give --no-history");
        audit->history = value;
        arguments->no_history = false;
        return 0;
    case KEY_NO_HISTORY: arguments->no_history = true; return 0;
    case KEY_SYSLOG: audit->syslog = value; return 0;
    case KEY_SENSOR:
        if (!*value)
            qpw_usage_error(state, "--sensor-name: it is empty; leave it out for the host's name");
        audit->sensor_name = value;
        return 0;
    case KEY_CLUSTER:
        audit->cluster = qpw_usage_path(state, "--cluster", value);
        return 0;
    case KEY_NO_TUI: arguments->no_tui = true; return 0;
    case QPW_KEY_VERBOSE: arguments->verbose = true; return 0;
    case KEY_KEEP: audit->keep = true; return 0;
    case KEY_WAIT: audit->wait = true; return 0;
    case KEY_MAX_CONNECTIONS: audit->load.max_connections = qpw_connections_parse(state, value); return 0;
    case KEY_TCP: audit->timeouts.tcp = seconds(state, key, value); return 0;
    case KEY_HALF_OPEN: audit->timeouts.half_open = seconds(state, key, value); return 0;
    case KEY_UDP: audit->timeouts.udp = seconds(state, key, value); return 0;
    case KEY_OTHER: audit->timeouts.other = seconds(state, key, value); return 0;
    case KEY_TAIL: audit->timeouts.tail = seconds(state, key, value); return 0;
    case KEY_PARENT: audit->timeouts.parent = seconds(state, key, value); return 0;
    case KEY_FRAGMENT: audit->timeouts.fragment = seconds(state, key, value); return 0;
    case ARGP_KEY_ARG: take_interface(state, arguments, value); return 0;
    case ARGP_KEY_NO_ARGS: qpw_usage_error(state, "missing interface argument ('ip -br link' lists the interfaces; 'auto' finds them)"); return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/*
 * Return whether the stream accepts more now; a pipe without a reader or a stopped terminal must not block the audit.
 */
static bool takes_more(FILE *out)
{
    struct pollfd end = {.fd = fileno(out), .events = POLLOUT};

    return poll(&end, 1, 0) > 0;
}

/* Write lines for the journal: each with its own priority, also the continuation lines. */
static void put_journal(FILE *out, const char *priority, const char *now, const char *text)
{
    char *copy = strdup(text), *rest = copy, *line;

    while (rest && (line = strsep(&rest, "\n")))
        if (*line)
            qpw_put_lines(out, "%s%s %s", priority, now, line);
    free(copy);
}

/*
 * Print a line with the time, and its continuation lines below; errors and warnings go to standard error. Lines that
 * the stream does not accept are counted.
 */
static void print_line(void *arg, enum qpw_auditor_notify kind, const char *line)
{
    struct arguments *arguments = arg;
    static const char *const priorities[] = {[QPW_NOTIFY_NOTE] = "<6>", [QPW_NOTIFY_WARNING] = "<4>", [QPW_NOTIFY_FINDING] = "<5>",
                                             [QPW_NOTIFY_ANSWERED] = "<3>", [QPW_NOTIFY_SUMMARY] = "<6>"};
    char now[40], count[48];
    FILE *out = kind == QPW_NOTIFY_WARNING ? stderr : stdout;

    if (arguments->view) {
        if (kind == QPW_NOTIFY_NOTE || kind == QPW_NOTIFY_WARNING)
            qpw_view_set_message(arguments->view, kind == QPW_NOTIFY_WARNING, line);
        return;
    }
    if (!takes_more(out)) {
        arguments->unwritten++;
        return;
    }
    if (arguments->unwritten)
        fprintf(out, "%s left out, since nobody read\n", qpw_words_many(arguments->unwritten, "line", count, sizeof(count)));
    arguments->unwritten = 0;
    qpw_words_time(qpw_clock_unix_ns(), now, sizeof(now));
    if (qpw_is_journal(fileno(out)))
        put_journal(out, priorities[kind], now, line);
    else
        qpw_put_lines(out, "%s %s", now, line);
    if (fflush(out) != 0) { /* no reader: neither a reason to end, nor anything to keep for later */
        __fpurge(out);
        clearerr(out);
    }
}

/* Join the command line again, for `status`. */
static const char *join(int argc, char **argv, char *buf, size_t size)
{
    size_t used = 0;

    for (int i = 0; i < argc && used < size; i++)
        used += snprintf(buf + used, size - used, "%s%s", i ? " " : "", argv[i]);
    return buf;
}

static int fail(int status, const struct qpw_error *err)
{
    fprintf(stderr, "qportwatch attach: %s\n", err->text);
    return status;
}

/* Report an error, with the configuration file's line if the setting comes from one. */
static int fail_to_start(const struct arguments *arguments, int status, struct qpw_error *err)
{
    const char *from = qpw_config_blame(&arguments->config, err->text);
    size_t used = strlen(err->text);

    if (from)
        snprintf(err->text + used, sizeof(err->text) - used, "; set in %s", from);
    return fail(status, err);
}

static bool wants_view(const struct arguments *arguments)
{
    return !arguments->no_tui && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* Show the view as long as the terminal can, otherwise print lines; auditing continues either way. */
static int watch(struct arguments *arguments, struct qpw_auditor *auditor, struct qpw_error *err)
{
    char line[600];
    int r;

    if (!wants_view(arguments))
        return qpw_auditor_run(auditor, err);
    r = qpw_attach_view(auditor, arguments->audit.keep, &arguments->view, err);
    if (r != -ENOTTY && r != QPW_ATTACH_VIEW_GONE)
        return r;
    if (r == -ENOTTY) {
        snprintf(line, sizeof(line), "%s: lines instead of the live view", err->text);
        print_line(arguments, QPW_NOTIFY_WARNING, line);
    }
    return qpw_auditor_run(auditor, err);
}

/* Open the auditor. Descriptors from the service manager's store are held until the programs have been found by id. */
static int open_auditor(struct arguments *arguments, struct qpw_auditor **ret, bool *ret_usage, struct qpw_error *err)
{
    int stored[QPW_NOTIFY_FDS], r;
    size_t n = qpw_notify_stored(QPW_SERVICE_STORE, stored, QPW_NOTIFY_FDS);

    arguments->audit.stored = n;
    r = qpw_privileges_prepare(err);
    if (r == 0 && (r = qpw_auditor_open(&arguments->audit, ret, ret_usage, err)) < 0)
        qpw_privileges_end();
    while (n > 0)
        close(stored[--n]);
    return r;
}

static int run(struct arguments *arguments)
{
    struct qpw_auditor *auditor;
    struct qpw_error err = {0};
    char line[600];
    bool usage = false;
    int r, status = QPW_EXIT_OK;

    if (arguments->config.foreign)
        print_line(arguments, QPW_NOTIFY_WARNING, arguments->config.foreign);
    r = open_auditor(arguments, &auditor, &usage, &err);
    if (r < 0)
        return fail_to_start(arguments, usage ? QPW_EXIT_USAGE : QPW_EXIT_FAILED, &err);
    if (wants_view(arguments))
        qpw_verifier_log_show(NULL); /* interfaces that come later may need more programs, but the terminal is the view's */
    r = qpw_privileges_drop(&err);
    if (r) {
        snprintf(line, sizeof(line), "%s%s", r < 0 ? "more rights than needed are kept: " : "", err.text);
        print_line(arguments, r < 0 ? QPW_NOTIFY_WARNING : QPW_NOTIFY_NOTE, line);
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): open_auditor() has set it */
    if (qpw_privileges_confine(auditor, wants_view(arguments), &err) < 0)
        print_line(arguments, QPW_NOTIFY_WARNING, err.text);
    r = watch(arguments, auditor, &err);
    if (r < 0)
        status = fail(QPW_EXIT_FAILED, &err);
    r = qpw_auditor_close(auditor, &err);
    qpw_privileges_end();
    if (r < 0)
        status = fail(QPW_EXIT_FAILED, &err);
    return status;
}

static const struct argp_child children[] = {
    {&qpw_policy_argp, 0, "Policy:", 2}, {&qpw_alert_argp, 0, NULL, 0}, {&qpw_hosts_argp, 0, NULL, 0},
    {&qpw_config_argp, 0, NULL, 0}, {0}};
const struct argp qpw_attach_argp = {
    .options = options_table, .parser = take_option, .args_doc = "IFACE...", .children = children,
    .doc = "Monitors interfaces until stopped. Packets are counted in the kernel and never changed. What is not given is "
           "taken from " QPW_CONFIG_FILE " and conf.d; 'qportwatch config show' lists it. IFACE 'auto': what carries the "
           "default route and the routes to the peers."
           "\vSIGINT and SIGTERM remove everything (unless --keep); SIGUSR2 reloads the policy; SIGHUP reopens "
           "the alert log. If the process is killed, counting continues in the kernel and the next attach resumes it.",
};

void qpw_attach_check_settings(const char *program, const char *file)
{
    static char word[] = "--config", interface[] = "auto"; /* passed if no argument is given */
    char *argv[] = {(char *)program, interface, word, (char *)file, NULL};
    struct arguments arguments = {0};
    struct qpw_settings config;

    if (!file)
        argv[2] = NULL;
    qpw_config_arguments_parse(&qpw_attach_argp, &qpw_attach_argp, file ? 4 : 2, argv, &arguments, &config);
    qpw_policy_options_clear(&arguments.audit.policy);
    qpw_config_clear(&config);
}

int qpw_cmd_attach(int argc, char **argv)
{
    struct arguments arguments = {
        .audit = {.interval = QPW_DEFAULT_INTERVAL, .alerts = QPW_DEFAULT_ALERTS, .cluster = QPW_DEFAULT_CLUSTER, .notify = print_line}};
    char command[256], history[1024], names[QPW_MAX_IFACES][16];
    struct qpw_error err;
    int status;

    qpw_engine_defaults(&arguments.alerting.settings);
    arguments.audit.history = qpw_history_path(history, sizeof(history));
    join(argc, argv, command, sizeof(command));
    qpw_config_arguments_parse(&qpw_attach_argp, &qpw_attach_argp, argc, argv, &arguments, &arguments.config);
    arguments.audit.ifaces = arguments.ifaces;
    arguments.audit.command = command;
    arguments.audit.notify_arg = &arguments;
    arguments.audit.alerting = arguments.alerting.settings;
    if (arguments.interval_given && !arguments.alerting.summary_given)
        arguments.audit.alerting.summary_s = arguments.audit.interval; /* report ongoing traffic once per interval */
    if (arguments.no_alerts)
        arguments.audit.alerts = NULL;
    if (arguments.no_history)
        arguments.audit.history = NULL;
    if (qpw_rights_check(&err) < 0) {
        qpw_put_lines(stderr, "qportwatch attach: %s: %s", arguments.audit.n_ifaces ? arguments.ifaces[0] : "auto", err.text);
        qpw_policy_options_clear(&arguments.audit.policy);
        return QPW_EXIT_FAILED;
    }
    for (size_t i = 0; i < arguments.audit.n_ifaces; i++)
        arguments.ifaces[i] = qpw_altname_main(arguments.ifaces[i], names[i]);
    qpw_quiet_libbpf();
    if (arguments.verbose)
        qpw_verifier_log_show(stderr);
    status = run(&arguments);
    qpw_policy_options_clear(&arguments.audit.policy);
    qpw_config_clear(&arguments.config);
    return status;
}

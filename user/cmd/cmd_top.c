/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_top.c - qportwatch top: the live view of the attached instance, or its tables as plain text. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/hosts.h"
#include "cmd/node_listeners.h"
#include "cmd/format.h"
#include "cmd/top_reader.h"
#include "cmd/view_acts.h"
#include "cmd/view_more.h"
#include "control/watched.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "host/netlink.h"
#include "host/sockets.h"
#include "report/render.h"
#include "util/error.h"
#include "util/near.h"
#include "util/usage.h"
#include "view/alertlog.h"
#include "view/columns.h"
#include "view/plain.h"
#include "view/process.h"
#include "view/view.h"
#include "words/terminal.h"

enum output { SCREEN = 0, ONCE, LINES };

struct options {
    enum output output;
    bool ascii;
    bool json;
    const char *filter, *sort, *tab, *interval;
};

/* The instance that is shown, and what else is needed. */
struct source {
    struct qpw_kernel kernel;
    bool open;
    struct qpw_netlink *links;
    struct qpw_sockets *sockets;
    struct qpw_more_source more;
};

enum { KEY_ONCE = 0x100, KEY_LINES, KEY_ASCII, KEY_FORMAT, KEY_INTERVAL, KEY_FILTER };

static const struct argp_option argp_options[] = {
    {"once", KEY_ONCE, NULL, 0, "Print the tables once and end (rates over one interval)", 0},
    {"lines", KEY_LINES, NULL, 0, "Print them again each interval", 0},
    {"json", 'j', NULL, 0, "Print a report as one line of JSON each interval (with --once: one)", 0},
    {"format", KEY_FORMAT, "text|json", 0, "json is the same as --json", 0},
    {"interval", KEY_INTERVAL, "SECONDS", 0, "Between two refreshes, 0.1 to 3600 (default 1)", 0},
    {"tab", 't', "NAME", 0, "unexpected, ports, peers, policy, coverage, connections, listeners or cluster", 0},
    {"filter", KEY_FILTER, "FILTER", 0, "Show only rows that match, such as 'dir:in verdict:unexpected -port:445'", 0},
    {"sort", 's', "COLUMN", 0, "Order by a column's title; '-COLUMN' reverses", 0},
    {"ascii", KEY_ASCII, NULL, 0, "No character beyond ASCII, whatever the locale says", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case KEY_ONCE: o->output = ONCE; break;
    case KEY_LINES: o->output = o->output == ONCE ? ONCE : LINES; break;
    case 'j': o->json = true; break;
    case KEY_FORMAT: o->json = qpw_format_is_json(state, arg); break;
    case KEY_ASCII: o->ascii = true; break;
    case KEY_INTERVAL: o->interval = arg; break;
    case 't': o->tab = arg; break;
    case KEY_FILTER: o->filter = arg; break;
    case 's': o->sort = arg; break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    argp_options, parse, NULL,
    "The live view over what is attached, from any number of terminals.\v"
    "Keys are those of htop, less and vim; ? lists them and the words of the filter. The choices made are remembered "
    "for the next time. Without a terminal it prints lines. Honours NO_COLOR.", qpw_hosts_child, NULL, NULL};

/* ---- The view's options ---- */

static int set_sort(const char *text, struct qpw_view_state *state, struct qpw_error *err)
{
    const struct qpw_column *column = qpw_column_named(state->tab, *text == '-' ? text + 1 : text);
    char hint[320];

    if (!column)
        return qpw_fail(err, -EINVAL, "--sort %s: tab %s has no such column%s", text, qpw_tab_name(state->tab),
                        qpw_column_hint(state->tab, *text == '-' ? text + 1 : text, hint, sizeof(hint)));
    state->sort[state->tab] = (struct qpw_sort){.column = column->id, .reverse = *text == '-'};
    return 0;
}

static int apply(const struct options *o, bool screen, struct qpw_view_state *state, struct qpw_error *err)
{
    struct qpw_error why = {""};
    static const char *const tabs[] = {"unexpected", "ports", "peers", "policy", "coverage", "connections", "listeners", "cluster", NULL};
    char hint[48];
    int tab = o->tab ? qpw_tab_find(o->tab) : (int)state->tab;
    char *end = "";
    double seconds = o->interval ? strtod(o->interval, &end) : state->interval_ms / 1000.0;

    if (o->json && (o->tab || o->filter || o->sort))
        return qpw_fail(err, -EINVAL, "--json prints whole reports; --tab, --filter and --sort are for tables");
    if (tab == QPW_TAB_HELP && !screen)
        return qpw_fail(err, -EINVAL, "--tab %s: help is for the screen; its keys do nothing in tables", o->tab);
    if (tab < 0)
        return qpw_fail(err, -EINVAL,
                        "--tab %s: not one of unexpected, ports, peers, policy, coverage, connections, listeners, cluster%s", o->tab,
                        qpw_near_among(o->tab, tabs, hint, sizeof(hint)));
    state->tab = (enum qpw_tab)tab;
    if (*end || !(seconds >= 0.1 && seconds <= 3600))
        return qpw_fail(err, -EINVAL, "--interval %s: not a number of seconds from 0.1 to 3600", o->interval);
    state->interval_ms = (unsigned)(seconds * 1000);
    if (o->filter) {
        if (strlen(o->filter) >= QPW_FILTER_TEXT)
            return qpw_fail(err, -EINVAL, "--filter: longer than %d characters", QPW_FILTER_TEXT - 1);
        if (qpw_filter_parse(o->filter, &state->filter, &why) < 0)
            return qpw_fail(err, -EINVAL, "--filter: %s", why.text);
        strcpy(state->filter_text, o->filter);
    }
    return o->sort ? set_sort(o->sort, state, err) : 0;
}

/* ---- Snapshots ---- */

static int open_source(struct source *s, struct qpw_error *err)
{
    int r = qpw_instance_find(&s->kernel, err);

    if (r < 0)
        return r;
    s->open = true;
    r = qpw_netlink_open(&s->links, err);
    if (r == 0)
        r = qpw_sockets_open(&s->sockets, err);
    if (r == 0)
        qpw_sockets_executables(s->sockets, qpw_executable_path, &s->kernel);
    qpw_more_source_open(&s->more, &s->kernel, s->sockets);
    return r;
}

static void close_source(struct source *s)
{
    qpw_more_source_close(&s->more);
    qpw_sockets_close(s->sockets);
    qpw_netlink_close(s->links);
    if (s->open)
        qpw_kernel_close(&s->kernel);
}

static bool still_attached(const struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].attached)
            return true;
    return false;
}

/* Switch to the instance attached now, if any: our descriptors keep a detached one readable. */
static void look_for_another(struct source *s)
{
    struct qpw_kernel kernel;

    if (qpw_instance_find(&kernel, NULL) < 0)
        return;
    qpw_kernel_close(&s->kernel);
    s->kernel = kernel;
}

static int take(void *context, bool whole, struct qpw_snapshot *ret, struct qpw_error *err)
{
    struct source *s = context;
    static const struct qpw_netlink_handler nothing;
    struct qpw_collect_options options = {.brief = !whole, .links = s->links};
    int r = whole ? qpw_netlink_refresh(s->links, err) : 0; /* for the packet counters of unwatched interfaces */

    if (r == 0)
        r = qpw_netlink_drain(s->links, &nothing, err);
    if (r == 0)
        r = qpw_collect_watched(&s->kernel, &options, ret, err);
    if (r < 0)
        return r;
    qpw_node_names(ret);
    if (!still_attached(ret))
        look_for_another(s);
    return 0;
}

/* ---- Plain output ---- */

static int write_tables(FILE *out, struct qpw_model *m, struct qpw_view_state *state, const struct options *o)
{
    bool ascii = o->ascii || (isatty(STDOUT_FILENO) && !qpw_terminal_utf8());
    int width = (int)qpw_terminal_columns(stdout), r = qpw_plain_header(out, m, state, width, ascii);
    enum qpw_tab only = state->tab;

    for (int tab = 0; r == 0 && tab < QPW_TAB_HELP; tab++) {
        if (o->tab ? tab != (int)only : tab >= QPW_TAB_CONNECTIONS)
            continue; /* only read on request */
        fputc('\n', out);
        state->tab = (enum qpw_tab)tab;
        r = qpw_plain_table(out, m, state, width, ascii);
    }
    state->tab = only;
    return r;
}

/* Print the tables in one piece, so that an error concerns the first byte that could not be written. */
static int print_tables(struct qpw_model *m, struct qpw_view_state *state, const struct options *o)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    int r = memory ? write_tables(memory, m, state, o) : -ENOMEM;

    if (memory && fclose(memory) != 0 && r == 0)
        r = -ENOMEM;
    if (r == 0 && (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0))
        r = -errno;
    free(text);
    return r;
}

/* Print the report's document on one line. In JSON, line breaks occur only between tokens, followed by indentation. */
static int print_json(const struct qpw_snapshot *snapshot)
{
    struct qpw_render_options options = {0};
    struct qpw_report report;
    char *text = NULL;
    size_t size;
    FILE *memory;
    int r = qpw_report_make(snapshot, 0, &report);

    if (r < 0)
        return r;
    memory = open_memstream(&text, &size);
    r = memory ? qpw_report_json(&report, &options, memory) : -ENOMEM;
    if (memory && fclose(memory) != 0 && r == 0)
        r = -ENOMEM;
    for (const char *c = text; r == 0 && *c; c += strspn(c, "\n ")) {
        size_t line = strcspn(c, "\n");

        fwrite(c, 1, line, stdout);
        c += line;
    }
    if (r == 0 && (putchar('\n') == EOF || fflush(stdout) != 0))
        r = -errno;
    free(text);
    qpw_report_clear(&report);
    return r;
}

static void wait_ms(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}

/* What the screen shows besides snapshots, for the tables too. */
struct beside {
    struct qpw_processes *processes;
    struct qpw_alert_tail alerts;
    const struct qpw_view_more *more;
};

static int print_snapshot(struct qpw_model *m, struct qpw_view_state *state, const struct options *o, struct beside *b,
                          struct qpw_error *err)
{
    int r;

    qpw_processes_tick(b->processes, m->now->mono_ns);
    m->alerts = qpw_alert_counts(&b->alerts, m->now);
    r = qpw_model_read_more(m, state, b->more, err);
    if (r < 0)
        return r;
    r = print_tables(m, state, o);
    if (r < 0)
        return r;
    if (o->output != ONCE)
        printf("\n");
    return r;
}

static int run_plain(struct source *source, struct qpw_view_state *state, const struct options *o,
                     struct qpw_error *err)
{
    struct qpw_snapshot snapshots[2] = {{0}};
    struct qpw_model model = {0};
    struct beside beside = {0};
    unsigned n = 0;
    int r;

    if (qpw_processes_new(source->sockets, &beside.processes) < 0)
        return qpw_fail(err, -ENOMEM, "out of memory");
    beside.more = &source->more.more;
    qpw_processes_source(beside.processes, beside.more);
    model.process = qpw_processes_text;
    model.connection_process = qpw_processes_connection;
    model.process_context = beside.processes;
    do {
        struct qpw_snapshot *now = &snapshots[n % 2];

        if (n)
            wait_ms(state->interval_ms);
        r = take(source, true, now, err);
        if (r == 0 && o->json)
            r = print_json(now);
        else if (r == 0)
            r = qpw_model_advance(&model, now);
        if (r == 0 && n && !o->json) /* the first snapshot gives no rates */
            r = print_snapshot(&model, state, o, &beside, err);
        n++;
        qpw_snapshot_clear(&snapshots[n % 2]);
    } while (r == 0 && (o->output != ONCE || (n < 2 && !o->json)));
    qpw_model_free(&model);
    qpw_processes_free(beside.processes);
    qpw_alert_tail_free(&beside.alerts);
    qpw_snapshot_clear(&snapshots[0]);
    qpw_snapshot_clear(&snapshots[1]);
    return r;
}

/* Let a reader see the tables only; the screen's keys require root. */
static int run_as_reader(const struct options *o, bool screen, const struct qpw_view_state *state)
{
    const struct qpw_top_reader reader = {
        .tab = o->tab, .filter = o->filter, .sort = o->sort, .interval_ms = state->interval_ms, .json = o->json,
        .ascii = o->ascii || (isatty(STDOUT_FILENO) && !qpw_terminal_utf8()), .once = o->output == ONCE, .screen = screen};

    return geteuid() == 0 ? -1 : qpw_top_reader_run(&reader);
}

int qpw_cmd_top(int argc, char **argv)
{
    struct options o = {0};
    struct source source = {0};
    struct qpw_view_state state;
    struct qpw_error err = {""};
    bool screen;
    int r;

    qpw_arguments_parse(&argp, argc, argv, &o);
    screen = o.output == SCREEN && !o.json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    qpw_view_begin(screen, &state);
    if (apply(&o, screen, &state, &err) < 0) {
        fprintf(stderr, "qportwatch top: %s\n", err.text);
        return QPW_EXIT_USAGE;
    }
    r = run_as_reader(&o, screen, &state);
    if (r >= 0)
        return r;
    qpw_kernel_init(&source.kernel);
    r = open_source(&source, &err);
    if (r == 0 && screen) {
        struct qpw_view_options options = {
            .state = &state, .sockets = source.sockets, .more = &source.more.more, .ascii = o.ascii, .remember = true, .history = true,
            .act = qpw_view_act, .act_context = (void *)&qpw_asker_of_commands};

        r = qpw_view_run(&options, take, &source, &err);
        if (r == -ENOTTY)
            strncat(err.text, "; set TERM, or use --once or --lines", sizeof(err.text) - strlen(err.text) - 1);
    } else if (r == 0) {
        r = run_plain(&source, &state, &o, &err);
    }
    close_source(&source);
    if (r < 0) {
        if (!*err.text)
            qpw_fail(&err, r, "printing to standard output: %s", strerror(-r));
        fprintf(stderr, "qportwatch top: %s\n", err.text);
        return QPW_EXIT_FAILED;
    }
    return QPW_EXIT_OK;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_history.c - qportwatch history: its options, and what was lost; what it lists is in history_lists.c. */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/format.h"
#include "cmd/history_file.h"
#include "cmd/history_lists.h"
#include "host/clock.h"
#include "instance/kernel_words.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/names.h"
#include "words/json.h"
#include "words/printer.h"
#include "words/words.h"

#define DAY_S 86400
#define SECOND_NS 1000000000ull
#define MOST_DAYS 92

enum what { WHAT_ALL = 0, WHAT_PORT, WHAT_HOST, WHAT_NEW };
enum { KEY_BY = 0x100 };

struct options {
    enum what what;
    const char *words[2];
    unsigned n_words;
    bool json, by_given;
    unsigned by; /* enum qpw_history_by */
    struct qpw_history_args args;
    struct qpw_history_filter filter;
    char host[64];
};

static const char *const bys[] = {"hour", "day", "month", NULL};

static const struct argp_option argp_options[] = {
    {"by", KEY_BY, "hour|day|month", 0, "What a line stands for (default: by the length of the time)", 0},
    QPW_FORMAT_OPTIONS,
    {0},
};

static void take_port(struct argp_state *state, struct options *o, const char *word)
{
    static const struct {
        const char *name;
        unsigned protocol;
    } protocols[] = {{"tcp/", 6}, {"udp/", 17}, {"sctp/", 132}, {"", 0}};
    unsigned long port;

    for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
        size_t length = strlen(protocols[i].name);

        if (strncmp(word, protocols[i].name, length))
            continue;
        if (qpw_number_parse(word + length, 0, 65535, &port) < 0)
            break;
        o->filter.protocol = protocols[i].protocol;
        o->filter.port = (int)port;
        return;
    }
    qpw_usage_error(state, "%s: not a port, as tcp/4444 or 4444 is", word);
}

static void take_words(struct argp_state *state, struct options *o)
{
    static const char *const names[] = {"", "port", "host", "new"};
    uint8_t address[16];

    for (o->what = WHAT_PORT; o->n_words && o->what <= WHAT_NEW && strcmp(o->words[0], names[o->what]); o->what++)
        ;
    if (!o->n_words)
        o->what = WHAT_ALL;
    else if (o->what > WHAT_NEW)
        qpw_usage_error(state, "%s: not one of port, host, new", o->words[0]);
    if ((o->what == WHAT_PORT || o->what == WHAT_HOST) && o->n_words < 2)
        qpw_usage_error(state, "%s: missing %s", o->words[0], o->what == WHAT_PORT ? "port, as tcp/4444" : "address");
    if (o->what == WHAT_NEW && o->n_words > 1)
        qpw_usage_error(state, "%s: 'new' takes no argument", o->words[1]);
    if (o->what == WHAT_PORT)
        take_port(state, o, o->words[1]);
    if (o->what == WHAT_HOST && qpw_address_parse(o->words[1], address) < 0)
        qpw_usage_error(state, "%s: not an address", o->words[1]);
    if (o->what == WHAT_HOST)
        qpw_address_text(address, o->host, sizeof(o->host));
    if (o->by_given && (o->what == WHAT_HOST || o->what == WHAT_NEW))
        qpw_usage_error(state, "--by with '%s': it lists no times", o->words[0]);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->args; return 0;
    case KEY_BY:
        o->by = qpw_usage_choice(state, "--by", arg, bys);
        o->by_given = true;
        return 0;
    case ARGP_KEY_ARG:
        if (o->n_words == 2)
            qpw_usage_error(state, "%s: too many arguments", arg);
        o->words[o->n_words++] = arg;
        return 0;
    case ARGP_KEY_END: take_words(state, o); return 0;
    default: return qpw_format_take(state, key, arg, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

/* ---- Losses ---- */

struct losses {
    json_t *rows; /* NULL: text */
    char text[512];
};

/* Translate the name of a loss counter in the file (qportwatch-history(5)); an unknown name is returned as it is. */
static const char *loss_text(const char *what)
{
    static const char *const texts[][2] = {
        {"talkers", "remote ends that got an answer"},        {"talkers-unanswered", "remote ends never answered"},
        {"talkers-old", "remote ends not seen for 400 days"}, {"users", "users of a rule beyond 256 a day"},
        {"hours-instead-of-minutes", "hours without their five minutes"}, {"days-instead-of-hours", "days without their hours"}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (!strcmp(texts[i][0], what))
            return texts[i][1];
    return what;
}

static bool add_loss(const char *what, uint64_t n, void *arg)
{
    struct losses *l = arg;
    size_t used = strlen(l->text);
    char count[24];

    if (l->rows)
        json_object_set_new(l->rows, what, qpw_json_number(n));
    snprintf(l->text + used, sizeof(l->text) - used, "%s%s %s", used ? ", " : "", qpw_words_count(n, count, sizeof(count)), loss_text(what));
    return true;
}

/* ---- The command ---- */

static void print_window(const struct qpw_history_observed *seen, const struct qpw_printer *p)
{
    char period[96], blind[40];

    if (!seen->to) {
        qpw_print_line(p, "nothing was observed in this time");
        return;
    }
    qpw_print_line(p, "observed %s%s%s", qpw_words_period((uint64_t)seen->from * SECOND_NS, (uint64_t)seen->to * SECOND_NS, period, sizeof(period)),
                   seen->blind ? "; not seen: " : "", seen->blind ? qpw_words_duration((uint64_t)seen->blind * SECOND_NS, blind, sizeof(blind)) : "");
}

/* Run the queries, into the document or, without one, onto the screen. Returns 0, or a negative number with err filled. */
static int answer(struct qpw_history_reader *reader, const struct options *o, json_t *document, struct qpw_error *err)
{
    struct qpw_history_list rows = {.rows = document ? json_array() : NULL}, hosts = rows;
    int r = 0;

    if (document)
        json_object_set_new(document, "rows", rows.rows);
    if (document && o->what == WHAT_PORT) {
        hosts.rows = json_array();
        json_object_set_new(document, "hosts", hosts.rows);
    }
    if (o->what == WHAT_NEW)
        r = qpw_history_list_new(reader, &o->filter.window, &rows, err);
    else if (o->what != WHAT_HOST)
        r = qpw_history_list_times(reader, &o->filter, (enum qpw_history_by)o->by, &rows, err);
    hosts.n = rows.n;
    if (r == 0 && (o->what == WHAT_PORT || o->what == WHAT_HOST))
        r = qpw_history_list_ends(reader, &o->filter, o->what == WHAT_HOST ? o->host : NULL, &hosts, err);
    if (r == 0 && !document && !hosts.n)
        puts("nothing was counted");
    return r;
}

static int show(struct qpw_history_reader *reader, struct options *o, struct qpw_error *err)
{
    struct qpw_printer p = qpw_printer_of(stdout);
    int64_t now = (int64_t)(qpw_clock_unix_ns() / SECOND_NS), length;
    struct qpw_history_observed seen;
    json_auto_t *document = NULL, *rows = o->json ? json_object() : NULL;
    struct losses lost = {.rows = rows};
    int r = qpw_history_observed(reader, &o->filter.window, now, &seen, err);

    if (r < 0)
        return r;
    r = qpw_history_losses(reader, add_loss, &lost, err);
    if (r < 0)
        return r;
    length = seen.to - seen.from;
    if (!o->by_given)
        o->by = length <= 2 * DAY_S ? QPW_HISTORY_BY_HOUR : length <= (int64_t)MOST_DAYS * DAY_S ? QPW_HISTORY_BY_DAY : QPW_HISTORY_BY_MONTH;
    if (o->json) {
        document = qpw_history_document(reader, "qportwatch.history/1", &seen,
                                        o->filter.window.until ? o->filter.window.until : now + 1);
        json_object_set_new(document, "span", json_string(bys[o->by]));
        json_object_set_new(document, "blind_seconds", qpw_json_number((uint64_t)seen.blind));
        json_object_set(document, "lost", rows);
    } else {
        p.indent = 0;
        print_window(&seen, &p);
        if (*lost.text)
            qpw_print_line(&p, "no room was left for %s", lost.text);
    }
    r = answer(reader, o, document, err);
    if (r < 0)
        return r;
    if (document) {
        json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    return 0;
}

int qpw_cmd_history(int argc, char **argv)
{
    static const struct argp_child children[] = {{&qpw_history_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = argp_options, .parser = parse, .args_doc = "[port PORT|host ADDR|new]", .children = children,
        .doc = "What was counted, also before the last restart or detaching: by hour, day or month; with 'port tcp/4444' of that port, and who used "
               "it; with 'host ADDR' what that host used; with 'new' what was first ever seen in the time given. Without --since: the last "
               "day, of port, host and new all there is.\vThe auditor writes it once a minute. Exit status: 0 done, 1 failed, 2 bad usage."};
    struct options o = {.filter = {.port = -1}};
    QPW_CLEANUP(qpw_history_closep) struct qpw_history_reader *reader = NULL;
    struct qpw_error err = {""};

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    if (qpw_history_times(&o.args, o.what == WHAT_ALL ? DAY_S : 0, &o.filter.window, &err) < 0) {
        fprintf(stderr, "qportwatch history: %s\n", err.text);
        return QPW_EXIT_USAGE;
    }
    if (qpw_history_open_file(&o.args, &reader, &err) < 0 || show(reader, &o, &err) < 0) {
        fprintf(stderr, "qportwatch history: %s\n", err.text);
        return QPW_EXIT_FAILED;
    }
    return QPW_EXIT_OK;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_replay.c - qportwatch replay: audit captures with the BPF programs themselves. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "cmd/captures.h"
#include "cmd/anonymize.h"
#include "cmd/cmd.h"
#include "cmd/hosts.h"
#include "words/known.h"
#include "cmd/number.h"
#include "cmd/settings.h"
#include "instance/kernel_words.h"
#include "policy/lang/load.h"
#include "replay/replay.h"
#include "replay/setup.h"
#include "replay/show.h"
#include "util/output.h"
#include "util/usage.h"
#include "words/coverage.h"
#include "words/printer.h"
#include "words/terminal.h"
#include "words/words.h"

#define LEAST_MTU 68u
#define MOST_MTU (1u << 24)

enum { KEY_LOCAL = 0x200, KEY_MODE, KEY_DEDUP, KEY_CONNECTIONS, KEY_FINDINGS, KEY_FORMAT, KEY_MTU, KEY_MAX, KEY_ANONYMIZE };

struct options {
    struct qpw_policy_options policy;
    struct qpw_captures captures;
    struct qpw_replay_options replay;
    bool connections, findings;
    enum qpw_show_format format;
    uint32_t max_connections;
    const char *key;    /* from --anonymize; NULL: keep names */
    struct qpw_anonymous *anonymous;
    const char *output; /* file; NULL: standard output */
};

static const struct argp_option argp_options[] = {
    {"local", KEY_LOCAL, "ADDR[/LEN]|auto", 0, "Address of the node (repeatable); auto: find out, and say why", 0},
    {"mode", KEY_MODE, "xdp|tc", 0, "Program for received frames: that of XDP (default) or of TC ingress", 0},
    {"interface", 'i', "NAME|NUMBER", 0, "Only frames of that interface of the capture (pcapng, cooked v2)", 0},
    {"dedup", KEY_DEDUP, NULL, 0, "Leave out copies of a frame ('tcpdump -i any', mirror ports)", 0},
    {"mtu", KEY_MTU, "BYTES", 0, "The link's MTU (default 1500): larger records are reported as merged buffers", 0},
    {"connections", KEY_CONNECTIONS, NULL, 0, "One JSON line per connection instead of the report", 1},
    {"findings", KEY_FINDINGS, NULL, 0, "Only the findings instead of the report", 1},
    {"format", KEY_FORMAT, "text|json|html", 0, "Format of the report (default text)", 1},
    {"json", 'j', NULL, 0, "The same as --format json", 1},
    {"anonymize", KEY_ANONYMIZE, "KEYFILE", 0, QPW_ANONYMIZE_HELP, 1},
    {"output", 'o', "FILE", 0, "Write there instead of standard output (-)", 1},
    {"max-connections", KEY_MAX, "N", 0, "Table size for established TCP connections (default 65536)", 1},
    {0},
};

/* In the order of enum qpw_show_format, and of the bool mode_tc. */
static const char *const formats[] = {"text", "json", "html", NULL}, *const modes[] = {"xdp", "tc", NULL};

static void check(struct argp_state *state, const struct options *o)
{
    if (!o->captures.n)
        qpw_usage_error(state, "missing capture argument; name pcap or pcapng files, or - for standard input");
    qpw_captures_check(state, &o->captures);
    if (o->connections && o->findings)
        qpw_usage_error(state, "--connections and --findings exclude each other");
    if (o->findings && o->format == QPW_SHOW_HTML)
        qpw_usage_error(state, "--findings are text or json");
    if (o->connections && o->format == QPW_SHOW_HTML)
        qpw_usage_error(state, "--connections are JSON lines, not html");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &o->policy; return 0;
    case KEY_LOCAL: qpw_captures_take_local(state, &o->captures, arg); return 0;
    case KEY_MODE: o->replay.mode_tc = qpw_usage_choice(state, "--mode", arg, modes); return 0;
    case 'i': o->replay.interface = arg; return 0;
    case KEY_DEDUP: o->replay.dedup = true; return 0;
    case KEY_MTU:
        o->replay.mtu = (uint32_t)qpw_usage_number(state, "--mtu", arg, LEAST_MTU, MOST_MTU, "number of bytes");
        return 0;
    case KEY_MAX: o->max_connections = qpw_connections_parse(state, arg); return 0;
    case KEY_CONNECTIONS: o->connections = true; return 0;
    case KEY_FINDINGS: o->findings = true; return 0;
    case KEY_FORMAT:
        o->format = (enum qpw_show_format)qpw_usage_choice(state, "--format", arg, formats);
        return 0;
    case 'j': o->format = QPW_SHOW_JSON; return 0;
    case 'o': o->output = arg; return 0;
    case KEY_ANONYMIZE: o->key = arg; return 0;
    case ARGP_KEY_ARGS:
        o->captures.paths = state->argv + state->next;
        o->captures.n = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_SUCCESS: check(state, o); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&qpw_policy_argp, 0, "Policy:", 2}, {&qpw_hosts_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    argp_options, parse, "CAPTURE…",
    "Audits pcap and pcapng files (plain or gzip, '-' is standard input) through the same BPF programs as 'attach'."
    "\vTime is the captures' own. Frames with neither end local are in transit, with both ends local of scope self. "
    "Exit status: 0 done, 1 failed or a capture was damaged (what could be read is reported), 2 bad usage, bad policy "
    "or not a capture.",
    children, NULL, NULL};

static void complain(const char *text)
{
    qpw_put_lines(stderr, "qportwatch replay: %s", text);
}

/* ---- Progress, on a terminal ---- */

struct progress {
    struct timespec started, shown;
    bool line; /* a progress line is on the screen */
};

static double seconds_since(const struct timespec *then)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void show_progress(const char *path, uint64_t position, uint64_t size, uint64_t frames, void *data)
{
    struct progress *p = data;
    const char *name = strrchr(path, '/');
    double elapsed = seconds_since(&p->started);
    char share[16], count[48], rate[16];

    if (seconds_since(&p->shown) < 0.25)
        return;
    clock_gettime(CLOCK_MONOTONIC, &p->shown);
    fputs("\r", stderr);
    qpw_print(&(struct qpw_printer){.out = stderr}, QPW_TEXT_PLAIN, "%.40s: ", name ? name + 1 : path);
    if (size)
        fprintf(stderr, "%s, ", qpw_words_share_short(position, size, share, sizeof(share)));
    fprintf(stderr, "%s, %s per second\033[K", qpw_words_many(frames, "frame", count, sizeof(count)),
            qpw_words_short(elapsed > 0 ? (double)frames / elapsed : 0, rate, sizeof(rate)));
    p->line = true;
}

static void clear_progress(struct progress *p)
{
    if (p->line)
        fprintf(stderr, "\r\033[K");
    p->line = false;
}

/* ---- Connections as they end ---- */

struct lines {
    FILE *out;
    const struct qpw_registry *names;
    const struct qpw_anonymous *anonymous; /* NULL: keep addresses */
};

static int write_line(const struct qpw_ended *ended, void *data)
{
    struct lines *lines = data;
    struct qpw_ended shown = *ended;
    json_t *object;
    int r;

    if (lines->anonymous) {
        qpw_anonymous_address(lines->anonymous, shown.key.local, shown.key.local);
        qpw_anonymous_address(lines->anonymous, shown.key.remote, shown.key.remote);
    }
    object = qpw_connection_json(&shown, lines->names);
    r = object ? json_dumpf(object, lines->out, JSON_COMPACT) : -1;
    json_decref(object);
    if (r < 0 || fputc('\n', lines->out) == EOF)
        return errno ? -errno : -ENOMEM;
    return 0;
}

/* ---- The command ---- */

/* Replay every capture in order; a damaged one does not stop the others. Returns the exit status so far. */
static int replay_files(const struct options *o, struct qpw_replay *replay, struct progress *progress)
{
    struct qpw_error err;
    int status = QPW_EXIT_OK, r;

    for (size_t i = 0; i < o->captures.n; i++) {
        r = qpw_replay_file(replay, o->captures.paths[i], &err);
        if (r == 0)
            continue;
        clear_progress(progress);
        complain(err.text);
        if (r == -EINVAL)
            return QPW_EXIT_USAGE;
        if (r == -ENOTSUP) /* skipped; the report counts its records */
            continue;
        status = QPW_EXIT_FAILED;
        if (r != -EIO)
            return -1;
    }
    return qpw_replay_totals(replay)->unsupported && !qpw_replay_totals(replay)->frames ? QPW_EXIT_USAGE : status;
}

static void warn(const struct options *o, const struct qpw_replay_totals *t)
{
    char copies[24], all[48], note[QPW_NOTE_TEXT];

    if (t->copies_suspicious && !o->replay.dedup)
        fprintf(stderr, "qportwatch replay: %s of %s are copies of one just before (taken on several interfaces?); use "
                "--dedup, or --interface for one of them\n", qpw_words_count(t->copies, copies, sizeof(copies)),
                qpw_words_many(t->frames, "frame", all, sizeof(all)));
    if (t->talkers > 1)
        fprintf(stderr, "qportwatch replay: %s; traffic between them is of scope self\n",
                qpw_words_note(&(struct qpw_note){.kind = QPW_NOTE_LOCALS, .count = t->talkers,
                                                  .other = t->talkers >= QPW_ENDS_TALKERS}, note));
    if (t->evicted && o->connections)
        fprintf(stderr, "qportwatch replay: evicted from full tables and not listed: %s; raise --max-connections\n",
                qpw_words_many(t->evicted, "connection", all, sizeof(all)));
    if (!t->frames && o->replay.interface)
        qpw_put_lines(stderr, "qportwatch replay: no frame of interface '%s' (--interface)", o->replay.interface);
}

static int show(const struct options *o, struct qpw_replay_setup *setup, struct qpw_replay *replay, FILE *out)
{
    struct qpw_show_options options = {
        .findings_only = o->findings,
        .format = o->format,
        .colour = out == stdout && qpw_terminal_colour(out),
        .columns = qpw_terminal_columns(out == stdout ? out : NULL),
        .anonymous = o->anonymous,
    };
    struct qpw_error err;

    if (qpw_replay_show(setup, replay, &o->replay, &options, out, &err) == 0)
        return QPW_EXIT_OK;
    complain(err.text);
    return QPW_EXIT_FAILED;
}

/*
 * Replay, and write the result to `out`. *ret_written: the result is complete, even if a capture was damaged. Returns
 * an exit status.
 */
static int run_replay(struct options *o, struct qpw_replay_setup *setup, FILE *out, bool *ret_written)
{
    struct lines lines = {.out = out, .names = &setup->names, .anonymous = o->anonymous};
    struct progress progress = {0};
    struct qpw_replay *replay;
    struct qpw_error err;
    int status, shown;

    clock_gettime(CLOCK_MONOTONIC, &progress.started);
    if (isatty(STDERR_FILENO)) {
        o->replay.progress = show_progress;
        o->replay.progress_data = &progress;
    }
    if (o->anonymous) { /* after the policy has been activated */
        qpw_anonymous_names(o->anonymous, &setup->names);
        qpw_known_clear();
    }
    if (o->connections) {
        o->replay.ended = write_line;
        o->replay.ended_data = &lines;
    }
    if (qpw_replay_open(&setup->kernel, &o->captures.ends, &o->replay, &replay, &err) < 0) {
        complain(err.text);
        return QPW_EXIT_FAILED;
    }
    status = replay_files(o, replay, &progress);
    clear_progress(&progress);
    if (status >= 0 && status != QPW_EXIT_USAGE) {
        if (qpw_replay_finish(replay, &err) < 0) {
            complain(err.text);
            status = -1;
        } else {
            warn(o, qpw_replay_totals(replay));
            shown = o->connections ? QPW_EXIT_OK : show(o, setup, replay, out);
            *ret_written = shown == QPW_EXIT_OK;
            status = shown ? shown : status;
        }
    }
    qpw_replay_close(replay);
    return status < 0 ? QPW_EXIT_FAILED : status;
}

/* Check everything about the request that can be wrong before the first frame. Returns an exit status. */
static int prepare(struct options *o, struct qpw_policy *policy, uint64_t *ret_first_ns)
{
    struct qpw_error err;
    const char *chosen;

    qpw_policy_configured(&o->policy);
    if (qpw_policy_load(&o->policy, policy, &chosen, &err) < 0) {
        complain(err.text);
        return QPW_EXIT_USAGE;
    }
    qpw_known_policy(policy); /* if out of memory, addresses stay unnamed */
    if (chosen)
        qpw_put_lines(stderr, "qportwatch replay: policy %s: %s", policy->name, chosen);
    for (size_t i = 0; i < policy->n_warnings; i++)
        complain(policy->warnings[i]);
    return qpw_captures_look(&o->captures, policy, "replay", ret_first_ns);
}

struct work {
    struct options *o;
    struct qpw_replay_setup *setup;
    FILE *out;
    struct worked {
        bool written;
        int error; /* of writing the output file; 0: none */
    } *done; /* in shared memory */
};

/* Run after the programs are loaded and the privileges for that dropped. */
static int replay_apart(void *arg)
{
    struct work *w = arg;
    int status = run_replay(w->o, w->setup, w->out, &w->done->written);

    errno = 0;
    if (w->out != stdout && (fflush(w->out) != 0 || ferror(w->out)))
        w->done->error = errno ? errno : EIO;
    return status;
}

static int replay_it(struct options *o, struct qpw_replay_setup *setup, struct qpw_output *output, bool *ret_written)
{
    struct work w = {.o = o, .setup = setup, .out = output->file};
    int status;

    w.done = mmap(NULL, sizeof(*w.done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w.done == MAP_FAILED) {
        complain("out of memory");
        return QPW_EXIT_FAILED;
    }
    status = qpw_captures_apart(replay_apart, &w, "replay");
    *ret_written = w.done->written;
    if (w.done->error)
        output->error = -w.done->error;
    munmap(w.done, sizeof(*w.done));
    return status;
}

static int run(struct options *o)
{
    struct qpw_replay_setup_options wanted = {.ends = &o->captures.ends, .interface = o->replay.interface,
                                              .max_connections = o->max_connections, .mode_tc = o->replay.mode_tc,
                                              .counts = o->connections};
    struct qpw_replay_setup setup;
    struct qpw_output output = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err;
    bool written = false;
    int status = prepare(o, &policy, &wanted.first_ns);

    if (status == QPW_EXIT_OK && qpw_output_open(o->output, &output, &err) < 0) {
        complain(err.text);
        status = QPW_EXIT_FAILED;
    }
    wanted.policy = &policy;
    if (status == QPW_EXIT_OK && qpw_replay_setup_open(&wanted, &setup, &err) < 0) {
        complain(err.text);
        status = QPW_EXIT_FAILED;
    } else if (status == QPW_EXIT_OK) {
        /* Late, because a missing key is created: only if there is something to replay. */
        if (qpw_anonymize_open(o->key, &o->anonymous, &err) < 0) {
            complain(err.text);
            status = QPW_EXIT_FAILED;
        } else {
            status = replay_it(o, &setup, &output, &written);
        }
        qpw_replay_setup_close(&setup);
    }
    if (output.file && qpw_output_close(&output, written, &err) < 0 && status == QPW_EXIT_OK) {
        complain(err.text);
        status = QPW_EXIT_FAILED;
    }
    qpw_policy_clear(&policy);
    return status;
}

int qpw_cmd_replay(int argc, char **argv)
{
    struct options *o = calloc(1, sizeof(*o));
    int status;

    if (!o) {
        complain("out of memory");
        return QPW_EXIT_FAILED;
    }
    qpw_arguments_parse(&argp, argc, argv, o);
    qpw_quiet_libbpf();
    status = run(o);
    qpw_anonymous_close(o->anonymous);
    qpw_policy_options_clear(&o->policy);
    free(o);
    return status;
}

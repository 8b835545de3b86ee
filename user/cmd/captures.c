/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/captures.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "host/apart.h"
#include "host/confine.h"
#include "replay/local_auto.h"
#include "replay/order.h"
#include "util/file.h"
#include "util/usage.h"
#include "words/printer.h"

void qpw_captures_take_local(struct argp_state *state, struct qpw_captures *c, const char *text)
{
    struct qpw_error err;

    if (!strcmp(text, "auto"))
        c->local_auto = true;
    else if (qpw_ends_add(&c->ends, text, &err) < 0)
        qpw_usage_error(state, "%s", err.text);
}

void qpw_captures_check(struct argp_state *state, const struct qpw_captures *c)
{
    if (!c->local_auto && !c->ends.n_locals)
        qpw_usage_error(state, "--local: which address is the node? give --local ADDR, or --local auto");
    if (c->local_auto && c->ends.n_locals)
        qpw_usage_error(state, "--local auto and --local ADDR exclude each other");
}

int qpw_captures_exit(int error)
{
    return error == -EINVAL || error == -ENOTSUP ? QPW_EXIT_USAGE : QPW_EXIT_FAILED;
}

static void complain(const char *command, const char *text)
{
    qpw_put_lines(stderr, "qportwatch %s: %s", command, text);
}

/* ---- In the unprivileged process ---- */

/* Its findings, in shared memory. */
struct looked {
    struct qpw_ends ends;
    uint64_t first_ns;
    uint32_t order[]; /* index in the given order of the i-th capture */
};

struct look {
    struct qpw_captures *captures;
    const struct qpw_policy *policy;
    const char *command;
    struct looked *found;
};

static uint32_t place_of(char *const *given, size_t n, const char *path)
{
    uint32_t i = 0;

    while (i < n && given[i] != path)
        i++;
    return i;
}

static int find_out(struct look *l, char **given, struct qpw_error *err)
{
    struct qpw_captures *c = l->captures;
    bool reordered = false;
    char why[QPW_LOCAL_WHY];
    int r;

    memcpy(given, c->paths, c->n * sizeof(*given));
    r = qpw_order_captures(c->paths, c->n, &reordered, &l->found->first_ns, err);
    if (r < 0)
        return r;
    if (reordered)
        complain(l->command, "the captures are read in the order of their first time stamps, not as given");
    if (c->local_auto) {
        r = qpw_local_auto(c->paths, c->n, l->policy, &c->ends, why, err);
        if (r < 0)
            return r;
        complain(l->command, why);
    }
    for (size_t i = 0; i < c->n; i++)
        l->found->order[i] = place_of(given, c->n, c->paths[i]);
    l->found->ends = c->ends;
    return 0;
}

static int look(void *arg)
{
    struct look *l = arg;
    char **given = calloc(l->captures->n, sizeof(*given));
    struct qpw_error err = {"out of memory"};
    int r = given ? find_out(l, given, &err) : -ENOMEM;

    free(given);
    if (r == 0)
        return QPW_EXIT_OK;
    complain(l->command, err.text);
    return qpw_captures_exit(r);
}

/* ---- In the command ---- */

/* Apply the findings after checking them, because that process parsed untrusted input. */
static bool take_found(struct qpw_captures *c, const struct looked *found)
{
    char **ordered = calloc(c->n, sizeof(*ordered));
    bool good = ordered && found->ends.n_locals <= QPW_ENDS_MAX_LOCALS && found->ends.n_macs <= QPW_ENDS_MACS &&
                found->ends.n_talkers <= QPW_ENDS_TALKERS;

    for (size_t i = 0; good && i < c->n; i++) {
        good = found->order[i] < c->n && c->paths[found->order[i]];
        if (good)
            ordered[i] = c->paths[found->order[i]];
    }
    if (good) {
        memcpy(c->paths, ordered, c->n * sizeof(*ordered));
        c->ends = found->ends;
    }
    free(ordered);
    return good;
}

int qpw_captures_look(struct qpw_captures *c, const struct qpw_policy *policy, const char *command, uint64_t *ret_first_ns)
{
    size_t size = sizeof(struct looked) + c->n * sizeof(uint32_t);
    struct look l = {.captures = c, .policy = policy, .command = command};
    struct qpw_error err;
    int status;

    l.found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (l.found == MAP_FAILED) {
        complain(command, "out of memory");
        return QPW_EXIT_FAILED;
    }
    qpw_file_hold((const char *const *)c->paths, c->n, qpw_file_open_stream);
    status = qpw_apart_run(NULL, 0, qpw_confine_parser, look, &l, &err);
    if (err.text[0])
        complain(command, err.text);
    *ret_first_ns = l.found->first_ns;
    if (status == QPW_EXIT_OK && !take_found(c, l.found)) {
        complain(command, "the captures' order could not be found out");
        status = QPW_EXIT_FAILED;
    }
    munmap(l.found, size);
    return status;
}

/*
 * Return how many capabilities to keep: before Linux 5.19, where unprivileged bpf(2) is disabled, every call needs
 * CAP_BPF; later, test runs and look-ups do not.
 */
static size_t rights_of_test_runs(void)
{
    unsigned major = 0, minor = 0;
    struct utsname name;

    return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 && (major > 5 || (major == 5 && minor >= 19)) ? 0 : 1;
}

int qpw_captures_apart(int (*function)(void *arg), void *arg, const char *command)
{
    static const unsigned rights[] = {CAP_BPF};
    struct qpw_error err;
    int status = qpw_apart_run(rights, rights_of_test_runs(), qpw_confine_replay, function, arg, &err);

    if (err.text[0])
        complain(command, err.text);
    return status;
}

int qpw_captures_replay(const struct qpw_captures *c, struct qpw_replay_setup *setup, qpw_ended_fn ended, void *data,
                        struct qpw_replay_totals *ret_totals, struct qpw_error *err)
{
    struct qpw_replay_options options = {.ended = ended, .ended_data = data};
    struct qpw_replay *replay;
    int r = qpw_replay_open(&setup->kernel, &c->ends, &options, &replay, err);

    *ret_totals = (struct qpw_replay_totals){0};
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < c->n; i++)
        r = qpw_replay_file(replay, c->paths[i], err);
    if (r == 0)
        r = qpw_replay_finish(replay, err);
    *ret_totals = *qpw_replay_totals(replay);
    qpw_replay_close(replay);
    return r;
}

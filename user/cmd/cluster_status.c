/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/cluster_status.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/report.h"
#include "cmd/format.h"
#include "cmd/settings.h"
#include "host/clock.h"
#include "util/file.h"
#include "util/usage.h"

enum { KEY_CLUSTER = 0x500 };

struct options {
    bool json;
    const char *folder;
};

static const struct argp_option options_table[] = {
    {"cluster", KEY_CLUSTER, "DIRECTORY", 0, "Where 'qportwatch serve' keeps what it knows (default " QPW_DEFAULT_CLUSTER ")", 0},
    QPW_FORMAT_OPTIONS, {0}};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    if (key == KEY_CLUSTER) {
        o->folder = value;
        return 0;
    }
    return qpw_format_take(state, key, value, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
}

/* Read a file of the state directory, which serve may replace meanwhile, into *ret, owned by the caller. */
static int read_file(const char *folder, const char *name, char **ret, size_t *ret_length, struct qpw_error *err)
{
    char path[4096], *bytes = malloc(QPW_CLUSTER_STATUS_BYTES + 1);
    size_t length = 0;
    ssize_t n = 1;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = bytes ? qpw_file_open(path, err) : qpw_fail(err, -ENOMEM, "out of memory");
    if (fd == -ENOENT)
        qpw_fail(err, fd, "%s: nothing is known of the peers; 'qportwatch serve' asks them", path);
    while (fd >= 0 && n > 0 && length <= QPW_CLUSTER_STATUS_BYTES) {
        n = read(fd, bytes + length, QPW_CLUSTER_STATUS_BYTES + 1 - length);
        length += n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    if (n < 0)
        fd = qpw_fail(err, -errno, "%s: %s", path, strerror(errno));
    if (fd < 0)
        free(bytes);
    *ret = bytes;
    *ret_length = length;
    return fd < 0 ? fd : 0;
}

/* What the state directory holds. */
struct known {
    struct qpw_cluster_status status;
    struct qpw_found_list found;
};

static int load(const char *folder, struct known *ret, struct qpw_error *err)
{
    struct qpw_error why;
    size_t length;
    char *bytes;
    int r = read_file(folder, QPW_CLUSTER_STATUS_FILE, &bytes, &length, err);

    *ret = (struct known){0};
    if (r < 0)
        return r;
    r = qpw_cluster_status_read(bytes, length, &ret->status, &why);
    free(bytes);
    if (r < 0)
        return qpw_fail(err, r, "%s/%.400s", folder, why.text);
    r = read_file(folder, QPW_FOUND_FILE, &bytes, &length, err);
    if (r < 0) /* serve has ended, or has made no comparison yet */
        return r == -ENOENT ? 0 : r;
    r = qpw_found_read(bytes, length, &ret->found, &why);
    free(bytes);
    return r < 0 ? qpw_fail(err, r, "%s/" QPW_FOUND_FILE ": %.400s", folder, why.text) : 0;
}

static int print_document(json_t *document)
{
    int r = !document ? -ENOMEM : json_dumpf(document, stdout, JSON_INDENT(1)) < 0 || putchar('\n') == EOF ? -EIO : 0;

    json_decref(document);
    return r;
}

static int print_status(const struct known *k, bool as_json, uint64_t now, const struct qpw_printer *p)
{
    return as_json ? print_document(qpw_cluster_status_json(&k->status)) : qpw_cluster_status_text(&k->status, now, p);
}

static int print_report(const struct known *k, bool as_json, uint64_t now, const struct qpw_printer *p)
{
    return as_json ? print_document(qpw_cluster_report_json(&k->status, &k->found)) : qpw_cluster_report_text(&k->status, &k->found, now, p);
}

static int run(const char *command, const struct options *o, int (*print)(const struct known *, bool, uint64_t, const struct qpw_printer *))
{
    struct qpw_printer printer = qpw_printer_of(stdout);
    uint64_t now = qpw_clock_unix_ns();
    struct qpw_error err = {""};
    struct known k;
    bool any;
    int r = load(o->folder, &k, &err);

    any = k.found.n;
    for (size_t i = 0; r == 0 && i < k.status.n; i++)
        any |= qpw_peer_status_is_stale(&k.status.peers[i], now);
    printer.indent = 0;
    if (r == 0) {
        r = print(&k, o->json, now, &printer);
        if (r < 0)
            qpw_fail(&err, r, "%s", strerror(-r));
    }
    if (r < 0)
        fprintf(stderr, "qportwatch cluster %s: %s\n", command, err.text);
    qpw_cluster_status_clear(&k.status);
    qpw_found_clear(&k.found);
    return r < 0 ? QPW_EXIT_FAILED : any ? QPW_EXIT_YES : QPW_EXIT_OK;
}

int qpw_cmd_cluster_status(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option,
        .doc = "Show what this node hears of its peers, a line a node: how old its last statement is, its answer, version, policy, what "
               "it monitors, and why it cannot be asked. Exit status 3: a peer has made no statement for two minutes, or nodes differ: "
               "see 'qportwatch cluster report'."};
    struct options o = {.folder = QPW_DEFAULT_CLUSTER};

    qpw_arguments_parse(&argp, argc, argv, &o);
    return run("status", &o, print_status);
}

int qpw_cmd_cluster_report(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option,
        .doc = "Show what this node hears of its peers and in what it differs from them, most serious first, each with the command that "
               "settles it. Exit status 3: there is a difference, or a peer has made no statement for two minutes."};
    struct options o = {.folder = QPW_DEFAULT_CLUSTER};

    qpw_arguments_parse(&argp, argc, argv, &o);
    return run("report", &o, print_report);
}

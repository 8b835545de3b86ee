/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/cluster_status.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/status.h"
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

static int load(const char *folder, struct qpw_cluster_status *ret, struct qpw_error *err)
{
    char path[4096], *bytes = malloc(QPW_CLUSTER_STATUS_BYTES + 1);
    size_t length = 0;
    ssize_t n = 1;
    struct qpw_error why;
    int fd, r;

    *ret = (struct qpw_cluster_status){0};
    snprintf(path, sizeof(path), "%s/" QPW_CLUSTER_STATUS_FILE, folder);
    fd = bytes ? qpw_file_open(path, err) : qpw_fail(err, -ENOMEM, "out of memory");
    if (fd == -ENOENT)
        qpw_fail(err, fd, "%s: nothing is known of the peers; 'qportwatch serve' asks them", path);
    while (fd >= 0 && n > 0 && length <= QPW_CLUSTER_STATUS_BYTES) {
        n = read(fd, bytes + length, QPW_CLUSTER_STATUS_BYTES + 1 - length);
        length += n > 0 ? (size_t)n : 0;
    }
    r = fd < 0 ? fd : n < 0 ? qpw_fail(err, -errno, "%s: %s", path, strerror(errno)) : qpw_cluster_status_read(bytes, length, ret, &why);
    if (fd >= 0 && n >= 0 && r < 0)
        qpw_fail(err, r, "%s/%.400s", folder, why.text);
    if (fd >= 0)
        close(fd);
    free(bytes);
    return r;
}

static int print(const struct qpw_cluster_status *s, bool as_json, uint64_t now)
{
    struct qpw_printer printer = qpw_printer_of(stdout);
    json_t *document;
    int r;

    printer.indent = 0;
    if (!as_json)
        return qpw_cluster_status_text(s, now, &printer);
    document = qpw_cluster_status_json(s);
    r = !document ? -ENOMEM : json_dumpf(document, stdout, JSON_INDENT(1)) < 0 || putchar('\n') == EOF ? -EIO : 0;
    json_decref(document);
    return r;
}

int qpw_cmd_cluster_status(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option,
        .doc = "Show what this node hears of its peers, a line a node: how old its last statement is, its answer, version, policy, what "
               "it monitors, and why it cannot be asked. Exit status 3: a peer has made no statement for two minutes."};
    struct options o = {.folder = QPW_DEFAULT_CLUSTER};
    uint64_t now = qpw_clock_unix_ns();
    struct qpw_cluster_status s;
    struct qpw_error err = {""};
    bool stale = false;
    int r;

    qpw_arguments_parse(&argp, argc, argv, &o);
    r = load(o.folder, &s, &err);
    for (size_t i = 0; r == 0 && i < s.n; i++)
        stale |= qpw_peer_status_is_stale(&s.peers[i], now);
    if (r == 0) {
        r = print(&s, o.json, now);
        if (r < 0)
            qpw_fail(&err, r, "%s", strerror(-r));
    }
    if (r < 0)
        fprintf(stderr, "qportwatch cluster status: %s\n", err.text);
    qpw_cluster_status_clear(&s);
    return r < 0 ? QPW_EXIT_FAILED : stale ? QPW_EXIT_YES : QPW_EXIT_OK;
}

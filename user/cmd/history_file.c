/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/history_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/settings.h"
#include "host/clock.h"
#include "instance/instance.h"
#include "util/document.h"
#include "util/since.h"

enum { KEY_HISTORY = 0x700, KEY_SINCE, KEY_UNTIL };

static const struct argp_option options[] = {
    {"since", KEY_SINCE, "TIME", 0, "From TIME on: 90m, 12h, 7d ago, or 2026-01-31[T12:00[:00]] in UTC", 0},
    {"until", KEY_UNTIL, "TIME", 0, "Up to TIME, the same", 0},
    {"history", KEY_HISTORY, "FILE", 0, "The history's file (default: that of the auditor here, else the configured one)", 0},
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct qpw_history_args *args = state->input;

    switch (key) {
    case KEY_HISTORY: args->file = value; return 0;
    case KEY_SINCE: args->since = value; return 0;
    case KEY_UNTIL: args->until = value; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp qpw_history_argp = {.options = options, .parser = take_option};

static int time_of(const char *option, const char *text, uint64_t now_ns, int64_t *ret, struct qpw_error *err)
{
    uint64_t ns;

    if (qpw_since_parse(text, now_ns, &ns) < 0)
        return qpw_fail(err, -EINVAL, "%s %s: not a time; use 2026-03-01T10:00:00Z, or an age such as 15m, 2h, 7d", option, text);
    if (ns > now_ns)
        return qpw_fail(err, -EINVAL, "%s %s: lies in the future; times are UTC", option, text);
    *ret = (int64_t)(ns / 1000000000);
    return 0;
}

int qpw_history_times(const struct qpw_history_args *args, int64_t since_default, struct qpw_history_window *ret, struct qpw_error *err)
{
    uint64_t now_ns = qpw_clock_unix_ns();
    int r;

    *ret = (struct qpw_history_window){0};
    if (args->until) {
        r = time_of("--until", args->until, now_ns, &ret->until, err);
        if (r < 0)
            return r;
        if (!ret->until)
            ret->until = 1; /* because 0 means no end */
    }
    if (args->since) {
        r = time_of("--since", args->since, now_ns, &ret->since, err);
        if (r < 0)
            return r;
    } else if (since_default) {
        ret->since = (ret->until ? ret->until : (int64_t)(now_ns / 1000000000)) - since_default;
    }
    if (ret->until && ret->until <= ret->since)
        return qpw_fail(err, -EINVAL, "--until %s: lies before --since", args->until);
    return 0;
}

json_t *qpw_history_document(struct qpw_history_reader *r, const char *schema, const struct qpw_history_observed *seen, int64_t until)
{
    struct qpw_snapshot about = {0}; /* owns no arrays */
    json_t *document = qpw_document(schema);

    qpw_history_about(r, until, &about);
    qpw_document_set_period(document, about.host, (uint64_t)seen->from * 1000000000, (uint64_t)seen->to * 1000000000);
    if (*about.meta.policy_digest)
        qpw_document_set_policy(document, about.meta.policy_name, about.meta.policy_digest, about.meta.source_digest);
    return document;
}

/* Write the history's name of the attached instance. False: nothing is attached, or it may not be queried. */
static bool name_of_attached(char *buf, size_t size)
{
    struct qpw_kernel kernel;
    struct qpw_meta meta;
    bool found = false;

    if (qpw_instance_find(&kernel, NULL) < 0)
        return false;
    if (qpw_meta_read(&kernel, &meta, NULL) == 0 && *meta.history_path) {
        snprintf(buf, size, "%s", meta.history_path);
        found = true;
    }
    qpw_kernel_close(&kernel);
    return found;
}

int qpw_history_open_file(const struct qpw_history_args *args, struct qpw_history_reader **ret, struct qpw_error *err)
{
    char path[1024];
    const char *name = args->file;
    int r;

    if (!name)
        name = name_of_attached(path, sizeof(path)) || qpw_setting_configured("history", path, sizeof(path)) ? path : qpw_history_path(path, sizeof(path));
    if (!*name)
        return qpw_fail(err, -ENOENT, "no history is kept here; name its file with --history");
    r = qpw_history_open(name, ret, err);
    if (r == -ENOENT)
        qpw_fail(err, r, "%s: there is no history yet; 'qportwatch attach' writes one, unless it is given --no-history", name);
    if (r == -EACCES)
        qpw_fail(err, r, "%s: root privileges are required (try sudo)", name);
    return r;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/policy_args.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Set a member; value NULL: leave it out. */
static int set_string(json_t *args, const char *name, const char *value, struct qpw_error *err)
{
    json_t *string = value ? json_string(value) : NULL;

    if (!value)
        return 0;
    if (!string)
        return qpw_fail(err, -EILSEQ, "%s: not UTF-8 text", value);
    return json_object_set_new(args, name, string) < 0 ? -ENOMEM : 0;
}

static int set_path(json_t *args, const char *name, const char *path, struct qpw_error *err)
{
    char absolute[PATH_MAX];

    return set_string(args, name, path && realpath(path, absolute) ? absolute : path, err);
}

static int set_peers(json_t *args, const struct qpw_policy_options *options, struct qpw_error *err)
{
    json_t *list, *peer;

    if (!options->n_peers)
        return 0;
    list = json_array();
    if (json_object_set_new(args, "peers", list) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < options->n_peers; i++) {
        peer = json_string(options->peers[i]);
        if (!peer)
            return qpw_fail(err, -EILSEQ, "--peer %s: not UTF-8 text", options->peers[i]);
        if (json_array_append_new(list, peer) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int set_all(json_t *args, const struct qpw_policy_options *options, struct qpw_error *err)
{
    int r = set_path(args, "policy", options->policy_file, err);

    if (r < 0)
        return r;
    r = set_string(args, "platform", options->platform, err);
    if (r < 0)
        return r;
    r = set_path(args, "peers_file", options->peers_file, err);
    return r < 0 ? r : set_peers(args, options, err);
}

int qpw_policy_args_new(const struct qpw_policy_options *options, json_t **ret, struct qpw_error *err)
{
    json_t *args = json_object();
    int r = args ? set_all(args, options, err) : -ENOMEM;

    if (r < 0) {
        json_decref(args);
        return r == -ENOMEM ? qpw_fail(err, r, "out of memory") : r;
    }
    *ret = args;
    return 0;
}

static int read_peers(const json_t *list, struct qpw_policy_options *options, struct qpw_error *err)
{
    const char **peers = calloc(json_array_size(list) + 1, sizeof(*peers));
    const json_t *peer;
    size_t i;

    if (!peers)
        return qpw_fail(err, -ENOMEM, "out of memory");
    options->peers = peers;
    json_array_foreach (list, i, peer) {
        if (!json_is_string(peer))
            return qpw_fail(err, -EINVAL, "policy options: a peer is not a string");
        peers[options->n_peers++] = json_string_value(peer);
    }
    return 0;
}

int qpw_policy_args_read(const json_t *args, struct qpw_policy_options *ret, struct qpw_error *err)
{
    struct qpw_policy_options options = {0};
    json_t *peers = NULL;
    json_error_t why;
    int r = 0;

    if (json_unpack_ex((json_t *)args, &why, 0, "{s?s,s?s,s?s,s?o}", "policy", &options.policy_file, "platform",
                       &options.platform, "peers_file", &options.peers_file, "peers", &peers) < 0)
        return qpw_fail(err, -EINVAL, "policy options: %s", why.text);
    if (peers)
        r = json_is_array(peers) ? read_peers(peers, &options, err)
                                 : qpw_fail(err, -EINVAL, "policy options: peers are not a list");
    if (r < 0) {
        qpw_policy_options_clear(&options);
        return r;
    }
    *ret = options;
    return 0;
}

/* Drop both names from `args` if `more` has either. */
static void replace(json_t *args, const json_t *more, const char *one, const char *other)
{
    if (!json_object_get(more, one) && !json_object_get(more, other))
        return;
    json_object_del(args, one);
    json_object_del(args, other);
}

json_t *qpw_policy_args_over(const json_t *before, const json_t *more)
{
    json_t *args = json_copy((json_t *)before);

    if (!args)
        return NULL;
    replace(args, more, "policy", "platform");
    replace(args, more, "peers", "peers_file");
    if (json_object_update(args, (json_t *)more) == 0)
        return args;
    json_decref(args);
    return NULL;
}

int qpw_policy_args_store(const json_t *args, char *buf, size_t size)
{
    size_t length = json_dumpb(args, buf, size, JSON_COMPACT);

    if (!length || length >= size) {
        *buf = '\0';
        return -ENOSPC;
    }
    buf[length] = '\0';
    return 0;
}

json_t *qpw_policy_args_load(const char *text)
{
    json_t *args = json_loads(text, 0, NULL);

    if (json_is_object(args))
        return args;
    json_decref(args);
    return NULL;
}

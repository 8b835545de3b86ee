/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/node_listeners.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "control/policy_args.h"
#include "host/clock.h"
#include "policy/compile/compile.h"

static int load_in_force(const struct qpw_snapshot *s, struct qpw_policy *ret, struct qpw_error *err)
{
    struct qpw_policy_options in_force;
    json_t *args = qpw_policy_args_load(s->meta.policy_args);
    int r;

    if (!args)
        return qpw_fail(err, -EINVAL, "cannot read which policy is in force; name one with --policy or --platform");
    r = qpw_policy_args_read(args, &in_force, err);
    if (r == 0) {
        r = qpw_policy_load(&in_force, ret, NULL, err);
        qpw_policy_options_clear(&in_force);
    }
    json_decref(args);
    return r;
}

int qpw_node_listeners_load(struct qpw_node_listeners *n, const struct qpw_policy_options *options,
                            const struct qpw_snapshot *snapshot, struct qpw_error *err)
{
    bool asked = options && (options->policy_file || options->platform || options->peers_file || options->n_peers);
    static const struct qpw_policy_options none;
    struct qpw_compile_context context = {.now = time(NULL)};
    int r;

    *n = (struct qpw_node_listeners){0};
    r = asked || !snapshot ? qpw_policy_load(options ? options : &none, &n->policy, NULL, err)
                           : load_in_force(snapshot, &n->policy, err);
    if (r == 0)
        r = qpw_policy_compile(&n->policy, &context, &n->names, &n->compiled, err);
    n->about = (struct qpw_listening_about){
        .names = &n->names, .policy_name = n->policy.name, .policy_path = n->policy.path,
        .policy_digest = n->policy.digest, .source_digest = n->policy.source_digest,
        .other_policy = r == 0 && !asked && snapshot && strcmp(n->policy.digest, snapshot->meta.policy_digest) != 0};
    return r;
}

int qpw_node_listeners_read(struct qpw_node_listeners *n, struct qpw_sockets *sockets,
                            const struct qpw_snapshot *snapshot, struct qpw_error *err)
{
    struct qpw_listening_from from = {.listeners = &n->listeners, .policy = &n->policy, .compiled = &n->compiled,
                                      .names = &n->names, .snapshot = snapshot, .now = time(NULL)};
    int r;

    qpw_listening_clear(&n->listening);
    qpw_listeners_clear(&n->listeners);
    n->about.now_unix_ns = qpw_clock_unix_ns();
    r = qpw_listeners_read(sockets, &n->listeners, err);
    if (r < 0)
        return r;
    r = qpw_listening_make(&from, &n->listening);
    return r < 0 ? qpw_fail(err, r, "cannot list the sockets that listen: out of memory") : 0;
}

void qpw_node_listeners_clear(struct qpw_node_listeners *n)
{
    qpw_listening_clear(&n->listening);
    qpw_listeners_clear(&n->listeners);
    qpw_compiled_clear(&n->compiled);
    qpw_registry_clear(&n->names);
    qpw_policy_clear(&n->policy);
    *n = (struct qpw_node_listeners){0};
}

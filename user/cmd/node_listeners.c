/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/node_listeners.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/policy_args.h"
#include "host/clock.h"
#include "instance/object.h"
#include "policy/compile/compile.h"
#include "snapshot/compiled.h"
#include "words/known.h"

/*
 * Load the text of the policy in force, because only the text has owner=. -ESTALE: its file now holds another policy.
 */
static int load_text(const struct qpw_snapshot *s, struct qpw_policy *ret, struct qpw_error *err)
{
    struct qpw_policy_options in_force;
    json_t *args = qpw_policy_args_load(s->meta.policy_args);
    int r;

    if (!args)
        return -ENOMEM;
    r = qpw_policy_args_read(args, &in_force, err);
    if (r == 0) {
        r = qpw_policy_load(&in_force, ret, NULL, err);
        qpw_policy_options_clear(&in_force);
    }
    json_decref(args);
    if (r == 0 && !strcmp(ret->digest, s->meta.policy_digest))
        return qpw_known_policy(ret);
    if (r < 0)
        return r;
    qpw_policy_clear(ret);
    return -ESTALE;
}

void qpw_node_names(const struct qpw_snapshot *s)
{
    static char known[sizeof(s->meta.policy_digest)];
    struct qpw_policy policy;
    struct qpw_error ignored;

    if (!strcmp(known, s->meta.policy_digest))
        return;
    snprintf(known, sizeof(known), "%s", s->meta.policy_digest);
    if (load_text(s, &policy, &ignored) == 0)
        qpw_policy_clear(&policy);
}

static int load_in_force(struct qpw_node_listeners *n, const struct qpw_kernel *kernel, const struct qpw_snapshot *s,
                         struct qpw_error *err)
{
    struct qpw_error ignored;
    int r = qpw_compiled_read(kernel, &n->compiled, err);

    if (r < 0)
        return r;
    r = qpw_kernel_get_names(kernel, &n->names, err);
    if (r < 0)
        return r;
    n->about = (struct qpw_listening_about){.names = &n->names,
                                            .policy_name = s->meta.policy_name,
                                            .policy_path = s->meta.policy_path,
                                            .policy_digest = s->meta.policy_digest,
                                            .source_digest = s->meta.source_digest,
                                            .no_owners = load_text(s, &n->policy, &ignored) < 0};
    return 0;
}

static int load_named(struct qpw_node_listeners *n, const struct qpw_policy_options *options, struct qpw_error *err)
{
    struct qpw_compile_context context = {.now = time(NULL)};
    int r = qpw_policy_load(options, &n->policy, NULL, err);

    if (r < 0)
        return r;
    r = qpw_policy_compile(&n->policy, &context, &n->names, &n->compiled, err);
    if (r < 0)
        return r;
    n->about = (struct qpw_listening_about){
        .names = &n->names, .policy_name = n->policy.name, .policy_path = n->policy.path,
        .policy_digest = n->policy.digest, .source_digest = n->policy.source_digest};
    return 0;
}

int qpw_node_listeners_load(struct qpw_node_listeners *ret, const struct qpw_policy_options *options,
                            const struct qpw_kernel *kernel, const struct qpw_snapshot *snapshot, struct qpw_error *err)
{
    bool named = options && (options->policy_file || options->platform || options->peers_file || options->n_peers);

    *ret = (struct qpw_node_listeners){0};
    return named || !snapshot ? load_named(ret, options, err) : load_in_force(ret, kernel, snapshot, err);
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

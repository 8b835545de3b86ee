/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/setup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/compile/compile.h"
#include "replay/feed.h"
#include "replay/replay.h"
#include "util/version.h"

/*
 * Return the only interface's number for its name, because a rule's iface= applies to a replay only if it has that
 * name.
 */
static uint32_t index_of(const char *name, void *data)
{
    return data && !strcmp(name, data) ? QPW_REPLAY_IFINDEX : 0;
}

static int put_in_force(const struct qpw_replay_setup_options *o, struct qpw_replay_setup *setup, struct qpw_error *err)
{
    uint8_t own[QPW_ENDS_MAX_LOCALS][16];
    struct qpw_compile_context context = {
        .now = o->first_ns ? (int64_t)(o->first_ns / 1000000000u) : time(NULL),
        .ifindex = index_of,
        .data = (void *)o->interface,
        .own = own,
    };
    struct qpw_compiled compiled = {0};
    int r;

    for (size_t i = 0; i < o->ends->n_locals; i++)
        if (o->ends->locals[i].prefix == 128)
            memcpy(own[context.n_own++], o->ends->locals[i].addr, 16);
    r = qpw_policy_compile(o->policy, &context, &setup->names, &compiled, err);
    if (r == 0)
        r = qpw_kernel_set_policy(&setup->kernel, &compiled, &setup->names, err);
    qpw_compiled_clear(&compiled);
    return r;
}

/* Write the `meta` record, from which a report takes its origin. */
static int write_meta(const struct qpw_replay_setup_options *o, struct qpw_kernel *k, struct qpw_error *err)
{
    struct qpw_meta meta = {.magic = QPW_ABI_MAGIC, .abi = QPW_ABI_VERSION, .version = QPW_VERSION};
    uint32_t zero = 0;

    snprintf(meta.policy_name, sizeof(meta.policy_name), "%s", o->policy->name);
    snprintf(meta.policy_path, sizeof(meta.policy_path), "%s", o->policy->path ? o->policy->path : "");
    snprintf(meta.policy_digest, sizeof(meta.policy_digest), "%s", o->policy->digest);
    snprintf(meta.source_digest, sizeof(meta.source_digest), "%s", o->policy->source_digest);
    snprintf(meta.command, sizeof(meta.command), "replay");
    snprintf(meta.ifname[QPW_REPLAY_INTERFACE], sizeof(meta.ifname[0]), "%s", o->interface ? o->interface : "capture");
    meta.rx_hook[QPW_REPLAY_INTERFACE] = o->mode_tc ? QPW_HOOK_TCX : QPW_HOOK_XDP;
    snprintf(meta.why[QPW_REPLAY_INTERFACE], sizeof(meta.why[0]), "%s", "replay");
    if (bpf_map_update_elem(k->map_fd[QPW_MAP_meta], &zero, &meta, BPF_ANY) < 0)
        return qpw_fail(err, -errno, "the record of the replay cannot be written: %s", strerror(errno));
    return 0;
}

int qpw_replay_setup_open(const struct qpw_replay_setup_options *o, struct qpw_replay_setup *ret,
                          struct qpw_error *err)
{
    /* Without the cache, whose entries renew a connection's last time stamp only now and then. */
    struct qpw_load_options load = {.max_connections = o->max_connections, .replay = true, .no_counts = !o->counts,
                                    .no_cache = true, .programs = qpw_feed_programs(o->mode_tc)};
    struct qpw_replay_setup setup = {0};
    int r = qpw_kernel_load(&load, &setup.kernel, err);

    if (r < 0)
        return r;
    r = put_in_force(o, &setup, err);
    if (r == 0)
        r = write_meta(o, &setup.kernel, err);
    if (r < 0) {
        qpw_replay_setup_close(&setup);
        return r;
    }
    *ret = setup;
    return 0;
}

void qpw_replay_setup_close(struct qpw_replay_setup *setup)
{
    qpw_registry_clear(&setup->names);
    qpw_kernel_close(&setup->kernel);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/lock.h"
#include "control/policy_args.h"
#include "status/status_alerts.h"
#include "control/watched.h"
#include "instance/instance.h"
#include "policy/lang/load.h"

static const struct qpw_hook_entry *of_instance(const struct qpw_kernel *k, const struct qpw_hook_list *list)
{
    const struct qpw_hook_entry *entry = NULL;
    uint32_t id;

    for (int program = 0; !entry && program < QPW_PROG_COUNT; program++) {
        id = qpw_instance_program_id(k, program);
        entry = id ? qpw_hooks_ours(list, id) : NULL;
    }
    return entry;
}

static const char *ask_hook(const struct qpw_kernel *k, unsigned ifindex, enum qpw_point point, char *before,
                            size_t size)
{
    struct qpw_hook_list list;
    const struct qpw_hook_entry *ours;
    size_t used = 0;

    if (!ifindex || qpw_hooks_query(ifindex, point, &list, NULL) < 0)
        return qpw_hook_text(QPW_HOOK_NONE);
    ours = of_instance(k, &list);
    for (size_t i = 0; i < list.n && &list.entry[i] != ours && used < size; i++)
        if (list.entry[i].program == QPW_PROG_COUNT)
            used += snprintf(before + used, size - used, "%s%s (%s)", used ? ", " : "", list.entry[i].name,
                             qpw_hook_text(list.entry[i].kind));
    return qpw_hook_text(ours ? ours->kind : QPW_HOOK_NONE);
}

static int gather_hooks(const struct qpw_kernel *k, struct qpw_status *s)
{
    struct qpw_status_hooks *hooks = calloc(s->snapshot.n_ifaces + 1, sizeof(*hooks));

    if (!hooks)
        return -ENOMEM;
    s->hooks = hooks;
    for (size_t row = 0; row < s->snapshot.n_ifaces; row++) {
        unsigned number = s->snapshot.ifaces[row].iface.number, i = s->n_hooks;

        if (!s->snapshot.meta.rx_hook[number] && !s->snapshot.meta.tx_hook[number])
            continue; /* detached, so only its counts remain */
        s->n_hooks++;
        hooks[i].iface = &s->snapshot.ifaces[row];
        hooks[i].state = qpw_watch_of(&s->snapshot, hooks[i].iface);
        hooks[i].rx_hook = ask_hook(k, hooks[i].iface->iface.ifindex, QPW_POINT_RX, hooks[i].before_rx,
                                    sizeof(hooks[i].before_rx));
        hooks[i].tx_hook = ask_hook(k, hooks[i].iface->iface.ifindex, QPW_POINT_TX, hooks[i].before_tx,
                                    sizeof(hooks[i].before_tx));
    }
    return 0;
}

/* Compare the policy in its file with the loaded one. */
static void gather_policy(struct qpw_status *s)
{
    json_t *args = qpw_policy_args_load(s->snapshot.meta.policy_args);
    struct qpw_policy_options options = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err = {.text = "the policy options of the attachment cannot be read"};

    if (!args || qpw_policy_args_read(args, &options, &err) < 0 ||
        qpw_policy_load(&options, &policy, NULL, &err) < 0) {
        s->policy_state = QPW_POLICY_UNREADABLE;
        snprintf(s->policy_error, sizeof(s->policy_error), "%s", err.text);
        qpw_policy_options_clear(&options);
        json_decref(args);
        return;
    }
    qpw_policy_options_clear(&options);
    json_decref(args);
    snprintf(s->policy_file_digest, sizeof(s->policy_file_digest), "%s", policy.digest);
    s->policy_state = strcmp(policy.digest, s->snapshot.meta.policy_digest) ? QPW_POLICY_CHANGED : QPW_POLICY_CURRENT;
    qpw_policy_clear(&policy);
}

static int gather(const struct qpw_kernel *kernel, struct qpw_status *s, struct qpw_error *err)
{
    int r = qpw_collect_watched(kernel, NULL, &s->snapshot, err);

    if (r < 0)
        return r;
    qpw_totals_of(&s->snapshot, &s->totals);
    r = qpw_answer_make(&s->snapshot, &s->answer);
    if (r == 0)
        r = gather_hooks(kernel, s);
    if (r < 0)
        return qpw_fail(err, r, "out of memory");
    gather_policy(s);
    return 0;
}

int qpw_status_gather(struct qpw_status *ret, struct qpw_error *err)
{
    /* First, because an auditor that answers has attached all of its interfaces. */
    struct qpw_status s = {.alerts = qpw_status_alerts_gather()};
    struct qpw_kernel kernel;
    int r = qpw_instance_find_among(&kernel, &s.others, err);
    struct qpw_pid pid;
    char who[64];

    if (r == -ENOENT && qpw_lock_held(&pid) == 1)
        qpw_fail(err, r, "not attached yet: the auditor (%s) is starting", qpw_pid_text(pid, who, sizeof(who)));
    if (r < 0) {
        json_decref(s.alerts);
        return r;
    }
    r = gather(&kernel, &s, err);
    qpw_kernel_close(&kernel);
    if (r < 0) {
        qpw_status_clear(&s);
        return r;
    }
    *ret = s;
    return 0;
}

void qpw_status_clear(struct qpw_status *s)
{
    qpw_snapshot_clear(&s->snapshot);
    qpw_hook_scan_clear(&s->others);
    free(s->hooks);
    json_decref(s->alerts);
    *s = (struct qpw_status){0};
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/alone.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auditor/internal.h"
#include "auditor/lives.h"
#include "control/control.h"
#include "control/elsewhere.h"
#include "control/message.h"
#include "control/peer.h"
#include "control/policy_args.h"
#include "snapshot/lives.h"

/* Restore the policy options of the last auditor, as far as stored. */
static int take_kept(struct qpw_auditor *a, struct qpw_error *err)
{
    a->policy_args = qpw_policy_args_load(a->meta.policy_args);
    if (!a->policy_args)
        return qpw_fail(err, -EINVAL, "the policy options of the last auditor cannot be read");
    return qpw_policy_args_read(a->policy_args, &a->options.policy, err);
}

static int open_alone(struct qpw_auditor *a, struct qpw_error *err)
{
    int r = qpw_control_listen(&a->end, err);

    if (r < 0)
        return r;
    r = qpw_instance_find(&a->kernel, err);
    if (r < 0)
        return r;
    r = qpw_meta_read(&a->kernel, &a->meta, err);
    if (r < 0)
        return r;
    r = qpw_lock_check_elsewhere(&a->kernel, &a->meta, err);
    if (r < 0)
        return r;
    r = qpw_coverage_open(&a->kernel, &a->coverage, err);
    if (r < 0)
        return r;
    r = qpw_kernel_get_names(&a->kernel, &a->names, err);
    if (r < 0)
        return r;
    r = qpw_netlink_open(&a->netlink, err);
    if (r < 0)
        return r;
    qpw_peer_describe(getpid(), a->by, sizeof(a->by));
    return take_kept(a, err);
}

static json_t *serve_one(const json_t *request)
{
    bool reload = !strcmp(qpw_request_name(request), "reload");
    struct qpw_auditor a = {.end = {.fd = -1, .lock = -1}, .alone = true};
    struct qpw_error err = {0};
    json_t *answer;

    a.coverage.by = a.by;
    qpw_kernel_init(&a.kernel);
    if (open_alone(&a, &err) < 0)
        answer = qpw_answer_new(QPW_EXIT_FAILED, err.text);
    else
        answer = reload ? qpw_audit_reload(&a, request) : qpw_audit_acknowledge(&a, request);
    qpw_netlink_close(a.netlink);
    qpw_kernel_close(&a.kernel);
    qpw_control_close(&a.end);
    qpw_lives_free(a.lives);
    qpw_compiled_clear(&a.compiled);
    qpw_policy_clear(&a.policy);
    qpw_registry_clear(&a.names);
    qpw_policy_options_clear(&a.options.policy);
    json_decref(a.policy_args);
    return answer;
}

int qpw_audit_ask(const json_t *request, json_t **ret_answer, struct qpw_error *err)
{
    int r = qpw_control_ask(request, ret_answer, NULL, err);

    if (r == -EMSGSIZE)
        return r;
    if (r == -ENOENT) {
        *ret_answer = serve_one(request);
        r = qpw_answer_status(*ret_answer, err);
    }
    return r < 0 ? QPW_EXIT_FAILED : r;
}

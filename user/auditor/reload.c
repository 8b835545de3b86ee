/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/reload.h"

#include <errno.h>
#include <unistd.h>

#include "auditor/internal.h"
#include "control/control.h"
#include "control/elsewhere.h"
#include "control/message.h"
#include "control/policy_args.h"
#include "snapshot/lives.h"

/* What the last auditor was asked to read, as far as it is known. */
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

    if (r == 0)
        r = qpw_instance_find(&a->kernel, err);
    if (r == 0)
        r = qpw_meta_read(&a->kernel, &a->meta, err);
    if (r == 0)
        r = qpw_lock_check_elsewhere(&a->kernel, &a->meta, err);
    if (r == 0)
        r = qpw_coverage_open(&a->kernel, &a->coverage, err);
    if (r == 0)
        r = qpw_kernel_get_names(&a->kernel, &a->names, err);
    if (r == 0)
        r = qpw_netlink_open(&a->netlink, err);
    return r < 0 ? r : take_kept(a, err);
}

/* Nobody lives here: this process is the auditor for as long as the reload takes. */
static json_t *reload_alone(const json_t *request)
{
    struct qpw_auditor a = {.end = {-1, -1}};
    struct qpw_error err = {0};
    json_t *answer;

    qpw_kernel_init(&a.kernel);
    answer = open_alone(&a, &err) < 0 ? qpw_answer_new(QPW_EXIT_FAILED, err.text) : qpw_audit_reload(&a, request);
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

int qpw_reload(const struct qpw_policy_options *options, json_t **ret_answer, struct qpw_error *err)
{
    json_t *request, *args, *answer = NULL;
    int r = qpw_policy_args_new(options, &args, err);

    if (r < 0)
        return r == -EILSEQ ? QPW_EXIT_USAGE : QPW_EXIT_FAILED;
    request = qpw_request_new("reload");
    if (json_object_size(args))
        json_object_set(request, "policy", args);
    json_decref(args);
    r = qpw_control_ask(request, &answer, NULL, err);
    if (r == -EMSGSIZE) {
        qpw_fail(err, r, "the policy options are too long; put the peers into a file (--peers)");
        r = QPW_EXIT_USAGE;
    } else if (r == -ENOENT) {
        answer = reload_alone(request);
        r = qpw_answer_status(answer, err);
    }
    json_decref(request);
    *ret_answer = answer;
    return r < 0 ? QPW_EXIT_FAILED : r;
}

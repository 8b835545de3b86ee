/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/reload.h"

#include <errno.h>

#include "auditor/alone.h"
#include "control/message.h"
#include "control/policy_args.h"

int qpw_reload(const struct qpw_policy_options *options, json_t **ret_answer, struct qpw_error *err)
{
    json_t *request, *args;
    int r = qpw_policy_args_new(options, &args, err);

    *ret_answer = NULL;
    if (r < 0)
        return r == -EILSEQ ? QPW_EXIT_USAGE : QPW_EXIT_FAILED;
    request = qpw_request_new("reload");
    if (json_object_size(args))
        json_object_set(request, "policy", args);
    json_decref(args);
    r = qpw_audit_ask(request, ret_answer, err);
    json_decref(request);
    if (r == -EMSGSIZE) {
        qpw_fail(err, r, "the policy options are too long; put the peers into a file (--peers)");
        return QPW_EXIT_USAGE;
    }
    return r;
}

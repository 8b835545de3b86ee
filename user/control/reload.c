/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "auditor/internal.h"
#include "control/policy_args.h"

#define PATIENCE_SECONDS 30

/* What the last auditor was asked to read, as far as it is known. */
static int take_kept(struct qpw_auditor *a, struct qpw_error *err)
{
    int r;

    a->policy_args = strdup(a->meta.policy_args);
    r = a->policy_args ? qpw_policy_args_read(a->policy_args, &a->options.policy) : -ENOMEM;
    return r < 0 ? qpw_fail(err, r, "what the last auditor read its policy from cannot be read") : 0;
}

/* Nobody lives here: this process is the auditor for as long as the reload takes. */
static int reload_alone(const char *args, char *words, size_t size)
{
    struct qpw_auditor a = {.lock_fd = -1};
    struct qpw_error err = {0};
    pid_t other;
    int r, status = QPW_EXIT_FAILED;

    qpw_kernel_init(&a.kernel);
    r = qpw_control_listen(&a.lock_fd, &other, &err);
    if (r == 0)
        r = qpw_instance_find(&a.kernel, &err);
    if (r == 0)
        r = qpw_meta_read(&a.kernel, &a.meta, &err);
    if (r == 0)
        r = qpw_coverage_open(&a.kernel, &a.coverage, &err);
    if (r == 0)
        r = qpw_kernel_get_names(&a.kernel, &a.names, &err);
    if (r == 0)
        r = qpw_netlink_open(&a.netlink, &err);
    if (r == 0)
        r = take_kept(&a, &err);
    if (r == 0)
        status = qpw_audit_reload(&a, args, words, size);
    else
        snprintf(words, size, "%s", err.text);
    qpw_netlink_close(a.netlink);
    qpw_kernel_close(&a.kernel);
    if (a.lock_fd >= 0)
        close(a.lock_fd);
    qpw_policy_clear(&a.policy);
    qpw_registry_clear(&a.names);
    qpw_policy_options_clear(&a.options.policy);
    free(a.policy_args);
    return status;
}

int qpw_reload(const struct qpw_policy_options *options, char *words, size_t size)
{
    char request[QPW_CONTROL_BYTES] = "reload\n";
    size_t head = strlen(request);
    struct qpw_error err;
    int r, status;

    if (qpw_policy_args_write(options, request + head, sizeof(request) - head) < 0) {
        snprintf(words, size, "the policy options are too long; put the peers into a file (--peers)");
        return QPW_EXIT_USAGE;
    }
    r = qpw_control_ask(request, PATIENCE_SECONDS, &status, words, size, NULL, &err);
    if (r == 0)
        return status;
    if (r == -ENOENT)
        return reload_alone(request + head, words, size);
    snprintf(words, size, "%s", err.text);
    return QPW_EXIT_FAILED;
}

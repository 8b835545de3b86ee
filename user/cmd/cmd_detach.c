/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/altname.h"
#include "host/rights.h"
#include "control/control.h"
#include "control/detach.h"
#include "control/message.h"
#include "cmd/cmd.h"
#include "cmd/detach_record.h"
#include "instance/kernel_words.h"
#include "util/usage.h"
#include "words/words.h"

struct arguments {
    const char *ifaces[QPW_MAX_IFACES];
    size_t n;
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (arguments->n == QPW_MAX_IFACES)
        qpw_usage_error(state, "no more than %d interfaces", QPW_MAX_IFACES - 1);
    if (!*value || strpbrk(value, " \n")) /* an empty shell variable must not mean all interfaces */
        qpw_usage_error(state, "'%s': not an interface name; omit it to detach from all interfaces", value);
    arguments->ifaces[arguments->n++] = value;
    return 0;
}

/* Let the live auditor detach. Returns an exit status, or -ENOENT if there is none. */
static int notify_auditor(const struct arguments *arguments)
{
    json_t *request = qpw_request_new("detach"), *names = json_array();
    struct qpw_error err;
    pid_t pid;
    int r;

    for (size_t i = 0; i < arguments->n; i++)
        json_array_append_new(names, qpw_message_name(arguments->ifaces[i]));
    json_object_set_new(request, "interfaces", names);
    r = qpw_control_ask(request, NULL, &pid, &err);
    json_decref(request);
    if (r == -ENOENT)
        return r;
    if (r == QPW_EXIT_OK)
        /* Of this pid namespace; otherwise the auditor would have refused. */
        printf("detached by the auditor (pid %d)\n", (int)pid);
    else
        fprintf(stderr, "qportwatch detach: %s\n", err.text);
    return r < 0 ? QPW_EXIT_FAILED : r;
}

int qpw_cmd_detach(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = take_option, .args_doc = "[IFACE...]",
        .doc = "Removes exactly what qportwatch attached, from all interfaces or from those named. All counters "
               "are discarded with the last of them; save them with 'qportwatch report' before."};
    struct arguments arguments = {0};
    struct qpw_detach_record record;
    struct qpw_error err;
    size_t removed;
    char count[40], names[QPW_MAX_IFACES][16];
    int r;

    qpw_arguments_parse(&argp, argc, argv, &arguments);
    if (geteuid() != 0) {
        fprintf(stderr, "qportwatch detach: root privileges are required (try sudo)\n");
        return QPW_EXIT_FAILED;
    }
    for (size_t i = 0; i < arguments.n; i++)
        arguments.ifaces[i] = qpw_altname_main(arguments.ifaces[i], names[i]);
    qpw_quiet_libbpf();
    r = notify_auditor(&arguments);
    if (r != -ENOENT)
        return r;
    r = qpw_rights_check(&err);
    qpw_detach_record_take(&record);
    if (r == 0)
        r = qpw_detach(arguments.ifaces, arguments.n, &removed, &err);
    if (r < 0) {
        fprintf(stderr, "qportwatch detach: %s\n", err.text);
        return QPW_EXIT_FAILED;
    }
    if (removed)
        printf("detached from %s\n", qpw_words_many(removed, "interface", count, sizeof(count)));
    else
        printf("nothing to detach in this network namespace\n");
    if (removed && qpw_detach_record_write(&record, &err) < 0)
        fprintf(stderr, "qportwatch detach: not told in the alert log: %s\n", err.text);
    return QPW_EXIT_OK;
}

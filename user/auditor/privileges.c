/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor/internal.h"
#include "host/confine.h"
#include "host/proc_reader.h"
#include "host/rights.h"
#include "instance/objects.h"

/* The last one is kept only in place of a missing helper. */
static const unsigned kept[] = {CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN};

int qpw_privileges_prepare(struct qpw_error *err)
{
    int r = qpw_proc_reader_start(err);

    return r ? r : qpw_objects_start(err);
}

int qpw_privileges_drop(struct qpw_error *err)
{
    const char *without = !qpw_rights_have(CAP_BPF) ? "CAP_BPF" : !qpw_rights_have(CAP_PERFMON) ? "CAP_PERFMON" : NULL;
    size_t n = sizeof(kept) / sizeof(*kept) - (without ? 0 : 1);
    int r = qpw_rights_keep(kept, n);
    char left[120];

    qpw_proc_reader_use();
    qpw_objects_use();
    if (qpw_rights_left(kept, n, left, sizeof(left)))
        return qpw_fail(err, -EPERM, "%s", left);
    if (without)
        return qpw_fail(err, 1, "CAP_SYS_ADMIN is kept in place of %s, which this process was not given", without);
    return r < 0 ? qpw_fail(err, r, "no_new_privs: %s", strerror(-r)) : 0;
}

#define STATE_FOLDER "/var/lib/qportwatch"

/* Get the directory of a file and its parent, of the file's target if it is a link. */
static size_t folders_of(const char *file, char ret[2][PATH_MAX])
{
    char *real = realpath(file, NULL), *end;
    size_t n = 0, length = strlen(real ? real : file);

    for (const char *path = real ? real : file; n < 2 && length < PATH_MAX; path = ret[n - 1]) {
        memmove(ret[n], path, strlen(path) + 1);
        end = strrchr(ret[n], '/');
        if (!end || end == ret[n])
            break;
        *end = '\0';
        n++;
    }
    free(real);
    return n;
}

int qpw_privileges_confine(struct qpw_auditor *a, bool live_view, struct qpw_error *err)
{
    const char *const files[] = {a->meta.alerts_path, a->meta.history_path};
    char of_files[2][2][PATH_MAX];
    const char *folders[3 + 2 * 2] = {"/run", STATE_FOLDER}, *state = getenv("STATE_DIRECTORY");
    uint32_t *flags = &a->kernel.control->flags;
    size_t n = 2;
    bool connects = a->options.syslog && !strncmp(a->options.syslog, "tcp", 3);
    int r, r2;

    if (state && *state == '/')
        folders[n++] = state;
    for (size_t file = 0; file < 2; file++)
        for (size_t i = files[file][0] ? folders_of(files[file], of_files[file]) : 0; i > 0; i--)
            folders[n++] = of_files[file][i - 1];
    __atomic_and_fetch(flags, ~(QPW_CONTROL_SECCOMP | QPW_CONTROL_LANDLOCK), __ATOMIC_RELAXED); /* of an earlier
                                                                                                   auditor */
    r = qpw_confine_files(live_view ? NULL : folders, n, connects ? QPW_TCP_CONNECT : QPW_TCP_RPCBIND);
    if (r < 0)
        qpw_fail(err, r, "writing cannot be limited to the folders of log and state (Landlock): %s", strerror(-r));
    else if (r > 0)
        __atomic_or_fetch(flags, QPW_CONTROL_LANDLOCK, __ATOMIC_RELAXED);
    r2 = qpw_confine_auditor();
    if (r2 < 0)
        return qpw_fail(err, r2, "system calls cannot be limited (seccomp): %s", strerror(-r2));
    __atomic_or_fetch(flags, QPW_CONTROL_SECCOMP, __ATOMIC_RELAXED);
    return r < 0 ? r : 0;
}

static void report_helper(struct qpw_auditor *a, enum qpw_helper_change change, unsigned restarts, const char *who,
                          const char *lack)
{
    switch (change) {
    case QPW_HELPER_SAME: break;
    case QPW_HELPER_SILENT:
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the process that %s does not answer (number %u) and is replaced; meanwhile %s", who, restarts, lack);
        break;
    case QPW_HELPER_BACK: qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "the process that %s did not answer or had ended, and was replaced (number %u)", who, restarts); break;
    case QPW_HELPER_GONE:
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "the process that %s has ended; until the auditor is started again, %s", who, lack);
        break;
    }
}

void qpw_privileges_tick(struct qpw_auditor *a)
{
    unsigned restarts;
    enum qpw_helper_change change = qpw_proc_reader_change(&restarts);

    report_helper(a, change, restarts, "reads /proc", "processes may stay unknown, and commands may be refused");
    change = qpw_objects_change(&restarts);
    report_helper(a, change, restarts, "looks up programs by their ids",
                  "hooks cannot be checked, nor anything detached");
}

void qpw_privileges_end(void)
{
    qpw_proc_reader_stop();
    qpw_objects_stop();
}

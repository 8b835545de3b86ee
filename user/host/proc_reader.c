/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/proc_reader.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "host/cgroup.h"
#include "host/confine.h"
#include "host/process.h"

static struct qpw_helper *reader;
static bool in_use;

/* ---- In the helper ---- */

static bool take_pid(const struct qpw_helper_work *work, int *ret)
{
    if (work->size != sizeof(*ret))
        return false;
    memcpy(ret, work->question, sizeof(*ret));
    return *ret > 0;
}

static int answer_describe(struct qpw_helper_work *work)
{
    struct qpw_process p = {0};
    bool there;
    int pid;

    if (!take_pid(work, &pid))
        return -EINVAL;
    there = qpw_process_describe(pid, &p);
    p.why = NULL; /* a pointer is meaningless in another process */
    memcpy(work->answer, &p, sizeof(p));
    work->answer_size = sizeof(p);
    return there;
}

static int answer_same(struct qpw_helper_work *work)
{
    struct qpw_proc_namespace n;

    if (work->size != sizeof(n))
        return -EINVAL;
    memcpy(&n, work->question, sizeof(n));
    n.kind[sizeof(n.kind) - 1] = '\0';
    return strchr(n.kind, '/') ? -EINVAL : qpw_process_shares(n.pid, n.kind);
}

static int answer_text(struct qpw_helper_work *work)
{
    struct qpw_proc_file f;
    int r;

    if (work->size != sizeof(f))
        return -EINVAL;
    memcpy(&f, work->question, sizeof(f));
    f.name[sizeof(f.name) - 1] = '\0';
    if (strcmp(f.name, "status") && strcmp(f.name, "stat") && strcmp(f.name, "loginuid"))
        return -EINVAL;
    r = qpw_process_text(f.pid, f.name, work->answer, QPW_HELPER_BYTES);
    work->answer_size = r < 0 ? 0 : (size_t)r;
    return r;
}

static int answer_exe(struct qpw_helper_work *work)
{
    int pid, r;

    if (!take_pid(work, &pid))
        return -EINVAL;
    r = qpw_process_exe(pid, work->answer, QPW_HELPER_BYTES);
    work->answer_size = r < 0 ? 0 : (size_t)r;
    return r;
}

static int answer_cgroup(struct qpw_helper_work *work)
{
    uint64_t id;
    int r;

    if (work->size != sizeof(id))
        return -EINVAL;
    memcpy(&id, work->question, sizeof(id));
    if (work->what == QPW_PROC_CGROUP_OPEN) {
        work->answer_fd = qpw_cgroup_open(id);
        return work->answer_fd < 0 ? work->answer_fd : 0;
    }
    r = qpw_cgroup_path(id, work->answer, QPW_HELPER_BYTES);
    work->answer_size = r < 0 ? 0 : strlen(work->answer) + 1;
    return r;
}

static int answer(struct qpw_helper_work *work)
{
    switch ((enum qpw_proc_question)work->what) {
    case QPW_PROC_DESCRIBE: return answer_describe(work);
    case QPW_PROC_SOCKETS: return qpw_proc_answer_sockets(work);
    case QPW_PROC_SAME: return answer_same(work);
    case QPW_PROC_TEXT: return answer_text(work);
    case QPW_PROC_EXE: return answer_exe(work);
    case QPW_PROC_WHOLE: return qpw_proc_is_whole();
    case QPW_PROC_CGROUP_PATH:
    case QPW_PROC_CGROUP_OPEN: return answer_cgroup(work);
    case QPW_PROC_RESOLVE: return qpw_proc_answer_resolve(work);
    }
    return -EINVAL;
}

/* Open cgroup2 in advance, because a private mount needs CAP_SYS_ADMIN. */
static int prepare(void)
{
    int fd = qpw_cgroup_root_open();

    if (fd >= 0)
        close(fd);
    return 0;
}

/* ---- In the asking process ---- */

static const unsigned rights[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
static const struct qpw_helper_kind kind = {.name = "qportwatch-proc", .rights = rights, .n_rights = 2,
                                            .prepare = prepare, .confine = qpw_confine_reader, .answer = answer};

int qpw_proc_reader_start(struct qpw_error *err)
{
    return reader ? 0 : qpw_helper_start(&kind, &reader, err);
}

void qpw_proc_reader_stop(void)
{
    in_use = false;
    qpw_helper_stop(reader);
    reader = NULL;
}

void qpw_proc_reader_use(void)
{
    in_use = reader != NULL;
}

enum qpw_helper_change qpw_proc_reader_change(unsigned *ret_restarts)
{
    *ret_restarts = 0;
    return in_use ? qpw_helper_change(reader, ret_restarts) : QPW_HELPER_SAME;
}

bool qpw_proc_ask(enum qpw_proc_question what, const void *question, size_t size, struct qpw_helper_reply *reply)
{
    return in_use && qpw_helper_ask(reader, what, question, size, reply);
}

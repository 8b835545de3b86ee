/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/objects.h"

#include <bpf/bpf.h>
#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/confine.h"
#include "host/netns.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "instance/runs.h"

enum question { ASK_PROGRAM, ASK_MAP, ASK_NEXT, ASK_NAME, ASK_ELSEWHERE, ASK_MOVED };

static struct qpw_helper *helper;
static bool in_use;

/* ---- In the helper ---- */

static int name_of(uint32_t id, char ret[16])
{
    struct bpf_prog_info info = {0};
    __u32 size = sizeof(info);
    int fd = bpf_prog_get_fd_by_id(id), r;

    if (fd < 0)
        return -errno;
    r = bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? -errno : 0;
    close(fd);
    snprintf(ret, 16, "%s", info.name);
    return r;
}

static bool is_our_program(const char *name)
{
    for (enum qpw_program p = 0; p < QPW_PROG_COUNT; p++)
        if (!strcmp(name, qpw_program_name(p)))
            return true;
    return false;
}

/* Return whether the map is the object's, or one of the policy's inner tables. */
static bool is_our_map(const char *name)
{
    static const char *const tables[] = {"qpw_slots", "qpw_chains", "qpw_steps", "qpw_sets"};
    struct qpw_kernel any;

    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        if (!strcmp(name, tables[i]))
            return true;
    qpw_kernel_init(&any);
    return qpw_kernel_map_slot(&any, name);
}

static int answer_program(uint32_t id, struct qpw_helper_work *work)
{
    char name[16];
    int r = name_of(id, name);

    if (r < 0)
        return r;
    if (!is_our_program(name))
        return -EACCES;
    work->answer_fd = bpf_prog_get_fd_by_id(id);
    return work->answer_fd < 0 ? -errno : 0;
}

static int answer_map(uint32_t id, struct qpw_helper_work *work)
{
    struct bpf_map_info info = {0};
    __u32 size = sizeof(info);
    int fd = bpf_map_get_fd_by_id(id), r;

    if (fd < 0)
        return -errno;
    r = bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? -errno : is_our_map(info.name) ? 0 : -EACCES;
    if (r < 0)
        close(fd);
    else
        work->answer_fd = fd;
    return r;
}

static int answer_next(uint32_t id, struct qpw_helper_work *work)
{
    uint32_t next;

    if (bpf_prog_get_next_id(id, &next) < 0)
        return -errno;
    memcpy(work->answer, &next, sizeof(next));
    work->answer_size = sizeof(next);
    return 0;
}

static int answer_name(uint32_t id, struct qpw_helper_work *work)
{
    int r = name_of(id, work->answer);

    work->answer_size = r < 0 ? 0 : 16;
    return r;
}

static int answer_elsewhere(struct qpw_helper_work *work)
{
    struct qpw_objects_elsewhere q;
    struct qpw_objects_done *done = work->answer;
    const char *names[QPW_OBJECT_NAMES];
    size_t removed = 0;
    int r;

    memcpy(&q, work->question, sizeof(q));
    if (q.n > QPW_OBJECT_NAMES)
        return -EINVAL;
    for (uint32_t i = 0; i < q.n; i++) {
        q.names[i][sizeof(q.names[i]) - 1] = '\0';
        names[i] = q.names[i];
    }
    r = qpw_run_detach_elsewhere(q.instance, names, q.n, &removed, &done->err);
    done->removed = removed;
    work->answer_size = sizeof(*done);
    return r;
}

static int answer_moved(struct qpw_helper_work *work)
{
    struct qpw_objects_moved q;
    struct qpw_objects_done *done = work->answer;
    int fd, r;

    memcpy(&q, work->question, sizeof(q));
    if (q.n > QPW_OBJECT_NAMES)
        return -EINVAL;
    work->answer_size = sizeof(*done);
    fd = qpw_netns_open(q.nsid, &done->err);
    if (fd < 0)
        return fd;
    r = qpw_hooks_detach_elsewhere(fd, q.ifindex, q.prog_ids, q.n, &done->err);
    close(fd);
    return r;
}

static int answer(struct qpw_helper_work *work)
{
    uint32_t id = 0;

    if (work->what == ASK_ELSEWHERE)
        return work->size == sizeof(struct qpw_objects_elsewhere) ? answer_elsewhere(work) : -EINVAL;
    if (work->what == ASK_MOVED)
        return work->size == sizeof(struct qpw_objects_moved) ? answer_moved(work) : -EINVAL;
    if (work->size != sizeof(id))
        return -EINVAL;
    memcpy(&id, work->question, sizeof(id));
    switch (work->what) {
    case ASK_PROGRAM: return answer_program(id, work);
    case ASK_MAP: return answer_map(id, work);
    case ASK_NEXT: return answer_next(id, work);
    case ASK_NAME: return answer_name(id, work);
    default: return -EINVAL;
    }
}

static int prepare(void)
{
    qpw_quiet_libbpf();
    return 0;
}

/* ---- In the asking process ---- */

/*
 * CAP_SYS_PTRACE: a network namespace may be reachable only through its processes. CAP_NET_ADMIN: to change its hooks.
 */
static const unsigned rights[] = {CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_NET_ADMIN, CAP_BPF};
static const struct qpw_helper_kind kind = {.name = "qportwatch-bpf",
                                            .rights = rights,
                                            .n_rights = 4,
                                            .prepare = prepare,
                                            .confine = qpw_confine_lookup_helper,
                                            .answer = answer};

int qpw_objects_start(struct qpw_error *err)
{
    return helper ? 0 : qpw_helper_start(&kind, &helper, err);
}

void qpw_objects_stop(void)
{
    in_use = false;
    qpw_helper_stop(helper);
    helper = NULL;
}

void qpw_objects_use(void)
{
    in_use = helper != NULL;
}

enum qpw_helper_change qpw_objects_change(unsigned *ret_restarts)
{
    *ret_restarts = 0;
    return in_use ? qpw_helper_change(helper, ret_restarts) : QPW_HELPER_SAME;
}

/*
 * Ask the helper. -1 with errno set; EAGAIN if it does not answer, so that an unanswered question is not taken for a
 * missing object.
 */
static int ask(enum question what, uint32_t id, struct qpw_helper_reply *reply)
{
    bool answered = qpw_helper_ask(helper, what, &id, sizeof(id), reply);

    if (answered && reply->result >= 0)
        return 0;
    errno = answered ? -reply->result : EAGAIN;
    return -1;
}

static int ask_for_descriptor(enum question what, uint32_t id)
{
    struct qpw_helper_reply reply = {0};

    if (ask(what, id, &reply) < 0)
        return -1;
    if (reply.fd < 0)
        errno = EMFILE; /* no free descriptor to receive it */
    return reply.fd;
}

int qpw_object_program(uint32_t id)
{
    return in_use ? ask_for_descriptor(ASK_PROGRAM, id) : bpf_prog_get_fd_by_id(id);
}

int qpw_object_map(uint32_t id)
{
    return in_use ? ask_for_descriptor(ASK_MAP, id) : bpf_map_get_fd_by_id(id);
}

int qpw_object_next(uint32_t id, uint32_t *ret_next)
{
    struct qpw_helper_reply reply = {.bytes = ret_next, .room = sizeof(*ret_next)};

    return in_use ? ask(ASK_NEXT, id, &reply) : bpf_prog_get_next_id(id, ret_next);
}

int qpw_object_name(uint32_t id, char ret[16])
{
    struct qpw_helper_reply reply = {.bytes = ret, .room = 16};

    if (!in_use)
        return name_of(id, ret);
    return ask(ASK_NAME, id, &reply) < 0 ? -errno : 0;
}

static bool ask_to_do(enum question what, const void *question, size_t size, struct qpw_objects_done *ret, int *ret_result)
{
    struct qpw_helper_reply reply = {.bytes = ret, .room = sizeof(*ret)};

    if (!in_use)
        return false;
    *ret = (struct qpw_objects_done){0};
    if (!qpw_helper_ask(helper, what, question, size, &reply))
        *ret_result = qpw_fail(&ret->err, -EAGAIN, "the process that could do it does not answer");
    else
        *ret_result = reply.result;
    return true;
}

bool qpw_objects_elsewhere(const struct qpw_objects_elsewhere *question, struct qpw_objects_done *ret, int *ret_result)
{
    return ask_to_do(ASK_ELSEWHERE, question, sizeof(*question), ret, ret_result);
}

bool qpw_objects_moved(const struct qpw_objects_moved *question, struct qpw_objects_done *ret, int *ret_result)
{
    return ask_to_do(ASK_MOVED, question, sizeof(*question), ret, ret_result);
}

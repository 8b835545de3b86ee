/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instance/embedded.h"
#include "instance/kernel_words.h"

/* A program being loaded. Owned by its thread until that has ended. */
struct job {
    enum qpw_program program;
    struct qpw_kernel maps; /* a copy, because the caller's may move: descriptors, and XDP load flags */
    pthread_t thread;
    bool is_thread;
    int fd; /* the program's descriptor, or a negative errno with err filled */
    struct qpw_error err;
};

struct qpw_programs {
    unsigned n;
    struct job jobs[QPW_PROG_COUNT];
};

/* Select the one program, and reuse the existing maps instead of the object's own. */
static int prepare(struct job *job, struct bpf_object *object, struct bpf_program *wanted)
{
    struct bpf_program *program;
    struct bpf_map *map;
    int *fd, r;

    bpf_object__for_each_map(map, object) {
        fd = qpw_kernel_map_slot(&job->maps, bpf_map__name(map));
        r = fd ? bpf_map__reuse_fd(map, *fd) : bpf_map__set_autocreate(map, false);
        if (r < 0)
            return r;
    }
    bpf_object__for_each_program (program, object) {
        r = bpf_program__set_autoload(program, program == wanted);
        if (r < 0)
            return r;
    }
    return job->program == QPW_PROG_qpw_xdp_rx ? bpf_program__set_flags(wanted, qpw_kernel_xdp_flags(&job->maps)) : 0;
}

static int bind_maps(struct job *job)
{
    for (int i = 0; i < QPW_MAP_COUNT + QPW_SECTION_COUNT; i++) {
        int fd = i < QPW_MAP_COUNT ? job->maps.map_fd[i] : job->maps.section_fd[i - QPW_MAP_COUNT];

        if (bpf_prog_bind_map(job->fd, fd, NULL) < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

static int load(struct job *job, struct bpf_object *object)
{
    struct bpf_program *program = bpf_object__find_program_by_name(object, qpw_program_name(job->program));
    const char *words;
    int r;

    if (!program)
        return qpw_fail(&job->err, -EINVAL, "the embedded BPF object has no program '%s'",
                        qpw_program_name(job->program));
    qpw_kernel_words();
    r = prepare(job, object, program);
    if (r == 0)
        r = bpf_object__load(object);
    if (r < 0) {
        words = qpw_kernel_words();
        return qpw_fail(&job->err, r, "the kernel refuses the BPF program %s: %s%s%s%s", qpw_program_name(job->program),
                        strerror(-r), *words ? ": " : "", words,
                        qpw_kernel_remedy(r, " (root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and Linux "
                                             "5.10 are needed)"));
    }
    job->fd = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);
    r = job->fd < 0 ? -errno : bind_maps(job);
    return r ? qpw_fail(&job->err, r, "cannot tie the maps to the BPF program %s: %s", qpw_program_name(job->program),
                        strerror(-r)) : 0;
}

static void *run(void *argument)
{
    struct job *job = argument;
    struct bpf_object *object;
    int r;

    job->fd = -1;
    object = qpw_embedded_open(job->maps.old_verifier);
    if (object)
        r = load(job, object);
    else
        r = qpw_fail(&job->err, -errno, "cannot open the embedded BPF object: %s", strerror(errno));
    bpf_object__close(object);
    if (r < 0) {
        if (job->fd >= 0)
            close(job->fd);
        job->fd = r;
    }
    return NULL;
}

int qpw_programs_begin(const struct qpw_kernel *k, uint32_t wanted, struct qpw_programs **ret, struct qpw_error *err)
{
    struct qpw_programs *p = calloc(1, sizeof(*p));
    sigset_t all, before;

    if (!p)
        return qpw_fail(err, -ENOMEM, "out of memory");
    mallopt(M_ARENA_MAX, 1); /* one heap for all threads, so that their memory can be returned at the end */
    sigfillset(&all);
    /* Leave signals to the caller's thread; one would also interrupt a load. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i < QPW_PROG_COUNT; i++) {
        struct job *job = &p->jobs[p->n];

        if (!(wanted >> i & 1))
            continue;
        p->n++;
        job->program = i;
        job->maps = *k;
        job->is_thread = pthread_create(&job->thread, NULL, run, job) == 0;
        if (!job->is_thread)
            run(job); /* slower, same result */
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *ret = p;
    return 0;
}

int qpw_programs_end(struct qpw_programs *p, int prog_fd[QPW_PROG_COUNT], struct qpw_error *err)
{
    int r = 0;

    for (unsigned i = 0; i < p->n; i++) {
        struct job *job = &p->jobs[i];

        if (job->is_thread)
            pthread_join(job->thread, NULL);
        if (job->fd < 0 && r == 0)
            r = qpw_fail(err, job->fd, "%s", job->err.text);
    }
    for (unsigned i = 0; i < p->n; i++) {
        struct job *job = &p->jobs[i];

        if (r == 0)
            prog_fd[job->program] = job->fd;
        else if (job->fd >= 0)
            close(job->fd);
    }
    free(p);
    malloc_trim(0); /* return the threads' memory */
    qpw_embedded_give_back();
    return r;
}

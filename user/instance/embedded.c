/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/embedded.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "instance/kernel.h"
#include "instance/kernel_words.h"

extern const char qpw_bpf_object[], qpw_bpf_object_end[], qpw_bpf_object_old[], qpw_bpf_object_old_end[];

static bool is_old;

/* Probe for a helper of Linux 5.13 that every program type may call. */
static void probe(void)
{
    is_old = libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_for_each_map_elem, NULL) == 0;
}

static bool kernel_is_old(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, probe);
    return is_old;
}

struct bpf_object *qpw_embedded_open(bool old_verifier)
{
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = QPW_OBJECT_NAME, .kernel_log_level = qpw_verifier_log_level());

    if (old_verifier || kernel_is_old())
        return bpf_object__open_mem(qpw_bpf_object_old, (size_t)(qpw_bpf_object_old_end - qpw_bpf_object_old), &options);
    return bpf_object__open_mem(qpw_bpf_object, (size_t)(qpw_bpf_object_end - qpw_bpf_object), &options);
}

static void give_back(const char *object, const char *end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), before = -(uintptr_t)object % page, size = (size_t)(end - object);

    if (size >= before + page) /* contains a whole page */
        madvise((char *)object + before, (size - before) / page * page, MADV_DONTNEED);
}

void qpw_embedded_give_back(void)
{
    give_back(qpw_bpf_object, qpw_bpf_object_end);
    give_back(qpw_bpf_object_old, qpw_bpf_object_old_end);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/tag.h"

const char *qpw_map_name(enum qpw_map map)
{
#define NAME(n) #n,
    static const char *const names[] = {QPW_MAPS(NAME)};
    return (unsigned)map < QPW_MAP_COUNT ? names[map] : "invalid";
}

const char *qpw_program_name(enum qpw_program program)
{
#define PROGRAM(n, rx, tc) #n,
    static const char *const names[] = {QPW_PROGRAMS(PROGRAM) QPW_OWNER_PROGRAM_LIST(PROGRAM) QPW_REPLAY_PROGRAM_LIST(PROGRAM)};
    return (unsigned)program < QPW_PROG_COUNT ? names[program] : "invalid";
}

void qpw_kernel_init(struct qpw_kernel *k)
{
    memset(k, 0, sizeof(*k));
    for (int i = 0; i < QPW_MAP_COUNT; i++)
        k->map_fd[i] = -1;
    for (int i = 0; i < QPW_SECTION_COUNT; i++)
        k->section_fd[i] = -1;
    for (int i = 0; i < QPW_PROG_COUNT; i++)
        k->prog_fd[i] = -1;
}

uint32_t qpw_kernel_xdp_flags(const struct qpw_kernel *k)
{
    return k->config.has_xdp_buff_len ? BPF_F_XDP_HAS_FRAGS : 0;
}

/* Recognise sections by their suffix, because the kernel truncates names to 15 characters: "qportwat.rodata". */
int *qpw_kernel_map_slot(struct qpw_kernel *k, const char *name)
{
    static const char *const sections[] = {".bss", ".rodata", ".data.woken"};
    const char *dot = strchr(name, '.');

    for (int i = 0; dot && i < QPW_SECTION_COUNT; i++)
        if (!strcmp(dot, sections[i]))
            return &k->section_fd[i];
    for (int i = 0; i < QPW_MAP_COUNT; i++)
        if (!strcmp(name, qpw_map_name(i)))
            return &k->map_fd[i];
    return NULL;
}

int qpw_kernel_map_pages(struct qpw_kernel *k, struct qpw_error *err)
{
    void *control, *incarnations;

    control = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
                   k->section_fd[QPW_SECTION_CONTROL], 0);
    if (control == MAP_FAILED)
        return qpw_fail(err, -errno, "cannot map the control page: %s", strerror(errno));
    incarnations = mmap(NULL, sizeof(*k->incarnations), PROT_READ | PROT_WRITE, MAP_SHARED,
                        k->map_fd[QPW_MAP_incarnations], 0);
    if (incarnations == MAP_FAILED) {
        int r = -errno;

        munmap(control, (size_t)sysconf(_SC_PAGESIZE));
        return qpw_fail(err, r, "cannot map the incarnations: %s", strerror(-r));
    }
    k->control = control;
    k->incarnations = incarnations;
    return 0;
}

uint32_t qpw_kernel_connections(const struct qpw_kernel *k)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info);

    return bpf_obj_get_info_by_fd(k->map_fd[QPW_MAP_conns_est], &info, &size) < 0 ? 0 : info.max_entries;
}

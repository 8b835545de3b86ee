/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "bpfleft.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"

/* Attach types of TCX (kernel 6.6), unknown to the headers of older distributions. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

static void add_number(uint32_t *list, unsigned *n, uint32_t id)
{
    for (unsigned i = 0; i < *n; i++)
        if (list[i] == id)
            return;
    if (*n < BPFLEFT_MAX)
        list[(*n)++] = id;
}

/* Add the program and its maps if its name is one of ours. */
static bool add_program(uint32_t id, struct bpfleft *list)
{
    uint32_t maps[64] = {0};
    struct bpf_prog_info info = {.nr_map_ids = 64, .map_ids = (uint64_t)(uintptr_t)maps};
    uint32_t size = sizeof(info);
    int fd = bpf_prog_get_fd_by_id(id);

    if (fd < 0)
        return false;
    bool ours = bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && !strncmp(info.name, "qpw_", 4);
    close(fd);
    if (!ours)
        return false;
    add_number(list->programs, &list->n_programs, id);
    for (uint32_t i = 0; i < info.nr_map_ids && i < 64; i++)
        add_number(list->maps, &list->n_maps, maps[i]);
    return true;
}

void bpfleft_all(struct bpfleft *ret)
{
    uint32_t id = 0;

    *ret = (struct bpfleft){0};
    while (bpf_prog_get_next_id(id, &id) == 0)
        add_program(id, ret);
}

static unsigned tcx_programs(unsigned ifindex, int type, uint32_t ids[BPFLEFT_MAX])
{
    uint32_t flags = 0, n = BPFLEFT_MAX;

    /* The query fails on kernels without TCX, where nothing can be attached. */
    return bpf_prog_query((int)ifindex, (enum bpf_attach_type)type, 0, &flags, ids, &n) == 0 ? n : 0;
}

static uint32_t xdp_program(unsigned ifindex)
{
    LIBBPF_OPTS(bpf_xdp_query_opts, o);

    if (bpf_xdp_query((int)ifindex, 0, &o) < 0)
        return 0;
    return o.prog_id ? o.prog_id : o.drv_prog_id ? o.drv_prog_id : o.skb_prog_id;
}

/* Find clsact filters by querying each low priority and handle, which covers everything that tests attach. */
static unsigned add_clsact(unsigned ifindex, struct bpfleft *list)
{
    static const enum bpf_tc_attach_point points[] = {BPF_TC_INGRESS, BPF_TC_EGRESS};
    unsigned found = 0;

    for (int i = 0; i < 2; i++) {
        LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = points[i]);
        for (unsigned priority = 1; priority <= 4; priority++) {
            LIBBPF_OPTS(bpf_tc_opts, o, .handle = 1, .priority = priority);
            if (bpf_tc_query(&hook, &o) == 0)
                found += add_program(o.prog_id, list);
        }
    }
    return found;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
    return 0;
}

unsigned bpfleft_add_hooks(unsigned ifindex, struct bpfleft *list)
{
    libbpf_print_fn_t printer = libbpf_set_print(quiet);
    uint32_t ids[BPFLEFT_MAX], xdp = xdp_program(ifindex);
    unsigned found = xdp ? add_program(xdp, list) : 0;

    for (int type = TCX_INGRESS; type <= TCX_EGRESS; type++) {
        unsigned n = tcx_programs(ifindex, type, ids);
        for (unsigned i = 0; i < n; i++)
            found += add_program(ids[i], list);
    }
    found += add_clsact(ifindex, list);
    libbpf_set_print(printer);
    return found;
}

unsigned bpfleft_in_hooks(unsigned ifindex)
{
    uint32_t ids[BPFLEFT_MAX];

    return (xdp_program(ifindex) != 0) + tcx_programs(ifindex, TCX_INGRESS, ids) +
           tcx_programs(ifindex, TCX_EGRESS, ids);
}

static bool all_gone(void *argument)
{
    const struct bpfleft *list = argument;
    int fd;

    for (unsigned i = 0; i < list->n_programs; i++)
        if ((fd = bpf_prog_get_fd_by_id(list->programs[i])) >= 0) {
            close(fd);
            return false;
        }
    for (unsigned i = 0; i < list->n_maps; i++)
        if ((fd = bpf_map_get_fd_by_id(list->maps[i])) >= 0) {
            close(fd);
            return false;
        }
    return true;
}

bool bpfleft_gone(const struct bpfleft *list, int deadline_ms)
{
    return netns_until(all_gone, (void *)list, deadline_ms);
}

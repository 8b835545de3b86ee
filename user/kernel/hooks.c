/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "kernel/hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/hooks_clsact.h"
#include "kernel/hooks_tcx.h"

static const struct {
    const char *name;
    enum qpw_program program;
} our_names[] = {
#define NAME(symbol, rx, tc) {#symbol, QPW_PROG_##symbol},
    QPW_PROGRAMS(NAME)
#undef NAME
};

static _Thread_local char kernel_words[160];

/* The last line of the verifier's log that says why, which is the one before its statistics. */
static const char *last_line(char *log)
{
    const char *last = "";
    char *line;

    while ((line = strsep(&log, "\n")))
        if (*line && strncmp(line, "processed ", 10) && strncmp(line, "-- END", 6))
            last = line;
    return last;
}

/*
 * libbpf prints the kernel's extended acknowledgement and the verifier's log as warnings of its own; they are
 * what a user needs to read.
 */
static int keep_kernel_words(enum libbpf_print_level level, const char *format, va_list args)
{
    static const char ack[] = "Kernel error message: ", log[] = "-- BEGIN PROG LOAD LOG --\n";
    char *text, *found;

    if (level != LIBBPF_WARN || vasprintf(&text, format, args) < 0)
        return 0;
    found = strstr(text, ack);
    if (found) {
        snprintf(kernel_words, sizeof(kernel_words), "%s", found + strlen(ack));
        kernel_words[strcspn(kernel_words, "\n")] = '\0';
    } else if ((found = strstr(text, log))) {
        snprintf(kernel_words, sizeof(kernel_words), "%s", last_line(found + strlen(log)));
    }
    free(text);
    return 0;
}

void qpw_hooks_quiet_libbpf(void)
{
    libbpf_set_print(keep_kernel_words);
}

const char *qpw_hooks_kernel_words(void)
{
    static _Thread_local char words[sizeof(kernel_words)];

    memcpy(words, kernel_words, sizeof(words));
    kernel_words[0] = '\0';
    return words;
}

const char *qpw_hook_text(enum qpw_hook kind)
{
    switch (kind) {
    case QPW_HOOK_XDP: return "XDP";
    case QPW_HOOK_TCX: return "TCX";
    case QPW_HOOK_CLSACT: return "clsact";
    default: return "none";
    }
}

bool qpw_hooks_name_program(uint32_t prog_id, struct qpw_hook_entry *entry)
{
    struct bpf_prog_info info = {0};
    __u32 size = sizeof(info);
    int fd;

    entry->prog_id = prog_id;
    entry->program = QPW_PROG_COUNT;
    fd = bpf_prog_get_fd_by_id(prog_id);
    if (fd < 0)
        return false;
    if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0) {
        close(fd);
        return false;
    }
    close(fd);
    snprintf(entry->name, sizeof(entry->name), "%s", info.name);
    for (size_t i = 0; i < sizeof(our_names) / sizeof(*our_names); i++)
        if (!strcmp(our_names[i].name, info.name))
            entry->program = our_names[i].program;
    return true;
}

void qpw_hooks_append(struct qpw_hook_list *list, const struct qpw_hook_entry *entry)
{
    if (list->n < QPW_HOOK_ENTRIES)
        list->entry[list->n++] = *entry;
    else
        list->more++;
}

/* Offloaded, native, then generic: the order in which a frame meets them. */
static int query_xdp(unsigned ifindex, struct qpw_hook_list *list, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_xdp_query_opts, opts);
    struct qpw_hook_entry entry;
    __u32 ids[3];
    int r = bpf_xdp_query(ifindex, 0, &opts);

    if (r < 0)
        return qpw_fail(err, r, "asking interface %u for its XDP program: %s", ifindex, strerror(-r));
    if (opts.attach_mode == XDP_ATTACHED_NONE)
        return 0;
    ids[0] = opts.hw_prog_id;
    ids[1] = opts.drv_prog_id;
    ids[2] = opts.skb_prog_id;
    for (int i = 0; i < 3; i++) {
        if (!ids[i])
            continue;
        entry = (struct qpw_hook_entry){.kind = QPW_HOOK_XDP, .generic = i == 2};
        qpw_hooks_name_program(ids[i], &entry);
        qpw_hooks_append(list, &entry);
    }
    return 0;
}

int qpw_hooks_query(unsigned ifindex, enum qpw_point point, struct qpw_hook_list *ret, struct qpw_error *err)
{
    struct qpw_hook_list list = {0};
    int r = 0;

    if (point == QPW_POINT_RX)
        r = query_xdp(ifindex, &list, err);
    if (r == 0)
        r = qpw_tcx_query(ifindex, point, &list, err);
    if (r == 0 || r == -EOPNOTSUPP)
        r = qpw_clsact_query(ifindex, point, &list, err);
    if (r < 0)
        return r;
    *ret = list;
    return 0;
}

const struct qpw_hook_entry *qpw_hooks_ours(const struct qpw_hook_list *list, uint32_t prog_id)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->entry[i].program != QPW_PROG_COUNT && (!prog_id || list->entry[i].prog_id == prog_id))
            return &list->entry[i];
    return NULL;
}

size_t qpw_hooks_foreign_before(const struct qpw_hook_list *list, const struct qpw_hook_entry *ours)
{
    size_t count = 0;

    for (size_t i = 0; i < list->n && &list->entry[i] != ours; i++)
        if (list->entry[i].program == QPW_PROG_COUNT)
            count++;
    return count;
}

const struct qpw_hook_entry *qpw_hooks_foreign_xdp(const struct qpw_hook_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->entry[i].kind == QPW_HOOK_XDP && list->entry[i].program == QPW_PROG_COUNT)
            return &list->entry[i];
    return NULL;
}

int qpw_hooks_attach_xdp(unsigned ifindex, int prog_fd, struct qpw_error *err)
{
    const char *words;
    int r;

    qpw_hooks_kernel_words();
    r = bpf_xdp_attach(ifindex, prog_fd, XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
    if (r == 0)
        return 0;
    words = qpw_hooks_kernel_words();
    return qpw_fail(err, r, "native XDP on interface %u: %s%s%s", ifindex, strerror(-r), *words ? ": " : "", words);
}

int qpw_hooks_attach_tc(unsigned ifindex, enum qpw_point point, int prog_fd, enum qpw_tc_choice choice,
                        enum qpw_hook *ret_kind, bool *ret_made_qdisc, struct qpw_error *err)
{
    int r = -EOPNOTSUPP;

    if (choice != QPW_TC_CLSACT) {
        r = qpw_tcx_attach(ifindex, point, prog_fd, err);
        if (r == 0)
            *ret_kind = QPW_HOOK_TCX;
    }
    if (r != -EOPNOTSUPP || choice == QPW_TC_TCX)
        return r;
    r = qpw_clsact_attach(ifindex, point, prog_fd, ret_made_qdisc, err);
    if (r == 0)
        *ret_kind = QPW_HOOK_CLSACT;
    return r;
}

static int detach_xdp(unsigned ifindex, const struct qpw_hook_entry *entry, struct qpw_error *err)
{
    LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
    int fd = bpf_prog_get_fd_by_id(entry->prog_id), r;

    if (fd < 0)
        return errno == ENOENT ? 0
                               : qpw_fail(err, -errno, "opening XDP program %u: %s", entry->prog_id, strerror(errno));
    /* With the expected program named, the kernel itself refuses when another stands there by now. */
    opts.old_prog_fd = fd;
    r = bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, &opts);
    close(fd);
    if (r < 0 && r != -EEXIST && r != -ENOENT && r != -ENODEV)
        return qpw_fail(err, r, "removing XDP program %u from interface %u: %s", entry->prog_id, ifindex, strerror(-r));
    return 0;
}

int qpw_hooks_detach(unsigned ifindex, enum qpw_point point, const struct qpw_hook_entry *entry, struct qpw_error *err)
{
    switch (entry->kind) {
    case QPW_HOOK_XDP: return detach_xdp(ifindex, entry, err);
    case QPW_HOOK_TCX: return qpw_tcx_detach(ifindex, point, entry, err);
    case QPW_HOOK_CLSACT: return qpw_clsact_detach(ifindex, point, entry, err);
    default: return 0;
    }
}

int qpw_hooks_remove_qdisc(unsigned ifindex, struct qpw_error *err)
{
    struct qpw_hook_list list = {0};
    int r = qpw_clsact_query(ifindex, QPW_POINT_RX, &list, err);

    if (r == 0)
        r = qpw_clsact_query(ifindex, QPW_POINT_TX, &list, err);
    if (r < 0 || list.n > 0)
        return r;
    return qpw_clsact_remove(ifindex, err);
}

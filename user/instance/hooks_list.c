/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hooks_list.c - lists of hook entries, and telling ours from foreign ones. */
#include <errno.h>
#include <string.h>

#include "instance/hooks_list.h"
#include "instance/objects.h"

static const struct {
    const char *name;
    enum qpw_program program;
} our_names[] = {
#define NAME(symbol, rx, tc) {#symbol, QPW_PROG_##symbol},
    QPW_PROGRAMS(NAME)
#undef NAME
};

const char *qpw_hook_text(enum qpw_hook kind)
{
    switch (kind) {
    case QPW_HOOK_XDP: return "XDP";
    case QPW_HOOK_TCX: return "TCX";
    case QPW_HOOK_CLSACT: return "clsact";
    default: return "none";
    }
}

static int cannot_ask(uint32_t prog_id, int r, struct qpw_error *err)
{
    return qpw_fail(err, r, "cannot ask program %u in the hook what it is: %s%s", prog_id, strerror(-r),
                    r == -EPERM ? " (CAP_SYS_ADMIN is missing)" : "");
}

int qpw_hooks_name_program(uint32_t prog_id, struct qpw_hook_entry *entry, struct qpw_error *err)
{
    int r;

    entry->prog_id = prog_id;
    entry->program = QPW_PROG_COUNT;
    r = qpw_object_name(prog_id, entry->name);
    if (r < 0)
        return r == -ENOENT ? 0 : cannot_ask(prog_id, r, err);
    for (size_t i = 0; i < sizeof(our_names) / sizeof(*our_names); i++)
        if (!strcmp(our_names[i].name, entry->name))
            entry->program = our_names[i].program;
    return 0;
}

void qpw_hooks_append(struct qpw_hook_list *list, const struct qpw_hook_entry *entry)
{
    size_t last = QPW_HOOK_ENTRIES;

    if (list->n < QPW_HOOK_ENTRIES) {
        list->entry[list->n++] = *entry;
        return;
    }
    list->more++;
    while (entry->program != QPW_PROG_COUNT && last-- > 0) /* replace the last foreign entry by ours */
        if (list->entry[last].program == QPW_PROG_COUNT) {
            memmove(&list->entry[last], &list->entry[last + 1], (QPW_HOOK_ENTRIES - last - 1) * sizeof(*entry));
            list->entry[QPW_HOOK_ENTRIES - 1] = *entry;
            return;
        }
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

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/collect_maps.h"

static int by_key(const void *left, const void *right)
{
    const struct qpw_rule_user_row *a = left, *b = right;

    if (a->key.rule != b->key.rule)
        return a->key.rule < b->key.rule ? -1 : 1;
    if (a->key.kind != b->key.kind)
        return a->key.kind - b->key.kind;
    return memcmp(a->key.who, b->key.who, sizeof(a->key.who));
}

size_t qpw_rule_users_sort(struct qpw_rule_user_row *rows, size_t n)
{
    size_t kept = 0;

    if (n)
        qsort(rows, n, sizeof(*rows), by_key);
    for (size_t i = 0; i < n; i++)
        if (!kept || by_key(&rows[kept - 1], &rows[i]))
            rows[kept++] = rows[i];
    return kept;
}

int qpw_rule_users_read(const struct qpw_kernel *k, struct qpw_rule_user_row **ret, size_t *ret_n)
{
    struct qpw_rule_user_row *rows;
    struct qpw_entries e;
    int r = qpw_entries_read(k->map_fd[QPW_MAP_rule_users], sizeof(struct qpw_rule_user_key), sizeof(struct qpw_rule_user), &e);

    if (r < 0)
        return r;
    rows = calloc(e.count + 1, sizeof(*rows));
    for (size_t i = 0; rows && i < e.count; i++)
        rows[i] = (struct qpw_rule_user_row){((struct qpw_rule_user_key *)e.keys)[i], ((struct qpw_rule_user *)e.values)[i]};
    *ret = rows;
    *ret_n = rows ? qpw_rule_users_sort(rows, e.count) : 0;
    qpw_entries_clear(&e);
    return rows ? 0 : -ENOMEM;
}

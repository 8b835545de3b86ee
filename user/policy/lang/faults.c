/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

int qpw_faults_add(struct qpw_faults *faults, size_t file, unsigned line, const char *text)
{
    struct qpw_fault *slot = QPW_ADD(faults->list, faults->n);
    char *copy = strdup(text);

    if (!slot || !copy) {
        free(copy);
        return -ENOMEM;
    }
    *slot = (struct qpw_fault){file, line, faults->n, copy};
    return ++faults->n < QPW_MOST_FAULTS ? 0 : -E2BIG;
}

static int by_position(const void *a, const void *b)
{
    const struct qpw_fault *x = a, *y = b;

    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

void qpw_faults_sort(struct qpw_faults *faults)
{
    if (faults->n)
        qsort(faults->list, faults->n, sizeof(*faults->list), by_position);
}

int qpw_faults_fail(const struct qpw_faults *faults, struct qpw_error *err)
{
    if (faults->n == 1)
        return qpw_fail(err, -EINVAL, "%s", faults->list[0].text);
    return qpw_fail(err, -EINVAL, "%.430s (and %s%zu more error%s; 'qportwatch policy check' lists them)", faults->list[0].text,
                    faults->n == QPW_MOST_FAULTS ? "at least " : "", faults->n - 1, faults->n == 2 ? "" : "s");
}

void qpw_faults_clear(struct qpw_faults *faults)
{
    for (size_t i = 0; i < faults->n; i++)
        free(faults->list[i].text);
    free(faults->list);
    *faults = (struct qpw_faults){0};
}

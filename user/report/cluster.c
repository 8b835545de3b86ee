/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/cluster.h"

#include <stdio.h>

#include "facts/severity.h"
#include "util/document.h"
#include "util/names.h"
#include "words/cluster_status.h"
#include "words/words.h"

static const char *severity_of(const struct qpw_found *f)
{
    return qpw_severity_name(qpw_signature(f->signature)->severity);
}

/* ---- Text ---- */

static void print_found(const struct qpw_found *f, const struct qpw_printer *p)
{
    char since[40];

    qpw_print_line(p, "%s: %s%s", severity_of(f), f->text, f->elsewhere ? " (reported by another node)" : "");
    qpw_print_line(p, "  since %s, %s", qpw_words_time(f->since_unix_ns, since, sizeof(since)), qpw_signature(f->signature)->name);
    if (*f->command)
        qpw_print_line(p, "  %s", f->command);
}

int qpw_cluster_report_text(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns,
                            const struct qpw_printer *p)
{
    int r = qpw_cluster_status_text(s, now_unix_ns, p);

    qpw_print_line(p, "%s", "");
    if (!found->n)
        qpw_print_line(p, "%s", QPW_WORDS_NO_DIFFERENCE);
    for (size_t i = 0; i < found->n; i++)
        print_found(&found->items[i], p);
    if (found->left_out)
        qpw_print_line(p, "and %llu more, for which there was no room", (unsigned long long)found->left_out);
    return r;
}

/* ---- JSON ---- */

json_t *qpw_cluster_report_json(const struct qpw_cluster_status *s, const struct qpw_found_list *found)
{
    json_t *o = qpw_document("qportwatch.cluster-report/1"), *status = qpw_cluster_status_json(s), *list = qpw_found_json(found), *item;
    size_t i;

    json_array_foreach (json_object_get(list, "found"), i, item)
        json_object_set_new(item, "severity", json_string(severity_of(&found->items[i])));
    json_object_update(o, status);
    json_object_set(o, "found", json_object_get(list, "found"));
    json_object_set(o, "left_out", json_object_get(list, "left_out"));
    json_decref(status);
    json_decref(list);
    return o;
}

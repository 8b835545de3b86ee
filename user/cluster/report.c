/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/report.h"

#include <stdio.h>

#include "facts/severity.h"
#include "util/document.h"
#include "util/names.h"
#include "words/words.h"

static void print_found(const struct qpw_found *f, const struct qpw_printer *p)
{
    const struct qpw_signature *signature = qpw_signature(f->signature);
    char since[40];

    qpw_print_line(p, "%s: %s%s", qpw_severity_name(signature->severity), f->text, f->elsewhere ? " (reported by another node)" : "");
    qpw_print_line(p, "  since %s, %s", qpw_words_time(f->since_unix_ns, since, sizeof(since)), signature->name);
    if (*f->command)
        qpw_print_line(p, "  %s", f->command);
}

int qpw_cluster_report_text(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns,
                            const struct qpw_printer *p)
{
    int r = qpw_cluster_status_text(s, now_unix_ns, p);

    qpw_print_line(p, "%s", "");
    if (!found->n)
        qpw_print_line(p, "The nodes differ in nothing.");
    for (unsigned severity = QPW_SEVERITY_HIGH; severity <= QPW_SEVERITY_INFO; severity++)
        for (size_t i = 0; i < found->n; i++)
            if (qpw_signature(found->items[i].signature)->severity == severity)
                print_found(&found->items[i], p);
    if (found->left_out)
        qpw_print_line(p, "and %llu more, for which there was no room", (unsigned long long)found->left_out);
    return r;
}

json_t *qpw_cluster_report_json(const struct qpw_cluster_status *s, const struct qpw_found_list *found)
{
    json_t *o = qpw_document("qportwatch.cluster-report/1"), *status = qpw_cluster_status_json(s), *list = qpw_found_json(found), *item;
    size_t i;

    json_array_foreach (json_object_get(list, "found"), i, item)
        json_object_set_new(item, "severity", json_string(qpw_severity_name(qpw_signature(found->items[i].signature)->severity)));
    json_object_del(status, "schema");
    json_object_update(o, status);
    json_object_set(o, "found", json_object_get(list, "found"));
    json_object_set(o, "left_out", json_object_get(list, "left_out"));
    json_decref(status);
    json_decref(list);
    return o;
}

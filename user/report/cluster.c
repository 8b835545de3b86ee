/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/cluster.h"

#include <inttypes.h>
#include <stdio.h>

#include "facts/severity.h"
#include "report/text_page.h"
#include "util/document.h"
#include "util/names.h"
#include "words/cluster_status.h"
#include "words/words.h"

#define SCREEN_PEERS 8u

static unsigned severity_of(const struct qpw_found *f)
{
    return qpw_signature(f->signature)->severity;
}

/* Return the number of differences of high severity. */
static size_t high(const struct qpw_found_list *found)
{
    size_t n = 0;

    for (size_t i = 0; i < found->n; i++)
        n += severity_of(&found->items[i]) == QPW_SEVERITY_HIGH;
    return n;
}

const char *qpw_cluster_headline(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns, char *buf,
                                 size_t size)
{
    char peers[120], differences[48];

    qpw_words_cluster(s, now_unix_ns, peers, sizeof(peers));
    if (found->at_unix_ns)
        qpw_words_many(found->n + found->left_out, "difference", differences, sizeof(differences));
    else
        qpw_format(differences, sizeof(differences), "not compared");
    return high(found) ? qpw_format(buf, size, "%s; %s, %zu of them high", peers, differences, high(found))
                       : qpw_format(buf, size, "%s; %s", peers, differences);
}

enum qpw_text_style qpw_cluster_style(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns)
{
    bool any = found->n || !found->at_unix_ns || qpw_cluster_status_stale(s, now_unix_ns) || qpw_cluster_status_is_silent(s, now_unix_ns);

    return high(found) ? QPW_TEXT_BAD : any ? QPW_TEXT_DOUBT : QPW_TEXT_GOOD;
}

/* ---- Text ---- */

static void print_found(const struct qpw_found *f, const struct qpw_printer *p)
{
    enum qpw_text_style style = severity_of(f) == QPW_SEVERITY_HIGH ? QPW_TEXT_BAD : severity_of(f) == QPW_SEVERITY_MEDIUM ? QPW_TEXT_DOUBT : QPW_TEXT_PLAIN;
    char text[sizeof(f->text) + 40], since[40];

    qpw_print_styled_item(p, qpw_severity_name(severity_of(f)), style,
                          qpw_format(text, sizeof(text), "%s%s", f->text, f->elsewhere ? " (reported by another node)" : ""));
    qpw_print_item(p, "", "since %s, %s", qpw_words_time(f->since_unix_ns, since, sizeof(since)), qpw_signature(f->signature)->name);
    if (*f->command) /* on one line, however long, to be copied */
        qpw_print_line(p, "%*s%s", (int)(p->indent + p->label), "", f->command);
}

size_t qpw_cluster_print_found(const struct qpw_found_list *found, size_t limit, const struct qpw_printer *p)
{
    size_t shown = limit && limit < found->n ? limit : found->n;

    if (!found->n)
        qpw_print_wrapped(p, p->indent, QPW_WORDS_NO_DIFFERENCE(found->at_unix_ns));
    for (size_t i = 0; i < shown; i++)
        print_found(&found->items[i], p);
    if (found->left_out && shown == found->n)
        qpw_print_item(p, "", "and %" PRIu64 " more, for which there was no room", found->left_out);
    return found->n - shown;
}

int qpw_cluster_report_text(const struct qpw_cluster_status *s, const struct qpw_found_list *found, uint64_t now_unix_ns,
                            const struct qpw_printer *p)
{
    int r = qpw_cluster_status_text(s, now_unix_ns, p);

    qpw_print_line(p, "%s", "");
    qpw_cluster_print_found(found, 0, p);
    return r;
}

int qpw_text_cluster(const struct qpw_text_page *p)
{
    const struct qpw_cluster_status *s = p->o->cluster;
    size_t limit = qpw_text_limit(p, SCREEN_PEERS), left;
    uint64_t now = p->r->s->unix_ns;
    char text[200];
    int r;

    if (!s && !p->o->cluster_why)
        return 0;
    qpw_print_heading(&p->printer, "CLUSTER", s ? qpw_cluster_headline(s, p->o->cluster_found, now, text, sizeof(text)) : "not known");
    if (!s) {
        qpw_print_wrapped(&p->printer, 2, p->o->cluster_why);
        return 0;
    }
    if (*qpw_words_cluster_silent(s, now, text, sizeof(text)))
        qpw_print_wrapped(&p->printer, 2, text);
    r = qpw_cluster_status_table(s, now, limit, &p->printer);
    qpw_text_more(p, limit && limit < s->n ? s->n - limit : 0, "peer");
    left = qpw_cluster_print_found(p->o->cluster_found, qpw_text_limit(p, QPW_SCREEN_LINES), &p->printer);
    qpw_text_more(p, left, "difference");
    return r;
}

/* ---- JSON ---- */

json_t *qpw_cluster_section_json(const struct qpw_cluster_status *s, const struct qpw_found_list *found)
{
    json_t *o = qpw_cluster_status_json(s), *list = qpw_found_json(found), *item;
    size_t i;

    json_array_foreach (json_object_get(list, "found"), i, item)
        json_object_set_new(item, "severity", json_string(qpw_severity_name(severity_of(&found->items[i]))));
    json_object_set(o, "found", json_object_get(list, "found"));
    json_object_set(o, "left_out", json_object_get(list, "left_out"));
    json_object_set(o, "compared", json_object_get(list, "at"));
    json_decref(list);
    return o;
}

json_t *qpw_cluster_report_json(const struct qpw_cluster_status *s, const struct qpw_found_list *found)
{
    json_t *o = qpw_document("qportwatch.cluster-report/1"), *section = qpw_cluster_section_json(s, found);

    if (s->at_unix_ns)
        qpw_document_set_period(o, "", s->at_unix_ns, s->at_unix_ns);
    json_object_update(o, section);
    json_decref(section);
    return o;
}

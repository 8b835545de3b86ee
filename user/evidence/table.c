/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The requirements with their figures: for programs, and for people. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "evidence/evidence.h"
#include "util/document.h"
#include "words/json.h"
#include "words/printer.h"
#include "words/words.h"

#define WIDTH 100u

static json_t *figures_of(const struct qpw_requirement *row, const struct qpw_figure_value *figures)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < QPW_REQUIREMENT_FIGURES && row->figures[i] < QPW_FIGURE_COUNT; i++) {
        const struct qpw_figure_value *figure = &figures[row->figures[i]];

        json_array_append_new(list, json_pack("{s:s,s:o,s:s}", "what", qpw_figure_what(row->figures[i]), "value",
                                              figure->known ? qpw_json_number(figure->value) : json_null(), "where",
                                              qpw_figure_where(row->figures[i])));
    }
    return list;
}

int qpw_requirements_json(const struct qpw_evidence_source *e, const struct qpw_figure_value *figures, FILE *out)
{
    const struct qpw_snapshot *s = e->report->s;
    const struct qpw_requirement *rows;
    size_t n = qpw_requirements(&rows);
    json_t *o = qpw_document("qportwatch.evidence/1"), *list = json_array();
    int r;

    qpw_document_set_period(o, s->host, s->from_unix_ns, s->unix_ns);
    qpw_document_set_policy(o, s->meta.policy_name, s->meta.policy_digest, s->meta.source_digest);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:o,s:s}", "catalogue", rows[i].catalogue, "id", rows[i].id, "asks",
                                              rows[i].asks, "figures", figures_of(&rows[i], figures), "not_shown",
                                              rows[i].not_shown));
    json_object_set_new(o, "requirements", list);
    json_object_set_new(o, "sign_off", json_pack("{s:n,s:n,s:n,s:n}", "reviewed_by", "role", "date", "decision"));
    r = json_dumpf(o, out, JSON_INDENT(1) | JSON_ENSURE_ASCII) < 0 || fputc('\n', out) == EOF ? -EIO : 0;
    json_decref(o);
    return r;
}

static void print_row(const struct qpw_printer *p, const struct qpw_requirement *row, const struct qpw_figure_value *figures)
{
    char text[64], count[32];

    qpw_print_line(p, "%s %s", row->catalogue, row->id);
    qpw_print_item(p, "asks for", "%s", row->asks);
    for (unsigned i = 0; i < QPW_REQUIREMENT_FIGURES && row->figures[i] < QPW_FIGURE_COUNT; i++) {
        const struct qpw_figure_value *figure = &figures[row->figures[i]];

        qpw_print_item(p, i ? "" : "figures", "%s %s",
                       figure->known ? qpw_words_exact(figure->value, count, sizeof(count)) : "not known:",
                       qpw_figure_what(row->figures[i]));
    }
    qpw_print_item(p, "not shown", "%s", row->not_shown);
    qpw_print_item(p, "assessed", "%s", qpw_format(text, sizeof(text), "%s", "[ ] met  [ ] not met  [ ] not applicable"));
    qpw_print_end(p);
}

int qpw_requirements_text(const struct qpw_evidence_source *e, const struct qpw_figure_value *figures, FILE *out)
{
    const struct qpw_snapshot *s = e->report->s;
    struct qpw_printer p = {.out = out, .width = WIDTH, .indent = 2, .label = 12};
    const struct qpw_requirement *rows;
    size_t n = qpw_requirements(&rows);
    char period[96];

    qpw_print_line(&p, "Figures of %s by requirement, %s", s->host,
                   qpw_words_period(s->from_unix_ns, s->unix_ns, period, sizeof(period)));
    qpw_print_wrapped(&p, 0, "No figure says that a requirement is met: that is for the person who signs. What a figure cannot "
                             "show stands below it. Where each can be counted again is in requirements.json.");
    qpw_print_end(&p);
    for (size_t i = 0; i < n; i++)
        print_row(&p, &rows[i], figures);
    return ferror(out) ? -EIO : 0;
}

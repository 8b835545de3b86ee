/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Requirements with their figures, as JSON and as text. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "evidence/evidence.h"
#include "util/document.h"
#include "words/json.h"
#include "words/printer.h"
#include "words/words.h"

#define WIDTH 100u

/* Return the period of a figure. */
static void times_of(const struct qpw_evidence_source *e, const struct qpw_log_sums *log, unsigned of, uint64_t *ret_from, uint64_t *ret_to)
{
    const struct qpw_snapshot *s = e->report->s;

    *ret_from = of == QPW_FIGURE_OF_END ? s->unix_ns : s->from_unix_ns;
    *ret_to = s->unix_ns;
    if (of == QPW_FIGURE_OF_FOUND && e->report->since_unix_ns > s->from_unix_ns)
        *ret_from = e->report->since_unix_ns;
    if (of == QPW_FIGURE_OF_HISTORY) {
        *ret_from = e->history_from_unix_ns;
        *ret_to = e->history_to_unix_ns;
    }
    if (of == QPW_FIGURE_OF_LOG) {
        *ret_from = log ? log->oldest_unix_ns : 0;
        *ret_to = log ? log->newest_unix_ns : 0;
    }
}

static json_t *value_json(const struct qpw_figure_value *value)
{
    return value->known ? qpw_json_number(value->value) : json_null();
}

static json_t *all_figures(const struct qpw_evidence_source *e, const struct qpw_evidence_figures *figures)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < QPW_FIGURE_COUNT; i++) {
        const struct qpw_figure_row *figure = qpw_figure_row(i);
        uint64_t from, to;

        times_of(e, figures->log, figure->of, &from, &to);
        json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:s,s:o,s:o,s:s,s:s}", "name", figure->name, "what", figure->what, "value",
                                              value_json(&figures->values[i]), "of", qpw_figure_of_name(figure->of), "from",
                                              qpw_json_time(from), "to", qpw_json_time(to), "file", figure->file, "filter", figure->filter));
    }
    return list;
}

static json_t *figures_of(const struct qpw_requirement *row, const struct qpw_figure_value *values)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < QPW_REQUIREMENT_FIGURES && row->figures[i] < QPW_FIGURE_COUNT; i++) {
        const struct qpw_figure_row *figure = qpw_figure_row(row->figures[i]);

        json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "name", figure->name, "what", figure->what, "value",
                                              value_json(&values[row->figures[i]])));
    }
    return list;
}

int qpw_requirements_json(const struct qpw_evidence_source *e, const struct qpw_evidence_figures *figures, FILE *out)
{
    const struct qpw_snapshot *s = e->report->s;
    const struct qpw_requirement *rows;
    size_t n = qpw_requirements(&rows);
    json_t *o = qpw_document("qportwatch.evidence/1"), *list = json_array();
    int r;

    qpw_document_set_period(o, s->host, s->from_unix_ns, s->unix_ns);
    qpw_document_set_policy(o, s->meta.policy_name, s->meta.policy_digest, s->meta.source_digest);
    json_object_set_new(o, "figures", all_figures(e, figures));
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:o,s:s}", "catalogue", rows[i].catalogue, "id", rows[i].id, "asks",
                                              rows[i].asks, "figures", figures_of(&rows[i], figures->values), "not_shown",
                                              rows[i].not_shown));
    json_object_set_new(o, "requirements", list);
    json_object_set_new(o, "sign_off", json_pack("{s:n,s:n,s:n,s:n}", "reviewed_by", "role", "date", "decision"));
    r = json_dumpf(o, out, JSON_INDENT(1) | JSON_ENSURE_ASCII) < 0 || fputc('\n', out) == EOF ? -EIO : 0;
    json_decref(o);
    return r;
}

/* Print the figures grouped by period, with the period in front of the first. */
static void print_figures(const struct qpw_printer *p, const struct qpw_requirement *row, unsigned of, const struct qpw_figure_value *values)
{
    const char *label = qpw_figure_of_label(of);
    char count[32];

    for (unsigned i = 0; i < QPW_REQUIREMENT_FIGURES && row->figures[i] < QPW_FIGURE_COUNT; i++) {
        const struct qpw_figure_row *figure = qpw_figure_row(row->figures[i]);
        const struct qpw_figure_value *value = &values[row->figures[i]];

        if (figure->of != of)
            continue;
        qpw_print_item(p, label, "%s: %s", figure->what, value->known ? qpw_words_exact(value->value, count, sizeof(count)) : "not known");
        label = "";
    }
}

static void print_row(const struct qpw_printer *p, const struct qpw_requirement *row, const struct qpw_figure_value *values)
{
    qpw_print_line(p, "%s %s", row->catalogue, row->id);
    qpw_print_item(p, "asks for", "%s", row->asks);
    for (unsigned of = 0; of < QPW_FIGURE_OF_COUNT; of++)
        print_figures(p, row, of, values);
    qpw_print_item(p, "not shown", "%s", row->not_shown);
    qpw_print_line(p, "%*s%-*s[ ] met   [ ] not met   [ ] not applicable", (int)p->indent, "", (int)p->label, "assessed");
    qpw_print_end(p);
}

/* Print the meaning of the labels in front of the figures. */
static void print_labels(const struct qpw_printer *p, const struct qpw_evidence_source *e, const struct qpw_log_sums *log)
{
    static const char *const meanings[] = {
        [QPW_FIGURE_OF_END] = "of the moment at which this was made, and of no other time",
        [QPW_FIGURE_OF_COUNTED] = "packets, connections and use of rules",
        [QPW_FIGURE_OF_FOUND] = "findings seen, gaps and records made in that time; a finding's state is that at the end",
        [QPW_FIGURE_OF_HISTORY] = "of the whole history of counters and findings that is on the node",
        [QPW_FIGURE_OF_LOG] = "of the whole alert log that is on the node"};
    char text[96];
    uint64_t from, to;

    for (unsigned of = 0; of < QPW_FIGURE_OF_COUNT; of++) {
        times_of(e, log, of, &from, &to);
        if (!from)
            qpw_print_item(p, qpw_figure_of_label(of), "%s: not known", meanings[of]);
        else
            qpw_print_item(p, qpw_figure_of_label(of), "%s: %s", meanings[of],
                           from == to ? qpw_words_time(to, text, sizeof(text)) : qpw_words_period(from, to, text, sizeof(text)));
    }
    qpw_print_end(p);
}

int qpw_requirements_text(const struct qpw_evidence_source *e, const struct qpw_evidence_figures *figures, FILE *out)
{
    const struct qpw_snapshot *s = e->report->s;
    struct qpw_printer p = {.out = out, .width = WIDTH, .indent = 2, .label = 12};
    const struct qpw_requirement *rows;
    size_t n = qpw_requirements(&rows);
    char period[96];

    qpw_print_line(&p, "Figures of %s by requirement, %s", s->host,
                   qpw_words_period(s->from_unix_ns, s->unix_ns, period, sizeof(period)));
    qpw_print_end(&p);
    qpw_print_wrapped(&p, 0, "No figure says that a requirement is met: that is for the person who signs (SIGN-OFF.txt). What the figures "
                             "do not show stands below them. What stands in front of a figure says of when it is:");
    print_labels(&p, e, figures->log);
    qpw_print_wrapped(&p, 0, "Each can be counted again from the files beside this one: 'sh recount.sh' does it for all of them, and "
                             "requirements.json has for each the file and the jq filter.");
    qpw_print_end(&p);
    for (size_t i = 0; i < n; i++)
        print_row(&p, &rows[i], figures->values);
    return ferror(out) ? -EIO : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/alerts_signatures.h"

#include <jansson.h>
#include <stdio.h>

#include "alert/signatures.h"
#include "alert/tags.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/error.h"
#include "words/numbers.h"
#include "words/table.h"

static const char *repeat_name(unsigned repeat)
{
    return repeat == QPW_REPEAT_INTERVAL ? "interval" : repeat == QPW_REPEAT_DAY ? "day" : "no";
}

/* Build {catalogue: [id]}: what the signature's records are evidence of. */
static json_t *tags(const struct qpw_signature *signature)
{
    json_t *o = json_object();

    for (unsigned catalogue = 0; catalogue < QPW_TAG_CATALOGUE_COUNT; catalogue++) {
        json_t *list = json_array();

        for (const char *const *tag = qpw_tags_of(signature, catalogue); *tag; tag++)
            json_array_append_new(list, json_string(*tag));
        json_object_set_new(o, qpw_tag_key(catalogue), list);
    }
    return o;
}

static int print_signatures_json(void)
{
    json_t *list = json_array(), *document;

    for (unsigned i = 1; i < QPW_SIG_COUNT; i++) {
        const struct qpw_signature *s = qpw_signature(i);

        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "id", (int)s->id, "name",
                                              s->name, "severity", qpw_severity_name(s->severity), "event_type",
                                              s->operational ? "engine" : "alert", "repeats", repeat_name(s->repeat),
                                              "signature", s->title, "text", s->text, "advice", s->advice, "tags", tags(s)));
    }
    document = qpw_document("qportwatch.signatures/1");
    json_object_set_new(document, "signatures", list);
    json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
    return QPW_EXIT_OK;
}

static int print_table(bool long_text)
{
    static const struct qpw_table_column columns[] = {{"ID"}, {"SEVERITY"}, {"NAME"}, {"REPEATS"}, {"SIGNATURE"}};
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, sizeof(columns) / sizeof(*columns)};
    struct qpw_printer p = qpw_printer_of(stdout);
    int r;

    p.indent = 0;
    for (unsigned i = 1; i < QPW_SIG_COUNT; i++) {
        const struct qpw_signature *s = qpw_signature(i);
        const char *cells[] = {NULL, qpw_severity_name(s->severity), s->name, repeat_name(s->repeat), s->title};
        char id[16], note[1024];

        cells[0] = qpw_words_exact(s->id, id, sizeof(id));
        r = qpw_table_add(&t, QPW_TEXT_PLAIN, cells);
        if (r < 0)
            return r;
        qpw_format(note, sizeof(note), "%s%s%s", s->text, s->advice[0] ? " " : "", s->advice);
        r = long_text ? qpw_table_note(&t, note) : 0;
        if (r < 0)
            return r;
    }
    return qpw_table_print(&t, &p);
}

int qpw_alerts_signatures(bool json, bool long_text)
{
    if (json)
        return print_signatures_json();
    return print_table(long_text) < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}

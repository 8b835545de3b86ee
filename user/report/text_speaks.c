/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* text_speaks.c - what speaks on listed ports: shares of connections that were judged, and why others were not. */
#include <errno.h>
#include <stdlib.h>

#include "facts/speaks.h"
#include "report/text_page.h"
#include "util/cleanup.h"
#include "words/speech.h"
#include "words/table.h"
#include "words/words.h"

#define SCREEN_PORTS 6u

static int add_row(struct qpw_table *t, const struct qpw_text_page *p, const struct qpw_speaks_row *row)
{
    char service[32], connections[24], match[24], other[24], share[16], why[QPW_WORDS_UNJUDGED];
    uint64_t left = row->connections - qpw_speaks_judged(row);
    const char *rule = qpw_snapshot_rule(p->r->s, row->rule);
    const char *cells[] = {qpw_words_direction(row->direction),
                           qpw_words_service(QPW_KIND_PORT, row->protocol, row->port, service, sizeof(service)), rule ? rule : "-",
                           qpw_words_count(row->connections, connections, sizeof(connections)),
                           qpw_words_count(row->judged[QPW_JUDGED_MATCH], match, sizeof(match)),
                           qpw_words_count(row->judged[QPW_JUDGED_MISMATCH], other, sizeof(other)),
                           qpw_words_share(left, row->connections, share, sizeof(share)), qpw_words_unjudged(row->judged, why, sizeof(why))};

    return qpw_table_add(t, row->judged[QPW_JUDGED_MISMATCH] ? QPW_TEXT_BAD : QPW_TEXT_PLAIN, cells);
}

int qpw_text_speaks(const struct qpw_text_page *p)
{
    static const struct qpw_table_column columns[] = {
        {"direction"}, {"service"}, {"rule", .wrap = true}, {"connections", .right = true}, {"match", .right = true},
        {"mismatch", .right = true}, {"not judged", .right = true}, {"why", .wrap = true}};
    QPW_CLEANUP(qpw_table_clear) struct qpw_table t = {columns, sizeof(columns) / sizeof(*columns)};
    QPW_CLEANUP(qpw_freep) struct qpw_speaks_row *rows = NULL;
    size_t n, shown;
    int r = qpw_speaks_rows(p->r->s, &rows, &n);

    if (r < 0)
        return r;
    shown = qpw_text_limit(p, SCREEN_PORTS);
    shown = shown && shown < n ? shown : n;
    if (n)
        qpw_print_heading(&p->printer, "FIRST BYTES", "compared with what the rule of the port names (speaks=)");
    for (size_t i = 0; i < shown; i++) {
        r = add_row(&t, p, &rows[i]);
        if (r < 0)
            return r;
    }
    r = qpw_table_print(&t, &p->printer);
    if (r < 0)
        return r;
    qpw_text_more(p, n - shown, "port");
    return 0;
}

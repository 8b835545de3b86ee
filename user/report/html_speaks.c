/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html_speaks.c - what speaks on listed ports. */
#include <stdlib.h>

#include "facts/speaks.h"
#include "report/html_page.h"
#include "words/speech.h"
#include "words/words.h"

const struct qpw_page_table qpw_page_table_speaks = {
    "speaks", {"Direction", "!Service", "Rule", "#Connections", "#Match", "#Mismatch", "#Not judged", "Why"}};

static void port(struct qpw_html_page *p, const struct qpw_speaks_row *row)
{
    uint64_t left = row->connections - qpw_speaks_judged(row), match = row->judged[QPW_JUDGED_MATCH];
    uint64_t mismatch = row->judged[QPW_JUDGED_MISMATCH];
    const char *rule = qpw_snapshot_rule(p->r->s, row->rule);
    char text[QPW_WORDS_UNJUDGED];

    qpw_page_open_row(p);
    qpw_page_cell(p, "", qpw_words_direction(row->direction));
    qpw_page_cell(p, "w", qpw_words_service(QPW_KIND_PORT, row->protocol, row->port, text, sizeof(text)));
    qpw_page_cell(p, "w", rule ? rule : "");
    qpw_page_cell_by(p, "n", row->connections, qpw_words_count(row->connections, text, sizeof(text)));
    qpw_page_cell_by(p, "n", match, qpw_words_count(match, text, sizeof(text)));
    qpw_page_cell_by(p, mismatch ? "n bad" : "n", mismatch, qpw_words_count(mismatch, text, sizeof(text)));
    qpw_page_cell_by(p, "n", left, qpw_words_share(left, row->connections, text, sizeof(text)));
    qpw_page_cell(p, "w", qpw_words_unjudged(row->judged, text, sizeof(text)));
}

int qpw_page_speaks(struct qpw_html_page *p)
{
    struct qpw_speaks_row *rows;
    size_t n;
    int r = qpw_speaks_rows(p->r->s, &rows, &n);

    if (r < 0)
        return r;
    if (n) {
        qpw_page_section(p, "speaks", "First bytes");
        qpw_page_open_table(p, &qpw_page_table_speaks,
                            "What the first bytes of connections look like, compared with what the rule of the port names", "");
        for (size_t i = 0; i < n; i++)
            port(p, &rows[i]);
        qpw_page_close_table(p);
        qpw_page_end_section(p);
    }
    free(rows);
    return 0;
}

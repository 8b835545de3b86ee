/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_statement.c - any bytes as another node's statement: an error in one line, or a statement that can be compared with
 * itself. The digest is put right first, for no chance finds one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/comparison.h"
#include "cluster/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const struct qpw_statement *s, size_t n)
{
    struct qpw_comparison c;
    FILE *out = fopen("/dev/null", "w");
    struct qpw_printer printer = {.out = out, .width = 80, .indent = 2, .label = 12};
    json_t *document;

    if (!out || qpw_compare(s, n, 1767225600000000000ull, &c) < 0)
        abort();
    if (qpw_comparison_text(&c, 1767225600000000000ull, &printer) < 0)
        abort();
    document = qpw_comparison_json(&c);
    if (!document)
        abort();
    json_decref(document);
    qpw_comparison_clear(&c);
    fclose(out);
}

static void take(const char *bytes, size_t size)
{
    struct qpw_statement s[2];
    struct qpw_error err = {""};
    int r = qpw_statement_read(bytes, size, "node1.json", &s[0], &err);

    if (r < 0) {
        if (!*err.text || strchr(err.text, '\n'))
            abort();
        qpw_statement_clear(&s[0]);
        return;
    }
    if (qpw_statement_read(bytes, size, "node2.json", &s[1], &err) < 0)
        abort();
    compare(s, 2);
    snprintf(s[1].node, sizeof(s[1].node), "another"); /* and with a node that states the same under another name */
    compare(s, 2);
    if (s[0].n_pairs) { /* and with one that it names */
        snprintf(s[1].node, sizeof(s[1].node), "%s", s[0].pairs[0].peer);
        compare(s, 2);
    }
    qpw_statement_clear(&s[0]);
    qpw_statement_clear(&s[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char digest[QPW_STATEMENT_DIGEST], *text;
    json_t *document;

    take((const char *)data, size);
    document = json_loadb((const char *)data, size, 0, NULL);
    if (json_is_object(document) && qpw_statement_digest(document, digest)) {
        json_object_set_new(document, "digest", json_string(digest));
        text = json_dumps(document, JSON_COMPACT);
        if (text)
            take(text, strlen(text));
        free(text);
    }
    json_decref(document);
    return 0;
}

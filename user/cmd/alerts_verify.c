/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/alerts_verify.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/log/chain.h"
#include "alert/log/lines.h"
#include "util/document.h"
#include "util/error.h"
#include "util/names.h"
#include "words/printer.h"
#include "words/words.h"

#define SHOWN 20u /* breaks that are listed */

struct place {
    char *file;
    uint64_t line;
};

struct breach {
    struct place at;
    enum qpw_log_chain_word word;
    uint64_t number, after; /* of the record, and of the last one before it */
};

struct verifying {
    struct qpw_log_chain chain;
    uint64_t files, records, older; /* older: lines before the first record of a chain */
    uint64_t first;                 /* number of the first record */
    struct breach breaches[SHOWN];
    uint64_t n_breaches;
    bool torn; /* the last line is not whole: the auditor ended while it was written */
};

static void breach(struct verifying *v, const struct breach *one)
{
    if (v->n_breaches < SHOWN) {
        v->breaches[v->n_breaches] = *one;
        v->breaches[v->n_breaches].at.file = strdup(one->at.file);
    }
    v->n_breaches++;
}

static bool is_whole(const char *line, size_t length)
{
    json_t *o = json_loadb(line, length, 0, NULL);
    bool whole = json_is_object(o);

    json_decref(o);
    return whole;
}

static void one_line(struct verifying *v, struct place at, const char *line, size_t length)
{
    struct breach one = {.at = at, .after = v->chain.number};
    struct qpw_log_chain said = {0};

    qpw_log_chain_read(line, length, &said);
    one.number = said.number;
    one.word = qpw_log_chain_follow(&v->chain, line, length);
    v->torn = false;
    if (one.word == QPW_LOG_CHAIN_ADDED && !v->records) {
        v->older++;
        return;
    }
    if (one.word == QPW_LOG_CHAIN_ADDED && !is_whole(line, length))
        v->torn = true; /* to be seen with the next line whether it is the last */
    v->records += one.word != QPW_LOG_CHAIN_ADDED;
    if (v->records == 1 && one.word != QPW_LOG_CHAIN_ADDED)
        v->first = one.number;
    if (one.word != QPW_LOG_CHAIN_HOLDS && !(one.word == QPW_LOG_CHAIN_BEGINS && v->records == 1))
        breach(v, &one);
}

static int one_file(struct verifying *v, const char *path, struct qpw_error *err)
{
    struct place at = {.file = (char *)(strcmp(path, "-") ? path : "standard input")};
    struct qpw_log_lines *lines = NULL;
    const char *line;
    size_t length;
    int r = qpw_log_lines_open(path, &lines, err);

    while (r >= 0) {
        r = qpw_log_lines_next(lines, &line, &length, err);
        if (r <= 0)
            break;
        at.line++;
        one_line(v, at, line, length);
    }
    v->files += r == 0;
    qpw_log_lines_close(lines);
    return r;
}

/* The last line is no breach where it is what a killed auditor or a crashed machine left of one. */
static void forgive_torn(struct verifying *v)
{
    if (!v->torn)
        return;
    v->n_breaches--;
    if (v->n_breaches < SHOWN)
        free(v->breaches[v->n_breaches].at.file);
}

/* ---- Said ---- */

static const char *breach_text(const struct breach *b, char *buf, size_t size)
{
    switch (b->word) {
    case QPW_LOG_CHAIN_BEGINS:
        snprintf(buf, size, "a new chain begins here: the one before it ended with record %" PRIu64, b->after);
        break;
    case QPW_LOG_CHAIN_ADDED: snprintf(buf, size, "added: a line of no chain"); break;
    case QPW_LOG_CHAIN_CHANGED:
        snprintf(buf, size, "changed: record %" PRIu64 ", or the one before it, is not as it was written", b->number);
        break;
    case QPW_LOG_CHAIN_CUT:
        if (b->number - b->after == 2)
            snprintf(buf, size, "cut: record %" PRIu64 " is missing before it", b->after + 1);
        else
            snprintf(buf, size, "cut: records %" PRIu64 " to %" PRIu64 " are missing before it", b->after + 1, b->number - 1);
        break;
    default:
        snprintf(buf, size, "moved or repeated: record %" PRIu64 " stands behind record %" PRIu64, b->number, b->after);
        break;
    }
    return buf;
}

static void print_text(const struct verifying *v)
{
    struct qpw_printer p = qpw_printer_of(stdout);
    char what[160], records[32], files[32], more[32];

    p.indent = 0;
    if (!v->records) {
        qpw_print_line(&p, "no record of a chain: nothing can be said about this log");
        return;
    }
    qpw_words_many(v->records, "record", records, sizeof(records));
    qpw_words_many(v->files, "file", files, sizeof(files));
    if (v->n_breaches)
        qpw_print_line(&p, "BROKEN: the chain of %s in %s does not hold", records, files);
    else
        qpw_print_line(&p, "whole: %s in %s, nothing was cut out, changed, moved or added", records, files);
    for (uint64_t i = 0; i < v->n_breaches && i < SHOWN; i++)
        qpw_print_line(&p, "  %s:%" PRIu64 ": %s", v->breaches[i].at.file, v->breaches[i].at.line,
                       breach_text(&v->breaches[i], what, sizeof(what)));
    if (v->n_breaches > SHOWN)
        qpw_print_line(&p, "  and %s", qpw_words_many(v->n_breaches - SHOWN, "more", more, sizeof(more)));
    if (v->first > 1)
        qpw_print_line(&p, "begins with record %" PRIu64 ": what was before it is not here (rotated away, or removed)", v->first);
    if (v->older)
        qpw_print_line(&p, "%s before the first record of the chain: nothing can be said of them",
                       qpw_words_many(v->older, "line", more, sizeof(more)));
    if (v->torn)
        qpw_print_line(&p, "the last line is not whole: the auditor ended while it was written");
    qpw_print_line(&p, "head %" PRIu64 ":%s", v->chain.number, v->chain.sum);
    qpw_print_line(&p, "Keep the head elsewhere: whoever is root can write another chain, but not one that has it.");
}

static void print_json(const struct verifying *v)
{
    json_t *document = qpw_document("qportwatch.verify/1"), *list = json_array();
    char what[160], head[QPW_LOG_CHAIN_TEXT];

    for (uint64_t i = 0; i < v->n_breaches && i < SHOWN; i++) {
        const struct breach *b = &v->breaches[i];

        json_array_append_new(list, json_pack("{s:o, s:I, s:s, s:I, s:s}", "file", qpw_json_text(b->at.file), "line",
                                              (json_int_t)b->at.line, "what", qpw_log_chain_word_name(b->word), "record",
                                              (json_int_t)b->number, "text", breach_text(b, what, sizeof(what))));
    }
    snprintf(head, sizeof(head), "%" PRIu64 ":%s", v->chain.number, v->chain.sum);
    json_object_update_new(document,
                           json_pack("{s:b, s:I, s:I, s:I, s:I, s:b, s:o, s:I, s:o}", "whole", v->records && !v->n_breaches,
                                     "files", (json_int_t)v->files, "records", (json_int_t)v->records, "first",
                                     (json_int_t)v->first, "older_lines", (json_int_t)v->older, "last_line_torn", v->torn,
                                     "head", v->records ? json_string(head) : json_null(), "breaks",
                                     (json_int_t)v->n_breaches, "first_breaks", list));
    json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
}

int qpw_alerts_verify(const char *log, char **files, bool json)
{
    char *named[] = {(char *)log, NULL}, **rotated = files ? NULL : qpw_log_rotated(log, 0);
    struct verifying *v = calloc(1, sizeof(*v));
    struct qpw_error err = {""};
    int r = v && (files || rotated) ? 0 : qpw_fail(&err, -ENOMEM, "out of memory");

    if (r == 0)
        qpw_log_chain_init(&v->chain);
    for (char **one = files ? files : rotated; r == 0 && *one; one++)
        r = one_file(v, *one, &err);
    for (char **one = named; r == 0 && !files && *one; one++)
        r = one_file(v, *one, &err);
    if (r == 0) {
        forgive_torn(v);
        if (json)
            print_json(v);
        else
            print_text(v);
        r = v->n_breaches || !v->records ? QPW_EXIT_YES : QPW_EXIT_OK;
    } else {
        fprintf(stderr, "qportwatch alerts: %s\n", err.text);
        r = QPW_EXIT_FAILED;
    }
    for (uint64_t i = 0; v && i < v->n_breaches && i < SHOWN; i++)
        free(v->breaches[i].at.file);
    qpw_log_rotated_free(rotated);
    free(v);
    return r;
}

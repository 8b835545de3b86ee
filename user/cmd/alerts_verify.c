/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/alerts_verify.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "alert/log/verify.h"
#include "util/names.h"
#include "words/printer.h"
#include "words/words.h"

static void print_breaches(const struct qpw_log_verify *v, const struct qpw_printer *p)
{
    char what[160], more[32];

    for (uint64_t i = 0; i < v->n_breaches && i < QPW_LOG_BREACHES; i++)
        qpw_print_line(p, "  %s:%" PRIu64 ": %s", v->breaches[i].file, v->breaches[i].line,
                       qpw_log_breach_text(&v->breaches[i], what, sizeof(what)));
    if (v->n_breaches > QPW_LOG_BREACHES)
        qpw_print_line(p, "  and %s", qpw_words_many(v->n_breaches - QPW_LOG_BREACHES, "more", more, sizeof(more)));
}

static void print_heads(const struct qpw_log_verify *v, const struct qpw_printer *p)
{
    size_t missing, older;
    const struct qpw_log_head *one = qpw_log_heads_missing(&v->heads, v->first, &missing, &older);
    char records[32];

    if (!v->heads.n)
        return;
    qpw_words_many(v->heads.n, "record", records, sizeof(records));
    if (one)
        qpw_print_line(p, "  %zu of %s that peers kept %s not in it; the first is number %" PRIu64 " of %s (%s)", missing, records,
                       missing == 1 ? "is" : "are", one->chain.number, one->time, one->file);
    else if (older < v->heads.n)
        qpw_print_line(p, "%s that peers kept: all are in it", records);
    if (older)
        qpw_print_line(p, "  %zu of %s that peers kept %s older than this log", older, records, older == 1 ? "is" : "are");
}

static void print_text(const struct qpw_log_verify *v)
{
    struct qpw_printer p = qpw_printer_of(stdout);
    char records[32], files[32], more[32];
    size_t missing, older;

    p.indent = 0;
    if (!v->records) {
        qpw_print_line(&p, "no record of a chain: nothing can be said about this log");
        return;
    }
    qpw_log_heads_missing(&v->heads, v->first, &missing, &older);
    qpw_words_many(v->records, "record", records, sizeof(records));
    qpw_words_many(v->files, "file", files, sizeof(files));
    if (v->n_breaches)
        qpw_print_line(&p, "BROKEN: the chain of %s in %s does not hold", records, files);
    else if (missing)
        qpw_print_line(&p, "BROKEN: %s in %s hold, but not what peers heard of it: the last records were cut, or this is another chain",
                       records, files);
    else if (v->heads.n && older == v->heads.n)
        qpw_print_line(&p, "BROKEN: %s in %s hold, but peers heard of none of them: the older records were cut, or this is another chain",
                       records, files);
    else if (!qpw_log_verify_whole(v))
        qpw_print_line(&p, "BROKEN: %s in %s hold, but the head that was asked for is not among them: the last records were cut, or "
                       "this is another chain", records, files);
    else
        qpw_print_line(&p, "whole: %s in %s, nothing was cut out, changed, moved or added", records, files);
    print_breaches(v, &p);
    print_heads(v, &p);
    if (v->first > 1)
        qpw_print_line(&p, "begins with record %" PRIu64 ": what was before it is not here (rotated away, or removed)", v->first);
    if (v->older)
        qpw_print_line(&p, "%s before the first record of the chain: nothing can be said of them",
                       qpw_words_many(v->older, "line", more, sizeof(more)));
    if (v->torn)
        qpw_print_line(&p, "the last line is not whole: the auditor ended while it was written");
    qpw_print_line(&p, "head %" PRIu64 ":%s", v->chain.number, v->chain.sum);
    qpw_print_line(&p, "%s", qpw_log_verify_meaning(v));
}

static void print_json(const struct qpw_log_verify *v)
{
    json_t *document = qpw_log_verify_json(v);

    json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
}

static int load_heads(struct qpw_log_verify *v, const struct qpw_alerts_verify_options *o, struct qpw_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < o->n_peers; i++)
        r = qpw_log_heads_load(&v->heads, o->peers[i], err);
    qpw_log_heads_sort(&v->heads);
    return r;
}

static int verify(struct qpw_log_verify *v, const struct qpw_alerts_verify_options *o, struct qpw_error *err)
{
    int r = qpw_log_verify_begin(v, o->head, err);

    if (r < 0)
        return r;
    r = load_heads(v, o, err);
    if (r < 0)
        return r;
    if (!o->files)
        return qpw_log_verify_log(v, o->log, err);
    for (char **one = o->files; *one; one++) {
        r = qpw_log_verify_file(v, *one, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int qpw_alerts_verify(const struct qpw_alerts_verify_options *o)
{
    struct qpw_log_verify *v = calloc(1, sizeof(*v));
    struct qpw_error err = {""};
    int status, r = v ? verify(v, o, &err) : qpw_fail(&err, -ENOMEM, "out of memory");

    if (r == 0) {
        qpw_log_verify_end(v);
        if (o->json)
            print_json(v);
        else
            print_text(v);
        status = qpw_log_verify_whole(v) ? QPW_EXIT_OK : QPW_EXIT_YES;
    } else {
        fprintf(stderr, "qportwatch alerts: %s\n", err.text);
        status = r == -EINVAL ? QPW_EXIT_USAGE : QPW_EXIT_FAILED;
    }
    if (v)
        qpw_log_verify_clear(v);
    free(v);
    return status;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/log/lines.h"
#include "util/document.h"

int qpw_log_verify_begin(struct qpw_log_verify *v, const char *wanted, struct qpw_error *err)
{
    char line[QPW_LOG_CHAIN_TEXT + 32];

    *v = (struct qpw_log_verify){0};
    qpw_log_chain_init(&v->chain);
    if (!wanted)
        return 0;
    snprintf(line, sizeof(line), "\"chain\":[\"%.*s\"]", QPW_LOG_CHAIN_TEXT, wanted); /* as in a line of the log */
    if (!qpw_log_chain_read(line, strlen(line), &v->wanted) || !v->wanted.number)
        return qpw_fail(err, -EINVAL, "--head %s: not NUMBER:SUM, with a sum of 64 hexadecimal digits", wanted);
    return 0;
}

static void breach(struct qpw_log_verify *v, const struct qpw_log_breach *one)
{
    if (v->n_breaches < QPW_LOG_BREACHES) {
        v->breaches[v->n_breaches] = *one;
        v->breaches[v->n_breaches].file = strdup(one->file);
    }
    v->n_breaches++;
}

/* Lines without a chain are legitimate only before record 1, from before the log had a chain; otherwise they were added. */
static void add_older(struct qpw_log_verify *v)
{
    if (v->older)
        breach(v, &(struct qpw_log_breach){.file = v->older_file ? v->older_file : (char *)"", .line = v->older_line, .word = QPW_LOG_CHAIN_ADDED});
    v->older = 0;
}

static bool is_json(const char *line, size_t length)
{
    json_t *o = json_loadb(line, length, 0, NULL);
    bool whole = json_is_object(o);

    json_decref(o);
    return whole;
}

void qpw_log_verify_line(struct qpw_log_verify *v, const char *file, uint64_t number, const char *line, size_t length)
{
    struct qpw_log_breach one = {.file = (char *)file, .line = number, .after = v->chain.number};
    struct qpw_log_chain stated = {0};

    qpw_log_chain_read(line, length, &stated);
    one.number = stated.number;
    one.word = qpw_log_chain_follow(&v->chain, line, length);
    v->found |= v->wanted.number && stated.number == v->wanted.number && !strcmp(stated.sum, v->wanted.sum);
    qpw_log_heads_see(&v->heads, &stated);
    v->torn = false;
    if (one.word == QPW_LOG_CHAIN_ADDED && !v->records) {
        if (!v->older++) {
            v->older_file = strdup(file);
            v->older_line = number;
        }
        return;
    }
    if (one.word == QPW_LOG_CHAIN_ADDED && !is_json(line, length))
        v->torn = true; /* legitimate only if it is the last line */
    v->records += one.word != QPW_LOG_CHAIN_ADDED;
    if (v->records == 1 && one.word != QPW_LOG_CHAIN_ADDED) {
        v->first = one.number;
        if (v->first > 1)
            add_older(v);
    }
    if (one.word != QPW_LOG_CHAIN_HOLDS && !(one.word == QPW_LOG_CHAIN_BEGINS && v->records == 1))
        breach(v, &one);
}

int qpw_log_verify_file(struct qpw_log_verify *v, const char *path, struct qpw_error *err)
{
    const char *name = strcmp(path, "-") ? path : "standard input", *line;
    struct qpw_log_lines *lines = NULL;
    uint64_t number = 0;
    size_t length;
    int r = qpw_log_lines_open(path, &lines, err);

    while (r >= 0) {
        r = qpw_log_lines_next(lines, &line, &length, err);
        if (r <= 0)
            break;
        qpw_log_verify_line(v, name, ++number, line, length);
        if (v->each)
            v->each(v->arg, line, length);
    }
    v->files += r == 0;
    qpw_log_lines_close(lines);
    return r;
}

int qpw_log_verify_log(struct qpw_log_verify *v, const char *path, struct qpw_error *err)
{
    char **rotated = qpw_log_rotated(path, 0);
    int r = rotated ? 0 : qpw_fail(err, -ENOMEM, "out of memory");

    for (char **one = rotated; r == 0 && *one; one++)
        r = qpw_log_verify_file(v, *one, err);
    qpw_log_rotated_free(rotated);
    return r ? r : qpw_log_verify_file(v, path, err);
}

/* Accept an incomplete last line, which a killed auditor or a crashed machine may leave. */
void qpw_log_verify_end(struct qpw_log_verify *v)
{
    if (!v->torn)
        return;
    v->n_breaches--;
    if (v->n_breaches < QPW_LOG_BREACHES)
        free(v->breaches[v->n_breaches].file);
}

void qpw_log_verify_clear(struct qpw_log_verify *v)
{
    for (uint64_t i = 0; i < v->n_breaches && i < QPW_LOG_BREACHES; i++)
        free(v->breaches[i].file);
    v->n_breaches = 0;
    free(v->older_file);
    v->older_file = NULL;
    qpw_log_heads_clear(&v->heads);
}

/* Return whether the log has what peers kept, and at least one of it: a log that begins later can be anybody's. */
static bool has_heads(const struct qpw_log_verify *v)
{
    size_t missing, older;

    qpw_log_heads_missing(&v->heads, v->first, &missing, &older);
    return !missing && (!v->heads.n || older < v->heads.n);
}

bool qpw_log_verify_whole(const struct qpw_log_verify *v)
{
    return v->records && !v->n_breaches && (!v->wanted.number || v->found) && has_heads(v);
}

/* ---- Results ---- */

const char *qpw_log_breach_text(const struct qpw_log_breach *b, char *buf, size_t size)
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

const char *qpw_log_verify_meaning(const struct qpw_log_verify *v)
{
    if (v->wanted.number && !qpw_log_verify_whole(v))
        return "This is not, or not whole, the log that the head is of.";
    if (v->heads.n && !qpw_log_verify_whole(v))
        return "This is not, or not whole, the log that the peers heard of.";
    if (v->heads.n)
        return "Up to the last record that peers kept this is the log that was written: root of this node cannot change what they kept.";
    if (v->wanted.number)
        return "Up to the head that was asked for this is the log that was written, if that head was kept where root of this node "
               "could not change it.";
    return "This shows damage and careless changes. It does not show that root replaced the log by another whole chain, nor that the "
           "last records were cut off: compare the head with one kept elsewhere (--head).";
}

static json_t *heads_json(const struct qpw_log_verify *v)
{
    size_t missing, older;
    const struct qpw_log_head *one = qpw_log_heads_missing(&v->heads, v->first, &missing, &older);
    char head[QPW_LOG_CHAIN_TEXT];

    if (!v->heads.n)
        return json_null();
    snprintf(head, sizeof(head), "%" PRIu64 ":%s", one ? one->chain.number : 0, one ? one->chain.sum : "");
    return json_pack("{s:I, s:I, s:I, s:o}", "heads", (json_int_t)v->heads.n, "missing", (json_int_t)missing, "older", (json_int_t)older,
                     "first_missing", one ? json_pack("{s:o, s:s, s:o}", "file", qpw_json_text(one->file), "head", head, "heard",
                                                      qpw_json_text(one->time)) : json_null());
}

json_t *qpw_log_verify_json(const struct qpw_log_verify *v)
{
    json_t *document = qpw_document("qportwatch.verify/1"), *list = json_array();
    char what[160], head[QPW_LOG_CHAIN_TEXT], wanted[QPW_LOG_CHAIN_TEXT];

    for (uint64_t i = 0; i < v->n_breaches && i < QPW_LOG_BREACHES; i++) {
        const struct qpw_log_breach *b = &v->breaches[i];

        json_array_append_new(list, json_pack("{s:o, s:I, s:s, s:I, s:s}", "file", qpw_json_text(b->file), "line",
                                              (json_int_t)b->line, "what", qpw_log_chain_word_name(b->word), "record",
                                              (json_int_t)b->number, "text", qpw_log_breach_text(b, what, sizeof(what))));
    }
    snprintf(head, sizeof(head), "%" PRIu64 ":%s", v->chain.number, v->chain.sum);
    snprintf(wanted, sizeof(wanted), "%" PRIu64 ":%s", v->wanted.number, v->wanted.sum);
    json_object_update_new(document,
                           json_pack("{s:b, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o, s:I, s:o, s:s, s:o}", "whole", qpw_log_verify_whole(v),
                                     "files", (json_int_t)v->files, "records", (json_int_t)v->records, "first",
                                     (json_int_t)v->first, "older_lines", (json_int_t)v->older, "last_line_torn", v->torn,
                                     "head", v->records ? json_string(head) : json_null(), "head_asked_for",
                                     v->wanted.number ? json_string(wanted) : json_null(), "head_found",
                                     v->wanted.number ? json_boolean(v->found) : json_null(), "breaks",
                                     (json_int_t)v->n_breaches, "first_breaks", list, "meaning", qpw_log_verify_meaning(v), "peers", heads_json(v)));
    return document;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cluster/read_internal.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/file.h"
#include "util/names.h"
#include "util/text.h"

#define MOST_BYTES (2 * QPW_STATEMENT_BYTES) /* with samples */
#define LIMIT ((1ull << 53) - 1)

bool qpw_reader_fail(struct qpw_reader *r, const char *what, const char *why)
{
    if (!r->failed)
        qpw_fail(r->err, -EINVAL, "%s: %s%s%s", r->source, what, *what ? ": " : "", why);
    r->failed = true;
    return false;
}

bool qpw_reader_text(struct qpw_reader *r, const json_t *value, const char *what, char *ret, size_t size)
{
    *ret = '\0';
    if (!value || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return qpw_reader_fail(r, what, "is not a text");
    snprintf(ret, size, "%s", json_string_value(value));
    qpw_text_clean(ret);
    return true;
}

bool qpw_reader_number(struct qpw_reader *r, const json_t *value, const char *what, uint64_t *ret)
{
    json_int_t number = json_integer_value(value);

    *ret = 0;
    if (!value || json_is_null(value))
        return true;
    if (!json_is_integer(value) || number < 0 || (uint64_t)number > LIMIT)
        return qpw_reader_fail(r, what, "is not a whole number from 0 to 2^53 - 1");
    *ret = (uint64_t)number;
    return true;
}

bool qpw_reader_bool(struct qpw_reader *r, const json_t *value, const char *what, bool *ret)
{
    *ret = json_is_true(value);
    return !value || json_is_boolean(value) || json_is_null(value) || qpw_reader_fail(r, what, "is not true or false");
}

bool qpw_reader_time(struct qpw_reader *r, const json_t *value, const char *what, uint64_t *ret)
{
    const char *text = json_string_value(value), *rest;
    unsigned long long fraction = 0;
    struct tm t = {0};
    time_t seconds;

    *ret = 0;
    if (!value || json_is_null(value))
        return true;
    rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &t) : NULL;
    if (rest && *rest == '.') {
        unsigned digits = 0;

        for (rest++; *rest >= '0' && *rest <= '9'; rest++)
            if (digits < 9) {
                fraction = fraction * 10 + (unsigned)(*rest - '0');
                digits++;
            }
        for (; digits < 9; digits++)
            fraction *= 10;
    }
    if (!rest || strcmp(rest, "Z") || t.tm_year < 70 || t.tm_year > 400)
        return qpw_reader_fail(r, what, "is not a time such as 2026-03-01T10:00:00Z");
    seconds = timegm(&t);
    *ret = (uint64_t)seconds * 1000000000u + fraction;
    return true;
}

bool qpw_reader_address(struct qpw_reader *r, const json_t *value, const char *what, uint8_t ret[16])
{
    const char *text = json_string_value(value);

    memset(ret, 0, 16);
    return (text && qpw_address_parse(text, ret) == 0) || qpw_reader_fail(r, what, "is not an address");
}

bool qpw_reader_mac(struct qpw_reader *r, const json_t *value, const char *what, uint8_t ret[6])
{
    const char *text = json_string_value(value);
    unsigned m[6];
    int end = 0;

    memset(ret, 0, 6);
    if (!value || json_is_null(value))
        return true;
    if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5], &end) != 6 || text[end])
        return qpw_reader_fail(r, what, "is not a MAC address");
    for (size_t i = 0; i < 6; i++)
        ret[i] = (uint8_t)m[i];
    return true;
}

bool qpw_reader_service(struct qpw_reader *r, const json_t *row, const char *what, struct qpw_stated_service *ret)
{
    const json_t *port = json_array_get(row, 1);
    uint64_t number;

    *ret = (struct qpw_stated_service){.port = QPW_NO_PORT};
    if (!qpw_reader_text(r, json_array_get(row, 0), what, ret->protocol, sizeof(ret->protocol)))
        return false;
    if (!port || json_is_null(port))
        return true;
    if (!qpw_reader_number(r, port, what, &number) || number > 65535)
        return qpw_reader_fail(r, what, "has no port from 0 to 65535");
    ret->port = (int)number;
    return true;
}

/* ---- The text as a whole ---- */

static bool is_bounded(struct qpw_reader *r, const char *bytes, size_t length)
{
    switch (qpw_json_bounds(bytes, length, QPW_STATEMENT_DEPTH, QPW_STATEMENT_STRING)) {
    case QPW_JSON_TEXT: return qpw_reader_fail(r, "", "holds a text of more than 256 bytes");
    case QPW_JSON_DEPTH: return qpw_reader_fail(r, "", "objects and lists are nested more than 8 deep");
    default: return true;
    }
}

static bool texts_fit(struct qpw_reader *r, const json_t *value)
{
    const char *key;
    json_t *one;
    size_t i;

    if (json_is_string(value) && json_string_length(value) > QPW_STATEMENT_STRING)
        return qpw_reader_fail(r, "", "holds a text of more than 256 bytes");
    json_array_foreach (value, i, one)
        if (!texts_fit(r, one))
            return false;
    json_object_foreach ((json_t *)value, key, one)
        if (!texts_fit(r, one))
            return false;
    return true;
}

/* "qportwatch.statement/1": the number is the major version. */
static bool is_known(struct qpw_reader *r, const json_t *document)
{
    const char *schema = json_string_value(json_object_get(document, "schema"));
    char why[160], name[64];

    if (schema && !strcmp(schema, QPW_STATEMENT_SCHEMA))
        return true;
    if (!schema || strncmp(schema, "qportwatch.statement/", strlen("qportwatch.statement/")))
        return qpw_reader_fail(r, "", "is not a statement; 'qportwatch statement' writes one");
    snprintf(name, sizeof(name), "%s", schema);
    snprintf(why, sizeof(why), "%s is of another version of qportwatch; this one reads " QPW_STATEMENT_SCHEMA, qpw_text_clean(name));
    return qpw_reader_fail(r, "", why);
}

static bool is_whole(struct qpw_reader *r, const json_t *document)
{
    const char *digest = json_string_value(json_object_get(document, "digest"));
    char own[QPW_STATEMENT_DIGEST];

    if (!digest)
        return qpw_reader_fail(r, "digest", "is missing");
    if (!qpw_statement_digest(document, own) || strcmp(digest, own))
        return qpw_reader_fail(r, "digest", "is not that of the content: the statement was changed or damaged");
    return true;
}

static json_t *parse(struct qpw_reader *r, const char *bytes, size_t length)
{
    json_error_t error;
    char why[256];
    json_t *document;

    if (length > MOST_BYTES) {
        qpw_reader_fail(r, "", "is larger than 512 KiB");
        return NULL;
    }
    if (!is_bounded(r, bytes, length))
        return NULL;
    document = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (!document || !json_is_object(document)) {
        snprintf(why, sizeof(why), "is no JSON object: line %d: %s", document ? 1 : error.line, document ? "another value" : error.text);
        qpw_text_clean(why);
        qpw_reader_fail(r, "", length ? why : "is empty");
        json_decref(document);
        return NULL;
    }
    if (is_known(r, document) && texts_fit(r, document) && is_whole(r, document))
        return document;
    json_decref(document);
    return NULL;
}

int qpw_statement_read(const char *bytes, size_t length, const char *source, struct qpw_statement *ret, struct qpw_error *err)
{
    struct qpw_reader r = {.err = err, .source = source};
    json_t *document;

    *ret = (struct qpw_statement){0};
    snprintf(ret->source, sizeof(ret->source), "%s", source);
    document = parse(&r, bytes, length);
    if (document)
        qpw_reader_document(&r, document, ret);
    json_decref(document);
    if (r.no_memory)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", source);
    return r.failed ? -EINVAL : 0;
}

int qpw_statement_load(const char *path, struct qpw_statement *ret, struct qpw_error *err)
{
    const char *source = strcmp(path, "-") ? path : "standard input";
    QPW_CLEANUP(qpw_freep) char *bytes = NULL;
    QPW_CLEANUP(qpw_closep) int fd = qpw_file_open_stream(path, err);
    size_t length;
    int r;

    *ret = (struct qpw_statement){0};
    if (fd < 0)
        return fd;
    r = qpw_file_bytes(fd, MOST_BYTES, &bytes, &length);
    if (r == -ENOMEM)
        return qpw_fail(err, r, "%s: out of memory", source);
    return r < 0 ? qpw_fail(err, r, "%s: %s", source, strerror(-r)) : qpw_statement_read(bytes, length, source, ret, err);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/heard.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/log/eve.h"
#include "alert/log/reader.h"
#include "facts/severity.h"
#include "util/document.h"
#include "util/text.h"

/* Note the finding that a line reports, if it reports one; records about the auditor itself are none. */
static void note_finding(struct qpw_heard *h, const char *line, size_t length, const json_t *record)
{
    static const struct qpw_alert_filter any = {0};
    struct qpw_alert_row *row = malloc(sizeof(*row));

    if (row && qpw_alert_read(line, length, &any, row) == QPW_ALERT_SHOWN && row->severity && row->severity <= QPW_SEVERITY_INFO &&
        strcmp(row->cell[QPW_ALERT_VERDICT], "-")) {
        h->newest.unix_ns = qpw_eve_parse_time(json_string_value(json_object_get(record, "timestamp")));
        h->newest.severity = row->severity;
        qpw_text_cut(h->newest.text, sizeof(h->newest.text), qpw_text_clean(row->text));
    }
    free(row);
}

/* Parse a line. NULL with err filled: it is no record of an alert log. The caller drops the reference. */
static json_t *parse(const char *line, size_t length, struct qpw_error *err)
{
    const char *timestamp;
    json_t *record;

    if (length > QPW_HEARD_LINE) {
        qpw_fail(err, -EINVAL, "an event is longer than 16 KiB");
        return NULL;
    }
    if (qpw_json_bounds(line, length, QPW_HEARD_DEPTH, QPW_HEARD_TEXT) != QPW_JSON_FITS) {
        qpw_fail(err, -EINVAL, "an event is nested more than 8 deep, or holds a text of more than 4 KiB");
        return NULL;
    }
    record = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    timestamp = json_string_value(json_object_get(record, "timestamp"));
    if (timestamp && json_is_string(json_object_get(record, "event_type")))
        return record;
    qpw_fail(err, -EINVAL, "an event is not a record of an alert log");
    json_decref(record);
    return NULL;
}

/* Judge where a line stands in the chain; a chain that is not the one known so far ends the batch. */
static enum qpw_heard_result follow(struct qpw_heard *h, const char *line, size_t length, struct qpw_error *err)
{
    uint64_t before = h->chain.number;
    struct qpw_log_chain next = h->chain;

    switch (qpw_log_chain_follow(&next, line, length)) {
    case QPW_LOG_CHAIN_CUT: h->missed += next.number - before - 1; break;
    case QPW_LOG_CHAIN_HOLDS:
    case QPW_LOG_CHAIN_BEGINS: break;
    case QPW_LOG_CHAIN_ADDED: qpw_fail(err, -EINVAL, "an event is of no chain"); return QPW_HEARD_INVALID;
    default:
        if (before)
            return QPW_HEARD_AGAIN;
        qpw_fail(err, -EINVAL, "an event was changed: its sum is wrong");
        return QPW_HEARD_INVALID;
    }
    h->chain = next;
    return QPW_HEARD_KEEP;
}

enum qpw_heard_result qpw_heard_take(struct qpw_heard *h, const char *bytes, size_t length, const char *epoch, size_t *ret_length,
                                     struct qpw_error *err)
{
    enum qpw_heard_result result = QPW_HEARD_NOTHING;
    const char *line = bytes, *end;

    *ret_length = 0;
    while ((end = memchr(line, '\n', length - (size_t)(line - bytes)))) {
        size_t n = (size_t)(end - line);
        json_t *record = parse(line, n, err);
        enum qpw_heard_result one = record ? follow(h, line, n, err) : QPW_HEARD_INVALID;

        if (one == QPW_HEARD_KEEP)
            note_finding(h, line, n, record);
        json_decref(record);
        if (one == QPW_HEARD_AGAIN && !*ret_length)
            qpw_log_chain_init(&h->chain);
        if (one != QPW_HEARD_KEEP)
            return *ret_length ? QPW_HEARD_KEEP : one; /* what is wrong is asked for once more, and then comes first */
        line = end + 1;
        *ret_length = (size_t)(line - bytes);
        result = QPW_HEARD_KEEP;
    }
    if (result == QPW_HEARD_NOTHING && length) {
        qpw_fail(err, -EINVAL, "an event does not end");
        return QPW_HEARD_INVALID;
    }
    snprintf(h->epoch, sizeof(h->epoch), "%s", epoch);
    qpw_text_clean(h->epoch);
    return result;
}

void qpw_heard_recall(struct qpw_heard *h, const char *bytes, size_t length)
{
    const char *line = bytes, *end;
    struct qpw_log_chain chain;
    struct qpw_error err;

    while ((end = memchr(line, '\n', length - (size_t)(line - bytes)))) {
        size_t n = (size_t)(end - line);
        json_t *record = parse(line, n, &err);

        if (record && qpw_log_chain_read(line, n, &chain) && chain.number) {
            h->chain = chain;
            note_finding(h, line, n, record);
        }
        json_decref(record);
        line = end + 1;
    }
}

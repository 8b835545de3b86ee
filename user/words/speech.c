/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/speech.h"

#include <stdlib.h>
#include <string.h>

#include "facts/speaks.h"
#include "util/document.h"
#include "util/names.h"
#include "words/json.h"
#include "words/printer.h"
#include "words/words.h"

const char *qpw_words_speech(unsigned speech)
{
#define TEXT(symbol, name, text) text,
    static const char *const texts[] = {QPW_SPEECHES(TEXT)};
#undef TEXT

    return texts[speech & QPW_SPEECH];
}

const char *qpw_words_services(uint32_t services, char *buf, size_t size)
{
#define TEXT(symbol, name, text, expected, tolerated, flags) text,
    static const char *const texts[] = {QPW_SPOKEN(TEXT)};
#undef TEXT
    size_t used = 0;

    *buf = '\0';
    for (unsigned i = 0; i < QPW_SPOKEN_COUNT && used < size; i++)
        if (services >> i & 1)
            used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? " or " : "", texts[i]);
    return buf;
}

/* Whether an end said something that has a class. */
static bool is_recognized(uint8_t speaks)
{
    return (speaks & QPW_SPEECH) > QPW_SPEECH_MIDSTREAM;
}

const char *qpw_words_mismatch(const struct qpw_finding *f, char *buf, size_t size)
{
    const char *other = qpw_words_speech(f->speaks[0]);

    if (!is_recognized(f->speaks[1]))
        return qpw_format(buf, size, "the other end is not: it spoke first, unasked, and its first bytes look like %s", other);
    return qpw_format(buf, size, "this node's end is not: its first bytes look like %s%s%s",
                      qpw_words_speech(f->speaks[1]),
                      is_recognized(f->speaks[0]) ? "; those of the other end look like " : "",
                      is_recognized(f->speaks[0]) ? other : "");
}

const char *qpw_words_unjudged(const uint64_t judged[QPW_JUDGED_COUNT], char *buf, size_t size)
{
    char count[24];
    size_t used = 0;

    *buf = '\0';
    for (unsigned as = QPW_JUDGED_MISMATCH + 1; as < QPW_JUDGED_COUNT && used < size; as++)
        if (judged[as])
            used += (size_t)snprintf(buf + used, size - used, "%s%s %s", used ? ", " : "", qpw_judged_name(as),
                                     qpw_words_count(judged[as], count, sizeof(count)));
    return buf;
}

const char *qpw_words_speaks(const uint8_t speaks[2], char *buf, size_t size)
{
    *buf = '\0';
    if (!((speaks[0] | speaks[1]) & QPW_SPEECH))
        return buf;
    return qpw_format(buf, size, "this node: %s, other end: %s", qpw_words_speech(speaks[1]), qpw_words_speech(speaks[0]));
}

static json_t *class_json(uint8_t speaks)
{
    return speaks & QPW_SPEECH ? json_string(qpw_speech_name(speaks & QPW_SPEECH)) : json_null();
}

json_t *qpw_json_speaks(const uint8_t speaks[2])
{
    if (!((speaks[0] | speaks[1]) & QPW_SPEECH))
        return json_null();
    return json_pack("{so so}", "own", class_json(speaks[1]), "other", class_json(speaks[0]));
}

static json_t *port_json(const struct qpw_snapshot *s, const struct qpw_speaks_row *row)
{
    json_t *o = json_object(), *reasons = json_object();

    for (unsigned as = QPW_JUDGED_MISMATCH + 1; as < QPW_JUDGED_COUNT; as++)
        json_object_set_new(reasons, qpw_judged_name(as), qpw_json_number(row->judged[as]));
    qpw_json_set_service(o, QPW_KIND_PORT, row->protocol, row->port);
    json_object_update_new(
        o, json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "direction", qpw_direction_name(row->direction), "rule",
                     qpw_json_text(qpw_snapshot_rule(s, row->rule)), "connections", qpw_json_number(row->connections), "match",
                     qpw_json_number(row->judged[QPW_JUDGED_MATCH]), "mismatch",
                     qpw_json_number(row->judged[QPW_JUDGED_MISMATCH]), "not_judged", reasons));
    return o;
}

json_t *qpw_json_speaks_ports(const struct qpw_snapshot *s)
{
    struct qpw_speaks_row *rows;
    json_t *list;
    size_t n;

    if (qpw_speaks_rows(s, &rows, &n) < 0)
        return NULL;
    list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, port_json(s, &rows[i]));
    free(rows);
    return list;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/reader.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert/log/eve.h"
#include "alert/signatures.h"
#include "facts/owner.h"
#include "qportwatch.h"
#include "util/name_table.h"
#include "util/names.h"
#include "util/near.h"
#include "util/usage.h"
#include "util/since.h"
#include "words/words.h"

#define HINT 48
#define LEAST_LETTERS 2 /* "in", "out" */

QPW_NAME_TABLE(qpw_alert_column_title, column, QPW_ALERT_COLUMNS, QPW_ALERT_COLUMN_COUNT, "")

int qpw_alert_filter_verdict(struct qpw_alert_filter *f, const char *text, struct qpw_error *err)
{
    struct qpw_near near = qpw_near_to(text, strlen(text));
    char hint[HINT];

    for (unsigned i = QPW_VERDICT_TRANSIT; i < QPW_VERDICT_COUNT; i++)
        if (!strcmp(text, qpw_verdict_name(i))) {
            f->verdict = i;
            return 0;
        }
    if (!strcmp(text, QPW_MISMATCH_WORD)) {
        f->verdict = QPW_VERDICT_COUNT;
        return 0;
    }
    for (unsigned i = QPW_VERDICT_NONE + 1; i < QPW_VERDICT_COUNT; i++)
        qpw_near_offer(&near, qpw_verdict_name(i));
    return qpw_fail(err, -EINVAL,
                    "--verdict %s: not one of unexpected, mismatch, weak, implied, undecided, infra, peer, allowed, transit%s",
                    text, qpw_near_hint(&near, hint, sizeof(hint)));
}

int qpw_alert_filter_direction(struct qpw_alert_filter *f, const char *text, struct qpw_error *err)
{
    struct qpw_near near = qpw_near_to(text, strlen(text));
    size_t length = strlen(text);
    char hint[HINT];

    for (unsigned i = 0; i < QPW_DIR_COUNT; i++) {
        const char *name = qpw_direction_name(i);

        if (!strcmp(text, name) || (length >= LEAST_LETTERS && !strncmp(text, name, length) && strncmp(text, "un", length))) {
            f->direction = i;
            f->has_direction = true;
            return 0;
        }
        qpw_near_offer(&near, name);
    }
    return qpw_fail(err, -EINVAL, "--direction %s: not one of inbound, outbound, unknown, transit, undecodable, non_ip%s",
                    text, qpw_near_hint(&near, hint, sizeof(hint)));
}

int qpw_alert_filter_severity(struct qpw_alert_filter *f, const char *text, struct qpw_error *err)
{
    static const char *const names[] = {"high", "medium", "low", "info", NULL};
    char hint[HINT];

    for (unsigned i = QPW_SEVERITY_HIGH; i <= QPW_SEVERITY_INFO; i++)
        if (!strcmp(text, qpw_severity_name(i)) || (text[0] == (char)('0' + i) && !text[1])) {
            f->severity = i;
            return 0;
        }
    return qpw_fail(err, -EINVAL, "--severity %s: not one of high, medium, low, info%s", text,
                    qpw_near_among(text, names, hint, sizeof(hint)));
}

int qpw_alert_filter_port(struct qpw_alert_filter *f, const char *text, struct qpw_error *err)
{
    unsigned long port;

    if (qpw_number_parse(text, 1, 65535, &port) < 0)
        return qpw_fail(err, -EINVAL, "--port %s: not a number from 1 to 65535", text);
    f->port = (uint16_t)port;
    return 0;
}

int qpw_alert_filter_address(struct qpw_alert_filter *f, const char *text, struct qpw_error *err)
{
    if (qpw_prefix_parse(text, f->address, &f->prefix) < 0)
        return qpw_fail(err, -EINVAL, "--address %s: not an address or a prefix such as 10.0.0.0/8", text);
    f->has_address = true;
    return 0;
}

int qpw_alert_filter_since(struct qpw_alert_filter *f, const char *text, uint64_t now_unix_ns, struct qpw_error *err)
{
    if (qpw_since_parse(text, now_unix_ns, &f->since_unix_ns) == 0)
        return 0;
    return qpw_fail(err, -EINVAL,
                    "--since %s: not a time; use 2026-03-01T10:00:00Z, or an age such as 15m, 2h, 7d",
                    text);
}

/* Return the first value of a fact; "" if there is none. */
static const char *fact(const json_t *record, const char *key)
{
    const json_t *metadata = json_object_get(json_object_get(record, "alert"), "metadata");
    const char *value = json_string_value(json_array_get(json_object_get(metadata, key), 0));

    return value ? value : "";
}

static const char *string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

static bool within(const struct qpw_alert_filter *f, const char *text)
{
    uint8_t address[16];

    if (qpw_address_parse(text, address) < 0)
        return false;
    for (unsigned bit = 0; bit < f->prefix; bit++)
        if ((address[bit / 8] ^ f->address[bit / 8]) & (0x80 >> bit % 8))
            return false;
    return true;
}

static bool wanted(const json_t *record, const struct qpw_alert_filter *f, uint64_t time, unsigned severity)
{
    bool particular = f->severity || f->verdict > 0 || f->has_direction || f->port || f->has_address;

    if (f->since_unix_ns && time < f->since_unix_ns)
        return false;
    if (!severity) /* a record about the auditor itself: no traffic to filter by */
        return f->everything && !particular;
    if (f->severity && severity > f->severity)
        return false;
    if (f->verdict > 0 && strcmp(fact(record, "verdict"), f->verdict < QPW_VERDICT_COUNT ? qpw_verdict_name(f->verdict)
                                                                                         : QPW_MISMATCH_WORD))
        return false;
    if (f->has_direction && strcmp(fact(record, "direction"), qpw_direction_name(f->direction)))
        return false;
    if (f->port && (unsigned)json_integer_value(json_object_get(record, "dest_port")) != f->port)
        return false;
    return !f->has_address || within(f, string(record, "src_ip")) || within(f, string(record, "dest_ip"));
}

static void set(struct qpw_alert_row *row, enum qpw_alert_column column, const char *text)
{
    snprintf(row->cell[column], sizeof(row->cell[column]), "%s", *text ? text : "-");
}

/* Set an address of the record, with its name if known. */
static void set_end(struct qpw_alert_row *row, enum qpw_alert_column column, const char *text)
{
    uint8_t addr[16];

    set(row, column, text);
    if (qpw_address_parse(text, addr) == 0)
        qpw_words_end_named(QPW_KIND_PORT, addr, "", row->cell[column], sizeof(row->cell[column]));
}

static void service(const json_t *record, struct qpw_alert_row *row)
{
    const json_t *port = json_object_get(record, "dest_port"), *type = json_object_get(record, "icmp_type");
    const json_t *ether = json_object_get(json_object_get(record, "ether"), "ether_type");
    unsigned protocol = qpw_eve_parse_protocol(string(record, "proto"));
    char *cell = row->cell[QPW_ALERT_SERVICE];
    size_t size = sizeof(row->cell[0]);

    if (!ether && !*string(record, "proto")) /* not about traffic */
        set(row, QPW_ALERT_SERVICE, "");
    else if (ether)
        qpw_words_service(QPW_KIND_ETHERTYPE, 0, (unsigned)json_integer_value(ether), cell, size);
    else if (type)
        qpw_words_service(QPW_KIND_ICMP, protocol, (unsigned)json_integer_value(type), cell, size);
    else
        qpw_words_service(port ? QPW_KIND_PORT : QPW_KIND_PROTOCOL, protocol, (unsigned)json_integer_value(port), cell,
                          size);
}

/* Values of a record in readable form. */
struct headline {
    uint64_t time; /* ns since 1970 */
    unsigned severity;
    const char *what, *text;
};

static void fill(const json_t *record, const struct qpw_alert_filter *f, const struct headline *headline,
                 struct qpw_alert_row *row)
{
    const char *kind = fact(record, "kind");
    char process[96];

    memset(row, 0, sizeof(*row));
    row->severity = headline->severity;
    qpw_words_time_of(headline->time, f->local_time, f->short_time, row->cell[QPW_ALERT_TIME], sizeof(row->cell[0]));
    set(row, QPW_ALERT_SEVERITY, headline->severity ? qpw_severity_name(headline->severity) : "-");
    set(row, QPW_ALERT_DIRECTION, fact(record, "direction"));
    set_end(row, QPW_ALERT_INITIATOR, string(record, "src_ip"));
    set_end(row, QPW_ALERT_RESPONDER, string(record, "dest_ip"));
    service(record, row);
    set(row, QPW_ALERT_VERDICT, fact(record, "verdict"));
    set(row, QPW_ALERT_OUTCOME, fact(record, "outcome"));
    set(row, QPW_ALERT_COUNT, fact(record, "count"));
    set(row, QPW_ALERT_PROCESS,
        qpw_words_process(fact(record, "process"), (int)strtol(fact(record, "pid"), NULL, 10), process, sizeof(process)));
    snprintf(row->cell[QPW_ALERT_WHAT], sizeof(row->cell[0]), "%.60s%s%.20s", headline->what,
             *kind && strcmp(kind, "first") ? ", " : "", strcmp(kind, "first") ? kind : "");
    snprintf(row->text, sizeof(row->text), "%s", headline->text);
}

enum qpw_alert_reading qpw_alert_read(const char *line, size_t length, const struct qpw_alert_filter *filter,
                                      struct qpw_alert_row *ret_row)
{
    json_t *record = json_loadb(line, length, 0, NULL);
    const json_t *alert = json_object_get(record, "alert"), *engine = json_object_get(record, "engine");
    const char *type = string(record, "event_type");
    enum qpw_alert_reading reading = QPW_ALERT_FOREIGN;
    struct headline headline = {.what = "", .text = ""};

    if (alert && json_integer_value(json_object_get(alert, "gid")) == QPW_ALERT_GID) {
        const struct qpw_signature *s = qpw_signature_by_id(json_integer_value(json_object_get(alert, "signature_id")));

        headline.severity = (unsigned)json_integer_value(json_object_get(alert, "severity"));
        headline.what = s ? s->name : string(alert, "signature");
        headline.text = fact(record, "text");
    } else if (engine) {
        headline.what = string(engine, "module");
        headline.text = string(engine, "message");
    } else if (!strcmp(type, "stats")) {
        headline.what = "heartbeat";
    }
    if (*headline.what) {
        headline.time = qpw_eve_parse_time(string(record, "timestamp"));
        reading = QPW_ALERT_FILTERED;
        if (wanted(record, filter, headline.time, headline.severity)) {
            fill(record, filter, &headline, ret_row);
            reading = QPW_ALERT_SHOWN;
        }
    }
    json_decref(record);
    return reading;
}

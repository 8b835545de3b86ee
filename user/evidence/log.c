/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evidence/log.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "alert/log/eve.h"
#include "util/names.h"

static uint64_t time_of(const char *text)
{
    return text ? qpw_eve_parse_time(text) : 0;
}

static bool is_audit_record(const json_t *record)
{
    static const unsigned kinds[] = {QPW_COVERAGE_ATTACHED, QPW_COVERAGE_DETACHED, QPW_COVERAGE_AUDITOR_STARTED, QPW_COVERAGE_AUDITOR_STOPPED};
    const char *module = json_string_value(json_object_get(json_object_get(record, "engine"), "module"));
    bool is = false;

    for (size_t i = 0; module && i < sizeof(kinds) / sizeof(*kinds); i++)
        is |= !strcmp(module, qpw_coverage_name(kinds[i]));
    return is;
}

/* Recognize it by its PCI DSS 10.7.2 tag: in an alert's metadata, or among the variables of an engine record. */
static bool is_failure(const json_t *record)
{
    const json_t *tags = json_object_get(json_object_get(json_object_get(record, "alert"), "metadata"), "pci_dss");
    const json_t *variables = json_object_get(json_object_get(record, "metadata"), "flowvars"), *one;
    const char *text;
    bool is = false;
    size_t i;

    json_array_foreach (tags, i, one)
        is |= (text = json_string_value(one)) && !strcmp(text, "10.7.2");
    json_array_foreach (variables, i, one)
        is |= (text = json_string_value(json_object_get(one, "pci_dss"))) && !strcmp(text, "10.7.2");
    return is;
}

struct counts {
    uint64_t copied, audit_records, failures;
};

struct taking {
    const struct qpw_log_reading *reading;
    struct qpw_log_sums *sums;
    FILE *pending; /* records after the last one copied; they are copied if another one of the period follows */
    struct counts of_pending;
    int error;
};

/* Copy a record, and count it if it was written; lines that are not our records cannot be anonymized. */
static void copy(const struct qpw_log_reading *reading, const json_t *record, const char *line, size_t length, FILE *out, struct counts *counts)
{
    json_t *other = reading->anonymous ? qpw_anonymous_record(reading->anonymous, record) : NULL;

    if (reading->anonymous && !other)
        return;
    if (other)
        json_dumpf(other, out, JSON_COMPACT | JSON_ENSURE_ASCII);
    else
        fwrite(line, 1, length, out);
    fputc('\n', out);
    counts->copied++;
    counts->audit_records += is_audit_record(record);
    counts->failures += is_failure(record);
    json_decref(other);
}

static void add_counts(struct qpw_log_sums *sums, const struct counts *more)
{
    sums->copied += more->copied;
    sums->audit_records += more->audit_records;
    sums->failures += more->failures;
}

static void flush_pending(struct taking *t)
{
    char buf[4096];
    size_t n;

    if (!t->of_pending.copied)
        return;
    rewind(t->pending);
    while ((n = fread(buf, 1, sizeof(buf), t->pending)) > 0)
        fwrite(buf, 1, n, t->reading->out);
    add_counts(t->sums, &t->of_pending);
    t->of_pending = (struct counts){0};
    rewind(t->pending);
    if (ferror(t->pending) || ftruncate(fileno(t->pending), 0) < 0)
        t->error = -EIO;
}

static bool is_of_period(const struct qpw_log_reading *reading, uint64_t unix_ns)
{
    return unix_ns && unix_ns >= reading->from_unix_ns && unix_ns <= reading->to_unix_ns;
}

/* Copy everything between the first and the last record of the period (by subject or time), so that the chain holds. */
static void take_record(struct taking *t, const json_t *record, const char *line, size_t length)
{
    uint64_t when = time_of(json_string_value(json_object_get(record, "timestamp")));
    struct counts counts = {0};

    if (when && (!t->sums->oldest_unix_ns || when < t->sums->oldest_unix_ns))
        t->sums->oldest_unix_ns = when;
    if (when > t->sums->newest_unix_ns)
        t->sums->newest_unix_ns = when;
    if (is_of_period(t->reading, when) || is_of_period(t->reading, time_of(qpw_eve_fact(record, "written")))) {
        flush_pending(t);
        copy(t->reading, record, line, length, t->reading->out, &counts);
        add_counts(t->sums, &counts);
    } else if (t->sums->copied) {
        if (!t->pending && !(t->pending = tmpfile()))
            t->error = -errno;
        else
            copy(t->reading, record, line, length, t->pending, &t->of_pending);
    }
}

static void take(void *arg, const char *line, size_t length)
{
    struct taking *t = arg;
    json_t *record = json_loadb(line, length, 0, NULL);

    if (json_is_object(record)) /* other lines break the chain, which is reported */
        take_record(t, record, line, length);
    json_decref(record);
}

int qpw_evidence_log(const struct qpw_log_reading *reading, const char *path, struct qpw_log_sums *ret, struct qpw_error *err)
{
    struct taking t = {.reading = reading, .sums = ret};
    int r;

    *ret = (struct qpw_log_sums){0};
    qpw_log_verify_begin(&ret->chain, NULL, NULL);
    ret->chain.each = take;
    ret->chain.arg = &t;
    r = qpw_log_verify_log(&ret->chain, path, err);
    qpw_log_verify_end(&ret->chain);
    ret->chain.each = NULL;
    if (t.pending)
        fclose(t.pending);
    return r == 0 && t.error < 0 ? qpw_fail(err, t.error, "%s: cannot be copied: %s", path, strerror(-t.error)) : r;
}

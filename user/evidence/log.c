/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evidence/log.h"

#include <jansson.h>
#include <string.h>

#include "alert/log/eve.h"
#include "util/names.h"

static uint64_t time_of(const json_t *record)
{
    const char *text = json_string_value(json_object_get(record, "timestamp"));

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

/* By its tag of PCI DSS 10.7.2: in the metadata of an alert, or among the variables of a record of the engine. */
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

static void copy(const struct qpw_log_reading *reading, const json_t *record, const char *line, size_t length)
{
    json_t *other;

    if (!reading->anonymous) {
        fprintf(reading->out, "%.*s\n", (int)length, line);
        return;
    }
    other = qpw_anonymous_record(reading->anonymous, record);
    if (other && json_dumpf(other, reading->out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0)
        fputc('\n', reading->out);
    json_decref(other);
}

struct taking {
    const struct qpw_log_reading *reading;
    struct qpw_log_sums *sums;
};

static void take(void *arg, const char *line, size_t length)
{
    const struct taking *t = arg;
    struct qpw_log_sums *sums = t->sums;
    json_t *record = json_loadb(line, length, 0, NULL);
    uint64_t when = time_of(record);

    if (when && (!sums->oldest_unix_ns || when < sums->oldest_unix_ns))
        sums->oldest_unix_ns = when;
    if (when > sums->newest_unix_ns)
        sums->newest_unix_ns = when;
    if (when && when >= t->reading->from_unix_ns && when <= t->reading->to_unix_ns) {
        sums->copied++;
        sums->audit_records += is_audit_record(record);
        sums->failures += is_failure(record);
        copy(t->reading, record, line, length);
    }
    json_decref(record);
}

int qpw_evidence_log(const struct qpw_log_reading *reading, const char *path, struct qpw_log_sums *ret, struct qpw_error *err)
{
    struct taking t = {reading, ret};
    int r;

    *ret = (struct qpw_log_sums){0};
    qpw_log_verify_begin(&ret->chain, NULL, NULL);
    ret->chain.each = take;
    ret->chain.arg = &t;
    r = qpw_log_verify_log(&ret->chain, path, err);
    qpw_log_verify_end(&ret->chain);
    ret->chain.each = NULL;
    return r;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/coverage.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "host/clock.h"

int qpw_coverage_open(const struct qpw_kernel *k, struct qpw_coverage_log *ret, struct qpw_error *err)
{
    struct qpw_coverage record;
    uint32_t last = 0;

    for (__u32 slot = 0; slot < QPW_COVERAGE_RECORDS; slot++) {
        if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_coverage], &slot, &record) < 0)
            return qpw_fail(err, -errno, "reading the coverage records: %s", strerror(errno));
        if (record.sequence > last)
            last = record.sequence;
    }
    *ret = (struct qpw_coverage_log){.map_fd = k->map_fd[QPW_MAP_coverage], .next = last + 1, .by = ret->by};
    return 0;
}

/* Return whether such a record has an author; other kinds just happen. */
static bool is_done_by_somebody(unsigned kind)
{
    switch (kind) {
    case QPW_COVERAGE_ATTACHED:
    case QPW_COVERAGE_DETACHED:
    case QPW_COVERAGE_AUDITOR_STARTED:
    case QPW_COVERAGE_AUDITOR_STOPPED:
    case QPW_COVERAGE_RELOADED:
    case QPW_COVERAGE_RELOADED_ALONE:
    case QPW_COVERAGE_RELOAD_FAILED:
    case QPW_COVERAGE_REPLACED: return true;
    default: return false;
    }
}

static int add(struct qpw_coverage_log *log, struct qpw_coverage *record, const char *format, va_list args)
{
    __u32 slot = log->next % QPW_COVERAGE_RECORDS;

    record->sequence = log->next;
    vsnprintf(record->text, sizeof(record->text), format, args);
    if (log->by && is_done_by_somebody(record->kind))
        snprintf(record->by, sizeof(record->by), "%s", log->by);
    if (bpf_map_update_elem(log->map_fd, &slot, record, BPF_ANY) < 0)
        return -errno;
    log->next++;
    return 0;
}

int qpw_coverage_add_at(struct qpw_coverage_log *log, const struct qpw_coverage_time *time, enum qpw_coverage_kind kind,
                        uint16_t iface, const char *format, ...)
{
    struct qpw_coverage record = {.unix_ns = time->unix_ns, .since_unix_ns = time->since_unix_ns, .kind = kind, .iface = iface};
    va_list args;
    int r;

    va_start(args, format);
    r = add(log, &record, format, args);
    va_end(args);
    return r;
}

int qpw_coverage_add(struct qpw_coverage_log *log, enum qpw_coverage_kind kind, uint16_t iface, const char *format, ...)
{
    struct qpw_coverage record = {.unix_ns = qpw_clock_unix_ns(), .kind = kind, .iface = iface};
    va_list args;
    int r;

    va_start(args, format);
    r = add(log, &record, format, args);
    va_end(args);
    return r;
}

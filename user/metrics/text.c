/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metrics/text.h"

#include <inttypes.h>
#include <stdarg.h>

#include "util/text.h"

#define MOST_LABELS 8

void qpw_metric_family(struct qpw_metrics_text *t, const char *name, enum qpw_metric_type type, const char *help)
{
    t->name = name;
    fprintf(t->out, "# HELP qportwatch_%s %s\n# TYPE qportwatch_%s %s\n", name, help, name,
            type == QPW_METRIC_COUNTER ? "counter" : "gauge");
}

/* Write a label value in double quotes: escapes backslash, quote and line end; removes control characters. */
static void write_value(FILE *out, const char *value)
{
    char text[512];

    snprintf(text, sizeof(text), "%s", value);
    for (const char *at = qpw_text_clean(text); *at; at++)
        fprintf(out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
}

static void write_labels(struct qpw_metrics_text *t, va_list labels)
{
    const char *name, *value;
    int n = 0;

    fprintf(t->out, "qportwatch_%s", t->name);
    for (; n < MOST_LABELS && (name = va_arg(labels, const char *)); n++) {
        value = va_arg(labels, const char *);
        fprintf(t->out, "%c%s=\"", n ? ',' : '{', name);
        write_value(t->out, value);
        fputc('"', t->out);
    }
    fputs(n ? "} " : " ", t->out);
}

void qpw_metric_count(struct qpw_metrics_text *t, uint64_t value, ...)
{
    va_list labels;

    va_start(labels, value);
    write_labels(t, labels);
    va_end(labels);
    fprintf(t->out, "%" PRIu64 "\n", value);
}

void qpw_metric_time(struct qpw_metrics_text *t, uint64_t unix_ns, ...)
{
    va_list labels;

    va_start(labels, unix_ns);
    write_labels(t, labels);
    va_end(labels);
    fprintf(t->out, "%" PRIu64 ".%03" PRIu64 "\n", unix_ns / 1000000000u, unix_ns / 1000000u % 1000u);
}

void qpw_metric_gauge(struct qpw_metrics_text *t, const char *name, uint64_t value, const char *help)
{
    qpw_metric_family(t, name, QPW_METRIC_GAUGE, help);
    qpw_metric_count(t, value, NULL);
}

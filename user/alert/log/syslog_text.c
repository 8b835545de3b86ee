/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* syslog_text.c - a record as an RFC 5424 message, and as an entry of the journal. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alert/log/syslog.h"
#include "util/names.h"

#define FACILITY 10u /* security and authorisation */
#define SD_ID "qportwatch@32473" /* the number that RFC 5612 reserves for examples, because the project has none of
                                    its own */

/* Facts included besides the text; long ones are only in the alert log. */
static const char *const reported[] = {"verdict", "direction", "evidence", "outcome", "rule", "policy", "process", "pid",
                                   "count",   "suppressed", "peer", "allow"};

static unsigned priority(const struct qpw_record *r)
{
    static const unsigned levels[] = {6, 2, 4, 5, 6}; /* high: critical, medium: warning, low: notice, info */

    unsigned severity = qpw_record_severity(r);

    return severity < sizeof(levels) / sizeof(*levels) ? levels[severity] : 6;
}

struct out {
    char *buf;
    size_t size;
    size_t used;
};

static void put(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct out *o, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(o->buf + o->used, o->size - o->used, format, args);
    va_end(args);
    o->used = n < 0 || o->used + n >= o->size ? o->size - 1 : o->used + n;
}

/* Write a quoted value, escaped as RFC 5424, 6.3.3 requires; control characters become spaces. */
static void put_parameter(struct out *o, const char *key, const char *value)
{
    put(o, " %s=\"", key);
    for (; *value; value++)
        put(o, strchr("\"\\]", *value) ? "\\%c" : "%c", iscntrl((unsigned char)*value) ? ' ' : *value);
    put(o, "\"");
}

static void put_number(struct out *o, const char *key, uint64_t value)
{
    put(o, " %s=\"%llu\"", key, (unsigned long long)value);
}

size_t qpw_syslog_message(const struct qpw_record *r, char *buf, size_t size)
{
    struct out o = {buf, size, 0};
    char text[64];

    put(&o, "<%u>1 %s %s qportwatch %d %s [" SD_ID, FACILITY * 8 + priority(r),
        qpw_time_text(r->seen_unix_ns, text, sizeof(text)), r->host && r->host[0] ? r->host : "-", (int)getpid(),
        r->signature->name);
    put_number(&o, "signature_id", r->signature->id);
    put_parameter(&o, "severity", qpw_severity_name(qpw_record_severity(r)));
    if (r->flow_id)
        put_number(&o, "flow_id", r->flow_id);
    if (r->sequence)
        put_number(&o, "sequence", r->sequence);
    if (r->iface)
        put_parameter(&o, "in_iface", r->iface);
    if (r->has_initiator)
        put_parameter(&o, "src_ip", qpw_address_text(r->row.key.initiator, text, sizeof(text)));
    if (r->has_responder)
        put_parameter(&o, "dest_ip", qpw_address_text(r->row.key.responder, text, sizeof(text)));
    if (r->has_port)
        put_number(&o, "dest_port", r->row.key.port);
    for (size_t i = 0; i < sizeof(reported) / sizeof(*reported); i++)
        if (qpw_record_value(r, reported[i]))
            put_parameter(&o, reported[i], qpw_record_value(r, reported[i]));
    put(&o, "] ");
    for (const char *c = r->text; *c; c++)
        put(&o, "%c", iscntrl((unsigned char)*c) ? ' ' : *c);
    return o.used;
}

static void put_field(struct out *o, const char *key, const char *value)
{
    for (; *key; key++)
        put(o, "%c", toupper((unsigned char)*key));
    put(o, "=");
    for (; *value; value++)
        put(o, "%c", *value == '\n' ? ' ' : *value);
    put(o, "\n");
}

size_t qpw_syslog_journal(const struct qpw_record *r, char *buf, size_t size)
{
    struct out o = {buf, size, 0};
    char text[64], key[64];

    put_field(&o, "message", r->text);
    put(&o, "PRIORITY=%u\nSYSLOG_FACILITY=%u\nSYSLOG_IDENTIFIER=qportwatch\n", priority(r), FACILITY);
    put(&o, "QPORTWATCH_SIGNATURE_ID=%u\nQPORTWATCH_SIGNATURE=%s\nQPORTWATCH_SEVERITY=%s\n", r->signature->id,
        r->signature->name, qpw_severity_name(qpw_record_severity(r)));
    if (r->flow_id)
        put(&o, "QPORTWATCH_FLOW_ID=%llu\nQPORTWATCH_SEQUENCE=%u\n", (unsigned long long)r->flow_id, r->sequence);
    if (r->has_initiator)
        put_field(&o, "qportwatch_src_ip", qpw_address_text(r->row.key.initiator, text, sizeof(text)));
    if (r->has_responder)
        put_field(&o, "qportwatch_dest_ip", qpw_address_text(r->row.key.responder, text, sizeof(text)));
    if (r->has_port)
        put(&o, "QPORTWATCH_DEST_PORT=%u\n", r->row.key.port);
    for (size_t i = 0; i < sizeof(reported) / sizeof(*reported); i++)
        if (qpw_record_value(r, reported[i])) {
            snprintf(key, sizeof(key), "qportwatch_%s", reported[i]);
            put_field(&o, key, qpw_record_value(r, reported[i]));
        }
    return o.used;
}

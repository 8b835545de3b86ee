/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/record.h"

#include <stdio.h>
#include <string.h>

#include "util/name_table.h"

QPW_NAME_TABLE(qpw_record_kind_name, value, QPW_RECORD_KINDS, QPW_RECORD_KIND_COUNT, "invalid")

void qpw_record_fact(struct qpw_record *record, const char *key, const char *format, ...)
{
    size_t room = sizeof(record->arena) - record->arena_used;
    char *text = record->arena + record->arena_used;
    va_list args;
    int length;

    if (record->n_facts == QPW_RECORD_FACTS)
        return;
    va_start(args, format);
    length = vsnprintf(text, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room)
        return;
    record->facts[record->n_facts++] = (struct qpw_fact){key, text};
    record->arena_used += (size_t)length + 1;
}

const char *qpw_record_value(const struct qpw_record *record, const char *key)
{
    for (size_t i = 0; i < record->n_facts; i++)
        if (!strcmp(record->facts[i].key, key))
            return record->facts[i].value;
    return NULL;
}

unsigned qpw_record_severity(const struct qpw_record *record)
{
    if (record->kind == QPW_RECORD_CLOSED || record->kind == QPW_RECORD_ACKNOWLEDGED || record->acknowledged || record->part)
        return QPW_SEVERITY_INFO;
    return record->signature->severity;
}

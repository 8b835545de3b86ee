/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/changelist.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/document.h"
#include "words/numbers.h"

#define LAST_LINE 200 /* reserved for the line about omitted ones */

void qpw_changelist_add(struct qpw_changelist *list, const char *format, ...)
{
    char **slot = QPW_ADD(list->lines, list->n), *line;
    va_list args;
    int length;

    va_start(args, format);
    length = slot ? vasprintf(&line, format, args) : -1;
    va_end(args);
    if (length < 0)
        list->incomplete = true;
    else
        list->lines[list->n++] = line;
}

const char *qpw_changelist_text(const struct qpw_changelist *list, char *buf, size_t size)
{
    size_t used = 0, i, needed = 0;
    char more[24];

    *buf = '\0';
    for (i = 0; i < list->n; i++)
        needed += strlen(list->lines[i]) + 3;
    if (list->incomplete || list->left_out || needed >= size)
        size -= LAST_LINE;
    for (i = 0; i < list->n && used + strlen(list->lines[i]) + 3 < size; i++)
        used += (size_t)sprintf(buf + used, "\n  %s", list->lines[i]);
    if (i < list->n || list->left_out)
        snprintf(buf + used, LAST_LINE, "\n  and %s more; 'qportwatch policy diff OLD NEW' lists every difference of "
                 "two policies, 'qportwatch policy show' every rule of one",
                 qpw_words_count(list->n - i + list->left_out, more, sizeof(more)));
    else if (list->incomplete)
        snprintf(buf + used, LAST_LINE, "\n  and more (out of memory)");
    return buf;
}

int qpw_changelist_write(const struct qpw_changelist *list, json_t *answer, size_t room)
{
    json_t *lines = json_array(), *line;
    size_t i, used = 0;

    for (i = 0; i < list->n; i++) {
        line = *list->lines[i] ? qpw_json_text(list->lines[i]) : json_string("");
        used += json_dumpb(line, NULL, 0, JSON_ENCODE_ANY) + 1; /* plus a comma */
        if (used > room) {
            json_decref(line);
            break;
        }
        if (json_array_append_new(lines, line) < 0) {
            json_decref(lines);
            return -ENOMEM;
        }
    }
    if (json_object_set_new(answer, "changes", lines) < 0 ||
        json_object_set_new(answer, "left_out", json_integer(list->n - i + list->left_out)) < 0 ||
        json_object_set_new(answer, "incomplete", json_boolean(list->incomplete)) < 0)
        return -ENOMEM;
    return 0;
}

int qpw_changelist_read(const json_t *answer, struct qpw_changelist *ret)
{
    const json_t *lines = json_object_get(answer, "changes"), *line;
    const json_t *left_out = json_object_get(answer, "left_out");
    struct qpw_changelist list = {.incomplete = json_is_true(json_object_get(answer, "incomplete"))};
    size_t i;

    if (!json_is_array(lines) || !json_is_integer(left_out) || json_integer_value(left_out) < 0)
        return -EBADMSG;
    list.left_out = json_integer_value(left_out);
    json_array_foreach (lines, i, line) {
        if (!json_is_string(line)) {
            qpw_changelist_clear(&list);
            return -EBADMSG;
        }
        qpw_changelist_add(&list, "%s", json_string_value(line));
    }
    *ret = list;
    return 0;
}

void qpw_changelist_clear(struct qpw_changelist *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->lines[i]);
    free(list->lines);
    *list = (struct qpw_changelist){0};
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/found.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/document.h"
#include "util/since.h"
#include "util/text.h"

static json_t *item_json(const struct qpw_found *f)
{
    char id[24];

    snprintf(id, sizeof(id), "%016" PRIx64, f->id);
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:b}", "id", id, "signature", qpw_signature(f->signature)->name, "what",
                     qpw_json_text(f->what), "subject", qpw_json_text(f->subject), "text", qpw_json_text(f->text), "command",
                     qpw_json_text(f->command), "since", qpw_json_time(f->since_unix_ns), "elsewhere", f->elsewhere);
}

json_t *qpw_found_json(const struct qpw_found_list *list)
{
    json_t *items = json_array();

    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(items, item_json(&list->items[i]));
    return json_pack("{s:s,s:o,s:o,s:I}", "schema", QPW_FOUND_SCHEMA, "at", qpw_json_time(list->at_unix_ns), "found", items,
                     "left_out", (json_int_t)list->left_out);
}

/* Find a signature about the cluster; others are the auditor's own to report. */
static enum qpw_signature_name signature_named(const char *name)
{
    for (unsigned i = QPW_SIG_FOUND_FIRST; name && i <= QPW_SIG_FOUND_LAST; i++)
        if (!strcmp(qpw_signature(i)->name, name))
            return i;
    return QPW_SIG_NONE;
}

/* Copy a text, cleaned and cut. False: there is something else in its place. */
static bool take_text(const json_t *item, const char *key, char *ret, size_t size)
{
    const json_t *value = json_object_get(item, key);

    *ret = '\0';
    if (!value || json_is_null(value))
        return true;
    if (!json_is_string(value) || json_string_length(value) != strlen(json_string_value(value)))
        return false;
    qpw_text_cut(ret, size, json_string_value(value));
    qpw_text_clean(ret);
    return true;
}

static bool take_time(const json_t *object, const char *key, uint64_t *ret)
{
    const json_t *value = json_object_get(object, key);

    *ret = 0;
    return !value || json_is_null(value) || (json_is_string(value) && qpw_since_parse(json_string_value(value), 0, ret) == 0);
}

/* Return what is wrong with an item; NULL: nothing, *ret is filled. */
static const char *take_item(const json_t *item, struct qpw_found *ret)
{
    const char *id = json_string_value(json_object_get(item, "id"));
    const json_t *elsewhere = json_object_get(item, "elsewhere");

    if (!id || strlen(id) != 16 || strspn(id, "0123456789abcdef") != 16)
        return "id: is not 16 hexadecimal digits";
    ret->id = strtoull(id, NULL, 16);
    ret->signature = signature_named(json_string_value(json_object_get(item, "signature")));
    if (!ret->signature)
        return "signature: is not one about the cluster";
    if (!take_text(item, "what", ret->what, sizeof(ret->what)) || !take_text(item, "subject", ret->subject, sizeof(ret->subject)) ||
        !take_text(item, "text", ret->text, sizeof(ret->text)) || !take_text(item, "command", ret->command, sizeof(ret->command)))
        return "holds something other than a text";
    if (!take_time(item, "since", &ret->since_unix_ns))
        return "since: is not a time";
    if (elsewhere && !json_is_boolean(elsewhere))
        return "elsewhere: is not true or false";
    ret->elsewhere = json_is_true(elsewhere);
    return *ret->text ? NULL : "has no text";
}

static int take_items(const json_t *items, struct qpw_found_list *ret, struct qpw_error *err)
{
    const char *wrong;
    const json_t *item;
    size_t i;

    if (!json_is_array(items) || json_array_size(items) > QPW_FOUND_MOST)
        return qpw_fail(err, -EINVAL, "found: is not a list of at most %u", QPW_FOUND_MOST);
    json_array_foreach (items, i, item) {
        struct qpw_found *f = QPW_ADD(ret->items, ret->n);

        if (!f)
            return qpw_fail(err, -ENOMEM, "out of memory");
        wrong = take_item(item, f);
        if (wrong)
            return qpw_fail(err, -EINVAL, "found %zu: %s", i + 1, wrong);
        ret->n++;
    }
    return 0;
}

int qpw_found_read(const char *bytes, size_t length, struct qpw_found_list *ret, struct qpw_error *err)
{
    const char *schema;
    json_error_t error;
    json_t *document;
    int r;

    *ret = (struct qpw_found_list){0};
    if (length > QPW_FOUND_BYTES)
        return qpw_fail(err, -EINVAL, "is larger than %u KiB", QPW_FOUND_BYTES >> 10);
    document = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    schema = json_string_value(json_object_get(document, "schema"));
    if (!schema || strcmp(schema, QPW_FOUND_SCHEMA)) {
        json_decref(document);
        return qpw_fail(err, -EINVAL, "is not a document " QPW_FOUND_SCHEMA);
    }
    ret->left_out = (uint64_t)json_integer_value(json_object_get(document, "left_out"));
    if (!take_time(document, "at", &ret->at_unix_ns) || !ret->at_unix_ns)
        r = qpw_fail(err, -EINVAL, "at: is not a time");
    else
        r = take_items(json_object_get(document, "found"), ret, err);
    json_decref(document);
    return r;
}

static int compare(const void *left, const void *right)
{
    const struct qpw_found *a = left, *b = right;
    unsigned worse = qpw_signature(a->signature)->severity, than = qpw_signature(b->signature)->severity;

    if (worse != than)
        return worse < than ? -1 : 1;
    if (a->since_unix_ns != b->since_unix_ns)
        return a->since_unix_ns < b->since_unix_ns ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

void qpw_found_sort(struct qpw_found_list *list)
{
    if (list->n)
        qsort(list->items, list->n, sizeof(*list->items), compare);
}

void qpw_found_clear(struct qpw_found_list *list)
{
    free(list->items);
    *list = (struct qpw_found_list){0};
}

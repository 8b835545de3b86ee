/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/message.h"

#include <errno.h>
#include <string.h>

#include "util/document.h"

json_t *qpw_request_new(const char *name)
{
    return json_pack("{s:s,s:s}", "schema", QPW_CONTROL_SCHEMA, "request", name);
}

json_t *qpw_answer_new(enum qpw_exit status, const char *error)
{
    json_t *answer = json_pack("{s:s,s:i}", "schema", QPW_CONTROL_SCHEMA, "status", (int)status);

    if (!answer || !error || json_object_set_new(answer, "error", qpw_json_text(error)) == 0)
        return answer;
    json_decref(answer);
    return NULL;
}

ssize_t qpw_message_write(const json_t *message, char *buf, size_t size)
{
    size_t length = json_dumpb(message, buf, size, JSON_COMPACT);

    return length && length <= size ? (ssize_t)length : -EMSGSIZE;
}

int qpw_message_read(const char *bytes, size_t length, json_t **ret, struct qpw_error *err)
{
    json_error_t why;
    json_t *message;
    const char *schema;

    if (length > QPW_CONTROL_BYTES)
        return qpw_fail(err, -EBADMSG, "control message of more than %u bytes", QPW_CONTROL_BYTES);
    message = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &why);
    if (!message)
        return qpw_fail(err, -EBADMSG, "control message is not JSON: %s", why.text);
    schema = json_string_value(json_object_get(message, "schema"));
    if (schema && !strcmp(schema, QPW_CONTROL_SCHEMA)) {
        *ret = message;
        return 0;
    }
    qpw_fail(err, -EBADMSG, "control message has %s%.60s, not %s: the auditor and this command are of different versions",
             schema ? "schema " : "no schema", schema ? schema : "", QPW_CONTROL_SCHEMA);
    json_decref(message);
    return -EBADMSG;
}

const char *qpw_request_name(const json_t *message)
{
    return json_string_value(json_object_get(message, "request"));
}

int qpw_answer_status(const json_t *message, struct qpw_error *err)
{
    const json_t *status = json_object_get(message, "status");
    const char *error = json_string_value(json_object_get(message, "error"));

    if (!json_is_integer(status) || json_integer_value(status) < QPW_EXIT_OK || json_integer_value(status) > QPW_EXIT_YES)
        return qpw_fail(err, -EBADMSG, "control message is not an answer");
    if (json_integer_value(status) != QPW_EXIT_OK)
        qpw_fail(err, 0, "%s", error ? error : "the auditor gave no reason");
    return json_integer_value(status);
}

json_t *qpw_message_name(const char *name)
{
    json_t *value = json_string(name);

    if (value)
        return value;
    value = json_array();
    for (; *name; name++)
        json_array_append_new(value, json_integer((unsigned char)*name));
    return value;
}

int qpw_message_read_name(const json_t *value, char *ret, size_t size)
{
    const char *string = json_string_value(value);
    const json_t *byte;
    size_t i;

    if (string ? strlen(string) >= size : !json_is_array(value) || json_array_size(value) >= size)
        return -EBADMSG;
    if (string) {
        strcpy(ret, string);
        return 0;
    }
    json_array_foreach (value, i, byte) {
        if (json_integer_value(byte) < 1 || json_integer_value(byte) > 255)
            return -EBADMSG;
        ret[i] = (char)json_integer_value(byte);
    }
    ret[i] = '\0';
    return 0;
}

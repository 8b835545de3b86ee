/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/document.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/names.h"
#include "util/version.h"

json_t *qpw_json_text(const char *value)
{
    json_t *string;
    char *copy;

    if (!value || !*value)
        return json_null();
    string = json_string(value);
    if (string)
        return string;
    copy = strdup(value);
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    string = copy ? json_string(copy) : NULL;
    free(copy);
    return string;
}

json_t *qpw_json_time(uint64_t unix_ns)
{
    char buf[40];

    return unix_ns ? json_string(qpw_time_text(unix_ns, buf, sizeof(buf))) : json_null();
}

json_t *qpw_json_policy(const char *name, const char *digest, const char *source_digest)
{
    json_t *o = json_object();

    json_object_set_new(o, "name", qpw_json_text(name));
    json_object_set_new(o, "digest", qpw_json_text(digest));
    json_object_set_new(o, "source_digest", qpw_json_text(source_digest));
    return o;
}

void qpw_document_set_period(json_t *document, const char *host, uint64_t from_unix_ns, uint64_t to_unix_ns)
{
    char own[65] = "";

    if (!*host) {
        gethostname(own, sizeof(own) - 1);
        host = own;
    }
    json_object_set_new(document, "host", qpw_json_text(host));
    json_object_set_new(document, "from", qpw_json_time(from_unix_ns));
    json_object_set_new(document, "to", qpw_json_time(to_unix_ns));
}

void qpw_document_set_policy(json_t *document, const char *name, const char *digest, const char *source_digest)
{
    json_object_set_new(document, "policy", qpw_json_policy(name, digest, source_digest));
}

json_t *qpw_document(const char *schema)
{
    json_t *o = json_object();
    struct timespec now;
    uint64_t now_ns;

    clock_gettime(CLOCK_REALTIME, &now);
    now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    json_object_set_new(o, "schema", json_string(schema));
    json_object_set_new(o, "version", json_string(QPW_VERSION));
    json_object_set_new(o, "host", json_null()); /* keys keep the order of first insertion */
    json_object_set_new(o, "interfaces", json_array());
    qpw_document_set_period(o, "", now_ns, now_ns);
    json_object_set_new(o, "policy", json_null());
    return o;
}

enum qpw_json_bounds qpw_json_bounds(const char *bytes, size_t length, size_t depth, size_t text)
{
    size_t level = 0, start = 0;
    bool within = false;

    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];

        if (within && c == '\\') {
            i++;
        } else if (c == '"') {
            if (within && i - start - 1 > 6 * text)
                return QPW_JSON_TEXT;
            within = !within;
            start = i;
        } else if (!within && (c == '{' || c == '[')) {
            if (++level > depth)
                return QPW_JSON_DEPTH;
        } else if (!within && (c == '}' || c == ']') && level) {
            level--;
        }
    }
    return QPW_JSON_FITS;
}

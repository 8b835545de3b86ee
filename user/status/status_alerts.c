/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status/status_alerts.h"

#include <stdlib.h>
#include <string.h>

#include "control/control.h"

#define LABEL "%-12s "
#define PATIENCE_SECONDS 2u

void qpw_status_alerts_gather(char *lines, size_t size)
{
    int status;

    if (qpw_control_ask("alerts\n", PATIENCE_SECONDS, &status, lines, size, NULL, NULL) < 0 || status)
        *lines = '\0';
}

/* The value of a key, cut to size; "" where there is none. */
static const char *value(const char *lines, const char *key, char *buf, size_t size)
{
    size_t length = strlen(key);

    *buf = '\0';
    for (const char *line = lines; *line;) {
        size_t end = strcspn(line, "\n");

        if (!strncmp(line, key, length) && line[length] == ' ')
            snprintf(buf, size, "%.*s", (int)(end - length - 1), line + length + 1);
        line += end + (line[end] == '\n');
    }
    return buf;
}

void qpw_status_alerts_text(const char *lines, FILE *out)
{
    static const char *const counted[] = {"high", "medium", "low", "info"};
    char text[600], drops[32];

    if (!*lines)
        return;
    fprintf(out, LABEL "%s: ", "alerts", value(lines, "log", text, sizeof(text)));
    fprintf(out, "%s\n", value(lines, "state", text, sizeof(text)));
    fprintf(out, LABEL "%s records:", "", value(lines, "records", text, sizeof(text)));
    for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++)
        fprintf(out, "%s %s %s", i ? "," : "", counted[i], value(lines, counted[i], text, sizeof(text)));
    fprintf(out, "; told within others %s", value(lines, "folded", text, sizeof(text)));
    fprintf(out, ", suppressed %s", value(lines, "suppressed", text, sizeof(text)));
    fprintf(out, ", held back %s", value(lines, "held_back", text, sizeof(text)));
    fprintf(out, " (%s waiting)\n", value(lines, "waiting", text, sizeof(text)));
    if (strcmp(value(lines, "syslog", text, sizeof(text)), "none"))
        fprintf(out, LABEL "%s: %s dropped\n", "", text, value(lines, "syslog_dropped", drops, sizeof(drops)));
    fprintf(out, LABEL "%s\n", "", value(lines, "settings", text, sizeof(text)));
}

/* "name 5, other 6" as an object. */
static json_t *settings_json(const char *text)
{
    json_t *object = json_object();
    char name[64];
    unsigned number;
    int used;

    while (sscanf(text, " %63s %u%n", name, &number, &used) == 2) {
        json_object_set_new(object, name, json_integer(number));
        text += used;
        text += strspn(text, ", ");
    }
    return object;
}

json_t *qpw_status_alerts_json(const char *lines)
{
    static const char *const texts[] = {"log", "state", "syslog"};
    static const char *const numbers[] = {"records", "high",          "medium",      "low",
                                          "info",    "suppressed",    "folded",      "held_back",
                                          "waiting", "failed_writes", "syslog_sent", "syslog_dropped"};
    json_t *object;
    char text[600];

    if (!*lines)
        return json_null();
    object = json_object();
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        json_object_set_new(object, texts[i], json_string(value(lines, texts[i], text, sizeof(text))));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        json_object_set_new(object, numbers[i], json_integer(atoll(value(lines, numbers[i], text, sizeof(text)))));
    json_object_set_new(object, "settings", settings_json(value(lines, "settings", text, sizeof(text))));
    return object;
}

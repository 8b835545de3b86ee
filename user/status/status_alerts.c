/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status/status_alerts.h"

#include <string.h>

#include "control/control.h"
#include "control/message.h"

#define LABEL "%-12s "
#define PATIENCE_SECONDS 2u

json_t *qpw_status_alerts_gather(void)
{
    json_t *request = qpw_request_new("alerts"), *answer = NULL, *alerts = NULL;

    if (qpw_control_ask(request, PATIENCE_SECONDS, &answer, NULL, NULL) == QPW_EXIT_OK)
        alerts = json_incref(json_object_get(answer, "alerts"));
    json_decref(request);
    json_decref(answer);
    if (json_is_object(alerts))
        return alerts;
    json_decref(alerts);
    return json_null();
}

static const char *text(const json_t *alerts, const char *key)
{
    const char *value = json_string_value(json_object_get(alerts, key));

    return value ? value : "?";
}

static long long number(const json_t *alerts, const char *key)
{
    return json_integer_value(json_object_get(alerts, key));
}

void qpw_status_alerts_text(const json_t *alerts, FILE *out)
{
    const char *setting, *separator = "";
    json_t *value;

    if (!json_is_object(alerts))
        return;
    fprintf(out, LABEL "%s: %s\n", "alerts", text(alerts, "log"), text(alerts, "state"));
    fprintf(out, LABEL "%lld records: high %lld, medium %lld, low %lld, info %lld; ", "", number(alerts, "records"),
            number(alerts, "high"), number(alerts, "medium"), number(alerts, "low"), number(alerts, "info"));
    fprintf(out, "told within others %lld, suppressed %lld, held back %lld (%lld waiting)\n", number(alerts, "folded"),
            number(alerts, "suppressed"), number(alerts, "held_back"), number(alerts, "waiting"));
    if (strcmp(text(alerts, "syslog"), "none"))
        fprintf(out, LABEL "%s: %lld dropped\n", "", text(alerts, "syslog"), number(alerts, "syslog_dropped"));
    fprintf(out, LABEL, "");
    json_object_foreach (json_object_get(alerts, "settings"), setting, value) {
        fprintf(out, "%s%s %lld", separator, setting, (long long)json_integer_value(value));
        separator = ", ";
    }
    fputc('\n', out);
}

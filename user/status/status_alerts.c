/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status/status_alerts.h"

#include <string.h>

#include "control/control.h"
#include "control/message.h"

json_t *qpw_status_alerts_gather(void)
{
    json_t *request = qpw_request_new("alerts"), *answer = NULL, *alerts = NULL;

    if (qpw_control_ask(request, &answer, NULL, NULL) == QPW_EXIT_OK)
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

void qpw_status_alerts_text(const json_t *alerts, const struct qpw_printer *p)
{
    const char *state = text(alerts, "state"), *setting;
    struct qpw_list list;
    json_t *value;

    if (!json_is_object(alerts))
        return;
    qpw_print_item(p, "alert log", "%s: %s", text(alerts, "log"), strcmp(state, "written") ? state : "up to date");
    qpw_print_item(p, "", "%lld records: high %lld, medium %lld, low %lld, info %lld; %lld merged into other alerts, "
                   "%lld suppressed, %lld delayed by the rate limit (%lld pending)", number(alerts, "records"),
                   number(alerts, "high"), number(alerts, "medium"), number(alerts, "low"), number(alerts, "info"),
                   number(alerts, "folded"), number(alerts, "suppressed"), number(alerts, "held_back"),
                   number(alerts, "waiting"));
    if (strcmp(text(alerts, "syslog"), "none"))
        qpw_print_item(p, "", "%s: %lld dropped", text(alerts, "syslog"), number(alerts, "syslog_dropped"));
    if (number(alerts, "owners_unsure"))
        qpw_print_item(p, "", "%lld live connections of rules with owner= not checked: their owners are not known",
                       number(alerts, "owners_unsure"));
    qpw_list_begin(&list, p, 0, "");
    json_object_foreach (json_object_get(alerts, "settings"), setting, value)
        qpw_list_add(&list, "%s %lld", setting, (long long)json_integer_value(value));
    qpw_list_end(&list);
}

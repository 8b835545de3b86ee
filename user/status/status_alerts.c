/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "status/status_alerts.h"

#include <string.h>

#include "control/control.h"
#include "control/message.h"
#include "words/words.h"

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

static const char *number(const json_t *alerts, const char *key, char buf[24])
{
    json_int_t value = json_integer_value(json_object_get(alerts, key));

    return qpw_words_count(value > 0 ? (uint64_t)value : 0, buf, 24);
}

void qpw_status_alerts_text(const json_t *alerts, const struct qpw_printer *p)
{
    const char *state = text(alerts, "state"), *setting;
    struct qpw_list list;
    json_t *value;
    char n[9][24];

    if (!json_is_object(alerts))
        return;
    qpw_print_item(p, "alert log", "%s: %s", text(alerts, "log"), strcmp(state, "written") ? state : "up to date");
    qpw_print_item(p, "", "%s records; those of traffic high %s, medium %s, low %s, info %s (several of one alert are one in 'top'); %s merged into other alerts, %s suppressed, "
                   "%s delayed by the rate limit (%s pending)", number(alerts, "records", n[0]),
                   number(alerts, "high", n[1]), number(alerts, "medium", n[2]), number(alerts, "low", n[3]),
                   number(alerts, "info", n[4]), number(alerts, "folded", n[5]), number(alerts, "suppressed", n[6]),
                   number(alerts, "held_back", n[7]), number(alerts, "waiting", n[8]));
    if (json_is_string(json_object_get(alerts, "head")))
        qpw_print_item(p, "", "head of its chain %s", text(alerts, "head"));
    if (strcmp(text(alerts, "syslog"), "none"))
        qpw_print_item(p, "", "%s: %s dropped", text(alerts, "syslog"), number(alerts, "syslog_dropped", n[0]));
    if (json_integer_value(json_object_get(alerts, "owners_unsure")))
        qpw_print_item(p, "", "%s live connections of rules with owner= not checked: their owners are not known",
                       number(alerts, "owners_unsure", n[0]));
    qpw_list_begin(&list, p, 0, "");
    json_object_foreach (json_object_get(alerts, "settings"), setting, value)
        qpw_list_add(&list, "%s %s", setting, qpw_words_exact((uint64_t)json_integer_value(value), n[0], sizeof(n[0])));
    qpw_list_end(&list);
}

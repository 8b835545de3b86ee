/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/near.h"
#include "util/usage.h"

#define MAX_SETTING 31536000ul /* a year in seconds */

static const struct setting {
    const char *name;
    size_t offset;
} settings_table[] = {
#define ROW(field, value, meaning) {#field, offsetof(struct qpw_engine_settings, field)},
    QPW_ENGINE_SETTINGS(ROW)
#undef ROW
};
#define SETTINGS (sizeof(settings_table) / sizeof(*settings_table))

enum { KEY_ALERT = 0x400 };

static const struct argp_option argp_options[] = {
    {"alert", KEY_ALERT, "NAME=VALUE", 0, "Changes one setting of the alerts (repeatable); 'status' shows them all", 0},
    {0},
};

/* Parse "cap=50" into settings. Return 0, or -EINVAL with err listing the settings. */
static int take_setting(const char *text, struct qpw_engine_settings *settings, struct qpw_error *err)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text), used = 0;
    struct qpw_near near = qpw_near_to(text, length);
    char names[320] = "", hint[80];

    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *s = &settings_table[i];
        unsigned long value = 0;

        used += snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "", s->name);
        qpw_near_offer(&near, s->name);
        if (strlen(s->name) != length || strncmp(s->name, text, length))
            continue;
        if (!equals || qpw_number_parse(equals + 1, 0, MAX_SETTING, &value) < 0)
            return qpw_fail(err, -EINVAL, "--alert %s: use %s=NUMBER, at most %lu", text, s->name, MAX_SETTING);
        memcpy((char *)settings + s->offset, &(unsigned){value}, sizeof(unsigned));
        return 0;
    }
    return qpw_fail(err, -EINVAL, "--alert %s: not one of %s%s", text, names, qpw_near_hint(&near, hint, sizeof(hint)));
}

json_t *qpw_alert_settings_json(const struct qpw_engine_settings *settings)
{
    json_t *object = json_object();
    unsigned value;

    for (size_t i = 0; i < SETTINGS; i++) {
        memcpy(&value, (const char *)settings + settings_table[i].offset, sizeof(value));
        json_object_set_new(object, settings_table[i].name, json_integer(value));
    }
    return object;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
    struct qpw_alert_options *o = state->input;
    struct qpw_error err;

    if (key != KEY_ALERT)
        return ARGP_ERR_UNKNOWN;
    if (take_setting(arg, &o->settings, &err) < 0)
        qpw_usage_error(state, "%s", err.text);
    o->summary_given = o->summary_given || !strncmp(arg, "summary_s=", 10);
    return 0;
}

const struct argp qpw_alert_argp = {argp_options, take, NULL, NULL, NULL, NULL, NULL};

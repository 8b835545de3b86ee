/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "history/history.h"
#include "policy/lang/policy.h"

/* Beside the program's own constants, which the test of `config show` compares with what `status` says. */
static const struct {
    const char *name, *value;
} defaults[] = {
    {"mode", "auto"},
    {"tc-hook", "auto"},
    {"interval", QPW_STRING(QPW_DEFAULT_INTERVAL)},
    {"alerts", QPW_DEFAULT_ALERTS},
    {"no-alerts", "no"},
    {"no-history", "no"},
    {"no-tui", "no"},
    {"keep", "no"},
    {"wait", "no"},
    {"max-connections", "65536"},
    {"tcp-timeout", "604800"},
    {"half-open-timeout", "75"},
    {"udp-timeout", "180"},
    {"other-timeout", "180"},
    {"tail-timeout", "120"},
    {"parent-timeout", "600"},
    {"fragment-timeout", "30"},
};

const char *qpw_setting_default(const char *name)
{
    static char path[1024];
    bool policy = access(QPW_POLICY_DEFAULT_PATH, F_OK) == 0;

    if (!strcmp(name, "policy"))
        return policy ? QPW_POLICY_DEFAULT_PATH : NULL;
    if (!strcmp(name, "platform"))
        return policy ? NULL : QPW_POLICY_DEFAULT_PLATFORM;
    if (!strcmp(name, "history"))
        return *qpw_history_path(path, sizeof(path)) ? path : NULL;
    for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
        if (!strcmp(name, defaults[i].name))
            return defaults[i].value;
    return NULL;
}

static void pass_over(const char *line)
{
    (void)line;
}

bool qpw_setting_configured(const char *name, char *buf, size_t size)
{
    struct qpw_settings config;
    bool found = false;

    qpw_config_read(NULL, &qpw_attach_argp, &config, pass_over);
    for (size_t i = 0; i < config.n; i++)
        if (!strcmp(config.settings[i].name, name)) {
            snprintf(buf, size, "%s", config.settings[i].value);
            found = true;
        }
    qpw_config_clear(&config);
    return found;
}

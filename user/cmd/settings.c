/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "history/history.h"
#include "policy/lang/load.h"
#include "util/array.h"
#include "policy/lang/policy.h"

/* Duplicate constants of the program; the test of `config show` compares them with the output of `status`. */
static const struct {
    const char *name, *value;
} defaults[] = {
    {"mode", "auto"},
    {"tc-hook", "auto"},
    {"interval", QPW_STRING(QPW_DEFAULT_INTERVAL)},
    {"alerts", QPW_DEFAULT_ALERTS},
    {"no-alerts", "no"},
    {"cluster", QPW_DEFAULT_CLUSTER},
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

static bool add_peer(struct qpw_policy_options *options, const char *peer)
{
    const char **more = QPW_ADD(options->peers, options->n_peers);

    if (more)
        options->peers[options->n_peers++] = peer;
    return more;
}

void qpw_policy_configured(struct qpw_policy_options *options)
{
    static struct qpw_settings config; /* the options point into it */
    static char set_in[4200];
    bool peers_given = options->n_peers || options->peers_file;

    if (options->policy_file || options->platform)
        return;
    qpw_config_clear(&config);
    qpw_config_read(NULL, &qpw_attach_argp, &config, pass_over);
    qpw_config_settle(&config, NULL, 0);
    for (size_t i = 0; i < config.n; i++) {
        const struct qpw_setting *s = &config.settings[i];
        bool is_policy = !strcmp(s->name, "policy"), is_platform = !strcmp(s->name, "platform");

        if (s->replaced)
            continue;
        if (is_policy || is_platform) {
            *(is_policy ? &options->policy_file : &options->platform) = s->value;
            snprintf(set_in, sizeof(set_in), "it is set in %s", s->from);
            options->set_in = set_in;
        } else if (!peers_given && !strcmp(s->name, "peers")) {
            options->peers_file = s->value;
        } else if (!peers_given && !strcmp(s->name, "peer") && !add_peer(options, s->value)) {
            return; /* out of memory: whatever follows will fail and report it */
        }
    }
}

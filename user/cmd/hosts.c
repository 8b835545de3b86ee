/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/hosts.h"

#include <limits.h>
#include <stdbool.h>

#include "cmd/settings.h"
#include "util/usage.h"
#include "words/known.h"

enum { KEY_HOSTS = 0x500 };

static const struct argp_option options[] = {
    {"hosts", KEY_HOSTS, "FILE", 0, "Names for addresses, in the format of /etc/hosts; DNS is never asked", 0},
    {0},
};

static error_t take(int key, char *arg, struct argp_state *state)
{
    static bool given;
    char configured[PATH_MAX];
    struct qpw_error err;

    switch (key) {
    case KEY_HOSTS:
        if (qpw_known_hosts(arg, &err) < 0)
            qpw_usage_error(state, "--hosts: %s", err.text);
        given = true;
        return 0;
    case ARGP_KEY_SUCCESS: /* `attach` reports a configured file that cannot be read */
        if (!given && qpw_setting_configured("hosts", configured, sizeof(configured)))
            qpw_known_hosts(configured, NULL);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp qpw_hosts_argp = {options, take, NULL, NULL, NULL, NULL, NULL};
const struct argp_child qpw_hosts_child[2] = {{&qpw_hosts_argp, 0, NULL, 0}, {0}};

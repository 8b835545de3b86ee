/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/hosts.h"

#include "util/usage.h"
#include "words/known.h"

enum { KEY_HOSTS = 0x500 };

static const struct argp_option options[] = {
    {"hosts", KEY_HOSTS, "FILE", 0, "Names for addresses, in the format of /etc/hosts; DNS is never asked", 0},
    {0},
};

static error_t take(int key, char *arg, struct argp_state *state)
{
    struct qpw_error err;

    if (key != KEY_HOSTS)
        return ARGP_ERR_UNKNOWN;
    if (qpw_known_hosts(arg, &err) < 0)
        qpw_usage_error(state, "--hosts: %s", err.text);
    return 0;
}

const struct argp qpw_hosts_argp = {options, take, NULL, NULL, NULL, NULL, NULL};
const struct argp_child qpw_hosts_child[2] = {{&qpw_hosts_argp, 0, NULL, 0}, {0}};

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hosts.h - --hosts of every command that shows addresses: names come from a file, never from DNS. */
#ifndef QPW_CMD_HOSTS_H
#define QPW_CMD_HOSTS_H

#include <argp.h>

/* A child of a command's argp; reads the names as soon as the option is parsed. Has no input. */
extern const struct argp qpw_hosts_argp;

/* For commands without other children. */
extern const struct argp_child qpw_hosts_child[2];

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hosts.h - --hosts of every command that shows addresses: their names out of a file, never out of DNS. */
#ifndef QPW_CMD_HOSTS_H
#define QPW_CMD_HOSTS_H

#include <argp.h>

/* As a child of a command's argp; takes the names as soon as the option is met. It has no input. */
extern const struct argp qpw_hosts_argp;

/* For a command without other children. */
extern const struct argp_child qpw_hosts_child[2];

#endif

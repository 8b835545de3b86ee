/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cluster_status.h - `cluster status` and `cluster report`: what this node hears of its peers, and what it found. */
#ifndef QPW_CMD_CLUSTER_STATUS_H
#define QPW_CMD_CLUSTER_STATUS_H

/* Run the subcommand. Returns its exit status: QPW_EXIT_YES if a peer is stale or something was found. */
int qpw_cmd_cluster_status(int argc, char **argv);
int qpw_cmd_cluster_report(int argc, char **argv);

#endif

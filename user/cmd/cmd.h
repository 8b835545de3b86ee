/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd.h - the commands. Each parses its own options with argp, calls modules, prints errors and returns an exit status
 * (enum qpw_exit). argv[0] is "qportwatch COMMAND".
 */
#ifndef QPW_CMD_H
#define QPW_CMD_H

#include <stdbool.h>
#include <stddef.h>

struct qpw_command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
    bool reads; /* can be run by root's server process for members of the group of readers */
    const struct qpw_command *(*under)(size_t *ret_n); /* its subcommands; NULL: none */
};

const struct qpw_command *qpw_policy_commands(size_t *ret_n);
const struct qpw_command *qpw_config_commands(size_t *ret_n);
const struct qpw_command *qpw_cluster_commands(size_t *ret_n);

/* Complete the last word. argv[1] and on: the words after "qportwatch". */
int qpw_cmd_complete(const struct qpw_command *commands, size_t n, int argc, char **argv);

int qpw_cmd_attach(int argc, char **argv);
int qpw_cmd_detach(int argc, char **argv);
int qpw_cmd_reload(int argc, char **argv);
int qpw_cmd_status(int argc, char **argv);
int qpw_cmd_top(int argc, char **argv);
int qpw_cmd_report(int argc, char **argv);
int qpw_cmd_listeners(int argc, char **argv);
int qpw_cmd_connections(int argc, char **argv);
int qpw_cmd_history(int argc, char **argv);
int qpw_cmd_metrics(int argc, char **argv);
int qpw_cmd_statement(int argc, char **argv);
int qpw_cmd_cluster(int argc, char **argv);
int qpw_cmd_cluster_key(int argc, char **argv);
int qpw_cmd_serve(int argc, char **argv);
int qpw_cmd_alerts(int argc, char **argv);
int qpw_cmd_ack(int argc, char **argv);
int qpw_cmd_mute(int argc, char **argv);
int qpw_cmd_replay(int argc, char **argv);
int qpw_cmd_policy(int argc, char **argv);
int qpw_cmd_check(int argc, char **argv);
int qpw_cmd_config(int argc, char **argv);
int qpw_cmd_bench(int argc, char **argv);

#endif

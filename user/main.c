/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* main.c - qportwatch: one table of commands; each command is a file in cmd/. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "control/readers.h"
#include "control/readers_server.h"
#include "history/writer.h"
#include "util/error.h"
#include "util/file.h"
#include "util/near.h"
#include "util/usage.h"
#include "util/version.h"
#include "words/printer.h"
#include "words/terminal.h"

static const struct qpw_command commands[] = {
    {"attach", qpw_cmd_attach, "monitor interfaces: count every packet, alert on what the policy does not allow"},
    {"detach", qpw_cmd_detach, "remove exactly what qportwatch attached"},
    {"reload", qpw_cmd_reload, "read the policy again and apply it in one step"},
    {"status", qpw_cmd_status, "what is attached, how, since when, and what was lost", true},
    {"top", qpw_cmd_top, "live view of what is attached"},
    {"report", qpw_cmd_report, "what was seen, on one screen, as JSON or HTML", true},
    {"listeners", qpw_cmd_listeners, "listening sockets compared with the policy", true},
    {"connections", qpw_cmd_connections, "live connections, with their processes", true},
    {"history", qpw_cmd_history, "what was counted by hour, day and month, over restarts", true},
    {"metrics", qpw_cmd_metrics, "counters and the state of the audit for Prometheus", true},
    {"statement", qpw_cmd_statement, "what this node states about itself for its peers, as JSON", true},
    {"serve", qpw_cmd_serve, "answer the cluster's peers over HTTPS, ask them, and compare"},
    {"cluster", qpw_cmd_cluster, "compare what the nodes of a cluster state", .under = qpw_cluster_commands},
    {"alerts", qpw_cmd_alerts, "read the alert log"},
    {"ack", qpw_cmd_ack, "say that a finding has been seen"},
    {"mute", qpw_cmd_mute, "silence a finding by a line of the policy"},
    {"replay", qpw_cmd_replay, "audit capture files through the same BPF programs"},
    {"check", qpw_cmd_check, "what attaching to interfaces would do, and what it could not see"},
    {"policy", qpw_cmd_policy, "show, check, import, diff, suggest, test and export policies",
     .under = qpw_policy_commands},
    {"config", qpw_cmd_config, "each setting and where it comes from", .under = qpw_config_commands},
    {"bench", qpw_cmd_bench, "measure what a packet costs on this machine"},
};

static void usage(void)
{
    printf("Usage: qportwatch COMMAND [OPTIONS]\n\n"
           "Audits a storage node's traffic against its table of required ports. It observes and never drops.\n\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        printf("  %-11s %s\n", commands[i].name, commands[i].does);
    printf("\n'qportwatch COMMAND --help' lists the options of a command.\n");
}

/* If stdin, stdout or stderr is closed, occupy its number with /dev/null; otherwise the next open() would receive our
 * output. Standard output gets it read-only, so that writing there fails. */
static void hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            _exit(QPW_EXIT_FAILED);
}

/* Fail if a part of the answer could not be written; also for --help, which ends the program by itself. */
static void check_answer(int status, void *program)
{
    bool failed = ferror(stdout);
    int r = fflush(stdout) != 0 ? errno : 0;

    if ((status != QPW_EXIT_OK && status != QPW_EXIT_YES) || (!failed && !r))
        return;
    fprintf(stderr, "%s: standard output cannot be written: %s\n", (const char *)program,
            r ? strerror(r) : "a part of it is missing");
    _exit(QPW_EXIT_FAILED);
}

static char name[64] = "qportwatch"; /* followed by the command */

static void report_waiting(const char *path)
{
    qpw_put_lines(stderr, "%s: waiting for %s: nothing has been written to it yet", name, path);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-?") || !strcmp(argv[i], "--usage"))
            return true;
    return false;
}

int main(int argc, char **argv)
{
    int status;
    struct qpw_near near;

    hold_standard_files();
    qpw_terminal_start();
    if (on_exit(check_answer, name) != 0)
        return QPW_EXIT_FAILED;
    qpw_file_report_waiting(report_waiting);
    if (argc < 2)
        return qpw_usage_no_command("qportwatch", NULL);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        usage();
        return QPW_EXIT_OK;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("qportwatch %s\n", QPW_VERSION);
        return QPW_EXIT_OK;
    }
    if (argc == 2 && !strcmp(argv[1], QPW_READERS_COMMAND))
        return qpw_readers_serve(3, 4); /* the auditor starts it like this */
    if (!strcmp(argv[1], QPW_HISTORY_COMMAND))
        return qpw_history_serve(argc, argv); /* the auditor starts it like this */
    if (!strcmp(argv[1], "complete"))
        return qpw_cmd_complete(commands, sizeof(commands) / sizeof(*commands), argc - 1, argv + 1);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strcmp(argv[1], commands[i].name))
            continue;
        if (commands[i].reads && !asks_for_help(argc, argv) && (status = qpw_readers_ask(argc - 1, argv + 1, stdout)) >= 0)
            return status;
        snprintf(name, sizeof(name), "qportwatch %s", commands[i].name);
        argv[1] = name;
        return commands[i].run(argc - 1, argv + 1);
    }
    near = qpw_near_to(argv[1], strlen(argv[1]));
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        qpw_near_offer(&near, commands[i].name);
    return qpw_usage_no_command("qportwatch", &near);
}

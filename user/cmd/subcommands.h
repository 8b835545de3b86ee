/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* subcommands.h - commands of a command: "qportwatch policy show". */
#ifndef QPW_CMD_SUBCOMMANDS_H
#define QPW_CMD_SUBCOMMANDS_H

#include "cmd/cmd.h"

struct qpw_subcommands {
    const char *program; /* "qportwatch policy" */
    const char *about;   /* a sentence with its line end below the usage; empty: none */
    const struct qpw_command *commands;
    size_t n;
};

/*
 * Run the one that argv[1] names, with argv[0] "qportwatch policy show"; print the list for --help; report a missing or unknown
 * one. Return the exit status.
 */
int qpw_subcommands_run(const struct qpw_subcommands *s, int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * readers.h - read-only commands, run for members of the group `qportwatch`, who are not root.
 *
 * Reading needs root's rights. Members ask over a separate socket that the auditor never touches: descriptors attached
 * to a message can block the process that closes them, and before Linux 6.16 they cannot be rejected. A process beside
 * the auditor serves it (readers_server.h); each command runs in a process of its own, and its output is sent back as
 * packets, so that no descriptor of the client is ever received.
 *
 *   request  "COLUMNS=" and the terminal's width, then the command's words, each with its NUL, in one packet
 *   answer   packets that begin with '1' (standard output) or '2' (standard error); a single 'a' at once and after each
 *            second without output (still working); finally 'x' and the exit status
 */
#ifndef QPW_CONTROL_READERS_H
#define QPW_CONTROL_READERS_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

#define QPW_READERS_GROUP "qportwatch"
#define QPW_READERS_COMMAND "readers" /* starts the program as that process; not for users */
#define QPW_READERS_PROCESS "qportwatch-read" /* its name */

#define QPW_READERS_COLUMNS "COLUMNS="
#define QPW_READERS_WORDS 32         /* maximum number of words of a command */
#define QPW_READERS_REQUEST_BYTES 4096u
#define QPW_READERS_PACKET_BYTES 16384u
#define QPW_READERS_RUN_SECONDS 60   /* maximum duration of a command, including the client's reading of its output */
#define QPW_READERS_REQUEST_SECONDS 2
#define QPW_READERS_ANSWER_SECONDS 5 /* maximum time without a packet before the client gives up */

/*
 * Ask for a command to be run; argv[0] is its name. Return its exit status, with its output on `out` and its errors on
 * stderr; -1: nothing serves readers here, or this process may not ask. Waits at most QPW_READERS_ANSWER_SECONDS for
 * each packet.
 */
int qpw_readers_ask(int argc, char **argv, FILE *out);

/* Return whether the words are a read-only command whose options name no file; otherwise err holds the reason. */
bool qpw_readers_may(int argc, char *const *argv, struct qpw_error *err);

#endif

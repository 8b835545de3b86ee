/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * readers.h - commands that only read, run for members of the group `qportwatch`, who are not root.
 *
 * What they read takes root's rights. They ask over a socket of their own, which the auditor never touches: descriptors
 * that come with a message can hold up who closes them, and before Linux 6.16 they cannot be refused. A process
 * beside the auditor serves it (readers_server.h); each command runs in a process of its own, its output goes back as
 * packets, so no descriptor of the asker is ever taken.
 *
 *   request  "COLUMNS=" and the terminal's width, then the command's words, each with its NUL, in one packet
 *   answer   packets that begin with '1' (standard output) or '2' (standard error), 'a' alone at once and where there has been
 *            nothing else for a second (it is at work), then 'x' and the exit status
 */
#ifndef QPW_CONTROL_READERS_H
#define QPW_CONTROL_READERS_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

#define QPW_READERS_GROUP "qportwatch"
#define QPW_READERS_COMMAND "readers" /* the program as that process; not for people */
#define QPW_READERS_PROCESS "qportwatch-read" /* its name */

#define QPW_READERS_COLUMNS "COLUMNS="
#define QPW_READERS_WORDS 32         /* of a command, at most */
#define QPW_READERS_REQUEST_BYTES 4096u
#define QPW_READERS_PACKET_BYTES 16384u
#define QPW_READERS_RUN_SECONDS 60   /* for one command; who reads its output must not stop reading */
#define QPW_READERS_REQUEST_SECONDS 2
#define QPW_READERS_ANSWER_SECONDS 5 /* without any packet, after which nobody waits */

/*
 * Has the command run: argv[0] is its name. Its exit status, with its output on `out` and its errors on this process's; or
 * -1: nobody serves readers here, or this process may not ask. Waits for QPW_READERS_ANSWER_SECONDS without a word at most.
 */
int qpw_readers_ask(int argc, char **argv, FILE *out);

/* Whether the words are a command that only reads, with options that name no file. err says why not. */
bool qpw_readers_may(int argc, char *const *argv, struct qpw_error *err);

#endif

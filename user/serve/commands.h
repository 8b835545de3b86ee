/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* commands.h - what qportwatch-serve can be run as. Each parses its arguments (argv[0]: its name) and returns an exit status. */
#ifndef QPW_SERVE_COMMANDS_H
#define QPW_SERVE_COMMANDS_H

int qpw_serve_command(int argc, char **argv);     /* "serve" */
int qpw_serve_key_command(int argc, char **argv); /* "key" */

#endif

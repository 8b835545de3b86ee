/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reader.h - commands of those who may read what is counted without being root. */
#ifndef QPW_CMD_READER_H
#define QPW_CMD_READER_H

/*
 * Has the auditor run the command, on this process's standard output and error: argv[0] is its name. Its exit status, or
 * -1: it is for this process to run, being root's, asking for help only, or not a member of the group.
 */
int qpw_reader_run(int argc, char **argv);

#endif

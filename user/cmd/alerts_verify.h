/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* alerts_verify.h - `alerts --verify`: whether the alert log is as it was written. */
#ifndef QPW_CMD_ALERTS_VERIFY_H
#define QPW_CMD_ALERTS_VERIFY_H

#include <stdbool.h>

/*
 * Follows the chain (alert/log/chain.h) through the files, ended by NULL, or else through `log` and what it was rotated to,
 * oldest first, and prints what it found. head: "NUMBER:SUM" that has to be in it, or NULL. Exit status: QPW_EXIT_OK,
 * QPW_EXIT_YES where the chain is broken or that head is missing, else of the error, which is printed.
 */
int qpw_alerts_verify(const char *log, char **files, const char *head, bool json);

#endif

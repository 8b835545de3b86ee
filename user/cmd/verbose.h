/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* verbose.h - -v of a command that loads programs: the verifier's log. */
#ifndef QPW_CMD_VERBOSE_H
#define QPW_CMD_VERBOSE_H

#include "util/usage.h"

#define QPW_KEY_VERBOSE 'v'
#define QPW_VERBOSE_OPTION \
    {"verbose", QPW_KEY_VERBOSE, NULL, 0, "Write the verifier's log of each program that is loaded to standard error", 0}

#endif

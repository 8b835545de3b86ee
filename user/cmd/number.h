/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* number.h - numbers on the command line. */
#ifndef QPW_CMD_NUMBER_H
#define QPW_CMD_NUMBER_H

#include <stdint.h>

#include "instance/object.h"
#include "util/usage.h"

/* Parse --max-connections; exits with a usage error if it is invalid. */
static inline uint32_t qpw_connections_parse(struct argp_state *state, const char *text)
{
    return (uint32_t)qpw_usage_number(state, "--max-connections", text, QPW_LEAST_CONNECTIONS, QPW_MOST_CONNECTIONS,
                                      "number");
}

#endif

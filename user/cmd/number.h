/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* number.h - numbers on the command line. */
#ifndef QPW_CMD_NUMBER_H
#define QPW_CMD_NUMBER_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "instance/object.h"
#include "util/usage.h"

/* A decimal number from low to high, nothing else around it. 0, or -EINVAL with *ret untouched. */
static inline int qpw_number_parse(const char *text, unsigned long low, unsigned long high, unsigned long *ret)
{
    unsigned long value;
    char *end;

    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (*end || errno || value < low || value > high)
        return -EINVAL;
    *ret = value;
    return 0;
}

/* The value of --max-connections; an error of usage, which ends the program, where it is none. */
static inline uint32_t qpw_connections_parse(struct argp_state *state, const char *text)
{
    unsigned long value = 0;

    if (qpw_number_parse(text, QPW_LEAST_CONNECTIONS, QPW_MOST_CONNECTIONS, &value) < 0)
        qpw_usage_error(state, "--max-connections is a number from %u to %u, not '%s'", QPW_LEAST_CONNECTIONS,
                        QPW_MOST_CONNECTIONS, text);
    return (uint32_t)value;
}

#endif

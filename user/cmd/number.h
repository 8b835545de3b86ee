/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* number.h - numbers on the command line. */
#ifndef QPW_CMD_NUMBER_H
#define QPW_CMD_NUMBER_H

#include <errno.h>
#include <stdlib.h>

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

#endif

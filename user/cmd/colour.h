/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* colour.h - whether what goes to standard output is coloured. */
#ifndef QPW_CMD_COLOUR_H
#define QPW_CMD_COLOUR_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Only on a terminal that can, and not where NO_COLOR has a value (no-color.org). */
static inline bool qpw_colour_wanted(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* format.h - the --format of a command that knows text and JSON. */
#ifndef QPW_CMD_FORMAT_H
#define QPW_CMD_FORMAT_H

#include <stdbool.h>
#include <string.h>

#include "util/usage.h"

/* Whether `text` asks for JSON; an error of usage, which ends the program, where it is neither json nor text. */
static inline bool qpw_format_is_json(struct argp_state *state, const char *text)
{
    if (strcmp(text, "text") && strcmp(text, "json"))
        qpw_usage_error(state, "--format is text or json, not '%s'", text);
    return !strcmp(text, "json");
}

#endif

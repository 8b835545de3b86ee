/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* format.h - --json and --format of a command that prints text or JSON. */
#ifndef QPW_CMD_FORMAT_H
#define QPW_CMD_FORMAT_H

#include <stdbool.h>

#include "util/usage.h"

/* Keys of their rows in the option table of a command that prints one document. */
enum { QPW_KEY_JSON = 'j', QPW_KEY_FORMAT = 0x1001 };
#define QPW_FORMAT_OPTIONS \
    {"json", QPW_KEY_JSON, NULL, 0, "Print one JSON document", 0}, \
    {"format", QPW_KEY_FORMAT, "text|json", 0, "text (default) or json", 0}

/* Return whether `text` selects JSON; exits with a usage error if it is neither json nor text. */
static inline bool qpw_format_is_json(struct argp_state *state, const char *text)
{
    static const char *const formats[] = {"text", "json", NULL};

    return qpw_usage_choice(state, "--format", text, formats);
}

/* Handle these two options. False: the key is another option's. */
static inline bool qpw_format_take(struct argp_state *state, int key, const char *value, bool *ret_json)
{
    if (key == QPW_KEY_JSON)
        *ret_json = true;
    else if (key == QPW_KEY_FORMAT)
        *ret_json = qpw_format_is_json(state, value);
    return key == QPW_KEY_JSON || key == QPW_KEY_FORMAT;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "advice/proposals.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice/suggest.h"

#define BEGIN "# ---- Proposals: take the # away from what you accept, and say what it is for ----"
#define END "# ---- End of proposals: what is still commented out is not kept ----"

char *qpw_proposals_put(const char *policy, const char *proposals)
{
    size_t length = strlen(policy);
    char *text;

    if (asprintf(&text, "%s%s" BEGIN "\n%s" END "\n", policy, length && policy[length - 1] != '\n' ? "\n" : "", proposals) < 0)
        return NULL;
    return text;
}

static bool is_line(const char *line, size_t length, const char *text)
{
    return length == strlen(text) && !memcmp(line, text, length);
}

/* Return whether the line is neither a comment nor empty. */
static bool is_useful(const char *line, size_t length)
{
    size_t blank = 0;

    while (blank < length && strchr(" \t\r", line[blank]))
        blank++;
    return blank < length && line[blank] != '#';
}

char *qpw_proposals_take(const char *edited)
{
    const char *evidence = NULL, *at, *end;
    bool within = false;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (at = edited; *at; at = *end ? end + 1 : end) {
        size_t length = strcspn(at, "\n");

        end = at + length;
        if (is_line(at, length, BEGIN) || is_line(at, length, END)) {
            within = is_line(at, length, BEGIN);
            continue;
        }
        if (within && !is_useful(at, length)) {
            if (!strncmp(at, QPW_SUGGEST_EVIDENCE, strlen(QPW_SUGGEST_EVIDENCE)))
                evidence = at;
            continue;
        }
        if (within && evidence)
            fprintf(out, "%.*s\n", (int)strcspn(evidence, "\n"), evidence);
        evidence = NULL;
        fprintf(out, "%.*s\n", (int)length, at);
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

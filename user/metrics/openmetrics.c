/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "metrics/openmetrics.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define TOTAL "_total"

/* Return the length of a line's part up to the family's name inclusive, if it is metadata ("# TYPE name counter"); else 0. */
static size_t name_end(const char *line, size_t length)
{
    size_t skip = length > 7 && (!strncmp(line, "# TYPE ", 7) || !strncmp(line, "# HELP ", 7)) ? 7 : 0;

    return skip ? skip + strcspn(line + skip, " \n") : 0;
}

/* Counters have to be named so that their samples end in "_total"; the type of another one is unknown. */
static void write_metadata(const char *line, size_t length, size_t end, FILE *out)
{
    bool total = end > strlen(TOTAL) + 7 && !strncmp(line + end - strlen(TOTAL), TOTAL, strlen(TOTAL));
    bool type = line[2] == 'T', counter = type && length > end && !strncmp(line + end, " counter", length - end);

    fwrite(line, 1, total ? end - strlen(TOTAL) : end, out);
    if (counter && !total)
        fputs(" unknown", out);
    else
        fwrite(line + end, 1, length - end, out);
}

int qpw_openmetrics_write(const char *text, FILE *out)
{
    size_t length, end;

    for (const char *line = text; *line; line += length + (line[length] == '\n')) {
        length = strcspn(line, "\n");
        end = name_end(line, length);
        if (end)
            write_metadata(line, length, end, out);
        else if (length && *line != '#')
            fwrite(line, 1, length, out);
        else
            continue; /* other comments and empty lines may not be there */
        fputc('\n', out);
    }
    fputs("# EOF\n", out);
    return ferror(out) ? -EIO : 0;
}

bool qpw_openmetrics_accepted(const char *accept)
{
    const char *at = accept ? strcasestr(accept, "application/openmetrics-text") : NULL;
    size_t length = at ? strcspn(at, ",") : 0;
    const char *version = at ? memmem(at, length, "version=", 8) : NULL;

    return at && (!version || !strncmp(version, "version=1.0.0", 13)) && !memmem(at, length, "q=0;", 4) &&
           !(length >= 3 && !strncmp(at + length - 3, "q=0", 3));
}

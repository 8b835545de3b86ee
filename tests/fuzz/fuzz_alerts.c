/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_alerts.c - any bytes as lines of the alert log: columns that a terminal can be shown once cleaned, or not one of ours. */
#include <stdlib.h>
#include <string.h>

#include "alert/log/reader.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(char *cell, size_t size)
{
    size_t n;

    if (strnlen(cell, size) == size)
        abort();
    n = strlen(qpw_text_clean(cell));
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)cell[i] < 0x20 || cell[i] == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct qpw_alert_filter everything = {.everything = true, .verdict = -1};
    const char *text = (const char *)data, *end = text + size;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline ? newline : end) - text);
        char *line = strndup(text, length); /* of its exact length */
        struct qpw_alert_row row;

        if (!line)
            abort();
        if (qpw_alert_read(line, strlen(line), &everything, &row) == QPW_ALERT_SHOWN) {
            for (size_t i = 0; i < QPW_ALERT_COLUMN_COUNT; i++)
                check(row.cell[i], sizeof(row.cell[i]));
            check(row.text, sizeof(row.text));
        }
        free(line);
        text += length + 1;
    }
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/text.h"

#include <stdbool.h>
#include <string.h>

size_t qpw_utf8_length(const unsigned char *p, size_t left)
{
    size_t length = *p < 0x80                 ? 1
                    : *p >= 0xc2 && *p < 0xe0 ? 2
                    : *p >= 0xe0 && *p < 0xf0 ? 3
                    : *p >= 0xf0 && *p < 0xf5 ? 4
                                              : 0;

    if (!length || length > left || (*p < 0x20 && *p != '\t') || *p == 0x7f)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
        (*p == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

char *qpw_text_clean(char *text)
{
    size_t left = strlen(text);

    for (unsigned char *p = (unsigned char *)text; left;) {
        size_t length = qpw_utf8_length(p, left);
        bool second_set = length == 2 && p[0] == 0xc2 && p[1] < 0xa0; /* U+0080 to U+009F are controls too */

        if (!length || *p == '\t' || second_set) {
            *p = '?';
            length = 1;
        }
        p += length;
        left -= length;
    }
    return text;
}

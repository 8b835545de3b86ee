/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/text.h"

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

wchar_t qpw_utf8_next(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    size_t length = qpw_utf8_length(p, strnlen(*text, 4));
    wchar_t ch;

    *text += length ? length : 1;
    if (length <= 1)
        return *p < 0x80 ? *p : L'?';
    ch = *p & 0x7f >> length;
    for (size_t i = 1; i < length; i++)
        ch = ch << 6 | (p[i] & 0x3f);
    return ch;
}

bool qpw_char_steers(wchar_t ch)
{
    return ch < 0x20 || (ch >= 0x7f && ch < 0xa0) ||               /* C0, delete, C1 */
           ch == 0x61c || ch == 0x200e || ch == 0x200f ||          /* directional marks */
           (ch >= 0x2028 && ch <= 0x202e) ||                       /* line and paragraph ends, embeddings, overrides */
           (ch >= 0x2066 && ch <= 0x2069) ||                       /* isolates */
           ch == 0xfeff || (ch >= 0xe0000 && ch <= 0xe007f);       /* byte order mark, tags */
}

int qpw_char_width(wchar_t ch)
{
    int width = ch < 0x80 ? 1 : wcwidth(ch);

    return width < 0 ? 1 : width;
}

int qpw_text_width(const char *text)
{
    int width = 0;

    while (*text)
        width += qpw_char_width(qpw_utf8_next(&text));
    return width;
}

char *qpw_text_cut(char *buf, size_t size, const char *text)
{
    static const char more[] = "…";
    size_t length = strlen(text), room = size - sizeof(more), at;

    if (length < size) {
        memmove(buf, text, length + 1);
        return buf;
    }
    for (at = room; at > 0 && text[at] != ' '; at--)
        ;
    if (!at) /* a single long word: cut at a character's boundary */
        for (at = room; at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80; at--)
            ;
    memmove(buf, text, at);
    memcpy(buf + at, more, sizeof(more));
    return buf;
}

char *qpw_text_clean(char *text)
{
    const char *in = text;
    char *out = text;

    while (*in) {
        const char *from = in;
        wchar_t ch = qpw_utf8_next(&in);

        if (qpw_char_steers(ch) || (ch == L'?' && *from != '?')) {
            *out++ = '?';
        } else {
            memmove(out, from, (size_t)(in - from));
            out += in - from;
        }
    }
    *out = '\0';
    return text;
}

char *qpw_hex(const uint8_t *bytes, size_t n, char *buf)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        buf[2 * i] = digits[bytes[i] >> 4];
        buf[2 * i + 1] = digits[bytes[i] & 15];
    }
    buf[2 * n] = '\0';
    return buf;
}

bool qpw_text_ends(const char *text, size_t length, const char *end)
{
    size_t n = strlen(end);

    return length > n && !memcmp(text + length - n, end, n);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/near.h"

#include <stdio.h>
#include <string.h>

#define MOST 2u
#define LONGEST 48u

struct qpw_near qpw_near_to(const char *word, size_t length)
{
    return (struct qpw_near){.word = word, .length = length};
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Return the number of edits between two words of at most LONGEST characters; swapping neighbours is one edit. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
    unsigned rows[3][LONGEST + 1], *before = rows[0], *above = rows[1], *row = rows[2], *spare;

    for (size_t j = 0; j <= m; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[m];
}

void qpw_near_offer(struct qpw_near *near, const char *known)
{
    size_t length = known ? strlen(known) : 0;
    unsigned d;

    if (!length || length > LONGEST || !near->length || near->length > LONGEST)
        return;
    d = distance(near->word, near->length, known, length);
    if (!d || d > MOST || (2 * d >= length && (d > 1 || length != 2 || near->length != 3)) || (near->best && d >= near->distance))
        return;
    near->best = known;
    near->distance = d;
}

const char *qpw_near_hint(const struct qpw_near *near, char *buf, size_t size)
{
    *buf = '\0';
    if (near->best)
        snprintf(buf, size, "; did you mean '%s'?", near->best);
    return buf;
}

const char *qpw_near_among(const char *word, const char *const known[], char *buf, size_t size)
{
    struct qpw_near near = qpw_near_to(word, strlen(word));

    for (; *known; known++)
        qpw_near_offer(&near, *known);
    return qpw_near_hint(&near, buf, size);
}

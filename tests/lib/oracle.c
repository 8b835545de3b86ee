/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "oracle.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/names.h"

#define COLUMNS 17

bool oracle_present(void)
{
    return access(ORACLE_CAPTURES "expected.tsv", R_OK) == 0;
}

static uint64_t microseconds(const char *text)
{
    char *dot, fraction[7] = "000000";
    uint64_t us = strtoull(text, &dot, 10) * 1000000;

    if (*dot != '.')
        return us;
    memcpy(fraction, dot + 1, strnlen(dot + 1, 6));
    return us + strtoull(fraction, NULL, 10);
}

static int number(const char *text)
{
    return strcmp(text, "-") ? atoi(text) : -1;
}

static void read_row(char *const field[COLUMNS], struct oracle_row *row)
{
    *row = (struct oracle_row){.protocol = -1};
    snprintf(row->how, sizeof(row->how), "%s", field[11]);
    if (strcmp(row->how, "nonip")) {
        row->protocol = atoi(field[2]);
        cr_assert_eq(qpw_address_parse(field[3], row->initiator), 0, "%s", field[3]);
        cr_assert_eq(qpw_address_parse(field[5], row->responder), 0, "%s", field[5]);
    }
    row->initiator_port = number(field[4]);
    row->responder_port = number(field[6]);
    for (int i = 0; i < 2; i++) {
        row->packets[i] = strtoull(field[7 + 2 * i], NULL, 10);
        row->bytes[i] = strtoull(field[8 + 2 * i], NULL, 10);
    }
    row->first_us = microseconds(field[14]);
    row->last_us = microseconds(field[15]);
    row->wrapped = strstr(field[16], "ppp") || strstr(field[16], "mpls");
}

/* Call `call` for each row of the table, split into columns. */
static void each_row(void (*call)(char *const field[COLUMNS], void *data), void *data)
{
    FILE *f = fopen(ORACLE_CAPTURES "expected.tsv", "re");
    char line[1024], *field[COLUMNS], *rest;

    cr_assert_not_null(f);
    cr_assert_not_null(fgets(line, sizeof(line), f));
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = '\0';
        rest = line;
        for (int i = 0; i < COLUMNS; i++)
            cr_assert_not_null(field[i] = strsep(&rest, "\t"), "a row with too few columns");
        call(field, data);
    }
    fclose(f);
}

struct reading {
    const char *capture;
    struct oracle_row *rows;
    struct oracle_name *names;
    size_t n;
};

static void row_of_capture(char *const field[COLUMNS], void *data)
{
    struct reading *r = data;

    if (strcmp(field[0], r->capture))
        return;
    cr_assert_lt(r->n, ORACLE_MAX_ROWS);
    read_row(field, &r->rows[r->n++]);
}

size_t oracle_read(const char *capture, struct oracle_row rows[ORACLE_MAX_ROWS])
{
    struct reading r = {.capture = capture, .rows = rows};

    each_row(row_of_capture, &r);
    return r.n;
}

static void name_of_row(char *const field[COLUMNS], void *data)
{
    struct reading *r = data;

    if (r->n && !strcmp(r->names[r->n - 1].capture, field[0]))
        return;
    cr_assert_lt(r->n, ORACLE_MAX_CAPTURES);
    snprintf(r->names[r->n++].capture, sizeof(r->names->capture), "%s", field[0]);
}

size_t oracle_captures(struct oracle_name names[ORACLE_MAX_CAPTURES])
{
    struct reading r = {.names = names};

    if (oracle_present())
        each_row(name_of_row, &r);
    return r.n;
}

struct pair {
    uint8_t a[16], b[16];
    uint64_t packets;
};

static int busier(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;

    return a->packets < b->packets ? 1 : a->packets > b->packets ? -1 : memcmp(a, b, 32);
}

static void count_pair(struct pair *pairs, size_t *n, const struct oracle_row *row)
{
    bool swap = memcmp(row->initiator, row->responder, 16) > 0;
    const uint8_t *a = swap ? row->responder : row->initiator, *b = swap ? row->initiator : row->responder;
    size_t i = 0;

    while (i < *n && (memcmp(pairs[i].a, a, 16) || memcmp(pairs[i].b, b, 16)))
        i++;
    if (i == *n) {
        memcpy(pairs[i].a, a, 16);
        memcpy(pairs[i].b, b, 16);
        pairs[i].packets = 0;
        (*n)++;
    }
    pairs[i].packets += row->packets[0] + row->packets[1];
}

size_t oracle_nodes(const struct oracle_row *rows, size_t n, uint8_t nodes[ORACLE_MAX_NODES][16])
{
    struct pair *pairs = calloc(n ? n : 1, sizeof(*pairs));
    size_t n_pairs = 0, n_nodes = 0;

    cr_assert_not_null(pairs);
    for (size_t i = 0; i < n; i++)
        if (rows[i].protocol >= 0)
            count_pair(pairs, &n_pairs, &rows[i]);
    qsort(pairs, n_pairs, sizeof(*pairs), busier);
    for (size_t i = 0; i < n_pairs && i < 2; i++)
        for (int end = 0; end < 2; end++) {
            const uint8_t *addr = end ? pairs[i].b : pairs[i].a;
            size_t known = 0;

            while (known < n_nodes && memcmp(nodes[known], addr, 16))
                known++;
            if (known == n_nodes)
                memcpy(nodes[n_nodes++], addr, 16);
        }
    free(pairs);
    return n_nodes;
}

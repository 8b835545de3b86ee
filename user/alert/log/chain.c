/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/chain.h"

#include <ctype.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/name_table.h"
#include "util/text.h"

#define NOTHING "0000000000000000000000000000000000000000000000000000000000000000"
#define DIGITS (QPW_LOG_CHAIN_SUM - 1)

/* Text before the fact in a line: in an alert's metadata, and in an engine record's variables. No value can contain it. */
static const char *const before[] = {"\"chain\":[\"", "{\"chain\":\""};

QPW_NAME_TABLE(qpw_log_chain_word_name, value, QPW_LOG_CHAIN_WORDS, QPW_LOG_CHAIN_WORD_COUNT, "invalid")

void qpw_log_chain_init(struct qpw_log_chain *chain)
{
    *chain = (struct qpw_log_chain){.sum = NOTHING};
}

const char *qpw_log_chain_text(const struct qpw_log_chain *chain, char buf[QPW_LOG_CHAIN_TEXT])
{
    snprintf(buf, QPW_LOG_CHAIN_TEXT, "%" PRIu64 ":%s", chain->number + 1, chain->sum);
    return buf;
}

/* Find the line's sum and its number; NULL: none. Takes the last kind found, which is ours. */
static const char *find_sum(const char *line, size_t length, uint64_t *ret_number)
{
    const char *found = NULL, *end = line + length;

    for (size_t i = 0; !found && i < sizeof(before) / sizeof(*before); i++) {
        const char *at = memmem(line, length, before[i], strlen(before[i]));
        size_t digits = 0, hex = 0;
        uint64_t number = 0;

        if (!at)
            continue;
        at += strlen(before[i]);
        for (; at + digits < end && isdigit((unsigned char)at[digits]) && digits < 19; digits++)
            number = 10 * number + (uint64_t)(at[digits] - '0');
        if (!digits || at + digits >= end || at[digits] != ':')
            continue;
        at += digits + 1;
        while (at + hex < end && hex < DIGITS && strchr("0123456789abcdef", at[hex]) && at[hex])
            hex++;
        if (hex < DIGITS || at + hex >= end || at[hex] != '"')
            continue;
        *ret_number = number;
        found = at;
    }
    return found;
}

/* Compute the sum of a line with the given sum in place of its own. */
static void sum_of(const char *line, size_t length, const char *sum_at, const char sum[QPW_LOG_CHAIN_SUM],
                   char ret[QPW_LOG_CHAIN_SUM])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx ctx;
    size_t head = (size_t)(sum_at - line);

    sha256_init(&ctx);
    sha256_update(&ctx, head, (const uint8_t *)line);
    sha256_update(&ctx, DIGITS, (const uint8_t *)sum);
    sha256_update(&ctx, length - head - DIGITS, (const uint8_t *)sum_at + DIGITS);
    sha256_digest(&ctx, sizeof(digest), digest);
    qpw_hex(digest, sizeof(digest), ret);
}

static size_t without_newline(const char *line, size_t length)
{
    return length && line[length - 1] == '\n' ? length - 1 : length;
}

bool qpw_log_chain_seal(const struct qpw_log_chain *chain, char *line, size_t length, struct qpw_log_chain *ret_next)
{
    struct qpw_log_chain next = {.number = chain->number + 1};
    uint64_t number;
    const char *sum_at;

    length = without_newline(line, length);
    sum_at = find_sum(line, length, &number);
    if (!sum_at || number != next.number || memcmp(sum_at, chain->sum, DIGITS))
        return false;
    sum_of(line, length, sum_at, chain->sum, next.sum);
    memcpy(line + (sum_at - line), next.sum, DIGITS);
    *ret_next = next;
    return true;
}

bool qpw_log_chain_read(const char *line, size_t length, struct qpw_log_chain *ret)
{
    struct qpw_log_chain read = {0};
    const char *sum_at = find_sum(line, without_newline(line, length), &read.number);

    if (!sum_at)
        return false;
    memcpy(read.sum, sum_at, DIGITS);
    *ret = read;
    return true;
}

enum qpw_log_chain_word qpw_log_chain_follow(struct qpw_log_chain *chain, const char *line, size_t length)
{
    struct qpw_log_chain came = *chain, first, stated = {0};
    char sum[QPW_LOG_CHAIN_SUM];
    const char *sum_at;

    length = without_newline(line, length);
    sum_at = find_sum(line, length, &stated.number);
    if (!sum_at)
        return QPW_LOG_CHAIN_ADDED;
    memcpy(stated.sum, sum_at, DIGITS);
    if (stated.number == 1) { /* the first record can be verified on its own */
        qpw_log_chain_init(&first);
        sum_of(line, length, sum_at, first.sum, sum);
        if (strcmp(sum, stated.sum))
            return QPW_LOG_CHAIN_CHANGED;
        *chain = stated;
        return came.number ? QPW_LOG_CHAIN_BEGINS : QPW_LOG_CHAIN_HOLDS;
    }
    if (!came.number) {
        *chain = stated;
        return QPW_LOG_CHAIN_BEGINS;
    }
    if (stated.number <= came.number)
        return QPW_LOG_CHAIN_MOVED;
    *chain = stated;
    if (stated.number > came.number + 1)
        return QPW_LOG_CHAIN_CUT;
    sum_of(line, length, sum_at, came.sum, sum);
    return strcmp(sum, stated.sum) ? QPW_LOG_CHAIN_CHANGED : QPW_LOG_CHAIN_HOLDS;
}

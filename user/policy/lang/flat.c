/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/flat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "policy/lang/statements.h"
#include "util/text.h"

#define BUILT_IN "built-in:"
#define ADDRESSES_A_LINE 16

static int read_again(const char *path, struct qpw_statements *ret)
{
    bool built_in = !strncmp(path, BUILT_IN, strlen(BUILT_IN));
    size_t length = 0;
    const char *text = built_in ? qpw_builtin_text(path + strlen(BUILT_IN), &length) : NULL;

    return text ? qpw_statements_read_text(ret, path, text, length, NULL) : qpw_statements_read_file(ret, path, NULL);
}

/* Also hash the lists that `addresses` statements name, after the statements. */
static int read_lists(struct qpw_statements *all)
{
    int r = 0;

    for (size_t i = 0; i < all->n && r == 0; i++) {
        const struct qpw_policy_statement *statement = &all->list[i];

        for (size_t j = 2; j < statement->n_words && r == 0 && !strcmp(statement->words[0].text, "addresses"); j++) {
            const char *path = qpw_word_value(&statement->words[j], "file");
            struct qpw_statements lines = {0};

            if (path)
                r = qpw_statements_read_list(all, &lines, path, statement->where.file, NULL);
            qpw_statements_clear(&lines);
        }
    }
    return r;
}

static bool is_same(struct sha256_ctx *ctx, const char *wanted)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    char text[2 * SHA256_DIGEST_SIZE + 1];

    sha256_digest(ctx, sizeof(digest), digest);
    qpw_hex(digest, sizeof(digest), text);
    return !strcmp(wanted, "") || !strcmp(wanted + strlen("sha256:"), text);
}

/* Write ranges as statements with a limited number of addresses each. */
static void write_ranges(FILE *out, const char *statement, const char *name, const struct qpw_addresses *addresses)
{
    char text[96];

    for (size_t i = 0; i < addresses->n; i++) {
        if (i % ADDRESSES_A_LINE == 0)
            fprintf(out, "%s%s %s", i ? "\n" : "", statement, name);
        fprintf(out, " %s", qpw_range_text(&addresses->ranges[i], text, sizeof(text)));
    }
    if (addresses->n)
        fputc('\n', out);
}

static const struct qpw_address_set *set_with_file(const struct qpw_policy *policy,
                                                   const struct qpw_policy_statement *statement)
{
    bool file = false;

    if (statement->n_words < 3 || strcmp(statement->words[0].text, "addresses"))
        return NULL;
    for (size_t i = 2; i < statement->n_words; i++)
        file |= qpw_word_value(&statement->words[i], "file") != NULL;
    for (size_t i = 0; file && i < policy->n_sets; i++)
        if (!strcmp(policy->sets[i].name, statement->words[1].text))
            return &policy->sets[i];
    return NULL;
}

/* Write a peer. A peer given without a name is named by its address, whose characters are not all allowed in a name. */
static void write_peer(FILE *out, const struct qpw_peer *peer)
{
    char name[QPW_NAME_LEN + 8];

    snprintf(name, sizeof(name), "%s%s", strchr("._+-:", peer->name[0]) ? "peer" : "", peer->name);
    for (char *c = name; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789._+-", *c))
            *c = '-';
    write_ranges(out, "peer", name, &peer->addresses);
}

static void write_policy(FILE *out, const struct qpw_policy *policy, const struct qpw_statements *statements)
{
    bool by_hand = false;

    for (size_t i = 0; i < statements->n; i++) {
        const struct qpw_address_set *set = set_with_file(policy, &statements->list[i]);

        if (set)
            write_ranges(out, "addresses", set->name, &set->addresses);
        else
            fprintf(out, "%s\n", statements->list[i].text);
    }
    for (size_t i = 0; i < policy->n_peers; i++) {
        if (!policy->peers[i].by_hand)
            continue;
        if (!by_hand)
            fprintf(out, "# Given beside the policy's file (--peer, --peers):\n");
        by_hand = true;
        write_peer(out, &policy->peers[i]);
    }
}

char *qpw_policy_flat(const struct qpw_policy *policy)
{
    struct qpw_statements statements = {0};
    char *text = NULL;
    size_t size;
    FILE *out;

    if (policy->path && read_again(policy->path, &statements) == 0 && read_lists(&statements) == 0 && !statements.faults.n &&
        is_same(&statements.digest, policy->digest)) {
        out = open_memstream(&text, &size);
        if (out)
            write_policy(out, policy, &statements);
        if (out && fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    qpw_statements_clear(&statements);
    return text;
}

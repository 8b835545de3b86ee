/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/flat.h"

#include <nettle/base16.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/statements.h"

#define BUILT_IN "built-in:"

static int read_again(const char *path, struct qpw_statements *ret)
{
    bool built_in = !strncmp(path, BUILT_IN, strlen(BUILT_IN));
    size_t length = 0;
    const char *text = built_in ? qpw_builtin_text(path + strlen(BUILT_IN), &length) : NULL;

    return text ? qpw_statements_read_text(ret, path, text, length, NULL) : qpw_statements_read_file(ret, path, NULL);
}

static bool is_same(struct sha256_ctx *ctx, const char *wanted)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    char text[2 * SHA256_DIGEST_SIZE + 1] = "";

    sha256_digest(ctx, sizeof(digest), digest);
    base16_encode_update(text, sizeof(digest), digest);
    return !strcmp(wanted, "") || !strcmp(wanted + strlen("sha256:"), text);
}

char *qpw_policy_flat(const struct qpw_policy *policy)
{
    struct qpw_statements statements = {0};
    char *text = NULL;
    size_t size;
    FILE *out;

    if (policy->path && read_again(policy->path, &statements) == 0 && !statements.faults.n &&
        is_same(&statements.digest, policy->digest)) {
        out = open_memstream(&text, &size);
        for (size_t i = 0; out && i < statements.n; i++)
            fprintf(out, "%s\n", statements.list[i].text);
        if (out && fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    qpw_statements_clear(&statements);
    return text;
}

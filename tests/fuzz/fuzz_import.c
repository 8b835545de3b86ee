/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_import.c - any bytes as a page: an error with its place, or a policy that parses; twice the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "policy/page/import.h"
#include "policy/lang/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qpw_import_options options = {.platform = "on-prem"};
    struct qpw_imported first = {0}, again = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    if (qpw_import_text("page", (const char *)data, size, &options, &first, &err) < 0) {
        if (strncmp(err.text, "page:", 5))
            abort();
        return 0;
    }
    if (qpw_import_text("page", (const char *)data, size, &options, &again, &err) < 0 ||
        strcmp(first.policy, again.policy))
        abort();
    if (qpw_policy_parse_text("made", first.policy, strlen(first.policy), &policy, &err) < 0)
        abort();
    qpw_policy_clear(&policy);
    qpw_imported_clear(&first);
    qpw_imported_clear(&again);
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_policy.c - any bytes as a policy: an error with its place, or something that compiles, judges and exports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/tools/check.h"
#include "policy/compile/compile.h"
#include "policy/tools/diff.h"
#include "policy/tools/export.h"
#include "policy/compile/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t no_interface(const char *name, void *data)
{
    return name[0] == 'e' ? 7 : 0;
}

static void judge(const struct qpw_compiled *compiled)
{
    static const uint8_t addr[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 5};
    struct qpw_judge *judge;

    if (qpw_judge_new(compiled, &judge) < 0)
        return;
    for (unsigned port = 0; port < 65536; port += 97) {
        struct qpw_exchange exchange = {.direction = QPW_DIR_INBOUND,
                                        .kind = QPW_KIND_PORT,
                                        .protocol = 6,
                                        .port = (uint16_t)port,
                                        .initiator = addr,
                                        .responder = addr};
        struct qpw_judgement answer = qpw_policy_judge(judge, &exchange);

        if (answer.verdict == QPW_VERDICT_NONE || answer.verdict >= QPW_VERDICT_COUNT)
            abort();
    }
    qpw_judge_free(judge);
}

static void use(struct qpw_policy *policy)
{
    struct qpw_compile_context context = {.now = 1800000000, .ifindex = no_interface};
    struct qpw_registry names = {0};
    struct qpw_compiled compiled = {0};
    struct qpw_differences differences = {0};
    struct qpw_remarks remarks = {0};
    FILE *null = fopen("/dev/null", "w");
    struct qpw_error err = {""};

    if (qpw_policy_compile(policy, &context, &names, &compiled, &err) == 0)
        judge(&compiled);
    else if (!*err.text)
        abort();
    if (policy->n_rules < 200) {
        qpw_policy_check(policy, 1800000000, &remarks);
        if (qpw_policy_diff(policy, policy, 1800000000, &differences) == 0 && differences.n)
            abort(); /* nothing differs from itself */
    }
    if (null) {
        qpw_policy_csv(policy, 1800000000, null);
        qpw_policy_nft(policy, 1800000000, null);
        json_decref(qpw_policy_json(policy, 1800000000));
        fclose(null);
    }
    qpw_differences_clear(&differences);
    qpw_remarks_clear(&remarks);
    qpw_compiled_clear(&compiled);
    qpw_registry_clear(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    /* No file of this machine is to be read through file= or include. */
    if (memmem(data, size, "file=", 5) || (memmem(data, size, "include", 7) && memmem(data, size, "/", 1)))
        return 0;
    if (qpw_policy_parse_text("fuzz", (const char *)data, size, &policy, &err) == 0)
        use(&policy);
    else if (strncmp(err.text, "fuzz:", 5) && strncmp(err.text, "built-in:", 9))
        abort(); /* an error without its place */
    qpw_policy_clear(&policy);
    return 0;
}

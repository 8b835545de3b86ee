/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/compile/compile.h"

#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile_int.h"

void qpw_compiled_clear(struct qpw_compiled *c)
{
    free(c->slots);
    free(c->chains);
    free(c->steps);
    free(c->sets);
    memset(c, 0, sizeof(*c));
}

static int compile_all(struct qpw_compiler *c)
{
    int error = qpw_compile_rows(c);

    error = error ? error : qpw_compile_infra(c);
    error = error ? error : qpw_compile_implied(c);
    error = error ? error : qpw_number_addresses(c);
    error = error ? error : qpw_sets_new(c);
    error = error ? error : qpw_compile_peers(c);
    return error ? error : qpw_compile_chains(c);
}

int qpw_policy_compile(const struct qpw_policy *policy, const struct qpw_compile_context *context,
                       struct qpw_registry *names, struct qpw_compiled *ret, struct qpw_error *err)
{
    struct qpw_compiler c = {.policy = policy, .context = context, .err = err};
    int error = qpw_registry_copy(names, &c.names, &c.index);

    error = error ? qpw_fail(err, error, "%s: out of memory", policy->path) : compile_all(&c);
    qpw_sets_free(c.sets);
    qpw_name_index_free(c.index);
    free(c.atoms);
    free(c.marks);
    if (error) {
        qpw_compiled_clear(&c.out);
        qpw_registry_clear(&c.names);
        return error;
    }
    qpw_registry_clear(names);
    *names = c.names;
    *ret = c.out;
    return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The built-in policies: files of policy/lang/builtin/, embedded into the program (embed.S). */
#include <string.h>

#include "policy/lang/policy.h"

extern const char qpw_builtin_on_prem[], qpw_builtin_on_prem_end[];
extern const char qpw_builtin_aws[], qpw_builtin_aws_end[];
extern const char qpw_builtin_azure[], qpw_builtin_azure_end[];
extern const char qpw_builtin_cnq_gcp[], qpw_builtin_cnq_gcp_end[];

static const struct {
    const char *name;
    const char *begin;
    const char *end;
    const char *guide;
} builtins[] = {
    {"aws", qpw_builtin_aws, qpw_builtin_aws_end,
     "Cloud Native Qumulo on AWS; Cloud Native Qumulo on Azure is documented under this name too"},
    {"azure", qpw_builtin_azure, qpw_builtin_azure_end,
     "Azure Native Qumulo, the managed service (for Cloud Native on Azure take aws)"},
    {"cnq-gcp", qpw_builtin_cnq_gcp, qpw_builtin_cnq_gcp_end, "Cloud Native Qumulo on Google Cloud"},
    {"on-prem", qpw_builtin_on_prem, qpw_builtin_on_prem_end, "Qumulo Core on premises"},
};
#define COUNT (sizeof(builtins) / sizeof(*builtins))

static unsigned find(const char *name)
{
    unsigned i = 0;

    while (i < COUNT && strcmp(builtins[i].name, name))
        i++;
    return i;
}

const char *qpw_builtin_text(const char *name, size_t *ret_length)
{
    unsigned i = find(name);

    if (i == COUNT)
        return NULL;
    *ret_length = (size_t)(builtins[i].end - builtins[i].begin);
    return builtins[i].begin;
}

const char *qpw_builtin_name(unsigned index)
{
    return index < COUNT ? builtins[index].name : NULL;
}

const char *qpw_builtin_guide(const char *name)
{
    unsigned i = find(name);

    return i == COUNT ? NULL : builtins[i].guide;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Built-in policies: files of policy/lang/builtin/, embedded into the program (embed.S). */
#include <string.h>

#include "policy/lang/policy.h"

#define TEXT(name) #name

#define BUILTIN(symbol, name, guide) extern const char qpw_builtin_##symbol[], qpw_builtin_##symbol##_end[];
#include "policy/lang/builtin/list.h"
#undef BUILTIN

static const struct {
    const char *name;
    const char *begin;
    const char *end;
    const char *guide;
} builtins[] = {
#define BUILTIN(symbol, name, guide) {TEXT(name), qpw_builtin_##symbol, qpw_builtin_##symbol##_end, guide},
#include "policy/lang/builtin/list.h"
#undef BUILTIN
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

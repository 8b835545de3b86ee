/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * page.h - any bytes as a page of one dialect: errors with their places, or a policy that parses and adds up; twice the
 * same bytes. What an error offers to choose from is chosen in a second run.
 */
#ifndef QPW_FUZZ_PAGE_H
#define QPW_FUZZ_PAGE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/policy.h"
#include "policy/page/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check_policy(const struct qpw_imported *imported)
{
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    if (qpw_policy_parse_draft("made", imported->policy, strlen(imported->policy), &policy, &err) < 0) {
        fprintf(stderr, "%s\n%s", err.text, imported->policy);
        abort();
    }
    for (size_t i = 0; i < policy.n_rules; i++) {
        const struct qpw_rule *rule = &policy.rules[i];
        size_t width = 0;

        for (size_t j = 0; j < rule->n_ports; j++)
            width += rule->ports[j].last - rule->ports[j].first + 1u;
        if (rule->flags & QPW_RULE_ANY_PROTOCOL) /* a page never says so */
            abort();
        if ((width > 4096 || (rule->flags & QPW_RULE_ANY_PORT && (rule->protocols[0] & (1 << 6 | 1 << 17)))) &&
            !(rule->flags & QPW_RULE_WEAK))
            abort();
    }
    qpw_policy_clear(&policy);
}

static inline void run(const char *name, const uint8_t *data, size_t size, const struct qpw_import_options *options,
                       struct qpw_imported *ret)
{
    char *text = malloc(size + 1); /* as a file is read: whole, with a NUL behind it */
    struct qpw_imported again = {0};
    struct qpw_error err = {""};
    int error;

    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    error = qpw_import_text(name, text, size, options, ret, &err);
    if (error < 0 ? ret->policy || !ret->errors.n || strncmp(err.text, "page", 4)
                  : !ret->policy || (ret->errors.n && !options->partial))
        abort();
    if (error == 0 && ret->rows != ret->taken + ret->others + ret->failed)
        abort();
    if (qpw_import_text(name, text, size, options, &again, &err) != error ||
        (error == 0 && strcmp(ret->policy, again.policy)))
        abort();
    if (error == 0)
        check_policy(ret);
    qpw_imported_clear(&again);
    free(text);
}

/* The words between the quotes of errors that offer `option`, up to `max`. Caller frees each. */
static inline size_t offered(const struct qpw_imported *imported, const char *option, char **words, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < imported->errors.n && n < max; i++) {
        const char *begin = strstr(imported->errors.list[i], option), *end;

        begin = begin ? begin + strlen(option) : NULL;
        end = begin ? strrchr(begin, '\'') : NULL;
        if (end)
            words[n++] = strndup(begin, (size_t)(end - begin));
    }
    return n;
}

static inline int fuzz_page(const char *name, const uint8_t *data, size_t size)
{
    struct qpw_import_options options = {.partial = true};
    struct qpw_imported first = {0}, second = {0};
    char *nodes[3], *sections[2];

    run(name, data, size, &options, &first);
    options.n_nodes = offered(&first, "--node '", nodes, 3);
    options.n_sections = offered(&first, "--section '", sections, 2);
    for (size_t i = 0; i < options.n_nodes; i++)
        options.nodes[i] = nodes[i];
    for (size_t i = 0; i < options.n_sections; i++)
        options.sections[i] = sections[i];
    if (options.n_nodes || options.n_sections)
        run(name, data, size, &options, &second);
    for (size_t i = 0; i < options.n_nodes; i++)
        free(nodes[i]);
    for (size_t i = 0; i < options.n_sections; i++)
        free(sections[i]);
    qpw_imported_clear(&first);
    qpw_imported_clear(&second);
    return 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The project's own pages: one per dialect, compared with the policy that it means; and small pages with traps,
 * compared with their complete result.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/policy.h"
#include "policy/lang/statements.h"
#include "policy/page/import.h"

#define FOLDER "tests/pages/"

static char *read_own(const char *path)
{
    struct qpw_error err = {""};
    size_t length;
    char *text;

    cr_assert(qpw_read_whole(path, &text, &length, &err) == 0, "%s", err.text);
    return text;
}

/* ---- A page in each dialect ---- */

static const struct {
    const char *page;
    const char *policy; /* file below expected/ */
    const char *node, *section;
    size_t rows, taken, others;
} pages[] = {
    {"kiln-gfm.md", "kiln-gfm", NULL, NULL, 8, 8, 0},
    {"heron.adoc", "heron", "Brokers", NULL, 6, 5, 1},
    {"tern-gitbook.md", "tern-gitbook", NULL, "Pair of gateways", 7, 5, 2},
    {"moss-tabs.mdx", "moss-tabs", NULL, "WireGuard", 5, 4, 1},
    {"quarry-sphinx.html", "quarry-sphinx", NULL, NULL, 4, 4, 0},
    {"osprey-html.md", "osprey-html", "Media server", NULL, 5, 4, 1},
    {"slate-spans.html", "slate-spans-data", "data", NULL, 6, 4, 2},
    {"slate-spans.html", "slate-spans-control", "control", NULL, 6, 4, 2},
    {"larch-list.rst", "larch-list", NULL, NULL, 5, 5, 0},
    {"finch-grid.rst", "finch-grid", NULL, NULL, 5, 5, 0},
    {"wren.csv", "wren", NULL, NULL, 4, 4, 0},
    {"cloud.tsv", "cloud", NULL, NULL, 4, 4, 0},
};

Test(own_pages, each_dialect_gives_the_policy_that_the_page_is)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        struct qpw_import_options options = {.vendor = "own"};
        struct qpw_imported imported = {0};
        struct qpw_policy policy = {0};
        struct qpw_error err = {""};
        char page[128], expected[128], *wanted;

        if (pages[i].node)
            options.nodes[options.n_nodes++] = pages[i].node;
        if (pages[i].section)
            options.sections[options.n_sections++] = pages[i].section;
        snprintf(page, sizeof(page), FOLDER "%s", pages[i].page);
        snprintf(expected, sizeof(expected), FOLDER "expected/%s.policy", pages[i].policy);
        wanted = read_own(expected);
        cr_assert(qpw_import_file(page, &options, &imported, &err) == 0, "%s", err.text);
        cr_assert(eq(str, imported.policy, wanted));
        cr_assert(eq(sz, imported.rows, pages[i].rows), "%s", page);
        cr_assert(eq(sz, imported.taken, pages[i].taken), "%s", page);
        cr_assert(eq(sz, imported.others, pages[i].others), "%s", page);
        cr_assert(qpw_policy_parse_draft(page, wanted, strlen(wanted), &policy, &err) == 0, "%s", err.text);
        qpw_policy_clear(&policy);
        qpw_imported_clear(&imported);
        free(wanted);
    }
}

/* Without the choice that a page requires, nothing is imported, and the error lists the words to choose from. */
Test(own_pages, a_choice_is_asked_for)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        const char *words = pages[i].node ? pages[i].node : pages[i].section;
        struct qpw_import_options options = {.partial = true};
        struct qpw_imported imported = {0};
        struct qpw_error err = {""};
        char page[128], offer[128];
        bool offered = false;

        if (!words)
            continue;
        snprintf(page, sizeof(page), FOLDER "%s", pages[i].page);
        snprintf(offer, sizeof(offer), "--%s '%s'", pages[i].node ? "node" : "section", words);
        cr_assert(qpw_import_file(page, &options, &imported, &err) < 0);
        cr_assert(imported.policy == NULL);
        for (size_t j = 0; j < imported.errors.n; j++)
            offered |= strstr(imported.errors.list[j], offer) != NULL;
        cr_assert(offered, "%s: %s", page, offer);
        qpw_imported_clear(&imported);
    }
}

/* ---- Small pages ---- */

/* Decode "\xNN" to a byte, in place. */
static void decode(char *text)
{
    char *out = text;

    for (const char *p = text; *p;) {
        char digits[3] = {p[0] && p[1] && p[2] ? p[2] : 0, p[0] && p[1] && p[2] ? p[3] : 0, 0};

        if (!strncmp(p, "\\x", 2) && isxdigit((unsigned char)digits[0]) && isxdigit((unsigned char)digits[1])) {
            *out++ = (char)strtoul(digits, NULL, 16);
            p += 4;
        } else {
            *out++ = *p++;
        }
    }
    *out = '\0';
}

static void write_lines(FILE *out, const char *kind, const struct qpw_lines *lines, const char *name)
{
    for (size_t i = 0; i < lines->n; i++)
        fprintf(out, "%s %s\n", kind, lines->list[i] + strlen(name) + 1);
}

/* Write the rules without ref=, with single blanks. */
static void write_rules(FILE *out, char *policy)
{
    for (char *save = NULL, *line = strtok_r(policy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *ref = strstr(line, " ref=");
        bool blank = false;

        if (strncmp(line, "inbound", 7) && strncmp(line, "outbound", 8))
            continue;
        if (ref)
            *ref = '\0';
        for (const char *p = line; *p; p++) {
            if (*p != ' ' || !blank)
                fputc(*p, out);
            blank = *p == ' ';
        }
        fputc('\n', out);
    }
}

/* Return the complete result for a page, in the format of the file of small pages. Caller frees. */
static char *outcome(const char *name, const char *page, const struct qpw_import_options *options)
{
    struct qpw_imported imported = {0};
    struct qpw_error err = {""};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert(out != NULL);
    qpw_import_text(name, page, strlen(page), options, &imported, &err);
    cr_assert(eq(sz, imported.rows, imported.taken + imported.others + imported.failed), "%s", page);
    write_lines(out, "warning", &imported.warnings, name);
    write_lines(out, "error", &imported.errors, name);
    if (imported.policy)
        write_rules(out, imported.policy);
    fclose(out);
    qpw_imported_clear(&imported);
    return text;
}

/* Parse "FILE [--node WORDS | --section WORDS]... : what". */
static void read_head(char *head, struct qpw_import_options *ret)
{
    char *end = strstr(head, " : "), *option;

    cr_assert(end != NULL, "%s", head);
    *end = '\0';
    for (option = strstr(head, " --"); option;) {
        char *next = strstr(option + 1, " --"), *words = strchr(option + 1, ' ');

        cr_assert(words != NULL, "%s", head);
        *option = '\0';
        if (!strncmp(option + 1, "--node ", 7))
            ret->nodes[ret->n_nodes++] = words + 1;
        else
            ret->sections[ret->n_sections++] = words + 1;
        option = next;
    }
}

static size_t check_small_pages(const char *path)
{
    char *text = read_own(path), *next = strstr(text, "\n@@@@ ");
    size_t n = 0;

    while (next) {
        struct qpw_import_options options = {.platform = NULL};
        char *head = next + strlen("\n@@@@ "), *page = strchr(head, '\n'), *wanted, *got;

        next = strstr(head, "\n@@@@ ");
        if (next)
            *next = '\0';
        cr_assert(page != NULL);
        *page++ = '\0';
        wanted = strstr(page, "\n@@@@\n");
        cr_assert(wanted != NULL, "%s", head);
        wanted[1] = '\0'; /* the page includes its last line end */
        wanted += strlen("\n@@@@\n");
        read_head(head, &options);
        decode(page);
        decode(wanted);
        got = outcome(head, page, &options);
        if (next) /* that line end became part of the next mark */
            got[strlen(got) - 1] = '\0';
        cr_assert(eq(str, got, wanted), "%s:\n%s", head + strlen(head) + 1, page);
        free(got);
        n++;
    }
    free(text);
    return n;
}

Test(own_pages, small_pages_are_never_wider_and_lose_nothing_in_silence)
{
    cr_assert(gt(sz, check_small_pages(FOLDER "small-pages.txt"), 250));
}

/* Restrictions of ports outside of, or beside, the cells of ports and protocols. */
Test(own_pages, restrictions_are_kept_or_said)
{
    cr_assert(gt(sz, check_small_pages(FOLDER "restrictions.txt"), 100));
}

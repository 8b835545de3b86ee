/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_policy_import.c - qportwatch policy import: turn a vendor's page of required ports into a policy. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/policy/policy_cmd.h"
#include "host/apart.h"
#include "host/confine.h"
#include "policy/lang/statements.h"
#include "policy/page/import.h"
#include "util/output.h"
#include "util/usage.h"
#include "words/numbers.h"
#include "words/printer.h"

enum { KEY_VENDOR = 0x100, KEY_PARTIAL, KEY_SECTION };

struct options {
    struct qpw_import_options import;
    const char *page;
    const char *output;
};

static void add_choice(const struct argp_state *state, const char **list, size_t *n, const char *option, const char *words)
{
    if (*n == QPW_MAX_CHOICES)
        qpw_usage_error(state, "%s: more than %d", option, QPW_MAX_CHOICES);
    if (!words[strspn(words, " \t\n")])
        qpw_usage_error(state, "%s: words of the page are missing", option);
    list[(*n)++] = words;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'P': o->import.platform = arg; return 0;
    case 'n': add_choice(state, o->import.nodes, &o->import.n_nodes, "--node", arg); return 0;
    case KEY_SECTION: add_choice(state, o->import.sections, &o->import.n_sections, "--section", arg); return 0;
    case KEY_VENDOR: o->import.vendor = arg; return 0;
    case KEY_PARTIAL: o->import.partial = true; return 0;
    case 'o': o->output = arg; return 0;
    case ARGP_KEY_ARG:
        if (o->page)
            qpw_usage_error(state, "one page at a time");
        o->page = arg;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (!o->page)
            qpw_usage_error(state, "missing page argument");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options_table[] = {
    {"node", 'n', "WORDS", 0,
     "What the page calls your node: a whole cell of a column such as Source, Destination, From, To, Hosts or Node type, "
     "or one item of a list in it (repeatable)", 0},
    {"section", KEY_SECTION, "WORDS", 0, "Heading or tab to use where the page has alternatives (repeatable)", 0},
    {"vendor", KEY_VENDOR, "NAME", 0, "First part of the policy's name; the file's name is the second", 0},
    {"partial", KEY_PARTIAL, NULL, 0, "Write the rest when rows cannot be read, with those rows as comments; exit with 1", 0},
    {"platform", 'P', "NAME", 0,
     "Platform whose rows are wanted on a page with conditions: on-prem (default), aws, azure, cnq-gcp, or another name of "
     "the page", 0},
    {"output", 'o', "FILE", 0, "Write to FILE instead of standard output (-)", 0},
    {0}};

static const char doc[] =
    "Turns a vendor's page of required ports into a policy that is never wider than the page.\v"
    "Reads Markdown (GitHub, Jekyll, GitBook, Docusaurus, MkDocs), HTML, AsciiDoc, reStructuredText, CSV and TSV, by the "
    "file's name or its text; a PAGE of - is standard input. A table counts if it has columns of ports and protocols; ports in prose, lists and listings "
    "are never taken.\n\n"
    "The direction comes from a Direction column, from the ends (with --node), from the table's caption or the line before "
    "it, or from the headings above. A Source or Destination becomes a named set of addresses, which is an error until "
    "you fill it in. Where a page names several nodes or alternatives, the error lists the words to choose from.\n\n"
    "Standard error has every row and column left out, and the count: rows taken, rows for others, rows that could not be "
    "read.\n\n"
    "Example:\n"
    "  qportwatch policy import ports.adoc --vendor acme --node 'Storage Nodes' --node 'All nodes' -o acme.policy\n\n"
    "Exit status: 0 done, 1 not written or --partial left rows out, 2 the page is at fault. See qportwatch-policy(5).";

static int write_output(const char *path, const char *text)
{
    struct qpw_output output;
    struct qpw_error err;
    int r = qpw_output_open(path, &output, &err);

    if (r == 0) {
        qpw_output_write(&output, text, strlen(text));
        r = qpw_output_close(&output, /* keep= */ true, &err);
    }
    if (r < 0)
        fprintf(stderr, "qportwatch policy import: %s\n", err.text);
    return r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}

/* Return whether the output would overwrite the page. */
static bool is_same_file(const char *page, const char *output)
{
    struct stat in, out;

    return output && stat(page, &in) == 0 && stat(output, &out) == 0 && S_ISREG(out.st_mode) && in.st_dev == out.st_dev &&
           in.st_ino == out.st_ino;
}

static void print_lines(const struct qpw_lines *lines, const char *kind)
{
    for (size_t i = 0; i < lines->n; i++) {
        const char *line = lines->list[i], *what = strstr(line, ": ");

        if (what && *kind)
            qpw_put_lines(stderr, "%.*s: %s%s", (int)(what - line), line, kind, what + 1);
        else
            qpw_put_lines(stderr, "%s", line);
    }
}

static void print_account(const char *page, const struct qpw_imported *imported)
{
    char rows[32], taken[16], others[16], errors[32];

    if (imported->rows)
        qpw_put_lines(stderr, "%s: %s in tables of ports: %s taken, %s for others, %s", page,
                      qpw_words_many(imported->rows, "row", rows, sizeof(rows)),
                      qpw_words_count(imported->taken, taken, sizeof(taken)),
                      qpw_words_count(imported->others, others, sizeof(others)),
                      qpw_words_many(imported->failed, "error", errors, sizeof(errors)));
}

/* Check before writing that the result is a valid policy, apart from empty sets. */
static int check(const char *text)
{
    struct qpw_policy policy = {0};
    struct qpw_error err;
    int r = qpw_policy_parse_draft("imported policy", text, strlen(text), &policy, &err);

    qpw_policy_clear(&policy);
    return r < 0 ? qpw_policy_fail("import", &err, QPW_EXIT_USAGE) : QPW_EXIT_OK;
}

/* The page's text and the resulting policy, in shared memory. */
struct work {
    struct options *o;
    char *page;
    size_t size, room;
    char *policy; /* initially empty */
};

/*
 * Parse the page in an unprivileged process, because it is untrusted. Returns an exit status; on success the policy is
 * in work->policy.
 */
static int import(void *arg)
{
    struct work *w = arg;
    const char *name = w->o->page;
    struct qpw_imported imported = {0};
    struct qpw_error err = {""};
    int status = QPW_EXIT_USAGE, r = qpw_import_text(name, w->page, w->size, &w->o->import, &imported, &err);

    print_lines(&imported.warnings, "warning:");
    print_lines(&imported.errors, "");
    print_account(name, &imported);
    if (r < 0 && !imported.errors.n)
        qpw_policy_fail("import", &err, QPW_EXIT_USAGE);
    if (r == 0)
        status = check(imported.policy);
    if (status == QPW_EXIT_OK && strlen(imported.policy) >= w->room) {
        fprintf(stderr, "qportwatch policy import: the policy would be longer than %zu bytes\n", w->room - 1);
        status = QPW_EXIT_USAGE;
    }
    if (status == QPW_EXIT_OK)
        memcpy(w->policy, imported.policy, strlen(imported.policy));
    if (status == QPW_EXIT_OK && imported.errors.n)
        status = QPW_EXIT_FAILED;
    qpw_imported_clear(&imported);
    return status;
}

#define ROOM_BYTES (16u << 20) /* for a policy: many times the longest page; untouched memory costs nothing */

static int import_apart(struct work *w)
{
    struct qpw_error err;
    int status;

    w->room = ROOM_BYTES + 8 * w->size;
    w->policy = mmap(NULL, w->room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (w->policy == MAP_FAILED) {
        fprintf(stderr, "qportwatch policy import: out of memory\n");
        return QPW_EXIT_FAILED;
    }
    status = qpw_apart_run(NULL, 0, qpw_confine_parser, import, w, &err);
    w->policy[w->room - 1] = '\0';
    if (err.text[0])
        fprintf(stderr, "qportwatch policy import: %s\n", err.text);
    else if (w->policy[0] && write_output(w->o->output, w->policy) != QPW_EXIT_OK)
        status = QPW_EXIT_FAILED;
    munmap(w->policy, w->room);
    return status;
}

int qpw_policy_import_main(int argc, char **argv)
{
    static const struct argp argp = {options_table, parse, "PAGE", doc, NULL, NULL, NULL};
    struct options o = {0};
    struct work w = {.o = &o};
    struct qpw_error err = {""};
    int status;

    qpw_arguments_parse(&argp, argc, argv, &o);
    if (!strcmp(o.page, "-"))
        o.page = "/dev/stdin";
    if (is_same_file(o.page, o.output)) {
        fprintf(stderr, "qportwatch policy import: --output %s is the page itself\n", o.output);
        return QPW_EXIT_USAGE;
    }
    if (qpw_read_stream(o.page, &w.page, &w.size, &err) < 0)
        return qpw_policy_fail("import", &err, QPW_EXIT_USAGE);
    status = import_apart(&w);
    free(w.page);
    return status;
}

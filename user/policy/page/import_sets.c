/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_sets.c - sets of addresses for the page's names of the other end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/lang/parse.h"
#include "policy/page/import_int.h"
#include "util/array.h"

static bool is_anybody(const char *cell)
{
    static const char *const words[] = {"all", "any", "*", "anywhere", "everyone", "any host", "all hosts", "any address",
                                        "all addresses", "any ip", "any ip address", "any source", "any destination",
                                        "0.0.0.0/0\n::/0", "0.0.0.0/0, ::/0", NULL};

    for (size_t i = 0; words[i]; i++)
        if (!strcasecmp(cell, words[i]))
            return true;
    return false;
}

/* "", "-", "Optional": not a name of an end. */
static bool is_unnamed(const char *cell)
{
    static const char *const words[] = {"", "-", "n/a", "na", "none", "optional", "required", "tbd", "various", "other",
                                        "varies", "?", NULL};
    char text[QPW_ITEM_SIZE];

    qpw_import_plain(cell, text, sizeof(text));
    for (size_t i = 0; words[i]; i++)
        if (!strcmp(text, words[i]))
            return true;
    return false;
}

/* Return the addresses if the cell has some in place of a name. Caller frees; NULL: it is a name. */
static char *addresses_in(const char *cell)
{
    char *copy = strdup(cell), *save = NULL, *text = NULL;
    size_t size;
    FILE *out = copy ? open_memstream(&text, &size) : NULL;
    bool all = out != NULL, some = false;

    for (char *item = copy ? strtok_r(copy, " ,;\n", &save) : NULL; item && all; item = strtok_r(NULL, " ,;\n", &save)) {
        struct qpw_range range;
        const char *why;

        all = qpw_range_parse(item, &range, &why) == 0;
        if (all)
            fprintf(out, "%s%s", some ? " " : "", item);
        some = true;
    }
    free(copy);
    if (out && fclose(out) != 0)
        all = false;
    if (all && some)
        return text;
    free(text);
    return NULL;
}

static bool name_is_taken(const struct qpw_importer *im, const char *name)
{
    for (size_t i = 0; i < im->n_sets; i++)
        if (!strcmp(im->sets[i].name, name))
            return true;
    return false;
}

static int add_set(struct qpw_importer *im, unsigned line, const char *name, const char *text, const char *cell)
{
    struct qpw_import_set *set = QPW_ADD(im->sets, im->n_sets);

    if (!set) {
        im->no_memory = true;
        return -1;
    }
    *set = (struct qpw_import_set){.text = strdup(text), .line = line, .addresses = addresses_in(cell)};
    snprintf(set->name, sizeof(set->name), "%.40s", *name ? name : "end");
    for (unsigned i = 2; name_is_taken(im, set->name) && i < 10000; i++)
        snprintf(set->name, sizeof(set->name), "%.40s-%u", *name ? name : "end", i);
    im->no_memory |= !set->text;
    return (int)im->n_sets++;
}

int qpw_import_set_of(struct qpw_importer *im, unsigned line, const char *cell, const char *column, const char *use)
{
    char text[QPW_ITEM_SIZE], name[QPW_ITEM_SIZE];
    bool unnamed = is_unnamed(cell);

    if (!unnamed && is_anybody(cell))
        return -1;
    if (!strcmp(cell, "0.0.0.0/0") || !strcmp(cell, "::/0"))
        return qpw_import_family_set(im, line, *cell == ':' ? 6 : 4);
    if (unnamed)
        snprintf(text, sizeof(text), "%.60s of \"%.100s\", which the page does not name", column, use);
    else
        qpw_import_plain(cell, text, sizeof(text));
    for (size_t i = 0; i < im->n_sets; i++)
        if (unnamed ? !strcmp(im->sets[i].text, text) : qpw_import_same_words(im->sets[i].text, cell))
            return (int)i;
    if (unnamed) {
        char of[QPW_ITEM_SIZE];

        snprintf(of, sizeof(of), "unnamed %.12s %.100s", column, use);
        qpw_import_slug(of, name, sizeof(name));
    } else {
        qpw_import_slug(cell, name, sizeof(name));
    }
    return add_set(im, line, name, unnamed ? text : cell, unnamed ? "" : cell);
}

int qpw_import_family_set(struct qpw_importer *im, unsigned line, unsigned family)
{
    const char *text = family == 4 ? "0.0.0.0/0" : "::/0";

    for (size_t i = 0; i < im->n_sets; i++)
        if (!strcmp(im->sets[i].text, text))
            return (int)i;
    return add_set(im, line, family == 4 ? "ipv4" : "ipv6", text, text);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import_ends.c - the ends that a page names: which of them is the node, and a set of addresses for the other.
 *
 * Words are whole cells or whole items of a list in a cell, never a part: "Storage Nodes" is not "Storage Nodes with ADC".
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/lang/parse.h"
#include "policy/page/import_int.h"

#define ITEM_SIZE 256

/* ---- Words ---- */

/* Lower case, single blanks, no "(s)", no marks at the end. */
static void plain(const char *text, char *ret, size_t size)
{
    size_t used = 0;

    for (const char *p = text; *p && used + 2 < size; p++) {
        if (!strncasecmp(p, "(s)", 3)) {
            ret[used++] = 's';
            p += 2;
        } else if (isspace((unsigned char)*p)) {
            if (used && ret[used - 1] != ' ')
                ret[used++] = ' ';
        } else if (strncmp(p, "\xef\xbf\xbc", 3)) {
            ret[used++] = (char)tolower((unsigned char)*p);
        } else {
            p += 2;
        }
    }
    while (used && strchr(" *.:;,", ret[used - 1]))
        used--;
    ret[used] = '\0';
}

bool qpw_import_same_words(const char *a, const char *b)
{
    char left[ITEM_SIZE], right[ITEM_SIZE];
    size_t n, m;

    plain(a, left, sizeof(left));
    plain(b, right, sizeof(right));
    n = strlen(left);
    m = strlen(right);
    if (n > m + 1 || m > n + 1 || !n || !m)
        return false;
    if (n == m)
        return !strcmp(left, right);
    return n > m ? left[n - 1] == 's' && !strncmp(left, right, m) : right[m - 1] == 's' && !strncmp(left, right, n);
}

/* Words that tie a list's items together: what stands behind them may hold for all. */
static bool is_bound(const char *cell)
{
    static const char *const words[] = {"on", "for", "with", "in", "of", "at", "that", "from", "to", "except",
                                        "excluding", "without", "only", "not", "if", "when", "via", "through", "between",
                                        NULL};

    for (size_t i = 0; words[i]; i++)
        if (qpw_has_words(cell, words[i]))
            return true;
    return false;
}

/* What parts the items at p: its length, or 0. */
static size_t list_mark(const char *p, bool bound)
{
    static const char *const words[] = {" and ", " or ", " & ", NULL};

    if (*p == '\n')
        return 1;
    if (bound)
        return 0;
    if (strchr(",;/&", *p))
        return 1;
    for (size_t i = 0; words[i]; i++)
        if (!strncasecmp(p, words[i], strlen(words[i])))
            return strlen(words[i]) - 1; /* its last blank may begin the next mark */
    return 0;
}

bool qpw_import_next_item(const char **at, const char *cell, char *ret, size_t size)
{
    bool bound = is_bound(cell);
    size_t used = 0;
    int depth = 0;

    while (**at && (isspace((unsigned char)**at) || list_mark(*at, bound)))
        (*at)++;
    if (!strncasecmp(*at, "and ", 4) || !strncasecmp(*at, "or ", 3))
        *at += strcspn(*at, " ");
    while (isspace((unsigned char)**at))
        (*at)++;
    while (**at) {
        size_t mark = depth > 0 ? 0 : list_mark(*at, bound);

        if (mark) {
            *at += mark;
            break;
        }
        depth += (**at == '(') - (**at == ')' && depth > 0);
        if (used + 1 < size)
            ret[used++] = **at;
        (*at)++;
    }
    while (used && isspace((unsigned char)ret[used - 1]))
        used--;
    ret[used] = '\0';
    return used > 0;
}

/* The last word of the last item: "Nodes" in "Admin/Storage Nodes" belongs to "Admin", too. */
static void shared_noun(const char *cell, char *ret, size_t size)
{
    char item[ITEM_SIZE], last[ITEM_SIZE] = "";
    const char *blank;
    size_t n = 0;

    for (const char *at = cell; qpw_import_next_item(&at, cell, item, sizeof(item)); n++)
        memcpy(last, item, sizeof(last));
    blank = strrchr(last, ' ');
    snprintf(ret, size, "%s", n > 1 && blank ? blank : "");
}

/* Whether the word is the cell or an item of it. */
static bool is_in(const char *cell, const char *word)
{
    char item[ITEM_SIZE], noun[ITEM_SIZE], with[2 * ITEM_SIZE];

    if (qpw_import_same_words(cell, word))
        return true;
    shared_noun(cell, noun, sizeof(noun));
    for (const char *at = cell; qpw_import_next_item(&at, cell, item, sizeof(item));) {
        if (qpw_import_same_words(item, word))
            return true;
        snprintf(with, sizeof(with), "%s%s", item, noun);
        if (*noun && !strchr(item, ' ') && qpw_import_same_words(with, word))
            return true;
    }
    return false;
}

bool qpw_import_is_node(struct qpw_importer *im, const char *cell)
{
    bool found = false;

    for (size_t i = 0; i < im->options->n_nodes; i++)
        if (is_in(cell, im->options->nodes[i])) {
            im->nodes_used[i] = true;
            found = true;
        }
    return found;
}

/* ---- Which words there are to choose from ---- */

struct offer {
    char *text;
    unsigned lines[6];
    size_t n;
};

static void list_lines(const struct offer *offer, char *ret, size_t size)
{
    size_t used = (size_t)snprintf(ret, size, "line%s ", offer->n > 1 ? "s" : "");

    for (size_t i = 0; i < offer->n && i < 5 && used < size; i++)
        used += (size_t)snprintf(ret + used, size - used, "%s%u", i ? ", " : "", offer->lines[i]);
    if (offer->n > 5 && used < size)
        snprintf(ret + used, size - used, " …");
}

static void add_offer(struct qpw_importer *im, struct offer **offers, size_t *n, const char *text, unsigned line)
{
    struct offer *more;

    if (!*text)
        return;
    for (size_t i = 0; i < *n; i++)
        if (qpw_import_same_words((*offers)[i].text, text)) {
            struct offer *same = &(*offers)[i];

            if (same->n < 6 && same->lines[same->n - 1] != line)
                same->lines[same->n++] = line;
            return;
        }
    if (*n >= 200)
        return;
    more = reallocarray(*offers, *n + 1, sizeof(*more));
    if (!more) {
        im->no_memory = true;
        return;
    }
    *offers = more;
    more[*n] = (struct offer){.text = strdup(text), .lines = {line}, .n = 1};
    im->no_memory |= !more[*n].text;
    *n += more[*n].text != NULL;
}

static void clear_offers(struct offer *offers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(offers[i].text);
    free(offers);
}

/* The hosts of a list are offered one by one. */
static void add_hosts(struct qpw_importer *im, struct offer **offers, size_t *n, const char *cell, unsigned line)
{
    char item[ITEM_SIZE];

    for (const char *at = cell; qpw_import_next_item(&at, cell, item, sizeof(item));)
        add_offer(im, offers, n, item, line);
}

/* Cells of the columns that name ends, or their titles. */
static void collect(struct qpw_importer *im, const struct qpw_import_table *table, struct offer **offers, size_t *n)
{
    static const enum qpw_column columns[] = {QPW_COLUMN_HOSTS, QPW_COLUMN_SOURCE, QPW_COLUMN_DESTINATION};
    int client = qpw_import_column(table, QPW_COLUMN_CLIENT_PORT), server = qpw_import_column(table, QPW_COLUMN_PORT);

    if (table->client_server) {
        add_offer(im, offers, n, table->names[server], table->line);
        add_offer(im, offers, n, table->names[client], table->line);
        return;
    }
    for (size_t row = table->first; row < table->end; row++)
        for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
            const struct qpw_part *part = &im->page.parts[row];
            int column = qpw_import_column(table, columns[i]);

            if (column >= 0 && (size_t)column < part->n_cells)
                (i ? add_offer : add_hosts)(im, offers, n, part->cells[column].text, part->line);
        }
}

/* ---- Tables whose node has to be chosen ---- */

/* "Intercluster LIF", "node-mgmt LIFs": a logical interface is an address of the one node, not another kind of node. */
static bool is_interface(const char *cell)
{
    char item[ITEM_SIZE];
    bool all = *cell != '\0';

    for (const char *at = cell; all && qpw_import_next_item(&at, cell, item, sizeof(item));)
        all = qpw_has_words(item, "LIF") || qpw_has_words(item, "LIFs");
    return all;
}

/* Under one direction, with nothing but interfaces on the node's side that the other side never names. */
static bool names_own_interfaces(const struct qpw_importer *im, const struct qpw_import_table *table)
{
    int source = qpw_import_column(table, QPW_COLUMN_SOURCE), destination = qpw_import_column(table, QPW_COLUMN_DESTINATION);
    bool inbound = table->directions == 1u << QPW_DIR_INBOUND, outbound = table->directions == 1u << QPW_DIR_OUTBOUND;
    int own = inbound ? destination : source, other = inbound ? source : destination;

    if ((!inbound && !outbound) || own < 0 || other < 0 || qpw_import_column(table, QPW_COLUMN_DIRECTION) >= 0)
        return false;
    for (size_t i = table->first; i < table->end; i++) {
        const struct qpw_part *row = &im->page.parts[i];

        if (row->n_cells != table->n_columns || !is_interface(row->cells[own].text))
            return false;
        for (size_t j = table->first; j < table->end; j++)
            if (im->page.parts[j].n_cells == table->n_columns &&
                qpw_import_same_words(im->page.parts[j].cells[other].text, row->cells[own].text))
                return false;
    }
    return true;
}

static bool needs_node(const struct qpw_importer *im, const struct qpw_import_table *table)
{
    bool source = qpw_import_column(table, QPW_COLUMN_SOURCE) >= 0;
    bool destination = qpw_import_column(table, QPW_COLUMN_DESTINATION) >= 0;
    bool direction = qpw_import_column(table, QPW_COLUMN_DIRECTION) >= 0;

    if (table->client_server || qpw_import_column(table, QPW_COLUMN_HOSTS) >= 0)
        return true;
    if (source && destination)
        return !table->own_interfaces;
    /* One column of ends is the node's own where the traffic goes the other way. */
    return (source && (direction || table->directions & 1u << QPW_DIR_OUTBOUND)) ||
           (destination && (direction || table->directions & 1u << QPW_DIR_INBOUND));
}

static void ask(struct qpw_importer *im, const struct qpw_import_table *first, const struct offer *offers, size_t n)
{
    qpw_import_error(im, first->line,
                     "this page is about several nodes: choose yours with --node WORDS (repeatable) from these words");
    for (size_t i = 0; i < n; i++) {
        char lines[96];

        list_lines(&offers[i], lines, sizeof(lines));
        qpw_import_error(im, offers[i].lines[0], "--node '%s' (%s)", offers[i].text, lines);
    }
}

/* A word that is nowhere only leaves rows out; where all of them are, it is a mistake. */
static void check_used(struct qpw_importer *im, const struct qpw_import_table *first, const struct offer *offers, size_t n)
{
    bool used = false;

    for (size_t i = 0; i < im->options->n_nodes; i++)
        used |= im->nodes_used[i];
    for (size_t i = 0; i < im->options->n_nodes; i++) {
        if (im->nodes_used[i])
            continue;
        if (used)
            qpw_import_warn(im, first->line, "--node '%s' is no whole cell or item of a list here", im->options->nodes[i]);
        else
            qpw_import_error(im, first ? first->line : 1,
                             first ? "--node '%s' is no whole cell or item of a list here; choose from these words"
                                   : "--node '%s': no table of this page names nodes",
                             im->options->nodes[i]);
    }
    for (size_t i = 0; i < n && !used && im->options->n_nodes; i++)
        qpw_import_error(im, offers[i].lines[0], "--node '%s'", offers[i].text);
}

void qpw_import_check_nodes(struct qpw_importer *im)
{
    const struct qpw_import_table *first = NULL;
    struct offer *offers = NULL;
    size_t n = 0;

    for (size_t i = 0; i < im->n_tables && !im->no_memory; i++) {
        struct qpw_import_table *table = &im->tables[i];

        table->own_interfaces = names_own_interfaces(im, table);
        table->needs_node = needs_node(im, table);
        if (!table->needs_node)
            continue;
        if (!first)
            first = table;
        collect(im, table, &offers, &n);
    }
    for (size_t i = 0; i < n; i++)
        qpw_import_is_node(im, offers[i].text);
    if (first && !im->options->n_nodes)
        ask(im, first, offers, n);
    check_used(im, first, offers, n);
    clear_offers(offers, n);
}

/* ---- Sets ---- */

static bool is_anybody(const char *cell)
{
    static const char *const words[] = {"all", "any", "*", "anywhere", "everyone", "any host", "all hosts", "any address",
                                        "all addresses", "any ip", "any ip address", "any source", "any destination",
                                        "0.0.0.0/0", "::/0", "0.0.0.0/0\n::/0", "0.0.0.0/0, ::/0", NULL};

    for (size_t i = 0; words[i]; i++)
        if (!strcasecmp(cell, words[i]))
            return true;
    return false;
}

/* "", "-", "Optional": no name of an end. */
static bool is_unnamed(const char *cell)
{
    static const char *const words[] = {"", "-", "n/a", "na", "none", "optional", "required", "tbd", "various", "other",
                                        "varies", "?", NULL};
    char text[ITEM_SIZE];

    plain(cell, text, sizeof(text));
    for (size_t i = 0; words[i]; i++)
        if (!strcmp(text, words[i]))
            return true;
    return false;
}

static void slug(const char *text, char *ret, size_t size)
{
    size_t used = 0;

    for (const char *p = text; *p && used + 1 < size; p++) {
        if (isalnum((unsigned char)*p) && (unsigned char)*p < 0x80)
            ret[used++] = (char)tolower((unsigned char)*p);
        else if (used && ret[used - 1] != '-')
            ret[used++] = '-';
    }
    while (used && ret[used - 1] == '-')
        used--;
    ret[used] = '\0';
}

/* Addresses in place of a name: they are the set. Caller frees; NULL: it is a name. */
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
    void *array = im->sets;
    struct qpw_import_set *set = qpw_grow(&array, im->n_sets, sizeof(*set));

    if (!set) {
        im->no_memory = true;
        return -1;
    }
    im->sets = array;
    *set = (struct qpw_import_set){.text = strdup(text), .line = line, .addresses = addresses_in(cell)};
    snprintf(set->name, sizeof(set->name), "%.40s", *name ? name : "end");
    for (unsigned i = 2; name_is_taken(im, set->name) && i < 10000; i++)
        snprintf(set->name, sizeof(set->name), "%.40s-%u", *name ? name : "end", i);
    im->no_memory |= !set->text;
    return (int)im->n_sets++;
}

int qpw_import_set_of(struct qpw_importer *im, unsigned line, const char *cell, const char *column, const char *use)
{
    char text[ITEM_SIZE], name[ITEM_SIZE];
    bool unnamed = is_unnamed(cell);

    if (!unnamed && is_anybody(cell))
        return -1;
    if (unnamed)
        snprintf(text, sizeof(text), "%.60s of \"%.100s\", which the page does not name", column, use);
    else
        plain(cell, text, sizeof(text));
    for (size_t i = 0; i < im->n_sets; i++)
        if (unnamed ? !strcmp(im->sets[i].text, text) : qpw_import_same_words(im->sets[i].text, cell))
            return (int)i;
    if (unnamed) {
        char of[ITEM_SIZE];

        snprintf(of, sizeof(of), "unnamed %.12s %.100s", column, use);
        slug(of, name, sizeof(name));
    } else {
        slug(cell, name, sizeof(name));
    }
    return add_set(im, line, name, unnamed ? text : cell, unnamed ? "" : cell);
}

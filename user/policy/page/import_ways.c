/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_ways.c - find the direction of a row for this node, and its other end. */
#include <errno.h>
#include <stdio.h>

#include "policy/page/import_reading.h"

static int add_way(struct qpw_reading *r, uint8_t direction, enum qpw_page_column column)
{
    const char *cell = qpw_reading_cell_of(r, column);
    int set = cell ? qpw_import_set_of(r->im, r->part->line, cell, qpw_reading_name_of(r, column), r->row->purpose) : -1;

    set = qpw_reading_restricted_set(r, direction, set);
    for (size_t i = 0; i < r->n_ways; i++)
        if (r->ways[i].direction == direction && r->ways[i].set == set)
            return 0;
    if (r->n_ways < sizeof(r->ways) / sizeof(*r->ways)) {
        r->ways[r->n_ways].direction = direction;
        r->ways[r->n_ways++].set = set;
    }
    return 0;
}

static unsigned column_directions(const struct qpw_reading *r)
{
    unsigned bits = 0;

    for (size_t i = 0; i < r->n_directions; i++)
        bits |= 1u << r->directions[i];
    return bits;
}

/* Return whether the cell that names an end is the node. Negative: the row fails. */
static int is_node(struct qpw_reading *r, enum qpw_page_column column)
{
    const char *cell = qpw_reading_cell_of(r, column);
    enum qpw_import_match match = qpw_import_is_node(r->im, cell);

    if (match == QPW_IMPORT_MATCH_UNCLEAR)
        return qpw_reading_fail(r, qpw_reading_name_of(r, column), "may restrict the node, or leave it out: '%.100s'", cell);
    return match == QPW_IMPORT_MATCH;
}

static int no_node(struct qpw_reading *r, enum qpw_page_column column)
{
    return qpw_reading_fail(r, qpw_reading_name_of(r, column), "no node is named here");
}

/* Compare source and destination with the node's names; warn about a direction that contradicts them. */
static int two_ends(struct qpw_reading *r)
{
    const char *source = qpw_reading_cell_of(r, QPW_COLUMN_SOURCE), *destination = qpw_reading_cell_of(r, QPW_COLUMN_DESTINATION);
    int from = is_node(r, QPW_COLUMN_SOURCE), to = from < 0 ? from : is_node(r, QPW_COLUMN_DESTINATION);
    unsigned stated = column_directions(r), both = 1u << QPW_DIR_INBOUND | 1u << QPW_DIR_OUTBOUND;

    if (r->table->own_interfaces)
        return add_way(r, r->table->directions == 1u << QPW_DIR_INBOUND ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND,
                       r->table->directions == 1u << QPW_DIR_INBOUND ? QPW_COLUMN_SOURCE : QPW_COLUMN_DESTINATION);
    if (from < 0 || to < 0)
        return -EINVAL;
    if (!from && !to)
        return qpw_reading_leave(r, source, " to ", destination);
    if (to)
        add_way(r, QPW_DIR_INBOUND, QPW_COLUMN_SOURCE);
    if (from)
        add_way(r, QPW_DIR_OUTBOUND, QPW_COLUMN_DESTINATION);
    if (stated == both && from != to) /* "Both": the other end may initiate, too */
        return add_way(r, to ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND, to ? QPW_COLUMN_SOURCE : QPW_COLUMN_DESTINATION);
    if (stated && stated != both && from != to && stated != 1u << (to ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND))
        qpw_import_warn(r->im, r->part->line, "'%.80s': the direction is the other end's; by its ends, this is %s",
                        r->row->purpose, to ? "inbound" : "outbound");
    return 0;
}

/* At most one column of ends: it names the other end, or the node itself for the opposite direction. */
static int one_end(struct qpw_reading *r, unsigned directions)
{
    const char *skipped = NULL;

    for (unsigned direction = QPW_DIR_INBOUND; direction <= QPW_DIR_OUTBOUND; direction++) {
        bool inbound = direction == QPW_DIR_INBOUND;
        enum qpw_page_column column = inbound ? QPW_COLUMN_DESTINATION : QPW_COLUMN_SOURCE;
        const char *own = qpw_reading_cell_of(r, column);
        int node = own && directions & 1u << direction ? is_node(r, column) : 1;

        if (node < 0 || (!node && !*own))
            return node < 0 ? node : no_node(r, column);
        if (!(directions & 1u << direction))
            continue;
        if (!node) {
            skipped = own;
            continue;
        }
        add_way(r, (uint8_t)direction,
                qpw_reading_cell_of(r, QPW_COLUMN_REMOTE) ? QPW_COLUMN_REMOTE : inbound ? QPW_COLUMN_SOURCE : QPW_COLUMN_DESTINATION);
    }
    return r->n_ways ? 0 : qpw_reading_leave(r, skipped ? skipped : "", "", NULL);
}

/*
 * Pair "storage, control" with "ingress, egress" item by item; a single host has all directions, a single direction
 * applies to all hosts.
 */
static int hosts(struct qpw_reading *r, unsigned *directions)
{
    const char *cell = qpw_reading_cell_of(r, QPW_COLUMN_HOSTS);
    static const char *const both[] = {"both", "bidirectional", "bi-directional", NULL}; /* for each host, no list */
    size_t n = 0, at_host;
    char item[256];
    int node = is_node(r, QPW_COLUMN_HOSTS);

    if (node < 0 || !*cell)
        return node < 0 ? node : no_node(r, QPW_COLUMN_HOSTS);
    if (!node)
        return qpw_reading_leave(r, cell, "", NULL);
    for (const char *at = cell; qpw_import_next_item(&at, cell, item, sizeof(item));)
        n++;
    if (n < 2 || r->n_directions < 2 || qpw_has_any_of(qpw_reading_cell_of(r, QPW_COLUMN_DIRECTION), both))
        return 0;
    if (n != r->n_directions)
        return qpw_reading_fail(r, qpw_reading_name_of(r, QPW_COLUMN_HOSTS), "%zu hosts beside %zu directions: which goes which way?", n,
                    r->n_directions);
    *directions = at_host = 0;
    for (const char *at = cell; qpw_import_next_item(&at, cell, item, sizeof(item)); at_host++)
        if (at_host < r->n_directions && qpw_import_is_node(r->im, item) == QPW_IMPORT_MATCH)
            *directions |= 1u << r->directions[at_host];
    if (!*directions)
        return qpw_reading_fail(r, qpw_reading_name_of(r, QPW_COLUMN_HOSTS), "which of the directions is this node's?");
    qpw_import_warn(r->im, r->part->line,
                    "'%.80s': several hosts beside several directions are read in pairs, the narrower reading",
                    r->row->purpose);
    return 0;
}

/* A row with marks is for the nodes or versions in whose columns it has one. Negative: it is for others. */
static int check_marks(struct qpw_reading *r)
{
    char names[128] = "";
    size_t used = 0;
    bool marked = false, any = false;

    for (size_t i = 0; i < r->table->n_columns; i++) {
        if (r->table->titles[i].column != QPW_COLUMN_MARK)
            continue;
        any = true;
        if (!qpw_import_has_mark(r->part->cells[i].text))
            continue;
        marked |= qpw_import_is_node(r->im, r->table->names[i]) == QPW_IMPORT_MATCH;
        if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%.40s", used ? ", " : "", r->table->names[i]);
    }
    return !any || marked ? 0 : qpw_reading_leave(r, names, "", NULL);
}

/*
 * Return whether the row's text contradicts its direction: "NTP (outbound only)" in a table of inbound ports;
 * "Outbound" in a column named Flow.
 */
static bool contradicts(const struct qpw_reading *r, unsigned directions)
{
    static const char *const inbound[] = {"inbound only", "ingress only", "incoming only", "only inbound", "only incoming", NULL};
    static const char *const by_node[] = {"initiated by the node", "initiated by the cluster", "initiated by the system",
                                          "server to client", "server-to-client", NULL};
    static const char *const outbound[] = {"outbound only", "egress only", "outgoing only", "only outbound", "only outgoing",
                                           NULL};

    for (size_t i = 0; i < r->part->n_cells; i++) {
        const char *text = r->part->cells[i].text;
        uint8_t list[8];
        unsigned stated = 0;

        if (!qpw_reading_is_prose(r->table->titles[i].column))
            continue;
        for (size_t n = qpw_directions_of(text, list); n > 0; n--) /* an unrecognized column of directions */
            stated |= 1u << list[n - 1];
        if (stated && directions & ~stated)
            return true;
        if (directions == 1u << QPW_DIR_INBOUND && qpw_has_any_of(text, by_node))
            return true;
        if (((directions & 1u << QPW_DIR_INBOUND && qpw_has_any_of(text, outbound)) ||
             (directions & 1u << QPW_DIR_OUTBOUND && qpw_has_any_of(text, inbound))))
            return true;
    }
    return false;
}

int qpw_reading_find_ways(struct qpw_reading *r)
{
    const char *direction = qpw_reading_cell_of(r, QPW_COLUMN_DIRECTION);
    unsigned directions = r->table->directions;

    if (direction) {
        r->n_directions = qpw_directions_of(direction, r->directions);
        if (!r->n_directions)
            return qpw_reading_fail(r, qpw_reading_name_of(r, QPW_COLUMN_DIRECTION), "'%.60s' is not a direction", direction);
        directions = column_directions(r);
    }
    r->row->directions = directions;
    if (contradicts(r, directions))
        return qpw_reading_fail(r, NULL, "the row's text says another direction");
    if (check_marks(r) < 0)
        return -EINVAL;
    if (r->table->client_server) {
        if (qpw_import_is_node(r->im, qpw_reading_name_of(r, QPW_COLUMN_PORT)))
            add_way(r, QPW_DIR_INBOUND, QPW_COLUMN_SOURCE);
        if (qpw_import_is_node(r->im, qpw_reading_name_of(r, QPW_COLUMN_CLIENT_PORT)))
            add_way(r, QPW_DIR_OUTBOUND, QPW_COLUMN_DESTINATION);
        return r->n_ways ? 0 : qpw_reading_leave(r, qpw_reading_name_of(r, QPW_COLUMN_PORT), "", NULL);
    }
    if (qpw_reading_cell_of(r, QPW_COLUMN_HOSTS) && hosts(r, &directions) < 0)
        return -EINVAL;
    if (qpw_reading_cell_of(r, QPW_COLUMN_SOURCE) && qpw_reading_cell_of(r, QPW_COLUMN_DESTINATION))
        return two_ends(r);
    if (directions)
        return one_end(r, directions);
    r->row->state = QPW_ROW_FAILED; /* already reported for the whole table */
    return -EINVAL;
}

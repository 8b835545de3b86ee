/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cluster/comparison.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/document.h"
#include "util/names.h"
#include "words/difference.h"
#include "words/json.h"
#include "words/table.h"
#include "words/words.h"

#define NODES 16u      /* with so many, each has a line */
#define ADDRESSES 32u
#define RULES 24u

/* ---- For people ---- */

static int print_nodes(const struct qpw_comparison *c, uint64_t now_unix_ns, const struct qpw_printer *p)
{
    static const struct qpw_table_column columns[] = {{"NODE"}, {"STATED"}, {"ANSWER"}, {"VERSION"}, {"POLICY"}, {"MONITORS"},
                                                      {"FILE", .optional = true}};
    QPW_CLEANUP(qpw_table_clear)
    struct qpw_table t = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    char stated[32], devices[160], digest[24];
    int r = 0;

    for (size_t i = 0; r == 0 && i < c->n_nodes && c->n_nodes <= NODES; i++) {
        const struct qpw_statement *s = c->nodes[i];
        const char *cells[] = {s->node, qpw_words_moment(s->at_unix_ns, now_unix_ns, stated, sizeof(stated)), s->answer, s->version,
                               qpw_format(digest, sizeof(digest), "%.15s", s->policy.digest), devices, s->source};

        qpw_stated_devices(s, "", devices, sizeof(devices));
        r = qpw_table_add(&t, strcmp(s->answer, "CLEAN") ? QPW_TEXT_DOUBT : QPW_TEXT_PLAIN, cells);
    }
    if (r < 0)
        return r;
    return qpw_table_print(&t, p);
}

static void print_differences(const struct qpw_comparison *c, const struct qpw_printer *p)
{
    char text[QPW_DIFFERENCE_BYTES], command[400];

    for (size_t i = 0; i < c->n_differences; i++) {
        const struct qpw_difference *d = &c->differences[i];

        qpw_print_styled_item(p, qpw_difference_kind_name(qpw_difference_kind(d->what)),
                              qpw_difference_kind(d->what) == QPW_DIFFERENCE_PAIR ? QPW_TEXT_BAD : QPW_TEXT_DOUBT,
                              qpw_words_difference(d, text));
        if (*qpw_words_difference_command(d, command, sizeof(command)))
            qpw_print_item(p, "", "%s", command);
    }
}

static void print_pairs(const struct qpw_comparison *c, const struct qpw_printer *p)
{
    uint64_t opened = 0, agreed = 0;
    char count[48], all[48];

    for (size_t i = 0; i < c->n_pairs; i++) {
        opened += c->pairs[i].opened;
        agreed += c->pairs[i].agreed;
    }
    qpw_words_many(c->n_pairs, "direction", all, sizeof(all));
    qpw_print_item(p, "packets", "%s of %s between nodes compared", qpw_words_count(c->by_state[QPW_PAIR_COMPARED], count, sizeof(count)),
                   all);
    for (unsigned state = QPW_PAIR_COMPARED + 1; state < QPW_PAIR_STATE_COUNT; state++)
        if (c->by_state[state])
            qpw_print_item(p, "", "%s not compared: %s", qpw_words_count(c->by_state[state], count, sizeof(count)),
                           qpw_words_uncompared(state));
    if (opened)
        qpw_print_item(p, "directions", "%s of %s exchanges between nodes are said by both ends to be opened by the same",
                       qpw_words_count(agreed, count, sizeof(count)), qpw_words_count(opened, all, sizeof(all)));
}

static void print_addresses(const struct qpw_comparison *c, uint64_t now_unix_ns, const struct qpw_printer *p)
{
    char addr[64], since[32], moves[48];

    for (size_t i = 0; i < c->n_addresses && i < ADDRESSES; i++) {
        const struct qpw_held_address *a = &c->addresses[i];

        qpw_address_text(a->addr, addr, sizeof(addr));
        qpw_words_moment(a->since_unix_ns, now_unix_ns, since, sizeof(since));
        if (a->moves)
            qpw_print_item(p, i ? "" : "floating", "%s on %s since %s at the latest; moved: %s", addr, a->holder, since,
                           qpw_words_many(a->moves, "time", moves, sizeof(moves)));
        else
            qpw_print_item(p, i ? "" : "floating", "%s on %s", addr, a->holder);
    }
    if (c->n_addresses > ADDRESSES)
        qpw_print_item(p, "", "and %zu more", c->n_addresses - ADDRESSES);
}

static void print_unused(const struct qpw_comparison *c, const struct qpw_printer *p)
{
    struct qpw_list list;

    if (!c->n_unused)
        return;
    qpw_list_begin(&list, p, RULES, "unused");
    for (size_t i = 0; i < c->n_unused; i++)
        qpw_list_add(&list, "%s", c->unused[i]);
    qpw_list_end(&list);
}

int qpw_comparison_text(const struct qpw_comparison *c, uint64_t now_unix_ns, const struct qpw_printer *p)
{
    char nodes[48], differences[48];

    qpw_words_many(c->n_nodes, "node", nodes, sizeof(nodes));
    if (c->n_differences)
        qpw_print(p, QPW_TEXT_BAD, "%s, %s", nodes, qpw_words_many(c->n_differences, "difference", differences, sizeof(differences)));
    else
        qpw_print(p, QPW_TEXT_GOOD, "%s, no differences", nodes);
    qpw_print_end(p);
    print_differences(c, p);
    print_pairs(c, p);
    print_addresses(c, now_unix_ns, p);
    print_unused(c, p);
    if (c->older)
        qpw_print_item(p, "files", "%zu of them are older statements of the same nodes, used for addresses alone", c->older);
    return print_nodes(c, now_unix_ns, p);
}

/* ---- As a document ---- */

static json_t *nodes_json(const struct qpw_comparison *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->n_nodes; i++) {
        const struct qpw_statement *s = c->nodes[i];

        json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "node", qpw_json_text(s->node), "file",
                                              qpw_json_text(s->source), "epoch", qpw_json_text(s->epoch), "seq",
                                              qpw_json_number(s->seq), "at", qpw_json_time(s->at_unix_ns), "version",
                                              qpw_json_text(s->version), "policy", qpw_json_text(s->policy.digest), "answer",
                                              qpw_json_text(s->answer)));
    }
    return list;
}

static void set_balance(json_t *o, const struct qpw_balance *b)
{
    json_object_update_new(o, json_pack("{s:o,s:o,s:o,s:o}", "sent", qpw_json_number(b->sent), "received", qpw_json_number(b->received),
                                        "tolerance", qpw_json_number(b->tolerance), "span_us", qpw_json_number(b->to_us - b->from_us)));
}

static json_t *difference_json(const struct qpw_difference *d)
{
    char text[QPW_DIFFERENCE_BYTES], command[400];
    json_t *nodes = json_array(), *o;

    for (size_t i = 0; i < d->n_nodes; i++)
        json_array_append_new(nodes, qpw_json_text(d->nodes[i]));
    o = json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "kind", qpw_difference_kind_name(qpw_difference_kind(d->what)), "what",
                  qpw_difference_name(d->what), "nodes", nodes, "text", qpw_json_text(qpw_words_difference(d, text)), "command",
                  qpw_json_text(qpw_words_difference_command(d, command, sizeof(command))), "subject", qpw_json_text(d->subject), "value",
                  qpw_json_text(d->value), "usual", qpw_json_text(d->usual), "count", qpw_json_number(d->count), "of",
                  qpw_json_number(d->of));
    if (qpw_difference_kind(d->what) == QPW_DIFFERENCE_PAIR)
        set_balance(o, &d->balance);
    return o;
}

static json_t *pairs_json(const struct qpw_comparison *c)
{
    json_t *list = json_array(), *o;

    for (size_t i = 0; i < c->n_pairs; i++) {
        const struct qpw_pair_result *p = &c->pairs[i];

        o = json_pack("{s:o,s:o,s:s,s:o,s:o}", "from", qpw_json_text(p->from->node), "to", qpw_json_text(p->to->node), "state",
                      p->state == QPW_PAIR_COMPARED ? qpw_conserved_name(p->balance.word) : qpw_pair_state_name(p->state), "opened",
                      qpw_json_number(p->opened), "agreed", qpw_json_number(p->agreed));
        if (p->state == QPW_PAIR_COMPARED)
            set_balance(o, &p->balance);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *addresses_json(const struct qpw_comparison *c)
{
    json_t *list = json_array();
    char addr[64];

    for (size_t i = 0; i < c->n_addresses; i++)
        json_array_append_new(list, json_pack("{s:s,s:o,s:o,s:o}", "address",
                                              qpw_address_text(c->addresses[i].addr, addr, sizeof(addr)), "holder",
                                              qpw_json_text(c->addresses[i].holder), "since",
                                              qpw_json_time(c->addresses[i].since_unix_ns), "moves",
                                              qpw_json_number(c->addresses[i].moves)));
    return list;
}

json_t *qpw_comparison_json(const struct qpw_comparison *c)
{
    json_t *o = qpw_document("qportwatch.cluster-compare/1"), *differences = json_array(), *unused = json_array();
    uint64_t from = UINT64_MAX, to = 0;

    for (size_t i = 0; i < c->n_nodes; i++) {
        from = c->nodes[i]->at_unix_ns < from ? c->nodes[i]->at_unix_ns : from;
        to = c->nodes[i]->at_unix_ns > to ? c->nodes[i]->at_unix_ns : to;
    }
    if (c->n_nodes)
        qpw_document_set_period(o, "", from, to);
    for (size_t i = 0; i < c->n_differences; i++)
        json_array_append_new(differences, difference_json(&c->differences[i]));
    for (size_t i = 0; i < c->n_unused; i++)
        json_array_append_new(unused, qpw_json_text(c->unused[i]));
    json_object_update_new(o, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "nodes", nodes_json(c), "differences", differences, "pairs",
                                        pairs_json(c), "addresses", addresses_json(c), "unused_rules", unused, "older", qpw_json_number(c->older)));
    return o;
}

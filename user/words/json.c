/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/json.h"

#include "util/document.h"
#include "util/names.h"
#include "words/coverage.h"
#include "words/words.h"

#define LIMIT ((1ull << 53) - 1)

json_t *qpw_json_number(uint64_t value)
{
    return json_integer((json_int_t)(value < LIMIT ? value : LIMIT));
}

json_t *qpw_json_or_null(uint64_t value)
{
    return value ? qpw_json_number(value) : json_null();
}

json_t *qpw_json_protocol(unsigned kind, unsigned protocol, unsigned port)
{
    const char *name = qpw_protocol_name(protocol);
    char buf[32];

    if (kind == QPW_KIND_NONE)
        return json_null();
    if (kind == QPW_KIND_ETHERTYPE)
        return qpw_json_text(qpw_protocol_text(kind, protocol, port, buf, sizeof(buf)));
    return name ? qpw_json_text(name) : qpw_json_number(protocol);
}

void qpw_json_set_service(json_t *o, unsigned kind, unsigned protocol, unsigned port)
{
    json_object_set_new(o, "protocol", qpw_json_protocol(kind, protocol, port));
    json_object_set_new(o, "port", kind == QPW_KIND_PORT ? qpw_json_or_null(port) : json_null());
    if (kind == QPW_KIND_ICMP)
        json_object_set_new(o, "icmp_type", qpw_json_number(port));
}

void qpw_json_set_counts(json_t *o, const struct qpw_counts *counts)
{
    json_object_set_new(o, "connections", qpw_json_number(counts->connections));
    json_object_set_new(o, "rx_packets", qpw_json_number(counts->rx_packets));
    json_object_set_new(o, "rx_bytes", qpw_json_number(counts->rx_bytes));
    json_object_set_new(o, "tx_packets", qpw_json_number(counts->tx_packets));
    json_object_set_new(o, "tx_bytes", qpw_json_number(counts->tx_bytes));
}

json_t *qpw_json_totals(const struct qpw_totals *t)
{
    json_t *verdicts = json_object(), *directions = json_object();

    for (unsigned i = 0; i < QPW_VERDICT_COUNT; i++)
        if ((i != QPW_VERDICT_NONE && i != QPW_VERDICT_MISMATCH) || t->by_verdict[i].packets) /* no packet has these */
            json_object_set_new(verdicts, qpw_verdict_name(i), qpw_json_number(t->by_verdict[i].packets));
    for (unsigned i = 0; i < QPW_DIR_COUNT; i++)
        json_object_set_new(directions, qpw_direction_name(i), qpw_json_number(t->by_direction[i].packets));
    return json_pack("{so so so so}", "packets", qpw_json_number(t->all.packets), "bytes",
                     qpw_json_number(t->all.bytes), "by_verdict", verdicts, "by_direction", directions);
}

json_t *qpw_json_interface(const struct qpw_iface_row *row)
{
    return json_pack("{so so so sb sb}", "name", qpw_json_text(row->name), "mode", qpw_json_text(qpw_words_mode(row->hook)),
                     "why", qpw_json_text(row->why), "attached", (int)row->attached, "up", (int)row->up);
}

json_t *qpw_json_events(const struct qpw_snapshot *s, uint64_t since_unix_ns)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_coverage; i++) {
        const struct qpw_coverage *c = &s->coverage[i];

        if (c->unix_ns >= since_unix_ns)
            json_array_append_new(list, json_pack("{so ss so so so}", "time", qpw_json_time(c->unix_ns), "event",
                                                  qpw_coverage_name(c->kind), "interface",
                                                  qpw_json_text(qpw_snapshot_iface(s, c->iface)), "text",
                                                  qpw_json_text(c->text), "by", c->by[0] ? qpw_json_text(c->by) : json_null()));
    }
    return list;
}

json_t *qpw_json_unwatched(const struct qpw_snapshot *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_unwatched; i++)
        json_array_append_new(list, json_pack("{so so so}", "name", qpw_json_text(s->unwatched[i].name), "rx_packets",
                                              qpw_json_number(s->unwatched[i].rx_packets), "tx_packets",
                                              qpw_json_number(s->unwatched[i].tx_packets)));
    return list;
}

json_t *qpw_json_inventory(const struct qpw_snapshot *s)
{
    static const char *const states[] = {"monitored", "seen-elsewhere", "loopback", "down", "unmonitored", "gone"};
    json_t *list = json_array();
    char why[128];

    for (size_t i = 0; i < s->n_inventory; i++) {
        const struct qpw_inventory_row *row = &s->inventory[i];

        json_array_append_new(list, json_pack("{so so ss so ss}", "name", qpw_json_text(row->name), "kind", qpw_json_text(row->kind),
                                              "state", states[row->state], "at", qpw_json_text(row->at), "why",
                                              qpw_words_link_state(row, why, sizeof(why))));
    }
    return list;
}

json_t *qpw_json_notes(const struct qpw_snapshot *s)
{
    json_t *list = json_array();
    char text[QPW_NOTE_TEXT];

    for (size_t i = 0; i < s->n_notes; i++)
        json_array_append_new(list, qpw_json_text(qpw_words_note(&s->notes[i], text)));
    return list;
}

json_t *qpw_json_losses(const struct qpw_snapshot *s)
{
    json_t *o = json_object();

    for (unsigned i = QPW_LOSS_NONE + 1; i < QPW_LOSS_COUNT; i++)
        json_object_set_new(o, qpw_loss_name(i), qpw_json_number(s->losses[i]));
    return o;
}

json_t *qpw_json_tables(const struct qpw_snapshot *s)
{
    json_t *list = json_array();

    for (unsigned i = QPW_CLASS_NONE + 1; i < QPW_CLASS_COUNT; i++) {
        const struct qpw_table_row *t = &s->tables[i];

        json_array_append_new(list, json_pack("{ss so so so so so so}", "name", qpw_class_name(i), "entries",
                                              qpw_json_number(t->entries), "capacity", qpw_json_number(t->capacity),
                                              "opened", qpw_json_number(t->opened), "closed", qpw_json_number(t->closed),
                                              "expired", qpw_json_number(t->expired), "evicted",
                                              qpw_json_number(t->evicted)));
    }
    return list;
}

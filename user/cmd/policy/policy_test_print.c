/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/policy/policy_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/policy/policy_cmd.h"
#include "util/document.h"
#include "util/names.h"
#include "words/table.h"
#include "words/words.h"

static json_t *address_json(const uint8_t addr[16], bool known)
{
    char text[64];

    return known ? json_string(qpw_address_text(addr, text, sizeof(text))) : json_null();
}

static bool knows_initiator(const struct qpw_what_if_row *row)
{
    return row->by_address && !(row->remote_only && row->direction == QPW_DIR_OUTBOUND);
}

static bool knows_responder(const struct qpw_what_if_row *row)
{
    return row->by_address && !(row->remote_only && row->direction == QPW_DIR_INBOUND);
}

int qpw_policy_test_json(const struct qpw_what_if *result, const struct qpw_tested *tested, const struct qpw_policy *candidate,
                         struct qpw_error *err)
{
    json_t *rows = json_array(), *document;
    char protocol[16];

    for (size_t i = 0; i < result->n; i++) {
        const struct qpw_what_if_row *row = &result->rows[i];
        json_t *o = json_object();

        json_object_set_new(o, "direction", json_string(qpw_direction_name(row->direction)));
        json_object_set_new(
            o, "protocol",
            json_string(qpw_protocol_text(row->kind, row->protocol, row->port, protocol, sizeof(protocol))));
        json_object_set_new(o, "port", row->kind == QPW_KIND_PROTOCOL ? json_null() : json_integer(row->port));
        json_object_set_new(o, "initiator", address_json(row->initiator, knows_initiator(row)));
        json_object_set_new(o, "responder", address_json(row->responder, knows_responder(row)));
        json_object_set_new(o, "old_verdict", json_string(qpw_verdict_name(row->old_verdict)));
        json_object_set_new(o, "new_verdict",
                            row->uncertain ? json_null() : json_string(qpw_verdict_name(row->new_verdict)));
        json_object_set_new(o, "old_rule", *row->old_rule ? json_string(row->old_rule) : json_null());
        json_object_set_new(o, "new_rule", *row->new_rule ? json_string(row->new_rule) : json_null());
        json_object_set_new(o, "connections", row->connections_unknown ? json_null() : json_integer((json_int_t)row->connections));
        json_object_set_new(o, "packets", row->packets_unknown ? json_null() : json_integer((json_int_t)row->packets));
        json_array_append_new(rows, o);
    }
    document = qpw_document("qportwatch.policy-test/1");
    qpw_document_set_period(document, tested->host, tested->from_ns, tested->to_ns);
    if (tested->interfaces)
        json_object_set(document, "interfaces", tested->interfaces);
    json_object_set(document, "answer", tested->answer);
    qpw_document_set_policy(document, candidate->name, candidate->digest, candidate->source_digest);
    json_object_set_new(document, "old_policy", qpw_json_text(tested->policy));
    json_object_set_new(document, "new_policy", qpw_json_text(candidate->name));
    json_object_set_new(document, "packets", json_integer((json_int_t)result->packets));
    json_object_set_new(document, "changed", json_integer((json_int_t)result->changed));
    json_object_set_new(document, "uncertain", json_integer((json_int_t)result->uncertain));
    json_object_set_new(document, "rows", rows);
    return qpw_policy_print(document, err);
}

static int add_row(struct qpw_table *table, const struct qpw_what_if_row *row)
{
    char service[48], initiator[64] = "", responder[64] = "", connections[24] = "-", packets[24] = "-";
    const char *cells[] = {qpw_direction_name(row->direction),
                           service,
                           initiator,
                           responder,
                           qpw_verdict_name(row->old_verdict),
                           row->uncertain ? "depends" : qpw_verdict_name(row->new_verdict),
                           row->old_rule,
                           row->new_rule,
                           connections,
                           packets};

    qpw_words_service(row->kind, row->protocol, row->port, service, sizeof(service));
    if (row->by_address) {
        snprintf(initiator, sizeof(initiator), "this node");
        snprintf(responder, sizeof(responder), "this node");
    }
    if (knows_initiator(row))
        qpw_address_text(row->initiator, initiator, sizeof(initiator));
    if (knows_responder(row))
        qpw_address_text(row->responder, responder, sizeof(responder));
    if (!row->connections_unknown)
        qpw_words_count(row->connections, connections, sizeof(connections));
    if (!row->packets_unknown)
        qpw_words_count(row->packets, packets, sizeof(packets));
    return qpw_table_add(table,
                         row->uncertain                               ? QPW_TEXT_DOUBT
                         : row->new_verdict == QPW_VERDICT_UNEXPECTED ? QPW_TEXT_BAD
                                                                      : QPW_TEXT_PLAIN,
                         cells);
}

int qpw_policy_test_table(const struct qpw_what_if *result, const struct qpw_tested *tested, const struct qpw_policy *candidate,
                          struct qpw_error *err)
{
    static const struct qpw_table_column columns[] = {
        {"direction"},
        {"service"},
        {"initiator", .wrap = true},
        {"responder", .wrap = true},
        {"now"},
        {"then"},
        {"rule now", .optional = true},
        {"rule then", .optional = true},
        {"connections", .right = true, .optional = true},
        {"packets", .right = true},
    };
    struct qpw_table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    struct qpw_printer p = qpw_printer_of(stdout);
    char names[2][352], changed[24], all[40];
    int r = 0;

    qpw_words_many(result->packets, "packet", all, sizeof(all));
    qpw_print_line(&p, "What %s would have said instead of %s: %s of %s would get a different verdict%s",
                   qpw_words_policy(candidate->name, candidate->path, names[0], sizeof(names[0])),
                   qpw_words_policy(tested->policy, tested->path, names[1], sizeof(names[1])),
                   qpw_words_count(result->changed, changed, sizeof(changed)), all,
                   result->uncertain ? "; others depend on addresses, by which allowed packets are not counted" : "");
    for (size_t i = 0; i < result->n && r == 0; i++)
        r = add_row(&table, &result->rows[i]);
    if (r == 0)
        r = qpw_table_print(&table, &p);
    qpw_table_clear(&table);
    return r < 0 ? qpw_fail(err, r, "out of memory") : 0;
}

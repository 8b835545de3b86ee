/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* row_facts.c - a row as the filter sees it: its facts, and all its text as words. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "util/names.h"
#include "view/row_subject.h"

void qpw_row_facts(const struct qpw_model *m, const struct qpw_row *row, struct qpw_facts *ret)
{
    struct qpw_row_subject t = qpw_row_subject_of(row);
    const struct qpw_conn *conn = row->kind == QPW_ROW_CONNECTION ? &((const struct qpw_connection *)row->source)->conn
                                                                  : NULL;
    bool has_port = t.kind == QPW_KIND_PORT || t.kind == QPW_KIND_ICMP || t.kind == QPW_KIND_ETHERTYPE;

    *ret = (struct qpw_facts){
        .non_ip = t.kind == QPW_KIND_ETHERTYPE,
        .protocol = t.protocol,
        .direction = t.direction,
        .verdict = t.verdict,
        .outcome = t.finding ? t.finding->outcome : conn ? conn->outcome : QPW_OUTCOME_NONE,
        .evidence = t.finding ? t.finding->evidence : conn ? conn->evidence : QPW_EVIDENCE_NONE,
        .severity = row->severity,
        .port = conn && (t.kind != QPW_KIND_PORT || t.direction == QPW_DIR_UNKNOWN) ? QPW_NO_PORT
                : has_port && (t.port || t.kind == QPW_KIND_ICMP)                    ? t.port : QPW_NO_PORT,
        .vlan = t.vlan,
        .from = t.initiator,
        .to = t.responder,
        .process = "",
        .peer = qpw_model_peer(m, t.peer),
        .rule = qpw_model_rule(m, t.rule),
        .reason = t.reason ? qpw_reason_name(t.reason) : "",
        .iface = qpw_model_iface(m, t.iface),
        .words = "",
    };
}

const char *qpw_row_process(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size)
{
    const struct qpw_process *owner;

    *buf = '\0';
    if (row->kind == QPW_ROW_FINDING)
        snprintf(buf, size, "%s", qpw_model_process(m, row->source));
    else if (row->kind == QPW_ROW_CONNECTION)
        snprintf(buf, size, "%s", qpw_model_connection_process(m, row));
    else if (row->kind == QPW_ROW_LISTENER) {
        owner = &((const struct qpw_listening_row *)row->source)->listener->owner;
        snprintf(buf, size, "%s %s %s", owner->match == QPW_MATCH_KERNEL ? "kernel" : owner->pid ? owner->name : "",
                 owner->exe, owner->unit);
    }
    return buf;
}

const char *qpw_row_words(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size)
{
    static const enum qpw_column_id of_findings[] = {
        QPW_COL_SEVERITY, QPW_COL_SERVICE, QPW_COL_FROM, QPW_COL_TO,   QPW_COL_OUTCOME, QPW_COL_VERDICT,
        QPW_COL_EVIDENCE, QPW_COL_REASON,  QPW_COL_RULE, QPW_COL_PEER, QPW_COL_IFACE,   QPW_COL_PROCESS};
    static const enum qpw_column_id of_meters[] = {QPW_COL_SERVICE, QPW_COL_VERDICT, QPW_COL_REASON, QPW_COL_RULE,
                                                   QPW_COL_PEER, QPW_COL_IFACE};
    static const enum qpw_column_id of_peers[] = {QPW_COL_PEER, QPW_COL_STATE, QPW_COL_FAMILY, QPW_COL_BUSIEST,
                                                  QPW_COL_OUTSIDE};
    static const enum qpw_column_id of_rules[] = {QPW_COL_RULE, QPW_COL_VERDICT, QPW_COL_STATEMENT, QPW_COL_WHERE,
                                                  QPW_COL_LAST};
    static const enum qpw_column_id of_connections[] = {QPW_COL_SERVICE, QPW_COL_FROM, QPW_COL_TO, QPW_COL_OUTCOME,
                                                        QPW_COL_VERDICT, QPW_COL_EVIDENCE, QPW_COL_REASON, QPW_COL_RULE,
                                                        QPW_COL_PEER, QPW_COL_IFACE, QPW_COL_PROCESS};
    static const enum qpw_column_id of_listeners[] = {QPW_COL_VERDICT, QPW_COL_SERVICE, QPW_COL_ADDRESS, QPW_COL_PROCESS,
                                                      QPW_COL_RULE, QPW_COL_UNIT, QPW_COL_USER, QPW_COL_WANTED};
    static const enum qpw_column_id of_lines[] = {QPW_COL_SECTION, QPW_COL_ITEM, QPW_COL_VALUE, QPW_COL_NOTE};
#define LIST(a) {a, sizeof(a) / sizeof(*(a))}
    static const struct {
        const enum qpw_column_id *columns;
        size_t n;
    } lists[] = {[QPW_ROW_FINDING] = LIST(of_findings),   [QPW_ROW_GROUP] = LIST(of_findings),
                 [QPW_ROW_FOLDED] = LIST(of_findings),    [QPW_ROW_METER] = LIST(of_meters),
                 [QPW_ROW_PEER] = LIST(of_peers),         [QPW_ROW_RULE] = LIST(of_rules),
                 [QPW_ROW_LINE] = LIST(of_lines),         [QPW_ROW_CONNECTION] = LIST(of_connections),
                 [QPW_ROW_LISTENER] = LIST(of_listeners), [QPW_ROW_IDLE] = LIST(of_listeners)};
#undef LIST
    static const struct qpw_view_state names; /* service names enabled */
    size_t used = (size_t)snprintf(buf, size, "%s", qpw_direction_name(qpw_row_subject_of(row).direction));

    if (row->kind == QPW_ROW_LINE || row->kind == QPW_ROW_PEER || row->kind == QPW_ROW_IDLE)
        used = 0;
    for (size_t i = 0; i < lists[row->kind].n && used + 2 < size; i++) {
        buf[used++] = ' ';
        qpw_cell_text(&(struct qpw_cell_of){m, &names, row, 80}, lists[row->kind].columns[i], buf + used, size - used);
        used += strlen(buf + used);
    }
    buf[used] = '\0';
    return buf;
}

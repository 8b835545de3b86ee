/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* figures.c - the number in each column that has one, and the sort keys. */
#include "util/names.h"
#include "view/row_subject.h"

/* Return a finding's number. Ages and names sort the latest and the most alarming first, hence the minus signs. */
static double finding_number(const struct qpw_finding_row *f, enum qpw_column_id column)
{
    return column == QPW_COL_OUTCOME ? -(double)f->value.outcome : -(double)f->value.evidence;
}

static double group_number(const struct qpw_finding_line *line, enum qpw_column_id column)
{
    return column == QPW_COL_OUTCOME ? -(double)line->outcome : -(double)line->first->value.evidence;
}

static double connection_number(const struct qpw_connection *c, enum qpw_column_id column)
{
    return column == QPW_COL_OUTCOME ? -(double)c->conn.outcome : -(double)c->conn.evidence;
}

static double peer_number(const struct qpw_peer_view *peer, enum qpw_column_id column)
{
    return column == QPW_COL_OUTSIDE ? -(double)peer->sum.n_outside : -(double)(peer->sum.v4 + 2 * peer->sum.v6);
}

bool qpw_row_number(const struct qpw_row *row, enum qpw_column_id column, double *ret)
{
    struct qpw_row_subject t = qpw_row_subject_of(row);
    const struct qpw_counts *c = &row->counts;

    switch (column) {
    case QPW_COL_SEVERITY: *ret = 8 * row->severity + row->past; return true;
    case QPW_COL_DIR: *ret = t.direction; return true;
    case QPW_COL_SERVICE: *ret = t.kind * 1e8 + t.port * 1e3 + t.protocol; return true;
    case QPW_COL_OUTCOME:
    case QPW_COL_EVIDENCE: *ret = row->kind == QPW_ROW_FINDING      ? finding_number(row->source, column)
                                 : row->kind == QPW_ROW_GROUP      ? group_number(row->source, column)
                                 : row->kind == QPW_ROW_CONNECTION ? connection_number(row->source, column) : 0;
        return true;
    case QPW_COL_VERDICT: *ret = -(double)t.verdict; return true; /* the enum ends with the most alarming one */
    case QPW_COL_VLAN: *ret = t.vlan; return true;
    case QPW_COL_CONNS: *ret = (double)c->connections; return true;
    case QPW_COL_PACKETS: *ret = (double)(c->rx_packets + c->tx_packets); return true;
    case QPW_COL_PACKET_RATE: *ret = row->rate.rx_packets + row->rate.tx_packets; return true;
    case QPW_COL_STATE: *ret = -(double)(row->rate.rx_packets + row->rate.tx_packets); return true;
    case QPW_COL_RX_RATE: *ret = row->rate.rx_bytes; return true;
    case QPW_COL_TX_RATE: *ret = row->rate.tx_bytes; return true;
    case QPW_COL_RX_BYTES: *ret = (double)c->rx_bytes; return true;
    case QPW_COL_TX_BYTES: *ret = (double)c->tx_bytes; return true;
    case QPW_COL_BYTES: *ret = (double)(c->rx_bytes + c->tx_bytes); return true;
    case QPW_COL_BUSIEST: *ret = -(double)(c->rx_bytes + c->tx_bytes); return true;
    case QPW_COL_SPARK: *ret = -(double)(row->rate.rx_bytes + row->rate.tx_bytes); return true;
    case QPW_COL_FIRST: *ret = -(double)row->first_unix_ns; return true;
    case QPW_COL_LAST: *ret = -(double)row->last_unix_ns; return true;
    case QPW_COL_ASKED:
        *ret = row->kind == QPW_ROW_LISTENER ? -(double)((const struct qpw_listening_row *)row->source)->last_asked_unix_ns
                                             : 1;
        return true;
    case QPW_COL_FAMILY:
    case QPW_COL_OUTSIDE: *ret = peer_number(row->source, column); return true;
    default: return false;
    }
}

static const struct qpw_listener *listener_of(const struct qpw_row *row)
{
    return ((const struct qpw_listening_row *)row->source)->listener;
}

static const char *wanted_of(const struct qpw_row *row)
{
    return ((const struct qpw_listening_row *)row->source)->wanted;
}

static const char *process_key(const struct qpw_model *m, const struct qpw_row *row)
{
    switch (row->kind) {
    case QPW_ROW_FINDING: return qpw_model_process(m, row->source);
    case QPW_ROW_GROUP: return qpw_model_process(m, ((const struct qpw_finding_line *)row->source)->first);
    case QPW_ROW_CONNECTION: return qpw_model_connection_process(m, row);
    case QPW_ROW_LISTENER: return listener_of(row)->owner.name;
    default: return "";
    }
}

static const char *key_text(const struct qpw_model *m, const struct qpw_row *row, enum qpw_column_id column)
{
    struct qpw_row_subject t = qpw_row_subject_of(row);

    switch (column) {
    case QPW_COL_PROCESS: return process_key(m, row);
    case QPW_COL_USER: return row->kind == QPW_ROW_LISTENER ? listener_of(row)->owner.user : "";
    case QPW_COL_UNIT: return row->kind == QPW_ROW_LISTENER ? listener_of(row)->owner.unit : "";
    case QPW_COL_WANTED: return row->kind == QPW_ROW_LISTENER && wanted_of(row) ? wanted_of(row) : "";
    case QPW_COL_REASON: return qpw_reason_name(t.reason);
    case QPW_COL_RULE: return qpw_model_rule(m, t.rule);
    case QPW_COL_SCOPE: return qpw_scope_name(t.scope);
    case QPW_COL_PEER: return qpw_model_peer(m, t.peer);
    case QPW_COL_IFACE: return qpw_model_iface(m, t.iface);
    case QPW_COL_STATEMENT: return ((const struct qpw_rule_info *)row->source)->text;
    case QPW_COL_WHERE: return ((const struct qpw_rule_info *)row->source)->file;
    case QPW_COL_SECTION: return ((const struct qpw_line *)row->source)->section;
    case QPW_COL_ITEM: return ((const struct qpw_line *)row->source)->item;
    case QPW_COL_VALUE: return ((const struct qpw_line *)row->source)->value;
    case QPW_COL_NOTE: return ((const struct qpw_line *)row->source)->note;
    default: return NULL;
    }
}

void qpw_cell_key(const struct qpw_model *m, struct qpw_row *row, enum qpw_column_id column)
{
    static const uint8_t nobody[16];
    struct qpw_row_subject t = qpw_row_subject_of(row);
    const uint8_t *other = t.direction == QPW_DIR_OUTBOUND ? t.responder : t.initiator;

    row->key_number = 0;
    row->key_text = NULL;
    row->key_addr = NULL;
    if (qpw_row_number(row, column, &row->key_number))
        return;
    if (column == QPW_COL_WHO || column == QPW_COL_FROM || column == QPW_COL_TO) {
        row->key_addr = column == QPW_COL_WHO ? other : column == QPW_COL_FROM ? t.initiator : t.responder;
        row->key_addr = row->key_addr ? row->key_addr : nobody;
    } else if (column == QPW_COL_ADDRESS) {
        row->key_addr = row->kind == QPW_ROW_LISTENER ? listener_of(row)->address : nobody;
    } else {
        row->key_text = key_text(m, row, column);
        if (column == QPW_COL_WHERE)
            row->key_number = ((const struct qpw_rule_info *)row->source)->line;
    }
}

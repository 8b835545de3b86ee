/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Text, order and style of single cells: one small function a kind of figure, one table over all. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "alert/signatures.h"
#include "util/names.h"
#include "view/canvas.h"
#include "view/columns.h"
#include "view/format.h"

struct cell {
    const struct qpw_model *m;
    const struct qpw_view_state *state; /* NULL where only the key is asked for */
    const struct qpw_row *row;
    int width;
};

/* The meter's, finding's or folded row's own fields, brought to one form. */
struct thing {
    uint8_t kind, protocol, direction, verdict, reason, scope;
    uint16_t port, rule, peer, iface, vlan;
    const uint8_t *initiator, *responder;
    const struct qpw_finding *finding;
};

static struct thing thing_of(const struct qpw_row *row)
{
    struct thing t = {0};

    if (row->kind == QPW_ROW_FINDING) {
        const struct qpw_finding_row *f = row->source;

        t = (struct thing){f->key.kind, f->key.protocol, f->key.direction, f->key.verdict, f->value.reason,
                           f->value.scope, f->key.port, f->value.rule, f->value.peer, f->value.iface, f->value.vlan,
                           f->key.initiator, f->key.responder, &f->value};
    } else if (row->kind == QPW_ROW_METER) {
        const struct qpw_meter_row *meter = row->source;

        t = (struct thing){meter->key.kind, meter->key.protocol, meter->key.direction, meter->key.verdict,
                           meter->key.reason, meter->key.scope, meter->key.port, meter->key.rule, meter->key.peer,
                           meter->key.iface, 0, NULL, NULL, NULL};
    } else if (row->kind == QPW_ROW_FOLDED) {
        const struct qpw_detail_row *d = row->source;

        t.kind = d->key.by_prefix ? QPW_KIND_NONE : d->key.kind;
        t.protocol = d->key.protocol;
        t.direction = d->key.direction;
        t.port = d->key.port;
        t.verdict = QPW_VERDICT_UNEXPECTED;
        t.initiator = d->key.by_prefix ? d->key.prefix : NULL;
    } else if (row->kind == QPW_ROW_RULE) {
        const struct qpw_rule_info *rule = row->source;

        t.direction = rule->direction;
        t.verdict = rule->verdict;
        t.rule = (uint16_t)row->number;
    } else if (row->kind == QPW_ROW_PEER) {
        t.peer = (uint16_t)row->number;
    }
    return t;
}

const char *qpw_service_text(unsigned kind, unsigned protocol, unsigned port, bool numbers, char *buf, size_t size)
{
    char name[16];
    const char *service = "";

    qpw_protocol_text(kind, protocol, port, name, sizeof(name));
    if (kind == QPW_KIND_NONE && !protocol && !port)
        snprintf(buf, size, "-");
    else if (kind == QPW_KIND_ICMP)
        snprintf(buf, size, "%s/%u", name, port);
    else if (kind != QPW_KIND_PORT && !(kind == QPW_KIND_NONE && port))
        snprintf(buf, size, kind == QPW_KIND_PROTOCOL ? "ip/%s" : "%s", name);
    else if (!port)
        snprintf(buf, size, "%s/?", name);
    else {
        service = numbers ? "" : qpw_service_name(protocol, port);
        snprintf(buf, size, "%s/%u%s%s", name, port, *service ? " " : "", service);
    }
    return buf;
}

/* ---- Texts ---- */

static void text_severity(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", qpw_severity_name(c->row->severity));
}

static void text_dir(const struct cell *c, char *buf, size_t size)
{
    static const char *const brief[QPW_DIR_COUNT] = {"?", "in", "out", "trn", "bad", "l2"};
    unsigned direction = thing_of(c->row).direction;

    snprintf(buf, size, "%s", direction < QPW_DIR_COUNT ? brief[direction] : "?");
}

static void text_service(const struct cell *c, char *buf, size_t size)
{
    struct thing t = thing_of(c->row);

    qpw_service_text(t.kind, t.protocol, t.port, !c->state || c->state->numbers, buf, size);
}

static void text_address(const uint8_t *addr, char *buf, size_t size)
{
    char text[INET6_ADDRSTRLEN] = "-";

    if (addr)
        qpw_address_text(addr, text, sizeof(text));
    snprintf(buf, size, "%s", text);
}

/* The other end: whom the node should be asked about. */
static void text_who(const struct cell *c, char *buf, size_t size)
{
    struct thing t = thing_of(c->row);
    const char *peer = qpw_model_peer(c->m, t.peer);
    char address[INET6_ADDRSTRLEN + 8];

    if (c->row->kind == QPW_ROW_FOLDED) {
        const struct qpw_detail_row *d = c->row->source;

        text_address(t.initiator, address, sizeof(address) - 4);
        if (d->key.by_prefix)
            snprintf(buf, size, "%s%s", address,
                     IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)d->key.prefix) ? "/24" : "/48");
        else
            snprintf(buf, size, "many, not kept");
        return;
    }
    text_address(t.direction == QPW_DIR_OUTBOUND ? t.responder : t.initiator, address, sizeof(address));
    if (*peer)
        snprintf(buf, size, "%s (%s)", address, peer);
    else
        snprintf(buf, size, "%s", address);
}

static void text_from(const struct cell *c, char *buf, size_t size)
{
    text_address(thing_of(c->row).initiator, buf, size);
}

static void text_to(const struct cell *c, char *buf, size_t size)
{
    text_address(thing_of(c->row).responder, buf, size);
}

static void text_outcome(const struct cell *c, char *buf, size_t size)
{
    struct thing t = thing_of(c->row);
    bool superseded = t.finding && t.finding->flags & QPW_FINDING_SUPERSEDED;

    snprintf(buf, size, "%s", superseded ? "superseded" : t.finding ? qpw_outcome_name(t.finding->outcome) : "folded");
}

static void text_process(const struct cell *c, char *buf, size_t size)
{
    const char *process = c->row->kind == QPW_ROW_FINDING ? qpw_model_process(c->m, c->row->source) : "";

    snprintf(buf, size, "%s", *process ? process : "-");
}

static void text_verdict(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", qpw_verdict_name(thing_of(c->row).verdict));
}

static void text_evidence(const struct cell *c, char *buf, size_t size)
{
    struct thing t = thing_of(c->row);

    snprintf(buf, size, "%s", t.finding ? qpw_evidence_name(t.finding->evidence) : "-");
}

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static void text_reason(const struct cell *c, char *buf, size_t size)
{
    unsigned reason = thing_of(c->row).reason;

    snprintf(buf, size, "%s", reason ? qpw_reason_name(reason) : "-");
}

static void text_rule(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", or_dash(qpw_model_rule(c->m, thing_of(c->row).rule)));
}

static void text_scope(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", qpw_scope_name(thing_of(c->row).scope));
}

static void text_peer(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", or_dash(qpw_model_peer(c->m, thing_of(c->row).peer)));
}

static void text_iface(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", or_dash(qpw_model_iface(c->m, thing_of(c->row).iface)));
}

static void text_vlan(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, thing_of(c->row).vlan ? "%u" : "-", thing_of(c->row).vlan);
}

/* A sample a cell; the newest at the right edge. */
static void text_spark(const struct cell *c, char *buf, size_t size)
{
    const struct qpw_track *track = qpw_track_find(&c->m->tracks, c->row->id);
    size_t n = c->width < QPW_HISTORY ? (size_t)c->width : QPW_HISTORY;
    float values[QPW_HISTORY] = {0};

    if (track)
        qpw_track_history(&c->m->tracks, track, values, n);
    qpw_sparkline(values, n, buf, size);
}

static uint64_t ago(const struct cell *c, uint64_t unix_ns)
{
    return c->m->now->unix_ns > unix_ns ? c->m->now->unix_ns - unix_ns : 0;
}

static void text_first(const struct cell *c, char *buf, size_t size)
{
    if (c->row->first_unix_ns)
        qpw_short_age(ago(c, c->row->first_unix_ns), buf, size);
    else
        snprintf(buf, size, "-");
}

/* Where nothing moved since the view began, at least that long ago: ">5m". */
static void text_last(const struct cell *c, char *buf, size_t size)
{
    char age[16];

    if (c->row->last_unix_ns)
        qpw_short_age(ago(c, c->row->last_unix_ns), buf, size);
    else if (!c->row->counts.rx_packets && !c->row->counts.tx_packets)
        snprintf(buf, size, "never");
    else
        snprintf(buf, size, ">%s", ago(c, c->m->started_unix_ns) < 1000000000u
                                       ? "0s" : qpw_short_age(ago(c, c->m->started_unix_ns), age, sizeof(age)));
}

static void text_state(const struct cell *c, char *buf, size_t size)
{
    bool moves = c->row->rate.rx_packets > 0 || c->row->rate.tx_packets > 0;

    snprintf(buf, size, "%s", moves ? "active" : c->row->counts.rx_packets ? "quiet"
                                             : c->row->counts.tx_packets  ? "silent" : "never");
}

static void text_family(const struct cell *c, char *buf, size_t size)
{
    const struct qpw_peer_view *peer = c->row->source;

    snprintf(buf, size, "%s", peer->v4 && peer->v6 ? "IPv4+IPv6" : peer->v4 ? "IPv4" : peer->v6 ? "IPv6" : "-");
}

static void list_ports(const struct qpw_peer_port *ports, char *buf, size_t size)
{
    size_t used = 0;

    snprintf(buf, size, "-");
    for (size_t i = 0; i < QPW_PEER_PORTS && ports[i].bytes && used + 24 < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%s/%u%s", i ? " " : "",
                                 qpw_protocol_name(ports[i].protocol) ? qpw_protocol_name(ports[i].protocol) : "ip",
                                 ports[i].port, ports[i].direction == QPW_DIR_OUTBOUND ? "→" : "");
}

static void text_busiest(const struct cell *c, char *buf, size_t size)
{
    list_ports(((const struct qpw_peer_view *)c->row->source)->busiest, buf, size);
}

static void text_outside(const struct cell *c, char *buf, size_t size)
{
    list_ports(((const struct qpw_peer_view *)c->row->source)->outside, buf, size);
}

static void text_statement(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%.160s", ((const struct qpw_rule_info *)c->row->source)->text);
}

static void text_where(const struct cell *c, char *buf, size_t size)
{
    const struct qpw_rule_info *rule = c->row->source;

    if (rule->line)
        snprintf(buf, size, "%.96s:%u", rule->file, rule->line);
    else
        snprintf(buf, size, "%s", rule->file[0] ? rule->file : "own rule");
}

static void text_section(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", ((const struct qpw_line *)c->row->source)->section);
}

static void text_item(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", ((const struct qpw_line *)c->row->source)->item);
}

static void text_value(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", ((const struct qpw_line *)c->row->source)->value);
}

static void text_note(const struct cell *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", ((const struct qpw_line *)c->row->source)->note);
}

/* ---- Numbers ---- */

static double number_severity(const struct qpw_row *row) { return row->severity; }
static double number_dir(const struct qpw_row *row) { return thing_of(row).direction; }
static double number_vlan(const struct qpw_row *row) { return thing_of(row).vlan; }
static double number_conns(const struct qpw_row *row) { return (double)row->counts.connections; }
static double number_packets(const struct qpw_row *row)
{
    return (double)(row->counts.rx_packets + row->counts.tx_packets);
}
static double number_packet_rate(const struct qpw_row *row) { return row->rate.rx_packets + row->rate.tx_packets; }
static double number_rx_rate(const struct qpw_row *row) { return row->rate.rx_bytes; }
static double number_tx_rate(const struct qpw_row *row) { return row->rate.tx_bytes; }
static double number_rx(const struct qpw_row *row) { return (double)row->counts.rx_bytes; }
static double number_tx(const struct qpw_row *row) { return (double)row->counts.tx_bytes; }
static double number_bytes(const struct qpw_row *row) { return (double)(row->counts.rx_bytes + row->counts.tx_bytes); }
static double number_spark(const struct qpw_row *row) { return -(double)(row->rate.rx_bytes + row->rate.tx_bytes); }
/* Ages: the latest first. */
static double number_first(const struct qpw_row *row) { return -(double)row->first_unix_ns; }
static double number_last(const struct qpw_row *row) { return -(double)row->last_unix_ns; }
static double number_outcome(const struct qpw_row *row)
{
    return row->kind == QPW_ROW_FINDING ? -((const struct qpw_finding_row *)row->source)->value.outcome : 0;
}
/* The most alarming verdict first; the enum happens to end with it. */
static double number_verdict(const struct qpw_row *row) { return -(double)thing_of(row).verdict; }
static double number_evidence(const struct qpw_row *row)
{
    return row->kind == QPW_ROW_FINDING ? -((const struct qpw_finding_row *)row->source)->value.evidence : 0;
}
static double number_service(const struct qpw_row *row)
{
    struct thing t = thing_of(row);

    return t.kind * 1e8 + t.port * 1e3 + t.protocol;
}
static double number_outside(const struct qpw_row *row)
{
    return -(double)((const struct qpw_peer_view *)row->source)->n_outside;
}
static double number_busiest(const struct qpw_row *row) { return -number_bytes(row); }
static double number_state(const struct qpw_row *row) { return -number_packet_rate(row); }
static double number_family(const struct qpw_row *row)
{
    const struct qpw_peer_view *peer = row->source;

    return -(peer->v4 + 2 * peer->v6);
}

/* ---- The table ---- */

enum figure { NONE = 0, COUNT, BITS };

static const struct {
    void (*text)(const struct cell *c, char *buf, size_t size); /* NULL: the number, as `figure` says */
    double (*number)(const struct qpw_row *row);                /* NULL: ordered by key_text or key_addr */
    enum figure figure;
} cells[QPW_COL_COUNT] = {
    [QPW_COL_SEVERITY] = {text_severity, number_severity, NONE},
    [QPW_COL_DIR] = {text_dir, number_dir, NONE},
    [QPW_COL_SERVICE] = {text_service, number_service, NONE},
    [QPW_COL_WHO] = {text_who, NULL, NONE},
    [QPW_COL_FROM] = {text_from, NULL, NONE},
    [QPW_COL_TO] = {text_to, NULL, NONE},
    [QPW_COL_OUTCOME] = {text_outcome, number_outcome, NONE},
    [QPW_COL_PROCESS] = {text_process, NULL, NONE},
    [QPW_COL_VERDICT] = {text_verdict, number_verdict, NONE},
    [QPW_COL_EVIDENCE] = {text_evidence, number_evidence, NONE},
    [QPW_COL_REASON] = {text_reason, NULL, NONE},
    [QPW_COL_RULE] = {text_rule, NULL, NONE},
    [QPW_COL_SCOPE] = {text_scope, NULL, NONE},
    [QPW_COL_PEER] = {text_peer, NULL, NONE},
    [QPW_COL_IFACE] = {text_iface, NULL, NONE},
    [QPW_COL_VLAN] = {text_vlan, number_vlan, NONE},
    [QPW_COL_CONNS] = {NULL, number_conns, COUNT},
    [QPW_COL_PACKETS] = {NULL, number_packets, COUNT},
    [QPW_COL_PACKET_RATE] = {NULL, number_packet_rate, COUNT},
    [QPW_COL_RX_RATE] = {NULL, number_rx_rate, BITS},
    [QPW_COL_TX_RATE] = {NULL, number_tx_rate, BITS},
    [QPW_COL_RX_BYTES] = {NULL, number_rx, COUNT},
    [QPW_COL_TX_BYTES] = {NULL, number_tx, COUNT},
    [QPW_COL_BYTES] = {NULL, number_bytes, COUNT},
    [QPW_COL_SPARK] = {text_spark, number_spark, NONE},
    [QPW_COL_FIRST] = {text_first, number_first, NONE},
    [QPW_COL_LAST] = {text_last, number_last, NONE},
    [QPW_COL_STATE] = {text_state, number_state, NONE},
    [QPW_COL_FAMILY] = {text_family, number_family, NONE},
    [QPW_COL_BUSIEST] = {text_busiest, number_busiest, NONE},
    [QPW_COL_OUTSIDE] = {text_outside, number_outside, NONE},
    [QPW_COL_STATEMENT] = {text_statement, NULL, NONE},
    [QPW_COL_WHERE] = {text_where, NULL, NONE},
    [QPW_COL_SECTION] = {text_section, NULL, NONE},
    [QPW_COL_ITEM] = {text_item, NULL, NONE},
    [QPW_COL_VALUE] = {text_value, NULL, NONE},
    [QPW_COL_NOTE] = {text_note, NULL, NONE},
};

const char *qpw_cell_text(const struct qpw_model *m, const struct qpw_view_state *state, const struct qpw_row *row,
                          enum qpw_column_id column, int width, char *buf, size_t size)
{
    struct cell c = {m, state, row, width};
    double number;

    *buf = '\0';
    if (cells[column].text) {
        cells[column].text(&c, buf, size);
        return buf;
    }
    if (!cells[column].number || (column == QPW_COL_CONNS && row->kind == QPW_ROW_FOLDED))
        return buf;
    number = cells[column].number(row);
    if (cells[column].figure == BITS && !state->bytes)
        number *= 8;
    return qpw_short_number(number, buf, size);
}

static const char *key_text(const struct qpw_model *m, const struct qpw_row *row, enum qpw_column_id column)
{
    struct thing t = thing_of(row);

    switch (column) {
    case QPW_COL_PROCESS: return row->kind == QPW_ROW_FINDING ? qpw_model_process(m, row->source) : "";
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
    struct thing t = thing_of(row);
    const uint8_t *other = t.direction == QPW_DIR_OUTBOUND ? t.responder : t.initiator;

    row->key_number = 0;
    row->key_text = NULL;
    row->key_addr = NULL;
    if (cells[column].number)
        row->key_number = cells[column].number(row);
    else if (column == QPW_COL_WHO || column == QPW_COL_FROM || column == QPW_COL_TO) {
        row->key_addr = column == QPW_COL_WHO ? other : column == QPW_COL_FROM ? t.initiator : t.responder;
        row->key_addr = row->key_addr ? row->key_addr : nobody;
    } else {
        row->key_text = key_text(m, row, column);
        if (column == QPW_COL_WHERE)
            row->key_number = ((const struct qpw_rule_info *)row->source)->line;
    }
}

/* ---- Styles: never the only sign; the word or figure itself says the same ---- */

static uint8_t severity_style(unsigned severity)
{
    return severity == 1 ? QPW_STYLE_BAD : severity == 2 ? QPW_STYLE_WARN : severity == 3 ? QPW_STYLE_NOTE : QPW_STYLE_DIM;
}

static uint8_t verdict_style(unsigned verdict)
{
    switch (verdict) {
    case QPW_VERDICT_UNEXPECTED: return QPW_STYLE_BAD;
    case QPW_VERDICT_WEAK: return QPW_STYLE_WARN;
    case QPW_VERDICT_UNDECIDED:
    case QPW_VERDICT_IMPLIED: return QPW_STYLE_NOTE;
    case QPW_VERDICT_ALLOWED:
    case QPW_VERDICT_PEER: return QPW_STYLE_GOOD;
    default: return QPW_STYLE_DIM;
    }
}

uint8_t qpw_cell_style(const struct qpw_model *m, const struct qpw_row *row, enum qpw_column_id column)
{
    struct thing t = thing_of(row);

    switch (column) {
    case QPW_COL_SEVERITY: return severity_style(row->severity);
    case QPW_COL_VERDICT: return verdict_style(t.verdict);
    case QPW_COL_OUTCOME:
        return !t.finding || t.finding->flags & QPW_FINDING_SUPERSEDED ? QPW_STYLE_DIM
               : t.finding->outcome >= QPW_OUTCOME_ANSWERED            ? QPW_STYLE_BOLD : QPW_STYLE_NORMAL;
    case QPW_COL_SPARK: return QPW_STYLE_GRAPH;
    case QPW_COL_STATE: return row->rate.rx_packets > 0 ? QPW_STYLE_GOOD
                               : row->counts.rx_packets ? QPW_STYLE_NORMAL : QPW_STYLE_WARN;
    case QPW_COL_OUTSIDE: return QPW_STYLE_NOTE;
    case QPW_COL_VALUE: return ((const struct qpw_line *)row->source)->style;
    case QPW_COL_SECTION: return QPW_STYLE_DIM;
    case QPW_COL_ITEM: return QPW_STYLE_BOLD;
    default: return QPW_STYLE_NORMAL;
    }
}

/* ---- For the filter ---- */

void qpw_row_facts(const struct qpw_model *m, const struct qpw_row *row, struct qpw_facts *ret)
{
    struct thing t = thing_of(row);
    bool has_port = t.kind == QPW_KIND_PORT || t.kind == QPW_KIND_ICMP || t.kind == QPW_KIND_ETHERTYPE;

    *ret = (struct qpw_facts){
        .non_ip = t.kind == QPW_KIND_ETHERTYPE,
        .protocol = t.protocol,
        .direction = t.direction,
        .verdict = t.verdict,
        .outcome = t.finding ? t.finding->outcome : QPW_OUTCOME_NONE,
        .evidence = t.finding ? t.finding->evidence : QPW_EVIDENCE_NONE,
        .severity = row->severity,
        .port = has_port && (t.port || t.kind == QPW_KIND_ICMP) ? t.port : QPW_NO_PORT,
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

const char *qpw_row_words(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size)
{
    static const enum qpw_column_id of_things[] = {QPW_COL_SEVERITY, QPW_COL_SERVICE, QPW_COL_FROM, QPW_COL_TO,
                                                   QPW_COL_OUTCOME, QPW_COL_VERDICT, QPW_COL_EVIDENCE, QPW_COL_REASON,
                                                   QPW_COL_RULE, QPW_COL_PEER, QPW_COL_IFACE, QPW_COL_PROCESS};
    static const enum qpw_column_id of_meters[] = {QPW_COL_SERVICE, QPW_COL_VERDICT, QPW_COL_REASON, QPW_COL_RULE,
                                                   QPW_COL_PEER, QPW_COL_IFACE};
    static const enum qpw_column_id of_peers[] = {QPW_COL_PEER, QPW_COL_STATE, QPW_COL_FAMILY, QPW_COL_BUSIEST,
                                                  QPW_COL_OUTSIDE};
    static const enum qpw_column_id of_rules[] = {QPW_COL_RULE, QPW_COL_VERDICT, QPW_COL_STATEMENT, QPW_COL_WHERE,
                                                  QPW_COL_LAST};
    static const enum qpw_column_id of_lines[] = {QPW_COL_SECTION, QPW_COL_ITEM, QPW_COL_VALUE, QPW_COL_NOTE};
#define LIST(a) {a, sizeof(a) / sizeof(*(a))}
    static const struct {
        const enum qpw_column_id *columns;
        size_t n;
    } lists[] = {[QPW_ROW_FINDING] = LIST(of_things), [QPW_ROW_FOLDED] = LIST(of_things), [QPW_ROW_METER] = LIST(of_meters),
                 [QPW_ROW_PEER] = LIST(of_peers), [QPW_ROW_RULE] = LIST(of_rules), [QPW_ROW_LINE] = LIST(of_lines)};
#undef LIST
    static const struct qpw_view_state names; /* service names on */
    size_t used = (size_t)snprintf(buf, size, "%s", qpw_direction_name(thing_of(row).direction));

    if (row->kind == QPW_ROW_LINE || row->kind == QPW_ROW_PEER)
        used = 0;
    for (size_t i = 0; i < lists[row->kind].n && used + 2 < size; i++) {
        buf[used++] = ' ';
        qpw_cell_text(m, &names, row, lists[row->kind].columns[i], 80, buf + used, size - used);
        used += strlen(buf + used);
    }
    buf[used] = '\0';
    return buf;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cells.c - text and style of single cells: a small function per column, and one table of them. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "alert/signatures.h"
#include "facts/life.h"
#include "util/names.h"
#include "view/canvas.h"
#include "words/finding.h"
#include "words/listening.h"
#include "words/owner.h"
#include "words/words.h"
#include "view/row_subject.h"

/* ---- Texts ---- */

static const struct qpw_finding_line *line_of(const struct qpw_row *row)
{
    return row->source;
}

/* Return the life of a finding or of a group, whose members are all open, all acknowledged or all closed. */
static struct qpw_finding_life life_of(const struct qpw_row *row)
{
    return row->kind == QPW_ROW_FINDING ? qpw_finding_life(row->source)
           : row->kind == QPW_ROW_GROUP ? qpw_finding_life(line_of(row)->first) : (struct qpw_finding_life){0};
}

static void text_severity(const struct qpw_cell_of *c, char *buf, size_t size)
{
    bool acknowledged = life_of(c->row).state == QPW_FINDING_ACKNOWLEDGED;

    /* Short for a narrow column. */
    snprintf(buf, size, "%s", acknowledged ? "acked" : qpw_severity_name(c->row->severity));
}

static void text_dir(const struct qpw_cell_of *c, char *buf, size_t size)
{
    unsigned direction = qpw_row_subject_of(c->row).direction;

    if (c->row->kind == QPW_ROW_RULE && direction == QPW_DIR_UNKNOWN)
        snprintf(buf, size, "any");
    else if (c->row->kind == QPW_ROW_GROUP && line_of(c->row)->both_ways)
        snprintf(buf, size, "-");
    else
        snprintf(buf, size, "%s", qpw_words_direction_short(direction));
}

static void text_service(const struct qpw_cell_of *c, char *buf, size_t size)
{
    struct qpw_row_subject t = qpw_row_subject_of(c->row);

    if (c->row->kind == QPW_ROW_IDLE)
        snprintf(buf, size, "-");
    else if (c->row->kind == QPW_ROW_GROUP && line_of(c->row)->ports > 1)
        qpw_words_line_service(line_of(c->row), buf, size);
    else if (c->state->numbers)
        qpw_words_service(t.kind, t.protocol, t.port, buf, size);
    else
        qpw_words_service_named(t.kind, t.protocol, t.port, buf, size);
}

/* Cut the middle of a text that is too long, because addresses of one network differ at the end. */
static void cut_middle(const struct qpw_cell_of *c, char *buf, size_t size)
{
    static const char mark[] = "…";
    int length = (int)strlen(buf), head = (c->width - 1) / 2, tail = c->width - 1 - head;

    if (length <= c->width || c->width < 8 || (size_t)c->width + sizeof(mark) > size || length != qpw_text_width(buf))
        return;
    /* First, because the mark may overlap. */
    memmove(buf + head + sizeof(mark) - 1, buf + length - tail, (size_t)tail + 1);
    memcpy(buf + head, mark, sizeof(mark) - 1);
}

/* Write an address, or a MAC address if the finding is of an EtherType. */
static void text_address(unsigned kind, const uint8_t *addr, char *buf, size_t size)
{
    char text[112] = "-";

    if (addr)
        qpw_words_end_named(kind, addr, "", text, sizeof(text));
    snprintf(buf, size, "%s", text);
}

/* Write "10.1.0.1 +80" for the users of a service, "81 addresses" for other groups. */
static void text_remotes(const struct qpw_cell_of *c, size_t n, char *buf, size_t size)
{
    const struct qpw_finding_line *line = line_of(c->row);
    char end[112], more[24];

    if (line->service)
        snprintf(buf, size, "%s +%s", qpw_words_end_named(line->first->key.kind, qpw_finding_remote(&line->first->key), "", end,
                                                         sizeof(end)), qpw_words_count(n - 1, more, sizeof(more)));
    else
        qpw_words_many(n, "address", buf, size);
    cut_middle(c, buf, size);
}

/* Write the remote end: the host to ask about the node's traffic. */
static void text_who(const struct qpw_cell_of *c, char *buf, size_t size)
{
    struct qpw_row_subject t = qpw_row_subject_of(c->row);
    const uint8_t *other = t.direction == QPW_DIR_OUTBOUND ? t.responder : t.initiator;

    if (c->row->kind == QPW_ROW_FOLDED) {
        const struct qpw_detail_row *d = c->row->source;

        if (d->key.by_prefix)
            qpw_words_prefix(d->key.prefix, buf, size);
        else
            snprintf(buf, size, "many, not recorded");
        return;
    }
    if (c->row->kind == QPW_ROW_GROUP && line_of(c->row)->remotes > 1) {
        text_remotes(c, line_of(c->row)->remotes, buf, size);
        return;
    }
    if (c->row->kind == QPW_ROW_GROUP)
        other = qpw_finding_remote(&line_of(c->row)->first->key);
    if (other)
        qpw_words_end_named(t.kind, other, qpw_model_peer(c->m, t.peer), buf, size);
    else
        snprintf(buf, size, "-");
    cut_middle(c, buf, size);
}

static void text_from(const struct qpw_cell_of *c, char *buf, size_t size)
{
    text_address(qpw_row_subject_of(c->row).kind, qpw_row_subject_of(c->row).initiator, buf, size);
    cut_middle(c, buf, size);
}

static void text_to(const struct qpw_cell_of *c, char *buf, size_t size)
{
    text_address(qpw_row_subject_of(c->row).kind, qpw_row_subject_of(c->row).responder, buf, size);
    cut_middle(c, buf, size);
}

static const struct qpw_conn *conn_of(const struct qpw_row *row)
{
    return row->kind == QPW_ROW_CONNECTION ? &((const struct qpw_connection *)row->source)->conn : NULL;
}

/* Return the listener's row; NULL: a rule without a listener. */
static const struct qpw_listening_row *listening_of(const struct qpw_row *row)
{
    return row->kind == QPW_ROW_LISTENER ? row->source : NULL;
}

static void text_outcome(const struct qpw_cell_of *c, char *buf, size_t size)
{
    struct qpw_row_subject t = qpw_row_subject_of(c->row);
    const char *folded = conn_of(c->row)                 ? qpw_outcome_name(conn_of(c->row)->outcome)
                         : c->row->kind != QPW_ROW_GROUP ? "folded"
                         : line_of(c->row)->outcome >= QPW_OUTCOME_ANSWERED
                             ? qpw_outcome_name(line_of(c->row)->outcome) : "no answer";
    struct qpw_finding_life life = life_of(c->row);

    snprintf(buf, size, "%s", life.by == QPW_CLOSED_BY_SUPERSEDED ? qpw_closing_name(life.by)
                              : life.state == QPW_FINDING_CLOSED  ? qpw_life_state_name(life.state)
                              : t.finding ? qpw_outcome_name(t.finding->outcome) : folded);
}

static void text_process(const struct qpw_cell_of *c, char *buf, size_t size)
{
    const struct qpw_listening_row *l = listening_of(c->row);
    const char *process = "";
    char owner[96];

    if (c->row->kind == QPW_ROW_FINDING)
        process = qpw_model_process(c->m, c->row->source);
    else if (c->row->kind == QPW_ROW_GROUP && (line_of(c->row)->service || c->state->grouping == QPW_GROUPING_PROCESS))
        process = qpw_model_process(c->m, line_of(c->row)->first);
    else if (conn_of(c->row))
        process = qpw_model_connection_process(c->m, c->row);
    else if (l && qpw_owner_known(&l->listener->owner))
        process = qpw_words_owner(&l->listener->owner, owner, sizeof(owner));
    snprintf(buf, size, "%s", *process ? process : "-");
}

static void text_verdict(const struct qpw_cell_of *c, char *buf, size_t size)
{
    const struct qpw_listening_row *l = listening_of(c->row);

    if (c->row->kind == QPW_ROW_IDLE)
        snprintf(buf, size, "no listener");
    else
        snprintf(buf, size, "%s", l ? qpw_words_listener_verdict(l) : qpw_verdict_name(qpw_row_subject_of(c->row).verdict));
}

static void text_evidence(const struct qpw_cell_of *c, char *buf, size_t size)
{
    struct qpw_row_subject t = qpw_row_subject_of(c->row);

    snprintf(buf, size, "%s", t.finding          ? qpw_evidence_name(t.finding->evidence)
                              : conn_of(c->row) ? qpw_evidence_name(conn_of(c->row)->evidence) : "-");
}

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

static void text_reason(const struct qpw_cell_of *c, char *buf, size_t size)
{
    unsigned reason = qpw_row_subject_of(c->row).reason;

    snprintf(buf, size, "%s", reason ? qpw_reason_name(reason) : "-");
}

static void text_rule(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", or_dash(qpw_model_rule(c->m, qpw_row_subject_of(c->row).rule)));
}

static void text_scope(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", qpw_scope_name(qpw_row_subject_of(c->row).scope));
}

static void text_peer(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", or_dash(qpw_model_peer(c->m, qpw_row_subject_of(c->row).peer)));
}

static void text_iface(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", or_dash(qpw_model_iface(c->m, qpw_row_subject_of(c->row).iface)));
}

static void text_vlan(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, qpw_row_subject_of(c->row).vlan ? "%u" : "-", qpw_row_subject_of(c->row).vlan);
}

/* Draw one sample per cell, the newest at the right edge. */
static void text_spark(const struct qpw_cell_of *c, char *buf, size_t size)
{
    const struct qpw_track *track = qpw_track_find(&c->m->tracks, c->row->id);
    size_t n = c->width < QPW_HISTORY ? (size_t)c->width : QPW_HISTORY;
    float values[QPW_HISTORY] = {0};

    if (track)
        qpw_track_history(&c->m->tracks, track, values, n);
    qpw_words_sparkline(values, n, buf, size);
}

static uint64_t ago(const struct qpw_cell_of *c, uint64_t unix_ns)
{
    return c->m->now->unix_ns > unix_ns ? c->m->now->unix_ns - unix_ns : 0;
}

static void text_first(const struct qpw_cell_of *c, char *buf, size_t size)
{
    if (c->row->first_unix_ns)
        qpw_words_age(ago(c, c->row->first_unix_ns), buf, size);
    else
        snprintf(buf, size, "-");
}

/*
 * Write the time since the last movement; if there was none since the view started, at least that long (">5m"), but no
 * longer than since the first packet.
 */
static void text_last(const struct qpw_cell_of *c, char *buf, size_t size)
{
    uint64_t watched = ago(c, c->m->started_unix_ns), first = ago(c, c->row->first_unix_ns);
    bool since_first = c->row->first_unix_ns && first <= watched;
    char age[16];

    if (c->row->last_unix_ns)
        qpw_words_age(ago(c, c->row->last_unix_ns), buf, size);
    else if (!c->row->counts.rx_packets && !c->row->counts.tx_packets)
        snprintf(buf, size, "never");
    else if (c->m->past.to_unix_ns) /* at an unknown time within the span */
        snprintf(buf, size, "-");
    else if (since_first)
        qpw_words_age(first, buf, size);
    else
        snprintf(buf, size, ">%s", watched < 1000000000u ? "0s" : qpw_words_age(watched, age, sizeof(age)));
}

static void text_state(const struct qpw_cell_of *c, char *buf, size_t size)
{
    const struct qpw_peer_view *peer = c->row->source;
    bool moves = c->row->rate.rx_packets > 0 || c->row->rate.tx_packets > 0;

    snprintf(buf, size, "%s", peer->sum.silent ? "silent" : moves ? "active" : "quiet");
}

static void text_family(const struct qpw_cell_of *c, char *buf, size_t size)
{
    const struct qpw_peer_view *peer = c->row->source;

    snprintf(buf, size, "%s", qpw_words_family(peer->sum.v4, peer->sum.v6));
}

static void list_ports(const struct qpw_port_sum *ports, char *buf, size_t size)
{
    if (!*qpw_words_ports(ports, buf, size))
        snprintf(buf, size, "-");
}

static void text_busiest(const struct qpw_cell_of *c, char *buf, size_t size)
{
    list_ports(((const struct qpw_peer_view *)c->row->source)->sum.busiest, buf, size);
}

static void text_outside(const struct qpw_cell_of *c, char *buf, size_t size)
{
    list_ports(((const struct qpw_peer_view *)c->row->source)->sum.outside, buf, size);
}

/* Write the statement with single blanks, as the policy's text is aligned in columns. */
static void text_statement(const struct qpw_cell_of *c, char *buf, size_t size)
{
    size_t used = 0;

    for (const char *at = ((const struct qpw_rule_info *)c->row->source)->text; *at && used + 1 < size; at++)
        if (*at != ' ' && *at != '\t')
            buf[used++] = *at;
        else if (used && buf[used - 1] != ' ')
            buf[used++] = ' ';
    buf[used] = '\0';
}

static void text_where(const struct qpw_cell_of *c, char *buf, size_t size)
{
    const struct qpw_rule_info *rule = c->row->source;

    if (rule->line) {
        const char *base = strrchr(rule->file, '/');
        int length = snprintf(buf, size, "%.96s:%u", rule->file, rule->line);

        if (base && length > c->width) /* the line number is worth more than the folder */
            snprintf(buf, size, "%.96s:%u", base + 1, rule->line);
    } else
        snprintf(buf, size, "%s", rule->file[0] ? rule->file : "built-in");
}

static void text_listener(const struct qpw_cell_of *c, char *buf, size_t size)
{
    if (listening_of(c->row))
        qpw_words_listener_address(listening_of(c->row)->listener, buf, size);
    else
        snprintf(buf, size, "-");
}

static void text_user(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", or_dash(listening_of(c->row) ? listening_of(c->row)->listener->owner.user : ""));
}

static void text_unit(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", or_dash(listening_of(c->row) ? listening_of(c->row)->listener->owner.unit : ""));
}

static void text_asked(const struct qpw_cell_of *c, char *buf, size_t size)
{
    const struct qpw_listening_row *l = listening_of(c->row);

    if (!l || !c->m->listening->counted)
        snprintf(buf, size, "-");
    else if (!l->asked || !l->last_asked_unix_ns)
        snprintf(buf, size, "%s", l->asked ? "yes" : "never");
    else
        qpw_words_age(ago(c, l->last_asked_unix_ns), buf, size);
}

static void text_wanted(const struct qpw_cell_of *c, char *buf, size_t size)
{
    const struct qpw_listening_row *l = listening_of(c->row);

    snprintf(buf, size, "%s%s", or_dash(l && l->wanted ? l->wanted : ""),
             l && l->wanted && l->owner_word == QPW_OWNER_UNSURE ? " (not checked)" : "");
}

static void text_section(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", ((const struct qpw_line *)c->row->source)->section);
}

static void text_item(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", ((const struct qpw_line *)c->row->source)->item);
}

static void text_value(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", ((const struct qpw_line *)c->row->source)->value);
}

static void text_note(const struct qpw_cell_of *c, char *buf, size_t size)
{
    snprintf(buf, size, "%s", ((const struct qpw_line *)c->row->source)->note);
}

/* ---- The table: columns without a function show their number ---- */

static void (*const texts[QPW_COL_COUNT])(const struct qpw_cell_of *c, char *buf, size_t size) = {
    [QPW_COL_SEVERITY] = text_severity,
    [QPW_COL_DIR] = text_dir,
    [QPW_COL_SERVICE] = text_service,
    [QPW_COL_WHO] = text_who,
    [QPW_COL_FROM] = text_from,
    [QPW_COL_TO] = text_to,
    [QPW_COL_OUTCOME] = text_outcome,
    [QPW_COL_PROCESS] = text_process,
    [QPW_COL_VERDICT] = text_verdict,
    [QPW_COL_EVIDENCE] = text_evidence,
    [QPW_COL_REASON] = text_reason,
    [QPW_COL_RULE] = text_rule,
    [QPW_COL_SCOPE] = text_scope,
    [QPW_COL_PEER] = text_peer,
    [QPW_COL_IFACE] = text_iface,
    [QPW_COL_VLAN] = text_vlan,
    [QPW_COL_SPARK] = text_spark,
    [QPW_COL_FIRST] = text_first,
    [QPW_COL_LAST] = text_last,
    [QPW_COL_STATE] = text_state,
    [QPW_COL_FAMILY] = text_family,
    [QPW_COL_BUSIEST] = text_busiest,
    [QPW_COL_OUTSIDE] = text_outside,
    [QPW_COL_STATEMENT] = text_statement,
    [QPW_COL_WHERE] = text_where,
    [QPW_COL_SECTION] = text_section,
    [QPW_COL_ITEM] = text_item,
    [QPW_COL_VALUE] = text_value,
    [QPW_COL_NOTE] = text_note,
    [QPW_COL_ADDRESS] = text_listener,
    [QPW_COL_USER] = text_user,
    [QPW_COL_UNIT] = text_unit,
    [QPW_COL_ASKED] = text_asked,
    [QPW_COL_WANTED] = text_wanted,
};

const char *qpw_cell_text(const struct qpw_cell_of *c, enum qpw_column_id column, char *buf, size_t size)
{
    double number;

    *buf = '\0';
    if (texts[column])
        texts[column](c, buf, size);
    else if (qpw_row_number(c->row, column, &number) && !(column == QPW_COL_CONNS && c->row->kind == QPW_ROW_FOLDED)) {
        if ((column == QPW_COL_RX_RATE || column == QPW_COL_TX_RATE) && !c->state->bytes)
            number *= 8;
        qpw_words_short(number, buf, size);
    }
    return buf;
}

/* ---- Styles: never the only sign; the word or number itself says the same ---- */

static uint8_t severity_style(unsigned severity)
{
    return severity == 1   ? QPW_STYLE_BAD
           : severity == 2 ? QPW_STYLE_WARN
           : severity == 3 ? QPW_STYLE_NOTE
                           : QPW_STYLE_DIM;
}

static uint8_t verdict_style(unsigned verdict)
{
    switch (verdict) {
    case QPW_VERDICT_UNEXPECTED: return QPW_STYLE_BAD;
    case QPW_VERDICT_MISMATCH:
    case QPW_VERDICT_WEAK: return QPW_STYLE_WARN;
    case QPW_VERDICT_UNDECIDED:
    case QPW_VERDICT_IMPLIED: return QPW_STYLE_NOTE;
    case QPW_VERDICT_ALLOWED:
    case QPW_VERDICT_PEER: return QPW_STYLE_GOOD;
    default: return QPW_STYLE_DIM;
    }
}

static uint8_t listener_style(const struct qpw_listening_row *l)
{
    if (l->loopback || l->listener->ephemeral)
        return QPW_STYLE_DIM;
    return l->owner_word == QPW_OWNER_OTHER ? QPW_STYLE_BAD : verdict_style(l->verdict);
}

uint8_t qpw_cell_style(const struct qpw_model *m, const struct qpw_row *row, enum qpw_column_id column)
{
    struct qpw_row_subject t = qpw_row_subject_of(row);

    switch (column) {
    case QPW_COL_SEVERITY: return severity_style(row->severity);
    case QPW_COL_VERDICT: return listening_of(row) ? listener_style(row->source) : verdict_style(t.verdict);
    case QPW_COL_OUTCOME:
        if (conn_of(row))
            return QPW_STYLE_NORMAL;
        if (row->kind == QPW_ROW_GROUP && !life_of(row).state)
            return line_of(row)->outcome >= QPW_OUTCOME_ANSWERED ? QPW_STYLE_BOLD : QPW_STYLE_NORMAL;
        return !t.finding || life_of(row).state               ? QPW_STYLE_DIM
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


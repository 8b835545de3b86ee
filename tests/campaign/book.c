/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "book.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "util/names.h"

#define DECIDED_NS 10000000000ull /* after that long the owner of an ended companion is decided */

const char *const outcome_names[] = {"none", "attempted", "refused", "answered", "data"};

struct book *book_new(void)
{
    struct book *b = calloc(1, sizeof(*b));

    cr_assert(b);
    b->tuples = names_new();
    b->row_names = names_new();
    b->finding_names = names_new();
    b->ever = names_new();
    b->junk = names_new();
    return b;
}

void book_free(struct book *b)
{
    for (size_t i = 0; i < b->n_exchanges; i++)
        free(b->exchanges[i]);
    free(b->exchanges);
    names_free(b->tuples);
    names_free(b->row_names);
    names_free(b->finding_names);
    names_free(b->ever);
    names_free(b->junk);
    free(b);
}

void book_tuple(struct tuple *ret, uint8_t protocol, const char *local, uint16_t local_port, const char *remote,
                uint16_t remote_port)
{
    *ret = (struct tuple){.local_port = local_port, .remote_port = remote_port, .protocol = protocol};
    cr_assert(qpw_address_parse(local, ret->local) == 0 && qpw_address_parse(remote, ret->remote) == 0);
}

struct exchange *book_enter(struct book *b, const struct exchange *from)
{
    struct exchange *e = malloc(sizeof(*e));
    uint32_t *place;

    if (b->n_exchanges == b->room) {
        b->room = b->room ? 2 * b->room : 1024;
        b->exchanges = realloc(b->exchanges, b->room * sizeof(*b->exchanges));
    }
    cr_assert(e && b->exchanges);
    *e = *from;
    place = names_at(b->tuples, &e->tuple, sizeof(e->tuple));
    e->before = *place ? b->exchanges[*place - 1] : NULL;
    b->exchanges[b->n_exchanges++] = e;
    *place = (uint32_t)b->n_exchanges;
    return e;
}

static struct exchange *find(const struct book *b, const struct tuple *t)
{
    uint32_t at = names_get(b->tuples, t, sizeof(*t));

    return at ? b->exchanges[at - 1] : NULL;
}

bool book_knows(const struct book *b, const struct tuple *t)
{
    return find(b, t) != NULL;
}

/* ---- Words ---- */

static const char *port_text(uint8_t protocol, uint16_t port, char *buf, size_t size)
{
    char number[16];
    const char *name = qpw_protocol_name(protocol);

    if (!name) {
        snprintf(number, sizeof(number), "%u", protocol);
        name = number;
    }
    if (port || protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
        snprintf(buf, size, "%s/%u", name, port);
    else
        snprintf(buf, size, "%s/-", name);
    return buf;
}

const char *book_words(const struct exchange *e)
{
    static char text[256];
    char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];
    const struct tuple *t = &e->tuple;
    bool out = e->opener == NODE_OPENS;

    qpw_address_text(t->local, local, sizeof(local));
    qpw_address_text(t->remote, remote, sizeof(remote));
    snprintf(text, sizeof(text), "protocol %u %s.%u > %s.%u (%s, step %u): %s, meant %s", t->protocol,
             out ? local : remote, out ? t->local_port : t->remote_port, out ? remote : local,
             out ? t->remote_port : t->local_port, e->kind, e->step, outcome_names[e->outcome],
             outcome_names[e->planned]);
    return text;
}

/* ---- Rows and findings ---- */

struct row *book_row(struct book *b, const char *name)
{
    uint32_t *place = names_at(b->row_names, name, strlen(name));

    if (!*place) {
        cr_assert(b->n_rows < BOOK_ROWS, "more rows than the campaign keeps");
        snprintf(b->rows[b->n_rows++].name, sizeof(b->rows->name), "%s", name);
        *place = (uint32_t)b->n_rows;
    }
    return &b->rows[*place - 1];
}

struct expected_finding *book_finding(struct book *b, const char *name)
{
    uint32_t *place = names_at(b->finding_names, name, strlen(name));

    if (!*place) {
        cr_assert(b->n_findings < BOOK_FINDINGS, "more findings than the campaign keeps");
        snprintf(b->findings[b->n_findings++].name, sizeof(b->findings->name), "%s", name);
        *place = (uint32_t)b->n_findings;
    }
    return &b->findings[*place - 1];
}

static void count(struct row *row, const struct frame *f)
{
    row->packets[!f->rx]++;
    row->bytes[!f->rx] += f->bytes;
}

static void count_reason(struct book *b, const char *reason)
{
    for (size_t i = 0; i < BOOK_REASONS; i++) {
        if (!b->reasons[i].reason)
            b->reasons[i].reason = reason;
        if (!strcmp(b->reasons[i].reason, reason)) {
            b->reasons[i].packets++;
            return;
        }
    }
}

static bool lives(void *data, const uint8_t remote[16], const char *rule)
{
    struct book *b = data;

    for (size_t i = 0; i < b->n_parents; i++)
        if (!strcmp(b->parents[i].rule, rule) && !memcmp(b->parents[i].remote, remote, 16))
            return true;
    return false;
}

static void vouch(struct book *b, const struct exchange *e)
{
    if (!e->judged.is_parent || e->outcome < ANSWERED || e->fate != FATE_JUDGED ||
        lives(b, e->tuple.remote, e->judged.rule))
        return;
    cr_assert(b->n_parents < BOOK_PARENTS);
    memcpy(b->parents[b->n_parents].remote, e->tuple.remote, 16);
    b->parents[b->n_parents++].rule = e->judged.rule;
}

static bool is_companion(const struct exchange *e)
{
    return e->row && e->judged.verdict &&
           (!strcmp(e->judged.verdict, "implied") || !strcmp(e->judged.verdict, "weak"));
}

bool book_unsettles(const struct book *b, const struct exchange *e, uint64_t now_ns)
{
    bool out = e->opener == NODE_OPENS;
    struct question q = {.outbound = out, .protocol = e->tuple.protocol,
                         .port = out ? e->tuple.remote_port : e->tuple.local_port,
                         .initiator_port = out ? e->tuple.local_port : e->tuple.remote_port,
                         .local = e->tuple.local, .remote = e->tuple.remote};
    struct judgement j = policy_judge(b->policy, &q, lives, (void *)b);

    if (!j.is_parent || lives((void *)b, e->tuple.remote, j.rule))
        return false;
    for (size_t i = 0; i < b->n_exchanges; i++) {
        const struct exchange *other = b->exchanges[i];
        bool open = other->tuple.protocol == IPPROTO_TCP && !other->closed;

        if (is_companion(other) && !memcmp(other->tuple.remote, e->tuple.remote, 16) &&
            (open || now_ns - other->last_ns < DECIDED_NS))
            return true;
    }
    return false;
}

static bool is_icmp(uint8_t protocol)
{
    return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static const char *direction_of(const struct exchange *e)
{
    if (e->fate == FATE_TRANSIT)
        return "transit";
    if (e->fate == FATE_UNKNOWN)
        return "unknown";
    return e->opener == NODE_OPENS ? "outbound" : "inbound";
}

static uint16_t service_port(const struct exchange *e, const struct frame *f)
{
    if (e->fate == FATE_UNKNOWN || e->fate == FATE_TRANSIT)
        return 0;
    if (is_icmp(e->tuple.protocol))
        return f->ends.source_port;
    return e->opener == NODE_OPENS ? e->tuple.remote_port : e->tuple.local_port;
}

static const char *verdict_of(const struct exchange *e)
{
    if (e->fate == FATE_TRANSIT)
        return "transit";
    if (policy_is_peer(e->tuple.remote))
        return "peer";
    return e->fate == FATE_JUDGED ? e->judged.verdict : "undecided";
}

static void judge(struct book *b, struct exchange *e, uint16_t port)
{
    struct question q = {.outbound = e->opener == NODE_OPENS, .protocol = e->tuple.protocol, .port = port,
                         .local = e->tuple.local, .remote = e->tuple.remote,
                         .initiator_port = e->opener == NODE_OPENS ? e->tuple.local_port : e->tuple.remote_port};

    e->generation = b->generation;
    e->judged = (struct judgement){NULL, NULL, false};
    if (e->fate == FATE_JUDGED || e->fate == FATE_INFERRED)
        e->judged = policy_judge(b->policy, &q, lives, b);
}

static void row_name(char *name, size_t size, const struct exchange *e, uint16_t port)
{
    char service[48];
    bool transit = e->fate == FATE_TRANSIT;

    if (transit && is_icmp(e->tuple.protocol))
        snprintf(service, sizeof(service), "%s/-", qpw_protocol_name(e->tuple.protocol));
    else
        port_text(e->tuple.protocol, port, service, sizeof(service));
    snprintf(name, size, "%s %s %s %s %s", service, direction_of(e),
             !transit && policy_is_peer(e->tuple.remote) ? "peer" : "other", verdict_of(e),
             e->judged.rule && !transit ? e->judged.rule : "-");
}

static void raise_ever(struct book *b, const char *name, enum outcome outcome)
{
    uint32_t *highest = names_at(b->ever, name, strlen(name));

    if (*highest < outcome + 1u)
        *highest = outcome + 1u;
}

/* Record the finding that the program must have about an exchange that the policy does not expect. */
static void note_finding(struct book *b, struct exchange *e, const struct frame *f, uint16_t port)
{
    const char *verdict = verdict_of(e);
    char initiator[INET6_ADDRSTRLEN], responder[INET6_ADDRSTRLEN], service[48], name[192];
    bool out = e->opener == NODE_OPENS;
    struct expected_finding *found;

    if (strcmp(verdict, "unexpected") && strcmp(verdict, "weak") && strcmp(verdict, "implied") &&
        (strcmp(verdict, "undecided") || e->outcome < DATA))
        return;
    port_text(e->tuple.protocol, port, service, sizeof(service));
    qpw_address_text(out ? e->tuple.local : e->tuple.remote, initiator, sizeof(initiator));
    qpw_address_text(out ? e->tuple.remote : e->answers_group ? e->group : e->tuple.local, responder, sizeof(responder));
    snprintf(name, sizeof(name), "%s %s %s %s > %s", verdict, direction_of(e), service, initiator, responder);
    found = book_finding(b, name);
    snprintf(found->service, sizeof(found->service), "%s %s", direction_of(e), service);
    found->packets++;
    if (!found->current) /* new, or a policy had explained it meanwhile: its record is awaited from now on */
        found->changed_ns = f->at_ns;
    found->current = true;
    found->multicast = found->multicast || e->multicast || e->answers_group;
    b->ever_multicast = b->ever_multicast || e->multicast;
    if (e->outcome > found->outcome || !found->example) {
        found->example = e;
        found->changed_ns = f->at_ns;
    }
    if (e->outcome > found->outcome)
        found->outcome = e->outcome;
    raise_ever(b, name, found->outcome);
}

/* ---- The effect of a frame on its exchange ---- */

static void rise(struct exchange *e, enum outcome outcome)
{
    if (outcome > e->outcome)
        e->outcome = outcome;
}

static void step_tcp(struct exchange *e, const struct frame *f, bool by_opener)
{
    uint8_t flags = f->tcp_flags & (PACKET_SYN | PACKET_ACK | PACKET_RST);

    e->closed = e->closed || f->tcp_flags & (PACKET_FIN | PACKET_RST);
    if (e->older && !e->established) {
        e->established = true;
        rise(e, ANSWERED);
        return;
    }
    rise(e, ATTEMPTED);
    if (flags & PACKET_RST) {
        if (!by_opener && !e->syn_ack && !e->established)
            rise(e, REFUSED);
        return;
    }
    if (flags == (PACKET_SYN | PACKET_ACK) && !by_opener) {
        e->syn_ack = true;
        e->syn_ack_seq = f->seq;
        rise(e, ANSWERED);
    }
    if (flags & PACKET_SYN)
        return;
    if (e->syn_ack && by_opener && f->ack == e->syn_ack_seq + 1)
        e->established = true;
    if (e->established && f->payload)
        rise(e, DATA);
}

static void step(struct exchange *e, const struct frame *f)
{
    bool by_opener = (e->opener == NODE_OPENS) == !f->rx;

    if (f->fragment) {
        rise(e, ATTEMPTED);
        return;
    }
    if (e->tuple.protocol == IPPROTO_TCP) {
        step_tcp(e, f, by_opener);
        return;
    }
    rise(e, ATTEMPTED);
    e->payload[!f->rx] = true;
    if (!by_opener)
        rise(e, ANSWERED);
    if (e->payload[0] && e->payload[1])
        rise(e, DATA);
}

/* An unreachable message that quotes the opener's packet refuses an exchange that was only attempted. */
static void quoted(struct book *b, const struct frame *f)
{
    const struct ends *q = &f->quoted;
    bool sent_by_node = f->rx;
    struct tuple t = {.protocol = q->protocol};
    struct exchange *e;
    uint16_t port;

    memcpy(t.local, sent_by_node ? q->source : q->destination, 16);
    memcpy(t.remote, sent_by_node ? q->destination : q->source, 16);
    if (!is_icmp(q->protocol)) {
        t.local_port = sent_by_node ? q->source_port : q->destination_port;
        t.remote_port = sent_by_node ? q->destination_port : q->source_port;
    }
    e = find(b, &t);
    if (!e || e->outcome != ATTEMPTED || (e->opener == NODE_OPENS) != sent_by_node || e->fate != FATE_JUDGED)
        return;
    e->outcome = REFUSED;
    port = e->opener == NODE_OPENS ? t.remote_port : t.local_port;
    note_finding(b, e, f, port);
}

/* ICMP and IGMP of the hosts' own stacks: the sender of the first packet opens. */
static struct exchange *enter_background(struct book *b, const struct tuple *t, const struct frame *f)
{
    struct exchange e = {.tuple = *t, .kind = "background", .opener = f->rx ? REMOTE_OPENS : NODE_OPENS};

    if (!is_icmp(t->protocol) && t->protocol != IPPROTO_IGMP)
        return NULL;
    e.planned = ATTEMPTED;
    return book_enter(b, &e);
}

static void mac_text(char *buf, size_t size, const uint8_t mac[6])
{
    snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

/* Frames that are not IP are an exchange of two cards: one finding, opened by the first sender. */
static void note_cards(struct book *b, const struct frame *f)
{
    struct expected_finding *found;
    char from[24], to[24], name[192], reverse[192];
    bool answers;

    mac_text(from, sizeof(from), f->macs + 6);
    mac_text(to, sizeof(to), f->macs);
    snprintf(name, sizeof(name), "unexpected non_ip 0x%04x/- %s > %s", f->ethertype, from, to);
    snprintf(reverse, sizeof(reverse), "unexpected non_ip 0x%04x/- %s > %s", f->ethertype, to, from);
    answers = names_get(b->finding_names, reverse, strlen(reverse));
    found = book_finding(b, answers ? reverse : name);
    snprintf(found->service, sizeof(found->service), "non_ip 0x%04x", f->ethertype);
    found->packets++;
    if (!found->current)
        found->changed_ns = f->at_ns;
    found->current = true;
    if (answers && found->outcome < DATA)
        found->changed_ns = f->at_ns;
    if (found->outcome < DATA)
        found->outcome = answers ? DATA : ATTEMPTED;
    raise_ever(b, found->name, found->outcome);
}

static void not_ip(struct book *b, const struct frame *f)
{
    struct judgement j = policy_judge_ethertype(f->ethertype);
    char name[192];

    if (!strcmp(j.verdict, "unexpected"))
        note_cards(b, f);
    snprintf(name, sizeof(name), f->ethertype < 0x600 ? "llc 0x%02x/- non_ip other %s %s" : "0x%04x/- non_ip other %s %s",
             f->ethertype, j.verdict, j.rule ? j.rule : "-");
    count(book_row(b, name), f);
}

static void unknown(struct book *b, const struct frame *f)
{
    char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

    if (b->unknown_frames++)
        return;
    snprintf(b->unknown, sizeof(b->unknown), "%s protocol %u %s.%u > %s.%u, %u bytes, TCP flags %02x",
             f->rx ? "rx" : "tx", f->ends.protocol, qpw_address_text(f->ends.source, from, sizeof(from)),
             f->ends.source_port, qpw_address_text(f->ends.destination, to, sizeof(to)), f->ends.destination_port,
             f->bytes, f->tcp_flags);
}

static void tuple_of(struct tuple *t, const struct frame *f)
{
    const struct ends *e = &f->ends;

    *t = (struct tuple){.protocol = e->protocol};
    memcpy(t->local, f->rx ? e->destination : e->source, 16);
    memcpy(t->remote, f->rx ? e->source : e->destination, 16);
    if (is_icmp(e->protocol) || f->headless)
        return;
    t->local_port = f->rx ? e->destination_port : e->source_port;
    t->remote_port = f->rx ? e->source_port : e->destination_port;
}

static void count_connection(struct book *b, struct exchange *e, struct row *row, const struct frame *f)
{
    if (e->fate == FATE_TRANSIT || f->headless)
        return;
    if (e->row && is_icmp(e->tuple.protocol))
        return; /* counted with the type of its first packet */
    if (e->row)
        b->rows[e->row - 1].connections--;
    row->connections++;
}

static void account(struct book *b, struct exchange *e, const struct frame *f)
{
    uint16_t port = service_port(e, f);
    char name[128];
    struct row *row;

    if (!e->row || e->generation != b->generation || is_icmp(e->tuple.protocol))
        judge(b, e, port);
    row_name(name, sizeof(name), e, port);
    row = book_row(b, name);
    if (!e->row || strcmp(b->rows[e->row - 1].name, name))
        count_connection(b, e, row, f);
    e->row = (uint32_t)(row - b->rows) + 1;
    count(row, f);
    if (!strcmp(verdict_of(e), "undecided"))
        count_reason(b, e->reason);
    if (e->fate == FATE_TRANSIT)
        return;
    note_finding(b, e, f, port);
    vouch(b, e);
}

void book_junk(struct book *b, const void *frame, size_t bytes, const char *protocol, const char *reason)
{
    unsigned kind = 0;

    while (kind < BOOK_JUNK && b->junk_kinds[kind].reason &&
           (strcmp(b->junk_kinds[kind].reason, reason) || strcmp(b->junk_kinds[kind].protocol, protocol)))
        kind++;
    cr_assert(kind < BOOK_JUNK, "more kinds of junk than the campaign keeps");
    b->junk_kinds[kind] = (struct junk){protocol, reason};
    *names_at(b->junk, frame, bytes) = kind + 1;
}

static bool is_junk(struct book *b, const struct frame *f)
{
    uint32_t kind = names_get(b->junk, f->data, f->bytes);
    char name[128];

    if (!kind)
        return false;
    if (!b->attached)
        return true;
    snprintf(name, sizeof(name), "%s/- undecodable other undecided -", b->junk_kinds[kind - 1].protocol);
    count(book_row(b, name), f);
    count_reason(b, b->junk_kinds[kind - 1].reason);
    return true;
}

void book_frame(void *book, const struct frame *f)
{
    struct book *b = book;
    struct exchange *e;
    struct tuple t;

    if (b->attached) {
        b->frames[!f->rx]++;
        b->bytes[!f->rx] += f->bytes;
    }
    if (is_junk(b, f))
        return;
    if (!f->ip) {
        if (b->attached)
            not_ip(b, f);
        return;
    }
    tuple_of(&t, f);
    e = find(b, &t);
    if (!e)
        e = enter_background(b, &t, f);
    if (!e) {
        unknown(b, f);
        return;
    }
    if (!b->attached) {
        e->older = true; /* if it continues */
        return;
    }
    if (e->fate != FATE_TRANSIT)
        step(e, f);
    if (!e->first_ns)
        e->first_ns = f->at_ns;
    e->multicast = e->multicast || f->group;
    e->packets[!f->rx]++;
    e->bytes[!f->rx] += f->bytes;
    account(b, e, f);
    e->last_ns = f->at_ns;
    if (f->quotes && e->fate != FATE_TRANSIT)
        quoted(b, f);
}

void book_policy(struct book *b, const struct policy *p)
{
    b->generation++;
    for (size_t i = 0; p != b->policy && i < b->n_findings; i++)
        b->findings[i].current = false;
    b->policy = p;
}

void book_attach(struct book *b)
{
    for (size_t i = 0; i < b->n_exchanges; i++) {
        struct exchange *e = b->exchanges[i];

        e->older = e->packets[0] || e->packets[1] || e->older;
        e->established = false;
        e->outcome = NOTHING_SEEN;
        e->row = 0;
        e->payload[0] = e->payload[1] = false;
        if (!is_icmp(e->tuple.protocol) && e->tuple.protocol != IPPROTO_IGMP)
            continue;
        *names_at(b->tuples, &e->tuple, sizeof(e->tuple)) = 0; /* the next sender opens it again */
    }
    b->n_rows = b->n_findings = b->n_parents = 0;
    names_free(b->row_names);
    names_free(b->finding_names);
    b->row_names = names_new();
    b->finding_names = names_new();
    memset(b->rows, 0, sizeof(b->rows));
    memset(b->findings, 0, sizeof(b->findings));
    memset(b->reasons, 0, sizeof(b->reasons));
    memset(b->frames, 0, sizeof(b->frames));
    memset(b->bytes, 0, sizeof(b->bytes));
    b->generation++;
    b->attached = true;
}

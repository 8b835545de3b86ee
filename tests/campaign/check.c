/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check.c - what holds at every quiet moment: the report compared with the book, status, the process. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "names.h"

#define TRIES 12
#define GROUP_REPORT "icmp6/143 outbound other infra infra-nd"

/* ---- The report, in the book's notation ---- */

static const char *text(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));

    return value ? value : "-";
}

static uint64_t number(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* "tcp/445", "icmp/8", "47/-", "0x8915/-". */
static void service(const json_t *o, char *buf, size_t size)
{
    const json_t *protocol = json_object_get(o, "protocol"), *type = json_object_get(o, "icmp_type"),
                 *port = json_object_get(o, "port");
    int n = json_is_integer(protocol) ? snprintf(buf, size, "%" JSON_INTEGER_FORMAT "/", json_integer_value(protocol))
                                      : snprintf(buf, size, "%s/", text(o, "protocol"));

    if (json_is_integer(type))
        port = type;
    if (json_is_integer(port))
        snprintf(buf + n, size - (size_t)n, "%" JSON_INTEGER_FORMAT, json_integer_value(port));
    else
        snprintf(buf + n, size - (size_t)n, "-");
}

static void meter_name(const json_t *m, char *name, size_t size)
{
    char what[64];

    service(m, what, sizeof(what));
    snprintf(name, size, "%s %s %s %s %s", what, text(m, "direction"), text(m, "scope"), text(m, "verdict"),
             text(m, "rule"));
}

static void finding_name(const json_t *f, char *name, size_t size)
{
    char what[64];

    service(f, what, sizeof(what));
    snprintf(name, size, "%s %s %s %s > %s", text(f, "verdict"), text(f, "direction"), what, text(f, "initiator"),
             text(f, "responder"));
}

/* ---- One comparison; differences go into `wrong` ---- */

struct comparison {
    struct campaign *c;
    const char *invariant;
    char wrong[4096];
    size_t used;
};

__attribute__((format(printf, 3, 4))) static void differ(struct comparison *x, const char *invariant,
                                                         const char *format, ...)
{
    va_list args;
    int n;

    if (!x->invariant)
        x->invariant = invariant;
    if (x->invariant != invariant || x->used + 300 > sizeof(x->wrong))
        return;
    va_start(args, format);
    n = vsnprintf(x->wrong + x->used, sizeof(x->wrong) - x->used, format, args);
    va_end(args);
    x->used += n > 0 ? (size_t)n : 0;
}

static uint64_t sum_of(const json_t *object)
{
    uint64_t sum = 0;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
        sum += (uint64_t)json_integer_value(value);
    return sum;
}

static void compare_totals(struct comparison *x, const json_t *report)
{
    static const char *const invariant = "every packet is in exactly one of the six sums";
    const json_t *totals = json_object_get(report, "totals");
    uint64_t packets = number(totals, "packets"), bytes = number(totals, "bytes");
    const struct book *b = x->c->book;

    if (packets != b->frames[0] + b->frames[1] || bytes != b->bytes[0] + b->bytes[1])
        differ(x, invariant, "%" PRIu64 " packets, %" PRIu64 " bytes counted; %" PRIu64 ", %" PRIu64
               " witnessed (%" PRIu64 " of them to the node); ", packets, bytes, b->frames[0] + b->frames[1],
               b->bytes[0] + b->bytes[1], b->frames[0]);
    if (sum_of(json_object_get(totals, "by_direction")) != packets ||
        sum_of(json_object_get(totals, "by_verdict")) != packets ||
        json_object_size(json_object_get(totals, "by_direction")) != 6)
        differ(x, invariant, "by direction or by verdict they are not %" PRIu64, packets);
}

static void compare_row(struct comparison *x, const struct row *row, const struct row *said)
{
    static const char *const invariant = "direction, verdict, rule and counts of every connection";

    if (row->connections == said->connections && !memcmp(row->packets, said->packets, sizeof(row->packets)) &&
        !memcmp(row->bytes, said->bytes, sizeof(row->bytes)))
        return;
    differ(x, invariant,
           "\n    %s: said %" PRId64 " connections, rx %" PRIu64 "/%" PRIu64 " tx %" PRIu64 "/%" PRIu64 "; true %" PRId64
           ", rx %" PRIu64 "/%" PRIu64 " tx %" PRIu64 "/%" PRIu64, row->name, said->connections, said->packets[0],
           said->bytes[0], said->packets[1], said->bytes[1], row->connections, row->packets[0], row->bytes[0],
           row->packets[1], row->bytes[1]);
}

static void compare_rows(struct comparison *x, const json_t *report)
{
    struct book *b = x->c->book;
    struct row *said = calloc(BOOK_ROWS, sizeof(*said));
    const json_t *m;
    size_t i;

    cr_assert(said);
    json_array_foreach(json_object_get(report, "meters"), i, m) {
        char name[160];
        struct row *row;

        meter_name(m, name, sizeof(name));
        row = &said[book_row(b, name) - b->rows];
        row->connections += (int64_t)number(m, "connections");
        row->packets[0] += number(m, "rx_packets");
        row->packets[1] += number(m, "tx_packets");
        row->bytes[0] += number(m, "rx_bytes");
        row->bytes[1] += number(m, "tx_bytes");
    }
    for (i = 0; i < b->n_rows; i++)
        compare_row(x, &b->rows[i], &said[i]);
    x->c->invariants += b->n_rows;
    free(said);
}

static void compare_findings(struct comparison *x, const json_t *report)
{
    static const char *const invariant = "every unexpected thing is found, with its outcome, and nothing else";
    struct book *b = x->c->book;
    struct names *said = names_new();
    const json_t *f;
    size_t i;

    json_array_foreach(json_object_get(report, "findings"), i, f) {
        char name[192];
        uint32_t at;

        finding_name(f, name, sizeof(name));
        *names_at(said, name, strlen(name)) = 1;
        at = names_get(b->finding_names, name, strlen(name));
        if (!at)
            differ(x, invariant, "\n    said, not true: %s, %s", name, text(f, "outcome"));
        else if (strcmp(outcome_names[b->findings[at - 1].outcome], text(f, "outcome")))
            differ(x, invariant, "\n    %s: said %s, true %s%s%s", name, text(f, "outcome"),
                   outcome_names[b->findings[at - 1].outcome], b->findings[at - 1].example ? ": " : "",
                   b->findings[at - 1].example ? book_words(b->findings[at - 1].example) : "");
    }
    for (i = 0; i < b->n_findings; i++)
        if (!names_get(said, b->findings[i].name, strlen(b->findings[i].name)))
            differ(x, invariant, "\n    true, not said: %s, %s", b->findings[i].name,
                   outcome_names[b->findings[i].outcome]);
    x->c->invariants += b->n_findings;
    names_free(said);
}

static void compare_reasons(struct comparison *x, const json_t *report)
{
    static const char *const invariant = "what is undecided has its true reason";
    const json_t *said = json_object_get(report, "undecided");
    const struct book *b = x->c->book;
    uint64_t sum = 0;

    for (size_t i = 0; i < BOOK_REASONS && b->reasons[i].reason; i++) {
        uint64_t n = number(said, b->reasons[i].reason);

        sum += b->reasons[i].packets;
        if (n != b->reasons[i].packets)
            differ(x, invariant, "%s: said %" PRIu64 ", true %" PRIu64 "; ", b->reasons[i].reason, n,
                   b->reasons[i].packets);
    }
    if (sum_of(said) != sum)
        differ(x, invariant, "%" PRIu64 " in all were said, %" PRIu64 " are true", sum_of(said), sum);
}

/* Return whether `lost` more events found the ring full because the auditor was kept from emptying it, and say so. */
static bool was_kept_from_reading(struct campaign *c, uint64_t lost)
{
    struct waits_cause cause;

    if (!waits_explain(&c->waits, lost, &cause))
        return false;
    c->coverage.ring_full += lost;
    c->ring_full += lost;
    fprintf(stderr,
            "step %u: %" PRIu64 " events found the ring full: %" PRIu64 " frames came within %.3f s, and for %.3f s "
            "of them the auditor was kept from running\n",
            c->step, lost, cause.frames, (double)(cause.to_ns - cause.from_ns) / 1e9, (double)cause.kept_ns / 1e9);
    return true;
}

/* Return whether that many are lost with a cause. */
static bool has_cause(struct campaign *c, const char *loss, uint64_t n)
{
    if (!strcmp(loss, "event-rate"))
        return c->flooded;
    if (!strcmp(loss, "executable-evicted"))
        return c->coverage.ever[TOLD_GAP]; /* without an auditor nobody follows what processes execute */
    if (!strcmp(loss, "event-ring-full"))
        return n <= c->coverage.ring_full || was_kept_from_reading(c, n - c->coverage.ring_full);
    return false;
}

static void compare_losses(struct comparison *x, const json_t *report)
{
    const json_t *losses = json_object_get(json_object_get(report, "coverage"), "losses");
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)losses, key, value)
        if (json_integer_value(value) && !has_cause(x->c, key, (uint64_t)json_integer_value(value)))
            differ(x, "no loss without a cause", "%s %" JSON_INTEGER_FORMAT "; ", key, json_integer_value(value));
}

/* Check the owner of each finding that names one. */
static void check_owners(struct campaign *c, const json_t *report)
{
    const json_t *f;
    size_t i;

    json_array_foreach(json_object_get(report, "findings"), i, f) {
        const json_t *owner = json_object_get(f, "owner");
        bool out = !strcmp(text(f, "direction"), "outbound");
        struct owner_said said = {.process = text(owner, "process"), .match = text(owner, "match"),
                                  .protocol = text(f, "protocol"), .pid = (int)number(owner, "pid"), .outbound = out,
                                  .node_port = (uint16_t)number(f, out ? "initiator_port" : "port")};

        if (json_is_object(owner))
            check_owner(c, &said);
    }
}

static bool compare(struct comparison *x)
{
    struct campaign *c = x->c;
    uint64_t frames;
    json_t *report;

    *x = (struct comparison){.c = c};
    campaign_settle(c, 40);
    frames = c->wire.frames;
    report = campaign_document(c, "report --json");
    campaign_settle(c, 5);
    if (c->wire.frames != frames) {
        differ(x, "a quiet moment", "there was none");
    } else {
        compare_totals(x, report);
        compare_rows(x, report);
        compare_reasons(x, report);
        compare_findings(x, report);
        compare_losses(x, report);
    }
    if (!x->invariant) {
        check_owners(c, report);
        check_coverage(c, report);
    }
    json_decref(report);
    return !x->invariant;
}

bool check_adopt(struct campaign *c)
{
    struct book *b = c->book;
    struct row *row = NULL, witnessed;
    json_t *report, *m;
    bool fits = true;
    size_t i;

    for (i = 0; i < b->n_rows; i++) {
        row = &b->rows[i];
        if ((row->packets[0] || row->packets[1]) && strcmp(row->name, GROUP_REPORT))
            return false;
    }
    if (!b->frames[0] && !b->frames[1])
        return true;
    row = book_row(b, GROUP_REPORT);
    witnessed = *row;
    row->packets[1] = row->bytes[1] = 0;
    report = campaign_document(c, "report --json");
    json_array_foreach(json_object_get(report, "meters"), i, m) {
        char name[160];

        meter_name(m, name, sizeof(name));
        fits = fits && !strcmp(name, GROUP_REPORT) && number(m, "tx_packets") <= witnessed.packets[1] &&
               number(m, "tx_bytes") <= witnessed.bytes[1];
        row->packets[1] = number(m, "tx_packets");
        row->bytes[1] = number(m, "tx_bytes");
        row->connections = (int64_t)number(m, "connections");
    }
    b->frames[1] = row->packets[1];
    b->bytes[1] = row->bytes[1];
    json_decref(report);
    return fits;
}

void check_now(struct campaign *c)
{
    static struct comparison x;
    unsigned quiet = 0;

    x.c = c;
    for (unsigned i = 0; i < TRIES; i++) {
        if (compare(&x))
            break;
        quiet += strcmp(x.invariant, "a quiet moment") != 0;
        if (quiet >= 4)
            campaign_fail(c, x.invariant, "%s", x.wrong);
    }
    if (c->book->unknown_frames)
        campaign_fail(c, "the campaign itself knows every frame", "%s", c->book->unknown);
    c->checks++;
    check_process(c);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * check_alerts.c - the whole alert log compared with the book: everything due was reported, and nothing that was
 * allowed.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "evelog.h"
#include "host/clock.h"
#include "names.h"

#define PATIENCE_NS 60000000000ull /* how long an answered finding may wait for its alert, also on a busy machine */

/* The subject of each signature. */
enum subject { ONE_FINDING, UNDECIDED_OWNER, SERVICE, SCANNER_ADDRESS, TARGET_ADDRESS, GROUP, PEER, HEALTH, ALWAYS };
static const struct {
    const char *name;
    enum subject subject;
    unsigned least; /* minimum number of findings that it stands for */
} subjects[] = {
    {"inbound-attempted", ONE_FINDING, 1},   {"inbound-refused", ONE_FINDING, 1},
    {"inbound-answered", ONE_FINDING, 1},    {"inbound-data", ONE_FINDING, 1},
    {"outbound-attempted", ONE_FINDING, 1},  {"outbound-refused", ONE_FINDING, 1},
    {"outbound-answered", ONE_FINDING, 1},   {"outbound-data", ONE_FINDING, 1},
    {"outbound-answered-new", ONE_FINDING, 1}, {"outbound-data-new", ONE_FINDING, 1},
    {"protocol", ONE_FINDING, 1},            {"protocol-both", ONE_FINDING, 1},
    {"ethertype", ONE_FINDING, 1},           {"weak-answered", ONE_FINDING, 1},
    {"implied", ONE_FINDING, 1},             {"undecided-both", ONE_FINDING, 1},
    {"no-handshake", ONE_FINDING, 1},        {"clock-stepped", ALWAYS, 0},
    {"history-stopped", HEALTH, 0},          {"history", HEALTH, 0},
    {"inferred-both", ONE_FINDING, 1},       {"just-attached", ONE_FINDING, 1},
    {"group-answered", ONE_FINDING, 1},      {"undecodable-sent", ONE_FINDING, 1},
    {"undecodable-both", ONE_FINDING, 1},    {"question-lost", ALWAYS, 0},
    {"crossed", ONE_FINDING, 1},
    {"further-initiators", SERVICE, 2},      {"further-responders", SERVICE, 2},
    {"further-companions", SERVICE, 2},      {"implied-owner-unknown", UNDECIDED_OWNER, 1},
    {"scan", SCANNER_ADDRESS, 10},           {"scan-outbound", SCANNER_ADDRESS, 10},
    {"many-initiators", TARGET_ADDRESS, 16}, {"flood", TARGET_ADDRESS, 64},
    {"multicast", GROUP, 1},                 {"peer-silent", PEER, 0},
    {"peer-back", PEER, 0},                  {"peer-family", PEER, 0},
    {"peer-port", PEER, 0},                  {"auditor-gap", HEALTH, 0},
    {"reload-failed", HEALTH, 0},            {"interface-lost", HEALTH, 0},
    {"hook-lost", HEALTH, 0},                {"hook-not-first", HEALTH, 0},
    {"held-back", HEALTH, 0},                {"attached", ALWAYS, 0},
    {"detached", ALWAYS, 0},                 {"auditor-started", ALWAYS, 0},
    {"auditor-stopped", ALWAYS, 0},          {"interface", ALWAYS, 0},
    {"reloaded", ALWAYS, 0},                 {"stats", ALWAYS, 0},
};

struct reading {
    struct campaign *c;
    struct names *flows;   /* flow_id: newest sequence */
    struct names *firsts;  /* finding: number of records "first" */
    struct names *reported;    /* finding: highest reported outcome + 1 */
    struct names *services; /* those with a record of further users */
    struct names *leads;    /* services whose first answered user has a record */
};

static const char *text(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));

    return value ? value : "-";
}

/* Write the log's protocol ("TCP", "IPv6-ICMP", "047") as reports do. */
static void protocol_of(const json_t *record, char *buf, size_t size)
{
    static const char *const names[][2] = {{"TCP", "tcp"}, {"UDP", "udp"},  {"SCTP", "sctp"}, {"ICMP", "icmp"},
                                           {"GRE", "47"},  {"ESP", "50"}, {"IPv6-ICMP", "icmp6"}};
    const char *proto = text(record, "proto");

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!strcmp(proto, names[i][0])) {
            snprintf(buf, size, "%s", names[i][1]);
            return;
        }
    snprintf(buf, size, "%d", atoi(proto));
}

/* Write the book's name of the record's finding. */
static void name_of(const json_t *record, char *name, size_t size)
{
    const json_t *ether = json_object_get(record, "ether"), *port = json_object_get(record, "dest_port");
    char protocol[32], service[64];

    if (ether) {
        snprintf(name, size, "%s %s 0x%04x/- %s > %s", evelog_fact(record, "verdict"), evelog_fact(record, "direction"),
                 (unsigned)json_integer_value(json_object_get(ether, "ether_type")), text(ether, "src_mac"),
                 text(ether, "dest_mac"));
        return;
    }
    protocol_of(record, protocol, sizeof(protocol));
    if (json_is_integer(port))
        snprintf(service, sizeof(service), "%s/%" JSON_INTEGER_FORMAT, protocol, json_integer_value(port));
    else
        snprintf(service, sizeof(service), "%s/-", protocol);
    snprintf(name, size, "%s %s %s %s > %s", evelog_fact(record, "verdict"), evelog_fact(record, "direction"), service,
             text(record, "src_ip"), text(record, "dest_ip"));
}

static enum outcome outcome_of(const char *name)
{
    for (unsigned i = 0; i <= DATA; i++)
        if (!strcmp(name, outcome_names[i]))
            return (enum outcome)i;
    return NOTHING_SEEN;
}

static void raise_to(struct names *n, const char *name, uint32_t value)
{
    uint32_t *at = names_at(n, name, strlen(name));

    if (*at < value)
        *at = value;
}

/* Check the owner of the node's end, if a record names one. */
static void owner_of(struct reading *r, const json_t *record)
{
    bool out = !strcmp(evelog_fact(record, "direction"), "outbound");
    char protocol[32];

    protocol_of(record, protocol, sizeof(protocol));
    if (evelog_fact(record, "process")[0])
        check_owner(r->c, &(struct owner_said){
                              .process = evelog_fact(record, "process"), .match = evelog_fact(record, "process_match"),
                              .protocol = protocol, .pid = atoi(evelog_fact(record, "pid")), .outbound = out,
                              .node_port = (uint16_t)json_integer_value(
                                  json_object_get(record, out ? "src_port" : "dest_port"))});
}

/* Return the length of "unexpected inbound tcp/9100", with which a finding's name begins. */
static size_t service_in(const char *name)
{
    const char *end = name;

    for (unsigned i = 0; i < 3 && *end; i++)
        end += strcspn(end + (i > 0), " ") + (i > 0);
    return (size_t)(end - name);
}

static void about_one(struct reading *r, const json_t *record)
{
    enum outcome said = outcome_of(evelog_fact(record, "outcome"));
    const char *kind = evelog_fact(record, "kind");
    char name[192];
    uint32_t ever;

    name_of(record, name, sizeof(name));
    ever = names_get(r->c->book->ever, name, strlen(name));
    if (!ever)
        campaign_fail(r->c, "no alert about what was allowed or never was", "%s (%s): %s", evelog_name(record), kind,
                      name);
    if (said + 1u > ever)
        campaign_fail(r->c, "no outcome beyond the true one", "%s: %s said, %s true", name, outcome_names[said],
                      outcome_names[ever - 1]);
    raise_to(r->reported, name, said + 1u);
    owner_of(r, record);
    if (said >= ANSWERED)
        *names_at(r->leads, name, service_in(name)) = 1;
    if (strcmp(kind, "first"))
        return;
    if (++*names_at(r->firsts, name, strlen(name)) > 1)
        campaign_fail(r->c, "told first exactly once", "twice: %s", name);
}

/* Count the findings of the whole run with that end. */
struct with_end {
    const char *pattern;
    unsigned n;
};

static void count_end(void *data, const void *key, size_t size, uint32_t value)
{
    struct with_end *w = data;

    w->n += memmem(key, size, w->pattern, strlen(w->pattern)) != NULL;
}

static void about_many(struct reading *r, const json_t *record, const char *format, const char *address, unsigned least)
{
    char pattern[96];
    struct with_end w = {.pattern = pattern};

    snprintf(pattern, sizeof(pattern), format, address);
    names_each(r->c->book->ever, count_end, &w);
    if (w.n < least)
        campaign_fail(r->c, "no alert about what was allowed or never was", "%s of %s: %u findings, not %u",
                      evelog_name(record), address, w.n, least);
}

/* Further users of a service whose first user has a record of its own: check their minimum number. */
static void about_service(struct reading *r, const json_t *record, unsigned least)
{
    struct with_end w = {0};
    char name[192];

    name_of(record, name, sizeof(name));
    *names_at(r->services, name, service_in(name)) = 1;
    name[service_in(name)] = '\0';
    w.pattern = name;
    names_each(r->c->book->ever, count_end, &w);
    if (w.n < least)
        campaign_fail(r->c, "no alert about what was allowed or never was", "%s of %s: %u findings, not %u",
                      evelog_name(record), name, w.n, least);
}

/* Noise is reported by port: one of its findings must have gone to a group. */
static void about_group(struct reading *r, const json_t *record)
{
    if (!r->c->book->ever_multicast)
        campaign_fail(r->c, "no alert about what was allowed or never was", "%s of %s", evelog_name(record),
                      text(record, "src_ip"));
}

static void about_health(struct reading *r, const json_t *record)
{
    const char *name = evelog_name(record);
    struct campaign *c = r->c;
    const bool *ever = c->coverage.ever;
    bool true_one = (!strcmp(name, "auditor-gap") && ever[TOLD_GAP]) ||
                    (!strcmp(name, "reload-failed") && ever[TOLD_RELOAD_FAILED]) ||
                    (!strcmp(name, "interface-lost") && (ever[TOLD_DOWN] || ever[TOLD_GONE])) ||
                    (!strcmp(name, "hook-lost") && ever[TOLD_HOOK_LOST]) ||
                    (!strcmp(name, "hook-not-first") && ever[TOLD_NOT_FIRST]) || !strcmp(name, "held-back");

    if (!true_one)
        campaign_fail(c, "no blindness is invented", "%s: %s", name, evelog_fact(record, "text"));
}

/*
 * One of the further users of a service may first be named when it is closed, acknowledged or open again: the record of
 * further users may still be gathering then.
 */
static bool is_step_of_further(struct reading *r, const json_t *record)
{
    const char *kind = evelog_fact(record, "kind");
    char name[192];

    name_of(record, name, sizeof(name));
    return atoi(evelog_fact(record, "sequence")) == 1 && names_get(r->leads, name, service_in(name)) &&
           (!strcmp(kind, "closed") || !strcmp(kind, "acknowledged") || !strcmp(kind, "reopened"));
}

static void sequence(struct reading *r, const json_t *record)
{
    uint64_t flow = evelog_flow(record);
    uint32_t n = (uint32_t)atoi(evelog_fact(record, "sequence")), *newest;

    if (!flow || !n)
        return;
    newest = names_at(r->flows, &flow, sizeof(flow));
    if (n != *newest + 1 || (n == 1) != (!strcmp(evelog_fact(record, "kind"), "first") || is_step_of_further(r, record)))
        campaign_fail(r->c, "told first exactly once", "flow %" PRIu64 " (%s): sequence %u, kind %s, after %u", flow,
                      evelog_name(record), n, evelog_fact(record, "kind"), *newest);
    *newest = n;
}

/*
 * What opens the node's data connections of active FTP is not the process that serves port 21, but executes the same
 * file: whether both are one server cannot be known.
 */
static bool is_undecidable(const json_t *record)
{
    return !strcmp(evelog_fact(record, "rule"), "implied-ftp-data");
}

static void judge_record(struct reading *r, const json_t *record)
{
    const char *name = evelog_name(record);
    size_t i = 0;

    while (i < sizeof(subjects) / sizeof(*subjects) && strcmp(subjects[i].name, name))
        i++;
    if (i == sizeof(subjects) / sizeof(*subjects))
        campaign_fail(r->c, "no alert without a cause", "'%s': %s", name, evelog_fact(record, "text"));
    sequence(r, record);
    switch (subjects[i].subject) {
    case UNDECIDED_OWNER:
        if (!r->c->held_up && !is_undecidable(record))
            campaign_fail(r->c, "no alert without a cause", "'%s': %s", name, evelog_fact(record, "text"));
        about_one(r, record);
        break;
    case ONE_FINDING: about_one(r, record); break;
    case SERVICE: about_service(r, record, subjects[i].least); break;
    case SCANNER_ADDRESS: about_many(r, record, " %s > ", text(record, "src_ip"), subjects[i].least); break;
    case TARGET_ADDRESS: about_many(r, record, " > %s", text(record, "dest_ip"), subjects[i].least); break;
    case GROUP: about_group(r, record); break;
    case HEALTH: about_health(r, record); break;
    case PEER:
    case ALWAYS: break;
    }
}

/* Check that answered findings have their alerts, which may be pending for the newest. */
static void judge_silence(struct reading *r, bool final)
{
    struct book *b = r->c->book;
    uint64_t now = qpw_clock_unix_ns();

    for (size_t i = 0; i < b->n_findings; i++) {
        const struct expected_finding *f = &b->findings[i];

        if (f->outcome < ANSWERED || !f->current || f->multicast || !strncmp(f->name, "undecided", 9) ||
            (!final && now - f->changed_ns < PATIENCE_NS))
            continue;
        r->c->invariants++;
        if (names_get(r->reported, f->name, strlen(f->name)) < ANSWERED + 1u &&
            !names_get(r->services, f->name, service_in(f->name)))
            campaign_fail(r->c, "what answered is told", "no alert after %.1f s: %s, %s%s%s",
                          (double)(now - f->changed_ns) / 1e9, f->name, outcome_names[f->outcome],
                          f->example ? ": " : "", f->example ? book_words(f->example) : "");
    }
}

static void read_log(struct campaign *c, struct evelog *log)
{
    char path[128];

    for (unsigned i = c->rotations; i > 0; i--) {
        snprintf(path, sizeof(path), "%s/log/eve.json.%u", c->dir, i);
        evelog_add(log, path);
    }
    snprintf(path, sizeof(path), "%s/log/eve.json", c->dir);
    evelog_add(log, path);
}

void check_alerts(struct campaign *c, bool final)
{
    struct reading r = {c, names_new(), names_new(), names_new(), names_new(), names_new()};
    struct evelog log = {0};

    campaign_drain(c);
    read_log(c, &log);
    campaign_drain(c); /* a record may be about frames that came since */
    if (log.torn > (final ? 0 : 1)) /* one may be incomplete */
        campaign_fail(c, "the log is valid", "%zu lines are no JSON", log.torn);
    for (size_t i = 0; i < log.n; i++)
        judge_record(&r, log.records[i]);
    c->invariants += log.n;
    c->records = log.n;
    judge_silence(&r, final);
    evelog_clear(&log);
    names_free(r.flows);
    names_free(r.firsts);
    names_free(r.reported);
    names_free(r.services);
    names_free(r.leads);
}

/* ---- The log's form, by its schema ---- */

static const char script[] =
    "import json, sys\n"
    "import jsonschema\n"
    "check = jsonschema.Draft7Validator(json.load(open(sys.argv[1])))\n"
    "for path in sys.argv[2:]:\n"
    "    for n, line in enumerate(open(path)):\n"
    "        for e in check.iter_errors(json.loads(line)):\n"
    "            sys.exit(f'{path} line {n + 1}: {e.message[:300]}')\n";

#define SCHEMA "../shared/schemas/eve.json"

void check_log_schema(struct campaign *c)
{
    char said[1024], path[96];
    FILE *f;

    if (access(SCHEMA, R_OK) || netns_output(&c->place.ns[NODE], NULL, 0, "python3 -c 'import jsonschema'"))
        return;
    snprintf(path, sizeof(path), "%s/check.py", c->dir);
    f = fopen(path, "w");
    cr_assert(f && fputs(script, f) >= 0 && fclose(f) == 0);
    if (netns_output(&c->place.ns[NODE], said, sizeof(said), "python3 %s " SCHEMA " %s/log/eve.json*", path, c->dir))
        campaign_fail(c, "the log is valid EVE", "%s", said);
    c->invariants++;
}

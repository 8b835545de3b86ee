/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Suggestions from a snapshot of traffic, verdicts of another policy on it, and the exports. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice/changes.h"
#include "policy/tools/export.h"
#include "advice/proposals.h"
#include "advice/suggest.h"
#include "advice/what_if.h"
#include "util/names.h"

#define SECOND 1000000000ull
#define START (1790000000 * SECOND)

struct picture {
    struct qpw_snapshot s;
    struct qpw_finding_row findings[64];
    struct qpw_meter_row meters[64];
    struct qpw_rule_info rules[8];
};

static void begin(struct picture *p)
{
    *p = (struct picture){0};
    p->s.findings = p->findings;
    p->s.meters = p->meters;
    p->s.rules = p->rules;
    p->s.n_rules = 1;
    p->s.from_unix_ns = START;
    p->s.unix_ns = START + 3600 * SECOND;
    strcpy(p->s.host, "node1");
    strcpy(p->s.meta.policy_name, "qumulo/on-prem");
}

static struct qpw_finding_row *find(struct picture *p, uint8_t direction, uint8_t protocol, uint16_t port,
                                    const char *remote, uint8_t outcome)
{
    struct qpw_finding_row *f = &p->findings[p->s.n_findings++];
    bool inbound = direction == QPW_DIR_INBOUND;

    f->key = (struct qpw_finding_key){.port = port, .kind = QPW_KIND_PORT, .protocol = protocol, .direction = direction,
                                      .verdict = QPW_VERDICT_UNEXPECTED};
    cr_assert(qpw_address_parse(remote, inbound ? f->key.initiator : f->key.responder) == 0);
    cr_assert(qpw_address_parse("10.1.0.11", inbound ? f->key.responder : f->key.initiator) == 0);
    f->value.outcome = outcome;
    f->first_unix_ns = START + p->s.n_findings * 60 * SECOND;
    f->counts = (struct qpw_counts){.connections = 1, .rx_packets = 5, .tx_packets = 5};
    return f;
}

static char *suggest(const struct picture *p, size_t *lines)
{
    struct qpw_suggest_options options = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert(qpw_policy_suggest(&p->s, &options, out, lines) == 0);
    fclose(out);
    return text;
}

Test(suggest, answered_only_in_the_fewest_prefixes)
{
    struct picture p;
    size_t lines;
    char *text;

    begin(&p);
    find(&p, QPW_DIR_INBOUND, 6, 9100, "10.9.0.8", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 9100, "10.9.0.9", QPW_OUTCOME_ANSWERED);
    find(&p, QPW_DIR_INBOUND, 6, 9100, "10.9.0.10", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 9100, "10.9.0.11", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 9100, "2001:db8::1", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 23, "10.9.0.7", QPW_OUTCOME_ATTEMPTED);
    find(&p, QPW_DIR_INBOUND, 6, 24, "10.9.0.7", QPW_OUTCOME_REFUSED);
    find(&p, QPW_DIR_OUTBOUND, 17, 514, "10.0.0.9", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_UNKNOWN, 6, 4444, "10.0.0.9", QPW_OUTCOME_DATA);
    text = suggest(&p, &lines);
    cr_assert(eq(sz, lines, 2));
    cr_assert(strstr(text, "#inbound   tcp      9100         \"TODO: purpose\" from=10.9.0.8/30,2001:db8::1\n") !=
                  NULL,
              "%s", text);
    cr_assert(strstr(text, "#outbound  udp      514          \"TODO: purpose\" to=10.0.0.9\n") != NULL, "%s",
              text);
    cr_assert(strstr(text, "first seen 2026-09-21 14:14:20Z") != NULL, "%s", text);
    cr_assert(strstr(text, " 23 ") == NULL && strstr(text, "4444") == NULL);
    /* Every line is a comment: the file changes nothing as it is, and becomes a policy by removing a #. */
    for (char *line = text; *line; line = strchr(line, '\n') + 1)
        cr_assert(line[0] == '#' || line[0] == '\n', "%.40s", line);
    free(text);
}

static const char *program(void *arg, const struct qpw_finding_row *finding)
{
    return finding->key.port == 7000 ? finding->value.rule ? "two[12]" : "one[11]" : finding->value.rule ? "one[13]" : "one[11]";
}

/* A proposal mentions that the traffic was acknowledged rather than allowed. */
Test(suggest, what_is_acknowledged_is_proposed_as_such)
{
    static const struct qpw_life known = {.step = QPW_LIFE_ACKNOWLEDGED, .outcome = QPW_OUTCOME_DATA, .unix_ns = 2};
    struct picture p;
    size_t lines;
    char *text;

    begin(&p);
    find(&p, QPW_DIR_INBOUND, 6, 7000, "10.9.0.8", QPW_OUTCOME_DATA)->acknowledged = &known;
    find(&p, QPW_DIR_INBOUND, 6, 7001, "10.9.0.8", QPW_OUTCOME_DATA)->acknowledged = &known;
    find(&p, QPW_DIR_INBOUND, 6, 7001, "10.9.0.20", QPW_OUTCOME_DATA);
    text = suggest(&p, &lines);
    cr_assert(eq(sz, lines, 2));
    cr_assert(strstr(text, "1 finding, acknowledged\n#inbound   tcp      7000 ") != NULL, "%s", text);
    cr_assert(strstr(text, "2 findings, 1 of them acknowledged\n#inbound   tcp      7001 ") != NULL, "%s", text);
    free(text);
}

/* Ports are never combined into one line, whatever their programs: each has its own purpose. */
Test(suggest, one_line_a_service_and_program)
{
    struct qpw_suggest_options options = {.process = program};
    struct picture p;
    size_t lines, size;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    begin(&p);
    find(&p, QPW_DIR_INBOUND, 6, 7000, "10.9.0.8", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 7000, "10.9.0.20", QPW_OUTCOME_DATA)->value.rule = 1;
    find(&p, QPW_DIR_INBOUND, 6, 7002, "10.9.0.8", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 7002, "10.9.0.30", QPW_OUTCOME_DATA)->value.rule = 1; /* another run of the same */
    cr_assert(qpw_policy_suggest(&p.s, &options, out, &lines) == 0);
    fclose(out);
    cr_assert(eq(sz, lines, 3));
    cr_assert(strstr(text, "process one\n#inbound   tcp      7000         \"TODO: purpose\" from=10.9.0.8\n") != NULL, "%s", text);
    cr_assert(strstr(text, "process two\n#inbound   tcp      7000         \"TODO: purpose\" from=10.9.0.20\n") != NULL, "%s", text);
    cr_assert(strstr(text, "process one\n#inbound   tcp      7002         \"TODO: purpose\" from=10.9.0.8,10.9.0.30\n") != NULL,
              "%s", text);
    free(text);
}

Test(suggest, many_addresses_have_a_set_and_the_file_without_its_hashes_is_a_policy)
{
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};
    struct picture p;
    size_t lines;
    char *text, address[32];

    begin(&p);
    for (int i = 0; i < 20; i++) {
        snprintf(address, sizeof(address), "10.9.%d.7", i);
        find(&p, QPW_DIR_INBOUND, 6, 9100, address, QPW_OUTCOME_DATA);
    }
    text = suggest(&p, &lines);
    cr_assert(eq(sz, lines, 1));
    cr_assert(strstr(text, "\n#inbound   tcp      9100         \"TODO: purpose\" from=@in-tcp-9100-remotes\n") != NULL, "%s", text);
    for (char *at = text; (at = strstr(at, "\n#addresses")) != NULL || (at = strstr(text, "\n#inbound")) != NULL;)
        at[1] = ' ';
    cr_assert(qpw_policy_parse_text("site", text, strlen(text), &policy, &err) == 0, "%s: %s", err.text, text);
    cr_assert(eq(sz, policy.n_rules, 1));
    cr_assert(eq(sz, policy.n_sets, 1));
    cr_assert(eq(sz, policy.rules[0].from.n, 20));
    qpw_policy_clear(&policy);
    free(text);
}

/* What the node's end of a connection looked like that its rule is not for. */
static struct qpw_finding_row *mismatch(struct picture *p, uint16_t port, uint16_t rule, unsigned services, unsigned speech)
{
    struct qpw_finding_row *f = find(p, QPW_DIR_INBOUND, 6, port, "10.9.0.8", QPW_OUTCOME_DATA);

    f->key.verdict = QPW_VERDICT_MISMATCH;
    f->value.rule = rule;
    f->value.services = (uint16_t)services;
    f->value.speaks[1] = (uint8_t)speech;
    return f;
}

/* Each rule has one line: with the service seen there, where it has a name and is the only one. */
Test(suggest, what_speaks_otherwise_than_its_rule_names)
{
    struct picture p;
    size_t lines;
    char *text;

    begin(&p);
    p.s.n_rules = 5;
    for (int i = 1; i < 5; i++)
        snprintf(p.rules[i].name, sizeof(p.rules[i].name), "rule%d", i);
    mismatch(&p, 2049, 1, QPW_SPEAKS(SUNRPC), QPW_SPEECH_HTTP);
    mismatch(&p, 2049, 1, QPW_SPEAKS(SUNRPC), QPW_SPEECH_HTTP);
    mismatch(&p, 9000, 2, QPW_SPEAKS(TLS) | QPW_SPEAKS(HTTP), QPW_SPEECH_FCGI);
    mismatch(&p, 445, 3, QPW_SPEAKS(SMB), QPW_SPEECH_SSH);
    mismatch(&p, 445, 3, QPW_SPEAKS(SMB), QPW_SPEECH_TEXT);
    mismatch(&p, 22, 4, QPW_SPEAKS(SSH), QPW_SPEECH_TLS)->value.flags |= QPW_FINDING_SUPERSEDED;
    mismatch(&p, 23, 0, QPW_SPEAKS(SSH), QPW_SPEECH_TLS); /* a rule that is not known */
    text = suggest(&p, &lines);
    cr_assert(strstr(text, "# rule1 is for Sun RPC; first bytes look like HTTP: 2 findings\n#override rule1 speaks=http,sunrpc\n"
                           "# rule2 is for TLS or HTTP; first bytes look like FastCGI: 1 finding\n#override rule2 speaks=any\n"
                           "# rule3 is for SMB; first bytes look like SSH, text: 2 findings\n#override rule3 speaks=any\n") != NULL,
              "%s", text);
    cr_assert(eq(sz, lines, 3));
    cr_assert(strstr(text, "rule4") == NULL && strstr(text, "9.0.8") == NULL, "%s", text);
    free(text);
}

static struct qpw_rule_user_row user(uint16_t rule, enum qpw_rule_user_kind kind, const char *who)
{
    struct qpw_rule_user_row row = {.key = {.rule = rule, .kind = (uint8_t)kind}};

    if (kind == QPW_RULE_REMOTE)
        cr_assert(qpw_address_parse(who, (uint8_t *)row.key.who) == 0);
    else
        snprintf(row.key.who, sizeof(row.key.who), "%s", who);
    return row;
}

/* Rules with few users are proposed to be narrowed to these, unless a user is uncertain or cannot be written. */
Test(suggest, rules_used_by_few_are_narrowed_to_them)
{
    static const char *const names[] = {"", "ssh", "ldap", "smb", "nfs", "idle"};
    struct qpw_rule_user_row users[32];
    struct qpw_suggest_options options = {.users = users};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};
    struct picture p;
    size_t size;
    char *text = NULL, *whole, address[32];
    FILE *out = open_memstream(&text, &size);

    begin(&p);
    p.s.n_rules = 6;
    for (uint16_t id = 1; id < 6; id++) {
        p.rules[id] = (struct qpw_rule_info){.direction = id == 2 ? QPW_DIR_OUTBOUND : QPW_DIR_INBOUND,
                                             .verdict = QPW_VERDICT_ALLOWED, .in_force = 1};
        strcpy(p.rules[id].name, names[id]);
        p.meters[id - 1] = (struct qpw_meter_row){.key = {.rule = id, .verdict = QPW_VERDICT_ALLOWED}, .counts = {.rx_packets = id < 5}};
    }
    p.s.n_meters = 5;
    users[options.n_users++] = user(1, QPW_RULE_REMOTE, "10.9.0.8");
    users[options.n_users++] = user(1, QPW_RULE_REMOTE, "10.9.0.9");
    users[options.n_users++] = user(1, QPW_RULE_REMOTE, "fd00::5");
    users[options.n_users++] = user(1, QPW_RULE_PROGRAM, "/usr/sbin/sshd");
    users[options.n_users++] = user(2, QPW_RULE_REMOTE, "10.0.0.5");
    users[options.n_users++] = user(2, QPW_RULE_PROGRAM, "");
    users[options.n_users++] = user(2, QPW_RULE_PROGRAM, "/usr/bin/sssd");
    for (int i = 0; i < (int)QPW_RULE_FEW_REMOTES + 1; i++) {
        snprintf(address, sizeof(address), "10.9.1.%d", 2 * i);
        users[options.n_users++] = user(3, QPW_RULE_REMOTE, address);
    }
    users[options.n_users++] = user(3, QPW_RULE_PROGRAM, "/usr/sbin/smbd\ninbound tcp any x");
    users[options.n_users++] = user(4, QPW_RULE_PROGRAM, "/opt/a,b");
    cr_assert(qpw_policy_suggest(&p.s, &options, out, NULL) == 0);
    fclose(out);
    cr_assert(strstr(text, "# ssh: 1 packet, 3 remote addresses\n#only      ssh from=10.9.0.8/31,fd00::5\n"
                           "#only      ssh owner=/usr/sbin/sshd\n") != NULL, "%s", text);
    cr_assert(strstr(text, "# ldap: 1 packet, 1 remote address\n#only      ldap to=10.0.0.5\n") != NULL, "%s", text);
    for (const char *never = "smb\0nfs\0sssd\0tcp any\0"; *never; never += strlen(never) + 1)
        cr_assert(strstr(text, never) == NULL, "%s: %s", never, text);
    /* Without the # they are statements that narrow the rules. */
    for (char *at = text; (at = strstr(at, "\n#only")) != NULL;)
        at[1] = ' ';
    cr_assert(asprintf(&whole, "inbound tcp 22 SSH name=ssh\noutbound tcp 389 LDAP name=ldap\n%s", text) > 0);
    cr_assert(qpw_policy_parse_text("site", whole, strlen(whole), &policy, &err) == 0, "%s: %s", err.text, text);
    free(whole);
    cr_assert(eq(sz, policy.n_rules, 2));
    cr_assert(eq(sz, policy.rules[0].from.n, 2));
    cr_assert(strcmp(policy.rules[0].owner, "/usr/sbin/sshd") == 0);
    cr_assert(eq(sz, policy.rules[1].to.n, 1));
    qpw_policy_clear(&policy);
    free(text);
}

static const char *hostile(void *arg, const struct qpw_finding_row *finding)
{
    (void)arg;
    return finding->key.port == 7000 ? "x\ninbound tcp any all\r\n" : "\"a` #b\033[2J";
}

/* Whatever the name of a process, a proposal contains only comments. */
Test(suggest, names_of_processes_are_no_statements)
{
    struct qpw_suggest_options options = {.process = hostile};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};
    struct picture p;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    begin(&p);
    find(&p, QPW_DIR_INBOUND, 6, 7000, "10.9.0.8", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 7001, "10.9.0.8", QPW_OUTCOME_DATA);
    cr_assert(qpw_policy_suggest(&p.s, &options, out, NULL) == 0);
    fclose(out);
    for (char *line = text; *line; line = strchr(line, '\n') + 1)
        cr_assert(line[0] == '#' || line[0] == '\n', "%.60s", line);
    cr_assert(qpw_policy_parse_text("site", text, strlen(text), &policy, &err) == 0, "%s: %s", err.text, text);
    cr_assert(eq(sz, policy.n_rules, 0));
    qpw_policy_clear(&policy);
    free(text);
}

Test(suggest, peers_and_unused_rows)
{
    struct picture p;
    size_t lines;
    char *text;

    begin(&p);
    find(&p, QPW_DIR_INBOUND, 6, 7000, "10.1.0.12", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 7001, "10.1.0.12", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_OUTBOUND, 6, 7000, "10.1.0.12", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_OUTBOUND, 6, 7001, "10.1.0.12", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 7001, "10.1.0.99", QPW_OUTCOME_DATA);
    /* Three ports one way and one the other, or two addresses of the node on one port, do not make a peer. */
    for (uint16_t port = 7100; port < 7103; port++)
        find(&p, QPW_DIR_INBOUND, 6, port, "10.1.0.50", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_OUTBOUND, 6, 7100, "10.1.0.50", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_OUTBOUND, 6, 7100, "10.1.0.50", QPW_OUTCOME_DATA)->key.initiator[15] ^= 1;
    p.s.n_rules = 5;
    p.rules[1] = (struct qpw_rule_info){.name = "used", .verdict = QPW_VERDICT_ALLOWED, .in_force = 1};
    p.rules[2] = (struct qpw_rule_info){.name = "idle", .verdict = QPW_VERDICT_ALLOWED, .in_force = 1};
    p.rules[3] = (struct qpw_rule_info){.name = "infra-arp", .verdict = QPW_VERDICT_INFRA, .in_force = 1};
    p.rules[4] = (struct qpw_rule_info){.name = "inferred", .verdict = QPW_VERDICT_ALLOWED, .in_force = 1};
    p.s.n_meters = 2;
    p.meters[0] = (struct qpw_meter_row){.key = {.rule = 1, .verdict = QPW_VERDICT_ALLOWED}, .counts = {.rx_packets = 1}};
    p.meters[1] = (struct qpw_meter_row){.key = {.rule = 4, .verdict = QPW_VERDICT_UNDECIDED}, .counts = {.rx_packets = 1}};
    text = suggest(&p, &lines);
    cr_assert(strstr(text, "10.1.0.12  # 2 ports inbound, 2 outbound\n") != NULL, "%s", text);
    cr_assert(strstr(text, "#peer") == strrchr(text, '#') || strstr(strstr(text, "#peer") + 1, "#peer") == NULL, "%s",
              text);
    cr_assert(strstr(text, "#disable   idle\n") != NULL, "%s", text);
    cr_assert(strstr(text, "disable   used") == NULL && strstr(text, "inferred") == NULL && strstr(text, "infra-arp") == NULL);
    free(text);
}

/* ---- Proposals in a policy being edited ---- */

Test(proposals, what_is_accepted_stays_with_its_evidence_and_nothing_else)
{
    static const char *const policy = "policy site\n# a comment of the site\n#inbound tcp 1 kept\n";
    static const char *const proposed = "# Proposed rules\n# first seen today\n#inbound tcp 9100 x\n# first seen later\n"
                                        "#addresses s 10.0.0.1\n#inbound tcp 9200 y from=@s\n\n#disable ssh\n";
    char *text = qpw_proposals_put(policy, proposed), *taken, *at;

    taken = qpw_proposals_take(text);
    cr_assert(eq(str, taken, (char *)policy), "untouched, it is the policy as it was");
    free(taken);
    at = strstr(text, "#addresses");
    *at = ' ';
    at = strstr(text, "#inbound tcp 9200");
    *at = ' ';
    taken = qpw_proposals_take(text);
    cr_assert(eq(str, taken, "policy site\n# a comment of the site\n#inbound tcp 1 kept\n# first seen later\n addresses s 10.0.0.1\n"
                             " inbound tcp 9200 y from=@s\n"));
    free(taken);
    free(text);
    taken = qpw_proposals_take("inbound tcp 22 ssh # no marks, no line end");
    cr_assert(eq(str, taken, "inbound tcp 22 ssh # no marks, no line end\n"));
    free(taken);
}

/* ---- Verdicts of another policy ---- */

static struct qpw_policy parse(const char *text)
{
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    cr_assert(qpw_policy_parse_text("new", text, strlen(text), &policy, &err) == 0, "%s", err.text);
    return policy;
}

static void meter(struct picture *p, uint16_t port, uint8_t verdict, uint16_t rule, uint64_t packets)
{
    struct qpw_meter_row *m = &p->meters[p->s.n_meters++];

    m->key = (struct qpw_meter_key){.kind = QPW_KIND_PORT,
                                    .protocol = 6,
                                    .direction = QPW_DIR_INBOUND,
                                    .verdict = verdict,
                                    .port = port,
                                    .rule = rule};
    m->counts = (struct qpw_counts){.connections = 1, .rx_packets = packets};
}

Test(what_if, findings_by_address_and_meters_without)
{
    struct qpw_policy policy =
        parse("inbound tcp 9100 monitoring from=10.9.0.0/24\ninbound tcp 22 SSH from=10.1.0.0/16\n");
    struct qpw_what_if result = {0};
    struct qpw_error err = {""};
    struct picture p;

    begin(&p);
    p.s.n_rules = 2;
    strcpy(p.rules[1].name, "in-tcp-445");
    find(&p, QPW_DIR_INBOUND, 6, 9100, "10.9.0.8", QPW_OUTCOME_DATA);
    find(&p, QPW_DIR_INBOUND, 6, 9100, "10.8.0.8", QPW_OUTCOME_DATA);
    mismatch(&p, 445, 1, QPW_SPEAKS(SMB), QPW_SPEECH_TEXT); /* its packets are in its rule's meter */
    meter(&p, 445, QPW_VERDICT_ALLOWED, 1, 100);
    meter(&p, 22, QPW_VERDICT_ALLOWED, 1, 50);
    meter(&p, 9100, QPW_VERDICT_UNEXPECTED, 0, 20);
    cr_assert(qpw_policy_what_if(&(struct qpw_what_if_traffic){&p.s}, &policy, 1790000000, &result, &err) == 0, "%s", err.text);
    cr_assert(eq(sz, result.n, 3));
    cr_assert(eq(u64, result.packets, 170));
    cr_assert(eq(u64, result.changed, 110));
    cr_assert(eq(u64, result.uncertain, 50));
    cr_assert(eq(uint, result.rows[0].port, 445)); /* what becomes unexpected first */
    cr_assert(eq(uint, result.rows[0].new_verdict, QPW_VERDICT_UNEXPECTED));
    cr_assert(eq(str, result.rows[0].old_rule, "in-tcp-445"));
    cr_assert(eq(uint, result.rows[1].port, 9100));
    cr_assert(eq(uint, result.rows[1].new_verdict, QPW_VERDICT_ALLOWED));
    cr_assert(eq(str, result.rows[1].new_rule, "in-tcp-9100"));
    cr_assert(eq(uint, result.rows[2].port, 22));
    cr_assert(eq(int, result.rows[2].uncertain, 1));
    qpw_what_if_clear(&result);
    qpw_policy_clear(&policy);
}

static struct qpw_what_if_end end_of(uint16_t port, const char *remote, uint64_t connections, bool whole)
{
    struct qpw_what_if_end end = {.key = {.kind = QPW_KIND_PORT, .protocol = 6, .port = port, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_ALLOWED},
                                  .rule = "in-tcp-445", .outcome = QPW_OUTCOME_DATA, .connections = connections, .whole = whole};

    cr_assert(qpw_address_parse(remote, end.remote) == 0);
    return end;
}

/* Remote ends known from a history are judged one by one, and none is invented. */
Test(what_if, remote_ends_of_what_was_allowed)
{
    struct qpw_policy policy = parse("inbound tcp 445 SMB from=10.7.0.0/16\n");
    struct qpw_what_if_end ends[] = {end_of(22, "10.9.0.2", 4, false), end_of(445, "10.9.0.1", 3, true), end_of(445, "10.7.0.1", 2, true)};
    struct qpw_what_if result = {0};
    struct qpw_error err = {""};
    struct picture p;
    char text[64];

    begin(&p);
    p.s.n_rules = 2;
    strcpy(p.rules[1].name, "in-tcp-445");
    meter(&p, 445, QPW_VERDICT_ALLOWED, 1, 100);
    p.meters[0].counts.connections = 6; /* one of them of no known end */
    meter(&p, 22, QPW_VERDICT_ALLOWED, 1, 50);
    meter(&p, 23, QPW_VERDICT_ALLOWED, 1, 7);
    cr_assert(qpw_policy_what_if(&(struct qpw_what_if_traffic){&p.s, ends, 3}, &policy, 1790000000, &result, &err) == 0, "%s", err.text);
    cr_assert(eq(sz, result.n, 4));
    cr_assert(eq(u64, result.changed, 57), "port 22 and 23 whole");
    cr_assert(eq(u64, result.uncertain, 100), "who of them sent how much is not known");
    for (size_t i = 0; i < result.n; i++) {
        const struct qpw_what_if_row *row = &result.rows[i];

        cr_expect_eq(row->uncertain, row->port == 445 && !row->by_address);
        cr_expect_eq(row->by_address, row->port == 22 || (row->port == 445 && row->connections == 3));
        cr_expect_eq(row->connections_unknown, row->port == 22, "it is older than the time in question");
        cr_expect_eq(row->packets_unknown, row->port != 23);
        if (row->by_address)
            cr_expect_str_eq(qpw_address_text(row->initiator, text, sizeof(text)), row->port == 22 ? "10.9.0.2" : "10.9.0.1");
        else
            cr_expect_eq(row->connections, row->port == 445 ? 1 : p.meters[2].counts.connections);
    }
    qpw_what_if_clear(&result);
    qpw_policy_clear(&policy);
}

/* Answers from another port than requested: the requested port's rule may explain them, or no longer does. */
Test(what_if, answers_from_any_port)
{
    static const struct {
        const char *policy;
        unsigned verdict;
    } policies[] = {
        {"inbound udp 69 TFTP name=tftp answers=any-port\n", QPW_VERDICT_IMPLIED},
        {"inbound udp 69 TFTP name=tftp\n", QPW_VERDICT_UNEXPECTED},
        {"inbound udp 69 TFTP name=tftp answers=any-port from=10.7.0.0/16\n", QPW_VERDICT_UNEXPECTED},
        {"inbound udp 69 TFTP answers=any-port\ninbound udp 50000 data\n", QPW_VERDICT_ALLOWED},
    };

    for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
        struct qpw_policy policy = parse(policies[i].policy);
        struct qpw_what_if result = {0};
        struct qpw_error err = {""};
        struct picture p;

        begin(&p);
        find(&p, QPW_DIR_INBOUND, 17, 50000, "10.9.0.8", QPW_OUTCOME_DATA);
        p.findings[0].value.flags = QPW_FINDING_ASKED_AT;
        p.findings[0].value.other_port = 69;
        p.findings[0].key.verdict = policies[i].verdict == QPW_VERDICT_UNEXPECTED ? QPW_VERDICT_IMPLIED
                                                                                  : QPW_VERDICT_UNEXPECTED;
        cr_assert(qpw_policy_what_if(&(struct qpw_what_if_traffic){&p.s}, &policy, 1790000000, &result, &err) == 0, "%s", err.text);
        cr_assert(eq(sz, result.n, 1));
        cr_assert(eq(uint, result.rows[0].new_verdict, policies[i].verdict));
        cr_assert(eq(str, result.rows[0].new_rule, policies[i].verdict == QPW_VERDICT_IMPLIED   ? "tftp"
                                                   : policies[i].verdict == QPW_VERDICT_ALLOWED ? "in-udp-50000" : ""));
        qpw_what_if_clear(&result);
        qpw_policy_clear(&policy);
    }
}

Test(changes, same_connections_under_two_policies)
{
    struct qpw_changes *changes = qpw_changes_new();
    struct qpw_conn_key key = {.local_port = 21, .remote_port = 50000, .protocol = 6};
    struct qpw_conn conn = {.direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_ALLOWED, .rule = 1};
    struct qpw_rule_info rules[2] = {{{0}}, {.name = "in-tcp-21"}};
    struct qpw_registry names = {.rules = rules, .n_rules = 2};
    struct qpw_what_if result = {0};

    for (int run = 0; run < 2; run++) {
        /* The same tuple twice in a row, the two connections ending in another order in the second run. */
        for (int i = 0; i < 2; i++) {
            conn.first_ns = (uint64_t)(run ? 2 - i : i + 1);
            conn.verdict = run && conn.first_ns == 2 ? QPW_VERDICT_UNEXPECTED : QPW_VERDICT_ALLOWED;
            conn.rule = conn.verdict == QPW_VERDICT_ALLOWED;
            cr_assert(qpw_changes_add(changes, &key, &conn, conn.first_ns * 10) == 0);
        }
        cr_assert(qpw_changes_end_run(changes, &names) == 0);
    }
    cr_assert(qpw_changes_result(changes, &result) == 0);
    cr_assert(eq(sz, result.n, 1));
    cr_assert(eq(u64, result.packets, 30));
    cr_assert(eq(u64, result.changed, 20));
    cr_assert(eq(uint, result.rows[0].port, 21));
    cr_assert(eq(str, result.rows[0].old_rule, "in-tcp-21"));
    cr_assert(eq(str, result.rows[0].new_rule, ""));
    qpw_what_if_clear(&result);
    qpw_changes_free(changes);
}

/* ---- Exports ---- */

Test(exports, json_has_every_row_and_setting)
{
    struct qpw_policy policy = parse("policy a/b\ninbound tcp 445 \"a \\\"b\\\"\" from=10.0.0.0/8,10.1.0.0/16 vlan=7 "
                                     "until=2027-03-01\npeer n fd00::1\ninfra arp unexpected\n"
                                     "suppress any udp any outcome=answered\n");
    json_t *document = qpw_policy_json(&policy, 1790000000),
           *row = json_array_get(json_object_get(document, "rules"), 0);

    cr_assert(eq(str, (char *)json_string_value(json_object_get(document, "schema")), "qportwatch.policy/1"));
    cr_assert(eq(str, (char *)json_string_value(json_object_get(row, "purpose")), "a \"b\""));
    cr_assert(eq(str, (char *)json_string_value(json_array_get(json_object_get(row, "from"), 0)), "10.0.0.0/8"));
    cr_assert(eq(sz, json_array_size(json_object_get(row, "from")), 1));
    cr_assert(eq(str, (char *)json_string_value(json_object_get(row, "until")), "2027-03-01"));
    cr_assert(eq(i64, json_integer_value(json_object_get(row, "vlan")), 7));
    cr_assert(eq(int, json_typeof(json_object_get(row, "to")), JSON_NULL));
    cr_assert(
        eq(str, (char *)json_string_value(json_object_get(json_object_get(document, "infra"), "arp")), "unexpected"));
    cr_assert(eq(str,
                 (char *)json_string_value(
                     json_object_get(json_array_get(json_object_get(document, "suppressions"), 0), "outcome")),
                 "answered"));
    json_decref(document);
    qpw_policy_clear(&policy);
}

Test(exports, csv_quotes_what_has_commas)
{
    struct qpw_policy policy = parse("outbound tcp,udp 53,5353 \"DNS, both\" to=10.0.0.1\n");
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    qpw_policy_csv(&policy, 1790000000, out);
    fclose(out);
    cr_assert(
        eq(str, strchr(text, '\n') + 1,
           "out-tcp+udp-53+5353,outbound,\"tcp,udp\",\"53,5353\",\"DNS, both\",allowed,yes,,10.0.0.1,,,,,,,,,new,1\r\n"));
    free(text);
    qpw_policy_clear(&policy);
}

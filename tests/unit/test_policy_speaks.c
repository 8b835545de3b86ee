/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* speaks= of a rule: parsed, written, changed, checked, compared, compiled; its values in the built-in policies. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/compile/compile.h"
#include "policy/compile/compile_int.h"
#include "policy/lang/policy.h"
#include "policy/lang/rule_text.h"
#include "policy/lang/services.h"
#include "policy/tools/check.h"
#include "policy/tools/diff.h"
#include "policy/tools/export.h"
#include "util/names.h"

#define NOW 1790000000 /* 2026-09-21 */
#define ALL "ssh,tls,http,ftp,smb,sunrpc,ldap,kerberos,dns,dcerpc,syslog,ntp"

static struct qpw_policy parse(const char *text)
{
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    cr_assert(qpw_policy_parse_text("p", text, strlen(text), &policy, &err) == 0, "%s: %s", text, err.text);
    return policy;
}

/* Return the first rule of that name; NULL: none. */
static const struct qpw_rule *named(const struct qpw_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (qpw_rule_is_named(&policy->rules[i], name))
            return &policy->rules[i];
    return NULL;
}

Test(speaks, wrong_ones_are_named_with_the_right_ones)
{
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"inbound tcp 445 SMB speaks=", "p:1:28: '' is not what speaks= takes: any alone, or of " ALL},
        {"inbound tcp 445 SMB speaks=nfs", "p:1:28: 'nfs' is not what speaks= takes: any alone, or of " ALL},
        {"inbound tcp 445 SMB speaks=smb,htpp",
         "p:1:32: 'htpp' is not what speaks= takes: any alone, or of " ALL "; did you mean 'http'?"},
        {"inbound tcp 445 SMB speaks=smb,", "p:1:32: '' is not what speaks= takes: any alone, or of " ALL},
        {"inbound tcp 445 SMB speaks=SMB", "p:1:28: 'SMB' is not what speaks= takes: any alone, or of " ALL},
        {"inbound tcp 445 SMB speaks=any,smb", "p:1:28: 'any' is not what speaks= takes: any alone, or of " ALL},
        {"inbound tcp 445 SMB speaks=tls,smb,tls", "p:1:36: 'tls': given twice in this list"},
        {"inbound tcp 445 SMB speaks=any speaks=smb", "p:1:32: 'speaks=smb': given twice on this line"},
        {"inbound tcp 445 SMB speak=smb", "p:1:21: unexpected 'speak=smb'; did you mean 'speaks='?"},
        {"inbound icmp 8 x speaks=ssh", "p:1: speaks=ssh: not spoken over icmp"},
        {"inbound udp,sctp 22 x speaks=ssh,tls", "p:1: speaks=ssh,tls: not spoken over udp,sctp"},
        {"outbound tcp 123 x speaks=ntp", "p:1: speaks=ntp: not spoken over tcp"},
        {"inbound any any x speaks=ssh", "p:1: speaks=ssh: name the protocol, tcp or udp, in place of any"},
        {"suppress inbound tcp 1 speaks=ssh", "p:1:24: unexpected 'speaks=ssh'"},
        {"inbound tcp 22 x name=ssh\nonly ssh speaks=ssh", "p:2:10: only does not take speaks=; write: override ssh speaks=ssh"},
        {"inbound tcp 22 x name=ssh\noverride sh speaks=ssh", "p:2:10: no rule above is named 'sh'; did you mean 'ssh'?"},
        {"inbound tcp 22 x name=ssh\noverride ssh speaks=shs",
         "p:2:21: 'shs' is not what speaks= takes: any alone, or of " ALL "; did you mean 'ssh'?"},
        {"inbound tcp 22 x name=ssh\noverride ssh speaks=ssh speaks=tls", "p:2:25: 'speaks=tls': given twice on this line"},
        {"inbound icmp 8 x name=ping\noverride ping speaks=ssh", "p:2: speaks=ssh: not spoken over icmp"},
        {"inbound tcp 22 x name=ssh\noverride ssh",
         "p:2:1: override needs a rule's name and OLD=NEW or speaks=, as in: override ldap 389=10389"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct qpw_policy policy = {0};
        struct qpw_error err = {""};

        cr_expect_eq(qpw_policy_parse_text("p", wrong[i].text, strlen(wrong[i].text), &policy, &err) < 0, 1, "%s", wrong[i].text);
        cr_expect_str_eq(err.text, wrong[i].error);
        qpw_policy_clear(&policy);
    }
}

/* Every list is written in the form in which it is parsed. */
Test(speaks, every_list_is_read_as_it_is_written)
{
    char text[QPW_SPEAKS_ROOM], statement[256], marks[256];

    for (uint32_t speaks = 0; speaks <= QPW_SPEAKS_SERVICES; speaks++) {
        uint32_t want = speaks ? speaks : QPW_SPEAKS_ANY, got = 0;
        struct qpw_policy policy;

        qpw_speaks_text(want, text, sizeof(text));
        cr_assert(qpw_speaks_read(text, &got) == NULL && got == want, "%s", text);
        snprintf(statement, sizeof(statement), "inbound tcp,udp 22 x speaks=%s", text);
        policy = parse(statement);
        cr_assert_eq(policy.rules[0].speaks, want, "%s", statement);
        cr_assert_str_eq(qpw_row_marks_text(&policy.rules[0], marks, sizeof(marks)), statement + strlen("inbound tcp,udp 22 x "));
        qpw_policy_clear(&policy);
    }
    cr_expect_str_eq(qpw_speaks_text(QPW_SPEAKS_SERVICES, text, sizeof(text)), ALL);
    cr_expect_str_eq(qpw_speaks_text(0, text, sizeof(text)), "any");
}

Test(speaks, override_replaces_it_and_keeps_it_when_ports_move)
{
    struct qpw_policy policy = parse("include on-prem\noverride ldap 389=10389\noverride web-ui speaks=any\n"
                                     "override s3 speaks=http 9000=9001\ninbound tcp 7 x name=plain\noverride plain speaks=ssh\n");
    char text[QPW_SPEAKS_ROOM];

    cr_expect_str_eq(qpw_speaks_text(named(&policy, "ldap")->speaks, text, sizeof(text)), "tls,ldap");
    cr_expect_eq(named(&policy, "ldap")->ports[1].first, 10389);
    cr_expect_eq(named(&policy, "in-tcp-80")->speaks, QPW_SPEAKS_ANY);
    cr_expect_eq(named(&policy, "in-tcp-443")->speaks, QPW_SPEAKS_ANY);
    cr_expect_eq(named(&policy, "in-tcp-9000")->speaks, QPW_SPEAKS(HTTP));
    cr_expect_eq(named(&policy, "in-tcp-9000")->ports[0].first, 9001);
    cr_expect_eq(named(&policy, "plain")->speaks, QPW_SPEAKS(SSH));
    cr_expect_eq(policy.n_warnings, 1, "the port of s3 is not marked default; speaks= needs no mark");
    qpw_policy_clear(&policy);
}

/* ---- What is compiled ---- */

/* Return the services of the place's first step. */
static uint32_t compiled_at(const struct qpw_compiled *c, uint8_t direction, unsigned protocol, uint16_t port)
{
    uint32_t place = qpw_space_of(protocol) + port;
    const struct qpw_slots *slots = &c->slots[(direction == QPW_DIR_INBOUND ? 0 : QPW_CHUNKS_PER_DIR) + place / QPW_CHUNK];
    const struct qpw_chain *chain = &c->chains[slots->slot[place % QPW_CHUNK] & QPW_SLOT_CHAIN];

    cr_assert(gt(u32, chain->count, 0), "nothing for %u %u", protocol, port);
    return c->steps[chain->first].speaks;
}

static struct qpw_compiled compile(const struct qpw_policy *policy, struct qpw_registry *names)
{
    struct qpw_compile_context context = {.now = NOW};
    struct qpw_compiled compiled = {0};
    struct qpw_error err = {""};

    cr_assert(qpw_policy_compile(policy, &context, names, &compiled, &err) == 0, "%s", err.text);
    return compiled;
}

static const struct {
    uint8_t direction;
    uint8_t protocol;
    uint16_t port;
    const char *speaks;
} expected[] = {
    {QPW_DIR_INBOUND, IPPROTO_TCP, 21, "ftp"},      {QPW_DIR_INBOUND, IPPROTO_TCP, 22, "ssh"},
    {QPW_DIR_INBOUND, IPPROTO_TCP, 80, "http"},     {QPW_DIR_INBOUND, IPPROTO_TCP, 111, "sunrpc"},
    {QPW_DIR_INBOUND, IPPROTO_UDP, 111, "sunrpc"},  {QPW_DIR_INBOUND, IPPROTO_TCP, 443, "tls"},
    {QPW_DIR_INBOUND, IPPROTO_TCP, 445, "smb"},     {QPW_DIR_INBOUND, IPPROTO_TCP, 2049, "sunrpc"},
    {QPW_DIR_INBOUND, IPPROTO_UDP, 2049, "sunrpc"}, {QPW_DIR_INBOUND, IPPROTO_TCP, 3712, "any"},
    {QPW_DIR_INBOUND, IPPROTO_TCP, 8000, "tls,http"}, {QPW_DIR_INBOUND, IPPROTO_TCP, 9000, "tls,http"},
    {QPW_DIR_INBOUND, IPPROTO_TCP, 40000, "any"},   {QPW_DIR_OUTBOUND, IPPROTO_UDP, 53, "dns"},
    {QPW_DIR_OUTBOUND, IPPROTO_TCP, 53, "any"},     {QPW_DIR_OUTBOUND, IPPROTO_TCP, 88, "kerberos"},
    {QPW_DIR_OUTBOUND, IPPROTO_UDP, 88, "any"},     {QPW_DIR_OUTBOUND, IPPROTO_TCP, 111, "sunrpc"},
    {QPW_DIR_OUTBOUND, IPPROTO_UDP, 123, "ntp"},    {QPW_DIR_OUTBOUND, IPPROTO_TCP, 135, "dcerpc"},
    {QPW_DIR_OUTBOUND, IPPROTO_TCP, 389, "tls,ldap"}, {QPW_DIR_OUTBOUND, IPPROTO_TCP, 636, "tls,ldap"},
    {QPW_DIR_OUTBOUND, IPPROTO_TCP, 443, "tls"},    {QPW_DIR_OUTBOUND, IPPROTO_TCP, 464, "any"},
    {QPW_DIR_OUTBOUND, IPPROTO_TCP, 514, "syslog"}, {QPW_DIR_OUTBOUND, IPPROTO_TCP, 3712, "any"},
    {QPW_DIR_OUTBOUND, IPPROTO_TCP, 445, "any"},
};

Test(speaks, built_in_policies_expect_what_their_rows_name)
{
    static const char *const platforms[] = {"on-prem", "aws", "azure", "cnq-gcp"};
    char text[QPW_SPEAKS_ROOM];

    for (size_t p = 0; p < 4; p++) {
        struct qpw_registry names = {0};
        struct qpw_policy policy = {0};
        struct qpw_error err = {""};
        struct qpw_compiled compiled;

        cr_assert(qpw_policy_parse_builtin(platforms[p], &policy, &err) == 0, "%s", err.text);
        compiled = compile(&policy, &names);
        for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
            if (expected[i].port != 22 || named(&policy, "in-tcp-22")) /* not every platform has it */
                cr_expect_str_eq(qpw_speaks_text(compiled_at(&compiled, expected[i].direction, expected[i].protocol,
                                                             expected[i].port), text, sizeof(text)),
                                 expected[i].speaks, "%s: %u %u", platforms[p], expected[i].protocol, expected[i].port);
        qpw_compiled_clear(&compiled);
        qpw_registry_clear(&names);
        qpw_policy_clear(&policy);
    }
}

/* Each protocol gets the services that run over it; rules with different speaks= stay separate. */
Test(speaks, each_protocol_and_rule_has_its_own)
{
    struct qpw_policy policy = parse("inbound tcp,udp 53 x speaks=dns,tls,ntp\ninbound tcp,udp 445 y speaks=smb\n"
                                     "inbound tcp,sctp 22 z speaks=any\n"
                                     "inbound tcp 443 a from=10.0.0.1 speaks=ssh\ninbound tcp 443 b from=10.0.0.2 speaks=tls\n");
    struct qpw_registry names = {0};
    struct qpw_compiled c = compile(&policy, &names);
    uint32_t chain = c.slots[443 / QPW_CHUNK].slot[443 % QPW_CHUNK] & QPW_SLOT_CHAIN;

    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_TCP, 53), QPW_SPEAKS(DNS) | QPW_SPEAKS(TLS));
    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_UDP, 53), QPW_SPEAKS(DNS) | QPW_SPEAKS(NTP));
    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_TCP, 445), QPW_SPEAKS(SMB));
    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_UDP, 445), 0);
    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_TCP, 22), 0);
    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_SCTP, 22), 0);
    cr_assert(eq(u32, c.chains[chain].count, 2));
    cr_expect_eq(c.steps[c.chains[chain].first].speaks, QPW_SPEAKS(SSH));
    cr_expect_eq(c.steps[c.chains[chain].first + 1].speaks, QPW_SPEAKS(TLS));
    qpw_compiled_clear(&c);
    qpw_registry_clear(&names);
    qpw_policy_clear(&policy);
}

/* kpasswd is listed with Kerberos, but begins differently. */
Test(speaks, kerberos_is_not_asked_of_kpasswd)
{
    struct qpw_policy policy = parse("outbound tcp,udp 88,464 x speaks=kerberos\ninbound tcp 463-465 y speaks=kerberos,tls\n");
    struct qpw_registry names = {0};
    struct qpw_compiled c = compile(&policy, &names);

    cr_expect_eq(compiled_at(&c, QPW_DIR_OUTBOUND, IPPROTO_TCP, 88), QPW_SPEAKS(KERBEROS));
    cr_expect_eq(compiled_at(&c, QPW_DIR_OUTBOUND, IPPROTO_TCP, 464), 0);
    cr_expect_eq(compiled_at(&c, QPW_DIR_OUTBOUND, IPPROTO_UDP, 464), 0);
    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_TCP, 463), QPW_SPEAKS(KERBEROS) | QPW_SPEAKS(TLS));
    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_TCP, 464), QPW_SPEAKS(TLS));
    cr_expect_eq(compiled_at(&c, QPW_DIR_INBOUND, IPPROTO_TCP, 465), QPW_SPEAKS(KERBEROS) | QPW_SPEAKS(TLS));
    qpw_compiled_clear(&c);
    qpw_registry_clear(&names);
    qpw_policy_clear(&policy);
}

/* ---- check ---- */

static void expect_remark(const char *text, const char *kind, const char *what)
{
    struct qpw_policy policy = parse(text);
    struct qpw_remarks remarks = {0};

    cr_assert(qpw_policy_check(&policy, NOW, &remarks) == 0);
    cr_assert(eq(sz, remarks.n, *kind ? 1 : 0), "%s: %s", text, remarks.n ? remarks.list[0].text : "nothing");
    if (*kind) {
        cr_expect_str_eq(qpw_remark_name(remarks.list[0].kind), kind, "%s: %s", text, remarks.list[0].text);
        cr_expect_str_eq(remarks.list[0].text, what);
    }
    qpw_remarks_clear(&remarks);
    qpw_policy_clear(&policy);
}

Test(speaks, check_remarks_on_what_says_nothing)
{
    expect_remark("inbound tcp 445 x speaks=smb\ninbound tcp,udp 53 y speaks=dns\ninbound tcp 2000-3023 z speaks=http\n", "", NULL);
    expect_remark("inbound tcp,udp 445 x speaks=smb", "speaks",
                  "in-tcp+udp-445: speaks=smb means nothing over udp, where nothing is checked; give udp a rule of its own");
    expect_remark("inbound tcp 53 x speaks=dns,ntp", "speaks",
                  "in-tcp-53: ntp is not spoken over the rule's protocol; remove it from speaks=");
    expect_remark("inbound tcp 2000-3024 x speaks=http", "speaks",
                  "in-tcp-2000-3024: speaks=http is asked of each of its 1025 ports; name the ports that have one service");
    expect_remark("inbound tcp any x weak speaks=http", "speaks",
                  "in-tcp-any: speaks=http is asked of each of its 65536 ports; name the ports that have one service");
    expect_remark("inbound tcp any x weak speaks=any", "", NULL);
    expect_remark("include on-prem\noverride in-tcp-445 speaks=any", "", NULL);
}

Test(speaks, check_remarks_on_peers)
{
    struct qpw_policy policy = parse("peer n 10.0.0.0/24\ninbound tcp 445 a from=10.0.0.7 speaks=smb");
    struct qpw_remarks remarks = {0};

    cr_assert(qpw_policy_check(&policy, NOW, &remarks) == 0);
    cr_assert(eq(sz, remarks.n, 2));
    cr_expect_str_eq(remarks.list[1].text, "in-tcp-445: speaks= means nothing here: its remote ends are peers, which may use any port");
    qpw_remarks_clear(&remarks);
    qpw_policy_clear(&policy);
    expect_remark("peer n 10.0.0.7\ninbound tcp 445 a speaks=smb", "", NULL);
}

Test(speaks, check_knows_which_rule_matches_first)
{
    expect_remark("inbound tcp 445 a speaks=smb\ninbound tcp 445 b speaks=smb", "duplicate",
                  "in-tcp-445 is the same as in-tcp-445 in p:1; delete one of them");
    expect_remark("inbound tcp 443 a\ninbound tcp 443 b speaks=any", "duplicate",
                  "in-tcp-443 is the same as in-tcp-443 in p:1; delete one of them");
    expect_remark("inbound tcp 443 a name=web speaks=tls\ninbound tcp 443 b from=10.0.0.1 name=own speaks=ssh", "contradicts",
                  "own has speaks=ssh, but web in p:1 matches first, with speaks=tls; put the narrower rule first, or write "
                  "'override web speaks=ssh'");
    expect_remark("inbound tcp 443 a name=web speaks=tls\ninbound tcp 443 b name=own speaks=any", "contradicts",
                  "own has speaks=any, but web in p:1 matches first, with speaks=tls; put the narrower rule first, or write "
                  "'override web speaks=any'");
    expect_remark("inbound tcp 443 a name=web speaks=tls\ninbound tcp 443 b name=own", "duplicate",
                  "own is the same as web in p:1; delete one of them");
    expect_remark("inbound tcp 443 b from=10.0.0.1 name=own speaks=ssh\ninbound tcp 443 a name=web speaks=tls", "", NULL);
    expect_remark("inbound tcp 445 a speaks=smb\ninbound tcp 440-450 b speaks=any", "", NULL);
}

/* ---- diff, and other forms ---- */

static void expect_diff(const char *old, const char *new, const char *line)
{
    struct qpw_policy a = parse(old), b = parse(new);
    struct qpw_differences differences = {0};

    cr_assert(qpw_policy_diff(&a, &b, NOW, &differences) == 0);
    cr_assert(eq(sz, differences.n, line ? 1 : 0), "%s -> %s", old, new);
    if (line)
        cr_expect_str_eq(differences.list[0].text, line);
    qpw_differences_clear(&differences);
    qpw_policy_clear(&a);
    qpw_policy_clear(&b);
}

Test(speaks, diff_says_what_is_asked_now)
{
    expect_diff("inbound tcp 445 SMB", "inbound tcp 445 SMB speaks=smb", "protocol of in-tcp-445: now smb (was any)");
    expect_diff("include on-prem", "include on-prem\noverride s3 speaks=any", "protocol of in-tcp-9000: now any (was tls,http)");
    expect_diff("inbound tcp 445 SMB", "inbound tcp 445 SMB speaks=any", NULL);
    expect_diff("inbound tcp 443 x speaks=http,tls", "inbound tcp 443 x speaks=tls,http", NULL);
}

Test(speaks, other_forms_of_a_policy_have_it)
{
    struct qpw_policy policy = parse("inbound tcp 9000 S3 speaks=tls,http\ninbound tcp 1 x\ninbound tcp 2 y speaks=any\n");
    json_t *document = qpw_policy_json(&policy, NOW), *rows = json_object_get(document, "rules");
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(rows, 0), "speaks")), "tls,http");
    cr_expect_eq(json_typeof(json_object_get(json_array_get(rows, 1), "speaks")), JSON_NULL);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(rows, 2), "speaks")), "any");
    qpw_policy_csv(&policy, NOW, out);
    qpw_policy_nft(&policy, NOW, out);
    fclose(out);
    cr_expect_not_null(strstr(text, "iface,owner,speaks,until,"));
    cr_expect_not_null(strstr(text, "in-tcp-9000,inbound,tcp,9000,S3,allowed,yes,,,,,,\"tls,http\",,,,,p,1\r\n"), "%s", text);
    cr_expect_not_null(strstr(text, "# in-tcp-9000: speaks= cannot be asked for here; whatever is spoken is passed\n"));
    cr_expect_null(strstr(text, "in-tcp-2: speaks="));
    free(text);
    json_decref(document);
    qpw_policy_clear(&policy);
}

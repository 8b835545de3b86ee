/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The grammar of a policy, its compiled form, and its verdicts on exchanges. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/tools/check.h"
#include "policy/compile/compile.h"
#include "policy/tools/diff.h"
#include "policy/compile/judge.h"
#include "policy/lang/load.h"
#include "policy/lang/policy.h"
#include "policy/lang/suppress.h"
#include "util/names.h"

#define NOW 1790000000 /* 2026-09-21 */

/* ---- A compiled policy for queries ---- */

struct site {
    struct qpw_policy policy;
    struct qpw_registry names;
    struct qpw_compiled compiled;
    struct qpw_judge *judge;
    const char *live; /* the only rule with a live answered exchange, for any address */
};

static uint32_t ifindex_of(const char *name, void *data)
{
    return !strcmp(name, "bond0") ? 7 : 0;
}

static void open_site(struct site *s, const char *text)
{
    uint8_t own[1][16];
    struct qpw_compile_context context = {.now = NOW, .ifindex = ifindex_of, .own = own, .n_own = 1};
    struct qpw_error err = {""};

    *s = (struct site){0};
    cr_assert(qpw_address_parse("10.1.0.11", own[0]) == 0);
    cr_assert(qpw_policy_parse_text("test", text, strlen(text), &s->policy, &err) == 0, "%s", err.text);
    cr_assert(qpw_policy_compile(&s->policy, &context, &s->names, &s->compiled, &err) == 0, "%s", err.text);
    cr_assert(qpw_judge_new(&s->compiled, &s->judge) == 0);
}

static void close_site(struct site *s)
{
    qpw_judge_free(s->judge);
    qpw_compiled_clear(&s->compiled);
    qpw_registry_clear(&s->names);
    qpw_policy_clear(&s->policy);
}

static bool lives(const uint8_t remote[16], uint16_t rule, void *data)
{
    const struct site *s = data;

    return s->live && !strcmp(s->names.rules[rule].name, s->live);
}

static int number_of(const char *protocol)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {{"tcp", 6}, {"udp", 17}, {"sctp", 132}, {"icmp", 1}, {"icmp6", 58}};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (!strcmp(known[i].name, protocol))
            return known[i].number;
    return atoi(protocol);
}

struct way {
    const char *from, *to;
    unsigned initiator_port;
    int vlan;
};

static struct qpw_judgement judge(struct site *s, const char *direction, const char *protocol, unsigned port, struct way way)
{
    uint8_t initiator[16], responder[16];
    int number = number_of(protocol);
    struct qpw_exchange exchange = {
        .direction = direction[0] == 'i' ? QPW_DIR_INBOUND : QPW_DIR_OUTBOUND,
        .kind = !strcmp(protocol, "ether")                     ? QPW_KIND_ETHERTYPE
                : number == 6 || number == 17 || number == 132 ? QPW_KIND_PORT
                : number == 1 || number == 58                  ? QPW_KIND_ICMP
                                                               : QPW_KIND_PROTOCOL,
        .protocol = (uint8_t)number,
        .port = (uint16_t)port,
        .vlan = (uint16_t)way.vlan,
        .ifindex = 3,
        .initiator_port = (uint16_t)way.initiator_port,
        .initiator = initiator,
        .responder = responder,
        .parent_live = lives,
        .data = s,
    };

    cr_assert(qpw_address_parse(way.from, initiator) == 0);
    cr_assert(qpw_address_parse(way.to, responder) == 0);
    return qpw_policy_judge(s->judge, &exchange);
}

#define NODE "10.1.0.11"
/* Verdict of an exchange with `remote`, untagged. */
static const char *in(struct site *s, const char *protocol, unsigned port, const char *remote)
{
    return qpw_verdict_name(judge(s, "inbound", protocol, port, (struct way){remote, NODE, 40000}).verdict);
}

static const char *out(struct site *s, const char *protocol, unsigned port, const char *remote)
{
    return qpw_verdict_name(judge(s, "outbound", protocol, port, (struct way){NODE, remote, 40000}).verdict);
}

static const char *rule_of(struct site *s, struct qpw_judgement judgement)
{
    return judgement.rule ? s->names.rules[judgement.rule].name : "";
}

#define IS(actual, expected) cr_assert(eq(str, (char *)(actual), (char *)(expected)))

/* ---- Errors give their position ---- */

static const struct {
    const char *text;
    const char *error;
} wrong[] = {
    {"inbund tcp 445 SMB", "test:1:1: unknown statement 'inbund'; did you mean 'inbound'?"},
    {"\n\ninbound tpc 445", "test:3:9: 'tpc' is not a protocol: tcp, udp, sctp, icmp, icmp6, a number, or any; did you mean 'tcp'?"},
    {"inbound tcp 445,70000", "test:1:17: '70000' is not a port; use numbers 1-65535, ranges, or any"},
    {"inbound tcp 9-1", "test:1:13: the range 9-1 is reversed"},
    {"inbound icmp 300", "test:1:14: '300' is not a port; use numbers 0-255, ranges, or any"},
    {"inbound 47 80", "test:1:12: these protocols have no ports; write any"},
    {"inbound tcp 445 SMB weka", "test:1:21: unexpected 'weka'; did you mean 'weak'?"},
    {"inbound tcp 445 SMB weak weak", "test:1:26: 'weak': given twice on this line"},
    {"inbound tcp 445 \"SMB", "test:1:17: missing closing quote"},
    {"inbound tcp 445 SMB from=files.example",
     "test:1:26: 'files.example': not an address (host names are not looked up)"},
    {"inbound tcp 445 SMB from=10.0.0.1/8",
     "test:1:26: 10.0.0.1/8 has host bits set; did you mean 10.0.0.0/8?"},
    {"inbound tcp 445 SMB from=10.0.0.9-10.0.0.1", "test:1:26: '10.0.0.9-10.0.0.1': the range is reversed"},
    {"inbound tcp 445 SMB from=@nobody", "test:1:26: no address set is named 'nobody'"},
    {"addresses dc\ninbound tcp 445 SMB from=@dc",
     "test:1: no addresses yet for dc (line 1); add them after the name, or delete the rules that use it"},
    {"addresses a 10.0.0.1\naddresses dns\naddresses ntp\naddresses a",
     "test:2: no addresses yet for dns (line 2), ntp (line 3); add them after the name, or delete the rules that use "
     "it"},
    {"inbound tcp 445 SMB vlan=4095", "test:1:26: '4095' is not a VLAN: 1-4094, or untagged"},
    {"inbound tcp 445 SMB until=2027-02-30",
     "test:1:27: '2027-02-30' is not a day (2027-03-01) or a time (2027-03-01T12:00:00Z)"},
    {"inbound tcp 445 SMB name=Upper", "test:1:26: 'Upper' is not a name: lower-case letters, digits and . _ + -"},
    {"inbound tcp 445 SMB name=infra-x", "test:1:26: names that begin with infra- or implied- are reserved"},
    {"inbound tcp 445 SMB owner=smbd", "test:1:27: 'smbd' is not an owner: an executable's path, unit:NAME, kernel or any"},
    {"inbound tcp 445 SMB owner=/usr/sbin/smbd,any", "test:1:42: 'any' is not an owner: an executable's path, unit:NAME, kernel or any"},
    {"inbound tcp 445 SMB owner=kernel,", "test:1:34: '' is not an owner: an executable's path, unit:NAME, kernel or any"},
    {"inbound tcp 445 SMB owner=/", "test:1:27: '/' is not an owner: an executable's path, unit:NAME, kernel or any"},
    {"inbound tcp 445 SMB owner=unit:", "test:1:27: 'unit:' is not an owner: an executable's path, unit:NAME, kernel or any"},
    {"inbound tcp 445 SMB owner=", "test:1:21: owner= needs a value"},
    {"inbound tcp 445 SMB owner=any owner=kernel", "test:1:31: 'owner=kernel': given twice on this line"},
    {"inbound udp 69 TFTP answers=all", "test:1:29: 'all' is not what answers= takes: any-port"},
    {"inbound udp 69 TFTP answers=any-port answers=any-port", "test:1:38: 'answers=any-port': given twice on this line"},
    {"outbound udp 69 TFTP answers=any-port", "test:1: answers=any-port is about what the node answers: inbound only"},
    {"inbound tcp 445 SMB weak parent=gone", "test:1: parent=gone: no other rule has that name"},
    {"inbound tcp 21\ninbound tcp 30 x parent=in-tcp-21",
     "test:2: parent= is for weak rules only: add the flag weak"},
    {"only ssh from=10.0.0.1", "test:1:6: no rule above is named 'ssh'"},
    {"inbound tcp 22 SSH name=ssh\nonly ssh from=10.0.0.1 ref=x",
     "test:2:24: only takes from=, to=, vlan=, iface= and owner=; write a change number after #"},
    {"inbound tcp 22 SSH name=ssh\nonly ssh from=10.0.0.1 until=2027-01-01",
     "test:2:24: unexpected 'until=2027-01-01'"},
    {"inbound tcp 22 SSH name=ssh\noverride ssh 23=24", "test:2:14: no rule named 'ssh' has port 23"},
    {"inbound tcp 22 SSH name=ssh\noverride ssh 22", "test:2:14: '22' is not OLD=NEW, as in: override ldap 389=10389"},
    {"disable ftp", "test:1:9: no rule above has the name or feature 'ftp'"},
    {"infra arps allowed", "test:1:7: no infra group is named 'arps'; did you mean 'arp'?"},
    {"implied kpasswd no", "test:1:17: 'no': a group is allowed or unexpected"},
    {"include moon", "test:1:9: no built-in policy 'moon', and moon: cannot be opened: No such file or directory"},
    {"require-peer-family ipx", "test:1:21: 'ipx' is not a family: ipv4 or ipv6"},
    {"peer node2 host2", "test:1:12: 'host2': not an address (host names are not looked up)"},
    {"suppress inbound tcp",
     "test:1:1: suppress needs direction, protocol and ports, as in: suppress inbound tcp any from=10.9.9.9"},
    {"suppress inbound tcp any outcome=maybe", "test:1:34: 'maybe' is not an outcome: attempted, refused or answered"},
    {"suppress inbound tcp any outcome=anwsered", "test:1:34: 'anwsered' is not an outcome: attempted, refused or answered; did you mean 'answered'?"},
    {"suppress inbuond tcp any", "test:1:10: 'inbuond' is not a direction: inbound, outbound or any; did you mean 'inbound'?"},
    {"inbound tcp 1 x answers=any-prot", "test:1:25: 'any-prot' is not what answers= takes: any-port; did you mean 'any-port'?"},
    {"inbound tcp 1 x vlan=untaged", "test:1:22: 'untaged' is not a VLAN: 1-4094, or untagged; did you mean 'untagged'?"},
    {"inbound tcp 1 x owner=kernel,unt:x", "test:1:30: 'unt:x' is not an owner: an executable's path, unit:NAME, kernel or any; did you mean 'unit:'?"},
    {"inbound tcp,upd 1 x", "test:1:13: 'upd' is not a protocol: tcp, udp, sctp, icmp, icmp6, a number, or any; did you mean 'udp'?"},
    {"infra arp alowed", "test:1:11: 'alowed': a group is allowed or unexpected; did you mean 'allowed'?"},
    {"inbound tcp 445 \xff", "test:1:17: byte 0xff is not UTF-8 text"},
    {"# \xc3\xa4\n\xc3\xa4 x", "test:2:1: unknown statement '\xc3\xa4'"},
    {"inbound tcp 445 \"\xc3\xa4\xc3\xa4\" nope", "test:1:22: unexpected 'nope'; quote a purpose of several words: \"my ssh\""}, /* columns are characters */
};

Test(parse, errors_say_file_line_and_column)
{
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct qpw_policy policy = {0};
        struct qpw_error err = {""};

        cr_assert(qpw_policy_parse_text("test", wrong[i].text, strlen(wrong[i].text), &policy, &err) < 0, "%s",
                  wrong[i].text);
        IS(err.text, wrong[i].error);
        cr_assert(policy.path == NULL);
    }
}

static void expect_faults(const char *text, size_t unsure, const char *const *starts)
{
    struct qpw_faults faults = {0};
    struct qpw_policy_source source = {.name = "p", .text = text, .length = strlen(text), .faults = &faults};
    struct qpw_policy policy;
    struct qpw_error err;
    size_t n = 0;

    cr_assert_eq(qpw_policy_parse(&source, &policy, &err), -EINVAL, "%s", text);
    for (; starts[n]; n++)
        cr_expect(n < faults.n && !strncmp(faults.list[n].text, starts[n], strlen(starts[n])), "%zu: %s", n,
                  n < faults.n ? faults.list[n].text : "no more");
    cr_expect_eq(faults.n, n, "%s", n < faults.n ? faults.list[n].text : text);
    cr_expect_eq(faults.unsure, unsure, "%s", text);
    cr_expect(strstr(err.text, starts[0]) == err.text, "%s", err.text);
    qpw_faults_clear(&faults);
}

Test(parse, all_faults_in_the_order_of_the_text_and_none_that_only_follows_from_another)
{
    char many[8192] = "";
    struct qpw_policy policy;
    struct qpw_error err;

    expect_faults("inbound tpc 22 ssh name=shell\n"
                  "only shell from=10.0.0.1\n"          /* known, though that rule was not read */
                  "override shell 22=2222\n"
                  "inbound tcp 32768-60999 x weak parent=in-tcp-21\n"
                  "inbound tcp 21 ftp frm=10.0.0.1\n"
                  "disable sehll\n"
                  "addresses dc 10.0.0.5 10.0.0.999\n"
                  "inbound tcp 445 smb from=@dc\n"
                  "inbound tcp 80 web from=@cd\n"
                  "addresses none\n", 0,
                  (const char *const[]){"p:1:9: 'tpc' is not a protocol", "p:5:20: unexpected 'frm=", "p:6:9: no rule above",
                                        "p:7:23: '10.0.0.999'", "p:9:25: no address set is named 'cd'",
                                        "p:10: no addresses yet for none", NULL});
    expect_faults("include not/there\ninbound tcp 22 \"ssh\nonly ssh from=@admin\ndisable ftp\ninfra arp odd\n", 2,
                  (const char *const[]){"p:1:9: no built-in", "p:2:16: missing closing quote", "p:5:11: 'odd'", NULL});
    for (unsigned i = 0; i < QPW_MOST_FAULTS + 50; i++)
        strcat(many, "x\n");
    cr_assert_eq(qpw_policy_parse_text("p", many, strlen(many), &policy, &err), -EINVAL);
    cr_expect_str_eq(err.text, "p:1:1: unknown statement 'x' (and at least 999 more errors; 'qportwatch policy check' lists them)");
    cr_assert_eq(qpw_policy_parse_text("p", "x\ny\n", 4, &policy, &err), -EINVAL);
    cr_expect_str_eq(err.text, "p:1:1: unknown statement 'x' (and 1 more error; 'qportwatch policy check' lists them)");
}

Test(parse, files_include_each_other_only_without_a_circle)
{
    char a[] = "/tmp/qpw-policy-XXXXXX", b[] = "/tmp/qpw-policy-XXXXXX", text[128];
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};
    int fds[2] = {mkstemp(a), mkstemp(b)};

    snprintf(text, sizeof(text), "include %s\n", strrchr(b, '/') + 1);
    cr_assert(write(fds[0], text, strlen(text)) == (ssize_t)strlen(text));
    snprintf(text, sizeof(text), "# x\ninclude %s\n", strrchr(a, '/') + 1);
    cr_assert(write(fds[1], text, strlen(text)) == (ssize_t)strlen(text));
    cr_assert(qpw_policy_parse_file(a, &policy, &err) < 0);
    snprintf(text, sizeof(text), "%s:2:9: %s includes itself", b, a);
    IS(err.text, text);
    close(fds[0]);
    close(fds[1]);
    unlink(a);
    unlink(b);
}

Test(parse, digest_of_one_file_is_its_sha256)
{
    struct qpw_policy policy = {0};
    struct qpw_error err;

    cr_assert(qpw_policy_parse_text("x", "policy abc\n", 11, &policy, &err) == 0);
    IS(policy.digest, "sha256:1846d9b03e78d330da2df52bcd63506f727d2035a44ac42ff287411c3fbf2514");
    IS(policy.name, "abc");
    qpw_policy_clear(&policy);
}

Test(parse, generated_names_are_in_the_words_of_the_row)
{
    struct site s;

    open_site(&s, "inbound tcp 445 SMB\noutbound tcp 636,389 LDAP\ninbound tcp,udp 111\ninbound tcp "
                  "32768-60999\ninbound any any\n");
    IS(s.policy.rules[0].name, "in-tcp-445");
    IS(s.policy.rules[1].name, "out-tcp-389+636");
    IS(s.policy.rules[2].name, "in-tcp+udp-111");
    IS(s.policy.rules[3].name, "in-tcp-32768-60999");
    IS(s.policy.rules[4].name, "in-any-any");
    close_site(&s);
}

/* ---- The built-in policies, rule by rule ---- */

Test(judge, built_in_allows_its_rows_and_nothing_else)
{
    struct site s;
    unsigned allowed = 0, weak = 0, implied = 0;

    open_site(&s, "include on-prem");
    for (unsigned port = 1; port < 65536; port++) {
        const char *verdict = in(&s, "tcp", port, "192.0.2.1");

        allowed += !strcmp(verdict, "allowed");
        weak += !strcmp(verdict, "weak");
        implied += !strcmp(verdict, "implied");
    }
    cr_assert(eq(uint, allowed, 10));
    cr_assert(eq(uint, weak, 60999 - 32768 + 1));
    cr_assert(eq(uint, implied, 0));
    IS(in(&s, "tcp", 445, "192.0.2.1"), "allowed");
    IS(in(&s, "udp", 445, "192.0.2.1"), "unexpected");
    IS(out(&s, "tcp", 445, "192.0.2.1"), "implied");
    IS(rule_of(&s, judge(&s, "out", "tcp", 445, (struct way){NODE, "192.0.2.1", 1})), "implied-smb-to-dc");
    IS(out(&s, "tcp", 636, "2001:db8::1"), "allowed");
    IS(out(&s, "tcp", 53, "192.0.2.1"), "implied");
    IS(in(&s, "sctp", 445, "192.0.2.1"), "unexpected");
    IS(in(&s, "47", 0, "192.0.2.1"), "unexpected");
    close_site(&s);
}

Test(judge, listed_are_narrow_rows_of_the_policy_only)
{
    struct site s;

    open_site(&s, "include on-prem\ninbound tcp 2000-3023 narrow\ninbound tcp 4000-5024 wide\n");
    cr_assert(judge(&s, "in", "tcp", 445, (struct way){NODE, NODE, 1}).listed);
    cr_assert(judge(&s, "in", "tcp", 3023, (struct way){NODE, NODE, 1}).listed);
    cr_assert(not(judge(&s, "in", "tcp", 4000, (struct way){NODE, NODE, 1}).listed)); /* 1,025 ports */
    cr_assert(not(judge(&s, "in", "tcp", 40000, (struct way){NODE, NODE, 1}).listed)); /* weak */
    cr_assert(not(judge(&s, "out", "tcp", 445, (struct way){NODE, NODE, 1}).listed));  /* implied */
    cr_assert(not(judge(&s, "out", "udp", 67, (struct way){NODE, NODE, 68}).listed));  /* infra */
    close_site(&s);
}

Test(judge, parents_vouch_for_passive_ftp_and_dynamic_ports)
{
    struct site s;
    struct qpw_judgement control;

    open_site(&s, "include on-prem");
    IS(in(&s, "tcp", 40000, "192.0.2.1"), "weak");
    IS(out(&s, "tcp", 50000, "192.0.2.1"), "unexpected");
    s.live = "in-tcp-21";
    IS(in(&s, "tcp", 40000, "192.0.2.1"), "allowed");
    IS(qpw_verdict_name(judge(&s, "out", "tcp", 5000, (struct way){NODE, "192.0.2.1", 20}).verdict), "implied");
    IS(qpw_verdict_name(judge(&s, "out", "tcp", 5000, (struct way){NODE, "192.0.2.1", 21}).verdict), "unexpected");
    s.live = "out-tcp-135";
    IS(out(&s, "tcp", 49152, "192.0.2.1"), "implied");
    IS(out(&s, "tcp", 49151, "192.0.2.1"), "unexpected");
    s.live = "in-tcp+udp-111";
    IS(in(&s, "udp", 20048, "192.0.2.1"), "implied");
    IS(in(&s, "tcp", 40000, "192.0.2.1"), "implied"); /* other rules than the weak one match, too */
    IS(rule_of(&s, judge(&s, "in", "udp", 20048, (struct way){"192.0.2.1", NODE, 1})), "implied-nfs-lock");
    s.live = "nfs";
    IS(out(&s, "tcp", 2000, "192.0.2.1"), "unexpected"); /* callbacks are disabled */
    control = judge(&s, "in", "tcp", 21, (struct way){"192.0.2.1", NODE, 1});
    cr_assert(eq(int, control.flags & QPW_STEP_IS_PARENT, QPW_STEP_IS_PARENT));
    control = judge(&s, "in", "tcp", 445, (struct way){"192.0.2.1", NODE, 1});
    cr_assert(eq(int, control.flags & QPW_STEP_IS_PARENT, 0));
    close_site(&s);
}

Test(judge, infra_groups_and_those_switched_off)
{
    struct site s;

    open_site(&s, "include on-prem\ninfra igmp unexpected\nimplied kpasswd unexpected\nimplied nfs-callback allowed\n");
    IS(in(&s, "icmp", 8, "192.0.2.1"), "infra");
    IS(rule_of(&s, judge(&s, "in", "icmp6", 135, (struct way){"fe80::1", "fe80::2"})), "infra-nd");
    IS(rule_of(&s, judge(&s, "in", "icmp6", 137, (struct way){"fe80::1", "fe80::2"})), "infra-nd");
    IS(rule_of(&s, judge(&s, "in", "icmp6", 128, (struct way){"fe80::1", "fe80::2"})), "infra-icmp");
    IS(in(&s, "2", 0, "192.0.2.1"), "unexpected");
    IS(rule_of(&s, judge(&s, "in", "2", 0, (struct way){"192.0.2.1", NODE})), "infra-igmp");
    IS(in(&s, "112", 0, "192.0.2.1"), "unexpected"); /* not on link-local multicast */
    IS(in(&s, "ether", 0x0806, "::"), "infra");
    IS(in(&s, "ether", 0x8809, "::"), "infra");
    IS(in(&s, "ether", 0x42, "::"), "infra");
    IS(in(&s, "ether", 0x888e, "::"), "unexpected");
    IS(in(&s, "ether", 0x8915, "::"), "unexpected");
    IS(qpw_verdict_name(judge(&s, "out", "udp", 67, (struct way){"0.0.0.0", "255.255.255.255", 68}).verdict), "infra");
    IS(qpw_verdict_name(judge(&s, "in", "udp", 67, (struct way){"10.0.0.9", NODE, 4000}).verdict), "unexpected");
    IS(out(&s, "tcp", 464, "192.0.2.1"), "unexpected");
    IS(rule_of(&s, judge(&s, "out", "tcp", 464, (struct way){NODE, "192.0.2.1", 1})), "implied-kpasswd");
    s.live = "nfs";
    IS(out(&s, "tcp", 2000, "192.0.2.1"), "implied");
    close_site(&s);
}

Test(judge, peers_by_name_and_the_nodes_own_addresses_left_out)
{
    struct site s;

    open_site(&s, "peer node1 10.1.0.10-10.1.0.13\npeer self 10.1.0.11\npeer node3 fd00::/64\n");
    IS(in(&s, "tcp", 9999, "10.1.0.10"), "peer");
    IS(in(&s, "tcp", 9999, "10.1.0.13"), "peer");
    IS(in(&s, "tcp", 9999, "10.1.0.11"), "unexpected");
    IS(out(&s, "udp", 9999, "fd00::7"), "peer");
    IS(s.names.peers[judge(&s, "out", "udp", 1, (struct way){NODE, "fd00::7", 1}).peer].name, "node3");
    cr_assert(eq(int, s.names.peers[qpw_registry_peer(&s.names, "self")].own, 1));
    cr_assert(eq(int, s.names.peers[qpw_registry_peer(&s.names, "node1")].own, 0));
    close_site(&s);
}

Test(judge, vlan_interface_and_expiry)
{
    struct site s;

    open_site(&s, "inbound tcp 1 a vlan=200\ninbound tcp 2 b vlan=untagged\ninbound tcp 3 c iface=bond0\ninbound tcp 4 "
                  "d iface=gone\n"
                  "inbound tcp 5 e until=2026-09-20\ninbound tcp 6 f until=2026-09-21\n");
    IS(qpw_verdict_name(judge(&s, "in", "tcp", 1, (struct way){"1.1.1.1", NODE, 1, 200}).verdict), "allowed");
    IS(in(&s, "tcp", 1, "1.1.1.1"), "unexpected");
    IS(in(&s, "tcp", 2, "1.1.1.1"), "allowed");
    IS(qpw_verdict_name(judge(&s, "in", "tcp", 2, (struct way){"1.1.1.1", NODE, 1, 7}).verdict), "unexpected");
    IS(in(&s, "tcp", 3, "1.1.1.1"), "unexpected"); /* seen on interface 3, bond0 is 7 */
    IS(in(&s, "tcp", 4, "1.1.1.1"), "unexpected");
    IS(in(&s, "tcp", 5, "1.1.1.1"), "unexpected");
    IS(in(&s, "tcp", 6, "1.1.1.1"), "allowed");
    cr_assert(eq(int, s.names.rules[qpw_registry_rule(&s.names, "in-tcp-5")].in_force, 0));
    cr_assert(eq(i64, qpw_policy_next_expiry(&s.policy, NOW), 1790035200));
    close_site(&s);
}

Test(judge, most_specific_prefix_names_the_rule)
{
    struct site s;

    open_site(&s, "inbound tcp 445 a from=10.0.0.0/8 name=wide\ninbound tcp 445 b from=10.1.0.0/16 "
                  "name=narrow\ninbound tcp 445 c from=10.1.2.3 name=one\n"
                  "inbound tcp 445 d from=10.0.0.0/8 name=again\n");
    IS(rule_of(&s, judge(&s, "in", "tcp", 445, (struct way){"10.9.9.9", NODE, 1})), "wide");
    IS(rule_of(&s, judge(&s, "in", "tcp", 445, (struct way){"10.1.9.9", NODE, 1})), "narrow");
    IS(rule_of(&s, judge(&s, "in", "tcp", 445, (struct way){"10.1.2.3", NODE, 1})), "one");
    IS(in(&s, "tcp", 445, "11.0.0.1"), "unexpected");
    cr_assert(eq(u32, s.compiled.chains[s.compiled.slots[0].slot[445] & QPW_SLOT_CHAIN].count, 1));
    close_site(&s);
}

/* ---- Changing rules ---- */

/* Owners of a rule and of `only` are intersected; if none is left, the rule matches nothing. */
Test(change, only_narrows_owners)
{
    static const struct {
        const char *row, *only, *owner; /* NULL: never */
    } cases[] = {
        {"", "owner=/a", "/a"},
        {" owner=any", "owner=/a,kernel", "/a,kernel"},
        {" owner=/a,unit:b.service", "owner=/c,unit:b.service,/a", "unit:b.service,/a"},
        {" owner=/a", "owner=any", "/a"},
        {" owner=/a", "owner=/ab", NULL},
    };
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};
    char text[256];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text), "inbound tcp 22 SSH name=ssh%s\nonly ssh %s\n", cases[i].row, cases[i].only);
        cr_assert_eq(qpw_policy_parse_text("site", text, strlen(text), &policy, &err), 0, "%s: %s", err.text, text);
        cr_expect_eq((policy.rules[0].flags & QPW_RULE_NEVER) == 0, cases[i].owner != NULL, "%s", text);
        if (cases[i].owner)
            cr_expect_str_eq(policy.rules[0].owner, cases[i].owner, "%s", text);
        qpw_policy_clear(&policy);
    }
}

Test(change, only_narrows_and_never_widens)
{
    struct site s;

    open_site(
        &s,
        "inbound tcp 22 SSH name=ssh from=10.0.0.0/8\nonly ssh from=10.1.0.0/16,192.0.2.0/24\nonly ssh to=10.1.0.11\n");
    IS(in(&s, "tcp", 22, "10.1.5.5"), "allowed");
    IS(in(&s, "tcp", 22, "10.2.5.5"), "unexpected");
    IS(in(&s, "tcp", 22, "192.0.2.1"), "unexpected");
    IS(qpw_verdict_name(judge(&s, "in", "tcp", 22, (struct way){"10.1.5.5", "10.1.0.12", 1}).verdict), "unexpected");
    close_site(&s);
}

Test(change, override_moves_one_port_and_disable_takes_a_feature)
{
    struct site s;

    open_site(&s, "include on-prem\noverride ldap 389=10389\ndisable ftp\n");
    IS(out(&s, "tcp", 10389, "192.0.2.1"), "allowed");
    IS(out(&s, "tcp", 636, "192.0.2.1"), "allowed");
    IS(out(&s, "tcp", 389, "192.0.2.1"), "unexpected");
    IS(rule_of(&s, judge(&s, "out", "tcp", 10389, (struct way){NODE, "192.0.2.1", 1})), "ldap");
    IS(in(&s, "tcp", 21, "192.0.2.1"), "unexpected");
    IS(in(&s, "tcp", 40000, "192.0.2.1"), "unexpected");
    close_site(&s);
}

Test(change, rule_ids_stay_over_reloads)
{
    struct qpw_compile_context context = {.now = NOW, .ifindex = ifindex_of};
    struct qpw_compiled first = {0}, second = {0};
    struct qpw_registry names = {0};
    struct qpw_policy a = {0}, b = {0};
    struct qpw_error err;
    uint16_t smb, nfs;

    cr_assert(qpw_policy_parse_text("a", "inbound tcp 445 SMB\ninbound tcp 2049 NFS", 40, &a, &err) == 0);
    cr_assert(qpw_policy_parse_text("b", "inbound tcp 8000 REST\ninbound tcp 2049 NFS", 42, &b, &err) == 0);
    cr_assert(qpw_policy_compile(&a, &context, &names, &first, &err) == 0);
    smb = qpw_registry_rule(&names, "in-tcp-445");
    nfs = qpw_registry_rule(&names, "in-tcp-2049");
    cr_assert(qpw_policy_compile(&b, &context, &names, &second, &err) == 0);
    cr_assert(eq(u16, qpw_registry_rule(&names, "in-tcp-445"), smb));
    cr_assert(eq(u16, qpw_registry_rule(&names, "in-tcp-2049"), nfs));
    cr_assert(eq(int, names.rules[smb].in_force, 0));
    cr_assert(eq(int, names.rules[nfs].in_force, 1));
    cr_assert(gt(u16, qpw_registry_rule(&names, "in-tcp-8000"), nfs));
    qpw_compiled_clear(&first);
    qpw_compiled_clear(&second);
    qpw_registry_clear(&names);
    qpw_policy_clear(&a);
    qpw_policy_clear(&b);
}

Test(compile, more_than_32_alternatives_is_an_error_with_its_line)
{
    char text[8192] = "";
    struct qpw_compile_context context = {.now = NOW};
    struct qpw_compiled compiled = {0};
    struct qpw_registry names = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    for (int i = 1; i <= 33; i++)
        sprintf(text + strlen(text), "inbound tcp 445 x vlan=%d\n", i);
    cr_assert(qpw_policy_parse_text("test", text, strlen(text), &policy, &err) == 0);
    cr_assert(qpw_policy_compile(&policy, &context, &names, &compiled, &err) < 0);
    cr_assert(strncmp(err.text, "test:33: ", 9) == 0, "%s", err.text);
    cr_assert(names.rules == NULL);
    qpw_policy_clear(&policy);
}

/* A set declared without addresses may be filled on any other line; only a draft may leave it empty. */
Test(parse, empty_set_is_filled_elsewhere_or_only_a_draft)
{
    static const char draft[] = "addresses dc\ninbound tcp 445 SMB from=@dc\n",
                      filled[] = "addresses dc\ninbound tcp 445 SMB from=@dc\naddresses dc 10.0.0.5\n";
    struct qpw_policy policy = {0};
    struct qpw_error err;

    cr_assert(qpw_policy_parse_draft("draft", draft, strlen(draft), &policy, &err) == 0, "%s", err.text);
    cr_assert(eq(int, policy.rules[0].flags & QPW_RULE_FROM, QPW_RULE_FROM));
    cr_assert(eq(int, qpw_rule_in_force(&policy.rules[0], 0), false));
    qpw_policy_clear(&policy);
    cr_assert(qpw_policy_parse_text("test", filled, strlen(filled), &policy, &err) == 0, "%s", err.text);
    cr_assert(eq(sz, policy.rules[0].from.n, 1));
    cr_assert(eq(int, qpw_rule_in_force(&policy.rules[0], 0), true));
    qpw_policy_clear(&policy);
}

/* 5,000 rules and 50,000 addresses; the time is printed, not checked. */
Test(compile, large_policy)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    struct timespec begin, parsed, end;
    struct qpw_compile_context context = {.now = NOW};
    struct qpw_compiled compiled = {0};
    struct qpw_registry names = {0};
    struct qpw_policy policy = {0};
    struct qpw_error err = {""};

    for (int i = 0; i < 5000; i++) {
        fprintf(memory, "inbound tcp %d row name=r%d from=", i % 2 ? 445 : 1000 + i, i);
        for (int j = 0; j < 10; j++)
            fprintf(memory, "%s%d.%d.%d.%d", j ? "," : "", 11 + i / 250, i % 250, 3 * j, 2 * j);
        fputc('\n', memory);
    }
    fclose(memory);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    cr_assert(qpw_policy_parse_text("large", text, size, &policy, &err) == 0, "%s", err.text);
    clock_gettime(CLOCK_MONOTONIC, &parsed);
    cr_assert(qpw_policy_compile(&policy, &context, &names, &compiled, &err) == 0, "%s", err.text);
    clock_gettime(CLOCK_MONOTONIC, &end);
    cr_log_info("5,000 rows, 50,000 addresses: parsed in %.1f ms, compiled in %.1f ms (with sanitizers)",
                (double)(parsed.tv_sec - begin.tv_sec) * 1e3 + (double)(parsed.tv_nsec - begin.tv_nsec) / 1e6,
                (double)(end.tv_sec - parsed.tv_sec) * 1e3 + (double)(end.tv_nsec - parsed.tv_nsec) / 1e6);
    cr_assert(eq(sz, compiled.n_sets, 50000));
    free(text);
    qpw_compiled_clear(&compiled);
    qpw_registry_clear(&names);
    qpw_policy_clear(&policy);
}

/* ---- Suppressions ---- */

Test(suppress, answered_needs_its_own_word)
{
    static const char text[] = "suppress inbound tcp any from=10.9.9.9 until=2027-01-31 reason=\"own scanner\"\n"
                               "suppress inbound tcp 9100 from=10.9.9.0/24 outcome=answered\n";
    struct qpw_policy policy = {0};
    uint8_t scanner[16], other[16];
    struct qpw_suppress_query query = {.direction = QPW_DIR_INBOUND, .kind = QPW_KIND_PORT, .protocol = 6, .port = 4444,
                                       .outcome = QPW_OUTCOME_REFUSED, .from = scanner, .to = other, .now = NOW};

    cr_assert(qpw_address_parse("10.9.9.9", scanner) == 0 && qpw_address_parse("10.1.0.11", other) == 0);
    struct qpw_error err;
    cr_assert(qpw_policy_parse_text("t", text, sizeof(text) - 1, &policy, &err) == 0);
    cr_assert(qpw_policy_suppressed(&policy, &query) == &policy.suppressions[0]);
    query.outcome = QPW_OUTCOME_ANSWERED;
    cr_assert(qpw_policy_suppressed(&policy, &query) == NULL);
    query.port = 9100;
    query.outcome = QPW_OUTCOME_DATA;
    cr_assert(qpw_policy_suppressed(&policy, &query) == &policy.suppressions[1]);
    query.outcome = QPW_OUTCOME_ATTEMPTED;
    query.port = 4444;
    query.now = 1801440000; /* 2027-02-01 */
    cr_assert(qpw_policy_suppressed(&policy, &query) == NULL);
    query.now--;
    cr_assert(qpw_policy_suppressed(&policy, &query) != NULL);
    query.direction = QPW_DIR_OUTBOUND;
    cr_assert(qpw_policy_suppressed(&policy, &query) == NULL);
    qpw_policy_clear(&policy);
}

/* ---- Differences as text, remarks ---- */

static void expect_diff(const char *old, const char *new, const char *const *lines)
{
    struct qpw_policy a = {0}, b = {0};
    struct qpw_differences differences = {0};
    struct qpw_error err = {""};
    size_t n = 0;

    cr_assert(qpw_policy_parse_text("a", old, strlen(old), &a, &err) == 0, "%s", err.text);
    cr_assert(qpw_policy_parse_text("b", new, strlen(new), &b, &err) == 0, "%s", err.text);
    cr_assert(qpw_policy_diff(&a, &b, NOW, &differences) == 0);
    for (; lines[n]; n++) {
        cr_assert(lt(sz, n, differences.n), "missing: %s", lines[n]);
        IS(differences.list[n].text, lines[n]);
    }
    cr_assert(eq(sz, differences.n, n), "more: %s", differences.n > n ? differences.list[n].text : "");
    qpw_differences_clear(&differences);
    qpw_policy_clear(&a);
    qpw_policy_clear(&b);
}

Test(diff, owners)
{
    expect_diff("inbound tcp 445 SMB", "inbound tcp 445 SMB owner=/usr/sbin/smbd,unit:smbd",
                (const char *const[]){"owner of in-tcp-445: now /usr/sbin/smbd,unit:smbd (was any)", NULL});
    expect_diff("inbound tcp 445 SMB owner=kernel", "inbound tcp 445 SMB owner=any",
                (const char *const[]){"owner of in-tcp-445: now any (was kernel)", NULL});
    expect_diff("inbound tcp 445 SMB", "inbound tcp 445 SMB owner=any", (const char *const[]){NULL});
}

/* Accepting answers from any port is wider than from one. */
Test(diff, answers_from_any_port)
{
    expect_diff("inbound udp 69 TFTP", "inbound udp 69 TFTP answers=any-port",
                (const char *const[]){"widened: inbound udp 69 (TFTP): from any → from any, with answers from any port", NULL});
    expect_diff("inbound udp 69 TFTP answers=any-port", "inbound udp 69 TFTP",
                (const char *const[]){"narrowed: inbound udp 69 (TFTP): from any, with answers from any port → from any", NULL});
    expect_diff("inbound udp 69 TFTP answers=any-port", "inbound udp 69 TFTP answers=any-port\ninbound udp 69 more from=10.0.0.1",
                (const char *const[]){NULL});
    expect_diff("inbound udp 69 TFTP", "inbound udp 69 TFTP\ninbound udp 69 TFTP from=10.0.0.1 answers=any-port",
                (const char *const[]){"now allowed: inbound udp 69 (TFTP) from 10.0.0.1, with answers from any port", NULL});
}

Test(diff, in_effect_and_in_words)
{
    expect_diff("include on-prem", "# the same\ninclude on-prem\n", (const char *const[]){NULL});
    expect_diff("include on-prem", "include on-prem\noverride ldap 389=10389",
                (const char *const[]){
                    "moved: LDAP to Active Directory or to a standalone LDAP server 389 → 10389 (outbound tcp)", NULL});
    expect_diff("inbound tcp 22 SSH", "inbound tcp 22 SSH from=10.0.0.0/8",
                (const char *const[]){"narrowed: inbound tcp 22 (SSH): from any → from 10.0.0.0/8", NULL});
    expect_diff("inbound tcp 22 SSH from=10.0.0.0/8", "inbound tcp 22 SSH",
                (const char *const[]){"widened: inbound tcp 22 (SSH): from 10.0.0.0/8 → from any", NULL});
    /* Removing one of several conditions is not a narrowing to another one that existed before. */
    expect_diff("inbound tcp 22 a from=10.0.0.1\ninbound tcp 22 b from=10.0.0.2", "inbound tcp 22 a from=10.0.0.1",
                (const char *const[]){"no longer allowed: inbound tcp 22 (b) from 10.0.0.2", NULL});
    expect_diff("inbound tcp 22 a from=10.0.0.1", "inbound tcp 22 a from=10.0.0.3",
                (const char *const[]){"changed: inbound tcp 22 (a): from 10.0.0.1 → from 10.0.0.3", NULL});
    expect_diff("inbound icmp 8 ping\ninbound 47 any gre", "inbound icmp any ping\ninbound any any all",
                (const char *const[]){"now allowed: inbound icmp 0-7 (ping) from any",
                                      "now allowed: inbound icmp 9-255 (ping) from any",
                                      "now allowed: inbound any (all) from any", NULL});
    expect_diff("inbound tcp 1-10 a\ninbound tcp 11-20 b", "inbound tcp 1-20 c\n", (const char *const[]){NULL});
    expect_diff("peer a 10.0.0.1\ninfra dhcp unexpected", "peer a 10.0.0.2\npeer b 10.0.0.3\nsuppress any udp any",
                (const char *const[]){"now allowed: infra dhcp", "peer changed: a: 10.0.0.2", "peer added: b: 10.0.0.3",
                                      "now suppressed: any udp any", NULL});
}

static void expect_remark(const char *text, const char *kind, unsigned line)
{
    struct qpw_policy policy = {0};
    struct qpw_remarks remarks = {0};
    struct qpw_error err = {""};

    cr_assert(qpw_policy_parse_text("t", text, strlen(text), &policy, &err) == 0, "%s", err.text);
    cr_assert(qpw_policy_check(&policy, NOW, &remarks) == 0);
    cr_assert(eq(sz, remarks.n, *kind ? 1 : 0), "%s: %s", text, remarks.n ? remarks.list[0].text : "nothing");
    if (*kind) {
        IS(qpw_remark_name(remarks.list[0].kind), kind);
        cr_assert(eq(uint, remarks.list[0].where.line, line));
    }
    qpw_remarks_clear(&remarks);
    qpw_policy_clear(&policy);
}

Test(check, each_kind_of_remark_with_its_line)
{
    expect_remark("include on-prem", "", 0);
    expect_remark("inbound tcp 445 a\ninbound tcp 445 b", "duplicate", 2);
    expect_remark("inbound tcp 400-500 a\ninbound tcp 445 b from=10.0.0.1", "shadowed", 2);
    expect_remark("inbound tcp 445 b\ninbound tcp 400-500 a", "shadowed", 1);
    expect_remark("inbound tcp 400-500 a\ninbound tcp 450-550 b", "overlap", 2);
    expect_remark("inbound tcp 1-20000 a", "wide", 1);
    expect_remark("inbound tcp 1-20000 a weak", "", 0);
    expect_remark("inbound tcp 22 a from=10.0.0.1 name=x\nonly x from=10.0.0.2", "never", 1);
    expect_remark("implied kpasswd unexpected\noutbound tcp 464 kpasswd", "contradicts", 2);
    expect_remark("peer n 10.0.0.0/24\ninbound tcp 445 a from=10.0.0.7", "peer-and-client", 1);
    expect_remark("inbound tcp 445 a\ninbound tcp 446 \"TODO: purpose\"", "purpose", 2);
    expect_remark("inbound tcp 445 a\nsuppress inbound tcp any from=10.9.9.9", "endless", 2);
    expect_remark("inbound tcp 445 a\nsuppress any any any", "endless", 2);
    expect_remark("include aws\npeer n 10.0.0.0/24\npeer m 10.0.0.7", "duplicate", 3);
    expect_remark("inbound tcp 445 a from=10.0.0.1\ninbound tcp 445 b from=10.0.0.2", "", 0);
}

Test(expiry, warned_of_for_seven_days_and_after)
{
    static const char text[] =
        "inbound tcp 1 a until=2026-09-30\ninbound tcp 2 b until=2026-09-24\ninbound tcp 3 c until=2026-09-01\n";
    struct qpw_policy policy = {0};
    struct qpw_error err;

    cr_assert(qpw_policy_parse_text("t", text, sizeof(text) - 1, &policy, &err) == 0);
    cr_assert(qpw_policy_warn_expiry(&policy, NOW) == 0);
    cr_assert(eq(sz, policy.n_warnings, 2));
    IS(policy.warnings[0], "t:2: in-tcp-2 expires in 3 days (until 2026-09-24)");
    IS(policy.warnings[1],
       "t:3: in-tcp-3 expired (until 2026-09-01) and no longer matches: delete the line or extend it");
    qpw_policy_clear(&policy);
}

/* Suppressions are made to expire, so a reload's difference shows them in one line. */
Test(expiry, suppressions_that_expire_soon_are_one_warning)
{
    static const char text[] = "suppress inbound tcp 1 from=10.0.0.1 until=2026-09-24\n"
                               "suppress inbound tcp 2 from=10.0.0.1 until=2026-09-22 name=second\n"
                               "suppress inbound tcp 3 from=10.0.0.1 until=2026-09-01\n"
                               "suppress inbound tcp 4 from=10.0.0.1 until=2026-10-24\n";
    struct qpw_policy policy = {0};
    struct qpw_error err;

    cr_assert(qpw_policy_parse_text("t", text, sizeof(text) - 1, &policy, &err) == 0, "%s", err.text);
    cr_assert(qpw_policy_warn_expiry(&policy, NOW) == 0);
    cr_assert(eq(sz, policy.n_warnings, 2));
    cr_expect(strstr(policy.warnings[0], "t:3: ") && strstr(policy.warnings[0], " expired (until 2026-09-01)"), "%s", policy.warnings[0]);
    cr_expect(strstr(policy.warnings[1], "t:2: 2 suppressions expire within 7 days, ") &&
              strstr(policy.warnings[1], " first (until 2026-09-22)"), "%s", policy.warnings[1]);
    qpw_policy_clear(&policy);
}

/* ---- The examples of the manual page do what it describes ---- */

static char *example(const char *name)
{
    char mark[64], line[512], *text = calloc(1, 8192);
    FILE *page = fopen("user/dist/man/qportwatch-policy.5", "r");
    bool inside = false;

    cr_assert(page != NULL && text != NULL);
    snprintf(mark, sizeof(mark), ".\\\" example: %s\n", name);
    while (fgets(line, sizeof(line), page)) {
        if (!strcmp(line, mark))
            inside = true;
        else if (inside && !strcmp(line, ".EE\n"))
            break;
        else if (inside && line[0] != '.')
            strcat(text, line);
    }
    fclose(page);
    cr_assert(strlen(text) > 0, "no example %s", name);
    return text;
}

Test(manual, eight_examples)
{
    static const struct {
        const char *name, *direction, *protocol;
        unsigned port;
        const char *from, *to;
        int vlan;
        const char *verdict;
    } cases[] = {
        {"tenant-vlan", "in", "tcp", 445, "10.2.0.9", "10.2.0.11", 200, "allowed"},
        {"tenant-vlan", "in", "tcp", 445, "10.2.0.9", "10.2.0.11", 201, "unexpected"},
        {"tenant-vlan", "in", "tcp", 445, "10.2.0.9", "10.3.0.11", 200, "unexpected"},
        {"tenant-vlan", "in", "udp", 2049, "10.2.0.9", "10.2.0.11", 0, "unexpected"},
        {"tenant-vlan", "in", "tcp", 22, "10.2.0.9", "10.2.0.11", 0, "allowed"},
        {"management", "in", "tcp", 443, "10.1.0.77", NODE, 0, "allowed"},
        {"management", "in", "tcp", 443, "10.8.0.77", NODE, 0, "unexpected"},
        {"management", "in", "tcp", 2049, "2001:db8:8::7", NODE, 0, "allowed"},
        {"management", "in", "tcp", 2049, "10.1.0.77", NODE, 0, "unexpected"},
        {"admin-ssh", "in", "tcp", 22, "10.1.0.35", NODE, 0, "allowed"},
        {"admin-ssh", "in", "tcp", 22, "10.1.0.36", NODE, 0, "unexpected"},
        {"admin-ssh", "in", "tcp", 445, "10.1.0.36", NODE, 0, "allowed"},
        {"replication", "in", "tcp", 3712, "192.0.2.12", NODE, 0, "allowed"},
        {"replication", "in", "tcp", 3712, "192.0.2.14", NODE, 0, "unexpected"},
        {"replication", "out", "tcp", 3712, NODE, "192.0.2.14", 0, "unexpected"},
        {"domain-controllers", "out", "tcp", 88, NODE, "10.0.0.5", 0, "allowed"},
        {"domain-controllers", "out", "tcp", 88, NODE, "10.0.0.7", 0, "unexpected"},
        {"domain-controllers", "out", "udp", 389, NODE, "10.0.0.6", 0, "implied"},
        {"domain-controllers", "out", "udp", 389, NODE, "10.0.0.7", 0, "unexpected"},
        {"dns", "out", "udp", 53, NODE, "10.0.1.53", 0, "allowed"},
        {"dns", "out", "tcp", 53, NODE, "10.0.1.53", 0, "implied"},
        {"dns", "out", "udp", 53, NODE, "8.8.8.8", 0, "unexpected"},
        {"backup", "in", "tcp", 10000, "10.9.0.7", NODE, 0, "allowed"},
        {"backup", "in", "tcp", 10000, "10.9.0.8", NODE, 0, "unexpected"},
        {"floating", "in", "tcp", 7777, "10.1.1.20", NODE, 0, "peer"},
        {"floating", "in", "tcp", 7777, "10.1.0.11", NODE, 0, "unexpected"}, /* the node's own address */
        {"floating", "in", "tcp", 7777, "10.1.2.1", NODE, 0, "unexpected"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text = example(cases[i].name);
        struct site s;

        open_site(&s, text);
        cr_assert(eq(str,
                     (char *)qpw_verdict_name(judge(&s, cases[i].direction, cases[i].protocol, cases[i].port,
                                                    (struct way){cases[i].from, cases[i].to, 40000, cases[i].vlan})
                                                  .verdict),
                     (char *)cases[i].verdict),
                  "%s: %s %s %u from %s to %s", cases[i].name, cases[i].direction, cases[i].protocol, cases[i].port,
                  cases[i].from, cases[i].to);
        close_site(&s);
        free(text);
    }
}

/* A peer of the command line with an invalid name, wherever its text is in memory. */
Test(parse, name_of_a_peer_given_by_hand)
{
    static const char place[] = "Node2=10.1.0.12";
    char here[sizeof(place)], *heap = strdup(place);
    const char *const texts[] = {place, here, heap};
    struct qpw_policy policy = {0};
    struct qpw_error err;

    memcpy(here, place, sizeof(place));
    cr_assert(heap != NULL);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        cr_expect_eq(qpw_policy_add_peer(&policy, texts[i], "--peer", &err), -EINVAL);
        cr_expect_str_eq(err.text, "--peer 'Node2=10.1.0.12': 'Node2' is not a name: lower-case letters, digits and "
                                   ". _ + -");
    }
    cr_expect_eq(qpw_policy_add_peer(&policy, "node2=10.1.0.12", "--peer", &err), 0, "%s", err.text);
    cr_expect_eq(policy.n_peers, 1);
    free(heap);
    qpw_policy_clear(&policy);
}

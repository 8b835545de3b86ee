/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The filter language: the meaning of each term, combinations, error messages. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qportwatch.h"
#include "util/names.h"
#include "view/filter.h"

static uint8_t from[16], to[16];

/* An inbound, answered, unexpected exchange of tcp/4444 from 10.9.0.7 with node2, owned by nc. */
static struct qpw_facts facts(void)
{
    qpw_address_parse("10.9.0.7", from);
    qpw_address_parse("fd00:10::12", to);
    return (struct qpw_facts){
        .has = ~0u, .protocol = IPPROTO_TCP, .direction = QPW_DIR_INBOUND, .verdict = QPW_VERDICT_UNEXPECTED,
        .outcome = QPW_OUTCOME_ANSWERED, .severity = 1, .evidence = QPW_EVIDENCE_HANDSHAKE, .port = 4444, .vlan = 200,
        .from = from, .to = to, .process = "nc 4711 root", .peer = "node2", .rule = "in-tcp-445", .reason = "",
        .iface = "eth0",
        .words = "high tcp/4444 krb524 10.9.0.7 answered",
    };
}

static bool matches(const char *text, const struct qpw_facts *f)
{
    struct qpw_filter filter;
    struct qpw_error err = {""};

    cr_assert(qpw_filter_parse(text, &filter, &err) == 0, "%s: %s", text, err.text);
    return qpw_filter_match(&filter, f);
}

static const char *complaint(const char *text)
{
    static struct qpw_error err;
    struct qpw_filter filter = {.n_terms = 99};

    cr_assert(qpw_filter_parse(text, &filter, &err) < 0, "'%s' was taken", text);
    cr_assert(filter.n_terms == 99, "'%s' changed the filter though it is wrong", text);
    return err.text;
}

Test(filter, each_field_by_its_own_meaning)
{
    static const char *const yes[] = {
        "", "   ", "port:4444", "port:4000-5000", "port:80,4444", "dir:in", "direction:inbound", "verdict:unexpected",
        "verdict:un", "addr:10.0.0.0/8", "addr:10.9.0.7", "addr:fd00::/8", "from:10.9.0.0/24", "to:fd00:10::12",
        "proc:nc", "proc:NC", "proc:n?*root", "peer:node2", "peer:node*", "rule:in-tcp-445", "rule:*-445", "proto:tcp",
        "proto:6", "outcome:answered", "outcome:ans", "severity:high", "sev:hi", "evidence:handshake", "iface:eth0",
        "vlan:200",
        "vlan:100-299", "krb524", "4444", "KRB", "10.9.0.7 answered", "port:0x115c",
    };
    static const char *const no[] = {
        "port:4445", "port:1-4443", "dir:out", "verdict:allowed", "addr:11.0.0.0/8", "from:fd00::/8", "to:10.0.0.0/8",
        "proc:sshd", "peer:node", "rule:in-tcp-44", "proto:udp", "proto:non-ip", "outcome:refused", "sev:low",
        "evidence:first", "iface:eth", "vlan:0", "telnet", "krb524 telnet",
    };
    struct qpw_facts f = facts();

    for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
        cr_expect(matches(yes[i], &f), "'%s' should let it pass", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
        cr_expect(!matches(no[i], &f), "'%s' should hold it back", no[i]);
}

Test(filter, fields_are_anded_and_values_of_one_field_ored)
{
    struct qpw_facts f = facts();

    cr_expect(matches("port:4444 dir:in verdict:unexpected addr:10.0.0.0/8 proc:nc peer:node2 rule:in-tcp-445 "
                      "proto:tcp", &f));
    cr_expect(!matches("port:4444 dir:out", &f), "both fields must hold");
    cr_expect(matches("port:22 port:4444", &f), "two terms of one field are alternatives");
    cr_expect(matches("dir:out,in", &f));
}

Test(filter, negation_by_minus_and_by_exclamation_mark)
{
    struct qpw_facts f = facts();

    cr_expect(!matches("-port:4444", &f));
    cr_expect(!matches("!dir:in", &f));
    cr_expect(matches("-port:4445", &f));
    cr_expect(!matches("-port:22,4444", &f), "a negated list excludes each of its values");
    cr_expect(matches("port:1-65535 -port:22", &f));
    cr_expect(!matches("-krb524", &f), "words can be negated too");
    cr_expect(matches("-telnet", &f));
}

Test(filter, a_bare_address_is_a_word_and_not_a_field)
{
    struct qpw_facts f = facts();

    f.words = "fd00:10::12";
    cr_expect(matches("fd00:10::12", &f));
    cr_expect(!matches("fd00:10::13", &f));
}

Test(filter, quotes_keep_blanks_and_commas_together)
{
    struct qpw_facts f = facts();

    f.process = "my tool, new 12 root";
    cr_expect(matches("proc:\"my tool, new\"", &f));
    cr_expect(!matches("proc:\"my tools\"", &f));
}

Test(filter, host_bits_in_a_prefix_do_not_matter)
{
    struct qpw_facts f = facts();

    cr_expect(matches("addr:10.9.0.99/24", &f));
    cr_expect(!matches("addr:10.9.1.7/24", &f));
    cr_expect(matches("addr:10.9.0.7/32", &f));
    cr_expect(!matches("addr:10.9.0.6/32", &f));
    cr_expect(matches("addr:10.9.0.6/31", &f));
    cr_expect(matches("from:0.0.0.0/0", &f));
    cr_expect(!matches("to:0.0.0.0/0", &f), "no IPv6 address lies in an IPv4 prefix");
}

Test(filter, rows_without_a_port_match_no_port)
{
    struct qpw_facts f = facts();

    f.port = QPW_NO_PORT;
    cr_expect(!matches("port:0-65535", &f));
    cr_expect(matches("-port:0-65535", &f));
}

Test(filter, terms_that_a_table_does_not_know_are_not_applied)
{
    struct qpw_facts f = facts();

    f.has = 1u << QPW_FIELD_PORT;
    cr_expect(matches("port:4444 addr:11.0.0.0/8", &f));
    cr_expect(!matches("port:22 addr:11.0.0.0/8", &f));
}

Test(filter, errors_name_the_term_and_what_would_be_right)
{
    cr_expect(strstr(complaint("prt:22"), "'prt' is not a field; did you mean 'port'?") != NULL);
    cr_expect_str_eq(complaint("port:70000"),
                     "port:70000: not a number from 0 to 65535, nor a range such as 1000-2000");
    cr_expect(strstr(complaint("port:20-10"), "not a number") != NULL, "a range runs upwards");
    cr_expect(strstr(complaint("port:22-"), "not a number") != NULL);
    cr_expect(strstr(complaint("port:"), "needs a value") != NULL);
    cr_expect(strstr(complaint("port:22,"), "needs a value") != NULL);
    cr_expect_str_eq(complaint("dir:up"),
                     "dir:up: no such dir; it is one of unknown, inbound, outbound, transit, undecodable, non_ip");
    cr_expect(strstr(complaint("addr:10.0.0"), "not an address nor a prefix") != NULL);
    cr_expect(strstr(complaint("addr:10.0.0.0/33"), "not an address nor a prefix") != NULL);
    cr_expect(strstr(complaint("proto:quic"), "proto:quic: not tcp, udp") != NULL);
    cr_expect(strstr(complaint("proc:\"nc"), "missing closing quote") != NULL);
    cr_expect(strstr(complaint("vlan:4096"), "0 to 4095") != NULL);
}

Test(filter, too_many_terms_are_refused)
{
    char text[QPW_FILTER_TEXT * 2] = "";

    for (int i = 0; i < QPW_FILTER_TERMS + 1; i++)
        strcat(text, "a ");
    cr_expect_str_eq(complaint(text), "more than 32 terms");
}

/* No text makes the parser access memory out of bounds (sanitizers check), and any accepted filter can be matched. */
Test(filter, any_text_is_taken_or_refused)
{
    static const char *const pieces[] = {"port:", "dir:", "addr:", "proc:", "-", "!", ",", "\"", " ", ":", "/",
                                         "10.0.0.0",
                                         "fd00::", "1-2", "0x", "*", "[", "un", "\\", "\xff", "99999999999",
                                         "vlan:4095"};
    struct qpw_facts f = facts();
    unsigned taken = 0;

    srand(1);
    for (int round = 0; round < 20000; round++) {
        char text[QPW_FILTER_TEXT] = "";
        struct qpw_filter filter;
        struct qpw_error err = {""};

        for (int n = rand() % 12; n >= 0; n--)
            strcat(text, pieces[(size_t)rand() % (sizeof(pieces) / sizeof(*pieces))]);
        if (qpw_filter_parse(text, &filter, &err) == 0) {
            qpw_filter_match(&filter, &f);
            taken++;
        } else {
            cr_assert(*err.text, "'%s' was refused without a reason", text);
        }
    }
    cr_expect(taken > 100 && taken < 19900);
}

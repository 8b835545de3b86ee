/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A policy as a single self-contained text, as history and evidence keep it; and which ref= are the vendor's. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/flat.h"
#include "policy/lang/load.h"
#include "policy/lang/rule_text.h"

static char folder[] = "/tmp/qportwatch-flat-XXXXXX";

static void start(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(policy_flat, .init = start, .fini = end);

static const char *put(const char *name, const char *text)
{
    static char path[4][96];
    static unsigned n;
    char *place = path[n++ % 4];
    FILE *file;

    snprintf(place, sizeof(path[0]), "%s/%s", folder, name);
    file = fopen(place, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    return place;
}

/* Load one with an include, a list of addresses, and peers from the command line and from a file. */
static void load(struct qpw_policy *ret)
{
    const char *peers[] = {"node2=10.1.0.12", "node2=fd00::12", "fd00::13", "10.2.0.0/24", "node9=10.1.0.90-10.1.0.99"};
    struct qpw_policy_options options = {.peers = peers, .n_peers = 5};
    struct qpw_error err = {""};

    put("more", "inbound tcp 9100 \"node exporter\" from=@dc ref=CHG-7\n");
    put("dc.txt", "10.0.0.5\n10.0.0.6 fd00::/64\n");
    options.policy_file = put("policy", "include on-prem\ninclude more # as agreed\naddresses dc 10.0.0.9 file=dc.txt\npeer node2 10.1.0.13\n"
                                        "only in-tcp-22 from=@dc\ndisable s3\n");
    options.peers_file = put("peers", "node4 10.1.0.14\n");
    cr_assert_eq(qpw_policy_load(&options, ret, NULL, &err), 0, "%s", err.text);
}

static const struct qpw_rule *rule_named(const struct qpw_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_rules; i++)
        if (!strcmp(policy->rules[i].name, name))
            return &policy->rules[i];
    return NULL;
}

static const struct qpw_peer *peer_with(const struct qpw_policy *policy, const struct qpw_addresses *addresses)
{
    for (size_t i = 0; i < policy->n_peers; i++)
        if (qpw_addresses_equal(&policy->peers[i].addresses, addresses))
            return &policy->peers[i];
    return NULL;
}

Test(policy_flat, the_text_alone_means_the_same)
{
    struct qpw_policy policy, again;
    struct qpw_error err = {""};
    char command[64], *text;

    load(&policy);
    text = qpw_policy_flat(&policy);
    cr_assert_not_null(text);
    cr_expect_null(strstr(text, "file="), "%s", text);
    cr_expect_not_null(strstr(text, "node exporter"), "%s", text);
    snprintf(command, sizeof(command), "rm %s/*", folder); /* only the text remains */
    cr_assert_eq(system(command), 0);
    cr_assert_eq(qpw_policy_parse_text("flat", text, strlen(text), &again, &err), 0, "%s: %s", err.text, text);
    cr_expect_eq(again.n_rules, policy.n_rules);
    for (size_t i = 0; i < policy.n_rules && i < again.n_rules; i++) {
        cr_expect_str_eq(again.rules[i].name, policy.rules[i].name);
        cr_expect_eq(again.rules[i].flags & QPW_RULE_DISABLED, policy.rules[i].flags & QPW_RULE_DISABLED, "%s", policy.rules[i].name);
        cr_expect(qpw_addresses_equal(&again.rules[i].from, &policy.rules[i].from), "%s", policy.rules[i].name);
    }
    cr_expect_eq(rule_named(&again, "in-tcp-22")->from.n, 3);
    cr_expect_eq(again.n_peers, policy.n_peers);
    cr_expect_eq(policy.n_peers, 5);
    for (size_t i = 0; i < policy.n_peers; i++)
        cr_expect_not_null(peer_with(&again, &policy.peers[i].addresses), "%s: %s", policy.peers[i].name, text);
    free(text);
    qpw_policy_clear(&policy);
    qpw_policy_clear(&again);
}

/* Later changes of the files do not affect it. */
Test(policy_flat, nothing_of_files_that_have_changed)
{
    static const char *const names[] = {"policy", "more", "dc.txt"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct qpw_policy policy;
        char command[96];

        load(&policy);
        snprintf(command, sizeof(command), "%s %s/%s", i == 2 ? "echo 10.0.0.7 >>" : "echo '# more' >>", folder, names[i]);
        cr_assert_eq(system(command), 0);
        cr_expect_null(qpw_policy_flat(&policy), "%s", names[i]);
        qpw_policy_clear(&policy);
    }
}

Test(policy_flat, a_place_in_a_page_is_no_approval)
{
    static const struct { const char *ref, *source; bool page; } refs[] = {
        {"required-ports.md:23", "required-ports.md", true}, {"required-ports.md", "required-ports.md", true},
        {"required-ports.md:23", NULL, true},                {"ports/wren.csv:7", "required-ports.md", true},
        {"the page:23", "the page", true},                   {"CHG-1041", "required-ports.md", false},
        {"CHG-1041", NULL, false},                           {"required-ports.md.CHG", "required-ports.md", false},
        {"CHG:12", NULL, false},                             {"2027.1:12", NULL, false},
        {"https://tickets.example/CHG-7", NULL, false},      {":12", NULL, false},
        {"", NULL, false},                                   {".md:1", NULL, false}};

    for (size_t i = 0; i < sizeof(refs) / sizeof(*refs); i++)
        cr_expect_eq(qpw_ref_is_page(refs[i].ref, refs[i].source), refs[i].page, "'%s' of '%s'", refs[i].ref, refs[i].source ? refs[i].source : "");
}

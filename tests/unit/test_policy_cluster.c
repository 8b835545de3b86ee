/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the policy says of nodes that report to each other: keys of peers, readers, the cluster's name and authority. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "policy/lang/policy.h"
#include "policy/lang/rule_text.h"
#include "policy/tools/check.h"
#include "policy/tools/diff.h"
#include "policy/tools/export.h"

#define KEY_A "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_B "sha256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
#define KEY_C "sha256:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA="

static struct qpw_policy parse(const char *text)
{
    struct qpw_policy policy;
    struct qpw_error err = {""};

    cr_assert(qpw_policy_parse_text("test", text, strlen(text), &policy, &err) == 0, "%s", err.text);
    return policy;
}

static void refuse(const char *text, const char *expected)
{
    struct qpw_policy policy;
    struct qpw_error err = {""};

    cr_expect_eq(qpw_policy_parse_text("test", text, strlen(text), &policy, &err), -EINVAL, "%s", text);
    cr_expect_str_eq(err.text, expected);
}

Test(policy_cluster, peers_have_up_to_two_keys_on_one_line_or_several)
{
    struct qpw_policy policy = parse("peer a 10.0.0.1 key=" KEY_A "\npeer b 10.0.0.2\npeer a key=" KEY_B "\npeer a 10.0.0.9 key=" KEY_A "\n");

    cr_assert_eq(policy.n_peers, 2);
    cr_expect_eq(policy.peers[0].keys.n, 2);
    cr_expect_str_eq(policy.peers[0].keys.text[0], KEY_A);
    cr_expect_str_eq(policy.peers[0].keys.text[1], KEY_B);
    cr_expect_eq(policy.peers[0].addresses.n, 2);
    cr_expect_eq(policy.peers[1].keys.n, 0);
    qpw_policy_clear(&policy);
}

Test(policy_cluster, readers_and_the_cluster)
{
    struct qpw_policy policy = parse("cluster blue ca=/etc/ca.pem\nreader prometheus 10.0.5.9 fd00::9 key=" KEY_A "\n");

    cr_expect_str_eq(policy.cluster, "blue");
    cr_expect_str_eq(policy.cluster_ca, "/etc/ca.pem");
    cr_assert_eq(policy.n_readers, 1);
    cr_expect_str_eq(policy.readers[0].name, "prometheus");
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are as many */
    cr_expect_eq(policy.readers[0].addresses.n, 2);
    cr_expect_str_eq(policy.readers[0].keys.text[0], KEY_A);
    qpw_policy_clear(&policy);
}

Test(policy_cluster, faults)
{
    refuse("peer a 10.0.0.1 key=sha256:AAAA\n",
           "test:1:17: a key is sha256: and 44 characters of base64; 'qportwatch cluster key' prints it");
    refuse("peer a 10.0.0.1 key=sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
           "test:1:17: a key is sha256: and 44 characters of base64; 'qportwatch cluster key' prints it");
    refuse("peer a 10.0.0.1 key=" KEY_A "\npeer b 10.0.0.2 key=" KEY_A "\n",
           "test:2:17: a has this key already; give each name a key of its own");
    refuse("peer a 10.0.0.1 key=" KEY_A "\nreader b 10.0.0.2 key=" KEY_A "\n",
           "test:2:19: a has this key already; give each name a key of its own");
    refuse("peer a 10.0.0.1 key=" KEY_A " key=" KEY_B " key=" KEY_C "\n",
           "test:1:129: a name has at most 2 keys: the old one and the new one");
    refuse("peer a key=" KEY_A "\n", "test:1: a has no address");
    refuse("reader a 10.0.0.1 10.0.0.2\n", "test:1: a has no key: add key=sha256:...");
    refuse("cluster blue ca=ca.pem\n", "test:1:14: ca= and the absolute path of a certificate can stand here");
    refuse("cluster blue /etc/ca.pem\n", "test:1:14: ca= and the absolute path of a certificate can stand here");
}

static void expect_difference(const char *old_text, const char *new_text, const char *expected)
{
    struct qpw_policy old = parse(old_text), new = parse(new_text);
    struct qpw_differences differences = {0};
    bool found = false;

    cr_assert(qpw_policy_diff(&old, &new, 1790000000, &differences) == 0);
    for (size_t i = 0; i < differences.n; i++)
        found |= !strcmp(differences.list[i].text, expected);
    cr_expect(found, "%s", expected);
    qpw_differences_clear(&differences);
    qpw_policy_clear(&old);
    qpw_policy_clear(&new);
}

Test(policy_cluster, a_reload_says_whose_key_changed)
{
    expect_difference("peer a 10.0.0.1\n", "peer a 10.0.0.1 key=" KEY_A "\n", "peer changed: a: key " KEY_A);
    expect_difference("peer a 10.0.0.1 key=" KEY_A "\n", "peer a 10.0.0.1\n", "peer changed: a: key removed");
    expect_difference("", "reader r 10.0.0.1 key=" KEY_A "\n", "reader added: r: 10.0.0.1, key " KEY_A);
    expect_difference("reader r 10.0.0.1 key=" KEY_A "\n", "", "reader removed: r");
}

/* The port of `serve` has a rule of its own for those that have a key, and only where somebody has one. */
Test(policy_cluster, the_tools_own_port_has_a_rule)
{
    struct qpw_policy policy = parse("peer a 10.0.0.1\n");
    char text[128];

    cr_expect_eq(policy.n_rules, 0, "nobody has a key");
    qpw_policy_clear(&policy);
    policy = parse("inbound tcp 445 SMB\npeer a 10.0.0.1 key=" KEY_A "\npeer b 10.0.0.2\nreader r 10.0.0.9 key=" KEY_B "\n");
    cr_assert_eq(policy.n_rules, 2);
    cr_expect_str_eq(policy.rules[1].name, "self");
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are as many */
    cr_expect_eq(policy.rules[1].where.line, 0);
    cr_expect_eq(policy.rules[1].ports[0].first, 9101);
    cr_expect_str_eq(qpw_addresses_text(&policy.rules[1].from, text, sizeof(text)), "10.0.0.1,10.0.0.9");
    qpw_policy_clear(&policy);
    policy = parse("cluster blue ca=/etc/ca.pem\npeer a 10.0.0.1\npeer b 10.0.0.2\n");
    cr_assert_eq(policy.n_rules, 1);
    cr_expect_str_eq(qpw_addresses_text(&policy.rules[0].from, text, sizeof(text)), "10.0.0.1-10.0.0.2");
    qpw_policy_clear(&policy);
    policy = parse("inbound tcp 9200 other name=self\npeer a 10.0.0.1 key=" KEY_A "\n");
    cr_expect_eq(policy.n_rules, 1, "the policy's own rule of that name stands");
    qpw_policy_clear(&policy);
}

Test(policy_cluster, a_reload_says_every_change_of_keys_readers_and_the_cluster)
{
    expect_difference("reader r 10.0.0.1 key=" KEY_A "\n", "reader r 10.0.0.1 key=" KEY_A " key=" KEY_B "\n",
                      "reader changed: r: 10.0.0.1, key " KEY_A ", " KEY_B);
    expect_difference("reader r 10.0.0.1 key=" KEY_A "\n", "reader r 10.0.0.2 key=" KEY_A "\n", "reader changed: r: 10.0.0.2, key " KEY_A);
    expect_difference("", "cluster blue\n", "cluster added: blue");
    expect_difference("cluster blue\n", "cluster green\n", "cluster changed: green");
    expect_difference("cluster blue\n", "", "cluster removed: blue");
    expect_difference("cluster blue ca=/a.pem\n", "cluster blue ca=/b.pem\n", "now trusted for the names of peers: certificates signed by /b.pem");
    expect_difference("cluster blue ca=/a.pem\n", "cluster blue\n", "no longer trusted for the names of peers: certificates signed by /a.pem");
}

Test(policy_cluster, a_new_peer_is_added_with_its_key)
{
    expect_difference("", "peer a 10.0.0.1 key=" KEY_A "\n", "peer added: a: 10.0.0.1");
    expect_difference("", "peer a 10.0.0.1 key=" KEY_A "\n", "peer added: a: key " KEY_A);
}

static void expect_remark(const char *text, const char *expected)
{
    struct qpw_policy policy = parse(text);
    struct qpw_remarks remarks = {0};
    const char *found = NULL;

    cr_assert_eq(qpw_policy_check(&policy, 1790000000, &remarks), 0);
    for (size_t i = 0; i < remarks.n; i++)
        if (remarks.list[i].kind == QPW_REMARK_KEYLESS)
            found = remarks.list[i].text;
    if (expected)
        cr_expect(found && strstr(found, expected), "%s: %s", text, found ? found : "none");
    else
        cr_expect_null(found, "%s: %s", text, found ? found : "");
    qpw_remarks_clear(&remarks);
    qpw_policy_clear(&policy);
}

Test(policy_cluster, a_peer_without_a_key_among_others_is_remarked)
{
    expect_remark("inbound tcp 445 SMB\npeer a 10.0.0.1 key=" KEY_A "\npeer b 10.0.0.2\n", "peer b has no key");
    expect_remark("inbound tcp 445 SMB\npeer a 10.0.0.1\npeer b 10.0.0.2\n", NULL);
    expect_remark("inbound tcp 445 SMB\ncluster blue ca=/a.pem\npeer a 10.0.0.1 key=" KEY_A "\npeer b 10.0.0.2\n", NULL);
}

Test(policy_cluster, the_document_has_keys_readers_and_the_cluster)
{
    struct qpw_policy policy = parse("cluster blue ca=/a.pem\npeer a 10.0.0.1 key=" KEY_A " key=" KEY_B "\nreader r 10.0.0.9 key=" KEY_C "\n");
    json_t *d = qpw_policy_json(&policy, 1790000000), *peer = json_array_get(json_object_get(d, "peers"), 0);
    json_t *reader = json_array_get(json_object_get(d, "readers"), 0), *cluster = json_object_get(d, "cluster");

    cr_expect_eq(json_array_size(json_object_get(peer, "keys")), 2u);
    cr_expect_str_eq(json_string_value(json_array_get(json_object_get(peer, "keys"), 1)), KEY_B);
    cr_expect_str_eq(json_string_value(json_object_get(reader, "name")), "r");
    cr_expect_str_eq(json_string_value(json_array_get(json_object_get(reader, "keys"), 0)), KEY_C);
    cr_expect_str_eq(json_string_value(json_object_get(cluster, "ca")), "/a.pem");
    json_decref(d);
    qpw_policy_clear(&policy);
    policy = parse("peer a 10.0.0.1\n");
    d = qpw_policy_json(&policy, 1790000000);
    cr_expect(json_is_null(json_object_get(d, "cluster")));
    cr_expect_eq(json_array_size(json_object_get(d, "readers")), 0u);
    json_decref(d);
    qpw_policy_clear(&policy);
}

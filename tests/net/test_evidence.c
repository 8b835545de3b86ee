/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The evidence folder of a node with a history: killed and taken over, a peer of the command line, its own rules, an
 * alert log.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auditor.h"
#include "evelog.h"

TestSuite(evidence_live, .timeout = NETNS_TIMEOUT_S);

static const char policy_text[] = "include on-prem\n"
                                  "addresses admin file=admin.txt\n"
                                  "only in-tcp-22 from=@admin\n"
                                  "inbound tcp 9100 \"node exporter\" from=10.7.0.2 ref=CHG-1041 until=2099-01-01\n"
                                  "inbound tcp 9200\n";

/* Run a shell command in the evidence folder, on the node. */
static int in_folder(struct node *n, const char *command)
{
    char text[4096];
    int status = netns_output(&n->node, text, sizeof(text), "cd %s/evidence && %s", n->folder, command);

    if (status != 0)
        fprintf(stderr, "%s: %s\n", command, text);
    return status;
}

static void attach(struct node *n, const char *log, const char *policy)
{
    node_attach(n, "node0 --alerts %s --policy %s --peer node2=10.7.0.12 --peer fd07::12", log, policy);
}

/* Everything that the folder states can be verified within the folder. */
Test(evidence_live, a_folder_that_stands_by_itself)
{
    static const char *const holds[] = {
        "sha256sum -c --quiet --strict SHA256SUMS",
        "sh recount.sh", /* the history may not be there yet, all else is: */
        "test \"$(sh recount.sh | grep 'not known$' | cut -d' ' -f1)\" = '' || sh recount.sh | grep '^history-days *not known$'",
        "sh recount.sh | tail -n 1 | grep -E '^4[89] figures counted again, 0 different; [01] not known$'",
        QPW_BUILD "/qportwatch alerts --verify alerts.jsonl",
        QPW_BUILD "/qportwatch policy check policy.txt",
        "grep -x 'peer node2 10.7.0.12' policy.txt",
        "grep -x 'peer fd07--12 fd07::12' policy.txt",
        "grep -x 'addresses admin 10.7.0.2 10.7.0.9' policy.txt",
        "grep -E '^# in force +in-tcp-22 .* in force with from=10.7.0.2,10.7.0.9$' policy.txt",
        "grep -E '^# in force +in-tcp-9200 ' policy.txt",
        "grep -E '^  node0 +monitored$' README.txt",
        "grep -E '^  lo +not monitored: the loopback interface' README.txt",
        "grep -E '^  no auditor \\(counted\\) from ' README.txt",
        /*
         * 20 rules of the vendor, two of the site: one has a purpose and an approval. Two starts, one attachment, all
         * in the log.
         */
        "test \"$(jq -r '[.figures[] | select(.name | IN(\"rules-in-force\", \"rules-of-vendor\", \"rules-without-purpose\", "
        "\"rules-without-approval\", \"rules-until\", \"peers\", \"audit-records\", \"audit-records-logged\")) | .value] | join(\" \")' "
        "requirements.json)\" = '22 20 1 21 1 2 3 3'",
        "jq -e '[.figures[] | select(.of == \"end\") | .from == .to] | all' requirements.json",
    };
    char log[128], policy[128], list[128], text[4096];
    struct node n;

    node_open(&n);
    snprintf(log, sizeof(log), "%s/eve.json", n.folder);
    node_write(&n, "admin.txt", "10.7.0.2\n10.7.0.9\n", list, sizeof(list));
    node_write(&n, "policy", policy_text, policy, sizeof(policy));
    attach(&n, log, policy);
    EVELOG_UNTIL(log, .name = "attached");
    node_stop(&n, SIGKILL);
    netns_run(&n.client, "bash -c 'echo > /dev/tcp/10.7.0.1/4444' 2>/dev/null || true");
    attach(&n, log, policy);
    node_until_coverage(&n, "auditor-gap");
    EVELOG_UNTIL(log, .name = "auditor-gap");
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --evidence %s/evidence", n.folder), 0, "%s", text);
    for (size_t i = 0; i < sizeof(holds) / sizeof(*holds); i++)
        cr_expect_eq(in_folder(&n, holds[i]), 0, "%s", holds[i]);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

/* A policy file that was changed since does not stand for the policy in force, whose rules are there nevertheless. */
Test(evidence_live, a_policy_whose_file_has_changed)
{
    char policy[128], text[4096];
    struct node n;

    node_open(&n);
    node_write(&n, "policy", "inbound tcp 445 SMB ref=CHG-1\n", policy, sizeof(policy));
    node_attach(&n, "node0 --no-history --policy %s --peer node2=10.7.0.12", policy);
    node_write(&n, "policy", "inbound tcp 446 SMB\n", policy, sizeof(policy));
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --evidence %s/evidence", n.folder), 0, "%s", text);
    cr_expect_eq(in_folder(&n, "! grep 446 policy.txt"), 0);
    cr_expect_eq(in_folder(&n, "grep 'Its text is not to be had: its file has changed since' policy.txt"), 0);
    cr_expect_eq(in_folder(&n, "grep -E '^# in force +in-tcp-445 +inbound tcp 445 SMB ref=CHG-1$' policy.txt"), 0);
    cr_expect_eq(in_folder(&n, "grep -E '^# in force +peer node2$' policy.txt"), 0);
    cr_expect_eq(in_folder(&n, "grep 'node2=10.7.0.12' policy.txt"), 0, "as it was given");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

/* Without anything to report, no key is created; otherwise it is. */
Test(evidence_live, no_key_for_nothing)
{
    static const char *const commands[] = {"report --anonymize %s/key", "report --anonymize %s/key --history /nonexistent --since 1d", "statement --anonymize %s/key",
                                           "alerts --anonymize %s/key /nonexistent", "alerts --anonymize %s/key --alerts /nonexistent",
                                           "replay --anonymize %s/key --local ::1 --platform on-prem /nonexistent",
                                           "replay --anonymize %s/key --local ::1 --platform on-prem /etc/passwd"};
    char command[256], text[4096];
    struct node n;

    node_open(&n);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        snprintf(command, sizeof(command), commands[i], n.folder);
        cr_expect_neq(node_command(&n, text, sizeof(text), "%s", command), 0, "%s", commands[i]);
        cr_expect_null(strstr(text, "made a key"), "%s", text);
        cr_expect_neq(netns_output(&n.node, text, sizeof(text), "ls %s/key", n.folder), 0, "%s", commands[i]);
    }
    node_attach(&n, "node0 --peer node2=10.7.0.2");
    cr_expect_neq(node_command(&n, text, sizeof(text), "report --anonymize %s/key --evidence /etc", n.folder), 0);
    cr_expect_neq(netns_output(&n.node, text, sizeof(text), "ls %s/key", n.folder), 0, "nor for a folder that cannot be written");
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --anonymize %s/key", n.folder), 0, "%s", text);
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), "stat -c %%a %s/key", n.folder), 0);
    cr_expect_str_eq(text, "600\n");
    cr_expect_eq(node_command(&n, text, sizeof(text), "statement --samples --anonymize %s/key", n.folder), 0, "%s", text);
    cr_expect_not_null(strstr(text, "\"peer\":\"node-"), "%s", text);
    cr_expect(!strstr(text, "10.7.0.") && !strstr(text, "node0") && !strstr(text, "node2"), "%s", text);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

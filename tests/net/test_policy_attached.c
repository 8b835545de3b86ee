/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy suggest and policy test on a monitored node. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "site.h"
#include "traffic.h"

#define PROGRAM QPW_BUILD "/qportwatch"

struct wanted {
    struct site *site;
    const char *command;
    const char *text;
    char output[16384];
    int status;
};

static bool says(void *argument)
{
    struct wanted *w = argument;

    w->status = netns_output(&w->site->ns, w->output, sizeof(w->output), PROGRAM " policy %s", w->command);
    return strstr(w->output, w->text);
}

static void expect(struct site *n, const char *command, int status, const char *text)
{
    struct wanted w = {.site = n, .command = command, .text = text};

    cr_assert(netns_until(says, &w, NETNS_DEADLINE_MS), "%s: '%s' is not in:\n%s", command, text, w.output);
    cr_assert_eq(w.status, status, "%s", w.output);
}

/* A veth strips tags as most cards do: rules with a VLAN would not match in XDP mode, which is reported at once. */
Test(attached, tags_that_are_not_to_be_seen, .timeout = NETNS_TIMEOUT_S)
{
    static const struct {
        const char *policy, *options;
        bool warned;
    } sites[] = {
        {"inbound tcp 445 SMB vlan=200\n", "--mode xdp", true},
        {"inbound tcp 445 SMB vlan=200\n", "--mode tc", false},
        {"inbound tcp 445 SMB\n", "--mode xdp", false},
    };
    char text[65536];

    for (size_t i = 0; i < sizeof(sites) / sizeof(*sites); i++) {
        struct site n;

        site_make(&n);
        netns_run(&n.ns, "ethtool -k node0 | grep -q 'rx-vlan-offload: on'");
        site_attach(&n, sites[i].policy, sites[i].options);
        netns_output(&n.ns, text, sizeof(text), "cat %s/attach.log", n.dir);
        cr_expect_eq(strstr(text, "node0 takes VLAN tags off") != NULL, sites[i].warned, "%zu: %s", i, text);
        netns_output(&n.ns, text, sizeof(text), PROGRAM " report");
        cr_expect_eq(strstr(text, "node0 takes VLAN tags off") != NULL, i != 1, "%zu: %s", i, text);
        site_end(&n);
    }
}

/* A reload brings the first rule with a VLAN. */
Test(attached, tags_that_are_not_to_be_seen_after_a_reload, .timeout = NETNS_TIMEOUT_S)
{
    static const char *const modes[] = {"--mode xdp", "--mode tc"};
    char text[65536];

    for (size_t i = 0; i < 2; i++) {
        struct site n;

        site_make(&n);
        site_attach(&n, "inbound tcp 445 SMB\n", modes[i]);
        netns_run(&n.ns, "echo 'inbound tcp 445 SMB vlan=200' >%s/policy", n.dir);
        cr_expect_eq(netns_output(&n.ns, text, sizeof(text), PROGRAM " reload"), 0, "%s", text);
        cr_expect_eq(strstr(text, "warning: node0 takes VLAN tags off") != NULL, i == 0, "%s: %s", modes[i], text);
        site_end(&n);
    }
}

Test(attached, suggestions_and_what_another_policy_would_have_said)
{
    char path[128], command[512];
    struct site n;
    FILE *file;

    site_make(&n);
    site_attach(&n, "policy test/narrow\ninbound tcp 445 SMB\ninbound tcp 22 SSH\n", "");
    traffic_serve_tcp(&n.ns, "10.1.0.1", 9100);
    traffic_serve_tcp(&n.ns, "10.1.0.1", 445);
    traffic_tcp(&n.far, &(struct traffic_tcp){.address = "10.1.0.1", .port = 9100, .up = 1000, .down = 1000});
    traffic_tcp(&n.far, &(struct traffic_tcp){.address = "10.1.0.1", .port = 445, .up = 1000, .down = 1000});
    netns_output(&n.far, NULL, 0, "nc -z -w 60 10.1.0.1 9999"); /* refused: never suggested */
    expect(&n, "suggest", 0, "\n#inbound   tcp      9100         \"TODO: purpose\" from=10.1.0.2\n");
    expect(&n, "suggest | grep -c 9999", 1, "0\n");
    /*
     * The only rule that was used, by one client; the server is this test. Together with the policy the lines are a
     * valid policy.
     */
    expect(&n, "suggest", 0, "\n#only      in-tcp-445 from=10.1.0.2\n#only      in-tcp-445 owner=/");
    snprintf(path, sizeof(path), "%s/narrowed", n.dir);
    netns_run(&n.ns, "(cat %s/policy; " PROGRAM " policy suggest | sed 's/^#only/only/') >%s", n.dir, path);
    snprintf(command, sizeof(command), "check %s", path);
    expect(&n, command, 0, "");
    snprintf(command, sizeof(command), "diff %s/policy %s", n.dir, path);
    expect(&n, command, 3, "10.1.0.2");
    remove(path);
    expect(&n, "suggest", 0, "\n#disable   in-tcp-22\n");
    /* Another policy that allows one client by its address, and has no rule for the other. */
    snprintf(path, sizeof(path), "%s/other", n.dir);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("policy test/other\ninbound tcp 9100 monitoring from=10.1.0.0/30\n", file);
    fclose(file);
    snprintf(command, sizeof(command),
             "test %s --json | jq -r '.rows[] | \"\\(.port) \\(.initiator) \\(.old_verdict) \\(.new_verdict)\"'", path);
    expect(&n, command, 0, "445 null allowed unexpected\n9100 10.1.0.2 unexpected allowed\n");
    snprintf(command, sizeof(command), "test %s", path);
    expect(&n, command, 3, "in-tcp-9100");
    expect(&n, "test on-prem", 0, "0 of ");
    remove(path);
    site_detach(&n, SIGTERM);
    site_end(&n);
}

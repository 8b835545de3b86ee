/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings close, are acknowledged and open again, across reloads and the auditor's death. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "evelog.h"
#include "site.h"
#include "traffic.h"

#define PROGRAM QPW_BUILD "/qportwatch"
#define POLICY "policy site\ninbound tcp 22 ssh\n"

/* Run a command on the node; check its status and its first line. */
static void command(struct site *n, const char *words, int status, const char *says)
{
    char output[8192];

    cr_expect_eq(netns_output(&n->ns, output, sizeof(output), PROGRAM " %s", words), status, "%s: %s", words, output);
    cr_expect(strstr(output, says), "%s: '%s' is not in: %s", words, says, output);
}

/* Run policy edit with a command line as editor, and then type that input. */
static void edit(struct site *n, const char *editor, const char *typed, int status, const char *says)
{
    char output[8192];

    cr_expect_eq(netns_output(&n->ns, output, sizeof(output), "echo %s | EDITOR='%s' " PROGRAM " policy edit", typed, editor), status,
                 "%s: %s", editor, output);
    cr_expect(strstr(output, says), "%s: '%s' is not in: %s", editor, says, output);
}

/* Return the report's answer and the state of the finding of that initiator and port, as "CLEAN closed rule". */
static const char *state(struct site *n, const char *initiator, int port)
{
    static char text[128];
    json_t *report = site_report(n), *one;
    const char *of = "none", *by = "";
    size_t i;

    json_array_foreach(json_object_get(report, "findings"), i, one)
        if (json_integer_value(json_object_get(one, "port")) == port &&
            !strcmp(json_string_value(json_object_get(one, "initiator")), initiator)) {
            of = json_string_value(json_object_get(one, "state"));
            by = json_string_value(json_object_get(json_object_get(one, "closed"), "by"));
        }
    snprintf(text, sizeof(text), "%s, %s%s%s",
             json_string_value(json_object_get(json_object_get(report, "answer"), "state")), of, by ? " by " : "", by ? by : "");
    json_decref(report);
    return text;
}

struct wanted {
    struct site *site;
    const char *initiator, *text;
    int port;
};

static bool is_so(void *argument)
{
    struct wanted *w = argument;

    return !strcmp(state(w->site, w->initiator, w->port), w->text);
}

static void until(struct site *n, const char *initiator, int port, const char *text)
{
    struct wanted w = {n, initiator, text, port};

    cr_assert(netns_until(is_so, &w, NETNS_DEADLINE_MS), "'%s' in place of '%s'", state(n, initiator, port), text);
}

static void ask(struct site *n, const char *from, int port)
{
    traffic_tcp(&n->far, &(struct traffic_tcp){.address = "10.1.0.1", .local_address = from, .port = (uint16_t)port, .up = 10,
                                               .down = 10});
}

static void put_policy(struct site *n, const char *more)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/policy", n->dir);
    file = fopen(path, "w");
    cr_assert(file && fputs(POLICY, file) >= 0 && fputs(more, file) >= 0 && fclose(file) == 0);
}

Test(life, over_reloads_and_the_death_of_the_auditor, .timeout = NETNS_TIMEOUT_S)
{
    struct evelog log = {0};
    char path[128], text[8192];
    struct site n;

    site_make(&n);
    netns_run(&n.far, "ip addr add 10.1.7.2/24 dev far0 && ip addr add 10.1.7.3/24 dev far0");
    netns_run(&n.ns, "ip route add 10.1.7.0/24 dev node0");
    site_attach(&n, POLICY, "");
    snprintf(path, sizeof(path), "%s/eve.json", n.dir);
    traffic_serve_tcp(&n.ns, "10.1.0.1", 9100);
    traffic_serve_tcp(&n.ns, "10.1.0.1", 9200);
    ask(&n, "10.1.0.2", 9100);
    until(&n, "10.1.0.2", 9100, "ACTION NEEDED, open");
    command(&n, "report --fail-on high --since 1h >/dev/null", 3, "");

    /*
     * In an editor: an invalid policy is not installed, an accepted proposal closes the finding. Then restore the
     * policy.
     */
    edit(&n, "false", "", 1, "the editor (false) failed");
    netns_output(&n.ns, text, sizeof(text), "EDITOR='echo inbound tcp 80 web >>' " PROGRAM " policy edit 2>&1 </dev/null; echo $?");
    cr_expect(strstr(text, "not installed: nobody answered, as standard input is no terminal") && strstr(text, "\n1\n"), "%s", text);
    edit(&n, "echo nonsense >>", "x", 0, "What now? (e)dit again, e(x)it without saving");
    netns_output(&n.ns, text, sizeof(text), "cat %s/policy", n.dir);
    cr_expect_str_eq(text, POLICY, "a broken policy is not installed");
    edit(&n, "sed -i s/^#inbound/inbound/", "y", 0, "closed: 1 finding that the policy explains now");
    until(&n, "10.1.0.2", 9100, "CLEAN, closed by rule");
    netns_output(&n.ns, text, sizeof(text), "ls -A %s | grep -c edit", n.dir);
    cr_expect_str_eq(text, "0\n", "no copy is left");
    put_policy(&n, "");
    command(&n, "reload", 0, "open again: 1 finding");

    /*
     * A rule explains it: closed, and out of the headline; further traffic counts for the rule. Without the rule it is
     * open again.
     */
    put_policy(&n, "inbound tcp 9100 exporter name=exporter from=10.1.0.0/24\n");
    command(&n, "reload", 0, "closed: 1 finding that the policy explains now");
    ask(&n, "10.1.0.2", 9100);
    until(&n, "10.1.0.2", 9100, "CLEAN, closed by rule");
    command(&n, "report", 0, "by rule exporter at ");
    command(&n, "report --fail-on high --fail-on unexpected --since 1h >/dev/null", 0, "");
    command(&n, "policy suggest | grep -c 9100", 1, "0");
    EVELOG_UNTIL(path, .port = 9100, .kind = "closed");
    put_policy(&n, "");
    command(&n, "reload", 0, "open again: 1 finding");
    until(&n, "10.1.0.2", 9100, "ACTION NEEDED, open");
    EVELOG_UNTIL(path, .port = 9100, .kind = "reopened");

    /* Acknowledged, also under the next auditor; another prefix is a different matter. */
    command(&n, "ack in tcp/9100 --until 7d --reason known", 0, "acknowledged: 1 finding until ");
    until(&n, "10.1.0.2", 9100, "CLEAN, acknowledged");
    EVELOG_UNTIL(path, .port = 9100, .kind = "acknowledged");
    netns_stop(n.auditor, SIGKILL);
    site_attach(&n, POLICY, "");
    ask(&n, "10.1.0.2", 9100);
    until(&n, "10.1.0.2", 9100, "CLEAN, acknowledged");
    ask(&n, "10.1.7.2", 9100);
    until(&n, "10.1.7.2", 9100, "ACTION NEEDED, open");

    /* Naming an address acknowledges that one only. */
    ask(&n, "10.1.7.3", 9100);
    until(&n, "10.1.7.3", 9100, "ACTION NEEDED, open");
    command(&n, "ack in tcp/9100 10.1.7.2", 0, "acknowledged: 1 finding; open again if it gets worse or is of another program");
    until(&n, "10.1.7.2", 9100, "ACTION NEEDED, acknowledged");
    until(&n, "10.1.7.3", 9100, "ACTION NEEDED, open");
    command(&n, "ack --undo in tcp/9100 10.1.7.2", 0, "no longer acknowledged: 1 finding");
    until(&n, "10.1.7.2", 9100, "ACTION NEEDED, open");

    /* Muted by a file that the policy includes; a refused reload changes neither. */
    ask(&n, "10.1.0.2", 9200);
    until(&n, "10.1.0.2", 9200, "ACTION NEEDED, open");
    command(&n, "mute in tcp/9200 --reason quiet", 2, "--until is required");
    put_policy(&n, "inbound tcp 9100 exporter\n");
    command(&n, "mute in tcp/9200 --reason quiet --until 2d", 1, "have other changes that are not in force yet");
    put_policy(&n, "");
    command(&n, "mute in tcp/9200 --reason quiet --until 2d", 0, "muted: 1 finding");
    until(&n, "10.1.0.2", 9200, "ACTION NEEDED, acknowledged");
    netns_output(&n.ns, text, sizeof(text), "cat %s/policy %s/policy.muted", n.dir, n.dir);
    cr_expect(strstr(text, "include   \"policy.muted\"\n") && strstr(text, "tcp 9200 from=10.1.0.2 outcome=answered until="),
              "%s", text);
    netns_output(&n.ns, text, sizeof(text), "chmod 666 %s/policy.muted", n.dir);
    command(&n, "reload", 0, "/policy.muted: others than root can change it (owner 0, group 0, mode 0666)");
    command(&n, "mute in tcp/9100 --reason quiet --until 2d", 0, "muted: 3 findings");
    until(&n, "10.1.7.2", 9100, "CLEAN, acknowledged");
    command(&n, "ack --undo in tcp/9100", 0, "no longer acknowledged: 3 findings");
    until(&n, "10.1.7.2", 9100, "ACTION NEEDED, open");
    netns_stop(n.auditor, SIGKILL);
    command(&n, "ack in tcp/9100", 0, "acknowledged: 3 findings"); /* without a question, as there is no terminal */
    site_attach(&n, "policy site\ninbound tcp 22 ssh\ninclude \"policy.muted\"\n", "");
    until(&n, "10.1.7.2", 9100, "CLEAN, acknowledged");
    site_detach(&n, SIGTERM);
    evelog_add(&log, path);
    evelog_assert_sound(&log);
    cr_expect_eq(EVELOG_COUNT(&log, .port = 9100, .source = "10.1.0.2", .kind = "first"), 1);
    cr_expect_eq(EVELOG_COUNT(&log, .port = 9100, .source = "10.1.0.2", .kind = "closed"), 2);
    cr_expect_eq(EVELOG_COUNT(&log, .port = 9100, .source = "10.1.0.2", .kind = "reopened"), 3, "the last one in spite of the mute");
    cr_expect_eq(EVELOG_COUNT(&log, .port = 9100, .source = "10.1.0.2", .kind = "acknowledged"), 1, "once, over the restart");
    evelog_clear(&log);
    site_end(&n);
}

/* Let a program with a name unique to this test connect to a port of the far end. */
static void reach(struct site *n, const char *program, int port, const char *signature)
{
    char path[128], output[256];

    netns_output(&n->ns, output, sizeof(output), "cp -n /usr/bin/ncat %s/%s && %s/%s -z 10.1.0.2 %d", n->dir, program, n->dir,
                 program, port); /* the whole path, because for an ended process only that is known */
    snprintf(path, sizeof(path), "%s/eve.json", n->dir);
    EVELOG_UNTIL(path, .name = signature, .port = (unsigned)port);
}

/* Check the severity in the report's document, in the view's, and in the newest record of the alert log. */
static void assert_severity(struct site *n, int port, const char *severity, int number)
{
    struct evelog log = {0};
    char output[65536], path[128], wanted[128];
    json_t *report = site_report(n), *one = site_finding(report, "outbound", "tcp", port);

    cr_assert(one, "no finding of port %d", port);
    cr_expect_str_eq(json_string_value(json_object_get(one, "severity")), severity);
    cr_expect_eq(json_is_true(json_object_get(one, "new_program")), number == 1);
    json_decref(report);
    netns_output(&n->ns, output, sizeof(output), PROGRAM " top --once --tab unexpected --filter port:%d", port);
    snprintf(wanted, sizeof(wanted), "\n%s", severity);
    cr_expect(strstr(output, wanted), "'%s' is not in: %s", severity, output);
    snprintf(path, sizeof(path), "%s/eve.json", n->dir);
    evelog_add(&log, path);
    cr_expect_eq(json_integer_value(json_object_get(json_object_get(evelog_last(&log, &(struct evelog_filter){.port = (unsigned)port}),
                                                                    "alert"), "severity")), number);
    evelog_clear(&log);
}

Test(life, the_first_outbound_exchange_of_a_program_is_high_in_every_face, .timeout = NETNS_TIMEOUT_S)
{
    struct site n;

    site_make(&n);
    site_attach(&n, POLICY, "");
    for (uint16_t port = 8443; port < 8446; port++)
        traffic_serve_tcp(&n.far, "10.1.0.2", port);
    reach(&n, "alpha", 8443, "outbound-answered-new");
    assert_severity(&n, 8443, "high", 1);
    command(&n, "report --fail-on high >/dev/null", 3, "1 high finding");
    command(&n, "status --json | grep -c '\"severity\": \"high\"'", 0, "1\n");
    reach(&n, "alpha", 8444, "outbound-answered");
    assert_severity(&n, 8444, "medium", 2);
    reach(&n, "beta", 8999, "outbound-refused"); /* a refused attempt does not make it a known program */
    reach(&n, "beta", 8445, "outbound-answered-new");
    assert_severity(&n, 8445, "high", 1);

    /* With any auditor, and after another attachment according to the log. */
    netns_stop(n.auditor, SIGKILL);
    site_attach(&n, POLICY, "");
    assert_severity(&n, 8443, "high", 1);
    assert_severity(&n, 8444, "medium", 2);
    site_detach(&n, SIGTERM);
    site_attach(&n, POLICY, "");
    reach(&n, "alpha", 8445, "outbound-answered");
    assert_severity(&n, 8445, "medium", 2);
    site_detach(&n, SIGTERM);
    site_end(&n);
}

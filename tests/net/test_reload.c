/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* reload: its changes, the effect of an invalid file, with and without an auditor. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auditor.h"
#include "evelog.h"

TestSuite(reload, .timeout = NETNS_TIMEOUT_S);

static const char narrow[] = "policy test/narrow\ninbound tcp 445 SMB\n";
static const char wide[] = "policy test/wide\ninbound tcp 445 SMB\ninbound tcp 8080 \"a test\" name=web\n";
static const char bad[] = "policy test/bad\ninbound tcp 99999 nonsense\n";

Test(reload, good_and_bad)
{
    struct node n;
    char path[128], text[2048];
    json_t *status;

    node_open(&n);
    node_write(&n, "policy", narrow, path, sizeof(path));
    node_attach(&n, "node0 --policy %s", path);
    netns_output(&n.client, NULL, 0, "nc -z -w 60 10.7.0.1 8080");
    node_until_number(&n, "totals.unexpected", 1);

    node_write(&n, "policy", bad, path, sizeof(path));
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload"), 2);
    cr_expect(strstr(text, "policy:2:13"), "FILE:LINE:COLUMN: %s", text);
    status = node_status(&n, NULL);
    cr_expect_str_eq(node_text(status, "policy.name"), "test/narrow", "nothing was changed");
    cr_expect_str_eq(node_text(status, "policy.file_state"), "unreadable");
    cr_expect_eq(node_coverage(status, "reload-failed"), 1);
    json_decref(status);
    cr_expect_eq(node_command(&n, text, sizeof(text), "policy diff"), 2);
    cr_expect(strstr(text, "policy:2:13"), "so does the comparison with the files: %s", text);

    node_write(&n, "policy", wide, path, sizeof(path));
    status = node_status(&n, NULL);
    cr_expect_str_eq(node_text(status, "policy.file_state"), "changed");
    json_decref(status);
    cr_expect_eq(node_command(&n, text, sizeof(text), "policy diff"), 3, "not in force yet: %s", text);
    cr_expect(strstr(text, "now allowed: inbound tcp 8080"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload"), 0, "%s", text);
    cr_expect(strstr(text, "now allowed: inbound tcp 8080"), "the difference in words: %s", text);
    status = node_status(&n, NULL);
    cr_expect_str_eq(node_text(status, "policy.name"), "test/wide");
    cr_expect_str_eq(node_text(status, "policy.file_state"), "current");
    cr_expect_eq(node_coverage(status, "reloaded"), 1);
    cr_expect_eq(node_number(status, "totals.by_verdict.allowed"), 0);
    cr_expect_eq(node_command(&n, text, sizeof(text), "policy diff"), 0, "all of it is in force: %s", text);
    json_decref(status);
    netns_output(&n.client, NULL, 0, "nc -z -w 60 10.7.0.1 8080");
    node_until_number(&n, "totals.by_verdict.allowed", 2);
    node_stop(&n, SIGTERM);
    netns_output(&n.node, text, sizeof(text), "grep -A1 'test/wide' %s", n.log); /* the console has these lines, too */
    cr_expect(strstr(text, "is in force\n  now allowed: inbound tcp 8080"), "%s", text);
    node_nothing_left(&n);
    node_close(&n);
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
        n++;
    return n;
}

/* Count a last line that gives the number left out. Returns 1 if there is one. */
static int left_out(const char *text, unsigned *ret)
{
    const char *last = strstr(text, "\n  and ");
    unsigned thousands, rest;
    int found = last ? sscanf(last, "\n  and %u,%u more; 'qportwatch policy diff", &thousands, &rest) : 0;

    if (found == 2)
        *ret = 1000 * thousands + rest;
    return found == 2 ? 1 : sscanf(last ? last : "-", "\n  and %u more; 'qportwatch policy diff", ret);
}

/* More changes than fit into a reply or an alert: each gives the number it leaves out. */
Test(reload, what_is_left_out_is_counted)
{
    enum { ROWS = 2000 };
    static char text[131072];
    char path[128], log[96];
    unsigned more = 0;
    struct node n;
    size_t used;

    node_open(&n);
    snprintf(log, sizeof(log), "%s/eve.json", n.folder);
    node_write(&n, "policy", narrow, path, sizeof(path));
    node_attach(&n, "node0 --policy %s --alerts %s", path, log);
    used = (size_t)snprintf(text, sizeof(text), "%s", narrow);
    for (int i = 0; i < ROWS; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "inbound tcp %d \"row number %d of many\"\n",
                                 10000 + 2 * i, i);
    node_write(&n, "policy", text, path, sizeof(path));
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload"), 0);
    cr_expect_eq(left_out(text, &more), 1);
    cr_expect_gt(more, 0u);
    cr_expect_eq(count(text, "\n  now allowed: inbound tcp 1"), ROWS - more, "%u shown",
                 count(text, "\n  now allowed: inbound tcp 1"));
    netns_until_file(log, "\"module\":\"reloaded\"", NETNS_DEADLINE_MS);
    for (int i = 0; i < 2; i++) {
        netns_output(&n.node, text, sizeof(text), "jq -r 'select(.engine.module == \"reloaded\") | %s' %s",
                     i ? ".metadata.flowvars[].changes // empty" : ".engine.message", log);
        cr_expect_eq(left_out(text, &more), 1, "%s", text);
        cr_expect_eq(count(text, "\n  now allowed: inbound tcp 1"), ROWS - more, "%s", text);
    }
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

Test(reload, by_signal)
{
    struct node n;
    char path[128];

    node_open(&n);
    node_write(&n, "policy", narrow, path, sizeof(path));
    node_attach(&n, "node0 --policy %s", path);
    node_write(&n, "policy", wide, path, sizeof(path));
    cr_assert_eq(kill(n.auditor, SIGUSR2), 0);
    node_until_text(&n, "policy.name", "test/wide");
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

Test(reload, without_an_auditor)
{
    struct node n;
    char path[128], eve[128], text[2048];
    struct evelog log = {0};
    const json_t *r;
    json_t *status;
    int code;

    node_open(&n);
    node_write(&n, "policy", narrow, path, sizeof(path));
    node_attach(&n, "node0 --policy %s", path);
    node_stop(&n, SIGKILL);
    node_write(&n, "policy", wide, path, sizeof(path));
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload"), 0, "%s", text);
    cr_expect(strstr(text, "\n  now in force: web: inbound tcp 8080 "), "%s", text);
    cr_expect(strstr(text, "\n  compared by rules and names of peers only, because no auditor "), "said: %s", text);
    status = node_status(&n, &code);
    cr_expect_str_eq(node_text(status, "policy.name"), "test/wide");
    cr_expect_eq(code, 3, "still no auditor");
    json_decref(status);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder); /* the next auditor's log has it, with the user */
    node_attach(&n, "node0 --alerts %s", eve);
    EVELOG_UNTIL(eve, .name = "reloaded-alone");
    evelog_add(&log, eve);
    r = evelog_last(&log, &(struct evelog_filter){.name = "reloaded-alone"});
    cr_expect(strstr(evelog_fact(r, "by"), ": " QPW_BUILD "/qportwatch reload"), "%s", evelog_fact(r, "by"));
    evelog_clear(&log);
    node_command(&n, NULL, 0, "detach");
    netns_wait(n.auditor, NETNS_DEADLINE_MS);
    n.auditor = 0;
    node_nothing_left(&n);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload"), 1);
    cr_expect(strstr(text, "not attached in this network namespace"), "%s", text);
    node_close(&n);
}

/* Another file than at the start, for this reload and later ones. */
Test(reload, to_another_file)
{
    struct node n;
    char first[128], second[128], text[2048];

    node_open(&n);
    node_write(&n, "first", narrow, first, sizeof(first));
    node_write(&n, "second", wide, second, sizeof(second));
    node_attach(&n, "node0 --policy %s", first);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload --policy %s", second), 0, "%s", text);
    node_until_text(&n, "policy.path", second);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload --policy %s/none", n.folder), 2, "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload"), 0, "the second again: %s", text);
    node_until_text(&n, "policy.name", "test/wide");
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

/* Options of one kind keep those of the other: the policy, or the peers. With and without an auditor. */
Test(reload, what_is_not_given_stays)
{
    struct node n;
    char first[128], second[128], nobody[128], text[2048];

    node_open(&n);
    node_write(&n, "nobody", "", nobody, sizeof(nobody));
    node_write(&n, "first", narrow, first, sizeof(first));
    node_write(&n, "second", wide, second, sizeof(second));
    node_attach(&n, "node0 --policy %s --peer node2=10.1.0.12", first);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload --peer node3=10.1.0.13"), 0, "%s", text);
    cr_expect(strstr(text, first) && strstr(text, "\n  peer added: node3: 10.1.0.13"), "%s", text);
    cr_expect(strstr(text, "\n  peer removed: node2"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload --policy %s", second), 0, "%s", text);
    cr_expect(strstr(text, second) && !strstr(text, "peer"), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload --policy %s/none --peers %s", n.folder, nobody), 2);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload"), 0, "%s", text);
    cr_expect(strstr(text, second) && strstr(text, "\n  no effective change"), "%s", text);
    node_stop(&n, SIGKILL);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload --peers %s", nobody), 0, "%s", text);
    cr_expect(strstr(text, second) && strstr(text, "\n  no longer a peer: node3"), "%s", text);
    node_command(&n, NULL, 0, "detach");
    node_nothing_left(&n);
    node_close(&n);
}

/* Attach with a line that ends in that many seconds. False: it ended before the auditor was up. */
static bool attach_until(struct node *n, int seconds)
{
    time_t soon = time(NULL) + seconds;
    char path[128], text[256], until[32];
    json_t *status;
    bool in_force;
    struct tm tm;

    gmtime_r(&soon, &tm);
    strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(text, sizeof(text), "policy test/until\ninbound tcp 8080 test until=%s\n", until);
    node_write(n, "policy", text, path, sizeof(path));
    if (node_command(n, NULL, 0, "policy check --policy %s", path) == 2)
        cr_skip_test("until= takes days only");
    node_attach(n, "node0 --policy %s", path);
    status = node_status(n, NULL);
    in_force = json_array_size(node_value(status, "exceptions")) == 1;
    json_decref(status);
    return in_force;
}

/* A line expires without any action. */
Test(reload, an_expired_line_stops_matching)
{
    struct node n;

    node_open(&n);
    for (int seconds = 4; !attach_until(&n, seconds); seconds *= 2) {
        cr_assert_lt(seconds, 256, "the auditor does not come up");
        node_stop(&n, SIGTERM);
    }
    netns_until_file(n.log, "has expired", NETNS_DEADLINE_MS);
    netns_output(&n.client, NULL, 0, "nc -z -w 60 10.7.0.1 8080");
    node_until_number(&n, "totals.unexpected", 1);
    node_stop(&n, SIGTERM);
    node_close(&n);
}

/* Only rules that expire or were agreed on locally are exceptions, not the vendor's. */
Test(reload, exceptions_in_force)
{
    struct node n;
    char path[128];
    json_t *status;

    node_open(&n);
    node_write(&n, "policy", "policy test/exceptions\ninclude on-prem\n"
               "inbound tcp 10000 NDMP until=2099-03-01 ref=CHG-1\ninbound tcp 9100 metrics ref=CHG-2\n"
               "inbound tcp 9101 \"no exception\"\n", path, sizeof(path));
    node_attach(&n, "node0 --policy %s", path);
    status = node_status(&n, NULL);
    cr_assert_eq(json_array_size(node_value(status, "exceptions")), 2);
    cr_expect_str_eq(node_text(status, "exceptions.0.name"), "in-tcp-10000");
    cr_expect_str_eq(node_text(status, "exceptions.0.until"), "2099-03-02T00:00:00.000000Z", "the day itself included");
    cr_expect_str_eq(node_text(status, "exceptions.1.name"), "in-tcp-9100");
    cr_expect(json_is_null(node_value(status, "exceptions.1.until")));
    json_decref(status);
    node_stop(&n, SIGTERM);
    node_close(&n);
}

/* Exceptions are those in force: editing or losing the file does not change them, a reload does. */
Test(reload, exceptions_are_those_in_force_and_not_those_of_the_file)
{
    struct node n;
    char path[128], text[8192];
    json_t *status;

    node_open(&n);
    node_write(&n, "policy", "policy test/before\ninclude on-prem\ninbound tcp 10000 NDMP ref=CHG-1\n"
               "suppress inbound tcp any from=10.9.9.9 until=2099-01-31 reason=\"own scanner\"\n", path, sizeof(path));
    node_attach(&n, "node0 --policy %s", path);
    node_write(&n, "policy", "policy test/after\ninclude on-prem\ninbound tcp 9100 metrics ref=CHG-2\n", path,
               sizeof(path));
    status = node_status(&n, NULL);
    cr_expect_str_eq(node_text(status, "policy.file_state"), "changed");
    cr_assert_eq(json_array_size(node_value(status, "exceptions")), 2);
    cr_expect_str_eq(node_text(status, "exceptions.0.name"), "in-tcp-10000");
    cr_expect_str_eq(node_text(status, "exceptions.1.kind"), "suppression");
    json_decref(status);
    netns_run(&n.node, "rm %s", path);
    node_command(&n, text, sizeof(text), "status");
    cr_expect(strstr(text, "inbound tcp 10000 NDMP ref=CHG-1 (no expiry date)"), "%s", text);
    cr_expect(strstr(text, "loaded; the file cannot be"), "%s", text);
    node_write(&n, "policy", "policy test/after\ninclude on-prem\ninbound tcp 9100 metrics ref=CHG-2\n", path,
               sizeof(path));
    cr_assert_eq(node_command(&n, text, sizeof(text), "reload"), 0, "%s", text);
    status = node_status(&n, NULL);
    cr_assert_eq(json_array_size(node_value(status, "exceptions")), 1);
    cr_expect_str_eq(node_text(status, "exceptions.0.name"), "in-tcp-9100");
    json_decref(status);
    node_stop(&n, SIGTERM);
    node_close(&n);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Wrong command lines: exit status 2 and one line that names the error and the remedy. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "netns.h"

#define PROGRAM QPW_BUILD "/qportwatch"
#define HELP(command) "'qportwatch " command " --help' lists the options\n"
#define NONE_TAKEN(command) ": 'x': only options are taken here; 'qportwatch " command " --help' lists them\n"

TestSuite(usage, .timeout = NETNS_TIMEOUT_S);

/* The command line, and the complete standard error after "qportwatch ". Standard output stays empty. */
static const struct {
    const char *arguments;
    const char *error;
} wrong[] = {
    {"", ": missing command ('qportwatch --help' lists the commands)\n"},
    {"bogus", ": unknown command 'bogus'; 'qportwatch --help' lists the commands\n"},
    {"--bogus", ": unknown option '--bogus'; 'qportwatch --help' lists the commands\n"},
    {"policy", " policy: missing command ('qportwatch policy --help' lists the commands)\n"},
    {"policy bogus", " policy: unknown command 'bogus'; 'qportwatch policy --help' lists the commands\n"},
    {"attach", " attach: missing interface argument ('ip -br link' lists the interfaces; 'auto' finds them)\n"},
    {"attach lo --mode", " attach: --mode: its value is missing: --mode=auto|xdp|tc\n"},
    {"attach lo --m=1", " attach: --m: more than one option begins so; " HELP("attach")},
    {"attach lo --keep=1", " attach: --keep=1: --keep takes no value\n"},
    {"attach lo -q", " attach: -q: unknown option; " HELP("attach")},
    {"attach lo --mode=fast", " attach: --mode fast: not one of auto, xdp, tc\n"},
    {"attach lo --interval 0", " attach: --interval 0: not a number of seconds from 1 to 31536000\n"},
    {"attach lo --udp-timeout=-1", " attach: --udp-timeout -1: not a number of seconds from 1 to 31536000\n"},
    {"attach lo --cluster ''", " attach: --cluster: it is empty; leave it out for the default\n"},
    {"attach lo --sensor-name ''", " attach: --sensor-name: it is empty; leave it out for the host's name\n"},
    {"attach lo --max-connections 1023", " attach: --max-connections 1023: not a number from 1024 to 4194304\n"},
    {"replay --max-connections 4194305 --local ::1 x",
     " replay: --max-connections 4194305: not a number from 1024 to 4194304\n"},
    {"replay", " replay: missing capture argument; name pcap or pcapng files, or - for standard input\n"},
    {"ack", " ack: which finding? give a flow_id, or DIRECTION SERVICE|any [INITIATOR [RESPONDER]] as in 'in tcp/9100 10.0.0.5'\n"},
    {"ack in tcp/1 --until yesterday",
     " ack: --until yesterday: not a time to come; use 12h, 7d, 4w, or 2027-01-31[T12:00[:00Z]] in UTC\n"},
    {"ack in tcp/1 --undo --reason x", " ack: --undo takes an acknowledgement back; it has no --until and no --reason\n"},
    {"mute in tcp/1", " mute: --reason is required: it is written into the policy\n"},
    {"mute in tcp/1 --reason 'a\nb'", " mute: --reason: the reason is not one line of text\n"},
    {"replay x", " replay: --local: which address is the node? give --local ADDR, or --local auto\n"},
    {"config show --config /nonexistent", " config show: /nonexistent: cannot be opened: No such file or directory\n"},
    {"attach lo --config /nonexistent", " attach: /nonexistent: cannot be opened: No such file or directory\n"},
    {"replay x --local ::1 --connections --format html", " replay: --connections are JSON lines, not html\n"},
    {"replay x -i", " replay: --interface: its value is missing: --interface=NAME|NUMBER\n"},
    {"reload x", " reload" NONE_TAKEN("reload")},
    {"status x", " status" NONE_TAKEN("status")},
    {"top x", " top" NONE_TAKEN("top")},
    {"cluster", " cluster: missing command ('qportwatch cluster --help' lists the commands)\n"},
    {"cluster comapre", " cluster: unknown command 'comapre'; did you mean 'compare'?\n"},
    {"cluster status x", " cluster status" NONE_TAKEN("cluster status")},
    {"cluster stauts", " cluster: unknown command 'stauts'; did you mean 'status'?\n"},
    {"cluster status --cluster ''", " cluster status: --cluster: it is empty; leave it out for the default\n"},
    {"cluster status --format html", " cluster status: --format html: not one of text, json\n"},
    {"cluster report x", " cluster report" NONE_TAKEN("cluster report")},
    {"cluster report --format htlm", " cluster report: --format htlm: not one of text, json, html; did you mean 'html'?\n"},
    {"cluster report --cluster ''", " cluster report: --cluster: it is empty; leave it out for the default\n"},
    {"cluster key x", " cluster key" NONE_TAKEN("cluster key")},
    {"cluster key --name 'a b'", " cluster key: --name: 'a b' is not a name: lower-case letters, digits and . _ + -, at most 47 characters\n"},
    {"cluster key --name ''", " cluster key: --name: '' is not a name: lower-case letters, digits and . _ + -, at most 47 characters\n"},
    {"cluster key --keys ''", " cluster key: --keys: it is empty; leave it out for the default\n"},
    {"serve x", " serve" NONE_TAKEN("serve")},
    {"serve --port 0", " serve: --port 0: not a port from 1 to 65535\n"},
    {"serve --listen node1", " serve: --listen: 'node1' is not an IP address\n"},
    {"serve --listen ''", " serve: --listen: '' is not an IP address\n"},
    {"serve --keys ''", " serve: --keys: it is empty; leave it out for the default\n"},
    {"serve --state ''", " serve: --state: it is empty; leave it out for the default\n"},
    {"serve --policy ''", " serve: --policy: it is empty; leave it out for the default\n"},
    {"serve --policy /nonexistent", " serve: /nonexistent: cannot be opened: No such file or directory\n"},
    {"serve --policy /tmp", " serve: /tmp: is a directory, not a regular file\n"},
    {"cluster compare", " cluster compare: missing statement argument; 'qportwatch statement --samples' on each node writes one\n"},
    {"cluster compare /nonexistent", " cluster compare: /nonexistent: cannot be opened: No such file or directory\n"},
    {"cluster compare --format yaml x", " cluster compare: --format yaml: not one of text, json\n"},
    {"cluster compare /dev/null", " cluster compare: /dev/null: is empty\n"},
    {"cluster compare /tmp", " cluster compare: /tmp: is a directory, neither a file nor a pipe\n"},
    {"statement x", " statement" NONE_TAKEN("statement")},
    {"statement --sample=1", " statement: --sample=1: --samples takes no value\n"},
    {"report x", " report" NONE_TAKEN("report")},
    {"alerts -f x", " alerts: files are read as they are: -f does not go with them\n"},
    {"bench x", " bench" NONE_TAKEN("bench")},
    {"report 'a\nb'", " report: 'a?b': only options are taken here; 'qportwatch report --help' lists them\n"},
    {"report --evidence x --json", " report: --evidence DIR has all formats: -o, --format and --all do not go with it\n"},
    {"alerts --verify --anonymize x", " alerts: --verify is about the log as it stands: --anonymize does not go with it\n"},
    {"report --alerts x", " report: --alerts goes with --evidence only\n"},
    {"alerts --peers x", " alerts: --peers goes with --verify only\n"},
    {"alerts --verify --peers /dev/null", " alerts: /dev/null: holds neither heads nor events\n"},
    {"alerts --head 1:00", " alerts: --head goes with --verify only\n"},
    {"report --format yaml", " report: --format yaml: not one of text, json, html\n"},
    {"report --fail-on bad",
     " report: --fail-on bad: not one of high, medium, answered, new, blind, a verdict (unexpected, weak, undecided, …), gap or "
     "undecided=PERCENT\n"},
    {"report --fail-on transit --since 1h",
     " report: --fail-on transit with --since: such packets are counted since attaching, without a time\n"},
    {"replay --mode auto --local ::1 x", " replay: --mode auto: not one of xdp, tc\n"},
    {"replay --mtu 67 --local ::1 x", " replay: --mtu 67: not a number of bytes from 68 to 16777216\n"},
    {"bench --rounds 0", " bench: --rounds 0: not a number from 1 to 200\n"},
    {"policy export --format xml", " policy export: --format xml: not one of nft, json, csv\n"},
    {"report --hosts /nonexistent", " report: --hosts: /nonexistent: No such file or directory\n"},
    {"bench --cases knwon-tcp", " bench: --cases knwon-tcp: no such case; did you mean 'known-tcp'?\n"},
    {"top --sort sevv", " top: --sort sevv: tab Unexpected has no such column; did you mean 'sev'?\n"},
    {"top --filter verdict:unexpcted", " top: --filter: verdict:unexpcted: no such verdict; it is one of transit, peer, undecided, "
                                       "allowed, weak, infra, implied, unexpected, mismatch; did you mean 'unexpected'?\n"},
    {"ack inbuond tcp/22", " ack: 'inbuond' is not a direction (in, out, unknown); did you mean 'inbound'? Give a flow_id, or "
                           "DIRECTION SERVICE|any [INITIATOR [RESPONDER]] as in 'in tcp/9100 10.0.0.5'\n"},
    {"repotr", ": unknown command 'repotr'; did you mean 'report'?\n"},
    {"policy sugest", " policy: unknown command 'sugest'; did you mean 'suggest'?\n"},
    {"report --sicne 1h", " report: --sicne: unknown option; did you mean '--since'?\n"},
    {"report --format jsno", " report: --format jsno: not one of text, json, html; did you mean 'json'?\n"},
    {"policy show --platform on-perm", " policy show: platform 'on-perm': no such built-in policy; use on-prem, aws, azure or "
                                       "cnq-gcp; did you mean 'on-prem'?\n"},
    {"alerts --severity bad", " alerts: --severity bad: not one of high, medium, low, info\n"},
    {"policy show on-perm", " policy show: on-perm: no such file or built-in policy; did you mean 'on-prem'?\n"},
    {"alerts --severity hgih", " alerts: --severity hgih: not one of high, medium, low, info; did you mean 'high'?\n"},
    {"alerts --direction inbuond", " alerts: --direction inbuond: not one of inbound, outbound, unknown, transit, undecodable, non_ip; "
                                   "did you mean 'inbound'?\n"},
    {"report --fail-on hihg", " report: --fail-on hihg: not one of high, medium, answered, new, blind, a verdict (unexpected, weak, "
                              "undecided, …), gap or undecided=PERCENT; did you mean 'high'?\n"},
    {"top --tab lisetners", " top: --tab lisetners: not one of unexpected, ports, peers, policy, coverage, connections, listeners, cluster; "
                            "did you mean 'listeners'?\n"},
    {"ack in tcp/1 --reason=", " ack: --reason: it is empty; leave it out for none\n"},
    {"attach --mode tcc lo", " attach: --mode tcc: not one of auto, xdp, tc; did you mean 'tc'?\n"},
    {"ack inn tcp/1", " ack: 'inn' is not a direction (in, out, unknown); did you mean 'in'? Give a flow_id, or "
                      "DIRECTION SERVICE|any [INITIATOR [RESPONDER]] as in 'in tcp/9100 10.0.0.5'\n"},
    {"ack in any", " ack: 'any' needs the address of the INITIATOR; give a flow_id, or "
                   "DIRECTION SERVICE|any [INITIATOR [RESPONDER]] as in 'in tcp/9100 10.0.0.5'\n"},
    {"ack in tpc/9100", " ack: 'tpc/9100' is not a service such as tcp/9100, icmp/8 or ip/47; did you mean 'tcp/9100'? Give a flow_id, or "
                        "DIRECTION SERVICE|any [INITIATOR [RESPONDER]] as in 'in tcp/9100 10.0.0.5'\n"},
    {"alerts --format yaml", " alerts: --format yaml: not one of text, json\n"},
    {"alerts --port 65536", " alerts: --port 65536: not a number from 1 to 65535\n"},
    {"history por tcp/1", " history: por: not one of port, host, new\n"},
    {"history port", " history: port: missing port, as tcp/4444\n"},
    {"history port tpc/1", " history: tpc/1: not a port, as tcp/4444 or 4444 is\n"},
    {"history host node1", " history: node1: not an address\n"},
    {"history new x", " history: x: 'new' takes no argument\n"},
    {"history host 10.0.0.1 --by day", " history: --by with 'host': it lists no times\n"},
    {"history --since x", " history: --since x: not a time; use 2026-03-01T10:00:00Z, or an age such as 15m, 2h, 7d\n"},
    {"history --since 1d --until 2d", " history: --until 2d: lies before --since\n"},
    {"history --by week", " history: --by week: not one of hour, day, month\n"},
    {"attach lo --history=", " attach: --history: it is empty; leave it out for the default, or give --no-history\n"},
    {"policy unused --since x", " policy unused: --since x: not a time; use 2026-03-01T10:00:00Z, or an age such as 15m, 2h, 7d\n"},
    {"policy log --since 1d", " policy log: it lists all policies: --since and --until have no meaning\n"},
    {"policy test --without smb file", " policy test: --without with a policy or a capture: it is about the policy in force and the history alone\n"},
    {"policy diff @x @1", " policy diff: @x: not the number of a policy; 'qportwatch policy log' lists them\n"},
    {"policy test", " policy test: missing policy argument\n"},
    {"policy diff aws", " policy diff: two policies are needed, OLD and NEW\n"},
    {"policy import", " policy import: missing page argument\n"},
    {"policy check --policy a --policy b", " policy check: --policy is given twice: 'a' and 'b'\n"},
    {"policy show aws azure", " policy show: one policy only: 'azure' is one more\n"},
    {"policy check aws azure", " policy check: one policy at a time\n"},
};

Test(usage, one_line_and_status_2)
{
    static char output[8192], line[512];
    struct netns here;

    netns_need_root();
    here = netns_here();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        snprintf(line, sizeof(line), "qportwatch%s", wrong[i].error);
        cr_expect(eq(int, netns_output(&here, output, sizeof(output), PROGRAM " %s", wrong[i].arguments), 2));
        cr_expect(eq(str, output, line), "%s", wrong[i].arguments);
        netns_output(&here, output, sizeof(output), PROGRAM " %s 2>/dev/null", wrong[i].arguments);
        cr_expect(eq(str, output, ""), "%s", wrong[i].arguments);
    }
    netns_close(&here);
}

/* Expect each letter to stand for the same option in the help of all commands. */
static void learn_letters(const char *command, const char *help)
{
    static char known[128][32];

    for (const char *at = help; (at = strstr(at, "\n  -")); at += 4) {
        char letter = at[4], name[32];

        if (sscanf(at, " -%*c, --%31[a-z-]", name) != 1)
            continue;
        if (known[(int)letter][0])
            cr_expect(eq(str, known[(int)letter], name), "%s: -%c", command, letter);
        else
            strcpy(known[(int)letter], name);
    }
}

/* Every command refuses unknown options, and explains itself on standard output, requested in any usual way. */
Test(usage, every_command)
{
    static const char *const commands[] = {
        "attach", "detach", "reload", "status", "top", "report", "listeners", "connections", "alerts", "ack", "mute", "replay", "bench",
        "statement", "cluster compare", "cluster status", "cluster report", "cluster key", "serve", "policy show", "policy check", "policy import", "policy diff", "policy suggest", "policy test", "policy edit", "policy export"};
    static const char *const asked[] = {"--help", "-h", "-?"};
    static char output[16384], line[512], begin[128];
    struct netns here;

    netns_need_root();
    here = netns_here();
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        snprintf(line, sizeof(line), "qportwatch %s: --bogus: unknown option; 'qportwatch %s --help' lists the "
                                     "options\n",
                 commands[i], commands[i]);
        cr_expect(eq(int, netns_output(&here, output, sizeof(output), PROGRAM " %s --bogus", commands[i]), 2));
        cr_expect(eq(str, output, line));
        snprintf(begin, sizeof(begin), "Usage: qportwatch %s", commands[i]);
        for (size_t j = 0; j < sizeof(asked) / sizeof(*asked); j++) {
            cr_expect(eq(int, netns_output(&here, output, sizeof(output), PROGRAM " %s '%s' 2>/dev/null", commands[i],
                                           asked[j]), 0));
            cr_expect(strncmp(output, begin, strlen(begin)) == 0, "%s %s: %s", commands[i], asked[j], output);
        }
        learn_letters(commands[i], output);
    }
    netns_close(&here);
}

/* If an answer, even a "yes", cannot be written, or there is nowhere to write it, that is reported and is a failure. */
Test(usage, output_that_cannot_be_written)
{
    static const char *const answers[] = {"policy show",         "policy show --json", "policy export",
                                          "policy export --json", "policy check",      "policy check --json",
                                          "policy diff on-prem aws", "policy diff on-prem aws --json",
                                          "alerts --signatures", "alerts --signatures --json",
                                          "--help",              "--version",
                                          "report --help",       "policy --help",     "policy show --help"};
    static const struct {
        const char *place, *why;
    } places[] = {{">/dev/full", "No space left on device"}, {">&-", "Bad file descriptor"}};
    static char output[8192], line[256];
    struct netns here;

    netns_need_root();
    here = netns_here();
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
        for (size_t j = 0; j < sizeof(places) / sizeof(*places); j++) {
            int word = *answers[i] == '-' ? 0 : (int)strcspn(answers[i], " ");

            snprintf(line, sizeof(line), "qportwatch%s%.*s: standard output cannot be written: %s\n", word ? " " : "",
                     word, answers[i], places[j].why);
            cr_expect(eq(int, netns_output(&here, output, sizeof(output), PROGRAM " %s 2>&1 %s", answers[i],
                                           places[j].place), 1));
            cr_expect(eq(str, output, line), "%s %s", answers[i], places[j].place);
        }
    netns_close(&here);
}

/* A line break in a name on the command line does not break the one-line error. */
Test(usage, line_breaks_in_names)
{
    static char output[1024];
    struct netns here;

    netns_need_root();
    here = netns_here();
    cr_expect(eq(int, netns_output(&here, output, sizeof(output), PROGRAM " policy show '/nowhere/a\nb'"), 2));
    cr_expect(eq(str, output, "qportwatch policy show: /nowhere/a?b: cannot be opened: No such file or directory\n"));
    netns_close(&here);
}

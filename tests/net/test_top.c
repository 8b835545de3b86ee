/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live view on a real screen: keys through tmux, the screen as text. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bpfleft.h"
#include "netns.h"
#include "terminal.h"

#define PROGRAM QPW_BUILD "/qportwatch"
#define PORTS_AT_ONCE 50
/* No stored state; the view's own character set and colours. */
#define TOP "env XDG_STATE_HOME=%s/state LANG=C.UTF-8 LC_ALL=C.UTF-8 " PROGRAM " top "

/* A monitored node with a policy and a peer; a client beside it. */
struct scene {
    struct netns node, client;
    char folder[64];
    pid_t auditor;
};

static void write_policy(const char *path)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    fputs("policy site/test\n"
          "inbound tcp 445 SMB\n"
          "inbound tcp 2049 NFS name=nfs\n"
          "outbound tcp 389,636 LDAP name=ldap\n"
          "peer node2 10.77.0.2\n",
          file);
    fclose(file);
}

static void start_auditor(struct scene *s)
{
    char policy[96], alerts[96], log[96];
    char *attach[] = {PROGRAM, "attach", "node0", "--no-tui", "--policy", policy, "--alerts", alerts, NULL};

    snprintf(policy, sizeof(policy), "%s/policy", s->folder);
    snprintf(alerts, sizeof(alerts), "%s/eve.json", s->folder);
    snprintf(log, sizeof(log), "%s/log", s->folder);
    s->auditor = netns_start(&s->node, log, attach);
    netns_until_file(log, "node0", NETNS_DEADLINE_MS);
}

static void open_scene(struct scene *s)
{
    char policy[96];

    netns_need_root();
    if (access(PROGRAM, X_OK) != 0)
        cr_skip_test(PROGRAM " is not built");
    strcpy(s->folder, "/tmp/qpw-top-XXXXXX");
    cr_assert_not_null(mkdtemp(s->folder));
    snprintf(policy, sizeof(policy), "%s/policy", s->folder);
    write_policy(policy);
    s->node = netns_new();
    s->client = netns_new();
    netns_veth(&s->node, "node0", &s->client, "client0");
    netns_address(&s->node, "node0", "10.77.0.1/24");
    netns_address(&s->client, "client0", "10.77.0.2/24");
    netns_address(&s->client, "client0", "10.77.0.9/24");
    netns_run(&s->node, "ip neigh add 10.77.0.9 lladdr 02:00:00:00:00:02 dev node0; "
                        "ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev node0");
    netns_run(&s->client, "ip neigh add 10.77.0.1 lladdr 02:00:00:00:00:01 dev client0");
    start_auditor(s);
}

static void close_scene(struct scene *s)
{
    netns_stop(s->auditor, SIGTERM);
    netns_run(&s->node, "rm -r %s", s->folder);
    netns_close(&s->node);
    netns_close(&s->client);
}

/* ---- Traffic ---- */

static struct sockaddr_in at(const char *address, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    inet_pton(AF_INET, address, &a.sin_addr);
    return a;
}

static int listen_on(void *argument)
{
    struct sockaddr_in here = at("10.77.0.1", *(unsigned *)argument);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    cr_assert(bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(fd, 5) == 0);
    return fd;
}

struct call {
    const char *from;
    unsigned port;
};

static int connect_to(void *argument)
{
    const struct call *call = argument;
    struct sockaddr_in from = at(call->from, 0), to = at("10.77.0.1", call->port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Open a connection that is answered and carries data both ways, and stays open. */
static void exchange(struct scene *s, const char *from, unsigned port)
{
    struct call call = {from, port};
    int listener = netns_call(&s->node, listen_on, &port), client = netns_call(&s->client, connect_to, &call);
    int server = accept(listener, NULL, NULL);
    char byte;

    cr_assert(client >= 0 && server >= 0);
    cr_assert(write(client, "x", 1) == 1 && read(server, &byte, 1) == 1);
    cr_assert(write(server, "y", 1) == 1 && read(client, &byte, 1) == 1);
}

static void knock(struct scene *s, const char *from, unsigned port)
{
    struct call call = {from, port};

    cr_assert_eq(netns_call(&s->client, connect_to, &call), -1, "nothing listens there");
}

struct ports {
    unsigned first, n;
};

/* Send two datagrams to each of that many ports: as many meters. */
static int send_to_ports(void *argument)
{
    const struct ports *ports = argument;
    struct sockaddr_in from = at("10.77.0.9", 0), to;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
    for (unsigned port = ports->first; port < ports->first + ports->n; port++) {
        to = at("10.77.0.1", port);
        cr_assert_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
        cr_assert_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
    }
    close(fd);
    return 0;
}

/* Wait for the node to receive each batch, so that no queue fills up. */
static void fill_ports(struct scene *s, unsigned first, unsigned n)
{
    for (unsigned done = 0; done < n; done += PORTS_AT_ONCE) {
        struct ports ports = {first + done, PORTS_AT_ONCE};
        uint64_t before = netns_statistics(&s->node, "node0").rx_packets;

        netns_call(&s->client, send_to_ports, &ports);
        netns_until_rx(&s->node, "node0", before + 2 * PORTS_AT_ONCE);
    }
}

static void stage(struct scene *s)
{
    exchange(s, "10.77.0.9", 445);
    exchange(s, "10.77.0.9", 4444);
    exchange(s, "10.77.0.2", 3712);
    knock(s, "10.77.0.9", 8080);
}

static void open_top(struct terminal *t, const struct scene *s, int columns, int rows, const char *options)
{
    char command[512];

    snprintf(command, sizeof(command), TOP "%s", s->folder, options);
    terminal_open(t, &s->node, columns, rows, command);
    terminal_until(t, "ACTION NEEDED: 1 service answered");
}

/* ---- The screen ---- */

static void look_at_every_tab(int columns, int rows)
{
    struct scene s;
    struct terminal t;

    open_scene(&s);
    stage(&s);
    open_top(&t, &s, columns, rows, "");
    terminal_until(&t, "[1 Unexpected]");
    terminal_until(&t, "tcp/4444");
    terminal_until(&t, "tcp/8080");
    terminal_until(&t, "auditor alive");
    terminal_until(&t, "alerts  high 1 "); /* as in the alert log */
    terminal_until(&t, "10.77.0.9");
    cr_log_info("%dx%d\n%s", columns, rows, terminal_screen(&t, false));
    terminal_keys(&t, "2");
    terminal_until(&t, "[2 Ports]");
    terminal_until(&t, "in-tcp-445");
    cr_log_info("%dx%d\n%s", columns, rows, terminal_screen(&t, false));
    terminal_keys(&t, "3");
    terminal_until(&t, "[3 Peers]");
    terminal_until(&t, "node2");
    terminal_until(&t, "tcp/3712");
    cr_log_info("%dx%d\n%s", columns, rows, terminal_screen(&t, false));
    terminal_keys(&t, "4");
    terminal_until(&t, "[4 Policy]");
    terminal_until(&t, "never");
    terminal_until(&t, "inbound tcp 445 SMB");
    cr_log_info("%dx%d\n%s", columns, rows, terminal_screen(&t, false));
    terminal_keys(&t, "Tab");
    terminal_until(&t, "[5 Coverage]");
    terminal_until(&t, "attached");
    terminal_until(&t, "established");
    cr_log_info("%dx%d\n%s", columns, rows, terminal_screen(&t, false));
    terminal_keys(&t, "6");
    terminal_until(&t, "[6 Connections]");
    terminal_until(&t, "tcp/4444");
    terminal_until(&t, "10.77.0.9");
    cr_log_info("%dx%d\n%s", columns, rows, terminal_screen(&t, false));
    terminal_keys(&t, "7");
    terminal_until(&t, "[7 Listeners]");
    terminal_until(&t, "unlisted");
    terminal_until(&t, "test_top");
    cr_log_info("%dx%d\n%s", columns, rows, terminal_screen(&t, false));
    terminal_keys(&t, "8");
    terminal_until(&t, "[8 Cluster]");
    terminal_until(&t, "nothing is known of the peers; 'qportwatch serve' asks them");
    terminal_keys(&t, "?");
    terminal_until(&t, "[9 Help]");
    terminal_until(&t, "next tab");
    terminal_keys(&t, "q");
    terminal_until_end(&t);
    terminal_close(&t);
    close_scene(&s);
}

Test(top, every_tab_at_80x24, .timeout = NETNS_TIMEOUT_S)
{
    look_at_every_tab(80, 24);
}

Test(top, every_tab_at_140x40, .timeout = NETNS_TIMEOUT_S)
{
    look_at_every_tab(140, 40);
}

Test(top, every_tab_at_250x70, .timeout = NETNS_TIMEOUT_S)
{
    look_at_every_tab(250, 70);
}

Test(top, filter_sort_pause_details_and_the_line_that_would_allow, .timeout = NETNS_TIMEOUT_S)
{
    struct scene s;
    struct terminal t;

    open_scene(&s);
    stage(&s);
    open_top(&t, &s, 80, 24, "");
    terminal_type(&t, "/port:8080");
    terminal_until_not(&t, " data ");
    terminal_until(&t, "1 of 2");
    terminal_keys(&t, "Enter");
    terminal_until(&t, "filter port:8080");
    terminal_keys(&t, "c");
    terminal_until(&t, "2 rows");
    terminal_type(&t, "/prt:1");
    terminal_until(&t, "'prt' is not a field");
    terminal_keys(&t, "Escape");
    terminal_until(&t, "2 rows");
    terminal_keys(&t, "s");
    terminal_until(&t, "sort by");
    terminal_keys(&t, "j j Enter");
    terminal_until(&t, "SERVICE▲");
    terminal_keys(&t, "r");
    terminal_until(&t, "SERVICE▼");
    terminal_keys(&t, "p");
    terminal_until(&t, "PAUSED");
    terminal_keys(&t, "p");
    terminal_until_not(&t, "PAUSED");
    terminal_keys(&t, "G Enter"); /* 4444 is last now */
    terminal_until(&t, "handshake");
    terminal_until(&t, "inbound tcp 4444 ");
    terminal_until(&t, "from=10.77.0.9");
    terminal_until(&t, "test_top"); /* the listening process: this one */
    cr_log_info("details\n%s", terminal_screen(&t, false));
    terminal_keys(&t, "y");
    terminal_until(&t, "copied: inbound tcp 4444");
    terminal_keys(&t, "Escape");
    terminal_until(&t, "SERVICE▼");
    terminal_keys(&t, "q");
    terminal_until_end(&t);
    terminal_close(&t);
    close_scene(&s);
}

/* The connections of a port, and back to where one came from. */
Test(top, enter_on_a_port_and_on_a_peer_opens_its_connections, .timeout = NETNS_TIMEOUT_S)
{
    struct scene s;
    struct terminal t;

    open_scene(&s);
    stage(&s);
    open_top(&t, &s, 140, 40, "");
    terminal_keys(&t, "2");
    terminal_until(&t, "[2 Ports]");
    terminal_type(&t, "/port:4444");
    terminal_keys(&t, "Enter");
    terminal_until_not(&t, "tcp/445");
    terminal_keys(&t, "Enter");
    terminal_until(&t, "[6 Connections]");
    terminal_until(&t, "filter proto:tcp port:4444 dir:inbound verdict:unexpected");
    terminal_until(&t, "1 of 1");
    terminal_until(&t, "test_top["); /* the process that accepted it: this one */
    terminal_keys(&t, "Enter");
    terminal_until(&t, "handshake");
    terminal_keys(&t, "Escape");
    terminal_keys(&t, "Escape");
    terminal_until(&t, "[2 Ports]");
    terminal_until(&t, "filter port:4444");
    terminal_keys(&t, "c 3");
    terminal_until(&t, "[3 Peers]");
    terminal_until(&t, "node2");
    terminal_keys(&t, "Enter");
    terminal_until(&t, "filter peer:node2");
    terminal_until(&t, "tcp/3712");
    terminal_keys(&t, "c");
    terminal_until(&t, "tcp/445 ");
    terminal_keys(&t, "q");
    terminal_until_end(&t);
    terminal_close(&t);
    close_scene(&s);
}

Test(top, choices_are_remembered, .timeout = NETNS_TIMEOUT_S)
{
    struct scene s;
    struct terminal t;

    open_scene(&s);
    stage(&s);
    open_top(&t, &s, 80, 24, "");
    terminal_type(&t, "/port:8080");
    terminal_keys(&t, "Enter 2");
    terminal_until(&t, "[2 Ports]");
    terminal_until(&t, "filter port:8080");
    terminal_keys(&t, "q");
    terminal_until_end(&t);
    terminal_close(&t);
    open_top(&t, &s, 80, 24, "");
    terminal_until(&t, "[2 Ports]");
    terminal_until_not(&t, "filter port:8080"); /* a leftover filter would hide rows from the next user */
    terminal_close(&t);
    close_scene(&s);
}

Test(top, resizes_stops_and_goes_on_and_takes_clicks, .timeout = NETNS_TIMEOUT_S)
{
    struct scene s;
    struct terminal t;
    char command[512];

    open_scene(&s);
    stage(&s);
    /* A shell with job control, so that stopping has an effect. */
    terminal_open(&t, &s.node, 140, 40, "env PS1=ready: bash --norc --noprofile -i");
    terminal_until(&t, "ready:");
    snprintf(command, sizeof(command), "XDG_STATE_HOME=%s LC_ALL=C.UTF-8 " PROGRAM " top", s.folder);
    terminal_type(&t, command);
    terminal_keys(&t, "Enter");
    terminal_until(&t, "[1 Unexpected]");
    terminal_resize(&t, 80, 24);
    terminal_until(&t, "? help  q quit");
    terminal_until_not(&t, "RESPONDER");
    terminal_resize(&t, 250, 70);
    terminal_until(&t, "RESPONDER");
    terminal_keys(&t, "C-z");
    terminal_until(&t, "Stopped");
    terminal_type(&t, "fg");
    terminal_keys(&t, "Enter");
    terminal_until(&t, "[1 Unexpected]");
    terminal_until(&t, "ACTION NEEDED");
    terminal_bytes(&t, "1b 5b 4d 20 31 26"); /* a press of the first button at column 17, row 6 (both + 32, from 1) */
    terminal_until(&t, "[2 Ports]");
    terminal_keys(&t, "q");
    terminal_until(&t, "ready:");
    terminal_until_not(&t, "[2 Ports]");
    terminal_close(&t);
    close_scene(&s);
}

Test(top, plain_ascii_no_color_and_256_colours, .timeout = NETNS_TIMEOUT_S)
{
    struct scene s;
    struct terminal t;
    const char *screen;
    char command[512];

    open_scene(&s);
    stage(&s);
    snprintf(command, sizeof(command), "env -u LC_ALL LANG=C NO_COLOR=1 XDG_STATE_HOME=%s " PROGRAM " top", s.folder);
    terminal_open(&t, &s.node, 80, 24, command);
    terminal_until(&t, "SEV^");
    screen = terminal_screen(&t, true);
    for (const char *c = screen; *c; c++)
        cr_assert((unsigned char)*c < 128, "not ASCII: %s", screen);
    cr_expect_null(strstr(screen, "[38;"), "a colour though NO_COLOR is set");
    cr_expect_null(strstr(screen, "[31m"));
    terminal_close(&t);
    open_top(&t, &s, 80, 24, "");
    terminal_until(&t, "SEV▲");
    cr_expect_not_null(strstr(terminal_screen(&t, true), "38;5;196"),
                       "\"ACTION NEEDED\" is red where there are 256 colours");
    terminal_close(&t);
    snprintf(command, sizeof(command), "env TERM=screen LC_ALL=C.UTF-8 XDG_STATE_HOME=%s " PROGRAM " top", s.folder);
    terminal_open(&t, &s.node, 80, 24, command);
    terminal_until(&t, "ACTION NEEDED");
    cr_expect_not_null(strstr(terminal_screen(&t, true), "31m"), "and where there are 8");
    terminal_close(&t);
    close_scene(&s);
}

#define TABLES "COLUMNS=100 LC_ALL=C.UTF-8 " PROGRAM " top --once --interval 0.2"

/* Return whether the auditor has written its alert. A busy machine may not show all of /proc at the first try. */
static bool tables_tell_alerts_and_processes(void *scene)
{
    const struct scene *s = scene;
    char out[32768];

    return netns_output(&s->node, out, sizeof(out), TABLES) == 0 && strstr(out, "alerts  high 1 ") &&
           strstr(out, "test_top");
}

Test(top, plain_tables_without_a_terminal, .timeout = NETNS_TIMEOUT_S)
{
    struct scene s;
    char out[32768];

    open_scene(&s);
    stage(&s);
    cr_assert_eq(netns_output(&s.node, out, sizeof(out), TABLES), 0);
    cr_expect(strstr(out, "ACTION NEEDED: 1 service answered") && strstr(out, "Unexpected: 2 rows") && strstr(out, "Policy: "),
              "%s", out);
    cr_expect(netns_until(tables_tell_alerts_and_processes, &s, NETNS_DEADLINE_MS), "not told: %s", out);
    cr_expect_eq(netns_output(&s.node, out, sizeof(out),
                              PROGRAM " top --once --interval 0.2 --tab ports --filter 'verdict:peer'"),
                 0);
    cr_expect(strstr(out, "Ports: 1 row of ") && strstr(out, "tcp/3712"), "%s", out);
    cr_expect_null(strstr(out, "Policy: "));
    cr_expect_eq(netns_output(&s.node, out, sizeof(out), PROGRAM " top --once --filter prt:1"), 2);
    cr_expect(strstr(out, "qportwatch top: --filter: 'prt' is not a field"), "%s", out);
    cr_assert_eq(netns_output(&s.node, out, sizeof(out),
                              PROGRAM " top --json --interval 0.2 | head -n 2 | jq -sc "
                              "'[length, .[1].schema, ([.[0].meters[] | select(.port == 4444)] | length)]'"), 0);
    cr_expect_str_eq(out, "[2,\"qportwatch.report/1\",1]\n", "a line of JSON each interval");
    cr_expect_eq(netns_output(&s.node, out, sizeof(out), PROGRAM " top --json --once --filter port:1"), 2);
    cr_expect(strstr(out, "--filter and --sort are for tables"), "%s", out);
    cr_expect_eq(netns_output(&s.node, out, sizeof(out), PROGRAM " top --once --tab help"), 2);
    cr_expect_eq(netns_output(&s.node, out, sizeof(out), PROGRAM " top --once --interval 0.2 2>&1 >/dev/full"), 1);
    cr_expect_str_eq(out, "qportwatch top: printing to standard output: No space left on device\n");
    cr_expect_eq(netns_output(&s.client, out, sizeof(out), PROGRAM " top --once"), 1, "nothing is attached there");
    close_scene(&s);
}

Test(top, what_is_detached_is_said_and_the_next_one_is_found, .timeout = NETNS_TIMEOUT_S)
{
    char out[1024];
    struct scene s;
    struct terminal t;

    open_scene(&s);
    stage(&s);
    open_top(&t, &s, 100, 30, "--interval 0.25");
    netns_stop(s.auditor, SIGKILL);
    terminal_until(&t, "NO AUDITOR");
    terminal_until(&t, "ACTION NEEDED: 1 service answered"); /* the kernel side continues to count */
    start_auditor(&s);
    terminal_until(&t, "auditor alive");
    netns_stop(s.auditor, SIGTERM);
    terminal_until(&t, "1 NOT ATTACHED!");
    cr_expect_eq(netns_output(&s.node, out, sizeof(out), PROGRAM " detach"), 0, "%s", out);
    cr_expect_str_eq(out, "nothing to detach in this network namespace\n", "what top still holds is attached nowhere");
    start_auditor(&s);
    terminal_until_not(&t, "NOT ATTACHED");
    terminal_until(&t, "CLEAN: ");
    exchange(&s, "10.77.0.9", 5555);
    terminal_until(&t, "ACTION NEEDED: 1 service answered");
    terminal_until(&t, "tcp/5555");
    terminal_keys(&t, "q");
    terminal_until_end(&t);
    terminal_close(&t);
    close_scene(&s);
}

Test(top, a_terminal_that_can_show_no_screen_gets_lines, .timeout = NETNS_TIMEOUT_S)
{
    static const char *const terms[] = {"dumb", "no-such-terminal"};
    struct netns ns, other;
    struct terminal t;
    char folder[] = "/tmp/qpw-top-XXXXXX", command[512], out[1024];

    netns_need_root();
    cr_assert_not_null(mkdtemp(folder));
    ns = netns_new();
    other = netns_new();
    netns_veth(&ns, "node0", &other, "client0");
    for (size_t i = 0; i < sizeof(terms) / sizeof(*terms); i++) {
        snprintf(command, sizeof(command),
                 "env TERM=%s " PROGRAM " attach node0 --interval 1 --alerts %s/eve.json 2>%s/says", terms[i], folder,
                 folder);
        terminal_open(&t, &ns, 200, 30, command);
        terminal_until(&t, "packets"); /* a summary line */
        cr_expect_eq(netns_output(&ns, out, sizeof(out), "cat %s/says", folder), 0);
        cr_expect(strstr(out, "lines instead of the live view"), "%s", out);
        cr_expect_eq(netns_output(&ns, out, sizeof(out),
                                  "TERM=%s script -qec '" PROGRAM " top' /dev/null </dev/null", terms[i]), 1);
        cr_expect(strstr(out, terms[i]) && strstr(out, "set TERM, or use --once or --lines"), "%s", out);
        terminal_keys(&t, "C-c");
        terminal_until_end(&t);
        terminal_close(&t);
        cr_expect_eq(netns_output(&ns, NULL, 0, PROGRAM " status"), 3, "SIGINT ended it");
    }
    netns_run(&ns, "rm -r %s", folder);
    netns_close(&ns);
    netns_close(&other);
}

Test(top, attach_on_a_terminal_is_the_view_and_asks_before_it_detaches, .timeout = NETNS_TIMEOUT_S)
{
    struct netns ns, other;
    struct terminal t;
    char folder[] = "/tmp/qpw-top-XXXXXX", command[512];

    netns_need_root();
    cr_assert_not_null(mkdtemp(folder));
    ns = netns_new();
    other = netns_new();
    netns_veth(&ns, "node0", &other, "client0");
    snprintf(command, sizeof(command),
             "env XDG_STATE_HOME=%s LC_ALL=C.UTF-8 " PROGRAM " attach node0 --alerts %s/eve.json", folder, folder);
    terminal_open(&t, &ns, 100, 30, command);
    terminal_until(&t, "[1 Unexpected]");
    terminal_until(&t, "CLEAN: ");
    terminal_until(&t, "auditor alive");
    terminal_keys(&t, "4");
    terminal_until(&t, "[4 Policy]");
    terminal_until(&t, "inbound");
    terminal_keys(&t, "q");
    terminal_until(&t, "[n] cancel");
    terminal_keys(&t, "n");
    terminal_until_not(&t, "[n] cancel");
    cr_expect_eq(netns_output(&ns, NULL, 0, PROGRAM " status"), 0, "still attached");
    terminal_keys(&t, "q");
    terminal_until(&t, "[n] cancel");
    terminal_keys(&t, "y");
    terminal_until_end(&t);
    cr_expect_eq(netns_output(&ns, NULL, 0, PROGRAM " status"), 3, "nothing is attached any more");
    terminal_close(&t);
    netns_run(&ns, "rm -r %s", folder);
    netns_close(&ns);
    netns_close(&other);
}

/* ---- Cost ---- */

static long resident_of(pid_t pid)
{
    char path[64], line[512];
    long kib = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "r");
    cr_assert_not_null(file);
    while (fgets(line, sizeof(line), file))
        sscanf(line, "VmRSS: %ld", &kib);
    fclose(file);
    cr_assert_gt(kib, 0);
    return kib;
}

Test(top, two_viewers_of_five_thousand_meters_stay_small, .timeout = NETNS_TIMEOUT_S)
{
    struct scene s;
    struct terminal small, large;
    long resident_kib;

    open_scene(&s);
    stage(&s);
    fill_ports(&s, 1001, 5000);
    open_top(&small, &s, 80, 24, "--tab ports");
    open_top(&large, &s, 250, 70, "--tab ports --sort=-SERVICE");
    terminal_until(&large, "udp/6000");
    resident_kib = resident_of(terminal_pid(&large));
    fprintf(stderr, "top --tab ports, 5,000 meters and findings, 250x70: %ld KiB resident\n", resident_kib);
    cr_expect_leq(resident_kib, 32 * 1024);
    terminal_until(&small, "[2 Ports]");
    terminal_close(&small);
    terminal_close(&large);
    close_scene(&s);
}

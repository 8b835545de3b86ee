/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The control socket: silent clients block nobody; invalid messages are answered with an error. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor/internal.h"
#include "auditor.h"
#include "control/control.h"
#include "control/message.h"

TestSuite(control, .timeout = NETNS_TIMEOUT_S);

#define SILENT (QPW_CLIENTS + 8)
#define ANSWER_SECONDS 5 /* far more than an answer takes, far less than waiting for every silent client would take */

static int interfaces(const json_t *answer)
{
    return (int)json_integer_value(json_object_get(answer, "interfaces"));
}

Test(control, silent_clients_hold_nobody_up)
{
    struct netns here = netns_here();
    json_t *request = qpw_request_new("status"), *answer = NULL;
    struct qpw_error err = {""};
    int fds[SILENT];
    struct node n;

    netns_first_in_line(); /* so that the late message here arrives before the auditor's timeout */
    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    netns_enter(&n.node);
    for (unsigned i = 0; i < SILENT; i++)
        cr_assert_eq(qpw_control_connect(&fds[i], NULL, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_control_ask(request, &answer, NULL, &err), 0, "%s", err.text);
    cr_expect_eq(interfaces(answer), 1);
    json_decref(answer);
    for (unsigned i = 0; i < SILENT - QPW_CLIENTS; i++)
        cr_expect_eq(qpw_control_receive(fds[i], &answer, &err), -EPIPE, "client %u is let go: others came", i);
    cr_expect_eq(qpw_control_send(fds[SILENT - 1], request), 0, "the last one speaks late, and is heard");
    cr_assert_eq(qpw_control_receive(fds[SILENT - 1], &answer, &err), 0, "%s", err.text);
    cr_expect_eq(interfaces(answer), 1);
    json_decref(answer);
    cr_expect_eq(qpw_control_receive(fds[SILENT - 2], &answer, &err), -EPIPE, "silent for too long");
    for (unsigned i = 0; i < SILENT; i++)
        close(fds[i]);
    json_decref(request);
    netns_enter(&here);
    netns_close(&here);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

/* Send raw bytes. Returns the answer's exit status, with its error. */
static int say(const void *bytes, size_t length, struct qpw_error *err)
{
    json_t *answer = NULL;
    int fd, r = qpw_control_connect(&fd, NULL, err);

    cr_assert_eq(r, 0, "%s", err->text);
    cr_assert_eq(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
    r = qpw_control_receive(fd, &answer, err);
    cr_assert_eq(r, 0, "%.60s: %d %s", (const char *)bytes, r, err->text);
    r = qpw_answer_status(answer, err);
    json_decref(answer);
    close(fd);
    return r;
}

#define REQUEST(name) "{\"schema\": \"" QPW_CONTROL_SCHEMA "\", \"request\": " name "}"

/* Each one is answered with an error that gives the reason, and changes nothing: the interface stays monitored. */
Test(control, bad_messages_are_answered)
{
    static const struct {
        const char *bytes, *why;
    } cases[] = {
        {"detach\n", "not JSON"},
        {"{}", "no schema"},
        {"{\"schema\": \"qportwatch.control/0\", \"request\": \"detach\"}", "different versions"},
        {REQUEST("null"), "not a request"},
        {REQUEST("[\"detach\"]"), "not a request"},
        {REQUEST("\"end\""), "unknown request 'end'"},
        {REQUEST("\"detach\", \"interfaces\": \"node0\""), "not a list"},
        {REQUEST("\"detach\", \"interfaces\": {}"), "not a list"},
        {REQUEST("\"detach\", \"interfaces\": [null]"), "not the name of an interface"},
        {REQUEST("\"detach\", \"interfaces\": [\"node0\", [0]]"), "not the name of an interface"},
        {REQUEST("\"reload\", \"policy\": []"), "not an object"},
        {REQUEST("\"reload\", \"policy\": {\"policy\": 1}"), "policy options: "},
        {REQUEST("\"reload\", \"policy\": {\"peers\": [1]}"), "policy options: "},
    };
    struct netns here = netns_here();
    char *long_one = calloc(1, QPW_CONTROL_BYTES + 1);
    json_t *request = qpw_request_new("status"), *answer = NULL;
    struct qpw_error err = {""};
    struct node n;

    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    netns_enter(&n.node);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cr_expect_eq(say(cases[i].bytes, strlen(cases[i].bytes), &err), QPW_EXIT_USAGE, "%s", cases[i].bytes);
        cr_expect(strstr(err.text, cases[i].why), "%s: %s", cases[i].bytes, err.text);
    }
    memset(long_one, ' ', QPW_CONTROL_BYTES + 1);
    cr_expect_eq(say(long_one, QPW_CONTROL_BYTES + 1, &err), QPW_EXIT_USAGE);
    cr_expect(strstr(err.text, "more than 65536 bytes"), "%s", err.text);
    free(long_one);
    cr_assert_eq(qpw_control_ask(request, &answer, NULL, &err), 0, "%s", err.text);
    cr_expect_eq(interfaces(answer), 1, "still watched");
    json_decref(answer);
    json_decref(request);
    netns_enter(&here);
    netns_close(&here);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

/* Another user, or root without capabilities, cannot end the audit; both can be tried at a terminal. */
Test(control, rights)
{
    static const char *const asked[] = {"detach", "reload"};
    struct node n;
    json_t *status;
    char text[1024];

    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        cr_expect_eq(netns_output(&n.node, text, sizeof(text), "setpriv --bounding-set -net_admin --inh-caps -net_admin "
                                  "%s/qportwatch %s 2>&1", QPW_BUILD, asked[i]), 1, "%s", asked[i]);
        cr_expect(strstr(text, "has no CAP_NET_ADMIN; it needs CAP_NET_ADMIN in the auditor's own user, pid and network "
                               "namespaces"), "%s: %s", asked[i], text);
        cr_expect_eq(netns_output(&n.node, text, sizeof(text), "unshare --pid --fork %s/qportwatch %s 2>&1", QPW_BUILD,
                                  asked[i]), 1, "%s", asked[i]);
        cr_expect(strstr(text, "is in another pid namespace"), "%s: %s", asked[i], text);
        cr_expect_eq(netns_output(&n.node, text, sizeof(text), "unshare --user --map-root-user %s/qportwatch %s 2>&1",
                                  QPW_BUILD, asked[i]), 1, "%s", asked[i]);
    }
    netns_output(&n.node, text, sizeof(text), "stat -c '%%u %%a' /run/qportwatch; "
                 "stat -c '%%u %%a %%F' /run/qportwatch/$(stat -Lc %%i /proc/self/ns/net).sock");
    cr_expect_str_eq(text, "0 700\n0 600 socket\n");
    netns_output(&n.node, text, sizeof(text), "grep -c @qportwatch /proc/net/unix");
    cr_expect_str_eq(text, "0\n", "no abstract name, that anybody may take first: %s", text);
    status = node_status(&n, NULL);
    cr_expect_eq(node_number(status, "auditor.pid"), n.auditor, "it goes on");
    cr_expect_eq(node_coverage(status, "detached"), 0);
    cr_expect_eq(node_coverage(status, "reloaded"), 0);
    json_decref(status);
    node_stop(&n, SIGTERM);
    node_nothing_left(&n);
    node_close(&n);
}

/*
 * Signals from root without capabilities, whether still alive or not, do no more than SIGKILL would. A signal without
 * meaning does not end the audit, and one that ends it leaves the counters running and is reported.
 */
Test(control, signals_of_root_without_rights)
{
#define POWERLESS "setpriv --bounding-set -all --inh-caps -all --no-new-privs sh -c 'kill -%s %d; sleep 0.3'"
    static const char *const from[] = {POWERLESS, ("unshare --user --map-root-user " POWERLESS),
                                       "setpriv --bounding-set -net_admin --inh-caps -net_admin sh -c 'kill -%s %d; sleep 0.3'"};
    static const char *const ignored[] = {"USR2", "USR1", "ALRM", "VTALRM", "PROF", "IO", "PWR", "16", "XCPU", "XFSZ", "40"};
    struct node n;
    json_t *status;
    char text[8192];

    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    for (size_t i = 0; i < sizeof(from) / sizeof(*from); i++)
        cr_expect_eq(netns_output(&n.node, text, sizeof(text), from[i], "USR2", (int)n.auditor), 0, "%s", text);
    netns_until_file(n.log, "refused a request to reload: SIGUSR2 from process ", NETNS_DEADLINE_MS);
    for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
        netns_run(&n.node, "kill -%s %d", ignored[i], (int)n.auditor);
    cr_expect_eq(node_command(&n, text, sizeof(text), "reload"), 0, "%s", text);
    status = node_status(&n, NULL);
    cr_expect_eq(node_number(status, "auditor.pid"), n.auditor, "it goes on");
    cr_expect_eq(node_coverage(status, "reloaded"), 1, "by the command alone");
    json_decref(status);
    netns_output(&n.node, text, sizeof(text), POWERLESS, "TERM", (int)n.auditor);
    netns_until_file(n.log, "nothing shows that it may detach, so counting continues in the kernel; 'qportwatch detach' removes it",
                     NETNS_DEADLINE_MS);
    cr_expect_eq(node_stop(&n, 0), 0);
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 3, "%s", text);
    cr_expect(strstr(text, "not running; counting continues in the kernel"), "%s", text);
    netns_output(&n.node, text, sizeof(text), QPW_BUILD "/qportwatch status --json | jq -r '.coverage.events[-1] | .event + \" \" + .by'");
    cr_expect(strstr(text, "auditor-stopped SIGTERM from process "), "%s", text);
    cr_expect(strstr(text, ", root: sh -c kill -TERM "), "%s", text);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0, "%s", text);
    node_nothing_left(&n);
    node_close(&n);
}

/*
 * A descriptor sent with a message is closed by the receiver, and closing a lingering socket takes as long as its
 * creator chose. For uid 0 without capabilities that must block nobody, on any kernel.
 */
Test(control, descriptors_that_are_sent_along)
{
    static const char sender[] =
        "import array, os, socket, struct, time\n"
        "def lingering(seconds):\n"
        "  s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, seconds))\n"
        "keep = []\n"
        "for stays in (True, False):\n"
        "  c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "  c.connect('/run/qportwatch/%d.sock' % os.stat('/proc/self/ns/net').st_ino)\n"
        "  l = socket.create_server(('127.0.0.1', 0)); s = socket.create_connection(l.getsockname()); s.setblocking(False)\n"
        "  try:\n"
        "    while True: s.send(b'x' * 65536)\n" /* more than is ever read */
        "  except BlockingIOError: lingering(300)\n"
        "  try: c.sendmsg([b'{}'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [s.fileno()]))])\n"
        "  except OSError: lingering(0)\n"
        "  s.close()\n"
        "  keep.append((l, stays and c))\n"
        "  if not stays: c.close()\n"
        "print('sent'); time.sleep(1000)\n";
    json_t *request = qpw_request_new("status"), *answer = NULL;
    struct netns here = netns_here();
    struct qpw_error err = {""};
    struct node n;
    char out[96];

    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    snprintf(out, sizeof(out), "%s/sender", n.folder);
    netns_start(&n.node, out, (char *[]){"setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "python3", "-uc", (char *)sender,
                                         NULL});
    netns_until_file(out, "sent", NETNS_DEADLINE_MS);
    netns_enter(&n.node);
    cr_expect_eq(qpw_control_ask(request, &answer, NULL, &err), 0, "%s", err.text);
    json_decref(answer);
    json_decref(request);
    netns_enter(&here);
    netns_close(&here);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

/* Other files in place of the folder and the lock: refused with their kind; no wait, and no write through them. */
Test(control, files_in_the_way)
{
    static const struct {
        const char *make, *said;
    } ways[] = {
        {"mkdir /run/there; ln -s there /run/qportwatch", "/run/qportwatch: is a link, or no directory; remove it"},
        {": >/run/qportwatch", "/run/qportwatch: is a link, or no directory; remove it"},
        {"mkdir -m 777 /run/qportwatch", "others than root may write to it"},
        {"mkdir -m 700 /run/qportwatch; mkfifo $lock", ".lock: is a FIFO; remove it"},
        {"mkdir -m 700 /run/qportwatch; mkdir $lock", ".lock: is a directory; remove it"},
        {"mkdir -m 700 /run/qportwatch; echo kept >/run/file; ln -s ../file $lock", ".lock: is a link; remove it"},
    };
    char text[8192];
    struct node n;

    node_open(&n);
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        cr_expect_eq(netns_output(&n.node, text, sizeof(text), "unshare -m sh -c 'mount -t tmpfs run /run; "
                                  "lock=/run/qportwatch/$(stat -Lc %%i /proc/self/ns/net).lock; %s; for command in "
                                  "\"attach node0 --no-tui --no-alerts\" detach status; do timeout 60 %s/qportwatch $command 2>&1; echo $?; "
                                  "done; [ ! -e /run/file ] || cat /run/file'", ways[i].make, QPW_BUILD), 0, "%s", text);
        cr_expect(strstr(text, ways[i].said), "%s: %s", ways[i].make, text);
        cr_expect(strstr(text, "\n1\n") && strstr(text, "\n3\n") && !strstr(text, "124"), "%s: %s", ways[i].make, text);
        cr_expect(i < 5 || strstr(text, "\nkept\n"), "%s: %s", ways[i].make, text);
    }
    node_close(&n);
}

/* Only root can connect. */
Test(control, only_root_connects)
{
    struct node n;
    char text[4096];

    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    netns_output(&n.node, text, sizeof(text), "python3 -c \"\nimport os, socket\n"
                 "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                 "path = '/run/qportwatch/%%d.sock' %% os.stat('/proc/self/ns/net').st_ino\n"
                 "os.seteuid(65534)\ntry:\n  s.connect(path)\n  print('connected')\nexcept PermissionError: print('refused')\n"
                 "\" 2>&1");
    cr_expect_str_eq(text, "refused\n");
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

/* A hung auditor blocks no command for longer than announced, and each message names the remedy. */
Test(control, a_hung_auditor)
{
    struct node n;
    char text[4096], way[64];

    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    kill(n.auditor, SIGSTOP);
    snprintf(way, sizeof(way), "'kill -9 %d' ends it", (int)n.auditor);
    for (int i = 0; i < 3; i++) { /* in parallel, more than its socket's queue holds */
        netns_output(&n.node, text, sizeof(text), "for i in 1 2 3 4 5 6 7 8; do timeout 60 %s/qportwatch reload 2>&1 & done; "
                     "timeout 60 %s/qportwatch attach node0 --no-tui --no-alerts 2>&1; wait; timeout 60 %s/qportwatch status",
                     QPW_BUILD, QPW_BUILD, QPW_BUILD);
        cr_expect(strstr(text, way), "%s", text);
        cr_expect(strstr(text, "already running"), "%s", text);
        cr_expect(i < 2 || strstr(text, "BLIND"), "its heartbeat is old by now: %s", text);
        cr_expect(i < 2 || strstr(text, "(stale: it hangs; 'kill -9 "), "not by an attach that is refused: %s", text);
    }
    node_stop(&n, SIGKILL);
    cr_expect_eq(node_command(&n, text, sizeof(text), "detach"), 0, "%s", text);
    netns_output(&n.node, text, sizeof(text), "ls /run/qportwatch/$(stat -Lc %%i /proc/self/ns/net).* 2>/dev/null");
    cr_expect_str_eq(text, "", "what the killed one left is gone: %s", text);
    node_nothing_left(&n);
    node_close(&n);
}

/*
 * In a pid namespace of its own, as in a container that shares /run: its pid there is another process's here, so
 * messages name the pid that it has for the reader; if it has none, they suggest no kill.
 */
Test(control, a_hung_auditor_of_another_pid_namespace)
{
#define STRANGER "unshare --pid --fork --mount-proc "
    static const char *const asked[] = {"detach", "attach node0 --no-tui --no-alerts", "status"};
    struct node n;
    char text[8192], here[32], way[64];
    int status;

    node_open(&n);
    n.auditor = netns_start(&n.node, n.log, (char *[]){"unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c",
                            "sleep 1000 & sleep 1000 & " QPW_BUILD "/qportwatch attach node0 --mode tc --no-tui --no-alerts", NULL});
    netns_until_file(n.log, "node0: attached", NETNS_DEADLINE_MS);
    node_note(&n, "node0");
    netns_output(&n.node, here, sizeof(here), "pgrep -P $(pgrep -P %d) qportwatch", (int)n.auditor);
    here[strcspn(here, "\n")] = '\0';
    snprintf(way, sizeof(way), "'kill -9 %s' ends it", here);
    cr_expect_eq(node_command(&n, text, sizeof(text), "status"), 0, "%s", text);
    kill(atoi(here), SIGSTOP);
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        if (!strcmp(asked[i], "status")) /* until its heartbeat is old enough */
            node_until_text(&n, "answer.state", "BLIND");
        status = netns_output(&n.node, text, sizeof(text), "timeout 60 " QPW_BUILD "/qportwatch %s 2>&1 | tr -s '\n ' ' '", asked[i]);
        cr_expect(strstr(text, way), "%s: %d %s", asked[i], status, text);
        netns_output(&n.node, text, sizeof(text), STRANGER "timeout 60 " QPW_BUILD "/qportwatch %s 2>&1 | tr -s '\n ' ' '", asked[i]);
        cr_expect(strstr(text, " of another pid namespace"), "%s: %s", asked[i], text);
        cr_expect(strstr(text, "end it in its own pid namespace, or stop its container or service"), "%s: %s", asked[i], text);
        cr_expect_null(strstr(text, "kill -9"), "%s: %s", asked[i], text);
    }
    netns_output(&n.node, text, sizeof(text), STRANGER "sh -c 'mount -t tmpfs none /run && " QPW_BUILD "/qportwatch detach 2>&1'");
    cr_expect_str_eq(text, "detached from 1 interface\n", "its heartbeat has stopped: nobody to be named");
    kill(atoi(here), SIGKILL);
    netns_stop(n.auditor, SIGKILL);
    n.auditor = 0;
    node_nothing_left(&n);
    node_close(&n);
}

/* Without its folder, as in a container with its own /run, an auditor is not replaced while it lives; a dead one is. */
Test(control, an_auditor_with_another_run)
{
    struct node n;
    char text[2048];
    unsigned refused = 0;

    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), "unshare --mount sh -c 'mount -t tmpfs none /run && "
                              "for request in detach reload \"attach node0 --no-tui --no-alerts\"; do "
                              "%s/qportwatch $request 2>&1; echo $?; done; %s/qportwatch status --json | jq .auditor.stale'",
                              QPW_BUILD, QPW_BUILD), 0);
    for (char *line = text; (line = strstr(line, "cannot be reached from here")); line++)
        refused++;
    cr_expect_eq(refused, 3, "%s", text);
    cr_expect(strstr(text, "\nfalse\n"), "%s", text);
    node_stop(&n, SIGKILL);
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), "unshare --mount sh -c 'mount -t tmpfs none /run && "
                              "%s/qportwatch detach 2>&1'", QPW_BUILD), 0, "%s", text);
    node_nothing_left(&n);
    node_close(&n);
}

/* A command that reported that the auditor did not answer must not be carried out later. */
Test(control, what_failed_is_not_done_later)
{
    struct node n;
    json_t *status;
    char text[256];

    node_open(&n);
    node_attach(&n, "node0");
    kill(n.auditor, SIGSTOP);
    netns_output(&n.node, text, sizeof(text), /* in parallel, because each one waits for an answer until it gives up */
                 "for request in detach 'detach node0' reload; do (%s/qportwatch $request 2>/dev/null; echo $?) & done; wait", QPW_BUILD);
    kill(n.auditor, SIGCONT);
    cr_expect_str_eq(text, "1\n1\n1\n");
    cr_expect_eq(node_command(&n, NULL, 0, "reload"), 0, "it goes on, and answers behind them");
    status = node_status(&n, NULL);
    cr_expect_eq(node_coverage(status, "reloaded"), 1, "the one that was answered");
    json_decref(status);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}

#define READER "setpriv --reuid 65534 --regid 65534 --groups 4711 --bounding-set -all --inh-caps -all " QPW_BUILD "/qportwatch "
#define NOBODY "setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all --inh-caps -all " QPW_BUILD "/qportwatch "

/*
 * Stopped, with a full queue, or gone: a member waits for seconds, not for a command's full timeout, and learns which
 * it was.
 */
static void the_server_of_readers_hangs(struct node *n)
{
    static const char queue[] = "import os, socket\n"
                                "path = '/run/qportwatch/%d.readers' % os.stat('/proc/self/ns/net').st_ino\n"
                                "all = []\n"
                                "try:\n"
                                "  while True:\n"
                                "    all.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK))\n"
                                "    all[-1].connect(path)\n"
                                "except BlockingIOError: print('full')\n"
                                "import time; time.sleep(1000)\n";
    static const char *const said[] = {"does not answer; ask as root", "is busy or hangs; try again", "the auditor has ended, and with it"};
    char text[4096], number[16];
    pid_t server, inside, filler = 0;

    netns_output(&n->node, text, sizeof(text), "pgrep -P $(pgrep -d, -P %d) -f 'qportwatch readers$'", (int)n->auditor);
    server = atoi(text);
    cr_assert(server > 1, "%s", text);
    netns_run(&n->node, "until nsenter -t %d -m " READER "status >/dev/null 2>&1; do sleep 0.1; done", (int)n->auditor); /* nobody waits */
    snprintf(number, sizeof(number), "%d", (int)n->auditor);
    inside = netns_start(&n->node, NULL, (char *[]){"nsenter", "-t", number, "-m", "sleep", "1000", NULL});
    kill(server, SIGSTOP);
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
        if (i == 1) {
            snprintf(text, sizeof(text), "%s/queue", n->folder);
            filler = netns_start(&n->node, text, (char *[]){"nsenter", "-t", number, "-m", "python3", "-uc", (char *)queue, NULL});
            netns_until_file(text, "full", NETNS_DEADLINE_MS);
        } else if (i == 2) {
            netns_stop(filler, SIGKILL);
            node_stop(n, SIGKILL);
            netns_run(&n->node, "while kill -0 %d 2>/dev/null; do sleep 0.1; done", (int)server); /* its children end with it */
        }
        cr_expect_eq(netns_output(&n->node, text, sizeof(text), "nsenter -t %d -m timeout 60 " READER "status 2>&1",
                                  (int)(i < 2 ? n->auditor : inside)), 1, "%s",
                     text);
        cr_expect(strstr(text, said[i]), "%s: %s", said[i], text);
    }
    cr_expect_eq(netns_output(&n->node, text, sizeof(text), "nsenter -t %d -m " QPW_BUILD "/qportwatch detach 2>&1", (int)inside), 0, "%s",
                 text);
    netns_stop(inside, SIGKILL);
}

/*
 * Members of the group can read the counters, with options that name no file, and can end nothing. The group is made in
 * a copy of /etc/group that only the auditor's mount namespace sees, which has its own /run; the reader has the group's
 * number.
 */
Test(control, readers)
{
    static const struct {
        const char *command, *says;
        int status;
    } asked[] = {
        {READER "status", "attached    node0: TC", 0},
        {READER "status --json | jq -r .answer.state", "CLEAN", 0},
        {READER "report", "monitored   node0: TC", 0},
        {READER "report --format json | jq -r '.interfaces[0]'", "node0", 0},
        {READER "report --fail-on gap", "qportwatch report", 0},
        {READER "connections --json | jq -r .schema", "qportwatch.connections/1", 0},
        {READER "listeners --json | jq -r .schema", "qportwatch.listeners/1", 0},
        {READER "statement --samples | jq -r .schema", "qportwatch.statement/1", 0},
        {READER "top --once", "Coverage: ", 0},
        {READER "top --once --json | jq -r .schema", "qportwatch.report/1", 0},
        {READER "top --once --tab ports --sort -pkt/s", "Ports: ", 0},
        {"timeout -s INT 5 " READER "top --lines --json --interval 0.2 | head -n 2 | jq -r .schema | tr '\\n' ' '",
         "qportwatch.report/1 qportwatch.report/1", 0},
        {NOBODY "top --once", "root privileges are required", 1},
        {READER "report --nonsense", "members of the group qportwatch may not use '--nonsense'; root may", 1},
        {READER "report -o /tmp/qportwatch-by-a-reader", "may not use '-o'", 1},
        {READER "report --output=/tmp/qportwatch-by-a-reader", "may not use '--output=", 1},
        {READER "report --outp /tmp/qportwatch-by-a-reader", "may not use '--outp'", 1},
        {READER "listeners --policy /etc/shadow", "may not use '--policy'", 1},
        {READER "detach", "root privileges are required", 1},
        {READER "reload", "root privileges are required", 1},
        {NOBODY "status", "root privileges are required", 1},
    };
    char text[65536], number[16];
    struct node n;
    pid_t flood;

    node_open(&n);
    netns_run(&n.node, "chmod 755 %s; { cat /etc/group; echo qportwatch:x:4711:; } >%s/group", n.folder, n.folder);
    n.auditor = netns_start(&n.node, n.log, (char *[]){"unshare", "-m", "sh", "-c", "mount --bind \"$1/group\" /etc/group && "
                            "mount -t tmpfs run /run && exec " QPW_BUILD "/qportwatch attach node0 --mode tc --no-tui --no-alerts", "sh", n.folder, NULL});
    netns_until_file(n.log, "node0: attached", NETNS_DEADLINE_MS);
    node_note(&n, "node0");
    node_until_text(&n, "answer.state", "CLEAN");
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        int status = netns_output(&n.node, text, sizeof(text), "nsenter -t %d -m %s 2>&1", (int)n.auditor, asked[i].command);

        cr_expect_eq(status, asked[i].status, "%s: %d: %s", asked[i].command, status, text);
        cr_expect(strstr(text, asked[i].says), "%s: %s", asked[i].command, text);
    }
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), "test -e /tmp/qportwatch-by-a-reader"), 1);
    netns_output(&n.node, text, sizeof(text), "nsenter -t %d -m stat -c '%%u %%g %%a' /run/qportwatch /run/qportwatch/$(stat -Lc "
                 "%%i /proc/self/ns/net).readers", (int)n.auditor);
    cr_expect_str_eq(text, "0 4711 710\n0 4711 660\n");
    /* One member connects repeatedly without sending; another one, and root, are still answered. */
    snprintf(text, sizeof(text), "%s/flood", n.folder);
    snprintf(number, sizeof(number), "%d", (int)n.auditor);
    flood = netns_start(&n.node, text, (char *[]){"nsenter", "-t", number, "-m", "python3", "-uc",
                        "import os, socket, threading\n"
                        "path = '/run/qportwatch/%d.readers' % os.stat('/proc/self/ns/net').st_ino\n"
                        "os.setgroups([4711]); os.setuid(65533)\n"
                        "def again():\n"
                        "  while True:\n"
                        "    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                        "    try: s.connect(path); s.recv(10)\n"
                        "    except OSError: pass\n"
                        "    s.close()\n"
                        "threading.stack_size(65536)\n"
                        "for i in range(24): threading.Thread(target=again).start()\n"
                        "print('flooding')\n", NULL});
    netns_until_file(text, "flooding", NETNS_DEADLINE_MS);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(netns_output(&n.node, text, sizeof(text), "nsenter -t %d -m %s status 2>&1", (int)n.auditor, i ? READER :
                                  QPW_BUILD "/qportwatch"), 0, "%s", text);
    netns_stop(flood, SIGKILL);
    /*
     * More readers than may run at a time, none of which reads: nothing blocks, and all of them end with the auditor.
     */
    snprintf(text, sizeof(text), "for i in 1 2 3 4 5 6; do nsenter -t %d -m " READER "report --json | sleep 5 & done; wait",
             (int)n.auditor);
    netns_start(&n.node, NULL, (char *[]){"sh", "-c", text, NULL});
    cr_expect_eq(netns_output(&n.node, text, sizeof(text), "nsenter -t %d -m " QPW_BUILD "/qportwatch status", (int)n.auditor), 0,
                 "%s", text);
    the_server_of_readers_hangs(&n);
    node_nothing_left(&n);
    node_close(&n);
}

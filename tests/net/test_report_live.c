/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The report of real traffic between real sockets, from the command while the node is monitored. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auditor.h"

TestSuite(report_live, .timeout = NETNS_TIMEOUT_S);

static int socket_in(const struct netns *ns)
{
    struct netns before = netns_here();
    int fd, one = 1;

    netns_enter(ns);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    netns_enter(&before);
    netns_close(&before);
    cr_assert(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    return fd;
}

static struct sockaddr_in endpoint(const char *address, uint16_t port)
{
    struct sockaddr_in end = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, address, &end.sin_addr);
    return end;
}

static int listen_on(const struct netns *ns, const char *address, uint16_t port)
{
    struct sockaddr_in end = endpoint(address, port);
    int fd = socket_in(ns);

    cr_assert_eq(bind(fd, (struct sockaddr *)&end, sizeof(end)), 0, "%s", strerror(errno));
    cr_assert_eq(listen(fd, 8), 0);
    return fd;
}

/* Connect, and send some bytes each way if somebody answers. */
static void exchange(const struct netns *from, const char *address, uint16_t port, int listener)
{
    struct sockaddr_in end = endpoint(address, port);
    int fd = socket_in(from), other, rc = connect(fd, (struct sockaddr *)&end, sizeof(end));
    char text[100] = "question";

    if (listener < 0) {
        cr_assert(rc < 0 && errno == ECONNREFUSED);
        close(fd);
        return;
    }
    cr_assert_eq(rc, 0, "%s", strerror(errno));
    other = accept(listener, NULL, NULL);
    cr_assert_eq(write(fd, text, sizeof(text)), sizeof(text));
    cr_assert_eq(recv(other, text, sizeof(text), MSG_WAITALL), sizeof(text));
    cr_assert_eq(write(other, text, sizeof(text)), sizeof(text));
    cr_assert_eq(recv(fd, text, sizeof(text), MSG_WAITALL), sizeof(text));
}

static json_t *report(struct node *n)
{
    char path[128], text[1024];
    json_error_t error;
    json_t *document;

    snprintf(path, sizeof(path), "%s/report.json", n->folder);
    cr_assert_eq(node_command(n, text, sizeof(text), "report --json -o %s", path), 0, "%s", text);
    document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(document, "%s", error.text);
    return document;
}

static json_t *row_of(json_t *rows, const char *key, int64_t number)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
        if (json_integer_value(json_object_get(row, key)) == number)
            return row;
    cr_assert_fail("no row with %s %ld", key, (long)number);
    return NULL;
}

struct traffic {
    int64_t packets, bytes;
};

/* Return what both ends sent. */
static struct traffic traffic(struct node *n)
{
    struct netns_statistics node = netns_statistics(&n->node, "node0");
    struct netns_statistics client = netns_statistics(&n->client, "client0");

    return (struct traffic){node.tx_packets + client.tx_packets, node.tx_bytes + client.tx_bytes};
}

/* Return a report without traffic during it, and the traffic before it: a late acknowledgement would fall between. */
static json_t *settled_report(struct node *n, struct traffic *ret)
{
    struct traffic before, after = traffic(n);
    json_t *document = NULL;

    do {
        json_decref(document);
        before = after;
        document = report(n);
        after = traffic(n);
    } while (before.packets != after.packets);
    *ret = after;
    return document;
}

/* Cause one of each: allowed, unexpected answered, unexpected refused, unexpected outgoing. */
static void stage(struct node *n)
{
    exchange(&n->client, "10.7.0.1", 445, listen_on(&n->node, "10.7.0.1", 445));
    exchange(&n->client, "10.7.0.1", 4444, listen_on(&n->node, "10.7.0.1", 4444));
    exchange(&n->client, "10.7.0.1", 4445, -1);
    exchange(&n->node, "10.7.0.2", 6667, listen_on(&n->client, "10.7.0.2", 6667));
}

Test(report_live, tells_what_there_was)
{
    struct node n;
    struct traffic before, after;
    json_t *document, *row;
    int64_t packets = 0, bytes = 0;
    char text[16384];
    size_t i;

    node_open(&n);
    /* With an XDP program a veth counts received bytes without the Ethernet header, so it cannot be compared. */
    node_attach(&n, "node0 --platform on-prem --mode tc");
    document = settled_report(&n, &before);
    packets -= node_number(document, "totals.packets");
    bytes -= node_number(document, "totals.bytes");
    json_decref(document);
    stage(&n);
    document = settled_report(&n, &after);
    packets += node_number(document, "totals.packets");
    bytes += node_number(document, "totals.bytes");
    cr_expect_eq(packets, after.packets - before.packets);
    cr_expect_eq(bytes, after.bytes - before.bytes);

    cr_expect_str_eq(node_text(document, "interfaces.0"), "node0");
    cr_expect_str_eq(node_text(document, "policy.name"), "qumulo/on-prem");
    row = row_of(json_object_get(document, "meters"), "port", 445);
    cr_expect_str_eq(node_text(row, "verdict"), "allowed");
    cr_expect_str_eq(node_text(row, "direction"), "inbound");
    cr_expect_str_eq(node_text(row, "interface"), "node0");
    cr_expect_eq(node_number(row, "connections"), 1);
    row = row_of(json_object_get(document, "meters"), "port", 4444);
    cr_expect_str_eq(node_text(row, "verdict"), "unexpected");
    cr_expect_eq(node_number(row, "connections"), 1, "counted once, and not again for its finding");
    row = row_of(json_object_get(document, "findings"), "port", 4444);
    cr_expect_str_eq(node_text(row, "outcome"), "data");
    cr_expect_str_eq(node_text(row, "evidence"), "handshake");
    cr_expect_str_eq(node_text(row, "initiator"), "10.7.0.2");
    row = row_of(json_object_get(document, "findings"), "port", 4445);
    cr_expect_str_eq(node_text(row, "outcome"), "refused");
    row = row_of(json_object_get(document, "findings"), "port", 6667);
    cr_expect_str_eq(node_text(row, "direction"), "outbound");
    cr_expect_eq(node_number(json_array_get(json_object_get(document, "findings"), 0), "port"), 4444, "worst first");
    json_array_foreach(json_object_get(document, "rules"), i, row)
        if (!strcmp(node_text(row, "name"), "in-tcp-445"))
            cr_expect_gt(node_number(row, "hits"), 5);
    cr_expect_str_eq(node_text(document, "coverage.interfaces.0.name"), "node0");
    cr_expect_eq(json_array_size(node_value(document, "coverage.gaps")), 0);
    cr_expect_gt(node_number(document, "coverage.memory_bytes"), 1 << 20);
    json_decref(document);

    cr_expect_eq(node_command(&n, text, sizeof(text), "report"), 0);
    cr_expect_not_null(strstr(text, "2 answered"), "%s", text);
    cr_expect_not_null(strstr(text, "tcp/4444"), "%s", text);
    snprintf(text + 12000, 100, "[%d]", getpid());
    cr_expect_not_null(strstr(text, text + 12000), "the process that listens: %s", text);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    cr_expect_eq(node_command(&n, text, sizeof(text), "report"), 1, "nothing is attached");
    node_close(&n);
}

Test(report_live, conditions_and_files)
{
    struct node n;
    static char text[524288];
    char path[128];
    FILE *file;

    node_open(&n);
    node_attach(&n, "node0");
    exchange(&n.client, "10.7.0.1", 445, listen_on(&n.node, "10.7.0.1", 445));
    cr_expect_eq(node_command(&n, NULL, 0, "report --fail-on unexpected --fail-on gap --fail-on undecided=0.1"), 0);
    exchange(&n.client, "10.7.0.1", 4445, -1);
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --fail-on gap --fail-on unexpected"), 3);
    cr_expect_not_null(strstr(text, "qportwatch report: --fail-on: 1 unexpected finding"), "%s", text);
    cr_expect_eq(node_command(&n, NULL, 0, "report --fail-on nonsense"), 2);
    cr_expect_eq(node_command(&n, NULL, 0, "report --since nonsense"), 2);
    cr_expect_eq(node_command(&n, NULL, 0, "report extra"), 2);

    snprintf(path, sizeof(path), "%s/report.html", n.folder);
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --format html -o %s", path), 0, "%s", text);
    file = fopen(path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    cr_expect_not_null(strstr(text, "tcp/4445"));
    cr_expect_not_null(strstr(text, "</html>\n"));
    cr_expect_eq(node_command(&n, text, sizeof(text), "report -o /nonexistent/report"), 1);
    cr_expect_not_null(strstr(text, "/nonexistent/report"), "%s", text);

    cr_expect_eq(node_command(&n, text, sizeof(text), "report --json --since 1970-01-02"), 0);
    cr_expect_not_null(strstr(text, "\"port\": 4445"));

    /* Evidence is written completely, and never over an existing folder. */
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --evidence %s/evidence", n.folder), 0, "%s", text);
    snprintf(path, sizeof(path), "cd %s/evidence && sha256sum -c --quiet --strict SHA256SUMS", n.folder);
    cr_expect_eq(system(path), 0);
    snprintf(path, sizeof(path), "sh %s/evidence/recount.sh", n.folder); /* recounts every figure */
    cr_expect_eq(system(path), 0);
    snprintf(path, sizeof(path), "grep -q '\"port\": 4445' %s/evidence/report.json", n.folder);
    cr_expect_eq(system(path), 0);
    snprintf(path, sizeof(path), "grep -qE '^inbound +tcp +445 ' %s/evidence/policy.txt", n.folder);
    cr_expect_eq(system(path), 0, "the policy in force");
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --evidence %s/evidence", n.folder), 1);
    cr_expect_not_null(strstr(text, "not empty; evidence is never written over what is there"), "%s", text);

    /* Anonymized output. */
    cr_expect_eq(node_command(&n, text, sizeof(text), "report --json --anonymize %s/key", n.folder), 0, "%s", text);
    cr_expect_not_null(strstr(text, "\"port\": 4445"));
    cr_expect_null(strstr(text, "10.7.0."), "%s", text);
    cr_expect_null(strstr(text, "node0"), "%s", text);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

Test(report_live, gap_when_the_interface_is_detached)
{
    char text[8192];
    struct node n;
    json_t *document;

    node_open(&n);
    netns_veth(&n.node, "node1", &n.client, "client1");
    node_attach(&n, "node0 node1");
    netns_run(&n.node, "ip link del node1");
    node_until_coverage(&n, "interface-gone");
    node_command(&n, text, sizeof(text), "status");
    cr_expect(strstr(text, "GONE: there is no such interface now; the auditor restores it when it can"), "%s", text);
    document = report(&n);
    cr_expect_eq(json_array_size(node_value(document, "coverage.gaps")), 1);
    cr_expect_str_eq(node_text(document, "coverage.gaps.0.interface"), "node1");
    cr_expect_str_eq(node_text(document, "coverage.gaps.0.why"), "interface-gone");
    json_decref(document);
    cr_expect_eq(node_command(&n, NULL, 0, "report --fail-on gap"), 3);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

/* Connect to one port after the other, so that rows and findings are added constantly, until killed. */
static int knock(void *argument)
{
    struct node *n = argument;

    for (uint16_t port = 1000;; port = port < 1500 ? port + 1 : 1000) {
        struct sockaddr_in end = endpoint("10.7.0.1", port);
        int fd = socket_in(&n->client);

        (void)connect(fd, (struct sockaddr *)&end, sizeof(end));
        close(fd);
    }
    return 0;
}

static int64_t sum_of(json_t *object)
{
    int64_t sum = 0;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
        sum += json_integer_value(value);
    return sum;
}

Test(report_live, both_sums_are_the_packets_while_rows_are_made)
{
    struct node n;
    int64_t packets, meters, before = 0;
    json_t *document, *row;
    pid_t pid;
    size_t i;

    node_open(&n);
    node_attach(&n, "node0");
    pid = netns_fork(&n.client, knock, &n);
    for (int round = 0; round < 10 || (before <= 100 && round < 1000); round++) {
        document = report(&n);
        packets = node_number(document, "totals.packets");
        meters = 0;
        json_array_foreach(json_object_get(document, "meters"), i, row)
            meters += node_number(row, "rx_packets") + node_number(row, "tx_packets");
        cr_expect_eq(sum_of(node_value(document, "totals.by_verdict")), packets);
        cr_expect_eq(sum_of(node_value(document, "totals.by_direction")), packets);
        cr_expect_eq(meters, packets);
        cr_expect_geq(packets, before, "a later report has less");
        before = packets;
        json_decref(document);
    }
    netns_stop(pid, SIGKILL);
    cr_expect_gt(before, 100);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

Test(report_live, programs_of_others_are_noted)
{
    const enum bpf_attach_type tcx_ingress = 46; /* BPF_TCX_INGRESS, newer than the headers */
    struct netns before = netns_here();
    struct node n;
    json_t *document;
    const char *note;
    int link;

    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    netns_enter(&n.node);
    link = bpf_link_create(node_foreign_program(BPF_PROG_TYPE_SCHED_CLS, "other"), netns_ifindex(&n.node, "node0"),
                           tcx_ingress, NULL);
    netns_enter(&before);
    if (link < 0)
        cr_skip_test("this kernel has no TCX, whose programs can be put behind others");
    document = report(&n);
    note = node_text(document, "coverage.notes.0");
    cr_expect_not_null(strstr(note, "node0: programs of others (1, the first other at TCX) come after ours for "
                                    "received"),
                       "%s", note);
    json_decref(document);
    close(link);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_close(&n);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "site.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpfleft.h"

#ifndef QPW_BUILD
#define QPW_BUILD "build"
#endif
#define PROGRAM QPW_BUILD "/qportwatch"
#define REPORT_MAX (64u << 20)

void site_make(struct site *n)
{
    netns_need_root();
    memset(n, 0, sizeof(*n));
    n->ns = netns_new();
    n->far = netns_new();
    netns_veth(&n->ns, "node0", &n->far, "far0");
    netns_address(&n->ns, "node0", "10.1.0.1/24");
    netns_address(&n->far, "far0", "10.1.0.2/24");
    netns_address(&n->ns, "node0", "fd00:10::1/64");
    netns_address(&n->far, "far0", "fd00:10::2/64");
    snprintf(n->dir, sizeof(n->dir), "/tmp/qportwatch-test.XXXXXX");
    cr_assert(mkdtemp(n->dir));
}

static void note_before(struct site *n);

static bool attached_or_ended(void *argument)
{
    struct site *n = argument;

    return netns_has_ended(n->auditor) || netns_output(&n->ns, NULL, 0, PROGRAM " status") == 0;
}

void site_attach(struct site *n, const char *policy, const char *options)
{
    char path[128], log[128], command[1024];
    char *argv[] = {"/bin/sh", "-c", command, NULL};
    FILE *file;

    snprintf(path, sizeof(path), "%s/policy", n->dir);
    snprintf(log, sizeof(log), "%s/attach.log", n->dir);
    if (policy) {
        file = fopen(path, "w");
        cr_assert(file && fputs(policy, file) >= 0 && fclose(file) == 0);
    }
    snprintf(command, sizeof(command),
             "exec " PROGRAM " attach node0 --no-tui --interval 1 --alerts %s/eve.json %s%s %s",
             n->dir, policy ? "--policy " : "--platform on-prem", policy ? path : "", options);
    n->auditor = netns_start(&n->ns, log, argv);
    if (!netns_until(attached_or_ended, n, NETNS_DEADLINE_MS) || netns_has_ended(n->auditor)) {
        netns_output(&n->ns, command, sizeof(command), "tail -n 5 %s", log);
        cr_assert_fail("not attached, or not within %d ms: %s", NETNS_DEADLINE_MS, command);
    }
    n->xdp = strstr(options, "--mode xdp") != NULL;
    note_before(n);
}

void site_detach(struct site *n, int signal_number)
{
    cr_assert_eq(netns_stop(n->auditor, signal_number), 0, "the auditor did not end with 0");
    n->auditor = 0;
}

static int hooks_of_site(void *argument)
{
    struct site *n = argument;

    return (int)bpfleft_in_hooks(netns_ifindex(&n->ns, "node0"));
}

void site_end(struct site *n)
{
    if (n->auditor)
        site_detach(n, SIGINT);
    cr_assert_eq(netns_call(&n->ns, hooks_of_site, n), 0, "programs are left in the hooks of node0");
    netns_run(&n->ns, "rm -rf %s", n->dir);
    netns_close(&n->ns);
    netns_close(&n->far);
}

json_t *site_report(struct site *n)
{
    char *text = malloc(REPORT_MAX);
    json_error_t error;
    json_t *report;
    int rc;

    cr_assert(text);
    rc = netns_output(&n->ns, text, REPORT_MAX, PROGRAM " report --json");
    cr_assert_eq(rc, 0, "report: %s", text);
    report = json_loads(text, 0, &error);
    cr_assert(report, "report is no JSON: %s at %d", error.text, error.position);
    free(text);
    return report;
}

static bool is(json_t *row, const char *name, const char *wanted)
{
    const char *value = json_string_value(json_object_get(row, name));

    return !wanted || (value && !strcmp(value, wanted));
}

static uint64_t number(json_t *row, const char *name)
{
    json_t *value = json_object_get(row, name);

    cr_assert(json_is_integer(value), "'%s' is no integer", name);
    return (uint64_t)json_integer_value(value);
}

struct site_sum site_sum(json_t *report, const struct site_filter *f)
{
    json_t *meters = json_object_get(report, "meters"), *row;
    struct site_sum sum = {0};
    size_t i;

    cr_assert(json_is_array(meters));
    json_array_foreach(meters, i, row) {
        json_t *port = json_object_get(row, "port");

        if (!is(row, "protocol", f->protocol) || !is(row, "direction", f->direction) ||
            !is(row, "verdict", f->verdict) || !is(row, "scope", f->scope) || !is(row, "rule", f->rule) ||
            (f->port == -1 && !json_is_null(port)) || (f->port > 0 && json_integer_value(port) != f->port))
            continue;
        sum.connections += number(row, "connections");
        sum.rx_packets += number(row, "rx_packets");
        sum.rx_bytes += number(row, "rx_bytes");
        sum.tx_packets += number(row, "tx_packets");
        sum.tx_bytes += number(row, "tx_bytes");
    }
    return sum;
}

static uint64_t sum_of(json_t *object)
{
    uint64_t sum = 0;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
        sum += (uint64_t)json_integer_value(value);
    return sum;
}

void site_assert_identities(json_t *report)
{
    json_t *totals = json_object_get(report, "totals");
    struct site_sum all = site_sum(report, &(struct site_filter){0});
    uint64_t packets = number(totals, "packets");

    cr_assert_eq(sum_of(json_object_get(totals, "by_verdict")), packets, "by_verdict does not sum to packets");
    cr_assert_eq(sum_of(json_object_get(totals, "by_direction")), packets, "by_direction does not sum to packets");
    cr_assert_eq(json_object_size(json_object_get(totals, "by_direction")), 6);
    cr_assert_eq(all.rx_packets + all.tx_packets, packets, "the meters do not sum to packets");
    cr_assert_eq(all.rx_bytes + all.tx_bytes, number(totals, "bytes"), "the meters do not sum to bytes");
}

/*
 * Return the frames that the node sent but its veth dropped because the other end was full: after the hook, before
 * far0.
 */
static uint64_t node_dropped(struct site *n)
{
    char text[32];

    cr_assert_eq(netns_output(&n->ns, text, sizeof(text),
                              "ip -j -s link show dev node0 | jq '.[0].stats64.tx.dropped'"), 0);
    return strtoull(text, NULL, 10);
}

/* Return far0's counts, as frames on the wire. */
static struct netns_statistics truth(struct site *n)
{
    struct netns_statistics s = netns_statistics(&n->far, "far0");

    s.rx_packets += node_dropped(n);
    if (n->xdp) /* a veth whose peer has XDP counts bytes after pulling the Ethernet header */
        s.tx_bytes += 14 * s.tx_packets;
    return s;
}

struct equal {
    struct site *n;
    struct site_sum counted;
    struct netns_statistics truth;
};

static void take(struct equal *e)
{
    json_t *report = site_report(e->n);

    e->counted = site_sum(report, &(struct site_filter){0});
    e->truth = truth(e->n);
    site_assert_identities(report);
    json_decref(report);
}

/* Return whether both sides are unchanged twice: nothing is in flight, and any difference precedes the hooks. */
static bool is_quiet(void *argument)
{
    struct equal *e = argument, again = *e;

    take(e);
    take(&again);
    return !memcmp(e, &again, sizeof(again));
}

static void note_before(struct site *n)
{
    struct equal e = {.n = n};

    cr_assert(netns_until(is_quiet, &e, NETNS_DEADLINE_MS), "there is traffic before the test began any");
    n->before = (struct netns_statistics){
        .tx_packets = e.truth.tx_packets - e.counted.rx_packets,
        .tx_bytes = e.truth.tx_bytes - e.counted.rx_bytes,
        .rx_packets = e.truth.rx_packets - e.counted.tx_packets,
        .rx_bytes = e.truth.rx_bytes - e.counted.tx_bytes,
    };
}

static bool is_equal(void *argument)
{
    struct equal *e = argument;
    const struct netns_statistics *before = &e->n->before;

    take(e);
    return e->counted.rx_packets + before->tx_packets == e->truth.tx_packets &&
           e->counted.rx_bytes + before->tx_bytes == e->truth.tx_bytes &&
           e->counted.tx_packets + before->rx_packets == e->truth.rx_packets &&
           (e->counted.tx_bytes + before->rx_bytes == e->truth.rx_bytes || node_dropped(e->n));
}

void site_until_equal(struct site *n)
{
    struct equal e = {.n = n};
    bool equal = netns_until(is_equal, &e, NETNS_DEADLINE_MS);

    cr_assert(equal, "counted rx %llu/%llu tx %llu/%llu, the far end sent %llu/%llu and received %llu/%llu "
                     "(packets/bytes)",
              (unsigned long long)e.counted.rx_packets, (unsigned long long)e.counted.rx_bytes,
              (unsigned long long)e.counted.tx_packets, (unsigned long long)e.counted.tx_bytes,
              (unsigned long long)(e.truth.tx_packets - n->before.tx_packets),
              (unsigned long long)(e.truth.tx_bytes - n->before.tx_bytes),
              (unsigned long long)(e.truth.rx_packets - n->before.rx_packets),
              (unsigned long long)(e.truth.rx_bytes - n->before.rx_bytes));
}

json_t *site_finding(json_t *report, const char *direction, const char *protocol, int port)
{
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(report, "findings"), i, row)
        if (is(row, "direction", direction) && is(row, "protocol", protocol) &&
            json_integer_value(json_object_get(row, "port")) == port)
            return row;
    return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "nodes.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"

#define PROGRAM QPW_BUILD "/qportwatch"
#define PATIENCE_MS 600000
#define FAKETIME "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
#define WORDS 24

const char *nodes_path(const struct nodes *c, size_t i, const char *name, char ret[160])
{
    snprintf(ret, 160, "%s/node%zu/%s", c->folder, i + 1, name);
    return ret;
}

static void make_keys(const struct nodes *c)
{
    netns_run(&c->bridge, "printf 'policy test/cluster\\ninbound tcp 445 SMB\\n' >%s/policy", c->folder);
    for (size_t i = 1; i <= c->n; i++)
        netns_run(&c->bridge, "mkdir %s/node%zu && " PROGRAM " cluster key --keys %s/node%zu/keys --name node%zu | "
                  "sed -n 's/^peer node%zu/peer node%zu 10.88.0.%zu/p' >>%s/policy", c->folder, i, c->folder, i, i, i, i, i, c->folder);
    netns_run(&c->bridge, "[ $(grep -c key=sha256: %s/policy) = %zu ]", c->folder, c->n);
}

void nodes_open(struct nodes *c, size_t n)
{
    char out[256];

    netns_need_root();
    *c = (struct nodes){.n = n};
    snprintf(c->folder, sizeof(c->folder), "/tmp/qportwatch-nodes.XXXXXX");
    cr_assert(mkdtemp(c->folder));
    c->bridge = netns_new();
    if (netns_output(&c->bridge, out, sizeof(out), "ip link add br0 type bridge mcast_snooping 0 && ip link set br0 up"))
        cr_skip_test("no bridge: %s", out);
    c->outside = netns_new();
    netns_plug(&c->bridge, &c->outside, "10.88.0", 99);
    make_keys(c);
    for (size_t i = 0; i < n; i++) {
        c->ns[i] = netns_new();
        netns_plug(&c->bridge, &c->ns[i], "10.88.0", (unsigned)i + 1);
    }
}

void nodes_close(struct nodes *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->talker[i])
            netns_stop(c->talker[i], SIGKILL);
        if (c->serve[i])
            cr_expect_eq(netns_stop(c->serve[i], SIGTERM), 0);
        if (c->auditor[i])
            cr_expect_eq(netns_stop(c->auditor[i], SIGINT), 0);
    }
    cr_assert(!strncmp(c->folder, "/tmp/qportwatch-nodes.", 22));
    netns_run(&c->bridge, "rm -rf %s", c->folder);
    for (size_t i = 0; i < c->n; i++)
        netns_close(&c->ns[i]);
    netns_close(&c->outside);
    netns_close(&c->bridge);
}

bool nodes_can_skew(void)
{
    return access(FAKETIME, R_OK) == 0;
}

/* Start a command of node i, which writes its log there, by its wall clock. */
static pid_t start(struct nodes *c, size_t i, const char *log, char *const argv[])
{
    char skew[32], *words[WORDS] = {"env", "LD_PRELOAD=" FAKETIME, "DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1", skew};
    size_t n = 5;

    if (!c->skew_s[i])
        return netns_start(&c->ns[i], log, argv);
    snprintf(skew, sizeof(skew), "FAKETIME=%+d", c->skew_s[i]);
    for (size_t w = 0; argv[w] && n + 1 < WORDS; w++)
        words[n++] = argv[w];
    return netns_start(&c->ns[i], log, words);
}

void nodes_attach(struct nodes *c, size_t i)
{
    char policy[96], log[160], eve[160], state[160];
    char *argv[] = {PROGRAM, "attach", "e0", "--mode", "tc", "--no-tui", "--no-history", "--policy", policy, "--alerts", eve, "--cluster",
                    state, (char *)c->devices[i], NULL};

    snprintf(policy, sizeof(policy), "%s/policy", c->folder);
    nodes_path(c, i, "attach.log", log);
    nodes_path(c, i, "eve.json", eve);
    nodes_path(c, i, "state", state);
    c->auditor[i] = start(c, i, log, argv);
    netns_until_file(log, "e0: ", NETNS_DEADLINE_MS); /* attached, or resumed */
}

void nodes_serve(struct nodes *c, size_t i)
{
    char policy[96], log[160], keys[160], state[160];
    char *argv[] = {PROGRAM, "serve", "--policy", policy, "--keys", keys, "--state", state, NULL};

    snprintf(policy, sizeof(policy), "%s/policy", c->folder);
    nodes_path(c, i, "keys", keys);
    nodes_path(c, i, "state", state);
    c->serve[i] = start(c, i, nodes_path(c, i, "serve.log", log), argv);
    netns_until_port(&c->ns[i], "tcp", NODES_PORT);
}

void nodes_start(struct nodes *c)
{
    for (size_t i = 0; i < c->n; i++)
        nodes_attach(c, i);
    for (size_t i = 0; i < c->n; i++)
        nodes_serve(c, i);
}

void nodes_talk(struct nodes *c)
{
    for (size_t i = 0; i < c->n; i++) {
        char address[32], *argv[] = {"ping", "-q", "-i", "0.2", address, NULL};

        snprintf(address, sizeof(address), "10.88.0.%zu", (i + 1) % c->n + 1);
        c->talker[i] = netns_start(&c->ns[i], NULL, argv);
    }
}

void nodes_kill(pid_t *pid)
{
    cr_assert_eq(netns_stop(*pid, SIGKILL), 128 + SIGKILL);
    *pid = 0;
}

/* ---- What is known ---- */

struct wait {
    const struct nodes *c;
    size_t node, good;
};

static bool has_statements(void *argument)
{
    const struct wait *w = argument;
    char path[160];
    json_t *document = json_load_file(nodes_path(w->c, w->node, "state/status.json", path), 0, NULL), *peer;
    size_t good = 0, i;

    json_array_foreach (json_object_get(document, "peers"), i, peer) {
        const char *result = node_text(peer, "result");

        good += !strcmp(result, "ok") || !strcmp(result, "unchanged");
    }
    json_decref(document);
    return good == w->good;
}

void nodes_until_good(const struct nodes *c, size_t i, size_t good)
{
    cr_assert(netns_until(has_statements, &(struct wait){c, i, good}, NETNS_DEADLINE_MS), "node%zu never has %zu", i + 1, good);
}

size_t nodes_count(const struct nodes *c, size_t i, const char *signature)
{
    struct evelog log = {0};
    char path[160];
    size_t n;

    evelog_add(&log, nodes_path(c, i, "eve.json", path));
    n = EVELOG_COUNT(&log, .name = signature);
    evelog_clear(&log);
    return n;
}

size_t nodes_count_all(const struct nodes *c, const char *signature)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++)
        n += nodes_count(c, i, signature);
    return n;
}

struct waiting {
    const struct nodes *c;
    size_t node, count;
    const char *signature;
};

static bool has_count(void *argument)
{
    const struct waiting *w = argument;

    return nodes_count(w->c, w->node, w->signature) >= w->count;
}

void nodes_until_count(const struct nodes *c, size_t i, const char *signature, size_t count)
{
    if (!netns_until(has_count, &(struct waiting){c, i, count, signature}, PATIENCE_MS)) {
        nodes_expect_only(c, (const char *const[]){signature, NULL});
        cr_assert(false, "node%zu has %zu %s, not %zu", i + 1, nodes_count(c, i, signature), signature, count);
    }
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return true;
    return false;
}

void nodes_expect_only(const struct nodes *c, const char *const *names)
{
    char path[160];

    for (size_t i = 0; i < c->n; i++) {
        struct evelog log = {0};

        evelog_add(&log, nodes_path(c, i, "eve.json", path));
        for (size_t r = 0; r < log.n; r++) {
            const char *name = evelog_name(log.records[r]);

            if (strncmp(name, "cluster-", strlen("cluster-")))
                continue;
            fprintf(stderr, "node%zu: %s: %s%s%s\n", i + 1, name, evelog_fact(log.records[r], "text"),
                    *evelog_fact(log.records[r], "command") ? "; " : "", evelog_fact(log.records[r], "command"));
            cr_expect(is_one_of(name, names), "node%zu: %s", i + 1, name);
        }
        evelog_clear(&log);
    }
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A small site of real servers as shipped by their distribution: every listening socket has its right owner. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers.h"
#include "site.h"

#define DEADLINE_MS 30000
#define OWNER_CHANGED "1000608" /* signature */
#define N_SERVERS 9u            /* of the known ones: those whose packages every test run has */

static json_t *ask(struct site *n, const char *command)
{
    static char out[1 << 20];
    json_error_t error;
    json_t *document;

    cr_assert_eq(netns_output(&n->ns, out, sizeof(out), QPW_BUILD "/qportwatch %s", command), 0, "%s: %s", command, out);
    document = json_loads(out, 0, &error);
    cr_assert(document, "%s: %s in %.300s", command, error.text, out);
    return document;
}

static const char *text_of(json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "-";
}

/* Check every row of the port, of which there must be at least one. Each family may have a socket of its own. */
static void expect_owner(json_t *listeners, const char *protocol, unsigned port, const char *program)
{
    size_t i, found = 0;
    json_t *row;

    json_array_foreach(listeners, i, row) {
        json_t *owner = json_object_get(row, "owner");

        if (json_integer_value(json_object_get(row, "port")) != port || strcmp(text_of(row, "protocol"), protocol))
            continue;
        found++;
        cr_expect_str_eq(text_of(owner, "exe"), program, "%s/%u: %s", protocol, port, text_of(owner, "exe"));
        cr_expect_str_eq(text_of(owner, "match"), "exact", "%s/%u: %s", protocol, port, text_of(owner, "match"));
        cr_expect_str_eq(text_of(owner, "process"), strrchr(program, '/') + 1, "%s/%u", protocol, port);
        cr_expect(json_is_string(json_object_get(owner, "user")) && json_is_string(json_object_get(owner, "started")));
    }
    cr_expect(found, "%s/%u: no socket of %s", protocol, port, program);
}

/* The policy of the site: each port with its program, except that for slapd's port another one is named. */
static void write_policy(char *buf, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < N_SERVERS; i++)
        for (size_t p = 0; p < SERVERS_MAX_PORTS && servers_known[i].ports[p].protocol; p++)
            used += (size_t)snprintf(buf + used, size - used, "inbound %s %u %s owner=%s\n", servers_known[i].ports[p].protocol,
                                     servers_known[i].ports[p].port, strrchr(servers_known[i].program, '/') + 1,
                                     servers_known[i].ports[p].port == 389 ? "/usr/sbin/ns-slapd" : servers_known[i].program);
}

static bool has_alert(void *argument)
{
    struct site *n = argument;

    return netns_output(&n->ns, NULL, 0, "grep -q " OWNER_CHANGED " %s/eve.json", n->dir) == 0;
}

/* Check those that were contacted, whether the process that answered still exists or not. */
static void expect_connections(struct site *n)
{
    json_t *document = ask(n, "connections --json 'dir:in proto:tcp'"), *row;
    size_t i, found = 0;

    json_array_foreach(json_object_get(document, "connections"), i, row)
        for (size_t k = 0; k < N_SERVERS; k++) {
            if (!servers_known[k].greets || json_integer_value(json_object_get(row, "port")) != servers_known[k].ports[0].port)
                continue;
            found++;
            cr_expect_str_eq(text_of(json_object_get(row, "owner"), "process"), strrchr(servers_known[k].program, '/') + 1,
                             "%s: %s", servers_known[k].program, text_of(row, "owner_reason"));
            cr_expect_str_eq(text_of(json_object_get(row, "owner"), "exe"), servers_known[k].program);
            cr_expect_str_eq(text_of(row, "verdict"), "allowed");
        }
    cr_expect_eq(found, 2, "%zu connections", found);
    json_decref(document);
}

Test(servers, each_socket_of_a_small_site_has_its_owner, .timeout = NETNS_TIMEOUT_S)
{
    struct servers running;
    char policy[4096], out[4096];
    json_t *document, *rows, *row;
    struct site n;
    size_t i;

    site_make(&n);
    running = (struct servers){.ns = &n.ns, .dir = n.dir, .address = "10.1.0.1"};
    for (i = 0; i < N_SERVERS; i++)
        servers_start(&running, servers_known[i].name);

    document = ask(&n, "listeners --json"); /* with nothing attached */
    rows = json_object_get(document, "listeners");
    for (i = 0; i < N_SERVERS; i++)
        for (size_t p = 0; p < SERVERS_MAX_PORTS && servers_known[i].ports[p].protocol; p++)
            expect_owner(rows, servers_known[i].ports[p].protocol, servers_known[i].ports[p].port, servers_known[i].program);
    json_decref(document);

    write_policy(policy, sizeof(policy));
    site_attach(&n, policy, "--mode tc");
    document = ask(&n, "listeners --json");
    rows = json_object_get(document, "listeners");
    json_array_foreach(rows, i, row) {
        unsigned port = (unsigned)json_integer_value(json_object_get(row, "port"));

        if (!strcmp(text_of(row, "verdict"), "allowed"))
            cr_expect_eq(json_is_true(json_object_get(row, "owner_fits")), port != 389, "%u", port);
    }
    json_decref(document);

    /* Only the one that violates the policy is reported, without any request. */
    cr_expect(netns_until(has_alert, &n, DEADLINE_MS));
    for (i = 0; i < N_SERVERS; i++)
        if (servers_known[i].greets)
            cr_expect_eq(netns_output(&n.far, out, sizeof(out),
                                      "timeout 20 bash -c 'exec 3<>/dev/tcp/10.1.0.1/%u && read -r -t 10 -n 3 -u 3 answer'",
                                      servers_known[i].ports[0].port),
                         0, "%s: %s", servers_known[i].program, out);
    expect_connections(&n);
    cr_expect_eq(netns_output(&n.ns, out, sizeof(out), "grep -c " OWNER_CHANGED " %s/eve.json", n.dir), 0);
    cr_expect_str_eq(out, "1\n");

    servers_stop(&running);
    site_detach(&n, SIGINT);
    site_end(&n);
}

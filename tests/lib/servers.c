/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "servers.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct servers_known servers_known[] = {
    {"smbd", "/usr/sbin/smbd", false, {{"tcp", 445}, {"tcp", 139}}},
    {"nginx", "/usr/sbin/nginx", false, {{"tcp", 80}, {"tcp", 443}, {"tcp", 8000}, {"tcp", 9000}}},
    {"vsftpd", "/usr/sbin/vsftpd", true, {{"tcp", 21}}},
    {"sshd", "/usr/sbin/sshd", true, {{"tcp", 22}}},
    {"rpcbind", "/usr/sbin/rpcbind", false, {{"tcp", 111}, {"udp", 111}}},
    {"chronyd", "/usr/sbin/chronyd", false, {{"udp", 123}}},
    {"slapd", "/usr/sbin/slapd", false, {{"tcp", 389}, {"tcp", 636}}},
    {"dnsmasq", "/usr/sbin/dnsmasq", false, {{"udp", 53}, {"tcp", 53}}},
    {"rsyslogd", "/usr/sbin/rsyslogd", false, {{"udp", 514}, {"tcp", 514}}},
    {"dcerpcd", "/usr/libexec/samba/samba-dcerpcd", false, {{"tcp", 135}}},
    {"krb5kdc", "/usr/sbin/krb5kdc", false, {{"udp", 88}, {"tcp", 88}}},
    {"ganesha", "/usr/bin/ganesha.nfsd", false, {{"tcp", 2049}, {"udp", 2049}}}, /* started after rpcbind */
};
const size_t servers_n_known = sizeof(servers_known) / sizeof(*servers_known);

static void wait_for(const struct servers *s, const struct servers_known *known)
{
    for (size_t i = 0; i < SERVERS_MAX_PORTS && known->ports[i].protocol; i++)
        netns_until_port(s->ns, known->ports[i].protocol, known->ports[i].port);
}

static void launch(struct servers *s, const struct servers_known *known)
{
    char folder[160];
    char *argv[] = {"tests/servers/start", (char *)known->name, folder, (char *)s->address, NULL};

    cr_assert_lt(s->n, SERVERS_MAX);
    snprintf(folder, sizeof(folder), "%s/%s", s->dir, known->name);
    s->running[s->n] = known;
    s->pids[s->n++] = netns_start_group(s->ns, argv);
}

void servers_start(struct servers *s, const char *name)
{
    const struct servers_known *known = servers_known;

    while (known < servers_known + servers_n_known && strcmp(known->name, name))
        known++;
    cr_assert(known < servers_known + servers_n_known, "no server %s", name);
    launch(s, known);
    wait_for(s, known);
}

void servers_start_all(struct servers *s)
{
    for (size_t i = 0; i + 1 < servers_n_known; i++)
        launch(s, &servers_known[i]);
    for (size_t i = 0; i < s->n; i++)
        wait_for(s, s->running[i]);
    servers_start(s, servers_known[servers_n_known - 1].name);
}

void servers_ask_all(struct servers *s, const struct netns *ns, const char *address, const char *environment)
{
    char out[4096];

    for (size_t i = 0; i < s->n; i++)
        cr_assert_eq(netns_output(ns, out, sizeof(out), "%s tests/servers/ask %s %s/%s %s", environment, s->running[i]->name,
                                  s->dir, s->running[i]->name, address),
                     0, "%s", out);
}

void servers_stop(struct servers *s)
{
    while (s->n) {
        pid_t pid = s->pids[--s->n];

        netns_stop(pid, SIGTERM);
        kill(-pid, SIGKILL); /* its remaining children */
    }
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A small site of real servers, each as its distribution ships it: every socket that listens has its right owner. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"

/* A private /run, so that nothing of the machine's own services is met. */
#define PRIVATE_RUN "exec unshare -m sh -c 'mount -t tmpfs none /run && "
#define DEADLINE_MS 30000
#define MAX_PORTS 3
#define OWNER_CHANGED "1000608" /* signature */

struct server {
    const char *program;     /* its executable, and what the policy names */
    const char *configure;   /* shell, writes into $DIR; NULL: nothing */
    const char *command;     /* goes on, in the foreground */
    struct {
        const char *protocol;
        uint16_t port;
    } ports[MAX_PORTS];
    const char *asks;        /* on the other end, once: ends when it has an answer; NULL: nothing */
};

#define CONNECT(port) "exec 3<>/dev/tcp/10.1.0.1/" port " && read -r -t 10 -n 3 -u 3 answer"

static const struct server servers[] = {
    {"/usr/sbin/smbd",
     "mkdir $DIR/smb; printf '[global]\\nnetbios name=site\\nserver role=standalone\\nsmb ports=445\\ninterfaces=node0\\n"
     "bind interfaces only=yes\\ndisable netbios=yes\\nload printers=no\\nprinting=bsd\\nprintcap name=/dev/null\\n"
     "disable spoolss=yes\\nlog file=%s/log\\n' $DIR/smb >$DIR/smb.conf; "
     "for d in state lock pid private cache ncalrpc; do mkdir $DIR/smb/$d; k=directory; test $d = ncalrpc && k=dir; "
     "test $d = private && k=dir; echo \"$d $k=$DIR/smb/$d\" >>$DIR/smb.conf; done",
     "exec smbd -F --no-process-group -s $DIR/smb.conf", {{"tcp", 445}}, NULL},
    {"/usr/sbin/nginx",
     "printf 'daemon off; pid %s/nginx.pid; error_log /dev/null; worker_processes 1;\\nevents {}\\nhttp { access_log off; "
     "client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s; "
     "server { listen 80; return 200 ok; } }\\n' $DIR $DIR $DIR $DIR $DIR $DIR >$DIR/nginx.conf",
     "exec nginx -c $DIR/nginx.conf", {{"tcp", 80}}, NULL},
    {"/usr/sbin/vsftpd",
     "mkdir $DIR/empty; printf 'listen=YES\\nbackground=NO\\nanonymous_enable=YES\\nlocal_enable=NO\\n"
     "secure_chroot_dir=%s/empty\\n' $DIR >$DIR/vsftpd.conf",
     "exec vsftpd $DIR/vsftpd.conf", {{"tcp", 21}}, CONNECT("21")},
    {"/usr/sbin/sshd",
     "ssh-keygen -q -t ed25519 -N '' -f $DIR/key; printf 'HostKey %s/key\\nPidFile none\\nUsePAM no\\n' $DIR >$DIR/sshd.conf",
     PRIVATE_RUN "mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f $DIR/sshd.conf'", {{"tcp", 22}}, CONNECT("22")},
    {"/usr/sbin/rpcbind", NULL, PRIVATE_RUN "exec rpcbind -f'", {{"tcp", 111}, {"udp", 111}}, NULL},
    {"/usr/sbin/chronyd",
     "printf 'local stratum 8\\nallow all\\ncmdport 0\\nbindcmdaddress /\\npidfile %s/chrony.pid\\n' $DIR >$DIR/chrony.conf",
     "exec chronyd -x -d -u root -f $DIR/chrony.conf", {{"udp", 123}}, NULL},
    {"/usr/sbin/slapd",
     "printf 'pidfile %s/slapd.pid\\n' $DIR >$DIR/slapd.conf",
     "exec slapd -d 0 -h ldap://10.1.0.1 -f $DIR/slapd.conf", {{"tcp", 389}}, NULL},
    {"/usr/sbin/dnsmasq", NULL,
     "exec dnsmasq -k -C /dev/null --no-resolv --no-hosts --user=root --group=root --pid-file=",
     {{"udp", 53}, {"tcp", 53}}, NULL},
    {"/usr/sbin/rsyslogd",
     "printf 'module(load=\"imudp\")\\nmodule(load=\"imtcp\")\\ninput(type=\"imudp\" port=\"514\")\\ninput(type=\"imtcp\" "
     "port=\"514\")\\n*.* /dev/null\\n' >$DIR/rsyslog.conf",
     "exec rsyslogd -n -i $DIR/rsyslog.pid -f $DIR/rsyslog.conf", {{"udp", 514}, {"tcp", 514}}, NULL},
};
#define N_SERVERS (sizeof(servers) / sizeof(*servers))

static pid_t start(struct site *n, size_t at)
{
    char line[4096], log[128];
    char *argv[] = {"setsid", "sh", "-c", line, NULL}; /* some end their whole process group with themselves */

    snprintf(line, sizeof(line), "export DIR=%s; %s%s%s", n->dir, servers[at].configure ? servers[at].configure : "",
             servers[at].configure ? " && " : "", servers[at].command);
    snprintf(log, sizeof(log), "%s/%s.log", n->dir, strrchr(servers[at].program, '/') + 1);
    return netns_start(&n->ns, log, argv);
}

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

/* Every row of the port, of which there is at least one. Both families may have a socket of their own. */
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

/* The policy of the site: each port with its program, but that of slapd, in whose place another is named. */
static void write_policy(char *buf, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < N_SERVERS; i++)
        for (size_t p = 0; p < MAX_PORTS && servers[i].ports[p].protocol; p++)
            used += (size_t)snprintf(buf + used, size - used, "inbound %s %u %s owner=%s\n", servers[i].ports[p].protocol,
                                     servers[i].ports[p].port, strrchr(servers[i].program, '/') + 1,
                                     servers[i].ports[p].port == 389 ? "/usr/sbin/ns-slapd" : servers[i].program);
}

static bool has_alert(void *argument)
{
    struct site *n = argument;

    return netns_output(&n->ns, NULL, 0, "grep -q " OWNER_CHANGED " %s/eve.json", n->dir) == 0;
}

/* Those that were asked, whether the process that answered is still there or not. */
static void expect_connections(struct site *n)
{
    json_t *document = ask(n, "connections --json 'dir:in proto:tcp'"), *row;
    size_t i, found = 0;

    json_array_foreach(json_object_get(document, "connections"), i, row)
        for (size_t k = 0; k < N_SERVERS; k++) {
            if (!servers[k].asks || json_integer_value(json_object_get(row, "port")) != servers[k].ports[0].port)
                continue;
            found++;
            cr_expect_str_eq(text_of(json_object_get(row, "owner"), "process"), strrchr(servers[k].program, '/') + 1,
                             "%s: %s", servers[k].program, text_of(row, "owner_reason"));
            cr_expect_str_eq(text_of(json_object_get(row, "owner"), "exe"), servers[k].program);
            cr_expect_str_eq(text_of(row, "verdict"), "allowed");
        }
    cr_expect_eq(found, 2, "%zu connections", found);
    json_decref(document);
}

Test(servers, each_socket_of_a_small_site_has_its_owner, .timeout = NETNS_TIMEOUT_S)
{
    pid_t pids[N_SERVERS];
    char policy[4096], out[4096];
    json_t *document, *rows, *row;
    struct site n;
    size_t i;

    site_make(&n);
    for (i = 0; i < N_SERVERS; i++)
        pids[i] = start(&n, i);
    for (i = 0; i < N_SERVERS; i++)
        for (size_t p = 0; p < MAX_PORTS && servers[i].ports[p].protocol; p++)
            netns_until_port(&n.ns, servers[i].ports[p].protocol, servers[i].ports[p].port);

    document = ask(&n, "listeners --json"); /* with nothing attached */
    rows = json_object_get(document, "listeners");
    for (i = 0; i < N_SERVERS; i++)
        for (size_t p = 0; p < MAX_PORTS && servers[i].ports[p].protocol; p++)
            expect_owner(rows, servers[i].ports[p].protocol, servers[i].ports[p].port, servers[i].program);
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

    /* Only the one that is not as the policy has it is told, before anybody asks. */
    cr_expect(netns_until(has_alert, &n, DEADLINE_MS));
    for (i = 0; i < N_SERVERS; i++)
        if (servers[i].asks)
            cr_expect_eq(netns_output(&n.far, out, sizeof(out), "timeout 20 bash -c '%s'", servers[i].asks), 0, "%s: %s",
                         servers[i].program, out);
    expect_connections(&n);
    cr_expect_eq(netns_output(&n.ns, out, sizeof(out), "grep -c " OWNER_CHANGED " %s/eve.json", n.dir), 0);
    cr_expect_str_eq(out, "1\n");

    for (i = 0; i < N_SERVERS; i++)
        netns_stop(pids[i], SIGTERM);
    site_detach(&n, SIGINT);
    site_end(&n);
}

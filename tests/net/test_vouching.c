/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Companions of listed services, by owner: real servers whose parent exchange vouches, and shells on ports that a
 * single contact with port 21, 111 or 135 would otherwise open to anybody.
 */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "evelog.h"
#include "site.h"

#define POLICY \
    "inbound tcp 21 FTP name=ftp\n" \
    "inbound tcp 32768-60999 \"FTP passive\" weak parent=ftp name=passive\n" \
    "inbound tcp,udp 111 rpcbind name=rpc\n" \
    "inbound tcp,udp 2049 NFS name=nfs\n" \
    "outbound tcp 135 RPC name=rpc-out\n" \
    "inbound tcp 5001 first name=first\n" \
    "inbound tcp 5002 second name=second\n" \
    "inbound tcp 61000 \"by the second\" weak parent=second name=by-second\n" \
    "inbound tcp 61000 \"by the first\" weak parent=first name=by-first\n"

/* A shell for any client. */
#define SHELL \
    "use IO::Socket::INET; sub shell { my $s=IO::Socket::INET->new(LocalPort=>shift,Listen=>5,ReuseAddr=>1) or die;" \
    "while(my $c=$s->accept){ while(<$c>){ print $c `$_` } } }"
/* Register a program with the port mapper, as any local user may. */
#define REGISTER \
    "use Socket; sub register { socket(my $u,PF_INET,SOCK_DGRAM,0) or die; my $to=sockaddr_in(111,inet_aton(\"127.0.0.1\"));" \
    "send($u,pack(\"N14\",1,0,2,100000,2,1,0,0,0,0,$_[0],3,6,$_[1]),0,$to);recv($u,my $b,999,0);unpack(\"x24N\",$b) or die }"
#define AS_NOBODY "exec setpriv --reuid 65534 --regid 65534 --clear-groups "

#define VSFTPD(listen) \
    "mkdir -p $DIR/empty; printf 'listen=" listen "\\nbackground=NO\\nanonymous_enable=YES\\nlocal_enable=NO\\n" \
    "secure_chroot_dir=%s/empty\\npasv_min_port=41000\\npasv_max_port=41099\\nconnect_from_port_20=YES\\n%s' $DIR "

static const char *const at_node[] = {
    /* One process per session, forked by the listener: on an IPv6 socket for clients of IPv4, and for those of IPv6; */
    VSFTPD("NO") "'listen_ipv6=YES\nlisten_address6=::ffff:10.1.0.1\n' >$DIR/listen.conf; exec /usr/sbin/vsftpd $DIR/listen.conf",
    VSFTPD("NO") "'listen_ipv6=YES\nlisten_address6=fd00:10::1\n' >$DIR/listen6.conf; exec /usr/sbin/vsftpd $DIR/listen6.conf",
    /* and started by another process, as inetd and systemd do. */
    VSFTPD("NO") "'' >$DIR/inetd.conf; "
    "exec socat TCP4-LISTEN:21,bind=10.1.0.9,fork,reuseaddr \"EXEC:/usr/sbin/vsftpd $DIR/inetd.conf,nofork\"",
    "exec unshare -m sh -c 'mount -t tmpfs none /run && exec rpcbind -f -i'",
    "exec perl -e '" SHELL "shell(40404)'",
    "exec perl -e '" SHELL "shell(44444)'",
    /*
     * A shell whose socket is also held by the server with the parent exchange, which the socket's creator has
     * executed;
     */
    VSFTPD("NO") "'' >$DIR/idle.conf; exec perl -e '" SHELL "$^F=99; my $s=IO::Socket::INET->new(LocalPort=>41501,Listen=>5,"
    "ReuseAddr=>1) or die; if(fork){ exec \"/usr/sbin/vsftpd\",\"-olisten=YES\",\"-olisten_address=127.0.0.1\","
    "\"-olisten_port=2121\",\"$ENV{DIR}/idle.conf\" or die } while(my $c=$s->accept){ while(<$c>){ print $c `$_` } }'",
    /* and one of a thread whose descriptors its process does not show, as if the socket were the kernel's. */
    "exec setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 -c '\n"
    "import ctypes,threading,socket\n"
    "def work():\n"
    "    ctypes.CDLL(None).unshare(0x400)\n"
    "    s=socket.socket(); s.setsockopt(1,2,1); s.bind((\"\",46100)); s.listen(5)\n"
    "    while 1: c,_=s.accept(); c.recv(99); c.sendall(b\"uid\\n\")\n"
    "threading.Thread(target=work).start()'",
    /* One whose first thread has ended, so that /proc shows no executable. */
    "exec setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 -c '\n"
    "import ctypes,threading,socket\n"
    "def work():\n"
    "    s=socket.socket(); s.setsockopt(1,2,1); s.bind((\"\",46200)); s.listen(5)\n"
    "    while 1: c,_=s.accept(); c.recv(99); c.sendall(b\"uid\\n\")\n"
    "threading.Thread(target=work).start()\n"
    "ctypes.CDLL(None).syscall(60,0)'",
    /* One process for two services and a companion of both. */
    "exec perl -MIO::Socket::INET -MIO::Select -e '$s=IO::Select->new(map { IO::Socket::INET->new(LocalPort=>$_,Listen=>5,"
    "ReuseAddr=>1) or die } 5001,5002,5003,61000); while(1){ for($s->can_read){ $c=$_->accept; sysread $c,$l,99; "
    "syswrite $c,\"ok\\n\"; sysread $c,$l,99; close $c } }'",
    NULL,
};
/* Started once the port mapper runs. */
static const char *const registering[] = {
    /* A user-space NFS server: a program that owns port 2049, and the ports that it registers. */
    "exec /usr/bin/python3 -c '\n"
    "import socket,struct,threading\n"
    "def serve(port):\n"
    "    s=socket.socket(); s.setsockopt(1,2,1); s.bind((\"\",port)); s.listen(5)\n"
    "    while 1: c,_=s.accept(); c.sendall(b\"mount\\n\"); c.recv(99)\n"
    "u=socket.socket(2,2); u.sendto(struct.pack(\">14I\",1,0,2,100000,2,1,0,0,0,0,100005,3,6,45000),(\"127.0.0.1\",111))\n"
    "u.recv(99)\n"
    "u.sendto(struct.pack(\">14I\",2,0,2,100000,2,1,0,0,0,0,100005,3,17,45010),(\"127.0.0.1\",111)); u.recv(99)\n"
    "n=socket.socket(2,2); n.bind((\"\",2049))\n"
    "def once():\n"
    "    s=socket.socket(2,2); s.bind((\"\",45010)); _,a=s.recvfrom(99); s.sendto(b\"mount\",a); s.close()\n"
    "threading.Thread(target=once).start()\n"
    "threading.Thread(target=serve,args=(2049,)).start(); serve(45000)'",
    AS_NOBODY "perl -e '" SHELL REGISTER "register(100021,46000);shell(46000)'",
    NULL,
};
/* Started once the NFS server runs: takes over one of its ports, and with it an exchange that is vouched for. */
static const char *const taking_over[] = {
    "exec perl -e 'use IO::Socket::INET; my $s; select(undef,undef,undef,.02) "
    "until $s=IO::Socket::INET->new(LocalPort=>45010,Proto=>\"udp\"); while($s->recv(my $l,99)){ $s->send(`$l`) }'",
    NULL,
};
static const char *const at_far[] = {
    "exec socat TCP4-LISTEN:135,fork,reuseaddr EXEC:cat",
    "exec socat TCP4-LISTEN:49153,fork,reuseaddr EXEC:cat",
    "exec socat TCP4-LISTEN:49154,fork,reuseaddr EXEC:cat",
    NULL,
};

/* A passive and an active transfer. The session stays open, because an ended owner would be uncertain. */
#define FTP(address) \
    "exec /usr/bin/python3 -c 'import ftplib,time\n" \
    "f=ftplib.FTP(\"" address "\",timeout=20); f.login(); f.dir(lambda l:None)\n" \
    "f.set_pasv(False); f.dir(lambda l:None); open(\"'$DIR'/" address "\",\"w\").write(\"done\"); time.sleep(900)'"
static const char *const sessions[] = {FTP("10.1.0.1"), FTP("10.1.0.9"), FTP("fd00:10::1"), NULL};
/* Not the process that had the exchange with port 135; it stays open, too. */
static const char *const at_node_later[] = {"(echo x; exec sleep 900) | socat - TCP4:10.1.0.2:49154", NULL};
#define ASK(port) \
    "perl -MIO::Socket::INET -e 'alarm 20;$s=IO::Socket::INET->new(PeerAddr=>\"10.1.0.1\",PeerPort=>" port ") or die;" \
    "print $s \"id\\n\"; defined(<$s>) or die'"
/* A listener that stays silent: its finding must not require another packet. */
#define CONNECT(port) \
    "perl -MIO::Socket::INET -e 'alarm 20;$s=IO::Socket::INET->new(PeerAddr=>\"10.1.0.1\",PeerPort=>" port ") or die;'"
#define ASK_UDP(port) \
    "perl -MIO::Socket::INET -e 'alarm 20;$s=IO::Socket::INET->new(PeerAddr=>\"10.1.0.1\",PeerPort=>" port ",Proto=>\"udp\");" \
    "until($l=~/uid/){ $s->send(\"id\"); vec($r=\"\",fileno $s,1)=1; $s->recv($l,99) if select($r,undef,undef,.2)==1 }'"
#define TALK(port) \
    "$s=IO::Socket::INET->new(PeerAddr=>\"10.1.0.2\",PeerPort=>" port ") or die;print $s \"x\\n\";defined(<$s>) or die;"

/* Silent after the handshake, for as long as it is checked. */
static const char *const silent[] = {
    "exec perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(PeerAddr=>\"10.1.0.1\",PeerPort=>44444) or die; sleep 900'",
    NULL,
};

static struct site n;
static char eve[128];

static void start_all(const struct netns *ns, const char *const *commands)
{
    char line[4096];
    char *argv[] = {"sh", "-c", line, NULL};

    for (; *commands; commands++) {
        snprintf(line, sizeof(line), "export DIR=%s; %s", n.dir, *commands);
        netns_start_group(ns, argv);
    }
}

/*
 * Proving that nobody else holds a socket requires a /proc that shows everything, which is tested with process 1. If
 * only that one cannot be inspected, as on some virtual machines, another one takes its place.
 */
static void look_into_all(void)
{
    char path[64], target[64];
    pid_t stand_in;

    if (readlink("/proc/1/exe", target, sizeof(target)) > 0)
        return;
    cr_assert_eq(unshare(CLONE_NEWNS), 0);
    cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    stand_in = fork();
    if (stand_in == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    snprintf(path, sizeof(path), "/proc/%d", (int)stand_in);
    cr_assert_eq(mount(path, "/proc/1", NULL, MS_BIND, NULL), 0);
}

static void setup(void)
{
    netns_need_root();
    look_into_all();
    site_make(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.dir);
    netns_run(&n.ns, "chmod 755 %s; ip addr add 10.1.0.9/24 dev node0", n.dir);
    start_all(&n.ns, at_node);
    start_all(&n.far, at_far);
    netns_until_port(&n.ns, "udp", 111);
    start_all(&n.ns, registering);
    for (const unsigned *port = (const unsigned[]){21, 111, 2049, 40404, 41501, 44444, 45000, 46000, 46100, 46200, 61000, 0}; *port; port++)
        netns_until_port(&n.ns, "tcp", (uint16_t)*port);
    netns_until_port(&n.ns, "udp", 45010);
    start_all(&n.ns, taking_over);
    for (const unsigned *port = (const unsigned[]){135, 49153, 49154, 0}; *port; port++)
        netns_until_port(&n.far, "tcp", (uint16_t)*port);
    site_attach(&n, POLICY, "--mode tc");
}

static void until_done(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", n.dir, name);
    netns_until_file(path, "done", NETNS_DEADLINE_MS);
}

static void on(const struct netns *ns, const char *command)
{
    char out[4096];

    cr_assert_eq(netns_output(ns, out, sizeof(out), "timeout 40 sh -c \"$(cat <<'END'\n%s\nEND\n)\"", command), 0, "%s: %s",
                 command, out);
}

/* Check the newest record of the port. */
static void expect_told(const struct evelog *log, unsigned port, unsigned severity, const char *verdict,
                        const char *reason, const char *process)
{
    const json_t *record = evelog_last(log, &(struct evelog_filter){.port = port}), *alert = json_object_get(record, "alert");

    cr_assert(record, "nothing told of port %u", port);
    cr_expect_eq(json_integer_value(json_object_get(alert, "severity")), severity, "port %u: severity %lld", port,
                 json_integer_value(json_object_get(alert, "severity")));
    cr_expect_str_eq(evelog_fact(record, "verdict"), verdict, "port %u", port);
    cr_expect_str_eq(evelog_fact(record, "reason"), reason, "port %u", port);
    cr_expect_str_eq(evelog_fact(record, "process"), process, "port %u", port);
}

/*
 * Ask on port 45000; return whether that is reported. A matching companion that ended before its owner is known is not,
 * and later ones are implied at once.
 */
static bool is_mount_told(void *unused)
{
    struct evelog log = {0};
    bool reported;

    (void)unused;
    on(&n.far, ASK("45000"));
    evelog_add(&log, eve);
    reported = evelog_last(&log, &(struct evelog_filter){.port = 45000}) != NULL;
    evelog_clear(&log);
    return reported;
}

/* Return how many connections of that port the report counts with that verdict; NULL: any. */
static uint64_t counted(const char *verdict, int port)
{
    json_t *report = site_report(&n);
    uint64_t count = site_sum(report, &(struct site_filter){.direction = "inbound", .verdict = verdict, .port = port}).connections;

    json_decref(report);
    return count;
}

static bool is_counted(void *unused)
{
    (void)unused;
    return counted("unexpected", 44444) == 2;
}

/* Expect the decided verdict in every output for a connection that goes silent before its owner is known. */
static void expect_silent_decided(void)
{
    char out[16384];
    json_t *document;
    size_t i, found = 0;
    json_t *c;

    start_all(&n.far, silent);
    cr_assert(netns_until(is_counted, NULL, NETNS_DEADLINE_MS), "%llu unexpected connections of port 44444",
              (unsigned long long)counted("unexpected", 44444));
    cr_expect_eq(counted(NULL, 44444), 2, "in two rows");
    cr_assert_eq(netns_output(&n.ns, out, sizeof(out), "%s/qportwatch connections --json port:44444", QPW_BUILD), 0, "%s", out);
    document = json_loads(out, 0, NULL);
    json_array_foreach(json_object_get(document, "connections"), i, c) {
        found += !strcmp(json_string_value(json_object_get(c, "verdict")), "unexpected");
        cr_expect_str_eq(json_string_value(json_object_get(c, "reason")), "other-owner");
    }
    cr_expect_eq(found, json_array_size(json_object_get(document, "connections")), "%s", out);
    cr_expect_geq(found, 1, "%s", out);
    json_decref(document);
}

/*
 * Expect a connection to be vouched for by what was live at its last packet, however much later the auditor decides: here the
 * service of the policy's first step is used only afterwards.
 */
static void expect_judged_as_it_was(void)
{
    json_t *report;

    cr_assert_eq(kill(n.auditor, SIGSTOP), 0);
    on(&n.far, ASK("5001"));
    on(&n.far, ASK("61000"));
    on(&n.far, ASK("5002"));
    cr_assert_eq(kill(n.auditor, SIGCONT), 0);
    on(&n.far, ASK("5003"));
    EVELOG_UNTIL(eve, .port = 5003); /* after the requests about the others */
    report = site_report(&n);
    cr_expect_eq(site_sum(report, &(struct site_filter){.rule = "by-first", .port = 61000}).connections, 1);
    cr_expect_eq(site_sum(report, &(struct site_filter){.rule = "by-second", .port = 61000}).connections, 0);
    json_decref(report);
}

/* Expect a refused exchange, which has no owner, to be judged like any other use of the port, without a lookup. */
static void expect_refused_undecided(void)
{
    json_t *report;

    on(&n.far, "perl -MIO::Socket::INET -e 'exit !!IO::Socket::INET->new(PeerAddr=>\"10.1.0.1\",PeerPort=>41900)'");
    on(&n.far, ASK("40404"));
    EVELOG_UNTIL(eve, .port = 40404); /* requested after it */
    report = site_report(&n);
    cr_expect_eq(site_sum(report, &(struct site_filter){.verdict = "allowed", .rule = "passive", .port = 41900}).connections, 1);
    cr_expect_eq(site_sum(report, &(struct site_filter){.port = 41900}).connections, 1, "counted twice, or under two verdicts");
    json_decref(report);
}

/* Check FTP: no findings of passive connections, active ones as companions. */
static void expect_ftp(json_t *report)
{
    size_t i, active = 0;
    json_t *f;

    json_array_foreach(json_object_get(report, "findings"), i, f) {
        json_int_t port = json_integer_value(json_object_get(f, "port"));
        const char *rule = json_string_value(json_object_get(f, "rule"));

        cr_expect(port < 41000 || port > 41099, "a finding on passive port %lld: %s", port,
                  json_string_value(json_object_get(f, "verdict")));
        if (!rule || strcmp(rule, "implied-ftp-data"))
            continue;
        active++;
        cr_expect_str_eq(json_string_value(json_object_get(f, "verdict")), "implied");
        cr_expect_str_eq(json_string_value(json_object_get(f, "severity")), "info");
    }
    cr_expect_eq(active, 3, "%zu active connections", active);
    cr_expect_gt(site_sum(report, &(struct site_filter){.verdict = "allowed", .rule = "passive"}).rx_packets, 0);
}

Test(vouching, by_the_owner_of_the_parent_exchange, .init = setup, .timeout = NETNS_TIMEOUT_S)
{
    struct evelog log = {0};
    json_t *report;

    start_all(&n.far, sessions);
    until_done("10.1.0.1");
    until_done("10.1.0.9");
    until_done("fd00:10::1");
    expect_refused_undecided();
    on(&n.far, ASK("41501"));
    on(&n.far, CONNECT("111"));
    cr_assert(netns_until(is_mount_told, NULL, NETNS_DEADLINE_MS), "nothing told of port 45000");
    on(&n.far, ASK_UDP("45010"));
    on(&n.far, CONNECT("44444"));
    on(&n.far, ASK("46000"));
    on(&n.far, ASK("46100"));
    on(&n.far, ASK("46200"));
    on(&n.ns, "perl -MIO::Socket::INET -e 'alarm 20;" TALK("135") TALK("49153") "'");
    start_all(&n.ns, at_node_later);
    for (const unsigned *port = (const unsigned[]){41501, 44444, 46000, 46100, 46200, 49153, 0}; *port; port++)
        EVELOG_UNTIL(eve, .port = *port);
    EVELOG_UNTIL(eve, .port = 49154, .outcome = "data");

    EVELOG_UNTIL(eve, .port = 45010, .name = "inbound-data");

    evelog_add(&log, eve);
    expect_told(&log, 40404, 1, "unexpected", "other-owner", "perl");
    expect_told(&log, 44444, 1, "unexpected", "other-owner", "perl");
    expect_told(&log, 41501, 1, "unexpected", "other-owner", "perl");
    expect_told(&log, 46100, 1, "unexpected", "other-owner", "python3");
    expect_told(&log, 46200, 1, "unexpected", "other-owner", "python3");
    expect_told(&log, 46000, 1, "unexpected", "other-owner", "perl");
    cr_expect_str_eq(evelog_fact(evelog_last(&log, &(struct evelog_filter){.port = 45010, .name = "inbound-data"}), "process"), "perl");
    expect_told(&log, 45000, 4, "implied", "", "python3");
    expect_told(&log, 49153, 4, "implied", "", "perl");
    expect_told(&log, 49154, 1, "unexpected", "other-owner", "socat");
    evelog_assert_sound(&log);
    evelog_clear(&log);
    expect_silent_decided();
    expect_judged_as_it_was();
    report = site_report(&n);
    site_assert_identities(report);
    expect_ftp(report);
    json_decref(report);
    site_detach(&n, SIGTERM);
    site_end(&n);
}

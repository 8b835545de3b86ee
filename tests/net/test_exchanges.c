/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Real programs that use datagrams, each as the node's service or client: who opened the exchange, by which evidence,
 * its verdict, and everything that is reported. Also tools of an intruder: perl, ncat, socat, scapy.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "site.h"

#define WINDOW_MS 5000 /* timeout of datagrams, and the time after attaching in which directions are uncertain */
#define MAX_SERVERS 3

/* Wait for a datagram on socket $s and answer its sender: from $s, or from the address in $ANSWER. */
#define PERL "perl -MSocket -MIO::Socket::INET -e '"
#define UDP_SOCKET(address, port) "$s=IO::Socket::INET->new(Proto=>\"udp\",LocalAddr=>\"" address "\",LocalPort=>" \
    port ",ReuseAddr=>1) or die;"
#define UDP_ANSWER(from) "while(defined($to=recv($s,$b,999,0))){send(" from ",$b,0,$to)}'"
#define UDP_ASK(from, to, port) PERL "alarm 20;$s=IO::Socket::INET->new(Proto=>\"udp\",LocalPort=>" from ") or die;" \
    "$to=sockaddr_in(" port ",inet_aton(\"" to "\"));$SIG{ALRM}=sub{die};" \
    "for(1..3){send($s,\"question\",0,$to);recv($s,$b,999,0)}'"

struct exchange {
    const char *name, *policy;
    const char *prepare;                /* on the node, before anything is attached */
    const char *at_node[MAX_SERVERS];   /* servers on the node … */
    const char *at_far[MAX_SERVERS];    /* … and on the other end */
    int node_port, far_port;            /* UDP ports to wait for; 0: nothing to wait for */
    const char *node_runs, *far_runs;   /* then run, in this order, to their ends */
    const char *reported;                   /* "severity direction protocol port verdict outcome evidence; ", in order */
    const char *allowed;                /* "direction protocol port rule; " */
};

#define LISTED "inbound tcp 445 SMB\noutbound udp 53 DNS name=dns\noutbound udp 123 NTP name=ntp\n"
#define CHRONY "exec chronyd -x -d -u root -f "
#define CHRONY_SERVER(name) "printf 'local stratum 8\\nallow all\\ncmdport 0\\nbindcmdaddress /\\npidfile %s\\n' " \
    "$DIR/" name ".pid >$DIR/" name ".conf; "
#define CHRONY_CLIENT(name, server) "printf 'server " server " iburst maxsamples 1\\nacquisitionport 123\\nport 123\\nallow 127/8\\n" \
    "cmdport 0\\nbindcmdaddress /\\npidfile %s\\n' $DIR/" name ".pid >$DIR/" name ".conf"
#define DNSMASQ "exec dnsmasq -k -C /dev/null --no-resolv --no-hosts --user=root --group=root --pid-file= "
#define DNS_QUERY(to) PERL "$s=IO::Socket::INET->new(Proto=>\"udp\",PeerAddr=>\"" to "\",PeerPort=>53) or die;" \
    "alarm 20;for(1..3){send($s,pack(\"nnnnnn\",$_,256,1,0,0,0).\"\\x04host\\x04test\\0\".pack(\"nn\",1,1),0);" \
    "recv($s,$b,999,0);(unpack(\"n4\",$b))[3]==1 or die}'"
#define SCAPY "/usr/bin/python3 -c 'from scapy.all import *; conf.verb=0; "
/* Send a TCP segment with payload and a valid checksum through a raw socket. */
#define RAW_SEGMENT(from, to, address) PERL "socket($s,2,3,6) or die;my @t=(" from "," to ",1,1,0x5010,999,0,0);" \
    "my ($src,$dst)=(inet_aton(\"" address "\" eq \"10.1.0.1\"?\"10.1.0.2\":\"10.1.0.1\"),inet_aton(\"" address "\"));" \
    "my $h=pack(\"nnNNnnnn\",@t).\"payload!\";my $c=0;$c+=$_ for unpack(\"n*\",$src.$dst.pack(\"nn\",6,length $h).$h);" \
    "$c=($c>>16)+($c&65535) while $c>>16;$t[6]=~$c&65535;" \
    "send($s,pack(\"nnNNnnnn\",@t).\"payload!\",0,sockaddr_in(0,$dst)) or die'"

static const struct exchange exchanges[] = {
    {.name = "perl, asked from port 53", .policy = LISTED,
     .at_node = {PERL UDP_SOCKET("10.1.0.1", "4444") UDP_ANSWER("$s")}, .node_port = 4444,
     .far_runs = UDP_ASK("53", "10.1.0.1", "4444"),
     .reported = "high inbound udp 4444 unexpected data first; "},
    {.name = "perl, answering from another port", .policy = LISTED,
     .at_node = {PERL "$t=IO::Socket::INET->new(Proto=>\"udp\",LocalAddr=>\"10.1.0.1\",LocalPort=>4445) or die;"
                 UDP_SOCKET("10.1.0.1", "4444") UDP_ANSWER("$t")}, .node_port = 4444,
     .far_runs = UDP_ASK("53", "10.1.0.1", "4444"),
     .reported = "high inbound udp 4444 unexpected answered first; high inbound udp 4445 unexpected answered first; "},
    {.name = "perl, answering from another address", .policy = LISTED, .prepare = "ip addr add 10.1.0.9/24 dev node0",
     .at_node = {PERL "$t=IO::Socket::INET->new(Proto=>\"udp\",LocalAddr=>\"10.1.0.1\",LocalPort=>161) or die;"
                 UDP_SOCKET("10.1.0.9", "161") UDP_ANSWER("$t")}, .node_port = 161,
     .far_runs = UDP_ASK("5000", "10.1.0.9", "161"),
     .reported = "high inbound udp 161 unexpected data first; "},
    {.name = "ncat, which connects its socket silently", .policy = LISTED,
     .at_node = {"exec ncat -u -l 10.1.0.1 4444 -e /bin/cat"}, .node_port = 4444,
     .far_runs = UDP_ASK("53", "10.1.0.1", "4444"),
     .reported = "high inbound udp 4444 unexpected data first; "},
    {.name = "socat", .policy = LISTED,
     .at_node = {"exec socat UDP4-LISTEN:4444,fork,reuseaddr EXEC:cat"}, .node_port = 4444,
     .far_runs = UDP_ASK("123", "10.1.0.1", "4444"),
     .reported = "high inbound udp 4444 unexpected data first; "},
    /* Like IKE: port 500 on both ends; the first sender opened. */
    {.name = "500 to 500, the node first", .policy = LISTED,
     .at_far = {"exec socat UDP4-LISTEN:500,fork,reuseaddr EXEC:cat"}, .far_port = 500,
     .node_runs = UDP_ASK("500", "10.1.0.2", "500"),
     .reported = "medium outbound udp 500 unexpected data first; "},
    {.name = "500 to 500, the other end first", .policy = LISTED,
     .at_node = {"exec socat UDP4-LISTEN:500,fork,reuseaddr EXEC:cat"}, .node_port = 500,
     .far_runs = UDP_ASK("500", "10.1.0.1", "500"),
     .reported = "high inbound udp 500 unexpected data first; "},
    /* Like WireGuard. */
    {.name = "51820 to 51820, listed outbound", .policy = LISTED "outbound udp 51820 WireGuard name=wg\n",
     .at_far = {PERL UDP_SOCKET("10.1.0.2", "51820") UDP_ANSWER("$s")}, .far_port = 51820,
     .node_runs = UDP_ASK("51820", "10.1.0.2", "51820"), .reported = "", .allowed = "outbound udp 51820 wg; "},
    {.name = "51820 to 51820, listed outbound, the other end first",
     .policy = LISTED "outbound udp 51820 WireGuard name=wg\n",
     .at_node = {PERL UDP_SOCKET("10.1.0.1", "51820") UDP_ANSWER("$s")}, .node_port = 51820,
     .far_runs = UDP_ASK("51820", "10.1.0.1", "51820"),
     .reported = "high inbound udp 51820 unexpected data first; "},
    /* The first packet goes to port 69, all others use two ports without a rule. */
    {.name = "TFTP, with answers from any port", .policy = LISTED "inbound udp 69 TFTP name=tftp answers=any-port\n",
     .prepare = "mkdir -p $DIR/tftp && chmod 755 $DIR $DIR/tftp && seq 300 >$DIR/tftp/file && chmod 644 $DIR/tftp/file",
     .at_node = {DNSMASQ "--port=0 --enable-tftp --tftp-root=$DIR/tftp --tftp-port-range=50000,50000"},
     .node_port = 69, .far_runs = "cd $DIR && busybox tftp -g -r file -l got 10.1.0.1 && cmp got tftp/file",
     .reported = "info inbound udp 50000 implied data first; ", .allowed = "inbound udp 69 tftp; "},
    {.name = "TFTP, with answers from the port alone", .policy = LISTED "inbound udp 69 TFTP name=tftp\n",
     .prepare = "mkdir -p $DIR/tftp && chmod 755 $DIR $DIR/tftp && seq 300 >$DIR/tftp/file && chmod 644 $DIR/tftp/file",
     .at_node = {DNSMASQ "--port=0 --enable-tftp --tftp-root=$DIR/tftp --tftp-port-range=50000,50000"},
     .node_port = 69, .far_runs = "cd $DIR && busybox tftp -g -r file -l got 10.1.0.1 && cmp got tftp/file",
     .reported = "high inbound udp 50000 unexpected data first; ", .allowed = "inbound udp 69 tftp; "},
    /* A resolver that also sends its queries from port 53; its client is on the node. */
    {.name = "dnsmasq as resolver, 53 to 53", .policy = LISTED,
     .at_node = {DNSMASQ "--server=10.1.0.2@10.1.0.1#53 --bind-interfaces --cache-size=0 --listen-address=127.0.0.1"},
     .at_far = {DNSMASQ "--address=/host.test/10.1.0.7"}, .node_port = 53, .far_port = 53,
     .node_runs = DNS_QUERY("127.0.0.1"), .reported = "", .allowed = "outbound udp 53 dns; "},
    {.name = "dnsmasq as server", .policy = LISTED, .at_node = {DNSMASQ "--address=/host.test/10.1.0.7"},
     .node_port = 53, .far_runs = DNS_QUERY("10.1.0.1"),
     .reported = "high inbound udp 53 unexpected data first; "},
    {.name = "dnsmasq as listed server", .policy = LISTED "inbound udp 53 DNS name=dns-in\n",
     .at_node = {DNSMASQ "--address=/host.test/10.1.0.7"}, .node_port = 53, .far_runs = DNS_QUERY("10.1.0.1"),
     .reported = "", .allowed = "inbound udp 53 dns-in; "},
    /* NTP from port 123 to port 123. */
    {.name = "chrony as client", .policy = LISTED, .prepare = CHRONY_SERVER("far") CHRONY_CLIENT("node", "10.1.0.2"),
     .at_far = {CHRONY "$DIR/far.conf"}, .far_port = 123,
     .node_runs = "chronyd -Q -d -t 20 -u root -f $DIR/node.conf",
     .reported = "", .allowed = "outbound udp 123 ntp; "},
    {.name = "chrony as server", .policy = LISTED, .prepare = CHRONY_SERVER("node") CHRONY_CLIENT("far", "10.1.0.1"),
     .at_node = {CHRONY "$DIR/node.conf"}, .node_port = 123,
     .far_runs = "chronyd -Q -d -t 20 -u root -f $DIR/far.conf",
     .reported = "high inbound udp 123 unexpected data first; "},
    {.name = "rpcbind", .policy = LISTED,
     .at_node = {"exec unshare -m sh -c 'mount -t tmpfs none /run && exec rpcbind -f -h 10.1.0.1'"}, .node_port = 111,
     .far_runs = "rpcinfo -T udp 10.1.0.1 portmapper && rpcinfo -p 10.1.0.1",
     .reported = "high inbound tcp 111 unexpected data handshake; high inbound udp 111 unexpected data first; "},
    {.name = "rpcbind, listed", .policy = LISTED "inbound tcp,udp 111 rpcbind name=rpc\n",
     .at_node = {"exec unshare -m sh -c 'mount -t tmpfs none /run && exec rpcbind -f -h 10.1.0.1'"}, .node_port = 111,
     .far_runs = "rpcinfo -T udp 10.1.0.1 portmapper && rpcinfo -p 10.1.0.1",
     .reported = "", .allowed = "inbound tcp 111 rpc; inbound udp 111 rpc; "},
    /* Groups: the answer comes from the node's own address. */
    {.name = "mDNS", .policy = LISTED, .prepare = "ip route add 224.0.0.0/4 dev node0",
     .at_node = {PERL UDP_SOCKET("0.0.0.0", "5353")
                 "setsockopt($s,0,35,inet_aton(\"224.0.0.251\").inet_aton(\"10.1.0.1\")) or die;" UDP_ANSWER("$s")},
     .node_port = 5353,
     .far_runs = "ip route add 224.0.0.0/4 dev far0; " UDP_ASK("5353", "224.0.0.251", "5353"),
     .reported = "info inbound udp 5353 unexpected answered first; "},
    {.name = "NetBIOS names", .policy = LISTED, .prepare = "ip addr add 10.1.0.1/24 brd + dev node0 2>/dev/null || "
                "ip addr change 10.1.0.1/24 brd + dev node0",
     .at_node = {PERL UDP_SOCKET("0.0.0.0", "137") UDP_ANSWER("$s")}, .node_port = 137,
     .far_runs = PERL "alarm 20;$SIG{ALRM}=sub{die};$s=IO::Socket::INET->new(Proto=>\"udp\",LocalPort=>137,Broadcast=>1)"
                 " or die;for(1..3){send($s,\"name?\",0,sockaddr_in(137,inet_aton(\"10.1.0.255\")));recv($s,$b,999,0)}'",
     .reported = "info inbound udp 137 unexpected answered first; "},
    /* TCP made by hand on both ends: data in one direction each, between unrelated ports. */
    {.name = "scapy, segments one way each", .policy = LISTED,
     .far_runs = SCAPY "send(IP(dst=\"10.1.0.1\")/TCP(sport=7001,dport=7002,flags=\"A\")/b\"command\")'",
     .node_runs = SCAPY "send(IP(dst=\"10.1.0.2\")/TCP(sport=7003,dport=7004,flags=\"A\")/b\"answer\")'",
     .reported = "medium unknown - 0 undecided data none; "},
    {.name = "perl, raw segments one way each", .policy = LISTED,
     .far_runs = RAW_SEGMENT("7001", "7002", "10.1.0.1"), .node_runs = RAW_SEGMENT("7003", "7004", "10.1.0.2"),
     .reported = "medium unknown - 0 undecided data none; "},
    /* Requested on one port, answered to another: two attempts, each of which may answer the other. */
    {.name = "perl, answering to another port", .policy = LISTED,
     .at_node = {PERL UDP_SOCKET("10.1.0.1", "4444") "recv($s,$b,9,0);$t=IO::Socket::INET->new(Proto=>\"udp\");"
                 "send($t,\"answer\",0,sockaddr_in(7777,inet_aton(\"10.1.0.2\")));sleep 60'"}, .node_port = 4444,
     .at_far = {PERL UDP_SOCKET("10.1.0.2", "7777") "recv($s,$b,9,0);sleep 60'"}, .far_port = 7777,
     .far_runs = PERL "$s=IO::Socket::INET->new(Proto=>\"udp\");"
                 "send($s,\"question\",0,sockaddr_in(4444,inet_aton(\"10.1.0.1\")))'",
     .reported = "medium inbound udp 4444 unexpected attempted first; medium outbound udp 7777 unexpected attempted first; "},
    /* Also from a raw socket, but in one direction: nobody answers. */
    {.name = "perl, raw segments of the node alone", .policy = LISTED,
     .node_runs = RAW_SEGMENT("7003", "7004", "10.1.0.2"), .reported = ""},
    /* Protocols without ports: ordinary use, and with a load. */
    {.name = "ping, small and large", .policy = LISTED, .prepare = "ip link set node0 mtu 9000",
     .far_runs = "ip link set far0 mtu 9000; ping -q -c 5 -i 0.2 10.1.0.1 && ping -q -c 3 -i 0.2 -s 8972 -M do 10.1.0.1",
     .reported = "info inbound icmp 0 infra data first; "},
    {.name = "scapy, an ICMP type of no use", .policy = LISTED,
     .far_runs = "ping -q -c 2 -i 0.2 10.1.0.1; " SCAPY "send(IP(dst=\"10.1.0.1\")/ICMP(type=200)/b\"command\")'",
     .reported = "low inbound icmp 0 unexpected attempted first; "},
    {.name = "scapy, a tunnel in ICMP", .policy = LISTED,
     .far_runs = SCAPY "send(IP(dst=\"10.1.0.1\")/ICMP(type=13)/(b\"command\"*50))'",
     .node_runs = SCAPY "send(IP(dst=\"10.1.0.2\")/ICMP(type=13)/(b\"answer\"*50))'",
     .reported = "high inbound icmp 0 unexpected data first; "},
    {.name = "scapy, a tunnel in ARP", .policy = LISTED,
     .far_runs = SCAPY "sendp(Ether(src=\"02:00:00:00:00:02\",dst=\"02:00:00:00:00:01\")/ARP()/(b\"command\"*50),iface=\"far0\")'",
     .node_runs = SCAPY "sendp(Ether(src=\"02:00:00:00:00:01\",dst=\"02:00:00:00:00:02\")/ARP()/(b\"answer\"*50),iface=\"node0\")'",
     .reported = "high non_ip 0x0806 0 unexpected data none; "},
    {.name = "scapy, IGMP to the node alone", .policy = LISTED,
     .far_runs = SCAPY "send(IP(dst=\"10.1.0.1\",proto=2)/(b\"command\"*50))'",
     .reported = "low inbound - 0 unexpected attempted first; "},
    {.name = "perl, DHCP of nobody's server", .policy = LISTED,
     .far_runs = PERL "$s=IO::Socket::INET->new(Proto=>\"udp\",LocalPort=>67) or die;"
                 "send($s,\"command\",0,sockaddr_in(68,inet_aton(\"10.1.0.1\")))'",
     .reported = "low inbound udp 68 unexpected refused first; "},
    /* The answer looks like a refusal, but carries data. */
    {.name = "scapy, an answer in a reset", .policy = LISTED,
     .prepare = "nft add table t && nft 'add chain t o {type filter hook input priority 0;}' && "
                "nft add rule t o tcp dport 4444 drop",
     .far_runs = SCAPY "send(IP(dst=\"10.1.0.1\")/TCP(sport=5000,dport=4444,flags=\"S\",seq=7))'",
     .node_runs = SCAPY "send(IP(dst=\"10.1.0.2\")/TCP(sport=4444,dport=5000,flags=\"RA\",ack=8)/b\"answer\")'",
     .reported = "high inbound tcp 4444 unexpected answered handshake; "},
};

static void let_pass(int ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&wait, NULL);
}

static int by_text(const void *x, const void *y)
{
    return strcmp(x, y);
}

static const char *text_of(json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));

    return text ? text : "-";
}

/*
 * Return the severity of a finding as if the node had seen its program before. Whether the auditor meets a program that
 * lives for a moment is chance; where it does, a new one that talks to the outside is high instead of medium.
 */
static const char *severity_of(json_t *row)
{
    if (!json_is_true(json_object_get(row, "new_program")) || strcmp(text_of(row, "direction"), "outbound") ||
        (strcmp(text_of(row, "outcome"), "answered") && strcmp(text_of(row, "outcome"), "data")))
        return text_of(row, "severity");
    cr_assert_str_eq(text_of(row, "severity"), "high");
    return "medium";
}

/* List all findings as exchange.reported, except IPv6's own traffic; or all allowed meters as exchange.allowed. */
static void describe(json_t *rows, bool findings, char *ret, size_t size)
{
    static char lines[32][160];
    size_t i, n = 0, used = 0;
    json_t *row;

    json_array_foreach(rows, i, row) {
        int port = (int)json_integer_value(json_object_get(row, "port"));

        cr_assert_lt(n, 32u);
        if (findings)
            snprintf(lines[n], sizeof(lines[n]), "%s %s %s %d %s %s %s; ", severity_of(row),
                     text_of(row, "direction"), text_of(row, "protocol"), port, text_of(row, "verdict"),
                     text_of(row, "outcome"), text_of(row, "evidence"));
        else if (!strcmp(text_of(row, "verdict"), "allowed") && json_integer_value(json_object_get(row, "connections")))
            snprintf(lines[n], sizeof(lines[n]), "%s %s %d %s; ", text_of(row, "direction"), text_of(row, "protocol"),
                     port, text_of(row, "rule"));
        else
            continue;
        n++;
    }
    qsort(lines, n, sizeof(*lines), by_text);
    *ret = '\0';
    for (i = 0; i < n; i++)
        used += (size_t)snprintf(ret + used, size - used, "%s", lines[i]);
}

struct look {
    struct site *n;
    const struct exchange *e;
    char reported[2048], allowed[2048];
};

static bool as_wanted(void *argument)
{
    struct look *l = argument;
    json_t *report = site_report(l->n);

    site_assert_identities(report);
    describe(json_object_get(report, "findings"), true, l->reported, sizeof(l->reported));
    describe(json_object_get(report, "meters"), false, l->allowed, sizeof(l->allowed));
    json_decref(report);
    return !strcmp(l->reported, l->e->reported) && !strcmp(l->allowed, l->e->allowed ? l->e->allowed : "");
}

static pid_t start(struct site *n, const struct netns *ns, const char *command, const char *log)
{
    char line[4096], path[128];
    char *argv[] = {"sh", "-c", line, NULL};

    snprintf(line, sizeof(line), "DIR=%s; %s", n->dir, command);
    snprintf(path, sizeof(path), "%s/%s", n->dir, log);
    return netns_start(ns, path, argv);
}

static void run(struct site *n, const struct netns *ns, const char *command)
{
    if (command)
        netns_run(ns, "DIR=%s; %s", n->dir, command);
}

/* A running exchange: its node and programs. */
struct running {
    struct site n;
    pid_t servers[2 * MAX_SERVERS];
    size_t started;
};

static void begin(struct running *r, const struct exchange *e, const char *mode)
{
    site_make(&r->n);
    run(&r->n, &r->n.ns, e->prepare);
    for (size_t i = 0; i < MAX_SERVERS && e->at_node[i]; i++)
        r->servers[r->started++] = start(&r->n, &r->n.ns, e->at_node[i], "node.log");
    for (size_t i = 0; i < MAX_SERVERS && e->at_far[i]; i++)
        r->servers[r->started++] = start(&r->n, &r->n.far, e->at_far[i], "far.log");
    if (e->node_port)
        netns_until_port(&r->n.ns, "udp", (uint16_t)e->node_port);
    if (e->far_port)
        netns_until_port(&r->n.far, "udp", (uint16_t)e->far_port);
    site_attach(&r->n, e->policy, mode);
}

static void finish(struct running *r, const struct exchange *e)
{
    struct look look = {.n = &r->n, .e = e};

    run(&r->n, &r->n.far, e->far_runs);
    run(&r->n, &r->n.ns, e->node_runs);
    cr_expect(netns_until(as_wanted, &look, NETNS_DEADLINE_MS),
              "%s\n told:    '%s'\n not:     '%s'\n allowed: '%s'\n not:     '%s'", e->name, look.reported, e->reported,
              look.allowed, e->allowed ? e->allowed : "");
    for (size_t i = 0; i < r->started; i++)
        netns_stop(r->servers[i], SIGKILL);
    site_end(&r->n);
}

#define BATCH 4u /* nodes that wait for the first timeout together */
#define N_EXCHANGES (sizeof(exchanges) / sizeof(*exchanges))

ParameterizedTestParameters(exchanges, of_real_programs)
{
    enum { N = (N_EXCHANGES + BATCH - 1) / BATCH };
    unsigned *numbers = cr_malloc(N * sizeof(*numbers));

    for (unsigned i = 0; i < N; i++)
        numbers[i] = i * BATCH;
    return cr_make_param_array(unsigned, numbers, N);
}

ParameterizedTest(unsigned *first, exchanges, of_real_programs, .timeout = NETNS_TIMEOUT_S)
{
    static const char *const modes[] = {"--mode xdp --udp-timeout 5", "--mode tc --udp-timeout 5"};
    static struct running running[BATCH];

    for (unsigned i = 0; i < BATCH && *first + i < N_EXCHANGES; i++)
        begin(&running[i], &exchanges[*first + i], modes[i % 2]);
    let_pass(WINDOW_MS + 500);
    for (unsigned i = 0; i < BATCH && *first + i < N_EXCHANGES; i++)
        finish(&running[i], &exchanges[*first + i]);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * qportwatch.h - what a packet touches: keys and values of the maps that the BPF programs read and write, events.
 *
 * Shared by the BPF programs and user space. Enums and their names: qportwatch_words.h. What only user space reads:
 * qportwatch_user.h. Fixed-width types only, explicit padding, a static assertion on every size.
 *
 * Conventions
 *   addresses   16 bytes, network order; IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2)
 *   ports       host order; ICMP and ICMPv6 types stand where a port stands
 *   *_ns        nanoseconds of CLOCK_MONOTONIC with the resolution of a jiffy; in a replay,
 *               nanoseconds of the capture's own clock (Unix time)
 *   bytes       as on the wire with Ethernet header and tags, without FCS
 *   slots       number of a row of the per-CPU `counters` array; 0 is "none"
 */
#ifndef QPORTWATCH_H
#define QPORTWATCH_H

#include <linux/bpf.h> /* struct bpf_spin_lock */
#include <linux/types.h>

#include "qportwatch_words.h"
#include "speaks.h"

/*
 * Raise it with every change of a layout, here or in qportwatch_user.h: programs of another version are not taken over.
 */
#define QPW_ABI_VERSION 31u
#define QPW_ABI_MAGIC 0x71705741u /* "qpWA" */

/* Keys are copied and compared by words of eight bytes. */
#define QPW_WORDS __attribute__((aligned(8)))

#define QPW_MAX_IFACES 64
#define QPW_MAX_RULES 8192 /* stable rule ids, over all reloads of one attachment */

/* Meaning of `port` and `protocol` in a meter or finding. */
enum qpw_kind {
    QPW_KIND_NONE = 0,
    QPW_KIND_PORT,      /* TCP, UDP, SCTP: port is the service port (0: not known) */
    QPW_KIND_ICMP,      /* ICMP, ICMPv6: port is the type */
    QPW_KIND_PROTOCOL,  /* any other IP protocol: no port */
    QPW_KIND_ETHERTYPE, /* non-IP: port is the EtherType, or below 0x600 the LLC DSAP (802.3) */
};
#define QPW_ETHERTYPE_CDP 0x0100 /* SNAP 00-00-0c/2000, shown as "CDP"; not a real EtherType */

/* ---- Connections ---- */

struct qpw_conn_key {
    __u8 local[16];
    __u8 remote[16];
    __u16 local_port; /* 0 for protocols without ports, ICMP included */
    __u16 remote_port;
    __u8 protocol;
    __u8 pad[3];
} QPW_WORDS;

enum qpw_conn_state {
    QPW_STATE_NONE = 0,
    QPW_STATE_SYN,         /* SYN seen */
    QPW_STATE_SYN_ACK,     /* SYN+ACK seen */
    QPW_STATE_ESTABLISHED, /* initiator acknowledged the SYN+ACK */
    QPW_STATE_MIDSTREAM,   /* TCP without its handshake */
    QPW_STATE_CLOSED,      /* both FINs or RST: what follows is its tail */
    QPW_STATE_DATAGRAM,    /* everything that is not TCP */
};

/* qpw_conn.flags. Set again by each packet they follow from, so that a lost racing write mends itself. */
#define QPW_CONN_TENTATIVE_LOCAL 0x01  /* a SYN of the local end on a live tuple waits for confirmation */
#define QPW_CONN_TENTATIVE_REMOTE 0x02
#define QPW_CONN_RST_REMOTE 0x04       /* closed by a RST from the network: undone if the node goes on */
#define QPW_CONN_SENT_LOCAL 0x08       /* the node sent something; TCP: payload, or without a handshake more than a RST */
#define QPW_CONN_SENT_REMOTE 0x10      /* the same of the other end */
#define QPW_CONN_ASKED 0x20            /* user space was asked for the socket of this tuple */
#define QPW_CONN_REMOTE_FIRST 0x40     /* direction unknown: the remote end sent the first packet */
#define QPW_CONN_SELF 0x80             /* replay: both ends are local */
/* Datagrams have no SYNs: the same bits. */
#define QPW_CONN_GRACE 0x01            /* taken for the answer to what the node sent to a group, until the node replies */
#define QPW_CONN_ELSEWHERE 0x02        /* opened by an answer from another port than was asked: asked_port */
#define QPW_CONN_GROUP 0x20            /* answers what a group or broadcast address was asked: asked_number */

/* In qpw_conn.vlan beside the id: no packet of the initiator was seen yet, whose tag is the one that counts. */
#define QPW_CONN_VLAN_UNSURE 0x8000u
#define QPW_CONN_PARENT 0x4000u /* there, too: an answered exchange on its rule vouches for others */
#define QPW_CONN_EACH 0x2000u   /* each of its packets is judged by itself: the rule asks for a shape */
#define QPW_CONN_PROVISIONAL 0x1000u /* a live parent vouches for it, if its owner fits: that is not decided yet */
#define QPW_VLAN_ID 0x0fffu

#define QPW_END_FIN 0x01     /* its FIN was seen */
#define QPW_END_PAYLOAD 0x02 /* TCP: it sent payload, in any segment */
#define QPW_END_UNSEEN 0x04  /* TCP: it has answered according to the socket table; none of its packets was seen */
#define QPW_END_UNEXPECTED 0x08 /* ICMP, which is judged by packet: it sent some that was unexpected */
#define QPW_END_ECHO 0x10    /* ICMP: it sent a large echo request */
#define QPW_END_VOUCHED 0x20 /* [1] only: a parent has vouched for it, which holds for as long as it lives */
#define QPW_END_OWNER_ASKED 0x40 /* [1] only: user space was asked whether its owner fits */

struct qpw_conn {
    __u64 first_ns;
    __u64 last_ns;
    union {
        __u32 isn;        /* TCP: sequence number of the accepted SYN */
        struct {          /* datagrams */
            __u16 asked_port;
            __u8 asked_number; /* of the address in `asked` */
            __u8 asked_pad;
        };
    };
    __u32 synack_seq; /* sequence number of the SYN+ACK; until that is known, the initiator's first acknowledgement */
    __u32 tentative_seq;
    __u16 generation; /* policy under which verdict and rule were found: the lower half, see qpw_is_judged() */
    __u8 speaks[2];   /* what the first bytes of its ends look like, QPW_SPEECH*: [0] of the remote end, [1] of the local one */
    /* Whole bytes: the kernel refuses others in what lies behind a spin lock. */
    __u32 owner : 24; /* number of its owner (struct qpw_owner_set), 0: none is known */
    __u32 iface : 8;  /* number of the interface of the packet that `vlan` is of */
    __u16 finding;    /* slot of its finding, 0: none */
    __u16 rule;
    __u16 peer;       /* qpw_conn_peer(); or, with QPW_CONN_SPEAKS, the services that the rule names: peers are not asked */
    __u16 vlan;       /* QPW_VLAN_ID of the initiator's first packet, or of the first that was seen; and the two above */
    __u16 meter;      /* slot of the meter that counted it as a connection */
    __u8 state;
    __u8 flags;
    __u8 direction;
    __u8 evidence;
    __u8 outcome;
    __u8 verdict;
    __u8 reason;
    __u8 conn_class;
    __u8 end[2]; /* QPW_END_*, [0] of the remote end, [1] of the local one: bytes, so that two CPUs can write at once */
};

#define QPW_CONN_SPEAKS 0x8000u /* in qpw_conn.peer */

/* Number of the peer at the remote end, 0: it is none. */
static inline __u16 qpw_conn_peer(const struct qpw_conn *c)
{
    return c->peer & QPW_CONN_SPEAKS ? 0 : c->peer;
}

/* The services that its rule names, QPW_SPEAKS(); 0: none, or it is not asked. */
static inline __u32 qpw_conn_services(const struct qpw_conn *c)
{
    return c->peer & QPW_CONN_SPEAKS ? c->peer & QPW_SPEAKS_SERVICES : 0;
}

static inline __u8 qpw_conn_scope(const struct qpw_conn *c)
{
    return c->flags & QPW_CONN_SELF ? QPW_SCOPE_SELF : qpw_conn_peer(c) ? QPW_SCOPE_PEER : QPW_SCOPE_OTHER;
}

/* Whether it speaks another service than its rule names. */
static inline int qpw_conn_mismatch(const struct qpw_conn *c)
{
    return c->verdict == QPW_VERDICT_ALLOWED && ((c->speaks[0] | c->speaks[1]) & QPW_SPEECH_MISMATCH);
}

/*
 * The beginning of what one end of a TCP connection sends, while it is too short to be classified: put together from
 * segments, and wiped afterwards. Slots are chosen by hash; a stream that loses its slot is classified by what it had.
 */
#define QPW_HEADS 4096u
struct qpw_head_part {
    struct bpf_spin_lock lock;
    __u32 n;           /* bytes that are there */
    __u64 id;          /* of connection and end; 0: unused */
    __u64 first, last; /* as in struct qpw_head */
    __u32 next;        /* bytes of the stream up to here */
    __u16 zeros;       /* so many of them were all of the first segments, and zero */
    __u16 others;      /* segments with payload that were no continuation */
};

/*
 * Connections of a meter on a listed port by what came of asking what speaks on them, enum qpw_judged; [0] is unused.
 * Those that are in none have ended, or go on, without a word of the node's end. The value's number is the meter's
 * slot.
 */
#define QPW_JUDGED_VALUES 8u
struct qpw_judged_counts {
    __u64 n[QPW_JUDGED_VALUES];
};

/*
 * The table of half-open connections is an array of sets. A keyed hash (tag.h) gives an exchange's set and its mark
 * there; a full set evicts an expired entry or the oldest of a sample.
 *
 * A connection that is established stays in its set at first, held there: most are short, and two moves cost more than
 * the rest of a short one. It moves to the table of the established once it is QPW_HELD_NS old, and at once where another
 * one of its sample is held: three quarters of each set are left to the half-open ones.
 */
#define QPW_HALF_WAYS 16u
#define QPW_HALF_SAMPLE 4u /* one of so many makes room: reading all of a set costs a cache miss each */
#define QPW_HELD_NS 10000000000ull
#define QPW_CLASS_HELD 0x80u /* in qpw_conn.conn_class, with QPW_CLASS_EST: it stands in its set; user space never sees it */
struct qpw_half_entry {
    struct qpw_conn_key key;
    struct qpw_conn conn;
};
struct qpw_half {
    struct bpf_spin_lock lock;  /* held while entering or taking out; who may search without it: see bpf/half.h */
    __u32 hand;                 /* where the search for the oldest goes on */
    __u32 touched;              /* written ahead, never read: qpw_half_ahead() */
    __u16 held;                 /* a bit a way: established, which makes no room, see QPW_CLASS_HELD */
    __u16 pad;
    __u16 mark[QPW_HALF_WAYS];  /* 0: empty */
    __u64 pad2[2];              /* lock and marks are one cache line, an entry stands in two */
    struct qpw_half_entry entry[QPW_HALF_WAYS];
};

/* Counts of a slot of `counters`; with qpw_config.count_conns (replay) also of a single connection. */
struct qpw_counts {
    __u64 connections; /* in conn_counts, ICMP only: 1 + (type << 8 | code) of the first packet */
    __u64 rx_packets;
    __u64 rx_bytes;
    __u64 tx_packets;
    __u64 tx_bytes;
};

/*
 * A value of `counters`: slots stand together, because a per-CPU array costs an allocation and a pointer for each of
 * its values on each CPU. Slot n is number n % QPW_COUNTS_BLOCK of value n / QPW_COUNTS_BLOCK.
 */
#define QPW_COUNTS_BLOCK 16u
struct qpw_counts_block {
    struct qpw_counts slot[QPW_COUNTS_BLOCK];
};

/* Written by user space from sock_diag: the state of a TCP tuple in the socket table. */
struct qpw_seed {
    __u8 direction; /* QPW_DIR_INBOUND, QPW_DIR_OUTBOUND; QPW_DIR_UNKNOWN: asked and not found */
    __u8 pad[7];
    __u64 seen_ns;
};

struct qpw_frag_key {
    __u8 source[16];
    __u8 destination[16];
    __u32 id;
    __u8 protocol; /* 0 for IPv6, where fragments need not agree on it (RFC 8200, 4.5) */
    __u8 pad[3];
} QPW_WORDS;

struct qpw_frag {
    __u64 seen_ns;
    __u16 source_port; /* ICMP: the type */
    __u16 destination_port;
    __u8 protocol;
    __u8 pad[3];
};

/* ---- Owners of sockets ---- */

enum qpw_owner_how {
    QPW_OWNER_NONE = 0,  /* no process is known */
    QPW_OWNER_CREATED,   /* the process called socket(2) */
    QPW_OWNER_CONNECTED, /* it called connect(2), on a socket that another may have made */
    QPW_OWNER_LISTENER,  /* of the listening socket that answers (SYN+ACK) */
    QPW_OWNER_PACKET,    /* sent through a packet socket, which carries no note: tgid 0 */
    QPW_OWNER_HELD,      /* it held the socket, which is older than the audit, when the socket table was read */
    QPW_OWNER_MPTCP,     /* sent by a subflow of MPTCP, a socket of the kernel's own without a note: tgid 0 */
};

/* The process behind a socket of the node, noted when it made or connected it: it may end within a millisecond. */
struct qpw_owner {
    __u64 when_ns;  /* CLOCK_MONOTONIC */
    __u64 cgroup;   /* id in the unified hierarchy */
    __u64 exe;      /* the file that it executes: key in `exes`, 0: not known */
    __u32 tgid;     /* in the initial pid namespace; 0: none */
    __u32 uid;
    __u8 how;       /* enum qpw_owner_how */
    __u8 pad[3];
    __u32 number;   /* in the table of owners, 0: not entered yet; may be out of date */
    char comm[16];
};

/*
 * The table of owners: connections carry a number instead of an owner. Its sets are filled in turn. A number consists
 * of the place (set and way) and its version, so that it resolves to nobody once the owner was replaced.
 */
#define QPW_OWNER_WAYS 4u
#define QPW_OWNER_SETS 2048u
#define QPW_OWNER_INDEX_BITS 13u /* of a number; above them 11 of the version, from 1 */
#define QPW_OWNER_SET(number) (((number) >> 2) & (QPW_OWNER_SETS - 1))
#define QPW_OWNER_WAY(number) ((number) & (QPW_OWNER_WAYS - 1))
#define QPW_OWNER_NUMBER(version, set, way) \
    (((__u32)(version)&0x7ff) << QPW_OWNER_INDEX_BITS | (__u32)(set) << 2 | (__u32)(way))

struct qpw_owner_entry {
    struct qpw_owner owner; /* `number` is this entry's, 0: empty */
    __u64 last_ns;          /* when a connection was last given it */
};
struct qpw_owner_set {
    struct bpf_spin_lock lock; /* held while reading or entering */
    __u32 latest;              /* number last given to a process of this index; it may have been replaced since */
    struct qpw_owner_entry entry[QPW_OWNER_WAYS];
};

#define QPW_OLDER_SOCKETS 65536u /* without a note in the socket itself */
#define QPW_OLDER_LISTENERS 4096u

/*
 * The file that each process executes, noted at execve(2) and inherited by fork(2), so that it is known of a process
 * that has ended. A slot holds a process and the key of a path in `exes`: eight bytes, written at once. Ignore a slot
 * that the next process of its number has taken, or that became stale in a gap of the auditor.
 */
#define QPW_EXE_SLOTS 32768u      /* as many as there are process numbers on a small machine */
#define QPW_EXE_TGID 0x3fffffull  /* PID_MAX_LIMIT, include/linux/threads.h: 22 bits */
#define QPW_EXE_STALE_NS 10000000000ull /* without a heartbeat for this long, fork and execve are not followed */
struct qpw_exe_of {
    __u64 slot[QPW_EXE_SLOTS]; /* tgid | key of its executable; by tgid % QPW_EXE_SLOTS */
};

#define QPW_EXES 1024u
#define QPW_EXE_PATH 192u
struct qpw_exe {
    __u64 last_ns;           /* when it was last executed */
    char path[QPW_EXE_PATH]; /* as it was given to execve(2) */
};

/* ---- Meters and findings ---- */

/* Why packets of a peer are not counted between static addresses of the two nodes: qpw_meter_key.apart. */
enum qpw_apart {
    QPW_APART_NONE = 0, /* also of everything that is no peer's */
    QPW_APART_FLOATING, /* the node's end is an address that may move to another node */
    QPW_APART_GROUP,    /* received, to a group or broadcast address */
    QPW_APART_COUNT
};

struct qpw_meter_key {
    __u8 kind;
    __u8 protocol;
    __u8 direction;
    __u8 scope;
    __u8 verdict;
    __u8 reason;
    __u16 port;  /* the responder's service port, ICMP type or EtherType; 0: none */
    __u16 rule;
    __u16 iface; /* index into `ifaces`, from 1 */
    __u16 peer;  /* peer number, 0: none */
    __u8 apart;  /* enum qpw_apart */
    __u8 pad;
} QPW_WORDS;

struct qpw_meter {
    __u32 slot;
    __u32 pad;
    __u64 first_ns;
};

struct qpw_finding_key {
    __u8 initiator[16]; /* direction unknown: the sender of the first packet */
    __u8 responder[16];
    __u16 port;
    __u8 kind;
    __u8 protocol;
    __u8 direction;
    __u8 verdict;
    __u8 aggregated; /* 1: of many remote ends, the responder is zero; an unknown direction's port is the node's */
    __u8 pad;
} QPW_WORDS;

#define QPW_FINDING_PROGRAMS 16u /* reported at once; the auditor finds further ones with its next walk over all findings */
#define QPW_FINDING_SUPERSEDED 0x01 /* judged again since: policy, evidence or addresses changed */
#define QPW_FINDING_RESERVED 0x02   /* stands in the reserved place of its port */
#define QPW_FINDING_MULTICAST 0x04  /* to a multicast or broadcast address */
#define QPW_FINDING_REMOTE_FIRST 0x08  /* the remote end sent the first packet that was seen */
#define QPW_FINDING_ANSWERED_FROM 0x10 /* other_port is where the answer came from, in place of the key's port */
#define QPW_FINDING_MIRRORED 0x80      /* both ends sent to this port of the other: that counts as an answer */
#define QPW_FINDING_NODE 0x40          /* only a packet that the node sent by itself enters it */
#define QPW_FINDING_ASKED_AT 0x20      /* other_port is the port that was asked, and the key's answered */

struct qpw_finding {
    __u64 first_ns;
    __u64 last_ns;       /* refreshed at most once a second */
    __u32 slot;          /* its counters; 0: none kept */
    __u16 meter;         /* slot of the meter that its packets belong to */
    __u16 rule;          /* rule missed, or the weak/implied one that matched */
    __u16 initiator_port;/* of the first packet */
    __u16 vlan;
    __u16 iface;
    __u16 peer;
    __u8 evidence;
    __u8 outcome;
    __u8 reason;
    __u8 scope;
    __u8 flags;
    __u8 icmp_code;
    __u8 unseen;         /* 1: its outcome is the socket table's word, for no answer was seen */
    __u8 provisional;    /* 1: implied, if its owner fits, which is not decided yet */
    __u32 changes;       /* raised with each rise of outcome or evidence */
    __u16 other_port;
    __u16 programs;      /* how often another executable took over the node's end, up to QPW_FINDING_PROGRAMS */
    __u8 speaks[2];      /* what both ends' first bytes look like, QPW_SPEECH and QPW_SPEECH_FIRST: [0] the remote end's, [1] the node's */
    __u16 services;      /* what the rule names, QPW_SPEAKS() */
    __u8 pad[4];
    struct qpw_owner owner; /* of the node's end, from the newest exchange of another executable than before; how 0: not known */
};

/*
 * A reserved place: the first answered exchange of a port, where `answered` was full. prefixlen: QPW_RESERVED_BITS, all
 * of it.
 */
#define QPW_RESERVED_BITS 64u
struct qpw_reserved_key {
    __u32 prefixlen;
    __u16 port;
    __u8 kind;
    __u8 protocol;
    __u8 direction;
    __u8 verdict; /* what was harmless when it came first holds no place against what is not */
    __u8 pad[2];
};
struct qpw_reserved {
    struct qpw_finding_key key;
    struct qpw_finding value;
};

/* Counted instead of a finding when its quota is full. */
struct qpw_detail_key {
    __u8 prefix[16]; /* IPv4 /24 (as mapped /120), IPv6 /48; zero for the row of the port */
    __u16 port;
    __u8 kind;
    __u8 protocol;
    __u8 direction;
    __u8 by_prefix;  /* 1: row of a source prefix, port and protocol zero */
    __u8 pad[2];
} QPW_WORDS;

struct qpw_detail {
    __u64 packets;
    __u64 first_ns;
    __u64 last_ns;
};

/* ---- Policy: one object in double-buffered maps, chosen by generation & 1 ---- */

/*
 * The direct verdict table: slot[direction][space + port] is a chain number with QPW_SLOT_LISTED.
 * 0: no rule. Chunks of QPW_CHUNK slots, so that an array map wastes nothing on its 8-byte alignment.
 */
#define QPW_CHUNK 1024
#define QPW_SPACE_TCP 0u
#define QPW_SPACE_UDP 65536u
#define QPW_SPACE_SCTP 131072u
#define QPW_SPACE_ETHERTYPE 196608u
#define QPW_SPACE_ICMP 262144u            /* + type */
#define QPW_SPACE_ICMP6 (262144u + 256u)  /* + type */
#define QPW_SPACE_PROTOCOL (262144u + 512u) /* + IP protocol number */
#define QPW_SPACE_SLOTS (262144u + 1024u) /* per direction */
#define QPW_CHUNKS_PER_DIR (QPW_SPACE_SLOTS / QPW_CHUNK)
#define QPW_SLOT_CHAIN 0x7fffu
#define QPW_SLOT_LISTED 0x8000u /* named by a rule that is neither weak nor over 1,024 ports: may be inferred from */

struct qpw_slots {
    __u16 slot[QPW_CHUNK];
};

struct qpw_chain {
    __u32 first; /* index into steps */
    __u32 count; /* at most QPW_MAX_STEPS */
};
#define QPW_MAX_STEPS 32
#define QPW_MAX_CHAINS 0x7fff

#define QPW_STEP_ANY_VLAN 0xffffu

/* One alternative of a chain; the first that matches wins. Steps are ordered allowed, weak, infra, implied. */
struct qpw_step {
    __u32 from_set;       /* address set of the initiator, 0: any */
    __u32 to_set;         /* address set of the responder, 0: any */
    __u32 ifindex;        /* 0: any */
    __u16 vlan;           /* or QPW_STEP_ANY_VLAN; 0: untagged */
    __u16 rule;           /* stable rule id; with QPW_STEP_RULE_FROM_SET the set's value is the id */
    __u16 initiator_port; /* 0: any */
    __u16 parent;         /* rule id that must be live for the same remote address, 0: none */
    __u8 verdict;         /* QPW_VERDICT_ALLOWED, WEAK, INFRA, IMPLIED or UNEXPECTED (a group switched off) */
    __u8 flags;
    __u8 shape;           /* enum qpw_shape: what a packet has to be like */
    __u8 pad;
    __u32 speaks;         /* services whose first bytes the node's end may send, QPW_SPEAKS(); 0: not asked */
};
#define QPW_STEP_RULE_FROM_SET 0x01 /* rules alike except for from= are one step: the from set's value names the rule */
#define QPW_STEP_IS_PARENT 0x02     /* an answered exchange on it vouches for others */
#define QPW_STEP_ANY_ANSWER 0x08    /* what was asked there may be answered from any port: implied */
#define QPW_STEP_RX_MULTICAST 0x04  /* only received packets to a link-local multicast address */

/*
 * What packets of infrastructure are like that a node needs: by form, destination, hop limit and size, and never more
 * than an allowance of QPW_RATE_* for each remote end. What is beyond is unexpected.
 */
enum qpw_shape {
    QPW_SHAPE_NONE = 0,
    QPW_SHAPE_FRAME,   /* non-IP, of the right form (enum qpw_form) */
    QPW_SHAPE_ECHO,    /* small, or whole and rare */
    QPW_SHAPE_ERROR,   /* ICMP errors: no longer than hosts make them */
    QPW_SHAPE_CONTROL, /* other ICMP: as small as an echo */
    QPW_SHAPE_ND,      /* hop limit 255, advertisements and redirects only by who forwards */
    QPW_SHAPE_GROUP,   /* to a multicast address */
    QPW_SHAPE_DHCP,    /* to a group, or to and from a known server */
    QPW_SHAPE_ROUTING, /* as QPW_STEP_RX_MULTICAST has it */
};

/*
 * The allowance of each (remote end, rule, direction), in nanoseconds: what a packet or byte uses up, until so much is
 * used up (generic cell rate algorithm). 60 packets and 64 kB in a burst; used up, it is there again after 56 seconds,
 * not quite a minute, so that what is sent once a second never uses it up. What is sent to a group is for many, and
 * errors go with exchanges that are judged by themselves: 1,200.
 */
#define QPW_RATE_NS 56000000000ull
#define QPW_RATE_PACKETS 60u
#define QPW_RATE_MANY 1200u
#define QPW_RATE_BYTES 65536u
#define QPW_RATE_LARGE 10u /* echoes of any size, a second */
#define QPW_RATE_LARGE_NS 1000000000ull
#define QPW_ECHO_BYTES 128u /* of payload: what is silent */

#define QPW_RATE_WAYS 4u
#define QPW_RATE_SETS 1024u  /* by a keyed hash: 4,096 allowances */
#define QPW_RATE_PREFIXES 256u /* where a set is full: one for all of a prefix, in the sets behind */
struct qpw_allowance {
    __u64 key[3]; /* remote end, rule << 8 | direction; 0: unused */
    /* Until when it is used up to what is left, by packets, bytes and large echoes; all past: as if unused. */
    __u64 packets_ns;
    __u64 bytes_ns;
    __u64 large_ns;
};
struct qpw_allowances {
    struct bpf_spin_lock lock;
    __u32 pad;
    struct qpw_allowance way[QPW_RATE_WAYS];
};

static inline int qpw_is_misfit(unsigned reason)
{
    return reason >= QPW_REASON_INFRA_FORM && reason <= QPW_REASON_INFRA_RATE;
}

/* Servers that may speak DHCP to the node's own address, by address: since when. The node, or a lease, names them. */
#define QPW_DHCP_SERVERS 256u

#define QPW_SET_PEERS 1u /* value: peer number; sets of rules from 2 on */

struct qpw_set_key {
    __u32 prefixlen; /* bits of what follows: 32 + prefix */
    __u32 set;       /* network order, so that the trie's bit order is the number's */
    __u8 addr[16];
} QPW_WORDS;

struct qpw_parent_key {
    __u8 remote[16];
    __u16 rule;
    __u16 pad[3];
} QPW_WORDS;

/*
 * Answered exchanges of that rule with that remote end, which vouch for companions of theirs. By whom they were, as
 * many as there is room for, the latest of each: owner is the number of the owner noted, 0 where none is.
 */
#define QPW_PARENT_OWNERS 4u
struct qpw_parent_of {
    __u32 owner;
    __u16 local_port; /* both 0: unused */
    __u16 remote_port;
    __u8 local[16];
};
struct qpw_parent {
    __u64 last_ns;
    struct qpw_parent_of of[QPW_PARENT_OWNERS];
    __u32 turn;     /* whose place is given away next */
    __u8 protocol;
    __u8 pad[3];
};

/*
 * Whether a companion's owner is such that exchanges of the parent rule vouch for it; written by user space, which
 * knows executables and services. owner: number of the owner noted, 0: none is, as of sockets of the kernel.
 */
struct qpw_vouch_key {
    __u32 owner;
    __u16 local_port;
    __u16 parent;  /* rule */
    __u8 protocol;
    __u8 outbound;
    __u8 pad[2];
};
enum qpw_vouch_word {
    QPW_VOUCH_NONE = 0, /* not decided yet */
    QPW_VOUCH_FITS,
    QPW_VOUCH_OTHER,    /* it is another's */
    QPW_VOUCH_UNKNOWN,  /* it cannot be known */
};
struct qpw_vouch {
    __u64 when_ns; /* it holds for control.parent_ns */
    __u32 word;
    __u32 pad;
};
#define QPW_VOUCHES 4096u
#define QPW_AUDITOR_STALE_NS 10000000000ull /* without a heartbeat for this long, nobody decides */

/*
 * Where a source prefix of what the host forwards lies (IPv4 /24, IPv6 /64), seen from the interface by which it
 * leaves. Entered by the programs, which ask; the word is user space's, from the routing table.
 */
struct qpw_route_key {
    __u8 source[16];
    __u32 ifindex;
};
enum qpw_route_word {
    QPW_ROUTE_ASKED = 0, /* not answered yet */
    QPW_ROUTE_ELSEWHERE, /* by another interface */
    QPW_ROUTE_SAME,      /* by the same: it is forwarded only where it is received from there, too */
    QPW_ROUTE_NOWHERE,   /* no route leads there */
};
struct qpw_route {
    __u64 since_ns;    /* first asked */
    __u64 asked_ns;    /* last asked */
    __u64 received_ns; /* something for somebody else last came from there, by that interface; 0: never */
    __u32 word;        /* enum qpw_route_word */
    __u32 pad;
};
#define QPW_ROUTES 4096u
#define QPW_ROUTE_NS 600000000000ull     /* how long a word stands before it is asked for again */
#define QPW_ROUTE_AGAIN_NS 1000000000ull /* and where there is none yet */
#define QPW_ROUTE_WAIT_NS 10000000000ull /* without an answer for this long, what leaves is reported */

/* Return whether the node's end of a finding or connection has an address that is not the node's. */
static inline int qpw_is_foreign(unsigned reason)
{
    return reason == QPW_REASON_FOREIGN_SOURCE || reason == QPW_REASON_ROUTE_UNKNOWN;
}

struct qpw_local_key {
    __u32 prefixlen;
    __u8 addr[16];
};
#define QPW_LOCAL_ADDRESS 0x1u
#define QPW_LOCAL_BROADCAST 0x2u /* a subnet's directed broadcast address */
#define QPW_LOCAL_FLOATING 0x4u  /* the node's now, and not named as its own in the policy: it may move to another node */

/*
 * The MACs that frames came from which opened exchanges in the name of a peer, by peer number: the latest of each, the
 * oldest makes room. All zero: unused.
 */
#define QPW_OPENERS 4u
struct qpw_opener {
    __u8 mac[6];
    __u16 pad;
    __u64 last_ns;
};
struct qpw_openers {
    struct qpw_opener of[QPW_OPENERS];
};

/* ---- Interfaces ---- */

#define QPW_IFACE_L3 0x01      /* no Ethernet header */
#define QPW_IFACE_FORWARD4 0x02 /* the host forwards IPv4 that it receives there */
#define QPW_IFACE_MACS 0x04    /* the node has other MACs there, too: those of devices above or below it */
#define QPW_IFACE_BRIDGED 0x08 /* a port of a bridge, which sends what others have sent */
#define QPW_IFACE_FORWARD6 0x10
#define QPW_IFACE_SENDS4 0x20  /* the host forwards IPv4 that it receives on some interface, and may send it there */
#define QPW_IFACE_SENDS6 0x40

struct qpw_iface {
    __u32 ifindex;
    __u16 number; /* 1..QPW_MAX_IFACES - 1, what meters and findings carry */
    __u8 flags;
    __u8 pad;
    __u8 mac[6];
    __u8 pad2[2];
};

/* ---- Control (written by user space, read per packet) and configuration (fixed at load) ---- */

/*
 * The node's IPv4 addresses where they are few: looking through them costs a tenth of two look-ups in a trie. A word
 * each,
 * which is written at once: flags << 32 | address as it stands in a packet; 0: unused.
 */
#define QPW_LOCAL4 16u
struct qpw_control {
    __u32 generation;      /* raised with every change of policy or local addresses: all is judged again */
    __u32 policy_buffer;   /* bit 0: which buffer of the policy maps is in force; QPW_BUFFER_PEERS */
    __u64 replay_now_ns;   /* the capture's clock, replay only */
    __u32 replay_bytes;    /* what the record is counted with: its original length; replay only, as the next two */
    __u32 replay_wire;     /* the frame's length on the wire: not replay_bytes where the link has no Ethernet header */
    __u32 replay_captured; /* how many bytes of the frame are real; what follows is padding for the test run */
    __u32 replay_padded;   /* 1: there is such padding, which must not be read as headers */
    __u64 attached_ns;     /* start of the start window */
    __u64 window_end_ns;
    __u64 tcp_ns;          /* time-outs */
    __u64 half_open_ns;
    __u64 udp_ns;
    __u64 other_ns;
    __u64 tail_ns;
    __u64 parent_ns;       /* how long an answered exchange vouches */
    __u64 fragment_ns;
    __u64 local4[QPW_LOCAL4]; /* the node's own IPv4 addresses, see QPW_LOCAL4 */
    __u32 refresh_shift;   /* shared last-seen is refreshed at least every 2^n ns, an eighth of the shortest time-out */
    __u32 local4_whole;    /* 1: local4 has all that there are */
    __u64 heartbeat_ns;    /* CLOCK_MONOTONIC, written by the auditor each interval */
    __u64 seeded_ns;       /* a tick after it last entered seeds; while it does so, QPW_SEEDING */
    __u32 auditor_pid;
    __u32 flags;
};
#define QPW_SEEDING (~0ull)
#define QPW_BUFFER_PEERS 0x2u        /* that policy has peers; in one word with its buffer, so that no CPU sees one without the other */
#define QPW_CONTROL_POLICY 0x1u      /* a policy is loaded */
#define QPW_CONTROL_EXECUTABLES 0x2u /* fork and execve are followed */
#define QPW_CONTROL_SECCOMP 0x8u     /* the auditor's system calls are limited, */
#define QPW_CONTROL_LANDLOCK 0x10u   /* and its files; both are for status alone, no packet reads them */
#define QPW_CONTROL_UNOWNED 0x4u     /* bench: owners are not looked for */

struct qpw_config {
    __u64 secret[24];      /* keys of the tag hash (bpf/tag.h), random at each load, odd */
    __u64 tick_ns;         /* nanoseconds of a jiffy */
    __u64 jiffies_base;    /* jiffies64 at base_ns */
    __u64 base_ns;
    __u32 cache_mask;      /* lines of the cache - 1 */
    __u32 half_sets;       /* of the table of half-open connections */
    __u8 has_xdp_buff_len; /* bpf_xdp_get_buff_len, bpf_xdp_load_bytes (5.18) */
    __u8 replay;           /* no socket table, no start window, time is control.replay_now_ns */
    __u8 count_conns;      /* keep qpw_counts per connection */
    __u8 no_cache;         /* tests: every packet takes the slow path */
    __u8 scope_self;       /* replay: both ends local is `self`, not an echo */
    __u8 exec_path;        /* offsets in the records of sched_process_exec and sched_process_fork, 0: not known */
    __u8 fork_child;
    __u8 fast_path;        /* bpf/fast.h may be taken; not in replay, nor where tests want all packets elsewhere */
    __u8 weakly_ordered;   /* the CPU may show stores of another one in any order: see bpf/half.h */
    __u8 sets_bits;        /* the CPU's programs can set a bit of a word that others set, too: see bpf/presence.h */
    __u8 pad[6];
    __u64 netns_cookie;    /* of the network namespace that is watched; 0: not known, every socket's owner is noted */
};

/* ---- Events ---- */

enum qpw_event_kind {
    QPW_EVENT_NONE = 0,
    QPW_EVENT_FINDING,    /* a finding is new, or its outcome or evidence rose: read it from its table */
    QPW_EVENT_ASK_SOCKET, /* mid-stream TCP tuple without evidence: look it up in sock_diag, write a seed */
    QPW_EVENT_ASK_ROUTE,  /* the host forwards from a new prefix: does the routing table lead there? Write a qpw_route */
    QPW_EVENT_ASK_OWNER,  /* a companion's owner was seen for the first time: does it fit? Write a qpw_vouch */
    QPW_EVENT_CONN_ENDED, /* replay only: an entry was closed by its successor or replaced; its last state */
};

struct qpw_event {
    __u32 kind;
    __u32 iface;
    __u64 time_ns;
    union {
        struct {
            struct qpw_finding_key key;
            struct qpw_finding value;
        } finding;
        struct qpw_conn_key ask;
        struct {
            struct qpw_conn_key ends; /* local: its source, remote: its destination; ICMP: the type is the local port */
            __u32 received;
        } route;
        struct {
            struct qpw_conn_key key;
            struct qpw_conn value;
        } companion;
        struct {
            struct qpw_conn_key key;
            struct qpw_conn value;
            struct qpw_counts counts;
        } ended;
    };
};

/*
 * The `losses` array: the losses by enum qpw_loss, then for each table of connections how many
 * entries were made, taken out by the programs, and expired by the auditor (the last is user space's own).
 */
#define QPW_STAT_OPENED(conn_class) (QPW_LOSS_COUNT + 3u * (conn_class))
#define QPW_STAT_CLOSED(conn_class) (QPW_LOSS_COUNT + 3u * (conn_class) + 1u)
#define QPW_STAT_EXPIRED(conn_class) (QPW_LOSS_COUNT + 3u * (conn_class) + 2u)
/* Findings whose places user space has freed: [0] attempted and refused ones, [1] answered ones. */
#define QPW_STAT_FREED(answered) (QPW_LOSS_COUNT + 3u * QPW_CLASS_COUNT + (answered))
#define QPW_STATS (QPW_LOSS_COUNT + 3u * QPW_CLASS_COUNT + 2u)

/* Ranges of the `counters` array. Slots are handed out by queues, so that no kind can use up another's. */
#define QPW_OVERFLOW_SLOTS 64u      /* fixed: one row for each (verdict, direction), when no slot is left */
#define QPW_METER_SLOTS_SAFE 6144u  /* rows on listed ports, and what else is few: see bpf/count.h */
#define QPW_METER_SLOTS_OPEN 6144u  /* all others: what a scan can multiply */
#define QPW_FINDING_SLOTS 8192u     /* attempted and refused findings that packets from outside enter */
#define QPW_NODE_SLOTS 2048u        /* those that only packets of the node enter: nothing from outside can fill it */
#define QPW_ANSWERED_SLOTS 4096u    /* answered findings */
#define QPW_IMPLIED_SLOTS 1024u     /* answered ones that go with a listed service: any client of it may enter them */
#define QPW_WEAK_SLOTS 512u         /* answered ones of weak rules */
#define QPW_OVERFLOW_SLOT(verdict, direction) (1u + (verdict) * QPW_DIR_COUNT + (direction))
#define QPW_FIRST_METER_SLOT QPW_OVERFLOW_SLOTS
#define QPW_FIRST_OPEN_SLOT (QPW_FIRST_METER_SLOT + QPW_METER_SLOTS_SAFE)
#define QPW_FIRST_FINDING_SLOT (QPW_FIRST_OPEN_SLOT + QPW_METER_SLOTS_OPEN)
#define QPW_FIRST_NODE_SLOT (QPW_FIRST_FINDING_SLOT + QPW_FINDING_SLOTS)
#define QPW_FIRST_ANSWERED_SLOT (QPW_FIRST_NODE_SLOT + QPW_NODE_SLOTS)
#define QPW_FIRST_IMPLIED_SLOT (QPW_FIRST_ANSWERED_SLOT + QPW_ANSWERED_SLOTS)
#define QPW_FIRST_WEAK_SLOT (QPW_FIRST_IMPLIED_SLOT + QPW_IMPLIED_SLOTS)
#define QPW_COUNTER_SLOTS (QPW_FIRST_WEAK_SLOT + QPW_WEAK_SLOTS)

_Static_assert(sizeof(struct qpw_conn_key) == 40, "conn key");
_Static_assert(sizeof(struct qpw_conn) == 56, "conn");
_Static_assert(sizeof(struct qpw_half) == 64 + QPW_HALF_WAYS * 96, "set of half-open connections");
_Static_assert(sizeof(struct qpw_counts) == 40, "counts");
_Static_assert(sizeof(struct qpw_counts_block) == 640, "block of counts");
_Static_assert(sizeof(struct qpw_seed) == 16, "seed");
_Static_assert(sizeof(struct qpw_frag_key) == 40, "frag key");
_Static_assert(sizeof(struct qpw_frag) == 16, "frag");
_Static_assert(sizeof(struct qpw_meter_key) == 16, "meter key");
_Static_assert(sizeof(struct qpw_meter) == 16, "meter");
_Static_assert(sizeof(struct qpw_finding_key) == 40, "finding key");
_Static_assert(sizeof(struct qpw_owner) == 56, "owner");
_Static_assert(sizeof(struct qpw_owner_set) == 8 + QPW_OWNER_WAYS * 64, "set of owners");
_Static_assert(QPW_OWNER_SETS *QPW_OWNER_WAYS == 1u << QPW_OWNER_INDEX_BITS, "places of owners");
_Static_assert(sizeof(struct qpw_exe) == 200, "executable");
_Static_assert(QPW_MAX_IFACES <= 256, "interfaces of a connection");
_Static_assert(sizeof(struct qpw_finding) == 112, "finding");
_Static_assert(sizeof(struct qpw_head_part) == 40, "part of a beginning");
_Static_assert(sizeof(struct qpw_reserved_key) == 12, "reserved key");
_Static_assert(sizeof(struct qpw_detail_key) == 24, "detail key");
_Static_assert(sizeof(struct qpw_step) == 28, "step");
_Static_assert(sizeof(struct qpw_allowances) == 200, "set of allowances");
_Static_assert(sizeof(struct qpw_set_key) == 24, "set key");
_Static_assert(sizeof(struct qpw_parent_key) == 24, "parent key");
_Static_assert(sizeof(struct qpw_parent) == 112, "parent");
_Static_assert(sizeof(struct qpw_vouch_key) == 12, "vouch key");
_Static_assert(sizeof(struct qpw_vouch) == 16, "vouch");
_Static_assert(sizeof(struct qpw_route_key) == 20, "route key");
_Static_assert(sizeof(struct qpw_route) == 32, "route");
_Static_assert(sizeof(struct qpw_iface) == 16, "iface");
_Static_assert(sizeof(struct qpw_openers) == 64, "openers");
_Static_assert(sizeof(struct qpw_control) == 136 + 8 * QPW_LOCAL4, "control");
_Static_assert(QPW_OVERFLOW_SLOT(QPW_VERDICT_COUNT - 1, QPW_DIR_COUNT - 1) < QPW_OVERFLOW_SLOTS, "overflow rows");
_Static_assert(QPW_COUNTER_SLOTS % QPW_COUNTS_BLOCK == 0, "whole blocks");
_Static_assert(QPW_COUNTER_SLOTS < 65536, "slots are 16 bits wide");
_Static_assert(QPW_SPACE_SLOTS % QPW_CHUNK == 0, "whole chunks");

#endif /* QPORTWATCH_H */

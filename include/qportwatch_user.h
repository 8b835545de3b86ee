/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * qportwatch_user.h - what only user space reads and writes: the names of maps and programs, and the values of the maps
 * that lie beside the programs so that another process, or the next auditor, finds them (meta, rule_info, peer_info,
 * coverage). No packet touches them; bpf/maps.h includes this file for their sizes alone.
 *
 * Conventions as in qportwatch.h.
 */
#ifndef QPORTWATCH_USER_H
#define QPORTWATCH_USER_H

#include "qportwatch.h"

#define QPW_NAME_LEN 48
#define QPW_MAX_PEERS 1024 /* peer numbers, 0 is "none" */

/* ---- Ports that the compiled policy in force lists, allowed or weak, for any initiator ---- */

#define QPW_LISTED_TABLES 6u /* by direction and protocol */
#define QPW_LISTED_TABLE(outbound, protocol) /* protocol 0 tcp, 1 udp, 2 sctp */ (((outbound) ? 3u : 0u) + (protocol))
struct qpw_listed {
    __u64 bits[65536 / 64]; /* port n: bit n % 64 of word n / 64 */
};

/* ---- Maps: X(name) in the order of enum qpw_map; names as bpf(2) shows them (at most 15 characters) ---- */
#define QPW_MAPS(X) \
    X(conns_half) \
    X(conns_out) \
    X(conns_est) \
    X(conns_dgram) \
    X(conn_counts) \
    X(replay_frames) \
    X(conn_cache) \
    X(heads) \
    X(judged) \
    X(incarnations) \
    X(seeds) \
    X(frags) \
    X(questions) \
    X(asked) \
    X(grace) \
    X(meters) \
    X(meter_slots) \
    X(open_slots) \
    X(finding_slots) \
    X(node_slots) \
    X(answered_slots) \
    X(implied_slots) \
    X(weak_slots) \
    X(counters) \
    X(corrections) \
    X(mirrors) \
    X(findings) \
    X(answered) \
    X(reserved) \
    X(details) \
    X(losses) \
    X(pol_slots) \
    X(pol_chains) \
    X(pol_steps) \
    X(pol_sets) \
    X(parents) \
    X(vouches) \
    X(decisions) \
    X(rates) \
    X(dhcp_servers) \
    X(routes) \
    X(locals) \
    X(ifaces) \
    X(meta) \
    X(rule_info) \
    X(peer_info) \
    X(listed) \
    X(exceptions) \
    X(coverage) \
    X(events) \
    X(scratch) \
    X(owners) \
    X(owner_table) \
    X(older) \
    X(listeners) \
    X(listening) \
    X(lives) \
    X(rule_users) \
    X(first_seen) \
    X(exe_of) \
    X(exes) \
    X(openers) \
    X(samples)

#define QPW_X_MAP(n) QPW_MAP_##n,
enum qpw_map { QPW_MAPS(QPW_X_MAP) QPW_MAP_COUNT };

/* ---- Programs: X(name, rx, tc). The names are what the interface's hooks are searched for. ---- */
#define QPW_PROGRAMS(X) \
    X(qpw_xdp_rx, 1, 0)   /* XDP ingress */ \
    X(qpw_tc_rx, 1, 1)    /* TC ingress, the other mode */ \
    X(qpw_tc_tx, 0, 1)    /* TC egress */ \
    X(qpw_tc_rx_l3, 1, 1) /* TC on devices without an Ethernet header */ \
    X(qpw_tc_tx_l3, 0, 1)
/* At the root of the unified cgroup hierarchy: who makes a socket, and who connects it; and what these execute. */
#define QPW_OWNER_PROGRAM_LIST(X) \
    X(qpw_sock_create, 0, 0) \
    X(qpw_connect4, 0, 0) \
    X(qpw_connect6, 0, 0) \
    X(qpw_exec, 0, 0) /* at the kernel's tracepoints: which file a process executes */ \
    X(qpw_fork, 0, 0)
/* For a replay: by test run alone, of both directions and many frames each. */
#define QPW_REPLAY_PROGRAM_LIST(X) \
    X(qpw_replay_xdp, 0, 0) \
    X(qpw_replay_tc, 0, 0)
#define QPW_X_PROGRAM(n, rx, tc) QPW_PROG_##n,
enum qpw_program {
    QPW_PROGRAMS(QPW_X_PROGRAM)
    QPW_PROG_INTERFACES, /* how many there are for interfaces */
    QPW_PROG_BEFORE_OWNERS = QPW_PROG_INTERFACES - 1, /* the next goes on from here */
    QPW_OWNER_PROGRAM_LIST(QPW_X_PROGRAM)
    QPW_PROG_ATTACHED, /* how many there are to be attached */
    QPW_PROG_BEFORE_REPLAY = QPW_PROG_ATTACHED - 1,
    QPW_REPLAY_PROGRAM_LIST(QPW_X_PROGRAM)
    QPW_PROG_COUNT
};
#define QPW_ALL_INTERFACE_PROGRAMS ((1u << QPW_PROG_INTERFACES) - 1)

/* ---- What `status`, `report` and the next auditor need to know ---- */

enum qpw_hook { QPW_HOOK_NONE = 0, QPW_HOOK_XDP, QPW_HOOK_TCX, QPW_HOOK_CLSACT };

struct qpw_meta {
    __u32 magic;
    __u32 abi;
    __u64 attached_unix_ns; /* CLOCK_REALTIME */
    __u64 netns;            /* inode of the network namespace that is watched */
    __u64 lock_folder;      /* which folder the auditor's lock is in (control/lock.h), 0: not known */
    __u64 pid_namespace;    /* inode of the namespace that the auditor's process id is of, 0: not known */
    char version[32];
    char policy_name[64];
    char policy_path[256];
    char policy_digest[72];
    char source_digest[72];
    char command[256];
    char alerts_path[1024]; /* of the alert log, absolute; empty: none is written, or its path is longer */
    char history_path[1024]; /* of the history, the same */
    /* By interface number, which therefore runs from 1 to QPW_MAX_IFACES - 1. */
    char why[QPW_MAX_IFACES][64];    /* why it is watched in the mode of rx_hook */
    char ifname[QPW_MAX_IFACES][16];
    __u8 rx_hook[QPW_MAX_IFACES];    /* enum qpw_hook: where our programs were put */
    __u8 tx_hook[QPW_MAX_IFACES];
    __u8 own_qdisc[QPW_MAX_IFACES];  /* 1: its clsact qdisc was made by us and is ours to remove */
    char owners_missing[160];        /* why owners of sockets are not noted in the kernel; empty: they are */
    char executables_missing[160];   /* why executables of ended processes are not known; empty: they are */
    __u64 owners_cgroup;             /* id of the cgroup that the programs which note owners stand at; 0: none */
    char policy_args[1024];          /* the policy options of `attach`, each ended by a newline */
    char sensor[64];                 /* the node's name as the alerts have it; empty: the host's */
    __u64 retention_ns[2];           /* silence after which a finding closes: [0] attempted or refused, [1] answered; 0: never */
    char cluster_path[1024];         /* of the directory in which `serve` keeps what it finds; empty: its path is longer */
};

struct qpw_rule_info {
    char name[QPW_NAME_LEN];
    char file[96];
    __u32 line;
    __u8 direction;
    __u8 verdict;
    __u8 in_force;
    __u8 pad;
    char text[160]; /* the statement as written */
};

struct qpw_peer_info {
    char name[QPW_NAME_LEN];
    __u8 in_force;
    __u8 own; /* the node itself: ignored */
    __u8 pad[6];
};
/*
 * The listeners seen so far, so that the next auditor knows which were there when it was attached, and which are
 * reported. Under the zero key is when the first reading was taken in.
 */
#define QPW_LISTENING_ENTRIES 4096u
struct qpw_listening_key {
    __u16 port;
    __u8 protocol;
    __u8 pad;
    char program[252]; /* the executable's path, "kernel"; empty: not known */
};
enum qpw_listening_state { QPW_LISTENING_SEEN = 0, QPW_LISTENING_NEW, QPW_LISTENING_REPORTED };
struct qpw_listening_note {
    __u64 first_unix_ns;
    __u32 state; /* enum qpw_listening_state */
    __u32 pad;
};

/*
 * The decision about a companion that its entry does not have yet, because the programs judge it again only with its
 * next packet. Until then, take the verdict of the connection from here. Only the auditor writes it.
 */
#define QPW_DECISIONS 1024u
struct qpw_decision {
    __u64 first_ns; /* of the connection: another on the same tuple is another */
    __u16 of_rule;  /* the rule of the programs' judgement; ignore the decision once they judge by another */
    __u16 rule;
    __u8 verdict;
    __u8 reason;
    __u16 pad;
    __u32 owner;    /* number of the owner that was judged: another process on the same port is judged again */
    __u32 pad2;
};

/*
 * The steps in a finding's life that do not follow from its packets: explained by a rule at a reload, acknowledged by a
 * person. Only user space writes them. In a map of the instance, so that they outlive the auditor, however it ends,
 * and an interface that is detached, and end with the findings that they are about.
 *
 * EXPLAINED stands under the finding's own key, ACKNOWLEDGED under that of its class (qpw_life_class()), or of that
 * finding of the class alone (qpw_life_single()); of these two the later one counts. REOPENED takes the place of each:
 * the rule was taken away, or the acknowledgement taken back. `unix_ns` is even and different for each step, except for
 * those of one reload about one service: the alert log knows a step by it.
 */
#define QPW_LIVES 16384u
enum qpw_life_step { QPW_LIFE_NONE = 0, QPW_LIFE_EXPLAINED, QPW_LIFE_ACKNOWLEDGED, QPW_LIFE_REOPENED };
struct qpw_life {
    __u64 unix_ns;       /* when */
    __u64 mono_ns;       /* the same by the programs' clock: what is seen later was not known then */
    __u64 until_unix_ns; /* ACKNOWLEDGED: up to then; 0: no end */
    __u16 rule;          /* EXPLAINED: id of the rule, 0: a peer */
    __u16 peer;          /* EXPLAINED: its number */
    __u8 step;           /* enum qpw_life_step */
    __u8 outcome;        /* ACKNOWLEDGED: the highest that was */
    __u8 pad[2];
    char who[96];
    char reason[128];
};

/*
 * Programs that held the node's end of an answered finding, each with the first such finding. Only the auditor writes
 * it. Without an entry left for it, a program is not known to be new.
 */
#define QPW_FIRST_SEEN 4096u
struct qpw_program_key {
    char path[256]; /* of the executable, or its name where the path is not known; zeroes behind the end */
};
struct qpw_first_seen {
    struct qpw_finding_key finding; /* zero: an earlier one, which is not stored any more */
    __u64 unix_ns;
};

/*
 * Users of a rule of the policy that names nobody: remote ends of answered exchanges, and executables of the node's
 * end, up to one more per rule than count as few. Only the auditor writes it.
 */
#define QPW_RULE_USERS 16384u
#define QPW_RULE_FEW_REMOTES 8u
#define QPW_RULE_FEW_PROGRAMS 3u
enum qpw_rule_user_kind { QPW_RULE_REMOTE = 0, QPW_RULE_PROGRAM };
struct qpw_rule_user_key {
    __u16 rule;
    __u8 kind; /* enum qpw_rule_user_kind */
    __u8 pad;
    char who[256]; /* 16 bytes of an address; or a path, empty: a program that is not known; zeroes behind it */
};
struct qpw_rule_user {
    __u64 first_unix_ns;
};

/*
 * Once a second, where there are peers: what was exchanged with each so far, and what the devices have counted
 * meanwhile, by the clock that two nodes can compare. Only the auditor writes it; key: number of the second %
 * QPW_SAMPLES.
 */
#define QPW_SAMPLES 120u
#define QPW_SAMPLE_PAIRS 64u   /* the peers of most packets */
#define QPW_SAMPLE_DEVICES 16u /* those that are not monitored first */
struct qpw_sample_pair {
    __u64 tx;   /* packets, as in facts/pairs.h */
    __u64 rx;
    __u32 peer; /* its number, 0: none */
    __u32 pad;
};
struct qpw_sample_device {
    char name[16]; /* empty: none */
    __u64 tx;      /* packets, as the device counts them */
    __u64 rx;
    __u64 tx_lost; /* dropped by its queues or driver, or failed */
    __u64 rx_lost; /* missed by the card, dropped before anybody could see them, or damaged */
};
struct qpw_sample {
    __u64 boot_ns;    /* CLOCK_BOOTTIME in the middle of the reading */
    __u64 reading_ns; /* how long it took */
    struct qpw_sample_pair pair[QPW_SAMPLE_PAIRS];
    struct qpw_sample_device device[QPW_SAMPLE_DEVICES];
};

/* A line of the policy in force that holds for a time only, or by somebody's leave. */
#define QPW_EXCEPTIONS 256u /* the first ones; `of` counts those that found no place, too */
struct qpw_exception {
    __s64 until; /* Unix seconds; 0: no end */
    __u32 of;    /* how many there are; 0: this entry is none */
    __u8 suppression; /* 0: a rule */
    __u8 pad[3];
    char name[QPW_NAME_LEN];
    char text[192]; /* as written */
};

/* Changes of the coverage: a ring of QPW_COVERAGE_RECORDS records. */
#define QPW_COVERAGES(X) \
    X(NONE, "none") \
    X(ATTACHED, "attached") \
    X(DETACHED, "detached") \
    X(AUDITOR_STARTED, "auditor-started") \
    X(AUDITOR_STOPPED, "auditor-stopped") \
    X(AUDITOR_GAP, "auditor-gap")      /* the kernel side went on counting without an auditor */ \
    X(INTERFACE_GONE, "interface-gone") \
    X(INTERFACE_BACK, "interface-back") \
    X(INTERFACE_DOWN, "interface-down") \
    X(INTERFACE_UP, "interface-up") \
    X(INTERFACE_RENAMED, "interface-renamed") \
    X(HOOK_LOST, "hook-lost")          /* our program was removed or replaced by somebody else */ \
    X(HOOK_NOT_FIRST, "hook-not-first") \
    X(HOOK_FIRST, "hook-first-again") \
    X(RELOADED, "reloaded") \
    X(RELOAD_FAILED, "reload-failed") \
    X(CLOCK_STEPPED, "clock-stepped")  /* the system's clock was set, or the machine slept */ \
    X(OWNERS_LOST, "owners-lost")      /* what notes the owners of sockets was removed by somebody else */ \
    X(OWNERS_NOTED, "owners-noted")    /* it is there again */ \
    X(ADDRESSES_LEFT_OUT, "addresses-left-out") /* more local addresses than the table of them holds */ \
    X(ADDRESSES_COMPLETE, "addresses-complete") /* all of them are in it again */ \
    X(REPLACED, "replaced")            /* what another version had attached, with maps in another layout */ \
    X(UNSEEN, "unseen")                /* from the machine's start, its time, to the first attachment */ \
    X(HISTORY_STOPPED, "history-stopped") /* the history cannot be written; what is counted meanwhile comes with the next write */ \
    X(HISTORY_RESUMED, "history-resumed") \
    X(HISTORY_SET_ASIDE, "history-set-aside") /* its file was damaged, and another is begun */ \
    X(RELOADED_ALONE, "reloaded-alone") /* by a command, no auditor being there to report it: the next one does */

#define QPW_COVERAGE_RECORDS 512u
#define QPW_X_COVERAGE(s, n) QPW_COVERAGE_##s,
enum qpw_coverage_kind { QPW_COVERAGES(QPW_X_COVERAGE) QPW_COVERAGE_COUNT };

#define QPW_BY_BYTES 248u
struct qpw_coverage {
    __u64 unix_ns;
    __u64 since_unix_ns; /* of what lasted until then; 0: it did not last */
    __u32 sequence; /* from 1; place is sequence % QPW_COVERAGE_RECORDS */
    __u16 kind;
    __u16 iface;
    char text[112];
    char by[QPW_BY_BYTES]; /* who did it, where somebody did: user, terminal, command; see control/peer.h */
};

_Static_assert(sizeof(struct qpw_coverage) == 384, "coverage");
_Static_assert(sizeof(struct qpw_rule_info) == 312, "rule info");
_Static_assert(sizeof(struct qpw_peer_info) == 56, "peer info");
_Static_assert(sizeof(struct qpw_exception) == 256, "exception");
_Static_assert(sizeof(struct qpw_sample) == 16 + QPW_SAMPLE_PAIRS * 24 + QPW_SAMPLE_DEVICES * 48, "sample");
_Static_assert(sizeof(struct qpw_life) == 256, "life");
_Static_assert(sizeof(struct qpw_first_seen) == sizeof(struct qpw_finding_key) + 8, "first seen");
_Static_assert(sizeof(struct qpw_meta) == 10608, "meta");

#endif

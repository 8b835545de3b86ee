/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * snapshot/snapshot.h - a snapshot of everything counted, as plain structs.
 *
 * The only data that report, status, top, alerts and replay render: taken from the maps by snapshot/collect.c, or built
 * by hand in a test. Nothing that renders it uses libbpf.
 */
#ifndef QPW_SNAPSHOT_H
#define QPW_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/pid_namespace.h"
#include "qportwatch_user.h"
#include "snapshot/memory.h"

struct qpw_meter_row {
    struct qpw_meter_key key;
    struct qpw_counts counts; /* findings' packets included */
    uint64_t first_unix_ns;
    uint64_t judged[QPW_JUDGED_VALUES]; /* its connections by what their first bytes are, enum qpw_judged */
};

/* The stored steps of findings, and the other data that facts/life.h needs. Rows point into it. */
struct qpw_life_row {
    struct qpw_finding_key key;
    struct qpw_life life;
};
struct qpw_lives {
    struct qpw_life_row *rows; /* sorted by key */
    size_t n;
    struct qpw_finding_key *first_seen; /* findings with which a program was first seen, sorted */
    size_t n_first_seen;
    uint64_t now_unix_ns;
    uint64_t retention_ns[2];  /* as in qpw_meta */
};

/* Whether the program at the node's end was seen on this node before this finding. */
enum qpw_program_seen { QPW_PROGRAM_UNKNOWN = 0, QPW_PROGRAM_NEW, QPW_PROGRAM_BEFORE };

struct qpw_finding_row {
    struct qpw_finding_key key;
    struct qpw_finding value;
    struct qpw_counts counts;
    uint64_t first_unix_ns;
    uint64_t last_unix_ns;
    uint64_t answered_unix_ns; /* when it was first answered; 0: at first_unix_ns, if answered */
    uint64_t flow_id; /* stable hash of the key, below 2^53 */
    struct {
        uint16_t port;
        uint8_t protocol; /* 0: none */
    } crossed; /* the other host's attempt at about the same time: see snapshot/crossing.h */
    const struct qpw_lives *lives; /* NULL: unknown (replay); see snapshot/lives.h */
    const struct qpw_life *explained, *acknowledged, *reopened; /* its stored steps; NULL: none */
    uint8_t program_seen; /* enum qpw_program_seen; BEFORE only if the auditor has just checked, else UNKNOWN */
};

struct qpw_detail_row {
    struct qpw_detail_key key;
    uint64_t packets;
    uint64_t first_unix_ns;
    uint64_t last_unix_ns;
};

/* One connection table: its fill level and its turnover. */
struct qpw_table_row {
    const char *name; /* static */
    uint64_t entries;
    uint64_t capacity;
    uint64_t opened;  /* entries created */
    uint64_t closed;  /* entries removed by a close or a move to another table */
    uint64_t expired; /* removed by the auditor after the timeout */
    uint64_t evicted; /* opened - closed - expired - entries: replaced by newer ones */
};

struct qpw_iface_row {
    struct qpw_iface iface;
    char name[16];
    uint8_t hook;  /* enum qpw_hook of received packets; NONE: detached by a command */
    char why[64];  /* reason for that hook */
    bool attached; /* our programs are in its hooks now */
    bool up;
    bool gone;     /* the interface does not exist now */
};

/* An interface of the host that is up but not monitored. */
struct qpw_unwatched_row {
    char name[16];
    uint64_t rx_packets;
    uint64_t tx_packets;
};

/* The monitoring state of each interface of the host. */
enum qpw_link_state {
    QPW_LINK_MONITORED,
    QPW_LINK_SEEN_ELSEWHERE, /* part of a monitored device, or stacked above it: `at` */
    QPW_LINK_LOOPBACK,
    QPW_LINK_DOWN,
    QPW_LINK_UNMONITORED,    /* up, but not monitored */
    QPW_LINK_GONE            /* was monitored; does not exist now */
};
struct qpw_inventory_row {
    char name[16];
    char kind[16]; /* the kernel's name for it: "bond", "vlan" …; empty for hardware and lo */
    char at[16];
    enum qpw_link_state state;
};

/* Conditions other than losses that hide packets or distort results; words/coverage.h puts them into words. */
enum qpw_note_kind {
    QPW_NOTE_RDMA,           /* name: device, detail: its port, count: packets carried */
    QPW_NOTE_XDP_SOCKETS,    /* count */
    QPW_NOTE_PACKET_SOCKETS, /* count */
    QPW_NOTE_BEFORE,         /* name: interface, detail: the first program and its hook, count: programs before ours */
    QPW_NOTE_BEHIND,         /* the same for programs after ours */
    QPW_NOTE_TAGS_STRIPPED,  /* name: interface */
    QPW_NOTE_STACKED,        /* name: a device above a monitored one, detail: its kind and lower device, count:
                                packets */
    QPW_NOTE_NO_OWNERS,      /* detail: reason */
    QPW_NOTE_NO_EXECUTABLES, /* the same */
    QPW_NOTE_OWNERS_BELOW,   /* owners are recorded below one cgroup only; detail: its path, or its id */
    /* Replay only */
    QPW_NOTE_RECORDS,        /* count */
    QPW_NOTE_MERGED,         /* count of records larger than the MTU, which is `other` */
    QPW_NOTE_CUT,            /* count of truncated records */
    QPW_NOTE_COPIES,         /* count of duplicates; other: whether they were omitted */
    QPW_NOTE_LEFT_OUT,       /* count of records of other interfaces */
    QPW_NOTE_UNSUPPORTED,    /* count of records that cannot be read as Ethernet, detail: link type of the first */
    QPW_NOTE_LOCALS,         /* count of local addresses that sent packets; other: or more */
    QPW_NOTE_ENDED_EARLY,    /* count of connections */
    QPW_NOTE_INCOMPLETE,
};
struct qpw_note {
    enum qpw_note_kind kind;
    bool tx;       /* BEFORE and BEHIND: for the egress hook */
    unsigned other;
    uint64_t count;
    char name[64];
    char detail[160];
};

/* Replay: one capture file. */
struct qpw_capture_row {
    char *name;            /* as given, or "standard input" */
    char sha256[65];       /* of the file, lower-case hexadecimal; empty: unknown (compressed, or from a pipe) */
    uint64_t packets;      /* replayed */
    uint64_t left_out;     /* of other interfaces, or duplicates */
    uint64_t from_unix_ns; /* first packet replayed; 0: none */
    uint64_t to_unix_ns;
};

/* Replay: an address or prefix of the node. */
struct qpw_local_row {
    uint8_t addr[16];
    unsigned length; /* of 128 */
};

/* Data about a peer from its live connections. */
struct qpw_peer_seen {
    uint64_t last_unix_ns; /* 0: no live connection with it */
    bool v4;
    bool v6;
};

/* Whether an auditor runs in this network namespace: it holds a lock that ends with it. */
enum qpw_lock_state { QPW_LOCK_UNKNOWN = 0, QPW_LOCK_FREE, QPW_LOCK_HELD };

struct qpw_snapshot {
    uint64_t unix_ns;      /* when it was taken (replay: the capture's last timestamp) */
    uint64_t from_unix_ns; /* start of counting */
    uint64_t mono_ns;
    char host[64];
    bool replay;
    bool recorded; /* from a history, which keeps no losses, tables or unmonitored interfaces: these are unknown */
    bool incomplete;       /* replay: a capture could not be read to its end */
    struct qpw_capture_row *captures; /* replay, in the order of reading */
    size_t n_captures;
    struct qpw_local_row *locals;     /* replay */
    size_t n_locals;
    enum qpw_lock_state lock;
    struct qpw_pid auditor; /* the holder of the lock; own 0: none, or unknown */

    struct qpw_meta meta;
    struct qpw_control control;
    struct qpw_iface_row *ifaces;
    size_t n_ifaces;
    struct qpw_unwatched_row *unwatched;
    size_t n_unwatched;
    struct qpw_inventory_row *inventory;
    size_t n_inventory;

    struct qpw_meter_row *meters;
    size_t n_meters;
    struct qpw_finding_row *findings;
    size_t n_findings;
    struct qpw_detail_row *details;
    size_t n_details;
    struct qpw_lives *lives; /* NULL in a replay */

    struct qpw_rule_info *rules; /* by stable id; [0] is unused */
    size_t n_rules;
    struct qpw_peer_info *peers; /* by peer number; [0] is unused */
    size_t n_peers;
    struct qpw_listed *listed; /* ports that the policy lists, [QPW_LISTED_TABLES]; NULL: unknown */
    struct qpw_exception *exceptions; /* of the policy in force, [QPW_EXCEPTIONS]; NULL: not read */
    size_t n_exceptions;
    struct qpw_peer_seen *peer_seen; /* by peer number, n_peers of them; NULL: connections were not read */

    uint64_t *port_seen; /* Unix ns of the last inbound use of a local port, by qpw_port_index(); NULL: not read */

    struct qpw_coverage *coverage; /* oldest first */
    size_t n_coverage;
    char owners_missing[160]; /* why the kernel does not record owners of sockets now; empty: it does, or not checked */
    char owners_below[160];   /* the only cgroup whose processes are recorded as owners; empty: all are, or not
                                 checked */
    char executables_missing[160]; /* why executables of ended processes are unknown now; empty: they are known, or
                                      not checked */
    struct qpw_note *notes;
    size_t n_notes;

    struct qpw_table_row tables[QPW_CLASS_COUNT];
    uint64_t losses[QPW_LOSS_COUNT];
    uint64_t freed[2]; /* slots of settled findings that were freed: [0] attempted and refused, [1] answered ones */
    uint64_t memory_bytes; /* kernel memory of all maps, */
    uint64_t memory[QPW_MEMORY_COUNT]; /* and for what: enum qpw_memory_part */
};

#define QPW_PORT_INDEXES (3u * 65536u)

/* Return the index of a TCP, UDP or SCTP port in qpw_snapshot.port_seen; QPW_PORT_INDEXES: another protocol. */
uint32_t qpw_port_index(uint8_t protocol, uint16_t port);

/* Add a note. Return 0 or -ENOMEM. */
int qpw_snapshot_note(struct qpw_snapshot *s, const struct qpw_note *note);

/* Free all contents and zero the snapshot. A zeroed snapshot is valid and empty. */
void qpw_snapshot_clear(struct qpw_snapshot *s);

/* Return the name of a number; "" if there is none. Valid as long as the snapshot. */
const char *qpw_snapshot_rule(const struct qpw_snapshot *s, unsigned rule);
const char *qpw_snapshot_peer(const struct qpw_snapshot *s, unsigned peer);
const char *qpw_snapshot_iface(const struct qpw_snapshot *s, unsigned number);

/* Return the end that is not the node's: the responder of outbound findings, else the initiator. */
const uint8_t *qpw_finding_remote(const struct qpw_finding_key *key);

/* Return the number that joins all records of one finding: 1 to 2^53 - 1, the same on every run and machine. */
uint64_t qpw_finding_flow_id(const struct qpw_finding_key *key);

#endif

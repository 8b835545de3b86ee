/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * statement.h - a node's statement about itself for its peers: made from a snapshot, or read from another node's
 * document, which may be of another version. Names are therefore kept as text, not as numbers of this version.
 */
#ifndef QPW_FACTS_STATEMENT_H
#define QPW_FACTS_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts/listening.h"
#include "facts/report.h"
#include "host/neighbourhood.h"

/* Maximum number of each in a statement. */
#define QPW_STATED_PAIRS 1024u
#define QPW_STATED_BY 16u
#define QPW_STATED_PORTS 512u
#define QPW_STATED_LISTENERS 256u
#define QPW_STATED_LOCALS 1024u
#define QPW_STATED_NEIGHBOURS 1024u
#define QPW_STATED_DEVICES 64u
#define QPW_STATED_BLIND 64u
#define QPW_STATED_SCANS 64u
#define QPW_STATED_UNUSED 512u
#define QPW_STATED_SERIES QPW_SAMPLE_PAIRS

#define QPW_NO_PORT (-1)
struct qpw_stated_service {
    char protocol[16];
    int port; /* ICMP: the type; QPW_NO_PORT: none */
    char direction[16];
};

/* Packets and connections of a pair on one service. */
struct qpw_stated_by {
    struct qpw_stated_service service;
    uint64_t opened;
    uint64_t tx, rx;
};

struct qpw_stated_mac {
    uint8_t mac[6];
    uint64_t last_unix_ns;
};

struct qpw_stated_pair {
    char peer[QPW_NAME_LEN];
    struct qpw_sum tx, rx;       /* unicast IP between static addresses */
    uint64_t apart;              /* other packets: of floating addresses and to groups */
    struct qpw_stated_by *by;    /* most packets first */
    size_t n_by;
    struct qpw_stated_mac mac[QPW_OPENERS]; /* MACs that opened connections in the peer's name */
    size_t n_macs;
};

struct qpw_stated_port {
    struct qpw_stated_service service;
    char verdict[16];
    char rule[QPW_NAME_LEN];
    char outcome[16];
    uint64_t first_unix_ns, last_unix_ns; /* 0: unknown */
    uint64_t initiators;                  /* 0: not counted */
};

struct qpw_stated_listener {
    struct qpw_stated_service service; /* inbound */
    uint8_t addr[16];                  /* all zero: any address */
    char exe[256];
    char rule[QPW_NAME_LEN];
};

struct qpw_stated_local {
    _Alignas(8) uint8_t addr[16];
    char dev[16];
    uint8_t mac[6];
    bool floating;
};

struct qpw_stated_neighbour {
    uint8_t addr[16];
    uint8_t mac[6];
    uint64_t last_unix_ns;
};

struct qpw_stated_device {
    char name[16];
    char mode[16];         /* of a monitored device */
    bool first;            /* no other program is before ours */
    bool blind;            /* it should be monitored, but is not */
    uint64_t since_unix_ns;
    uint64_t tx, rx;       /* unmonitored devices: packets by the device's own counters */
    uint8_t mac[6];
};

struct qpw_stated_blind {
    uint64_t from_unix_ns, to_unix_ns;
    char why[32];
    bool unaudited; /* packets were counted, but no auditor was running */
};

/* One initiator's unexpected attempts. */
struct qpw_stated_scan {
    uint8_t addr[16];
    uint64_t ports;
    uint64_t first_unix_ns, last_unix_ns;
};

/* Running counts at each of the statement's sample times. */
struct qpw_stated_series {
    char name[QPW_NAME_LEN]; /* of a peer, or of a device */
    uint64_t tx[QPW_SAMPLES], rx[QPW_SAMPLES];
    uint64_t tx_lost[QPW_SAMPLES], rx_lost[QPW_SAMPLES]; /* devices */
};
struct qpw_stated_samples {
    size_t n;                       /* 0: the statement has no samples */
    uint64_t boot_us[QPW_SAMPLES];  /* ascending */
    uint64_t reading_us[QPW_SAMPLES];
    struct qpw_stated_series *pairs;
    size_t n_pairs;
    struct qpw_stated_series *devices;
    size_t n_devices;
    uint64_t left_out;              /* peers that something was exchanged with, and that are not among pairs */
};

struct qpw_statement {
    char source[256];        /* the file it was read from; empty: made here */
    char cluster[64];
    char node[QPW_NAME_LEN + 16];
    char epoch[80];          /* "BOOT-ID:SECONDS": the boot, and the time of attaching */
    uint64_t seq;
    uint64_t at_unix_ns;     /* when it was made */
    uint64_t uptime_us;      /* the same moment by the samples' clock, CLOCK_BOOTTIME */
    uint64_t clock_error_us; /* of at_unix_ns; 0: unknown */
    uint64_t since_unix_ns;  /* start of counting */
    char version[32];
    struct {
        char name[64], digest[72], source_digest[72];
        uint64_t rules;
        uint64_t loaded_unix_ns;
        char (*unused)[QPW_NAME_LEN]; /* rules of the policy that no packet has matched */
        size_t n_unused;
    } policy;
    struct qpw_stated_device *devices;   /* monitored */
    size_t n_devices;
    struct qpw_stated_device *unwatched; /* up, and not monitored */
    size_t n_unwatched;
    struct qpw_stated_blind *blind;      /* latest last */
    size_t n_blind;
    uint64_t rdma;                       /* RDMA packets, which bypass the system */
    uint64_t lost;                       /* packets counted with reduced detail */
    bool exact;                          /* packets are counted as on the wire */
    bool xdp_sockets, packet_sockets;    /* senders that may bypass the hooks */
    struct qpw_stated_local *local;
    size_t n_local;
    struct qpw_stated_pair *pairs;       /* most packets first */
    size_t n_pairs;
    struct qpw_stated_port *ports;       /* answered findings first */
    size_t n_ports;
    struct qpw_stated_listener *listen;
    size_t n_listen;
    struct qpw_stated_neighbour *neigh;
    size_t n_neigh;
    struct qpw_stated_scan *scans;       /* most ports first */
    size_t n_scans;
    char answer[24];                     /* state of the node's answer */
    uint64_t chain_seq;
    char chain_sha256[72];
    struct qpw_stated_samples samples;
    struct {
        uint64_t pairs, by, ports, listen, local, neigh, devices, blind, scans, unused;
    } left_out;                          /* number omitted for lack of space */
};

/* Input of a statement; all borrowed. */
struct qpw_statement_from {
    const struct qpw_report *report;
    const struct qpw_listening *listening;      /* NULL: not read */
    const struct qpw_neighbourhood *around;
    const bool *floating;                       /* of each of around->addresses */
    const struct qpw_openers *openers;          /* by peer number, QPW_MAX_PEERS of them; NULL: not read */
    const struct qpw_sample *samples;           /* oldest first; NULL: not requested */
    size_t n_samples;
    const char *boot_id;
    uint64_t boot_ns;                           /* CLOCK_BOOTTIME at report->s->unix_ns */
    uint64_t clock_error_ns;
    int64_t mono_to_unix_ns;                    /* of the programs' clock */
};

/* Return 0 or -ENOMEM. The caller clears *ret, also after an error. */
int qpw_statement_make(const struct qpw_statement_from *from, struct qpw_statement *ret);
void qpw_statement_clear(struct qpw_statement *s);

/* Return the packets of a pair, both directions. */
static inline uint64_t qpw_stated_packets(const struct qpw_stated_pair *pair)
{
    return pair->tx.packets + pair->rx.packets;
}

/* Return whether both are the same service, independent of the end that states it: compare protocol and port. */
bool qpw_stated_same(const struct qpw_stated_service *a, const struct qpw_stated_service *b);

#endif

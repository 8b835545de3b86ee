/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * maps.h - every map, with the reason for its type and size. None is pinned: they live as long as the
 * programs in the hooks, and are found again through them.
 *
 * Sizes given here are the defaults; user space may change those of the connection tables and the cache.
 */
#ifndef QPW_BPF_MAPS_H
#define QPW_BPF_MAPS_H

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/errno.h>

#include "packet.h"
#include "qportwatch.h"
#include "qportwatch_user.h" /* sizes of the maps that no packet touches */
#include "speech.h"
#include "tag.h"

#define QPW_MAP(map_name, map_type, entries, key_type, value_type, flags) \
    struct { \
        __uint(type, map_type); \
        __uint(max_entries, entries); \
        __type(key, key_type); \
        __type(value, value_type); \
        __uint(map_flags, flags); \
    } map_name SEC(".maps")

/* A cache line of the per-CPU cache; tag.h has the layout of an entry. */
#define QPW_CACHE_WAYS 8
struct qpw_cache_line {
    __u64 way[QPW_CACHE_WAYS];
};
_Static_assert(sizeof(struct qpw_cache_line) == 64, "one cache line");
struct qpw_cache_block {
    struct qpw_cache_line line[QPW_CACHE_BLOCK];
};

/* Result of qpw_question_get(): one of these, port << 16, number of the address << 8. */
#define QPW_ASKED_NONE 0u  /* nothing, and nothing was lost for a time-out: it did not ask */
#define QPW_ASKED_LOST 1u  /* nothing, but it may have been lost */
#define QPW_ASKED_THIS 2u  /* it asked this very port */
#define QPW_ASKED_OTHER 3u /* it asked another one */
#define QPW_ASKED(what, word) \
    ((__u32)(what) | (__u32)((word) >> QPW_QUESTION_PORT_SHIFT) << 16 | (__u32)((word) & QPW_QUESTION_WHERE) << 8)
#define QPW_ASKED_WHAT(answer) ((answer) & 0xff)
#define QPW_ASKED_WHERE(answer) ((answer) >> 8 & 0xff)
#define QPW_ASKED_PORT(answer) ((__u16)((answer) >> 16))

/* In place of a remote port, with protocol 0, which has none: what is remembered of an address. See qpw_junk_key(). */
#define QPW_JUNK_PORT 0xffffu
#define QPW_STRAY_PORT 0xfffeu
#define QPW_JUNK_GRAIN_NS (1ull << QPW_QUESTION_SHIFT)

/* How long the answers to what the node sent to a group are awaited: protocol 8 bits, ports 32, time 24. */
#define QPW_GRACE_SLOTS 1024u
#define QPW_GRACE_SHIFT 27
#define QPW_GRACE_TIME 0xffffffull
#define QPW_GRACE_NS 10000000000ull

/*
 * What a flood finds full with every packet: the table of details and the queues of slots. Asking takes a lock, and
 * what is full stays so for long, so each CPU asks again after QPW_FULL_NS only.
 */
#define QPW_FULL_NS 100000000ull
enum qpw_full {
    QPW_FULL_DETAILS,
    QPW_FULL_OPEN_SLOTS,
    QPW_FULL_FINDING_SLOTS,
    QPW_FULL_NODE_SLOTS,
    QPW_FULL_COUNT
};

#define QPW_QUOTE_BYTES 64u /* of what an ICMP error quotes: the longest IPv4 header, and ports */

/* A token bucket: what is left, and since when. */
struct qpw_tokens {
    __u64 since_ns;
    __u64 left;
};

/*
 * Working space of one packet on its slow path: too large for the 512-byte stack. Each field is written by its owner;
 * where two are named, the first fills it for the second, or both work on packets that the other never sees.
 *
 *   qportwatch.bpf.c  in, ifindex, iface, iface_generation, iface_ns, rx, now, frames, bytes, more, tag, generation, placed,
 *                     quote, quoted_bytes, owned; what has to be 0 at the beginning of a packet
 *   parse.h           pkt, header
 *   local.h, route.h  self, local; route, route_value
 *   track.h           key, saved, bucket, pair, incarnation, half_set, half_mark, cacheable, frag, asked, asked_group,
 *                     answer_port, quoted_known
 *   open.h            conn, opened, stray, junk; tuple, for owner.h too
 *   tcp.h             begins, by track.h
 *   conn.h, half.h    made; half_way, half_rank, conn_key
 *   question.h        question, question_line, question_id, asked_last
 *   judge.h           verdict, vlan, misfit, set, peer*, vouch, vouched, vouched_rule, holder, walked, services, echo_asked
 *   look.h            judged, judged_before, head, head_at, head_next, head_zeros, head_others, head_id, payload
 *   infra.h           rate, infra_news
 *   owner.h           owner, listener
 *   count.h           meter, row, row_slot
 *   finding.h         finding, finding_value, mirror, detail, prefix, detail_value, reserved_key, reserved_new
 *   account.h         before, parent, parent_value, none
 *   connless.h        meter, finding, finding_value, vlan and misfit of a packet that has no connection
 *   cache.h, event.h  victim; tokens and the other buckets
 *   maps.h            cell, full_until
 *
 * Kept from one packet to the next: iface with its generation and time, peer*, row and row_slot, prefix, the buckets,
 * full_until, victim and asked_last. Everything else is of one packet.
 */
struct qpw_work {
    struct qpw_pkt pkt;
    struct qpw_input in;            /* without its packet pointers */
    struct qpw_conn_key key;
    struct qpw_conn conn;           /* a new connection before it is stored */
    struct qpw_meter_key meter __attribute__((aligned(8)));
    struct qpw_finding_key finding;
    struct qpw_finding_key mirror;  /* the finding of the other direction */
    struct qpw_finding finding_value;
    struct qpw_set_key set;
    struct qpw_frag_key frag;
    struct qpw_parent_key parent;
    struct qpw_parent parent_value;
    struct qpw_vouch_key vouch;
    struct qpw_local_key local;
    struct qpw_route_key route;
    struct qpw_route route_value;
    struct qpw_detail_key detail;
    struct qpw_detail_key prefix;   /* of the row of a prefix that was counted in last: rows stay, so it is there */
    struct qpw_detail detail_value;
    struct qpw_conn_key saved;
    struct qpw_conn_key question;   /* whose questions are asked for; see question.h */
    struct qpw_conn_key conn_key;   /* w->key while another is in its place */
    struct qpw_conn_key listener;   /* the local end of a listening socket */
    struct bpf_sock_tuple tuple __attribute__((aligned(8)));
    struct qpw_conn before;         /* a connection as it was judged before */
    struct qpw_counts none;         /* zeroes */
    struct qpw_reserved reserved_new;
    struct qpw_reserved_key reserved_key;
    struct qpw_iface iface;
    struct qpw_allowance rate;   /* whose allowance is asked for; *_ns: what this packet takes of it */
    struct qpw_owner owner; /* of the socket that sent this packet; how 0: not known */
    struct qpw_tag tag; /* of this packet in the cache, valid where cacheable */
    __u64 now;
    __u64 half_rank; /* of the half-open entry that made room, see half.h */
    struct qpw_tokens tokens, ask_tokens, owner_tokens, route_tokens; /* of findings, and of each kind of question */
    __u32 ifindex;
    __u32 bytes;
    __u32 frames;
    __u8 rx;
    __u8 self;         /* replay: both ends are local */
    __u8 cacheable;    /* whole packet, tag valid */
    __u8 quoted_bytes; /* of an ICMP error's quote */
    __u32 bucket; /* of the tuple among the incarnations, as the four below of the one that has w->key */
    __u32 incarnation; /* as read before the connection was looked up */
    __u32 generation;  /* the policy's, the same */
    __u8 more;         /* the header is not in the linear part */
    __u8 opened;       /* this packet opened its connection */
    __u8 made;         /* and entered it in a table: no other CPU did at the same moment */
    __u8 asked_group;  /* it was a group or broadcast address that was asked */
    __u16 vlan;        /* the tag that rules are asked for */
    __u32 victim;      /* which way of a full cache line is replaced next */
    __u64 full_until[QPW_FULL_COUNT]; /* by what is full: when to ask for a slot again */
    __u8 placed;       /* bucket, pair, half_set, half_mark and incarnation are those of this packet's tuple */
    __u8 pad3[7];
    struct qpw_meter_key row __attribute__((aligned(8))); /* of the row that was counted in last: a row stays for good, so its slot is */
    __u32 row_slot;
    __u32 iface_generation; /* w->iface was read under that one, */
    __u64 iface_ns;    /* in this tick */
    __u64 peer_addr[2]; /* whose peer number was looked up last, */
    __u64 peer_ns;     /* in this tick, */
    __u32 peer_generation; /* under that generation: */
    __u16 peer_number; /* what it is */
    __u8 pad4[2];
    __u64 question_id; /* of w->question, see qpw_question_aim() */
    __u32 cell;        /* see qpw_opaque() */
    __u32 asked;       /* what is remembered of questions from where the node sends to, QPW_ASKED_* */
    __u32 junk;        /* the same of what could not be decided */
    __u32 question_line; /* the same: the number of the line */
    __u32 answer_port; /* of a finding that another port answered to; 0: none did */
    __u32 pair;        /* bucket of the two addresses among the incarnations of fragments */
    __u32 half_set;    /* of w->key in the table of half-open connections */
    __u32 half_way;    /* where qpw_half_put() stored it, from 1 */
    __u16 half_mark;
    __u8 stray;        /* the node sent TCP payload without a known connection */
    __u8 verdict;      /* of this packet; never none, even if another CPU changes the entry meanwhile */
    __u8 asked_last;   /* number in `asked` of the address that was asked last, by its own; 0: none was */
    __u8 misfit;       /* reason why the rule that this packet matches has no room for it; 0: it has */
    __u8 infra_news;   /* infrastructure, but worth a record */
    __u8 quoted_known; /* an ICMP error that quotes a packet of an exchange that is known */
    __u8 echo_asked;   /* the other end of this ICMP packet sent a large echo request */
    __u8 owned;        /* who holds the node's end of the connection was looked for, */
    __u8 vouched;      /* a parent has vouched for it before, or (QPW_VOUCHED_MAYBE) might have, */
    __u8 judged;       /* enum qpw_judged that this packet brought about, UNASKED: none; */
    __u8 judged_before; /* and what was counted in its place until now */
    __u8 begins;       /* no datagram came this way before */
    __u16 vouched_rule; /* by this rule, */
    __u32 holder;      /* and its owner's number */
    struct {
        __u32 weak, unsure, other; /* answers of steps that decide nothing yet, see qpw_walk_step() */
    } walked;
    __u32 services;    /* that the step which decides names */
    __u32 head_at;     /* where in the frame the bytes are that are to be looked at, */
    __u32 head_next;   /* how far into the stream they go, */
    __u16 head_zeros;  /* how many zeros stood alone in front, */
    __u16 head_others; /* how many segments did not continue them, */
    struct qpw_head head; /* and what stands before them */
    __u64 head_id;
    __u64 payload[QPW_HEAD_BYTES / 8]; /* its first bytes, wiped once they are classified */
    __u8 header[QPW_HEADER_BYTES];
    __u8 quote[QPW_QUOTE_BYTES];
};

/*
 * Shared truth of connections: exact keys, atomic insert. One table a quota. The half-open one, which every scan and
 * flood writes to, is made of sets (half.h): an LRU map's insertion costs 400 ns more, for its lists. 81,920 places.
 */
/* Entries of floods evict each other. BPF_F_MMAPABLE aligns the array to a page, and so each set to a cache line. */
QPW_MAP(conns_half, BPF_MAP_TYPE_ARRAY, 5120, __u32, struct qpw_half, BPF_F_MMAPABLE);
/* Only the node's own packets fill it. */
QPW_MAP(conns_out, BPF_MAP_TYPE_LRU_HASH, 32768, struct qpw_conn_key, struct qpw_conn, 0);
/*
 * No LRU: an idle mount is never evicted. Not preallocated, because most nodes use few: 1 MiB and 150 bytes each.
 * Only a completed handshake makes an entry, so that forged packets cannot make the kernel allocate.
 */
QPW_MAP(conns_est, BPF_MAP_TYPE_HASH, 65536, struct qpw_conn_key, struct qpw_conn, BPF_F_NO_PREALLOC);
QPW_MAP(conns_dgram, BPF_MAP_TYPE_LRU_HASH, 16384, struct qpw_conn_key, struct qpw_conn, 0); /* answered only */
/* Replay only, else one entry. */
QPW_MAP(conn_counts, BPF_MAP_TYPE_HASH, 1, struct qpw_conn_key, struct qpw_counts, 0);

/* Replay only, else one entry. mmap: user space writes the frames. */
QPW_MAP(replay_frames, BPF_MAP_TYPE_ARRAY, 1, __u32, struct qpw_replay_frame, BPF_F_MMAPABLE);

/*
 * Per-CPU cache in front of them: a cache line of eight tags, no shared writes. 16,384 lines = 1 MiB a CPU, fewer where
 * there are many CPUs.
 */
QPW_MAP(conn_cache, BPF_MAP_TYPE_PERCPU_ARRAY, 16384 / QPW_CACHE_BLOCK, __u32, struct qpw_cache_block, 0);
/* Beginnings that are too short to be classified yet. */
QPW_MAP(heads, BPF_MAP_TYPE_ARRAY, QPW_HEADS, __u32, struct qpw_head_part, 0);
/* What came of looking, by the slot of the meter. 440 kB. */
QPW_MAP(judged, BPF_MAP_TYPE_ARRAY, QPW_FIRST_OPEN_SLOT, __u32, struct qpw_judged_counts, 0);
/* Raised at each change of a connection's state; read per packet, written only then. mmap: user space raises it too. */
QPW_MAP(incarnations, BPF_MAP_TYPE_ARRAY, 1, __u32, struct qpw_incarnations, BPF_F_MMAPABLE);

/* Results of sock_diag for TCP tuples. LRU: a flood may evict them; the next packet asks again. */
QPW_MAP(seeds, BPF_MAP_TYPE_LRU_HASH, 4096, struct qpw_conn_key, struct qpw_seed, 0);
QPW_MAP(frags, BPF_MAP_TYPE_LRU_HASH, 3072, struct qpw_frag_key, struct qpw_frag, 0);

/*
 * Remote ends that sent to the node first: an array of cache lines, without allocation or locks. 1 MiB, 114,688
 * questions.
 */
QPW_MAP(questions, BPF_MAP_TYPE_ARRAY, QPW_QUESTION_LINES, __u32, struct qpw_questions, 0);
/* The local addresses and groups that were asked, by the number that a question carries. */
struct qpw_address {
    __u8 addr[16];
};
QPW_MAP(asked, BPF_MAP_TYPE_ARRAY, QPW_ASKED_ADDRESSES, __u32, struct qpw_address, 0);
/* Times of what the node sent to groups; packets from outside never write here. */
QPW_MAP(grace, BPF_MAP_TYPE_ARRAY, QPW_GRACE_SLOTS, __u32, __u64, 0);

/* Meter rows by key; their counters by slot. Slots come from queues, one a quota. */
QPW_MAP(meters, BPF_MAP_TYPE_HASH, QPW_METER_SLOTS_SAFE + QPW_METER_SLOTS_OPEN, struct qpw_meter_key, struct qpw_meter, 0);
#define QPW_QUEUE(queue_name, entries) \
    struct { \
        __uint(type, BPF_MAP_TYPE_QUEUE); \
        __uint(max_entries, entries); \
        __uint(value_size, sizeof(__u32)); \
    } queue_name SEC(".maps")
QPW_QUEUE(meter_slots, QPW_METER_SLOTS_SAFE);
QPW_QUEUE(open_slots, QPW_METER_SLOTS_OPEN);
QPW_QUEUE(finding_slots, QPW_FINDING_SLOTS);
QPW_QUEUE(node_slots, QPW_NODE_SLOTS);
QPW_QUEUE(answered_slots, QPW_ANSWERED_SLOTS);
QPW_QUEUE(implied_slots, QPW_IMPLIED_SLOTS);
QPW_QUEUE(weak_slots, QPW_WEAK_SLOTS);
QPW_MAP(counters, BPF_MAP_TYPE_PERCPU_ARRAY, QPW_COUNTER_SLOTS / QPW_COUNTS_BLOCK, __u32, struct qpw_counts_block, 0);
/*
 * Amounts to be added to slots of `counters`; only user space writes them. When a finding's place is freed, its counts
 * move to its meter and its slot starts at zero again, which user space cannot write into counters that CPUs are using.
 * Keyed by block, because a hash keyed by slot would need half a MiB for its empty buckets.
 */
QPW_MAP(corrections, BPF_MAP_TYPE_HASH, QPW_COUNTER_SLOTS / QPW_COUNTS_BLOCK, __u32, struct qpw_counts_block,
        BPF_F_NO_PREALLOC);

/*
 * Presence filter in front of the mirrored look-up of a new finding, which would cost a scan two cache misses per
 * packet: the ports for which a datagram finding of the other direction was ever entered. Set before the entry is made;
 * never cleared. Bytes, which two CPUs can set at the same time; four ports share one.
 */
#define QPW_MIRROR_SLOTS 16384u
struct qpw_mirrors {
    __u8 outbound[QPW_MIRROR_SLOTS];
    __u8 inbound[QPW_MIRROR_SLOTS];
};
QPW_MAP(mirrors, BPF_MAP_TYPE_ARRAY, 1, __u32, struct qpw_mirrors, 0);

/* Findings: plain hashes, so that what is recorded is never pushed out. */
QPW_MAP(findings, BPF_MAP_TYPE_HASH, QPW_FINDING_SLOTS + QPW_NODE_SLOTS, struct qpw_finding_key, struct qpw_finding, 0);
QPW_MAP(answered, BPF_MAP_TYPE_HASH, QPW_ANSWERED_SLOTS + QPW_IMPLIED_SLOTS + QPW_WEAK_SLOTS,
        struct qpw_finding_key, struct qpw_finding, 0);
/*
 * The reserved place of each (direction, protocol, port, verdict): its first answered exchange when `answered` is full.
 * At most one entry a port, hence the size: all of TCP and UDP. A trie, though keys are always whole: it takes memory
 * only where used, when of a hash as large the empty buckets alone have 2 MiB. Before 6.13 it knows no BPF_NOEXIST: of
 * two CPUs that enter the first exchange of a port at the same moment, the later one's stays.
 */
QPW_MAP(reserved, BPF_MAP_TYPE_LPM_TRIE, 131072, struct qpw_reserved_key, struct qpw_reserved, BPF_F_NO_PREALLOC);
/* Not preallocated: only what finds no place among the findings is counted here. 130 kB empty, 915 kB full. */
QPW_MAP(details, BPF_MAP_TYPE_HASH, 8192, struct qpw_detail_key, struct qpw_detail, BPF_F_NO_PREALLOC);
QPW_MAP(losses, BPF_MAP_TYPE_PERCPU_ARRAY, QPW_STATS, __u32, __u64, 0);

/*
 * The policy: two buffers of each table behind maps of maps; control.policy_buffer names the one in force,
 * so the whole object is swapped by one store. The inner maps given here are templates, none is made: user space
 * puts in those of the other buffer and frees the old ones. BPF_F_INNER_MAP (5.10): sizes may differ.
 * Sizes instead of types: up to 6.1 a map made with type information is not "equal" to one made without.
 */
struct qpw_inner_slots {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2 * QPW_CHUNKS_PER_DIR);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct qpw_slots));
};
struct qpw_inner_chains {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct qpw_chain));
    __uint(map_flags, BPF_F_INNER_MAP);
};
struct qpw_inner_steps {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct qpw_step));
    __uint(map_flags, BPF_F_INNER_MAP);
};
struct qpw_inner_sets {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(struct qpw_set_key));
    __uint(value_size, sizeof(__u32));
    __uint(map_flags, BPF_F_NO_PREALLOC);
};

#define QPW_OUTER(outer_name, inner_type) \
    struct { \
        __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); \
        __uint(max_entries, 2); \
        __type(key, __u32); \
        __array(values, struct inner_type); \
    } outer_name SEC(".maps")
QPW_OUTER(pol_slots, qpw_inner_slots);
QPW_OUTER(pol_chains, qpw_inner_chains);
QPW_OUTER(pol_steps, qpw_inner_steps);
QPW_OUTER(pol_sets, qpw_inner_sets);

/* (remote address, rule) of answered exchanges that vouch for others. */
QPW_MAP(parents, BPF_MAP_TYPE_LRU_HASH, 8192, struct qpw_parent_key, struct qpw_parent, 0);
/* Decisions of user space about companions. LRU: an evicted one is asked for again. */
QPW_MAP(vouches, BPF_MAP_TYPE_LRU_HASH, QPW_VOUCHES, struct qpw_vouch_key, struct qpw_vouch, 0);
/* Allowance of infrastructure that each remote end has left: sets, so that nothing is allocated. 250 kB. */
QPW_MAP(rates, BPF_MAP_TYPE_ARRAY, QPW_RATE_SETS + QPW_RATE_PREFIXES, __u32, struct qpw_allowances, 0);
QPW_MAP(dhcp_servers, BPF_MAP_TYPE_HASH, QPW_DHCP_SERVERS, struct qpw_address, __u64, BPF_F_NO_PREALLOC);
/* Source prefixes of what the host forwards. LRU: what is pushed out is asked again. */
QPW_MAP(routes, BPF_MAP_TYPE_LRU_HASH, QPW_ROUTES, struct qpw_route_key, struct qpw_route, 0);
/* Local addresses; a trie because a replay is given prefixes. Not part of the policy: follows netlink. */
QPW_MAP(locals, BPF_MAP_TYPE_LPM_TRIE, 16384, struct qpw_local_key, __u32, BPF_F_NO_PREALLOC);
QPW_MAP(ifaces, BPF_MAP_TYPE_HASH, QPW_MAX_IFACES, __u32, struct qpw_iface, 0); /* by ifindex */

/* Source MACs of opening packets by peer, to show who sends with a peer's address without being it. 64 KiB. */
QPW_MAP(openers, BPF_MAP_TYPE_ARRAY, QPW_MAX_PEERS, __u32, struct qpw_openers, 0);

/* Only for user space; bound to the programs at load so that they live as long. */
QPW_MAP(meta, BPF_MAP_TYPE_ARRAY, 1, __u32, struct qpw_meta, 0);
QPW_MAP(rule_info, BPF_MAP_TYPE_HASH, QPW_MAX_RULES, __u32, struct qpw_rule_info, BPF_F_NO_PREALLOC); /* few of so many */
QPW_MAP(peer_info, BPF_MAP_TYPE_ARRAY, QPW_MAX_PEERS, __u32, struct qpw_peer_info, 0);
QPW_MAP(listed, BPF_MAP_TYPE_ARRAY, QPW_LISTED_TABLES, __u32, struct qpw_listed, 0);
QPW_MAP(exceptions, BPF_MAP_TYPE_ARRAY, QPW_EXCEPTIONS, __u32, struct qpw_exception, 0);
QPW_MAP(coverage, BPF_MAP_TYPE_ARRAY, QPW_COVERAGE_RECORDS, __u32, struct qpw_coverage, 0);

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 18); /* 1,500 events; what finds it full is only delayed */
} events SEC(".maps");

/* Creator of a socket, freed with it. Not cloned to accepted sockets; their listener's is used instead. */
struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct qpw_owner);
} owners SEC(".maps");
/*
 * The same of sockets that carry no note, by their cookie: those older than the audit, and those that were accepted.
 * User space writes it from the socket table; 112 bytes each, as they are needed.
 */
QPW_MAP(older, BPF_MAP_TYPE_HASH, QPW_OLDER_SOCKETS, __u64, struct qpw_owner, BPF_F_NO_PREALLOC);
/* Older sockets that listen, by their local end: they answer for connections that have no socket yet. */
QPW_MAP(listeners, BPF_MAP_TYPE_HASH, QPW_OLDER_LISTENERS, struct qpw_conn_key, struct qpw_owner, BPF_F_NO_PREALLOC);
/* Executables of processes, a slot each (256 KiB; user space fills those older than the audit), and their paths. */
QPW_MAP(exe_of, BPF_MAP_TYPE_ARRAY, 1, __u32, struct qpw_exe_of, BPF_F_MMAPABLE);
QPW_MAP(exes, BPF_MAP_TYPE_HASH, QPW_EXES, __u64, struct qpw_exe, 0);
/* The owners of connections, by number: 8,192 processes, half a MiB. */
QPW_MAP(owner_table, BPF_MAP_TYPE_ARRAY, QPW_OWNER_SETS, __u32, struct qpw_owner_set, 0);

QPW_MAP(scratch, BPF_MAP_TYPE_PERCPU_ARRAY, 1, __u32, struct qpw_work, 0);

/* Frozen at load: the verifier knows the values and drops what they switch off. */
const volatile struct qpw_config config SEC(".rodata");
/* Written by user space only; the one line that every packet reads. */
struct qpw_control control SEC(".bss");
/* When the reader of events was last woken; racy by design, an extra wake-up harms nothing. */
__u64 woken_ns SEC(".data.woken");
__u32 owner_turn SEC(".data.woken"); /* whose turn it is in the table of owners */
/*
 * Time of the last remembered undecidable packet from outside; packets are compared with these for one time-out after
 * it.
 */
__u64 junk_ns SEC(".data.woken");

/*
 * The stages below are global functions: the verifier checks each once, by itself, instead of once for
 * every path that leads to it. Their arguments are scalars (pointers need 5.12), so what they work on is
 * this CPU's qpw_work.
 */
static __always_inline struct qpw_work *qpw_work(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&scratch, &zero);
}

/*
 * A stage that is given an entry of a table of connections, too: by a pointer, which before 5.13 only a static function
 * may take. Such a one is checked again for each way that leads to it, and for each table that the entry may be in, so
 * the object is compiled for those kernels by itself. What is handed over may be NULL, for all the verifier knows.
 */
#ifdef QPW_OLD_VERIFIER
#define QPW_STAGE static __noinline
#define QPW_OFTEN static __noinline
#else
#define QPW_STAGE __noinline
/* On every slow path: a call and its return cost 9 ns where returns are protected. For old kernels it would be too much. */
#define QPW_OFTEN static __always_inline
#endif

/*
 * Verifier: a number whose value differs from path to path makes it follow each to the end. Through memory it is
 * any number, so the paths are one again.
 */
static __always_inline __u32 qpw_opaque(struct qpw_work *w, __u32 value)
{
    *(volatile __u32 *)&w->cell = value;
    return *(volatile __u32 *)&w->cell;
}

static __always_inline int qpw_is_full(const struct qpw_work *w, const enum qpw_full what)
{
    /* Neither past nor, after a step back of the clock, far off. */
    return w->full_until[what] - w->now - 1 < QPW_FULL_NS;
}

static __always_inline void qpw_set_full(struct qpw_work *w, const enum qpw_full what)
{
    w->full_until[what] = w->now + QPW_FULL_NS;
}

/* Copy n bytes at off of the packet, linear or not. Returns 0 if done. */
static __always_inline long qpw_load(void *ctx, __u32 off, void *to, __u32 n, const int xdp)
{
    if (!xdp)
        return bpf_skb_load_bytes(ctx, off, to, n);
    if (config.has_xdp_buff_len)
        return bpf_xdp_load_bytes(ctx, off, to, n);
    return -1; /* before 5.18 an XDP packet is linear as a whole */
}

/*
 * Copy n bytes of the frame, 1 to 40, at an offset of headers that were parsed. Before 5.18 there is no helper for XDP,
 * whose packets are linear there: they are copied.
 */
static __always_inline long qpw_payload(void *ctx, __u32 off, void *to, __u32 n, const int xdp)
{
    const __u8 *data, *end;
    __u8 *bytes = to;
    __u64 at = off;

    if (!xdp || config.has_xdp_buff_len)
        return qpw_load(ctx, off, to, n, xdp);
    data = (const __u8 *)(long)((volatile struct xdp_md *)ctx)->data;
    end = (const __u8 *)(long)((volatile struct xdp_md *)ctx)->data_end;
    if (off > QPW_REACH)
        return -1;
    QPW_BOUND_REACH(at);
    data += at;
    for (__u32 i = 0; i < 40; i++) {
        if (i >= n)
            break;
        if (data + i + 1 > end)
            return -1;
        bytes[i] = data[i];
    }
    return 0;
}

/* Count a loss or a table's statistic; never silent. */
static __always_inline void qpw_stat(__u32 index)
{
    __u64 *value = bpf_map_lookup_elem(&losses, &index);

    if (value)
        (*value)++;
}

/* Read the clock of every *_ns field but in replay: monotonic by jiffies (1 ns a call, against 29 of ktime). */
static __always_inline __u64 qpw_clock(void)
{
    return config.base_ns + (bpf_jiffies64() - config.jiffies_base) * config.tick_ns;
}

/* Read the same, or the capture's. */
static __always_inline __u64 qpw_now(void)
{
    return config.replay ? control.replay_now_ns : qpw_clock();
}

/* User space's own: the listeners that were seen so far, see struct qpw_listening_note. */
QPW_MAP(listening, BPF_MAP_TYPE_HASH, QPW_LISTENING_ENTRIES, struct qpw_listening_key,
        struct qpw_listening_note, BPF_F_NO_PREALLOC);

/* User space's own: what was decided of connections that are judged provisionally, see struct qpw_decision. */
QPW_MAP(decisions, BPF_MAP_TYPE_HASH, QPW_DECISIONS, struct qpw_conn_key, struct qpw_decision, BPF_F_NO_PREALLOC);

/* User space's own: who used the rules, see struct qpw_rule_user_key. */
QPW_MAP(rule_users, BPF_MAP_TYPE_HASH, QPW_RULE_USERS, struct qpw_rule_user_key, struct qpw_rule_user, BPF_F_NO_PREALLOC);

/* User space's own: steps in the lives of findings, see struct qpw_life. */
QPW_MAP(lives, BPF_MAP_TYPE_HASH, QPW_LIVES, struct qpw_finding_key, struct qpw_life, BPF_F_NO_PREALLOC);

/* User space's own: which programs were seen, and with what first, see struct qpw_first_seen. */
QPW_MAP(first_seen, BPF_MAP_TYPE_HASH, QPW_FIRST_SEEN, struct qpw_program_key, struct qpw_first_seen, BPF_F_NO_PREALLOC);

/*
 * User space's own: what each pair of nodes exchanged, second by second, see struct qpw_sample. 280 KiB where there are
 * peers.
 */
QPW_MAP(samples, BPF_MAP_TYPE_HASH, QPW_SAMPLES, __u32, struct qpw_sample, BPF_F_NO_PREALLOC);

#endif

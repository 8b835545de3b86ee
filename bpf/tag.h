/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tag.h - the tag of a connection in the per-CPU cache, and its bucket among the incarnations.
 *
 * Multilinear hashing (sum of secret[i] * word[i] modulo 2^64, upper half taken) is strongly universal:
 * without the secrets, which are random at each load, two chosen tuples collide with probability 2^-32
 * per sum. Two sums with different secrets make the tag, so an attacker cannot find a tuple that takes
 * the place of an allowed one. Pure; user space uses it to invalidate an entry it changed.
 */
#ifndef QPW_BPF_TAG_H
#define QPW_BPF_TAG_H

#include "packet.h"

#define QPW_INCARNATIONS 65536u
#define QPW_PAIR_INCARNATIONS 4096u
#define QPW_PAIRS 8192u
#define QPW_PRESENT_BYTES 131072u
#define QPW_PRESENT_PLACES 4u /* of a byte; each has a bit in both halves of it */
#define QPW_PRESENT_FIRST 0x0fu
#define QPW_PRESENT_SECOND 0xf0u
#define QPW_SECRETS 11 /* per sum */
#define QPW_LINE_SECRET (2 * QPW_SECRETS)
#define QPW_SET_SECRET (2 * QPW_SECRETS + 1)

/*
 * Raised at each change of a connection's state. SYNs have a counter of their own, because a flood of them keeps
 * opening entries, which does not change how a retransmitted SYN is counted. So have later fragments, which identify
 * only two addresses, not a connection.
 */
struct qpw_incarnations {
    __u32 other[QPW_INCARNATIONS];
    struct {
        __u32 syn;
        /*
         * How many entries of the tables other than the half-open one belong to the bucket: four counters of a byte,
         * qpw_live_step(), chosen by two more bits of the hash, so that 64,000 connections leave four fifths of them
         * at 0. Raised before an entry is made. Where there are none, a packet that opens a connection need not search
         * those tables. What an LRU table pushes out stays counted: that costs a search and is never wrong.
         */
        __u32 live;
    } open[QPW_INCARNATIONS]; /* both are read for each SYN */
    __u32 pair[QPW_PAIR_INCARNATIONS];
    /*
     * The same count by the two addresses alone: a stranger's packet, as of a scan, shares a counter above with a
     * connection more often than it shares both.
     */
    __u32 pair_live[QPW_PAIRS];
    /*
     * Presence filter of the tables of meters, findings and details, see presence.h. present_half selects the half of
     * each byte that is in force while user space rebuilds the other; 0: neither is in force.
     */
    __u8 present[QPW_PRESENT_BYTES];
    __u8 present_half;
    __u8 pad[7];
};

/*
 * What a change adds to an incarnation of SYNs. Its bits below are those of the epoch in which a copy of one of the
 * bucket's SYNs was last made: no copy outlives its epoch, so that a SYN which finds another one there need not be
 * looked for.
 */
#define QPW_SYN_STEP 16u

/*
 * An entry of the cache:
 *
 *    63                      40 39               22 21     18  17   16   15  14                0
 *   +--------------------------+-------------------+---------+----+----+----+-------------------+
 *   |        packet tag        |      version      |  epoch  | NO | TX | RX |       slot        |
 *   +--------------------------+-------------------+---------+----+----+----+-------------------+
 *
 *   packet tag  24 bits of one sum: which packets. With the 13 bits that chose the pair of lines, 55 bits of two sums
 *               tell tuples apart (42 of them here); 52 with the small caches of many CPUs.
 *   version     18 bits of the other sum, moved on by all that may change what the packet is counted as:
 *                 incarnation  of the tuple's bucket (struct qpw_incarnations): raised at each change of a connection
 *                 generation   of the policy: control.generation
 *                 epoch >> 4   so that an entry is not taken for one of 16 epochs ago
 *   epoch       the last four bits of now >> control.refresh_shift (4.3 s): an entry serves one epoch, so that the
 *               connection's last_ns is never older than that
 *   TX, RX      directions it stands for: sent, received
 *   NO          packets without payload in either direction: what an end says first is still to be looked at
 *   slot        of `counters`; an entry is 0 where it is empty, for no tag is
 */
#define QPW_CACHE_PACKET 0xffffff0000000000ull
#define QPW_CACHE_VERSION 0x000000ffffc00000ull
#define QPW_CACHE_TAG (QPW_CACHE_PACKET | QPW_CACHE_VERSION)
#define QPW_CACHE_WAY 61 /* the uppermost three bits, see qpw_cache_way() */
#define QPW_CACHE_EPOCH_SHIFT 18
#define QPW_CACHE_EPOCH (15ull << QPW_CACHE_EPOCH_SHIFT)
#define QPW_CACHE_RX 0x8000u /* packets received, or sent, that change nothing */
#define QPW_CACHE_TX 0x10000u
#define QPW_CACHE_NO_PAYLOAD 0x20000u /* such packets of TCP, whichever way */
#define QPW_CACHE_SLOT 0x7fffu
_Static_assert(QPW_COUNTER_SLOTS <= QPW_CACHE_SLOT, "a slot fits into an entry of the cache");

#define QPW_CACHE_BLOCK 64u /* lines stand together in a value of the map, as slots of `counters` do */

/*
 * A cache line of questions, see question.h. A word: tag of the remote end 24 bits, local port that was asked 16,
 * time 18 (in units of 2^30 ns, 1.07 s, modulo 3.2 days), number of the local address in `asked` 6. 0: empty.
 */
#define QPW_QUESTION_LINES 16384u
#define QPW_QUESTION_WAYS 7
struct qpw_questions {
    __u64 word[QPW_QUESTION_WAYS];
    __u32 lost; /* 1 + when a word was last overwritten that was younger than the time-out; 0: never */
    __u32 touched; /* written ahead, never read: qpw_question_ahead() */
};
_Static_assert(sizeof(struct qpw_questions) == 64, "one cache line");
#define QPW_QUESTION_SHIFT 30
#define QPW_QUESTION_TAG 0xffffff0000000000ull
#define QPW_QUESTION_PORT_SHIFT 24
#define QPW_QUESTION_ID 0xffffffffff000000ull /* tag and port */
#define QPW_QUESTION_TIME_SHIFT 6
#define QPW_QUESTION_TIME 0x3ffffu
#define QPW_QUESTION_WHERE 63u
#define QPW_QUESTION_BACK 64u /* so far a capture's clock may step back */
#define QPW_ASKED_ADDRESSES 64u
#define QPW_ASKED_GROUPS 48u /* numbers from here on are those of groups and broadcast addresses */
_Static_assert(QPW_ASKED_ADDRESSES - 1 == QPW_QUESTION_WHERE, "a number for each slot");

struct qpw_tag {
    __u64 a, b;
};

/* Added to the bits of QPW_CACHE_PACKET to tell kinds of packets apart that are otherwise alike. */
#define QPW_TAG_SYN (1ull << 40)      /* a SYN, from the connection's other packets */
#define QPW_TAG_FRAGMENT (2ull << 40) /* a later fragment, from whole packets without ports */
#define QPW_TAG_V6 (4ull << 40)
#define QPW_TAG_PROTOCOL (8ull << 40)
#define QPW_TAG_GROUP_SHIFT 51 /* a frame for a group of cards, from those for one */

static __always_inline void qpw_tag_word(struct qpw_tag *t, const volatile __u64 *secret, const int i, __u32 word)
{
    t->a += secret[i] * word;
    t->b += secret[i + QPW_SECRETS] * word;
}

/* Add the words that all packets between two addresses share. v6: the addresses are not IPv4-mapped. */
static __always_inline struct qpw_tag qpw_tag_pair(const volatile __u64 *secret, const __u8 *local,
                                                   const __u8 *remote, int v6)
{
    __u64 kind = (__u64)!!v6 * QPW_TAG_V6;
    struct qpw_tag t = {kind, kind};

    qpw_tag_word(&t, secret, 0, qpw_word(local + 12));
    qpw_tag_word(&t, secret, 1, qpw_word(remote + 12));
    if (v6) {
        qpw_tag_word(&t, secret, 3, qpw_word(local));
        qpw_tag_word(&t, secret, 4, qpw_word(local + 4));
        qpw_tag_word(&t, secret, 5, qpw_word(local + 8));
        qpw_tag_word(&t, secret, 6, qpw_word(remote));
        qpw_tag_word(&t, secret, 7, qpw_word(remote + 4));
        qpw_tag_word(&t, secret, 8, qpw_word(remote + 8));
    }
    return t;
}

/* Add those that every packet of a connection shares beside these; ports in host order, 0 where there are none. */
static __always_inline void qpw_tag_exchange(struct qpw_tag *t, const volatile __u64 *secret, __u16 local_port,
                                             __u16 remote_port, __u8 protocol)
{
    t->a += (__u64)protocol * QPW_TAG_PROTOCOL;
    t->b += (__u64)protocol << 32;
    qpw_tag_word(t, secret, 2, (__u32)local_port << 16 | remote_port);
}

/* Return the number of a pair of addresses, of which the tag has no more yet: see qpw_pair_fragments(), qpw_pair_live(). */
static __always_inline __u32 qpw_tag_pair_number(const struct qpw_tag *t)
{
    return (__u32)(t->b >> 48);
}

/* Return the place of such a number among the incarnations of fragments. */
static __always_inline __u32 qpw_pair_fragments(__u32 pair)
{
    return pair & (QPW_PAIR_INCARNATIONS - 1);
}

/* The same among the counters of entries. */
static __always_inline __u32 qpw_pair_live(__u32 pair)
{
    return pair & (QPW_PAIRS - 1);
}

static __always_inline __u32 qpw_tag_incarnation(const struct qpw_tag *t)
{
    return (__u32)(t->b >> 48) & (QPW_INCARNATIONS - 1);
}

#define QPW_LIVE_PLACE 16 /* the two bits that choose the counter of `live` stand here in qpw_tag_bucket() */

/* Return that bucket, with the counter there that the exchange belongs to. */
static __always_inline __u32 qpw_tag_bucket(const struct qpw_tag *t)
{
    return qpw_tag_incarnation(t) | ((__u32)(t->b >> 46) & 3) << QPW_LIVE_PLACE;
}

static __always_inline __u32 qpw_live_shift(__u32 bucket)
{
    return (bucket >> QPW_LIVE_PLACE & 3) * 8;
}

/*
 * Return what to add to the word of counters for one entry more, or one less, of the bucket. A counter that has reached
 * QPW_LIVE_STUCK never falls again: it says "perhaps" for good. It still rises to QPW_LIVE_FULL, so that a CPU which
 * has read a lower number may lower it all the same without its missing any that another CPU did not add.
 */
#define QPW_LIVE_STUCK 0x80u
#define QPW_LIVE_FULL 0xc0u
static __always_inline __u32 qpw_live_step(__u32 word, __u32 bucket, int more)
{
    __u32 shift = qpw_live_shift(bucket), count = word >> shift & 0xff;

    /* Without branches, each of which the verifier would follow. */
    if (more)
        return ((count - QPW_LIVE_FULL) >> 31) << shift;
    return 0u - ((((count - QPW_LIVE_STUCK) >> 31) & ((0u - count) >> 31)) << shift);
}

/*
 * The same for a counter by addresses, which has room for more entries than there can be at once: one that is stuck
 * neither rises nor falls, and what CPUs miss that have read a lower number is far from lowering it to 0.
 */
static __always_inline __u32 qpw_pair_live_step(__u32 count, int more)
{
    __u32 step = 1 - (count >> 31);

    return more ? step : 0u - step;
}

/*
 * Consecutive words, as addresses and ports of real traffic are, have evenly spaced sums, which an unlucky secret would
 * put into few sets. Fold the sum and multiply it by another secret, so that it spreads whatever the secrets are
 * (multiply-shift; use the upper half).
 */
static __always_inline __u64 qpw_tag_spread(__u64 sum, __u64 secret)
{
    return (sum ^ sum >> 32) * secret;
}

/* Return the set of half-open connections that the exchange belongs in. */
static __always_inline __u32 qpw_tag_half_set(const struct qpw_tag *t, const volatile __u64 *secret, __u32 sets)
{
    return (__u32)((qpw_tag_spread(t->a, secret[QPW_SET_SECRET]) >> 32) * sets >> 32);
}

/* Return its mark there, never 0, which marks an empty way. */
static __always_inline __u16 qpw_tag_half_mark(const struct qpw_tag *t)
{
    __u16 mark = (__u16)(t->b >> 32);

    return mark ? mark : 1;
}

/* Bytes of the presence filter are in pairs, so that those of one finding in both tables are neighbours. */
enum qpw_present { QPW_PRESENT_FINDING, QPW_PRESENT_ANSWERED, QPW_PRESENT_METER = QPW_PRESENT_FINDING, QPW_PRESENT_DETAIL = QPW_PRESENT_ANSWERED };

#define QPW_PRESENT_PLACE 20 /* the number of the place in its byte stands here in qpw_present_slot() */

/* Return the slot of a key of that table, byte and place: `size` bytes, a multiple of 4 and at most 4 * QPW_SECRETS. */
static __always_inline __u32 qpw_present_slot(const volatile __u64 *secret, const void *key, const __u32 size,
                                               const enum qpw_present table)
{
    __u64 sum = 0;

#pragma GCC unroll 16
    for (__u32 i = 0; i < size / 4; i++)
        sum += secret[i] * qpw_word((const __u8 *)key + 4 * i);
    sum = qpw_tag_spread(sum, secret[QPW_SET_SECRET]);
    return (__u32)(sum >> 48) << 1 | table | ((__u32)(sum >> 46) & (QPW_PRESENT_PLACES - 1)) << QPW_PRESENT_PLACE;
}

/* Return the bits of that slot in its byte, one of each half. */
static __always_inline __u32 qpw_present_bits(__u32 slot)
{
    return 0x11u << (slot >> QPW_PRESENT_PLACE & (QPW_PRESENT_PLACES - 1));
}

/* Return the sums of an exchange's remote end, whichever local one it speaks to. */
static __always_inline struct qpw_tag qpw_tag_remote(const volatile __u64 *secret, const __u8 *remote, int v6,
                                                     __u16 port, __u8 protocol)
{
    __u64 kind = (__u64)!!v6 * QPW_TAG_V6;
    struct qpw_tag t = {kind, kind};

    qpw_tag_word(&t, secret, 0, (__u32)protocol << 16 | port);
    qpw_tag_word(&t, secret, 1, qpw_word(remote + 12));
    if (v6) {
        qpw_tag_word(&t, secret, 6, qpw_word(remote));
        qpw_tag_word(&t, secret, 7, qpw_word(remote + 4));
        qpw_tag_word(&t, secret, 8, qpw_word(remote + 8));
    }
    return t;
}

/* Return the line that its questions are remembered in. */
static __always_inline __u32 qpw_tag_question_line(const struct qpw_tag *t, const volatile __u64 *secret)
{
    return (__u32)(qpw_tag_spread(t->a, secret[QPW_SET_SECRET]) >> 50) & (QPW_QUESTION_LINES - 1);
}

/*
 * Add what else decides a packet's verdict: interface, VLAN, ICMP type, a SYN's sequence number, a fragment's id; beside
 * qpw_tag_group().
 */
static __always_inline void qpw_tag_packet(struct qpw_tag *t, const volatile __u64 *secret, __u32 ifindex, __u16 vlan,
                                           __u32 special)
{
    qpw_tag_word(t, secret, 9, ifindex << 12 | vlan);
    if (special) /* most packets have none, and 0 adds nothing */
        qpw_tag_word(t, secret, 10, special);
}

/* Add whether the frame is for a group of cards; mac: its destination. */
static __always_inline void qpw_tag_group(struct qpw_tag *t, const __u8 *mac)
{
    t->a += (__u64)(mac[0] & 1) << QPW_TAG_GROUP_SHIFT;
}

/* Return the cache line that the tag belongs in. */
static __always_inline __u32 qpw_tag_line(const struct qpw_tag *t, const volatile __u64 *secret, __u32 mask)
{
    return (__u32)(qpw_tag_spread(t->b, secret[QPW_LINE_SECRET]) >> 48) & mask;
}

/*
 * Return the tag as it is compared, in the bits of QPW_CACHE_TAG and QPW_CACHE_EPOCH: 24 bits of one sum, which
 * identify the packet, and 18 of the other, shifted by the connection's incarnation, the policy's generation and the
 * time. An entry made under other ones does not match, but QPW_CACHE_PACKET still shows that it is the same packet's,
 * to be replaced first. Never 0, which marks an empty way.
 */
static __always_inline __u64 qpw_tag_value(const struct qpw_tag *t, __u32 incarnation, __u32 generation, __u32 epoch)
{
    __u64 packet = t->a & QPW_CACHE_PACKET;
    __u64 version = (t->b >> 46) + incarnation + generation * 0x2c9a5u + (generation >> 16) + (epoch >> 4) * 0x51d6bu +
                    (epoch >> 20);

    return (packet ? packet : QPW_CACHE_PACKET) | (version << 22 & QPW_CACHE_VERSION) |
           (__u64)(epoch & 15) << QPW_CACHE_EPOCH_SHIFT;
}

/* Return the key of a path, whose bytes behind its end are zero: NH of RFC 4418, 5.2. Nobody can aim at another's. Never 0. */
static __always_inline __u64 qpw_exe_key(const __volatile__ __u64 *secret, const struct qpw_exe *e)
{
    __u64 word, hash = 0;

#pragma GCC unroll 24
    for (__u32 i = 0; i < QPW_EXE_PATH / 8; i++) {
        __builtin_memcpy(&word, e->path + 8 * i, 8);
        hash += (__u64)((__u32)word + (__u32)secret[i]) * ((__u32)(word >> 32) + (__u32)(secret[i] >> 32));
    }
    hash &= ~QPW_EXE_TGID;
    return hash ? hash : QPW_EXE_TGID + 1;
}

#endif

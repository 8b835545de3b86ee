/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tag of a connection: the same for both directions, different for everything else. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/tag.h"

static __u64 secret[QPW_SET_SECRET + 1], state = 88172645463325252ull;

/* Draw new secrets with each call: xorshift64. */
static void start(void)
{
    for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        secret[i] = state | 1;
    }
}
TestSuite(tag, .init = start);

struct tuple {
    __u8 local[16], remote[16];
    __u16 local_port, remote_port, vlan;
    __u8 protocol;
    int v6;
    __u32 ifindex, extra, incarnation, generation, epoch;
};

static const struct tuple usual = {.local = {[10] = 0xff, 0xff, 10, 0, 0, 1},
                                   .remote = {[10] = 0xff, 0xff, 10, 0, 0, 9}, .local_port = 445,
                                   .remote_port = 40000, .protocol = 6, .ifindex = 2,
                                   .generation = 5, .epoch = 1000};

static __u64 value_of(const struct tuple *u, __u32 *ret_line)
{
    struct qpw_tag t = qpw_tag_pair(secret, u->local, u->remote, u->v6);

    qpw_tag_exchange(&t, secret, u->local_port, u->remote_port, u->protocol);
    qpw_tag_packet(&t, secret, u->ifindex, u->vlan, u->extra);
    *ret_line = qpw_tag_line(&t, secret, 0xffff);
    return qpw_tag_value(&t, u->incarnation, u->generation, u->epoch);
}

static int is_found(__u64 entry, __u64 want)
{
    return ((entry ^ want) & (QPW_CACHE_TAG | QPW_CACHE_EPOCH)) == 0;
}

Test(tag, leaves_room_for_slot_and_directions)
{
    __u32 line;
    __u64 v = value_of(&usual, &line);

    cr_assert_eq(v & (QPW_CACHE_SLOT | QPW_CACHE_RX | QPW_CACHE_TX), 0);
    cr_assert_neq(v & QPW_CACHE_TAG, 0);
}

#define OTHER(field, v) \
    do { \
        struct tuple u = usual; \
        __u32 line, usual_line; \
        u.field = (v); \
        __u64 want = value_of(&u, &line), entry = value_of(&usual, &usual_line); \
        cr_assert(!is_found(entry, want), #field); /* even if there were only one line */ \
    } while (0)

Test(tag, every_field_tells)
{
    for (int bit = 0; bit < 128; bit++) {
        if (bit < 96) /* for IPv4 only the last four bytes are hashed, as the rest is constant */
            continue;
        OTHER(local[bit / 8], usual.local[bit / 8] ^ 1 << bit % 8);
        OTHER(remote[bit / 8], usual.remote[bit / 8] ^ 1 << bit % 8);
    }
    for (int bit = 0; bit < 16; bit++) {
        OTHER(local_port, (__u16)(usual.local_port ^ 1 << bit));
        OTHER(remote_port, (__u16)(usual.remote_port ^ 1 << bit));
        OTHER(incarnation, usual.incarnation ^ 1u << bit);
    }
    for (int bit = 0; bit < 12; bit++)
        OTHER(vlan, (__u16)(1 << bit));
    for (int bit = 0; bit < 32; bit++) {
        OTHER(extra, 1u << bit);
        OTHER(generation, usual.generation ^ 1u << bit);
    }
    for (int bit = 0; bit < 24; bit++) /* two years, in units of four seconds */
        OTHER(epoch, usual.epoch ^ 1u << bit);
    OTHER(protocol, 17);
    OTHER(ifindex, 3);
    OTHER(v6, 1);
    OTHER(generation, usual.generation + 256);
    OTHER(epoch, usual.epoch + 256);
    OTHER(epoch, usual.epoch + 65536);
}

Test(tag, all_of_an_ipv6_address_tells)
{
    struct tuple six = usual;
    __u32 line, other_line;

    six.v6 = 1;
    for (int bit = 0; bit < 128; bit++)
        for (int end = 0; end < 2; end++) {
            struct tuple u = six;

            (end ? u.local : u.remote)[bit / 8] ^= (__u8)(1 << bit % 8);
            __u64 want = value_of(&u, &other_line), entry = value_of(&six, &line);

            cr_assert(line != other_line || !is_found(entry, want), "bit %d", bit);
        }
}

static int by_value(const void *x, const void *y)
{
    return memcmp(x, y, 12);
}

/* A million tuples of a scan and of clients behind it: no two share both tag and line. */
Test(tag, a_million_tuples_are_a_million_tags)
{
    enum { N = 1000000 };
    struct entry {
        __u64 value;
        __u32 line;
    } __attribute__((packed)) *all = malloc(N * sizeof(*all));
    struct tuple u = usual;

    cr_assert(all != NULL);
    for (__u32 i = 0; i < N; i++) {
        __u32 line;

        u.local_port = (__u16)i;
        u.remote_port = (__u16)(40000 + (i >> 16));
        u.remote[15] = (__u8)(i >> 12);
        all[i].value = value_of(&u, &line);
        all[i].line = line & 16383; /* lines of the default size */
    }
    qsort(all, N, sizeof(*all), by_value);
    for (__u32 i = 1; i < N; i++)
        cr_assert(by_value(&all[i - 1], &all[i]) != 0);
    free(all);
}

/* Lines are used evenly: a port scan does not pile up in a few. */
Test(tag, lines_are_filled_evenly)
{
    enum { LINES = 16384, N = 65536 };
    static __u16 used[LINES];
    struct tuple u = usual;
    unsigned most = 0;

    for (__u32 i = 0; i < N; i++) {
        __u32 line;

        u.local_port = (__u16)i;
        value_of(&u, &line);
        if (++used[line & (LINES - 1)] > most)
            most = used[line & (LINES - 1)];
    }
    cr_assert_lt(most, 40, "%u of 65,536 in one line, where 4 are due", most);
}

/* Return how many of n entries are in places that hold more than `ways`. */
static size_t crowded(const unsigned *in_place, size_t places, unsigned ways)
{
    size_t n = 0;

    for (size_t i = 0; i < places; i++)
        n += in_place[i] > ways ? in_place[i] : 0;
    return n;
}

/*
 * 64,000 consecutive clients fill 16,384 lines of eight and 6,144 sets of sixteen as evenly as at random, with any
 * secrets: at random, 5.1 % are in overfull lines, and 7 % in overfull sets.
 */
Test(tag, traffic_in_rows_spreads_with_every_secret)
{
    enum { SECRETS = 300, CLIENTS = 64000, LINES = 16384, SETS = 6144 };
    static unsigned in_line[LINES], in_set[SETS];
    struct tuple u = usual;

    for (int n = 0; n < SECRETS; n++) {
        start();
        memset(in_line, 0, sizeof(in_line));
        memset(in_set, 0, sizeof(in_set));
        for (__u32 i = 0; i < CLIENTS; i++) {
            struct qpw_tag t;

            u.remote[13] = (__u8)(i >> 12);
            u.remote[14] = (__u8)(i >> 4);
            u.remote_port = (__u16)(1024 + (i & 15));
            t = qpw_tag_pair(secret, u.local, u.remote, 0);
            qpw_tag_exchange(&t, secret, u.local_port, u.remote_port, u.protocol);
            in_set[qpw_tag_half_set(&t, secret, SETS)]++;
            qpw_tag_packet(&t, secret, u.ifindex, u.vlan, u.extra);
            in_line[qpw_tag_line(&t, secret, LINES - 1)]++;
        }
        cr_assert_lt(crowded(in_line, LINES, 8), CLIENTS * 7 / 100, "%zu", crowded(in_line, LINES, 8));
        cr_assert_lt(crowded(in_set, SETS, 16), CLIENTS * 10 / 100, "%zu", crowded(in_set, SETS, 16));
    }
}

/* ---- The counters that show whether a place has entries beside the half-open ones ---- */

Test(tag, live_counters_of_a_word_do_not_touch_each_other)
{
    __u32 word = 0, bucket;

    for (__u32 counter = 0; counter < 4; counter++)
        for (__u32 n = 0; n < 20 + counter; n++)
            word += qpw_live_step(word, 7 | counter << QPW_LIVE_PLACE, 1);
    for (__u32 counter = 0; counter < 4; counter++)
        cr_expect_eq(word >> qpw_live_shift(7 | counter << QPW_LIVE_PLACE) & 0xff, 20 + counter);
    for (__u32 counter = 0; counter < 4; counter++) {
        bucket = 7 | counter << QPW_LIVE_PLACE;
        for (__u32 n = 0; n < 20 + counter; n++)
            word += qpw_live_step(word, bucket, 0);
        cr_expect_eq(word >> qpw_live_shift(bucket) & 0xff, 0);
        cr_expect_eq(qpw_live_step(word, bucket, 0), 0, "none is taken from the next counter");
    }
    cr_expect_eq(word, 0);
}

/* What was once so full that it may have missed entries stays "perhaps", and overflows into no neighbour. */
Test(tag, a_live_counter_that_was_full_never_says_none)
{
    __u32 bucket = 1 << QPW_LIVE_PLACE, word = 0;

    for (__u32 n = 0; n < 1000; n++)
        word += qpw_live_step(word, bucket, 1);
    cr_expect_eq(word, QPW_LIVE_FULL << 8);
    for (__u32 n = 0; n < 1000; n++)
        word += qpw_live_step(word, bucket, 0);
    cr_expect_eq(word, QPW_LIVE_FULL << 8);
    for (word = (QPW_LIVE_STUCK - 1) << 8; word; )
        word += qpw_live_step(word, bucket, 0);
    cr_expect_eq(word, 0);
    cr_expect_eq(qpw_live_step(QPW_LIVE_STUCK << 8, bucket, 0), 0);
}

/* What an LRU table pushes out is never taken from it. */
Test(tag, a_counter_by_addresses_never_overflows)
{
    __u32 count = 0;

    count += qpw_pair_live_step(count, 1);
    count += qpw_pair_live_step(count, 1);
    count += qpw_pair_live_step(count, 0);
    cr_expect_eq(count, 1);
    count = 0x7fffffff;
    for (int i = 0; i < 10; i++)
        count += qpw_pair_live_step(count, 1);
    cr_expect_eq(count, 0x80000000);
    for (int i = 0; i < 10; i++)
        count += qpw_pair_live_step(count, 0);
    cr_expect_eq(count, 0x80000000, "it may have missed some");
}

/* Each counter of each word has its share of the exchanges. */
Test(tag, live_counters_are_filled_evenly)
{
    enum { EXCHANGES = 262144 };
    struct tuple u = usual;
    size_t zero = 0, of[4] = {0};
    __u8 *seen = calloc(QPW_INCARNATIONS, 4);

    cr_assert(seen);
    for (unsigned i = 0; i < EXCHANGES / 4; i++) {
        struct qpw_tag t;
        __u32 bucket;

        u.remote_port = (__u16)(32768 + (i & 63));
        u.remote[14] = (__u8)(i >> 14);
        u.remote[15] = (__u8)(i >> 6);
        t = qpw_tag_pair(secret, u.local, u.remote, u.v6);
        qpw_tag_exchange(&t, secret, u.local_port, u.remote_port, u.protocol);
        bucket = qpw_tag_bucket(&t);
        of[bucket >> QPW_LIVE_PLACE & 3]++;
        seen[(bucket & (QPW_INCARNATIONS - 1)) * 4 + (bucket >> QPW_LIVE_PLACE & 3)] = 1;
    }
    for (size_t i = 0; i < QPW_INCARNATIONS * 4; i++)
        zero += !seen[i];
    free(seen);
    for (int i = 0; i < 4; i++)
        cr_expect(of[i] > EXCHANGES / 32 && of[i] < EXCHANGES / 8, "counter %d: %zu", i, of[i]);
    cr_expect_gt(zero, EXCHANGES / 2);
}

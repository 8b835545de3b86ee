/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/local_auto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/capture.h"
#include "replay/stream.h"
#include "util/names.h"
#include "words/words.h"

/* Tables of fixed size: what no longer fits came late, so it is not the address with most partners. */
#define ADDRESSES 8192u /* powers of two */
#define PAIRS 65536u
#define WIDEST_RULE 1024u  /* ports; a wider rule is no evidence of a server */
#define CARD_ADDRESSES 8u /* a MAC address that sends from more is a router's */

struct address {
    uint8_t addr[16];
    uint8_t mac[6];   /* last seen as its source */
    bool used;
    bool has_mac;
    bool left;        /* sent a frame that left the node, according to the capture */
    uint32_t partners;
    uint64_t frames;
    /* Frames from or to a port of its own that a rule lists inbound, while the other end's port is not listed. */
    uint64_t served;
};

struct survey {
    uint8_t listed[2][65536 / 8]; /* bitmaps of the TCP and UDP ports that rules list inbound */
    struct address addresses[ADDRESSES];
    uint64_t pairs[PAIRS]; /* hashes of (address, partner) */
    uint32_t n_addresses;
    uint32_t n_pairs;
    uint64_t frames;
    bool directions; /* some frame is marked as outgoing */
    uint64_t unsupported;     /* records that cannot be replayed, and their link type if there were no others */
    char unsupported_type[48];
};

static uint64_t mix(const uint8_t addr[16])
{
    uint64_t words[2];

    memcpy(words, addr, 16);
    words[0] = (words[0] ^ words[1] * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    return words[0] ^ words[0] >> 29;
}

static struct address *address_of(struct survey *s, const uint8_t addr[16])
{
    size_t slot = mix(addr) % ADDRESSES;

    while (s->addresses[slot].used && memcmp(s->addresses[slot].addr, addr, 16))
        slot = (slot + 1) % ADDRESSES;
    if (s->addresses[slot].used)
        return &s->addresses[slot];
    if (s->n_addresses >= ADDRESSES * 3 / 4)
        return NULL;
    s->n_addresses++;
    s->addresses[slot].used = true;
    memcpy(s->addresses[slot].addr, addr, 16);
    return &s->addresses[slot];
}

/* Return the index of the pair in its table, or of the free slot for it. */
static size_t pair_slot(const struct survey *s, const uint8_t a[16], const uint8_t b[16], uint64_t *ret_hash)
{
    uint64_t hash = (mix(a) * 3 + mix(b)) | 1;
    size_t slot = (hash >> 20) % PAIRS;

    while (s->pairs[slot] && s->pairs[slot] != hash)
        slot = (slot + 1) % PAIRS;
    *ret_hash = hash;
    return slot;
}

/* Record that a talks to b. Returns 1 the first time. */
static unsigned is_new_pair(struct survey *s, const uint8_t a[16], const uint8_t b[16])
{
    uint64_t hash;
    size_t slot = pair_slot(s, a, b, &hash);

    if (s->pairs[slot] || s->n_pairs >= PAIRS * 3 / 4)
        return 0;
    s->pairs[slot] = hash;
    s->n_pairs++;
    return 1;
}

static bool talk(const struct survey *s, const uint8_t a[16], const uint8_t b[16])
{
    uint64_t hash;

    return s->pairs[pair_slot(s, a, b, &hash)] != 0;
}

/* Return whether it is a single host's address: neither unspecified nor multicast nor broadcast. */
static bool is_somebody(const uint8_t addr[16])
{
    static const uint8_t none[16] = {0};

    if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr))
        return addr[12] != 0 && addr[12] < 224;
    return addr[0] != 0xff && memcmp(addr, none, 16);
}

static void list_ports(struct survey *s, const struct qpw_policy *policy)
{
    static const unsigned protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
    unsigned width;

    for (size_t r = 0; r < policy->n_rules; r++) {
        const struct qpw_rule *rule = &policy->rules[r];

        width = 0;
        for (size_t i = 0; i < rule->n_ports; i++)
            width += rule->ports[i].last - rule->ports[i].first + 1u;
        if (rule->direction != QPW_DIR_INBOUND || (rule->flags & (QPW_RULE_WEAK | QPW_RULE_DISABLED | QPW_RULE_NEVER)) || width > WIDEST_RULE)
            continue;
        for (size_t i = 0; i < rule->n_ports; i++)
            for (unsigned port = rule->ports[i].first; port <= rule->ports[i].last; port++)
                for (size_t k = 0; k < 2; k++)
                    if (rule->protocols[0] >> protocols[k] & 1)
                        s->listed[k][port / 8] |= 1u << port % 8;
    }
}

static bool is_listed(const struct survey *s, uint8_t protocol, uint16_t port)
{
    return port && s->listed[protocol == IPPROTO_UDP][port / 8] >> port % 8 & 1;
}

static void look_at(struct survey *s, const struct qpw_capture_frame *frame)
{
    struct qpw_ends_packet p;
    struct address *source, *destination;

    s->frames++;
    qpw_ends_parse(frame->data, frame->length, frame->wire, &p);
    if (!p.has_addresses || !is_somebody(p.source))
        return;
    source = address_of(s, p.source);
    if (source) {
        source->frames++;
        source->has_mac = qpw_ends_has_mac(p.source_mac);
        memcpy(source->mac, p.source_mac, 6);
        if (frame->direction == QPW_CAPTURE_TX)
            s->directions = source->left = true;
    }
    destination = is_somebody(p.destination) ? address_of(s, p.destination) : NULL;
    if (destination) {
        destination->frames++;
        destination->partners += is_new_pair(s, p.destination, p.source);
        if (source)
            source->partners += is_new_pair(s, p.source, p.destination);
        if (is_listed(s, p.protocol, p.destination_port) != is_listed(s, p.protocol, p.source_port)) {
            if (is_listed(s, p.protocol, p.destination_port))
                destination->served++;
            else if (source)
                source->served++;
        }
    }
}

static int survey_files(struct survey *s, char *const paths[], size_t n_paths, struct qpw_error *err)
{
    struct qpw_capture_frame frame;
    struct qpw_capture *c;
    int r;

    for (size_t i = 0; i < n_paths && s->frames < QPW_LOCAL_AUTO_FRAMES; i++) {
        if (!qpw_stream_is_rereadable(paths[i]))
            return qpw_fail(err, -ESPIPE, "--local auto: %s cannot be read twice; name the node's address",
                            strcmp(paths[i], "-") ? paths[i] : "standard input");
        r = qpw_capture_open(paths[i], &c, err);
        if (r < 0)
            return r;
        while (s->frames < QPW_LOCAL_AUTO_FRAMES && qpw_capture_next(c, &frame, NULL) > 0)
            look_at(s, &frame); /* damage is reported by the replay */
        s->unsupported += qpw_capture_unsupported(c, s->unsupported_type, sizeof(s->unsupported_type));
        qpw_capture_close(c);
    }
    return 0;
}

static int take(struct qpw_ends *ends, const struct address *a, char *list, size_t size, struct qpw_error *err)
{
    char text[INET6_ADDRSTRLEN];
    size_t used = strlen(list);

    qpw_address_text(a->addr, text, sizeof(text));
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", text);
    return qpw_ends_add(ends, text, err);
}

static bool is_busier(const struct address *a, const struct address *b)
{
    if (a->partners != b->partners)
        return a->partners > b->partners;
    return a->served != b->served ? a->served > b->served : a->frames > b->frames;
}

/* Return whether no other machine can have this address. */
static bool is_loopback(const uint8_t addr[16])
{
    static const uint8_t mapped[13] = {[10] = 0xff, [11] = 0xff, [12] = 127}, one6[16] = {[15] = 1};

    return !memcmp(addr, mapped, 13) || !memcmp(addr, one6, 16);
}

/* Take the senders of outgoing frames, if the capture marks these. */
static int take_senders(const struct survey *s, struct qpw_ends *ends, char *list, size_t size, struct qpw_error *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < ADDRESSES; i++)
        if (s->addresses[i].left || (s->addresses[i].used && is_loopback(s->addresses[i].addr)))
            r = take(ends, &s->addresses[i], list, size, err);
    return r;
}

/*
 * Take the address and others of the same network card, unless there are so many that it is a router's, or they talk to
 * the first: then MAC addresses prove nothing.
 */
static int take_card(const struct survey *s, const struct address *best, struct qpw_ends *ends, char *list, size_t size,
                     struct qpw_error *err)
{
    size_t same = 0;
    int r = take(ends, best, list, size, err);

    if (!best->has_mac)
        return r;
    for (size_t i = 0; i < ADDRESSES; i++)
        same += s->addresses[i].has_mac && !memcmp(s->addresses[i].mac, best->mac, 6);
    for (size_t i = 0; r == 0 && same <= CARD_ADDRESSES && i < ADDRESSES; i++)
        if (&s->addresses[i] != best && s->addresses[i].has_mac && !memcmp(s->addresses[i].mac, best->mac, 6) &&
            !talk(s, best->addr, s->addresses[i].addr))
            r = take(ends, &s->addresses[i], list, size, err);
    return r;
}

static int choose(const struct survey *s, struct qpw_ends *ends, char why[static QPW_LOCAL_WHY], struct qpw_error *err)
{
    const struct address *best = NULL, *second = NULL;
    char list[256] = "", frames[40], partners[40], next[24];
    int r;

    if (s->directions) {
        r = take_senders(s, ends, list, sizeof(list), err);
        snprintf(why, QPW_LOCAL_WHY, "local is %s: the capture says which frames left the node, and they came from there", list);
        return r;
    }
    for (size_t i = 0; i < ADDRESSES; i++) {
        const struct address *a = &s->addresses[i];

        if (!a->used)
            continue;
        if (!best || is_busier(a, best)) {
            second = best;
            best = a;
        } else if (!second || is_busier(a, second)) {
            second = a;
        }
    }
    if (!s->frames && s->unsupported)
        return qpw_fail(err, -ENOTSUP, "no record can be replayed: link type %s; %s can", s->unsupported_type,
                        qpw_link_supported_text());
    if (!best)
        return qpw_fail(err, -ENODATA, "--local auto: no IP address in the first %s; name the node's address",
                        qpw_words_many(s->frames, "frame", frames, sizeof(frames)));
    r = take_card(s, best, ends, list, sizeof(list), err);
    snprintf(why, QPW_LOCAL_WHY, "local is %s: it talks to %s, the next busiest address to %s%s", list,
             qpw_words_many(best->partners, "other", partners, sizeof(partners)),
             qpw_words_count(second ? second->partners : 0, next, sizeof(next)),
             !second || second->partners != best->partners ? ""
             : second->served != best->served
                 ? "; the policy's inbound services were asked there"
                 : "; that is no clear difference: name the node with --local");
    return r;
}

int qpw_local_auto(char *const paths[], size_t n_paths, const struct qpw_policy *policy, struct qpw_ends *ends,
                   char why[static QPW_LOCAL_WHY], struct qpw_error *err)
{
    struct survey *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return qpw_fail(err, -ENOMEM, "out of memory");
    list_ports(s, policy);
    r = survey_files(s, paths, n_paths, err);
    if (r == 0)
        r = choose(s, ends, why, err);
    free(s);
    return r;
}

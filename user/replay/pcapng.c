/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/pcapng.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_PACKET_OLD 2u
#define BLOCK_PACKET_SIMPLE 3u
#define BLOCK_PACKET 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
/* Far above the size of real blocks; a greater length means damage. */
#define BLOCK_MAX (64u << 20)
#define INTERFACES_MAX 65536u

#define OPTION_END 0
#define OPTION_IF_NAME 2
#define OPTION_IF_TSRESOL 9
#define OPTION_IF_TSOFFSET 14
#define OPTION_PACKET_FLAGS 2
#define FLAG_INBOUND 1
#define FLAG_OUTBOUND 2

struct interface {
    uint32_t link_type;
    uint32_t snaplen; /* 0: none */
    uint8_t resolution; /* the option's value: 10^-n, or 2^-n with the top bit set */
    int64_t offset_s;
    char name[64];
};

struct qpw_pcapng {
    FILE *file;
    bool swapped;
    uint64_t offset;      /* of the current block */
    uint64_t next_offset;
    uint8_t *block;       /* the block's body, without type and lengths */
    size_t allocated;
    struct interface *interfaces;
    uint32_t n_interfaces;
    uint64_t last_ns;     /* for simple packets, which have no time */
};

static uint32_t order32(const struct qpw_pcapng *ng, uint32_t value)
{
    return ng->swapped ? __builtin_bswap32(value) : value;
}

static uint32_t get32(const struct qpw_pcapng *ng, const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, 4);
    return order32(ng, value);
}

static uint16_t get16(const struct qpw_pcapng *ng, const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, 2);
    return ng->swapped ? __builtin_bswap16(value) : value;
}

static uint64_t get64(const struct qpw_pcapng *ng, const uint8_t *at)
{
    uint64_t a = get32(ng, at), b = get32(ng, at + 4);
    bool little = ng->swapped == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);

    return little ? b << 32 | a : a << 32 | b;
}

/* Find an option's value in options[0 .. length). Returns it and *ret_length; NULL: not present. */
static const uint8_t *option(const struct qpw_pcapng *ng, const uint8_t *options, size_t length, unsigned wanted,
                             size_t *ret_length)
{
    while (length >= 4) {
        unsigned code = get16(ng, options);
        size_t bytes = get16(ng, options + 2), padded = (bytes + 3) & ~(size_t)3;

        if (code == OPTION_END || bytes > length - 4)
            return NULL;
        if (code == wanted) {
            *ret_length = bytes;
            return options + 4;
        }
        if (padded > length - 4)
            return NULL;
        options += 4 + padded;
        length -= 4 + padded;
    }
    return NULL;
}

/* Convert a time stamp, whose unit may be any power of ten or two. */
static uint64_t to_ns(const struct interface *interface, uint64_t stamp)
{
    unsigned n = interface->resolution & 0x7f;
    unsigned __int128 ns = stamp;

    if (interface->resolution & 0x80) {
        ns = n < 64 ? (ns * 1000000000u) >> n : 0;
    } else if (n <= 9) {
        for (; n < 9; n++)
            ns *= 10;
    } else {
        for (; n > 9 && ns; n--)
            ns /= 10;
    }
    return (uint64_t)ns + (uint64_t)interface->offset_s * 1000000000u;
}

static int damaged(struct qpw_error *err, const char *what)
{
    return qpw_fail(err, -EIO, "%s", what);
}

/* Read exactly n bytes. Returns 1; 0 if the file ended before the first; -EIO if it ended within. */
static int read_exactly(struct qpw_pcapng *ng, void *to, size_t n, struct qpw_error *err)
{
    size_t got = fread(to, 1, n, ng->file);

    ng->next_offset += got;
    if (got == n)
        return 1;
    return got ? damaged(err, "the file ends within a block") : 0;
}

static int begin_section(struct qpw_pcapng *ng, struct qpw_error *err)
{
    uint8_t magic[4];
    int ret = read_exactly(ng, magic, 4, err);

    if (ret <= 0)
        return ret < 0 ? ret : damaged(err, "the file ends within a section header");
    ng->swapped = false;
    if (get32(ng, magic) != BYTE_ORDER_MAGIC) {
        ng->swapped = true;
        if (get32(ng, magic) != BYTE_ORDER_MAGIC)
            return damaged(err, "a section header without the byte-order magic");
    }
    ng->n_interfaces = 0;
    return 1;
}

/* Read the rest of a body whose first `have` bytes have been read. Returns 1 if it is complete. */
static int read_body(struct qpw_pcapng *ng, uint32_t total, uint32_t have, uint32_t *ret_length, struct qpw_error *err)
{
    uint8_t trailer[4];
    uint32_t body;
    int ret;

    total = order32(ng, total);
    if (total < 12 + have || total % 4 || total > BLOCK_MAX)
        return damaged(err, "a block with an impossible length");
    body = total - 12 - have;
    if (body > ng->allocated) {
        uint8_t *block = realloc(ng->block, body);

        if (!block)
            return qpw_fail(err, -ENOMEM, "out of memory for a block of %u bytes", body);
        ng->block = block;
        ng->allocated = body;
    }
    ret = body ? read_exactly(ng, ng->block, body, err) : 1;
    if (ret > 0)
        ret = read_exactly(ng, trailer, 4, err);
    if (ret <= 0)
        return ret < 0 ? ret : damaged(err, "the file ends within a block");
    if (get32(ng, trailer) != total)
        return damaged(err, "a block whose two lengths differ");
    *ret_length = body;
    return 1;
}

/* Read a whole block into ng->block. Returns 1, 0 at the end of the file, or a negative errno. */
static int read_block(struct qpw_pcapng *ng, uint32_t *ret_type, uint32_t *ret_length, struct qpw_error *err)
{
    uint8_t head[8];
    uint32_t type, total;
    int ret;

    ng->offset = ng->next_offset;
    ret = read_exactly(ng, head, 8, err);
    if (ret <= 0)
        return ret;
    memcpy(&total, head + 4, 4);
    type = get32(ng, head); /* a section's type is the same in both byte orders */
    if (type == BLOCK_SECTION) {
        ret = begin_section(ng, err);
        if (ret <= 0)
            return ret;
    }
    ret = read_body(ng, total, type == BLOCK_SECTION ? 4 : 0, ret_length, err);
    *ret_type = type;
    return ret;
}

static int add_interface(struct qpw_pcapng *ng, uint32_t length, struct qpw_error *err)
{
    struct interface *new;
    const uint8_t *value;
    size_t bytes;

    if (length < 8 || ng->n_interfaces >= INTERFACES_MAX)
        return damaged(err, "an interface block that is too short, or too many of them");
    new = QPW_ADD(ng->interfaces, ng->n_interfaces);
    if (!new)
        return qpw_fail(err, -ENOMEM, "out of memory for interfaces");
    ng->n_interfaces++;
    *new = (struct interface){.link_type = get16(ng, ng->block), .snaplen = get32(ng, ng->block + 4), .resolution = 6};
    value = option(ng, ng->block + 8, length - 8, OPTION_IF_NAME, &bytes);
    if (value)
        memcpy(new->name, value, bytes < sizeof(new->name) ? bytes : sizeof(new->name) - 1);
    value = option(ng, ng->block + 8, length - 8, OPTION_IF_TSRESOL, &bytes);
    if (value && bytes == 1)
        new->resolution = *value;
    value = option(ng, ng->block + 8, length - 8, OPTION_IF_TSOFFSET, &bytes);
    if (value && bytes == 8)
        new->offset_s = (int64_t)get64(ng, value);
    return 1;
}

/* Read an enhanced packet block, or the older packet block, which differs only in its interface field. */
static int read_packet(struct qpw_pcapng *ng, uint32_t type, uint32_t length, struct qpw_capture_frame *ret,
                       uint32_t *ret_link_type, struct qpw_error *err)
{
    const uint8_t *b = ng->block, *flags;
    uint32_t number, captured, padded;
    size_t bytes;

    if (length < 20)
        return damaged(err, "a packet block that is too short");
    number = type == BLOCK_PACKET ? get32(ng, b) : get16(ng, b);
    captured = get32(ng, b + 12);
    if (number >= ng->n_interfaces)
        return damaged(err, "a packet of an interface that was not announced");
    if (captured > length - 20)
        return damaged(err, "a packet longer than its block");
    padded = (captured + 3) & ~3u;
    ng->last_ns = to_ns(&ng->interfaces[number], (uint64_t)get32(ng, b + 4) << 32 | get32(ng, b + 8));
    *ret = (struct qpw_capture_frame){
        .data = b + 20, .length = captured, .counted = get32(ng, b + 16), .time_ns = ng->last_ns, .iface = number + 1};
    *ret_link_type = ng->interfaces[number].link_type;
    flags = length - 20 > padded ? option(ng, b + 20 + padded, length - 20 - padded, OPTION_PACKET_FLAGS,
                                          &bytes) : NULL;
    if (flags && bytes == 4) {
        unsigned direction = get32(ng, flags) & 3;

        ret->direction = direction == FLAG_INBOUND ? QPW_CAPTURE_RX
                                                   : direction == FLAG_OUTBOUND ? QPW_CAPTURE_TX : QPW_CAPTURE_UNSAID;
    }
    return 1;
}

static int read_simple(struct qpw_pcapng *ng, uint32_t length, struct qpw_capture_frame *ret, uint32_t *ret_link_type,
                       struct qpw_error *err)
{
    uint32_t original, captured = length - 4;

    if (length < 4 || !ng->n_interfaces)
        return damaged(err, "a simple packet block that is too short or without an interface");
    original = get32(ng, ng->block);
    if (captured > original)
        captured = original; /* the rest pads to 4 bytes */
    if (ng->interfaces[0].snaplen && captured > ng->interfaces[0].snaplen)
        captured = ng->interfaces[0].snaplen;
    *ret = (struct qpw_capture_frame){
        .data = ng->block + 4, .length = captured, .counted = original, .time_ns = ng->last_ns, .iface = 1};
    *ret_link_type = ng->interfaces[0].link_type;
    return 1;
}

int qpw_pcapng_open(FILE *file, struct qpw_pcapng **ret, struct qpw_error *err)
{
    struct qpw_pcapng *ng = calloc(1, sizeof(*ng));
    uint32_t type, length;
    int r;

    if (!ng)
        return qpw_fail(err, -ENOMEM, "out of memory");
    ng->file = file;
    r = read_block(ng, &type, &length, err);
    if (r <= 0 || type != BLOCK_SECTION) {
        qpw_pcapng_close(ng);
        return r < 0 ? r : qpw_fail(err, -EINVAL, "no section header");
    }
    *ret = ng;
    return 0;
}

int qpw_pcapng_next(struct qpw_pcapng *ng, struct qpw_capture_frame *ret, uint32_t *ret_link_type,
                    struct qpw_error *err)
{
    uint32_t type = 0, length = 0;
    int r;

    while ((r = read_block(ng, &type, &length, err)) > 0) {
        switch (type) {
        case BLOCK_INTERFACE:
            r = add_interface(ng, length, err);
            if (r < 0)
                return r;
            break;
        case BLOCK_PACKET:
        case BLOCK_PACKET_OLD:
            return read_packet(ng, type, length, ret, ret_link_type, err);
        case BLOCK_PACKET_SIMPLE:
            return read_simple(ng, length, ret, ret_link_type, err);
        default:
            break; /* names, statistics, custom blocks: no packets */
        }
    }
    return r;
}

uint64_t qpw_pcapng_offset(const struct qpw_pcapng *ng)
{
    return ng->offset;
}

const char *qpw_pcapng_interface_name(const struct qpw_pcapng *ng, uint32_t iface)
{
    return iface && iface <= ng->n_interfaces ? ng->interfaces[iface - 1].name : "";
}

void qpw_pcapng_close(struct qpw_pcapng *ng)
{
    if (!ng)
        return;
    free(ng->block);
    free(ng->interfaces);
    free(ng);
}

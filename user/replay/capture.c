/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "replay/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "replay/pcapng.h"
#include "replay/stream.h"
#include "words/numbers.h"

#define MAGIC_PCAPNG 0x0a0d0d0au

struct qpw_capture {
    char *path;
    struct qpw_stream *stream;
    pcap_t *pcap;          /* one of these two: pcap, which reads `file` */
    FILE *file;
    struct qpw_pcapng *ng; /* or pcapng */
    uint32_t link_type;    /* pcap: of the whole file */
    uint64_t offset;       /* pcap: of the record read or tried last */
    struct qpw_link_buffer buffer;
    uint64_t unsupported;          /* records skipped, and the link type of the first */
    uint32_t unsupported_type;
};

/*
 * Recognise one of pcap's four magic numbers (microseconds, nanoseconds, Kuznetsov's, in either byte order), or
 * pcapng's.
 */
static bool known_magic(const uint8_t first[4], bool *ret_pcapng)
{
    uint32_t magic;

    memcpy(&magic, first, 4);
    *ret_pcapng = magic == MAGIC_PCAPNG;
    for (int swapped = 0; swapped < 2; swapped++, magic = __builtin_bswap32(magic))
        if (magic == MAGIC_PCAPNG || magic == 0xa1b2c3d4u || magic == 0xa1b23c4du || magic == 0xa1b2cd34u)
            return true;
    return false;
}

static int open_pcap(struct qpw_capture *c, struct qpw_error *err)
{
    char text[PCAP_ERRBUF_SIZE];

    c->pcap = pcap_fopen_offline_with_tstamp_precision(qpw_stream_file(c->stream), PCAP_TSTAMP_PRECISION_NANO, text);
    if (!c->pcap)
        return qpw_fail(err, -EINVAL, "%s: not a capture that can be read: %s", c->path, text);
    c->file = qpw_stream_file(c->stream);
    qpw_stream_give_file(c->stream); /* pcap_close() will close it */
    c->link_type = (uint32_t)pcap_datalink(c->pcap);
    return 0;
}

static int open_pcapng(struct qpw_capture *c, struct qpw_error *err)
{
    struct qpw_error why;

    if (qpw_pcapng_open(qpw_stream_file(c->stream), &c->ng, &why) < 0)
        return qpw_fail(err, -EINVAL, "%s: not a capture that can be read: %s", c->path, why.text);
    return 0;
}

int qpw_capture_open(const char *path, struct qpw_capture **ret, struct qpw_error *err)
{
    struct qpw_capture *c = calloc(1, sizeof(*c));
    uint8_t first[4];
    bool pcapng = false;
    int r;

    if (c)
        c->path = strdup(strcmp(path, "-") ? path : "standard input");
    if (!c || !c->path) {
        free(c);
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    }
    r = qpw_stream_open(path, &c->stream, err);
    if (r == 0 && (qpw_stream_peek(c->stream, first) < 4 || !known_magic(first, &pcapng)))
        r = qpw_fail(err, -EINVAL, "%s: not a capture (neither pcap nor pcapng%s%s)", c->path,
                     qpw_stream_problem(c->stream) ? "; " : "",
                     qpw_stream_problem(c->stream) ? qpw_stream_problem(c->stream) : "");
    if (r == 0)
        r = pcapng ? open_pcapng(c, err) : open_pcap(c, err);
    if (r < 0) {
        qpw_capture_close(c);
        return r;
    }
    *ret = c;
    return 0;
}

static int next_pcap(struct qpw_capture *c, struct qpw_capture_frame *ret, struct qpw_error *err)
{
    struct pcap_pkthdr *header;
    const u_char *data;
    off_t at = ftello(c->file);
    int r = pcap_next_ex(c->pcap, &header, &data);

    c->offset = (uint64_t)at;
    if (r == PCAP_ERROR_BREAK)
        return 0;
    if (r != 1)
        return qpw_fail(err, -EIO, "%s", pcap_geterr(c->pcap));
    *ret = (struct qpw_capture_frame){
        .data = data,
        .length = header->caplen,
        .counted = header->len,
        /* Opened with nanosecond precision, so tv_usec holds nanoseconds. */
        .time_ns = (uint64_t)(uint32_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec,
    };
    return 1;
}

/* Read the next record whose link type can be converted to Ethernet, counting the records skipped. */
static int next_supported(struct qpw_capture *c, struct qpw_capture_frame *ret, uint32_t *ret_type, struct qpw_error *why)
{
    int r;

    for (;;) {
        *ret_type = c->link_type;
        r = c->ng ? qpw_pcapng_next(c->ng, ret, ret_type, why) : next_pcap(c, ret, why);
        if (r <= 0 || qpw_link_supported(*ret_type))
            return r;
        if (!c->unsupported++)
            c->unsupported_type = *ret_type;
    }
}

int qpw_capture_next(struct qpw_capture *c, struct qpw_capture_frame *ret, struct qpw_error *err)
{
    struct qpw_error why = {""};
    struct qpw_capture_frame frame;
    uint32_t link_type;
    const char *problem;
    char offset[24];
    int r = next_supported(c, &frame, &link_type, &why);

    if (r <= 0) {
        /* To the pcap reader, truncated compressed data looks like the end of the file. */
        problem = qpw_stream_problem(c->stream);
        if (r == 0 && !problem)
            return 0;
        return qpw_fail(err, -EIO, "%s: damaged at offset %s%s: %s; what comes before it was read", c->path,
                        qpw_words_exact(qpw_capture_offset(c), offset, sizeof(offset)), problem ? " of the uncompressed data" : "",
                        problem ? problem : why.text);
    }
    qpw_link_to_ethernet(link_type, &c->buffer, &frame);
    *ret = frame;
    return 1;
}

uint64_t qpw_capture_unsupported(const struct qpw_capture *c, char *name, size_t size)
{
    const char *known = c->unsupported ? pcap_datalink_val_to_name((int)c->unsupported_type) : NULL;

    snprintf(name, size, "%u%s%s%s", c->unsupported_type, known ? " (" : "", known ? known : "", known ? ")" : "");
    return c->unsupported;
}

uint64_t qpw_capture_offset(const struct qpw_capture *c)
{
    return c->ng ? qpw_pcapng_offset(c->ng) : c->offset;
}

const char *qpw_capture_interface_name(const struct qpw_capture *c, const struct qpw_capture_frame *frame)
{
    return c->ng ? qpw_pcapng_interface_name(c->ng, frame->iface) : "";
}

uint64_t qpw_capture_position(struct qpw_capture *c)
{
    return qpw_stream_position(c->stream);
}

uint64_t qpw_capture_size(const struct qpw_capture *c)
{
    return qpw_stream_size(c->stream);
}

void qpw_capture_digest(struct qpw_capture *c, char ret[65])
{
    qpw_stream_digest(c->stream, ret);
}

void qpw_capture_close(struct qpw_capture *c)
{
    if (!c)
        return;
    if (c->pcap)
        pcap_close(c->pcap);
    qpw_pcapng_close(c->ng);
    qpw_stream_close(c->stream);
    free(c->path);
    free(c);
}

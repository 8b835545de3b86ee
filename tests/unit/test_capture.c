/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading captures: both formats and byte orders, gzip, every link type, damage and its position. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "packet.h"
#include "replay/capture.h"

/* A file in memory, written out and opened as a capture. */
struct writer {
    uint8_t bytes[1 << 16];
    size_t length;
    char path[64];
};

static void put(struct writer *w, const void *bytes, size_t n)
{
    cr_assert_leq(w->length + n, sizeof(w->bytes));
    if (n)
        memcpy(w->bytes + w->length, bytes, n);
    w->length += n;
}

static void put32(struct writer *w, uint32_t value)
{
    put(w, &value, 4);
}

static void pcap_header(struct writer *w, uint32_t magic, uint32_t link_type)
{
    put32(w, magic);
    put32(w, 2 | 4 << 16);
    put32(w, 0);
    put32(w, 0);
    put32(w, 65535);
    put32(w, link_type);
}

static void pcap_record(struct writer *w, uint32_t s, uint32_t fraction, const void *bytes, uint32_t captured,
                        uint32_t original)
{
    put32(w, s);
    put32(w, fraction);
    put32(w, captured);
    put32(w, original);
    put(w, bytes, captured);
}

static void block(struct writer *w, uint32_t type, const void *body, uint32_t length)
{
    uint32_t padded = (length + 3) & ~3u;

    put32(w, type);
    put32(w, padded + 12);
    put(w, body, length);
    put(w, "\0\0\0", padded - length);
    put32(w, padded + 12);
}

static void save(struct writer *w)
{
    snprintf(w->path, sizeof(w->path), "/tmp/qpw-capture-XXXXXX");
    int fd = mkstemp(w->path);

    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, w->bytes, w->length), (ssize_t)w->length);
    close(fd);
}

static void save_gzip(struct writer *w, size_t cut)
{
    snprintf(w->path, sizeof(w->path), "/tmp/qpw-capture-XXXXXX");
    int fd = mkstemp(w->path);
    gzFile gz = gzdopen(fd, "wb");

    cr_assert_eq(gzwrite(gz, w->bytes, (unsigned)w->length), (int)w->length);
    cr_assert_eq(gzclose(gz), Z_OK);
    if (cut) {
        FILE *f = fopen(w->path, "re");
        fseek(f, 0, SEEK_END);
        long size = ftell(f);
        fclose(f);
        cr_assert_eq(truncate(w->path, size - (long)cut), 0);
    }
}

static struct qpw_capture *open_saved(struct writer *w)
{
    struct qpw_capture *c = NULL;
    struct qpw_error err = {""};

    cr_assert_eq(qpw_capture_open(w->path, &c, &err), 0, "%s", err.text);
    unlink(w->path);
    return c;
}

static struct writer w;
static struct packet p;
static struct qpw_capture_frame frame;
static struct qpw_error err;

/* Write one record of that link type and read it back. */
static void read_one(uint32_t link_type, const void *bytes, uint32_t captured, uint32_t original)
{
    w.length = 0;
    pcap_header(&w, 0xa1b2c3d4, link_type);
    pcap_record(&w, 1, 0, bytes, captured, original);
    save(&w);
    struct qpw_capture *c = open_saved(&w);
    static uint8_t copy[4096];

    cr_assert_eq(qpw_capture_next(c, &frame, &err), 1, "%s", err.text);
    memcpy(copy, frame.data, frame.length);
    frame.data = copy;
    struct qpw_capture_frame end;
    cr_assert_eq(qpw_capture_next(c, &end, &err), 0);
    qpw_capture_close(c);
}

Test(capture, pcap_gives_frames_times_and_lengths)
{
    packet_make_udp(&p, "10.0.0.1", 1, "10.0.0.2", 2, 100);
    pcap_header(&w, 0xa1b2c3d4, 1);
    pcap_record(&w, 1500000000, 123456, p.data, (uint32_t)p.length, (uint32_t)p.length);
    pcap_record(&w, 1500000001, 0, p.data, 60, (uint32_t)p.length);
    save(&w);
    struct qpw_capture *c = open_saved(&w);

    cr_assert_eq(qpw_capture_next(c, &frame, &err), 1);
    cr_assert_eq(frame.time_ns, 1500000000123456000u);
    cr_assert_eq(frame.length, p.length);
    cr_assert_eq(frame.wire, p.length);
    cr_assert_eq(frame.counted, p.length);
    cr_assert_arr_eq(frame.data, p.data, p.length);
    cr_assert_eq(frame.direction, QPW_CAPTURE_UNSAID);
    cr_assert_eq(qpw_capture_next(c, &frame, &err), 1);
    cr_assert_eq(frame.length, 60);
    cr_assert_eq(frame.wire, p.length);
    cr_assert_eq(frame.counted, p.length);
    cr_assert_eq(qpw_capture_next(c, &frame, &err), 0);
    qpw_capture_close(c);
}

Test(capture, nanoseconds_and_the_other_byte_order)
{
    pcap_header(&w, 0xa1b23c4d, 1);
    pcap_record(&w, 7, 999999999, "0123456789abcdef", 16, 16);
    for (size_t i = 0; i < 24 + 16; i += 4) /* headers only */
        *(uint32_t *)(void *)(w.bytes + i) = __builtin_bswap32(*(uint32_t *)(void *)(w.bytes + i));
    /* Restore the order of the two 16-bit fields in one word. */
    memcpy(w.bytes + 4, "\0\2\0\4", 4);
    save(&w);
    struct qpw_capture *c = open_saved(&w);

    cr_assert_eq(qpw_capture_next(c, &frame, &err), 1, "%s", err.text);
    cr_assert_eq(frame.time_ns, 7999999999u);
    cr_assert_eq(frame.length, 16);
    qpw_capture_close(c);
}

Test(capture, cut_file_gives_what_was_read_and_the_offset)
{
    packet_make_udp(&p, "10.0.0.1", 1, "10.0.0.2", 2, 100);
    pcap_header(&w, 0xa1b2c3d4, 1);
    pcap_record(&w, 1, 0, p.data, (uint32_t)p.length, (uint32_t)p.length);
    size_t second = w.length;
    pcap_record(&w, 2, 0, p.data, (uint32_t)p.length, (uint32_t)p.length);
    w.length -= 5;
    save(&w);
    struct qpw_capture *c = open_saved(&w);

    cr_assert_eq(qpw_capture_next(c, &frame, &err), 1);
    cr_assert_eq(qpw_capture_next(c, &frame, &err), -EIO);
    cr_assert_eq(qpw_capture_offset(c), second);
    cr_assert_not_null(strstr(err.text, w.path));
    cr_assert_not_null(strstr(err.text, "offset 182"), "%s", err.text);
    qpw_capture_close(c);
}

Test(capture, impossible_record_length_is_damage)
{
    pcap_header(&w, 0xa1b2c3d4, 1);
    pcap_record(&w, 1, 0, "0123456789abcdef", 16, 16);
    size_t second = w.length;
    put32(&w, 2);
    put32(&w, 0);
    put32(&w, 0xffffff00);
    put32(&w, 60);
    put(&w, w.bytes, 64);
    save(&w);
    struct qpw_capture *c = open_saved(&w);

    cr_assert_eq(qpw_capture_next(c, &frame, &err), 1);
    cr_assert_eq(qpw_capture_next(c, &frame, &err), -EIO);
    cr_assert_eq(qpw_capture_offset(c), second);
    qpw_capture_close(c);
}

Test(capture, gzip_whole_and_cut_off)
{
    packet_make_udp(&p, "10.0.0.1", 1, "10.0.0.2", 2, 100);
    pcap_header(&w, 0xa1b2c3d4, 1);
    for (int i = 0; i < 100; i++)
        pcap_record(&w, (uint32_t)i, (uint32_t)i * 7919, p.data, (uint32_t)p.length, (uint32_t)p.length);
    save_gzip(&w, 0);
    struct qpw_capture *c = open_saved(&w);
    int n = 0;

    cr_assert_eq(qpw_capture_size(c) > 0, 1);
    while (qpw_capture_next(c, &frame, &err) == 1)
        n++;
    cr_assert_eq(n, 100);
    qpw_capture_close(c);

    save_gzip(&w, 40);
    c = open_saved(&w);
    int rc;
    for (n = 0; (rc = qpw_capture_next(c, &frame, &err)) == 1; n++)
        cr_assert_eq(frame.length, p.length);
    cr_assert_eq(rc, -EIO);
    cr_assert_lt(n, 100);
    cr_assert_not_null(strstr(err.text, "compressed"), "%s", err.text);
    qpw_capture_close(c);
}

Test(capture, not_a_capture)
{
    struct qpw_capture *c = NULL;

    put(&w, "#!/bin/sh\n", 10);
    save(&w);
    cr_assert_eq(qpw_capture_open(w.path, &c, &err), -EINVAL);
    unlink(w.path);
    cr_assert_not_null(strstr(err.text, "not a capture"));
    w.length = 0;
    save(&w);
    cr_assert_eq(qpw_capture_open(w.path, &c, &err), -EINVAL);
    unlink(w.path);
    cr_assert_eq(qpw_capture_open("/nonexistent/file", &c, &err), -ENOENT);
    cr_assert_null(c);
}

Test(capture, raw_ip_gets_a_header_but_not_its_bytes_counted)
{
    static const uint32_t types[] = {12, 14, 101, 228};

    packet_make_tcp(&p, "10.0.0.1", 1, "10.0.0.2", 2, SEGMENT(PACKET_SYN));
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        read_one(types[i], p.data + 14, 40, 40);
        cr_assert_eq(frame.length, 54);
        cr_assert_eq(frame.wire, 54);
        cr_assert_eq(frame.counted, 40);
        cr_assert_arr_eq(frame.data + 12, "\x08\x00\x45", 3);
    }
    packet_make_tcp(&p, "fd00::1", 1, "fd00::2", 2, SEGMENT(PACKET_SYN, 0, 0, 500));
    read_one(101, p.data + 14, 48, 560);
    cr_assert_eq(frame.length, 62);
    cr_assert_eq(frame.wire, 574);
    cr_assert_eq(frame.counted, 560);
    cr_assert_arr_eq(frame.data + 12, "\x86\xdd\x60", 3);
}

Test(capture, bsd_null_and_loop)
{
    static const struct {
        uint32_t link_type;
        uint8_t family[4];
        uint8_t type[2];
    } cases[] = {
        {0, {2, 0, 0, 0}, {8, 0}},         {0, {0, 0, 0, 2}, {8, 0}},       {108, {0, 0, 0, 2}, {8, 0}},
        {0, {30, 0, 0, 0}, {0x86, 0xdd}},  {0, {0, 0, 0, 24}, {0x86, 0xdd}}, {108, {0, 0, 0, 28}, {0x86, 0xdd}},
        {0, {0, 0, 0, 99}, {0xff, 0xff}},
    };
    uint8_t record[44] = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        memcpy(record, cases[i].family, 4);
        read_one(cases[i].link_type, record, 44, 44);
        cr_assert_eq(frame.length, 54);
        cr_assert_eq(frame.counted, 44);
        cr_assert_arr_eq(frame.data + 12, cases[i].type, 2, "case %zu", i);
    }
}

Test(capture, cooked_v1_tells_the_direction)
{
    uint8_t record[16 + 40] = {0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0, 0x45};

    read_one(113, record, 56, 56);
    cr_assert_eq(frame.direction, QPW_CAPTURE_TX);
    cr_assert_eq(frame.length, 54);
    cr_assert_eq(frame.counted, 56);
    cr_assert_arr_eq(frame.data + 6, "\1\2\3\4\5\6\x08\x00\x45", 9);
    record[1] = 1;
    read_one(113, record, 56, 56);
    cr_assert_eq(frame.direction, QPW_CAPTURE_RX);
    cr_assert_arr_eq(frame.data, "\xff\xff\xff\xff\xff\xff", 6);
    record[14] = 0, record[15] = 4; /* LLC */
    read_one(113, record, 56, 56);
    cr_assert_arr_eq(frame.data + 12, "\0\x28\x45", 3);
    read_one(113, record, 10, 56); /* truncated within the cooked header */
    cr_assert_eq(frame.length, 0);
    cr_assert_eq(frame.counted, 56);
}

Test(capture, cooked_v2_tells_direction_and_interface)
{
    uint8_t record[20 + 40] = {0x86, 0xdd, 0, 0, 0, 0, 0, 7, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x60};

    read_one(276, record, 60, 60);
    cr_assert_eq(frame.direction, QPW_CAPTURE_RX);
    cr_assert_eq(frame.ifindex, 7);
    cr_assert_eq(frame.length, 54);
    cr_assert_arr_eq(frame.data + 12, "\x86\xdd\x60", 3);
    record[10] = 4;
    read_one(276, record, 60, 60);
    cr_assert_eq(frame.direction, QPW_CAPTURE_TX);
}

static void pcapng_start(void)
{
    static const uint8_t section[] = {0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255};
    /* Ethernet, name "eth7", nanoseconds; raw IP, name "tun0", microseconds */
    static const uint8_t ethernet[] = {1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 4, 0, 'e', 't', 'h', '7', 9, 0, 1, 0, 9, 0, 0, 0,
                                       0, 0, 0, 0};
    static const uint8_t raw[] = {101, 0, 0, 0, 96, 0, 0, 0, 2, 0, 4, 0, 't', 'u', 'n', '0'};

    block(&w, 0x0a0d0d0a, section, sizeof(section));
    block(&w, 1, ethernet, sizeof(ethernet));
    block(&w, 1, raw, sizeof(raw));
    block(&w, 5, "statistics", 10);
}

static void pcapng_packet(uint32_t iface, uint64_t stamp, const void *bytes, uint32_t captured, uint32_t original,
                          uint32_t flags)
{
    static uint8_t body[4096];
    uint32_t head[] = {iface, (uint32_t)(stamp >> 32), (uint32_t)stamp, captured, original};
    uint32_t tail[] = {2 | 4 << 16, flags, 0}, padded = (captured + 3) & ~3u;

    memset(body, 0, sizeof(body));
    memcpy(body, head, 20);
    memcpy(body + 20, bytes, captured);
    memcpy(body + 20 + padded, tail, 12);
    block(&w, 6, body, 20 + padded + 12);
}

Test(capture, pcapng_interfaces_directions_and_clocks)
{
    packet_make_udp(&p, "10.0.0.1", 1, "10.0.0.2", 2, 7);
    pcapng_start();
    pcapng_packet(0, 1500000000123456789u, p.data, (uint32_t)p.length, (uint32_t)p.length, 2);
    pcapng_packet(1, 1500000000123456u, p.data + 14, (uint32_t)p.length - 14, (uint32_t)p.length - 14, 1);
    size_t third = w.length;
    pcapng_packet(0, 0, p.data, 20, 90, 0);
    w.length -= 1;
    save(&w);
    struct qpw_capture *c = open_saved(&w);

    cr_assert_eq(qpw_capture_next(c, &frame, &err), 1, "%s", err.text);
    cr_assert_eq(frame.time_ns, 1500000000123456789u);
    cr_assert_eq(frame.direction, QPW_CAPTURE_TX);
    cr_assert_eq(frame.length, p.length);
    cr_assert_str_eq(qpw_capture_interface_name(c, &frame), "eth7");
    cr_assert_eq(qpw_capture_next(c, &frame, &err), 1, "%s", err.text);
    cr_assert_eq(frame.time_ns, 1500000000123456000u);
    cr_assert_eq(frame.direction, QPW_CAPTURE_RX);
    cr_assert_eq(frame.counted, p.length - 14);
    cr_assert_eq(frame.length, p.length);
    cr_assert_str_eq(qpw_capture_interface_name(c, &frame), "tun0");
    cr_assert_eq(qpw_capture_next(c, &frame, &err), -EIO);
    cr_assert_eq(qpw_capture_offset(c), third);
    qpw_capture_close(c);
}

Test(capture, pcapng_damage_is_named)
{
    static const struct {
        size_t at; /* from the packet block's start */
        uint32_t value;
    } cases[] = {
        {4, 13}, {4, 0xfffffff0}, {8, 5}, {20, 100000},
    };

    packet_make_udp(&p, "10.0.0.1", 1, "10.0.0.2", 2, 7);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        w.length = 0;
        pcapng_start();
        size_t start = w.length;
        pcapng_packet(0, 0, p.data, (uint32_t)p.length, (uint32_t)p.length, 0);
        memcpy(w.bytes + start + cases[i].at, &cases[i].value, 4);
        save(&w);
        struct qpw_capture *c = open_saved(&w);
        cr_assert_eq(qpw_capture_next(c, &frame, &err), -EIO, "case %zu", i);
        cr_assert_eq(qpw_capture_offset(c), start);
        qpw_capture_close(c);
    }
}

/* Read the whole capture, touching every byte of every frame. Returns the number of frames. */
static unsigned read_all(const char *path)
{
    struct qpw_capture *c = NULL;
    unsigned n = 0, sum = 0;

    if (qpw_capture_open(path, &c, &err) < 0)
        return 0;
    while (qpw_capture_next(c, &frame, &err) > 0) {
        for (uint32_t i = 0; i < frame.length; i++)
            sum += frame.data[i];
        cr_assert_geq(frame.wire, frame.length);
        n++;
    }
    qpw_capture_close(c);
    cr_assert_neq(sum, 0xffffffff);
    return n;
}

/* Damage anywhere ends with an error or other frames, never with reading out of bounds. */
Test(capture, damaged_anywhere, .timeout = 600)
{
    uint32_t random = 12345;
    static struct writer whole;

    packet_make_udp(&p, "10.0.0.1", 1, "10.0.0.2", 2, 7);
    for (int format = 0; format < 3; format++) {
        w.length = 0;
        if (format == 0) {
            pcapng_start();
            for (uint32_t i = 0; i < 6; i++)
                pcapng_packet(i % 2, i, p.data, (uint32_t)p.length, (uint32_t)p.length, i % 3);
        } else {
            pcap_header(&w, 0xa1b2c3d4, format == 1 ? 276 : 113);
            for (uint32_t i = 0; i < 6; i++)
                pcap_record(&w, i, 0, p.data, (uint32_t)p.length, (uint32_t)p.length);
        }
        whole = w;
        for (int round = 0; round < 600; round++) {
            w = whole;
            for (int i = 0; i <= round % 3; i++) {
                random = random * 1664525 + 1013904223;
                w.bytes[(random >> 8) % w.length] = (uint8_t)(random >> 24);
            }
            if (round % 5 == 0)
                w.length = (random >> 4) % w.length;
            save(&w);
            cr_assert_leq(read_all(w.path), 64);
            unlink(w.path);
        }
    }
}

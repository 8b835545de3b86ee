/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pcapfile.h - writes captures for tests: pcap, microseconds, of built packets or any bytes. */
#ifndef TESTS_LIB_PCAPFILE_H
#define TESTS_LIB_PCAPFILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "packet.h"

#define PCAPFILE_ETHERNET 1u
#define PCAPFILE_COOKED1 113u
#define PCAPFILE_COOKED2 276u
#define PCAPFILE_RAW 101u

struct pcapfile {
    FILE *file;
    char path[64]; /* a new file in /tmp; the test removes it */
};

/* Create a capture with its header. */
void pcapfile_start(struct pcapfile *f, uint32_t link_type);

/* Write one record at that time (seconds of Unix time). `original` is its length on the wire. */
void pcapfile_record(struct pcapfile *f, double time, const void *bytes, size_t captured, size_t original);

/* Write a built packet, not truncated. */
void pcapfile_packet(struct pcapfile *f, double time, const struct packet *p);

/* Write an Ethernet packet with a cooked v2 header: direction (0 to the host, 4 from it) and interface index. */
void pcapfile_cooked2(struct pcapfile *f, double time, const struct packet *p, uint8_t direction, uint32_t ifindex);

/* Close it; the path remains valid. */
void pcapfile_end(struct pcapfile *f);

#endif

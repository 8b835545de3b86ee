/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vectors.h - frames of every protocol and special case that the parser handles, with the expected result. */
#ifndef TESTS_LIB_VECTORS_H
#define TESTS_LIB_VECTORS_H

#include "bpf/packet.h"
#include "packet.h"

/* From 10.0.0.9 or fd00::9 to 10.0.0.1 or fd00::1, if they have addresses. */
struct vector {
    const char *name;
    void (*build)(struct packet *p);
    enum qpw_pkt_kind kind;
    enum qpw_reason reason; /* why it is undecodable */
    uint16_t what;          /* IP: the protocol; non-IP: the EtherType or its equivalent */
    uint16_t destination_port;
    uint16_t vlan;
    enum qpw_fragment fragment;
};

extern const struct vector vectors[];
extern const size_t n_vectors;

/* Build the n-th vector. */
void vector_build(size_t n, struct packet *p);

#endif

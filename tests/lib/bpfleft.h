/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpfleft.h - what of qportwatch is in the kernel: in the hooks of an interface, and at all.
 *
 * Tests run at the same time and every one loads programs of the same names. A test that must show
 * that nothing is left therefore notes what is in its own hooks while it is there (programs and, through
 * them, their maps), and afterwards waits until exactly these are gone from the kernel.
 */
#ifndef TESTS_LIB_BPFLEFT_H
#define TESTS_LIB_BPFLEFT_H

#include <stdbool.h>
#include <stdint.h>

#define BPFLEFT_MAX 512

struct bpfleft {
    uint32_t programs[BPFLEFT_MAX];
    unsigned n_programs;
    uint32_t maps[BPFLEFT_MAX];
    unsigned n_maps;
};

/* Everything in the kernel with our names: programs "qpw_*", and the maps that they use. */
void bpfleft_all(struct bpfleft *ret);

/*
 * Adds our programs (and their maps) in the hooks of an interface of the calling thread's namespace:
 * XDP, TCX both ways, clsact both ways. Returns how many programs were found there.
 */
unsigned bpfleft_add_hooks(unsigned ifindex, struct bpfleft *list);

/* How many programs of any name the interface's XDP and TCX hooks hold. */
unsigned bpfleft_in_hooks(unsigned ifindex);

/* Waits until none of the list is in the kernel any more. false: something still was at the deadline. */
bool bpfleft_gone(const struct bpfleft *list, int deadline_ms);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpfleft.h - find what qportwatch has left in the kernel: in the hooks of an interface, and anywhere.
 *
 * Tests run at the same time, and each one loads programs of the same names. A test that must show that nothing is left
 * therefore records what is in its own hooks while it is attached (programs and, through them, their maps), and
 * afterwards waits until exactly these are gone from the kernel.
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

/* Find everything in the kernel with our names: programs "qpw_*", and the maps that they use. */
void bpfleft_all(struct bpfleft *ret);

/*
 * Add our programs (and their maps) in the hooks of an interface of the calling thread's namespace: XDP, TCX both ways,
 * clsact both ways. Returns the number of programs found.
 */
unsigned bpfleft_add_hooks(unsigned ifindex, struct bpfleft *list);

/* Return how many programs of any name the interface's XDP and TCX hooks hold. */
unsigned bpfleft_in_hooks(unsigned ifindex);

/* Wait until none of the list is in the kernel. False: something was left at the deadline. */
bool bpfleft_gone(const struct bpfleft *list, int deadline_ms);

#endif

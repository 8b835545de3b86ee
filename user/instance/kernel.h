/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.h - the kernel side as this process holds it: map and program descriptors, control page.
 *
 * Made either by loading the embedded BPF object (object.h), or by finding a running one through the hooks of an
 * interface (instance.h). Everything else works on struct qpw_kernel and does not care which. It owns its
 * descriptors; nothing of libbpf's objects is kept.
 */
#ifndef QPW_KERNEL_H
#define QPW_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/compile/compiled.h"
#include "qportwatch_user.h"
#include "util/error.h"

struct qpw_incarnations;
struct qpw_programs;

#define QPW_OBJECT_NAME "qportwatch" /* its first letters stand before a section's name */

/* The object's variables: maps too, one value each, named after their section. */
enum qpw_section {
    QPW_SECTION_CONTROL, /* .bss */
    QPW_SECTION_CONFIG,  /* .rodata */
    QPW_SECTION_WOKEN,   /* .data.woken */
    QPW_SECTION_COUNT
};

struct qpw_kernel {
    struct qpw_programs *programs;  /* between begin and finish, else NULL */
    int map_fd[QPW_MAP_COUNT];
    int section_fd[QPW_SECTION_COUNT];
    int prog_fd[QPW_PROG_COUNT];    /* -1 where that program is not there */
    struct qpw_control *control;    /* shared with the programs, read-write */
    struct qpw_incarnations *incarnations; /* shared too (bpf/tag.h); see qpw_kernel_touch() */
    struct qpw_config config;       /* as frozen at load */
    bool old_verifier;              /* tests: programs are loaded as for kernels before 5.13 */
};

/* An empty kernel: every descriptor -1. */
void qpw_kernel_init(struct qpw_kernel *k);

/*
 * The flags that an XDP program is loaded with: for packets in several buffers (MTU 9000) where the kernel has them
 * (5.18); before, the flag is refused.
 */
uint32_t qpw_kernel_xdp_flags(const struct qpw_kernel *k);

/* Where *k keeps the descriptor of the map with that name in the kernel; NULL: nowhere, it is a template. */
int *qpw_kernel_map_place(struct qpw_kernel *k, const char *name);

/* Maps the control page and the incarnations, of the descriptors that are there. For instance.c. */
int qpw_kernel_map_pages(struct qpw_kernel *k, struct qpw_error *err);

/* Places for established TCP connections; 0 where the kernel does not tell. */
uint32_t qpw_kernel_connections(const struct qpw_kernel *k);

/* Names of the maps and programs, as bpf(2) shows them. */
const char *qpw_map_name(enum qpw_map map);
const char *qpw_program_name(enum qpw_program program);

/*
 * Writes a compiled policy into the buffer not in force, then swaps with one store and raises the
 * generation: packets see the old policy whole or the new one whole. Rule and peer names go first.
 */
int qpw_kernel_set_policy(struct qpw_kernel *k, const struct qpw_compiled *policy, const struct qpw_registry *names,
                          struct qpw_error *err);

/* Rule and peer names as they stand in the kernel (for a new compilation, or to show). Caller clears. */
int qpw_kernel_get_names(const struct qpw_kernel *k, struct qpw_registry *ret, struct qpw_error *err);

/* A server that may speak DHCP to the node's own address. 0 or a negative errno: -E2BIG where there are too many. */
int qpw_kernel_add_dhcp_server(struct qpw_kernel *k, const uint8_t addr[16]);

/* Adds or removes one local address or prefix (prefix of 128) and raises the generation. */
int qpw_kernel_set_local(struct qpw_kernel *k, const uint8_t addr[16], unsigned prefix, uint32_t flags, bool present);

/* The number that an interface has in what is counted, whatever it is called by now; 0: none. */
uint16_t qpw_kernel_iface_number(const struct qpw_kernel *k, unsigned ifindex);

/* Tells the programs about an interface (its MAC, flags, number); ifindex 0 with that number forgets it. */
int qpw_kernel_set_iface(struct qpw_kernel *k, const struct qpw_iface *iface);

/* All decisions are made again with each connection's next packet. */
void qpw_kernel_bump_generation(struct qpw_kernel *k);

/* The clock of the *_ns fields now (live: monotonic by jiffies; replay: control->replay_now_ns). */
uint64_t qpw_kernel_now_ns(const struct qpw_kernel *k);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel.h - an instance as this process holds it: descriptors of maps and programs, and the control page.
 *
 * It comes from loading the embedded BPF object (object.h), or from finding a running instance through the hooks of an
 * interface (instance.h). All other code works on struct qpw_kernel whichever it is. It owns its descriptors; no libbpf
 * object is kept.
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

#define QPW_OBJECT_NAME "qportwatch" /* its first letters precede a section's name */

/* The object's variables; each section is a map of one value. */
enum qpw_section {
    QPW_SECTION_CONTROL, /* .bss */
    QPW_SECTION_CONFIG,  /* .rodata */
    QPW_SECTION_WOKEN,   /* .data.woken */
    QPW_SECTION_COUNT
};

struct qpw_kernel {
    struct qpw_programs *programs;  /* between begin and finish; otherwise NULL */
    int map_fd[QPW_MAP_COUNT];
    int section_fd[QPW_SECTION_COUNT];
    int prog_fd[QPW_PROG_COUNT];    /* -1: not loaded */
    struct qpw_control *control;    /* shared with the programs, read-write */
    struct qpw_incarnations *incarnations; /* also shared (bpf/tag.h); see qpw_kernel_touch() */
    struct qpw_config config;       /* as frozen at load */
    bool old_verifier;              /* tests: load the programs for kernels before 5.13 */
};

/* Initialise an empty instance, with every descriptor -1. */
void qpw_kernel_init(struct qpw_kernel *k);

/*
 * Return the load flags of an XDP program: multi-buffer packets (MTU 9000) if the kernel has them (Linux 5.18; earlier
 * ones refuse the flag).
 */
uint32_t qpw_kernel_xdp_flags(const struct qpw_kernel *k);

/* Return where *k keeps the descriptor of the map with that name; NULL: nowhere, it is a template. */
int *qpw_kernel_map_slot(struct qpw_kernel *k, const char *name);

/* Map the control page and the incarnations, as far as their descriptors are open. For instance.c. */
int qpw_kernel_map_pages(struct qpw_kernel *k, struct qpw_error *err);

/* Return the capacity of the table of established TCP connections; 0 if unknown. */
uint32_t qpw_kernel_connections(const struct qpw_kernel *k);

/* Return the name of a map or program as bpf(2) shows it. */
const char *qpw_map_name(enum qpw_map map);
const char *qpw_program_name(enum qpw_program program);

/*
 * Write a compiled policy into the inactive buffer, then swap with one store and raise the generation: a packet sees
 * the old policy or the new one, never a mixture. Rule and peer names are written first. Returns 0, or a negative errno
 * with err filled.
 */
int qpw_kernel_set_policy(struct qpw_kernel *k, const struct qpw_compiled *policy, const struct qpw_registry *names,
                          struct qpw_error *err);

/* Read rule and peer names from the kernel (for a new compilation, or to show them). The caller clears *ret. */
int qpw_kernel_get_names(const struct qpw_kernel *k, struct qpw_registry *ret, struct qpw_error *err);

/*
 * Add a server that may send DHCP to the node's own address. Returns 0 or a negative errno: -E2BIG if there are too
 * many.
 */
int qpw_kernel_add_dhcp_server(struct qpw_kernel *k, const uint8_t addr[16]);

/*
 * Add or remove a local address or prefix (length in bits of 128) and raise the generation. Returns 0 or a negative
 * errno.
 */
int qpw_kernel_set_local(struct qpw_kernel *k, const uint8_t addr[16], unsigned prefix, uint32_t flags, bool present);

/* Return the number that an interface has in the counters, whatever its current name; 0: none. */
uint16_t qpw_kernel_iface_number(const struct qpw_kernel *k, unsigned ifindex);

/*
 * Update the programs' data on an interface (MAC, flags, number); with ifindex 0, remove that number. Returns 0 or a
 * negative errno.
 */
int qpw_kernel_set_iface(struct qpw_kernel *k, const struct qpw_iface *iface);

/* Invalidate all decisions; each is made again with the connection's next packet. */
void qpw_kernel_bump_generation(struct qpw_kernel *k);

/*
 * Return the current time of the clock behind *_ns fields (live: monotonic by jiffies; replay: control->replay_now_ns).
 */
uint64_t qpw_kernel_now_ns(const struct qpw_kernel *k);

#endif

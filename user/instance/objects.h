/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * objects.h - open programs and maps by id, which needs CAP_SYS_ADMIN, and reach hooks of other network namespaces.
 *
 * The auditor gives that capability up. A helper (host/helper.h) keeps it and answers only these questions: it hands
 * out descriptors of objects with a name of ours, names of foreign ones, and detaches our programs from interfaces that
 * moved elsewhere. Other commands still have the capability and call the kernel themselves.
 */
#ifndef QPW_INSTANCE_OBJECTS_H
#define QPW_INSTANCE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/helper.h"

/*
 * As bpf_prog_get_fd_by_id() and bpf_map_get_fd_by_id(): a descriptor, or -1 with errno set. The helper opens only
 * ours.
 */
int qpw_object_program(uint32_t id);
int qpw_object_map(uint32_t id);

/* As bpf_prog_get_next_id(): 0, or -1 with errno set. */
int qpw_object_next(uint32_t id, uint32_t *ret_next);

/* Read a program's name, up to 15 characters. Returns 0 or a negative errno (-ENOENT: no such id). */
int qpw_object_name(uint32_t id, char ret[16]);

/* Start the helper, once per process. Returns 0, or a negative errno with err filled. */
int qpw_objects_start(struct qpw_error *err);
void qpw_objects_stop(void);
/* Ask the helper from now on. */
void qpw_objects_use(void);
/* As qpw_helper_change(); QPW_HELPER_SAME if no helper is in use. */
enum qpw_helper_change qpw_objects_change(unsigned *ret_restarts);

/* ---- For runs.c and hooks.c, which let the helper do their work ---- */

#define QPW_OBJECT_NAMES 64

struct qpw_objects_elsewhere {
    uint32_t instance;
    uint32_t n;
    char names[QPW_OBJECT_NAMES][16];
};

struct qpw_objects_moved {
    int32_t nsid;
    uint32_t ifindex;
    uint32_t n;
    uint32_t prog_ids[QPW_OBJECT_NAMES];
};

/* The helper's answer to these two: the result and its error message. */
struct qpw_objects_done {
    uint64_t removed;
    struct qpw_error err;
};

/*
 * Let the helper do it. False: it is not in use. True: *ret_result, removed and err are as returned by the function
 * itself.
 */
bool qpw_objects_elsewhere(const struct qpw_objects_elsewhere *question, struct qpw_objects_done *ret, int *ret_result);
bool qpw_objects_moved(const struct qpw_objects_moved *question, struct qpw_objects_done *ret, int *ret_result);

#endif

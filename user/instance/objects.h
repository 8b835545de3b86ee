/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * objects.h - programs and maps by their ids, which takes CAP_SYS_ADMIN, and hooks of other network namespaces.
 *
 * The auditor gives that right up. A helper (host/helper.h) keeps it for it, and answers what is asked here and nothing
 * else: it hands out descriptors of objects with a name of ours, names of others', and takes programs of ours out where an
 * interface has carried them to. Other commands, which have the right, ask the kernel themselves.
 */
#ifndef QPW_INSTANCE_OBJECTS_H
#define QPW_INSTANCE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/helper.h"

/* As bpf_prog_get_fd_by_id() and bpf_map_get_fd_by_id(): a descriptor, or -1 with errno set. In use of the helper ours only. */
int qpw_object_program(uint32_t id);
int qpw_object_map(uint32_t id);

/* As bpf_prog_get_next_id(): 0, or -1 with errno set. */
int qpw_object_next(uint32_t id, uint32_t *ret_next);

/* The name of a program, of up to 15 characters. 0 or a negative errno (-ENOENT: there is none of that id). */
int qpw_object_name(uint32_t id, char ret[16]);

/* Starts the helper, once a process. 0, or a negative errno with err filled. */
int qpw_objects_start(struct qpw_error *err);
void qpw_objects_stop(void);
/* From now on it is asked. */
void qpw_objects_use(void);
/* See host/helper.h. QPW_HELPER_SAME where none is in use. */
enum qpw_helper_news qpw_objects_news(unsigned *ret_restarts);

/* ---- For runs.c and hooks.c, which have the helper do what they would do ---- */

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

/* What the helper answers to these two: the result, and its error in words. */
struct qpw_objects_done {
    uint64_t removed;
    struct qpw_error err;
};

/* False: it is not in use. True: *ret_result, removed and err are as of the function itself. */
bool qpw_objects_elsewhere(const struct qpw_objects_elsewhere *question, struct qpw_objects_done *ret, int *ret_result);
bool qpw_objects_moved(const struct qpw_objects_moved *question, struct qpw_objects_done *ret, int *ret_result);

#endif

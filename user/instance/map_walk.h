/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * map_walk.h - walk the entries of a hash map.
 *
 *     struct qpw_conn_key key;
 *     struct qpw_map_walk walk = qpw_map_walk(fd, &key);
 *
 *     while (qpw_map_next(&walk))
 *
 * The loop may delete the entry of `key`, because the key after it is read before. If programs delete that one
 * meanwhile, the kernel begins from the front again: the walk ends after twice the map's entries, and may miss some.
 */
#ifndef QPW_INSTANCE_MAP_WALK_H
#define QPW_INSTANCE_MAP_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct qpw_map_walk {
    int fd;
    void *key;
    uint32_t key_size;
    uint64_t left; /* entries at most */
    bool more;
    uint8_t next[256];
};

/* Begin a walk; `key`, of the map's key size (at most 256 bytes), gets one key after the other. */
struct qpw_map_walk qpw_map_walk(int fd, void *key);

/* Step to the next entry. False: there is none. */
bool qpw_map_next(struct qpw_map_walk *walk);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/map_walk.h"

#include <bpf/bpf.h>
#include <string.h>

struct qpw_map_walk qpw_map_walk(int fd, void *key)
{
    struct qpw_map_walk walk = {.fd = fd, .key = key};
    struct bpf_map_info info = {0};
    __u32 size = sizeof(info);

    if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || info.key_size > sizeof(walk.next))
        return walk;
    walk.key_size = info.key_size;
    walk.left = 2 * (uint64_t)info.max_entries;
    walk.more = bpf_map_get_next_key(fd, NULL, walk.next) == 0;
    return walk;
}

bool qpw_map_next(struct qpw_map_walk *walk)
{
    if (!walk->more || !walk->left--)
        return false;
    memcpy(walk->key, walk->next, walk->key_size);
    walk->more = bpf_map_get_next_key(walk->fd, walk->key, walk->next) == 0;
    return true;
}

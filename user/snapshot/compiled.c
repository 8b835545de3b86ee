/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/compiled.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "instance/objects.h"
#include "snapshot/collect_maps.h"

/* Open the table in that slot of an outer map. Return a descriptor, or a negative errno. */
static int open_table(const struct qpw_kernel *k, enum qpw_map outer, uint32_t buffer)
{
    uint32_t id;
    int fd;

    if (bpf_map_lookup_elem(k->map_fd[outer], &buffer, &id) < 0)
        return -errno;
    fd = qpw_object_map(id);
    return fd < 0 ? -errno : fd;
}

/* Read all values of an array map; the caller frees *ret. */
static int read_array(int fd, size_t size, void **ret, size_t *ret_n)
{
    size_t n = qpw_map_capacity(fd);
    void *values = calloc(n + 1, size);
    int r = values ? qpw_array_read(fd, size, (uint32_t)n, values) : -ENOMEM;

    if (r < 0) {
        free(values);
        return r;
    }
    *ret = values;
    *ret_n = n;
    return 0;
}

static int read_sets(int fd, struct qpw_compiled *c)
{
    struct qpw_set_key key, *last = NULL;

    c->sets = calloc(qpw_map_capacity(fd) + 1, sizeof(*c->sets));
    if (!c->sets)
        return -ENOMEM;
    while (bpf_map_get_next_key(fd, last, &key) == 0) {
        struct qpw_set_entry *entry = &c->sets[c->n_sets++];

        entry->key = key;
        last = &entry->key;
        if (bpf_map_lookup_elem(fd, &key, &entry->value) < 0)
            return -errno;
    }
    return errno == ENOENT ? 0 : -errno;
}

static int open_tables(const struct qpw_kernel *k, int fd[4])
{
    static const enum qpw_map outer[] = {QPW_MAP_pol_slots, QPW_MAP_pol_chains, QPW_MAP_pol_steps, QPW_MAP_pol_sets};
    uint32_t buffer = __atomic_load_n(&k->control->policy_buffer, __ATOMIC_ACQUIRE) & 1;

    for (unsigned i = 0; i < 4; i++) {
        fd[i] = open_table(k, outer[i], buffer);
        if (fd[i] < 0)
            return fd[i];
    }
    return 0;
}

static int read_policy(const struct qpw_kernel *k, int fd[4], struct qpw_compiled *c)
{
    size_t n_slots;
    int r = open_tables(k, fd);

    if (r < 0)
        return r;
    r = read_array(fd[0], sizeof(*c->slots), (void **)&c->slots, &n_slots);
    if (r < 0)
        return r;
    r = read_array(fd[1], sizeof(*c->chains), (void **)&c->chains, &c->n_chains);
    if (r < 0)
        return r;
    r = read_array(fd[2], sizeof(*c->steps), (void **)&c->steps, &c->n_steps);
    if (r < 0)
        return r;
    return read_sets(fd[3], c);
}

int qpw_compiled_read(const struct qpw_kernel *k, struct qpw_compiled *ret, struct qpw_error *err)
{
    struct qpw_compiled c = {0};
    int fd[4] = {-1, -1, -1, -1};
    int r = read_policy(k, fd, &c);

    for (unsigned i = 0; i < 4; i++)
        if (fd[i] >= 0)
            close(fd[i]);
    if (r < 0) {
        qpw_compiled_clear(&c);
        return qpw_fail(err, r, "cannot read the policy in force from the kernel: %s", strerror(-r));
    }
    *ret = c;
    return 0;
}

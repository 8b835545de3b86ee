/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "instance/lives.h"

#include <bpf/bpf.h>
#include <errno.h>

int qpw_life_put(const struct qpw_kernel *k, const struct qpw_finding_key *key, const struct qpw_life *life)
{
    return bpf_map_update_elem(k->map_fd[QPW_MAP_lives], key, life, BPF_ANY) < 0 ? -errno : 0;
}

int qpw_life_remove(const struct qpw_kernel *k, const struct qpw_finding_key *key)
{
    return bpf_map_delete_elem(k->map_fd[QPW_MAP_lives], key) < 0 && errno != ENOENT ? -errno : 0;
}

int qpw_first_seen_get(const struct qpw_kernel *k, const struct qpw_program_key *program, struct qpw_first_seen *ret)
{
    return bpf_map_lookup_elem(k->map_fd[QPW_MAP_first_seen], program, ret) < 0 ? -errno : 0;
}

int qpw_first_seen_put(const struct qpw_kernel *k, const struct qpw_program_key *program, const struct qpw_first_seen *first)
{
    return bpf_map_update_elem(k->map_fd[QPW_MAP_first_seen], program, first, BPF_NOEXIST) < 0 ? -errno : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/memory.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "instance/kernel.h"
#include "instance/objects.h"
#include "util/name_table.h"

QPW_NAME_TABLE(qpw_memory_name, part, QPW_MEMORY_PARTS, QPW_MEMORY_COUNT, "invalid")

/* Those that are not named are OTHER. */
static const uint8_t parts[QPW_MAP_COUNT] = {
    [QPW_MAP_conns_half] = QPW_MEMORY_CONNECTIONS,
    [QPW_MAP_conns_out] = QPW_MEMORY_CONNECTIONS,
    [QPW_MAP_conns_est] = QPW_MEMORY_CONNECTIONS,
    [QPW_MAP_conns_dgram] = QPW_MEMORY_CONNECTIONS,
    [QPW_MAP_conn_counts] = QPW_MEMORY_CONNECTIONS,
    [QPW_MAP_seeds] = QPW_MEMORY_CONNECTIONS,
    [QPW_MAP_frags] = QPW_MEMORY_CONNECTIONS,
    [QPW_MAP_heads] = QPW_MEMORY_CONNECTIONS,
    [QPW_MAP_conn_cache] = QPW_MEMORY_CACHE,
    [QPW_MAP_incarnations] = QPW_MEMORY_CACHE,
    [QPW_MAP_counters] = QPW_MEMORY_COUNTERS,
    [QPW_MAP_corrections] = QPW_MEMORY_COUNTERS,
    [QPW_MAP_meters] = QPW_MEMORY_COUNTERS,
    [QPW_MAP_meter_slots] = QPW_MEMORY_COUNTERS,
    [QPW_MAP_open_slots] = QPW_MEMORY_COUNTERS,
    [QPW_MAP_judged] = QPW_MEMORY_COUNTERS,
    [QPW_MAP_losses] = QPW_MEMORY_COUNTERS,
    [QPW_MAP_findings] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_answered] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_reserved] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_details] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_mirrors] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_lives] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_finding_slots] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_node_slots] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_answered_slots] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_implied_slots] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_weak_slots] = QPW_MEMORY_FINDINGS,
    [QPW_MAP_questions] = QPW_MEMORY_QUESTIONS,
    [QPW_MAP_asked] = QPW_MEMORY_QUESTIONS,
    [QPW_MAP_grace] = QPW_MEMORY_QUESTIONS,
    [QPW_MAP_owners] = QPW_MEMORY_OWNERS,
    [QPW_MAP_owner_table] = QPW_MEMORY_OWNERS,
    [QPW_MAP_older] = QPW_MEMORY_OWNERS,
    [QPW_MAP_listeners] = QPW_MEMORY_OWNERS,
    [QPW_MAP_exe_of] = QPW_MEMORY_OWNERS,
    [QPW_MAP_exes] = QPW_MEMORY_OWNERS,
    [QPW_MAP_parents] = QPW_MEMORY_OWNERS,
    [QPW_MAP_vouches] = QPW_MEMORY_OWNERS,
    [QPW_MAP_decisions] = QPW_MEMORY_OWNERS,
    [QPW_MAP_pol_slots] = QPW_MEMORY_POLICY,
    [QPW_MAP_pol_chains] = QPW_MEMORY_POLICY,
    [QPW_MAP_pol_steps] = QPW_MEMORY_POLICY,
    [QPW_MAP_pol_sets] = QPW_MEMORY_POLICY,
    [QPW_MAP_rule_info] = QPW_MEMORY_POLICY,
    [QPW_MAP_rule_users] = QPW_MEMORY_POLICY,
    [QPW_MAP_peer_info] = QPW_MEMORY_POLICY,
    [QPW_MAP_listed] = QPW_MEMORY_POLICY,
    [QPW_MAP_exceptions] = QPW_MEMORY_POLICY,
};

static uint64_t map_memory(int fd)
{
    unsigned long long bytes = 0;
    char path[64], line[128];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (sscanf(line, "memlock: %llu", &bytes) == 1)
            break;
    if (file)
        fclose(file);
    return bytes;
}

/* Return the memory of the policy's tables, because a map of maps accounts only for itself. */
static uint64_t inner_memory(int outer_fd)
{
    uint64_t bytes = 0;
    uint32_t id;
    int fd;

    for (uint32_t i = 0; i < 2; i++) {
        if (bpf_map_lookup_elem(outer_fd, &i, &id) < 0 || (fd = qpw_object_map(id)) < 0)
            continue;
        bytes += map_memory(fd);
        close(fd);
    }
    return bytes;
}

uint64_t qpw_kernel_memory(const struct qpw_kernel *k, uint64_t ret_parts[QPW_MEMORY_COUNT])
{
    static const int outer[] = {QPW_MAP_pol_slots, QPW_MAP_pol_chains, QPW_MAP_pol_steps, QPW_MAP_pol_sets};
    uint64_t bytes[QPW_MEMORY_COUNT] = {0}, sum = 0;

    for (int i = 0; i < QPW_MAP_COUNT; i++)
        bytes[parts[i]] += map_memory(k->map_fd[i]);
    for (int i = 0; i < QPW_SECTION_COUNT; i++)
        bytes[QPW_MEMORY_OTHER] += map_memory(k->section_fd[i]);
    for (size_t i = 0; i < sizeof(outer) / sizeof(*outer); i++)
        bytes[QPW_MEMORY_POLICY] += inner_memory(k->map_fd[outer[i]]);
    for (int i = 0; i < QPW_MEMORY_COUNT; i++)
        sum += bytes[i];
    if (ret_parts)
        memcpy(ret_parts, bytes, sizeof(bytes));
    return sum;
}

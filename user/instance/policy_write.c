/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* policy_write.c - write a compiled policy, addresses and interfaces into the maps. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/tag.h"
#include "host/clock.h"
#include "instance/kernel.h"
#include "instance/map_walk.h"

/* A policy's four tables, by the outer map that holds them. */
enum table { TABLE_SLOTS, TABLE_CHAINS, TABLE_STEPS, TABLE_SETS, TABLES };
static const enum qpw_map outer_of[TABLES] = {QPW_MAP_pol_slots, QPW_MAP_pol_chains, QPW_MAP_pol_steps,
                                              QPW_MAP_pol_sets};

/* Create an array map with n values of `size` bytes, at least one. Returns a descriptor or a negative errno. */
static int make_array(const char *name, const void *values, uint32_t size, uint32_t n, uint32_t flags)
{
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
    int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, size, n ? n : 1, &options);

    if (fd < 0)
        return -errno;
    for (uint32_t i = 0; i < n; i++)
        if (bpf_map_update_elem(fd, &i, (const char *)values + (size_t)i * size, BPF_ANY) < 0) {
            int r = -errno;

            close(fd);
            return r;
        }
    return fd;
}

static int make_sets(const struct qpw_compiled *p)
{
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
    int fd = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "qpw_sets", sizeof(struct qpw_set_key), 4,
                            p->n_sets ? (uint32_t)p->n_sets : 1, &options);

    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < p->n_sets; i++)
        if (bpf_map_update_elem(fd, &p->sets[i].key, &p->sets[i].value, BPF_ANY) < 0) {
            int r = -errno;

            close(fd);
            return r;
        }
    return fd;
}

static int write_names(struct qpw_kernel *k, const struct qpw_registry *names)
{
    if (names->n_rules > QPW_MAX_RULES || names->n_peers > QPW_MAX_PEERS)
        return -E2BIG;
    for (uint32_t i = 1; i < names->n_rules; i++)
        if (bpf_map_update_elem(k->map_fd[QPW_MAP_rule_info], &i, &names->rules[i], BPF_ANY) < 0)
            return -errno;
    for (uint32_t i = 1; i < names->n_peers; i++)
        if (bpf_map_update_elem(k->map_fd[QPW_MAP_peer_info], &i, &names->peers[i], BPF_ANY) < 0)
            return -errno;
    return 0;
}

static int write_listed(struct qpw_kernel *k, const struct qpw_compiled *policy)
{
    for (uint32_t i = 0; policy->listed && i < QPW_LISTED_TABLES; i++)
        if (bpf_map_update_elem(k->map_fd[QPW_MAP_listed], &i, &policy->listed[i], BPF_ANY) < 0)
            return -errno;
    return 0;
}

/* End the list with an empty entry if there is room, so that entries of an earlier policy behind it do not count. */
static int write_exceptions(struct qpw_kernel *k, const struct qpw_compiled *policy)
{
    static const struct qpw_exception none;

    for (uint32_t i = 0; i < QPW_EXCEPTIONS && i <= policy->n_exceptions; i++)
        if (bpf_map_update_elem(k->map_fd[QPW_MAP_exceptions], &i,
                                i < policy->n_exceptions ? &policy->exceptions[i] : &none, BPF_ANY) < 0)
            return -errno;
    return 0;
}

static bool has_peers(const struct qpw_compiled *p)
{
    for (size_t i = 0; i < p->n_sets; i++)
        if (ntohl(p->sets[i].key.set) == QPW_SET_PEERS)
            return true;
    return false;
}

/* Activate the tables. peers: whether the policy has any. */
static int swap_in(struct qpw_kernel *k, const int fds[TABLES], bool peers)
{
    uint32_t other = !(k->control->policy_buffer & 1);

    for (int t = 0; t < TABLES; t++) /* no packet has read this buffer since the grace period of the last swap */
        if (bpf_map_update_elem(k->map_fd[outer_of[t]], &other, &fds[t], BPF_ANY) < 0)
            return -errno;
    __atomic_store_n(&k->control->policy_buffer, other | (peers ? QPW_BUFFER_PEERS : 0), __ATOMIC_RELEASE);
    k->control->flags |= QPW_CONTROL_POLICY;
    qpw_kernel_bump_generation(k);
    return 0;
}

static int make_tables(const struct qpw_compiled *policy, int fds[TABLES])
{
    fds[TABLE_SLOTS] = make_array("qpw_slots", policy->slots, sizeof(struct qpw_slots), 2 * QPW_CHUNKS_PER_DIR, 0);
    if (fds[TABLE_SLOTS] < 0)
        return fds[TABLE_SLOTS];
    fds[TABLE_CHAINS] = make_array("qpw_chains", policy->chains, sizeof(struct qpw_chain), (uint32_t)policy->n_chains,
                                   BPF_F_INNER_MAP);
    if (fds[TABLE_CHAINS] < 0)
        return fds[TABLE_CHAINS];
    fds[TABLE_STEPS] = make_array("qpw_steps", policy->steps, sizeof(struct qpw_step), (uint32_t)policy->n_steps,
                                  BPF_F_INNER_MAP);
    if (fds[TABLE_STEPS] < 0)
        return fds[TABLE_STEPS];
    fds[TABLE_SETS] = make_sets(policy);
    return fds[TABLE_SETS] < 0 ? fds[TABLE_SETS] : 0;
}

static int write_policy(struct qpw_kernel *k, const struct qpw_compiled *policy, const struct qpw_registry *names,
                        int fds[TABLES])
{
    int r = make_tables(policy, fds);

    if (r < 0)
        return r;
    r = write_names(k, names);
    if (r < 0)
        return r;
    r = swap_in(k, fds, has_peers(policy));
    if (r < 0)
        return r;
    r = write_listed(k, policy);
    if (r < 0)
        return r;
    return write_exceptions(k, policy);
}

int qpw_kernel_set_policy(struct qpw_kernel *k, const struct qpw_compiled *policy, const struct qpw_registry *names,
                          struct qpw_error *err)
{
    int fds[TABLES], r;

    for (int t = 0; t < TABLES; t++)
        fds[t] = -1;
    r = write_policy(k, policy, names, fds);
    for (int t = 0; t < TABLES; t++)
        if (fds[t] >= 0)
            close(fds[t]);
    if (r < 0)
        return qpw_fail(err, r, "cannot write the policy into the kernel: %s; the one in force stays", strerror(-r));
    return 0;
}

int qpw_kernel_get_names(const struct qpw_kernel *k, struct qpw_registry *ret, struct qpw_error *err)
{
    struct qpw_registry names = {0};
    int r = -ENOMEM;

    names.rules = calloc(QPW_MAX_RULES, sizeof(*names.rules));
    names.peers = calloc(QPW_MAX_PEERS, sizeof(*names.peers));
    if (!names.rules || !names.peers)
        goto fail;
    names.n_rules = names.n_peers = 1;
    for (uint32_t i = 1; i < QPW_MAX_RULES; i++) {
        if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_rule_info], &i, &names.rules[i]) < 0) {
            r = -errno;
            if (r == -ENOENT)
                break; /* the first empty name ends the list */
            goto fail;
        }
        if (!names.rules[i].name[0])
            break;
        names.n_rules = i + 1;
    }
    for (uint32_t i = 1; i < QPW_MAX_PEERS; i++) {
        if (bpf_map_lookup_elem(k->map_fd[QPW_MAP_peer_info], &i, &names.peers[i]) < 0) {
            r = -errno;
            goto fail;
        }
        if (!names.peers[i].name[0])
            break;
        names.n_peers = i + 1;
    }
    *ret = names;
    return 0;
fail:
    free(names.rules);
    free(names.peers);
    return qpw_fail(err, r, "cannot read rule and peer names from the kernel: %s", strerror(-r));
}

int qpw_kernel_add_dhcp_server(struct qpw_kernel *k, const uint8_t addr[16])
{
    uint64_t now = qpw_kernel_now_ns(k);

    return bpf_map_update_elem(k->map_fd[QPW_MAP_dhcp_servers], addr, &now, BPF_ANY) < 0 ? -errno : 0;
}

/*
 * Update the short list beside the table, in which IPv4 addresses are looked up first. flags 0: remove. When the list
 * is full or a prefix covers several addresses, look-ups use the table until the next load.
 */
static void set_local4(struct qpw_control *c, const uint8_t addr[16], unsigned prefix, uint32_t flags)
{
    __u64 *slot = NULL;
    uint32_t word;

    if (prefix < 128 && flags)
        __atomic_store_n(&c->local4_whole, 0, __ATOMIC_RELEASE);
    if (prefix < 128 || !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr))
        return;
    memcpy(&word, addr + 12, sizeof(word));
    for (unsigned i = 0; i < QPW_LOCAL4; i++)
        if (c->local4[i] && (uint32_t)c->local4[i] == word)
            slot = &c->local4[i];
    for (unsigned i = 0; i < QPW_LOCAL4 && !slot && flags; i++)
        if (!c->local4[i])
            slot = &c->local4[i];
    if (slot)
        __atomic_store_n(slot, flags ? (uint64_t)flags << 32 | word : 0, __ATOMIC_RELEASE);
    else if (flags)
        __atomic_store_n(&c->local4_whole, 0, __ATOMIC_RELEASE);
}

int qpw_kernel_set_local(struct qpw_kernel *k, const uint8_t addr[16], unsigned prefix, uint32_t flags, bool present)
{
    struct qpw_local_key key = {.prefixlen = prefix};
    int r;

    memcpy(key.addr, addr, 16);
    r = present ? bpf_map_update_elem(k->map_fd[QPW_MAP_locals], &key, &flags, BPF_ANY)
                : bpf_map_delete_elem(k->map_fd[QPW_MAP_locals], &key);
    if (r < 0)
        return -errno;
    set_local4(k->control, addr, prefix, present ? flags : 0);
    qpw_kernel_bump_generation(k);
    return 0;
}

uint16_t qpw_kernel_iface_number(const struct qpw_kernel *k, unsigned ifindex)
{
    struct qpw_iface iface;

    return bpf_map_lookup_elem(k->map_fd[QPW_MAP_ifaces], &ifindex, &iface) < 0 ? 0 : iface.number;
}

int qpw_kernel_set_iface(struct qpw_kernel *k, const struct qpw_iface *iface)
{
    int fd = k->map_fd[QPW_MAP_ifaces];
    uint32_t ifindex;
    struct qpw_map_walk walk = qpw_map_walk(fd, &ifindex);
    struct qpw_iface old;

    while (qpw_map_next(&walk)) /* an interface keeps its number, but its ifindex may change */
        if (bpf_map_lookup_elem(fd, &ifindex, &old) == 0 && old.number == iface->number && ifindex != iface->ifindex)
            bpf_map_delete_elem(fd, &ifindex);
    if (iface->ifindex && bpf_map_update_elem(fd, &iface->ifindex, iface, BPF_ANY) < 0)
        return -errno;
    qpw_kernel_bump_generation(k);
    return 0;
}

void qpw_kernel_bump_generation(struct qpw_kernel *k)
{
    __atomic_fetch_add(&k->control->generation, 1, __ATOMIC_RELEASE);
}

uint64_t qpw_kernel_now_ns(const struct qpw_kernel *k)
{
    return k->config.replay ? k->control->replay_now_ns : qpw_clock_monotonic_ns();
}

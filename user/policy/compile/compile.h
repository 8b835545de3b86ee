/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compile.h - compile a policy into the form in which packets are judged (compiled.h).
 *
 * Every (direction, protocol, port) gets the list of rules that match it, ordered allowed, weak, infra, implied,
 * unexpected; equal lists share one chain. Rules that differ only in from= become one step whose address set names the
 * rule: the most specific prefix wins, among equal prefixes the first line.
 */
#ifndef QPW_POLICY_COMPILE_H
#define QPW_POLICY_COMPILE_H

#include "policy/compile/compiled.h"
#include "policy/lang/policy.h"
#include "util/error.h"

struct qpw_compile_context {
    int64_t now;          /* Unix seconds, for until= */
    /*
     * Return the index of the interface named in iface=, 0 if there is none (the rule then matches nothing). NULL:
     * if_nametoindex().
     */
    uint32_t (*ifindex)(const char *name, void *data);
    void *data;
    const uint8_t (*own)[16]; /* the node's own addresses, which are never a peer's */
    size_t n_own;
};

/*
 * In: *names as the kernel holds them, or zeroed. Out: *names with new names appended and `in_force` of all entries
 * recomputed. On failure (err is "FILE:LINE: reason", or names the limit of qportwatch.h that was exceeded) both *names
 * and *ret are unchanged. The caller clears *ret with qpw_compiled_clear().
 */
int qpw_policy_compile(const struct qpw_policy *policy, const struct qpw_compile_context *context,
                       struct qpw_registry *names, struct qpw_compiled *ret, struct qpw_error *err);

/* Return the id of the rule, or the number of the peer, of that name; 0 if there is none. */
uint16_t qpw_registry_rule(const struct qpw_registry *names, const char *name);
uint16_t qpw_registry_peer(const struct qpw_registry *names, const char *name);

#endif

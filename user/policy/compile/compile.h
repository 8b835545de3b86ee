/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compile.h - a policy into the form in which packets are judged (compiled.h).
 *
 * Every (direction, protocol, port) gets the list of rules that speak of it, ordered allowed, weak,
 * infra, implied, unexpected; equal lists are one chain. Rules that differ only in from= are one
 * step whose address set names the rule: the most specific prefix wins, among equals the first line.
 */
#ifndef QPW_POLICY_COMPILE_H
#define QPW_POLICY_COMPILE_H

#include "policy/compile/compiled.h"
#include "policy/lang/policy.h"
#include "util/error.h"

struct qpw_compile_context {
    int64_t now;          /* Unix seconds, for until= */
    /* Index of the interface of that name for iface=, 0: there is none (the row then matches nothing). NULL:
     * if_nametoindex(). */
    uint32_t (*ifindex)(const char *name, void *data);
    void *data;
    const uint8_t (*own)[16]; /* the node's own addresses: not a peer */
    size_t n_own;
};

/*
 * In: *names as the kernel holds them, or zeroed. Out: new names behind the old ones, `in_force` of
 * all set again. On failure (err says "FILE:LINE: what", or that a limit of qportwatch.h is passed)
 * both *names and *ret are untouched. The caller clears *ret with qpw_compiled_clear().
 */
int qpw_policy_compile(const struct qpw_policy *policy, const struct qpw_compile_context *context,
                       struct qpw_registry *names, struct qpw_compiled *ret, struct qpw_error *err);

/* Id of the rule of that name, number of the peer of that name; 0: none. */
uint16_t qpw_registry_rule(const struct qpw_registry *names, const char *name);
uint16_t qpw_registry_peer(const struct qpw_registry *names, const char *name);

#endif

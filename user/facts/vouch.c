/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/vouch.h"

#include <string.h>

#include "host/executable.h"

#define PORT_MAPPER 111u
#define NFS_PORT 2049u

/* The daemons of the usual distributions, by what they register. Those of others: owner= of a rule. */
static const struct {
    uint32_t program;
    const char *executable;
} daemons[] = {
    {QPW_RPC_MOUNT, "/usr/sbin/rpc.mountd"},  {QPW_RPC_MOUNT, "/usr/bin/ganesha.nfsd"},
    {QPW_RPC_MOUNT, "/usr/sbin/unfsd"},       {QPW_RPC_STATUS, "/usr/sbin/rpc.statd"},
    {QPW_RPC_QUOTA, "/usr/sbin/rpc.rquotad"}, {QPW_RPC_QUOTA, "/usr/bin/ganesha.nfsd"},
    {QPW_RPC_NLM, "/usr/bin/ganesha.nfsd"},   {QPW_RPC_NFS_ACL, "/usr/bin/ganesha.nfsd"},
};

static bool is_known(const struct qpw_process *p)
{
    return p->pid && p->match != QPW_MATCH_NONE && p->match != QPW_MATCH_GONE;
}

/* A service of the system's, or a container; not a user's own, nor a session. */
static bool is_service(const struct qpw_process *p)
{
    size_t length = strlen(p->unit);

    if (p->container)
        return true;
    return length > 8 && !strcmp(p->unit + length - 8, ".service") && strncmp(p->unit, "user@", 5);
}

static bool same_service(const struct qpw_process *a, const struct qpw_process *b, const char *own_unit)
{
    return is_service(a) && a->container == b->container && !strcmp(a->unit, b->unit) && strcmp(a->unit, own_unit);
}

enum qpw_owner_word qpw_vouch_same(const struct qpw_process *a, const struct qpw_process *b, const char *own_unit)
{
    char path[sizeof(b->exe)];

    if (!is_known(a) || !is_known(b))
        return QPW_OWNER_UNSURE;
    if (a->pid == b->pid && a->started_unix_ns == b->started_unix_ns)
        return QPW_OWNER_FITS;
    if (a->pid == 1 || b->pid == 1) /* holds it for a service that is yet to begin, or has ended */
        return QPW_OWNER_UNSURE;
    if (same_service(a, b, own_unit))
        return QPW_OWNER_FITS;
    if (!a->exe[0] || !b->exe[0])
        return QPW_OWNER_UNSURE;
    switch (qpw_executes(a, qpw_executable_bare(b->exe, path, sizeof(path)))) {
    case QPW_EXECUTES_IT: return QPW_OWNER_FITS;
    case QPW_EXECUTES_UNSURE: return QPW_OWNER_UNSURE;
    default: return QPW_OWNER_OTHER;
    }
}

static bool covers(const struct qpw_rule *rule, uint16_t port)
{
    for (size_t i = 0; i < rule->n_ports; i++)
        if (port >= rule->ports[i].first && port <= rule->ports[i].last)
            return true;
    return false;
}

/* Whether the policy names it as the owner of the port mapper's or of the NFS port. */
static bool policy_names(const struct qpw_vouch_question *q)
{
    for (size_t i = 0; q->policy && i < q->policy->n_rules; i++) {
        const struct qpw_rule *rule = &q->policy->rules[i];

        if (rule->owner && strcmp(rule->owner, "any") && rule->direction == QPW_DIR_INBOUND &&
            qpw_rule_in_force(rule, q->now) && (covers(rule, PORT_MAPPER) || covers(rule, NFS_PORT)) &&
            qpw_owner_judge(rule->owner, q->companion) == QPW_OWNER_FITS)
            return true;
    }
    return false;
}

static bool is_daemon(const struct qpw_vouch_question *q, uint32_t program)
{
    for (size_t i = 0; i < sizeof(daemons) / sizeof(*daemons); i++)
        if (daemons[i].program == program && qpw_executes(q->companion, daemons[i].executable) == QPW_EXECUTES_IT)
            return true;
    return false;
}

/* Any local user can register a port, so who holds it has to be one of those that are known to. */
static enum qpw_owner_word registered(const struct qpw_vouch_question *q)
{
    if (!q->rpcbind)
        return QPW_OWNER_UNSURE;
    for (size_t i = 0; i < q->rpcbind->n; i++) {
        const struct qpw_rpc_registration *r = &q->rpcbind->rows[i];

        if (r->port != q->port || r->protocol != q->protocol ||
            (r->program != QPW_RPC_MOUNT && r->program != QPW_RPC_QUOTA && r->program != QPW_RPC_NLM &&
             r->program != QPW_RPC_STATUS && r->program != QPW_RPC_NFS_ACL))
            continue;
        if (is_daemon(q, r->program) || policy_names(q) || (q->serves_nfs && q->companion->uid == 0))
            return QPW_OWNER_FITS;
    }
    return QPW_OWNER_OTHER;
}

/*
 * Of who only listened: a server hands its connections to processes that descend from it, if at all. Of a companion that
 * has ended nobody knows that any more; then the same executable is enough, and another may be what inetd had started.
 */
static enum qpw_owner_word against(const struct qpw_vouch_question *q, const struct qpw_vouch_parent *parent)
{
    enum qpw_owner_word word = qpw_vouch_same(q->companion, &parent->process, q->own_unit);
    bool may_descend = parent->ancestor || q->companion->ended;

    if (!parent->listened || word == QPW_OWNER_UNSURE || same_service(q->companion, &parent->process, q->own_unit))
        return word;
    if (word == QPW_OWNER_FITS)
        return may_descend ? QPW_OWNER_FITS : QPW_OWNER_OTHER;
    return may_descend ? QPW_OWNER_UNSURE : QPW_OWNER_OTHER;
}

enum qpw_owner_word qpw_vouch_judge(const struct qpw_vouch_question *q)
{
    enum qpw_owner_word word = q->n_parents ? QPW_OWNER_OTHER : QPW_OWNER_UNSURE, one;

    if (q->foreign)
        return QPW_OWNER_OTHER;
    if (q->companion->match == QPW_MATCH_KERNEL)
        return q->nfs ? QPW_OWNER_FITS : QPW_OWNER_OTHER;
    if (!is_known(q->companion))
        return QPW_OWNER_UNSURE;
    for (size_t i = 0; i < q->n_parents; i++) {
        one = against(q, &q->parents[i]);
        if (one == QPW_OWNER_FITS)
            return one;
        word = one == QPW_OWNER_UNSURE ? one : word;
    }
    if (!q->registers)
        return word;
    one = registered(q);
    return one == QPW_OWNER_FITS || word == QPW_OWNER_OTHER ? one : word;
}

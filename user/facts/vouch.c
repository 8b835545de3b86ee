/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/vouch.h"

#include <netinet/in.h>
#include <string.h>

#include "host/executable.h"

#define PORT_MAPPER 111u
#define NFS_PORT 2049u
#define START_SLACK_NS 20000000ull /* /proc counts start times in ticks of 10 ms */
#define SESSION_NS 2000000000ull /* period in which an ended process is identified by its pid and executable */

/* The daemons of the usual distributions, by the program they register. For others use owner= of a rule. */
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

/* Return whether it is a system service or a container; a user's own unit or a session is not. */
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

static bool has_file(const struct qpw_process *p)
{
    return p->exe_device || p->exe_inode;
}

static enum qpw_owner_word same_path(const struct qpw_process *a, const struct qpw_process *b)
{
    char path[sizeof(b->exe)];

    if (!a->exe[0] || !b->exe[0])
        return QPW_OWNER_UNSURE;
    switch (qpw_executes(a, qpw_executable_bare(b->exe, path, sizeof(path)))) {
    case QPW_EXECUTES_IT: return QPW_OWNER_FITS;
    case QPW_EXECUTES_UNSURE: return QPW_OWNER_UNSURE;
    default: return QPW_OWNER_OTHER;
    }
}

static bool is_replaced(const struct qpw_process *p)
{
    char path[sizeof(p->exe)];

    return strcmp(p->exe, qpw_executable_bare(p->exe, path, sizeof(path))) != 0;
}

static enum qpw_owner_word same_executable(const struct qpw_process *a, const struct qpw_process *b)
{
    enum qpw_owner_word word;

    if (has_file(a) && has_file(b) && a->exe_device == b->exe_device && a->exe_inode == b->exe_inode)
        return !strncmp(a->exe, "(user namespace)", 16) == !strncmp(b->exe, "(user namespace)", 16) ? QPW_OWNER_FITS
                                                                                                     : QPW_OWNER_OTHER;
    word = same_path(a, b);
    if (word != QPW_OWNER_FITS)
        return word;
    if (!has_file(a) || !has_file(b) || is_replaced(a) || is_replaced(b))
        return QPW_OWNER_UNSURE; /* the path is only what was passed to execve(2), or the file was upgraded in
                                    between */
    return QPW_OWNER_OTHER;
}

/*
 * Compare pid and start time. Two readings of a start time differ by clock adjustments; a pid is not reused within the
 * slack.
 */
static bool same_process(const struct qpw_process *a, const struct qpw_process *b)
{
    uint64_t x = a->started_unix_ns, y = b->started_unix_ns;

    return a->pid == b->pid && x && y && (x > y ? x - y : y - x) < START_SLACK_NS;
}

enum qpw_owner_word qpw_vouch_same(const struct qpw_process *a, const struct qpw_process *b, const char *own_unit)
{
    if (!is_known(a) || !is_known(b))
        return QPW_OWNER_UNSURE;
    if (same_process(a, b))
        return QPW_OWNER_FITS;
    if (a->pid == 1 || b->pid == 1) /* systemd holds it for a service that has not started, or has ended */
        return QPW_OWNER_UNSURE;
    return same_service(a, b, own_unit) ? QPW_OWNER_FITS : same_executable(a, b);
}

static bool covers(const struct qpw_rule *rule, uint16_t port)
{
    for (size_t i = 0; i < rule->n_ports; i++)
        if (port >= rule->ports[i].first && port <= rule->ports[i].last)
            return true;
    return false;
}

/* Return whether the policy names it as the owner of the port mapper's or the NFS port. */
static bool policy_names(const struct qpw_vouch_question *q, const struct qpw_process *p)
{
    for (size_t i = 0; q->policy && i < q->policy->n_rules; i++) {
        const struct qpw_rule *rule = &q->policy->rules[i];

        if (rule->owner && strcmp(rule->owner, "any") && rule->direction == QPW_DIR_INBOUND &&
            qpw_rule_in_force(rule, q->now) && (covers(rule, PORT_MAPPER) || covers(rule, NFS_PORT)) &&
            qpw_owner_judge(rule->owner, p) == QPW_OWNER_FITS)
            return true;
    }
    return false;
}

/* program 0: any. */
static bool is_daemon(const struct qpw_process *p, uint32_t program)
{
    for (size_t i = 0; !p->ended && i < sizeof(daemons) / sizeof(*daemons); i++)
        if ((!program || daemons[i].program == program) && qpw_executes(p, daemons[i].executable) == QPW_EXECUTES_IT)
            return true;
    return false;
}

/* Do not compare executables: an interpreter may serve anything. */
static bool serves_nfs(const struct qpw_vouch_question *q, const struct qpw_process *p)
{
    for (size_t i = 0; p->uid == 0 && i < q->n_servers; i++)
        if (same_process(p, &q->servers[i]) || same_service(p, &q->servers[i], q->own_unit))
            return true;
    return false;
}

/* Accept only holders known to register, because any local user can register a port. */
static bool may_register(const struct qpw_vouch_question *q, const struct qpw_process *p)
{
    return q->registers && is_known(p) && (is_daemon(p, 0) || policy_names(q, p) || serves_nfs(q, p));
}

static bool is_registered(const struct qpw_vouch_question *q, const uint32_t *programs, const struct qpw_process *p)
{
    for (size_t i = 0; i < q->rpcbind->n; i++) {
        const struct qpw_rpc_registration *r = &q->rpcbind->rows[i];

        if (r->port != q->port || r->protocol != q->protocol)
            continue;
        for (const uint32_t *one = programs; *one; one++)
            if (r->program == *one && (!p || is_daemon(p, r->program) || policy_names(q, p) || serves_nfs(q, p)))
                return true;
    }
    return false;
}

static enum qpw_owner_word registered(const struct qpw_vouch_question *q, const struct qpw_process *p, bool *early)
{
    static const uint32_t programs[] = {QPW_RPC_MOUNT, QPW_RPC_QUOTA, QPW_RPC_NLM, QPW_RPC_STATUS, QPW_RPC_NFS_ACL, 0};

    if (!may_register(q, p))
        return QPW_OWNER_OTHER;
    if (!q->rpcbind)
        return QPW_OWNER_UNSURE;
    if (is_registered(q, programs, p))
        return QPW_OWNER_FITS;
    *early = true;
    return QPW_OWNER_OTHER;
}

/*
 * Return whether the process that had the exchange made the socket. The pid alone does not identify a process that has
 * ended.
 */
static bool was_parent(const struct qpw_vouch_question *q, const struct qpw_process *p,
                       const struct qpw_vouch_parent *parent)
{
    const struct qpw_vouch_companion *c = q->companion;
    uint64_t between = c->made_ns > parent->alive_ns ? c->made_ns - parent->alive_ns : parent->alive_ns - c->made_ns;

    if (p->ended && parent->same_note)
        return true;
    return p->ended && c->made && parent->alive_ns && between < SESSION_NS && p->pid == parent->process.pid &&
           same_path(c->made, &parent->process) == QPW_OWNER_FITS;
}

/*
 * Compare with the parent's process. A mere listener hands its connections to its own descendants, if at all, so a
 * different executable elsewhere is OTHER. The same executable may be the process of the exchange, or an interpreter
 * that serves anything: UNSURE. If the companion's process has ended, its descent is unknown, and a different
 * executable may be a server started by inetd: UNSURE.
 */
static enum qpw_owner_word against(const struct qpw_vouch_question *q, const struct qpw_process *p,
                                   const struct qpw_vouch_parent *parent)
{
    enum qpw_owner_word word = qpw_vouch_same(p, &parent->process, q->own_unit);
    bool may_descend = parent->ancestor || parent->broken || p->ended;

    if (was_parent(q, p, parent))
        return QPW_OWNER_FITS;
    if (!parent->listened || word == QPW_OWNER_UNSURE || same_service(p, &parent->process, q->own_unit))
        return word;
    if (word == QPW_OWNER_FITS)
        return parent->ancestor ? QPW_OWNER_FITS : QPW_OWNER_UNSURE;
    return may_descend ? QPW_OWNER_UNSURE : QPW_OWNER_OTHER;
}

static enum qpw_owner_word one_process(const struct qpw_vouch_question *q, const struct qpw_process *p, bool *early)
{
    enum qpw_owner_word word = q->n_parents ? QPW_OWNER_OTHER : QPW_OWNER_UNSURE, one;

    if (!is_known(p))
        return QPW_OWNER_UNSURE;
    if (q->seen_alive)
        return QPW_OWNER_FITS;
    for (size_t i = 0; i < q->n_parents; i++) {
        one = against(q, p, &q->parents[i]);
        if (one == QPW_OWNER_FITS)
            return one;
        word = one == QPW_OWNER_UNSURE ? one : word;
    }
    if (!q->registers)
        return word;
    one = registered(q, p, early);
    return one == QPW_OWNER_FITS || word == QPW_OWNER_OTHER ? one : word;
}

static enum qpw_owner_word worse(enum qpw_owner_word a, enum qpw_owner_word b)
{
    return a == QPW_OWNER_OTHER || b == QPW_OWNER_OTHER ? QPW_OWNER_OTHER : a == QPW_OWNER_FITS ? b : a;
}

/* Compare the maker's executable at the time with that of a fitting process. */
static enum qpw_owner_word as_made(const struct qpw_vouch_question *q, const struct qpw_process *fits)
{
    const struct qpw_process *made = q->companion->made;

    return !made || same_service(made, fits, q->own_unit) ? QPW_OWNER_FITS : same_path(made, fits);
}

/* Judge an existing socket that no process holds. */
static enum qpw_owner_word of_kernel(const struct qpw_vouch_question *q, bool *early)
{
    static const uint32_t programs[] = {QPW_RPC_NFS, QPW_RPC_NLM, QPW_RPC_STATUS, QPW_RPC_NFS_ACL, 0};
    const struct qpw_vouch_companion *c = q->companion;

    if (c->maker && c->hands_over && q->registers) {
        if (!q->rpcbind)
            return QPW_OWNER_UNSURE;
        *early = !is_registered(q, programs, NULL);
        return *early ? QPW_OWNER_OTHER : QPW_OWNER_FITS;
    }
    if (c->maker) /* hidden, or in flight between two processes */
        return worse(one_process(q, c->maker, early), QPW_OWNER_UNSURE);
    if (!q->nfs)
        return QPW_OWNER_OTHER;
    return c->exact || q->protocol == IPPROTO_UDP ? QPW_OWNER_FITS : QPW_OWNER_UNSURE;
}

/* True for systemd holding the socket beside the service that it activates. */
static bool is_kept(const struct qpw_vouch_companion *c, size_t i)
{
    return c->holders[i].pid == 1 && c->n_holders > 1;
}

static enum qpw_owner_word of_holders(const struct qpw_vouch_question *q, bool *early)
{
    const struct qpw_vouch_companion *c = q->companion;
    enum qpw_owner_word word = QPW_OWNER_FITS, made = QPW_OWNER_OTHER, one;

    for (size_t i = 0; i < c->n_holders; i++) {
        if (is_kept(c, i))
            continue;
        word = worse(word, one_process(q, &c->holders[i], early));
        one = as_made(q, &c->holders[i]);
        made = one == QPW_OWNER_FITS || made == QPW_OWNER_OTHER ? one : made;
    }
    if (c->made && !c->made->exe[0] && made != QPW_OWNER_FITS)
        made = QPW_OWNER_FITS; /* not recorded, but all holders are known */
    return worse(word, made);
}

enum qpw_owner_word qpw_vouch_judge(const struct qpw_vouch_question *q, bool *ret_early)
{
    const struct qpw_vouch_companion *c = q->companion;
    enum qpw_owner_word word = QPW_OWNER_FITS, maker;
    bool early = false;

    if (ret_early)
        *ret_early = false;
    if (q->foreign)
        return QPW_OWNER_OTHER;
    if (c->open && c->all && !c->n_holders) {
        word = of_kernel(q, &early);
    } else if (!c->maker && !c->exact) {
        return QPW_OWNER_UNSURE; /* the holder of the bound port may be in another namespace than the sender */
    } else if (c->n_holders) {
        word = of_holders(q, &early);
    }
    if (!c->all || !c->n_holders) {
        if (c->open && c->all)
            maker = word; /* the kernel's */
        else if (!c->maker)
            maker = QPW_OWNER_UNSURE;
        else
            maker = worse(one_process(q, c->maker, &early), as_made(q, c->maker));
        word = worse(word, maker);
    }
    if (ret_early)
        *ret_early = early && word == QPW_OWNER_OTHER;
    return word;
}

bool qpw_vouch_asks_rpcbind(const struct qpw_vouch_question *q)
{
    const struct qpw_vouch_companion *c = q->companion;

    if (!q->registers || q->foreign)
        return false;
    for (size_t i = 0; i < c->n_holders; i++)
        if (may_register(q, &c->holders[i]))
            return true;
    return c->maker && (c->hands_over || may_register(q, c->maker));
}

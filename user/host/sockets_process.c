/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/process.h"
#include "host/sockets_diag.h"
#include "host/sockets_index.h"

#define INDEX_AGE_NS 1000000000ull
#define INDEX_EXPENSIVE_NS 50000000ull
#define INDEX_SHARE 20             /* readings may take a twentieth of the time, */
#define INDEX_CREDIT_NS 250000000ll /* and after a rest this much CPU time at once */

/* Return the CPU time that readings may use now; may be negative. */
static int64_t credit_now(const struct qpw_process_index *index, uint64_t now)
{
    int64_t credit = index->ended_ns ? index->credit_ns + (int64_t)((now - index->ended_ns) / INDEX_SHARE) : INDEX_CREDIT_NS;

    return credit > INDEX_CREDIT_NS ? INDEX_CREDIT_NS : credit;
}

int qpw_process_holder(struct qpw_sockets *s, uint32_t inode, uint64_t asked_ns, bool sparing)
{
    struct qpw_process_index *index = s->index;
    uint64_t now = qpw_clock_monotonic_ns();
    int64_t credit;
    bool young, dear;
    int pid = 0;

    if (!index) {
        index = s->index = calloc(1, sizeof(*index));
        if (!index)
            return -1;
    }
    credit = credit_now(index, now);
    young = index->ended_ns && now - index->ended_ns < INDEX_AGE_NS;
    dear = index->taken_ns > INDEX_EXPENSIVE_NS;
    if (young || (index->ended_ns && credit <= 0))
        pid = qpw_index_search(index, inode);
    if (!pid && credit > 0 && !(sparing && young && dear)) {
        qpw_index_read(index);
        index->credit_ns = credit - (int64_t)index->taken_ns;
        pid = qpw_index_search(index, inode);
    }
    if (pid)
        return pid;
    return index->complete && index->started_ns >= asked_ns ? 0 : -1;
}

/* ---- The process of an exchange ---- */

/* Find the listener of a connection without a file (not accepted yet, or being closed). */
static bool find_listener(struct qpw_sockets *s, const struct qpw_conn_key *key, struct qpw_diag_socket *ret)
{
    struct qpw_conn_key bound = *key;

    memset(bound.remote, 0, sizeof(bound.remote));
    bound.remote_port = 0;
    return qpw_diag_find(s, &bound, ret) == 0 && ret->inode;
}

/*
 * Search the listener's process and its descendants for the holder of an accepted connection. That costs a hundredth of
 * a full reading, so that even a session of a few milliseconds can be caught. Fills s->family. Returns the pid; 0: not
 * found.
 */
static int look_into_family(struct qpw_sockets *s, const struct qpw_conn_key *key, uint32_t inode)
{
    struct qpw_process_index *index = s->index;
    uint64_t now = qpw_clock_monotonic_ns();
    struct qpw_diag_socket listener;
    int server;

    if (!index || credit_now(index, now) <= 0 || (now - index->ended_ns < INDEX_AGE_NS && qpw_index_search(index, inode)) ||
        !find_listener(s, key, &listener))
        return 0;
    server = qpw_index_search(index, listener.inode);
    if (server <= 1) /* held by systemd, whose descendants are all processes */
        return 0;
    if (!s->family)
        s->family = calloc(1, sizeof(*s->family));
    if (!s->family)
        return 0;
    qpw_index_read_family(s->family, server);
    index->credit_ns -= (int64_t)s->family->taken_ns;
    return qpw_index_search(s->family, inode);
}

static bool is_live(uint8_t state)
{
    return state == QPW_TCP_ESTABLISHED || state == QPW_TCP_CLOSE_WAIT || state == QPW_TCP_SYN_RECV;
}

int qpw_sockets_process(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                        struct qpw_process *ret)
{
    struct qpw_process p = {.match = QPW_MATCH_NONE};
    struct qpw_diag_socket socket, again;
    uint64_t asked_ns = qpw_clock_monotonic_ns();
    bool exact, inbound;
    int r, pid;

    *ret = p;
    if ((key->protocol != IPPROTO_TCP && key->protocol != IPPROTO_UDP) || !key->local_port)
        return 0;
    ret->match = QPW_MATCH_GONE;
    r = qpw_diag_find(s, key, &socket);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    exact = qpw_diag_is_exact(key, &socket);
    inbound = direction != QPW_DIR_OUTBOUND;
    if (!exact && !inbound && key->protocol == IPPROTO_TCP)
        return 0; /* a mere listener on the port that the closed connection was opened from */
    pid = socket.inode && exact && inbound ? look_into_family(s, key, socket.inode) : 0;
    if (!pid && socket.inode)
        pid = qpw_process_holder(s, socket.inode, asked_ns, exact && inbound);
    if (pid <= 0 && exact && inbound && find_listener(s, key, &again)) {
        /* Not accepted yet, closed meanwhile, or no budget to re-read /proc: fall back to the listener. */
        socket = again;
        pid = qpw_process_holder(s, socket.inode, asked_ns, /* sparing= */ false);
        exact = false;
    }
    if (pid > 0) {
        p.match = exact ? QPW_MATCH_EXACT : QPW_MATCH_LISTENER;
        if (qpw_process_describe(pid, &p))
            *ret = p;
        return 0;
    }
    if (pid < 0) {
        ret->match = QPW_MATCH_NONE;
        ret->why = qpw_proc_is_whole() ? NULL : "no right to look into every process";
        return 0;
    }
    /* Held by no process. If the socket still exists, the kernel itself holds it. */
    if (!socket.inode)
        ret->match = is_live(socket.state) ? QPW_MATCH_KERNEL : QPW_MATCH_GONE;
    else if (qpw_diag_find(s, key, &again) == 0 && (again.inode == socket.inode || !exact)) {
        ret->match = QPW_MATCH_KERNEL;
        ret->uid = socket.uid;
    }
    return 0;
}

/* ---- All holders ---- */

static void add_holders(const struct qpw_process_index *index, uint32_t inode, struct qpw_socket_holders *ret)
{
    ret->all = index->complete;
    for (size_t i = qpw_index_find(index, inode); i < index->count && index->owners[i].inode == inode; i++) {
        if (ret->n && ret->pid[ret->n - 1] == index->owners[i].pid)
            continue;
        if (ret->n == QPW_SOCKET_HOLDERS) {
            ret->all = false;
            break;
        }
        ret->pid[ret->n++] = index->owners[i].pid;
    }
}

static void fill_holders(struct qpw_sockets *s, uint32_t inode, uint64_t asked_ns, bool sparing,
                         struct qpw_socket_holders *ret)
{
    if (qpw_process_holder(s, inode, asked_ns, sparing) >= 0)
        add_holders(s->index, inode, ret);
}

int qpw_sockets_holders(struct qpw_sockets *s, const struct qpw_conn_key *key, enum qpw_direction direction,
                        bool sparing, struct qpw_socket_holders *ret)
{
    uint64_t asked_ns = qpw_clock_monotonic_ns();
    struct qpw_diag_socket socket, listener;
    int r;

    *ret = (struct qpw_socket_holders){0};
    if ((key->protocol != IPPROTO_TCP && key->protocol != IPPROTO_UDP) || !key->local_port)
        return 0;
    r = qpw_diag_find(s, key, &socket);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    ret->exact = qpw_diag_is_exact(key, &socket);
    if (!ret->exact && direction == QPW_DIR_OUTBOUND && key->protocol == IPPROTO_TCP)
        return 0; /* a mere listener on the port that the closed connection was opened from */
    ret->open = true;
    if (sparing && ret->exact && socket.inode && direction != QPW_DIR_OUTBOUND && look_into_family(s, key, socket.inode))
        add_holders(s->family, socket.inode, ret);
    else if (socket.inode)
        fill_holders(s, socket.inode, asked_ns, sparing, ret);
    if (!ret->n && ret->exact && direction != QPW_DIR_OUTBOUND && find_listener(s, key, &listener)) {
        ret->listener = true; /* not accepted yet, or closed meanwhile */
        fill_holders(s, listener.inode, asked_ns, sparing, ret);
    } else if (!ret->n && !socket.inode) {
        ret->all = is_live(socket.state);
        ret->open = ret->all;
    }
    if (!ret->n && ret->all) /* otherwise it was closed while /proc was read */
        ret->open = qpw_diag_find(s, key, &listener) == 0 && (listener.inode == socket.inode || !ret->exact);
    return 0;
}

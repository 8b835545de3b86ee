/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/listeners.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/sockets_diag.h"
#include "util/array.h"

struct reading {
    struct qpw_diag_socket *sockets;
    size_t n;
};

static int take(void *data, const struct qpw_diag_socket *socket)
{
    struct qpw_diag_socket *slot;
    struct reading *r = data;

    if (!socket->key.local_port)
        return 0; /* not bound yet */
    slot = QPW_ADD(r->sockets, r->n);
    if (!slot)
        return -ENOMEM;
    *slot = *socket;
    r->n++;
    return 0;
}

static int read_all(struct qpw_sockets *s, struct reading *r)
{
    const struct {
        uint8_t protocol;
        uint32_t states;
        bool there;
    } wanted[] = {
        {IPPROTO_TCP, 1u << QPW_TCP_LISTEN, true},
        {IPPROTO_UDP, 1u << QPW_TCP_CLOSE, true},
        {IPPROTO_SCTP, 1u << QPW_TCP_LISTEN, access("/proc/net/sctp/eps", F_OK) == 0},
    };
    static const uint8_t families[] = {AF_INET, AF_INET6};
    int error;

    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        for (size_t f = 0; wanted[i].there && f < sizeof(families); f++) {
            error = qpw_diag_dump(s, wanted[i].protocol, families[f], wanted[i].states, take, r);
            if (error < 0 && error != -ENOENT)
                return error;
        }
    return 0;
}

/* Read the kernel's range of automatically assigned ports (ip(7)). */
static void ephemeral_range(unsigned *ret_first, unsigned *ret_last)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

    if (!file || fscanf(file, "%u %u", ret_first, ret_last) != 2) {
        *ret_first = 32768; /* the default */
        *ret_last = 60999;
    }
    if (file)
        fclose(file);
}

/* Return whether a file of lines like "tcp 2049" lists the port (nfsdctl(7): /proc/fs/nfsd/portlist). */
static bool in_port_list(const char *path, const char *protocol, uint16_t port)
{
    FILE *file = fopen(path, "re");
    char word[16];
    unsigned number;
    bool found = false;

    while (file && !found && fscanf(file, "%15s %u", word, &number) == 2)
        found = number == port && !strcmp(word, protocol);
    if (file)
        fclose(file);
    return found;
}

/* Return whether the file contains just that number (lockd's ports, if they are fixed). */
static bool is_number(const char *path, uint16_t port)
{
    FILE *file = fopen(path, "re");
    unsigned number = 0;
    bool found = file && fscanf(file, "%u", &number) == 1 && number == port;

    if (file)
        fclose(file);
    return found;
}

/* Name the kernel's own service on the port; empty if unknown. */
static void kernel_service(uint8_t protocol, uint16_t port, char *buf, size_t size)
{
    static const struct {
        uint16_t port;
        const char *name;
    } tunnels[] = {{4789, "vxlan"}, {8472, "vxlan"}, {6081, "geneve"}, {2152, "gtp"}}; /* conventional UDP ports */
    const char *udp = protocol == IPPROTO_UDP ? "udp" : "tcp", *name = "";

    for (size_t i = 0; protocol == IPPROTO_UDP && i < sizeof(tunnels) / sizeof(*tunnels); i++)
        if (tunnels[i].port == port)
            name = tunnels[i].name;
    if (in_port_list("/proc/fs/nfsd/portlist", udp, port))
        name = "nfsd";
    else if (is_number(protocol == IPPROTO_UDP ? "/proc/sys/fs/nfs/nlm_udpport" : "/proc/sys/fs/nfs/nlm_tcpport", port))
        name = "lockd";
    snprintf(buf, size, "%s", name);
}

/*
 * Find a socket's owner. last: the previous socket's owner, tried first because it often holds the next one too; NULL:
 * none.
 */
static void find_owner(struct qpw_sockets *s, const struct qpw_diag_socket *socket, uint64_t read_ns,
                       const struct qpw_process *last, struct qpw_process *ret)
{
    int pid = socket->inode ? qpw_process_holder(s, socket->inode, read_ns, /* sparing= */ false) : 0;

    if (pid > 0 && last && last->pid == pid)
        *ret = *last;
    else if (pid > 0)
        ret->match = qpw_process_describe(pid, ret) ? QPW_MATCH_EXACT : QPW_MATCH_GONE;
    else if (pid == 0) {
        ret->match = QPW_MATCH_KERNEL;
        kernel_service(socket->key.protocol, socket->key.local_port, ret->name, sizeof(ret->name));
    } else
        ret->match = QPW_MATCH_NONE;
    if (pid <= 0) {
        ret->uid = socket->uid;
        qpw_user_name(socket->uid, ret->user, sizeof(ret->user));
    }
}

static void fill(struct qpw_listener *l, const struct qpw_diag_socket *socket)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): l is an allocated row */
    memcpy(l->address, socket->key.local, 16);
    l->port = socket->key.local_port;
    l->protocol = socket->key.protocol;
    l->v6 = socket->v6 && !IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)l->address);
    l->v4 = !l->v6 || (!socket->v6_only && IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)l->address));
    l->ifindex = socket->ifindex;
    if (socket->ifindex && !if_indextoname(socket->ifindex, l->device))
        snprintf(l->device, sizeof(l->device), "#%u", socket->ifindex);
}

static int by_service(const void *a, const void *b)
{
    const struct qpw_listener *x = a, *y = b;
    int order;

    if (x->protocol != y->protocol)
        return x->protocol < y->protocol ? -1 : 1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    order = memcmp(x->address, y->address, 16);
    if (!order)
        order = (int)x->v4 - y->v4;
    if (!order)
        order = strcmp(x->device, y->device);
    return order ? order : (x->owner.pid > y->owner.pid) - (x->owner.pid < y->owner.pid);
}

static void drop_repeated(struct qpw_listeners *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->n; i++)
        if (!kept || by_service(&l->rows[kept - 1], &l->rows[i]))
            l->rows[kept++] = l->rows[i];
    l->n = kept;
}

int qpw_listeners_read(struct qpw_sockets *s, struct qpw_listeners *ret, struct qpw_error *err)
{
    struct reading reading = {0};
    struct qpw_listeners l = {0};
    uint64_t read_ns;
    unsigned first, last;
    int r = read_all(s, &reading);

    read_ns = qpw_clock_monotonic_ns();
    if (r == 0 && reading.n && !(l.rows = calloc(reading.n, sizeof(*l.rows))))
        r = -ENOMEM;
    if (r < 0) {
        free(reading.sockets);
        return qpw_fail(err, r, "cannot read the sockets that listen: %s", strerror(-r));
    }
    ephemeral_range(&first, &last);
    for (size_t i = 0; i < reading.n; i++) {
        struct qpw_listener *row = &l.rows[l.n++];

        fill(row, &reading.sockets[i]);
        row->ephemeral = row->protocol == IPPROTO_UDP && row->port >= first && row->port <= last;
        find_owner(s, &reading.sockets[i], read_ns, i ? &row[-1].owner : NULL, &row->owner);
    }
    free(reading.sockets);
    if (l.n)
        qsort(l.rows, l.n, sizeof(*l.rows), by_service);
    drop_repeated(&l);
    *ret = l;
    return 0;
}

void qpw_listeners_clear(struct qpw_listeners *l)
{
    free(l->rows);
    *l = (struct qpw_listeners){0};
}

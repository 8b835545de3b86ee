/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sockets_diag.c - query the kernel's socket table over netlink: one tuple, or all sockets of a protocol and family. */
#include "host/sockets_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "host/clock.h"

#define DEVICES_AGE_NS 1000000000ull

/* Convert an inet_diag address to 16 bytes; a wildcard address of either family becomes zero. */
static void get_address(const struct inet_diag_msg *m, const __be32 from[4], uint8_t to[16])
{
    memset(to, 0, 16);
    if (m->idiag_family != AF_INET) {
        memcpy(to, from, 16);
    } else if (from[0]) {
        to[10] = to[11] = 0xff;
        memcpy(to + 12, from, 4);
    }
}

static void set_address(uint8_t family, const uint8_t from[16], __be32 to[4])
{
    if (family == AF_INET)
        memcpy(to, from + 12, 4);
    else
        memcpy(to, from, 16);
}

/*
 * Compute who opened the connection. bytes_acked includes the SYN only on the end that called connect(2), because the
 * accepting end's SYN is acknowledged while it is still a request socket.
 */
static void get_opener(const struct nlattr *attr, uint32_t wqueue, struct qpw_diag_socket *socket)
{
    struct tcp_info info = {0};
    size_t length = mnl_attr_get_payload_len(attr);

    if (length < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof(info.tcpi_bytes_retrans))
        return; /* kernels before 4.19 do not count retransmitted bytes */
    memcpy(&info, mnl_attr_get_payload(attr), length < sizeof(info) ? length : sizeof(info));
    socket->opener = (int64_t)(info.tcpi_bytes_sent - info.tcpi_bytes_retrans - info.tcpi_bytes_acked) -
                     ((int64_t)wqueue - info.tcpi_notsent_bytes);
    socket->sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
    socket->received = info.tcpi_bytes_received;
    socket->has_opener = true;
}

static bool read_socket(const struct nlmsghdr *message, uint8_t protocol, struct qpw_diag_socket *ret)
{
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(message);
    const struct nlattr *attr;

    if (message->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*m))
        return false;
    memset(ret, 0, sizeof(*ret));
    get_address(m, m->id.idiag_src, ret->key.local);
    get_address(m, m->id.idiag_dst, ret->key.remote);
    ret->key.local_port = ntohs(m->id.idiag_sport);
    ret->key.remote_port = ntohs(m->id.idiag_dport);
    ret->key.protocol = protocol;
    ret->state = m->idiag_state;
    ret->uid = m->idiag_uid;
    ret->inode = m->idiag_inode;
    ret->cookie = m->id.idiag_cookie[0] | (uint64_t)m->id.idiag_cookie[1] << 32;
    ret->ifindex = m->id.idiag_if;
    ret->v6 = m->idiag_family == AF_INET6;
    mnl_attr_for_each(attr, message, sizeof(*m)) {
        if (mnl_attr_get_type(attr) == INET_DIAG_INFO && protocol == IPPROTO_TCP)
            get_opener(attr, m->idiag_wqueue, ret);
        else if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY && mnl_attr_get_payload_len(attr) >= 1)
            ret->v6_only = mnl_attr_get_u8(attr);
    }
    return true;
}

static struct inet_diag_req_v2 *put_request(struct qpw_sockets *s, struct nlmsghdr **ret, uint16_t flags)
{
    struct inet_diag_req_v2 *request;

    *ret = mnl_nlmsg_put_header(s->buffer);
    (*ret)->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    (*ret)->nlmsg_flags = NLM_F_REQUEST | flags;
    (*ret)->nlmsg_seq = ++s->sequence;
    request = mnl_nlmsg_put_extra_header(*ret, sizeof(*request));
    request->id.idiag_cookie[0] = request->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return request;
}

/* Send the request and pass the answer to `take`: one message, or all of a dump. Returns 0 or a negative errno. */
static int transact(struct qpw_sockets *s, const struct nlmsghdr *message, mnl_cb_t take, void *data)
{
    bool dump = message->nlmsg_flags & NLM_F_DUMP, stale;
    ssize_t received;
    int r;

    if (mnl_socket_sendto(s->socket, message, message->nlmsg_len) < 0)
        return -errno;
    do { /* reuses the request's buffer: `message` is invalid from here on */
        received = mnl_socket_recvfrom(s->socket, s->buffer, sizeof(s->buffer));
        if (received < 0)
            return -errno;
        r = mnl_cb_run(s->buffer, received, s->sequence, mnl_socket_get_portid(s->socket), take, data);
        stale = r < 0 && errno == EPROTO; /* rest of an earlier answer */
    } while (stale || (dump && r > 0));
    return r < 0 ? -errno : 0;
}

/* ---- One tuple ---- */

struct answer {
    struct qpw_diag_socket socket;
    uint8_t protocol;
    bool found;
};

static int take_answer(const struct nlmsghdr *message, void *data)
{
    struct answer *answer = data;

    answer->found |= read_socket(message, answer->protocol, &answer->socket);
    return MNL_CB_OK;
}

/* Look up the socket that would receive a packet of this tuple arriving by `device` (0: none). */
static int ask(struct qpw_sockets *s, const struct qpw_conn_key *key, unsigned device, struct qpw_diag_socket *ret)
{
    bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->local);
    bool swapped = key->protocol == IPPROTO_UDP;
    struct answer answer = {.protocol = key->protocol};
    struct inet_diag_req_v2 *request;
    struct nlmsghdr *message;
    int r;

    /* For UDP the kernel expects the packet's source and destination, for TCP the socket's. */
    request = put_request(s, &message, 0);
    request->sdiag_family = v4 ? AF_INET : AF_INET6;
    request->sdiag_protocol = key->protocol;
    request->idiag_ext = 1 << (INET_DIAG_INFO - 1);
    request->idiag_states = ~0u;
    request->id.idiag_if = device;
    set_address(request->sdiag_family, swapped ? key->remote : key->local, request->id.idiag_src);
    set_address(request->sdiag_family, swapped ? key->local : key->remote, request->id.idiag_dst);
    request->id.idiag_sport = htons(swapped ? key->remote_port : key->local_port);
    request->id.idiag_dport = htons(swapped ? key->local_port : key->remote_port);
    r = transact(s, message, take_answer, &answer);
    if (r < 0)
        return r;
    if (!answer.found)
        return -ENOENT;
    *ret = answer.socket;
    return 0;
}

static void read_devices(struct qpw_sockets *s)
{
    struct if_nameindex *all;
    uint64_t now = qpw_clock_monotonic_ns();

    if (s->devices_ns && now - s->devices_ns < DEVICES_AGE_NS)
        return;
    all = if_nameindex();
    s->n_devices = 0;
    for (size_t i = 0; all && all[i].if_index && s->n_devices < QPW_DIAG_DEVICES; i++)
        s->devices[s->n_devices++] = all[i].if_index;
    if_freenameindex(all);
    s->devices_ns = now;
}

bool qpw_diag_is_exact(const struct qpw_conn_key *key, const struct qpw_diag_socket *socket)
{
    return socket->key.remote_port == key->remote_port && !memcmp(socket->key.remote, key->remote, 16);
}

int qpw_diag_find(struct qpw_sockets *s, const struct qpw_conn_key *key, struct qpw_diag_socket *ret)
{
    const struct qpw_diag_socket *known = qpw_diag_in_snapshot(s, key);
    struct qpw_diag_socket socket, best;
    bool found = false;
    int r;

    if (known) {
        *ret = *known;
        return 0;
    }
    r = ask(s, key, 0, &socket);
    if (r == 0 && qpw_diag_is_exact(key, &socket)) {
        *ret = socket;
        return 0;
    }
    if (r == 0) {
        best = socket;
        found = true;
    } else if (r != -ENOENT) {
        return r;
    }
    /* A socket bound to a device is found only by a look-up for that device. */
    read_devices(s);
    for (size_t i = 0; i < s->n_devices && (!s->n_snapshot || qpw_diag_in_snapshot_on_device(s, key)); i++) {
        if (ask(s, key, s->devices[i], &socket) < 0)
            continue;
        if (qpw_diag_is_exact(key, &socket)) {
            *ret = socket;
            return 0;
        }
        if (!found)
            best = socket;
        found = true;
    }
    if (!found)
        return -ENOENT;
    *ret = best;
    return 0;
}

/* ---- All sockets ---- */

struct dump {
    qpw_diag_fn fn;
    void *arg;
    uint8_t protocol;
    int error;
};

static int take_dumped(const struct nlmsghdr *message, void *data)
{
    struct dump *dump = data;
    struct qpw_diag_socket socket;

    if (read_socket(message, dump->protocol, &socket))
        dump->error = dump->fn(dump->arg, &socket);
    return dump->error ? MNL_CB_ERROR : MNL_CB_OK;
}

int qpw_diag_dump(struct qpw_sockets *s, uint8_t protocol, uint8_t family, uint32_t states, qpw_diag_fn fn, void *arg)
{
    struct dump dump = {.fn = fn, .arg = arg, .protocol = protocol};
    struct inet_diag_req_v2 *request;
    struct nlmsghdr *message;
    int r;

    request = put_request(s, &message, NLM_F_DUMP);
    request->sdiag_family = family;
    request->sdiag_protocol = protocol;
    request->idiag_ext = 1 << (INET_DIAG_INFO - 1);
    request->idiag_states = states;
    r = transact(s, message, take_dumped, &dump);
    return dump.error ? dump.error : r;
}

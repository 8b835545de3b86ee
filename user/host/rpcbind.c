/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/rpcbind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/clock.h"

#define PORT 111
#define PROGRAM 100000u
#define VERSION 4u
#define DUMP 4u
#define XID 0x71705731u
#define ANSWER_BYTES (256u * 1024) /* about 3,000 registrations */
#define MAX_ROWS 4096u
#define LAST_FRAGMENT 0x80000000u

/* ---- The answer ---- */

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static uint32_t word(struct reader *r)
{
    uint32_t value;

    if (r->left < 4) {
        r->bad = true;
        return 0;
    }
    memcpy(&value, r->at, 4);
    r->at += 4;
    r->left -= 4;
    return ntohl(value);
}

/* Read a string or opaque bytes, truncated to size. */
static void text(struct reader *r, char *buf, size_t size)
{
    uint32_t length = word(r);
    size_t padded = ((size_t)length + 3) & ~(size_t)3;

    buf[0] = '\0';
    if (r->bad || padded > r->left) {
        r->bad = true;
        return;
    }
    if (length >= size) /* longer than any network id or address */
        length = 0;
    memcpy(buf, r->at, length);
    buf[length] = '\0';
    r->at += padded;
    r->left -= padded;
}

/* Extract the port of a universal address, "10.0.0.1.8.1": its last two bytes. 0: none. */
static uint16_t port_of(const char *address)
{
    const char *low = strrchr(address, '.'), *high = low;
    unsigned long port;

    while (high && high > address && high[-1] != '.')
        high--;
    if (!low || high == address)
        return 0;
    port = strtoul(high, NULL, 10) << 8 | (strtoul(low + 1, NULL, 10) & 0xff);
    return port > 65535 ? 0 : (uint16_t)port;
}

static uint8_t protocol_of(const char *netid)
{
    if (!strcmp(netid, "tcp") || !strcmp(netid, "tcp6"))
        return IPPROTO_TCP;
    return !strcmp(netid, "udp") || !strcmp(netid, "udp6") ? IPPROTO_UDP : 0;
}

static void read_row(struct reader *r, struct qpw_rpcbind *ret)
{
    struct qpw_rpc_registration row = {.program = word(r)};
    char netid[16], address[64], owner[64];

    word(r); /* version */
    text(r, netid, sizeof(netid));
    text(r, address, sizeof(address));
    text(r, owner, sizeof(owner));
    row.protocol = protocol_of(netid);
    row.port = port_of(address);
    if (!r->bad && row.protocol && row.port)
        ret->rows[ret->n++] = row;
}

int qpw_rpcbind_parse(const uint8_t *answer, size_t length, struct qpw_rpcbind *ret)
{
    struct reader r = {.at = answer, .left = length};
    struct qpw_rpcbind all = {.rows = calloc(MAX_ROWS, sizeof(*all.rows))};
    char verifier[512];
    bool good;

    if (!all.rows)
        return -ENOMEM;
    good = word(&r) == XID;
    good = word(&r) == 1 && good; /* REPLY */
    good = word(&r) == 0 && good; /* MSG_ACCEPTED */
    word(&r);
    text(&r, verifier, sizeof(verifier));
    good = word(&r) == 0 && good; /* SUCCESS */
    while (good && !r.bad && all.n < MAX_ROWS && word(&r) == 1)
        read_row(&r, &all);
    if (!good || r.bad) {
        qpw_rpcbind_clear(&all);
        return -EBADMSG;
    }
    *ret = all;
    return 0;
}

void qpw_rpcbind_clear(struct qpw_rpcbind *r)
{
    free(r->rows);
    *r = (struct qpw_rpcbind){0};
}

/* ---- Query ---- */

static int await(int fd, short events, uint64_t until_ns)
{
    struct pollfd p = {.fd = fd, .events = events};
    uint64_t now = qpw_clock_monotonic_ns();
    int r = now >= until_ns ? 0 : poll(&p, 1, (int)((until_ns - now) / 1000000u) + 1);

    return r < 0 ? -errno : r ? 0 : -ETIMEDOUT;
}

static int receive(int fd, uint8_t *buf, size_t size, uint64_t until_ns)
{
    size_t used = 0;
    ssize_t n;
    int r;

    while (used < size) {
        r = await(fd, POLLIN, until_ns);
        if (r < 0)
            return r;
        n = recv(fd, buf + used, size - used, 0);
        if (n == 0)
            return -ECONNRESET;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        used += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Receive all fragments of one record (RFC 5531, section 11). Returns its length in buf, or a negative errno. */
static ssize_t receive_record(int fd, uint8_t *buf, size_t size, uint64_t until_ns)
{
    uint32_t mark = 0;
    size_t used = 0;
    int r;

    while (!(mark & LAST_FRAGMENT)) {
        r = receive(fd, (uint8_t *)&mark, sizeof(mark), until_ns);
        if (r < 0)
            return r;
        mark = ntohl(mark);
        if ((mark & ~LAST_FRAGMENT) > size - used)
            return -EMSGSIZE;
        r = receive(fd, buf + used, mark & ~LAST_FRAGMENT, until_ns);
        if (r < 0)
            return r;
        used += mark & ~LAST_FRAGMENT;
    }
    return (ssize_t)used;
}

static int ask(int fd, uint64_t until_ns)
{
    /* Call, RPC version 2, no credentials, no verifier. */
    const uint32_t words[] = {LAST_FRAGMENT | 40, XID, 0, 2, PROGRAM, VERSION, DUMP, 0, 0, 0, 0};
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint32_t message[sizeof(words) / sizeof(*words)];
    int r, error = 0;
    socklen_t size = sizeof(error);

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        message[i] = htonl(words[i]);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
        return -errno;
    r = await(fd, POLLOUT, until_ns);
    if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
        r = -error;
    if (r == 0 && send(fd, message, sizeof(message), MSG_NOSIGNAL) != (ssize_t)sizeof(message))
        r = -errno;
    return r;
}

int qpw_rpcbind_read(unsigned milliseconds, struct qpw_rpcbind *ret)
{
    uint64_t until_ns = qpw_clock_monotonic_ns() + milliseconds * 1000000ull;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), r;
    uint8_t *buf = malloc(ANSWER_BYTES);
    ssize_t length = 0;

    r = fd < 0 ? -errno : buf ? ask(fd, until_ns) : -ENOMEM;
    if (r == 0)
        length = receive_record(fd, buf, ANSWER_BYTES, until_ns);
    if (length < 0)
        r = (int)length;
    if (r == 0)
        r = qpw_rpcbind_parse(buf, (size_t)length, ret);
    if (fd >= 0)
        close(fd);
    free(buf);
    return r;
}

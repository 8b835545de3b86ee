/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymous/anonymous.h"

#define KEY_LEAST 16
#define KEY_MOST 4096
#define KEY_DRAWN 32

struct qpw_anonymous {
    struct hmac_sha256_ctx key; /* copied for each digest */
};

static void digest_of(const struct qpw_anonymous *a, const char *kind, const void *data, size_t size, uint8_t ret[SHA256_DIGEST_SIZE])
{
    struct hmac_sha256_ctx ctx = a->key;

    hmac_sha256_update(&ctx, strlen(kind) + 1, (const uint8_t *)kind);
    hmac_sha256_update(&ctx, size, data);
    hmac_sha256_digest(&ctx, SHA256_DIGEST_SIZE, ret);
}

/* ---- The key ---- */

static int make_key(const char *path, uint8_t *key, struct qpw_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && getrandom(key, KEY_DRAWN, 0) == KEY_DRAWN && write(fd, key, KEY_DRAWN) == KEY_DRAWN && fsync(fd) == 0;
    int error = errno;

    if (fd >= 0)
        close(fd);
    if (good)
        return KEY_DRAWN;
    if (fd >= 0)
        unlink(path);
    return qpw_fail(err, error ? -error : -EIO, "%s: cannot make the key: %s", path, strerror(error ? error : EIO));
}

static int read_key(const char *path, uint8_t *key, struct qpw_error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), r;
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? -ENOENT : qpw_fail(err, -errno, "%s: cannot be read: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        r = qpw_fail(err, -EINVAL, "%s: not a regular file", path);
    else if (st.st_mode & 077)
        r = qpw_fail(err, -EPERM, "%s: others can read the key, and with it undo what it hides; chmod 600 it, or name another", path);
    else if ((n = read(fd, key, KEY_MOST)) < KEY_LEAST)
        r = qpw_fail(err, -EINVAL, "%s: a key has %d bytes at least", path, KEY_LEAST);
    else
        r = (int)n;
    close(fd);
    return r;
}

int qpw_anonymous_open(const char *path, struct qpw_anonymous **ret, bool *ret_made, struct qpw_error *err)
{
    struct qpw_anonymous *a = malloc(sizeof(*a));
    uint8_t key[KEY_MOST];
    int n = a ? read_key(path, key, err) : qpw_fail(err, -ENOMEM, "out of memory");

    *ret_made = n == -ENOENT;
    if (n == -ENOENT)
        n = make_key(path, key, err);
    if (n < 0) {
        free(a);
        return n;
    }
    hmac_sha256_set_key(&a->key, (size_t)n, key);
    explicit_bzero(key, sizeof(key));
    *ret = a;
    return 0;
}

void qpw_anonymous_close(struct qpw_anonymous *a)
{
    if (a)
        explicit_bzero(a, sizeof(*a));
    free(a);
}

/*
 * ---- Addresses: a digest of the preceding bits decides whether to flip a bit, so that shared prefixes stay shared
 * ----
 */


static void turn(const struct qpw_anonymous *a, const uint8_t in[16], unsigned from, uint8_t out[16])
{
    uint8_t digest[SHA256_DIGEST_SIZE], prefix[17];

    memcpy(out, in, 16);
    for (unsigned n = from; n < 128; n++) {
        memset(prefix, 0, sizeof(prefix));
        prefix[16] = (uint8_t)n;
        memcpy(prefix, in, n / 8);
        prefix[n / 8] = n % 8 ? in[n / 8] & (uint8_t)(0xff00 >> n % 8) : prefix[n / 8];
        digest_of(a, "address", prefix, sizeof(prefix), digest);
        if ((digest[0] & 1) != 0)
            out[n / 8] ^= (uint8_t)(1 << (7 - n % 8));
    }
}

/*
 * Return the number of bits that determine the class, of IPv4 within ::ffff:0:0/96 or of IPv6; 128: keep all bits; 0:
 * public.
 */
static unsigned class_bits(const uint8_t addr[16])
{
    const struct in6_addr *v6 = (const struct in6_addr *)addr;
    const uint8_t *v4 = addr + 12;

    if (IN6_IS_ADDR_V4MAPPED(v6)) {
        static const struct { uint8_t first, second, mask; unsigned bits; } classes[] = {
            {10, 0, 0, 96 + 8}, {172, 16, 0xf0, 96 + 12}, {192, 168, 0xff, 96 + 16}, {169, 254, 0xff, 96 + 16}, {100, 64, 0xc0, 96 + 10}};

        if (v4[0] == 0 || v4[0] == 127 || v4[0] >= 224) /* this host, loopback, groups, reserved, broadcast */
            return 128;
        for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
            if (v4[0] == classes[i].first && (v4[1] & classes[i].mask) == classes[i].second)
                return classes[i].bits;
        return 0;
    }
    if (IN6_IS_ADDR_UNSPECIFIED(v6) || IN6_IS_ADDR_LOOPBACK(v6))
        return 128;
    if (IN6_IS_ADDR_MULTICAST(v6)) /* the last bytes of a solicited-node group are those of an address */
        return addr[11] == 1 && addr[12] == 0xff ? 104 : 128;
    if (IN6_IS_ADDR_LINKLOCAL(v6))
        return 64;
    return (addr[0] & 0xfe) == 0xfc ? 8 : 0;
}

void qpw_anonymous_address(const struct qpw_anonymous *a, const uint8_t in[16], uint8_t out[16])
{
    bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)in);
    unsigned bits = class_bits(in);
    uint8_t from[16], to[16];

    memcpy(from, in, sizeof(from));
    memcpy(to, in, sizeof(to));
    if (bits == 128) {
        memcpy(out, in, 16);
        return;
    }
    /* A public address may map into another class. Map it again until it does not: the mapping stays one to one. */
    for (;; memcpy(from, to, sizeof(from))) {
        turn(a, from, bits ? bits : v4 ? 96 : 3, to); /* keep IPv6's 2000::/3 */
        if (bits || !class_bits(to))
            break;
    }
    memcpy(out, to, 16);
}

void qpw_anonymous_mac(const struct qpw_anonymous *a, const uint8_t in[6], uint8_t out[6])
{
    static const uint8_t none[6];
    uint8_t digest[SHA256_DIGEST_SIZE];

    if (in[0] & 1 || !memcmp(in, none, 6)) { /* a group address or none: identifies nobody */
        memmove(out, in, 6);
        return;
    }
    digest_of(a, "mac", in, 6, digest);
    memcpy(out, digest, 6);
    out[0] = (uint8_t)((digest[0] & 0xfc) | 2);
}

void qpw_anonymous_end(const struct qpw_anonymous *a, unsigned kind, uint8_t end[16])
{
    if (kind == QPW_KIND_ETHERTYPE)
        qpw_anonymous_mac(a, end + 10, end + 10);
    else
        qpw_anonymous_address(a, end, end);
}

const char *qpw_anonymous_name(const struct qpw_anonymous *a, const char *kind, const char *name, char *buf, size_t size)
{
    uint8_t digest[SHA256_DIGEST_SIZE];

    if (!*name) {
        *buf = '\0';
        return buf;
    }
    digest_of(a, kind, name, strlen(name), digest);
    snprintf(buf, size, "%s-%02x%02x%02x%02x%02x", kind, digest[0], digest[1], digest[2], digest[3], digest[4]);
    return buf;
}

uint64_t qpw_anonymous_flow(const struct qpw_anonymous *a, uint64_t flow_id)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    uint64_t number = 0;
    char text[24];

    if (!flow_id)
        return 0;
    snprintf(text, sizeof(text), "%" PRIu64, flow_id);
    digest_of(a, "flow", text, strlen(text), digest);
    for (size_t i = 0; i < 7; i++)
        number = number << 8 | digest[i];
    number &= (1ull << 53) - 1;
    return number ? number : 1;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes processes that live as shortly as they can: each makes a socket, sends its first packet and ends. Every one has a
 * name of its own, told again by the port that it sends to.
 * usage: owners NUMBER ADDRESS4 ADDRESS6: so many of each kind (at most 1,000), one after another; each kind has a
 * thousand ports from 20000 on. The fifth is in a nested cgroup, CGROUP (environment), a folder that is there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct kind {
    const char *name;
    int family, type;
    int nested;
} kinds[] = {
    {"t4", AF_INET, SOCK_STREAM, 0}, {"t6", AF_INET6, SOCK_STREAM, 0}, {"u4", AF_INET, SOCK_DGRAM, 0},
    {"u6", AF_INET6, SOCK_DGRAM, 0}, {"c4", AF_INET, SOCK_DGRAM, 1},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static const char *addresses[2], *cgroup;

static socklen_t endpoint(const struct kind *k, unsigned port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

    memset(ret, 0, sizeof(*ret));
    ret->ss_family = k->family;
    if (k->family == AF_INET) {
        inet_pton(AF_INET, addresses[0], &v4->sin_addr);
        v4->sin_port = htons(port);
        return sizeof(*v4);
    }
    inet_pton(AF_INET6, addresses[1], &v6->sin6_addr);
    v6->sin6_port = htons(port);
    return sizeof(*v6);
}

static int join(void)
{
    char path[256];
    int fd, r;

    snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
    fd = open(path, O_WRONLY);
    r = fd < 0 || write(fd, "0", 1) != 1;
    close(fd);
    return r;
}

static void live(const struct kind *k, unsigned number)
{
    struct sockaddr_storage to;
    socklen_t size = endpoint(k, 20000 + 1000 * (unsigned)(k - kinds) + number, &to);
    char name[16];
    int fd;

    snprintf(name, sizeof(name), "%s-%u", k->name, number);
    prctl(PR_SET_NAME, name);
    if (k->nested && join())
        _exit(3);
    fd = socket(k->family, k->type | SOCK_NONBLOCK, 0);
    if (connect(fd, (struct sockaddr *)&to, size) < 0 && errno != EINPROGRESS)
        _exit(1);
    if (k->type == SOCK_DGRAM && send(fd, "x", 1, 0) != 1)
        _exit(2);
    _exit(0);
}

static unsigned long long now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    unsigned n = argc == 4 ? (unsigned)atoi(argv[1]) : 0, within = 0;
    unsigned long long start, longest = 0, lived;
    int status;

    if (!n || n > 1000)
        return 2;
    addresses[0] = argv[2];
    addresses[1] = argv[3];
    cgroup = getenv("CGROUP");
    for (unsigned i = 0; i < n * KINDS; i++) {
        start = now_us();
        pid_t pid = fork();

        if (pid == 0)
            live(&kinds[i % KINDS], (unsigned)(i / KINDS));
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
            return 1;
        lived = now_us() - start;
        within += lived < 5000;
        longest = lived > longest ? lived : longest;
    }
    printf("%u of %u processes ended within 5 ms, the longest took %llu us with fork and wait\n", within,
           n * (unsigned)KINDS, longest);
    return 0;
}

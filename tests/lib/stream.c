/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stream.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "traffic.h"

#define MOST 200000u
#define PAUSE_US 200
#define SHARED_BYTES 4096

static int run(void *argument)
{
    const struct stream *s = argument;
    struct sockaddr_storage to;
    socklen_t size = traffic_endpoint(s->to, s->port, &to);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    while (!s->shared[0] && s->shared[1] < MOST) { /* an ICMP error is reported once, and that datagram was not sent */
        if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, size) == 1)
            s->shared[1]++;
        usleep(PAUSE_US);
    }
    close(fd);
    return 0;
}

void stream_start(struct stream *s, const struct netns *from, const char *to, uint16_t port)
{
    *s = (struct stream){.to = to, .port = port};
    s->shared = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(s->shared, MAP_FAILED);
    s->pid = netns_fork(from, run, s);
}

int64_t stream_end(struct stream *s)
{
    int64_t sent;

    s->shared[0] = 1;
    cr_expect_eq(netns_wait(s->pid, NETNS_DEADLINE_MS), 0);
    sent = s->shared[1];
    munmap((void *)s->shared, SHARED_BYTES);
    return sent;
}

int64_t stream_counted(json_t *report, uint16_t port)
{
    json_t *meter, *meters = json_object_get(report, "meters");
    int64_t sum = 0;
    size_t i;

    json_array_foreach(meters, i, meter)
        if (json_integer_value(json_object_get(meter, "port")) == port && !strcmp(json_string_value(json_object_get(meter, "protocol")), "udp"))
            sum += json_integer_value(json_object_get(meter, "rx_packets"));
    return sum;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "collector.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void collector_open(struct collector *c, const char *path)
{
    struct sockaddr_un end = {.sun_family = AF_UNIX};

    *c = (struct collector){.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    snprintf(end.sun_path, sizeof(end.sun_path), "%s", path);
    cr_assert(c->fd >= 0 && bind(c->fd, (struct sockaddr *)&end, sizeof(end)) == 0, "%s: %s", path, strerror(errno));
}

void collector_close(struct collector *c)
{
    close(c->fd);
    c->fd = -1;
}

/* RFC 5424: "<priority>1 …". */
void collector_drain(struct collector *c)
{
    char message[16384];
    ssize_t n;

    while (!c->hangs && (n = recv(c->fd, message, sizeof(message) - 1, 0)) >= 0) {
        unsigned priority, version;

        message[n] = '\0';
        c->messages++;
        c->malformed += sscanf(message, "<%u>%u ", &priority, &version) != 2 || priority > 191 || version != 1;
    }
}

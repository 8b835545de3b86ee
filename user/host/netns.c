/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "util/array.h"

#define SEQUENCE 1

uint64_t qpw_netns_inode(void)
{
    struct stat st;
    uint64_t inode = 0;
    int socket_fd, fd = -1;

    if (stat("/proc/thread-self/ns/net", &st) == 0)
        return st.st_ino;
    socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* works without /proc; needs CAP_NET_ADMIN */
    if (socket_fd >= 0) {
        fd = ioctl(socket_fd, SIOCGSKNS);
        close(socket_fd);
    }
    if (fd >= 0) {
        inode = fstat(fd, &st) == 0 ? st.st_ino : 0;
        close(fd);
    }
    return inode;
}

static int on_answer(const struct nlmsghdr *message, void *data)
{
    const struct nlattr *attr;

    mnl_attr_for_each(attr, message, sizeof(struct rtgenmsg))
        if (mnl_attr_get_type(attr) == NETNSA_NSID)
            *(int *)data = (int)mnl_attr_get_u32(attr);
    return MNL_CB_STOP;
}

/* Return whether the descriptor's namespace has that id in ours. */
static bool has_number(struct mnl_socket *socket, int fd, int nsid)
{
    char buffer[8192];
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    ssize_t got = -1;
    int number = -1;

    request->nlmsg_type = RTM_GETNSID;
    request->nlmsg_flags = NLM_F_REQUEST;
    request->nlmsg_seq = SEQUENCE;
    mnl_nlmsg_put_extra_header(request, sizeof(struct rtgenmsg));
    mnl_attr_put_u32(request, NETNSA_FD, (uint32_t)fd);
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0)
        got = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
    if (got >= 0)
        mnl_cb_run(buffer, got, SEQUENCE, mnl_socket_get_portid(socket), on_answer, &number);
    return number == nsid;
}

static int look_in(const char *pattern, struct mnl_socket *socket, int nsid)
{
    glob_t found = {0};
    int ret = -ENOENT, fd;

    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; ret < 0 && i < found.gl_pathc; i++) {
            fd = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
            if (fd >= 0 && has_number(socket, fd, nsid))
                ret = fd;
            else if (fd >= 0)
                close(fd);
        }
    globfree(&found);
    return ret;
}

/* Names before processes, which may end meanwhile. */
static const char *const patterns[] = {"/run/netns/*", "/run/docker/netns/*", "/proc/[0-9]*/ns/net"};

int qpw_netns_open(int nsid, struct qpw_error *err)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    int ret = -ENOENT;

    if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
        ret = -errno;
    for (size_t i = 0; ret == -ENOENT && i < sizeof(patterns) / sizeof(*patterns); i++)
        ret = look_in(patterns[i], socket, nsid);
    if (socket)
        mnl_socket_close(socket);
    return ret >= 0 ? ret : qpw_fail(err, ret, "network namespace %d: %s", nsid,
                                     ret == -ENOENT ? "it has no name, and no process of it can be seen" : strerror(-ret));
}

/* ---- All namespaces ---- */

struct seen {
    ino_t *inode;
    size_t n;
};

/* Add the inode. True if it was new; false also without memory, so that no caller can loop for ever. */
static bool add_new(struct seen *seen, ino_t inode)
{
    ino_t *slot;

    for (size_t i = 0; i < seen->n; i++)
        if (seen->inode[i] == inode)
            return false;
    slot = QPW_ADD(seen->inode, seen->n);
    if (!slot)
        return false;
    *slot = inode;
    seen->n++;
    return true;
}

/* A file below /run/netns is an ordinary one until a namespace is mounted on it. */
static bool is_namespace(int fd)
{
    struct statfs fs;

    return fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}

static void visit_in(const char *pattern, struct seen *seen, void (*visit)(int fd, void *data), void *data)
{
    glob_t found = {0};
    struct stat st;
    int fd;

    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++) {
            if (stat(found.gl_pathv[i], &st) < 0 || !add_new(seen, st.st_ino))
                continue;
            fd = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
            if (fd >= 0 && is_namespace(fd))
                visit(fd, data);
            if (fd >= 0)
                close(fd);
        }
    globfree(&found);
}

void qpw_netns_each_other(void (*visit)(int fd, void *data), void *data)
{
    struct seen seen = {0};
    struct stat own;

    if (stat("/proc/thread-self/ns/net", &own) == 0)
        add_new(&seen, own.st_ino);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
        visit_in(patterns[i], &seen, visit, data);
    free(seen.inode);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* landlock.c - the Landlock half of confine.h, by raw system calls, because Debian 12's C library has no wrappers. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/confine.h"

/* The kernel's numbers, for headers that lack them. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#define FS_EXECUTE (1ull << 0)
#define FS_WRITE (1ull << 1 | 0x1ff0ull) /* writing; creating and removing of every kind */
#define FS_REFER (1ull << 13)            /* ABI 2 */
#define FS_TRUNCATE (1ull << 14)         /* ABI 3 */
#define FS_OF_FILES (FS_EXECUTE | 1ull << 1 | FS_TRUNCATE)
#define NET_BIND_TCP (1ull << 0)         /* ABI 4 */
#define NET_CONNECT_TCP (1ull << 1)

#define RULE_NET_PORT 2
#define RPCBIND 111

struct net_port {
    uint64_t allowed_access;
    uint64_t port;
};

struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4; earlier kernels take a shorter structure */
};

int qpw_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, (uint32_t)LANDLOCK_CREATE_RULESET_VERSION);

    return version < 0 ? 0 : (int)version;
}

static int add_path(int ruleset, const char *path, uint64_t access, uint64_t of_files)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    int r;

    if (rule.parent_fd < 0)
        return -errno;
    r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
    if (r == -EINVAL && access != (access & of_files)) { /* not a directory */
        rule.allowed_access = access & of_files;
        r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
    }
    close(rule.parent_fd);
    return r;
}

/* Add a rule for the path, or for its nearest existing parent; never for the root directory. */
static int add_folder(int ruleset, const char *path, uint64_t access)
{
    char at[PATH_MAX], *end;
    int r = -ENOENT;

    if (strlen(path) >= sizeof(at) || *path != '/')
        return -EINVAL;
    strcpy(at, path);
    while (r == -ENOENT && at[1]) {
        r = add_path(ruleset, at, access, FS_OF_FILES);
        end = strrchr(at, '/');
        end[end == at] = '\0';
    }
    return r;
}

/*
 * Return this program's dynamic loader, the only other file that it must execute, from the kernel's program headers.
 * NULL: statically linked.
 */
static const char *interpreter(void)
{
    const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR); /* NOLINT: the kernel passes an address */
    size_t n = getauxval(AT_PHNUM);
    uintptr_t base = 0;

    for (size_t i = 0; headers && i < n; i++)
        if (headers[i].p_type == PT_PHDR)
            base = (uintptr_t)headers - headers[i].p_vaddr;
    for (size_t i = 0; headers && i < n; i++)
        if (headers[i].p_type == PT_INTERP)
            return (const char *)(base + headers[i].p_vaddr); /* NOLINT */
    return NULL;
}

/* Allow connecting to rpcbind's port, because the node's RPC registrations are read over TCP (host/rpcbind.h). */
static int allow_rpcbind(int ruleset)
{
    const struct net_port rule = {.allowed_access = NET_CONNECT_TCP, .port = RPCBIND};

    return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0 ? -errno : 0;
}

static int fill(int ruleset, const char *const *folders, size_t n, uint64_t writing)
{
    const char *loader = interpreter();
    int r = add_path(ruleset, "/proc/self/exe", FS_EXECUTE, FS_EXECUTE);

    if (r == -ENOENT || r == -EACCES)
        r = 0; /* without /proc nothing can be executed through it */
    if (r == 0 && loader)
        r = add_path(ruleset, loader, FS_EXECUTE, FS_EXECUTE);
    if (folders && r == 0)
        add_path(ruleset, "/dev/null", writing & FS_OF_FILES, FS_OF_FILES);
    for (size_t i = 0; folders && r == 0 && i < n; i++)
        r = add_folder(ruleset, folders[i], writing);
    return r;
}

int qpw_confine_files(const char *const *folders, size_t n, enum qpw_tcp tcp)
{
    int version = qpw_landlock_version(), fd, r;
    uint64_t writing = FS_WRITE | (version >= 2 ? FS_REFER : 0) | (version >= 3 ? FS_TRUNCATE : 0);
    struct ruleset all = {.handled_access_fs = FS_EXECUTE | (folders ? writing : 0),
                          .handled_access_net = (tcp != QPW_TCP_ANY ? NET_BIND_TCP : 0) | (tcp == QPW_TCP_RPCBIND ? NET_CONNECT_TCP : 0)};

    if (!version)
        return 0;
    fd = (int)syscall(SYS_landlock_create_ruleset, &all, version >= 4 ? sizeof(all) : sizeof(all.handled_access_fs), 0u);
    if (fd < 0)
        return -errno;
    r = fill(fd, folders, n, writing);
    r = r || version < 4 || tcp != QPW_TCP_RPCBIND ? r : allow_rpcbind(fd);
    if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0u) < 0)
        r = -errno;
    close(fd);
    return r < 0 ? r : version;
}

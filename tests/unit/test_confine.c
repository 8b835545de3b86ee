/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the auditor and its helpers can still do once they are confined: tried in a child process. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/confine.h"

static char folder[64];

static void begin(void)
{
    strcpy(folder, "/tmp/qportwatch-confine.XXXXXX");
    cr_assert(mkdtemp(folder));
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(confine, .init = begin, .fini = end, .timeout = 60);

/* Run the function in a child. Returns the line number of the first failed check, 0 if all passed. */
static int in_child(int (*function)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(function());
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

#define EXPECT(number, condition) \
    do \
        if (!(condition)) \
            return number; \
    while (0)

static int fails_with(long result)
{
    return result < 0 ? errno : 0;
}

static int write_file(const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int execute(const char *path)
{
    char *const argv[] = {(char *)path, NULL}, *const none[] = {NULL};

    return fails_with(execve(path, argv, none));
}

static int files(void)
{
    char inside[80], beside[160], moved[160];
    const char *const folders[] = {inside};

    snprintf(inside, sizeof(inside), "%s/log", folder);
    EXPECT(1, qpw_confine_files(folders, 1, QPW_TCP_RPCBIND) == qpw_landlock_version());
    EXPECT(2, write_file("log/eve.json") == 0);
    snprintf(beside, sizeof(beside), "%s/eve.json", inside);
    snprintf(moved, sizeof(moved), "%s/eve.json.1", inside);
    EXPECT(3, rename(beside, moved) == 0 && write_file("log/eve.json") == 0); /* as a rotation does */
    EXPECT(4, write_file("other") == EACCES);
    EXPECT(5, write_file("old/file") == EACCES);
    snprintf(beside, sizeof(beside), "%s/old/file", folder);
    EXPECT(6, fails_with(unlink(beside)) == EACCES);
    EXPECT(7, fails_with(rename(moved, beside)) == EACCES || errno == EXDEV);
    EXPECT(8, open(beside, O_RDONLY) >= 0); /* reading is not restricted */
    EXPECT(9, open("/etc/passwd", O_RDONLY) >= 0);
    EXPECT(10, open("/dev/null", O_WRONLY) >= 0);
    EXPECT(11, execute("/bin/true") == EACCES);
    return 0;
}

static int network(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);

    EXPECT(1, qpw_confine_files(NULL, 0, QPW_TCP_RPCBIND) >= 4);
    EXPECT(2, fails_with(bind(fd, (struct sockaddr *)&any, sizeof(any))) == EACCES);
    any.sin_port = htons(9);
    EXPECT(3, fails_with(connect(fd, (struct sockaddr *)&any, sizeof(any))) == EACCES);
    any.sin_port = htons(111); /* rpcbind, if there is one */
    EXPECT(6, connect(fd, (struct sockaddr *)&any, sizeof(any)) == 0 || errno == ECONNREFUSED);
    EXPECT(4, connect(udp, (struct sockaddr *)&any, sizeof(any)) == 0); /* syslog */
    EXPECT(5, write_file("other") == 0);                               /* NULL: unchanged */
    return 0;
}

static int missing(void)
{
    char inside[80];
    const char *const folders[] = {inside};

    snprintf(inside, sizeof(inside), "%s/not/there", folder);
    EXPECT(1, qpw_confine_files(folders, 1, QPW_TCP_RPCBIND) == qpw_landlock_version());
    snprintf(inside, sizeof(inside), "%s/not", folder);
    EXPECT(2, mkdir(inside, 0700) == 0);
    EXPECT(3, write_file("not/eve.json") == 0);
    return 0;
}

Test(confine, files_and_programs)
{
    char path[128];
    int fd;

    if (!qpw_landlock_version())
        cr_skip("this kernel has no Landlock");
    snprintf(path, sizeof(path), "%s/log", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/old", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/old/file", folder);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_expect_eq(in_child(files), 0, "line %d", in_child(files));
}

Test(confine, a_folder_that_is_not_there_yet)
{
    if (!qpw_landlock_version())
        cr_skip("this kernel has no Landlock");
    cr_expect_eq(in_child(missing), 0);
}

Test(confine, tcp)
{
    if (qpw_landlock_version() < 4)
        cr_skip("this kernel's Landlock knows no network");
    cr_expect_eq(in_child(network), 0);
}

static void *run(void *done)
{
    *(int *)done = 1;
    return NULL;
}

static long bpf(int command)
{
    union bpf_attr attr;

    memset(&attr, 0xff, sizeof(attr)); /* the arguments are refused if the command is not */
    return syscall(SYS_bpf, command, &attr, sizeof(attr));
}

static int calls_of_the_auditor(void)
{
    static const int refused[] = {BPF_OBJ_PIN, BPF_OBJ_GET, BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID, BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID,
                                  BPF_BTF_GET_FD_BY_ID, BPF_LINK_GET_FD_BY_ID, BPF_ENABLE_STATS};
    pthread_t thread;
    int done = 0, status = 0;
    pid_t pid;

    EXPECT(1, qpw_confine_auditor() == 0);
    EXPECT(2, write_file("file") == 0);
    EXPECT(3, pthread_create(&thread, NULL, run, &done) == 0 && pthread_join(thread, NULL) == 0 && done);
    pid = fork();
    if (pid == 0)
        _exit(7);
    EXPECT(4, waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
    EXPECT(5, fails_with(ptrace(PTRACE_TRACEME, 0, 0, 0)) == EPERM);
    EXPECT(6, fails_with(unshare(CLONE_NEWUSER)) == EPERM);
    EXPECT(7, fails_with(syscall(SYS_clone, (long)CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)) == ENOSYS);
    EXPECT(8, mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    EXPECT(9, fails_with(setuid(getuid())) == ENOSYS);
    EXPECT(10, fails_with(syscall(SYS_mount, 0, 0, 0, 0, 0)) == EPERM);
    EXPECT(11, fails_with(syscall(SYS_keyctl, 0, 0, 0, 0, 0)) == ENOSYS);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        EXPECT(20 + (int)i, fails_with(bpf(refused[i])) == EPERM);
    EXPECT(12, fails_with(bpf(BPF_MAP_LOOKUP_ELEM)) != ENOSYS);
    return 0;
}

static int calls_of_the_looker(void)
{
    EXPECT(1, qpw_confine_lookup_helper(true) == 0);
    EXPECT(2, qpw_confine_lookup_helper(false) == 0); /* as its worker, within the supervisor's confinement */
    EXPECT(3, write_file("file") == ENOSYS);
    EXPECT(4, open("/etc/passwd", O_RDONLY) >= 0);
    EXPECT(5, execute("/bin/true") == ENOSYS);
    EXPECT(6, fails_with(bpf(BPF_MAP_UPDATE_ELEM)) == EPERM);
    EXPECT(7, fails_with(bpf(BPF_PROG_LOAD)) == EPERM);
    EXPECT(8, fails_with(bpf(BPF_PROG_ATTACH)) == EPERM);
    EXPECT(9, mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    return 0;
}

static int calls_of_a_parser(void)
{
    pthread_t thread;
    int done = 0;

    EXPECT(1, qpw_confine_parser() == 0);
    EXPECT(2, open("/etc/passwd", O_RDONLY) >= 0);
    EXPECT(3, write_file("file") == ENOSYS);
    EXPECT(4, fails_with(socket(AF_INET, SOCK_DGRAM, 0)) == ENOSYS);
    EXPECT(5, execute("/bin/true") == ENOSYS);
    EXPECT(6, fails_with(bpf(BPF_PROG_TEST_RUN)) == ENOSYS);
    EXPECT(7, pthread_create(&thread, NULL, run, &done) == 0 && pthread_join(thread, NULL) == 0 && done);
    return 0;
}

static int calls_of_a_replay(void)
{
    static const int refused[] = {BPF_PROG_LOAD, BPF_MAP_CREATE, BPF_PROG_ATTACH, BPF_OBJ_PIN, BPF_PROG_GET_FD_BY_ID, BPF_BTF_LOAD, BPF_LINK_CREATE};

    EXPECT(1, qpw_confine_replay() == 0);
    EXPECT(2, write_file("file") == ENOSYS);
    EXPECT(3, fails_with(socket(AF_NETLINK, SOCK_RAW, 0)) == ENOSYS);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        EXPECT(20 + (int)i, fails_with(bpf(refused[i])) == EPERM);
    EXPECT(4, fails_with(bpf(BPF_PROG_TEST_RUN)) != ENOSYS);
    return 0;
}

static int calls_of_a_writer(void)
{
    char path[128], moved[140];
    int pair[2];

    EXPECT(1, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    EXPECT(2, qpw_confine_writer() == 0);
    snprintf(path, sizeof(path), "%s/file", folder);
    snprintf(moved, sizeof(moved), "%s.1", path);
    EXPECT(3, write_file("file") == 0 && rename(path, moved) == 0 && unlink(moved) == 0);
    EXPECT(4, send(pair[0], "x", 1, 0) == 1);
    EXPECT(5, fails_with(socket(AF_UNIX, SOCK_STREAM, 0)) == ENOSYS);
    EXPECT(6, execute("/bin/true") == ENOSYS);
    EXPECT(7, fails_with(syscall(SYS_clone, (long)SIGCHLD, 0, 0, 0, 0)) == ENOSYS);
    EXPECT(8, fails_with(bpf(BPF_MAP_LOOKUP_ELEM)) == ENOSYS);
    EXPECT(9, mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    EXPECT(10, fails_with(kill(getppid(), 0)) == ENOSYS);
    return 0;
}

static int calls_of_a_server(void)
{
    static const int refused[] = {BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_CREATE, BPF_PROG_LOAD, BPF_PROG_ATTACH, BPF_PROG_DETACH, BPF_OBJ_PIN,
                                  BPF_LINK_CREATE, BPF_PROG_TEST_RUN};
    int status = 0;
    pid_t pid;

    EXPECT(1, qpw_confine_server() == 0);
    pid = fork();
    if (pid == 0)
        _exit(execute("/bin/true") ? 7 : 8);
    EXPECT(2, waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 0); /* Landlock: this program only */
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        EXPECT(20 + (int)i, fails_with(bpf(refused[i])) == EPERM);
    EXPECT(3, fails_with(bpf(BPF_MAP_LOOKUP_ELEM)) != ENOSYS);
    EXPECT(4, fails_with(setns(open("/proc/self/ns/net", O_RDONLY), CLONE_NEWNET)) == EPERM);
    EXPECT(5, fails_with(syscall(SYS_move_mount, 0, 0, 0, 0, 0)) == EPERM);
    EXPECT(6, fails_with(setuid(getuid())) == ENOSYS);
    EXPECT(7, fails_with(syscall(SYS_init_module, 0, 0, 0)) == ENOSYS);
    return 0;
}

static int calls_of_the_network(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd;

    EXPECT(1, qpw_confine_network() == 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT(2, fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(fd, 1) == 0);
    EXPECT(3, write_file("file") == 0);
    EXPECT(4, execute("/bin/true") == ENOSYS);
    EXPECT(5, fails_with(syscall(SYS_clone, (long)SIGCHLD, 0, 0, 0, 0)) == ENOSYS);
    EXPECT(6, fails_with(bpf(BPF_MAP_LOOKUP_ELEM)) == ENOSYS);
    EXPECT(7, fails_with(kill(getppid(), 0)) == ENOSYS);
    EXPECT(8, mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    EXPECT(9, fails_with(setuid(getuid())) == ENOSYS);
    EXPECT(10, fails_with(socket(AF_NETLINK, SOCK_RAW, 0)) == ENOSYS);
    return 0;
}

Test(confine, system_calls)
{
    cr_expect_eq(in_child(calls_of_the_network), 0, "line %d", in_child(calls_of_the_network));
    cr_expect_eq(in_child(calls_of_a_writer), 0, "line %d", in_child(calls_of_a_writer));
    cr_expect_eq(in_child(calls_of_a_server), 0, "line %d", in_child(calls_of_a_server));
    cr_expect_eq(in_child(calls_of_a_parser), 0, "line %d", in_child(calls_of_a_parser));
    cr_expect_eq(in_child(calls_of_a_replay), 0, "line %d", in_child(calls_of_a_replay));
    cr_expect_eq(in_child(calls_of_the_auditor), 0, "line %d", in_child(calls_of_the_auditor));
    cr_expect_eq(in_child(calls_of_the_looker), 0, "line %d", in_child(calls_of_the_looker));
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/readers.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/lock.h"

#define MAX_WORDS 32
#define REQUEST_BYTES 4096u
#define PACKET_BYTES 16384u
#define PLACES 4          /* commands at a time … */
#define PLACES_OF_ONE 2   /* … of one user */
#define REFUSALS 4        /* that are being said */
#define RUN_SECONDS 60    /* for one command; who reads its output must not stop reading */
#define REQUEST_SECONDS 2
#define LOOKS 20
#define LOOK_US 5000

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* include/uapi/asm-generic/socket.h, Linux 6.16 */
#endif

/* ---- What may be asked ---- */

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(word, *list))
            return true;
    return false;
}

/* Whole names only: what is cut short might mean another option. A value may follow after "=". */
static bool is_allowed_option(const char *word)
{
    static const char *const options[] = {"-j", "--json", "--all", "--format", "--since", "--fail-on", NULL};
    char name[32];
    size_t length = strcspn(word, "=");

    if (length >= sizeof(name))
        return false;
    memcpy(name, word, length);
    name[length] = '\0';
    return is_one_of(name, options);
}

bool qpw_readers_may(int argc, char *const *argv, struct qpw_error *err)
{
    static const char *const commands[] = {"status", "report", "connections", "listeners", NULL};

    if (argc < 1 || argc > MAX_WORDS)
        return qpw_fail(err, -EINVAL, "not the words of a command"), false;
    for (int i = 0; i < argc; i++)
        if (i ? argv[i][0] == '-' && !is_allowed_option(argv[i]) : !is_one_of(argv[i], commands))
            return qpw_fail(err, -EPERM, "members of the group " QPW_READERS_GROUP " may not use '%.40s'; root may", argv[i]),
                   false;
    return true;
}

/* ---- One command, in a process of its own ---- */

static void send_packet(int fd, char kind, const void *bytes, size_t length)
{
    char packet[PACKET_BYTES + 1];

    packet[0] = kind;
    memcpy(packet + 1, bytes, length);
    send(fd, packet, length + 1, MSG_NOSIGNAL); /* who has gone needs nothing */
}

static _Noreturn void end(int fd, int status)
{
    unsigned char byte = (unsigned char)status;

    send_packet(fd, 'x', &byte, 1);
    _exit(0);
}

static _Noreturn void refuse(int fd, const char *command, const char *why)
{
    char text[256];
    int length = snprintf(text, sizeof(text), "qportwatch %s: %s\n", command, why);

    send_packet(fd, '2', text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
    end(fd, QPW_EXIT_FAILED);
}

static _Noreturn void execute(char **argv, const int outputs[2])
{
    static char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(outputs[0], STDOUT_FILENO);
    dup2(outputs[1], STDERR_FILENO);
    close_range(3, ~0u, 0);
    execve("/proc/self/exe", argv, environment);
    _exit(QPW_EXIT_FAILED);
}

/* Passes on what comes until both ends are closed. */
static void pass_on(int fd, const int from[2])
{
    struct pollfd inputs[] = {{.fd = from[0], .events = POLLIN}, {.fd = from[1], .events = POLLIN}};
    char bytes[PACKET_BYTES];
    ssize_t n;

    while (inputs[0].fd >= 0 || inputs[1].fd >= 0) {
        if (poll(inputs, 2, -1) < 0 && errno != EINTR)
            return;
        for (int i = 0; i < 2; i++) {
            if (inputs[i].fd < 0 || !inputs[i].revents)
                continue;
            n = read(inputs[i].fd, bytes, sizeof(bytes));
            if (n > 0)
                send_packet(fd, i ? '2' : '1', bytes, (size_t)n);
            else
                inputs[i].fd = -1;
        }
    }
}

static _Noreturn void run(int fd, char **words)
{
    char *argv[MAX_WORDS + 2] = {"qportwatch"};
    int out[2], error[2], status = 0;
    pid_t pid;

    for (int i = 0; words[i]; i++)
        argv[i + 1] = words[i];
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        refuse(fd, words[0], "no more processes can be started");
    if (pid == 0)
        execute(argv, (int[]){out[1], error[1]});
    close(out[1]);
    close(error[1]);
    pass_on(fd, (int[]){out[0], error[0]});
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    end(fd, WIFEXITED(status) ? WEXITSTATUS(status) : QPW_EXIT_FAILED);
}

/* The words of the packet, into argv with a NULL behind them; how many, 0: it is none. */
static int read_request(int fd, char *packet, char *argv[MAX_WORDS + 1])
{
    ssize_t n = recv(fd, packet, REQUEST_BYTES, MSG_TRUNC);
    int argc = 0;

    if (n <= 0 || n > (ssize_t)REQUEST_BYTES || packet[n - 1])
        return 0;
    for (char *word = packet; word < packet + n; word += strlen(word) + 1) {
        if (argc == MAX_WORDS)
            return 0;
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    return argc;
}

/* go: closed by the server once it has let go of fd, so that this process is the one that closes it. */
static _Noreturn void serve_one(int fd, int go, const char *why_not)
{
    struct timeval patience = {.tv_sec = REQUEST_SECONDS};
    char packet[REQUEST_BYTES], *argv[MAX_WORDS + 1] = {""}, byte;
    struct qpw_error err;
    int argc;

    alarm(RUN_SECONDS); /* ends this process, and with it the command */
    while (read(go, &byte, 1) < 0 && errno == EINTR)
        ;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    argc = read_request(fd, packet, argv);
    if (argc == 0)
        refuse(fd, "", "not a request");
    if (why_not)
        refuse(fd, argv[0], why_not);
    if (!qpw_readers_may(argc, argv, &err))
        refuse(fd, argv[0], err.text);
    run(fd, argv);
}

/* ---- The server ---- */

struct place {
    pid_t pid; /* 0: free */
    uid_t uid;
    bool refuses;
};

static void tidy(struct place places[PLACES + REFUSALS])
{
    for (int i = 0; i < PLACES + REFUSALS; i++)
        if (places[i].pid && waitpid(places[i].pid, NULL, WNOHANG) != 0)
            places[i].pid = 0;
}

/* Why that user's command is not run now; NULL: it is. */
static const char *hindrance(struct place places[PLACES + REFUSALS], uid_t uid)
{
    int all = 0, own = 0;

    tidy(places);
    for (int i = 0; i < PLACES + REFUSALS; i++)
        if (places[i].pid && !places[i].refuses) {
            all++;
            own += places[i].uid == uid;
        }
    if (own >= PLACES_OF_ONE)
        return "two commands of this user are running; try again when one has ended";
    return all >= PLACES ? "too many commands are running; try again" : NULL;
}

/* Whoever may enter the folder may connect: the group and root. Descriptor `life` and the listener are closed. */
static void start_one(int fd, int listen_fd, int life, struct place *place, const char *why_not)
{
    int go[2];

    if (pipe2(go, O_CLOEXEC) < 0)
        return;
    place->pid = fork();
    if (place->pid == 0) {
        close(listen_fd);
        close(life);
        close(go[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve_one(fd, go[0], why_not);
    }
    if (place->pid < 0)
        place->pid = 0;
    place->refuses = why_not;
    close(fd);
    close(go[0]);
    close(go[1]);
}

/* One whose answer has come just now is given the moment that its process takes to end. */
static const char *lasting_hindrance(struct place places[PLACES + REFUSALS], uid_t uid)
{
    const char *why = hindrance(places, uid);

    for (int i = 0; why && i < LOOKS; i++) {
        usleep(LOOK_US);
        why = hindrance(places, uid);
    }
    return why;
}

static struct place *free_place(struct place places[PLACES + REFUSALS])
{
    for (int i = 0; i < PLACES + REFUSALS; i++)
        if (!places[i].pid)
            return &places[i];
    return NULL;
}

static void accept_one(int listen_fd, int life, struct place places[PLACES + REFUSALS])
{
    struct place *place = free_place(places);
    int fd = place ? accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
    struct ucred who;
    socklen_t size = sizeof(who);

    if (fd < 0)
        return;
    place->uid = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 ? (uid_t)-1 : who.uid;
    start_one(fd, listen_fd, life, place, lasting_hindrance(places, place->uid));
}

int qpw_readers_serve(int listen_fd, int life)
{
    struct pollfd sources[] = {{.fd = life, .events = POLLIN}, {.fd = listen_fd, .events = POLLIN}};
    struct place places[PLACES + REFUSALS] = {0};

    nice(10);
    for (;;) {
        tidy(places);
        sources[1].fd = free_place(places) ? listen_fd : -1;
        if (poll(sources, 2, 200) < 0 && errno != EINTR)
            return QPW_EXIT_FAILED;
        if (sources[0].revents)
            return QPW_EXIT_OK; /* the auditor has ended; what runs ends with this process */
        if (sources[1].revents)
            accept_one(listen_fd, life, places);
    }
}

/* The group may go through the folder and speak; nobody else may, and it may not list or make anything there. */
static int let_in(const char *path, gid_t group)
{
    return chown(QPW_LOCK_FOLDER, 0, group) < 0 || chmod(QPW_LOCK_FOLDER, 0710) < 0 || chown(path, 0, group) < 0 ||
                   chmod(path, 0660) < 0 ? -errno : 0;
}

int qpw_readers_listen(int *ret_fd, struct qpw_error *err)
{
    const struct group *group = getgrnam(QPW_READERS_GROUP); /* once: whoever keeps the list may be slow */
    struct sockaddr_un address;
    mode_t mask;
    int fd, r;

    if (!group)
        return -ENOENT;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return qpw_fail(err, -errno, "making the readers' socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
    qpw_lock_readers_address(&address);
    unlink(address.sun_path);
    mask = umask(0177);
    r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    umask(mask);
    r = r ? r : let_in(address.sun_path, group->gr_gid);
    if (r == 0 && listen(fd, 16) < 0)
        r = -errno;
    if (r < 0) {
        close(fd);
        return qpw_fail(err, r, "letting the group " QPW_READERS_GROUP " read at %s: %s", address.sun_path, strerror(-r));
    }
    *ret_fd = fd;
    return 0;
}

/* ---- Who asks ---- */

static int connect_to(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = REQUEST_SECONDS};
    struct sockaddr_un address;
    struct ucred who;
    socklen_t size = sizeof(who);

    if (fd < 0)
        return -1;
    qpw_lock_readers_address(&address);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == 0)
        return fd;
    close(fd);
    return -1;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t n = write(fd, bytes, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

/* The exit status that comes at last. */
static int receive(int fd, const char *command)
{
    struct timeval patience = {.tv_sec = RUN_SECONDS + REQUEST_SECONDS};
    char packet[PACKET_BYTES + 1];
    ssize_t n;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    while ((n = recv(fd, packet, sizeof(packet), 0)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 1 && packet[0] == 'x')
            return (unsigned char)packet[1];
        if (n > 0 && !write_all(packet[0] == '2' ? STDERR_FILENO : STDOUT_FILENO, packet + 1, (size_t)n - 1))
            return QPW_EXIT_FAILED;
    }
    fprintf(stderr, "qportwatch %s: %s\n", command, n < 0 ? strerror(errno) : "the answer ended early: it took too long, "
            "or the auditor has ended");
    return QPW_EXIT_FAILED;
}

int qpw_readers_ask(int argc, char **argv)
{
    char request[REQUEST_BYTES];
    size_t length = 0, one;
    int fd, status;

    if (geteuid() == 0 || (fd = connect_to()) < 0)
        return -1;
    for (int i = 0; i < argc; i++, length += one) {
        one = strlen(argv[i]) + 1;
        if (length + one > sizeof(request)) {
            close(fd);
            fprintf(stderr, "qportwatch %s: more than %u bytes of arguments\n", argv[0], REQUEST_BYTES);
            return QPW_EXIT_USAGE;
        }
        memcpy(request + length, argv[i], one);
    }
    status = send(fd, request, length, MSG_NOSIGNAL) < 0 ? QPW_EXIT_FAILED : receive(fd, argv[0]);
    close(fd);
    return status;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/readers_server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/control.h"
#include "control/lock.h"
#include "control/readers.h"

#define CLIENT_SLOTS 4 /* concurrent commands in all */
#define SLOTS_PER_USER 2 /* of one user */
#define REFUSALS 8      /* concurrent refusals in all */
#define REFUSALS_OF_ONE 2
#define REFUSED_US 100000 /* wait for the request of a refused client */
#define AT_WORK_MS 1000
#define NICE 10
#define LOOKS 20
#define LOOK_US 5000

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* include/uapi/asm-generic/socket.h, Linux 6.16 */
#endif

/* ---- One command, in a process of its own ---- */

static void send_packet(int fd, char kind, const void *bytes, size_t length)
{
    char packet[QPW_READERS_PACKET_BYTES + 1];

    packet[0] = kind;
    memcpy(packet + 1, bytes, length);
    send(fd, packet, length + 1, MSG_NOSIGNAL); /* no error handling: a client that disconnected needs nothing */
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

/* Run a command. columns: "COLUMNS=" and digits. */
static _Noreturn void execute(char **argv, char *columns, const int outputs[2])
{
    char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", columns, NULL};

    setpriority(PRIO_PROCESS, 0, NICE); /* yield to the machine's own work; only the command, not the process that
                                           answers */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(outputs[0], STDOUT_FILENO);
    dup2(outputs[1], STDERR_FILENO);
    close_range(3, ~0u, 0);
    execve("/proc/self/exe", argv, environment);
    _exit(QPW_EXIT_FAILED);
}

static void send_progress(int fd)
{
    send(fd, "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT); /* if the buffer is full, the client has packets enough to read */
}

/* Forward output until both pipes are closed. */
static void pass_on(int fd, const int from[2])
{
    struct pollfd inputs[] = {{.fd = from[0], .events = POLLIN}, {.fd = from[1], .events = POLLIN}};
    char bytes[QPW_READERS_PACKET_BYTES];
    ssize_t n;
    int ready;

    while (inputs[0].fd >= 0 || inputs[1].fd >= 0) {
        ready = poll(inputs, 2, AT_WORK_MS);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready == 0)
            send_progress(fd);
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

static _Noreturn void run(int fd, char *columns, char **words)
{
    char *argv[QPW_READERS_WORDS + 2] = {"qportwatch"};
    int out[2], error[2], status = 0;
    pid_t pid;

    for (int i = 0; words[i]; i++)
        argv[i + 1] = words[i];
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        refuse(fd, words[0], "no more processes can be started");
    if (pid == 0)
        execute(argv, columns, (int[]){out[1], error[1]});
    close(out[1]);
    close(error[1]);
    pass_on(fd, (int[]){out[0], error[0]});
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    end(fd, WIFEXITED(status) ? WEXITSTATUS(status) : QPW_EXIT_FAILED);
}

/* Return whether the first word of a request is the client's terminal width. */
static bool is_columns(const char *word)
{
    size_t length = strlen(QPW_READERS_COLUMNS);

    return !strncmp(word, QPW_READERS_COLUMNS, length) && word[length] && !word[length + strspn(word + length, "0123456789")];
}

/* Read the words of the packet into argv, NULL-terminated. Return their number; 0: not a request. */
static int read_request(int fd, char *packet, char *argv[QPW_READERS_WORDS + 2])
{
    ssize_t n = recv(fd, packet, QPW_READERS_REQUEST_BYTES, MSG_TRUNC);
    int argc = 0;

    if (n <= 0 || n > (ssize_t)QPW_READERS_REQUEST_BYTES || packet[n - 1])
        return 0;
    for (char *word = packet; word < packet + n; word += strlen(word) + 1) {
        if (argc == QPW_READERS_WORDS + 1)
            return 0;
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    return argc;
}

/* Serve one client. go: closed by the server after it has closed fd, so that this process closes it last. */
static _Noreturn void serve_one(int fd, int go, const char *why_not)
{
    struct timeval patience = {.tv_sec = why_not ? 0 : QPW_READERS_REQUEST_SECONDS, .tv_usec = why_not ? REFUSED_US : 0};
    char packet[QPW_READERS_REQUEST_BYTES], *words[QPW_READERS_WORDS + 2] = {"", ""}, **argv = words + 1, byte;
    struct qpw_error err;
    int argc;

    alarm(QPW_READERS_RUN_SECONDS); /* ends this process, and thereby the command */
    while (read(go, &byte, 1) < 0 && errno == EINTR)
        ;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    argc = read_request(fd, packet, words) - 1;
    if (argc < 1 || !is_columns(words[0]))
        refuse(fd, "", "not a request");
    if (why_not)
        refuse(fd, argv[0], why_not);
    if (!qpw_readers_may(argc, argv, &err))
        refuse(fd, argv[0], err.text);
    send_progress(fd);
    run(fd, words[0], argv);
}

/* ---- The server ---- */

struct client_slot {
    pid_t pid; /* 0: free */
    uid_t uid;
    bool refuses;
};

static void tidy(struct client_slot slots[CLIENT_SLOTS + REFUSALS])
{
    for (int i = 0; i < CLIENT_SLOTS + REFUSALS; i++)
        if (slots[i].pid && waitpid(slots[i].pid, NULL, WNOHANG) != 0)
            slots[i].pid = 0;
}

/* Return why that user's command cannot run now; NULL: it can. */
static const char *hindrance(struct client_slot slots[CLIENT_SLOTS + REFUSALS], uid_t uid)
{
    int all = 0, own = 0;

    tidy(slots);
    for (int i = 0; i < CLIENT_SLOTS + REFUSALS; i++)
        if (slots[i].pid && !slots[i].refuses) {
            all++;
            own += slots[i].uid == uid;
        }
    if (own >= SLOTS_PER_USER)
        return "two commands of this user are running; try again when one has ended";
    return all >= CLIENT_SLOTS ? "too many commands are running; try again" : NULL;
}

/*
 * Start a process for one client. Everyone who may enter the folder can connect: the group and root. The child closes
 * `life` and the listener.
 */
static void start_one(int fd, int listen_fd, int life, struct client_slot *client_slot, const char *why_not)
{
    int go[2];

    if (pipe2(go, O_CLOEXEC) < 0)
        return;
    client_slot->pid = fork();
    if (client_slot->pid == 0) {
        close(listen_fd);
        close(life);
        close(go[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve_one(fd, go[0], why_not);
    }
    if (client_slot->pid < 0)
        client_slot->pid = 0;
    client_slot->refuses = why_not;
    close(fd);
    close(go[0]);
    close(go[1]);
}

/* Wait briefly for a user's slot, because the process of a command just answered takes a moment to exit. */
static const char *lasting_hindrance(struct client_slot slots[CLIENT_SLOTS + REFUSALS], uid_t uid)
{
    const char *why = hindrance(slots, uid);

    for (int i = 0; why && i < LOOKS; i++) {
        usleep(LOOK_US);
        why = hindrance(slots, uid);
    }
    return why;
}

static struct client_slot *free_slot(struct client_slot slots[CLIENT_SLOTS + REFUSALS])
{
    for (int i = 0; i < CLIENT_SLOTS + REFUSALS; i++)
        if (!slots[i].pid)
            return &slots[i];
    return NULL;
}

static int refusals_of(const struct client_slot slots[CLIENT_SLOTS + REFUSALS], uid_t uid)
{
    int own = 0;

    for (int i = 0; i < CLIENT_SLOTS + REFUSALS; i++)
        own += slots[i].pid && slots[i].refuses && slots[i].uid == uid;
    return own;
}

/*
 * Accept one client. A user who keeps asking is refused at once, and in the end without an answer, so that others get
 * their turn.
 */
static void accept_one(int listen_fd, int life, struct client_slot slots[CLIENT_SLOTS + REFUSALS])
{
    struct client_slot *client_slot = free_slot(slots);
    int fd = client_slot ? accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC) : -1, refused;
    struct ucred who;
    socklen_t size = sizeof(who);
    uid_t uid;

    if (fd < 0)
        return;
    uid = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 ? (uid_t)-1 : who.uid;
    refused = refusals_of(slots, uid);
    if (refused >= REFUSALS_OF_ONE) {
        qpw_control_let_go(fd);
        return;
    }
    client_slot->uid = uid;
    start_one(fd, listen_fd, life, client_slot, refused ? hindrance(slots, uid) : lasting_hindrance(slots, uid));
}

int qpw_readers_serve(int listen_fd, int life)
{
    struct pollfd sources[] = {{.fd = life, .events = POLLIN}, {.fd = listen_fd, .events = POLLIN}};
    struct client_slot slots[CLIENT_SLOTS + REFUSALS] = {0};

    prctl(PR_SET_NAME, QPW_READERS_PROCESS);
    for (;;) {
        tidy(slots);
        sources[1].fd = free_slot(slots) ? listen_fd : -1;
        if (poll(sources, 2, 200) < 0 && errno != EINTR)
            return QPW_EXIT_FAILED;
        if (sources[0].revents)
            return QPW_EXIT_OK; /* the auditor has ended; running commands end with this process */
        if (sources[1].revents)
            accept_one(listen_fd, life, slots);
    }
}

/* Let the group traverse the folder and connect, but not list it or create files; all others stay out. */
static int let_in(const char *path, gid_t group)
{
    return chown(QPW_LOCK_FOLDER, 0, group) < 0 || chmod(QPW_LOCK_FOLDER, 0710) < 0 || chown(path, 0, group) < 0 ||
                   chmod(path, 0660) < 0 ? -errno : 0;
}

/* Bind the socket to its address, where only root may connect until the group is let in. Returns 0 or a negative errno. */
static int listen_at(int fd, const struct sockaddr_un *address, gid_t group)
{
    mode_t mask;
    int r;

    unlink(address->sun_path);
    mask = umask(0177);
    r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
    umask(mask);
    if (r < 0)
        return r;
    r = let_in(address->sun_path, group);
    if (r < 0)
        return r;
    return listen(fd, 16) < 0 ? -errno : 0;
}

int qpw_readers_listen(int *ret_fd, struct qpw_error *err)
{
    const struct group *group = getgrnam(QPW_READERS_GROUP); /* look it up once, because the name service may be slow */
    struct sockaddr_un address;
    int fd, r;

    if (!group)
        return -ENOENT;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return qpw_fail(err, -errno, "making the readers' socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
    qpw_lock_readers_address(&address);
    r = listen_at(fd, &address, group->gr_gid);
    if (r < 0) {
        close(fd);
        return qpw_fail(err, r, "letting the group " QPW_READERS_GROUP " read at %s: %s", address.sun_path, strerror(-r));
    }
    *ret_fd = fd;
    return 0;
}

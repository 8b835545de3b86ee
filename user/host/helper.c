/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "host/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/rights.h"

/* How long to wait for one answer: normally, and while the helper is runnable but waits for a processor. */
#define PATIENCE_NS 4000000000ull
#define BUSY_NS 20000000000ull
/* Between an exit and the next start, so that a process that exits at once does not spin. */
#define PAUSE_MS 1000
/* Bound on killed processes that have not ended because they sleep in the kernel; beyond it none is started. */
#define UNREAPED 8
#define SOCKET_FD 3
#define LIFE_FD 4
#define CLEAR_OF_BOTH 16

/* The header of every packet. */
struct head {
    uint32_t sequence; /* of the question; 0: greeting of a new worker */
    uint32_t what;
    int32_t result; /* with sequence 0: the worker's pid */
    uint32_t more; /* more parts follow */
};

struct packet {
    struct head head;
    char bytes[QPW_HELPER_BYTES];
};

struct qpw_helper {
    const struct qpw_helper_kind *kind;
    /* Writing a byte to `life` makes the supervisor replace the worker; closing it ends both. */
    int socket, life;
    pid_t supervisor, worker;
    uint32_t sequence;
    bool up, gone;
    bool reported_silent, reported_gone;
    unsigned restarts, reported_restarts;
    pthread_mutex_t lock;
    struct packet packet;
};

/* ---- Worker ---- */

static int send_packet(int fd, const struct head *head, const void *bytes, size_t size, int pass_fd)
{
    struct iovec parts[] = {{.iov_base = (void *)head, .iov_len = sizeof(*head)}, {.iov_base = (void *)bytes, .iov_len = size}};
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = size ? 2 : 1};
    struct cmsghdr *c;
    ssize_t n;

    if (pass_fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
    }
    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

void qpw_helper_part(struct qpw_helper_work *work, const void *bytes, size_t size)
{
    struct head head = {.sequence = work->sequence, .what = work->what, .more = 1};

    send_packet(work->socket, &head, bytes, size, -1);
}

static void answer_one(const struct qpw_helper_kind *kind, const struct packet *in, size_t size, struct packet *out)
{
    struct qpw_helper_work work = {.what = in->head.what, .question = in->bytes, .size = size, .answer = out->bytes,
                                   .answer_fd = -1, .socket = SOCKET_FD, .sequence = in->head.sequence};
    struct head head = {.sequence = in->head.sequence, .what = in->head.what};

    memset(out->bytes, 0, sizeof(out->bytes)); /* leak nothing of an earlier answer */
    head.result = kind->answer(&work);
    send_packet(SOCKET_FD, &head, out->bytes, work.answer_size, work.answer_fd);
    if (work.answer_fd >= 0)
        close(work.answer_fd);
}

static _Noreturn void serve(const struct qpw_helper_kind *kind)
{
    static struct packet in, out;
    struct head hello = {.result = getpid()};
    ssize_t n;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(LIFE_FD);
    if ((kind->confine && kind->confine(false) < 0) || send_packet(SOCKET_FD, &hello, NULL, 0, -1) < 0)
        _exit(QPW_EXIT_FAILED);
    for (;;) {
        n = recv(SOCKET_FD, &in, sizeof(in), 0);
        if (n == 0 || (n < 0 && errno != EINTR))
            _exit(n == 0 ? QPW_EXIT_OK : QPW_EXIT_FAILED);
        if (n >= (ssize_t)sizeof(in.head))
            answer_one(kind, &in, (size_t)n - sizeof(in.head), &out);
    }
}

/* ---- Supervisor ---- */

static void reap(pid_t *worker, unsigned *unreaped)
{
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        if (pid == *worker)
            *worker = 0;
        else
            --*unreaped;
    }
}

static _Noreturn void supervise(const struct qpw_helper_kind *kind)
{
    struct pollfd life = {.fd = LIFE_FD, .events = POLLIN};
    unsigned unreaped = 0;
    pid_t worker = 0;
    ssize_t n;
    char byte;

    for (;;) {
        reap(&worker, &unreaped);
        if (!worker && unreaped < UNREAPED) {
            worker = fork();
            if (worker == 0)
                serve(kind);
            worker = worker < 0 ? 0 : worker;
        }
        if (poll(&life, 1, PAUSE_MS) <= 0)
            continue;
        n = read(LIFE_FD, &byte, 1);
        if (n == 0 || (n < 0 && errno != EINTR))
            _exit(QPW_EXIT_OK); /* the worker dies with it (PR_SET_PDEATHSIG) */
        if (worker > 0 && n > 0) {
            kill(worker, SIGKILL);
            worker = 0;
            unreaped++;
        }
    }
}

static int keep_rights(const struct qpw_helper_kind *kind)
{
    return qpw_rights_keep(kind->rights, kind->n_rights);
}

/*
 * Turn this child into the supervisor: the socket becomes descriptor 3, the pipe's end 4, and nothing else stays open.
 */
static _Noreturn void become(const struct qpw_helper_kind *kind, int socket, int life)
{
    int fds[] = {fcntl(socket, F_DUPFD, CLEAR_OF_BOTH), fcntl(life, F_DUPFD, CLEAR_OF_BOTH), open("/dev/null", O_RDWR)};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(fds[2], fd);
    if (dup2(fds[0], SOCKET_FD) < 0 || dup2(fds[1], LIFE_FD) < 0)
        _exit(QPW_EXIT_FAILED);
    syscall(SYS_close_range, LIFE_FD + 1, ~0u, 0);
    setsid(); /* terminal signals are meant for the parent */
    prctl(PR_SET_NAME, kind->name);
    if ((kind->prepare && kind->prepare() < 0) || keep_rights(kind) < 0 || (kind->confine && kind->confine(true) < 0))
        _exit(QPW_EXIT_FAILED);
    supervise(kind);
}

/* ---- Asking process ---- */

int qpw_helper_start(const struct qpw_helper_kind *kind, struct qpw_helper **ret, struct qpw_error *err)
{
    struct qpw_helper *h = calloc(1, sizeof(*h));
    int pair[2], life[2], r;

    if (!h)
        return qpw_fail(err, -ENOMEM, "out of memory");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        r = qpw_fail(err, -errno, "starting %s: %s", kind->name, strerror(errno));
        free(h);
        return r;
    }
    if (pipe2(life, O_CLOEXEC) < 0) {
        r = qpw_fail(err, -errno, "starting %s: %s", kind->name, strerror(errno));
        close(pair[0]);
        close(pair[1]);
        free(h);
        return r;
    }
    *h = (struct qpw_helper){.kind = kind, .socket = pair[0], .life = life[1]};
    pthread_mutex_init(&h->lock, NULL);
    h->supervisor = fork();
    r = -errno;
    if (h->supervisor == 0)
        become(kind, pair[1], life[0]);
    close(pair[1]);
    close(life[0]);
    fcntl(h->socket, F_SETFL, O_NONBLOCK); /* a helper whose queue is full of unread questions is given up */
    if (h->supervisor < 0) {
        qpw_helper_stop(h);
        return qpw_fail(err, r, "starting %s: %s", kind->name, strerror(-r));
    }
    *ret = h;
    return 0;
}

void qpw_helper_stop(struct qpw_helper *h)
{
    if (!h)
        return;
    close(h->socket);
    close(h->life);
    if (h->supervisor > 0) {
        kill(h->supervisor, SIGKILL); /* the worker dies with it */
        waitpid(h->supervisor, NULL, 0);
    }
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* Receive the next packet until then. Returns its size, 0 if none came; *ret_fd as in qpw_helper_reply. */
static size_t receive(struct qpw_helper *h, uint64_t until_ns, int *ret_fd)
{
    struct iovec part = {.iov_base = &h->packet, .iov_len = sizeof(h->packet)};
    char control[CMSG_SPACE(sizeof(int))];
    struct pollfd ready = {.fd = h->socket, .events = POLLIN};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c;
    uint64_t now = qpw_clock_monotonic_ns();
    ssize_t n;

    *ret_fd = -1;
    while (poll(&ready, 1, now < until_ns ? (int)((until_ns - now) / 1000000) + 1 : 0) < 0 && errno == EINTR)
        now = qpw_clock_monotonic_ns();
    if (!ready.revents)
        return 0;
    n = recvmsg(h->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n == 0)
        h->gone = true;
    c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    return n < (ssize_t)sizeof(struct head) ? 0 : (size_t)n;
}

/* Drain unsolicited packets: greetings of new workers, and late answers of earlier ones. */
static void take_in(struct qpw_helper *h)
{
    int fd;

    while (receive(h, 0, &fd)) {
        if (!h->packet.head.sequence) {
            h->restarts += h->up; /* the previous worker ended between two questions */
            h->up = true;
            h->worker = h->packet.head.result;
        }
        if (fd >= 0)
            close(fd);
    }
}

static void give_up(struct qpw_helper *h, bool kill_it)
{
    h->up = false;
    h->restarts++;
    if (kill_it && write(h->life, "r", 1) < 0)
        h->gone = true;
}

static void take_reply(const struct packet *p, size_t size, struct qpw_helper_reply *reply, int fd)
{
    reply->result = p->head.result;
    reply->fd = fd;
    reply->size = size < reply->room ? size : reply->room;
    if (reply->size)
        memcpy(reply->bytes, p->bytes, reply->size);
}

/* Return whether the worker is runnable; then it is only waiting for a busy machine and need not be replaced. */
static bool is_busy(pid_t pid)
{
    char path[64], text[512], *end;
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = pid > 0 ? fopen(path, "re") : NULL;
    n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    end = strrchr(text, ')');
    return end && !strncmp(end, ") R", 3);
}

/* As receive(), for as long as one answer may take. */
static size_t receive_in_time(struct qpw_helper *h, uint64_t asked_ns, int *ret_fd)
{
    uint64_t until = asked_ns + PATIENCE_NS;
    size_t n = receive(h, until, ret_fd);

    while (!n && !h->gone && until < asked_ns + BUSY_NS && is_busy(h->worker)) {
        until = qpw_clock_monotonic_ns() + PATIENCE_NS / 4;
        n = receive(h, until, ret_fd);
    }
    return n;
}

/* Wait for the answer to that question. True: *reply is filled. */
static bool await(struct qpw_helper *h, uint32_t sequence, struct qpw_helper_reply *reply)
{
    uint64_t asked_ns = qpw_clock_monotonic_ns();
    size_t n;
    int fd;

    while ((n = receive_in_time(h, asked_ns, &fd)) > 0) {
        const struct head *head = &h->packet.head;

        n -= sizeof(*head);
        if (head->sequence == sequence && !head->more) {
            take_reply(&h->packet, n, reply, fd);
            return true;
        }
        if (fd >= 0)
            close(fd);
        if (head->sequence == sequence && reply->part)
            reply->part(reply->part_arg, h->packet.bytes, n);
        if (!head->sequence) { /* the worker that was asked has ended; another answers from the next question on */
            h->restarts++;
            h->worker = head->result;
            return false;
        }
    }
    give_up(h, !h->gone);
    return false;
}

static bool ask(struct qpw_helper *h, unsigned what, const void *question, size_t size, struct qpw_helper_reply *reply)
{
    struct head head = {.sequence = ++h->sequence ? h->sequence : ++h->sequence, .what = what};

    take_in(h);
    if (!h->up && !h->restarts && !h->gone) { /* still starting */
        int fd;

        if (receive(h, qpw_clock_monotonic_ns() + BUSY_NS, &fd) && !h->packet.head.sequence) {
            h->up = true;
            h->worker = h->packet.head.result;
        } else {
            give_up(h, /* kill_it= */ true);
        }
    }
    if (!h->up || h->gone)
        return false;
    if (send_packet(h->socket, &head, question, size, -1) < 0) {
        give_up(h, /* kill_it= */ true);
        return false;
    }
    return await(h, head.sequence, reply);
}

bool qpw_helper_ask(struct qpw_helper *h, unsigned what, const void *question, size_t size, struct qpw_helper_reply *reply)
{
    bool answered;

    reply->fd = -1;
    reply->size = 0;
    if (size > QPW_HELPER_BYTES)
        return false;
    pthread_mutex_lock(&h->lock);
    answered = ask(h, what, question, size, reply);
    pthread_mutex_unlock(&h->lock);
    return answered;
}

enum qpw_helper_change qpw_helper_change(struct qpw_helper *h, unsigned *ret_restarts)
{
    enum qpw_helper_change change = QPW_HELPER_SAME;

    pthread_mutex_lock(&h->lock);
    take_in(h);
    *ret_restarts = h->restarts;
    if (h->gone && !h->reported_gone)
        change = QPW_HELPER_GONE;
    else if (!h->gone && !h->up && h->restarts && !h->reported_silent)
        change = QPW_HELPER_SILENT;
    else if (!h->gone && h->up && h->restarts != h->reported_restarts)
        change = QPW_HELPER_BACK;
    h->reported_gone = h->gone;
    h->reported_silent = !h->up && h->restarts;
    if (h->up)
        h->reported_restarts = h->restarts;
    pthread_mutex_unlock(&h->lock);
    return change;
}

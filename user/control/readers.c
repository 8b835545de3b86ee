/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/readers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "control/lock.h"
#include "words/terminal.h"

/* ---- Permitted commands ---- */

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(word, *list))
            return true;
    return false;
}

/* Accept full names only, because an abbreviation might mean another option. "=VALUE" may follow. */
static bool is_allowed_option(const char *word)
{
    static const char *const options[] = {"-j", "--json", "--all", "--format", "--since", "--until", "--by", "--fail-on",
                                          "--once", "--tab", "--filter", "--sort", "--interval", "--ascii", "--samples", NULL};
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
    static const char *const commands[] = {"status", "report", "connections", "listeners", "history", "metrics", "statement", "top", NULL};

    if (argc < 1 || argc > QPW_READERS_WORDS)
        return qpw_fail(err, -EINVAL, "not the words of a command"), false;
    if (!strcmp(argv[0], "top") && (argc < 2 || strcmp(argv[1], "--once"))) /* its keys can end the audit, and it
                                                                               runs without end */
        return qpw_fail(err, -EPERM, "members of the group " QPW_READERS_GROUP " may not use 'top' without --once first; root may"), false;
    for (int i = 0; i < argc; i++)
        if (i ? argv[i][0] == '-' && !is_allowed_option(argv[i]) : !is_one_of(argv[i], commands))
            return qpw_fail(err, -EPERM, "members of the group " QPW_READERS_GROUP " may not use '%.40s'; root may", argv[i]),
                   false;
    return true;
}

/* ---- Client ---- */

/* Connect. Return a descriptor, or a negative errno; -EACCES: not permitted, or nothing is listening. */
static int connect_to(void)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), r;
    struct timeval patience = {.tv_sec = QPW_READERS_REQUEST_SECONDS};
    struct sockaddr_un address;
    struct ucred who;
    socklen_t size = sizeof(who);

    if (fd < 0)
        return -errno;
    qpw_lock_readers_address(&address);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    if (r == 0 && (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || who.uid != 0))
        r = -EACCES;
    if (r == 0)
        return fd;
    close(fd);
    return r == -ENOENT ? -EACCES : r;
}

#define SERVER "the process that answers the group " QPW_READERS_GROUP

/* Report a failed connection. Other users than members get -1, because they cannot enter the folder. */
static int not_connected(int error, const char *command)
{
    if (error == EACCES)
        return -1;
    if (error == EAGAIN)
        fprintf(stderr, "qportwatch %s: " SERVER " is busy or hangs; try again, or ask as root\n", command);
    else if (error == ECONNREFUSED)
        fprintf(stderr, "qportwatch %s: the auditor has ended, and with it " SERVER "; ask as root\n", command);
    else
        fprintf(stderr, "qportwatch %s: asking " SERVER ": %s\n", command, strerror(error));
    return QPW_EXIT_FAILED;
}

/* Report a missing exit status. n: result of recv(2), with errno. */
static int no_answer(ssize_t n, const char *command)
{
    const char *why = n < 0 ? strerror(errno) : "the answer ended early: it took too long, or the auditor has ended";

    if (n < 0 && errno == ECONNRESET)
        why = "refused: this user has too many commands at a time; try again";
    else if (n < 0 && errno == EAGAIN)
        why = SERVER " does not answer; ask as root, who can also end it where it hangs: another is started within a minute";
    fprintf(stderr, "qportwatch %s: %s\n", command, why);
    return QPW_EXIT_FAILED;
}

/* Receive the output, and return the exit status that ends it. */
static int receive(int fd, const char *command, FILE *out)
{
    struct timeval patience = {.tv_sec = QPW_READERS_ANSWER_SECONDS};
    char packet[QPW_READERS_PACKET_BYTES + 1];
    ssize_t n;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    while ((n = recv(fd, packet, sizeof(packet), 0)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 1 && packet[0] == 'x')
            return (unsigned char)packet[1];
        if (n > 1 && fwrite(packet + 1, 1, (size_t)n - 1, packet[0] == '2' ? stderr : out) != (size_t)n - 1)
            return QPW_EXIT_FAILED;
    }
    return no_answer(n, command);
}

/* Append one word with its NUL. False: no space left. */
static bool add_word(char request[QPW_READERS_REQUEST_BYTES], size_t *length, const char *word)
{
    size_t bytes = strlen(word) + 1;

    if (*length + bytes > QPW_READERS_REQUEST_BYTES)
        return false;
    memcpy(request + *length, word, bytes);
    *length += bytes;
    return true;
}

int qpw_readers_ask(int argc, char **argv, FILE *out)
{
    char request[QPW_READERS_REQUEST_BYTES], columns[32];
    size_t length = 0;
    int fd, status;

    if (geteuid() == 0)
        return -1;
    fd = connect_to();
    if (fd < 0)
        return not_connected(-fd, argv[0]);
    snprintf(columns, sizeof(columns), QPW_READERS_COLUMNS "%u", qpw_terminal_columns(stdout));
    add_word(request, &length, columns);
    for (int i = 0; i < argc; i++)
        if (!add_word(request, &length, argv[i])) {
            close(fd);
            fprintf(stderr, "qportwatch %s: more than %u bytes of arguments\n", argv[0], QPW_READERS_REQUEST_BYTES);
            return QPW_EXIT_USAGE;
        }
    send(fd, request, length, MSG_NOSIGNAL); /* receive() reports the reason of a failure */
    status = receive(fd, argv[0], out);
    close(fd);
    return status;
}

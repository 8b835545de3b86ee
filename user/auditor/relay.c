/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/message.h"

#define MAX_WORDS 32u
#define SECONDS 60 /* for one command; who reads its output must not stop reading */

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(word, *list))
            return true;
    return false;
}

/* An option, without the value that may follow after "=". */
static bool is_allowed_option(const char *word)
{
    static const char *const options[] = {"--json", "--all", "--format", "--since", "--fail-on", NULL};
    char name[32];
    size_t length = strcspn(word, "=");

    if (length >= sizeof(name))
        return false;
    memcpy(name, word, length);
    name[length] = '\0';
    return is_one_of(name, options);
}

bool qpw_relay_allows(const json_t *words, struct qpw_error *err)
{
    static const char *const commands[] = {"status", "report", "connections", "listeners", NULL};
    const char *word;
    size_t i;
    json_t *one;

    if (!json_is_array(words) || json_array_size(words) == 0 || json_array_size(words) > MAX_WORDS) {
        qpw_fail(err, 0, "control message: not the words of a command");
        return false;
    }
    json_array_foreach(words, i, one) {
        word = json_string_value(one);
        if (word && (i ? word[0] != '-' || is_allowed_option(word) : is_one_of(word, commands)))
            continue;
        qpw_fail(err, 0, "members of the group " QPW_READERS_GROUP " may not use '%.40s'; root may", word ? word : "");
        return false;
    }
    return true;
}

/* ---- In processes of their own ---- */

static _Noreturn void run(const json_t *words)
{
    static char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL};
    char *argv[MAX_WORDS + 2] = {"qportwatch"};
    json_t *one;
    size_t i;

    json_array_foreach(words, i, one)
        argv[i + 1] = (char *)json_string_value(one);
    execve("/proc/self/exe", argv, environment);
    _exit(QPW_EXIT_FAILED);
}

/* Its exit status; QPW_EXIT_FAILED where it took too long or was killed. */
static int wait_for(pid_t pid)
{
    struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int status;

    if (end.fd >= 0 && poll(&end, 1, SECONDS * 1000) == 0)
        kill(pid, SIGKILL);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : QPW_EXIT_FAILED;
}

/* asker, out and err become descriptors 3, 1 and 2; nothing else of the auditor's stays open. */
static void take_descriptors(int asker, const int outputs[2])
{
    int held[] = {fcntl(outputs[0], F_DUPFD, 16), fcntl(outputs[1], F_DUPFD, 16), fcntl(asker, F_DUPFD, 16),
                  open("/dev/null", O_RDONLY)};

    dup2(held[3], STDIN_FILENO);
    dup2(held[0], STDOUT_FILENO);
    dup2(held[1], STDERR_FILENO);
    dup2(held[2], 3);
    close_range(4, ~0u, 0);
    fcntl(3, F_SETFD, FD_CLOEXEC);
}

static _Noreturn void supervise(const json_t *words, int asker, const int outputs[2])
{
    json_t *answer;
    sigset_t none;
    pid_t pid;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    take_descriptors(asker, outputs);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run(words);
    }
    answer = qpw_answer_new(QPW_EXIT_OK, NULL);
    json_object_set_new(answer, "ended", json_integer(pid < 0 ? QPW_EXIT_FAILED : wait_for(pid)));
    qpw_control_send(3, answer);
    _exit(0);
}

/* ---- In the auditor ---- */

void qpw_relay_tick(struct qpw_auditor *a)
{
    for (size_t i = 0; i < QPW_RELAYS; i++)
        if (a->relays[i] && waitpid(a->relays[i], NULL, WNOHANG) != 0)
            a->relays[i] = 0;
}

json_t *qpw_relay_serve(struct qpw_auditor *a, const json_t *request)
{
    const json_t *words = json_object_get(request, "words");
    struct qpw_error err;
    pid_t *place = NULL, pid;

    if (!qpw_relay_allows(words, &err))
        return qpw_answer_new(QPW_EXIT_USAGE, err.text);
    if (a->passed[0] < 0 || a->passed[1] < 0)
        return qpw_answer_new(QPW_EXIT_USAGE, "control message: no output was handed over");
    qpw_relay_tick(a);
    for (size_t i = 0; i < QPW_RELAYS && !place; i++)
        place = a->relays[i] ? NULL : &a->relays[i];
    if (!place)
        return qpw_answer_new(QPW_EXIT_FAILED, "too many such commands are running; try again");
    pid = fork();
    if (pid < 0)
        return qpw_answer_new(QPW_EXIT_FAILED, "the auditor cannot start another process");
    if (pid == 0)
        supervise(words, a->asking_fd, a->passed);
    *place = pid;
    return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "terminal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TMUX "tmux -S %s/socket -f /dev/null "

static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool has_socket(void *argument)
{
    struct stat st;

    return stat(argument, &st) == 0;
}

void terminal_open(struct terminal *t, const struct netns *ns, int columns, int rows, const char *command)
{
    char socket[80], fifo[80];
    char *server[] = {"tmux", "-S", socket, "-f", "/dev/null", "-u", "-D", NULL};

    if (system("command -v tmux >/dev/null 2>&1") != 0)
        cr_skip_test("tmux is not installed");
    t->ns = ns;
    strcpy(t->folder, "/tmp/qpw-terminal-XXXXXX");
    cr_assert_not_null(mkdtemp(t->folder));
    snprintf(socket, sizeof(socket), "%s/socket", t->folder);
    snprintf(fifo, sizeof(fifo), "%s/output", t->folder);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    t->output = open(fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    cr_assert_geq(t->output, 0);
    t->server = netns_start(ns, NULL, server);
    cr_assert(netns_until(has_socket, socket, NETNS_DEADLINE_MS), "tmux did not start");
    netns_run(ns, TMUX "new-session -d -s 0 -x %d -y %d '%s' \\; set -g default-terminal tmux-256color \\; "
                       "set -g window-size manual \\; pipe-pane 'exec cat >%s/output'",
              t->folder, columns, rows, command, t->folder);
}

void terminal_close(struct terminal *t)
{
    char path[80];

    netns_stop(t->server, SIGTERM);
    close(t->output);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", t->folder, i ? "socket" : "output");
        unlink(path);
    }
    cr_expect_eq(rmdir(t->folder), 0, "%s: %s", t->folder, strerror(errno));
}

void terminal_keys(struct terminal *t, const char *keys)
{
    netns_run(t->ns, TMUX "send-keys -t 0 %s", t->folder, keys);
}

void terminal_type(struct terminal *t, const char *text)
{
    netns_run(t->ns, TMUX "send-keys -t 0 -l -- '%s'", t->folder, text);
}

void terminal_bytes(struct terminal *t, const char *hex)
{
    netns_run(t->ns, TMUX "send-keys -t 0 -H %s", t->folder, hex);
}

void terminal_resize(struct terminal *t, int columns, int rows)
{
    netns_run(t->ns, TMUX "resize-window -t 0 -x %d -y %d", t->folder, columns, rows);
}

const char *terminal_screen(struct terminal *t, bool colours)
{
    static char screen[256 * 1024];

    netns_output(t->ns, screen, sizeof(screen), TMUX "capture-pane -t 0 -p %s", t->folder, colours ? "-e" : "");
    return screen;
}

/* Wait for output, but at most a quarter of a second, because the output may have come before the last look. */
static void await_output(struct terminal *t)
{
    struct pollfd input = {.fd = t->output, .events = POLLIN};
    char thrown_away[4096];

    if (poll(&input, 1, 250) > 0)
        while (read(t->output, thrown_away, sizeof(thrown_away)) > 0)
            ;
}

static void until(struct terminal *t, const char *text, bool there)
{
    long deadline = now_ms() + NETNS_DEADLINE_MS;

    while (!!strstr(terminal_screen(t, false), text) != there) {
        if (now_ms() > deadline)
            cr_assert(false, "the screen %s '%s':\n%s", there ? "never showed" : "still shows", text,
                      terminal_screen(t, false));
        await_output(t);
    }
}

void terminal_until(struct terminal *t, const char *text)
{
    until(t, text, true);
}

void terminal_until_not(struct terminal *t, const char *text)
{
    until(t, text, false);
}

pid_t terminal_pid(struct terminal *t)
{
    char text[32];

    netns_output(t->ns, text, sizeof(text), TMUX "list-panes -t 0 -F '#{pane_pid}'", t->folder);
    return (pid_t)strtol(text, NULL, 10);
}

static bool has_ended(void *argument)
{
    struct terminal *t = argument;

    return netns_output(t->ns, NULL, 0, TMUX "has-session -t 0", t->folder) != 0;
}

void terminal_until_end(struct terminal *t)
{
    cr_assert(netns_until(has_ended, t, NETNS_DEADLINE_MS), "it did not end:\n%s", terminal_screen(t, false));
}

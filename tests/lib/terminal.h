/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * terminal.h - a real terminal for tests: a tmux server of the test's own, one window, keys in, the screen out.
 *
 * The server is a child of the test and dies with it, and the program in the window dies with the server.
 */
#ifndef TESTS_LIB_TERMINAL_H
#define TESTS_LIB_TERMINAL_H

#include "netns.h"

struct terminal {
    const struct netns *ns;
    char folder[64]; /* socket and fifo; removed when closed */
    int output;      /* readable after each output of the program */
    pid_t server;
};

/* Start the server and a shell command in a window of that size, inside the namespace. Skip the test without tmux. */
void terminal_open(struct terminal *t, const struct netns *ns, int columns, int rows, const char *command);
void terminal_close(struct terminal *t);

/* Send keys by their tmux names ("Enter", "C-z", "F6", "j"), separated by blanks. */
void terminal_keys(struct terminal *t, const char *keys);
/* Send text as typed. */
void terminal_type(struct terminal *t, const char *text);
/* Send raw bytes, as hexadecimal numbers separated by blanks. */
void terminal_bytes(struct terminal *t, const char *hex);
void terminal_resize(struct terminal *t, int columns, int rows);

/* Return the screen as text, rows ended by newlines. colours: with escape sequences. Valid until the next call. */
const char *terminal_screen(struct terminal *t, bool colours);

/*
 * Wait until the screen contains (or no longer contains) the text; at the deadline fail the test, showing the screen.
 */
void terminal_until(struct terminal *t, const char *text);
void terminal_until_not(struct terminal *t, const char *text);

/* Return the process in the window. */
pid_t terminal_pid(struct terminal *t);
/* Wait until the window's program has ended (the window closes with it). */
void terminal_until_end(struct terminal *t);

#endif

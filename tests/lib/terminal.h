/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * terminal.h - a real terminal for tests: a tmux server of the test's own, one window, keys in, the screen out.
 *
 * The server is a child of the test and dies with it, and with the server what runs in the window.
 */
#ifndef TESTS_LIB_TERMINAL_H
#define TESTS_LIB_TERMINAL_H

#include "netns.h"

struct terminal {
    const struct netns *ns;
    char folder[64]; /* socket and fifo; removed when closed */
    int output;      /* becomes readable with each output of the program */
    pid_t server;
};

/* Starts the server and a shell command in a window of that size, inside the namespace. Skips the test without tmux. */
void terminal_open(struct terminal *t, const struct netns *ns, int columns, int rows, const char *command);
void terminal_close(struct terminal *t);

/* Keys as tmux names them ("Enter", "C-z", "F6", "j"), separated by blanks. */
void terminal_keys(struct terminal *t, const char *keys);
/* Text, typed as it is. */
void terminal_type(struct terminal *t, const char *text);
/* Raw bytes, as hexadecimal numbers separated by blanks. */
void terminal_bytes(struct terminal *t, const char *hex);
void terminal_resize(struct terminal *t, int columns, int rows);

/* The screen as text, rows ended by newlines. colours: with its escape sequences. Valid until the next call. */
const char *terminal_screen(struct terminal *t, bool colours);

/* Waits until the screen holds (or no longer holds) the text; fails the test at the deadline, showing the screen. */
void terminal_until(struct terminal *t, const char *text);
void terminal_until_not(struct terminal *t, const char *text);

/* Process that runs in the window. */
pid_t terminal_pid(struct terminal *t);
/* Waits until the window's program has ended (the window goes with it). */
void terminal_until_end(struct terminal *t);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/top_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "control/readers.h"
#include "util/error.h"

#define WORDS 8
#define WORD_BYTES 512
/* Limit on the time between the two snapshots behind rates; the rest of an interval is waited for here. */
#define LONGEST_MS 20000u
#define ROWS 24

struct words {
    char text[WORDS][WORD_BYTES];
    char *argv[WORDS + 1];
    int argc;
};

static void add(struct words *w, const char *option, const char *value)
{
    if (!value || w->argc == WORDS)
        return;
    snprintf(w->text[w->argc], WORD_BYTES, "%s%s", option, value);
    w->argv[w->argc] = w->text[w->argc];
    w->argc++;
}

/* Build the words of a request; the server validates each of them. */
static void write_words(const struct qpw_top_reader *o, unsigned looks_ms, struct words *ret)
{
    char seconds[32];

    *ret = (struct words){0};
    snprintf(seconds, sizeof(seconds), "%.3f", looks_ms / 1000.0);
    add(ret, "top", "");
    add(ret, "--once", "");
    add(ret, "--interval=", seconds);
    add(ret, "--json", o->json ? "" : NULL);
    add(ret, "--ascii", o->ascii ? "" : NULL);
    add(ret, "--tab=", o->tab ? o->tab : o->screen ? "unexpected" : NULL);
    add(ret, "--filter=", o->filter);
    add(ret, "--sort=", o->sort);
}

static void wait_ms(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}

/* Draw the text from the top left, as far as the terminal has lines, and erase the previous one. */
static void draw(const char *text)
{
    struct winsize size = {0};
    unsigned rows = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : ROWS;

    fputs("\033[H", stdout);
    for (unsigned row = 0; *text && row + 1 < rows; row++) {
        size_t line = strcspn(text, "\n");

        fwrite(text, 1, line, stdout);
        fputs("\033[K\n", stdout);
        text += line + (text[line] == '\n');
    }
    fputs("Ctrl-C ends; --tab NAME shows another table\033[J", stdout);
    fflush(stdout);
}

/* Send one request; on a screen, buffer its output until it is complete. */
static int ask(const struct qpw_top_reader *o, struct words *words)
{
    char *text = NULL;
    size_t size;
    FILE *memory;
    int status;

    if (!o->screen)
        return qpw_readers_ask(words->argc, words->argv, stdout);
    memory = open_memstream(&text, &size);
    if (!memory)
        return QPW_EXIT_FAILED;
    status = qpw_readers_ask(words->argc, words->argv, memory);
    if (fclose(memory) == 0 && status == QPW_EXIT_OK)
        draw(text);
    free(text);
    return status;
}

int qpw_top_reader_run(const struct qpw_top_reader *o)
{
    unsigned looks_ms = o->interval_ms < LONGEST_MS ? o->interval_ms : LONGEST_MS;
    struct words words;
    int status;

    write_words(o, looks_ms, &words);
    for (;;) {
        status = ask(o, &words);
        if (status != QPW_EXIT_OK || o->once || fflush(stdout) != 0)
            return status;
        if (!o->json && !o->screen)
            putchar('\n');
        wait_ms(o->json ? o->interval_ms : o->interval_ms - looks_ms);
    }
}

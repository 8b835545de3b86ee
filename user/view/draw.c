/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/draw.h"

#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "view/keys.h"
#include "words/terminal.h"

struct qpw_draw {
    SCREEN *screen;
    bool ascii, colours, gone;
    attr_t attributes[QPW_STYLE_COUNT];
    short pairs[QPW_STYLE_COUNT];
    int rows, cols;
    struct qpw_cell *shown; /* as the terminal shows them now */
    int shown_rows, shown_cols;
};

/* Attributes carry every distinction; colour only repeats them. Colours: of 16, of 256. */
static const struct {
    attr_t attributes;
    short basic, rich;
} looks[QPW_STYLE_COUNT] = {
    [QPW_STYLE_NORMAL] = {A_NORMAL, -1, -1},
    [QPW_STYLE_DIM] = {A_DIM, -1, 245},
    [QPW_STYLE_BOLD] = {A_BOLD, -1, -1},
    [QPW_STYLE_TITLE] = {A_REVERSE, -1, -1},
    [QPW_STYLE_TAB] = {A_UNDERLINE, COLOR_CYAN, 110},
    [QPW_STYLE_TAB_ON] = {A_BOLD | A_REVERSE, COLOR_CYAN, 110},
    [QPW_STYLE_GOOD] = {A_NORMAL, COLOR_GREEN, 71},
    [QPW_STYLE_NOTE] = {A_NORMAL, COLOR_CYAN, 74},
    [QPW_STYLE_WARN] = {A_BOLD, COLOR_YELLOW, 214},
    [QPW_STYLE_BAD] = {A_BOLD | A_REVERSE, COLOR_RED, 196},
    [QPW_STYLE_GRAPH] = {A_NORMAL, COLOR_BLUE, 67},
};

static void choose_looks(struct qpw_draw *d)
{
    const char *no_color = getenv("NO_COLOR");

    d->colours = !(no_color && *no_color) && has_colors();
    if (d->colours) {
        start_color();
        use_default_colors();
    }
    for (int i = 0; i < QPW_STYLE_COUNT; i++) {
        short colour = COLORS >= 256 ? looks[i].rich : looks[i].basic;

        d->attributes[i] = looks[i].attributes;
        if (!d->colours || colour < 0)
            continue;
        d->pairs[i] = (short)(i + 1);
        init_pair(d->pairs[i], colour, -1);
        /* With colour, "bad" needs no reverse video, and "dim" no attribute besides its grey. */
        if (i == QPW_STYLE_BAD)
            d->attributes[i] = A_BOLD;
        if (i == QPW_STYLE_DIM && COLORS >= 256)
            d->attributes[i] = A_NORMAL;
    }
}

int qpw_draw_open(bool ascii, struct qpw_draw **ret, struct qpw_error *err)
{
    struct qpw_draw *d;
    const char *term = getenv("TERM");

    d = calloc(1, sizeof(*d));
    if (!d)
        return qpw_fail(err, -ENOMEM, "out of memory");
    d->screen = newterm(NULL, stdout, stdin);
    if (!d->screen || !tigetstr("cup")) { /* such as "dumb": all text would go onto one line */
        bool known = d->screen;

        if (known) {
            endwin();
            delscreen(d->screen);
        }
        free(d);
        return qpw_fail(err, -ENOTTY, known ? "terminal '%s' cannot place the cursor"
                                            : "terminal '%s' is not known to ncurses", term ? term : "");
    }
    d->ascii = ascii || !qpw_terminal_utf8();
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    intrflush(stdscr, FALSE);
    set_escdelay(25);
    curs_set(0);
    choose_looks(d);
    qpw_draw_mouse(d, /* on= */ true);
    *ret = d;
    return 0;
}

bool qpw_draw_ascii(const struct qpw_draw *d)
{
    return d->ascii;
}

bool qpw_draw_gone(const struct qpw_draw *d)
{
    return d->gone;
}

void qpw_draw_mouse(struct qpw_draw *d, bool on)
{
    mousemask(on ? BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0,
              NULL);
    mouseinterval(0); /* report presses at once instead of waiting for a double click */
}

/* Ask the terminal each time, which does not depend on how this process handles SIGWINCH. */
void qpw_draw_size(struct qpw_draw *d, int *ret_rows, int *ret_cols)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
        (size.ws_row != LINES || size.ws_col != COLS))
        resizeterm(size.ws_row, size.ws_col);
    *ret_rows = d->rows = LINES;
    *ret_cols = d->cols = COLS;
}

static void show_cell(const struct qpw_draw *d, int row, int col, const struct qpw_cell *cell)
{
    unsigned style = cell->style & ~QPW_STYLE_SELECTED;
    attr_t attributes = d->attributes[style];
    wchar_t text[2 + QPW_CELL_MARKS] = {cell->ch, cell->marks[0], cell->marks[1]};
    cchar_t wide;

    if (cell->style & QPW_STYLE_SELECTED)
        attributes = (attributes & ~A_DIM) ^ A_REVERSE;
    setcchar(&wide, text, attributes, d->pairs[style], NULL);
    mvadd_wch(row, col, &wide);
}

void qpw_draw_show(struct qpw_draw *d, const struct qpw_canvas *c, bool all)
{
    size_t n = (size_t)c->rows * c->cols;

    if (all || !d->shown || d->shown_rows != c->rows || d->shown_cols != c->cols) {
        struct qpw_cell *shown = calloc(n, sizeof(*shown));

        if (!shown)
            return;
        free(d->shown);
        d->shown = shown; /* zeroed, so that it differs from every cell */
        d->shown_rows = c->rows;
        d->shown_cols = c->cols;
        clearok(curscr, TRUE);
    }
    for (size_t i = 0; i < n; i++) {
        if (!memcmp(&d->shown[i], &c->cells[i], sizeof(d->shown[i])))
            continue;
        if (c->cells[i].ch != QPW_CELL_CONTINUED)
            show_cell(d, (int)(i / c->cols), (int)(i % c->cols), &c->cells[i]);
        d->shown[i] = c->cells[i];
    }
    refresh();
}

static int translate(int key)
{
    static const struct {
        int theirs, ours;
    } keys[] = {
        {KEY_UP, QPW_KEY_UP},         {KEY_DOWN, QPW_KEY_DOWN},           {KEY_LEFT, QPW_KEY_LEFT},
        {KEY_RIGHT, QPW_KEY_RIGHT},   {KEY_PPAGE, QPW_KEY_PAGE_UP},       {KEY_NPAGE, QPW_KEY_PAGE_DOWN},
        {KEY_HOME, QPW_KEY_HOME},     {KEY_END, QPW_KEY_END},             {KEY_BTAB, QPW_KEY_BACKTAB},
        {KEY_DC, QPW_KEY_DELETE},     {KEY_BACKSPACE, QPW_KEY_BACKSPACE}, {KEY_ENTER, QPW_KEY_ENTER},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (keys[i].theirs == key)
            return keys[i].ours;
    if (key >= KEY_F(1) && key <= KEY_F(10))
        return QPW_KEY_F1 + key - KEY_F(1);
    return key < 256 ? key : QPW_KEY_NONE;
}

bool qpw_draw_input(struct qpw_draw *d, struct qpw_draw_event *ret)
{
    MEVENT mouse;
    int key = getch();

    *ret = (struct qpw_draw_event){.key = QPW_KEY_NONE};
    if (key == ERR) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

        d->gone = poll(&input, 1, 0) > 0 && input.revents & (POLLHUP | POLLERR | POLLNVAL);
        return false;
    }
    if (key != KEY_MOUSE) {
        ret->key = translate(key);
        ret->row = ret->col = -1;
        return true;
    }
    ret->row = ret->col = -1;
    if (getmouse(&mouse) != OK)
        return true;
    if (mouse.bstate & BUTTON4_PRESSED)
        ret->key = QPW_KEY_UP;
    else if (mouse.bstate & BUTTON5_PRESSED)
        ret->key = QPW_KEY_DOWN;
    else if (mouse.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED)) {
        ret->row = mouse.y;
        ret->col = mouse.x;
    }
    return true;
}

static void base64(const unsigned char *in, size_t n, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3, out += 4) {
        unsigned word = (unsigned)in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);

        out[0] = digits[word >> 18];
        out[1] = digits[word >> 12 & 63];
        out[2] = i + 1 < n ? digits[word >> 6 & 63] : '=';
        out[3] = i + 2 < n ? digits[word & 63] : '=';
    }
    *out = '\0';
}

void qpw_draw_copy(struct qpw_draw *d, const char *text)
{
    char encoded[1024];

    if (strlen(text) > 700)
        return;
    base64((const unsigned char *)text, strlen(text), encoded);
    printf("\033]52;c;%s\a", encoded);
    fflush(stdout);
}

void qpw_draw_close(struct qpw_draw *d)
{
    if (!d)
        return;
    endwin();
    delscreen(d->screen);
    free(d->shown);
    free(d);
}

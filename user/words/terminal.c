/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/terminal.h"

#include <sys/stat.h>
#include <stdio.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool utf8 = true;

void qpw_terminal_start(void)
{
    setlocale(LC_CTYPE, "");
    utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    if (!utf8)
        setlocale(LC_CTYPE, "C.UTF-8");
}

bool qpw_terminal_utf8(void)
{
    return utf8;
}

unsigned qpw_terminal_columns(FILE *out)
{
    const char *variable = getenv("COLUMNS");
    unsigned long columns = variable ? strtoul(variable, NULL, 10) : 0;
    struct winsize size;

    if (out && isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col)
        columns = size.ws_col;
    if (!columns || columns > 10000)
        columns = QPW_PAGE_COLUMNS;
    return columns < QPW_LEAST_COLUMNS ? QPW_LEAST_COLUMNS : (unsigned)columns;
}

bool qpw_terminal_colour(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(out)) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

bool qpw_is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat s;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &s) == 0 && s.st_dev == device &&
           s.st_ino == inode;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/remember.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "view/columns.h"

bool qpw_remember_path(char *buf, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int n;

    if (state && *state == '/')
        n = snprintf(buf, size, "%s/qportwatch/top", state);
    else if (home && *home == '/')
        n = snprintf(buf, size, "%s/.local/state/qportwatch/top", home);
    else
        return false;
    return n > 0 && (size_t)n < size;
}

static void take_sort(struct qpw_view_state *state, const char *value)
{
    char tab[24], column[32], order[16];
    int at;
    const struct qpw_column *found;

    if (sscanf(value, "%23s %15s %31[^\n]", tab, order, column) != 3)
        return;
    at = qpw_tab_find(tab);
    found = at < 0 ? NULL : qpw_column_named((enum qpw_tab)at, column);
    if (found)
        state->sort[at] = (struct qpw_sort){.column = found->id, .reverse = !strcmp(order, "reverse")};
}

static void take(struct qpw_view_state *state, const char *key, const char *value)
{
    if (!strcmp(key, "tab") && qpw_tab_find(value) >= 0) {
        state->tab = (enum qpw_tab)qpw_tab_find(value);
    } else if (!strcmp(key, "sort")) {
        take_sort(state, value);
    } else if (!strcmp(key, "interval")) {
        unsigned long ms = strtoul(value, NULL, 10);

        if (ms >= 100 && ms <= 3600000)
            state->interval_ms = (unsigned)ms;
    } else if (!strcmp(key, "totals")) {
        state->totals = *value == '1';
    } else if (!strcmp(key, "numbers")) {
        state->numbers = *value == '1';
    } else if (!strcmp(key, "bytes")) {
        state->bytes = *value == '1';
    }
}

void qpw_remember_load(const char *path, struct qpw_view_state *state)
{
    FILE *file = fopen(path, "re");
    char line[512];

    if (!file)
        return;
    while (fgets(line, sizeof(line), file)) {
        char *value = line + strcspn(line, " \n");

        line[strcspn(line, "\n")] = '\0';
        if (*value)
            *value++ = '\0';
        take(state, line, value);
    }
    fclose(file);
}

/* Create the missing folders of the path. */
static int make_folders(const char *path)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return 0;
}

/* Write the state except the filter, because the next user would miss what it suppresses. */
static void put(FILE *file, const struct qpw_view_state *state)
{
    fprintf(file, "tab %s\ninterval %u\ntotals %d\nnumbers %d\nbytes %d\n", qpw_tab_name(state->tab),
            state->interval_ms, state->totals, state->numbers, state->bytes);
    for (int i = 0; i < QPW_TAB_COUNT; i++) {
        const struct qpw_column *column = qpw_column_find((enum qpw_tab)i, state->sort[i].column);

        if (column && *column->title)
            fprintf(file, "sort %s %s %s\n", qpw_tab_name((enum qpw_tab)i), state->sort[i].reverse ? "reverse" : "own",
                    column->title);
    }
}

int qpw_remember_save(const char *path, const struct qpw_view_state *state)
{
    char beside[PATH_MAX];
    FILE *file;
    int fd, r = make_folders(path);

    if (r < 0)
        return r;
    if (snprintf(beside, sizeof(beside), "%s.%d", path, (int)getpid()) >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    file = fdopen(fd, "w");
    if (!file) {
        r = -errno;
        close(fd);
        unlink(beside);
        return r;
    }
    put(file, state);
    r = ferror(file) ? -EIO : 0;
    if (fclose(file) != 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(beside, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(beside);
    return r;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "config/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/file.h"
#include "util/near.h"
#include "util/text.h"
#include "util/usage.h"

#define MAX_LINE 4096u
#define MAX_SETTINGS 4096u
#define SPACE " \t\r\n\v\f"

/* The location that an error is reported for. */
struct position {
    struct qpw_config_reader *reader;
    const char *path;
    unsigned line;
};

static void complain(const struct position *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(const struct position *at, const char *format, ...)
{
    char what[600], line[PATH_MAX + 640];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    snprintf(line, sizeof(line), "%s:%u: %s", at->path, at->line, what);
    at->reader->errors++;
    at->reader->complain(qpw_text_clean(line));
}

/* ---- Names ---- */

struct search {
    const char *name;
    const struct argp_option *found;
    struct qpw_near near;
};

/* Return whether the option is a setting; those on the program itself are not. */
static bool is_setting(const struct argp_option *option)
{
    return option->name && strcmp(option->name, "config");
}

static void compare(void *arg, const struct argp_option *option)
{
    struct search *search = arg;

    if (!is_setting(option))
        return;
    if (!strcmp(option->name, search->name))
        search->found = option;
    else if (!(option->flags & OPTION_HIDDEN))
        qpw_near_offer(&search->near, option->name);
}

/*
 * Return whether an unknown name may be repeated in a message; otherwise the line may be from a quite different file
 * that a link leads to.
 */
static bool could_be_a_name(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] == '\0';
}

static bool find(const struct position *at, const char *name, const struct argp_option **ret)
{
    struct search search = {.name = name, .near = qpw_near_to(name, strlen(name))};
    char hint[80];

    *ret = NULL;
    if (!strcmp(name, QPW_CONFIG_IFACE))
        return true;
    qpw_usage_each_option(at->reader->argp, compare, &search);
    qpw_near_offer(&search.near, QPW_CONFIG_IFACE);
    *ret = search.found;
    if (search.found)
        return true;
    if (search.near.best)
        complain(at, "unknown setting '%s'%s", name, qpw_near_hint(&search.near, hint, sizeof(hint)));
    else if (!could_be_a_name(name))
        complain(at, "no setting: a line is 'name value' or 'name = value'; 'qportwatch config show' lists the names");
    else
        complain(at, "unknown setting '%s'; 'qportwatch config show' lists them", name);
    return false;
}

/* ---- Values ---- */

/* Normalise the value of an option without argument to "yes" or "no"; NULL: neither. */
static const char *yes_or_no(const char *value)
{
    static const char *const words[][2] = {{"", "yes"}, {"yes", "yes"}, {"on", "yes"}, {"true", "yes"}, {"1", "yes"},
                                           {"no", "no"}, {"off", "no"}, {"false", "no"}, {"0", "no"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcasecmp(value, words[i][0]))
            return words[i][1];
    return NULL;
}

/* Remove a comment or the quotes. False: an error, which has been reported. */
static bool take_value(const struct position *at, char **value)
{
    char *text = *value, *end;

    if (*text == '"') {
        end = strchr(text + 1, '"');
        if (!end) {
            complain(at, "the value begins with a double quote that is never closed");
            return false;
        }
        *end++ = '\0';
        end += strspn(end, SPACE);
        if (*end && *end != '#') {
            complain(at, "'%s': only a comment may follow the closing quote", end);
            return false;
        }
        *value = text + 1;
        return true;
    }
    for (end = text; *end; end++)
        if (*end == '#' && (end == text || strchr(SPACE, end[-1])))
            break;
    while (end > text && strchr(SPACE, end[-1]))
        end--;
    *end = '\0';
    return true;
}

static bool may_repeat(const char *name)
{
    return !strcmp(name, "peer") || !strcmp(name, "alert");
}

/* Report a setting that occurs twice in a file, because it is unclear which one was meant. */
static bool reported_before(const struct position *at, const char *name, const char *value, unsigned layer)
{
    const struct qpw_settings *config = at->reader->config;
    bool list = !strcmp(name, QPW_CONFIG_IFACE);

    for (size_t i = 0; i < config->n; i++) {
        const struct qpw_setting *s = &config->settings[i];

        if (s->layer != layer || strcmp(s->name, name) || may_repeat(name) || (list && strcmp(s->value, value)))
            continue;
        if (list)
            complain(at, "%s: named twice; first at %s", value, s->from);
        else
            complain(at, "%s is given twice; first at %s", name, s->from);
        return true;
    }
    return false;
}

static void add(const struct position *at, const char *name, const char *value, bool flag)
{
    struct qpw_settings *config = at->reader->config;
    struct qpw_setting *s;

    if (reported_before(at, name, value, config->layers))
        return;
    s = config->n < MAX_SETTINGS ? QPW_ADD(config->settings, config->n) : NULL;
    if (!s) {
        complain(at, "no more than %u settings", MAX_SETTINGS);
        return;
    }
    *s = (struct qpw_setting){.name = strdup(name), .value = strdup(value), .flag = flag, .layer = config->layers};
    if (asprintf(&s->from, "%s:%u", at->path, at->line) < 0)
        s->from = NULL;
    config->n++;
    if (!s->name || !s->value || !s->from) {
        fprintf(stderr, "qportwatch: out of memory\n");
        exit(QPW_EXIT_FAILED);
    }
}

static void add_interfaces(const struct position *at, char *value)
{
    char *name, *save = NULL;
    bool any = false;

    for (name = strtok_r(value, SPACE ",", &save); name; name = strtok_r(NULL, SPACE ",", &save)) {
        if (strchr(name, '"'))
            complain(at, "iface: %s: double quotes go around the whole value only", name);
        else
            add(at, QPW_CONFIG_IFACE, name, /* flag= */ false);
        any = true;
    }
    if (!any)
        complain(at, "iface: its value is missing: iface auto, or the names of interfaces");
}

static void take_line(const struct position *at, char *line)
{
    const struct argp_option *option;
    const char *word;
    char *name, *value;
    size_t length = strlen(line);

    while (length && strchr(SPACE, line[length - 1]))
        line[--length] = '\0';
    name = line + strspn(line, SPACE);
    if (!*name || *name == '#')
        return;
    length = strcspn(name, SPACE "=");
    value = name + length + strspn(name + length, SPACE);
    value += *value == '=' ? 1 + strspn(value + 1, SPACE) : 0;
    name[length] = '\0';
    if (!length) {
        complain(at, "the name of the setting is missing");
        return;
    }
    if (!strncmp(name, "--", 2)) {
        complain(at, "'%s': settings have no dashes in front; write '%s'", name, name + 2);
        return;
    }
    if (!find(at, name, &option) || !take_value(at, &value))
        return;
    if (!option) {
        add_interfaces(at, value);
    } else if (!option->arg) {
        word = yes_or_no(value);
        if (word)
            add(at, name, word, /* flag= */ true);
        else
            complain(at, "%s %s: not yes or no", name, value);
    } else if (*value) {
        add(at, name, value, /* flag= */ false);
    } else {
        complain(at, "%s: its value is missing: %s %s", name, name, option->arg);
    }
}

static void read_lines(struct position *at, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    while ((length = getline(&line, &room, file)) >= 0) {
        at->line++;
        if (length > 0 && line[length - 1] == '\n')
            line[--length] = '\0';
        if (strlen(line) < (size_t)length)
            complain(at, "a zero byte: this is no text");
        else if (length > (ssize_t)MAX_LINE)
            complain(at, "the line is longer than %u bytes", MAX_LINE);
        else
            take_line(at, line);
    }
    if (ferror(file))
        complain(at, "cannot be read further: %s", strerror(errno));
    free(line);
}

void qpw_config_read_file(struct qpw_config_reader *reader, const char *path)
{
    struct position at = {.reader = reader, .path = path};
    struct qpw_error err;
    char whose[400];
    int fd = qpw_file_open(path, &err);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "re");

    reader->config->layers++;
    if (!file) {
        reader->errors++;
        reader->complain(fd < 0 ? err.text : "out of memory");
        if (fd >= 0)
            close(fd);
        return;
    }
    read_lines(&at, file);
    fclose(file);
    if (!reader->config->foreign && qpw_file_is_others(path, whose, sizeof(whose)) &&
        asprintf(&reader->config->foreign, "%s: others than root can change it (%s)", path, whose) < 0)
        reader->config->foreign = NULL;
}

static int is_part(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return *entry->d_name != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".conf");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* independent of the locale */
}

static void read_folder(struct qpw_config_reader *reader)
{
    struct dirent **entries;
    char path[PATH_MAX];
    int n = scandir(QPW_CONFIG_FOLDER, &entries, is_part, by_name);

    if (n < 0 && errno != ENOENT) {
        snprintf(path, sizeof(path), "%s: cannot be read: %s", QPW_CONFIG_FOLDER, strerror(errno));
        reader->errors++;
        reader->complain(path);
    }
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", QPW_CONFIG_FOLDER, entries[i]->d_name);
        qpw_config_read_file(reader, path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

size_t qpw_config_read(const char *file, const struct argp *argp, struct qpw_settings *ret, void (*to)(const char *line))
{
    struct qpw_config_reader reader = {.argp = argp, .config = ret, .complain = to};

    *ret = (struct qpw_settings){0};
    if (file) {
        qpw_config_read_file(&reader, file);
        return reader.errors;
    }
    if (faccessat(AT_FDCWD, QPW_CONFIG_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
        qpw_config_read_file(&reader, QPW_CONFIG_FILE);
    read_folder(&reader);
    return reader.errors;
}

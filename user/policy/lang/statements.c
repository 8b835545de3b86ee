/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/statements.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/file.h"
#include "util/near.h"
#include "util/text.h"

/* Files being read, innermost first; including one of them again is a cycle. */
struct reading {
    const struct reading *outer;
    const char *name;
    unsigned depth;
};

static int read_text(struct qpw_statements *all, const struct reading *reading, const char *text, size_t length,
                     struct qpw_error *err);

int qpw_fail_at(struct qpw_error *err, const struct qpw_where *where, unsigned column, const char *format, ...)
{
    char what[384];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if (column)
        return qpw_fail(err, -EINVAL, "%.100s:%u:%u: %s", where->file, where->line, column, what);
    return qpw_fail(err, -EINVAL, "%.100s:%u: %s", where->file, where->line, what);
}

/* Read the file and close fd. */
static int read_to_the_end(int fd, const char *path, char **ret_text, size_t *ret_length, struct qpw_error *err)
{
    int error = qpw_file_bytes(fd, QPW_MAX_POLICY_BYTES, ret_text, ret_length);

    close(fd);
    if (error == 0 && *ret_length > QPW_MAX_POLICY_BYTES) {
        free(*ret_text);
        error = -EFBIG;
    }
    return error < 0 ? qpw_fail(err, error, "%s: cannot be read: %s", path, strerror(-error)) : 0;
}

int qpw_read_whole(const char *path, char **ret_text, size_t *ret_length, struct qpw_error *err)
{
    int fd = qpw_file_open(path, err);

    return fd < 0 ? fd : read_to_the_end(fd, path, ret_text, ret_length, err);
}

int qpw_read_stream(const char *path, char **ret_text, size_t *ret_length, struct qpw_error *err)
{
    int fd = qpw_file_open_stream(path, err);

    return fd < 0 ? fd : read_to_the_end(fd, path, ret_text, ret_length, err);
}

static const char *remember_file(struct qpw_statements *all, const char *name)
{
    char **file = QPW_ADD(all->files, all->n_files);

    if (!file || !(*file = strdup(name)))
        return NULL;
    all->n_files++;
    return *file;
}

static int check_characters(const struct qpw_where *where, const char *line, size_t length, struct qpw_error *err)
{
    unsigned column = 1;

    for (size_t i = 0; i < length; column++) {
        size_t step = qpw_utf8_length((const unsigned char *)line + i, length - i);

        if (!step)
            return qpw_fail_at(err, where, column, "byte 0x%02x is not UTF-8 text", (unsigned char)line[i]);
        i += step;
    }
    return 0;
}

static unsigned column_of(const char *line, size_t at)
{
    unsigned column = 1;

    for (size_t i = 0; i < at; i++)
        column += (line[i] & 0xc0) != 0x80;
    return column;
}

/* A line of the file, without its newline. */
struct source_line {
    const struct qpw_where *where;
    const char *text;
    size_t length;
};

/* Parse the word at *at, whose column the caller knows; it may be quoted from its start or from after its first '='. */
static int take_word(const struct source_line *source, size_t *at, unsigned column, struct qpw_word *ret,
                     struct qpw_error *err)
{
    const struct qpw_where *where = source->where;
    const char *line = source->text;
    size_t length = source->length;
    struct qpw_word word = {.column = column, .quoted = line[*at] == '"'};
    size_t i = *at, out = 0;
    bool in_quotes = false, seen_equals = false;

    word.text = malloc(length - i + 1);
    if (!word.text)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", where->file);
    for (; i < length && (in_quotes || !isblank((unsigned char)line[i])); i++) {
        bool may_open = i == *at || (seen_equals && line[i - 1] == '=');

        if (in_quotes && line[i] == '\\' && i + 1 < length && (line[i + 1] == '"' || line[i + 1] == '\\')) {
            word.text[out++] = line[++i];
        } else if (line[i] == '"' && in_quotes) {
            in_quotes = false;
            if (i + 1 < length && !isblank((unsigned char)line[i + 1])) {
                free(word.text);
                return qpw_fail_at(err, where, column_of(line, i + 1), "missing space after the closing quote");
            }
        } else if (line[i] == '"' && may_open) {
            in_quotes = true;
        } else if (line[i] == '"') {
            free(word.text);
            return qpw_fail_at(err, where, column_of(line, i), "quote inside a word; put the whole word in quotes");
        } else {
            seen_equals |= line[i] == '=' && !in_quotes && !word.quoted;
            word.text[out++] = line[i];
        }
    }
    word.text[out] = '\0';
    if (in_quotes) {
        free(word.text);
        return qpw_fail_at(err, where, word.column, "missing closing quote");
    }
    ret->text =
        realloc(word.text, out + 1); /* shrink: a long line has many words, and each buffer had room for all of it */
    if (!ret->text)
        ret->text = word.text;
    ret->column = word.column;
    ret->quoted = word.quoted;
    *at = i;
    return 0;
}

static void clear_statement(struct qpw_policy_statement *statement)
{
    for (size_t i = 0; i < statement->n_words; i++)
        free(statement->words[i].text);
    free(statement->words);
    free(statement->text);
}

static int split_line(struct qpw_policy_statement *statement, const char *line, size_t length, struct qpw_error *err)
{
    const struct source_line source = {&statement->where, line, length};
    size_t at = 0, begin = length, end = 0, counted = 0;
    unsigned column = 1;
    int ret = check_characters(&statement->where, line, length, err);

    while (ret == 0) {
        struct qpw_word *word;

        while (at < length && isblank((unsigned char)line[at]))
            at++;
        if (at == length || line[at] == '#')
            break;
        if (begin > at)
            begin = at;
        column += column_of(line + counted, at - counted) - 1;
        counted = at;
        word = statement->n_words < QPW_MAX_WORDS ? QPW_ADD(statement->words, statement->n_words) : NULL;
        if (!word)
            return qpw_fail(err, -ENOMEM, "%s:%u: too many words for one line", statement->where.file,
                            statement->where.line);
        ret = take_word(&source, &at, column, word, err);
        if (ret == 0)
            statement->n_words++;
        end = at;
    }
    if (ret == 0 && end > begin && !(statement->text = strndup(line + begin, end - begin)))
        return qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
    return ret;
}

static int append(struct qpw_statements *all, const struct qpw_policy_statement *statement)
{
    struct qpw_policy_statement *slot = QPW_ADD(all->list, all->n);

    if (!slot)
        return -ENOMEM;
    *slot = *statement;
    all->n++;
    return 0;
}

/* Prefix a relative path with the folder of `relative_to`. The caller frees the result. */
static char *beside(const char *path, const char *relative_to)
{
    const char *slash = relative_to ? strrchr(relative_to, '/') : NULL;
    char *joined;

    if (path[0] == '/' || !slash || !strncmp(relative_to, "built-in:", 9))
        return strdup(path);
    return asprintf(&joined, "%.*s/%s", (int)(slash - relative_to), relative_to, path) < 0 ? NULL : joined;
}

int qpw_statements_fault(struct qpw_statements *all, const struct qpw_where *where, const char *text)
{
    size_t file = SIZE_MAX;

    for (size_t i = 0; i < all->n_files && file == SIZE_MAX; i++)
        if (where && all->files[i] == where->file)
            file = i;
    return qpw_faults_add(&all->faults, file, where ? where->line : 0, text);
}

static const char *near_builtin(const char *word, char *buf, size_t size)
{
    struct qpw_near near = qpw_near_to(word, strlen(word));
    const char *name;

    for (unsigned i = 0; (name = qpw_builtin_name(i)); i++)
        qpw_near_offer(&near, name);
    return qpw_near_hint(&near, buf, size);
}

static int include(struct qpw_statements *all, const struct reading *outer,
                   const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    const struct qpw_word *word = &statement->words[1];
    char *name = NULL, *read = NULL;
    char hint[80];
    const char *text;
    size_t length;
    int ret = 0;

    if (statement->n_words != 2)
        return qpw_fail_at(err, &statement->where, statement->words[0].column,
                           "include takes one name: a built-in or a file");
    text = qpw_builtin_text(word->text, &length);
    if (text ? asprintf(&name, "built-in:%s", word->text) < 0 : !(name = beside(word->text, statement->where.file)))
        return qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
    for (const struct reading *r = outer; r && ret == 0; r = r->outer)
        if (!strcmp(r->name, name))
            ret = qpw_fail_at(err, &statement->where, word->column, "%s includes itself", name);
    if (ret == 0 && outer->depth + 1 > QPW_MAX_INCLUDES)
        ret = qpw_fail_at(err, &statement->where, word->column, "includes go deeper than %u", QPW_MAX_INCLUDES);
    if (ret == 0 && all->n_files >= 1024)
        ret = qpw_fail_at(err, &statement->where, word->column, "more than 1024 files");
    if (ret == 0 && !text) {
        struct qpw_error why = {0};

        if (qpw_read_whole(name, &read, &length, &why) < 0)
            ret = qpw_fail_at(err, &statement->where, word->column, "no built-in policy '%s', and %s%s", word->text,
                              why.text, near_builtin(word->text, hint, sizeof(hint)));
        text = read;
    }
    if (ret == 0) {
        struct reading inner = {.outer = outer, .name = name, .depth = outer->depth + 1};

        ret = read_text(all, &inner, text, length, err);
    }
    free(read);
    free(name);
    return ret;
}

/* Destination of lines: `to`, which is `all` except for a list; faults always go to `all`. */
struct target {
    struct qpw_statements *all, *to;
    const struct reading *reading;
};

static int read_line(const struct target *t, struct qpw_where where, const char *line, size_t length, struct qpw_error *err)
{
    const struct reading *reading = t->reading;
    struct qpw_policy_statement statement = {.where = where, .depth = reading->depth};
    int ret;

    if (length && line[length - 1] == '\r')
        length--;
    ret = split_line(&statement, line, length, err);
    if (ret == 0 && statement.n_words && t->to == t->all && !strcmp(statement.words[0].text, "include")) {
        ret = include(t->all, reading, &statement, err);
    } else if (ret == 0 && statement.n_words) {
        ret = append(t->to, &statement);
        if (ret == 0)
            return 0;
        qpw_fail(err, ret, "%s: out of memory", where.file);
    }
    clear_statement(&statement);
    return ret;
}

static int read_lines(const struct target *t, const char *file, const char *text, size_t length, struct qpw_error *err)
{
    struct qpw_where where = {.file = file};

    if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        text += 3;
        length -= 3;
    }
    while (length) {
        const char *newline = memchr(text, '\n', length);
        size_t line = newline ? (size_t)(newline - text) : length;
        struct qpw_error why;
        int ret;

        where.line++;
        ret = read_line(t, where, text, line, &why);
        if (ret == -EINVAL) {
            t->all->left_out = true;
            ret = qpw_statements_fault(t->all, &where, why.text);
        }
        if (ret < 0)
            return qpw_fail(err, ret, "%s", why.text);
        line += newline != NULL;
        text += line;
        length -= line;
    }
    return 0;
}

static int read_text(struct qpw_statements *all, const struct reading *reading, const char *text, size_t length,
                     struct qpw_error *err)
{
    const char *file = remember_file(all, reading->name);

    if (!file)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", reading->name);
    sha256_update(&all->digest, length, (const uint8_t *)text);
    return read_lines(&(struct target){all, all, reading}, file, text, length, err);
}

int qpw_statements_read_text(struct qpw_statements *ret, const char *name, const char *text, size_t length,
                             struct qpw_error *err)
{
    struct reading reading = {.name = name};

    *ret = (struct qpw_statements){0};
    sha256_init(&ret->digest);
    return read_text(ret, &reading, text, length, err);
}

int qpw_statements_read_file(struct qpw_statements *ret, const char *path, struct qpw_error *err)
{
    size_t length;
    char *text;
    int error;

    *ret = (struct qpw_statements){0};
    error = qpw_read_whole(path, &text, &length, err);
    if (error < 0)
        return error;
    error = qpw_statements_read_text(ret, path, text, length, err);
    free(text);
    return error;
}

int qpw_statements_read_list(struct qpw_statements *all, struct qpw_statements *ret, const char *path,
                             const char *relative_to, struct qpw_error *err)
{
    char *name = beside(path, relative_to), *text;
    const char *file;
    size_t length;
    int error;

    if (!name)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    error = qpw_read_whole(name, &text, &length, err);
    if (error == 0) {
        struct reading reading = {.name = name};

        file = remember_file(all, name);
        sha256_update(&all->digest, length, (const uint8_t *)text);
        error = file ? read_lines(&(struct target){all, ret, &reading}, file, text, length, err)
                     : qpw_fail(err, -ENOMEM, "%s: out of memory", path);
        free(text);
    }
    free(name);
    return error;
}

void qpw_statements_clear(struct qpw_statements *statements)
{
    for (size_t i = 0; i < statements->n; i++)
        clear_statement(&statements->list[i]);
    for (size_t i = 0; i < statements->n_files; i++)
        free(statements->files[i]);
    free(statements->list);
    free(statements->files);
    qpw_faults_clear(&statements->faults);
    *statements = (struct qpw_statements){0};
}

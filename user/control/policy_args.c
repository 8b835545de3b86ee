/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/policy_args.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    char *buf;
    size_t size;
    size_t used;
};

static void write_line(struct writer *w, const char *word, const char *value)
{
    int n;

    if (!value || w->used >= w->size)
        return;
    n = snprintf(w->buf + w->used, w->size - w->used, "%s %s\n", word, value);
    w->used += n;
}

static void write_path(struct writer *w, const char *word, const char *path)
{
    char absolute[PATH_MAX];

    if (path)
        write_line(w, word, realpath(path, absolute) ? absolute : path);
}

int qpw_policy_args_write(const struct qpw_policy_options *options, char *buf, size_t size)
{
    struct writer w = {.buf = buf, .size = size};

    buf[0] = '\0';
    write_path(&w, "policy", options->policy_file);
    write_line(&w, "platform", options->platform);
    write_path(&w, "peers", options->peers_file);
    for (size_t i = 0; i < options->n_peers; i++)
        write_line(&w, "peer", options->peers[i]);
    if (w.used < size)
        return 0;
    buf[0] = '\0';
    return -ENOSPC;
}

static int read_line(char *line, struct qpw_policy_options *options)
{
    char *value = strchr(line, ' ');
    const char **peers;

    if (!value)
        return -EINVAL;
    *value++ = '\0';
    if (!strcmp(line, "policy")) {
        options->policy_file = value;
    } else if (!strcmp(line, "platform")) {
        options->platform = value;
    } else if (!strcmp(line, "peers")) {
        options->peers_file = value;
    } else if (!strcmp(line, "peer")) {
        peers = reallocarray(options->peers, options->n_peers + 1, sizeof(*peers));
        if (!peers)
            return -ENOMEM;
        options->peers = peers;
        options->peers[options->n_peers++] = value;
    } else {
        return -EINVAL;
    }
    return 0;
}

int qpw_policy_args_read(char *text, struct qpw_policy_options *ret)
{
    struct qpw_policy_options options = {0};
    char *save, *line;
    int r = 0;

    for (line = strtok_r(text, "\n", &save); r == 0 && line; line = strtok_r(NULL, "\n", &save))
        r = read_line(line, &options);
    if (r < 0) {
        qpw_policy_options_clear(&options);
        return r;
    }
    *ret = options;
    return 0;
}

/* Whether a line of that word is in the text. */
static bool says(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, word, length) && line[length] == ' ')
            return true;
    }
    return false;
}

char *qpw_policy_args_over(const struct qpw_policy_options *before, const char *more)
{
    struct qpw_policy_options kept = *before;
    size_t length = strlen(more);
    char *text = malloc(length + QPW_POLICY_ARGS_BYTES);

    if (!text)
        return NULL;
    if (says(more, "policy") || says(more, "platform"))
        kept.policy_file = kept.platform = NULL;
    if (says(more, "peer") || says(more, "peers")) {
        kept.peers_file = NULL;
        kept.n_peers = 0;
    }
    memcpy(text, more, length + 1);
    if (qpw_policy_args_write(&kept, text + length, QPW_POLICY_ARGS_BYTES) == 0)
        return text;
    free(text);
    return NULL;
}

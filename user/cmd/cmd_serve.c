/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_serve.c - run qportwatch-serve, which is apart because it loads the libraries that meet other hosts. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "serve/options.h"
#include "util/error.h"
#include "util/usage.h"

#define PROGRAM "qportwatch-serve"

/* Run it, unless only the options are asked for. */
static int run(const char *as, const struct argp_option *options, int argc, char **argv)
{
    const struct argp argp = {.options = options};
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(PROGRAM) - 1);
    const char **words = calloc((size_t)argc + 2, sizeof(*words));
    char *slash;

    qpw_usage_offer(&argp);
    if (n < 0 || !words) {
        fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
        free(words);
        return QPW_EXIT_FAILED;
    }
    path[n] = '\0';
    slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, PROGRAM);
    words[0] = PROGRAM;
    words[1] = as;
    for (int i = 1; i < argc; i++)
        words[i + 1] = argv[i];
    execv(path, (char *const *)words);
    fprintf(stderr, "%s: %s: %s\n", argv[0], path, strerror(errno));
    free(words);
    return QPW_EXIT_FAILED;
}

int qpw_cmd_serve(int argc, char **argv)
{
    return run("serve", qpw_serve_options, argc, argv);
}

int qpw_cmd_cluster_key(int argc, char **argv)
{
    return run("key", qpw_serve_key_options, argc, argv);
}

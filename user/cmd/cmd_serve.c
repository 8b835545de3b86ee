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
#include "util/beside.h"
#include "util/error.h"
#include "util/usage.h"

#define PROGRAM "qportwatch-serve"

/* Run it, unless only the options are asked for. */
static int run(const char *as, const struct argp_option *options, int argc, char **argv)
{
    const struct argp argp = {.options = options};
    const char **words;
    char path[PATH_MAX];
    int r;

    qpw_usage_offer(&argp);
    words = calloc((size_t)argc + 2, sizeof(*words));
    r = words ? qpw_program_beside(PROGRAM, path) : -ENOMEM;
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", argv[0], strerror(-r));
        free(words);
        return QPW_EXIT_FAILED;
    }
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

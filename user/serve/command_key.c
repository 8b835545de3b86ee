/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* command_key.c - qportwatch cluster key: make this node's key and print its line of the policy. */
#include <stdio.h>
#include <unistd.h>

#include "serve/commands.h"
#include "serve/key.h"
#include "serve/options.h"
#include "util/error.h"
#include "util/usage.h"

struct options {
    const char *folder;
    const char *name;
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case QPW_SERVE_KEY_OPTION_FOLDER: o->folder = value; return 0;
    case QPW_SERVE_KEY_OPTION_NAME: o->name = value; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int qpw_serve_key_command(int argc, char **argv)
{
    static const struct argp argp = {
        .options = qpw_serve_key_options, .parser = take_option,
        .doc = "Make the key and the self-signed certificate that this node proves itself by to its peers, unless they exist, and print "
               "what to add to its line of the policy."};
    char host[256] = "", pin[QPW_KEY_LEN];
    struct options o = {.folder = QPW_KEY_FOLDER};
    struct qpw_error err;
    bool made;

    argv[0] = (char *)"qportwatch cluster key";
    qpw_arguments_parse(&argp, argc, argv, &o);
    gethostname(host, sizeof(host) - 1);
    if (qpw_key_make(o.folder, o.name ? o.name : host, &made, pin, &err) < 0) {
        fprintf(stderr, "qportwatch cluster key: %s\n", err.text);
        return QPW_EXIT_FAILED;
    }
    printf("# %s %s; on every node, add the key to the line of this node:\npeer %s key=%s\n", made ? "made" : "found", o.folder,
           o.name ? o.name : host, pin);
    return fflush(stdout) == 0 ? QPW_EXIT_OK : QPW_EXIT_FAILED;
}

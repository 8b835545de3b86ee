/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* command_key.c - qportwatch cluster key: make this node's key and print its line of the policy. */
#include <ctype.h>
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
    case QPW_SERVE_KEY_OPTION_FOLDER: o->folder = qpw_usage_path(state, "--keys", value); return 0;
    case QPW_SERVE_KEY_OPTION_NAME:
        if (!qpw_is_name(value))
            qpw_usage_error(state, "--name: '%s' is not a name: lower-case letters, digits and . _ + -, at most %u characters", value, QPW_NAME_LEN - 1);
        o->name = value;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* Write the host's name as a policy can have it. False: it cannot. */
static bool name_of_host(char *buf, size_t size)
{
    gethostname(buf, size - 1);
    for (char *c = buf; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return qpw_is_name(buf);
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
    if (!o.name && !name_of_host(host, sizeof(host))) {
        fprintf(stderr, "qportwatch cluster key: the host's name, '%s', cannot stand in a policy; give one with --name\n", host);
        return QPW_EXIT_USAGE;
    }
    if (qpw_key_make(o.folder, o.name ? o.name : host, &made, pin, &err) < 0) {
        fprintf(stderr, "qportwatch cluster key: %s\n", err.text);
        return QPW_EXIT_FAILED;
    }
    printf("# %s %s; on every node, add the key to the line of this node:\npeer %s key=%s\n", made ? "made" : "found", o.folder,
           o.name ? o.name : host, pin);
    return fflush(stdout) == 0 ? QPW_EXIT_OK : QPW_EXIT_FAILED;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/subcommands.h"

#include <stdio.h>
#include <string.h>

#include "util/error.h"
#include "util/near.h"
#include "util/usage.h"

static int print_usage(const struct qpw_subcommands *s)
{
    printf("Usage: %s COMMAND [OPTIONS]\n\n%s%s", s->program, s->about, *s->about ? "\n" : "");
    for (size_t i = 0; i < s->n; i++)
        printf("  %-8s %s\n", s->commands[i].name, s->commands[i].does);
    printf("\n'%s COMMAND --help' lists the options of a command.\n", s->program);
    return QPW_EXIT_OK;
}

int qpw_subcommands_run(const struct qpw_subcommands *s, int argc, char **argv)
{
    static char name[64];
    struct qpw_near near;

    if (argc < 2)
        return qpw_usage_no_command(s->program, NULL);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return print_usage(s);
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(argv[1], s->commands[i].name))
            continue;
        snprintf(name, sizeof(name), "%s %s", s->program, s->commands[i].name);
        argv[1] = name;
        return s->commands[i].run(argc - 1, argv + 1);
    }
    near = qpw_near_to(argv[1], strlen(argv[1]));
    for (size_t i = 0; i < s->n; i++)
        qpw_near_offer(&near, s->commands[i].name);
    return qpw_usage_no_command(s->program, &near);
}

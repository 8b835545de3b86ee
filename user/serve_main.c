/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * serve_main.c - qportwatch-serve, the program behind 'qportwatch serve' and 'qportwatch cluster key'.
 *
 * Apart from the privileged program, so that this one does not load the libraries that meet other hosts.
 */
#include <stdio.h>
#include <string.h>

#include "serve/commands.h"
#include "util/error.h"

int main(int argc, char **argv)
{
    if (argc >= 2 && !strcmp(argv[1], "key"))
        return qpw_serve_key_command(argc - 1, argv + 1);
    if (argc >= 2 && !strcmp(argv[1], "serve"))
        return qpw_serve_command(argc - 1, argv + 1);
    fputs("qportwatch-serve: is run by 'qportwatch serve' and 'qportwatch cluster key'\n", stderr);
    return QPW_EXIT_USAGE;
}

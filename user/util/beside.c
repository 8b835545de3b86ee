/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/beside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int qpw_program_beside(const char *name, char ret_path[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", ret_path, PATH_MAX - strlen(name) - 1);
    char *slash;

    if (n < 0)
        return -errno;
    ret_path[n] = '\0';
    slash = strrchr(ret_path, '/');
    strcpy(slash ? slash + 1 : ret_path, name);
    return 0;
}

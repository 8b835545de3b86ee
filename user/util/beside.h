/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* beside.h - the other program of this project, which is installed in the same folder. */
#ifndef QPW_UTIL_BESIDE_H
#define QPW_UTIL_BESIDE_H

#include <limits.h>

/* Write the path of the program of that name in this program's folder. Returns 0 or -errno. */
int qpw_program_beside(const char *name, char ret_path[PATH_MAX]);

#endif

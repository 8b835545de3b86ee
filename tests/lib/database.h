/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* database.h - one figure out of a history, as anybody with sqlite3 would ask for it. */
#ifndef TESTS_LIB_DATABASE_H
#define TESTS_LIB_DATABASE_H

#include <stdint.h>

/* The first column of the first row, -1: there is none. Fails the test where the file cannot be asked so. */
int64_t database_number(const char *file, const char *sql);

#endif

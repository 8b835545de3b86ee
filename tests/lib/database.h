/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* database.h - query a history file with SQL, independently of our reader. */
#ifndef TESTS_LIB_DATABASE_H
#define TESTS_LIB_DATABASE_H

#include <stdint.h>

/* Return the first column of the first row, -1 if there is none. Fail the test if the query fails. */
int64_t database_number(const char *file, const char *sql);

#endif

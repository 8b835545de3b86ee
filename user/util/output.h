/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - a file that a command writes: it is the whole new text, or as it was before.
 *
 * The text goes into a file beside it, which takes its place at the end and, where the file system has such files, has
 * no name before: a command that is killed leaves nothing. A device or a pipe is written as it is, and so is a file in
 * a folder where none may be made.
 */
#ifndef QPW_UTIL_OUTPUT_H
#define QPW_UTIL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

struct qpw_output {
    FILE *file;      /* to be written to, and left open */
    char *path;      /* whose place is taken; NULL: nobody's */
    char *temporary; /* its name until then; NULL: none (yet) */
    char name[256];  /* for errors */
    int error;       /* negative errno of the first failure, where it is known */
};

/* NULL and "-": standard output. 0, or a negative errno with err filled and *ret untouched. */
int qpw_output_open(const char *name, struct qpw_output *ret, struct qpw_error *err);

/* A whole text. What fails here is told by qpw_output_close(). */
void qpw_output_write(struct qpw_output *o, const char *text, size_t size);

/*
 * Ends it. keep: puts the new text into its place; else all is as before, except for what a pipe, a device or standard
 * output has got already. 0, or a negative errno with err filled: then too all is as before.
 */
int qpw_output_close(struct qpw_output *o, bool keep, struct qpw_error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - a file that a command writes: afterwards it has the whole new text, or its old content.
 *
 * The text goes to a file beside it, which finally replaces it and, where the file system allows, has no name until
 * then, so that a killed command leaves nothing behind. A device or a pipe is written directly, and so is a file in a
 * folder where no other can be created.
 */
#ifndef QPW_UTIL_OUTPUT_H
#define QPW_UTIL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "util/error.h"

struct qpw_output {
    FILE *file;      /* for writing; do not close it */
    char *path;      /* the file to be replaced; NULL: none */
    char *temporary; /* name of the temporary file; NULL: none (yet) */
    char name[256];  /* for errors */
    int error;       /* negative errno of the first failure, if known */
};

/*
 * Open the output; NULL and "-" mean standard output. Returns 0, or a negative errno with err filled and *ret
 * unchanged.
 */
int qpw_output_open(const char *name, struct qpw_output *ret, struct qpw_error *err);

/* Write a whole text. qpw_output_close() reports errors. */
void qpw_output_write(struct qpw_output *o, const char *text, size_t size);

/*
 * Close the output. keep: install the new text; otherwise the file keeps its old content, while a pipe, a device or
 * standard output has already received the text. Returns 0, or a negative errno with err filled and the old content
 * kept.
 */
int qpw_output_close(struct qpw_output *o, bool keep, struct qpw_error *err);

#endif

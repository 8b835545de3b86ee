/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import.h - turn a vendor's page of required ports into a policy.
 *
 * Rows come from tables only, never from prose. The policy is never wider than the page: a named end becomes a set to
 * be filled in, rows for other nodes or for another choice are left out, and a row that is not understood is an error
 * with its line. The same page always gives the same bytes.
 */
#ifndef QPW_POLICY_IMPORT_H
#define QPW_POLICY_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define QPW_MAX_CHOICES 64

struct qpw_import_options {
    const char *platform;                  /* lower-case letters, digits and . _ + -; NULL: on-prem, not written */
    const char *nodes[QPW_MAX_CHOICES];    /* the page's names for the node: whole cells or items of lists in them */
    size_t n_nodes;
    const char *sections[QPW_MAX_CHOICES]; /* headings or tabs chosen among alternatives */
    size_t n_sections;
    const char *vendor;                    /* first part of the policy's name; NULL: none, or the built-ins' own vendor */
    bool partial;                          /* failed rows become comments */
};

struct qpw_lines {
    char **list; /* each "NAME:LINE: message" */
    size_t n;
};

struct qpw_imported {
    char *policy; /* the policy's text; NULL if the page was refused, or if rows failed without `partial` */
    struct qpw_lines errors;
    struct qpw_lines warnings;
    size_t rows;  /* of tables of ports: taken + others + failed */
    size_t taken;
    size_t others; /* for other nodes or sections, or denied by the page */
    size_t failed;
};

/*
 * Import `text` (length bytes). `name` appears in messages; its last part also in the policy's source and ref=. 0: *ret
 * has a policy, and no errors unless `partial`. -EINVAL: the page is at fault, and ret->errors lists all faults;
 * another negative errno otherwise. err is the first error. The caller clears *ret, also after a failure.
 */
int qpw_import_text(const char *name, const char *text, size_t length, const struct qpw_import_options *options,
                    struct qpw_imported *ret, struct qpw_error *err);
int qpw_import_file(const char *path, const struct qpw_import_options *options, struct qpw_imported *ret,
                    struct qpw_error *err);
void qpw_imported_clear(struct qpw_imported *imported);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * import.h - the vendor's page of required ports into a policy.
 *
 * Jekyll source (Liquid, Markdown, HTML) and rendered HTML alike. Rows come from tables only, never from
 * prose; a row not understood is an error with its line, never skipped. The same page gives the same bytes.
 */
#ifndef QPW_POLICY_IMPORT_H
#define QPW_POLICY_IMPORT_H

#include <stddef.h>

#include "util/error.h"

struct qpw_import_options {
    const char *platform; /* a name: lower-case letters, digits and . _ + - */
    const char *node;     /* what Source and Destination columns call the node; NULL: node, cluster, storage … */
    const char *vendor;   /* first part of the policy's name; NULL: "qumulo" */
};

struct qpw_imported {
    char *policy;    /* the policy's text */
    char **warnings; /* "NAME:LINE: what" */
    size_t n_warnings;
};

/*
 * `name` stands in messages; its last part in the policy's source and ref=. 0, or negative errno with
 * err "NAME:LINE: what" (-EINVAL: the page is at fault) and *ret untouched. The caller clears *ret.
 */
int qpw_import_text(const char *name, const char *text, size_t length, const struct qpw_import_options *options,
                    struct qpw_imported *ret, struct qpw_error *err);
int qpw_import_file(const char *path, const struct qpw_import_options *options, struct qpw_imported *ret,
                    struct qpw_error *err);
void qpw_imported_clear(struct qpw_imported *imported);

#endif

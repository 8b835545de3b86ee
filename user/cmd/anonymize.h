/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* anonymize.h - --anonymize KEYFILE, for the commands whose documents may leave a site. */
#ifndef QPW_CMD_ANONYMIZE_H
#define QPW_CMD_ANONYMIZE_H

#include "anonymous/anonymous.h"
#include "cmd/node_listeners.h"
#include "report/render.h"

#define QPW_ANONYMIZE_HELP \
    "Put other names and addresses in the place of the site's own, the same for the same under this key, which is made where the " \
    "file is not there; texts that people wrote are left out"

/*
 * Open the key, or create it, which is reported on standard error; call it only once there is something to write.
 * key_file NULL: *ret becomes NULL. Returns 0, or a negative errno with err filled.
 */
int qpw_anonymize_open(const char *key_file, struct qpw_anonymous **ret, struct qpw_error *err);

/* The anonymized replacement of a report's data. Must not be moved. */
struct qpw_anonymized {
    const struct qpw_anonymous *a;
    struct qpw_finding_row *raw; /* the originals, by which owners are looked up */
    const struct qpw_finding_row *rows;
    size_t n;
    struct qpw_render_options asked;
};

/*
 * Anonymize the snapshot behind a finished report, the listeners (node NULL: none) and, through `options`, owners.
 * Returns 0 or -ENOMEM. The caller clears *ret.
 */
int qpw_anonymize_report(struct qpw_anonymized *ret, const struct qpw_anonymous *a, struct qpw_snapshot *s, struct qpw_node_listeners *node,
                         struct qpw_render_options *options);
void qpw_anonymized_clear(struct qpw_anonymized *z);

#endif

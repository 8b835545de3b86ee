/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * found.h - what `serve` found about the cluster, "qportwatch.found/1": it writes the document, the auditor reads it and
 * reports it in the alert log.
 *
 * serve meets input of other hosts, so the auditor trusts none of it: severity and titles are the signature's, texts are
 * cleaned and cut, and the engine limits how many records they can cause.
 */
#ifndef QPW_ALERT_FOUND_H
#define QPW_ALERT_FOUND_H

#include <jansson.h>

#include "alert/signatures.h"
#include "util/error.h"

#define QPW_FOUND_SCHEMA "qportwatch.found/1"
#define QPW_FOUND_FILE "found.json" /* in the state directory of serve */
#define QPW_FOUND_MOST 256u
#define QPW_FOUND_BYTES (512u << 10)

struct qpw_found {
    uint64_t id;            /* of the subject, the same as long as it lasts */
    enum qpw_signature_name signature;
    char what[24];          /* qpw_difference_name() or a word of its own */
    char subject[96];       /* the node, pair or address concerned */
    char text[800];         /* the sentence */
    char command[400];      /* what settles it; may be empty */
    uint64_t since_unix_ns;
    bool elsewhere;         /* another node reports it */
};

struct qpw_found_list {
    uint64_t at_unix_ns;    /* when the nodes were compared */
    struct qpw_found *items;
    size_t n;
    uint64_t left_out;      /* found and not in the list, because it was full */
};

/* Return the document, owned by the caller; NULL: out of memory. */
json_t *qpw_found_json(const struct qpw_found_list *list);

/*
 * Read a document that anybody may have written. The caller clears *ret, also after an error. Return 0; -EINVAL or
 * -ENOMEM with err filled.
 */
int qpw_found_read(const char *bytes, size_t length, struct qpw_found_list *ret, struct qpw_error *err);

/* Order the list: the most serious first, of these the oldest. */
void qpw_found_sort(struct qpw_found_list *list);

void qpw_found_clear(struct qpw_found_list *list);

#endif

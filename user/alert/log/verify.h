/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* verify.h - follow the chain of sums through whole files of the alert log: where it breaks, and where it ends. */
#ifndef QPW_ALERT_VERIFY_H
#define QPW_ALERT_VERIFY_H

#include <jansson.h>

#include "alert/log/chain.h"
#include "alert/log/heads.h"
#include "util/error.h"

#define QPW_LOG_BREACHES 20u /* recorded; all are counted */

struct qpw_log_breach {
    char *file;
    uint64_t line;
    enum qpw_log_chain_word word;
    uint64_t number, after; /* of the record, and of its predecessor */
};

struct qpw_log_verify {
    struct qpw_log_chain chain;
    struct qpw_log_chain wanted; /* a head from elsewhere; number 0: none */
    bool found;                     /* that head is in the log */
    struct qpw_log_heads heads;     /* kept by peers; added after qpw_log_verify_begin(), sorted before the first line */
    uint64_t files, records, older; /* older: lines before the first record of a chain */
    uint64_t first;                 /* number of the first record */
    char *older_file;               /* of the first of the older lines, */
    uint64_t older_line;            /* and its number there */
    struct qpw_log_breach breaches[QPW_LOG_BREACHES];
    uint64_t n_breaches;
    void (*each)(void *arg, const char *line, size_t length); /* also receives every line of the files; may be NULL */
    void *arg;
    bool torn; /* the last line is incomplete: the auditor was killed while writing it */
};

/* Begin. wanted: "NUMBER:SUM" as in a heartbeat or 'status', or NULL. Returns 0, or -EINVAL with err: malformed. */
int qpw_log_verify_begin(struct qpw_log_verify *v, const char *wanted, struct qpw_error *err);

/* Verify a line, or a file; files oldest first. Returns 0, or a negative errno with err. */
void qpw_log_verify_line(struct qpw_log_verify *v, const char *file, uint64_t number, const char *line, size_t length);
int qpw_log_verify_file(struct qpw_log_verify *v, const char *path, struct qpw_error *err);

/* Verify a log with its rotated files. Returns 0, or a negative errno with err. */
int qpw_log_verify_log(struct qpw_log_verify *v, const char *path, struct qpw_error *err);

/* Finish after the last file. */
void qpw_log_verify_end(struct qpw_log_verify *v);
void qpw_log_verify_clear(struct qpw_log_verify *v);

/* Return whether there is a chain without a break that contains every requested head. */
bool qpw_log_verify_whole(const struct qpw_log_verify *v);

/* Describe a break in words. Returns buf. */
const char *qpw_log_breach_text(const struct qpw_log_breach *breach, char *buf, size_t size);

/* Return what the result proves and what it does not, as one sentence. Static. */
const char *qpw_log_verify_meaning(const struct qpw_log_verify *v);

/* Return the document "qportwatch.verify/1". NULL: out of memory. */
json_t *qpw_log_verify_json(const struct qpw_log_verify *v);

#endif

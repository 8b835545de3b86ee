/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* verify.h - the chain of sums followed through whole files of the alert log: where it breaks first, and how far it came. */
#ifndef QPW_ALERT_VERIFY_H
#define QPW_ALERT_VERIFY_H

#include <jansson.h>

#include "alert/log/chain.h"
#include "util/error.h"

#define QPW_LOG_BREACHES 20u /* that are kept; all are counted */

struct qpw_log_breach {
    char *file;
    uint64_t line;
    enum qpw_log_chain_word word;
    uint64_t number, after; /* of the record, and of the last one before it */
};

struct qpw_log_verify {
    struct qpw_log_chain chain;
    struct qpw_log_chain wanted;    /* a head known from elsewhere; number 0: none */
    bool found;                     /* that head is in the log */
    uint64_t files, records, older; /* older: lines before the first record of a chain */
    uint64_t first;                 /* number of the first record */
    char *older_file;               /* of the first of the older lines, */
    uint64_t older_line;            /* and its number there */
    struct qpw_log_breach breaches[QPW_LOG_BREACHES];
    uint64_t n_breaches;
    void (*each)(void *arg, const char *line, size_t length); /* gets every line of the files, too; NULL: nobody does */
    void *arg;
    bool torn; /* the last line is not whole: the auditor ended while it was written */
};

/* wanted: "NUMBER:SUM" as a heartbeat or 'status' has it, or NULL. 0, or -EINVAL with err: it is no head. */
int qpw_log_verify_begin(struct qpw_log_verify *v, const char *wanted, struct qpw_error *err);

/* One line, or the lines of a file; files in the order in which they were written. 0, or a negative errno with err. */
void qpw_log_verify_line(struct qpw_log_verify *v, const char *file, uint64_t number, const char *line, size_t length);
int qpw_log_verify_file(struct qpw_log_verify *v, const char *path, struct qpw_error *err);

/* A log with the files that it was rotated to. 0, or a negative errno with err. */
int qpw_log_verify_log(struct qpw_log_verify *v, const char *path, struct qpw_error *err);

/* After the last file. */
void qpw_log_verify_end(struct qpw_log_verify *v);
void qpw_log_verify_clear(struct qpw_log_verify *v);

/* Nothing was cut, changed, moved or added, there is a chain at all, and a head that was asked for is in it. */
bool qpw_log_verify_whole(const struct qpw_log_verify *v);

/* What is wrong there, in words. Writes into buf, returns buf. */
const char *qpw_log_breach_text(const struct qpw_log_breach *breach, char *buf, size_t size);

/* What it shows and what it does not: one sentence. Static. */
const char *qpw_log_verify_meaning(const struct qpw_log_verify *v);

/* "qportwatch.verify/1". NULL: no memory. */
json_t *qpw_log_verify_json(const struct qpw_log_verify *v);

#endif

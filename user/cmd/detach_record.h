/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * detach_record.h - write the alert log's records of `detach` if no auditor is alive to do so: when the last interface
 * is detached, the coverage records that the next auditor would have read are lost.
 */
#ifndef QPW_CMD_DETACH_RECORD_H
#define QPW_CMD_DETACH_RECORD_H

#include <stdbool.h>

#include "qportwatch_user.h"
#include "util/error.h"

struct qpw_detach_record {
    struct qpw_meta meta; /* of this network namespace's instance */
    bool known;
};

/* Take note of the instance and its log, before anything is removed. */
void qpw_detach_record_take(struct qpw_detach_record *ret);

/*
 * Write a record for each of its interfaces, after they were removed; none if the instance lives on or had no log.
 * Returns 0, or a negative errno with err filled if they could not be written.
 */
int qpw_detach_record_write(const struct qpw_detach_record *d, struct qpw_error *err);

#endif

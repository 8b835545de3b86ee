/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * detach_record.h - the records that `detach` leaves in the alert log where no auditor lives to write them: with the last
 * interface ends what would have told the next one.
 */
#ifndef QPW_CMD_DETACH_RECORD_H
#define QPW_CMD_DETACH_RECORD_H

#include <stdbool.h>

#include "qportwatch_user.h"
#include "util/error.h"

struct qpw_detach_record {
    struct qpw_meta meta; /* of the run of this network namespace */
    bool known;
};

/* Before anything is removed: what is attached, and where its log is. */
void qpw_detach_record_take(struct qpw_detach_record *ret);

/*
 * Afterwards: one record for each of its interfaces, unless it goes on with others or had no log. 0, or a negative errno with
 * err: they are not written.
 */
int qpw_detach_record_write(const struct qpw_detach_record *d, struct qpw_error *err);

#endif

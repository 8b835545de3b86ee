/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* store.h - a history that is written; internal to history/. */
#ifndef QPW_HISTORY_STORE_H
#define QPW_HISTORY_STORE_H

#include <sys/stat.h>

#include "history/db.h"
#include "history/history.h"

#define QPW_I(x) ((int64_t)(x))
#define QPW_SECOND_NS 1000000000ull

_Static_assert(sizeof(struct qpw_meter_key) == 16, "key in `counted`");

/*
 * A meter as of the last transaction. `counted` stores its key in this layout: a version with another one has to
 * convert it and raise QPW_HISTORY_VERSION.
 */
struct qpw_history_counted {
    struct qpw_meter_key key;
    int64_t id;   /* in the table `key` */
    int64_t last; /* slot in which `key.last` was last written */
    int64_t first; /* first packet of a new meter, 0: unknown */
    struct qpw_counts counts;
};

struct qpw_history {
    char *path;
    uint64_t most_bytes;
    uint32_t most_talkers;
    bool standard;
    struct qpw_db db;
    bool open;
    struct stat file;           /* identity of the open file */
    int64_t epoch;              /* 0: unknown */
    struct qpw_history_counted *counted; /* sorted by key; of that epoch */
    size_t n_counted;
    bool has_counted;           /* `counted` equals the file's */
    int64_t data_version;       /* of the file at that time */
    int64_t talkers;            /* rows */
    uint64_t rules;             /* hash of the rules in force as written; 0: none yet */
    int64_t day;                /* the day whose users are being counted */
};

/* write_rows.c: called within the transaction; 0 or a code of db.h. now: Unix seconds. */
int qpw_history_key(struct qpw_history *h, const struct qpw_snapshot *s, const struct qpw_meter_key *key, int64_t now,
                    int64_t *ret);
int qpw_history_findings(struct qpw_history *h, const struct qpw_history_input *in);
int qpw_history_talkers(struct qpw_history *h, const struct qpw_history_input *in, int64_t now);
int qpw_history_changes(struct qpw_history *h, const struct qpw_history_input *in, int64_t now);
int qpw_history_lost(struct qpw_history *h, const char *what, int64_t number);

/* rollup.c: combine old slots and remove what exceeds the limits, a little in each call, in transactions of its own. */
int qpw_history_tidy(struct qpw_history *h, int64_t now);

#endif

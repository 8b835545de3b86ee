/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evelog.h - read the alert log in tests: complete records, found by content. */
#ifndef TESTS_LIB_EVELOG_H
#define TESTS_LIB_EVELOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evelog {
    json_t **records;
    size_t n;
    size_t torn; /* lines that are not JSON, and an unterminated last line */
};

/* Conditions for a record; NULL and 0: any. */
struct evelog_filter {
    const char *name;    /* of the signature; for an engine record its module; "stats" */
    const char *source;  /* src_ip */
    unsigned port;       /* dest_port */
    const char *kind;    /* fact "kind" */
    const char *outcome;
    uint64_t flow_id;
};

/* Read the file and add its records; a missing file has none. */
void evelog_add(struct evelog *log, const char *path);
void evelog_clear(struct evelog *log);

/* Return the name of a record's signature, "" if it is none of ours. */
const char *evelog_name(const json_t *record);

/* Return the first value of a fact, "" if there is none. */
const char *evelog_fact(const json_t *record, const char *key);
uint64_t evelog_flow(const json_t *record);

bool evelog_fits(const json_t *record, const struct evelog_filter *f);
size_t evelog_count(const struct evelog *log, const struct evelog_filter *filter);
#define EVELOG_COUNT(log, ...) evelog_count((log), &(struct evelog_filter){__VA_ARGS__})

/* Return the newest match, or NULL. */
const json_t *evelog_last(const struct evelog *log, const struct evelog_filter *filter);

/* Wait until the file holds a match; at the deadline fail the test, showing the log. */
void evelog_until(const char *path, const struct evelog_filter *filter);
#define EVELOG_UNTIL(path, ...) evelog_until((path), &(struct evelog_filter){__VA_ARGS__})

/*
 * Assert that the sequences of every flow_id are 1, 2, 3 … without a gap, that only the first record is "first", and
 * that nothing is torn.
 */
void evelog_assert_sound(const struct evelog *log);

#endif

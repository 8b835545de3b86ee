/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evelog.h - the alert log as a test reads it: whole records, by what they say. */
#ifndef TESTS_LIB_EVELOG_H
#define TESTS_LIB_EVELOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evelog {
    json_t **records;
    size_t n;
    size_t torn; /* lines that are no JSON, and a last one without its end */
};

/* What a record has to be; NULL and 0: anything. */
struct evelog_filter {
    const char *name;    /* of the signature; of an engine record its module; "stats" */
    const char *source;  /* src_ip */
    unsigned port;       /* dest_port */
    const char *kind;    /* fact "kind" */
    const char *outcome;
    uint64_t flow_id;
};

/* Reads the file and adds its records; a file that is not there has none. */
void evelog_add(struct evelog *log, const char *path);
void evelog_clear(struct evelog *log);

/* Name of a record's signature, "" where it is none of ours. */
const char *evelog_name(const json_t *record);

/* First value of a fact, "" where there is none. */
const char *evelog_fact(const json_t *record, const char *key);
uint64_t evelog_flow(const json_t *record);

bool evelog_fits(const json_t *record, const struct evelog_filter *filter);
size_t evelog_count(const struct evelog *log, const struct evelog_filter *filter);
#define EVELOG_COUNT(log, ...) evelog_count((log), &(struct evelog_filter){__VA_ARGS__})

/* The newest that fits, or NULL. */
const json_t *evelog_last(const struct evelog *log, const struct evelog_filter *filter);

/* Waits until the file holds a record that fits. Fails the test at the deadline, showing the log. */
void evelog_until(const char *path, const struct evelog_filter *filter);
#define EVELOG_UNTIL(path, ...) evelog_until((path), &(struct evelog_filter){__VA_ARGS__})

/*
 * Asserts of every flow_id that its sequences are 1, 2, 3 … without a gap and that exactly the first is "first"; and
 * that nothing is torn.
 */
void evelog_assert_sound(const struct evelog *log);

#endif

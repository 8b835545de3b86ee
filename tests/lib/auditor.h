/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * auditor.h - a node and a client joined by a veth pair, and the built program at work on the node.
 *
 * Node: interface "node0", 10.7.0.1/24 and fd07::1/64. Client: "client0", 10.7.0.2/24 and fd07::2/64.
 * Segmentation offload is off on both, so that each frame is one packet in every count.
 */
#ifndef TESTS_LIB_AUDITOR_H
#define TESTS_LIB_AUDITOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpfleft.h"
#include "netns.h"

struct node {
    struct netns node;
    struct netns client;
    char folder[64]; /* of this test alone, removed by node_close() */
    char log[96];    /* what the auditor printed */
    pid_t auditor;   /* 0: none */
    struct bpfleft left;
};

/* Skips where it cannot be had. */
void node_open(struct node *n);

/* Stops what runs, detaches what is left, removes the folder. */
void node_close(struct node *n);

/*
 * Starts "qportwatch attach ARGUMENTS" (no shell; words separated by blanks) on the node with
 * --no-tui --no-alerts, and waits until it is attached and running. Notes what it has put into the kernel.
 */
void node_attach(struct node *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes our programs and maps in node0's hooks, for node_nothing_left(). How many programs. */
unsigned node_note(struct node *n, const char *ifname);

/* Ends the auditor by the signal; its exit status. */
int node_stop(struct node *n, int signal_number);

/* Fails the test unless all that was noted is gone from the kernel and node0's hooks hold no program. */
void node_nothing_left(struct node *n);

/* Runs "qportwatch WORDS" on the node; output into out (may be NULL). Its exit status. */
int node_command(struct node *n, char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * "qportwatch status --json" as a document (caller releases) about what is attached. Where nothing is: NULL with
 * ret_exit given, else the test fails.
 */
json_t *node_status(struct node *n, int *ret_exit);

/* "qportwatch report --json" as a document (caller releases); fails the test where there is none. */
json_t *node_report(struct node *n);

/* A report's finding about that TCP port; fails the test where there is none. Borrowed. */
json_t *node_finding(json_t *report, uint16_t port);

/* A value by a path such as "totals.packets" or "interfaces.0.rx"; fails the test where there is none. Borrowed. */
json_t *node_value(json_t *document, const char *path);
const char *node_text(json_t *document, const char *path);
int64_t node_number(json_t *document, const char *path);

/* Waits until status says so; fails the test, showing the document, at the deadline. */
void node_until_text(struct node *n, const char *path, const char *wanted);
void node_until_number(struct node *n, const char *path, int64_t wanted);

/* Waits until the coverage holds a record of that kind. */
void node_until_coverage(struct node *n, const char *kind);

/* How many coverage records of that kind there are. */
unsigned node_coverage(json_t *document, const char *kind);

/* Loads a program of no use named `name` of that type, which passes every packet on. Its descriptor. */
int node_foreign_program(int type, const char *name);

/* Writes a file into the folder; its path is put together in `path`. */
void node_write(struct node *n, const char *name, const char *text, char *path, size_t size);

#endif

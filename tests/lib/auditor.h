/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * auditor.h - a node and a client joined by a veth pair, with the built program running on the node.
 *
 * Node: interface "node0", 10.7.0.1/24 and fd07::1/64. Client: "client0", 10.7.0.2/24 and fd07::2/64. Segmentation
 * offload is off on both, so that each frame is one packet in every count.
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
    char folder[64]; /* this test's own, removed by node_close() */
    char log[96];    /* the auditor's output */
    pid_t auditor;   /* 0: none */
    struct bpfleft left;
};

/* Create the node; skip the test without the privileges. */
void node_open(struct node *n);

/* Stop what runs, detach what is left, remove the folder. */
void node_close(struct node *n);

/*
 * Start "qportwatch attach ARGUMENTS" (no shell; words separated by blanks) on the node with --no-tui --no-alerts, and
 * wait until it is attached and running. Record what it loaded into the kernel.
 */
void node_attach(struct node *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Record our programs and maps in the interface's hooks, for node_nothing_left(). Returns the number of programs. */
unsigned node_note(struct node *n, const char *ifname);

/* End the auditor with the signal. Returns its exit status. */
int node_stop(struct node *n, int signal_number);

/* Fail the test unless everything recorded is gone from the kernel and node0's hooks hold no program. */
void node_nothing_left(struct node *n);

/* Run "qportwatch WORDS" on the node; output into out (may be NULL). Returns the exit status. */
int node_command(struct node *n, char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Return "qportwatch status --json" as a document (caller releases). If nothing is attached: NULL with ret_exit given,
 * else the test fails.
 */
json_t *node_status(struct node *n, int *ret_exit);

/* Return "qportwatch report --json" as a document (caller releases); fail the test if there is none. */
json_t *node_report(struct node *n);

/* Return a report's finding on that TCP port; fail the test if there is none. Borrowed. */
json_t *node_finding(json_t *report, uint16_t port);

/* Return a value by a path such as "totals.packets" or "interfaces.0.rx"; fail the test if there is none. Borrowed. */
json_t *node_value(json_t *document, const char *path);
const char *node_text(json_t *document, const char *path);
int64_t node_number(json_t *document, const char *path);

/* Wait until status has that value; at the deadline fail the test, showing the document. */
void node_until_text(struct node *n, const char *path, const char *wanted);
void node_until_number(struct node *n, const char *path, int64_t wanted);

/* Wait until the coverage has a record of that kind. */
void node_until_coverage(struct node *n, const char *kind);

/* Return the number of coverage records of that kind. */
unsigned node_coverage(json_t *document, const char *kind);

/* Load a program `name` of that type that passes every packet. Returns its descriptor. */
int node_foreign_program(int type, const char *name);

/* Write a file into the folder; its path is written to `path`. */
void node_write(struct node *n, const char *name, const char *text, char *path, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* site.h - an audited node in a namespace, with `qportwatch attach` run as by a user, and its report. */
#ifndef TESTS_LIB_SITE_H
#define TESTS_LIB_SITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "netns.h"

struct site {
    struct netns ns;
    struct netns far;  /* the other end of its only link */
    pid_t auditor;     /* 0: none */
    char dir[64];      /* files of this test: policy, eve.json, attach.log */
    bool xdp;          /* attached in XDP mode */
    struct netns_statistics before; /* far0's counts from before the node was attached */
};

/* Create two namespaces on a veth pair: node0 10.1.0.1/24 fd00:10::1/64, far0 10.1.0.2/24 fd00:10::2/64. */
void site_make(struct site *n);

/* Run `qportwatch attach node0 --no-tui --interval 1 OPTIONS` and wait until it is attached. policy: text, or NULL. */
void site_attach(struct site *n, const char *policy, const char *options);

/* End the auditor with the signal, which must give that exit status, and assert that nothing is left in the hooks. */
void site_detach(struct site *n, int signal_number);

/* Remove the files; assert that nothing of qportwatch is left in the node's hooks. */
void site_end(struct site *n);

/* Return `qportwatch report --json` of the node; the caller drops the reference. */
json_t *site_report(struct site *n);

/* Conditions for the meter rows to be summed; NULL or -1: any. */
struct site_filter {
    const char *protocol, *direction, *verdict, *scope, *rule;
    int port; /* 0: anything; -1: rows without a port */
};

struct site_sum {
    uint64_t connections, rx_packets, rx_bytes, tx_packets, tx_bytes;
};

struct site_sum site_sum(json_t *report, const struct site_filter *f);

/* Assert the two identities: by_verdict and by_direction each sum to totals.packets, and so do the meters. */
void site_assert_identities(json_t *report);

/*
 * Wait until the sum over all meters equals the counts of the far end's interface (its tx is the node's rx), in packets
 * and bytes since the attachment; at the deadline fail the test, showing both.
 */
void site_until_equal(struct site *n);

/* Return the first finding of that direction, protocol and service port, borrowed. NULL: none. */
json_t *site_finding(json_t *report, const char *direction, const char *protocol, int port);

#endif

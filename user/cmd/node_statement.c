/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/node_statement.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymous/stated.h"
#include "cluster/statement.h"
#include "cmd/anonymize.h"
#include "cmd/node_listeners.h"
#include "control/watched.h"
#include "host/boot.h"
#include "host/clock.h"
#include "instance/instance.h"
#include "snapshot/samples.h"
#include "status/status_alerts.h"
#include "util/cleanup.h"
#include "words/known.h"

#define TRIES 5 /* of a dump that a change interrupts */

/* Everything that goes into a statement. */
struct parts {
    struct qpw_kernel kernel;
    struct qpw_snapshot snapshot;
    struct qpw_report report;
    struct qpw_node_listeners listeners;
    struct qpw_neighbourhood around;
    bool *floating;
    struct qpw_openers *openers;
    struct qpw_sample *samples;
    size_t n_samples;
    char boot_id[QPW_BOOT_ID];
};

static int read_around(struct parts *p, struct qpw_error *err)
{
    int r = -EINTR;

    for (unsigned i = 0; r == -EINTR && i < TRIES; i++) {
        qpw_neighbourhood_clear(&p->around);
        r = qpw_neighbourhood_read(p->snapshot.unix_ns, &p->around);
    }
    if (r == 0 && !(p->floating = calloc(p->around.n_addresses + 1, sizeof(*p->floating))))
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < p->around.n_addresses; i++)
        p->floating[i] = qpw_local_floats(&p->kernel, p->around.addresses[i].addr);
    return r < 0 ? qpw_fail(err, r, "the node's devices and neighbours cannot be read: %s", strerror(-r)) : 0;
}

static int read_listeners(struct parts *p, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_sockets_closep) struct qpw_sockets *sockets = NULL;
    int r = qpw_node_listeners_load(&p->listeners, NULL, &p->kernel, &p->snapshot, err);

    if (r < 0)
        return r;
    r = qpw_sockets_open(&sockets, err);
    if (r < 0)
        return r;
    return qpw_node_listeners_read(&p->listeners, sockets, &p->snapshot, err);
}

static int read_counted(struct parts *p, bool samples)
{
    int r = qpw_report_make(&p->snapshot, 0, &p->report);

    if (r < 0)
        return r;
    r = qpw_openers_read(&p->kernel, &p->openers);
    if (r < 0)
        return r;
    return samples ? qpw_samples_read(&p->kernel, &p->samples, &p->n_samples) : 0;
}

static int read_parts(struct parts *p, bool samples, struct qpw_error *err)
{
    struct qpw_collect_options options = {.ports = true};
    int r = qpw_instance_find(&p->kernel, err);

    if (r < 0)
        return r;
    r = qpw_collect_watched(&p->kernel, &options, &p->snapshot, err);
    if (r < 0)
        return r;
    r = read_around(p, err);
    if (r < 0)
        return r;
    r = read_listeners(p, err);
    if (r < 0)
        return r;
    qpw_boot_id(p->boot_id);
    r = read_counted(p, samples);
    return r < 0 ? qpw_fail(err, r, "counters cannot be read: %s", strerror(-r)) : 0;
}

/* Read the head of the alert log's chain, "NUMBER:SUM", if an auditor writes one. */
static void read_chain(struct qpw_statement *s)
{
    json_t *alerts = qpw_status_alerts_gather();
    const char *head = json_string_value(json_object_get(alerts, "head"));
    const char *colon = head ? strchr(head, ':') : NULL;

    if (colon) {
        s->chain_seq = strtoull(head, NULL, 10);
        snprintf(s->chain_sha256, sizeof(s->chain_sha256), "%s", colon + 1);
    }
    json_decref(alerts);
}

/* Anonymize the statement. The key is opened only now, so that none is created if there is nothing to state. */
static int anonymize(struct parts *p, const char *key, struct qpw_statement *s, struct qpw_error *err)
{
    struct qpw_anonymous *a = NULL;
    int r = qpw_anonymize_open(key, &a, err);

    if (!a)
        return r;
    qpw_anonymous_stated(a, s);
    qpw_anonymous_snapshot(a, &p->snapshot); /* the source of the answer and of the document's head */
    snprintf(s->policy.name, sizeof(s->policy.name), "%.*s", (int)sizeof(p->snapshot.meta.policy_name), p->snapshot.meta.policy_name);
    qpw_anonymous_close(a);
    qpw_known_clear();
    return 0;
}

static int make(struct parts *p, const char *key, struct qpw_statement *s, json_t **ret, struct qpw_error *err)
{
    uint64_t later = qpw_clock_monotonic_ns() - p->snapshot.mono_ns; /* since the snapshot was taken */
    struct qpw_statement_from from = {
        .report = &p->report, .listening = &p->listeners.listening, .around = &p->around, .floating = p->floating,
        .openers = p->openers, .samples = p->samples, .n_samples = p->n_samples, .boot_id = p->boot_id,
        .boot_ns = qpw_clock_boot_ns() - later, .clock_error_ns = qpw_clock_error_ns(),
        .mono_to_unix_ns = (int64_t)(p->snapshot.unix_ns - p->snapshot.mono_ns)};
    int r = qpw_statement_make(&from, s);

    if (r < 0)
        return qpw_fail(err, r, "the statement cannot be made: %s", strerror(-r));
    read_chain(s);
    r = anonymize(p, key, s, err);
    if (r < 0)
        return r;
    r = qpw_statement_json(s, &p->report, ret);
    return r < 0 ? qpw_fail(err, r, "the statement cannot be made: %s", strerror(-r)) : 0;
}

static void clear_parts(struct parts *p)
{
    free(p->floating);
    free(p->openers);
    free(p->samples);
    qpw_neighbourhood_clear(&p->around);
    qpw_node_listeners_clear(&p->listeners);
    qpw_report_clear(&p->report);
    qpw_snapshot_clear(&p->snapshot);
    qpw_kernel_close(&p->kernel);
}

int qpw_node_statement(const struct qpw_node_statement_options *options, json_t **ret, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_statement_clear) struct qpw_statement statement = {0};
    struct parts p = {0};
    int r;

    qpw_kernel_init(&p.kernel);
    r = read_parts(&p, options->samples, err);
    if (r == 0)
        r = make(&p, options->key, &statement, ret, err);
    clear_parts(&p);
    return r;
}

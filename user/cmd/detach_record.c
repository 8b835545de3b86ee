/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/detach_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alert/engine.h"
#include "alert/log/log.h"
#include "control/peer.h"
#include "host/clock.h"
#include "instance/instance.h"

#define HISTORY_BYTES (1u << 20) /* read from the log's end, to continue its chain */

struct writing {
    struct qpw_log log;
    struct qpw_log_chain chain;
    uint64_t newest_ns; /* newest coverage record that the log contains */
};

void qpw_detach_record_take(struct qpw_detach_record *ret)
{
    struct qpw_kernel kernel;

    *ret = (struct qpw_detach_record){.known = false};
    if (qpw_instance_find(&kernel, NULL) < 0)
        return;
    ret->known = qpw_meta_read(&kernel, &ret->meta, NULL) == 0;
    qpw_kernel_close(&kernel);
}

static int write_record(void *data, const struct qpw_record *record)
{
    struct writing *w = data;
    char *line;
    int r = qpw_log_record(&w->log, &w->chain, record, &line);

    free(line);
    return r;
}

static void on_past(void *data, const struct qpw_engine_past *past)
{
    struct writing *w = data;

    w->newest_ns = past->coverage_unix_ns > w->newest_ns ? past->coverage_unix_ns : w->newest_ns;
}

static size_t fill(const struct qpw_meta *meta, uint64_t after_ns, struct qpw_coverage rows[QPW_MAX_IFACES])
{
    uint64_t now = qpw_clock_unix_ns();
    size_t n = 0;

    for (uint16_t i = 1; i < QPW_MAX_IFACES; i++) {
        if (!meta->rx_hook[i] && !meta->tx_hook[i])
            continue;
        rows[n] = (struct qpw_coverage){.unix_ns = (now > after_ns ? now : after_ns + 1) + n, .sequence = (uint32_t)n + 1,
                                        .kind = QPW_COVERAGE_DETACHED, .iface = i};
        snprintf(rows[n].text, sizeof(rows[n].text), "No auditor was running; the counters are discarded.");
        qpw_peer_describe(getpid(), rows[n].by, sizeof(rows[n].by));
        n++;
    }
    return n;
}

static int write_all(struct writing *w, const struct qpw_meta *meta)
{
    struct qpw_record_writer writer = {.write = write_record, .data = w};
    struct qpw_coverage *rows = calloc(QPW_MAX_IFACES, sizeof(*rows));
    char host[64] = "";
    struct qpw_engine_context context = {.host = host, .policy_name = meta->policy_name, .policy_path = meta->policy_path,
                                         .policy_digest = meta->policy_digest, .ifname = meta->ifname};
    struct qpw_engine *engine = NULL;
    int r = rows ? qpw_engine_new(NULL, &writer, &engine) : -ENOMEM;
    size_t n;

    if (r == 0) {
        gethostname(host, sizeof(host) - 1);
        qpw_engine_context(engine, &context, qpw_clock_unix_ns());
        n = fill(meta, w->newest_ns, rows);
        r = qpw_engine_coverage(engine, rows, n, qpw_clock_unix_ns()) ? 0 : -EIO;
    }
    qpw_engine_free(engine);
    free(rows);
    return r;
}

int qpw_detach_record_write(const struct qpw_detach_record *d, struct qpw_error *err)
{
    struct writing w = {.newest_ns = 0};
    struct qpw_kernel kernel;
    int r;

    if (!d->known || !*d->meta.alerts_path)
        return 0;
    if (qpw_instance_find(&kernel, NULL) == 0) { /* the instance lives on; its next auditor writes the record */
        qpw_kernel_close(&kernel);
        return 0;
    }
    r = qpw_log_init(&w.log, d->meta.alerts_path);
    if (r < 0)
        return qpw_fail(err, r, "out of memory");
    r = qpw_log_history(&w.log, HISTORY_BYTES, on_past, &w, &w.chain, err);
    if (r == 0) {
        r = write_all(&w, &d->meta);
        if (r < 0)
            qpw_fail(err, r, "%s", w.log.failing ? w.log.why.text : "out of memory");
    }
    qpw_log_close(&w.log);
    return r;
}

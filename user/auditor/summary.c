/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One line an interval: what came since the last one. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "auditor/internal.h"
#include "snapshot/collect.h"
#include "util/names.h"
#include "words/words.h"

static void append(char *line, size_t size, const char *text)
{
    size_t used = strlen(line);

    snprintf(line + used, size - used, "%s", text);
}

/* ", unexpected 1.0 %" for each verdict that occurred. */
static void append_verdicts(char *line, size_t size, const struct qpw_totals *since)
{
    char share[16], text[64];

    for (int verdict = QPW_VERDICT_COUNT - 1; verdict > QPW_VERDICT_NONE; verdict--) {
        if (!since->by_verdict[verdict])
            continue;
        qpw_words_share(since->by_verdict[verdict], since->packets, share, sizeof(share));
        snprintf(text, sizeof(text), ", %s %s", qpw_verdict_name(verdict), share);
        append(line, size, text);
    }
}

/* A meter row can shrink when a packet moves to a finding between two readings; never show less than none. */
static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

void qpw_summary_tell(struct qpw_auditor *a)
{
    struct qpw_collect_options options = {
        .brief = true, .links = a->netlink, .lock = QPW_LOCK_HELD, .auditor_pid = (int)getpid()};
    struct qpw_snapshot snapshot = {0};
    struct qpw_totals now, passed = {0};
    char line[512], bytes[24], packets[40];
    struct qpw_error err;

    if (qpw_collect(&a->kernel, &options, &snapshot, &err) < 0) {
        qpw_say(a, QPW_SAY_WARNING, "%s", err.text);
        return;
    }
    qpw_totals_of(&snapshot, &now);
    qpw_alerts_snapshot(a, &snapshot);
    qpw_snapshot_clear(&snapshot);
    passed.packets = since(now.packets, a->told_totals.packets);
    passed.bytes = since(now.bytes, a->told_totals.bytes);
    for (int verdict = 0; verdict < QPW_VERDICT_COUNT; verdict++)
        passed.by_verdict[verdict] = since(now.by_verdict[verdict], a->told_totals.by_verdict[verdict]);
    snprintf(line, sizeof(line), "%u s: %s, %s", a->options.interval,
             qpw_words_many(passed.packets, "packet", packets, sizeof(packets)),
             qpw_words_bytes(passed.bytes, bytes, sizeof(bytes)));
    append_verdicts(line, sizeof(line), &passed);
    snprintf(line + strlen(line), sizeof(line) - strlen(line), "; in total %s, %zu of them answered",
             qpw_words_many(now.unexpected, "unexpected finding", packets, sizeof(packets)), now.answered);
    if (now.lost)
        snprintf(line + strlen(line), sizeof(line) - strlen(line), "; detail lost %s, see 'status'",
                 qpw_words_many(now.lost, "time", packets, sizeof(packets)));
    a->told_totals = now;
    qpw_say(a, QPW_SAY_SUMMARY, "%s", line);
}

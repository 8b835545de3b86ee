/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Print one line an interval, about the traffic since the last one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "auditor/first_seen.h"
#include "auditor/internal.h"
#include "auditor/summary.h"
#include "snapshot/collect.h"
#include "util/names.h"
#include "words/answer.h"
#include "words/finding.h"
#include "words/words.h"

static void append(char *line, size_t size, const char *text)
{
    size_t used = strlen(line);

    snprintf(line + used, size - used, "%s", text);
}

/* Append ", unexpected 1.0 %" for each verdict that occurred. */
static void append_verdicts(char *line, size_t size, const struct qpw_totals *since)
{
    char share[16], text[64];

    for (int verdict = QPW_VERDICT_COUNT - 1; verdict > QPW_VERDICT_NONE; verdict--) {
        if (!since->by_verdict[verdict].packets)
            continue;
        qpw_words_share(since->by_verdict[verdict].packets, since->all.packets, share, sizeof(share));
        snprintf(text, sizeof(text), ", %s %s", qpw_verdict_name(verdict), share);
        append(line, size, text);
    }
}

const char *qpw_summary_text(const struct qpw_summary *s, char *buf, size_t size)
{
    const struct qpw_totals *passed = s->passed;
    const struct qpw_answer *answer = s->answer;
    char packets[64], bytes[24], span[32], text[QPW_HEADLINE_BYTES];

    snprintf(buf, size, "%s: %s, %s", qpw_words_duration(s->seconds * 1000000000ull, span, sizeof(span)),
             qpw_words_many(passed->all.packets, "packet", packets, sizeof(packets)),
             qpw_words_bytes(passed->all.bytes, bytes, sizeof(bytes)));
    append_verdicts(buf, size, passed);
    snprintf(text, sizeof(text), "; findings %s",
             /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): the answer is there */
             qpw_words_found(&answer->losses, answer->unexpected, answer->answered, packets, sizeof(packets)));
    append(buf, size, text);
    if (answer->acknowledged) {
        snprintf(text, sizeof(text), ", %s acknowledged", qpw_words_count(answer->acknowledged, packets, sizeof(packets)));
        append(buf, size, text);
    }
    append(buf, size, "; ");
    qpw_words_headline(answer, s->now_unix_ns, text, sizeof(text));
    append(buf, size, s->reported && !strcmp(s->reported, text) ? qpw_answer_name(answer->state) : text);
    return buf;
}

/* Start from the existing counters, because what an earlier auditor counted is not traffic of the first interval. */
void qpw_summary_begin(struct qpw_auditor *a)
{
    struct qpw_collect_options options = {.brief = true, .links = a->netlink, .lock = QPW_LOCK_HELD};
    struct qpw_snapshot snapshot = {0};

    if (a->taken_over && qpw_collect(&a->kernel, &options, &snapshot, NULL) == 0)
        qpw_totals_of(&snapshot, &a->reported_totals);
    qpw_snapshot_clear(&snapshot);
}

void qpw_summary_print(struct qpw_auditor *a)
{
    struct qpw_collect_options options = {
        .brief = true, .links = a->netlink, .lock = QPW_LOCK_HELD, .auditor = {getpid(), getpid()}};
    struct qpw_snapshot snapshot = {0};
    struct qpw_totals now, passed;
    struct qpw_summary summary;
    struct qpw_answer answer;
    struct qpw_error err;
    char line[640];
    int r = qpw_collect(&a->kernel, &options, &snapshot, &err);

    if (r == 0)
        qpw_first_seen_look(a, snapshot.findings, snapshot.n_findings);
    if (r == 0)
        r = qpw_answer_make(&snapshot, &answer) < 0 ? qpw_fail(&err, -ENOMEM, "out of memory") : 0;
    if (r < 0) {
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", err.text);
        qpw_snapshot_clear(&snapshot);
        return;
    }
    qpw_totals_of(&snapshot, &now);
    qpw_alerts_snapshot(a, &snapshot);
    passed = qpw_totals_since(&now, &a->reported_totals);
    summary = (struct qpw_summary){&passed, &answer, snapshot.unix_ns, a->options.interval, a->reported_headline};
    qpw_auditor_notify(a, QPW_NOTIFY_SUMMARY, "%s", qpw_summary_text(&summary, line, sizeof(line)));
    qpw_service_status("%s", qpw_words_headline(&answer, snapshot.unix_ns, a->reported_headline, sizeof(a->reported_headline)));
    a->reported_totals = now;
    qpw_snapshot_clear(&snapshot);
}

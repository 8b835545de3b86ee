/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/report_evidence.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/settings.h"
#include "evidence/evidence.h"
#include "host/clock.h"
#include "policy/lang/flat.h"
#include "words/printer.h"

#define DEFAULT_LOG "/var/log/qportwatch/eve.json"

struct wanted {
    const char *digest;
    char *text;
};

static bool take_policy(const struct qpw_history_policy *policy, void *arg)
{
    struct wanted *w = arg;

    if (!policy->text || !policy->digest || strcmp(policy->digest, w->digest))
        return true;
    free(w->text);
    w->text = strdup(policy->text);
    return false;
}

/* Ask the history which time it covers, and for the policy's text if `ret_text` is given; NULL there: not recorded. */
static void ask_history(struct qpw_history_reader *reader, const struct qpw_meta *meta, struct qpw_evidence_source *evidence, char **ret_text)
{
    struct wanted w = {.digest = meta->policy_digest};
    struct qpw_history_window all = {0};
    struct qpw_history_observed observed;
    struct qpw_history_reader *own = NULL;
    struct qpw_error ignored;

    if (!reader && *meta->history_path && qpw_history_open(meta->history_path, &own, &ignored) == 0)
        reader = own;
    if (reader && qpw_history_observed(reader, &all, (int64_t)(qpw_clock_unix_ns() / 1000000000), &observed, &ignored) == 0 && observed.to) {
        evidence->history_from_unix_ns = (uint64_t)observed.from * 1000000000;
        evidence->history_to_unix_ns = (uint64_t)observed.to * 1000000000;
    }
    if (reader && ret_text) {
        qpw_history_policies(reader, take_policy, &w, &ignored);
        *ret_text = w.text;
    }
    qpw_history_close(own);
}

/*
 * Return the alert log of the instance, the configured one, or the default if it exists; NULL: none. Writes into buf.
 */
static const char *alert_log(const struct qpw_meta *meta, char *buf, size_t size)
{
    if (*meta->alerts_path)
        return qpw_format(buf, size, "%s", meta->alerts_path);
    if (qpw_setting_configured("alerts", buf, size))
        return buf;
    return access(DEFAULT_LOG, R_OK) == 0 ? DEFAULT_LOG : NULL;
}

int qpw_report_evidence(const struct qpw_report_evidence *asked, struct qpw_error *err)
{
    const struct qpw_meta *meta = &asked->report->s->meta;
    const struct qpw_policy *policy = asked->options->policy;
    char log[sizeof(meta->alerts_path)];
    char *text = asked->anonymous ? NULL : policy ? qpw_policy_flat(policy) : NULL;
    struct qpw_render_options options = *asked->options;
    struct qpw_policy then = {0}; /* parse the recorded text, for the reasons of its rules */
    struct qpw_error ignored;
    struct qpw_evidence_source evidence = {
        .report = asked->report,
        .options = &options,
        .policy_why = asked->anonymous ? "it has names and addresses" : "its file has changed since, and the history does not have it",
        .source_name = policy && !asked->anonymous ? policy->source_name : NULL,
        .alerts = asked->alerts ? asked->alerts : alert_log(meta, log, sizeof(log)),
        .anonymous = asked->anonymous,
    };
    int r;

    ask_history(asked->history, meta, &evidence, text || asked->anonymous ? NULL : &text);
    if (text && !policy && qpw_policy_parse_text(meta->policy_path, text, strlen(text), &then, &ignored) == 0) {
        options.policy = &then;
        evidence.source_name = then.source_name;
    }
    evidence.policy_text = text;
    r = qpw_evidence_write(&evidence, asked->folder, err);
    qpw_policy_clear(&then);
    free(text);
    return r;
}

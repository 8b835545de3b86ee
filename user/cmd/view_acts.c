/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/view_acts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auditor/alone.h"
#include "util/names.h"
#include "util/since.h"
#include "words/words.h"

static int ask(void *context, const json_t *request, json_t **ret_answer, struct qpw_error *err)
{
    return qpw_audit_ask(request, ret_answer, err);
}

const struct qpw_asker qpw_asker_of_commands = {.ask = ask};

/* "known exporter until=7d" into its two parts; reason: of the text's length. */
static int split(const char *typed, char *reason, int64_t *ret_until, struct qpw_error *err)
{
    char *until, *end;

    strcpy(reason, typed);
    until = strstr(reason, "until=");
    if (until && (until == reason || until[-1] == ' ')) {
        if (qpw_until_parse(until + strlen("until="), time(NULL), ret_until) < 0)
            return qpw_fail(err, -EINVAL, "%s: not a time to come; use 12h, 7d, 4w or 2027-01-31", until);
        *until = '\0';
    }
    for (end = reason + strlen(reason); end > reason && end[-1] == ' ';)
        *--end = '\0';
    return qpw_reason_check(reason, err);
}

int qpw_view_act(void *context, const struct qpw_view_act *act, char *said, size_t size)
{
    const struct qpw_finding_key *key = &act->finding->key;
    char number[24], service[32], reason[QPW_FILTER_TEXT];
    const char *words[] = {number, service};
    struct qpw_act todo = {.words = words, .n_words = 1, .reason = reason};
    struct qpw_error err = {""};
    int status = QPW_EXIT_USAGE;

    snprintf(number, sizeof(number), "%" PRIu64, act->finding->flow_id);
    if (act->service) {
        snprintf(number, sizeof(number), "%s", qpw_direction_name(key->direction));
        qpw_words_service(key->kind, key->protocol, key->port, service, sizeof(service));
        todo.n_words = 2;
    }
    if (split(act->typed, reason, &todo.until, &err) == 0) {
        if (act->mute && !*reason)
            qpw_fail(&err, -EINVAL, "a reason is required: why may it be quiet?");
        else
            status = act->mute ? qpw_act_mute(&todo, act->snapshot, context, said, size, &err)
                               : qpw_act_acknowledge(&todo, context, said, size, &err);
    }
    if (status != QPW_EXIT_OK)
        snprintf(said, size, "%s", err.text);
    return status == QPW_EXIT_OK ? 0 : -1;
}

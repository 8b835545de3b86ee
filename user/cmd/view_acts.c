/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/view_acts.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
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

const struct qpw_act_asker qpw_asker_of_commands = {.ask = ask};

/* Split "known exporter until=7d" into reason and expiry; reason has room for the whole text. */
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

/* The words that name the row's subject. */
struct words {
    const char *list[4];
    size_t n;
    char number[24], service[32], initiator[INET6_ADDRSTRLEN], responder[INET6_ADDRSTRLEN];
};

static void name(const struct qpw_view_act *act, struct words *w)
{
    const struct qpw_finding_key *key = &act->finding->key;

    *w = (struct words){.list = {qpw_direction_name(key->direction), w->service, w->initiator, w->responder}, .n = 2};
    if (act->scope == QPW_SCOPE_SERVICE) {
        qpw_words_service(key->kind, key->protocol, key->port, w->service, sizeof(w->service));
    } else if (act->scope == QPW_SCOPE_REMOTE) {
        strcpy(w->service, "any");
        qpw_address_text(key->initiator, w->initiator, sizeof(w->initiator));
        qpw_address_text(key->responder, w->responder, sizeof(w->responder));
        w->n = 4;
    } else {
        snprintf(w->number, sizeof(w->number), "%" PRIu64, act->finding->flow_id);
        w->list[0] = w->number;
        w->n = 1;
    }
}

int qpw_view_act(void *context, const struct qpw_view_act *act, char *result, size_t size)
{
    char reason[QPW_FILTER_TEXT];
    struct words w;
    struct qpw_act todo = {.words = w.list, .reason = reason};
    struct qpw_error err = {""};
    int status = QPW_EXIT_USAGE;

    name(act, &w);
    todo.n_words = w.n;
    if (split(act->typed, reason, &todo.until, &err) == 0) {
        if (act->mute && !*reason)
            qpw_fail(&err, -EINVAL, "a reason is required: it is written into the policy");
        else
            status = act->mute ? qpw_act_mute(&todo, act->snapshot, context, result, size, &err)
                               : qpw_act_acknowledge(&todo, context, result, size, &err);
    }
    if (status != QPW_EXIT_OK)
        snprintf(result, size, "%s", err.text);
    return status == QPW_EXIT_OK ? 0 : -1;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/listening.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "util/document.h"
#include "util/names.h"
#include "words/answer.h"
#include "words/owner.h"
#include "words/table.h"
#include "words/words.h"

static const char *rule_name(const struct qpw_listening_about *about, uint16_t rule)
{
    return rule && rule < about->names->n_rules ? about->names->rules[rule].name : "";
}

/* "any", "any IPv6", "10.1.0.1", each with "%eth1" where the socket is bound to an interface. */
static const char *address_text(const struct qpw_listener *l, char *buf, size_t size)
{
    char address[INET6_ADDRSTRLEN];
    const char *text;

    if (!IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)l->address))
        text = qpw_address_text(l->address, address, sizeof(address));
    else
        text = l->v4 && l->v6 ? "any" : l->v6 ? "any IPv6" : "any IPv4";
    return qpw_format(buf, size, "%s%s%s", text, l->device[0] ? "%" : "", l->device);
}

static const char *asked_text(const struct qpw_listening *l, const struct qpw_listening_row *row, uint64_t now_ns,
                              char *buf, size_t size)
{
    if (!l->counted)
        return "";
    if (!row->asked)
        return "never";
    return row->last_asked_unix_ns ? qpw_words_moment(row->last_asked_unix_ns, now_ns, buf, size) : "yes";
}

static enum qpw_text_style style_of(const struct qpw_listening_row *row)
{
    if (row->loopback || row->listener->ephemeral)
        return QPW_TEXT_DIM;
    return row->verdict == QPW_VERDICT_UNEXPECTED ? QPW_TEXT_BAD
         : row->verdict == QPW_VERDICT_WEAK       ? QPW_TEXT_DOUBT : QPW_TEXT_PLAIN;
}

static const char *word_of(const struct qpw_listening_row *row)
{
    return row->loopback ? "loopback" : qpw_listening_word(row->verdict);
}

static int add_row(struct qpw_table *t, const struct qpw_listening *l, const struct qpw_listening_row *row,
                   const struct qpw_listening_about *about)
{
    const struct qpw_process *owner = &row->listener->owner;
    char service[64], address[80], process[64], since[32], asked[32];
    const char *cells[] = {
        word_of(row),
        qpw_words_service_named(QPW_KIND_PORT, row->listener->protocol, row->listener->port, service, sizeof(service)),
        address_text(row->listener, address, sizeof(address)),
        qpw_owner_known(owner) ? qpw_words_owner(owner, process, sizeof(process)) : "-",
        owner->user,
        owner->unit,
        owner->started_unix_ns ? qpw_words_moment(owner->started_unix_ns, about->now_unix_ns, since, sizeof(since)) : "",
        asked_text(l, row, about->now_unix_ns, asked, sizeof(asked)),
        rule_name(about, row->rule),
    };

    return qpw_table_add(t, style_of(row), cells);
}

int qpw_listening_text(const struct qpw_listening *l, const struct qpw_listening_about *about,
                       const struct qpw_printer *p)
{
    static const struct qpw_table_column columns[] = {
        {.title = "verdict"}, {.title = "service"}, {.title = "address"}, {.title = "process"},
        {.title = "user", .optional = true}, {.title = "unit", .optional = true},
        {.title = "since", .optional = true}, {.title = "last asked"}, {.title = "rule"},
    };
    struct qpw_table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    struct qpw_list idle;
    char policy[400], count[64], unlisted[24];
    int r = 0;

    qpw_print_line(p, "%s, %s of them on ports the policy does not list (%s)",
                   qpw_words_many(l->n, "listening socket", count, sizeof(count)),
                   qpw_words_count(l->n_unlisted, unlisted, sizeof(unlisted)),
                   qpw_words_policy_place(about->policy_name, about->policy_path, policy, sizeof(policy)));
    for (size_t i = 0; r == 0 && i < l->n; i++)
        r = add_row(&table, l, &l->rows[i], about);
    if (r == 0)
        r = qpw_table_print(&table, p);
    qpw_table_clear(&table);
    if (r < 0)
        return r;
    if (l->n_idle) {
        qpw_print_end(p);
        qpw_list_begin(&idle, p, 0, "no listener");
        for (size_t i = 0; i < l->n_idle; i++)
            qpw_list_add(&idle, "%s", rule_name(about, l->idle[i]));
        qpw_list_end(&idle);
    }
    return 0;
}

/* ---- JSON ---- */

static json_t *row_json(const struct qpw_listening *l, const struct qpw_listening_row *row,
                        const struct qpw_listening_about *about)
{
    const struct qpw_listener *listener = row->listener;
    char address[INET6_ADDRSTRLEN];

    return json_pack("{s:s,s:i,s:s,s:b,s:b,s:o,s:o,s:o,s:s,s:b,s:b,s:o,s:o,s:o}", "protocol",
                     qpw_protocol_name(listener->protocol), "port", listener->port, "address",
                     IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)listener->address) && !listener->v6
                         ? "0.0.0.0" : qpw_address_text(listener->address, address, sizeof(address)),
                     "ipv4", listener->v4, "ipv6", listener->v6, "interface", qpw_json_text(listener->device), "owner",
                     qpw_json_owner(&listener->owner), "rule", qpw_json_text(rule_name(about, row->rule)), "verdict",
                     qpw_listening_word(row->verdict), "loopback", row->loopback, "ephemeral", listener->ephemeral,
                     "since", qpw_json_time(listener->owner.started_unix_ns), "asked",
                     l->counted ? json_boolean(row->asked) : json_null(), "last_asked",
                     qpw_json_time(row->last_asked_unix_ns));
}

json_t *qpw_listening_json(const struct qpw_listening *l, const struct qpw_listening_about *about)
{
    json_t *document = qpw_document("qportwatch.listeners/1"), *rows = json_array(), *idle = json_array();
    int r = 0;

    r |= json_object_set_new(document, "answer", about->answer ? qpw_json_answer(about->answer, about->now_unix_ns)
                                                               : qpw_json_answer_nothing(about->why));
    qpw_document_set_policy(document, about->policy_name, about->policy_digest, about->source_digest);
    for (size_t i = 0; i < l->n; i++)
        r |= json_array_append_new(rows, row_json(l, &l->rows[i], about));
    for (size_t i = 0; i < l->n_idle; i++)
        r |= json_array_append_new(idle, json_string(rule_name(about, l->idle[i])));
    r |= json_object_set_new(document, "listeners", rows);
    r |= json_object_set_new(document, "listed_not_listening", idle);
    if (r) {
        json_decref(document);
        return NULL;
    }
    return document;
}

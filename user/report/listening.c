/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/listening.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "util/document.h"
#include "util/names.h"
#include "words/answer.h"
#include "words/listening.h"
#include "words/owner.h"
#include "words/table.h"
#include "words/words.h"

static const char *rule_name(const struct qpw_listening_about *about, uint16_t rule)
{
    return rule && rule < about->names->n_rules ? about->names->rules[rule].name : "";
}

static enum qpw_text_style style_of(const struct qpw_listening_row *row)
{
    if (row->loopback || row->listener->ephemeral)
        return QPW_TEXT_DIM;
    return row->verdict == QPW_VERDICT_UNEXPECTED || row->owner_word == QPW_OWNER_OTHER ? QPW_TEXT_BAD
         : row->verdict == QPW_VERDICT_WEAK       ? QPW_TEXT_DOUBT : QPW_TEXT_PLAIN;
}

static int add_row(struct qpw_table *t, const struct qpw_listening *l, const struct qpw_listening_row *row,
                   const struct qpw_listening_about *about)
{
    const struct qpw_process *owner = &row->listener->owner;
    char service[64], address[80], process[64], since[32], asked[32];
    const char *cells[] = {
        qpw_words_listener_verdict(row),
        qpw_words_service_named(QPW_KIND_PORT, row->listener->protocol, row->listener->port, service, sizeof(service)),
        qpw_words_listener_address(row->listener, address, sizeof(address)),
        qpw_owner_known(owner) ? qpw_words_owner(owner, process, sizeof(process)) : "-",
        owner->user,
        owner->unit,
        owner->started_unix_ns ? qpw_words_moment(owner->started_unix_ns, about->now_unix_ns, since, sizeof(since)) : "",
        qpw_words_listener_asked(l, row, about->now_unix_ns, asked, sizeof(asked)),
        rule_name(about, row->rule),
    };

    return qpw_table_add(t, style_of(row), cells);
}

/* Return whether a report shows the row: it differs from the policy. */
static bool is_remarkable(const struct qpw_listening_row *row)
{
    if (row->loopback || row->listener->ephemeral)
        return false;
    return row->verdict == QPW_VERDICT_UNEXPECTED || row->owner_word == QPW_OWNER_OTHER;
}

static int print_rows(const struct qpw_listening *l, const struct qpw_listening_about *about, bool brief,
                      const struct qpw_printer *p)
{
    static const struct qpw_table_column columns[] = {
        {.title = "verdict"}, {.title = "service"}, {.title = "address"}, {.title = "process"},
        {.title = "user", .optional = true}, {.title = "unit", .optional = true},
        {.title = "since", .optional = true}, {.title = "last asked"}, {.title = "rule"},
    };
    struct qpw_table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(*columns)};
    int r = 0;

    for (size_t i = 0; r == 0 && i < l->n; i++)
        if (!brief || is_remarkable(&l->rows[i]))
            r = add_row(&table, l, &l->rows[i], about);
    if (r == 0)
        r = qpw_table_print(&table, p);
    qpw_table_clear(&table);
    return r;
}

/* Print services whose owner is not, or not certainly, the one that the rule names. */
static void print_owners(const struct qpw_listening *l, const struct qpw_listening_about *about, uint8_t word,
                         const char *label, const struct qpw_printer *p)
{
    struct qpw_list list = {0};
    char service[64];

    for (size_t i = 0; i < l->n; i++) {
        const struct qpw_listening_row *row = &l->rows[i];

        if (row->owner_word != word)
            continue;
        if (!list.printer)
            qpw_list_begin(&list, p, 0, label);
        qpw_list_add(&list, "%s (%s names %s)", qpw_words_service(QPW_KIND_PORT, row->listener->protocol,
                     row->listener->port, service, sizeof(service)), rule_name(about, row->rule), row->wanted);
    }
    if (list.printer)
        qpw_list_end(&list);
}

static bool was_named_before(const struct qpw_listening *l, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (l->rows[i].listener->protocol == l->rows[at].listener->protocol &&
            l->rows[i].listener->port == l->rows[at].listener->port)
            return true;
    return false;
}

static void print_never_asked(const struct qpw_listening *l, const struct qpw_printer *p)
{
    struct qpw_list list = {0};
    char service[64];

    for (size_t i = 0; l->counted && i < l->n; i++) {
        const struct qpw_listening_row *row = &l->rows[i];

        if (row->asked || row->loopback || row->listener->ephemeral || was_named_before(l, i))
            continue;
        if (!list.printer)
            qpw_list_begin(&list, p, 0, "never asked");
        qpw_list_add(&list, "%s", qpw_words_service(QPW_KIND_PORT, row->listener->protocol, row->listener->port, service,
                                                    sizeof(service)));
    }
    if (list.printer)
        qpw_list_end(&list);
}

/* Print what the rows do not show. */
static void print_lists(const struct qpw_listening *l, const struct qpw_listening_about *about,
                        const struct qpw_printer *p)
{
    struct qpw_list idle;

    print_owners(l, about, QPW_OWNER_OTHER, "other owner", p);
    print_owners(l, about, QPW_OWNER_UNSURE, "not checked", p);
    print_never_asked(l, p);
    if (l->n_idle) {
        qpw_list_begin(&idle, p, 0, "no listener");
        for (size_t i = 0; i < l->n_idle; i++)
            qpw_list_add(&idle, "%s", rule_name(about, l->idle[i]));
        qpw_list_end(&idle);
    }
    if (about->no_owners)
        qpw_print_wrapped(p, 2, QPW_WORDS_NO_OWNERS);
}

static const char *summary(const struct qpw_listening *l, const struct qpw_listening_about *about, char *buf, size_t size)
{
    char policy[400], count[64], unlisted[24];

    return qpw_format(buf, size, "%s, %s of them on ports the policy does not list (%s)",
                      qpw_words_many(l->n, "listening socket", count, sizeof(count)),
                      qpw_words_count(l->n_unlisted, unlisted, sizeof(unlisted)),
                      qpw_words_policy_source(about->policy_name, about->policy_path, policy, sizeof(policy)));
}

int qpw_listening_text(const struct qpw_listening *l, const struct qpw_listening_about *about,
                       const struct qpw_printer *p)
{
    char text[600];
    int r;

    qpw_print_line(p, "%s", summary(l, about, text, sizeof(text)));
    r = print_rows(l, about, /* brief= */ false, p);
    if (r < 0)
        return r;
    qpw_print_end(p);
    print_lists(l, about, p);
    return 0;
}

int qpw_listening_section(const struct qpw_listening *l, const struct qpw_listening_about *about, bool brief,
                          const struct qpw_printer *p)
{
    char text[600];
    int r;

    qpw_print_heading(p, "LISTENERS", summary(l, about, text, sizeof(text)));
    r = print_rows(l, about, brief, p);
    if (r == 0)
        print_lists(l, about, p);
    return r;
}

/* ---- JSON ---- */

static json_t *row_json(const struct qpw_listening *l, const struct qpw_listening_row *row,
                        const struct qpw_listening_about *about)
{
    const struct qpw_listener *listener = row->listener;
    char address[INET6_ADDRSTRLEN];

    return json_pack("{s:s,s:i,s:s,s:b,s:b,s:o,s:o,s:o,s:s,s:b,s:b,s:o,s:o,s:o,s:o,s:o}", "protocol",
                     qpw_protocol_name(listener->protocol), "port", listener->port, "address",
                     IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)listener->address) && !listener->v6
                         ? "0.0.0.0" : qpw_address_text(listener->address, address, sizeof(address)),
                     "ipv4", listener->v4, "ipv6", listener->v6, "interface", qpw_json_text(listener->device), "owner",
                     qpw_json_owner(&listener->owner), "rule", qpw_json_text(rule_name(about, row->rule)), "verdict",
                     qpw_listening_word(row->verdict), "loopback", row->loopback, "ephemeral", listener->ephemeral,
                     "since", qpw_json_time(listener->owner.started_unix_ns), "asked",
                     l->counted ? json_boolean(row->asked) : json_null(), "last_asked",
                     qpw_json_time(row->last_asked_unix_ns), "owner_wanted", qpw_json_text(row->wanted), "owner_fits",
                     !row->wanted || row->owner_word == QPW_OWNER_UNSURE ? json_null()
                                                                         : json_boolean(row->owner_word == QPW_OWNER_FITS));
}

int qpw_listening_add_json(json_t *document, const struct qpw_listening *l, const struct qpw_listening_about *about)
{
    json_t *rows = json_array(), *idle = json_array();
    int r = 0;

    for (size_t i = 0; i < l->n; i++)
        r |= json_array_append_new(rows, row_json(l, &l->rows[i], about));
    for (size_t i = 0; i < l->n_idle; i++)
        r |= json_array_append_new(idle, json_string(rule_name(about, l->idle[i])));
    r |= json_object_set_new(document, "listeners", rows);
    return r | json_object_set_new(document, "listed_not_listening", idle);
}

json_t *qpw_listening_json(const struct qpw_listening *l, const struct qpw_listening_about *about)
{
    json_t *document = qpw_document("qportwatch.listeners/1");
    int r = json_object_set_new(document, "answer", about->answer ? qpw_json_answer(about->answer, about->now_unix_ns)
                                                                  : qpw_json_answer_nothing(about->why));

    qpw_document_set_policy(document, about->policy_name, about->policy_digest, about->source_digest);
    r |= qpw_listening_add_json(document, l, about);
    if (r) {
        json_decref(document);
        return NULL;
    }
    return document;
}

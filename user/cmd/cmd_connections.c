/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cmd_connections.c - qportwatch connections: the live connections of the attached instance with their owners, selected
 * by the live view's filter.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/hosts.h"
#include "cmd/format.h"
#include "cmd/node_connections.h"
#include "cmd/node_listeners.h"
#include "control/watched.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "instance/kernel_words.h"
#include "report/connections.h"
#include "util/cleanup.h"
#include "util/document.h"
#include "util/names.h"
#include "util/usage.h"
#include "view/filter.h"
#include "words/answer.h"
#include "words/owner.h"
#include "words/words.h"

#define BIT(field) (1u << QPW_FIELD_##field)
#define FIELDS \
    (BIT(WORD) | BIT(PORT) | BIT(DIR) | BIT(VERDICT) | BIT(ADDR) | BIT(FROM) | BIT(TO) | BIT(PROC) | BIT(PEER) | \
     BIT(RULE) | BIT(PROTO) | BIT(OUTCOME) | BIT(EVIDENCE) | BIT(REASON) | BIT(IFACE) | BIT(VLAN))

struct options {
    char filter_text[QPW_FILTER_TEXT];
    struct qpw_filter filter;
    bool json;
};

static const struct argp_option options_table[] = {
    QPW_FORMAT_OPTIONS,
    {0},
};

/* Append to the filter, which may be one argument or several. */
static void take_words(struct argp_state *state, struct options *o, const char *word)
{
    size_t used = strlen(o->filter_text);
    int n = snprintf(o->filter_text + used, sizeof(o->filter_text) - used, "%s%s", used ? " " : "", word);

    if ((size_t)n >= sizeof(o->filter_text) - used)
        qpw_usage_error(state, "the filter is longer than %zu characters", sizeof(o->filter_text) - 1);
}

static error_t take_option(int key, char *value, struct argp_state *state)
{
    struct options *o = state->input;
    struct qpw_error err;

    switch (key) {
    case ARGP_KEY_ARG: take_words(state, o, value); return 0;
    case ARGP_KEY_END:
        if (qpw_filter_parse(o->filter_text, &o->filter, &err) < 0)
            qpw_usage_error(state, "%s", err.text);
        else if (o->filter.fields & BIT(SEVERITY))
            qpw_usage_error(state, "severity: connections have none; findings do ('qportwatch report')");
        return 0;
    default: return qpw_format_take(state, key, value, &o->json) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

/* ---- One row ---- */

struct sources {
    const struct qpw_kernel *kernel;
    const struct qpw_snapshot *s;
    struct qpw_sockets *sockets;
};

static void find_bytes(const struct sources *p, struct qpw_connection_line *line)
{
    line->has_bytes = line->connection->conn.conn_class == QPW_CLASS_EST &&
                      qpw_sockets_traffic(p->sockets, &line->connection->key, &line->sent, &line->received) == 0;
}

static const char *row_words(const struct qpw_snapshot *s, const struct qpw_connection *c,
                             const struct qpw_process *owner, char *buf, size_t size)
{
    struct qpw_connection_ends ends = qpw_connection_ends(&c->key, &c->conn);
    char service[64], from[128], to[128], process[64];

    snprintf(buf, size, "%s %s %s %s %s %s %s %s %s %s %s %s", qpw_verdict_name(c->conn.verdict),
             qpw_direction_name(c->conn.direction),
             qpw_words_service_named(QPW_KIND_PORT, c->key.protocol, ends.to_port, service, sizeof(service)),
             qpw_words_endpoint(ends.from, ends.from_port, from, sizeof(from)),
             qpw_words_endpoint(ends.to, ends.to_port, to, sizeof(to)),
             qpw_words_owner(owner, process, sizeof(process)), owner->user, owner->unit, owner->exe,
             qpw_snapshot_rule(s, c->conn.rule), qpw_snapshot_peer(s, qpw_conn_peer(&c->conn)), qpw_outcome_name(c->conn.outcome));
    return buf;
}

static bool matches(const struct sources *p, const struct qpw_filter *filter, const struct qpw_connection *c,
                    const struct qpw_process *owner)
{
    struct qpw_connection_ends ends = qpw_connection_ends(&c->key, &c->conn);
    char words[1024] = "", process[512];
    struct qpw_facts facts = {
        .has = FIELDS, .protocol = c->key.protocol, .direction = c->conn.direction, .verdict = c->conn.verdict,
        .outcome = c->conn.outcome, .evidence = c->conn.evidence, .vlan = c->conn.vlan & QPW_VLAN_ID,
        .port = qpw_protocol_has_ports(c->key.protocol) && c->conn.direction != QPW_DIR_UNKNOWN ? ends.to_port
                                                                                               : QPW_NO_PORT,
        .from = ends.from, .to = ends.to, .peer = qpw_snapshot_peer(p->s, qpw_conn_peer(&c->conn)),
        .rule = qpw_snapshot_rule(p->s, c->conn.rule),
        .reason = c->conn.reason ? qpw_reason_name(c->conn.reason) : "",
        .iface = qpw_snapshot_iface(p->s, c->conn.iface), .process = process, .words = words};

    snprintf(process, sizeof(process), "%s %s %s",
             owner->match == QPW_MATCH_KERNEL ? "kernel" : owner->pid ? owner->name : "", owner->exe, owner->unit);
    if (filter->fields & BIT(WORD))
        row_words(p->s, c, owner, words, sizeof(words));
    return qpw_filter_match(filter, &facts);
}

/* ---- All rows ---- */

static int print_text(struct qpw_table *table, size_t n, size_t all)
{
    struct qpw_printer printer = qpw_printer_of(stdout);
    char count[64], of[24];

    if (n == all)
        qpw_print_line(&printer, "%s", qpw_words_many(n, "live connection", count, sizeof(count)));
    else
        qpw_print_line(&printer, "%s of %s match the filter", qpw_words_many(n, "live connection", count, sizeof(count)),
                       qpw_words_count(all, of, sizeof(of)));
    return qpw_table_print(table, &printer);
}

static int print_json(const struct qpw_snapshot *s, json_t *rows, size_t all)
{
    json_auto_t *document = qpw_document("qportwatch.connections/1");
    struct qpw_answer answer;
    int r = qpw_answer_make(s, &answer);

    if (r < 0)
        return r;
    json_object_set_new(document, "answer", qpw_json_answer(&answer, s->unix_ns));
    qpw_document_set_period(document, s->host, s->from_unix_ns, s->unix_ns);
    qpw_document_set_policy(document, s->meta.policy_name, s->meta.policy_digest, s->meta.source_digest);
    if (json_object_set(document, "connections", rows) < 0 ||
        json_object_set_new(document, "live", json_integer((json_int_t)all)) < 0)
        return -ENOMEM;
    return json_dumpf(document, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ? -EIO : 0;
}

static int show(const struct sources *p, const struct options *o, const struct qpw_connections *reading)
{
    QPW_CLEANUP(qpw_table_clear) struct qpw_table table = {.columns = qpw_connection_columns, .n_columns = qpw_connection_n_columns};
    json_auto_t *rows = json_array();
    size_t n = 0;

    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < reading->n; i++) {
        struct qpw_process owner;
        struct qpw_connection_line line = {.connection = &reading->rows[i], .owner = &owner};

        qpw_node_connection_owner(p->kernel, p->sockets, !p->s->meta.owners_missing[0], line.connection, &owner);
        if (!matches(p, &o->filter, line.connection, &owner))
            continue;
        n++;
        find_bytes(p, &line);
        if (o->json ? json_array_append_new(rows, qpw_connection_row_json(p->s, &line)) < 0 : qpw_connection_add(&table, p->s, &line) < 0)
            return -ENOMEM;
    }
    return o->json ? print_json(p->s, rows, reading->n) : print_text(&table, n, reading->n);
}

static void free_rows(struct qpw_connections *reading)
{
    free(reading->rows);
}

/* Run on the instance found. Returns 0, or a negative errno with err filled. */
static int run(const struct qpw_kernel *kernel, const struct options *o, struct qpw_error *err)
{
    static const struct qpw_connections_wanted all;
    struct qpw_collect_options options = {.brief = true};
    QPW_CLEANUP(qpw_snapshot_clear) struct qpw_snapshot snapshot = {0};
    QPW_CLEANUP(qpw_sockets_closep) struct qpw_sockets *sockets = NULL;
    QPW_CLEANUP(free_rows) struct qpw_connections reading = {0};
    int r = qpw_collect_watched(kernel, &options, &snapshot, err);

    if (r < 0)
        return r;
    qpw_node_names(&snapshot);
    r = qpw_node_connections_read(kernel, snapshot.mono_ns, &all, &reading, err);
    if (r < 0)
        return r;
    r = qpw_sockets_open(&sockets, err);
    if (r < 0)
        return r;
    r = qpw_sockets_read(sockets, err);
    if (r < 0)
        return r;
    qpw_sockets_executables(sockets, qpw_executable_path, kernel);
    r = show(&(struct sources){.kernel = kernel, .s = &snapshot, .sockets = sockets}, o, &reading);
    return r < 0 ? qpw_fail(err, r, "cannot print: %s", strerror(-r)) : 0;
}

int qpw_cmd_connections(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option, .args_doc = "[FILTER]", .children = qpw_hosts_child,
        .doc = "Show the live connections of what is attached: who opened each and on what evidence, its verdict and "
               "rule, the process that holds the node's end, and what it carried. FILTER is that of the live view: "
               "'dir:out verdict:unexpected -port:445 proc:python*'.\vBytes are the payload of TCP connections whose "
               "sockets live. Only root can ask."};
    struct options o = {0};
    struct qpw_kernel kernel;
    struct qpw_error err;
    int r;

    qpw_arguments_parse(&argp, argc, argv, &o);
    qpw_quiet_libbpf();
    r = qpw_instance_find(&kernel, &err);
    if (r == 0) {
        r = run(&kernel, &o, &err);
        qpw_kernel_close(&kernel);
    }
    if (r < 0)
        fprintf(stderr, "qportwatch connections: %s\n", err.text);
    return r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "evelog.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/log/eve.h"
#include "alert/signatures.h"
#include "netns.h"
#include "util/idmap.h"

void evelog_add(struct evelog *log, const char *path)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    while (in && (n = getline(&line, &room, in)) > 0) {
        json_t *record = line[n - 1] == '\n' ? json_loads(line, 0, NULL) : NULL;

        if (!record) {
            log->torn++;
            continue;
        }
        log->records = realloc(log->records, (log->n + 1) * sizeof(*log->records));
        cr_assert(log->records);
        log->records[log->n++] = record;
    }
    free(line);
    if (in)
        fclose(in);
}

void evelog_clear(struct evelog *log)
{
    for (size_t i = 0; i < log->n; i++)
        json_decref(log->records[i]);
    free(log->records);
    *log = (struct evelog){0};
}

const char *evelog_name(const json_t *record)
{
    const json_t *alert = json_object_get(record, "alert"), *engine = json_object_get(record, "engine");
    const struct qpw_signature *s = qpw_signature_by_id(json_integer_value(json_object_get(alert, "signature_id")));

    if (s)
        return s->name;
    return engine                             ? json_string_value(json_object_get(engine, "module"))
           : json_object_get(record, "stats") ? "stats"
                                              : "";
}

const char *evelog_fact(const json_t *record, const char *key)
{
    const char *value = qpw_eve_fact(record, key);

    return value ? value : "";
}

uint64_t evelog_flow(const json_t *record)
{
    return json_integer_value(json_object_get(record, "flow_id"));
}

bool evelog_fits(const json_t *record, const struct evelog_filter *f)
{
    const char *source = json_string_value(json_object_get(record, "src_ip"));

    return (!f->name || !strcmp(f->name, evelog_name(record))) &&
           (!f->source || (source && !strcmp(f->source, source))) &&
           (!f->port || json_integer_value(json_object_get(record, "dest_port")) == f->port) &&
           (!f->kind || !strcmp(f->kind, evelog_fact(record, "kind"))) &&
           (!f->outcome || !strcmp(f->outcome, evelog_fact(record, "outcome"))) &&
           (!f->flow_id || evelog_flow(record) == f->flow_id);
}

size_t evelog_count(const struct evelog *log, const struct evelog_filter *filter)
{
    size_t count = 0;

    for (size_t i = 0; i < log->n; i++)
        count += evelog_fits(log->records[i], filter);
    return count;
}

const json_t *evelog_last(const struct evelog *log, const struct evelog_filter *filter)
{
    for (size_t i = log->n; i > 0; i--)
        if (evelog_fits(log->records[i - 1], filter))
            return log->records[i - 1];
    return NULL;
}

struct wanted {
    const char *path;
    const struct evelog_filter *filter;
};

static bool is_there(void *argument)
{
    struct wanted *w = argument;
    struct evelog log = {0};
    bool there;

    evelog_add(&log, w->path);
    there = evelog_last(&log, w->filter) != NULL;
    evelog_clear(&log);
    return there;
}

void evelog_until(const char *path, const struct evelog_filter *filter)
{
    struct wanted w = {path, filter};
    char text[16384];

    if (netns_until(is_there, &w, NETNS_DEADLINE_MS))
        return;
    netns_output(&(struct netns){-1}, text, sizeof(text), "tail -c 12000 %s", path);
    cr_assert(false, "no record '%s' from %s to port %u (%s, %s):\n%s", filter->name ? filter->name : "any",
              filter->source ? filter->source : "anywhere", filter->port, filter->kind ? filter->kind : "any kind",
              filter->outcome ? filter->outcome : "any outcome", text);
}

void evelog_assert_sound(const struct evelog *log)
{
    struct qpw_idmap newest = {0};
    unsigned wrong = 0;

    cr_assert_eq(log->torn, 0, "%zu lines are torn", log->torn);
    for (size_t i = 0; i < log->n; i++) {
        const json_t *r = log->records[i];
        uint32_t before = 0, sequence = atoi(evelog_fact(r, "sequence"));

        if (!evelog_flow(r) || !sequence)
            continue;
        qpw_idmap_get(&newest, evelog_flow(r), &before);
        if (sequence != before + 1 || (sequence == 1) != !strcmp(evelog_fact(r, "kind"), "first")) {
            if (wrong++ < 10)
                cr_expect(false, "flow %llu, %s port %lld: sequence %u (%s) after %u",
                          (unsigned long long)evelog_flow(r), evelog_name(r),
                          json_integer_value(json_object_get(r, "dest_port")), sequence, evelog_fact(r, "kind"),
                          before);
        }
        cr_assert_eq(qpw_idmap_set(&newest, evelog_flow(r), sequence), 0);
    }
    qpw_idmap_clear(&newest);
    cr_assert_eq(wrong, 0, "%u records are out of order", wrong);
}

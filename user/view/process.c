/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/severity.h"
#include "host/owner.h"
#include "words/owner.h"

#define PLACES 4096u        /* a power of two; a newer finding replaces an older one */
#define LOOKUPS 100u        /* between two snapshots */
#define KEEP_FOUND_NS 30000000000ull
#define KEEP_OTHER_NS 5000000000ull

struct entry {
    uint64_t flow_id; /* 0: free */
    uint64_t mono_ns;
    bool found;
    char text[79];
};

struct qpw_processes {
    struct qpw_sockets *sockets;
    const struct qpw_view_more *more;
    unsigned lookups;
    uint64_t now_ns;
    struct entry entries[PLACES];
};

int qpw_processes_new(struct qpw_sockets *sockets, struct qpw_processes **ret)
{
    struct qpw_processes *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->sockets = sockets;
    *ret = p;
    return 0;
}

void qpw_processes_free(struct qpw_processes *p)
{
    free(p);
}

void qpw_processes_tick(struct qpw_processes *p, uint64_t mono_ns)
{
    p->lookups = LOOKUPS;
    p->now_ns = mono_ns;
}

/* Cache a process. A known one is kept after it has ended, because what matters is that it was there. */
static void note(struct qpw_processes *p, uint64_t id, const struct qpw_process *process, bool answered,
                 struct entry *entry)
{
    bool same = entry->flow_id == id, exact = process->match == QPW_MATCH_EXACT;
    char name[48];

    entry->mono_ns = p->now_ns;
    if (process->pid) {
        entry->found = true;
        snprintf(entry->text, sizeof(entry->text), "%.40s %.20s%s%s%s", qpw_words_owner(process, name, sizeof(name)),
                 process->user, exact ? "" : " (", exact ? "" : qpw_match_name(process->match), exact ? "" : ")");
    } else if (!same || !entry->found) {
        entry->found = false;
        if (process->match == QPW_MATCH_GONE && answered)
            snprintf(entry->text, sizeof(entry->text), "gone");
        else if (process->match == QPW_MATCH_NONE && process->why)
            snprintf(entry->text, sizeof(entry->text), "unknown: %.60s", process->why);
        else
            qpw_words_owner(process, entry->text, sizeof(entry->text));
    }
    entry->flow_id = id;
}

static bool is_due(const struct qpw_processes *p, uint64_t id, const struct entry *entry)
{
    return p->lookups && (entry->flow_id != id || !id ||
                          p->now_ns - entry->mono_ns > (entry->found ? KEEP_FOUND_NS : KEEP_OTHER_NS));
}

static struct entry *entry_of(struct qpw_processes *p, uint64_t id)
{
    return &p->entries[(id ^ id >> 20) & (PLACES - 1)];
}

const char *qpw_processes_text(void *context, const struct qpw_finding_row *finding)
{
    struct qpw_processes *p = context;
    struct entry *entry = entry_of(p, finding->flow_id);
    struct qpw_process process;

    if (is_due(p, finding->flow_id, entry)) {
        p->lookups--;
        if (qpw_owner_find(p->sockets, &finding->key, &finding->value, &process) < 0)
            process = (struct qpw_process){0};
        note(p, finding->flow_id, &process, qpw_finding_answered(finding), entry);
    }
    return entry->flow_id == finding->flow_id ? entry->text : "";
}

const char *qpw_processes_connection(void *context, uint64_t id, const struct qpw_connection *connection)
{
    struct qpw_processes *p = context;
    struct entry *entry = entry_of(p, id);
    struct qpw_process process;

    if (p->more && is_due(p, id, entry)) {
        p->lookups--;
        p->more->owner(p->more->context, connection, &process);
        note(p, id, &process, connection->conn.outcome >= QPW_OUTCOME_ANSWERED, entry);
    }
    return entry->flow_id == id ? entry->text : "";
}

void qpw_processes_source(struct qpw_processes *p, const struct qpw_view_more *more)
{
    p->more = more;
}

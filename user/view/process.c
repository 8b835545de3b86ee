/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/severity.h"
#include "host/owner.h"
#include "words/owner.h"

#define PLACES 4096u        /* power of two; a newer finding takes an older one's place */
#define LOOKUPS 100u        /* between two pictures */
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

/* What was once found is not forgotten when the process has gone: that it was there is what counts. */
static void look_up(struct qpw_processes *p, const struct qpw_finding_row *finding, struct entry *entry)
{
    struct qpw_process process;
    char name[48];
    bool same = entry->flow_id == finding->flow_id;

    p->lookups--;
    if (qpw_owner_find(p->sockets, &finding->key, &finding->value, &process) < 0)
        process = (struct qpw_process){0};
    entry->mono_ns = p->now_ns;
    if (process.pid) {
        entry->found = true;
        snprintf(entry->text, sizeof(entry->text), "%.40s %.20s%s", qpw_words_owner(&process, name, sizeof(name)),
                 process.user, process.match == QPW_MATCH_LISTENER ? " (listener)" : "");
    } else if (!same || !entry->found) {
        entry->found = false;
        if (process.match == QPW_MATCH_GONE && qpw_finding_answered(finding))
            snprintf(entry->text, sizeof(entry->text), "gone");
        else
            qpw_words_owner(&process, entry->text, sizeof(entry->text));
    }
    entry->flow_id = finding->flow_id;
}

const char *qpw_processes_text(void *context, const struct qpw_finding_row *finding)
{
    struct qpw_processes *p = context;
    struct entry *entry = &p->entries[(finding->flow_id ^ finding->flow_id >> 20) & (PLACES - 1)];
    bool same = entry->flow_id == finding->flow_id && finding->flow_id;

    if (p->lookups && (!same || p->now_ns - entry->mono_ns > (entry->found ? KEEP_FOUND_NS : KEEP_OTHER_NS))) {
        look_up(p, finding, entry);
        same = true;
    }
    return same ? entry->text : "";
}

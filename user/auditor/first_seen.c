/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/first_seen.h"

#include <stdlib.h>
#include <string.h>

#include "alert/engine.h"
#include "auditor/alerts.h"
#include "facts/owner.h"
#include "facts/severity.h"
#include "instance/lives.h"
#include "snapshot/lives.h"

#define PATIENCE 3u      /* attempts to find an unknown program */
#define MAX_LOOKED 65536u /* beyond this number, forget all and look them up again */
#define LOOKS 16u        /* values of a->looked: below it, enum qpw_program_seen; from it on, the number of failed
                            attempts */

/* False: the process is unknown, or has no identifiable program. */
static bool program_of(const struct qpw_process *p, struct qpw_program_key *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (p->match == QPW_MATCH_KERNEL || (!p->exe[0] && !p->name[0]))
        return false;
    qpw_owner_program(p, ret->path, sizeof(ret->path));
    memset(ret->path + strlen(ret->path), 0, sizeof(ret->path) - strlen(ret->path));
    return true;
}

void qpw_first_seen_recall(struct qpw_auditor *a, const struct qpw_engine_past *past)
{
    struct qpw_first_seen earlier = {.unix_ns = past->written_unix_ns};
    struct qpw_program_key program;

    if (past->program && past->outcome >= QPW_OUTCOME_ANSWERED && program_of(past->program, &program))
        qpw_first_seen_put(&a->kernel, &program, &earlier); /* an existing entry stays; if the map is full, it is not
                                                               added */
}

/*
 * Return whether a program can be at the node's end; without a reply or a request from the node, there is none. A
 * companion with an unknown owner is skipped, too: it may turn out unexpected, and its program must then count as new.
 */
static bool has_program(const struct qpw_finding_row *row)
{
    if (row->value.provisional || row->value.reason == QPW_REASON_OWNER_UNKNOWN)
        return false;
    return (qpw_finding_answered(row) || row->key.direction == QPW_DIR_OUTBOUND) && row->key.kind != QPW_KIND_ETHERTYPE &&
           !(row->value.flags & QPW_FINDING_SUPERSEDED);
}

static enum qpw_program_seen judge(struct qpw_auditor *a, const struct qpw_finding_row *row,
                                   const struct qpw_program_key *program)
{
    struct qpw_first_seen now = {.finding = row->key, .unix_ns = row->first_unix_ns}, before;
    int r = qpw_first_seen_get(&a->kernel, program, &before);

    if (r == 0)
        return memcmp(&before.finding, &row->key, sizeof(row->key)) ? QPW_PROGRAM_BEFORE : QPW_PROGRAM_NEW;
    if (r != -ENOENT)
        return QPW_PROGRAM_UNKNOWN;
    if (!qpw_finding_answered(row))
        return QPW_PROGRAM_NEW;
    if (qpw_first_seen_put(&a->kernel, program, &now) < 0)
        return QPW_PROGRAM_UNKNOWN; /* out of room: other faces could not show it */
    if (a->lives)
        qpw_lives_add_first_seen(a->lives, &row->key); /* if out of memory, it takes effect with the next reading */
    return QPW_PROGRAM_NEW;
}

/* Return a number for the combination of finding, executable at the node's end, and answered or not. */
static uint64_t number_of(const struct qpw_auditor *a, const struct qpw_finding_row *row)
{
    uint64_t number = qpw_events_hash(a, &row->key) ^ row->value.owner.exe ^ (qpw_finding_answered(row) ? 1ull << 63 : 0);

    return number ? number : 1;
}

static void look(struct qpw_auditor *a, struct qpw_finding_row *row)
{
    uint64_t number = number_of(a, row);
    uint32_t known = LOOKS;
    struct qpw_program_key program;
    struct qpw_process process = {0};

    qpw_idmap_get(&a->looked, number, &known);
    if (known >= LOOKS && known < LOOKS + PATIENCE) {
        qpw_alerts_process(a, row, &process);
        known = program_of(&process, &program) ? judge(a, row, &program) : known + 1;
        a->programs_unknown += known == LOOKS + PATIENCE && qpw_finding_answered(row) && process.match != QPW_MATCH_KERNEL;
        qpw_idmap_set(&a->looked, number, known); /* if out of memory, it is looked up again */
    }
    if (row->program_seen != QPW_PROGRAM_NEW && known < LOOKS)
        row->program_seen = known;
}

void qpw_first_seen_look(struct qpw_auditor *a, struct qpw_finding_row *rows, size_t n)
{
    if (a->looked.used > MAX_LOOKED)
        qpw_idmap_clear(&a->looked);
    for (size_t i = 0; i < n; i++)
        if (has_program(&rows[i]) && rows[i].value.last_ns >= a->reported_until_ns)
            look(a, &rows[i]);
    qpw_alerts_programs_unknown(a);
}

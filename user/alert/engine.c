/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/internal.h"

/* How long a mark outlives the finding it is about. */
#define FORGET_S DAY_S
#define PRUNE_S 3600u

void qpw_engine_defaults(struct qpw_engine_settings *ret)
{
#define SET(field, value, meaning) ret->field = value;
    QPW_ENGINE_SETTINGS(SET)
#undef SET
}

int qpw_engine_new(const struct qpw_engine_settings *settings, const struct qpw_record_writer *writer,
                   struct qpw_engine **ret)
{
    struct qpw_engine *e = calloc(1, sizeof(*e));

    if (!e)
        return -ENOMEM;
    qpw_engine_defaults(&e->settings);
    if (settings)
        e->settings = *settings;
    e->writer = *writer;
    *ret = e;
    return 0;
}

void qpw_engine_free(struct qpw_engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n_marks; i++)
        free(e->marks[i].process);
    for (size_t i = 0; i < e->n_groups; i++)
        free(e->groups[i].prefixes);
    qpw_hidden_clear(e);
    qpw_idmap_clear(&e->mark_index);
    qpw_idmap_clear(&e->group_index);
    qpw_idmap_clear(&e->peer_ports);
    free(e->marks);
    free(e->groups);
    free(e);
}

uint64_t qpw_tale_id(enum qpw_tale tale, const void *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325ull ^ tale;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)data)[i]) * 0x100000001b3ull;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93ull;
    hash ^= hash >> 32;
    hash &= (1ull << 53) - 1;
    return hash ? hash : 1;
}

struct qpw_mark *qpw_engine_mark(struct qpw_engine *e, uint64_t flow_id)
{
    uint32_t at;

    if (qpw_idmap_get(&e->mark_index, flow_id, &at))
        return &e->marks[at];
    if (e->n_marks == e->marks_allocated) {
        size_t n = e->marks_allocated ? 2 * e->marks_allocated : 256;
        struct qpw_mark *marks = realloc(e->marks, n * sizeof(*marks));

        if (!marks)
            return NULL;
        e->marks = marks;
        e->marks_allocated = n;
    }
    if (qpw_idmap_set(&e->mark_index, flow_id, e->n_marks) < 0)
        return NULL;
    e->marks[e->n_marks] = (struct qpw_mark){.flow_id = flow_id};
    return &e->marks[e->n_marks++];
}

const struct qpw_mark *qpw_engine_find(const struct qpw_engine *e, uint64_t flow_id)
{
    uint32_t at;

    return qpw_idmap_get(&e->mark_index, flow_id, &at) ? &e->marks[at] : NULL;
}

const char *qpw_engine_iface(const struct qpw_engine *e, unsigned number)
{
    const char *name = number < QPW_MAX_IFACES && e->context.ifname ? e->context.ifname[number] : "";

    return name[0] ? name : "unknown";
}

/* Forgets marks of things long gone, so that memory follows what the kernel holds. */
static void prune(struct qpw_engine *e, uint64_t now_ns)
{
    size_t kept = 0;

    if (now_ns < e->pruned_ns + PRUNE_S * SECOND)
        return;
    e->pruned_ns = now_ns;
    qpw_idmap_clear(&e->mark_index);
    for (size_t i = 0; i < e->n_marks; i++) {
        struct qpw_mark *mark = &e->marks[i];
        uint64_t last_ns = mark->offered_ns > mark->written_ns ? mark->offered_ns : mark->written_ns;

        if (last_ns + FORGET_S * SECOND < now_ns || qpw_idmap_set(&e->mark_index, mark->flow_id, kept) < 0)
            free(mark->process);
        else
            e->marks[kept++] = *mark;
    }
    e->n_marks = kept;
}

int qpw_engine_restore(struct qpw_engine *e, const struct qpw_engine_past *past)
{
    struct qpw_mark *mark;

    if (past->coverage_unix_ns > e->coverage_ns)
        e->coverage_ns = past->coverage_unix_ns;
    if (!past->flow_id)
        return 0;
    mark = qpw_engine_mark(e, past->flow_id);
    if (!mark)
        return -ENOMEM;
    if (past->sequence < mark->sequence)
        return 0;
    mark->sequence = past->sequence;
    mark->written_ns = past->written_unix_ns;
    mark->told = past->count;
    mark->outcome = past->outcome;
    mark->state = QPW_MARK_WRITTEN;
    for (unsigned s = 1; s < QPW_SIG_COUNT; s++)
        if (qpw_signature(s)->id == past->signature_id)
            mark->signature = s;
    return 0;
}

void qpw_engine_context(struct qpw_engine *e, const struct qpw_engine_context *context, uint64_t now_ns)
{
    e->context = *context;
    e->blocked = false;
    qpw_hidden_context(e, now_ns);
    qpw_hidden_write(e, now_ns);
}

int qpw_engine_snapshot(struct qpw_engine *e, const struct qpw_snapshot *snapshot, uint64_t now_ns)
{
    int rc;

    prune(e, now_ns);
    rc = qpw_engine_findings(e, snapshot->findings, snapshot->n_findings, now_ns);
    qpw_health_look(e, snapshot, now_ns);
    qpw_peers_look(e, snapshot, now_ns);
    return rc;
}

void qpw_engine_tick(struct qpw_engine *e, uint64_t now_ns)
{
    e->blocked = false;
    qpw_groups_write(e, now_ns);
    qpw_hidden_write(e, now_ns);
    qpw_peers_write(e, now_ns);
    qpw_health_write(e, now_ns);
}

struct qpw_record *qpw_engine_begin(struct qpw_engine *e, enum qpw_signature_name signature, enum qpw_record_kind kind,
                                    uint64_t seen_ns, uint64_t now_ns)
{
    struct qpw_record *r = &e->record;

    r->signature = signature ? qpw_signature(signature) : NULL;
    r->kind = kind;
    r->seen_unix_ns = seen_ns;
    r->written_unix_ns = now_ns;
    r->flow_id = 0;
    r->sequence = 0;
    r->host = e->context.host ? e->context.host : "";
    r->iface = NULL;
    r->has_row = r->has_initiator = r->has_responder = r->has_port = false;
    memset(&r->row, 0, sizeof(r->row));
    r->text[0] = '\0';
    r->heartbeat = NULL;
    r->n_facts = 0;
    r->arena_used = 0;
    if (e->context.policy_name)
        qpw_record_fact(r, "policy", "%s", e->context.policy_name);
    if (e->context.policy_digest)
        qpw_record_fact(r, "policy_digest", "%s", e->context.policy_digest);
    return r;
}

int qpw_engine_write(struct qpw_engine *e, struct qpw_mark *mark, uint64_t now_ns)
{
    struct qpw_record *r = &e->record;
    int rc;

    if (e->blocked)
        return -EAGAIN;
    if (mark) {
        r->flow_id = mark->flow_id;
        r->sequence = mark->sequence + 1;
    }
    rc = e->writer.write(e->writer.data, r);
    e->figures.blocked = e->blocked = rc < 0;
    if (rc < 0) {
        e->figures.failures++;
        return rc;
    }
    e->figures.records++;
    if (r->signature && !r->signature->operational) {
        e->figures.alerts++;
        e->figures.by_severity[r->signature->severity]++;
    }
    if (!mark)
        return 0;
    mark->sequence++;
    mark->written_ns = now_ns;
    for (unsigned s = 1; s < QPW_SIG_COUNT; s++)
        if (qpw_signature(s) == r->signature)
            mark->signature = s;
    return 0;
}

bool qpw_engine_take(struct qpw_engine *e, uint64_t now_ns)
{
    if (e->cap_second != now_ns / SECOND) {
        e->cap_second = now_ns / SECOND;
        e->cap_used = 0;
    }
    if (e->blocked || e->cap_used >= e->settings.cap)
        return false;
    e->cap_used++;
    return true;
}

void qpw_engine_get_figures(const struct qpw_engine *e, struct qpw_engine_figures *ret)
{
    *ret = e->figures;
}

const struct qpw_engine_settings *qpw_engine_get_settings(const struct qpw_engine *e)
{
    return &e->settings;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* states.c - what has been reported of each subject, and the writing of records. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alert/internal.h"
#include "util/array.h"
#include "util/hash.h"

/* Lifetime of a state after its last use. */
#define FORGET_S DAY_S
#define PRUNE_S 3600u

uint64_t qpw_aggregate_id(enum qpw_aggregate_kind kind_of, const void *data, size_t size)
{
    uint64_t hash = qpw_hash(QPW_HASH_BEGIN ^ kind_of, data, size);

    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93ull;
    hash ^= hash >> 32;
    hash &= (1ull << 53) - 1;
    return hash ? hash : 1;
}

static uint64_t keyed_hash(const struct qpw_engine *e, uint8_t kind_of, const void *data, size_t size)
{
    struct hmac_sha256_ctx hash = e->keyed;
    uint64_t ret;

    hmac_sha256_update(&hash, 1, &kind_of);
    hmac_sha256_update(&hash, size, data);
    hmac_sha256_digest(&hash, sizeof(ret), (uint8_t *)&ret);
    return ret;
}

uint64_t qpw_aggregate_keyed_id(const struct qpw_engine *e, enum qpw_aggregate_kind kind_of, const void *data, size_t size)
{
    uint64_t id = keyed_hash(e, kind_of, data, size) & ((1ull << 53) - 1);

    return id ? id : 1;
}

static struct qpw_alert_state *add_mark(struct qpw_engine *e, uint64_t index)
{
    struct qpw_alert_state *state = QPW_ADD(e->states, e->n_states);

    if (!state)
        return NULL;
    if (qpw_idmap_set(&e->state_index, index, e->n_states) < 0)
        return NULL;
    e->states[e->n_states] = (struct qpw_alert_state){.index = index};
    return &e->states[e->n_states++];
}

struct qpw_alert_state *qpw_engine_state(struct qpw_engine *e, uint64_t flow_id)
{
    struct qpw_alert_state *state;
    uint32_t at;

    if (qpw_idmap_get(&e->state_index, flow_id, &at))
        return &e->states[at];
    state = add_mark(e, flow_id);
    if (state)
        state->flow_id = flow_id;
    return state;
}

/* Return whether the log's record is about that finding. Records without IP addresses are about non-IP frames. */
static bool is_about(const struct qpw_engine_ends *ends, const struct qpw_finding_key *key)
{
    if (ends->verdict != key->verdict || ends->direction != key->direction)
        return false;
    if (key->kind == QPW_KIND_ETHERTYPE)
        return true;
    return !memcmp(ends->initiator, key->initiator, 16) && !memcmp(ends->responder, key->responder, 16) &&
           (key->kind != QPW_KIND_PORT || ends->port == key->port);
}

/* Restore the logged state of a finding offered for the first time since the start. */
static void recall(struct qpw_engine *e, struct qpw_alert_state *state)
{
    const struct qpw_alert_state *past;
    uint32_t at;

    if (!qpw_idmap_get(&e->state_index, state->flow_id, &at) || !is_about(&e->states[at].ends, &state->key))
        return;
    past = &e->states[at];
    state->sequence = past->sequence;
    state->written_ns = past->written_ns;
    state->reported = past->reported;
    state->outcome = past->outcome;
    state->state = past->state;
    state->signature = past->signature;
}

struct qpw_alert_state *qpw_engine_finding_state(struct qpw_engine *e, const struct qpw_finding_row *row)
{
    const uint64_t finding = 1ull << 63; /* above every flow_id */
    uint64_t index = keyed_hash(e, QPW_AGGREGATE_NONE, &row->key, sizeof(row->key)) | finding;
    struct qpw_alert_state *state;
    uint32_t at;

    while (qpw_idmap_get(&e->state_index, index, &at)) {
        if (!memcmp(&e->states[at].key, &row->key, sizeof(row->key)))
            return &e->states[at];
        index = (index + 1) | finding;
    }
    state = add_mark(e, index);
    if (!state)
        return NULL;
    state->flow_id = row->flow_id;
    state->key = row->key;
    recall(e, state);
    return state;
}

const struct qpw_alert_state *qpw_engine_find(const struct qpw_engine *e, uint64_t flow_id)
{
    uint32_t at;

    return qpw_idmap_get(&e->state_index, flow_id, &at) ? &e->states[at] : NULL;
}

const char *qpw_engine_iface(const struct qpw_engine *e, unsigned number)
{
    const char *name = number < QPW_MAX_IFACES && e->context.ifname ? e->context.ifname[number] : "";

    return name[0] ? name : "unknown";
}

void qpw_engine_prune(struct qpw_engine *e, uint64_t now_ns)
{
    size_t kept = 0;

    if (!e->pruned_ns) /* keep states from the log, however old, until their findings have been offered */
        e->pruned_ns = now_ns;
    if (now_ns < e->pruned_ns + PRUNE_S * SECOND)
        return;
    e->pruned_ns = now_ns;
    qpw_idmap_clear(&e->state_index);
    for (size_t i = 0; i < e->n_states; i++) {
        struct qpw_alert_state *state = &e->states[i];
        uint64_t last_ns = state->offered_ns > state->written_ns ? state->offered_ns : state->written_ns;

        if (last_ns + FORGET_S * SECOND < now_ns || qpw_idmap_set(&e->state_index, state->index, kept) < 0)
            free(state->process);
        else
            e->states[kept++] = *state;
    }
    e->n_states = kept;
}

struct qpw_record *qpw_engine_begin(struct qpw_engine *e, enum qpw_signature_name signature, enum qpw_record_kind kind,
                                    uint64_t seen_ns, uint64_t now_ns)
{
    struct qpw_record *record = &e->record;

    record->signature = signature ? qpw_signature(signature) : NULL;
    record->kind = kind;
    record->acknowledged = record->part = false;
    record->seen_unix_ns = seen_ns;
    record->written_unix_ns = now_ns;
    record->flow_id = 0;
    record->sequence = 0;
    record->host = e->context.host ? e->context.host : "";
    record->iface = NULL;
    record->has_row = record->has_initiator = record->has_responder = record->has_port = false;
    memset(&record->row, 0, sizeof(record->row));
    record->text[0] = record->advice[0] = '\0';
    record->heartbeat = NULL;
    record->n_facts = 0;
    record->arena_used = 0;
    if (e->context.policy_name)
        qpw_record_fact(record, "policy", "%s", e->context.policy_name);
    if (e->context.policy_digest)
        qpw_record_fact(record, "policy_digest", "%s", e->context.policy_digest);
    return record;
}

int qpw_engine_write(struct qpw_engine *e, struct qpw_alert_state *state, uint64_t now_ns)
{
    struct qpw_record *record = &e->record;
    int r;

    if (e->blocked)
        return -EAGAIN;
    if (state) {
        record->flow_id = state->flow_id;
        record->sequence = state->sequence + 1;
    }
    r = e->writer.write(e->writer.data, record);
    e->figures.blocked = e->blocked = r < 0;
    if (r < 0) {
        e->figures.failures++;
        return r;
    }
    e->figures.records++;
    if (record->signature && !record->signature->operational) {
        e->figures.alerts++;
        e->figures.by_severity[qpw_record_severity(record)]++;
    }
    if (!state)
        return 0;
    state->sequence++;
    state->written_ns = now_ns;
    for (unsigned s = 1; s < QPW_SIG_COUNT; s++)
        if (qpw_signature(s) == record->signature)
            state->signature = s;
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

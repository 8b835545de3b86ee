/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "snapshot/lives.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "instance/kernel.h"
#include "snapshot/collect_maps.h"
#include "util/array.h"
#include "util/cleanup.h"

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct qpw_finding_key));
}

/* Identify the holder of the node's end: its executable, else the kind of socket. 0: unknown. */
static uint64_t program_of(const struct qpw_owner *owner)
{
    return owner->tgid ? owner->exe : owner->how;
}

/* Values of qpw_finding_key.pad in keys of steps that are not about a finding's own key. */
enum { PAD_CLASS = 1, PAD_SINGLE };

/* False: the remote end is unknown, or is a MAC address. */
static bool has_remote(const struct qpw_finding_key *key)
{
    return (key->direction == QPW_DIR_OUTBOUND || key->direction == QPW_DIR_INBOUND) && key->kind != QPW_KIND_ETHERTYPE;
}

static uint8_t *local_end(struct qpw_finding_key *key)
{
    return key->direction == QPW_DIR_OUTBOUND ? key->initiator : key->responder;
}

struct qpw_finding_key qpw_life_class(const struct qpw_finding_row *f)
{
    struct qpw_finding_key ret = f->key;
    uint64_t program = program_of(&f->value.owner);
    uint8_t *remote = f->key.direction == QPW_DIR_OUTBOUND ? ret.responder : ret.initiator;
    size_t prefix = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)qpw_finding_remote(&f->key)) ? 15 : 6;

    ret.pad = PAD_CLASS;
    if (!has_remote(&f->key))
        return ret; /* keep both ends whole */
    memset(local_end(&ret), 0, 16); /* match any address of the node */
    memcpy(local_end(&ret), &program, sizeof(program));
    memset(remote + prefix, 0, 16 - prefix);
    return ret;
}

struct qpw_finding_key qpw_life_single(const struct qpw_finding_row *f)
{
    struct qpw_finding_key ret = f->key;
    uint64_t program = program_of(&f->value.owner);

    ret.pad = PAD_SINGLE;
    if (!has_remote(&f->key))
        return ret;
    for (size_t i = 0; i < 8; i++)
        local_end(&ret)[8 + i] ^= local_end(&ret)[i]; /* keep the address in the bytes that the program does not use */
    memcpy(local_end(&ret), &program, sizeof(program));
    return ret;
}

static void forget_program(struct qpw_finding_key *key)
{
    if (has_remote(key))
        memset(local_end(key), 0, sizeof(uint64_t));
}

bool qpw_lives_of_another_program(const struct qpw_finding_row *f)
{
    struct qpw_finding_key of_class = qpw_life_class(f), single = qpw_life_single(f);

    forget_program(&of_class);
    forget_program(&single);
    for (size_t i = 0; f->lives && i < f->lives->n; i++) {
        const struct qpw_life *life = &f->lives->rows[i].life;
        struct qpw_finding_key key = f->lives->rows[i].key;

        if (!key.pad || life->step != QPW_LIFE_ACKNOWLEDGED || f->value.outcome > life->outcome ||
            (life->until_unix_ns && f->lives->now_unix_ns >= life->until_unix_ns))
            continue;
        forget_program(&key);
        if (!by_key(&key, &of_class) || !by_key(&key, &single))
            return true;
    }
    return false;
}

bool qpw_life_is_of_person(const struct qpw_life *step)
{
    return ((const struct qpw_life_row *)((const char *)step - offsetof(struct qpw_life_row, life)))->key.pad;
}

const struct qpw_life *qpw_lives_find(const struct qpw_lives *lives, const struct qpw_finding_key *key)
{
    const struct qpw_life_row *row =
        lives && lives->n ? bsearch(key, lives->rows, lives->n, sizeof(*lives->rows), by_key) : NULL;

    return row ? &row->life : NULL;
}

static bool in_force(const struct qpw_life *life, uint64_t now_unix_ns)
{
    return life->step == QPW_LIFE_ACKNOWLEDGED && (!life->until_unix_ns || now_unix_ns < life->until_unix_ns);
}

size_t qpw_lives_acknowledgements(const struct qpw_lives *lives, uint64_t now_unix_ns)
{
    size_t n = 0;

    for (size_t i = 0; lives && i < lives->n; i++)
        n += in_force(&lives->rows[i].life, now_unix_ns);
    return n;
}

static void take_step(struct qpw_finding_row *row, const struct qpw_life *step)
{
    if (!step)
        return;
    if (step->step == QPW_LIFE_EXPLAINED)
        row->explained = step;
    else if (step->step == QPW_LIFE_ACKNOWLEDGED)
        row->acknowledged = step;
    else if (step->step == QPW_LIFE_REOPENED && (!row->reopened || row->reopened->unix_ns < step->unix_ns))
        row->reopened = step;
}

/* Return the later of two steps, either of which may be NULL. */
static const struct qpw_life *later(const struct qpw_life *a, const struct qpw_life *b)
{
    return !a || (b && b->unix_ns > a->unix_ns) ? b : a;
}

static bool was_first_seen(const struct qpw_lives *lives, const struct qpw_finding_key *key)
{
    return lives && lives->n_first_seen &&
           bsearch(key, lives->first_seen, lives->n_first_seen, sizeof(*lives->first_seen), by_key);
}

void qpw_lives_assign(const struct qpw_lives *lives, struct qpw_finding_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct qpw_finding_key of_class = qpw_life_class(&rows[i]), single = qpw_life_single(&rows[i]);

        rows[i].lives = lives;
        if (was_first_seen(lives, &rows[i].key))
            rows[i].program_seen = QPW_PROGRAM_NEW;
        rows[i].explained = rows[i].acknowledged = rows[i].reopened = NULL;
        take_step(&rows[i], qpw_lives_find(lives, &rows[i].key));
        take_step(&rows[i], later(qpw_lives_find(lives, &of_class), qpw_lives_find(lives, &single)));
    }
}

struct qpw_lives *qpw_lives_new(struct qpw_life_row *rows, size_t n)
{
    struct qpw_lives *lives = calloc(1, sizeof(*lives));

    if (!lives) {
        free(rows);
        return NULL;
    }
    lives->rows = rows;
    lives->n = n;
    if (n)
        qsort(rows, n, sizeof(*rows), by_key);
    return lives;
}

void qpw_lives_free(struct qpw_lives *lives)
{
    if (lives) {
        free(lives->rows);
        free(lives->first_seen);
    }
    free(lives);
}

int qpw_lives_add_first_seen(struct qpw_lives *lives, const struct qpw_finding_key *finding)
{
    struct qpw_finding_key *key = QPW_ADD(lives->first_seen, lives->n_first_seen);

    if (!key)
        return -ENOMEM;
    *key = *finding;
    qsort(lives->first_seen, ++lives->n_first_seen, sizeof(*key), by_key);
    return 0;
}

static int read_first_seen(const struct qpw_kernel *k, struct qpw_lives *lives)
{
    static const struct qpw_finding_key none;
    const struct qpw_first_seen *values;
    QPW_CLEANUP(qpw_entries_clear) struct qpw_entries e = {0};
    int r = qpw_entries_read(k->map_fd[QPW_MAP_first_seen], sizeof(struct qpw_program_key), sizeof(*values), &e);

    if (r < 0)
        return r;
    values = e.values;
    for (size_t i = 0; i < e.count; i++) {
        struct qpw_finding_key *key;

        if (!memcmp(&values[i].finding, &none, sizeof(none)))
            continue;
        key = QPW_ADD(lives->first_seen, lives->n_first_seen);
        if (!key)
            return -ENOMEM;
        *key = values[i].finding;
        lives->n_first_seen++;
    }
    if (lives->n_first_seen)
        qsort(lives->first_seen, lives->n_first_seen, sizeof(*lives->first_seen), by_key);
    return 0;
}

int qpw_lives_read(const struct qpw_kernel *k, struct qpw_lives **ret)
{
    struct qpw_life_row *rows;
    struct qpw_entries e;
    int r = qpw_entries_read(k->map_fd[QPW_MAP_lives], sizeof(rows->key), sizeof(rows->life), &e);

    if (r < 0)
        return r;
    rows = calloc(e.count + 1, sizeof(*rows));
    for (size_t i = 0; rows && i < e.count; i++) {
        rows[i].key = ((struct qpw_finding_key *)e.keys)[i];
        rows[i].life = ((struct qpw_life *)e.values)[i];
    }
    *ret = rows ? qpw_lives_new(rows, e.count) : NULL;
    qpw_entries_clear(&e);
    r = *ret ? read_first_seen(k, *ret) : -ENOMEM;
    if (r < 0) {
        qpw_lives_free(*ret);
        *ret = NULL;
    }
    return r;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "auditor/users.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "host/owner.h"
#include "instance/map_walk.h"
#include "snapshot/conns.h"
#include "util/idmap.h"

#define LOOKS_A_SECOND 64u /* process look-ups */

struct qpw_users {
    struct qpw_idmap seen; /* (rule, remote end) and (rule, owner number) that need no further record */
    uint8_t remotes[QPW_MAX_RULES], programs[QPW_MAX_RULES]; /* number in the map for each rule */
    bool named[2][QPW_MAX_RULES]; /* by enum qpw_rule_user_kind: restricted by the policy, or not a rule of the
                                     policy */
    unsigned looks; /* left in this second */
    unsigned looked; /* tick of that second */
};

static uint64_t id_of(const struct qpw_auditor *a, uint16_t rule, uint8_t kind, const void *bytes, size_t size)
{
    uint32_t words[5] = {(uint32_t)rule << 8 | kind};
    uint64_t id = 0;

    memcpy(words + 1, bytes, size);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        id += a->kernel.config.secret[i] * words[i];
    id ^= id >> 32;
    return id ? id : 1;
}

static uint8_t *count_of(struct qpw_users *u, const struct qpw_rule_user_key *key)
{
    return key->kind == QPW_RULE_REMOTE ? &u->remotes[key->rule] : &u->programs[key->rule];
}

static bool is_many(struct qpw_users *u, const struct qpw_rule_user_key *key)
{
    return *count_of(u, key) > (key->kind == QPW_RULE_REMOTE ? QPW_RULE_FEW_REMOTES : QPW_RULE_FEW_PROGRAMS);
}

static void note(struct qpw_auditor *a, const struct qpw_rule_user_key *key)
{
    struct qpw_rule_user user = {.first_unix_ns = qpw_clock_unix_ns()};

    if (bpf_map_update_elem(a->kernel.map_fd[QPW_MAP_rule_users], key, &user, BPF_NOEXIST) == 0)
        ++*count_of(a->users, key);
}

static bool is_known(const struct qpw_users *u, uint64_t id)
{
    uint32_t value;

    return qpw_idmap_get(&u->seen, id, &value);
}

static void see_remote(struct qpw_auditor *a, const struct qpw_conn_key *key, uint16_t rule)
{
    struct qpw_rule_user_key user = {.rule = rule, .kind = QPW_RULE_REMOTE};
    uint64_t id = id_of(a, rule, QPW_RULE_REMOTE, key->remote, 16);

    if (is_many(a->users, &user) || is_known(a->users, id))
        return;
    qpw_idmap_set(&a->users->seen, id, 1); /* if out of memory, it is recorded again, which is harmless */
    memcpy(user.who, key->remote, 16);
    note(a, &user);
}

static bool may_look(struct qpw_auditor *a)
{
    struct qpw_users *u = a->users;

    if (u->looked != a->ticks) {
        u->looked = a->ticks;
        u->looks = LOOKS_A_SECOND;
    }
    return u->looks && u->looks--;
}

/* Record the program. A process that has ended is known only by the path passed to execve(2), which proves nothing. */
static void see_program(struct qpw_auditor *a, const struct qpw_conn *conn)
{
    struct qpw_rule_user_key user = {.rule = conn->rule, .kind = QPW_RULE_PROGRAM};
    uint32_t number = conn->owner;
    uint64_t id = id_of(a, conn->rule, QPW_RULE_PROGRAM, &number, sizeof(number));
    struct qpw_process process = {0};
    struct qpw_owner noted;

    if (is_many(a->users, &user) || is_known(a->users, id) || !may_look(a))
        return;
    qpw_idmap_set(&a->users->seen, id, 1);
    if (qpw_conn_owner(&a->kernel, conn->owner, &noted) == 0 && noted.tgid)
        qpw_owner_describe(a->sockets, &noted, &process);
    if (process.pid && !process.ended && process.exe[0] == '/' && strlen(process.exe) < sizeof(user.who))
        memcpy(user.who, process.exe, strlen(process.exe));
    note(a, &user);
}

void qpw_users_see(struct qpw_auditor *a, const struct qpw_conn_key *key, const struct qpw_conn *conn)
{
    struct qpw_users *u = a->users;

    if (!u || !conn->rule || conn->rule >= QPW_MAX_RULES || conn->evidence <= QPW_EVIDENCE_INFERRED ||
        conn->outcome < QPW_OUTCOME_ANSWERED || (conn->vlan & QPW_CONN_PROVISIONAL) ||
        (conn->verdict != QPW_VERDICT_ALLOWED && conn->verdict != QPW_VERDICT_WEAK))
        return;
    if (!u->named[QPW_RULE_REMOTE][conn->rule])
        see_remote(a, key, conn->rule);
    if (!u->named[QPW_RULE_PROGRAM][conn->rule])
        see_program(a, conn);
}

/* ---- The policy ---- */

static void name_rules(struct qpw_auditor *a)
{
    struct qpw_users *u = a->users;

    memset(u->named, true, sizeof(u->named));
    for (size_t id = 1; id < a->names.n_rules && id < QPW_MAX_RULES; id++)
        for (size_t i = 0; i < a->policy.n_rules; i++) {
            const struct qpw_rule *rule = &a->policy.rules[i];
            uint16_t who = rule->direction == QPW_DIR_OUTBOUND ? QPW_RULE_TO : QPW_RULE_FROM;

            if (strcmp(rule->name, a->names.rules[id].name))
                continue;
            u->named[QPW_RULE_REMOTE][id] = (rule->flags & who) != 0;
            u->named[QPW_RULE_PROGRAM][id] = rule->owner != NULL;
            if (rule->flags & who || rule->owner)
                break; /* one row of that name suffices */
        }
}

/* Remove obsolete entries from the map, and count the others. */
static void count_users(struct qpw_auditor *a)
{
    int fd = a->kernel.map_fd[QPW_MAP_rule_users];
    struct qpw_rule_user_key key;
    struct qpw_map_walk walk = qpw_map_walk(fd, &key);
    struct qpw_users *u = a->users;

    memset(u->remotes, 0, sizeof(u->remotes));
    memset(u->programs, 0, sizeof(u->programs));
    qpw_idmap_clear(&u->seen);
    while (qpw_map_next(&walk)) {
        if (key.rule >= QPW_MAX_RULES || key.kind > QPW_RULE_PROGRAM || u->named[key.kind][key.rule])
            bpf_map_delete_elem(fd, &key);
        else
            ++*count_of(u, &key);
    }
}

void qpw_users_policy(struct qpw_auditor *a)
{
    if (!a->users)
        return;
    name_rules(a);
    count_users(a);
}

int qpw_users_open(struct qpw_auditor *a, struct qpw_error *err)
{
    a->users = calloc(1, sizeof(*a->users));
    if (!a->users)
        return qpw_fail(err, -ENOMEM, "out of memory");
    qpw_users_policy(a);
    return 0;
}

void qpw_users_close(struct qpw_auditor *a)
{
    if (!a->users)
        return;
    qpw_idmap_clear(&a->users->seen);
    free(a->users);
    a->users = NULL;
}

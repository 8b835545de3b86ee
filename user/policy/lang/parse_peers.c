/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parse_peers.c - peers, from the policy or the command line, and named sets of addresses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/parse.h"
#include "util/array.h"

static struct qpw_peer *peer_of(struct qpw_policy *policy, const char *name, const struct qpw_where *where)
{
    struct qpw_peer *peer;

    for (size_t i = 0; i < policy->n_peers; i++)
        if (!strcmp(policy->peers[i].name, name))
            return &policy->peers[i];
    if (policy->n_peers == QPW_MAX_PEERS - 1)
        return NULL;
    peer = QPW_ADD(policy->peers, policy->n_peers);
    if (!peer)
        return NULL;
    policy->n_peers++;
    snprintf(peer->name, sizeof(peer->name), "%s", name);
    peer->where = *where;
    return peer;
}

/* ---- Keys ---- */

static bool is_key(const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /* 32 bytes are 43 characters, the last of which has four bits only */
    return !strncmp(text, "sha256:", 7) && strlen(text) == 7 + 44 && strspn(text + 7, alphabet) == 43 && text[50] == '=' &&
           strchr("AEIMQUYcgkosw048", text[49]);
}

static bool has_key(const struct qpw_keys *keys, const char *text)
{
    for (size_t i = 0; i < keys->n; i++)
        if (!strcmp(keys->text[i], text))
            return true;
    return false;
}

/* Return the other name that has the key; NULL: none. A key identifies who asks, so it belongs to one name. */
static const char *name_with_key(const struct qpw_policy *policy, const struct qpw_keys *not_these, const char *text)
{
    for (size_t i = 0; i < policy->n_peers; i++)
        if (&policy->peers[i].keys != not_these && has_key(&policy->peers[i].keys, text))
            return policy->peers[i].name;
    for (size_t i = 0; i < policy->n_readers; i++)
        if (&policy->readers[i].keys != not_these && has_key(&policy->readers[i].keys, text))
            return policy->readers[i].name;
    return NULL;
}

static int add_key(struct qpw_policy *policy, const struct qpw_where *where, const struct qpw_word *word, const char *text,
                   struct qpw_keys *keys, struct qpw_error *err)
{
    const char *other;

    if (!is_key(text))
        return qpw_fail_at(err, where, word->column, "a key is sha256: and 44 characters of base64; 'qportwatch cluster key' prints it");
    if (has_key(keys, text))
        return 0;
    other = name_with_key(policy, keys, text);
    if (other)
        return qpw_fail_at(err, where, word->column, "%s has this key already; give each name a key of its own", other);
    if (keys->n == QPW_MAX_KEYS)
        return qpw_fail_at(err, where, word->column, "a name has at most %d keys: the old one and the new one", QPW_MAX_KEYS);
    strcpy(keys->text[keys->n++], text);
    return 0;
}

/* Parse the words from the third on: addresses, and key=. */
static int parse_ends(struct qpw_policy *policy, const struct qpw_policy_statement *statement, size_t first,
                      struct qpw_addresses *addresses, struct qpw_keys *keys, struct qpw_error *err)
{
    const struct qpw_where *where = &statement->where;
    int r = 0;

    for (size_t i = first; i < statement->n_words && r == 0; i++) {
        const struct qpw_word *word = &statement->words[i];
        const char *key = qpw_word_value(word, "key");

        r = key ? add_key(policy, where, word, key, keys, err) : qpw_parse_addresses(policy, where, word, word->text, addresses, err);
    }
    qpw_addresses_normalise(addresses);
    if (r == 0 && !addresses->n)
        r = qpw_fail_at(err, where, 0, "%s has no address", statement->words[1].text);
    return r;
}

static int add_peer_words(struct qpw_policy *policy, const struct qpw_policy_statement *statement, const char *name,
                          size_t first, bool by_hand, struct qpw_error *err)
{
    struct qpw_peer *peer = peer_of(policy, name, &statement->where);

    if (!peer)
        return qpw_fail_at(err, &statement->where, 0, "more than %d peers", QPW_MAX_PEERS - 1);
    peer->by_hand |= by_hand;
    return parse_ends(policy, statement, first, &peer->addresses, &peer->keys, err);
}

int qpw_parse_peer(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    char name[QPW_NAME_LEN];
    int ret = qpw_expect_words(statement, 3, QPW_MAX_WORDS, "peer node2 10.1.0.12 fd00:10::12", err);

    if (ret == 0)
        ret = qpw_parse_name(&statement->where, &statement->words[1], statement->words[1].text, name, err);
    return ret < 0 ? ret : add_peer_words(&p->policy, statement, name, 2, /* by_hand= */ false, err);
}

static struct qpw_policy_reader *reader_of(struct qpw_policy *policy, const char *name, const struct qpw_where *where)
{
    struct qpw_policy_reader *reader;

    for (size_t i = 0; i < policy->n_readers; i++)
        if (!strcmp(policy->readers[i].name, name))
            return &policy->readers[i];
    reader = QPW_ADD(policy->readers, policy->n_readers);
    if (!reader)
        return NULL;
    policy->n_readers++;
    snprintf(reader->name, sizeof(reader->name), "%s", name);
    reader->where = *where;
    return reader;
}

int qpw_parse_reader(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    struct qpw_policy_reader *reader;
    char name[QPW_NAME_LEN];
    int r = qpw_expect_words(statement, 4, QPW_MAX_WORDS, "reader prometheus 10.0.5.9 key=sha256:...", err);

    if (r < 0)
        return r;
    r = qpw_parse_name(&statement->where, &statement->words[1], statement->words[1].text, name, err);
    if (r < 0)
        return r;
    reader = reader_of(&p->policy, name, &statement->where);
    if (!reader)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
    r = parse_ends(&p->policy, statement, 2, &reader->addresses, &reader->keys, err);
    if (r < 0)
        return r;
    return reader->keys.n ? 0 : qpw_fail_at(err, &statement->where, 0, "%s has no key: add key=sha256:...", name);
}

int qpw_parse_cluster(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    const char *ca;
    int r = qpw_expect_words(statement, 2, 3, "cluster name ca=/etc/qportwatch/ca.pem", err);

    if (r < 0)
        return r;
    r = qpw_parse_name(&statement->where, &statement->words[1], statement->words[1].text, p->policy.cluster, err);
    if (r < 0 || statement->n_words < 3)
        return r;
    ca = qpw_word_value(&statement->words[2], "ca");
    if (!ca || *ca != '/')
        return qpw_fail_at(err, &statement->where, statement->words[2].column,
                           "ca= and the absolute path of a certificate can stand here");
    free(p->policy.cluster_ca);
    p->policy.cluster_ca = strdup(ca);
    return p->policy.cluster_ca ? 0 : qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
}

int qpw_parse_peer_family(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    int ret = qpw_expect_words(statement, 2, 2, "require-peer-family ipv6", err);
    const char *family;

    if (ret < 0)
        return ret;
    family = statement->words[1].text;
    if (strcmp(family, "ipv4") && strcmp(family, "ipv6"))
        return qpw_fail_at(err, &statement->where, statement->words[1].column, "'%s' is not a family: ipv4 or ipv6",
                           family);
    p->policy.peer_family = (struct qpw_peer_family){.where = statement->where, .family = (uint8_t)(family[3] - '0')};
    return 0;
}

int qpw_parse_peer_ports(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    int ret = qpw_expect_words(statement, 2, 2, "require-peer-ports any", err);

    if (ret == 0 && strcmp(statement->words[1].text, "any"))
        ret = qpw_fail_at(err, &statement->where, statement->words[1].column, "'%s' where only any can stand",
                          statement->words[1].text);
    if (ret == 0)
        p->policy.peers_on_any_port = true;
    return ret;
}

static struct qpw_address_set *set_of(struct qpw_policy *policy, const char *name, const struct qpw_where *where)
{
    struct qpw_address_set *set;

    for (size_t i = 0; i < policy->n_sets; i++)
        if (!strcmp(policy->sets[i].name, name))
            return &policy->sets[i];
    set = QPW_ADD(policy->sets, policy->n_sets);
    if (!set)
        return NULL;
    policy->n_sets++;
    strcpy(set->name, name);
    set->where = *where;
    return set;
}

/* Read file=PATH of an `addresses` line: addresses, any number per line. *ret_bad: it has faults, which are recorded. */
static int add_address_file(struct qpw_parser *p, const struct qpw_policy_statement *statement,
                            const struct qpw_word *word, struct qpw_addresses *set, bool *ret_bad,
                            struct qpw_error *err)
{
    const char *path = qpw_word_value(word, "file");
    struct qpw_statements lines = {0};
    struct qpw_error why = {0};
    size_t before = p->statements.n_files, faults = p->statements.faults.n;
    int ret = qpw_statements_read_list(&p->statements, &lines, path, statement->where.file, &why);

    if (ret < 0 && p->statements.n_files == before)
        ret = qpw_fail_at(err, &statement->where, word->column, "%s", why.text);
    else if (ret < 0)
        qpw_fail(err, ret, "%s", why.text);
    for (size_t i = 0; i < lines.n && ret == 0; i++) {
        int r = 0;

        for (size_t j = 0; j < lines.list[i].n_words && r == 0; j++)
            r = qpw_parse_addresses(&p->policy, &lines.list[i].where, &lines.list[i].words[j],
                                    lines.list[i].words[j].text, set, err);
        if (r == -EINVAL || r == -ENOENT)
            r = qpw_statements_fault(&p->statements, &lines.list[i].where, err->text);
        ret = r;
    }
    *ret_bad |= p->statements.faults.n > faults;
    qpw_statements_clear(&lines);
    return ret;
}

int qpw_parse_set(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    char name[QPW_NAME_LEN];
    struct qpw_addresses more = {0};
    struct qpw_address_set *set;
    bool bad = false;
    int ret = qpw_expect_words(statement, 2, QPW_MAX_WORDS, "addresses dc 10.0.0.5 10.0.0.6 file=dc.txt", err);

    if (ret == 0)
        ret = qpw_parse_name(&statement->where, &statement->words[1], statement->words[1].text, name, err);
    if (ret < 0)
        return ret;
    for (size_t i = 2; i < statement->n_words && ret == 0; i++) {
        const struct qpw_word *word = &statement->words[i];

        ret = qpw_word_value(word, "file") ? add_address_file(p, statement, word, &more, &bad, err)
                   : qpw_parse_addresses(&p->policy, &statement->where, word, word->text, &more, err);
    }
    set = set_of(&p->policy, name, &statement->where);
    if (!set || qpw_addresses_add_all(&set->addresses, &more) < 0)
        ret = qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
    if (set) {
        set->unread |= bad || ret < 0;
        qpw_addresses_normalise(&set->addresses);
    }
    qpw_addresses_clear(&more);
    return ret;
}

int qpw_check_sets(const struct qpw_policy *policy, struct qpw_error *err)
{
    const struct qpw_address_set *first = NULL;
    char names[256] = "";
    size_t used = 0, more = 0;

    for (size_t i = 0; i < policy->n_sets; i++) {
        const struct qpw_address_set *set = &policy->sets[i];
        char item[QPW_NAME_LEN + 32];
        size_t length;

        if (set->addresses.n || set->unread)
            continue;
        length = (size_t)snprintf(item, sizeof(item), "%s%s (line %u)", first ? ", " : "", set->name, set->where.line);
        if (!first)
            first = set;
        if (more || used + length + 32 > sizeof(names)) {
            more++;
            continue;
        }
        memcpy(names + used, item, length + 1);
        used += length;
    }
    if (!first)
        return 0;
    if (more)
        snprintf(names + used, sizeof(names) - used, " and %zu more", more);
    return qpw_fail_at(err, &first->where, 0,
                       "no addresses yet for %s; add them after the name, or delete the rules that use it", names);
}

/* ---- From the command line ---- */

int qpw_policy_add_peer(struct qpw_policy *policy, const char *spec, const char *from, struct qpw_error *err)
{
    const char *equals = strchr(spec, '=');
    struct qpw_word word = {.text = (char *)(equals ? equals + 1 : spec), .column = 1};
    struct qpw_policy_statement statement = {.where = {.file = from, .line = 0}, .words = &word, .n_words = 1};
    char name[QPW_NAME_LEN];
    struct qpw_range range;
    const char *why;
    int ret;

    if (equals) {
        char left[96];
        struct qpw_word part = {.text = left, .column = 1};
        struct qpw_error ignored;

        snprintf(left, sizeof(left), "%.*s", (int)(equals - spec), spec);
        if (qpw_parse_name(&statement.where, &part, left, name, &ignored) < 0)
            return qpw_fail(err, -EINVAL, "%s '%s': '%s' is not a name: lower-case letters, digits and . _ + -", from,
                            spec, left);
    } else {
        snprintf(name, sizeof(name), "%s", spec);
    }
    if (qpw_range_parse(word.text, &range, &why) < 0)
        return qpw_fail(err, -EINVAL, "%s '%s': %s; give [NAME=]ADDR, ADDR/LEN or ADDR-ADDR", from, spec, why);
    ret = add_peer_words(policy, &statement, name, 0, /* by_hand= */ true, err);
    for (size_t i = 0; i < policy->n_peers; i++)
        if (policy->peers[i].where.file == from)
            policy->peers[i].where.file = "command line";
    return ret;
}

int qpw_policy_add_peers_file(struct qpw_policy *policy, const char *path, struct qpw_faults *ret_faults,
                              struct qpw_error *err)
{
    struct qpw_statements all = {0}, lines = {0};
    struct qpw_range range;
    const char *why;
    int ret;

    sha256_init(&all.digest);
    ret = qpw_statements_read_list(&all, &lines, path, NULL, err);
    for (size_t i = 0; i < lines.n && ret == 0; i++) {
        struct qpw_policy_statement *line = &lines.list[i];
        bool named = qpw_range_parse(line->words[0].text, &range, &why) < 0;
        char name[QPW_NAME_LEN];
        struct qpw_error wrong;

        if (!named)
            snprintf(name, sizeof(name), "%s", line->words[0].text);
        else if (line->n_words < 2)
            ret = qpw_fail_at(&wrong, &line->where, line->words[0].column, "'%s': %s; a line is [NAME] ADDR…",
                              line->words[0].text, why);
        else
            ret = qpw_parse_name(&line->where, &line->words[0], line->words[0].text, name, &wrong);
        if (ret == 0)
            ret = add_peer_words(policy, line, name, named, /* by_hand= */ true, &wrong);
        if (ret == -EINVAL || ret == -ENOENT)
            ret = qpw_statements_fault(&all, &line->where, wrong.text);
        else if (ret < 0)
            qpw_fail(err, ret, "%s", wrong.text);
    }
    if (all.faults.n && (ret == 0 || ret == -E2BIG)) {
        qpw_faults_sort(&all.faults);
        ret = qpw_faults_fail(&all.faults, err);
    }
    if (ret == -EINVAL && ret_faults) {
        *ret_faults = all.faults;
        all.faults = (struct qpw_faults){0};
    }
    /* Move the file's name to the policy, because the peers point to it. */
    if (all.n_files) {
        char **file = QPW_ADD(policy->files, policy->n_files);

        if (file) {
            *file = all.files[0];
            policy->n_files++;
            all.files[0] = NULL;
        }
    }
    qpw_statements_clear(&lines);
    qpw_statements_clear(&all);
    return ret;
}

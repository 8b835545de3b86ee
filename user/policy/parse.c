/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/parse.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/base16.h>

struct parser {
    struct qpw_policy policy;
    struct qpw_statements statements;
};

int qpw_policy_warn(struct qpw_policy *policy, const struct qpw_where *where, const char *format, ...)
{
    void *array = policy->warnings;
    char **place = qpw_grow(&array, policy->n_warnings, sizeof(*place));
    char what[384];
    va_list args;

    if (!place)
        return -ENOMEM;
    policy->warnings = array;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    if ((where ? asprintf(place, "%s:%u: %s", where->file, where->line, what) : asprintf(place, "%s", what)) < 0)
        return -ENOMEM;
    policy->n_warnings++;
    return 0;
}

static int no_memory(const struct qpw_statement *statement, struct qpw_error *err)
{
    return qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
}

static int expect_words(const struct qpw_statement *statement, size_t least, size_t most, const char *example,
                        struct qpw_error *err)
{
    if (statement->n_words >= least && statement->n_words <= most)
        return 0;
    return qpw_fail_at(err, &statement->where,
                       statement->n_words > most ? statement->words[most].column : statement->words[0].column,
                       "%s for '%s', write: %s", statement->n_words > most ? "one word too many" : "words are missing",
                       statement->words[0].text, example);
}

/* ---- Statements about the policy itself ---- */

static int set_once_or_outer(char **place, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return -ENOMEM;
    free(*place);
    *place = copy;
    return 0;
}

static int parse_policy_name(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    int ret = expect_words(statement, 2, 2, "policy site/name", err);

    if (ret == 0 && strlen(statement->words[1].text) >= sizeof(p->policy.name))
        ret = qpw_fail_at(err, &statement->where, statement->words[1].column, "a policy's name has at most %zu bytes",
                          sizeof(p->policy.name) - 1);
    if (ret == 0 && statement->depth == 0)
        strcpy(p->policy.name, statement->words[1].text);
    return ret;
}

static int parse_source(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    const char *digest = statement->n_words > 2 ? statement->words[2].text : "";
    int ret = expect_words(statement, 2, 3, "source required-ports.md sha256:…", err);

    if (ret < 0)
        return ret;
    if (*digest &&
        (strncmp(digest, "sha256:", 7) || strlen(digest) != 71 || strspn(digest + 7, "0123456789abcdef") != 64))
        return qpw_fail_at(err, &statement->where, statement->words[2].column,
                           "a digest is sha256: and 64 lower-case hexadecimal digits");
    if (set_once_or_outer(&p->policy.source_name, statement->words[1].text) < 0)
        return no_memory(statement, err);
    snprintf(p->policy.source_digest, sizeof(p->policy.source_digest), "%s", digest);
    return 0;
}

static int parse_platform(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    int ret = expect_words(statement, 2, 2, "platform on-prem", err);

    if (ret == 0 && set_once_or_outer(&p->policy.platform, statement->words[1].text) < 0)
        ret = no_memory(statement, err);
    return ret;
}

/* ---- Rows, suppressions ---- */

static int parse_row(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    void *array = p->policy.rules;
    struct qpw_rule *rule;
    int ret;

    if (p->policy.n_rules == QPW_MAX_POLICY_RULES)
        return qpw_fail_at(err, &statement->where, 0, "more than %d rows", QPW_MAX_POLICY_RULES);
    rule = qpw_grow(&array, p->policy.n_rules, sizeof(*rule));
    if (!rule)
        return no_memory(statement, err);
    p->policy.rules = array;
    ret = qpw_parse_rule(&p->policy, statement, rule, err);
    if (ret == 0)
        p->policy.n_rules++;
    return ret;
}

static int parse_suppress(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    void *array = p->policy.suppressions;
    struct qpw_suppression *line = qpw_grow(&array, p->policy.n_suppressions, sizeof(*line));
    int ret;

    if (!line)
        return no_memory(statement, err);
    p->policy.suppressions = array;
    ret = qpw_parse_suppression(&p->policy, statement, line, err);
    if (ret == 0)
        p->policy.n_suppressions++;
    return ret;
}

static int parse_only(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    return qpw_apply_only(&p->policy, statement, err);
}

static int parse_override(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    return qpw_apply_override(&p->policy, statement, err);
}

static int parse_disable(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    return qpw_apply_disable(&p->policy, statement, err);
}

/* ---- Peers and sets ---- */

static struct qpw_peer *peer_of(struct qpw_policy *policy, const char *name, const struct qpw_where *where)
{
    void *array = policy->peers;
    struct qpw_peer *peer;

    for (size_t i = 0; i < policy->n_peers; i++)
        if (!strcmp(policy->peers[i].name, name))
            return &policy->peers[i];
    if (policy->n_peers == QPW_MAX_PEERS - 1)
        return NULL;
    peer = qpw_grow(&array, policy->n_peers, sizeof(*peer));
    if (!peer)
        return NULL;
    policy->peers = array;
    policy->n_peers++;
    snprintf(peer->name, sizeof(peer->name), "%s", name);
    peer->where = *where;
    return peer;
}

static int add_peer_words(struct qpw_policy *policy, const struct qpw_statement *statement, const char *name,
                          size_t first, bool by_hand, struct qpw_error *err)
{
    struct qpw_peer *peer = peer_of(policy, name, &statement->where);
    int ret = 0;

    if (!peer)
        return qpw_fail_at(err, &statement->where, 0, "more than %d peers", QPW_MAX_PEERS - 1);
    peer->by_hand |= by_hand;
    for (size_t i = first; i < statement->n_words && ret == 0; i++)
        ret = qpw_parse_addresses(policy, &statement->where, &statement->words[i], statement->words[i].text,
                                  &peer->addresses, err);
    qpw_addresses_normalise(&peer->addresses);
    return ret;
}

static int parse_peer(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    char name[QPW_NAME_LEN];
    int ret = expect_words(statement, 3, QPW_MAX_WORDS, "peer node2 10.1.0.12 fd00:10::12", err);

    if (ret == 0)
        ret = qpw_parse_name(&statement->where, &statement->words[1], statement->words[1].text, name, err);
    return ret < 0 ? ret : add_peer_words(&p->policy, statement, name, 2, false, err);
}

static int parse_peer_family(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    int ret = expect_words(statement, 2, 2, "require-peer-family ipv6", err);
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

static int parse_peer_ports(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    int ret = expect_words(statement, 2, 2, "require-peer-ports any", err);

    if (ret == 0 && strcmp(statement->words[1].text, "any"))
        ret = qpw_fail_at(err, &statement->where, statement->words[1].column, "'%s' where only any can stand",
                          statement->words[1].text);
    if (ret == 0)
        p->policy.peers_on_any_port = true;
    return ret;
}

static struct qpw_address_set *set_of(struct qpw_policy *policy, const char *name, const struct qpw_where *where)
{
    void *array = policy->sets;
    struct qpw_address_set *set;

    for (size_t i = 0; i < policy->n_sets; i++)
        if (!strcmp(policy->sets[i].name, name))
            return &policy->sets[i];
    set = qpw_grow(&array, policy->n_sets, sizeof(*set));
    if (!set)
        return NULL;
    policy->sets = array;
    policy->n_sets++;
    strcpy(set->name, name);
    set->where = *where;
    return set;
}

/* file=PATH of an `addresses` line: words of addresses, any number a line. */
static int add_address_file(struct parser *p, const struct qpw_statement *statement, const struct qpw_word *word,
                            const char *path, struct qpw_addresses *set, struct qpw_error *err)
{
    struct qpw_statements lines = {0};
    struct qpw_error why = {0};
    size_t before = p->statements.n_files;
    int ret = qpw_statements_read_list(&p->statements, &lines, path, statement->where.file, &why);

    if (ret < 0 && p->statements.n_files == before)
        ret = qpw_fail_at(err, &statement->where, word->column, "%s", why.text);
    else if (ret < 0 && err)
        *err = why;
    for (size_t i = 0; i < lines.n && ret == 0; i++)
        for (size_t j = 0; j < lines.list[i].n_words && ret == 0; j++)
            ret = qpw_parse_addresses(&p->policy, &lines.list[i].where, &lines.list[i].words[j],
                                      lines.list[i].words[j].text, set, err);
    qpw_statements_clear(&lines);
    return ret;
}

static int parse_set(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    char name[QPW_NAME_LEN];
    struct qpw_addresses more = {0};
    struct qpw_address_set *set;
    int ret = expect_words(statement, 3, QPW_MAX_WORDS, "addresses dc 10.0.0.5 10.0.0.6 file=dc.txt", err);

    if (ret == 0)
        ret = qpw_parse_name(&statement->where, &statement->words[1], statement->words[1].text, name, err);
    if (ret < 0)
        return ret;
    for (size_t i = 2; i < statement->n_words && ret == 0; i++) {
        const struct qpw_word *word = &statement->words[i];
        const char *path = qpw_word_value(word, "file");

        ret = path ? add_address_file(p, statement, word, path, &more, err)
                   : qpw_parse_addresses(&p->policy, &statement->where, word, word->text, &more, err);
    }
    set = ret == 0 ? set_of(&p->policy, name, &statement->where) : NULL;
    if (ret == 0 && (!set || qpw_addresses_add_all(&set->addresses, &more) < 0))
        ret = no_memory(statement, err);
    if (set)
        qpw_addresses_normalise(&set->addresses);
    qpw_addresses_clear(&more);
    return ret;
}

/* ---- The tool's own groups ---- */

static int parse_group(const struct qpw_statement *statement, const char *(*name_of)(unsigned), unsigned count,
                       struct qpw_group_setting *settings, struct qpw_error *err)
{
    int ret = expect_words(statement, 3, 3, "infra routing unexpected, or implied kpasswd allowed", err);
    const char *setting;
    unsigned group = 0;

    if (ret < 0)
        return ret;
    while (group < count && strcmp(name_of(group), statement->words[1].text))
        group++;
    if (group == count)
        return qpw_fail_at(err, &statement->where, statement->words[1].column, "there is no %s group '%s'",
                           statement->words[0].text, statement->words[1].text);
    setting = statement->words[2].text;
    if (strcmp(setting, "allowed") && strcmp(setting, "unexpected"))
        return qpw_fail_at(err, &statement->where, statement->words[2].column, "'%s': a group is allowed or unexpected",
                           setting);
    settings[group] = (struct qpw_group_setting){.where = statement->where, .unexpected = setting[0] == 'u'};
    return 0;
}

static int parse_infra(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    return parse_group(statement, qpw_infra_name, QPW_INFRA_COUNT, p->policy.infra, err);
}

static int parse_implied(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    return parse_group(statement, qpw_implied_name, QPW_IMPLIED_COUNT, p->policy.implied, err);
}

/* ---- The whole ---- */

static const struct {
    const char *word;
    int (*parse)(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err);
} words[] = {
    {"inbound", parse_row}, {"outbound", parse_row}, {"peer", parse_peer}, {"only", parse_only},
    {"override", parse_override}, {"disable", parse_disable}, {"suppress", parse_suppress},
    {"implied", parse_implied}, {"infra", parse_infra}, {"require-peer-family", parse_peer_family},
    {"require-peer-ports", parse_peer_ports}, {"policy", parse_policy_name}, {"source", parse_source},
    {"platform", parse_platform},
};

static int parse_statement(struct parser *p, const struct qpw_statement *statement, struct qpw_error *err)
{
    const struct qpw_word *first = &statement->words[0];

    if (first->quoted)
        return qpw_fail_at(err, &statement->where, first->column, "a statement does not begin with a quote");
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcmp(words[i].word, first->text))
            return words[i].parse(p, statement, err);
    if (!strcmp(first->text, "addresses"))
        return 0; /* read before all others, so that a set can be used above its line */
    return qpw_fail_at(err, &statement->where, first->column, "unknown statement '%s'", first->text);
}

static void set_digest(struct qpw_policy *policy, struct sha256_ctx *ctx)
{
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_digest(ctx, sizeof(digest), digest);
    memcpy(policy->digest, "sha256:", 7);
    base16_encode_update(policy->digest + 7, sizeof(digest), digest);
    policy->digest[7 + 64] = '\0';
}

static int finish(struct parser *p, const char *path, struct qpw_error *err)
{
    const char *slash = strrchr(path, '/');
    int ret = qpw_check_parents(&p->policy, err);

    if (ret < 0)
        return ret;
    if (!*p->policy.name)
        snprintf(p->policy.name, sizeof(p->policy.name), "%s", slash ? slash + 1 : path);
    p->policy.path = strdup(path);
    if (!p->policy.path)
        return qpw_fail(err, -ENOMEM, "%s: out of memory", path);
    set_digest(&p->policy, &p->statements.digest);
    p->policy.files = p->statements.files;
    p->policy.n_files = p->statements.n_files;
    p->statements.files = NULL;
    p->statements.n_files = 0;
    return 0;
}

/* Ends the reading that `error` is the result of: parses the statements, hands over or clears. */
static int parse(struct parser *p, const char *path, int error, struct qpw_policy *ret, struct qpw_error *err)
{
    p->policy.implied[QPW_IMPLIED_NFS_CALLBACK].unexpected = true;
    for (size_t i = 0; i < p->statements.n && error == 0; i++)
        if (!strcmp(p->statements.list[i].words[0].text, "addresses"))
            error = parse_set(p, &p->statements.list[i], err);
    for (size_t i = 0; i < p->statements.n && error == 0; i++)
        error = parse_statement(p, &p->statements.list[i], err);
    if (error == 0)
        error = finish(p, path, err);
    if (error == 0)
        *ret = p->policy;
    else
        qpw_policy_clear(&p->policy);
    qpw_statements_clear(&p->statements);
    return error;
}

int qpw_policy_parse_text(const char *name, const char *text, size_t length, struct qpw_policy *ret,
                          struct qpw_error *err)
{
    struct parser p = {0};
    int error = qpw_statements_read_text(&p.statements, name, text, length, err);

    return parse(&p, name, error, ret, err);
}

int qpw_policy_parse_file(const char *path, struct qpw_policy *ret, struct qpw_error *err)
{
    struct parser p = {0};
    int error = qpw_statements_read_file(&p.statements, path, err);

    return parse(&p, path, error, ret, err);
}

int qpw_policy_parse_builtin(const char *name, struct qpw_policy *ret, struct qpw_error *err)
{
    char path[64];
    size_t length;
    const char *text = qpw_builtin_text(name, &length);

    if (!text)
        return qpw_fail(
            err, -ENOENT,
            "platform '%s': there is no built-in policy of that name; there are on-prem, aws, azure, cnq-gcp", name);
    snprintf(path, sizeof(path), "built-in:%s", name);
    return qpw_policy_parse_text(path, text, length, ret, err);
}

int qpw_policy_add_peer(struct qpw_policy *policy, const char *spec, const char *from, struct qpw_error *err)
{
    const char *equals = strchr(spec, '=');
    struct qpw_word word = {.text = (char *)(equals ? equals + 1 : spec), .column = 1};
    struct qpw_statement statement = {.where = {.file = from, .line = 0}, .words = &word, .n_words = 1};
    char name[QPW_NAME_LEN];
    struct qpw_range range;
    const char *why;
    int ret;

    if (equals) {
        char left[96];
        struct qpw_error ignored;

        snprintf(left, sizeof(left), "%.*s", (int)(equals - spec), spec);
        if (qpw_parse_name(&statement.where, &word, left, name, &ignored) < 0)
            return qpw_fail(err, -EINVAL, "%s '%s': '%s' is not a name: lower-case letters, digits and . _ + -", from,
                            spec, left);
    } else {
        snprintf(name, sizeof(name), "%s", spec);
    }
    if (qpw_range_parse(word.text, &range, &why) < 0)
        return qpw_fail(err, -EINVAL, "%s '%s': %s; give [NAME=]ADDR, ADDR/LEN or ADDR-ADDR", from, spec, why);
    ret = add_peer_words(policy, &statement, name, 0, true, err);
    for (size_t i = 0; i < policy->n_peers; i++)
        if (policy->peers[i].where.file == from)
            policy->peers[i].where.file = "command line";
    return ret;
}

int qpw_policy_add_peers_file(struct qpw_policy *policy, const char *path, struct qpw_error *err)
{
    struct qpw_statements all = {0}, lines = {0};
    struct qpw_range range;
    const char *why;
    int ret;

    sha256_init(&all.digest);
    ret = qpw_statements_read_list(&all, &lines, path, NULL, err);
    for (size_t i = 0; i < lines.n && ret == 0; i++) {
        struct qpw_statement *line = &lines.list[i];
        bool named = qpw_range_parse(line->words[0].text, &range, &why) < 0;
        char name[QPW_NAME_LEN];

        if (!named)
            snprintf(name, sizeof(name), "%s", line->words[0].text);
        else if (line->n_words < 2)
            ret = qpw_fail_at(err, &line->where, line->words[0].column, "'%s': %s; a line is [NAME] ADDR…",
                              line->words[0].text, why);
        else
            ret = qpw_parse_name(&line->where, &line->words[0], line->words[0].text, name, err);
        if (ret == 0)
            ret = add_peer_words(policy, line, name, named, true, err);
    }
    /* The peers point at the name of this file: it moves to the policy. */
    if (all.n_files) {
        char **files = reallocarray(policy->files, policy->n_files + 1, sizeof(*files));

        if (files) {
            policy->files = files;
            policy->files[policy->n_files++] = all.files[0];
            all.files[0] = NULL;
        }
    }
    qpw_statements_clear(&lines);
    qpw_statements_clear(&all);
    return ret;
}

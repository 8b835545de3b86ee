/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/lang/parse.h"
#include "util/near.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#include "util/array.h"
#include "util/text.h"

static int no_memory(const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    return qpw_fail(err, -ENOMEM, "%s: out of memory", statement->where.file);
}

/* ---- Statements about the policy itself ---- */

static int set_once_or_outer(char **field, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int parse_policy_name(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    int ret = qpw_expect_words(statement, 2, 2, "policy site/name", err);

    if (ret == 0 && strlen(statement->words[1].text) >= sizeof(p->policy.name))
        ret = qpw_fail_at(err, &statement->where, statement->words[1].column, "a policy's name has at most %zu bytes",
                          sizeof(p->policy.name) - 1);
    if (ret == 0 && statement->depth == 0)
        strcpy(p->policy.name, statement->words[1].text);
    return ret;
}

static int parse_source(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    const char *digest = statement->n_words > 2 ? statement->words[2].text : "";
    int ret = qpw_expect_words(statement, 2, 3, "source required-ports.md sha256:…", err);

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

static int parse_platform(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    int ret = qpw_expect_words(statement, 2, 2, "platform on-prem", err);

    if (ret == 0 && set_once_or_outer(&p->policy.platform, statement->words[1].text) < 0)
        ret = no_memory(statement, err);
    return ret;
}

/* ---- Rules, suppressions ---- */

static int parse_row(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    struct qpw_rule *rule;
    int ret;

    if (p->policy.n_rules == QPW_MAX_POLICY_RULES)
        return qpw_fail_at(err, &statement->where, 0, "more than %d rules", QPW_MAX_POLICY_RULES), -E2BIG;
    rule = QPW_ADD(p->policy.rules, p->policy.n_rules);
    if (!rule)
        return no_memory(statement, err);
    ret = qpw_parse_rule(&p->policy, statement, rule, err);
    if (ret == -EINVAL || ret == -ENOENT)
        qpw_unread_rule(statement, rule);
    if (ret != -ENOMEM)
        p->policy.n_rules++;
    return ret;
}

static int parse_suppress(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    struct qpw_suppression *line = QPW_ADD(p->policy.suppressions, p->policy.n_suppressions);
    int ret;

    if (!line)
        return no_memory(statement, err);
    ret = qpw_parse_suppression(&p->policy, statement, line, err);
    if (ret == 0)
        p->policy.n_suppressions++;
    return ret;
}

static int parse_only(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    return qpw_apply_only(&p->policy, statement, err);
}

static int parse_override(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    return qpw_apply_override(&p->policy, statement, err);
}

static int parse_disable(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    return qpw_apply_disable(&p->policy, statement, err);
}

/* ---- The tool's own groups ---- */

static int parse_group(const struct qpw_policy_statement *statement, const char *(*name_of)(unsigned), unsigned count,
                       struct qpw_group_setting *settings, struct qpw_error *err)
{
    int ret = qpw_expect_words(statement, 3, 3, "infra routing unexpected, or implied kpasswd allowed", err);
    struct qpw_near near;
    const char *setting;
    unsigned group = 0;
    char hint[80];

    if (ret < 0)
        return ret;
    while (group < count && strcmp(name_of(group), statement->words[1].text))
        group++;
    near = qpw_near_to(statement->words[1].text, strlen(statement->words[1].text));
    for (unsigned i = 0; i < count; i++)
        qpw_near_offer(&near, name_of(i));
    if (group == count)
        return qpw_fail_at(err, &statement->where, statement->words[1].column, "no %s group is named '%s'%s",
                           statement->words[0].text, statement->words[1].text, qpw_near_hint(&near, hint, sizeof(hint)));
    setting = statement->words[2].text;
    if (strcmp(setting, "allowed") && strcmp(setting, "unexpected"))
        return qpw_fail_at(err, &statement->where, statement->words[2].column, "'%s': a group is allowed or unexpected%s",
                           setting, qpw_near_among(setting, (const char *const[]){"allowed", "unexpected", NULL}, hint,
                                                   sizeof(hint)));
    settings[group] = (struct qpw_group_setting){.where = statement->where, .unexpected = setting[0] == 'u'};
    return 0;
}

static int parse_infra(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    return parse_group(statement, qpw_infra_name, QPW_INFRA_COUNT, p->policy.infra, err);
}

static int parse_implied(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    return parse_group(statement, qpw_implied_name, QPW_IMPLIED_COUNT, p->policy.implied, err);
}

/* ---- The whole ---- */

static const struct {
    const char *word;
    int (*parse)(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err);
} words[] = {
    {"inbound", parse_row}, {"outbound", parse_row}, {"peer", qpw_parse_peer}, {"reader", qpw_parse_reader}, {"cluster", qpw_parse_cluster}, {"only", parse_only},
    {"override", parse_override}, {"disable", parse_disable}, {"suppress", parse_suppress},
    {"implied", parse_implied}, {"infra", parse_infra}, {"require-peer-family", qpw_parse_peer_family},
    {"require-peer-ports", qpw_parse_peer_ports}, {"policy", parse_policy_name}, {"source", parse_source},
    {"platform", parse_platform},
};

static int parse_statement(struct qpw_parser *p, const struct qpw_policy_statement *statement, struct qpw_error *err)
{
    const struct qpw_word *first = &statement->words[0];
    struct qpw_near near = qpw_near_to(first->text, strlen(first->text));
    char hint[80];

    if (first->quoted)
        return qpw_fail_at(err, &statement->where, first->column, "a statement cannot begin with a quote");
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcmp(words[i].word, first->text))
            return words[i].parse(p, statement, err);
    if (!strcmp(first->text, "addresses"))
        return 0; /* read before all others, so that a set can be used above its line */
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        qpw_near_offer(&near, words[i].word);
    qpw_near_offer(&near, "addresses");
    qpw_near_offer(&near, "include");
    return qpw_fail_at(err, &statement->where, first->column, "unknown statement '%s'%s", first->text,
                       qpw_near_hint(&near, hint, sizeof(hint)));
}

static void set_digest(struct qpw_policy *policy, struct sha256_ctx *ctx)
{
    uint8_t digest[SHA256_DIGEST_SIZE];

    sha256_digest(ctx, sizeof(digest), digest);
    memcpy(policy->digest, "sha256:", 7);
    qpw_hex(digest, sizeof(digest), policy->digest + 7);
}

/* Record a statement's error, unless it is a consequence of another one. Returns 0, or a negative errno: stop parsing. */
static int take_fault(struct qpw_parser *p, const struct qpw_where *where, int error, const struct qpw_error *why)
{
    int r;

    if (error == -ENOENT && p->statements.left_out)
        p->statements.faults.unsure++;
    if (error == 0 || (error == -ENOENT && p->statements.left_out))
        return 0;
    if (error == -ENOMEM)
        return error;
    r = qpw_statements_fault(&p->statements, where, why->text);
    return r < 0 ? r : error == -E2BIG ? error : 0;
}

static bool is_set(const struct qpw_policy_statement *statement)
{
    return !strcmp(statement->words[0].text, "addresses");
}

/* Parse all statements. Returns 0, -ENOMEM, or -E2BIG: too many faults, the rest is skipped. */
static int parse_all(struct qpw_parser *p, struct qpw_error *why)
{
    const struct qpw_statements *s = &p->statements;
    int r = 0;

    for (size_t i = 0; i < s->n && r == 0; i++)
        if (is_set(&s->list[i]))
            r = take_fault(p, &s->list[i].where, qpw_parse_set(p, &s->list[i], why), why);
    if (r == 0 && !p->draft)
        r = take_fault(p, NULL, qpw_check_sets(&p->policy, why), why);
    for (size_t i = 0; i < s->n && r == 0; i++)
        r = take_fault(p, &s->list[i].where, parse_statement(p, &s->list[i], why), why);
    if (r == 0)
        r = take_fault(p, NULL, qpw_parse_self(&p->policy, why), why);
    for (size_t i = 0; i < p->policy.n_rules && r == 0; i++)
        r = take_fault(p, &p->policy.rules[i].where, qpw_check_parent(&p->policy, i, why), why);
    return r;
}

static int finish(struct qpw_parser *p, const char *path, struct qpw_error *err)
{
    const char *slash = strrchr(path, '/');

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

/* Finish: if reading succeeded (error 0), parse the statements; hand over the policy, or clear it. */
static int parse(struct qpw_parser *p, const struct qpw_policy_source *source, int error, struct qpw_policy *ret,
                 struct qpw_error *err)
{
    struct qpw_faults *faults = &p->statements.faults;
    struct qpw_error why;

    p->policy.implied[QPW_IMPLIED_NFS_CALLBACK].unexpected = true;
    if (error == 0) {
        error = parse_all(p, &why);
        if (error == -ENOMEM)
            qpw_fail(err, error, "%s", why.text);
    }
    if (faults->n && (error == 0 || error == -E2BIG)) {
        qpw_faults_sort(faults);
        error = qpw_faults_fail(faults, err);
    }
    if (error == 0)
        error = finish(p, source->name, err);
    if (error == 0)
        *ret = p->policy;
    else
        qpw_policy_clear(&p->policy);
    if (error == -EINVAL && source->faults) {
        *source->faults = *faults;
        *faults = (struct qpw_faults){0};
    }
    qpw_statements_clear(&p->statements);
    return error;
}

int qpw_policy_parse(const struct qpw_policy_source *source, struct qpw_policy *ret, struct qpw_error *err)
{
    struct qpw_parser p = {.draft = source->draft};
    int error = source->text ? qpw_statements_read_text(&p.statements, source->name, source->text, source->length, err)
                             : qpw_statements_read_file(&p.statements, source->name, err);

    return parse(&p, source, error, ret, err);
}

int qpw_policy_parse_text(const char *name, const char *text, size_t length, struct qpw_policy *ret, struct qpw_error *err)
{
    return qpw_policy_parse(&(struct qpw_policy_source){.name = name, .text = text, .length = length}, ret, err);
}

int qpw_policy_parse_draft(const char *name, const char *text, size_t length, struct qpw_policy *ret, struct qpw_error *err)
{
    struct qpw_policy_source draft = {.name = name, .text = text, .length = length, .draft = true};

    return qpw_policy_parse(&draft, ret, err);
}

int qpw_policy_parse_file(const char *path, struct qpw_policy *ret, struct qpw_error *err)
{
    return qpw_policy_parse(&(struct qpw_policy_source){.name = path}, ret, err);
}

int qpw_policy_parse_builtin(const char *name, struct qpw_policy *ret, struct qpw_error *err)
{
    char path[64], hint[80];
    size_t length;
    const char *text = qpw_builtin_text(name, &length);

    if (!text)
        return qpw_fail(
            err, -ENOENT,
            "platform '%s': no such built-in policy; use on-prem, aws, azure or cnq-gcp%s", name,
            qpw_near_among(name, (const char *const[]){"on-prem", "aws", "azure", "cnq-gcp", NULL}, hint, sizeof(hint)));
    snprintf(path, sizeof(path), "built-in:%s", name);
    return qpw_policy_parse_text(path, text, length, ret, err);
}

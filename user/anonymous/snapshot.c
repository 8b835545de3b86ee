/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Map a snapshot, and what a report shows beside it, in place. */
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "anonymous/anonymous.h"

#define BUILT_IN "built-in:"

/* Replace a name in a fixed-size array. */
static void name(const struct qpw_anonymous *a, const char *kind, char *field, size_t size)
{
    char buf[64], text[1025];

    snprintf(text, sizeof(text), "%.*s", (int)(size < 1024 ? size : 1024), field);
    memset(field, 0, size);
    snprintf(field, size, "%s", qpw_anonymous_name(a, kind, text, buf, sizeof(buf)));
}

#define NAME(a, kind, array) name(a, kind, array, sizeof(array))

static void rule_info(const struct qpw_anonymous *a, struct qpw_rule_info *info)
{
    char text[sizeof(info->text) + 1], rewritten[512], rule[64];

    snprintf(text, sizeof(text), "%.*s", (int)sizeof(info->text), info->text);
    snprintf(rule, sizeof(rule), "%.*s", (int)sizeof(info->name), info->name);
    memset(info->text, 0, sizeof(info->text));
    snprintf(info->text, sizeof(info->text), "%s%s", qpw_anonymous_statement(a, text, rewritten, sizeof(rewritten)),
             strlen(text) >= sizeof(info->text) - 1 ? " …" : ""); /* truncated: the rest is unknown */
    memset(info->name, 0, sizeof(info->name));
    snprintf(info->name, sizeof(info->name), "%s", qpw_anonymous_rule(a, rule, rewritten, sizeof(rewritten)));
    if (strncmp(info->file, BUILT_IN, strlen(BUILT_IN)))
        NAME(a, "file", info->file);
}

static void meta(const struct qpw_anonymous *a, struct qpw_meta *m)
{
    bool builtin = !strncmp(m->policy_path, BUILT_IN, strlen(BUILT_IN));

    if (!builtin) {
        NAME(a, "policy", m->policy_name);
        NAME(a, "file", m->policy_path);
    }
    memset(m->command, 0, sizeof(m->command));
    memset(m->policy_args, 0, sizeof(m->policy_args));
    memset(m->why, 0, sizeof(m->why));
    NAME(a, "host", m->sensor);
    NAME(a, "text", m->owners_missing);
    NAME(a, "text", m->executables_missing);
    for (unsigned i = 0; i < QPW_MAX_IFACES; i++)
        NAME(a, "if", m->ifname[i]);
}

static void findings(const struct qpw_anonymous *a, struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_findings; i++) {
        struct qpw_finding_row *f = &s->findings[i];

        qpw_anonymous_end(a, f->key.kind, f->key.initiator);
        qpw_anonymous_end(a, f->key.kind, f->key.responder);
        f->flow_id = qpw_anonymous_flow(a, f->flow_id); /* the original could be reversed by trying all addresses */
    }
}

/* Keep and map the first word of "ana (as root), pts/3: COMMAND", which is the user. */
#define USER(a, array) \
    do { \
        (array)[sizeof(array) - 1] = '\0'; \
        (array)[strcspn(array, " ,:")] = '\0'; \
        NAME(a, "user", array); \
    } while (0)

void qpw_anonymous_lives(const struct qpw_anonymous *a, struct qpw_snapshot *s)
{
    for (size_t i = 0; s->lives && i < s->lives->n; i++) {
        USER(a, s->lives->rows[i].life.who);
        NAME(a, "text", s->lives->rows[i].life.reason);
    }
}

static void details(const struct qpw_anonymous *a, struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_details; i++) {
        struct qpw_detail_key *key = &s->details[i].key;
        unsigned kept = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)key->prefix) ? 15 : 6; /* /24, /48 */

        if (!key->by_prefix)
            continue;
        qpw_anonymous_address(a, key->prefix, key->prefix);
        memset(key->prefix + kept, 0, sizeof(key->prefix) - kept);
    }
}

static bool is_number(const char *text)
{
    return text[strspn(text, "0123456789")] == '\0';
}

static void note(const struct qpw_anonymous *a, struct qpw_note *n)
{
    bool ours = n->kind == QPW_NOTE_UNSUPPORTED; /* a link type's name */

    NAME(a, "if", n->name);
    if (!ours && !is_number(n->detail))
        NAME(a, "text", n->detail);
}

static void coverage(const struct qpw_anonymous *a, struct qpw_snapshot *s)
{
    for (size_t i = 0; i < s->n_coverage; i++) {
        struct qpw_coverage *c = &s->coverage[i];

        memset(c->text, 0, sizeof(c->text));
        USER(a, c->by);
    }
    for (size_t i = 0; i < s->n_notes; i++)
        note(a, &s->notes[i]);
    NAME(a, "text", s->owners_missing);
    NAME(a, "text", s->owners_below);
    NAME(a, "text", s->executables_missing);
}

static void captures(const struct qpw_anonymous *a, struct qpw_snapshot *s)
{
    char buf[64], *other;

    for (size_t i = 0; i < s->n_captures; i++) {
        other = strdup(qpw_anonymous_name(a, "capture", s->captures[i].name, buf, sizeof(buf)));
        if (!other) /* no memory: leave it out */
            s->captures[i].name[0] = '\0';
        else
            free(s->captures[i].name), s->captures[i].name = other;
    }
    for (size_t i = 0; i < s->n_locals; i++) {
        struct qpw_local_row *l = &s->locals[i];

        qpw_anonymous_address(a, l->addr, l->addr);
        for (unsigned bit = l->length; bit < 128; bit++)
            l->addr[bit / 8] &= (uint8_t)~(1 << (7 - bit % 8));
    }
}

void qpw_anonymous_snapshot(const struct qpw_anonymous *a, struct qpw_snapshot *s)
{
    char buf[256];

    NAME(a, "host", s->host);
    meta(a, &s->meta);
    for (size_t i = 0; i < s->n_ifaces; i++) {
        NAME(a, "if", s->ifaces[i].name);
        memset(s->ifaces[i].why, 0, sizeof(s->ifaces[i].why));
    }
    for (size_t i = 0; i < s->n_unwatched; i++)
        NAME(a, "if", s->unwatched[i].name);
    for (size_t i = 0; i < s->n_inventory; i++) {
        NAME(a, "if", s->inventory[i].name);
        NAME(a, "if", s->inventory[i].at);
    }
    for (size_t i = 1; i < s->n_rules; i++)
        rule_info(a, &s->rules[i]);
    for (size_t i = 1; i < s->n_peers; i++)
        NAME(a, "node", s->peers[i].name);
    for (size_t i = 0; i < s->n_exceptions && s->exceptions; i++) {
        NAME(a, "rule", s->exceptions[i].name);
        snprintf(s->exceptions[i].text, sizeof(s->exceptions[i].text), "%s",
                 qpw_anonymous_statement(a, s->exceptions[i].text, buf, sizeof(buf)));
    }
    findings(a, s);
    qpw_anonymous_lives(a, s);
    details(a, s);
    coverage(a, s);
    captures(a, s);
}

void qpw_anonymous_process(const struct qpw_anonymous *a, struct qpw_process *p)
{
    if (p->match != QPW_MATCH_KERNEL) /* names of kernel services are not the site's */
        NAME(a, "process", p->name);
    NAME(a, "process", p->parent);
    NAME(a, "user", p->user);
    NAME(a, "exe", p->exe);
    NAME(a, p->container ? "container" : "unit", p->unit);
    memset(p->command, 0, sizeof(p->command));
    p->uid = 0;
    p->exe_device = p->exe_inode = 0;
}

void qpw_anonymous_listeners(const struct qpw_anonymous *a, struct qpw_listeners *listeners)
{
    for (size_t i = 0; i < listeners->n; i++) {
        qpw_anonymous_address(a, listeners->rows[i].address, listeners->rows[i].address);
        NAME(a, "if", listeners->rows[i].device);
        qpw_anonymous_process(a, &listeners->rows[i].owner);
    }
}

void qpw_anonymous_names(const struct qpw_anonymous *a, struct qpw_registry *names)
{
    for (size_t i = 1; i < names->n_rules; i++)
        rule_info(a, &names->rules[i]);
    for (size_t i = 1; i < names->n_peers; i++)
        NAME(a, "node", names->peers[i].name);
}

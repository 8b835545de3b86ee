/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/anonymize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words/known.h"
#include "words/printer.h"

int qpw_anonymize_open(const char *key_file, struct qpw_anonymous **ret, struct qpw_error *err)
{
    bool made = false;
    int r;

    *ret = NULL;
    if (!key_file)
        return 0;
    r = qpw_anonymous_open(key_file, ret, &made, err);
    if (r == 0 && made)
        qpw_put_lines(stderr, "qportwatch: %s: made a key; with it, and only with it, the same names come out again: keep it on the site",
                      key_file);
    return r;
}

/* Look up the owner by the original finding, because the socket table has the real addresses. */
static bool find_owner(void *arg, const struct qpw_finding_row *finding, struct qpw_process *ret)
{
    const struct qpw_anonymized *z = arg;
    size_t i = (size_t)(finding - z->rows);

    if (i >= z->n || !z->asked.owner || !z->asked.owner(z->asked.arg, &z->raw[i], ret))
        return false;
    qpw_anonymous_process(z->a, ret);
    return true;
}

static void anonymize_node(const struct qpw_anonymous *a, struct qpw_node_listeners *node)
{
    qpw_anonymous_listeners(a, &node->listeners);
    qpw_anonymous_names(a, &node->names);
    for (size_t i = 0; i < node->listening.n; i++)
        if (node->listening.rows[i].wanted)
            node->listening.rows[i].wanted = "named by the policy";
}

int qpw_anonymize_report(struct qpw_anonymized *ret, const struct qpw_anonymous *a, struct qpw_snapshot *s, struct qpw_node_listeners *node,
                         struct qpw_render_options *options)
{
    *ret = (struct qpw_anonymized){.a = a, .rows = s->findings, .n = s->n_findings, .asked = *options};
    ret->raw = malloc((s->n_findings + 1) * sizeof(*ret->raw));
    if (!ret->raw)
        return -ENOMEM;
    if (s->n_findings)
        memcpy(ret->raw, s->findings, s->n_findings * sizeof(*ret->raw));
    qpw_anonymous_snapshot(a, s);
    if (node)
        anonymize_node(a, node);
    if (options->listening_why && strcmp(options->listening_why, "sockets of then are not known"))
        options->listening_why = "the sockets could not be read";
    options->policy = NULL;
    options->owner = find_owner;
    options->arg = ret;
    qpw_known_clear();
    return 0;
}

void qpw_anonymized_clear(struct qpw_anonymized *z)
{
    free(z->raw);
    *z = (struct qpw_anonymized){0};
}

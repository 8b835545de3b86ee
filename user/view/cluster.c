/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cluster.c - lines of the Cluster tab: what this node hears of its peers, and in what the nodes differ. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "facts/severity.h"
#include "util/names.h"
#include "view/canvas.h"
#include "view/columns.h"
#include "view/more.h"
#include "words/cluster_status.h"
#include "words/words.h"

void qpw_model_read_cluster(struct qpw_model *m, const struct qpw_view_more *more)
{
    struct qpw_error err = {""};
    int r;

    m->cluster_why[0] = '\0';
    m->cluster = NULL;
    m->found_between = NULL;
    r = more->cluster(more->context, m->now, &m->cluster, &m->found_between, &err);
    if (r < 0 && r != -ENOENT) /* nothing there is no failure: no peer has a key */
        snprintf(m->cluster_why, sizeof(m->cluster_why), "%.255s", err.text);
}

static uint8_t style_of_severity(unsigned severity)
{
    return severity == QPW_SEVERITY_HIGH ? QPW_STYLE_BAD : severity == QPW_SEVERITY_MEDIUM ? QPW_STYLE_WARN : QPW_STYLE_NORMAL;
}

static struct qpw_line *last_line(struct qpw_model *m)
{
    return &m->lines[m->n_lines - 1];
}

static int add_peer(struct qpw_model *m, const struct qpw_peer_status *p)
{
    struct qpw_peer_words words;
    char note[QPW_NOTE_TEXT];
    int r;

    qpw_peer_words(p, m->now->unix_ns, &words);
    if (*words.trouble)
        qpw_format(note, sizeof(note), "%s", words.trouble);
    else
        qpw_format(note, sizeof(note), "version %s, policy %s, monitors %s", p->version, words.policy,
                   *p->monitored ? p->monitored : "nothing");
    r = qpw_model_add_line(m, "peer", words.stale ? QPW_STYLE_BAD : strcmp(words.answer, "CLEAN") ? QPW_STYLE_WARN : QPW_STYLE_GOOD, p->name,
                           words.stale ? "stale" : words.answer, note);
    if (r == 0) {
        last_line(m)->id = qpw_track_id(&m->tracks, QPW_TRACK_NODE, p->name, sizeof(p->name));
        last_line(m)->at_unix_ns = p->got_unix_ns;
        last_line(m)->peer = p;
    }
    return r;
}

static int add_found(struct qpw_model *m, const struct qpw_found *f)
{
    unsigned severity = qpw_signature(f->signature)->severity;
    int r = qpw_model_add_line(m, qpw_severity_name(severity), style_of_severity(severity), f->subject, f->what, f->text);

    if (r == 0) {
        last_line(m)->id = f->id;
        last_line(m)->at_unix_ns = f->since_unix_ns;
        last_line(m)->found = f;
    }
    return r;
}

int qpw_model_cluster(struct qpw_model *m)
{
    const struct qpw_cluster_status *s = m->cluster;
    char text[160];
    int r = 0;

    if (!s)
        return 0;
    if (*qpw_words_cluster_silent(s, m->now->unix_ns, text, sizeof(text)))
        r = qpw_model_add_line(m, "", QPW_STYLE_BAD, "", "", text);
    if (r == 0)
        r = qpw_model_add_line(m, "", QPW_STYLE_NORMAL, "", "", qpw_words_cluster(s, m->now->unix_ns, text, sizeof(text)));
    for (size_t i = 0; r == 0 && i < s->n; i++)
        r = add_peer(m, &s->peers[i]);
    if (r == 0 && !m->found_between->n)
        r = qpw_model_add_line(m, "", m->found_between->at_unix_ns ? QPW_STYLE_GOOD : QPW_STYLE_WARN, "", "",
                               QPW_WORDS_NO_DIFFERENCE(m->found_between->at_unix_ns));
    for (size_t i = 0; r == 0 && i < m->found_between->n; i++)
        r = add_found(m, &m->found_between->items[i]);
    return r;
}

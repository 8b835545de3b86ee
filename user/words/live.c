/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/live.h"

#include <stdio.h>

#include "words/words.h"

#define NAMES (sizeof(((struct qpw_live_item *)0)->nodes) / sizeof(((struct qpw_live_item *)0)->nodes[0]))

/* The difference with its nodes; `names` holds them. */
static struct qpw_difference with_nodes(const struct qpw_live_item *item, const char *names[NAMES])
{
    struct qpw_difference d = item->difference;

    for (size_t i = 0; i < NAMES; i++)
        names[i] = item->nodes[i];
    d.nodes = names;
    d.n_nodes = item->n_nodes;
    return d;
}

static void stale_text(const struct qpw_live_item *item, uint64_t now_unix_ns, char *buf, size_t size)
{
    const struct qpw_difference *d = &item->difference;
    char span[32], trouble[176] = "";

    qpw_words_duration(now_unix_ns > item->since_unix_ns ? now_unix_ns - item->since_unix_ns : 0, span, sizeof(span));
    if (*item->trouble)
        snprintf(trouble, sizeof(trouble), " (%s)", item->trouble);
    if (d->what == QPW_DIFFERS_NO_STATEMENT)
        snprintf(buf, size, "no statement of %s for %s%s, while %llu of %llu nodes receive packets from it: its auditor or its serve has "
                            "ended, or is cut off", item->nodes[0], span, trouble, (unsigned long long)d->count, (unsigned long long)d->of);
    else
        snprintf(buf, size, "no statement of %s for %s%s, and no node that can be asked receives anything from it: it is down, or on "
                            "the other side of a partition", item->nodes[0], span, trouble);
}

static void alone_text(const struct qpw_live_item *item, uint64_t now_unix_ns, char *buf, size_t size)
{
    const struct qpw_difference *d = &item->difference;
    char span[32], peers[48], heard[48];

    qpw_words_duration(now_unix_ns > item->since_unix_ns ? now_unix_ns - item->since_unix_ns : 0, span, sizeof(span));
    qpw_words_many(d->of, "peer", peers, sizeof(peers));
    if (d->count)
        snprintf(buf, size, "no statement of any of %s for %s, although packets of %s arrive: this node does not ask them in time, or no "
                            "serve answers", peers, span, qpw_words_count(d->count, heard, sizeof(heard)));
    else
        snprintf(buf, size, "no statement of any of %s for %s, and no packets from them: this node is cut off from the cluster, or all of "
                            "them are down", peers, span);
}

const char *qpw_words_live(const struct qpw_live_item *item, uint64_t now_unix_ns, char buf[QPW_DIFFERENCE_BYTES])
{
    const struct qpw_difference *d = &item->difference;
    const char *names[NAMES], *node = item->nodes[0];
    struct qpw_difference whole;
    char span[32], count[24], of[24];

    switch (item->kind) {
    case QPW_LIVE_STALE: stale_text(item, now_unix_ns, buf, QPW_DIFFERENCE_BYTES); break;
    case QPW_LIVE_ALONE: alone_text(item, now_unix_ns, buf, QPW_DIFFERENCE_BYTES); break;
    case QPW_LIVE_KEY:
        snprintf(buf, QPW_DIFFERENCE_BYTES, "%s shows a key that the policy does not name for it%s%s", node, *item->trouble ? ": " : "",
                 item->trouble);
        break;
    case QPW_LIVE_CLOCK:
        snprintf(buf, QPW_DIFFERENCE_BYTES, "the clock of %s is %s %s this node's", node,
                 qpw_words_duration((d->count + 500000) / 1000000 * 1000000000u, span, sizeof(span)), *d->value == 'a' ? "ahead of" : "behind");
        break;
    case QPW_LIVE_LOG_CUT:
        snprintf(buf, QPW_DIFFERENCE_BYTES, "the alert log of %s had %s records, and now has %s", node,
                 qpw_words_count(d->of, of, sizeof(of)), qpw_words_count(d->count, count, sizeof(count)));
        break;
    case QPW_LIVE_LOG_OTHER:
        snprintf(buf, QPW_DIFFERENCE_BYTES, "record %s of the alert log of %s is another than before",
                 qpw_words_count(d->count, count, sizeof(count)), node);
        break;
    default:
        whole = with_nodes(item, names);
        qpw_words_difference(&whole, buf);
    }
    return buf;
}

const char *qpw_words_live_command(const struct qpw_live_item *item, char *buf, size_t size)
{
    const char *names[NAMES];
    struct qpw_difference whole = with_nodes(item, names);

    *buf = '\0';
    return item->kind == QPW_LIVE_DIFFERENCE ? qpw_words_difference_command(&whole, buf, size) : buf;
}

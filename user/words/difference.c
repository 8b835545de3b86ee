/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/difference.h"

#include <stdio.h>
#include <string.h>

#include "words/words.h"

#define NAMED 6 /* nodes that a sentence names */

/* "node1", "node1 and node2", "node1, node2 and 3 more": nodes from `first` on. */
static const char *nodes_text(const struct qpw_difference *d, size_t first, char *buf, size_t size)
{
    size_t n = d->n_nodes - first, named = n > NAMED ? NAMED - 1 : n, used = 0;

    *buf = '\0';
    for (size_t i = 0; i < named && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%s", !i ? "" : i + 1 == n ? " and " : ", ", d->nodes[first + i]);
    if (n > named && used < size)
        snprintf(buf + used, size - used, " and %zu more", n - named);
    return buf;
}

static const char *verb(const struct qpw_difference *d, const char *one, const char *many)
{
    return d->n_nodes == 1 ? one : many;
}

/* "1,234 of 50,000 packets (2.5 %) in 2 min". */
static const char *balance_text(const struct qpw_difference *d, char *buf, size_t size)
{
    char missing[24], sent[24], span[32];
    uint64_t most = d->balance.sent > d->balance.received ? d->balance.sent : d->balance.received;

    qpw_words_duration((d->balance.to_us - d->balance.from_us) / 1000000 * 1000000000u, span, sizeof(span));
    snprintf(buf, size, "%s of %s packets (%.1f %%) in %s", qpw_words_count(d->count, missing, sizeof(missing)),
             qpw_words_count(most, sent, sizeof(sent)), qpw_percent_of(d->count, most), span);
    return buf;
}

static void pair_text(const struct qpw_difference *d, char *buf, size_t size)
{
    const char *from = d->nodes[0], *to = d->nodes[1];
    char figures[128];

    balance_text(d, figures, sizeof(figures));
    switch (d->what) {
    case QPW_DIFFERS_BLIND_DEVICE:
        snprintf(buf, size, "%s is blind on %s: it did not see %s that %s sent to it, and %s, which it does not monitor, received as "
                            "much", to, d->subject, figures, from, d->subject);
        break;
    case QPW_DIFFERS_SENDER_LOSS:
        snprintf(buf, size, "%s lost %s on the way to %s in its own queue or driver", from, figures, to);
        break;
    case QPW_DIFFERS_RECEIVER_LOSS:
        snprintf(buf, size, "%s lost %s from %s in its own card: they are counted there as missed, dropped or damaged", to, figures, from);
        break;
    case QPW_DIFFERS_LOST_BETWEEN:
        snprintf(buf, size, "%s from %s to %s were lost in the network, or something in between answers for %s", figures, from, to, to);
        break;
    case QPW_DIFFERS_FORGED:
        snprintf(buf, size, "someone else sends as %s: %s received %s in its name that it did not send, and %s, which is none of "
                            "its MACs, opens exchanges as %s", from, to, figures, d->subject, from);
        break;
    case QPW_DIFFERS_BYPASS_DEVICE:
        snprintf(buf, size, "the audit of %s is bypassed: %s received %s from it that it did not see itself send, and its %s, which it "
                            "does not monitor, sent as much", from, to, figures, d->subject);
        break;
    case QPW_DIFFERS_BYPASS:
        snprintf(buf, size, "the audit of %s is bypassed: %s received %s from it that it did not see itself send; it uses %s", from, to,
                 figures, d->subject);
        break;
    default:
        snprintf(buf, size, "%s received %s from %s that it did not see itself send: someone else sends as %s, or its audit is "
                            "bypassed%s; undecided", to, figures, from, from, *d->subject ? " (it has packet sockets)" : "");
    }
}

static void network_text(const struct qpw_difference *d, char *buf, size_t size)
{
    char rest[256], count[24];

    switch (d->what) {
    case QPW_DIFFERS_DOWN:
        snprintf(buf, size, "%s is silent to all and has no statement: it is down, or was never there", d->nodes[0]);
        break;
    case QPW_DIFFERS_NO_STATEMENT:
        snprintf(buf, size, "no statement of %s, from which %s received packets: its auditor is dead or cut off, or its file was not "
                            "given", d->nodes[0], nodes_text(d, 1, rest, sizeof(rest)));
        break;
    case QPW_DIFFERS_PARTITION:
        snprintf(buf, size, "%s received nothing of what %s sent to %s, and others hear it: a partition between them",
                 nodes_text(d, 1, rest, sizeof(rest)), d->nodes[0], d->n_nodes == 2 ? "it" : "them");
        break;
    case QPW_DIFFERS_HELD_TWICE:
        snprintf(buf, size, "%s is an address of %s at the same time", d->subject, nodes_text(d, 0, rest, sizeof(rest)));
        break;
    case QPW_DIFFERS_NOT_MONITORED:
        snprintf(buf, size, "%s does not monitor %s, which most others do; it has carried %s packets", d->nodes[0], d->subject,
                 qpw_words_count(d->count, count, sizeof(count)));
        break;
    case QPW_DIFFERS_OPEN_LINK:
        snprintf(buf, size, "%s does not monitor %s, by which other nodes reach it; it has carried %s packets", d->nodes[0], d->subject,
                 qpw_words_count(d->count, count, sizeof(count)));
        break;
    case QPW_DIFFERS_BLIND:
        snprintf(buf, size, "%s is blind on %s: its programs are missing from there", d->nodes[0], d->subject);
        break;
    default:
        snprintf(buf, size, "%s: monitored by %s on %s, by %s on most others", d->subject, d->value, nodes_text(d, 0, rest, sizeof(rest)),
                 d->usual);
    }
}

static void services_text(const struct qpw_difference *d, char *buf, size_t size)
{
    char rest[256], some[24], all[24];

    switch (d->what) {
    case QPW_DIFFERS_UNSEEN_OPENING:
        snprintf(buf, size, *d->value ? "%1$s saw %3$s open %2$s to it, which %3$s has not seen itself do"
                                      : "%1$s opened %2$s to %3$s, which answered and saw no such exchange opened to it",
                 d->nodes[0], d->subject, d->nodes[1]);
        break;
    case QPW_DIFFERS_FEWER_OPENINGS:
        snprintf(buf, size, "%s saw %s of the %s exchanges with it opened that %s did", d->nodes[1],
                 qpw_words_count(d->count, some, sizeof(some)), qpw_words_count(d->of, all, sizeof(all)), d->nodes[0]);
        break;
    case QPW_DIFFERS_ONLY_ONE:
        snprintf(buf, size, "%s is answered on %s alone (%s there)", d->subject, d->nodes[0], d->value);
        break;
    case QPW_DIFFERS_MISSING_ONE:
        snprintf(buf, size, "%s (%s) is answered on all nodes but %s", d->subject, d->value, d->nodes[0]);
        break;
    case QPW_DIFFERS_ONE_PAIR:
        snprintf(buf, size, "%s between nodes is used by %s and %s alone; %s%s", d->subject, d->nodes[0], d->nodes[1],
                 *d->value ? d->nodes[0] : "who listens is not known", *d->value ? " serves it with " : "");
        if (*d->value)
            snprintf(buf + strlen(buf), size - strlen(buf), "%s", d->value);
        break;
    default:
        snprintf(buf, size, "%s probed %s within ten minutes: up to %s unexpected services on each (scan %s)", d->subject,
                 nodes_text(d, 0, rest, sizeof(rest)), qpw_words_count(d->count, some, sizeof(some)), d->value);
    }
}

/* Shorten "sha256:0123…" so that two of them fit a line. */
static const char *brief(const char *digest, char buf[24])
{
    snprintf(buf, 24, "%.15s%s", digest, strlen(digest) > 15 ? "…" : "");
    return buf;
}

static void drift_text(const struct qpw_difference *d, char *buf, size_t size)
{
    char rest[256], own[24], usual[24], span[32];

    switch (d->what) {
    case QPW_DIFFERS_OTHER_POLICY:
        snprintf(buf, size, "%s %s another policy in force (%s) than most others (%s)", nodes_text(d, 0, rest, sizeof(rest)),
                 verb(d, "has", "have"), brief(d->value, own), brief(d->usual, usual));
        break;
    case QPW_DIFFERS_OTHER_VERSION:
        snprintf(buf, size, "%s %s qportwatch %s, most others %s", nodes_text(d, 0, rest, sizeof(rest)), verb(d, "runs", "run"), d->value,
                 d->usual);
        break;
    default:
        snprintf(buf, size, "the clock of %s is ahead of this one by %s at least", d->nodes[0],
                 qpw_words_duration(d->count / 1000000 * 1000000000u, span, sizeof(span)));
    }
}

const char *qpw_words_difference(const struct qpw_difference *d, char buf[QPW_DIFFERENCE_BYTES])
{
    switch (qpw_difference_kind(d->what)) {
    case QPW_DIFFERENCE_PAIR: pair_text(d, buf, QPW_DIFFERENCE_BYTES); break;
    case QPW_DIFFERENCE_SILENCE:
    case QPW_DIFFERENCE_ADDRESS:
    case QPW_DIFFERENCE_COVERAGE: network_text(d, buf, QPW_DIFFERENCE_BYTES); break;
    case QPW_DIFFERENCE_DIRECTION:
    case QPW_DIFFERENCE_ODD:
    case QPW_DIFFERENCE_SCAN: services_text(d, buf, QPW_DIFFERENCE_BYTES); break;
    default: drift_text(d, buf, QPW_DIFFERENCE_BYTES);
    }
    return buf;
}

const char *qpw_words_difference_command(const struct qpw_difference *d, char *buf, size_t size)
{
    const char *node = d->what == QPW_DIFFERS_BLIND_DEVICE ? d->nodes[1] : d->nodes[0];

    *buf = '\0';
    if (*d->devices)
        snprintf(buf, size, "on %s: qportwatch attach %s", node, d->devices);
    else if (d->what == QPW_DIFFERS_NO_STATEMENT)
        snprintf(buf, size, "on %s: qportwatch status", node);
    else if (d->what == QPW_DIFFERS_OTHER_POLICY)
        snprintf(buf, size, "on %s: qportwatch policy diff", node);
    return buf;
}

const char *qpw_words_uncompared(enum qpw_pair_state state)
{
    static const char *const texts[] = {
        [QPW_PAIR_COMPARED] = "",
        [QPW_PAIR_NO_SAMPLES] = "a statement has no samples ('qportwatch statement --samples' adds them)",
        [QPW_PAIR_NOT_NAMED] = "one of the two does not name the other as a peer (a node has the name of its own peer line, else its host's)",
        [QPW_PAIR_NOT_SAMPLED] = "a statement samples other peers only",
        [QPW_PAIR_OTHERS] = "not of this node",
        [QPW_PAIR_BLIND] = "a node was blind meanwhile",
        [QPW_PAIR_SHORT] = "their samples have less than 6 s in common",
    };

    return state < QPW_PAIR_STATE_COUNT ? texts[state] : "";
}

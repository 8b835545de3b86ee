/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/coverage.h"

#include <stdio.h>

#include "words/printer.h"
#include "words/words.h"

const char *qpw_words_watched(const struct qpw_snapshot *s, const struct qpw_iface_row *row, char *buf, size_t size)
{
    enum qpw_watch_state state = qpw_watch_of(s, row);
    bool usual = state == QPW_WATCH_OK || state == QPW_WATCH_CAPTURE;
    char mode[80];

    qpw_words_mode_why(row->hook, row->why, mode, sizeof(mode));
    return qpw_format(buf, size, "%s%s%s%s%s", row->name, usual ? "" : " ", usual ? "" : qpw_watch_name(state),
                      *mode ? ": " : "", mode);
}

const char *qpw_words_unwatched(const struct qpw_unwatched_row *row, char *buf, size_t size)
{
    char rx[40], tx[24];

    return qpw_format(buf, size, "%s (%s received, %s sent)", row->name,
                      qpw_words_many(row->rx_packets, "packet", rx, sizeof(rx)),
                      qpw_words_count(row->tx_packets, tx, sizeof(tx)));
}

const char *qpw_words_link_state(const struct qpw_inventory_row *row, char *buf, size_t size)
{
    switch (row->state) {
    case QPW_LINK_MONITORED: return "monitored";
    case QPW_LINK_SEEN_ELSEWHERE: return qpw_format(buf, size, "not monitored itself: its packets are seen at %s", row->at);
    case QPW_LINK_LOOPBACK: return "not monitored: the loopback interface carries no network traffic";
    case QPW_LINK_DOWN: return "not monitored: it is down";
    case QPW_LINK_GONE: return "not monitored any more: there is no such interface now";
    default: return "not monitored: it is up, and not among the interfaces that the audit was attached to";
    }
}

const char *qpw_words_gap(const struct qpw_snapshot *s, const struct qpw_gap *gap, char *buf, size_t size)
{
    const char *iface = qpw_snapshot_iface(s, gap->iface);
    char from[24], to[24];

    return qpw_format(buf, size, "%s%s%s%s from %s to %s", iface, *iface ? " " : "", qpw_words_coverage(gap->kind),
                      gap->kind == QPW_COVERAGE_AUDITOR_GAP ? " (counted)" : "",
                      qpw_words_moment(gap->from_unix_ns, s->unix_ns, from, sizeof(from)),
                      gap->open ? "now" : qpw_words_moment(gap->to_unix_ns, s->unix_ns, to, sizeof(to)));
}

/* ---- Notes ---- */

static const char *programs(const struct qpw_note *note, char *buf)
{
    const char *which = note->tx ? "sent" : "received";
    char count[24];

    qpw_words_count(note->count, count, sizeof(count));
    if (note->kind == QPW_NOTE_BEFORE)
        return qpw_format(buf, QPW_NOTE_TEXT, "%s: programs of others (%s, the first %s) see %s packets before ours does: "
                          "what those drop or change is not seen as it arrived", note->name, count, note->detail, which);
    return qpw_format(buf, QPW_NOTE_TEXT, "%s: programs of others (%s, the first %s) come after ours for %s packets: what "
                      "they drop is counted here", note->name, count, note->detail, which);
}

static const char *of_replay(const struct qpw_note *note, char *buf)
{
    char count[48];

    switch (note->kind) {
    case QPW_NOTE_RECORDS:
        return qpw_format(buf, QPW_NOTE_TEXT, "replay of %s; one record is one packet",
                          qpw_words_many(note->count, "record", count, sizeof(count)));
    case QPW_NOTE_MERGED:
        return qpw_format(buf, QPW_NOTE_TEXT, "larger than an MTU of %u: %s. They are merged buffers of a capture taken on "
                          "the node itself, each of which was several frames on the wire", note->other,
                          qpw_words_many(note->count, "record", count, sizeof(count)));
    case QPW_NOTE_CUT:
        return qpw_format(buf, QPW_NOTE_TEXT, "cut short by the capture's snap length: %s; their original lengths are "
                          "counted", qpw_words_many(note->count, "record", count, sizeof(count)));
    case QPW_NOTE_COPIES:
        return qpw_format(buf, QPW_NOTE_TEXT, "copies of a record less than a millisecond earlier: %s%s",
                          qpw_words_count(note->count, count, sizeof(count)), note->other ? ", left out" : "");
    case QPW_NOTE_LEFT_OUT:
        return qpw_format(buf, QPW_NOTE_TEXT, "left out because they are of other interfaces: %s",
                          qpw_words_many(note->count, "record", count, sizeof(count)));
    case QPW_NOTE_UNSUPPORTED:
        return qpw_format(buf, QPW_NOTE_TEXT, "left out because their link type cannot be replayed: %s, the first of link "
                          "type %s", qpw_words_many(note->count, "record", count, sizeof(count)), note->detail);
    case QPW_NOTE_LOCALS:
        return qpw_format(buf, QPW_NOTE_TEXT, "the --local prefixes cover %s%s addresses that sent something",
                          qpw_words_count(note->count, count, sizeof(count)), note->other ? " or more" : "");
    case QPW_NOTE_ENDED_EARLY:
        return qpw_format(buf, QPW_NOTE_TEXT, "ended early to make room for others (--max-connections): %s",
                          qpw_words_many(note->count, "connection", count, sizeof(count)));
    default:
        return qpw_format(buf, QPW_NOTE_TEXT, "a capture was damaged or could not be read to its end; anything after that "
                          "is not in this report");
    }
}

const char *qpw_words_note(const struct qpw_note *note, char buf[QPW_NOTE_TEXT])
{
    const char *are = note->count == 1 ? "is" : "are";
    char count[48];

    switch (note->kind) {
    case QPW_NOTE_RDMA:
        return qpw_format(buf, QPW_NOTE_TEXT, "RDMA: %s port %s has carried %s since it started; RDMA bypasses the kernel, "
                          "so they are not counted here", note->name, note->detail,
                          qpw_words_many(note->count, "packet", count, sizeof(count)));
    case QPW_NOTE_XDP_SOCKETS:
        return qpw_format(buf, QPW_NOTE_TEXT, "AF_XDP: %s %s open; packets sent through them bypass the egress hook, and "
                          "packets they receive are taken by an XDP program in the place of ours",
                          qpw_words_many(note->count, "socket", count, sizeof(count)), are);
    case QPW_NOTE_PACKET_SOCKETS:
        return qpw_format(buf, QPW_NOTE_TEXT, "AF_PACKET: %s %s open; packets sent with PACKET_QDISC_BYPASS bypass the "
                          "egress hook and are not counted here",
                          qpw_words_many(note->count, "socket", count, sizeof(count)), are);
    case QPW_NOTE_BEFORE:
    case QPW_NOTE_BEHIND: return programs(note, buf);
    case QPW_NOTE_TAGS_STRIPPED:
        return qpw_format(buf, QPW_NOTE_TEXT, "%s takes VLAN tags off before XDP sees the frame: received packets are "
                          "counted without their tag, and rules with vlan= take them as untagged (ethtool -K %s rxvlan "
                          "off, or --mode tc)", note->name, note->name);
    case QPW_NOTE_STACKED:
        return qpw_format(buf, QPW_NOTE_TEXT, "%s is %s and has carried %s: what of it passes the card is counted there, what "
                          "stays on this host is not", note->name, note->detail,
                          qpw_words_many(note->count, "packet", count, sizeof(count)));
    case QPW_NOTE_NO_OWNERS:
        return qpw_format(buf, QPW_NOTE_TEXT, "Owners of sockets are not noted: %s. A process that has ended before its "
                          "exchange is looked at stays unknown.", note->detail);
    case QPW_NOTE_OWNERS_BELOW:
        return qpw_format(buf, QPW_NOTE_TEXT, "Owners of sockets are noted only for processes in and below the cgroup %s. "
                          "A process elsewhere that has ended before its exchange is looked at stays unknown.", note->detail);
    case QPW_NOTE_NO_EXECUTABLES:
        return qpw_format(buf, QPW_NOTE_TEXT, "Executables of processes that have ended are not known: %s.", note->detail);
    default: return of_replay(note, buf);
    }
}

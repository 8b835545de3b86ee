/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* state.h - the user's choices: tab, order, filter, units, selection. */
#ifndef QPW_VIEW_STATE_H
#define QPW_VIEW_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "view/filter.h"

/* X(symbol, "name") */
#define QPW_TABS(X) \
    X(UNEXPECTED, "Unexpected") \
    X(PORTS, "Ports") \
    X(PEERS, "Peers") \
    X(POLICY, "Policy") \
    X(COVERAGE, "Coverage") \
    X(CONNECTIONS, "Connections") \
    X(LISTENERS, "Listeners") \
    X(CLUSTER, "Cluster") \
    X(HELP, "Help")
#define QPW_X_TAB(s, n) QPW_TAB_##s,
enum qpw_tab { QPW_TABS(QPW_X_TAB) QPW_TAB_COUNT };

enum qpw_mode {
    QPW_MODE_LIST = 0,
    QPW_MODE_DETAILS,
    QPW_MODE_FILTER, /* a filter is being typed */
    QPW_MODE_SORT,   /* a column is being chosen */
    QPW_MODE_ACK,    /* the reason of an acknowledgement is being typed */
    QPW_MODE_MUTE,   /* the reason of a muting is being typed */
    QPW_MODE_QUIT,   /* the question before quitting */
};

/* How the findings of the tab Unexpected are grouped. X(symbol, "name") */
#define QPW_GROUPINGS(X) \
    X(CAUSE, "by cause: scans, broadcasts and users of a service in one row") \
    X(HOST, "by remote host") \
    X(PROCESS, "by process") \
    X(NONE, "one by one")
#define QPW_X_GROUPING(s, n) QPW_GROUPING_##s,
enum qpw_grouping { QPW_GROUPINGS(QPW_X_GROUPING) QPW_GROUPING_COUNT };

/* Order of a tab; column: enum qpw_column_id, 0 for the tab's natural order. */
struct qpw_sort {
    int column;
    bool reverse; /* against the column's natural order (numbers: greatest first; words: a to z) */
};

struct qpw_view_state {
    enum qpw_tab tab;
    enum qpw_mode mode;
    struct qpw_sort sort[QPW_TAB_COUNT];
    struct qpw_filter filter;
    char filter_text[QPW_FILTER_TEXT]; /* the active filter as typed */
    enum qpw_grouping grouping;
    uint64_t opened;  /* id of the group whose findings are shown; 0: none */
    bool paused;
    bool totals;  /* prefer totals to rates if both do not fit */
    bool numbers; /* no service names */
    bool bytes;   /* rates in bytes rather than bits */
    bool follow;  /* the selection stays on its row wherever it moves */
    unsigned interval_ms;
    unsigned span; /* length of a history span, an index of view/past.h */

    /* The tab that Enter on a row of Ports or Peers came from, to which Esc returns. QPW_TAB_COUNT: none. */
    enum qpw_tab back_tab;
    uint64_t back_id;
    char back_filter[QPW_FILTER_TEXT];

    int selected;         /* row of the model, from 0 */
    uint64_t selected_id; /* id of that row; 0: none */
    bool find;            /* select the row of selected_id once, wherever it is */
    int top;              /* first row on the screen */
    int details_top;      /* first line of the details on the screen */
    int sort_choice;      /* QPW_MODE_SORT: index into the tab's columns */
    char edit[QPW_FILTER_TEXT]; /* QPW_MODE_FILTER, _ACK, _MUTE: the text being typed */
    char message[240];    /* shown in the last line until the next key; "": none */
    bool message_bad;
};

const char *qpw_grouping_name(enum qpw_grouping grouping);
const char *qpw_tab_name(enum qpw_tab tab);
/* Find a tab by name or a prefix of one, in any case; -1: none. */
int qpw_tab_find(const char *name);
/* Set the message: lines are joined with semicolons, and truncated if too long. */
void qpw_state_set_message(struct qpw_view_state *state, bool bad, const char *text);
/* Reset to the defaults: each tab's natural order, an interval of one second. */
void qpw_state_init(struct qpw_view_state *state);

#endif

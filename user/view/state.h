/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* state.h - what the person at the keyboard has chosen: tab, order, filter, units, selection. */
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
    X(HELP, "Help")
#define QPW_X_TAB(s, n) QPW_TAB_##s,
enum qpw_tab { QPW_TABS(QPW_X_TAB) QPW_TAB_COUNT };

enum qpw_mode {
    QPW_MODE_LIST = 0,
    QPW_MODE_DETAILS,
    QPW_MODE_FILTER, /* a filter is being typed */
    QPW_MODE_SORT,   /* a column is being chosen */
    QPW_MODE_ACK,    /* why a finding is acknowledged is being typed */
    QPW_MODE_MUTE,   /* the same of one that is muted */
    QPW_MODE_QUIT,   /* "really?" */
};

/* How the findings of the tab Unexpected stand. X(symbol, "name") */
#define QPW_GROUPINGS(X) \
    X(CAUSE, "by cause: scans, broadcasts and users of a service in one row") \
    X(HOST, "by remote host") \
    X(PROCESS, "by process") \
    X(NONE, "one by one")
#define QPW_X_GROUPING(s, n) QPW_GROUPING_##s,
enum qpw_grouping { QPW_GROUPINGS(QPW_X_GROUPING) QPW_GROUPING_COUNT };

/* Order of one tab; column: enum qpw_column_id, 0 the tab's natural order. */
struct qpw_sort {
    int column;
    bool reverse; /* against the column's own order (numbers: most first; words: a to z) */
};

struct qpw_view_state {
    enum qpw_tab tab;
    enum qpw_mode mode;
    struct qpw_sort sort[QPW_TAB_COUNT];
    struct qpw_filter filter;
    char filter_text[QPW_FILTER_TEXT]; /* as typed, of the filter in force */
    enum qpw_grouping grouping;
    uint64_t opened;  /* identity of the group whose findings are shown, 0: none */
    bool paused;
    bool totals;  /* totals rather than rates where both do not fit */
    bool numbers; /* no service names */
    bool bytes;   /* rates in bytes rather than bits */
    bool follow;  /* the selection stays on its row wherever that goes */
    unsigned interval_ms;
    unsigned span; /* of the history, one of view/past.h */

    /* Where Enter on a row of Ports or Peers led from; Esc goes back there. QPW_TAB_COUNT: it did not. */
    enum qpw_tab back_tab;
    uint64_t back_id;
    char back_filter[QPW_FILTER_TEXT];

    int selected;         /* row of the model, 0 based */
    uint64_t selected_id; /* identity of that row, 0: none */
    bool find;            /* select the row of selected_id, once, wherever it is */
    int top;              /* first row on the screen */
    int details_top;      /* first line of the details on the screen */
    int sort_choice;      /* QPW_MODE_SORT: index into the tab's columns */
    char edit[QPW_FILTER_TEXT]; /* QPW_MODE_FILTER, _ACK, _MUTE: what is typed */
    char message[240];    /* shown in the last line until the next key; "" none */
    bool message_bad;
};

const char *qpw_grouping_name(enum qpw_grouping grouping);
const char *qpw_tab_name(enum qpw_tab tab);
/* Tab by name or the beginning of one, any case; -1 where none. */
int qpw_tab_find(const char *name);
/* Sets the message: lines follow one another after semicolons, and it is cut where it is too long. */
void qpw_state_say(struct qpw_view_state *state, bool bad, const char *text);
/* Everything as at the first start: each tab's own order, one second. */
void qpw_state_init(struct qpw_view_state *state);

#endif

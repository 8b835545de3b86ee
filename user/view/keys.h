/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* keys.h - one table of keys, for the view and for its Help tab. */
#ifndef QPW_VIEW_KEYS_H
#define QPW_VIEW_KEYS_H

#include "view/model.h"

/* Keys that are no characters, above all Unicode code points. */
enum qpw_key {
    QPW_KEY_NONE = 0,
    QPW_KEY_UP = 0x110000,
    QPW_KEY_DOWN,
    QPW_KEY_LEFT,
    QPW_KEY_RIGHT,
    QPW_KEY_PAGE_UP,
    QPW_KEY_PAGE_DOWN,
    QPW_KEY_HOME,
    QPW_KEY_END,
    QPW_KEY_BACKTAB,
    QPW_KEY_BACKSPACE,
    QPW_KEY_DELETE,
    QPW_KEY_ENTER,
    QPW_KEY_F1, /* up to F10 without gaps */
    QPW_KEY_F10 = QPW_KEY_F1 + 9,
};
#define QPW_KEY_ESC 27
#define QPW_CTRL(letter) ((letter) & 0x1f)

enum qpw_action {
    QPW_ACTION_NONE = 0,
    QPW_ACTION_QUIT,
    QPW_ACTION_BACK, /* close what is open, otherwise remove the filter */
    QPW_ACTION_TAB,  /* argument: enum qpw_tab */
    QPW_ACTION_TAB_NEXT,
    QPW_ACTION_TAB_BEFORE,
    QPW_ACTION_MOVE,   /* argument: rows */
    QPW_ACTION_PAGE,   /* argument: half pages */
    QPW_ACTION_FIRST,
    QPW_ACTION_LAST,
    QPW_ACTION_SELECT, /* argument: row; by mouse only */
    QPW_ACTION_DETAILS,
    QPW_ACTION_OPEN,   /* connections of a port or a peer, otherwise details */
    QPW_ACTION_FILTER,
    QPW_ACTION_FILTER_ROW, /* filter by the selected row's port, rule or peer */
    QPW_ACTION_FILTER_CLEAR,
    QPW_ACTION_SORT,
    QPW_ACTION_SORT_MOVE,   /* argument: columns */
    QPW_ACTION_SORT_COLUMN, /* argument: enum qpw_column_id; by mouse only */
    QPW_ACTION_REVERSE,
    QPW_ACTION_PAUSE,
    QPW_ACTION_PAST,   /* argument: spans of the history, negative: backwards */
    QPW_ACTION_SPAN,   /* argument: longer (1) or shorter (-1) span */
    QPW_ACTION_LIVE,
    QPW_ACTION_FOLLOW,
    QPW_ACTION_TOTALS,
    QPW_ACTION_NUMBERS,
    QPW_ACTION_UNITS,
    QPW_ACTION_FASTER,
    QPW_ACTION_SLOWER,
    QPW_ACTION_COPY,
    QPW_ACTION_MOUSE,
    QPW_ACTION_REDRAW,
    QPW_ACTION_ACK,
    QPW_ACTION_MUTE,
    QPW_ACTION_GROUP,
};

struct qpw_binding {
    int keys[4]; /* up to four, terminated by 0 */
    enum qpw_action action;
    int argument;
    const char *shown; /* the keys as Help shows them; NULL: shown with the previous row */
    const char *does;
};

extern const struct qpw_binding qpw_bindings[];
extern const size_t qpw_n_bindings;

/* Find the binding of a key; NULL: none. */
const struct qpw_binding *qpw_binding_find(int key);

#endif

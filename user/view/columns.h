/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* columns.h - the columns of each tab, and the text, order and style of each cell. */
#ifndef QPW_VIEW_COLUMNS_H
#define QPW_VIEW_COLUMNS_H

#include "view/model.h"

enum qpw_column_id {
    QPW_COL_NONE = 0,
    QPW_COL_SEVERITY,
    QPW_COL_DIR,
    QPW_COL_SERVICE,
    QPW_COL_WHO,
    QPW_COL_FROM,
    QPW_COL_TO,
    QPW_COL_OUTCOME,
    QPW_COL_PROCESS,
    QPW_COL_VERDICT,
    QPW_COL_EVIDENCE,
    QPW_COL_REASON,
    QPW_COL_RULE,
    QPW_COL_SCOPE,
    QPW_COL_PEER,
    QPW_COL_IFACE,
    QPW_COL_VLAN,
    QPW_COL_CONNS,
    QPW_COL_PACKETS,
    QPW_COL_PACKET_RATE,
    QPW_COL_RX_RATE,
    QPW_COL_TX_RATE,
    QPW_COL_RX_BYTES,
    QPW_COL_TX_BYTES,
    QPW_COL_BYTES,
    QPW_COL_SPARK,
    QPW_COL_FIRST,
    QPW_COL_LAST,
    QPW_COL_STATE,
    QPW_COL_FAMILY,
    QPW_COL_BUSIEST,
    QPW_COL_OUTSIDE,
    QPW_COL_STATEMENT,
    QPW_COL_WHERE,
    QPW_COL_SECTION,
    QPW_COL_ITEM,
    QPW_COL_VALUE,
    QPW_COL_NOTE,
    QPW_COL_ADDRESS,
    QPW_COL_USER,
    QPW_COL_UNIT,
    QPW_COL_ASKED,
    QPW_COL_WANTED,
    QPW_COL_COUNT,
};

/* qpw_column.flags */
#define QPW_COLUMN_RIGHT 0x01
#define QPW_COLUMN_MOST_FIRST 0x02 /* natural order: greatest first */
#define QPW_COLUMN_RATE 0x04       /* dropped first when totals are preferred */
#define QPW_COLUMN_TOTAL 0x08      /* dropped first when rates are preferred */
#define QPW_COLUMN_STRETCH 0x10    /* takes the remaining width, beyond `want` */

struct qpw_column {
    enum qpw_column_id id;
    const char *title;
    uint8_t min, want;  /* cells */
    uint8_t priority;   /* 0: always shown; the greater, the earlier it is dropped */
    uint8_t flags;
};

struct qpw_tab_columns {
    const struct qpw_column *columns;
    size_t n;
    enum qpw_column_id sort; /* initially */
    uint32_t fields;         /* bitmask of the filter fields that its rows have */
};

const struct qpw_tab_columns *qpw_tab_columns(enum qpw_tab tab);
/* Return a tab's column; NULL: it has no such column. */
const struct qpw_column *qpw_column_find(enum qpw_tab tab, int id);
/* Find a tab's column by title or a prefix of one, in any case; NULL: none. */
const struct qpw_column *qpw_column_named(enum qpw_tab tab, const char *name);

/* Write a hint for an unknown title: the closest column, otherwise all of them. Returns buf. */
const char *qpw_column_hint(enum qpw_tab tab, const char *name, char *buf, size_t size);

/* The context of a cell. */
struct qpw_cell_of {
    const struct qpw_model *m;
    const struct qpw_view_state *state;
    const struct qpw_row *row;
    int width; /* of the column, in cells; sparklines fill it, addresses are cut to it */
};
/* Write the text of a cell to buf, truncated to size. Returns buf. */
const char *qpw_cell_text(const struct qpw_cell_of *c, enum qpw_column_id column, char *buf, size_t size);
uint8_t qpw_cell_style(const struct qpw_model *m, const struct qpw_row *row, enum qpw_column_id column);
/* Fill the row's sort key for the column. */
void qpw_cell_key(const struct qpw_model *m, struct qpw_row *row, enum qpw_column_id column);

/* Write all words of the row, for a filter's free words. Returns buf. */
const char *qpw_row_words(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size);
/* Write the row's process with its executable and unit, if known; otherwise "". Returns buf. */
const char *qpw_row_process(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size);
/* Fill the facts that a filter compares; words (as above) only on request. */
void qpw_row_facts(const struct qpw_model *m, const struct qpw_row *row, struct qpw_facts *ret);

#endif

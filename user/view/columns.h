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
#define QPW_COLUMN_MOST_FIRST 0x02 /* its own order: greatest first */
#define QPW_COLUMN_RATE 0x04       /* gives way where totals are wanted */
#define QPW_COLUMN_TOTAL 0x08      /* gives way where rates are wanted */
#define QPW_COLUMN_STRETCH 0x10    /* takes what is left over, beyond `want` */

struct qpw_column {
    enum qpw_column_id id;
    const char *title;
    uint8_t min, want;  /* cells */
    uint8_t priority;   /* 0: always there; the greater, the earlier it gives way */
    uint8_t flags;
};

struct qpw_tab_columns {
    const struct qpw_column *columns;
    size_t n;
    enum qpw_column_id sort; /* at the first start */
    uint32_t fields;         /* filter fields that its rows know, a bit each */
};

const struct qpw_tab_columns *qpw_tab_columns(enum qpw_tab tab);
/* The column of a tab, NULL where it has none such. */
const struct qpw_column *qpw_column_find(enum qpw_tab tab, int id);
/* Column of a tab by title or the beginning of one, any case; NULL where none. */
const struct qpw_column *qpw_column_named(enum qpw_tab tab, const char *name);

/* For a title that no column of the tab has: which was probably meant, or else all there are. Returns buf. */
const char *qpw_column_hint(enum qpw_tab tab, const char *name, char *buf, size_t size);

/* What a cell is of. */
struct qpw_cell_of {
    const struct qpw_model *m;
    const struct qpw_view_state *state;
    const struct qpw_row *row;
    int width; /* of the column, in cells: sparklines fill it, addresses are cut to it */
};
/* Text of one cell into buf, cut to size. Returns buf. */
const char *qpw_cell_text(const struct qpw_cell_of *c, enum qpw_column_id column, char *buf, size_t size);
uint8_t qpw_cell_style(const struct qpw_model *m, const struct qpw_row *row, enum qpw_column_id column);
/* Fills the row's sort key for the column. */
void qpw_cell_key(const struct qpw_model *m, struct qpw_row *row, enum qpw_column_id column);

/* All that the row says, for free words of a filter. Returns buf. */
const char *qpw_row_words(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size);
/* The process of the row in words, with its executable and unit where they are known; "". Returns buf. */
const char *qpw_row_process(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size);
/* The filter's view of the row; words as above, only where wanted. */
void qpw_row_facts(const struct qpw_model *m, const struct qpw_row *row, struct qpw_facts *ret);

#endif

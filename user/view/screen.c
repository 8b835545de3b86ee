/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/screen.h"

#include <stdio.h>
#include <string.h>

#include "words/cluster_status.h"
#include "words/words.h"

#define TOO_SMALL(c) ((c)->cols < 40 || (c)->rows < 8)

int qpw_screen_page(int rows)
{
    int page = rows - qpw_header_rows(rows) - 3; /* tab bar, titles, last line */

    return page > 1 ? page : 1;
}

void qpw_screen_settle(const struct qpw_model *m, struct qpw_view_state *state, int page)
{
    int n = (int)m->n_rows;
    bool stay = state->follow || state->find || state->mode == QPW_MODE_DETAILS;

    state->find = false;
    if (stay && state->selected_id) {
        int at = qpw_model_find(m, state->selected_id);

        if (at >= 0)
            state->selected = at;
    }
    state->selected = state->selected >= n ? n - 1 : state->selected;
    state->selected = state->selected < 0 ? 0 : state->selected;
    if (!stay || !state->selected_id)
        state->selected_id = n ? m->rows[state->selected].id : 0;
    if (state->top > state->selected)
        state->top = state->selected;
    if (state->selected >= state->top + page)
        state->top = state->selected - page + 1;
    if (state->top > n - page)
        state->top = n - page;
    state->top = state->top < 0 ? 0 : state->top;
}

static const struct qpw_row *details_row(const struct qpw_model *m, const struct qpw_view_state *state)
{
    int index = qpw_model_find(m, state->selected_id);

    return index < 0 ? NULL : &m->rows[index];
}

void qpw_screen_settle_details(struct qpw_canvas *c, const struct qpw_model *m, struct qpw_view_state *state)
{
    int most;

    if (state->mode != QPW_MODE_DETAILS || TOO_SMALL(c))
        return;
    most = qpw_details_paint(c, m, state, details_row(m, state), 0, 0) - (qpw_screen_page(c->rows) + 1);
    state->details_top = state->details_top > most ? most : state->details_top;
    state->details_top = state->details_top < 0 ? 0 : state->details_top;
}

/* ---- Table ---- */

static struct qpw_box box_of(const struct qpw_column_span *span, int row)
{
    return (struct qpw_box){row, span->left, span->width, span->column->flags & QPW_COLUMN_RIGHT};
}

void qpw_titles_paint(struct qpw_canvas *c, int at, const struct qpw_layout *layout, const struct qpw_view_state *state)
{
    const struct qpw_sort *sort = &state->sort[state->tab];

    qpw_canvas_style_row(c, at, QPW_STYLE_TITLE);
    for (int i = 0; i < layout->n; i++) {
        const struct qpw_column_span *span = &layout->spans[i];
        bool sorted = (int)span->column->id == sort->column;
        bool down = !!(span->column->flags & QPW_COLUMN_MOST_FIRST) != sort->reverse;
        char title[40];

        /* If both do not fit, cut the title rather than the mark. */
        snprintf(title, sizeof(title), "%.*s%s", sorted ? span->width - 1 : 30, span->column->title,
                 !sorted ? ""
                 : down  ? "▼"
                         : "▲");
        qpw_canvas_field(c, box_of(span, at), QPW_STYLE_TITLE, title);
        qpw_canvas_zone(c, at, span->left, span->left + span->width, QPW_ACTION_SORT_COLUMN, span->column->id);
    }
}

void qpw_row_paint(struct qpw_canvas *c, int at, const struct qpw_layout *layout, const struct qpw_model *m,
                   const struct qpw_view_state *state, const struct qpw_row *row)
{
    const struct qpw_line *line = row->kind == QPW_ROW_LINE ? row->source : NULL;
    char text[512];

    for (int i = 0; i < layout->n; i++) {
        const struct qpw_column_span *span = &layout->spans[i];

        if (line && span->column->id == QPW_COL_ITEM && !line->item[0] && !line->value[0]) {
            qpw_canvas_field(c, (struct qpw_box){at, span->left, c->cols - span->left, false}, line->style, line->note);
            return; /* a sentence takes the whole row */
        }
        qpw_cell_text(&(struct qpw_cell_of){m, state, row, span->width}, span->column->id, text, sizeof(text));
        qpw_canvas_field(c, box_of(span, at), qpw_cell_style(m, row, span->column->id), text);
    }
}

const char *qpw_empty_text(const struct qpw_model *m, const struct qpw_view_state *state)
{
    if (m->n_hidden)
        return "the filter hides every row; c clears it";
    if (m->past.to_unix_ns)
        return state->tab == QPW_TAB_CONNECTIONS ? "live connections are not in the history; 'qportwatch history port tcp/PORT' lists who used a port"
               : state->tab == QPW_TAB_LISTENERS ? "what listens is shown live; 'qportwatch history new' lists what began to listen"
               : state->tab == QPW_TAB_CLUSTER   ? "what peers say is shown live; 'qportwatch alerts' lists what was found between them"
               : state->tab == QPW_TAB_PORTS     ? "nothing was counted" : state->tab == QPW_TAB_UNEXPECTED ? "no findings in this span" : "";
    switch (state->tab) {
    case QPW_TAB_UNEXPECTED: return "no findings";
    case QPW_TAB_PORTS: return "no packets counted yet";
    case QPW_TAB_PEERS: return QPW_WORDS_NO_PEERS;
    case QPW_TAB_POLICY: return "no policy rule is in force";
    case QPW_TAB_CONNECTIONS: return "no live connections";
    case QPW_TAB_LISTENERS: return *m->listening_why ? m->listening_why : "no socket listens";
    case QPW_TAB_CLUSTER: return *m->cluster_why ? m->cluster_why : QPW_WORDS_NO_CLUSTER;
    default: return "";
    }
}

static void paint_table(struct qpw_canvas *c, int first, int height, const struct qpw_model *m,
                        const struct qpw_view_state *state)
{
    struct qpw_layout layout;

    qpw_layout_make(qpw_tab_columns(state->tab), state->totals, c->cols, &layout);
    qpw_titles_paint(c, first, &layout, state);
    if (!m->n_rows)
        qpw_canvas_text(c, first + 2, 2, c->cols - 2, QPW_STYLE_DIM, qpw_empty_text(m, state));
    for (int i = 0; i < height && state->top + i < (int)m->n_rows; i++) {
        int at = first + 1 + i, index = state->top + i;

        qpw_row_paint(c, at, &layout, m, state, &m->rows[index]);
        qpw_canvas_zone(c, at, 0, c->cols, QPW_ACTION_SELECT, index);
        if (index == state->selected)
            qpw_canvas_style_row(c, at, QPW_STYLE_SELECTED);
    }
}

/* ---- Tab bar, last line, choices ---- */

#define WIDE_TABS 113 /* width at which all tabs with their numbers and the row count fit */

static void paint_tabs(struct qpw_canvas *c, int at, const struct qpw_model *m, const struct qpw_view_state *state)
{
    static const char *const grouped[QPW_GROUPING_COUNT] = {
        [QPW_GROUPING_CAUSE] = "", [QPW_GROUPING_HOST] = " by host", [QPW_GROUPING_PROCESS] = " by process",
        [QPW_GROUPING_NONE] = " one by one"};
    bool wide = c->cols >= WIDE_TABS;
    char right[48], count[40], all[24];
    int col = 0, width;

    for (int i = 0; i < QPW_TAB_COUNT; i++) {
        bool on = i == (int)state->tab;
        const char *how = i == QPW_TAB_UNEXPECTED && state->grouping < QPW_GROUPING_COUNT ? grouped[state->grouping] : "";
        int end;

        if (!wide && !on && i == QPW_TAB_HELP) /* the last line has its key */
            continue;
        end = on ? qpw_canvas_printf(c, (struct qpw_box){at, col, c->cols - col}, QPW_STYLE_TAB_ON, "[%d %s%s]", i + 1,
                                     qpw_tab_name((enum qpw_tab)i), how)
              : wide ? qpw_canvas_printf(c, (struct qpw_box){at, col, c->cols - col}, QPW_STYLE_TAB, " %d %s ", i + 1,
                                         qpw_tab_name((enum qpw_tab)i))
                     : qpw_canvas_printf(c, (struct qpw_box){at, col, c->cols - col}, QPW_STYLE_TAB, " %s",
                                         qpw_tab_name((enum qpw_tab)i));
        qpw_canvas_zone(c, at, col, end, QPW_ACTION_TAB, i);
        col = end;
    }
    if (state->tab == QPW_TAB_HELP)
        return;
    if (state->filter.n_terms)
        snprintf(right, sizeof(right), " %s of %s", qpw_words_count(m->n_rows, count, sizeof(count)),
                 qpw_words_count(m->n_rows + m->n_hidden, all, sizeof(all)));
    else
        snprintf(right, sizeof(right), " %s", qpw_words_many(m->n_rows, "row", count, sizeof(count)));
    width = qpw_text_width(right);
    width = width > c->cols - col ? c->cols - col : width;
    qpw_canvas_field(c, (struct qpw_box){at, c->cols - width, width, true},
                     state->filter.n_terms ? QPW_STYLE_NOTE : QPW_STYLE_DIM, right);
}

static void paint_hints(struct qpw_canvas *c, int at, const struct qpw_model *m, const struct qpw_view_state *state)
{
    static const struct hint {
        const char *key, *does;
        enum qpw_action action;
        int argument;
    } live[] = {{"?", "help", QPW_ACTION_TAB},
                 {"q", "quit", QPW_ACTION_QUIT},
                 {"Tab", "next", QPW_ACTION_TAB_NEXT},
                 {"/", "filter", QPW_ACTION_FILTER},
                 {"s", "sort", QPW_ACTION_SORT},
                 {"Enter", "details", QPW_ACTION_OPEN},
                 {"p", "pause", QPW_ACTION_PAUSE},
                 {"t", "totals", QPW_ACTION_TOTALS},
                 {"<", "history", QPW_ACTION_PAST, -1},
                 {"r", "reverse", QPW_ACTION_REVERSE},
                 {"f", "freeze", QPW_ACTION_FOLLOW},
                 {"=", "only this", QPW_ACTION_FILTER_ROW}},
      past[] = {{"?", "help", QPW_ACTION_TAB},
                {"L", "live", QPW_ACTION_LIVE},
                {"<", "back", QPW_ACTION_PAST, -1},
                {">", "forward", QPW_ACTION_PAST, 1},
                {"(", "shorter", QPW_ACTION_SPAN, -1},
                {")", "longer", QPW_ACTION_SPAN, 1},
                {"Tab", "next", QPW_ACTION_TAB_NEXT},
                {"/", "filter", QPW_ACTION_FILTER},
                {"s", "sort", QPW_ACTION_SORT},
                {"Enter", "details", QPW_ACTION_OPEN},
                {"q", "quit", QPW_ACTION_QUIT}};
    const struct hint *hints = m->past.to_unix_ns ? past : live;
    size_t n = m->past.to_unix_ns ? sizeof(past) / sizeof(*past) : sizeof(live) / sizeof(*live);
    char span[16];
    int col = 0;

    for (size_t i = 0; i < n; i++) {
        int left = col;

        if (col + qpw_text_width(hints[i].key) + 1 + qpw_text_width(hints[i].does) > c->cols)
            break;
        col = qpw_canvas_text(c, at, col, c->cols - col, QPW_STYLE_BOLD, hints[i].key);
        col = qpw_canvas_printf(c, (struct qpw_box){at, col, c->cols - col}, QPW_STYLE_DIM, " %s",
                                hints[i].action == QPW_ACTION_TOTALS && state->totals ? "rates" : hints[i].does);
        qpw_canvas_zone(c, at, left, col, hints[i].action, hints[i].action == QPW_ACTION_TAB ? QPW_TAB_HELP : hints[i].argument);
        col += 2;
    }
    if (col + 16 < c->cols && !m->past.to_unix_ns)
        qpw_canvas_printf(c, (struct qpw_box){at, c->cols - 16, 16}, QPW_STYLE_DIM, "%6s every %s",
                          state->follow ? "frozen" : "", qpw_words_seconds(state->interval_ms, span, sizeof(span)));
}

/* Paint the active filter, and which of its fields this tab lacks. */
static void paint_filter(struct qpw_canvas *c, int at, const struct qpw_view_state *state)
{
    uint32_t foreign = state->filter.fields & ~qpw_tab_columns(state->tab)->fields & ~(1u << QPW_FIELD_WORD);
    int col = qpw_canvas_text(c, at, 0, c->cols, QPW_STYLE_BOLD, "filter ");

    col = qpw_canvas_text(c, at, col, c->cols - col, QPW_STYLE_NOTE, state->filter_text);
    for (int i = 1; i < QPW_FIELD_COUNT; i++) {
        if (!(foreign & 1u << i))
            continue;
        col = qpw_canvas_printf(c, (struct qpw_box){at, col, c->cols - col}, QPW_STYLE_WARN, " (no %s here)",
                                qpw_field_name((enum qpw_field)i));
        break;
    }
    qpw_canvas_text(c, at, col, c->cols - col, QPW_STYLE_DIM, "   / change  c clear  ? help");
}

/* Paint a message that ends in row `last`; a long one also covers the rows above. */
static void paint_message(struct qpw_canvas *c, int last, const struct qpw_view_state *state)
{
    const char *text = state->message;
    char line[sizeof(state->message)];
    int n = 0;

    for (const char *at = text; *at; at += strspn(at, " "), n++)
        at += qpw_text_line(at, c->cols);
    for (; *text; text += strspn(text, " "), n--) {
        size_t length = qpw_text_line(text, c->cols);

        snprintf(line, sizeof(line), "%.*s", (int)length, text);
        qpw_canvas_field(c, (struct qpw_box){last - n + 1, 0, c->cols, false},
                         state->message_bad ? QPW_STYLE_BAD : QPW_STYLE_BOLD, line);
        text += length;
    }
}

/* Paint the edited text, or as much of its end as fits, with its error beside it, or above if that does not fit. */
static void paint_edit(struct qpw_canvas *c, int at, const struct qpw_view_state *state)
{
    bool filter = state->mode == QPW_MODE_FILTER;
    int col = qpw_canvas_text(c, at, 0, c->cols, QPW_STYLE_BOLD,
                              filter                         ? "filter: "
                              : state->mode == QPW_MODE_MUTE ? "mute, reason: " : "acknowledge, reason: ");
    const char *edit = state->edit;

    while (qpw_text_width(edit) > c->cols - col - 1)
        qpw_utf8_next(&edit);
    col = qpw_canvas_text(c, at, col, c->cols - col, QPW_STYLE_NORMAL, edit);
    qpw_canvas_text(c, at, col, 1, QPW_STYLE_NORMAL | QPW_STYLE_SELECTED, " ");
    col += 2;
    if (!*state->message)
        qpw_canvas_text(c, at, col, c->cols - col, QPW_STYLE_DIM,
                        filter ? "Enter keeps, Esc cancels; port: dir: addr: proc: … (Help lists all)"
                               : "until=7d ends it; Enter, Esc cancels");
    else if (qpw_text_width(state->message) <= c->cols - col)
        qpw_canvas_text(c, at, col, c->cols - col, QPW_STYLE_BAD, state->message);
    else
        paint_message(c, at - 1, state);
}

static void paint_last(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state)
{
    int at = c->rows - 1;

    if (state->mode == QPW_MODE_FILTER || state->mode == QPW_MODE_ACK || state->mode == QPW_MODE_MUTE) {
        paint_edit(c, at, state);
    } else if (state->mode == QPW_MODE_QUIT || *state->message) {
        paint_message(c, at, state);
    } else if (state->filter.n_terms && state->tab != QPW_TAB_HELP) {
        paint_filter(c, at, state);
    } else {
        paint_hints(c, at, m, state);
    }
}

/* Paint a box with the tab's columns over the right of the table. */
static void paint_sort(struct qpw_canvas *c, int first, int height, const struct qpw_view_state *state)
{
    const struct qpw_tab_columns *tab = qpw_tab_columns(state->tab);
    int left = c->cols - 26, top = state->sort_choice >= height - 2 ? state->sort_choice - (height - 3) : 0;

    qpw_canvas_field(c, (struct qpw_box){first, left, 26, false}, QPW_STYLE_TAB_ON, "│ sort by (Enter, Esc)");
    for (int i = 1; i < height; i++) {
        int index = top + i - 1;
        bool on = index == state->sort_choice;
        char text[48] = "│";

        if (index < (int)tab->n)
            snprintf(text, sizeof(text), "│ %s %s", on ? ">" : " ", tab->columns[index].title);
        qpw_canvas_field(c, (struct qpw_box){first + i, left, 26, false},
                         on ? QPW_STYLE_NORMAL | QPW_STYLE_SELECTED : QPW_STYLE_NORMAL, text);
        if (index < (int)tab->n)
            qpw_canvas_zone(c, first + i, left, c->cols, QPW_ACTION_SORT_COLUMN, tab->columns[index].id);
    }
}

void qpw_screen_paint(struct qpw_canvas *c, const struct qpw_model *m, const struct qpw_view_state *state)
{
    int at, height;

    qpw_canvas_clear(c);
    if (TOO_SMALL(c)) {
        qpw_canvas_text(c, 0, 0, c->cols, QPW_STYLE_BOLD, "needs 40x8 or more");
        return;
    }
    at = qpw_header_paint(c, m, state);
    height = qpw_screen_page(c->rows);
    paint_tabs(c, at++, m, state);
    if (state->mode == QPW_MODE_DETAILS) {
        qpw_details_paint(c, m, state, details_row(m, state), at, height + 1);
    } else {
        paint_table(c, at, height, m, state);
    }
    if (state->mode == QPW_MODE_SORT)
        paint_sort(c, at, height + 1, state);
    paint_last(c, m, state);
}

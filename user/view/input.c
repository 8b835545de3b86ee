/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/input.h"

#include <stdio.h>
#include <string.h>

#include "util/names.h"
#include "view/columns.h"
#include "view/past.h"
#include "words/words.h"

static const unsigned intervals_ms[] = {250, 500, 1000, 2000, 5000, 10000, 30000, 60000};
#define N_INTERVALS (sizeof(intervals_ms) / sizeof(*intervals_ms))

#define FARTHEST 10000 /* lines; beyond the end of any details */

static unsigned go_to_tab(struct qpw_view_state *state, int tab)
{
    state->tab = (enum qpw_tab)((tab + QPW_TAB_COUNT) % QPW_TAB_COUNT);
    state->mode = QPW_MODE_LIST;
    state->selected = state->top = 0;
    state->selected_id = 0;
    state->follow = false;
    state->back_tab = QPW_TAB_COUNT;
    state->opened = 0;
    return QPW_DO_BUILD;
}

/* ---- Movement ---- */

static unsigned move(struct qpw_view_state *state, const struct qpw_model *m, int rows)
{
    int at = state->selected + rows, last = (int)m->n_rows - 1;

    if (state->mode == QPW_MODE_DETAILS) {
        state->details_top = state->details_top + rows < 0 ? 0 : state->details_top + rows;
        return QPW_DO_PAINT;
    }
    at = at > last ? last : at;
    state->selected = at < 0 ? 0 : at;
    state->selected_id = m->n_rows ? m->rows[state->selected].id : 0;
    return QPW_DO_PAINT;
}

static unsigned select_row(struct qpw_view_state *state, const struct qpw_model *m, int row)
{
    if (row == state->selected && state->mode == QPW_MODE_LIST && m->n_rows) {
        state->mode = QPW_MODE_DETAILS;
        state->details_top = 0;
    }
    return move(state, m, row - state->selected);
}

/* ---- Filter ---- */

static unsigned set_filter(struct qpw_view_state *state, const char *text)
{
    struct qpw_error err;
    struct qpw_filter filter;

    if (qpw_filter_parse(text, &filter, &err) < 0) {
        qpw_state_set_message(state, /* bad= */ true, err.text);
        return QPW_DO_PAINT;
    }
    state->filter = filter;
    snprintf(state->filter_text, sizeof(state->filter_text), "%s", text);
    *state->message = '\0';
    state->message_bad = false;
    state->selected = state->top = 0;
    state->selected_id = 0;
    return QPW_DO_BUILD;
}

/* Apply a key to the edited line. False: not an editing key. */
static bool edit_key(struct qpw_view_state *state, int key)
{
    size_t length = strlen(state->edit);

    if (key == QPW_KEY_BACKSPACE || key == 127 || key == QPW_CTRL('H')) {
        while (length && (state->edit[--length] & 0xc0) == 0x80)
            ;
        state->edit[length] = '\0';
    } else if (key == QPW_CTRL('U')) {
        *state->edit = '\0';
    /* UTF-8 arrives byte by byte. */
    } else if (key >= ' ' && key != 127 && key < 256 && length + 1 < sizeof(state->edit)) {
        state->edit[length] = (char)key;
        state->edit[length + 1] = '\0';
    } else {
        return false;
    }
    *state->message = '\0';
    state->message_bad = false;
    return true;
}

/* Handle a key while the reason of an acknowledgement or muting is typed. */
static unsigned reason_key(struct qpw_view_state *state, int key)
{
    bool mute = state->mode == QPW_MODE_MUTE;

    if (key == QPW_KEY_ESC || key == QPW_KEY_ENTER || key == '\n' || key == '\r')
        state->mode = QPW_MODE_LIST;
    if (key == QPW_KEY_ESC)
        return QPW_DO_PAINT;
    if (state->mode == QPW_MODE_LIST)
        return QPW_DO_PAINT | (mute ? QPW_DO_MUTE : QPW_DO_ACK);
    return edit_key(state, key) ? QPW_DO_PAINT : 0;
}

static unsigned ask_reason(struct qpw_view_state *state, const struct qpw_model *m, enum qpw_mode mode)
{
    const struct qpw_row *row = m->n_rows ? &m->rows[state->selected] : NULL;
    const struct qpw_finding_row *first;

    if (m->past.to_unix_ns) {
        qpw_state_set_message(state, /* bad= */ true,
                              "this is the history: L shows what is live, which can be acknowledged and muted");
        return QPW_DO_PAINT;
    }
    if (!row || qpw_row_scope(row, &first) == QPW_SCOPE_NOTHING) {
        qpw_state_set_message(state, /* bad= */ true,
                              row && row->kind == QPW_ROW_GROUP
                                  ? "neither one service nor one pair of addresses: Enter opens it"
                                  : "select a finding on the tab Unexpected");
        return QPW_DO_PAINT;
    }
    state->selected_id = row->id;
    state->mode = mode;
    *state->edit = '\0';
    return QPW_DO_PAINT;
}

/* Handle a key while a filter is typed: it applies at once, as far as it can be parsed; Esc restores the old one. */
static unsigned filter_key(struct qpw_view_state *state, int key)
{
    struct qpw_error err;

    if (key == QPW_KEY_ESC) {
        state->mode = QPW_MODE_LIST;
        return set_filter(state, state->filter_text);
    }
    if (key == QPW_KEY_ENTER || key == '\n' || key == '\r') {
        unsigned todo = set_filter(state, state->edit);

        if (todo & QPW_DO_BUILD)
            state->mode = QPW_MODE_LIST;
        return todo;
    }
    if (!edit_key(state, key))
        return 0;
    if (qpw_filter_parse(state->edit, &state->filter, &err) < 0) {
        qpw_state_set_message(state, /* bad= */ true, err.text);
        return QPW_DO_PAINT;
    }
    state->selected = state->top = 0;
    return QPW_DO_BUILD;
}

/* Set a filter that selects the row's subject. */
static unsigned filter_row(struct qpw_view_state *state, const struct qpw_model *m)
{
    const struct qpw_row *row = m->n_rows ? &m->rows[state->selected] : NULL;
    struct qpw_facts facts;
    char text[QPW_FILTER_TEXT] = "";

    if (!row)
        return 0;
    qpw_row_facts(m, row, &facts);
    if (facts.port != QPW_NO_PORT && qpw_protocol_name(facts.protocol) && !facts.non_ip)
        snprintf(text, sizeof(text), "proto:%s port:%u dir:%s", qpw_protocol_name(facts.protocol), facts.port,
                 qpw_direction_name(facts.direction));
    else if (*facts.rule)
        snprintf(text, sizeof(text), "rule:%s", facts.rule);
    else if (*facts.peer)
        snprintf(text, sizeof(text), "peer:%s", facts.peer);
    if (!*text)
        qpw_state_set_message(state, /* bad= */ true, "this row has no port, rule or peer to filter by");
    return *text ? set_filter(state, text) : QPW_DO_PAINT;
}

/* ---- Order ---- */

/* Show the order as a message too, because the column may not be visible on this screen. */
static unsigned show_order(struct qpw_view_state *state)
{
    const struct qpw_sort *sort = &state->sort[state->tab];
    const struct qpw_column *column = qpw_column_find(state->tab, sort->column);
    char text[64];

    if (column) {
        snprintf(text, sizeof(text), "sorted by %s%s", column->title, sort->reverse ? ", reversed" : "");
        qpw_state_set_message(state, /* bad= */ false, text);
    }
    return QPW_DO_BUILD;
}

static unsigned sort_by(struct qpw_view_state *state, int column)
{
    struct qpw_sort *sort = &state->sort[state->tab];

    if (sort->column == column)
        sort->reverse = !sort->reverse;
    else
        *sort = (struct qpw_sort){.column = column};
    state->mode = QPW_MODE_LIST;
    return show_order(state);
}

static int sort_index(const struct qpw_view_state *state)
{
    const struct qpw_tab_columns *tab = qpw_tab_columns(state->tab);

    for (size_t i = 0; i < tab->n; i++)
        if ((int)tab->columns[i].id == state->sort[state->tab].column)
            return (int)i;
    return -1;
}

static unsigned sort_move(struct qpw_view_state *state, int columns)
{
    const struct qpw_tab_columns *tab = qpw_tab_columns(state->tab);
    int at = sort_index(state) + columns;

    at = at < 0 ? (int)tab->n - 1 : at % (int)tab->n;
    state->sort[state->tab] = (struct qpw_sort){.column = tab->columns[at].id};
    return show_order(state);
}

static unsigned sort_key(struct qpw_view_state *state, int key)
{
    const struct qpw_tab_columns *tab = qpw_tab_columns(state->tab);
    const struct qpw_binding *binding = qpw_binding_find(key);

    if (key == QPW_KEY_ENTER || key == '\n' || key == '\r')
        return sort_by(state, tab->columns[state->sort_choice].id);
    if (binding && binding->action == QPW_ACTION_MOVE) {
        state->sort_choice = (state->sort_choice + binding->argument + (int)tab->n) % (int)tab->n;
        return QPW_DO_PAINT;
    }
    if (binding && (binding->action == QPW_ACTION_BACK || binding->action == QPW_ACTION_QUIT))
        state->mode = QPW_MODE_LIST;
    return QPW_DO_PAINT;
}

/* ---- Other actions ---- */

static unsigned change_interval(struct qpw_view_state *state, bool slower)
{
    char text[48], span[16];
    size_t at = 0;

    while (at + 1 < N_INTERVALS && intervals_ms[at] < state->interval_ms)
        at++;
    if (slower && at + 1 < N_INTERVALS)
        at++;
    else if (!slower && at > 0)
        at--;
    state->interval_ms = intervals_ms[at];
    snprintf(text, sizeof(text), "refresh every %s", qpw_words_seconds(state->interval_ms, span, sizeof(span)));
    qpw_state_set_message(state, /* bad= */ false, text);
    return QPW_DO_PAINT;
}

/* Change the span's length; unless a span is shown, this only selects it. */
static unsigned change_span(struct qpw_view_state *state, const struct qpw_model *m, int by)
{
    char text[64], length[40];
    int span = (int)state->span + by;

    state->span = span < 0 ? 0 : span >= QPW_PAST_SPANS ? QPW_PAST_SPANS - 1 : (unsigned)span;
    if (m->past.to_unix_ns)
        return QPW_DO_SPAN;
    snprintf(text, sizeof(text), "< goes back by %s", qpw_words_duration((uint64_t)qpw_past_length(state->span) * 1000000000, length, sizeof(length)));
    qpw_state_set_message(state, /* bad= */ false, text);
    return QPW_DO_PAINT;
}

static unsigned go_back(struct qpw_view_state *state);

static void close_group(struct qpw_view_state *state)
{
    state->opened = 0;
    state->selected = state->top = 0;
    state->selected_id = 0;
}

static unsigned back(struct qpw_view_state *state, const struct qpw_model *m)
{
    if (state->mode == QPW_MODE_DETAILS) {
        state->mode = QPW_MODE_LIST;
        return QPW_DO_PAINT;
    }
    if (state->opened) {
        uint64_t id = state->opened;

        close_group(state);
        state->selected_id = id;
        state->find = true;
        return QPW_DO_BUILD;
    }
    if (state->back_tab != QPW_TAB_COUNT)
        return go_back(state);
    if (state->filter.n_terms)
        return set_filter(state, "");
    return m->past.to_unix_ns ? QPW_DO_LIVE : QPW_DO_PAINT;
}

static unsigned quit(struct qpw_view_state *state, const struct qpw_model *m, const char *question)
{
    if (state->mode == QPW_MODE_DETAILS)
        return back(state, m);
    if (!question)
        return QPW_DO_QUIT;
    state->mode = QPW_MODE_QUIT;
    qpw_state_set_message(state, /* bad= */ true, question);
    return QPW_DO_PAINT;
}

static unsigned toggle(struct qpw_view_state *state, bool *flag, const char *on, const char *off)
{
    *flag = !*flag;
    qpw_state_set_message(state, /* bad= */ false, *flag ? on : off);
    return QPW_DO_BUILD;
}

static unsigned open_details(struct qpw_view_state *state, const struct qpw_model *m)
{
    if (state->mode == QPW_MODE_DETAILS)
        return back(state, m);
    if (!m->n_rows)
        return 0;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are rows */
    state->selected_id = m->rows[state->selected].id;
    state->mode = QPW_MODE_DETAILS;
    state->details_top = 0;
    return QPW_DO_PAINT;
}

/* Write a filter that selects the connections of the row. False: the row has none. */
static bool connections_of(const struct qpw_model *m, const struct qpw_row *row, char *buf, size_t size)
{
    struct qpw_facts f;
    size_t used = 0;

    qpw_row_facts(m, row, &f);
    if (row->kind == QPW_ROW_PEER && *f.peer) {
        snprintf(buf, size, "peer:%s", f.peer);
        return true;
    }
    if (row->kind != QPW_ROW_METER || f.non_ip || f.verdict == QPW_VERDICT_TRANSIT ||
        f.direction >= QPW_DIR_TRANSIT)
        return false;
    if (qpw_protocol_name(f.protocol))
        used = (size_t)snprintf(buf, size, "proto:%s", qpw_protocol_name(f.protocol));
    else
        used = (size_t)snprintf(buf, size, "proto:%u", f.protocol);
    if (f.port != QPW_NO_PORT && qpw_protocol_has_ports(f.protocol) && f.direction != QPW_DIR_UNKNOWN)
        used += (size_t)snprintf(buf + used, size - used, " port:%u", f.port);
    used += (size_t)snprintf(buf + used, size - used, " dir:%s verdict:%s", qpw_direction_name(f.direction),
                             qpw_verdict_name(f.verdict));
    if (*f.peer)
        snprintf(buf + used, size - used, " peer:%s", f.peer);
    return true;
}

/* Handle Enter: open the connections of a port or a peer, the details of any other row. */
static unsigned open_row(struct qpw_view_state *state, const struct qpw_model *m)
{
    const struct qpw_row *row = m->n_rows && state->mode == QPW_MODE_LIST ? &m->rows[state->selected] : NULL;
    char text[QPW_FILTER_TEXT], before[QPW_FILTER_TEXT];
    enum qpw_tab tab = state->tab;
    uint64_t id = row ? row->id : 0;

    if (row && row->kind == QPW_ROW_GROUP) {
        state->opened = id;
        state->selected = state->top = 0;
        state->selected_id = 0;
        qpw_state_set_message(state, /* bad= */ false, "the findings of this row; Esc goes back");
        return QPW_DO_BUILD;
    }
    if (!row || m->past.to_unix_ns || (tab != QPW_TAB_PORTS && tab != QPW_TAB_PEERS))
        return open_details(state, m);
    if (!connections_of(m, row, text, sizeof(text))) {
        qpw_state_set_message(state, /* bad= */ false, "connections of such packets are not kept; d shows details");
        return QPW_DO_PAINT;
    }
    memcpy(before, state->filter_text, sizeof(before));
    go_to_tab(state, QPW_TAB_CONNECTIONS);
    set_filter(state, text);
    state->back_tab = tab;
    state->back_id = id;
    memcpy(state->back_filter, before, sizeof(state->back_filter));
    return QPW_DO_BUILD;
}

static unsigned go_back(struct qpw_view_state *state)
{
    enum qpw_tab tab = state->back_tab;
    uint64_t id = state->back_id;
    char filter[QPW_FILTER_TEXT];

    memcpy(filter, state->back_filter, sizeof(filter));
    go_to_tab(state, (int)tab);
    set_filter(state, filter);
    state->selected_id = id;
    state->find = true;
    return QPW_DO_BUILD;
}

static unsigned next_grouping(struct qpw_view_state *state)
{
    char text[96];

    if (state->tab != QPW_TAB_UNEXPECTED) {
        qpw_state_set_message(state, /* bad= */ true, "only findings (tab Unexpected) are grouped");
        return QPW_DO_PAINT;
    }
    state->grouping = (state->grouping + 1) % QPW_GROUPING_COUNT;
    close_group(state);
    snprintf(text, sizeof(text), "findings %s%s", qpw_grouping_name(state->grouping),
             state->filter.n_terms ? " (without a filter)" : "");
    qpw_state_set_message(state, /* bad= */ false, text);
    return QPW_DO_BUILD;
}

static unsigned open_choice(struct qpw_view_state *state, enum qpw_mode mode)
{
    state->mode = mode;
    if (mode == QPW_MODE_FILTER)
        memcpy(state->edit, state->filter_text, sizeof(state->edit));
    else
        state->sort_choice = sort_index(state) < 0 ? 0 : sort_index(state);
    return QPW_DO_PAINT;
}

unsigned qpw_input_action(struct qpw_view_state *state, const struct qpw_model *m, enum qpw_action action, int argument,
                          int page, const char *quit_question)
{
    switch (action) {
    case QPW_ACTION_NONE: return 0;
    case QPW_ACTION_QUIT: return quit(state, m, quit_question);
    case QPW_ACTION_BACK: return back(state, m);
    case QPW_ACTION_TAB: return go_to_tab(state, argument);
    case QPW_ACTION_TAB_NEXT: return go_to_tab(state, (int)state->tab + 1);
    case QPW_ACTION_TAB_BEFORE: return go_to_tab(state, (int)state->tab - 1);
    case QPW_ACTION_MOVE: return move(state, m, argument);
    case QPW_ACTION_PAGE: return move(state, m, argument * (page > 1 ? page / 2 : 1));
    case QPW_ACTION_FIRST: return move(state, m, -(int)m->n_rows - state->details_top);
    case QPW_ACTION_LAST: return move(state, m, state->mode == QPW_MODE_DETAILS ? FARTHEST : (int)m->n_rows);
    case QPW_ACTION_SELECT: return select_row(state, m, argument);
    case QPW_ACTION_DETAILS: return open_details(state, m);
    case QPW_ACTION_OPEN: return open_row(state, m);
    case QPW_ACTION_FILTER: return open_choice(state, QPW_MODE_FILTER);
    case QPW_ACTION_FILTER_ROW: return filter_row(state, m);
    case QPW_ACTION_FILTER_CLEAR: return set_filter(state, "");
    case QPW_ACTION_SORT: return open_choice(state, QPW_MODE_SORT);
    case QPW_ACTION_SORT_MOVE: return sort_move(state, argument);
    case QPW_ACTION_SORT_COLUMN: return sort_by(state, argument);
    case QPW_ACTION_REVERSE:
        state->sort[state->tab].reverse = !state->sort[state->tab].reverse;
        return QPW_DO_BUILD;
    case QPW_ACTION_PAUSE: return toggle(state, &state->paused, "paused: p resumes", "resumed");
    case QPW_ACTION_PAST: return argument < 0 ? QPW_DO_PAST : QPW_DO_FUTURE;
    case QPW_ACTION_SPAN: return change_span(state, m, argument);
    case QPW_ACTION_LIVE: return QPW_DO_LIVE;
    case QPW_ACTION_FOLLOW: return toggle(state, &state->follow, "frozen on this row", "no longer frozen");
    case QPW_ACTION_TOTALS: return toggle(state, &state->totals, "totals", "rates");
    case QPW_ACTION_NUMBERS: return toggle(state, &state->numbers, "numbers", "service names");
    case QPW_ACTION_UNITS: return toggle(state, &state->bytes, "rates in bytes per second", "rates in bits per second");
    case QPW_ACTION_FASTER: return change_interval(state, /* slower= */ false);
    case QPW_ACTION_SLOWER: return change_interval(state, /* slower= */ true);
    case QPW_ACTION_COPY: return QPW_DO_COPY | QPW_DO_PAINT;
    case QPW_ACTION_MOUSE: return QPW_DO_MOUSE | QPW_DO_PAINT;
    case QPW_ACTION_REDRAW: return QPW_DO_REDRAW | QPW_DO_PAINT;
    case QPW_ACTION_ACK: return ask_reason(state, m, QPW_MODE_ACK);
    case QPW_ACTION_MUTE: return ask_reason(state, m, QPW_MODE_MUTE);
    case QPW_ACTION_GROUP: return next_grouping(state);
    }
    return 0;
}

unsigned qpw_input_key(struct qpw_view_state *state, const struct qpw_model *m, int key, int page,
                       const char *quit_question)
{
    const struct qpw_binding *binding = qpw_binding_find(key);

    if (state->mode == QPW_MODE_FILTER)
        return filter_key(state, key);
    if (state->mode == QPW_MODE_ACK || state->mode == QPW_MODE_MUTE)
        return reason_key(state, key);
    *state->message = '\0';
    state->message_bad = false;
    if (state->mode == QPW_MODE_SORT)
        return sort_key(state, key);
    if (state->mode == QPW_MODE_QUIT) {
        state->mode = QPW_MODE_LIST;
        if ((key == 'k' || key == 'K') && strstr(quit_question, "[k]"))
            return QPW_DO_QUIT | QPW_DO_KEEP;
        return key == 'y' || key == 'Y' || key == 'q' ? QPW_DO_QUIT : QPW_DO_PAINT;
    }
    if (!binding)
        return QPW_DO_PAINT;
    return qpw_input_action(state, m, binding->action, binding->argument, page, quit_question);
}

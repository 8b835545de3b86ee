/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "view/keys.h"

#include <errno.h>
#include <stdio.h>

#include "util/names.h"
#include "view/canvas.h"
#include "words/words.h"

#define F(n) (QPW_KEY_F1 + (n) - 1)

const struct qpw_binding qpw_bindings[] = {
    {{'?', 'h', F(1)}, QPW_ACTION_TAB, QPW_TAB_HELP, "? h F1", "this help"},
    {{'\t', QPW_KEY_RIGHT, 'l'}, QPW_ACTION_TAB_NEXT, 0, "Tab l, right", "next tab"},
    {{QPW_KEY_BACKTAB, QPW_KEY_LEFT}, QPW_ACTION_TAB_BEFORE, 0, "Shift-Tab, left", "previous tab"},
    {{'1'}, QPW_ACTION_TAB, QPW_TAB_UNEXPECTED, "1 to 9", "a tab by its number"},
    {{'2'}, QPW_ACTION_TAB, QPW_TAB_PORTS, NULL, NULL},
    {{'3'}, QPW_ACTION_TAB, QPW_TAB_PEERS, NULL, NULL},
    {{'4'}, QPW_ACTION_TAB, QPW_TAB_POLICY, NULL, NULL},
    {{'5'}, QPW_ACTION_TAB, QPW_TAB_COVERAGE, NULL, NULL},
    {{'6'}, QPW_ACTION_TAB, QPW_TAB_CONNECTIONS, NULL, NULL},
    {{'7'}, QPW_ACTION_TAB, QPW_TAB_LISTENERS, NULL, NULL},
    {{'8'}, QPW_ACTION_TAB, QPW_TAB_CLUSTER, NULL, NULL},
    {{'9'}, QPW_ACTION_TAB, QPW_TAB_HELP, NULL, NULL},
    {{'j', QPW_KEY_DOWN, QPW_CTRL('N')}, QPW_ACTION_MOVE, 1, "j k, arrows", "down, up"},
    {{'k', QPW_KEY_UP, QPW_CTRL('P')}, QPW_ACTION_MOVE, -1, NULL, NULL},
    {{QPW_KEY_PAGE_DOWN, QPW_CTRL('F')}, QPW_ACTION_PAGE, 2, "PgDn PgUp ^F ^B", "a page down, up"},
    {{QPW_KEY_PAGE_UP, QPW_CTRL('B')}, QPW_ACTION_PAGE, -2, NULL, NULL},
    {{QPW_CTRL('D')}, QPW_ACTION_PAGE, 1, "^D ^U", "half a page down, up"},
    {{QPW_CTRL('U')}, QPW_ACTION_PAGE, -1, NULL, NULL},
    {{QPW_KEY_HOME, '^'}, QPW_ACTION_FIRST, 0, "Home End, ^ G", "first, last row"},
    {{'G', QPW_KEY_END}, QPW_ACTION_LAST, 0, NULL, NULL},
    {{QPW_KEY_ENTER, '\n', '\r'}, QPW_ACTION_OPEN, 0, "Enter", "details of the row, and back; on Ports and Peers its "
                                                               "connections"},
    {{'d'}, QPW_ACTION_DETAILS, 0, "d", "details of the row, on Ports and Peers, too"},
    {{'g'}, QPW_ACTION_GROUP, 0, "g", "group the findings by cause, by remote host, by process, or not; Enter opens a group"},
    {{'y'}, QPW_ACTION_COPY, 0, "y", "copy the policy line that would allow the row"},
    {{'f', 'F'}, QPW_ACTION_FOLLOW, 0, "f", "freeze: the selection follows its row when rows move"},
    {{'/', '\\', F(4), F(3)}, QPW_ACTION_FILTER, 0, "/ \\ F4", "type a filter; Enter keeps it, Esc cancels"},
    {{'='}, QPW_ACTION_FILTER_ROW, 0, "=", "only rows of the same port, rule or peer"},
    {{'c', QPW_KEY_DELETE}, QPW_ACTION_FILTER_CLEAR, 0, "c Del", "clear the filter"},
    {{'s', F(6)}, QPW_ACTION_SORT, 0, "s F6", "choose the column to sort by"},
    {{'.'}, QPW_ACTION_SORT_MOVE, 1, ", .", "sort by the column to the left, right"},
    {{','}, QPW_ACTION_SORT_MOVE, -1, NULL, NULL},
    {{'I', 'r'}, QPW_ACTION_REVERSE, 0, "I r", "reverse the order"},
    {{'p', ' ', 'Z'}, QPW_ACTION_PAUSE, 0, "p Space", "pause the screen; counting continues"},
    {{'<'}, QPW_ACTION_PAST, -1, "< >", "back, forward in the history; past its end it is live again"},
    {{'>'}, QPW_ACTION_PAST, 1, NULL, NULL},
    {{')'}, QPW_ACTION_SPAN, 1, "( )", "a shorter, longer span of it: 5 minutes, an hour, a day, a week"},
    {{'('}, QPW_ACTION_SPAN, -1, NULL, NULL},
    {{'L'}, QPW_ACTION_LIVE, 0, "L", "leave the history: what is live"},
    {{'t'}, QPW_ACTION_TOTALS, 0, "t", "totals or rates, where there is no room for both"},
    {{'n'}, QPW_ACTION_NUMBERS, 0, "n", "service names or numbers"},
    {{'u', 'b'}, QPW_ACTION_UNITS, 0, "u", "rates in bits or bytes per second"},
    {{'+'}, QPW_ACTION_SLOWER, 0, "+ -", "refresh slower, faster"},
    {{'-'}, QPW_ACTION_FASTER, 0, NULL, NULL},
    {{'a'}, QPW_ACTION_ACK, 0, "a", "acknowledge the finding: out of the headline until it gets worse; asks for a reason"},
    {{'m'}, QPW_ACTION_MUTE, 0, "m", "mute the finding by a line of the policy; asks for a reason and until=TIME"},
    {{'M'}, QPW_ACTION_MOUSE, 0, "M", "mouse on or off (off: the terminal selects text)"},
    {{QPW_CTRL('L')}, QPW_ACTION_REDRAW, 0, "^L", "redraw"},
    {{QPW_KEY_ESC}, QPW_ACTION_BACK, 0, "Esc", "close what is open, go back to Ports or Peers, clear the filter, then leave the history"},
    {{'q', F(10)}, QPW_ACTION_QUIT, 0, "q F10", "quit (in the details: back)"},
};

const size_t qpw_n_bindings = sizeof(qpw_bindings) / sizeof(*qpw_bindings);

const struct qpw_binding *qpw_binding_find(int key)
{
    for (size_t i = 0; i < qpw_n_bindings; i++)
        for (size_t k = 0; k < 4 && qpw_bindings[i].keys[k]; k++)
            if (qpw_bindings[i].keys[k] == key)
                return &qpw_bindings[i];
    return NULL;
}

/* ---- The Help tab ---- */

static const struct {
    const char *word, *meaning;
} words[] = {
    {"answered", "a service of the node, or the remote one, replied: look at these first"},
    {"DIR", "inbound, outbound, unknown, transit, undecodable; - is not IP"},
    {"LAST >5m", "no traffic since this view started 5 minutes ago; earlier times are not known"},
};

static int add_filter_help(struct qpw_model *m)
{
    char name[48];

    for (int i = 1; i < QPW_FIELD_COUNT; i++) {
        snprintf(name, sizeof(name), "%s:", qpw_field_name((enum qpw_field)i));
        if (qpw_model_add_line(m, "filter", QPW_STYLE_NORMAL, name, "", qpw_field_help((enum qpw_field)i)) < 0)
            return -ENOMEM;
    }
    if (qpw_model_add_line(m, "filter", QPW_STYLE_NORMAL, "word", "", "anywhere in the row; quotes keep blanks together") < 0)
        return -ENOMEM;
    return qpw_model_add_line(m, "filter", QPW_STYLE_NORMAL, "-term, !term", "", "not; port:80,443 either; port:1-1023 range");
}

int qpw_model_help(struct qpw_model *m)
{
    for (size_t i = 0; i < qpw_n_bindings; i++)
        if (qpw_bindings[i].shown &&
            qpw_model_add_line(m, "key", QPW_STYLE_NORMAL, qpw_bindings[i].shown, "", qpw_bindings[i].does) < 0)
            return -ENOMEM;
    if (qpw_model_add_line(m, "key", QPW_STYLE_NORMAL, "mouse", "", "click a tab, a row (again: details), a title (sort); wheel") < 0 ||
        add_filter_help(m) < 0)
        return -ENOMEM;
    for (unsigned verdict = QPW_VERDICT_COUNT - 1; verdict > QPW_VERDICT_NONE; verdict--)
        if (qpw_model_add_line(m, "word", QPW_STYLE_NORMAL, qpw_verdict_name(verdict), "", qpw_words_verdict(verdict)) < 0)
            return -ENOMEM;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (qpw_model_add_line(m, "word", QPW_STYLE_NORMAL, words[i].word, "", words[i].meaning) < 0)
            return -ENOMEM;
    return 0;
}

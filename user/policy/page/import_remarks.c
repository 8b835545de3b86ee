/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_remarks.c - further statements of a row: denied, optional, or restricted to some hosts. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "policy/page/import_reading.h"
#include "policy/page/lead.h"

/* ---- Yes and no ---- */

/* GONE: must not exist, whereas NO may only mean that it is not needed. */
enum answer { ANSWER_NONE, ANSWER_YES, ANSWER_NO, ANSWER_GONE, ANSWER_OPTIONAL, ANSWER_OTHER };

/* Parse a yes/no cell; ignore brackets around the whole text, as for an image's alternative text. */
static enum answer answer_of(const char *cell)
{
    static const struct {
        const char *word;
        enum answer answer;
    } known[] = {{"", ANSWER_NONE},           {"-", ANSWER_NONE},          {"n/a", ANSWER_NONE},
                 {"yes", ANSWER_YES},         {"y", ANSWER_YES},           {"true", ANSWER_YES},
                 {"x", ANSWER_YES},           {"\xe2\x9c\x93", ANSWER_YES}, {"\xe2\x9c\x94", ANSWER_YES},
                 {"\xe2\x9c\x85", ANSWER_YES}, {"\xe2\x98\x91", ANSWER_YES}, {"required", ANSWER_YES},
                 {"mandatory", ANSWER_YES},   {"always", ANSWER_YES},      {"allow", ANSWER_YES},
                 {"allowed", ANSWER_YES},     {"permit", ANSWER_YES},      {"permitted", ANSWER_YES},
                 {"accept", ANSWER_YES},      {"open", ANSWER_YES},        {"opened", ANSWER_YES},
                 {"enabled", ANSWER_YES},     {"enable", ANSWER_YES},      {"on", ANSWER_YES},
                 {"active", ANSWER_YES},      {"used", ANSWER_YES},        {"in use", ANSWER_YES},
                 {"listen", ANSWER_YES},      {"listening", ANSWER_YES},   {"current", ANSWER_YES},
                 {"supported", ANSWER_YES},   {"no", ANSWER_NO},           {"n", ANSWER_NO},
                 {"false", ANSWER_NO},        {"\xe2\x9d\x8c", ANSWER_NO},  {"\xe2\x9c\x97", ANSWER_NO},
                 {"\xe2\x9c\x98", ANSWER_NO},  {"\xe2\x9c\x96", ANSWER_NO},  {"deny", ANSWER_GONE},
                 {"denied", ANSWER_GONE},       {"block", ANSWER_GONE},        {"blocked", ANSWER_GONE},
                 {"drop", ANSWER_GONE},         {"reject", ANSWER_GONE},       {"rejected", ANSWER_GONE},
                 {"close", ANSWER_NO},        {"closed", ANSWER_NO},       {"disabled", ANSWER_NO},
                 {"off", ANSWER_NO},          {"deprecated", ANSWER_GONE},   {"obsolete", ANSWER_GONE},
                 {"removed", ANSWER_GONE},      {"unused", ANSWER_GONE},       {"inactive", ANSWER_NO},
                 {"retired", ANSWER_GONE},      {"reserved", ANSWER_GONE},     {"never", ANSWER_GONE},
                 {"no longer", ANSWER_GONE},    {"not used", ANSWER_GONE},     {"not allowed", ANSWER_GONE},
                 {"optional", ANSWER_OPTIONAL}, {"if enabled", ANSWER_OPTIONAL}, {"if needed", ANSWER_OPTIONAL},
                 {"if required", ANSWER_OPTIONAL}, {"on demand", ANSWER_OPTIONAL}, {"conditional", ANSWER_OPTIONAL},
                 {"when enabled", ANSWER_OPTIONAL}, {"if used", ANSWER_OPTIONAL}, {"when used", ANSWER_OPTIONAL},
                 {"if configured", ANSWER_OPTIONAL}, {"when configured", ANSWER_OPTIONAL}, {"as needed", ANSWER_OPTIONAL},
                 {"if applicable", ANSWER_OPTIONAL}, {"only if enabled", ANSWER_OPTIONAL}, {"recommended", ANSWER_OPTIONAL}};
    char text[QPW_ITEM_SIZE];
    size_t length;

    qpw_import_plain(cell, text, sizeof(text));
    length = strlen(text);
    if (length > 2 && *text == '(' && text[length - 1] == ')') {
        memmove(text, text + 1, length - 2);
        text[length - 2] = '\0';
    }
    if (strlen(text) > 3 && !strncmp(text + strlen(text) - 3, "\xef\xb8\x8f", 3)) /* U+FE0F (emoji style) */
        text[strlen(text) - 3] = '\0';
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (!strcmp(text, known[i].word))
            return known[i].answer;
    return ANSWER_OTHER;
}

/* ---- Denials ---- */

/* "No" in a column of required or optional ports leaves the port allowed; "removed" does not. */
static int check_need(struct qpw_reading *r, enum qpw_page_column column)
{
    const char *cell = qpw_reading_cell_of(r, column);
    enum answer answer = cell ? answer_of(cell) : ANSWER_NONE;

    if (answer == ANSWER_GONE || (answer == ANSWER_OTHER && (qpw_has_words(cell, "never") || qpw_has_words(cell, "no longer") ||
                                                             qpw_takes_back(cell))))
        return qpw_reading_leave(r, cell, " by the page", NULL);
    if (answer == ANSWER_OTHER)
        return qpw_reading_fail(r, qpw_reading_name_of(r, column), "neither yes nor no: '%.60s'", cell);
    return 0;
}

static int check_answers(struct qpw_reading *r)
{
    const char *action = qpw_reading_cell_of(r, QPW_COLUMN_ACTION), *denial = qpw_reading_cell_of(r, QPW_COLUMN_DENIAL);
    enum answer answer = denial ? answer_of(denial) : ANSWER_NO;

    if (answer == ANSWER_YES || answer == ANSWER_GONE)
        return qpw_reading_leave(r, qpw_reading_name_of(r, QPW_COLUMN_DENIAL), " by the page", NULL);
    if (answer != ANSWER_NO && answer != ANSWER_NONE)
        return qpw_reading_fail(r, qpw_reading_name_of(r, QPW_COLUMN_DENIAL), "neither yes nor no: '%.60s'", denial);
    answer = action ? answer_of(action) : ANSWER_YES;
    if (answer == ANSWER_NO || answer == ANSWER_GONE)
        return qpw_reading_leave(r, action, " by the page", NULL);
    if (answer != ANSWER_YES && answer != ANSWER_OPTIONAL)
        return qpw_reading_fail(r, qpw_reading_name_of(r, QPW_COLUMN_ACTION), "neither allow nor deny: '%.60s'", action);
    if (check_need(r, QPW_COLUMN_OPTIONAL) < 0 || check_need(r, QPW_COLUMN_REQUIRED) < 0)
        return -EINVAL;
    return 0;
}

int qpw_reading_check_said(struct qpw_reading *r)
{
    if (check_answers(r) < 0)
        return -EINVAL;
    for (size_t i = 0; i < r->part->n_cells; i++)
        if (qpw_reading_is_prose(r->table->titles[i].column) && qpw_takes_back(r->part->cells[i].text) &&
            !qpw_is_conditional(r->part->cells[i].text))
            return qpw_reading_fail(r, r->table->names[i], "may take the port back: '%.100s'", r->part->cells[i].text);
    return 0;
}

/* ---- Conditions ---- */

bool qpw_reading_is_optional(const struct qpw_reading *r)
{
    const char *optional = qpw_reading_cell_of(r, QPW_COLUMN_OPTIONAL), *required = qpw_reading_cell_of(r, QPW_COLUMN_REQUIRED),
               *action = qpw_reading_cell_of(r, QPW_COLUMN_ACTION);
    enum answer answer = optional ? answer_of(optional) : ANSWER_NO;

    if (r->optional || (answer != ANSWER_NO && answer != ANSWER_NONE && strcasecmp(optional, "required") &&
                        strcasecmp(optional, "mandatory")))
        return true;
    if ((required && answer_of(required) != ANSWER_YES && answer_of(required) != ANSWER_NONE) ||
        (action && answer_of(action) == ANSWER_OPTIONAL))
        return true;
    for (size_t i = 0; i < r->part->n_cells; i++)
        if (qpw_reading_is_prose(r->table->titles[i].column) &&
            (qpw_is_conditional(r->part->cells[i].text) || strcasestr(r->part->cells[i].text, "optional")))
            return true;
    return false;
}

/* ---- Restrictions of who is at the other end ---- */

int qpw_reading_restricted_set(const struct qpw_reading *r, uint8_t direction, int set)
{
    unsigned family = r->table->family;

    if (*r->table->other_end && r->table->other_end_of & 1u << direction) {
        if (set >= 0)
            qpw_import_warn(r->im, r->part->line, "'%.80s': the text above says '%.80s' of the other end; fill in its set accordingly",
                            r->row->purpose, r->table->other_end);
        else
            set = qpw_import_set_of(r->im, r->part->line, r->table->other_end, "", r->row->purpose);
    }
    for (size_t i = 0; i < r->part->n_cells; i++) {
        const char *text = r->part->cells[i].text;
        struct qpw_lead lead;

        if (!qpw_reading_is_prose(r->table->titles[i].column))
            continue;
        if (qpw_restricts_ends(text)) {
            qpw_import_warn(r->im, r->part->line, "'%.80s': '%.100s' may restrict who is at the other end%s", r->row->purpose,
                            text, set < 0 ? ": a set to be filled in" : "; fill in its set accordingly");
            if (set >= 0)
                return set;
            return qpw_import_set_of(r->im, r->part->line, "", direction == QPW_DIR_INBOUND ? "source" : "destination",
                                     r->row->purpose);
        }
        qpw_lead_of(text, &lead);
        if (lead.end_is_address && lead.end_of == direction) { /* "SSH from 10.0.0.0/8" */
            qpw_import_warn(r->im, r->part->line, "'%.80s': '%.100s' restricts who is at the other end%s", r->row->purpose, text,
                            set < 0 ? ": its addresses are a set" : "; fill in its set accordingly");
            return set < 0 ? qpw_import_set_of(r->im, r->part->line, lead.end, "", r->row->purpose) : set;
        }
        family = family ? family : qpw_family_of(text, /* heading= */ false);
        if (qpw_has_words(text, "only") && !qpw_is_conditional(text) && !qpw_family_of(text, /* heading= */ false) &&
            !qpw_has_words(text, "read only") && !qpw_has_words(text, "read-only") &&
            !qpw_has_words(text, "write-only"))
            qpw_import_warn(r->im, r->part->line, "'%.80s': '%.100s' may restrict the row; if it does, add that by hand",
                            r->row->purpose, text);
    }
    if (family && set >= 0)
        qpw_import_warn(r->im, r->part->line, "'%.80s' is about IPv%u only; fill in its set accordingly", r->row->purpose,
                        family);
    return family && set < 0 ? qpw_import_family_set(r->im, r->part->line, family) : set;
}

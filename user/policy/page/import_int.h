/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_int.h - what the parts of the importer share; everybody else includes import.h. */
#ifndef QPW_POLICY_IMPORT_INT_H
#define QPW_POLICY_IMPORT_INT_H

#include "policy/page/cells.h"
#include "policy/page/import.h"
#include "policy/page/page.h"

#define QPW_MAX_IMPORT_ROWS 4096u

/* A heading or a tab, in the tree that they make. */
struct qpw_section {
    const char *text;
    unsigned line;
    unsigned level;
    int parent;           /* -1: none */
    bool tab;
    bool fold;            /* a tab in form only: what people open by a click */
    bool condition;       /* a tab in form only: there for some readers */
    bool label;           /* a caption, or the line before a table */
    bool has_ports;       /* a table of ports is somewhere in it */
    bool alternative;     /* nothing of it is taken unless it is chosen */
    bool own_alternative; /* the same of the tables straight under it */
    bool weak;            /* an alternative by its name alone */
    bool named;
    bool chosen;
};

struct qpw_said {
    const char *text; /* NULL: nothing */
    unsigned line;
};

/* What stands around a table. */
struct qpw_around {
    struct qpw_said caption; /* the table's own */
    struct qpw_said before;  /* the paragraph straight before */
    struct qpw_said brief;   /* the last one since the heading that has few words and a direction */
    const char *stale;       /* the same, with a table and other text behind it: it may hold no longer */
    const char *denial;      /* a paragraph since the heading that takes ports back */
};

/* A table of ports. */
struct qpw_import_table {
    unsigned line;              /* of its titles */
    int section;                /* -1: none */
    size_t first, end;          /* its rows, as parts of the page; titles are before */
    struct qpw_title titles[QPW_MAX_COLUMNS];
    const char *names[QPW_MAX_COLUMNS];
    size_t n_columns;
    struct qpw_around around;
    unsigned directions;        /* by caption, paragraph or heading, as bits; 0: not said */
    const char *direction_text; /* what said so */
    unsigned direction_line;
    bool direction_heading;     /* it is a heading */
    char other_end[128];        /* who is at the other end, by the text around it; empty: not said */
    unsigned other_end_of;      /* the directions that have this other end, as bits */
    unsigned family;            /* 4 or 6: what is around it is about these addresses only */
    bool client_server;         /* the ends are the titles of two columns of ports */
    bool own_interfaces;        /* the node's side names its interfaces only: no role to be chosen */
    bool needs_node;
    bool selected;
};

enum qpw_row_state { QPW_ROW_TAKEN = 0, QPW_ROW_OTHERS, QPW_ROW_FAILED };

/* One row of such a table. */
struct qpw_import_row {
    unsigned line;
    size_t table;
    enum qpw_row_state state;
    char *purpose;
    char *text;   /* state OTHERS: whose it is; FAILED: why */
    struct qpw_row_ports *groups; /* its ports, without who may use them; NULL: not known */
    size_t n_groups;
    unsigned directions;
};

/* What one row becomes; several where it goes both ways or has several protocols. */
struct qpw_import_rule {
    size_t row;
    uint8_t direction;
    struct qpw_row_ports ports;
    int set; /* of the other end; -1: anybody */
    bool is_default;
    bool optional;
    bool weak;
    bool passive; /* the passive mode of FTP, for which another rule vouches */
};

/* Addresses that the page only names. */
struct qpw_import_set {
    char name[48];
    char *text;      /* as the page says it */
    char *addresses; /* NULL: to be filled in */
    unsigned line;   /* first use */
};

struct qpw_importer {
    const char *name; /* in messages */
    const char *base; /* in ref= */
    const char *source;
    size_t length;
    const struct qpw_import_options *options;
    const char *platform;
    size_t left_rows; /* rows that a condition of the page excludes */
    bool own; /* the page that the built-in policies come from */
    struct qpw_page page;
    struct qpw_section *sections;
    size_t n_sections;
    struct qpw_import_table *tables;
    size_t n_tables;
    struct qpw_import_row *rows;
    size_t n_rows;
    struct qpw_import_rule *rules;
    size_t n_rules;
    struct qpw_import_set *sets;
    size_t n_sets;
    bool nodes_used[QPW_MAX_CHOICES];
    struct qpw_imported out;
    struct qpw_error *err;
    bool no_memory;
    unsigned peer_ports_line; /* lines of what the page says about traffic between nodes, 0: nothing */
    unsigned family_line[2];  /* IPv4, IPv6 */
};

/* Append a message "NAME:LINE: what". */
void qpw_import_error(struct qpw_importer *im, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void qpw_import_warn(struct qpw_importer *im, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- import_tables.c: sections, and tables of ports with their columns and direction ---- */

void qpw_import_structure(struct qpw_importer *im);

/* ---- import_leads.c: what the text around a table says of it ---- */

/* A paragraph is about the table behind it if it has no more words than this; it gives a direction with fewer. */
#define QPW_LABEL_WORDS 10
#define QPW_DIRECTION_WORDS 6

/* The table's direction, family and other end by the text around it. */
void qpw_import_read_leads(const struct qpw_importer *im, struct qpw_import_table *table);
/* What this text may restrict besides, as errors and warnings. */
void qpw_import_check_leads(struct qpw_importer *im, const struct qpw_import_table *table);
/* The same of a row over all columns, within the table or above its titles. True: nothing of it is left to be understood. */
bool qpw_import_take_row_lead(struct qpw_import_table *table, const char *text);
/* Whether a paragraph gives a direction, and not only points to where another one is. */
bool qpw_import_gives_direction(const char *text);

/* ---- import_columns.c: titles of columns ---- */

/* The column of that kind, or -1. */
int qpw_import_column(const struct qpw_import_table *table, enum qpw_column column);
/* Whether its ports are in one column, or begin and end in two. */
bool qpw_import_has_ports(const struct qpw_import_table *table);
/* The table's titles, from its part `first` on, which is moved to the row of titles. *caption: also what rows above them
 * say. False: none are of ports. */
bool qpw_import_find_titles(const struct qpw_importer *im, struct qpw_import_table *table, const char **caption);
/* The columns of a table whose row of titles is nothing but a direction: by what is in them. False: it is not clear. */
bool qpw_import_columns_by_content(const struct qpw_importer *im, struct qpw_import_table *table, size_t columns);
/* Columns with a mark where the row is for what the title names, where there are several: a node or a version each. */
void qpw_import_find_marks(const struct qpw_importer *im, struct qpw_import_table *table);
bool qpw_import_has_mark(const char *cell);
/* "Inbound:" in one cell, and nothing in the others. */
bool qpw_import_is_direction_title(const struct qpw_part *row, const char **ret_text);

/* ---- import_words.c ---- */

#define QPW_ITEM_SIZE 256

/* The next item of the list in a cell: `at` is moved behind it; false at the list's end. */
bool qpw_import_next_item(const char **at, const char *cell, char *ret, size_t size);
/* Whether the word is the cell or an item of a list in it. Unclear: other words of the cell may restrict it or take it
 * back, as in "All but Vault nodes". */
enum qpw_match { QPW_MATCH_NOT, QPW_MATCH, QPW_MATCH_UNCLEAR };
enum qpw_match qpw_import_match(const char *cell, const char *word);
/* Equal except for case, white space and a plural's s. */
bool qpw_import_same_words(const char *a, const char *b);
/* Lower case, single blanks, no "(s)", no quotes, no marks at the end. */
void qpw_import_plain(const char *text, char *ret, size_t size);
/* Letters and digits in lower case, with '-' for what is between: as part of a name. */
void qpw_import_slug(const char *text, char *ret, size_t size);

/* ---- import_nodes.c: which end is the node ---- */

/* Which tables need --node, the words they offer, and whether all those given are on the page. */
void qpw_import_check_nodes(struct qpw_importer *im);
/* Whether the cell, or an item of a list in it, is one of --node. */
enum qpw_match qpw_import_is_node(struct qpw_importer *im, const char *cell);

/* ---- import_sets.c: sets of the other end ---- */

/* The set for what the page calls the other end; -1: anybody. `use` names it where the page does not. */
int qpw_import_set_of(struct qpw_importer *im, unsigned line, const char *cell, const char *column, const char *use);
/* The set of all addresses of a family, 4 or 6. */
int qpw_import_family_set(struct qpw_importer *im, unsigned line, unsigned family);

/* ---- import_rows.c ---- */

void qpw_import_read_rows(struct qpw_importer *im);

/* ---- import_alternatives.c ---- */

/* Marks the sections that are alternatives to others. */
void qpw_import_mark_alternatives(struct qpw_importer *im);
bool qpw_import_is_within(const struct qpw_importer *im, int section, int outer);
/* One of several tabs: not what people only open by a click. */
bool qpw_import_is_tab(const struct qpw_section *section);
/* The heading or tab that a table stands under; a label of its own does not part it from its neighbours. -1: none. */
int qpw_import_outer_section(const struct qpw_importer *im, const struct qpw_import_table *table);

/* ---- import_sections.c: the choice ---- */

void qpw_import_choose(struct qpw_importer *im);

/* ---- import_account.c ---- */

/* Adds up the rows, and names what was left aside. */
void qpw_import_account(struct qpw_importer *im);

/* ---- conditions.c ---- */

/* -EINVAL with im->err where a template of Markdown or HTML has conditions that are not understood. */
int qpw_import_check_conditions(struct qpw_importer *im);

/* ---- dialect.c ---- */

/* Reads the page in its dialect, by the name's end or the text. 0, or negative errno with err. */
int qpw_import_read_page(struct qpw_importer *im);
/* Why there is no table of ports on the page, as an error; what else could be done. */
void qpw_import_refuse(struct qpw_importer *im);
/* What the page includes from elsewhere, as warnings. True: something. */
bool qpw_import_elsewhere(struct qpw_importer *im, bool as_errors);

/* ---- import_write.c ---- */

/* The rules as a policy's text into im->out.policy. 0 or -ENOMEM. */
int qpw_import_write(struct qpw_importer *im);

#endif

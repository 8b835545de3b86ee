/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* import_int.h - internals shared by the importer's files; others include import.h. */
#ifndef QPW_POLICY_IMPORT_INT_H
#define QPW_POLICY_IMPORT_INT_H

#include "policy/page/cells.h"
#include "policy/page/import.h"
#include "policy/page/page.h"

#define QPW_MAX_IMPORT_ROWS 4096u

/* A heading or tab, in the tree of sections. */
struct qpw_page_section {
    const char *text;
    unsigned line;
    unsigned level;
    int parent;           /* -1: none */
    bool tab;
    bool fold;            /* a tab in form only: opened by a click */
    bool condition;       /* a tab in form only: shown to some readers */
    bool label;           /* a caption, or the line before a table */
    bool has_ports;       /* contains a table of ports */
    bool alternative;     /* nothing in it is used unless it is chosen */
    bool own_alternative; /* the same for the tables directly in it */
    bool weak;            /* an alternative because of its name alone */
    bool named;
    bool chosen;
};

struct qpw_statement_near {
    const char *text; /* NULL: nothing */
    unsigned line;
};

/* The text around a table. */
struct qpw_around {
    struct qpw_statement_near caption; /* the table's own */
    struct qpw_statement_near before; /* the paragraph directly before */
    struct qpw_statement_near brief; /* the last short one since the heading that gives a direction */
    const char *stale;       /* the same, but another table and other text followed: it may no longer apply */
    const char *denial;      /* a paragraph since the heading that withdraws ports */
};

/* A table of ports. */
struct qpw_import_table {
    unsigned line;              /* of its titles */
    int section;                /* -1: none */
    size_t first, end;          /* its rows, as parts of the page, after the titles */
    struct qpw_title titles[QPW_MAX_COLUMNS];
    const char *names[QPW_MAX_COLUMNS];
    size_t n_columns;
    struct qpw_around around;
    unsigned directions;        /* from caption, paragraph or heading, as bits; 0: not given */
    const char *direction_text; /* the text that gives them */
    unsigned direction_line;
    bool direction_heading;     /* that text is a heading */
    char other_end[128];        /* the other end, from the text around; empty: not given */
    unsigned other_end_of;      /* the directions to which other_end applies, as bits */
    unsigned family;            /* 4 or 6: the text around restricts it to this address family */
    bool client_server;         /* the titles of two columns of ports name the ends */
    bool own_interfaces;        /* the node's side names only its interfaces: no node has to be chosen */
    bool needs_node;
    bool selected;
};

enum qpw_row_state { QPW_ROW_TAKEN = 0, QPW_ROW_OTHERS, QPW_ROW_FAILED };

/* One row of a table of ports. */
struct qpw_import_row {
    unsigned line;
    size_t table;
    enum qpw_row_state state;
    char *purpose;
    char *text;   /* state OTHERS: for whom it is; FAILED: the reason */
    struct qpw_row_ports *groups; /* its ports, without their users; NULL: unknown */
    size_t n_groups;
    unsigned directions;
};

/* One rule from a row; a row for both directions or for several protocols gives several. */
struct qpw_import_rule {
    size_t row;
    uint8_t direction;
    struct qpw_row_ports ports;
    int set; /* of the other end; -1: anybody */
    bool is_default;
    bool optional;
    bool weak;
    bool passive; /* FTP's passive mode, for which another rule vouches */
};

/* A set of addresses that the page only names. */
struct qpw_import_set {
    char name[48];
    char *text;      /* as on the page */
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
    size_t left_rows; /* rows excluded by a condition of the page */
    bool own; /* the page that the built-in policies come from */
    struct qpw_page page;
    struct qpw_page_section *sections;
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
    unsigned peer_ports_line; /* line of the page's text about traffic between nodes, 0: none */
    unsigned family_line[2];  /* IPv4, IPv6 */
};

/* Append a message "NAME:LINE: message". */
void qpw_import_error(struct qpw_importer *im, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void qpw_import_warn(struct qpw_importer *im, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- import_tables.c: sections, and tables of ports with their columns and direction ---- */

void qpw_import_structure(struct qpw_importer *im);

/* ---- import_leads.c: the text around a table ---- */

/*
 * A paragraph with at most this many words belongs to the table after it; with at most the second number it can give a
 * direction.
 */
#define QPW_LABEL_WORDS 10
#define QPW_DIRECTION_WORDS 6

/* Set the table's direction, family and other end from the text around it. */
void qpw_import_read_leads(const struct qpw_importer *im, struct qpw_import_table *table);
/* Report what this text may restrict, as errors and warnings. */
void qpw_import_check_leads(struct qpw_importer *im, const struct qpw_import_table *table);
/*
 * Take the other end from a row across all columns, within the table or above its titles. True: the text is understood
 * completely.
 */
bool qpw_import_take_row_lead(struct qpw_import_table *table, const char *text);
/* Return whether a paragraph gives a direction, rather than pointing to another place. */
bool qpw_import_gives_direction(const char *text);

/* ---- import_columns.c: titles of columns ---- */

/* Return the column of that kind, or -1. */
int qpw_import_column(const struct qpw_import_table *table, enum qpw_page_column column);
/* Return whether the table has ports, in one column or as first and last in two. */
bool qpw_import_has_ports(const struct qpw_import_table *table);
/*
 * Find the table's titles, starting at part `first`, which is moved to them. *caption: also text from rows above them.
 * False: no titles of ports.
 */
bool qpw_import_find_titles(const struct qpw_importer *im, struct qpw_import_table *table, const char **caption);
/* Find the columns by content, for a table whose only title is a direction. False: ambiguous. */
bool qpw_import_columns_by_content(const struct qpw_importer *im, struct qpw_import_table *table, size_t columns);
/* Find columns of marks, one per node or version in the title; they count only if there are several. */
void qpw_import_find_marks(const struct qpw_importer *im, struct qpw_import_table *table);
bool qpw_import_has_mark(const char *cell);
/*
 * Return whether one cell is a direction ("Inbound:") and all others are empty; the columns are then found by content.
 */
bool qpw_import_is_direction_title(const struct qpw_part *row, const char **ret_text);

/* ---- import_words.c ---- */

#define QPW_ITEM_SIZE 256

/* Get the next item of the list in a cell, and move `at` after it; false at the list's end. */
bool qpw_import_next_item(const char **at, const char *cell, char *ret, size_t size);
/*
 * Return whether the word is the whole cell or an item of a list in it. Unclear: other words of the cell may restrict
 * or exclude it, as in "All but Vault nodes".
 */
enum qpw_import_match { QPW_IMPORT_MATCH_NOT, QPW_IMPORT_MATCH, QPW_IMPORT_MATCH_UNCLEAR };
enum qpw_import_match qpw_import_match(const char *cell, const char *word);
/* Return whether the texts are equal, ignoring case, white space and a plural s. */
bool qpw_import_same_words(const char *a, const char *b);
/* Normalize: lower case, single blanks, no "(s)", no quotes, no punctuation at the end. */
void qpw_import_plain(const char *text, char *ret, size_t size);
/* Turn text into part of a name: lower-case letters and digits, '-' for anything else. */
void qpw_import_slug(const char *text, char *ret, size_t size);

/* ---- import_nodes.c: which end is the node ---- */

/* Find the tables that need --node, collect the words to choose from, and check that all given ones are on the page. */
void qpw_import_check_nodes(struct qpw_importer *im);
/* Return whether the cell, or an item of a list in it, is one of --node. */
enum qpw_import_match qpw_import_is_node(struct qpw_importer *im, const char *cell);

/* ---- import_sets.c: sets of the other end ---- */

/* Return the set for the other end named on the page; -1: any. `use` names the set if the page gives no name. */
int qpw_import_set_of(struct qpw_importer *im, unsigned line, const char *cell, const char *column, const char *use);
/* Return the set of all addresses of a family, 4 or 6. */
int qpw_import_family_set(struct qpw_importer *im, unsigned line, unsigned family);

/* ---- import_rows.c ---- */

void qpw_import_read_rows(struct qpw_importer *im);

/* ---- import_alternatives.c ---- */

/* Mark the sections that are alternatives to others. */
void qpw_import_mark_alternatives(struct qpw_importer *im);
bool qpw_import_is_within(const struct qpw_importer *im, int section, int outer);
/* Return whether the section is one of several tabs, and not just opened by a click. */
bool qpw_import_is_tab(const struct qpw_page_section *section);
/* Return the heading or tab above a table, ignoring the table's own label. -1: none. */
int qpw_import_outer_section(const struct qpw_importer *im, const struct qpw_import_table *table);

/* ---- import_sections.c: the choice ---- */

void qpw_import_choose(struct qpw_importer *im);

/* ---- import_account.c ---- */

/* Count the rows, and name what was left out. */
void qpw_import_account(struct qpw_importer *im);

/* ---- conditions.c ---- */

/* Return -EINVAL with im->err if a Markdown or HTML template has conditions that are not understood. */
int qpw_import_check_conditions(struct qpw_importer *im);

/* ---- dialect.c ---- */

/* Read the page in its dialect, which the file's suffix or the text determines. 0, or negative errno with err. */
int qpw_import_read_page(struct qpw_importer *im);
/* Report why the page has no table of ports, and what to do, as errors. */
void qpw_import_refuse(struct qpw_importer *im);
/* Report what the page includes from elsewhere, as errors or warnings. True: something. */
bool qpw_import_elsewhere(struct qpw_importer *im, bool as_errors);

/* ---- import_write.c ---- */

/* Write the rules as a policy's text to im->out.policy. 0 or -ENOMEM. */
int qpw_import_write(struct qpw_importer *im);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* name_table.h - functions that return the names of an enum, from the list it is made of. */
#ifndef QPW_UTIL_NAME_TABLE_H
#define QPW_UTIL_NAME_TABLE_H

/*
 * Define `function`, which returns the name of its parameter, `value`, if that is below `count`, else `otherwise`. LIST(X)
 * calls X(SYMBOL, "name", ...) for each value in order.
 */
#define QPW_NAME_TABLE(function, value, LIST, count, otherwise) \
    const char *function(unsigned value) /* NOLINT(bugprone-macro-parentheses): a parameter */ \
    { \
        static const char *const names[] = {LIST(QPW_NAME_TABLE_NAME)}; \
        _Static_assert(sizeof(names) / sizeof(*names) == (count), "one name for each value"); \
        return (value) < (count) ? names[value] : (otherwise); \
    }
#define QPW_NAME_TABLE_NAME(symbol, name, ...) name,

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cleanup.h - release what a local variable holds on every way out of its block, so that a function can return where a
 * step fails.
 *
 *     QPW_CLEANUP(qpw_table_clear) struct qpw_table table = {0};
 *     QPW_CLEANUP(qpw_freep) char *text = NULL;
 *
 * The function gets the address of the variable. Initialize the variable where it is declared: a return in front of its
 * first assignment would release what happened to be there.
 */
#ifndef QPW_UTIL_CLEANUP_H
#define QPW_UTIL_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define QPW_CLEANUP(function) __attribute__((cleanup(function)))

/* Free what a pointer of any type points to; `pointer` is the address of the pointer. */
static inline void qpw_freep(void *pointer)
{
    free(*(void **)pointer);
}

/* Close a descriptor; -1: there is none. */
static inline void qpw_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/*
 * Define function##p(), which calls function() for a pointer to `type` unless it is NULL, as QPW_CLEANUP() needs it. To
 * hand the object out instead, take it from the variable with QPW_TAKE().
 */
#define QPW_CLEANUP_POINTER(type, function) \
    static inline void function##p(type **pointer) /* NOLINT(bugprone-macro-parentheses): a type */ \
    { \
        if (*pointer) \
            function(*pointer); \
    }

/* The value of a pointer variable, which is NULL afterwards: the caller of the function owns the object now. */
#define QPW_TAKE(pointer) \
    ({ \
        __typeof__(pointer) taken_ = (pointer); \
        (pointer) = NULL; \
        taken_; \
    })

#endif

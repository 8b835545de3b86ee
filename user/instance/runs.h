/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * runs.h - more than one instance of qportwatch. An interface takes its programs along to another network namespace and
 * back, so an instance's programs may be where it does not watch, and beside those of another one.
 */
#ifndef QPW_INSTANCE_RUNS_H
#define QPW_INSTANCE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance/instance.h"

/*
 * Keep in *places those of the instance that watches this network namespace: the newest of those attached in it (or by
 * another version, which does not record that). The others go to *ret_others, which the caller clears. Returns 0, or
 * -ENOMEM with err filled and both empty.
 */
int qpw_hook_scan_split(struct qpw_hook_scan *scan, struct qpw_hook_scan *ret_others, struct qpw_error *err);

/* Return whether the place's instance was attached in this network namespace; true if unknown. */
bool qpw_run_is_of_here(const struct qpw_hook_site *site);

/*
 * Write a sentence about another instance's programs: where, since when, how to remove them. Returns buf; 256 bytes
 * suffice.
 */
const char *qpw_run_text(const struct qpw_hook_site *site, char *buf, size_t size);

/*
 * Detach the instance's programs from interfaces in other network namespaces, as far as these have a name or a process;
 * only from the named interfaces (n 0: all). *ret_removed counts interfaces. Returns 0, or the first error with err
 * filled.
 */
int qpw_run_detach_elsewhere(uint32_t instance, const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err);

/*
 * Wait up to two seconds until no hook or process holds the instance any more, because the kernel releases it late and
 * a command may be reading it. False: still held, or unknown.
 */
bool qpw_run_until_gone(uint32_t instance);

/* The message if it is still held. */
#define QPW_RUN_STILL_HELD "programs of this run are still held: by a command that reads them (end 'qportwatch top'), or by an " \
                           "interface that took them along to a network namespace that cannot be reached from here; run " \
                           "'qportwatch detach' there"

#endif

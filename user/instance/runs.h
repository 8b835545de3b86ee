/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * runs.h - more than one run of qportwatch. An interface takes the programs in its hooks along to another network
 * namespace, and back: so programs of a run may stand where it does not watch, and beside those of another one.
 */
#ifndef QPW_INSTANCE_RUNS_H
#define QPW_INSTANCE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "instance/instance.h"

/*
 * Leaves in *places those of the run that watches this network namespace: of those attached in it (or by another version,
 * which does not say) the newest. The rest goes to *ret_others, to be cleared by the caller. 0, or -ENOMEM with err filled
 * and both empty.
 */
int qpw_hook_scan_split(struct qpw_hook_scan *places, struct qpw_hook_scan *ret_others, struct qpw_error *err);

/* Whether the place's run was attached in this network namespace, as far as that is known. */
bool qpw_run_is_of_here(const struct qpw_hook_site *place);

/* One sentence about programs of another run: where, of when, what removes them. Returns buf; 256 bytes suffice. */
const char *qpw_run_text(const struct qpw_hook_site *place, char *buf, size_t size);

/*
 * Takes the instance's programs out of interfaces in other network namespaces: those that have a name or a process. Of the
 * named interfaces only (n 0: of all). *ret_removed counts interfaces. 0, or the first error with err filled.
 */
int qpw_run_detach_elsewhere(uint32_t instance, const char *const *names, size_t n, size_t *ret_removed, struct qpw_error *err);

/*
 * Waits until nothing holds the instance any more, no hook and no process: two seconds, since the kernel takes its time and
 * a command may just be reading. False: something still does, or that cannot be asked.
 */
bool qpw_run_until_gone(uint32_t instance);

/* What is said then. */
#define QPW_RUN_STILL_HELD "programs of this run are still held: by a command that reads them (end 'qportwatch top'), or by an " \
                           "interface that took them along to a network namespace that cannot be reached from here; run " \
                           "'qportwatch detach' there"

#endif

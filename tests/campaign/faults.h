/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults.h - the faults, and shared functions. Each fault knows what the auditor must report about it. */
#ifndef TESTS_CAMPAIGN_FAULTS_H
#define TESTS_CAMPAIGN_FAULTS_H

#include "campaign.h"

#define LOG_BYTES (256ul << 20) /* of the file system that holds the alert log */

/* The auditor's life (faults_life.c). */
void fault_kill(struct campaign *c, struct rng *r);
void fault_restart(struct campaign *c, struct rng *r);
void fault_stop_and_continue(struct campaign *c, struct rng *r);
void fault_attach_race(struct campaign *c, struct rng *r);
void fault_detach_race(struct campaign *c, struct rng *r);
void fault_asked_while_stopped(struct campaign *c, struct rng *r);
void fault_no_memory(struct campaign *c, struct rng *r);
void fault_oom_kill(struct campaign *c, struct rng *r);

/* Its policy and its log (faults_files.c). */
void fault_reload_right(struct campaign *c, struct rng *r);
void fault_reload_wrong(struct campaign *c, struct rng *r);
void fault_rotate(struct campaign *c, struct rng *r);
void fault_truncate(struct campaign *c, struct rng *r);
void fault_disk_full(struct campaign *c, struct rng *r);
void fault_collector_hangs(struct campaign *c, struct rng *r);

/* The interface (faults_link.c). */
void fault_move_address(struct campaign *c, struct rng *r);
void fault_link_down(struct campaign *c, struct rng *r);
void fault_renamed(struct campaign *c, struct rng *r);
void fault_moved(struct campaign *c, struct rng *r);
void fault_deleted(struct campaign *c, struct rng *r);
void fault_foreign_xdp(struct campaign *c, struct rng *r);
void fault_foreign_tc(struct campaign *c, struct rng *r);

/* The traffic (faults_flood.c). */
void fault_flood_tcp(struct campaign *c, struct rng *r);
void fault_flood_udp(struct campaign *c, struct rng *r);

/* Make a few exchanges while the fault lasts. */
void faults_go_on(struct campaign *c, struct rng *r, unsigned n);

/* Write a new policy file. */
void faults_write_policy(struct campaign *c, const char *text);

/* Run one of the commands that are possible at any time; it must end with a permitted exit status. */
void faults_any_command(struct campaign *c, struct rng *r);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* faults.c - the list of faults, and shared functions. */
#include "faults.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct fault faults[] = {
    {"kill", 6, fault_kill, true},
    {"restart", 3, fault_restart, true},
    {"stop-and-continue", 4, fault_stop_and_continue, false},
    {"attach-race", 2, fault_attach_race, true},
    {"detach-race", 2, fault_detach_race, true},
    {"asked-while-stopped", 2, fault_asked_while_stopped, false},
    {"no-memory", 3, fault_no_memory, false},
    {"oom-kill", 1, fault_oom_kill, true},
    {"reload-right", 5, fault_reload_right, false},
    {"reload-wrong", 3, fault_reload_wrong, false},
    {"rotate", 3, fault_rotate, false},
    {"truncate", 3, fault_truncate, false},
    {"disk-full", 4, fault_disk_full, false},
    {"collector-hangs", 3, fault_collector_hangs, false},
    {"move-address", 4, fault_move_address, false},
    {"link-down", 3, fault_link_down, false},
    {"renamed", 3, fault_renamed, false},
    {"moved", 3, fault_moved, false},
    {"deleted", 3, fault_deleted, false},
    {"foreign-xdp", 3, fault_foreign_xdp, false},
    {"foreign-tc", 3, fault_foreign_tc, false},
    {"flood-tcp", 3, fault_flood_tcp, false},
    {"flood-udp", 2, fault_flood_udp, false},
    {NULL, 0, NULL, false},
};

void faults_go_on(struct campaign *c, struct rng *r, unsigned n)
{
    unsigned kinds = 0;

    while (tcp_kinds[kinds].name)
        kinds++;
    for (unsigned i = 0; i < n; i++) {
        tcp_kinds[rng_below(r, kinds)].run(c, r);
        campaign_wait(c, rng_below(r, 30));
    }
}

void faults_write_policy(struct campaign *c, const char *text)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/policy", c->dir);
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s: %s", path, strerror(errno));
}

void faults_any_command(struct campaign *c, struct rng *r)
{
    static const struct {
        const char *words;
        unsigned statuses; /* bits of permitted exit statuses */
    } commands[] = {
        {"status", 1 << 0 | 1 << 3},
        {"status --json", 1 << 0 | 1 << 3},
        {"report", 1 << 0},
        {"report --format html", 1 << 0},
        {"report --since 10s --fail-on unexpected", 1 << 0 | 1 << 3},
        {"top --once --tab ports", 1 << 0},
        {"listeners", 1 << 0},
        {"listeners --json", 1 << 0},
        {"policy show on-prem", 1 << 0},
        {"policy suggest", 1 << 0},
        {"alerts --since 10s --alerts %s/log/eve.json", 1 << 0},
        {"attach lo --no-tui --alerts %s/log/other.json", 1 << 1 | 1 << 2},
        {"report --no-such-option", 1 << 2},
    };
    unsigned which = rng_below(r, sizeof(commands) / sizeof(*commands));
    static char text[1 << 22];
    char words[256];
    int rc;

    snprintf(words, sizeof(words), commands[which].words, c->dir);
    rc = campaign_command(c, text, sizeof(text), "%s", words);
    c->commands++;
    if (rc > 3 || !(commands[which].statuses & 1u << rc))
        campaign_fail(c, "every command works", "'%s' ended with status %d: %.1000s", words, rc, text);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* check_process.c - the auditor's memory and descriptors, and the owners that it names. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "host/clock.h"

#define YOUNG_NS 15000000000ull /* by then it has done everything once */
#define GROWTH_KIB 3072
#define FINDING_KIB 1           /* memory for one finding: findings may cost memory, time must not */
#define SPARE_DESCRIPTORS 1     /* the log between a rotation and the next record */

static unsigned descriptors(pid_t pid)
{
    char path[64];
    unsigned n = 0;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static uint64_t resident_kib(pid_t pid)
{
    char path[64], line[256];
    unsigned long kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "RssAnon: %lu", &kib);
    if (f)
        fclose(f);
    return kib;
}

/* A request in progress uses a descriptor and the memory of a snapshot for a moment. */
static bool has_no_more(void *campaign)
{
    struct campaign *c = campaign;

    campaign_drain(c);
    return descriptors(c->auditor) <= c->young.descriptors + SPARE_DESCRIPTORS &&
           resident_kib(c->auditor) <= c->young.resident_kib + GROWTH_KIB +
                                           FINDING_KIB * (c->book->n_findings - c->young.findings);
}

void check_process(struct campaign *c)
{
    unsigned n;

    if (!c->auditor || c->stopped || qpw_clock_monotonic_ns() - c->started_ns < YOUNG_NS)
        return;
    c->invariants += 2;
    if (!c->young.descriptors || c->young.findings > c->book->n_findings) {
        c->young.descriptors = descriptors(c->auditor);
        c->young.resident_kib = resident_kib(c->auditor);
        c->young.findings = c->book->n_findings;
        return;
    }
    if (netns_until(has_no_more, c, CAMPAIGN_DEADLINE_MS / 10))
        return;
    n = descriptors(c->auditor);
    if (n > c->young.descriptors + SPARE_DESCRIPTORS)
        campaign_fail(c, "descriptors stay flat", "%u, %u when it was young", n, c->young.descriptors);
    campaign_fail(c, "memory stays flat", "%" PRIu64 " KiB, %" PRIu64 " when it was young; %zu findings then, %zu now",
                  resident_kib(c->auditor), c->young.resident_kib, c->young.findings, c->book->n_findings);
}

/* ---- Owners ---- */

static bool is_in(const uint16_t *ports, uint16_t port)
{
    while (*ports && *ports != port)
        ports++;
    return *ports != 0;
}

void check_owner(struct campaign *c, const struct owner_said *said)
{
    const struct place *p = &c->place;
    bool udp = !strcmp(said->protocol, "udp"), named = said->process[0] && strcmp(said->process, "-");
    uint16_t port = said->node_port;
    bool shell = !udp && is_in(node_unlisted_tcp, port);
    bool served = udp ? is_in(node_udp, port) || port == NODE_SILENT_UDP
                      : is_in(node_listed_tcp, port) || is_in(node_weak_tcp, port) || is_in(node_companion_tcp, port);

    c->invariants++;
    if (!named) /* "unknown" is right if nobody waits on the port; "kernel" never is */
        return;
    c->owners++;
    if (said->outbound ? said->pid == getpid() || said->pid == p->servers[NODE] || said->pid == p->shell
                       : (shell && said->pid == p->shell && !strcmp(said->process, "camp-shell")) ||
                             (served && said->pid == p->servers[NODE] && !strcmp(said->process, "camp-node")))
        return;
    campaign_fail(c, "the owner is the true one", "%s[%d] (%s) of %s %s, the node's port %u", said->process, said->pid,
                  said->match, said->outbound ? "outbound" : "inbound", said->protocol, port);
}

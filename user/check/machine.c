/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * machine.c - the kernel and its missing features, privileges, memory, the clock, and traffic that bypasses the hooks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "check/internal.h"
#include "control/lock.h"
#include "host/confine.h"
#include "host/cgroup.h"
#include "host/rights.h"
#include "host/tracepoint.h"
#include "instance/cpus.h"
#include "instance/object.h"
#include "snapshot/bypass.h"
#include "words/coverage.h"
#include "words/words.h"

/*
 * Measured: tables that scale with the number of connections, fixed ones, and counters and cache per possible CPU; and
 * what each established connection adds once it exists.
 */
#define CONNECTION_BYTES 267u
#define ESTABLISHED_BYTES 144u
#define FIXED_BYTES (15ull << 20)
#define CPU_BYTES (2ull << 20)

static void check_kernel(struct qpw_check *c)
{
    unsigned release = c->release;
    char version[32];

    snprintf(version, sizeof(version), "Linux %u.%u", release >> 16, release >> 8 & 0xff);
    if (release < QPW_RELEASE(5, 10)) {
        qpw_remark(c, QPW_REMARK_REFUSAL, "kernel", "a kernel of 5.10 or later", "%s: the programs take Linux 5.10", version);
        return;
    }
    qpw_remark(c, QPW_REMARK_OK, "kernel", NULL, "%s%s%s%s", version,
               release < QPW_RELEASE(6, 6) ? "; no TCX before 6.6, so a clsact qdisc is used" : ", with TCX",
               release < QPW_RELEASE(5, 18) ? "; no XDP at an MTU above a page before 5.18" : "",
               qpw_landlock_version() ? "" : "; no Landlock (5.13, and switched on), so the files that the auditor may write are "
               "limited by its rights and its unit alone");
}

static void check_rights(struct qpw_check *c)
{
    struct qpw_error err;
    char missing[256];

    if (qpw_rights_check(&err) < 0)
        qpw_remark(c, QPW_REMARK_REFUSAL, "rights", "run it as root on the host", "%s", err.text);
    else if (*qpw_rights_optional(missing, sizeof(missing)))
        qpw_remark(c, QPW_REMARK_WARNING, "rights", "run it with these capabilities", "%s", missing);
    else
        qpw_remark(c, QPW_REMARK_OK, "rights", NULL, "all that are needed");
}

static void check_auditor(struct qpw_check *c)
{
    struct qpw_pid holder;
    char who[64];

    if (qpw_lock_held(&holder) == 1)
        qpw_remark(c, QPW_REMARK_REFUSAL, "auditor", "'qportwatch status' shows it; 'qportwatch detach' ends it",
                   "an auditor (%s) audits this network namespace already",
                   qpw_pid_text(holder, who, sizeof(who)));
}

static void check_owners(struct qpw_check *c)
{
    int fd = qpw_cgroup_root_open();

    if (fd < 0)
        qpw_remark(c, QPW_REMARK_WARNING, "owners", "mount the unified cgroup hierarchy",
                   "there is no unified cgroup hierarchy to note the owners of sockets at (%s): a process that has ended stays "
                   "unknown", strerror(-fd));
    else
        close(fd);
    if (qpw_tracepoint_id("sched/sched_process_exec") < 0)
        qpw_remark(c, QPW_REMARK_NOTE, "executables", "mount tracefs", "tracefs cannot be read: the executable of a process that has "
                   "ended stays unknown");
}

/* Read MemAvailable from /proc/meminfo, in bytes; 0: unknown. */
static uint64_t available_memory(void)
{
    unsigned long long kilobytes = 0;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "re");

    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "MemAvailable: %llu", &kilobytes) == 1)
            break;
    if (f)
        fclose(f);
    return kilobytes * 1024;
}

static void check_memory(struct qpw_check *c)
{
    unsigned connections = c->options->max_connections ? c->options->max_connections : QPW_DEFAULT_CONNECTIONS;
    int cpus = qpw_possible_cpus();
    uint64_t wanted = FIXED_BYTES + (uint64_t)connections * CONNECTION_BYTES + (cpus > 0 ? (uint64_t)cpus : 1) * CPU_BYTES;
    uint64_t available = available_memory();
    char takes[24], there[24];

    qpw_words_bytes(wanted, takes, sizeof(takes));
    qpw_words_bytes(available, there, sizeof(there));
    if (available && wanted + (uint64_t)connections * ESTABLISHED_BYTES > available / 2)
        qpw_remark(c, QPW_REMARK_WARNING, "memory", "--max-connections with a smaller number", "the tables would take about %s of kernel "
                   "memory, of %s that is available", takes, there);
    else
        qpw_remark(c, QPW_REMARK_OK, "memory", NULL, "the tables would take about %s of kernel memory, of %s that is available", takes,
                   there);
}

static void check_clock(struct qpw_check *c)
{
    struct timex t = {0};

    if (adjtimex(&t) == TIME_ERROR || t.status & STA_UNSYNC)
        qpw_remark(c, QPW_REMARK_NOTE, "clock", "start chrony or another time service",
                   "the system's clock is not synchronized: times in the alert log do not compare with those of other nodes");
}

/* Remark on RDMA, AF_XDP and AF_PACKET in use now. */
static void check_bypass(struct qpw_check *c)
{
    struct qpw_snapshot s = {0};
    char text[QPW_NOTE_TEXT];

    if (qpw_bypass_read(&s, c->options->sysfs ? c->options->sysfs : "/sys", c->options->procfs ? c->options->procfs : "/proc") < 0)
        return;
    for (size_t i = 0; i < s.n_notes; i++)
        qpw_remark(c, s.notes[i].kind == QPW_NOTE_PACKET_SOCKETS ? QPW_REMARK_NOTE : QPW_REMARK_WARNING, "bypass", NULL, "%s",
                   qpw_words_note(&s.notes[i], text));
    qpw_snapshot_clear(&s);
}

void qpw_check_machine(struct qpw_check *c)
{
    check_kernel(c);
    check_rights(c);
    check_auditor(c);
    check_owners(c);
    check_memory(c);
    check_clock(c);
    check_bypass(c);
}

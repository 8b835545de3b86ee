/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Start the audit. */
#include <errno.h>
#include <linux/if_arp.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "auditor/carry.h"
#include "auditor/close.h"
#include "auditor/history.h"
#include "auditor/internal.h"
#include "auditor/lives.h"
#include "auditor/loop.h"
#include "auditor/owners.h"
#include "auditor/readers.h"
#include "auditor/routes.h"
#include "auditor/takeover.h"
#include "auditor/users.h"
#include "auditor/vouching.h"
#include "control/lock.h"
#include "control/peer.h"
#include "control/policy_args.h"
#include "host/automatic.h"
#include "host/clock.h"
#include "host/leases.h"
#include "host/netns.h"
#include "host/rights.h"
#include "instance/owners.h"
#include "instance/runs.h"
#include "util/cleanup.h"
#include "util/version.h"

#define SECONDS 1000000000ull
#define GIVEN_BACK_BYTES (128 * 1024)

/* Copy the policy options, because a reload may replace them. */
static int own_policy_options(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_policy_options given = a->options.policy;

    a->options.policy = (struct qpw_policy_options){0}; /* the originals belong to the caller */
    if (qpw_policy_args_new(&given, &a->policy_args, err) < 0)
        return -EINVAL;
    return qpw_policy_args_read(a->policy_args, &a->options.policy, err);
}

static void set_timeouts(struct qpw_control *control, const struct qpw_timeouts *t)
{
    struct {
        unsigned seconds;
        __u64 *ns;
    } all[] = {
        {t->tcp, &control->tcp_ns},       {t->half_open, &control->half_open_ns}, {t->udp, &control->udp_ns},
        {t->other, &control->other_ns},   {t->tail, &control->tail_ns},           {t->parent, &control->parent_ns},
        {t->fragment, &control->fragment_ns},
    };
    uint64_t shortest = control->tcp_ns;

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (all[i].seconds)
            *all[i].ns = all[i].seconds * SECONDS;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (all[i].ns != &control->parent_ns && all[i].ns != &control->fragment_ns && *all[i].ns < shortest)
            shortest = *all[i].ns;
    while (control->refresh_shift && (1ull << control->refresh_shift) > shortest / 8)
        control->refresh_shift--;
}

/* Return the programs that the interfaces will need, by their link types. */
static uint32_t programs_wanted(const struct qpw_auditor *a)
{
    const uint32_t layer3 = 1u << QPW_PROG_qpw_tc_rx_l3 | 1u << QPW_PROG_qpw_tc_tx_l3;
    const uint32_t ethernet = 1u << QPW_PROG_qpw_tc_tx |
                              1u << (a->options.mode == QPW_MODE_XDP ? QPW_PROG_qpw_xdp_rx : QPW_PROG_qpw_tc_rx);
    const struct qpw_link *link;
    unsigned found[QPW_MAX_IFACES];
    uint32_t wanted = 0;
    size_t n;

    for (size_t i = 0; i < a->options.n_ifaces; i++) {
        link = qpw_netlink_by_name(a->netlink, a->options.ifaces[i]);
        if (link && link->type != ARPHRD_ETHER)
            wanted |= layer3;
        else
            wanted |= ethernet;
    }
    n = a->options.automatic ? qpw_automatic_find(a->netlink, NULL, found, QPW_MAX_IFACES) : 0;
    for (size_t i = 0; i < n; i++) {
        link = qpw_netlink_by_index(a->netlink, found[i]);
        wanted |= link->type == ARPHRD_ETHER ? ethernet : layer3;
    }
    return wanted ? wanted : ethernet; /* an interface still to come is most likely Ethernet */
}

static int open_fresh(struct qpw_auditor *a, struct qpw_error *err)
{
    int r;

    a->options.load.programs = programs_wanted(a);
    r = qpw_kernel_begin(&a->options.load, &a->kernel, err); /* start() waits for the programs */
    if (r < 0)
        return r;
    a->has_kernel = true;
    a->meta.magic = QPW_ABI_MAGIC;
    a->meta.abi = QPW_ABI_VERSION;
    a->meta.netns = qpw_netns_inode();
    snprintf(a->meta.version, sizeof(a->meta.version), "%s", QPW_VERSION);
    r = qpw_meta_write(&a->kernel, &a->meta, err);
    if (r == 0 && a->replaced.n)
        qpw_carry_begin(a, &a->carry_error);
    return r ? r : qpw_coverage_open(&a->kernel, &a->coverage, err);
}

static void record_start(struct qpw_auditor *a)
{
    if (a->taken_over)
        qpw_takeover_record_gap(a);
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_AUDITOR_STARTED, 0, "Process %d, version %s.", (int)getpid(), QPW_VERSION);
}

/* Return whether the hooks are of a version whose maps this one cannot read. */
static bool is_other_layout(const struct qpw_hook_scan *scan)
{
    return scan->n && scan->site[0].abi != QPW_ABI_VERSION;
}

/* Attach; the policy must be in force and the seeds written. */
static int attach_all(struct qpw_auditor *a, struct qpw_error *err)
{
    int r = 0;

    a->attached = a->taken_over;
    for (size_t i = 0; r == 0 && i < a->options.n_ifaces; i++)
        r = qpw_watch_add_or_await(a, a->options.ifaces[i], err);
    if (r == 0 && a->replaced.n)
        r = qpw_takeover_replace(a, err);
    if (r < 0 || !a->options.automatic)
        return r;
    if (qpw_automatic_attach(a) || a->options.wait)
        return 0;
    return qpw_fail(err, -ENODEV, "auto: there is no default route, and none to a peer; name the interface ('ip -br link' "
                    "lists them), or wait for a route with --wait");
}

/* After a failure, remove what this process attached; keep what existed before. */
static void undo(struct qpw_auditor *a)
{
    for (size_t i = 0; i < a->n_watched; i++)
        if (a->watched[i].fresh)
            qpw_watch_remove(a, &a->watched[i], NULL);
    if (a->has_kernel && !a->taken_over)
        qpw_owners_detach(qpw_kernel_instance(&a->kernel), NULL, NULL);
    a->options.keep = true; /* remove nothing else */
    a->remove_all = false;
    qpw_auditor_close(a, NULL);
}

/*
 * Publish an absolute path for other processes, which may have another working directory. A path that does not fit is
 * omitted.
 */
static void publish_path(const char *path, char *ret, size_t size)
{
    char folder[PATH_MAX] = "";
    bool relative = path && *path && *path != '/';
    int length = 0;

    *ret = '\0';
    if (path && (!relative || getcwd(folder, sizeof(folder))))
        length = snprintf(ret, size, "%s%s%s", folder, relative ? "/" : "", path);
    if (length < 0 || (size_t)length >= size)
        *ret = '\0';
}

/*
 * Learn the DHCP servers of existing leases, because requests before attaching were not seen, and a lease is renewed
 * with one server only.
 */
static void know_dhcp_servers(struct qpw_kernel *k)
{
    uint8_t servers[QPW_DHCP_SERVERS / 2][16]; /* leave the rest for servers that answer */
    size_t n = qpw_lease_servers("", servers, sizeof(servers) / sizeof(*servers));

    for (size_t i = 0; i < n; i++)
        qpw_kernel_add_dhcp_server(k, servers[i]); /* if the table is full, its traffic becomes a finding */
}

static int open_lives(struct qpw_auditor *a, struct qpw_error *err)
{
    int r = qpw_audit_lives_load(a, err);

    if (r == 0)
        qpw_audit_history_recall(a);
    return r < 0 || !a->taken_over ? r : qpw_takeover_rejudge(a, err);
}

/* Take over what an earlier auditor left in the hooks, or open a fresh instance. */
static int open_kernel(struct qpw_auditor *a, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_hook_scan_clear) struct qpw_hook_scan scan = {0};
    QPW_CLEANUP(qpw_hook_scan_clear) struct qpw_hook_scan others = {0};
    int r = qpw_hook_scan_find(&scan, err);

    if (r < 0)
        return r;
    r = qpw_hook_scan_split(&scan, &others, err);
    if (r < 0)
        return r;
    if (!scan.n && a->options.stored) {
        r = qpw_hook_scan_find_unhooked(&scan, err);
        if (r < 0)
            return r;
    }
    if (is_other_layout(&scan)) {
        a->replaced = scan; /* now owned by the auditor */
        scan = (struct qpw_hook_scan){0};
    }
    r = scan.n ? qpw_takeover_adopt(a, &scan, err) : open_fresh(a, err);
    if (r < 0)
        return r;
    qpw_runs_begin(a, &others);
    return 0;
}

/* Store the options that other commands and the next auditor need in the meta map. */
static void publish_options(struct qpw_auditor *a)
{
    set_timeouts(a->kernel.control, &a->options.timeouts);
    a->meta.lock_folder = qpw_lock_folder_id();
    a->meta.pid_namespace = qpw_pid_namespace();
    a->meta.retention_ns[0] = a->options.alerting.attempted_silent_s * 1000000000ull;
    a->meta.retention_ns[1] = a->options.alerting.answered_silent_s * 1000000000ull;
    snprintf(a->meta.sensor, sizeof(a->meta.sensor), "%s", a->options.sensor_name ? a->options.sensor_name : "");
    snprintf(a->meta.command, sizeof(a->meta.command), "%s", a->options.command ? a->options.command : "");
    publish_path(a->options.alerts, a->meta.alerts_path, sizeof(a->meta.alerts_path));
    publish_path(a->options.history, a->meta.history_path, sizeof(a->meta.history_path));
    publish_path(a->options.cluster, a->meta.cluster_path, sizeof(a->meta.cluster_path));
}

/* Read the addresses, open the alert log and compile the policy, in this order: each step needs the previous one. */
static int open_judgement(struct qpw_auditor *a, bool *ret_usage, struct qpw_error *err)
{
    int r = qpw_watch_addresses(a, err);

    if (r < 0)
        return r;
    know_dhcp_servers(&a->kernel);
    r = qpw_alerts_open(a, err);
    *ret_usage = r == -EINVAL; /* the --syslog target */
    return r < 0 ? r : qpw_audit_load_policy(a, ret_usage, NULL, err);
}

static int open_expire(struct qpw_auditor *a, struct qpw_error *err)
{
    return qpw_expire_open(&a->kernel, &a->expire, err);
}

static int finish_kernel(struct qpw_auditor *a, struct qpw_error *err)
{
    return qpw_kernel_finish(&a->kernel, err);
}

/* Attach last, so that the auditor can answer from the first packet on. */
static int attach_hooks(struct qpw_auditor *a, struct qpw_error *err)
{
    char missing[256];

    if (*qpw_rights_optional(missing, sizeof(missing)))
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s", missing);
    qpw_notes_begin(a);
    qpw_owner_watch_listeners(a); /* present at attach time; uses the recent reading of /proc */
    record_start(a);
    a->kernel.control->heartbeat_ns = qpw_clock_monotonic_ns();
    return attach_all(a, err);
}

typedef int open_part(struct qpw_auditor *a, struct qpw_error *err);

static int open_in_order(struct qpw_auditor *a, open_part *const *parts, struct qpw_error *err)
{
    int r = 0;

    for (; r == 0 && *parts; parts++)
        r = (*parts)(a, err);
    return r;
}

static int open_netlink(struct qpw_auditor *a, struct qpw_error *err)
{
    return qpw_netlink_open(&a->netlink, err);
}

static int open_sockets(struct qpw_auditor *a, struct qpw_error *err)
{
    int r = qpw_sockets_open(&a->sockets, err);

    if (r == 0)
        qpw_sockets_executables(a->sockets, qpw_executable_path, &a->kernel);
    return r;
}

static int open_control(struct qpw_auditor *a, struct qpw_error *err)
{
    return qpw_control_listen(&a->end, err);
}

static int check_names(struct qpw_auditor *a, struct qpw_error *err)
{
    return qpw_watch_check_names(a, err);
}

static int start(struct qpw_auditor *a, bool *ret_usage, struct qpw_error *err)
{
    static open_part *const before[] = {own_policy_options, open_control, open_netlink, check_names,
                                        open_sockets, open_kernel, NULL};
    static open_part *const behind[] = {open_lives, open_expire, qpw_owner_watch_open, qpw_vouching_open, qpw_routes_open,
                                        qpw_users_open, qpw_events_open, qpw_events_seed, finish_kernel, qpw_loop_open,
                                        attach_hooks, NULL};
    int r;

    a->first_since_boot = a->options.wait && !qpw_lock_was_audited();
    r = open_in_order(a, before, err);
    if (r < 0)
        return r;
    qpw_lock_note_audited();
    publish_options(a);
    r = open_judgement(a, ret_usage, err);
    if (r == 0)
        r = open_in_order(a, behind, err);
    if (r < 0)
        return r;
    qpw_audit_history_begin(a);
    qpw_audit_readers_start(a);
    return 0;
}

int qpw_auditor_open(const struct qpw_audit_options *options, struct qpw_auditor **ret, bool *ret_usage,
                     struct qpw_error *err)
{
    struct qpw_auditor *a = calloc(1, sizeof(*a));
    int r;

    *ret_usage = false;
    if (!a)
        return qpw_fail(err, -ENOMEM, "out of memory");
    /* Return a snapshot's large buffers to the system; by default malloc would keep them after the first few. */
    mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_BYTES);
    a->options = *options;
    a->epoll_fd = a->end.fd = a->end.lock = a->asker_fd = a->signal_fd = a->tick_fd = a->poll_fd = a->readers_life = -1;
    a->coverage.by = a->by;
    qpw_peer_describe(getpid(), a->by, sizeof(a->by));
    qpw_kernel_init(&a->kernel);
    qpw_executables_init(&a->executables);
    r = start(a, ret_usage, err);
    if (r < 0) {
        undo(a);
        return r;
    }
    a->by[0] = '\0';
    a->kernel.control->auditor_pid = getpid();
    a->kernel.control->heartbeat_ns = qpw_clock_monotonic_ns();
    if (a->taken_over || a->carried_over)
        qpw_events_catch_up(a);
    qpw_summary_begin(a);
    qpw_service_ready(a);
    *ret = a;
    return 0;
}

int qpw_auditor_fd(const struct qpw_auditor *auditor)
{
    return auditor->epoll_fd;
}

const struct qpw_netlink *qpw_auditor_links(const struct qpw_auditor *auditor)
{
    return auditor->netlink;
}

struct qpw_sockets *qpw_auditor_sockets(const struct qpw_auditor *auditor)
{
    return auditor->sockets;
}

const struct qpw_kernel *qpw_auditor_kernel(const struct qpw_auditor *auditor)
{
    return &auditor->kernel;
}

void qpw_auditor_keep(struct qpw_auditor *a)
{
    a->options.keep = true;
}

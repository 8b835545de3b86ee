/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Start and stop the audit. */
#include <errno.h>
#include <linux/if_arp.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditor/alerts.h"
#include "auditor/carry.h"
#include "auditor/found.h"
#include "auditor/history.h"
#include "control/control.h"
#include "control/detach.h"
#include "auditor/internal.h"
#include "auditor/lives.h"
#include "auditor/loop.h"
#include "auditor/owners.h"
#include "auditor/readers.h"
#include "auditor/routes.h"
#include "auditor/users.h"
#include "auditor/vouching.h"
#include "control/elsewhere.h"
#include "control/lock.h"
#include "control/message.h"
#include "control/peer.h"
#include "control/policy_args.h"
#include "host/automatic.h"
#include "host/clock.h"
#include "host/leases.h"
#include "host/netns.h"
#include "host/rights.h"
#include "instance/owners.h"
#include "instance/runs.h"
#include "util/text.h"
#include "util/version.h"
#include "snapshot/lives.h"
#include "words/words.h"

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

/* Report options without effect: decisions made at attach time stay in force. */
static void report_without_effect(struct qpw_auditor *a)
{
    for (size_t i = 0; i < a->n_watched; i++) {
        const struct qpw_watched *w = &a->watched[i];
        bool xdp = a->meta.rx_hook[w->number] == QPW_HOOK_XDP;
        char mode[80];

        if (a->options.mode == (xdp ? QPW_MODE_TC : QPW_MODE_XDP))
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "--mode %s has no effect on %s: it stays attached as it is, %s, until 'detach'",
                    xdp ? "tc" : "xdp", w->name, qpw_watch_mode(a, w, mode, sizeof(mode)));
    }
    if (a->options.load.max_connections && a->options.load.max_connections != qpw_kernel_connections(&a->kernel))
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "--max-connections has no effect on it: its tables keep their size until 'detach'");
}

/*
 * Record a gap for an instance kept only by the service manager: it is unknown how long its programs were in their
 * hooks.
 */
static void report_unhooked(struct qpw_auditor *a, uint64_t last_ns)
{
    struct qpw_coverage_time time = {.unix_ns = qpw_clock_unix_ns() - last_ns};
    char age[32];

    for (unsigned i = 1; i < QPW_MAX_IFACES; i++)
        if (a->meta.rx_hook[i] || a->meta.tx_hook[i])
            qpw_coverage_add_at(&a->coverage, &time, QPW_COVERAGE_HOOK_LOST, i, "while no auditor was there.");
    qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "our programs were taken out of their hooks while no auditor was there: what passed in the last %s may not "
            "have been seen; what was counted before goes on", qpw_words_duration(last_ns, age, sizeof(age)));
}

static int take_over(struct qpw_auditor *a, const struct qpw_hook_scan *scan, struct qpw_error *err)
{
    uint64_t last;
    char age[32];
    int r = qpw_instance_open(scan, &a->kernel, err);

    if (r < 0)
        return r;
    r = qpw_meta_read(&a->kernel, &a->meta, err);
    if (r < 0)
        return r;
    r = qpw_lock_check_elsewhere(&a->kernel, &a->meta, err);
    if (r < 0)
        return r; /* do not write to what may be another auditor's instance */
    a->has_kernel = a->taken_over = true;
    r = qpw_coverage_open(&a->kernel, &a->coverage, err);
    if (r < 0)
        return r;
    r = qpw_watch_adopt(a, scan, err);
    if (r < 0)
        return r;
    a->reported_until_ns = a->kernel.control->heartbeat_ns;
    last = qpw_clock_monotonic_ns() - a->kernel.control->heartbeat_ns;
    if (!scan->site[0].ifindex) {
        report_unhooked(a, last);
        return 0;
    }
    qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "resuming the existing attachment; it kept counting during the %s without an auditor",
            qpw_words_duration(last, age, sizeof(age)));
    report_without_effect(a);
    return 0;
}

/* Also record a gap when the previous auditor was killed and left no "stopped" record. */
static void record_gap(struct qpw_auditor *a)
{
    struct qpw_coverage_time time = {.unix_ns = qpw_clock_unix_ns()};
    uint64_t away_ns = qpw_clock_monotonic_ns() - a->reported_until_ns;
    char age[32];

    time.since_unix_ns = time.unix_ns - away_ns;
    qpw_coverage_add_at(&a->coverage, &time, QPW_COVERAGE_AUDITOR_GAP, 0, "for %s.", qpw_words_duration(away_ns, age, sizeof(age)));
}

static void record_start(struct qpw_auditor *a)
{
    if (a->taken_over)
        record_gap(a);
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_AUDITOR_STARTED, 0, "Process %d, version %s.", (int)getpid(), QPW_VERSION);
}

/* Return whether the hooks are of a version whose maps this one cannot read. */
static bool is_other_layout(const struct qpw_hook_scan *scan)
{
    return scan->n && scan->site[0].abi != QPW_ABI_VERSION;
}

/* Judge the existing findings again, because the policy may differ from the last auditor's. */
static int rejudge(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_rejudged done;

    return qpw_audit_rejudge(a, a->by, &done, err);
}

/* Report what was carried over or lost, and how long nothing was counted. */
static int report_replaced(struct qpw_auditor *a, unsigned abi, struct qpw_error *err)
{
    struct qpw_row_usage done = {0};
    char unseen[32], meters[40], findings[40], what[96];
    int r = a->carry ? qpw_carry_finish(a, &done, err) : 0;

    if (r < 0)
        return r;
    qpw_words_duration(a->unseen_ns, unseen, sizeof(unseen));
    if (a->carry)
        snprintf(what, sizeof(what), "%s and %s carried over", qpw_words_many(done.meters, "counter", meters, sizeof(meters)),
                 qpw_words_many(done.findings, "finding", findings, sizeof(findings)));
    else
        snprintf(what, sizeof(what), "its counters and open findings end here");
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_REPLACED, 0, "Layout %u by %u: %s; unseen meanwhile: %s.", abi, QPW_ABI_VERSION, what,
                     a->unseen_ns ? unseen : "nothing");
    qpw_auditor_notify(a, a->carry && !done.left_out ? QPW_NOTIFY_NOTE : QPW_NOTIFY_WARNING,
                       "what another version had attached (layout %u, this one's "
                       "is %u) is replaced: %s%s%s; unseen meanwhile: %s",
                       abi, QPW_ABI_VERSION, what,
                       a->carry ? "" : ", for this version cannot read them: ", a->carry ? "" : a->carry_error.text,
                       a->unseen_ns ? unseen : "nothing");
    if (done.left_out)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%zu of these found no place of their own: their packets count with others of the same verdict",
                done.left_out);
    return 0;
}

/* Monitor the interfaces that only the other version monitored, then detach it. */
static int replace_hooks(struct qpw_auditor *a, struct qpw_error *err)
{
    size_t removed = 0;

    for (size_t i = 0; i < a->replaced.n; i++) {
        if (!qpw_watch_by_index(a, a->replaced.site[i].ifindex)) {
            int r = qpw_watch_add(a, a->replaced.site[i].ifname, err);

            if (r < 0)
                return r;
        }
    }
    return qpw_detach_others(qpw_kernel_instance(&a->kernel), NULL, 0, &removed, err);
}

static int replace_other_layout(struct qpw_auditor *a, struct qpw_error *err)
{
    uint64_t heartbeat_ns = qpw_carry_heartbeat_ns(a->carry);
    unsigned abi = a->replaced.site[0].abi;
    int r = replace_hooks(a, err);

    qpw_hook_scan_clear(&a->replaced);
    if (r == 0 && heartbeat_ns) {
        a->reported_until_ns = heartbeat_ns;
        record_gap(a);
    }
    if (r == 0)
        r = report_replaced(a, abi, err);
    a->carried_over = r == 0 && a->carry;
    qpw_carry_close(a->carry);
    a->carry = NULL;
    if (r < 0)
        return r;
    return a->carried_over ? rejudge(a, err) : 0;
}

/* Attach; the policy must be in force and the seeds written. */
static int attach_all(struct qpw_auditor *a, struct qpw_error *err)
{
    int r = 0;

    a->attached = a->taken_over;
    for (size_t i = 0; r == 0 && i < a->options.n_ifaces; i++)
        r = qpw_watch_add_or_await(a, a->options.ifaces[i], err);
    if (r == 0 && a->replaced.n)
        r = replace_other_layout(a, err);
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
    return r < 0 || !a->taken_over ? r : rejudge(a, err);
}

/* Take over what an earlier auditor left in the hooks, or open a fresh instance. */
static int open_kernel(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_hook_scan scan = {0}, others = {0};
    int r = qpw_hook_scan_find(&scan, err);

    if (r == 0)
        r = qpw_hook_scan_split(&scan, &others, err);
    if (r == 0 && !scan.n && a->options.stored)
        r = qpw_hook_scan_find_unhooked(&scan, err);
    if (r == 0 && is_other_layout(&scan)) {
        a->replaced = scan; /* now owned by the auditor */
        scan = (struct qpw_hook_scan){0};
    }
    if (r == 0)
        r = scan.n ? take_over(a, &scan, err) : open_fresh(a, err);
    qpw_hook_scan_clear(&scan);
    if (r == 0)
        qpw_runs_begin(a, &others);
    qpw_hook_scan_clear(&others);
    return r;
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

    a->first_since_boot = a->options.wait && !qpw_lock_folder_id();
    r = open_in_order(a, before, err);
    if (r < 0)
        return r;
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

/* Mark the instance as monitoring no network namespace, for processes that still hold it, such as `top`. */
static void note_end(struct qpw_auditor *a)
{
    struct qpw_meta meta;

    if (qpw_meta_read(&a->kernel, &meta, NULL) < 0)
        return;
    meta.netns = 0;
    qpw_meta_write(&a->kernel, &meta, NULL);
}

/* Report that acknowledgements end with the findings. */
static void report_acknowledgements(struct qpw_auditor *a)
{
    size_t n = qpw_lives_acknowledgements(a->lives, qpw_clock_unix_ns());
    char count[40];

    if (n)
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s %s with the counters: what was acknowledged is open when it happens again; 'attach --keep' "
                "leaves both", qpw_words_many(n, "acknowledgement", count, sizeof(count)), n == 1 ? "ends" : "end");
}

static int remove_all(struct qpw_auditor *a, struct qpw_error *err)
{
    int first = 0, r;

    for (size_t i = 0; i < a->n_watched; i++) {
        r = qpw_watch_remove(a, &a->watched[i], first < 0 ? NULL : err);
        if (r == 0)
            qpw_coverage_add(&a->coverage, QPW_COVERAGE_DETACHED, a->watched[i].number, "%s",
                             a->by[0] ? "" : "At the auditor's end.");
        else if (first == 0)
            first = r;
    }
    r = qpw_owners_detach(qpw_kernel_instance(&a->kernel), NULL, first < 0 ? NULL : err);
    if (first < 0)
        return first;
    if (r < 0)
        return r;
    note_end(a);
    return 0;
}

static void answer_asker(struct qpw_auditor *a, int r, const struct qpw_error *err)
{
    json_t *answer;

    if (a->asker_fd < 0)
        return;
    answer = qpw_answer_new(r < 0 ? QPW_EXIT_FAILED : QPW_EXIT_OK, r < 0 ? err->text : NULL);
    qpw_control_send(a->asker_fd, answer);
    json_decref(answer);
    close(a->asker_fd);
}

void qpw_auditor_keep(struct qpw_auditor *a)
{
    a->options.keep = true;
}

int qpw_auditor_close(struct qpw_auditor *a, struct qpw_error *err)
{
    struct qpw_error own = {0};
    uint32_t left_behind = 0;
    int r = 0, closed;

    qpw_service_stopping();
    qpw_audit_readers_stop(a);
    if (a->has_kernel && a->epoll_fd >= 0) {
        qpw_events_read(a);
        if (a->unproven.text[0])
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "ended by %s, who %s: nothing shows that it may detach, so counting continues in the kernel; "
                    "'qportwatch detach' removes it", a->by, a->unproven.text);
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_AUDITOR_STOPPED, 0, "Process %d.%s", (int)getpid(),
                         a->options.keep && !a->remove_all ? " Counting continues in the kernel." : "");
    }
    if (a->has_kernel && (!a->options.keep || a->remove_all)) {
        qpw_service_forget();
        report_acknowledgements(a);
        r = remove_all(a, &own);
        left_behind = qpw_runs_end(a);
    }
    if (a->has_kernel)
        qpw_audit_history_end(a, !a->options.keep || a->remove_all);
    qpw_audit_found_close(a);
    closed = qpw_alerts_close(a, r < 0 ? NULL : &own);
    if (r == 0)
        r = closed;
    if (a->has_kernel)
        a->kernel.control->auditor_pid = 0;
    qpw_notes_end(a);
    qpw_requests_close(a);
    qpw_loop_close(a);
    qpw_events_close(a);
    qpw_sockets_close(a->sockets);
    qpw_netlink_close(a->netlink);
    qpw_kernel_close(&a->kernel); /* closing the last descriptor frees everything not attached */
    qpw_control_close(&a->end);
    qpw_owner_watch_close(a);
    qpw_lives_free(a->lives);
    qpw_idmap_clear(&a->looked);
    qpw_vouching_close(a);
    qpw_routes_close(a);
    qpw_users_close(a);
    if (r == 0 && left_behind && !qpw_run_until_gone(left_behind))
        r = qpw_fail(&own, -EBUSY, QPW_RUN_STILL_HELD);
    answer_asker(a, r, &own);
    qpw_policy_clear(&a->policy);
    qpw_compiled_clear(&a->compiled);
    qpw_registry_clear(&a->names);
    qpw_addresses_clear(&a->own);
    qpw_hook_scan_clear(&a->replaced);
    qpw_carry_close(a->carry);
    qpw_policy_options_clear(&a->options.policy);
    json_decref(a->policy_args);
    free(a);
    if (r < 0 && err)
        *err = own;
    return r;
}

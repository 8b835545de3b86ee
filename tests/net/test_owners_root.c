/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The programs that record the owners of sockets: at the root cgroup and the tracepoints, gone after each end, and
 * reported if missing.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "auditor.h"
#include "evelog.h"
#include "host/cgroup.h"
#include "instance/executables.h"
#include "instance/instance.h"
#include "instance/owners.h"

static struct node n;
static char eve[128];
static int true_root = -1; /* the cgroup that the test left for its own one */
static char own_cgroup[64];

static void setup(void)
{
    netns_need_root();
    node_open(&n);
    snprintf(eve, sizeof(eve), "%s/eve.json", n.folder);
}

static void leave_own_cgroup(void);

static void teardown(void)
{
    node_close(&n);
    leave_own_cgroup();
}

TestSuite(owners_root, .init = setup, .fini = teardown, .timeout = NETNS_TIMEOUT_S);

static uint32_t instance_of_node(void)
{
    struct qpw_kernel k;
    struct qpw_error err;
    uint32_t id;

    netns_enter(&n.node);
    cr_assert_eq(qpw_instance_find(&k, &err), 0, "%s", err.text);
    id = qpw_kernel_instance(&k);
    qpw_kernel_close(&k);
    return id;
}

Test(owners_root, nothing_stays_at_the_root_cgroup)
{
    uint32_t instance;

    node_attach(&n, "node0 --mode tc");
    instance = instance_of_node();
    cr_assert_eq(qpw_owners_count(instance), QPW_OWNER_PROGRAMS);
    node_stop(&n, SIGINT);
    cr_assert_eq(qpw_owners_count(instance), 0, "after a clean end");

    node_attach(&n, "node0 --mode tc");
    instance = instance_of_node();
    node_stop(&n, SIGKILL);
    cr_assert_eq(qpw_owners_count(instance), QPW_OWNER_PROGRAMS, "it goes on counting without an auditor");
    cr_assert_eq(node_command(&n, NULL, 0, "detach"), 0);
    cr_assert_eq(qpw_owners_count(instance), 0, "after detach");
    node_nothing_left(&n);
}

/* Return whether `status` reports that owners are recorded; the reason in the document must contain `why`. */
static bool status_says_noted(const char *why)
{
    static char out[1 << 16];
    json_t *document, *owners;
    const char *text;
    bool noted;

    node_command(&n, out, sizeof(out), "status --json");
    document = json_loads(out, 0, NULL);
    cr_assert(document, "%s", out);
    owners = json_object_get(document, "owners");
    cr_assert(json_is_object(owners), "%s", out);
    noted = json_is_true(json_object_get(owners, "noted"));
    text = json_string_value(json_object_get(owners, "why"));
    cr_expect(why ? text && strstr(text, why) : !text, "why: %s", text ? text : "null");
    json_decref(document);
    return noted;
}

/* Return how many programs at the kernel's tracepoints belong to the instance. */
static unsigned followers(uint32_t instance)
{
    static const enum qpw_program programs[] = {QPW_PROG_qpw_exec, QPW_PROG_qpw_fork};
    __u32 maps[QPW_PROGRAM_MAPS];
    uint32_t id = 0;
    unsigned found = 0;

    while (bpf_prog_get_next_id(id, &id) == 0)
        for (size_t p = 0; p < 2; p++) {
            int n_maps = qpw_program_has_name(id, qpw_program_name(programs[p]))
                             ? qpw_program_map_ids(id, maps, QPW_PROGRAM_MAPS) : 0;

            for (int i = 0; i < n_maps; i++)
                found += maps[i] == instance;
        }
    return found;
}

static bool nobody_follows(void *instance)
{
    return followers(*(uint32_t *)instance) == 0;
}

Test(owners_root, programs_that_somebody_removed_are_put_back)
{
    uint32_t instance;

    node_attach(&n, "node0 --mode tc --alerts %s", eve);
    instance = instance_of_node();
    cr_expect(status_says_noted(NULL));
    cr_assert_eq(qpw_owners_detach(instance, NULL, NULL), 0);
    node_until_coverage(&n, "owners-lost");
    node_until_coverage(&n, "owners-noted");
    cr_expect_eq(qpw_owners_count(instance), QPW_OWNER_PROGRAMS);
    cr_expect(status_says_noted(NULL));
    EVELOG_UNTIL(eve, .name = "owners-lost");
    EVELOG_UNTIL(eve, .name = "owners-noted");
    node_stop(&n, SIGINT);
    cr_expect_eq(qpw_owners_count(instance), 0);
    node_nothing_left(&n);
}

Test(owners_root, without_an_auditor_status_and_report_say_what_is_missing)
{
    static char out[1 << 16];
    uint32_t instance;

    node_attach(&n, "node0 --mode tc");
    instance = instance_of_node();
    cr_expect_eq(followers(instance), 2);
    node_stop(&n, SIGKILL);
    cr_expect(netns_until(nobody_follows, &instance, NETNS_DEADLINE_MS), "the tracepoints are left with the auditor");
    cr_expect(status_says_noted(NULL), "owners are noted without it");
    cr_assert_eq(node_command(&n, out, sizeof(out), "report --all"), 0);
    cr_expect(strstr(out, "Executables of processes that have ended are not known: no auditor is running"), "%s", out);
    cr_assert_eq(qpw_owners_detach(instance, NULL, NULL), 0);
    cr_expect(!status_says_noted("3 of 3 programs were removed"));
    cr_assert_eq(node_command(&n, out, sizeof(out), "report --all"), 0);
    cr_expect(strstr(out, "Owners of sockets are not noted"), "%s", out);
    cr_assert_eq(node_command(&n, NULL, 0, "detach"), 0);
    node_nothing_left(&n);
}

Test(owners_root, what_a_killed_run_left_goes_with_the_next_start)
{
    struct netns other = netns_new();
    uint32_t instance;

    node_attach(&n, "node0 --mode tc");
    instance = instance_of_node();
    node_stop(&n, SIGKILL);
    netns_run(&n.node, "ip link del node0");
    cr_assert_eq(qpw_owners_count(instance), QPW_OWNER_PROGRAMS, "no interface is left to find it by");
    netns_veth(&n.node, "node0", &other, "far0");
    netns_address(&n.node, "node0", "10.7.0.1/24");
    node_attach(&n, "node0 --mode tc");
    cr_assert_eq(qpw_owners_count(instance), 0);
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
    netns_close(&other);
}

/* ---- Where they cannot be attached, the audit continues without them, and reports that ---- */

/* Move this process to the cgroup of that name below the directory; "." is the directory itself. */
static void enter_cgroup(int directory, const char *name)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/cgroup.procs", name);
    fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, "0", 1) == 1 && close(fd) == 0, "%s: %s", path, strerror(errno));
}

/* Enter a cgroup namespace with a root of its own: programs attached there affect nobody else. */
static void enter_own_cgroup(void)
{
    true_root = qpw_cgroup_root_open();
    cr_assert_geq(true_root, 0);
    snprintf(own_cgroup, sizeof(own_cgroup), "qportwatch-test-%d", getpid());
    cr_assert_eq(mkdirat(true_root, own_cgroup, 0755), 0, "%s", strerror(errno));
    enter_cgroup(true_root, own_cgroup);
    cr_assert_eq(unshare(CLONE_NEWCGROUP), 0);
}

static bool is_removed(void *argument)
{
    return unlinkat(true_root, own_cgroup, AT_REMOVEDIR) == 0;
}

static void leave_own_cgroup(void)
{
    if (true_root < 0)
        return;
    enter_cgroup(true_root, ".");
    cr_expect(netns_until(is_removed, NULL, NETNS_DEADLINE_MS), "%s: %s", own_cgroup, strerror(errno));
    close(true_root);
}

Test(owners_root, another_program_that_holds_the_root_alone_is_said)
{
    static char out[1 << 16];
    int foreign, root;

    enter_own_cgroup();
    root = qpw_cgroup_root_open();
    foreign = node_foreign_program(BPF_PROG_TYPE_CGROUP_SOCK, "their_sock");
    cr_assert_eq(bpf_prog_attach(foreign, root, BPF_CGROUP_INET_SOCK_CREATE, 0), 0, "%s", strerror(errno));
    node_attach(&n, "node0 --mode tc --alerts %s", eve);
    cr_expect(!status_says_noted("another program holds the root cgroup's hook for itself"));
    cr_assert_eq(node_command(&n, out, sizeof(out), "report --all"), 0);
    cr_expect(strstr(out, "Owners of sockets are not noted: cannot attach at the root cgroup"), "%s", out);
    cr_expect_eq(qpw_owners_count(instance_of_node()), 0, "all of them or none");
    /* Once the obstacle is gone they are attached. */
    cr_assert_eq(bpf_prog_detach2(foreign, root, BPF_CGROUP_INET_SOCK_CREATE), 0);
    node_until_coverage(&n, "owners-noted");
    cr_expect(status_says_noted(NULL));
    node_stop(&n, SIGINT);
    node_nothing_left(&n);
    close(foreign);
    close(root);
}

/* ---- A cgroup namespace: its root is a part of the machine's hierarchy ---- */

static const char *below_of_status(char *buf, size_t size)
{
    json_t *document = node_status(&n, NULL);
    const char *text = json_string_value(json_object_get(json_object_get(document, "owners"), "below"));

    snprintf(buf, size, "%s", text ? text : "");
    json_decref(document);
    return buf;
}

Test(owners_root, in_a_cgroup_namespace_the_part_that_is_noted_is_said)
{
    static char out[1 << 16];
    int outside = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
    char below[160], path[80];
    uint32_t instance;

    node_attach(&n, "node0 --mode tc");
    cr_expect_str_eq(below_of_status(below, sizeof(below)), "", "%s", below);
    node_stop(&n, SIGINT);

    enter_own_cgroup();
    snprintf(path, sizeof(path), "/%s", own_cgroup);
    node_attach(&n, "node0 --mode tc");
    instance = instance_of_node();
    cr_expect(status_says_noted(NULL));
    cr_expect_str_eq(below_of_status(below, sizeof(below)), "/ of this cgroup namespace", "%s", below);
    cr_assert_eq(node_command(&n, out, sizeof(out), "report --all"), 0);
    cr_expect(strstr(out, "Owners of sockets are noted only for processes in and below the cgroup / of this"), "%s", out);
    cr_assert_eq(node_command(&n, out, sizeof(out), "status"), 0);
    cr_expect(strstr(out, "only in and below the cgroup / of this cgroup namespace"), "%s", out);

    /* From the machine's root the same programs are found, at the same place. */
    cr_assert(setns(outside, CLONE_NEWCGROUP) == 0 && close(outside) == 0, "%s", strerror(errno));
    cr_expect_eq(qpw_owners_count(instance), QPW_OWNER_PROGRAMS);
    cr_expect(status_says_noted(NULL));
    cr_expect_str_eq(below_of_status(below, sizeof(below)), path, "%s", below);
    node_stop(&n, SIGKILL);
    cr_assert_eq(node_command(&n, NULL, 0, "detach"), 0);
    cr_expect_eq(qpw_owners_count(instance), 0);
    node_nothing_left(&n);
}

/* Run the auditor as it is started here, in a process of its own. */
static int attach_here(void *argument)
{
    char log[] = QPW_BUILD "/qportwatch";

    execl(log, log, "attach", "node0", "--mode", "tc", "--no-tui", "--no-alerts", NULL);
    return 127;
}

/* Attach as on a kernel without the unified hierarchy and tracefs: fsopen(2) supports neither, and nothing is mounted. */
static int attach_without_filesystems(void *argument)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsopen, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENODEV),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code), .filter = code};

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        return 126;
    return attach_here(NULL);
}

/* Make a system call fail with that error; mounts stay. */
static int refuse(long call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code), .filter = code};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* Attach as if lockdown or kernel.perf_event_paranoid forbade it. */
static int attach_without_perf(void *argument)
{
    return refuse(SYS_perf_event_open, EACCES) < 0 ? 126 : attach_here(NULL);
}

/* Attach where the unified hierarchy exists and tracefs is not available. */
static int attach_without_tracefs(void *argument)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return 126;
    mkdir("/sys/fs/cgroup/unified", 0755); /* for machines with cgroups version 1; not permitted on version 2 */
    if (mount("none", "/sys/kernel", "tmpfs", 0, NULL) < 0 || mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
        return 126;
    return refuse(SYS_fsopen, ENOENT) < 0 ? 126 : attach_here(NULL);
}

static bool owners_are_told(void *argument)
{
    int status;
    json_t *document = node_status(&n, &status);
    bool reported = document && json_is_string(json_object_get(json_object_get(document, "owners"), argument));

    json_decref(document);
    return reported;
}

static void assert_goes_on_without(int (*attach)(void *argument), const char *why)
{
    static char out[1 << 16];
    pid_t auditor = netns_fork(&n.node, attach, NULL);

    cr_expect(netns_until(owners_are_told, "why", NETNS_DEADLINE_MS));
    cr_expect(!status_says_noted(why));
    cr_assert_eq(node_command(&n, out, sizeof(out), "report --all"), 0);
    cr_expect(strstr(out, "Owners of sockets are not noted"), "%s", out);
    netns_stop(auditor, SIGKILL);
    cr_assert_eq(node_command(&n, NULL, 0, "detach"), 0);
}

Test(owners_root, without_a_unified_hierarchy_that_is_said)
{
    assert_goes_on_without(attach_without_filesystems, "the kernel has no unified cgroup hierarchy");
}

/* Assert that owners are still recorded; for ended processes only the executable is missing, and a name does not replace it. */
static void assert_goes_on_without_executables(int (*attach)(void *argument), const char *why)
{
    static char out[1 << 16];
    pid_t auditor = netns_fork(&n.node, attach, NULL);
    json_t *document;
    const char *text;

    cr_assert(netns_until(owners_are_told, "executables_why", NETNS_DEADLINE_MS));
    cr_expect(status_says_noted(NULL));
    document = node_status(&n, NULL);
    text = json_string_value(json_object_get(json_object_get(document, "owners"), "executables_why"));
    cr_expect(text && strstr(text, why), "%s", text);
    json_decref(document);
    cr_assert_eq(node_command(&n, out, sizeof(out), "report --all"), 0);
    cr_expect(strstr(out, "Executables of processes that have ended are not known"), "%s", out);
    netns_run(&n.node, "ip neigh replace 10.7.0.9 lladdr 02:00:00:00:00:09 dev node0");
    netns_run(&n.node, "bash -c 'echo x >/dev/udp/10.7.0.9/389'");
    cr_assert_eq(node_command(&n, out, sizeof(out), "connections --json to:10.7.0.9"), 0, "%s", out);
    document = json_loads(out, 0, NULL);
    cr_expect_str_eq(node_text(document, "connections.0.owner.process"), "bash");
    cr_expect_str_eq(node_text(document, "connections.0.owner.match"), "created");
    cr_expect(json_is_null(node_value(document, "connections.0.owner.exe")));
    json_decref(document);
    netns_stop(auditor, SIGKILL);
    cr_assert_eq(node_command(&n, NULL, 0, "detach"), 0);
}

Test(owners_root, without_tracefs_executables_are_missing)
{
    assert_goes_on_without_executables(attach_without_tracefs, "the kernel has no tracefs, or it is hidden");
}

Test(owners_root, without_perf_executables_are_missing)
{
    assert_goes_on_without_executables(attach_without_perf, "CAP_PERFMON or CAP_SYS_ADMIN is missing");
}

/* ---- Executables ---- */

static unsigned count_paths(int fd)
{
    uint64_t key, *before = NULL;
    unsigned count = 0;

    for (; bpf_map_get_next_key(fd, before, &key) == 0; before = &key)
        count++;
    return count;
}

/* A full table of paths makes room, and keeps paths that are still executed. */
Test(owners_root, paths_that_nobody_executes_make_room)
{
    struct qpw_load_options options = {.programs = 1u << QPW_PROG_qpw_tc_tx};
    struct qpw_executables e;
    struct qpw_kernel k;
    struct qpw_error err;
    char self[256] = "", path[256];
    uint64_t own = 0;
    unsigned before;

    cr_assert_eq(qpw_kernel_load(&options, &k, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_executables_attach(&k, &e, &err), 0, "%s", err.text);
    before = count_paths(k.map_fd[QPW_MAP_exes]);
    cr_expect_gt(before, 0);
    for (uint64_t i = before; i < QPW_EXES; i++) {
        uint64_t key = (i + 1) << 40;
        struct qpw_exe exe = {.last_ns = 1};

        snprintf(exe.path, sizeof(exe.path), "/gone/%llu", (unsigned long long)i);
        if (bpf_map_update_elem(k.map_fd[QPW_MAP_exes], &key, &exe, BPF_NOEXIST) < 0)
            break; /* other processes have executed something meanwhile: it is full */
    }
    cr_expect_gt(count_paths(k.map_fd[QPW_MAP_exes]), QPW_EXES / 4 * 3);
    qpw_executables_make_room(&k, &e);
    /* Half remain, plus whatever other processes on this machine execute meanwhile. */
    cr_expect_lt(count_paths(k.map_fd[QPW_MAP_exes]), QPW_EXES / 4 * 3);
    own = e.slots->slot[getpid() & (QPW_EXE_SLOTS - 1)];
    cr_expect_eq(own & QPW_EXE_TGID, (uint64_t)getpid());
    cr_assert_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    cr_expect(qpw_executable_path(&k, own & ~QPW_EXE_TGID, path, sizeof(path)));
    cr_expect_str_eq(path, self);
    qpw_executables_detach(&k, &e);
    qpw_kernel_close(&k);
}


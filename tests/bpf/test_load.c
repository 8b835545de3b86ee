/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loading the kernel side: what exists afterwards, and that nothing does if it is refused. */
#include <bpf/bpf.h>
#include <cap-ng.h>
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/clock.h"
#include "host/filesystem.h"
#include "instance/cpus.h"
#include "instance/instance.h"
#include "instance/jiffies.h"
#include "instance/object.h"
#include "instance/kernel_words.h"
#include "cpu.h"
#include "netns.h"

static struct qpw_error err;

static void setup(void)
{
    netns_need_root();
    qpw_quiet_libbpf();
}

TestSuite(load, .init = setup, .timeout = NETNS_TIMEOUT_S);

/* The folder of tracepoints is held open from its first use on, where it is mounted. */
static unsigned open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *e;
    char target[64] = "";
    unsigned n = 0;

    cr_assert_not_null(dir);
    while ((e = readdir(dir))) {
        memset(target, 0, sizeof(target));
        n += readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1) < 0 || strcmp(target, "/sys/kernel/tracing");
    }
    closedir(dir);
    return n;
}

static void give_up(unsigned capability)
{
    capng_get_caps_process();
    cr_assert_eq(capng_updatev(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SYS_ADMIN, capability, -1), 0);
    cr_assert_eq(capng_apply(CAPNG_SELECT_CAPS), 0);
}

static uint32_t map_id(int fd)
{
    struct bpf_map_info info = {0};
    uint32_t size = sizeof(info);

    cr_assert_eq(bpf_obj_get_info_by_fd(fd, &info, &size), 0, "%s", strerror(errno));
    return info.id;
}

static bool holds(struct qpw_kernel *k, int program, int fd)
{
    __u32 ids[QPW_PROGRAM_MAPS];
    int n = qpw_program_map_ids(qpw_instance_program_id(k, program), ids, QPW_PROGRAM_MAPS);

    for (int i = 0; i < n; i++)
        if (ids[i] == map_id(fd))
            return true;
    return false;
}

Test(load, every_program_holds_every_map)
{
    struct qpw_kernel k;

    cr_assert_eq(qpw_kernel_load(&(struct qpw_load_options){0}, &k, &err), 0, "%s", err.text);
    for (int program = 0; program < QPW_PROG_INTERFACES; program++) {
        cr_assert(k.prog_fd[program] >= 0, "%s", qpw_program_name(program));
        for (int map = 0; map < QPW_MAP_COUNT; map++)
            cr_expect(holds(&k, program, k.map_fd[map]), "%s: %s", qpw_program_name(program), qpw_map_name(map));
        for (int section = 0; section < QPW_SECTION_COUNT; section++)
            cr_expect(holds(&k, program, k.section_fd[section]), "%s: section %d", qpw_program_name(program), section);
    }
    qpw_kernel_close(&k);
}

/* With many CPUs each cache is smaller, because each CPU handles only part of the connections. */
Test(load, many_cpus_have_small_caches)
{
    static const struct {
        int cpus;
        uint32_t lines;
    } rows[] = {{1, 16384}, {2, 16384}, {8, 16384}, {9, 8192}, {16, 8192}, {32, 4096}, {64, 2048}, {128, 2048}, {8192, 2048},
                {-1, 16384}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        cr_expect_eq(qpw_cpus_cache_lines(rows[i].cpus), rows[i].lines, "%d CPUs", rows[i].cpus);
}

/* Programs for kernels before 5.13 are compiled separately; newer kernels accept them, too. */
Test(load, programs_for_old_kernels)
{
    struct qpw_kernel k;

    cr_assert_eq(qpw_kernel_load(&(struct qpw_load_options){.old_verifier = true, .programs = 1u << QPW_PROG_qpw_tc_tx}, &k,
                                 &err), 0, "%s", err.text);
    cr_expect(holds(&k, QPW_PROG_qpw_tc_tx, k.map_fd[QPW_MAP_meters]));
    qpw_kernel_close(&k);
}

/* Load selected programs, and later another one with the same maps. */
Test(load, programs_may_follow)
{
    struct qpw_kernel k;

    cr_assert_eq(qpw_kernel_load(&(struct qpw_load_options){.programs = 1u << QPW_PROG_qpw_tc_tx}, &k, &err), 0, "%s",
                 err.text);
    for (int program = 0; program < QPW_PROG_COUNT; program++)
        cr_expect_eq(k.prog_fd[program] >= 0, program == QPW_PROG_qpw_tc_tx, "%s", qpw_program_name(program));
    cr_assert_eq(qpw_instance_complete(&k, 1u << QPW_PROG_qpw_tc_tx | 1u << QPW_PROG_qpw_xdp_rx, &err), 0, "%s",
                 err.text);
    cr_assert(k.prog_fd[QPW_PROG_qpw_xdp_rx] >= 0);
    cr_expect(k.prog_fd[QPW_PROG_qpw_tc_rx] < 0);
    cr_expect(holds(&k, QPW_PROG_qpw_xdp_rx, k.map_fd[QPW_MAP_meters]));
    cr_expect(holds(&k, QPW_PROG_qpw_xdp_rx, k.section_fd[QPW_SECTION_CONTROL]));
    qpw_kernel_close(&k);
}

/* The variables are one page for user space and all programs, and the configuration is frozen as calibrated. */
Test(load, variables_are_shared_and_the_configuration_frozen)
{
    struct qpw_kernel k;
    struct qpw_config config;
    struct qpw_control *control;
    static char page[4096];
    __u32 zero = 0;

    cr_assert_eq(qpw_kernel_load(&(struct qpw_load_options){.programs = 1u << QPW_PROG_qpw_tc_tx}, &k, &err), 0, "%s", err.text);
    cr_assert_eq(bpf_map_lookup_elem(k.section_fd[QPW_SECTION_CONFIG], &zero, &config), 0);
    cr_expect_eq(memcmp(&config, &k.config, sizeof(config)), 0);
    cr_expect(config.tick_ns >= 1000000 && config.tick_ns <= 10000000, "%llu", (unsigned long long)config.tick_ns);
    cr_expect_lt(bpf_map_update_elem(k.section_fd[QPW_SECTION_CONFIG], &zero, &config, BPF_ANY), 0);
    cr_expect_eq(errno, EPERM);
    k.control->half_open_ns = 4711;
    cr_assert_eq(bpf_map_lookup_elem(k.section_fd[QPW_SECTION_CONTROL], &zero, page), 0);
    control = (struct qpw_control *)page;
    cr_expect_eq(control->half_open_ns, 4711);
    qpw_kernel_close(&k);
}

static uint64_t jiffies_now(void)
{
    FILE *list = fopen("/proc/timer_list", "r");
    unsigned long long n = 0;
    char line[256];

    cr_assert(list);
    while (!n && fgets(line, sizeof(line), list))
        sscanf(line, "jiffies: %llu", &n);
    fclose(list);
    cr_assert(n, "no line \"jiffies:\" in /proc/timer_list");
    return n;
}

/* Take the CPU from the test, as others do on a busy machine, until killed. */
static pid_t take_cpu(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            ;
    }
    return pid;
}

/* What user space dates by its own clock, such as a seed, is then not before what the programs did earlier. */
Test(load, the_programs_clock_is_never_ahead)
{
    struct qpw_config config = {0};
    uint64_t most_ahead = 0;
    pid_t others[3];

    cr_assert(cpu_stay());
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        others[i] = take_cpu();
    for (int i = 0; i < 10; i++) {
        uint64_t programs, now;

        cr_assert_eq(qpw_jiffies_calibrate(&config, &err), 0, "%s", err.text);
        programs = config.base_ns + (jiffies_now() - config.jiffies_base) * config.tick_ns;
        now = qpw_clock_monotonic_ns();
        if (programs > now && programs - now > most_ahead)
            most_ahead = programs - now;
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        kill(others[i], SIGKILL);
        waitpid(others[i], NULL, 0);
    }
    cr_expect_eq(most_ahead, 0, "by %" PRIu64 " ns", most_ahead);
}

Test(load, closing_waits_for_the_programs)
{
    struct qpw_kernel k;
    int kept = qpw_filesystem_open("tracefs", TRACEFS_MAGIC, "/sys/kernel/tracing"); /* opened once per process */
    unsigned files;

    if (kept >= 0)
        close(kept);
    files = open_files();
    cr_assert_eq(qpw_kernel_begin(&(struct qpw_load_options){0}, &k, &err), 0, "%s", err.text);
    for (int program = 0; program < QPW_PROG_COUNT; program++)
        cr_expect(k.prog_fd[program] < 0, "before the end there is none");
    qpw_kernel_close(&k);
    cr_expect_eq(open_files(), files);
}

/* Without CAP_PERFMON the verifier also enforces its rules against leaks of kernel addresses. */
Test(load, the_verifiers_reason_is_one_line_and_nothing_is_left)
{
    static const char refused[] = "the kernel refuses the BPF program qpw_xdp_rx: Permission denied: ";
    struct qpw_kernel k = {.config.tick_ns = 4711};
    unsigned files;

    give_up(CAP_PERFMON);
    files = open_files();
    cr_assert_eq(qpw_kernel_load(&(struct qpw_load_options){0}, &k, &err), -EACCES, "%s", err.text);
    cr_expect(strstr(err.text, refused) == err.text && isalpha((unsigned char)err.text[strlen(refused)]),
              "the verifier gives a reason: %s", err.text);
    cr_expect(strstr(err.text, " (root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and Linux 5.10 are needed)"), "%s",
              err.text);
    cr_expect_null(strchr(err.text, '\n'), "%s", err.text);
    cr_expect_eq(k.config.tick_ns, 4711, "it is untouched");
    cr_expect_eq(open_files(), files);
}

Test(load, without_rights_nothing_is_left)
{
    struct qpw_kernel k;
    unsigned files;

    give_up(CAP_BPF);
    files = open_files();
    cr_assert_eq(qpw_kernel_load(&(struct qpw_load_options){0}, &k, &err), -EPERM, "%s", err.text);
    cr_expect(strstr(err.text, "Operation not permitted (root, or CAP_BPF"), "%s", err.text);
    cr_expect_null(strchr(err.text, '\n'), "%s", err.text);
    cr_expect_eq(open_files(), files);
}

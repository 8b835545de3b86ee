/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What this kernel's verifier makes of the programs, as a table: for each entry point, as attached and as in replays,
 * the instructions it went through and the stack of the deepest chain of calls. Exits with 1 where one is refused or
 * beyond the bounds below, so that a change which an old verifier would refuse is seen before it gets there.
 *
 * The figures are the verifier's own, from its log: bpf_prog_info has no instruction count before 5.16 and no stack at
 * all. The log is asked for around libbpf's load (see the Makefile, --wrap), so what is measured is what is loaded.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "instance/object.h"

#define MOST_VERIFIED 250000u /* the kernel gives up at 1,000,000; of those tried the old object takes the most */
#define MOST_STACK 480u       /* of 512; what is left is for another compiler's spills */
#define MOST_BYTES (192u * 1024)

#define LOG_BYTES (64u * 1024)
#define WHOLE_LOG_BYTES (64u << 20)
#define LAST_LINES 120
#define MAX_FUNCTIONS 256

/* What the verifier says at the end of its log. */
struct summary {
    uint32_t verified;
    uint32_t states; /* the most that were kept at once */
    uint32_t depth[MAX_FUNCTIONS]; /* stack of each function, in their order */
    unsigned n_functions;
};

/* A loaded program: what the verifier left of it, dead code being gone. */
struct program {
    struct bpf_insn insns[MOST_BYTES / sizeof(struct bpf_insn)];
    uint32_t n_insns;
    struct bpf_func_info functions[MAX_FUNCTIONS]; /* where each begins, ascending */
    unsigned n_functions;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* As bits by enum qpw_program. A replay has no owners. */
#define ALL ((1u << QPW_PROG_COUNT) - 1)
#define REPLAY (ALL & ~((1u << QPW_PROG_ATTACHED) - 1))
#define OWNERS (ALL & ~REPLAY & ~QPW_ALL_INTERFACE_PROGRAMS)

static struct summary summaries[QPW_PROG_COUNT]; /* of the last load; guarded by lock while there are threads */

static bool is_call(const struct bpf_insn *i)
{
    return i->code == (BPF_JMP | BPF_CALL) && i->src_reg == BPF_PSEUDO_CALL;
}

/* The kernel leaves the distance in `off` once it has compiled the program (kernel/bpf/verifier.c, jit_subprogs). */
static uint32_t target_of(const struct program *p, uint32_t at)
{
    return at + 1 + (uint32_t)p->insns[at].off;
}

/*
 * Of function f and the deepest of those it calls. Kernels before 6.8 round each up to 32 bytes and take none for 0;
 * later ones round less, so this is the number that fits everywhere. 0: a call leads to no function.
 */
static uint32_t deepest(const struct program *p, const struct summary *s, unsigned f)
{
    uint32_t end = f + 1 < p->n_functions ? p->functions[f + 1].insn_off : p->n_insns, most = 0;

    for (uint32_t i = p->functions[f].insn_off; i < end; i++) {
        unsigned callee = 0;
        uint32_t bytes;

        if (!is_call(&p->insns[i]))
            continue;
        while (callee < p->n_functions && p->functions[callee].insn_off != target_of(p, i))
            callee++;
        bytes = callee < p->n_functions ? deepest(p, s, callee) : 0;
        if (!bytes)
            return 0;
        if (bytes > most)
            most = bytes;
    }
    return (s->depth[f] ? (s->depth[f] + 31) / 32 * 32 : 32) + most;
}

/* 0: the kernel does not show the program (net.core.bpf_jit_harden), or it is not the one that the summary is about. */
static uint32_t stack_of(int prog_fd, const struct summary *s)
{
    static struct program p;
    struct bpf_prog_info info = {
        .xlated_prog_insns = (uintptr_t)p.insns,
        .xlated_prog_len = sizeof(p.insns),
        .func_info = (uintptr_t)p.functions,
        .func_info_rec_size = sizeof(*p.functions),
        .nr_func_info = MAX_FUNCTIONS,
    };
    uint32_t size = sizeof(info);

    if (bpf_obj_get_info_by_fd(prog_fd, &info, &size) < 0 || !info.xlated_prog_insns ||
        info.xlated_prog_len > sizeof(p.insns) || info.nr_func_info != s->n_functions)
        return 0;
    p.n_insns = info.xlated_prog_len / sizeof(*p.insns);
    p.n_functions = info.nr_func_info;
    return deepest(&p, s, 0);
}

static uint32_t number_after(const char *text, const char *words)
{
    const char *at = strstr(text, words);

    return at ? (uint32_t)strtoul(at + strlen(words), NULL, 10) : 0;
}

/* "stack depth 96+0+64 …" and "processed 1 insns (limit 1000000) … peak_states 2 …", each a line of its own. */
static void read_log(struct summary *ret, const char *log)
{
    const char *at = strstr(log, "stack depth ");
    char *end;

    ret->verified = number_after(log, "\nprocessed ");
    ret->states = number_after(log, "peak_states ");
    for (at += at ? strlen("stack depth ") : 0; at && ret->n_functions < MAX_FUNCTIONS; at = end + 1) {
        ret->depth[ret->n_functions] = (uint32_t)strtoul(at, &end, 10);
        ret->n_functions += end > at;
        if (*end != '+')
            break;
    }
}

/* With VERIFIER_LOG in the environment, every instruction that the verifier goes through is in its log. */
static size_t log_bytes(void)
{
    return getenv("VERIFIER_LOG") ? WHOLE_LOG_BYTES : LOG_BYTES;
}

/* Why a program was refused is at the end of its log. */
static void show_end(const char *log)
{
    const char *at = log + strlen(log);

    for (int lines = 0; at > log && lines <= LAST_LINES; at--)
        lines += at[-1] == '\n';
    fprintf(stderr, "%s", at > log ? at + 1 : log);
}

static int index_of(const char *name)
{
    for (int i = 0; i < QPW_PROG_COUNT; i++)
        if (!strcmp(name, qpw_program_name(i)))
            return i;
    return -1;
}

int __real_bpf_object__load(struct bpf_object *object);
int __wrap_bpf_object__load(struct bpf_object *object);

/* libbpf's bpf_object__load() with the verifier's statistics asked for. Called by the threads that load programs. */
int __wrap_bpf_object__load(struct bpf_object *object)
{
    struct bpf_program *program, *loaded = NULL;
    char *log = calloc(1, log_bytes());
    struct summary one = {0};
    int r, at;

    bpf_object__for_each_program(program, object)
        if (bpf_program__autoload(program))
            loaded = program; /* one an object, see programs.c; none for the object of the maps */
    if (loaded && log) {
        bpf_program__set_log_level(loaded, getenv("VERIFIER_LOG") ? 4 | 1 : 4); /* BPF_LOG_STATS, BPF_LOG_LEVEL1 */
        bpf_program__set_log_buf(loaded, log, log_bytes());
    }
    r = __real_bpf_object__load(object);
    at = loaded ? index_of(bpf_program__name(loaded)) : -1;
    if (r == 0 && at >= 0 && log) {
        read_log(&one, log);
        pthread_mutex_lock(&lock);
        summaries[at] = one;
        pthread_mutex_unlock(&lock);
    } else if (r && log) {
        show_end(log);
    }
    free(log);
    return r;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
    return 0;
}

/* Attached; a replay that counts each connection; one that does not, for a report. */
enum as { ATTACHED, REPLAYED, REPORTED };

static const char *const as_text[] = {"attached", "replay", "report"};

/* One row a program. 0: all within bounds. */
static int measure(const char *kernel, enum as as, bool old)
{
    bool replay = as != ATTACHED;
    struct qpw_load_options options = {.replay = replay, .no_counts = as == REPORTED, .no_cache = as == REPORTED,
                                       .old_verifier = old, .programs = replay ? ALL & ~OWNERS : ALL & ~REPLAY};
    struct qpw_kernel k;
    struct qpw_error err = {0};
    int r = 0;

    memset(summaries, 0, sizeof(summaries));
    if (qpw_kernel_load(&options, &k, &err) < 0) {
        printf("FAILED %s\n", err.text);
        return 1;
    }
    for (int i = 0; i < (int)QPW_PROG_COUNT; i++) {
        if (replay ? i >= QPW_PROG_INTERFACES && i < QPW_PROG_ATTACHED : i >= QPW_PROG_ATTACHED)
            continue;
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof(info), stack = stack_of(k.prog_fd[i], &summaries[i]);
        const struct summary *s = &summaries[i];
        bool is_fine;

        if (bpf_obj_get_info_by_fd(k.prog_fd[i], &info, &size) < 0)
            info.xlated_prog_len = 0;
        is_fine = s->verified && s->verified <= MOST_VERIFIED && stack && stack <= MOST_STACK &&
                  info.xlated_prog_len && info.xlated_prog_len <= MOST_BYTES;
        printf("%-20.20s %-15s %-8s %12u %11u %11u %7u%s\n", kernel, qpw_program_name(i),
               as_text[as], s->verified, s->states, info.xlated_prog_len, stack,
               is_fine ? "" : "  TOO MUCH");
        r |= !is_fine;
    }
    qpw_kernel_close(&k);
    return r;
}

/* usage: verifier [attached] [old]; without the first word as a replay loads them, too; old: those that old kernels are given */
int main(int argc, char **argv)
{
    bool old = argc > 1 && !strcmp(argv[argc - 1], "old");
    struct utsname here;
    int r;

    uname(&here);
    libbpf_set_print(quiet);
    printf("%-20s %-15s %-8s %12s %11s %11s %7s\n", "kernel", "entry point", "as", "instructions", "peak states",
           "bytes kept", "stack");
    r = measure(here.release, ATTACHED, old);
    for (enum as as = REPLAYED; as <= REPORTED && argc < 2 + old; as++)
        r |= measure(here.release, as, old);
    printf("%-42s %12u %11s %11u %7u\n", "at most", MOST_VERIFIED, "", MOST_BYTES, MOST_STACK);
    return r;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the verifier had to do, how large the programs are and how much stack they take, so that a change that doubles
 * them, or that other kernels would refuse, is seen; and that every program passes the packet on.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit.h"

#define MOST_VERIFIED 150000u /* the kernel gives up at 1,000,000 */
#define MOST_BYTES (120u * 1024)
#define MOST_STACK 480u /* of 512; what is left is for another compiler's spills */

static struct audit a;

Test(guard, verifier_work_and_program_size_are_bounded)
{
    audit_open(&a, &(struct qpw_load_options){.programs = ~0u});
    for (int i = 0; i < QPW_PROG_COUNT; i++) {
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof(info);

        cr_assert(bpf_obj_get_info_by_fd(a.kernel.prog_fd[i], &info, &size) == 0);
        printf("    %-12s %7u instructions verified, %6u bytes, %6u as machine code\n", qpw_program_name(i),
               info.verified_insns, info.xlated_prog_len, info.jited_prog_len);
        cr_assert(info.xlated_prog_len > 0 && info.xlated_prog_len <= MOST_BYTES, "%s: %u bytes", qpw_program_name(i),
                  info.xlated_prog_len);
        if (size > offsetof(struct bpf_prog_info, verified_insns)) /* since 5.16 */
            cr_assert(info.verified_insns <= MOST_VERIFIED, "%s: %u", qpw_program_name(i), info.verified_insns);
    }
    fflush(stdout);
    audit_close(&a);
}

/* ---- Stack: of the deepest chain of calls, as kernels up to 6.1 reckon it, which is more than later ones do ---- */

#define MAX_FUNCTIONS 64

struct function {
    uint32_t start, end; /* instructions */
    uint32_t stack;      /* bytes of its own */
};

struct program {
    const struct bpf_insn *insns;
    uint32_t n_insns;
    struct function functions[MAX_FUNCTIONS];
    unsigned n_functions;
};

static bool is_call_of_function(const struct bpf_insn *i)
{
    return i->code == (BPF_JMP | BPF_CALL) && i->src_reg == BPF_PSEUDO_CALL;
}

/* The kernel leaves the distance in `off` once it has compiled the program (kernel/bpf/verifier.c, jit_subprogs). */
static uint32_t target_of(uint32_t at, const struct bpf_insn *i)
{
    return at + 1 + i->off;
}

static int by_start(const void *left, const void *right)
{
    const struct function *x = left, *y = right;

    return (x->start > y->start) - (x->start < y->start);
}

static void add_function(struct program *p, uint32_t start)
{
    for (unsigned f = 0; f < p->n_functions; f++)
        if (p->functions[f].start == start)
            return;
    cr_assert(start < p->n_insns && p->n_functions < MAX_FUNCTIONS);
    p->functions[p->n_functions++].start = start;
}

/* How far below the frame pointer, register 10, an instruction reaches, or the address it makes. */
static uint32_t reach(const struct bpf_insn *i, const struct bpf_insn *before)
{
    uint8_t class = BPF_CLASS(i->code);
    uint8_t base = class == BPF_LDX ? i->src_reg : class == BPF_ST || class == BPF_STX ? i->dst_reg : 0;

    if (base == BPF_REG_10 && i->off < 0)
        return -i->off;
    if (i->code == (BPF_ALU64 | BPF_ADD | BPF_K) && i->imm < 0 && before &&
        before->code == (BPF_ALU64 | BPF_MOV | BPF_X) && before->src_reg == BPF_REG_10 && before->dst_reg == i->dst_reg)
        return -i->imm;
    return 0;
}

static void find_functions(struct program *p)
{
    add_function(p, 0);
    for (uint32_t i = 0; i < p->n_insns; i++)
        if (is_call_of_function(&p->insns[i]))
            add_function(p, target_of(i, &p->insns[i]));
    qsort(p->functions, p->n_functions, sizeof(*p->functions), by_start);
    for (unsigned f = 0; f < p->n_functions; f++) {
        struct function *one = &p->functions[f];

        one->end = f + 1 < p->n_functions ? p->functions[f + 1].start : p->n_insns;
        for (uint32_t i = one->start; i < one->end; i++) {
            uint32_t bytes = reach(&p->insns[i], i > one->start ? &p->insns[i - 1] : NULL);

            if (bytes > one->stack)
                one->stack = bytes;
        }
    }
}

/* Of the function that starts there and the deepest of those it calls: each rounded up to 32 bytes, none taking 0. */
static uint32_t deepest(const struct program *p, uint32_t start)
{
    const struct function *f = bsearch(&(struct function){.start = start}, p->functions, p->n_functions,
                                       sizeof(*p->functions), by_start);
    uint32_t most = 0, bytes;

    cr_assert(f);
    for (uint32_t i = f->start; i < f->end; i++) {
        if (!is_call_of_function(&p->insns[i]))
            continue;
        bytes = deepest(p, target_of(i, &p->insns[i]));
        if (bytes > most)
            most = bytes;
    }
    return (f->stack ? (f->stack + 31) / 32 * 32 : 32) + most;
}

Test(guard, stack_leaves_room)
{
    audit_open(&a, &(struct qpw_load_options){.programs = ~0u});
    for (int i = 0; i < QPW_PROG_COUNT; i++) {
        static struct bpf_insn insns[MOST_BYTES / sizeof(struct bpf_insn)];
        struct bpf_prog_info info = {.xlated_prog_insns = (uintptr_t)insns, .xlated_prog_len = sizeof(insns)};
        struct program p = {.insns = insns};
        uint32_t size = sizeof(info), bytes;

        cr_assert_eq(bpf_obj_get_info_by_fd(a.kernel.prog_fd[i], &info, &size), 0);
        if (!info.xlated_prog_insns)
            cr_skip_test("this kernel does not show the instructions of programs (net.core.bpf_jit_harden)");
        p.n_insns = info.xlated_prog_len / sizeof(*insns);
        find_functions(&p);
        cr_assert_gt(p.n_functions, 10, "%s: %u functions", qpw_program_name(i), p.n_functions);
        bytes = deepest(&p, 0);
        printf("    %-12s %3u bytes of stack\n", qpw_program_name(i), bytes);
        cr_expect_leq(bytes, MOST_STACK, "%s: %u bytes of stack", qpw_program_name(i), bytes);
    }
    fflush(stdout);
    audit_close(&a);
}

Test(guard, one_packet_is_counted_once)
{
    audit_open(&a, NULL);
    AUDIT_POLICY(&a, NULL, {.name = "smb", .direction = QPW_DIR_INBOUND, .protocol = 6, .first = 445});
    audit_handshake_in(&a, "10.0.0.9", 40000, 445);
    struct qpw_conn c = audit_tcp(&a, "10.0.0.9", 40000, 445);

    cr_assert_eq(c.state, QPW_STATE_ESTABLISHED);
    cr_assert_eq(AUDIT_PACKETS(&a, .rule = "smb", .verdict = AUDIT_IS(QPW_VERDICT_ALLOWED)), 3);
    audit_close(&a);
}

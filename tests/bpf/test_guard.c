/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the verifier had to do and how large the programs are, so that a change that doubles them is seen;
 * and that every program passes the packet on.
 */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>

#include "audit.h"

#define MOST_VERIFIED 150000u /* the kernel gives up at 1,000,000 */
#define MOST_BYTES (120u * 1024)

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

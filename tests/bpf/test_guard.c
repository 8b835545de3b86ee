/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verifier's work, the size and the stack use of the programs, so that a change that doubles them, or that other
 * kernels would refuse, is detected; and that every program passes the packet.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit.h"
#include "netns.h"

static struct audit a;

/* For this machine's kernel; tests/net/test_kernels.c boots others. */
Test(guard, verifier_work_size_and_stack_are_bounded, .timeout = NETNS_TIMEOUT_S)
{
    netns_need_root();
    cr_expect_eq(system(QPW_BUILD "/tests/vm/verifier"), 0);
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

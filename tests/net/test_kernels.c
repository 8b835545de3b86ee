/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The oldest and the newest supported kernel: Debian 11's 5.10 (no TCX, no multi-buffer XDP, no instruction count in
 * bpf_prog_info; another verifier) and Debian unstable's, whose verifier resembles the machine's own, briefly.
 * tests/all has those between.
 */
#include <criterion/criterion.h>

#include "netns.h"
#include "vm.h"

TestSuite(kernels, .timeout = NETNS_TIMEOUT_S);

Test(kernels, oldest)
{
    vm_check("bullseye", VM_WHOLE);
}

Test(kernels, newest)
{
    vm_check("sid", VM_SHORT);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernels of Debian 12 (6.1) and 13 (6.12), as tests/net/test_kernels.c does with the oldest and the newest. */
#include <criterion/criterion.h>

#include "netns.h"
#include "vm.h"

TestSuite(kernels_between, .timeout = NETNS_TIMEOUT_S);

Test(kernels_between, debian_12)
{
    vm_check("bookworm", VM_WHOLE);
}

Test(kernels_between, debian_13)
{
    vm_check("trixie", VM_WHOLE);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The oldest kernel that is supported (Debian 11's 5.10: no TCX, so clsact; another verifier; VLAN devices and bonds)
 * in an emulated machine. The package is fetched by `make test`; without it, or without qemu, the test is skipped.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"

Test(other_kernel, attaches_and_counts_exactly, .timeout = NETNS_TIMEOUT_S)
{
    static char out[1 << 16];
    struct netns here = netns_here();
    int rc;

    if (access(QPW_BUILD "/vm/bullseye/vmlinuz", R_OK))
        cr_skip_test("no kernel in " QPW_BUILD "/vm/bullseye (it could not be fetched)");
    if (system("command -v qemu-system-x86_64 >/dev/null"))
        cr_skip_test("no qemu-system-x86_64 here");
    rc = netns_output(&here, out, sizeof(out),
                      "VM_SECONDS=840 tests/vm/boot %s/vm/bullseye /bin/inside %s/qportwatch tests/vm/inside "
                      "\"$(command -v jq)\" \"$(command -v ethtool)\"",
                      QPW_BUILD, QPW_BUILD);
    printf("%s", out);
    cr_assert_eq(rc, 0, "%s", out);
    cr_assert(strstr(out, "ok TC, clsact: packets as the far end counted them"), "%s", out);
    netns_close(&here);
}

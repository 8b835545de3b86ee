/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "vm.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netns.h"
#include "thorough.h"

#define SECONDS (NETNS_TIMEOUT_S - 60) /* the machine's limit, shorter than the test's */

/* Read the line in which tests/vm/fetch recorded why there is no such kernel. */
static void read_reason(const char *suite, char *ret, size_t size)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/vm/%s.reason", QPW_BUILD, suite);
    file = fopen(path, "r");
    if (!file || !fgets(ret, (int)size, file))
        snprintf(ret, size, "%s: its kernel has not been fetched (tests/vm/fetch %s/vm %s)", suite, QPW_BUILD, suite);
    ret[strcspn(ret, "\n")] = '\0';
    if (file)
        fclose(file);
}

void vm_check(const char *suite, enum vm_extent extent)
{
    bool whole = extent == VM_WHOLE || thorough_rounds(0, 1);
    static char out[1 << 16];
    struct netns here = netns_here();
    char path[512], reason[512];
    int status;

    snprintf(path, sizeof(path), "%s/vm/%s/vmlinuz", QPW_BUILD, suite);
    if (access(path, R_OK)) {
        read_reason(suite, reason, sizeof(reason));
        cr_skip_test("%s", reason);
    }
    if (system("command -v qemu-system-x86_64 >/dev/null"))
        cr_skip_test("no qemu-system-x86_64 here");
    status = netns_output(&here, out, sizeof(out),
                          "kept=%s/vm/%s.out; VM_SECONDS=%d tests/vm/boot %s/vm/%s 'OWNERS=%u SHORT=%s inside; r=$?; %s; exit $r' "
                          "%s/qportwatch tests/vm/inside %s/tests/vm/verifier %s/tests/vm/owners $(which jq ethtool bpftool) "
                          ">$kept 2>&1; r=$?; cat $kept; exit $r",
                          QPW_BUILD, suite, SECONDS, QPW_BUILD, suite, thorough_rounds(20, 1000), whole ? "" : "yes",
                          !whole ? "true" : thorough_rounds(1, 0) ? "verifier attached || r=1" : "verifier || r=1", QPW_BUILD,
                          QPW_BUILD, QPW_BUILD);
    printf("%s", out);
    fflush(stdout);
    cr_expect_eq(status, 0, "%s", out);
    cr_expect(strstr(out, "ok XDP: exact counts\n") && strstr(out, "ok TC, MTU 9000, VLAN: exact counts\n"), "%s", out);
    netns_close(&here);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Debian package, built twice, installed, run by systemd, upgraded and purged; and another suite of Debian. See tests/package/. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "netns.h"

TestSuite(package, .timeout = 3 * NETNS_TIMEOUT_S); /* chroots are fetched, and everything is built, several times */

static void run(const char *command)
{
    static char output[262144];
    FILE *out;
    size_t got;
    int status;

    netns_need_root();
    out = popen(command, "r");
    cr_assert(out);
    got = fread(output, 1, sizeof(output) - 1, out);
    output[got] = '\0';
    status = WEXITSTATUS(pclose(out));
    if (status == 77)
        cr_skip_test("%s", output);
    cr_expect_eq(status, 0, "%s", output);
}

Test(package, is_built_installed_run_upgraded_and_purged)
{
    run("tests/package/test " QPW_BUILD " 2>&1");
}

Test(package, ubuntu_24_04_builds_it_and_passes_the_unit_tests)
{
    run("tests/package/suite " QPW_BUILD " noble 2>&1");
}

Test(package, debian_13_builds_it_and_passes_the_unit_tests)
{
    run("tests/package/suite " QPW_BUILD " trixie 2>&1");
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Five nodes, a real Prometheus and a real Alertmanager. See tests/prometheus/test. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "netns.h"

TestSuite(monitoring, .timeout = NETNS_TIMEOUT_S);

Test(monitoring, an_answered_unlisted_port_is_an_alert_in_alertmanager)
{
    static char output[65536];
    FILE *out;
    int status;

    netns_need_root();
    out = popen("tests/prometheus/test " QPW_BUILD " 2>&1", "r");
    cr_assert(out);
    output[fread(output, 1, sizeof(output) - 1, out)] = '\0';
    status = WEXITSTATUS(pclose(out));
    if (status == 77)
        cr_skip_test("%s", output);
    cr_expect_eq(status, 0, "%s", output);
}
